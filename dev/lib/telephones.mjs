/* What lies behind Asterisk in dev/run --asterisk, played by a program: two desk telephones that answer at once and the
 * carrier with everybody who can be dialed. Each says a tone of its own. Also: one caller from outside.
 *
 *   node dev/lib/telephones.mjs desk SIPPORT CARRIERPORT PASSWORD
 *   node dev/lib/telephones.mjs ring SIPPORT FROM TO */
import { Carrier, Phone, STATION_TONES } from '../../tests/support/phone.mjs'

const REGISTERED_S = 7200 // a telephone of yours that registers takes over; this one does not fight for the place
const LONGEST_RING_MS = 60_000

const say = (text) => console.log(`${new Date().toISOString()} ${text}`)

function tell(name, phone) {
  phone.on('state', (call) => say(`${name}: ${call.isInbound ? `called as ${call.number} by ${call.caller || 'nobody known'}` : `calls ${call.number}`}: ${call.state}`))
}

async function desk([sipPort, carrierPort, password]) {
  const carrier = await new Carrier({ sipPort: Number(sipPort), port: Number(carrierPort) }).start()
  tell('carrier', carrier)
  for (const [i, user] of ['1001', '1002'].entries()) {
    const phone = await new Phone({ user, password, sipPort: Number(sipPort), hz: STATION_TONES[i] }).start()
    tell(`telephone ${user}`, phone)
    phone.on('call', (call) => call.ring().answer())
    await phone.register(REGISTERED_S)
    say(`telephone ${user} is registered`)
  }
}

async function ring([sipPort, from, to]) {
  const caller = await new Carrier({ sipPort: Number(sipPort) }).start()
  tell(from, caller)
  const call = await caller.callIn(from, to)
  const tooLong = setTimeout(() => call.hangup(), LONGEST_RING_MS)
  call.once('up', () => clearTimeout(tooLong))
  call.once('down', () => process.exit(call.code ? 1 : 0))
  process.once('SIGINT', () => call.hangup())
}

const [verb, ...args] = process.argv.slice(2)
process.once('SIGTERM', () => process.exit(0))
await { desk, ring }[verb](args)
