/* The mission's rows on the simulated switch. */
import { missionSuite } from './mission_suite.mjs'

missionSuite('sim')
