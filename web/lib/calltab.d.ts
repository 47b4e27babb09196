/**
 * The types of the calltab library, written by hand because they are the contract: docs/library.md explains them, and
 * tests/web/types.test.mjs compares their names with the code.
 */

/** A state of a call as the published API knows it. */
export type CallState =
  /** a call of the dialer is presented to the agent, the preview timer runs */
  | 'preview'
  /** an inbound call, or a call of the dialer whose customer has answered, is presented to the agent */
  | 'incoming'
  /** an outbound call is dialed and waits for the customer to answer */
  | 'ringing'
  /** the call is active; also while it is held (see `held`) */
  | 'talk'
  /** the call has been released; the wrap timer may be running */
  | 'idle'
  /** wrap time has expired or the agent has moved on */
  | 'end'

export type Direction = 'inbound' | 'outbound' | 'clicktocall' | 'transfer' | 'ccOutbound'

export type AgentState = 'LoggedOut' | 'LoggedIn' | 'Ready' | 'Away' | 'NotReady'

/** What the connection is doing. `closed` is an end that only connect() can undo; its `connection` event says why. */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'reconnecting' | 'closed'

/** The 18 properties of the published API. */
export interface CallDetails {
  /** The current state of the call */
  state: CallState
  /** When this state was entered, `YYYY-MM-DDTHH:MM:SSZ` */
  stateTime: string
  type: 'phonecall'
  /** The guid of the CRM's phonecall for this call */
  id: string | null
  direction: Direction
  /** The other party's number */
  phone: string
  /** Any configured outcome, or '' before one is chosen or given */
  outcome: string
  /** agent, lead, contact, account, case … */
  fromType: string
  fromId: string | null
  toType: string
  toId: string | null
  /** The key of the dialer call: its attempts and results are to be read under it */
  dtCallId: string | null
  /** Whether the call is a callback */
  isCallback: boolean
  /** When the call will be tried again, `YYYY-MM-DDTHH:MM:SSZ` */
  retryDatetime: string | null
  /** The number the customer dialed, when available */
  dnis: string
  /** The number of the contact centre's queue, when available */
  queueDn: string
  /** The agent's id in the contact centre, when available */
  agentId: string
  /** The agent's telephone that the call is on, when available */
  extension: string
}

/** What may be done with a call now: names of commands. */
export type Capability =
  | 'dial' | 'answer' | 'release' | 'hold' | 'resume' | 'transferBlind' | 'transferConsult' | 'transferComplete' | 'conference'
  | 'cancelConsult' | 'sendDTMF' | 'playWaveFile' | 'mute' | 'reject' | 'skip' | 'pauseTimer' | 'resumeTimer' | 'setOutcome'
  | 'scheduleCallback' | 'endWrap' | 'leave' | 'startRecording' | 'stopRecording' | 'pauseRecording' | 'resumeRecording'

/** A call with everything the gateway tells about it. */
export interface Call extends CallDetails {
  /** The tab it is on */
  tab: number
  /** This presentation of the call on a tab: one attempt */
  callId: string
  /** Grows with every change of the call */
  version: number
  held: boolean
  muted: boolean
  /** `paused`: silence is written */
  recording: 'off' | 'on' | 'paused'
  /** Whether the preview or wrap timer is stopped */
  paused: boolean
  /** At idle: who ended it */
  endedBy: '' | 'agent' | 'customer' | 'system' | 'switch'
  /** At idle: the Q.850 cause */
  cause: number | null
  /** Why the last change happened, and by whom */
  reason: string
  actor: string
  commandId: string
  /** How the attempt went */
  result: 'none' | 'connected' | 'noanswer' | 'busy' | 'error' | 'cancelled' | 'rejected' | 'deflected' | 'missed'
  /** The word of the live board: `Hold`, `Wrap`, `Pause` … */
  boardState: string
  /** Deadlines of the timers that run, with milliseconds, in the gateway's time (see `clockOffsetMs`) */
  previewUntil: string | null
  ringUntil: string | null
  wrapUntil: string | null
  /** An outcome must be chosen before `end` */
  wrapRequired: boolean
  fromName: string
  toName: string
  queue: string
  campaign: string
  /** This attempt's number, and the most there may be (0 = no limit) */
  attempt: number
  attempts: number
  scriptUrl: string
  popUrl: string
  candidates: unknown[]
  /** The other tab of a consultation or conference */
  partnerTab: number | null
  can: Capability[]
}

export interface Agent {
  agentId: string
  login: string
  name: string
  extension: string
  state: AgentState
  /** Differs from `state` while a change waits for the end of the live call */
  nextState: AgentState
  reason: string
  stateTime: string
  phoneReachable: boolean
  /** how the agent's own audio is reached */
  audio: 'desk' | 'nailed' | 'ws'
  /** the window of his that has it (TabAudio), or '' */
  audioWindow: string
  audioUp: boolean
}

/** What an event handler of RegisterForEvents is called with. */
export interface CallEvent {
  /** The call as text, for parseEventArgs() */
  readonly dtEventArgs: string
}

/** The answer to a command. `tab` is where its result is to be seen: transferConsult() may have taken another one. */
export interface CommandResult {
  callId: string | null
  dtCallId: string | null
  tab: number
  /** Carried out while the gateway could not store anything: after a crash nobody will know of it. */
  volatile?: true
}

export type CallEventHandler = (evtData: CallEvent) => void

/**
 * The published API: these names and no others. Commands return a promise that may be ignored; a refusal is also told to
 * `CallTab.on('error', …)`.
 */
export interface DynamicsTelephonyApi {
  /**
   * Calls the handler once for every later state change of this tab's call, in order; a handler that comes late is told the
   * present state first. Returns the way to take it off again.
   */
  RegisterForEvents(fnEventHandler: CallEventHandler): () => void
  /** The call of an event, of its `dtEventArgs`, or of a raw string */
  parseEventArgs(e: CallEvent | string): Call
  /** The current call of this tab, or the most recent one; null when there never was one */
  GetCallDetails(): Call | null
  /** Dials the number on this tab; in preview, dials the record that is presented */
  dial(number?: string | number, direction?: 'outbound' | 'clicktocall'): Promise<CommandResult>
  /** Holds an active call, resumes a held one */
  holdresume(): Promise<CommandResult>
  /** Connects the other party to the number and leaves the call */
  transferBlind(number: string | number): Promise<CommandResult>
  /** Holds the call and calls the number on another tab; the answer names it */
  transferConsult(number: string | number): Promise<CommandResult>
  /** Connects the call of this tab (active) with the call of callTab (held) and leaves both */
  transferComplete(callTab: number | string): Promise<CommandResult>
  /** Joins the call of this tab (active) with the call of callTab (held) */
  conference(callTab: number | string): Promise<CommandResult>
  answer(): Promise<CommandResult>
  /** Hangs up, or refuses what is presented */
  release(): Promise<CommandResult>
  agentReady(): Promise<CommandResult>
  agentNotReady(reason?: string): Promise<CommandResult>
  /** Plays the sound of this name, as it is registered, into the call */
  playWaveFile(filename: string): Promise<CommandResult>
  /** Sends one or more of 0123456789*# into the call */
  sendDTMF(digit: string | number): Promise<CommandResult>
}

export interface Connection {
  readonly state: ConnectionState
  /** The close code of docs/protocol.md, when a socket was closed */
  readonly code?: number
  readonly reason?: string
  /** When the next try is due */
  readonly retryInMs?: number
  /** When connected: the gateway's clock minus this one. Deadlines of a call are in the gateway's time */
  readonly clockOffsetMs?: number
  /** When closed by an error */
  readonly error?: TelephonyError
}

export interface Notice {
  /** `storage.degraded` `storage.ok` `database.away` `database.ok` `switch.away` `switch.ok` `sound.failed` `recording.failed` `token.expiring` `restart.coming` */
  readonly code: string
  readonly message: string
}

/** What CallTab.on() can wait for, and what its handlers are given. */
export interface CallTabEvents {
  /** The call entered a new state */
  state: Call
  /** Something else of the call changed: held, muted, timers, outcome, `can` */
  update: Call
  agent: Agent
  /** The agent's tabs changed */
  tabs: readonly number[]
  notice: Notice
  connection: Connection
  /** A command was refused, a handler threw, the connection met something unexpected */
  error: TelephonyError
}

export interface FrameOptions {
  /** Exact origins whose frames may use this tab: `['https://crm.example']` */
  origins: string[]
  /** The window of the frame that belongs to this tab, when a page shows several tabs */
  within?: () => Window | null | undefined
}

export interface ConnectOptions {
  /** Address of the socket; default `/ws` where the library came from */
  url?: string
  /** A fresh ticket for each connection. Reject with `{status: 401}` when the session is over: nothing is tried any more. With
   * `{retryAfterMs}` it is not asked again before that time */
  getTicket?: () => Promise<string> | string
  /** A ticket for the first connection */
  ticket?: string
  /** 1 to 16; default 1 */
  tab?: number
  /** Lets frames of this page use the tab */
  frames?: FrameOptions
  /** In a frame: further origins of pages above that may be trusted, besides the one the library came from */
  origins?: string[]
  /** For Node: a constructor with the browser's interface */
  WebSocket?: unknown
  /** How long a command waits for its answer, also over a reconnection, before it fails with `command.unknown`; default 15000 */
  commandTimeoutMs?: number
  /** How long a silent line is believed; default 55000 */
  heartbeatMs?: number
}

export interface Attachment {
  readonly tab: number
  readonly agent: Agent
  readonly tabs: readonly number[]
  readonly outcomes: readonly string[]
  readonly clockOffsetMs: number
  readonly snapshot: Call | null
}

/** Everything the published API lacks. */
export interface CallTabApi {
  /** Resolves when the tab is attached for the first time; from then on the connection is kept by itself */
  connect(options?: ConnectOptions): Promise<Attachment>
  disconnect(): void
  /** Returns the way to take the handler off again */
  on<Name extends keyof CallTabEvents>(name: Name, handler: (detail: CallTabEvents[Name]) => void): () => void
  off<Name extends keyof CallTabEvents>(name: Name, handler: (detail: CallTabEvents[Name]) => void): void
  hold(): Promise<CommandResult>
  resume(): Promise<CommandResult>
  /** Default: on */
  mute(on?: boolean): Promise<CommandResult>
  /** Plays a sound to both, or to the customer alone: then the agent hears nothing until it is over */
  playWaveFile(filename: string, to?: 'both' | 'customer'): Promise<CommandResult>
  /** Refuses an incoming call */
  reject(): Promise<CommandResult>
  /** Passes over the record in preview */
  skip(): Promise<CommandResult>
  /** Stops the preview or wrap timer */
  pauseTimer(): Promise<CommandResult>
  resumeTimer(): Promise<CommandResult>
  /** Ends the consultation; the customer comes back */
  cancelConsult(): Promise<CommandResult>
  /** Leaves a conference; the two others stay */
  leave(): Promise<CommandResult>
  setOutcome(outcome: string, comment?: string): Promise<CommandResult>
  scheduleCallback(at: Date | string | number, outcome?: string): Promise<CommandResult>
  /** On to `end` */
  endWrap(): Promise<CommandResult>
  /** Records the call from now on, through hold, transfer and conference; `call.recording` says so */
  startRecording(): Promise<CommandResult>
  stopRecording(): Promise<CommandResult>
  /** Silence is written until it is resumed: for what must not be kept */
  pauseRecording(): Promise<CommandResult>
  resumeRecording(): Promise<CommandResult>
  setState(state: Exclude<AgentState, 'LoggedOut'>, reason?: string): Promise<CommandResult>
  /** As GetCallDetails() */
  readonly call: Call | null
  readonly agent: Agent | null
  /** The number of this tab; 0 before the first connection */
  readonly tab: number
  /** The numbers of the agent's tabs */
  readonly tabs: readonly number[]
  /** What setOutcome() takes */
  readonly outcomes: readonly string[]
  /** Of the connection */
  readonly state: ConnectionState
}

/** An error of a command or of the connection. */
export class TelephonyError extends Error {
  constructor(code: string, message: string, more?: { target?: string; method?: string; cause?: unknown })
  readonly name: 'TelephonyError'
  /** A stable word such as `tab.not_active` */
  readonly code: string
  /** The parameter or condition it is about, or '' */
  readonly target: string
  /** The command it answers, or '' */
  readonly method: string
  readonly cause?: unknown
}

/** The page's own tab; every copy of the library on a page gives the same objects. */
export const DynamicsTelephony: Readonly<DynamicsTelephonyApi>
export const CallTab: Readonly<CallTabApi>

/** A tab apart from the page's own, for pages that show several. */
export function createCallTab(): Readonly<{
  DynamicsTelephony: Readonly<DynamicsTelephonyApi>
  CallTab: Readonly<CallTabApi>
}>
