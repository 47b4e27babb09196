/** The two globals of the classic script: `/// <reference path="calltab-globals.d.ts" />`. */
import type { CallTabApi, DynamicsTelephonyApi } from './calltab.js'

declare global {
  const DynamicsTelephony: Readonly<DynamicsTelephonyApi>
  const CallTab: Readonly<CallTabApi>
  interface Window {
    readonly DynamicsTelephony: Readonly<DynamicsTelephonyApi>
    readonly CallTab: Readonly<CallTabApi>
  }
}
