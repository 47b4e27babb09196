/* The contract of legs whose audio is brought over a socket (TEL_DEST_MEDIA in telephony/driver.h), on both drivers. */
import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { fetchAsterisk } from '../support/asterisk.mjs'
import { PcmSocket } from '../support/pcm_socket.mjs'
import { record } from '../support/results.mjs'
import { until } from '../support/until.mjs'
import { AsteriskWorld, SimWorld } from './driver_worlds.mjs'

const HZ = 1500 // of the page
const STATION = '1009' // no telephone has it

function mediaSuite(world, skip) {
  describe(`media.${world.name}`, { skip }, () => {
    const hasSocket = world.name === 'asterisk'
    let serial = 0
    let socket = null

    before(async () => {
      await world.start()
      await world.probe.ok('open')
      await world.probe.fact('sync_end')
    })
    after(() => world.stop())
    afterEach(async () => {
      socket?.close()
      socket = null
      await until('nothing is left', async () => Object.values(await world.leftovers()).every((count) => count === 0), 15_000)
    })

    const hears = (party, whom) => until(`${party} hears ${whom || 'nobody'}`, async () => (await heardBy(party)) === whom, 10_000)
    async function heardBy(party) {
      if (!hasSocket) return world.hears(party)
      const tones = { ...world.tones(), [STATION]: HZ }
      return party === STATION ? socket.heard(tones) : (world.callOf(party)?.heard(tones) ?? '')
    }

    async function mediaLeg() {
      const leg = `me-${++serial}`
      await world.probe.ok('leg_make', { leg, station: STATION, media: true, tag: 'agent-x' })
      const { text } = await world.probe.fact('leg_media', { leg })
      return { leg, text }
    }

    async function upLeg() {
      const { leg, text } = await mediaLeg()
      if (hasSocket) socket = await PcmSocket.open(`ws://127.0.0.1:${world.asterisk.ports.http}${text}`, ['media'], { hz: HZ })
      await world.probe.fact('leg_up', { leg })
      return leg
    }

    async function talk() {
      const [mix, far, party] = [`mm-${++serial}`, `mf-${serial}`, `+1559${String(1000 + serial)}777`]
      const { probe } = world
      const leg = await upLeg()
      await probe.ok('mix_make', { mix })
      await probe.ok('mix_add', { mix, leg })
      await probe.ok('leg_make', { leg: far, mix, number: party })
      await probe.fact('leg_up', { leg: far })
      await hears(party, STATION)
      return { mix, leg, far, party }
    }

    async function over({ mix, leg, far }) {
      const { probe } = world
      for (const each of [leg, far]) {
        await probe.op('leg_hangup', { leg: each })
        await probe.fact('leg_ended', { leg: each })
      }
      await probe.ok('mix_free', { mix })
    }

    test(`media.${world.name}.both_ways: it is told where to bring the audio, and both hear each other`, async () => {
      const call = await talk()
      if (hasSocket) await hears(STATION, call.party)
      await world.probe.ok('leg_mute', { leg: call.leg, what: 'voice', on: true })
      await over(call)
      assert.deepEqual(world.probe.story(call.leg).filter((kind) => kind !== 'leg_ringing'), ['leg_media', 'leg_up', 'leg_joined', 'leg_left', 'leg_ended'])
      assert.equal(world.probe.all('leg_ended', { leg: call.leg })[0].result, 'normal')
    })

    test(`media.${world.name}.moves: out of a mix and back`, async () => {
      const call = await talk()
      await world.probe.ok('mix_remove', { mix: call.mix, leg: call.leg })
      await hears(call.party, '')
      await world.probe.ok('mix_add', { mix: call.mix, leg: call.leg })
      await hears(call.party, STATION)
      await over(call)
    })

    test(`media.${world.name}.ends_with_its_socket: at once`, { skip: !hasSocket }, async () => {
      const call = await talk()
      const began = performance.now()
      socket.cut()
      await world.probe.fact('leg_ended', { leg: call.leg })
      const ms = Math.round(performance.now() - began)
      record({ test: 'media.asterisk.leg_ends', figure: ms, unit: 'ms', target: 5000, pass: ms <= 5000 })
      await over(call)
    })

    test(`media.${world.name}.nobody_comes: a leg without a socket ends by itself`, { skip: !hasSocket }, async () => {
      const { leg } = await mediaLeg()
      const { result } = await world.probe.fact('leg_ended', { leg }, { ms: 15_000 })
      assert.equal(result, 'error')
      assert.equal(world.probe.all('leg_up', { leg }).length, 0)
    })

    test(`media.${world.name}.hung_up_before: while nobody has come`, async () => {
      const { leg } = await mediaLeg()
      await world.probe.ok('leg_hangup', { leg })
      await world.probe.fact('leg_ended', { leg })
    })
  })
}

function reasonWithoutAsterisk() {
  try {
    fetchAsterisk()
    return false
  } catch (error) {
    return `Asterisk cannot be fetched: ${error.message}`
  }
}

mediaSuite(new SimWorld())
mediaSuite(new AsteriskWorld(), reasonWithoutAsterisk())
