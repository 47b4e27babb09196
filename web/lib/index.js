/* The library as modules: `import { DynamicsTelephony, CallTab } from '<gateway>/lib/index.js'`. docs/library.md explains it,
 * calltab.d.ts describes every name. */
import { makeCallTab, sharedCallTab } from './call_tab.js'

const scriptUrl = import.meta.url

export const { DynamicsTelephony, CallTab } = sharedCallTab(scriptUrl)
export const createCallTab = () => makeCallTab({ scriptUrl })
export { TelephonyError } from './errors.js'
