/* Compiled, never run: a script that finds the library as globals. */
/// <reference path="../../web/lib/calltab-globals.d.ts" />
DynamicsTelephony.RegisterForEvents((evtData) => {
  const phone: string = DynamicsTelephony.parseEventArgs(evtData).phone
  window.CallTab.setOutcome(phone)
})
// @ts-expect-error modules export it, the classic script does not
createCallTab()
