/* An agent whose telephone stays up between calls, on the simulated switch. */
import { nailedSuite } from './nailed_suite.mjs'

nailedSuite('sim')
