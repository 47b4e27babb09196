/* The HTTP door on the wire: what a hostile or unlucky client can send, and what an honest one may rely on. Every
 * known fault of libmicrohttpd 0.9.75 has its test here (docs/http-api.md, "On the wire"). */
import assert from 'node:assert/strict'
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { KEY_DIAL, KEY_READ, SESSION, startProbe } from '../support/http_probe.mjs'
import { until } from '../support/until.mjs'

const HOST = 'Host: a\r\n'
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`
const post = (target, body, fields = '') =>
  `POST ${target} HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`
const as = (token) => `Authorization: Bearer ${token}\r\n`
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`
const CALLS = '/odata/v4/cts_dialerCalls'

let probe
before(async () => {
  probe = await startProbe()
})
after(() => probe.stop())

describe('heads that two readers may read differently', () => {
  const cases = {
    'two Hosts': `GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n${SMUGGLED}`,
    'two equal Hosts': `GET /healthz HTTP/1.1\r\n${HOST}${HOST}\r\n${SMUGGLED}`,
    'an empty Host': `GET /healthz HTTP/1.1\r\nHost:\r\n\r\n${SMUGGLED}`,
    'a Host that is none': `GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n${SMUGGLED}`,
    'Content-Length and chunked': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'chunked and Content-Length': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'two Content-Lengths': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhelloX${SMUGGLED}`,
    'two equal Content-Lengths': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 5\r\ncontent-length: 5\r\n\r\nhello${SMUGGLED}`,
    'a Content-Length with a sign': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: +5\r\n\r\nhello${SMUGGLED}`,
    'a negative Content-Length': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\nhello${SMUGGLED}`,
    'a hexadecimal Content-Length': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 0x5\r\n\r\nhello${SMUGGLED}`,
    'a list as Content-Length': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length: 5, 5\r\n\r\nhello${SMUGGLED}`,
    'two codings': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'an unknown coding': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'identity as coding': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello${SMUGGLED}`,
    'chunked twice': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'chunked before HTTP/1.1': `POST /healthz HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'bare line feeds': `GET /healthz HTTP/1.1\nHost: a\n\n${SMUGGLED}`,
    'a bare line feed after the request line': `GET /healthz HTTP/1.1\nHost: a\r\n\r\n${SMUGGLED}`,
    'a bare line feed between headers': `GET /healthz HTTP/1.1\r\n${HOST}X: a\nY: b\r\n\r\n${SMUGGLED}`,
    'a bare line feed at the end': `GET /healthz HTTP/1.1\r\n${HOST}\n${SMUGGLED}`,
    'a header behind a bare line feed': `GET /healthz HTTP/1.1\r\n${HOST}X: a\nContent-Length: 44\r\n\r\n${SMUGGLED}`,
    'a folded header': `GET /healthz HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n${SMUGGLED}`,
    'a folded header, by a tab': `GET /healthz HTTP/1.1\r\n${HOST}X: a\r\n\tb\r\n\r\n${SMUGGLED}`,
    'a folded Transfer-Encoding': `POST /healthz HTTP/1.1\r\n${HOST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    'a folded first header': `GET /healthz HTTP/1.1\r\n Host: a\r\n\r\n${SMUGGLED}`,
    'a NUL in a header': `GET /healthz HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n${SMUGGLED}`,
    'a NUL at the end of a header': `GET /healthz HTTP/1.1\r\n${HOST}X: a\0\r\n\r\n${SMUGGLED}`,
    'a NUL in the Host': `GET /healthz HTTP/1.1\r\nHost: a\0b\r\n\r\n${SMUGGLED}`,
    'a carriage return in a header': `GET /healthz HTTP/1.1\r\n${HOST}X: a\rb\r\n\r\n${SMUGGLED}`,
    'an escape byte in a header': `GET /healthz HTTP/1.1\r\n${HOST}X: a\x1b[1m\r\n\r\n${SMUGGLED}`,
    'a blank before the colon': `POST /healthz HTTP/1.1\r\n${HOST}Content-Length : 5\r\n\r\nhello${SMUGGLED}`,
    'a header without a colon': `GET /healthz HTTP/1.1\r\n${HOST}foo\r\n\r\n${SMUGGLED}`,
    'no Host': `GET /healthz HTTP/1.1\r\n\r\n${SMUGGLED}`,
    'a NUL in the target': `GET /healthz\0x HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    '%00 in the path': `GET /healthz%00.html HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    '%00 in the query': `GET /healthz?a=%00 HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    '%0d%0a in the path': `GET /healthz%0d%0aX:%20y HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    'a bad percent-encoding': `GET /healthz%zz HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    'an encoded slash': `GET /agent%2findex.html HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    'a byte that is not ASCII': `GET /h\xe9 HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    'an absolute target': `GET http://b/healthz HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    'a star as target': `OPTIONS * HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    'two blanks in the request line': `GET  /healthz HTTP/1.1\r\n${HOST}\r\n${SMUGGLED}`,
    'two Authorizations': `GET /api/v1/me HTTP/1.1\r\n${HOST}${as(SESSION)}${as(KEY_READ)}\r\n${SMUGGLED}`,
  }
  for (const [name, bytes] of Object.entries(cases)) {
    test(`${name}: 400 and the end`, async () => {
      const { responses, closed, text } = await probe.talk(bytes)
      assert.ok(closed)
      assert.match(text, /^HTTP\/1\.[01] 400 /)
      // The library's own refusals (no Host, a bad Content-Length) have their head twice; SMUGGLED would be a 404.
      assert.doesNotMatch(text, /HTTP\/1\.[01] [^4]|HTTP\/1\.[01] 4[^0]|HTTP\/1\.[01] 40[^0]/, 'nothing after it was taken for a request')
      assert.match(text, /connection: close/i)
      if (responses[0].header('x-request-id')) assert.match(responses[0].json().code, /^http\./)
    })
  }

  const cut = {
    'tabs in the request line': 'GET\t/healthz\tHTTP/1.1\r\nHost: a\r\n\r\n',
    'a blank in the target': `GET /health z HTTP/1.1\r\n${HOST}\r\n`,
    'HTTP/0.9': 'GET /healthz\r\n\r\n',
    'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a byte that begins TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  }
  for (const [name, bytes] of Object.entries(cut)) {
    test(`${name}: no answer of ours but the end`, async () => {
      const { closed, text } = await probe.talk(bytes + SMUGGLED)
      assert.ok(closed)
      assert.doesNotMatch(text, / 200 /)
      assert.doesNotMatch(text, /x-request-id/i)
    })
  }

  test('the problem names the fault and the request', async () => {
    const { responses: [response] } = await probe.talk(`GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-Request-Id: r17\r\n\r\n`)
    assert.equal(response.header('content-type'), 'application/problem+json')
    assert.equal(response.header('x-request-id'), 'r17')
    assert.deepEqual(response.json(), { type: 'about:blank', title: 'Bad Request', status: 400,
      detail: 'there is more than one Host', code: 'http.duplicate_header', target: 'Host', requestId: 'r17' })
  })
})

describe('heads at their limits', () => {
  test('a long strict head passes, however it arrives', async () => {
    for (const size of [100, 4000, 8000, 12_000]) {
      const bytes = get('/healthz', `X: ${'x'.repeat(size)}\r\nY: \t padded  \r\nZ:\r\n`)
      const wire = probe.open()
      for (let at = 0; at < bytes.length; at += 1500) {
        wire.send(bytes.slice(at, at + 1500))
        await pause(1)
      }
      await until(`an answer to a head of ${size}`, () => wire.responses().length === 1)
      assert.equal(wire.responses()[0].status, 200)
      wire.destroy()
    }
  })

  test('byte by byte', async () => {
    const wire = probe.open()
    for (const byte of get('/healthz')) {
      wire.send(byte)
      await pause(0)
    }
    await until('an answer', () => wire.responses().length === 1)
    assert.equal(wire.responses()[0].status, 200)
    wire.destroy()
  })

  test('a hundred headers pass, three hundred do not', async () => {
    const many = (n) => Array.from({ length: n }, (_, i) => `X-${i}: abc\r\n`).join('')
    assert.equal((await probe.talk(get('/healthz', many(100)), { responses: 1 })).responses[0].status, 200)
    assert.match((await probe.talk(get('/healthz', many(300)))).text, /^HTTP\/1\.1 (400|431) /)
  })

  test('an endless target is 414, an endless header 431', async () => {
    assert.match((await probe.talk(get(`/${'a'.repeat(30_000)}`))).text, /^HTTP\/1\.[01] 414 /)
    assert.match((await probe.talk(get('/healthz', `X: ${'a'.repeat(30_000)}\r\n`))).text, /^HTTP\/1\.[01] 431 /)
  })
})

describe('what an honest client may rely on', () => {
  test('connections are kept, also after refusals', async () => {
    const wire = probe.open()
    const asked = [
      [get('/healthz'), 200], [get('/readyz'), 200], [get('/nothing'), 404], [post('/healthz', '{}'), 405],
      [get('/api/v1/me'), 401], [get(CALLS, as(KEY_READ)), 200], [post('/api/v1/present', '{}', as(KEY_READ)), 403],
      [post('/api/v1/present', '{', as(KEY_DIAL)), 400], [`OPTIONS /healthz HTTP/1.1\r\n${HOST}\r\n`, 204], [get('/healthz'), 200],
    ]
    for (const [i, [bytes]] of asked.entries()) {
      wire.send(bytes)
      await until(`answer ${i + 1}`, () => wire.responses().length === i + 1)
    }
    assert.deepEqual(wire.responses().map(({ status }) => status), asked.map(([, status]) => status))
    for (const response of wire.responses()) assert.equal(response.header('connection')?.toLowerCase() === 'close', false)
    assert.equal(wire.closed, false)
    wire.destroy()
  })

  test('pipelined requests are answered in order, also those that wait for the database', async () => {
    const bytes = [get('/healthz'), get(`${CALLS}/$count`, as(KEY_READ)), get('/nothing'), get('/api/v1/me', as(SESSION)), get('/readyz')]
    const { responses } = await probe.talk(bytes.join(''), { responses: 5 })
    assert.deepEqual(responses.map(({ status }) => status), [200, 200, 404, 200, 200])
    assert.equal(responses[1].body, '2')
    assert.equal(responses[3].json().agent.login, '1001')
  })

  test('HEAD has the length and no body, and the connection stays in step', async () => {
    const head = (target, fields = '') => get(target, fields).replace('GET', 'HEAD')
    const methods = ['HEAD', 'HEAD', 'HEAD', 'HEAD', 'GET']
    const { responses } = await probe.talk(
      head('/healthz') + head(CALLS, as(KEY_READ)) + head('/nothing') + head('/api/v1/me') + get('/healthz'), { responses: 5, methods })
    assert.deepEqual(responses.map(({ status }) => status), [200, 200, 404, 401, 200])
    assert.equal(responses[0].header('content-length'), '15')
    assert.ok(Number(responses[1].header('content-length')) > 500)
    assert.equal(responses[4].body, '{"status":"ok"}')
    for (const response of responses) assert.equal(response.header('transfer-encoding'), undefined)
  })

  test('204 has neither body nor length', async () => {
    const { responses } = await probe.talk(`OPTIONS /healthz HTTP/1.1\r\n${HOST}\r\n${get('/healthz')}`, { responses: 2 })
    assert.equal(responses[0].status, 204)
    assert.equal(responses[0].header('content-length'), undefined)
    assert.equal(responses[1].status, 200)
  })

  test('HTTP/1.0 closes unless asked to stay', async () => {
    assert.ok((await probe.talk('GET /healthz HTTP/1.0\r\n\r\n')).closed)
    const { responses, closed } = await probe.talk('GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', { responses: 1 })
    assert.equal(responses[0].status, 200)
    assert.equal(closed, false)
  })

  test('a method that nobody knows is 405 with Allow', async () => {
    for (const method of ['BREW', 'get', 'TRACE', 'DELETE', 'CONNECT', 'PATCH']) {
      const { responses: [response] } = await probe.talk(`${method} /healthz HTTP/1.1\r\n${HOST}\r\n`, { responses: 1 })
      assert.equal(response.status, 405, method)
      assert.equal(response.header('allow'), 'GET, HEAD, OPTIONS')
    }
  })

  test('every answer carries what protects a browser', async () => {
    const { responses } = await probe.talk(get('/healthz') + get('/nothing') + get('/api/v1/me'), { responses: 3 })
    for (const response of responses) {
      assert.match(response.header('x-request-id'), /^[0-9a-f-]{36}$/)
      assert.equal(response.header('x-content-type-options'), 'nosniff')
      assert.equal(response.header('referrer-policy'), 'no-referrer')
      assert.match(response.header('content-security-policy'), /^default-src 'self';/)
      assert.equal(response.header('cache-control'), 'no-store')
    }
    assert.equal(new Set(responses.map((response) => response.header('x-request-id'))).size, 3)
  })

  test('a page of a configured origin may ask, others may not', async () => {
    const preflight = (origin) => `OPTIONS /api/v1/present HTTP/1.1\r\n${HOST}Origin: ${origin}\r\nAccess-Control-Request-Method: POST\r\n\r\n`
    const { responses: [yes] } = await probe.talk(preflight('https://crm.example'), { responses: 1 })
    assert.equal(yes.status, 204)
    assert.equal(yes.header('access-control-allow-origin'), 'https://crm.example')
    assert.equal(yes.header('access-control-allow-methods'), 'POST, OPTIONS')
    assert.match(yes.header('access-control-allow-headers'), /Authorization/)
    const { responses: [no] } = await probe.talk(preflight('https://crm.example.evil'), { responses: 1 })
    assert.equal(no.header('access-control-allow-origin'), undefined)
    const { responses: [refused] } = await probe.talk(get('/api/v1/me', 'Origin: https://crm.example\r\n'), { responses: 1 })
    assert.equal(refused.header('access-control-allow-origin'), 'https://crm.example', 'also on an error, or a page cannot read it')
  })

  test('/ws without an upgrade says what it wants', async () => {
    const { responses: [response], closed } = await probe.talk(get('/ws'))
    assert.equal(response.status, 426)
    assert.equal(response.header('upgrade'), 'websocket')
    assert.match(response.json().detail, /proxy/)
    assert.ok(closed)
  })
})

describe('who asks', () => {
  test('nobody is challenged twice, and a page once', async () => {
    const { responses: [program] } = await probe.talk(get(CALLS), { responses: 1 })
    assert.equal(program.status, 401)
    assert.deepEqual(program.all('www-authenticate'), ['Bearer realm="calltab"', 'Basic realm="calltab", charset="UTF-8"'])
    const { responses: [page] } = await probe.talk(get(CALLS, 'Sec-Fetch-Mode: cors\r\n'), { responses: 1 })
    assert.deepEqual(page.all('www-authenticate'), ['Bearer realm="calltab"'])
  })

  test('cookies mean nothing', async () => {
    const { responses: [response] } = await probe.talk(get('/api/v1/me', `Cookie: token=${SESSION}; session=${SESSION}\r\n`), { responses: 1 })
    assert.equal(response.status, 401)
  })

  test('a key without the scope is told which', async () => {
    const body = '{"agent":"1001","number":"+15551234567"}'
    const { responses: [response] } = await probe.talk(post('/api/v1/present', body, as(KEY_READ)), { responses: 1 })
    assert.equal(response.status, 403)
    assert.equal(response.json().code, 'scope.missing')
    assert.equal(response.json().target, 'dial')
    assert.match(response.json().detail, /\bdial\b/)
    const { responses: [allowed] } = await probe.talk(post('/api/v1/present', body, as(KEY_DIAL)), { responses: 1 })
    assert.equal(allowed.status, 202)
  })

  test('sign-in, a ticket, sign-out', async () => {
    const { responses: [signedIn] } = await probe.talk(post('/api/v1/sign-in', '{"login":"1001","password":"correct horse"}'), { responses: 1 })
    assert.equal(signedIn.status, 200)
    const { token } = signedIn.json()
    const { responses: [ticket] } = await probe.talk(post('/api/v1/ws-tickets', '', as(token)), { responses: 1 })
    assert.deepEqual(ticket.json(), { ticket: 'B'.repeat(43), expiresIn: 30 })
    const { responses } = await probe.talk(post('/api/v1/sign-out', '', as(token)) + get('/api/v1/me', as(token)), { responses: 2 })
    assert.deepEqual(responses.map(({ status }) => status), [204, 401])
  })
})

describe('bodies', () => {
  test('a body in a coding is 415, and not read', async () => {
    const { responses: [response], closed } = await probe.talk(post('/api/v1/sign-in', '{}', 'Content-Encoding: gzip\r\n') + SMUGGLED)
    assert.equal(response.status, 415)
    assert.equal(response.json().code, 'http.unsupported_coding')
    assert.ok(closed)
  })

  test('10 MB are 413 before they are sent', async () => {
    const { responses: [response], closed } = await probe.talk(`POST /api/v1/sign-in HTTP/1.1\r\n${HOST}Content-Length: 10000000\r\n\r\n`)
    assert.equal(response.status, 413)
    assert.equal(response.json().code, 'http.too_large')
    assert.ok(closed)
  })

  test('who sends 10 MB all the same gets to read the answer', async () => {
    const body = Buffer.alloc(10_000_000, 'z')
    for (let i = 0; i < 5; i++) {
      const response = await fetch(`http://127.0.0.1:${probe.port}/api/v1/sign-in`, { method: 'POST', body })
      assert.equal(response.status, 413)
      assert.match((await response.json()).detail, /10000000 bytes, at most 65536/)
    }
  })

  test('Expect: 100-continue is answered with 100, or with 413 and no 100', async () => {
    const head = (length) => `POST /api/v1/sign-in HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`
    const wire = probe.open()
    wire.send(head(2))
    await until('100 Continue', () => wire.text.startsWith('HTTP/1.1 100 '))
    wire.send('{}')
    await until('the answer', () => wire.responses().length === 1)
    assert.equal(wire.responses()[0].status, 400)
    wire.destroy()
    const { responses, text } = await probe.talk(head(10_000_000))
    assert.equal(responses[0].status, 413)
    assert.doesNotMatch(text, /100 Continue/i)
  })

  test('a chunked body is read, and its connection ends', async () => {
    const body = '{"login":"1001","password":"correct horse"}'
    const chunks = [body.slice(0, 10), body.slice(10)].map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
    const { responses, closed } = await probe.talk(
      `POST /api/v1/sign-in HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n${SMUGGLED}`)
    assert.deepEqual(responses.map(({ status }) => status), [200])
    assert.ok(closed)
  })

  test('a chunked body that is too long is 413, an endless one is cut', async () => {
    const chunk = `10000\r\n${'z'.repeat(65536)}\r\n`
    const head = `POST /api/v1/sign-in HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    const { responses, closed } = await probe.talk(`${head}${chunk}${chunk}0\r\n\r\n`)
    assert.equal(responses[0].status, 413)
    assert.ok(closed)
    const wire = probe.open()
    wire.send(head)
    for (let i = 0; i < 40 && !wire.closed; i++) {
      wire.send(chunk)
      await pause(5)
    }
    await until('the end of an endless body', () => wire.closed)
    assert.equal(wire.responses().length, 0)
    wire.destroy()
  })

  test('bad chunks are 400 or 413', async () => {
    for (const chunk of ['ZZ\r\nhello\r\n0\r\n\r\n', 'FFFFFFFFFFFFFFFFF\r\nhello\r\n', '-5\r\nhello\r\n0\r\n\r\n']) {
      const { text, closed } = await probe.talk(`POST /api/v1/sign-in HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n${chunk}`)
      assert.ok(closed)
      assert.match(text, /^HTTP\/1\.[01] 4(00|13) |^$/)
    }
  })
})

describe('clients that are slow', () => {
  let slow // everything is due within a second, the head within half of it
  before(async () => {
    slow = await startProbe(['deadline=1'])
  })
  after(() => slow.stop())

  /* Sends a byte now and then, far below any time-out for silence; resolves with the milliseconds until the end. */
  async function drip(wire, byte) {
    const start = performance.now()
    await until('the dripping connection is cut', async () => {
      if (!wire.closed) wire.send(byte)
      await pause(50)
      return wire.closed
    }, 10_000)
    wire.destroy()
    return performance.now() - start
  }

  test('a head that drips is cut', async () => {
    const wire = slow.open()
    wire.send(`GET /healthz HTTP/1.1\r\n${HOST}X: `)
    assert.ok(await drip(wire, 'a') < 3000)
    assert.equal(wire.text, '')
  })

  test('so is a first line', async () => {
    const wire = slow.open()
    wire.send('GET /')
    assert.ok(await drip(wire, 'a') < 3000)
  })

  test('so is the second head of a kept connection', async () => {
    const wire = slow.open()
    wire.send(get('/healthz') + `GET /healthz HTTP/1.1\r\n${HOST}X: `)
    assert.ok(await drip(wire, 'a') < 6000)
    assert.equal(wire.responses().length, 1)
  })

  test('so is a body', async () => {
    const wire = slow.open()
    wire.send(`POST /api/v1/sign-in HTTP/1.1\r\n${HOST}Content-Length: 1000\r\n\r\n`)
    assert.ok(await drip(wire, ' ') < 4000)
    assert.equal(wire.text, '')
  })

  test('so is a chunked body', async () => {
    const wire = slow.open()
    wire.send(`POST /api/v1/sign-in HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`)
    assert.ok(await drip(wire, '1\r\nz\r\n') < 4000)
  })

  test('who is silent is cut as well', async () => {
    const wire = slow.open()
    await until('the silent connection is cut', () => wire.closed, 5000)
    wire.destroy()
  })

  test('a kept connection is left alone for three deadlines', async () => {
    const wire = slow.open()
    wire.send(get('/healthz'))
    await until('the first answer', () => wire.responses().length === 1)
    await pause(1500) // longer than a head, a body or an answer may take
    wire.send(get('/healthz'))
    await until('the second answer', () => wire.responses().length === 2)
    wire.destroy()
  })

  test('a request that nobody answers is 504, and the late answer does no harm', async () => {
    await slow.tell('hold')
    const wire = slow.open()
    wire.send(post('/api/v1/present', '{"agent":"1001","number":"5551"}', as(KEY_DIAL)))
    await until('504', () => wire.responses().length === 1)
    assert.equal(wire.responses()[0].status, 504)
    assert.equal(wire.responses()[0].json().code, 'request.timeout')
    await slow.tell('run')
    wire.send(get('/healthz'))
    await until('the next answer', () => wire.responses().length === 2)
    assert.equal(wire.responses()[1].status, 200)
    wire.destroy()
  })

  test('a client that leaves while its request waits does no harm', async () => {
    await slow.tell('freeze')
    const wires = Array.from({ length: 20 }, () => slow.open())
    for (const wire of wires) wire.send(get(CALLS, as(KEY_READ)))
    await until('all wait', async () => Number(await slow.tell('waiting')) === 20)
    for (const wire of wires) wire.socket.resetAndDestroy()
    await pause(100)
    await slow.tell('thaw')
    await until('all are forgotten', async () => (await slow.tell('connections')) === '0')
    assert.equal((await slow.talk(get(CALLS, as(KEY_READ)), { responses: 1 })).responses[0].status, 200)
  })
})

describe('a database that hangs', () => {
  test('leaves health and pages as fast as ever, and its readers get 504', async () => {
    const frozen = await startProbe(['deadline=2'])
    await frozen.tell('freeze')
    const wires = Array.from({ length: 100 }, () => frozen.open())
    for (const wire of wires) wire.send(get(CALLS, as(KEY_READ)))
    await until('all wait', async () => Number(await frozen.tell('waiting')) === 100)
    const wire = frozen.open()
    const times = []
    for (let i = 1; i <= 200; i++) {
      const start = performance.now()
      wire.send(get('/healthz'))
      await until('health', () => wire.responses().length === i)
      times.push(performance.now() - start)
    }
    times.sort((a, b) => a - b)
    assert.ok(times[100] < 20, `half of them within ${times[100].toFixed(1)} ms`)
    wire.destroy()
    await until('all are answered', () => wires.every((each) => each.responses().length === 1), 10_000)
    for (const each of wires) {
      assert.equal(each.responses()[0].status, 504)
      assert.equal(each.responses()[0].json().error.code, 'QueryTimeout')
      assert.ok(each.responses()[0].header('retry-after'))
      each.destroy()
    }
    await frozen.tell('thaw')
    await frozen.stop()
  })

  test('that is away is 503, and seen in readiness', async () => {
    const lost = await startProbe()
    await lost.tell('away')
    const { responses } = await lost.talk(get(CALLS, as(KEY_READ)) + get('/readyz') + get('/healthz'), { responses: 3 })
    assert.deepEqual(responses.map(({ status }) => status), [503, 503, 200])
    assert.equal(responses[0].json().error.code, 'Unavailable')
    assert.deepEqual(responses[1].json(), { ready: false, database: 'away' })
    await lost.stop()
  })
})

describe('the end', () => {
  test('requests that wait are answered with 503, and the program ends', async () => {
    const ending = await startProbe()
    await ending.tell('freeze')
    const reads = Array.from({ length: 20 }, () => ending.open())
    for (const wire of reads) wire.send(get(CALLS, as(KEY_READ)))
    await until('all wait', async () => Number(await ending.tell('waiting')) === 20)
    const commands = Array.from({ length: 5 }, () => ending.open())
    for (const wire of commands) wire.send(post('/api/v1/present', '{"agent":"1001","number":"5551"}', as(KEY_DIAL)))
    await until('all are there', async () => Number(await ending.tell('waiting')) === 25)
    const idle = ending.open()
    idle.send(get('/healthz'))
    await until('an answer', () => idle.responses().length === 1)
    const start = performance.now()
    await ending.stop()
    assert.ok(performance.now() - start < 5000)
    const all = [...reads, ...commands]
    await until('all have their answer', () => all.every((wire) => wire.closed))
    for (const wire of all) {
      assert.equal(wire.responses()[0]?.status, 503)
      assert.match(wire.responses()[0].header('connection'), /close/i)
      wire.destroy()
    }
    idle.destroy()
  })
})

describe('the end, while the call plane stands still', () => {
  test('commands that wait are answered with 503, and their late answers do no harm', async () => {
    const ending = await startProbe()
    await ending.tell('hold')
    const wires = Array.from({ length: 5 }, () => ending.open())
    for (const wire of wires) wire.send(post('/api/v1/present', '{"agent":"1001","number":"5551"}', as(KEY_DIAL)))
    await until('all were posted', async () => Number(await ending.tell('posted')) === 5)
    await ending.stop()
    await until('all have their answer', () => wires.every((wire) => wire.closed))
    for (const wire of wires) {
      assert.equal(wire.responses()[0]?.status, 503)
      assert.equal(wire.responses()[0].json().code, 'gateway.stopping')
      wire.destroy()
    }
  })
})

describe('many connections', () => {
  test('beyond every limit of the library they are served', async () => {
    const crowd = await startProbe()
    const wires = Array.from({ length: 1500 }, () => crowd.open())
    await until('1500 are there', async () => Number(await crowd.tell('connections')) === 1500, 20_000)
    for (const wire of wires) wire.send(get('/healthz'))
    await until('all are answered', () => wires.every((wire) => wire.responses().length === 1), 20_000)
    assert.equal((await crowd.talk(get('/healthz'), { responses: 1 })).responses[0].status, 200)
    for (const wire of wires) wire.destroy()
    await until('all are gone', async () => Number(await crowd.tell('connections')) === 0, 20_000)
    await crowd.stop()
  })
})

describe('pages', () => {
  let folder, pages
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'calltab-pages-'))
    mkdirSync(join(folder, 'agent'))
    writeFileSync(join(folder, 'agent', 'index.html'), '<p>agent')
    writeFileSync(join(folder, 'agent', 'big.js'), 'x'.repeat(3_000_000))
    pages = await startProbe([`web=${folder}`])
  })
  after(async () => {
    await pages.stop()
    rmSync(folder, { recursive: true })
  })

  test('are served with a tag, and not again to who has them', async () => {
    const { responses: [first] } = await pages.talk(get('/agent/'), { responses: 1 })
    assert.equal(first.status, 200)
    assert.equal(first.header('content-type'), 'text/html; charset=utf-8')
    assert.equal(first.header('cache-control'), 'no-cache')
    const again = get('/agent/', `If-None-Match: ${first.header('etag')}\r\n`)
    const { responses } = await pages.talk(again + get('/agent/'), { responses: 2 })
    assert.equal(responses[0].status, 304)
    assert.equal(responses[0].header('etag'), first.header('etag'))
    assert.equal(responses[1].body, '<p>agent', 'the connection is in step')
  })

  test('the address alone leads to the agent page', async () => {
    const { responses: [response] } = await pages.talk(get('/'), { responses: 1 })
    assert.equal(response.status, 302)
    assert.equal(response.header('location'), '/agent/')
  })

  test('a big one arrives whole', async () => {
    const response = await fetch(`http://127.0.0.1:${pages.port}/agent/big.js`)
    assert.equal((await response.text()).length, 3_000_000)
  })

  test('who asks for one and does not read it is cut', async () => {
    writeFileSync(join(folder, 'agent', 'huge.js'), 'x'.repeat(40_000_000)) // more than sockets hold
    const slow = await startProbe([`web=${folder}`, 'deadline=1'])
    const wire = slow.open()
    wire.socket.pause()
    wire.send(get('/agent/huge.js'))
    await until('the connection is there', async () => Number(await slow.tell('connections')) === 1)
    await until('the connection is cut', async () => Number(await slow.tell('connections')) === 0, 15_000)
    wire.destroy()
    await slow.stop()
  })

  test('nothing beside them can be reached', async () => {
    for (const target of ['/../../../../etc/passwd', '/agent/../../../../etc/passwd', '/agent/..%2f..%2fetc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd', '/agent/.%00./etc/passwd', '/..\\..\\etc\\passwd', '//etc/passwd', '/agent/....//etc/passwd',
      '/%c0%ae%c0%ae/etc/passwd', '/file:///etc/passwd']) {
      const { text } = await pages.talk(get(target), { responses: 1 })
      assert.match(text, /^HTTP\/1\.1 40[04] /, target)
      assert.doesNotMatch(text, /root:/)
    }
  })
})
