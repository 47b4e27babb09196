/* The rooms keep to the table of dev/check-layers, and the script finds what breaks it. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { root, sources } from './tree.mjs'

const script = join(root, 'dev', 'check-layers')
const check = (folder) => spawnSync(script, [folder], { encoding: 'utf8' })

const copy = mkdtempSync(join(tmpdir(), 'calltab-layers-'))
after(() => rmSync(copy, { recursive: true }))
for (const path of sources(/\.[ch]$/)) {
  if (/^(tests|bench)\//.test(path)) continue
  mkdirSync(dirname(join(copy, path)), { recursive: true })
  cpSync(join(root, path), join(copy, path))
}

test('every include is allowed', () => {
  const { status, stdout, stderr } = check(root)
  assert.equal(stdout + stderr, '')
  assert.equal(status, 0)
})

const planted = [
  ['base/status.h', '#include "calls/call.h"', /base may not include calls\/call\.h/],
  ['calls/words.h', '#include "db/db.h"', /calls may not include db\/db\.h \(it may include: base\)/],
  ['calls/words.h', '#include "base/log.h"', /base\/log\.h has no place in calls/],
  ['calls/words.h', '\tchar *x = malloc(7);', /malloc\(\) has no place in calls/],
  ['calls/words.h', '#include <time.h>', /time\.h has no place in calls/],
  ['telephony/driver.h', '#include "control/control.h"', /telephony may not include control/],
  ['db/db.h', '#include "telephony/driver.h"', /db may not include telephony/],
  ['control/control.h', '#include <libpq-fe.h>', /libpq-fe\.h may only be included in: db\//],
  ['control/control.h', '# include "ws/ws.h"', /control may not include ws/],
  ['routes/routes.h', '#include <microhttpd.h>', /microhttpd\.h may only be included in: routes\/http\.c/],
  ['routes/routes.h', '#include "ws/ws.h"', /routes may not include ws/],
  ['ws/ws.h', '#include <jansson.h>', /jansson\.h may only be included in/],
  ['ws/ws.h', '#include <curl/curl.h>', /curl\/curl\.h may only be included in: server\//],
  ['ws/ws.h', '#include "channel.h"', /not named from the top/],
]

for (const [path, text, expected] of planted) {
  test(`found: ${text.trim()} in ${path}`, () => {
    const file = join(copy, path)
    const before = readFileSync(file, 'utf8')
    writeFileSync(file, `${before}${text}\n`)
    try {
      const { status, stdout } = check(copy)
      assert.equal(status, 1)
      assert.match(stdout, expected)
      const line = before.split('\n').length
      assert.ok(stdout.includes(`${path}:${line}: `), `${path}:${line} expected in ${stdout}`)
    } finally {
      writeFileSync(file, before)
    }
  })
}

test('a word in a comment or a text is no call', () => {
  writeFileSync(join(copy, 'calls', 'harmless.h'), '/* never malloc() here */\n// free(x)\nconst char *t = "time()";\nint runtime(void);\n')
  const { status, stdout } = check(copy)
  assert.equal(stdout, '')
  assert.equal(status, 0)
})
