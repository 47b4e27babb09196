/* cmocka's tests are listed by hand, twice: the file in meson.build, the function in main. Neither list forgets one. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { read, sources } from './tree.mjs'

/* Names of test functions, set-ups and tear-downs that nothing in the text refers to. */
function unlisted(text) {
  const names = [...text.matchAll(/^(?:static )?(?:void|int) (\w+)\(void \*\*\s*\w+\)/gm)].map((match) => match[1])
  return [...new Set(names)].filter((name) => [...text.matchAll(new RegExp(`\\b${name}\\b`, 'g'))].length === definitions(text, name))
}

function definitions(text, name) {
  return [...text.matchAll(new RegExp(`^(?:static )?(?:void|int) ${name}\\(void \\*\\*`, 'gm'))].length
}

test('every test function is in the list of its file', () => {
  const forgotten = sources(/^tests\/unit\/.*_test\.c$/).flatMap((path) => unlisted(read(path)).map((name) => `${path}: ${name}`))
  assert.deepEqual(forgotten, [])
})

test('every test file is in the meson.build beside it', () => {
  const forgotten = sources(/^tests\/unit\/.*_test\.c$/).filter((path) => {
    const name = /([^/]+)_test\.c$/.exec(path)[1]
    return !new RegExp(`'${name}(_test(\\.c)?)?'`).test(read(`${dirname(path)}/meson.build`))
  })
  assert.deepEqual(forgotten, [])
})

test('every room with a test has its folder in tests/unit/meson.build', () => {
  const rooms = new Set(sources(/^tests\/unit\/\w+\/meson\.build$/).map((path) => path.split('/')[2]))
  const listed = read('tests/unit/meson.build')
  assert.deepEqual([...rooms].filter((room) => !listed.includes(`subdir('${room}')`)), [])
})

test('a function that is not listed is found', () => {
  const text = `static void held_call_resumes(void **state)\n{\n}\nstatic void forgotten_one(void **state)\n{\n}
static int setup(void **state)\n{\n\treturn 0;\n}
int main(void) { const struct CMUnitTest tests[] = {cmocka_unit_test_setup(held_call_resumes, setup)}; }`
  assert.deepEqual(unlisted(text), ['forgotten_one'])
})
