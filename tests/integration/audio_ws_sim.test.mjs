/* An agent's audio in his page, on the simulated switch. */
import { audioWsSuite } from './audio_ws_suite.mjs'

audioWsSuite('sim')
