/* The library as one classic script: `<script src="<gateway>/lib/calltab.js"></script>` makes the two globals. */
import { sharedCallTab } from './call_tab.js'

const script = /** @type {any} */ (document.currentScript)
const { DynamicsTelephony, CallTab } = sharedCallTab(script ? script.src : undefined)

for (const [name, value] of Object.entries({ DynamicsTelephony, CallTab }))
  Object.defineProperty(globalThis, name, { value, enumerable: true, configurable: true })
