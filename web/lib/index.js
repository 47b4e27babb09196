/* The library as modules: `import { DynamicsTelephony, CallTab } from '<gateway>/lib/index.js'`. docs/library.md explains it,
 * calltab.d.ts describes every name. */
import { sharedCallTab } from './call_tab.js'

export const { DynamicsTelephony, CallTab } = sharedCallTab(import.meta.url)
export { createCallTab } from './call_tab.js'
export { TelephonyError } from './errors.js'
