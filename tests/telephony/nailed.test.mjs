/* An agent whose telephone stays up between calls, on a real Asterisk: tones say who hears whom. */
import { nailedSuite } from '../integration/nailed_suite.mjs'

nailedSuite('asterisk')
