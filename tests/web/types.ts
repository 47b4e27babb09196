/* Compiled, never run: what a program in TypeScript may and may not write (types.test.mjs). */
import { CallTab, DynamicsTelephony, TelephonyError, createCallTab } from '../../web/lib/index.js'
import type { Call, CallDetails, Capability, CommandResult } from '../../web/lib/index.js'

// the contract's own sample
const fn = function (evtData: Parameters<Parameters<typeof DynamicsTelephony.RegisterForEvents>[0]>[0]) {
  const oCall = DynamicsTelephony.parseEventArgs(evtData)
  const state: 'preview' | 'incoming' | 'ringing' | 'talk' | 'idle' | 'end' = oCall.state
  return state
}
DynamicsTelephony.RegisterForEvents(fn)
const remove: () => void = DynamicsTelephony.RegisterForEvents((event) => DynamicsTelephony.parseEventArgs(event.dtEventArgs))
remove()

const details: CallDetails | null = DynamicsTelephony.GetCallDetails()
if (details) {
  const texts: string[] = [details.stateTime, details.phone, details.outcome, details.fromType, details.toType, details.dnis]
  const more: string[] = [details.queueDn, details.agentId, details.extension, details.direction, details.type]
  const ids: (string | null)[] = [details.id, details.fromId, details.toId, details.dtCallId, details.retryDatetime]
  const isCallback: boolean = details.isCallback
  void [texts, more, ids, isCallback]
}

async function everyCommand(): Promise<CommandResult[]> {
  const { tab } = await DynamicsTelephony.transferConsult('102')
  return Promise.all([
    DynamicsTelephony.dial('+15550101'), DynamicsTelephony.dial(5550101, 'clicktocall'), DynamicsTelephony.dial(),
    DynamicsTelephony.holdresume(), DynamicsTelephony.transferBlind('102'), DynamicsTelephony.transferComplete(tab),
    DynamicsTelephony.conference('2'), DynamicsTelephony.answer(), DynamicsTelephony.release(), DynamicsTelephony.agentReady(),
    DynamicsTelephony.agentNotReady('lunch'), DynamicsTelephony.playWaveFile('greeting'), DynamicsTelephony.sendDTMF('42#'),
    CallTab.hold(), CallTab.resume(), CallTab.mute(), CallTab.mute(false), CallTab.playWaveFile('greeting', 'customer'), CallTab.reject(), CallTab.skip(),
    CallTab.pauseTimer(), CallTab.resumeTimer(), CallTab.cancelConsult(), CallTab.leave(), CallTab.setOutcome('Sale', 'a note'),
    CallTab.scheduleCallback(new Date()), CallTab.endWrap(), CallTab.setState('Away', 'meeting'),
  ])
}
everyCommand().catch((error: unknown) => {
  if (error instanceof TelephonyError) console.log(error.code, error.target, error.method, error.message)
})

CallTab.connect({ getTicket: async () => 'ticket', tab: 2, frames: { origins: ['https://crm.example'] } }).then((attachment) => {
  const offset: number = attachment.clockOffsetMs
  const call: Call | null = attachment.snapshot
  void [offset, call]
})
CallTab.on('state', (call) => call.can.includes('transferComplete' satisfies Capability))
CallTab.on('agent', (agent) => agent.nextState === 'Ready')
CallTab.on('tabs', (tabs) => tabs.length)
CallTab.on('notice', ({ code }) => code === 'switch.away')
CallTab.on('connection', ({ state, retryInMs = 0 }) => state === 'reconnecting' && retryInMs > 0)
CallTab.on('error', (error) => error.code)
const second = createCallTab()
second.CallTab.disconnect()

// @ts-expect-error there is no such name on the published object
DynamicsTelephony.hold()
// @ts-expect-error a handler is a function
DynamicsTelephony.RegisterForEvents('handler')
// @ts-expect-error there is no such event
CallTab.on('ringing', () => {})
// @ts-expect-error an agent logs out by signing out
CallTab.setState('LoggedOut')
// @ts-expect-error nobody may replace a name
DynamicsTelephony.dial = () => {}
// @ts-expect-error an outcome is needed
CallTab.setOutcome()
// @ts-expect-error the call may never have been
DynamicsTelephony.GetCallDetails().state
