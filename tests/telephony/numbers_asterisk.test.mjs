/* Numbers and dial rules on a real Asterisk: what the carrier is asked for, and what its display shows. */
import { numbersSuite } from '../integration/numbers_suite.mjs'

numbersSuite('asterisk')
