/* The mission's rows on a real Asterisk with SIP telephones that measure who hears whom. */
import { missionSuite } from '../integration/mission_suite.mjs'

missionSuite('asterisk')
