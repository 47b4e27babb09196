/* An agent's audio in his page, on a real Asterisk: tones at both ends. */
import { audioWsSuite } from '../integration/audio_ws_suite.mjs'

audioWsSuite('asterisk')
