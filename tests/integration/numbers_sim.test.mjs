/* Numbers and dial rules on the simulated switch, and the program that keeps the rules. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGateway } from '../support/gateway.mjs'
import { run } from '../support/program.mjs'
import { numbersSuite } from './numbers_suite.mjs'

numbersSuite('sim')

let gateway
before(async () => {
  gateway = await startGateway({ config: { number_region: 'GB' } })
})
after(() => gateway?.stop())

const calltab = (...args) => run([...args, '--config', gateway.configFile])

async function json(...args) {
  const { code, stdout, stderr } = await calltab(...args, '--json')
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

test('dial-rule: rules are listed in their order, replaced under their name, tried, and removed', async () => {
  await calltab('dial-rule', 'add', 'last', '--prefix', '1')
  await calltab('dial-rule', 'add', 'first', '--position', '5', '--number', '+49', '--strip', '3', '--prefix', '0')
  assert.match((await calltab('dial-rule', 'add', 'last', '--prefix', '7', '--withheld')).stdout, /last replaced/)
  const listed = await json('dial-rule', 'list')
  assert.deepEqual(listed.map(({ name, position, prefix, withheld }) => [name, position, prefix, withheld]), [['first', 5, '0', false], ['last', 100, '7', true]])
  assert.deepEqual(await json('dial-rule', 'test', '0049 30 901820'), { number: '+4930901820', rule: 'first', dialed: '030901820', caller: "the trunk's own" })
  assert.deepEqual(await json('dial-rule', 'test', '020 7183 8750'), { number: '+442071838750', rule: 'last', dialed: '7+442071838750', caller: 'withheld' })
  await calltab('dial-rule', 'remove', 'last')
  assert.equal((await json('dial-rule', 'test', '112')).rule, '')
  await calltab('dial-rule', 'remove', 'first')
  assert.deepEqual(await json('dial-rule', 'list'), [])
})

test('dial-rule: what is wrong is refused, names its flag, and adds nothing', async () => {
  const refused = [
    ['caller-name', ['add', 'r', '--caller-name', 'a\nVia: b']], ['caller-number', ['add', 'r', '--caller-number', 'abc']],
    ['strip', ['add', 'r', '--strip', '-1']], ['strip', ['add', 'r', '--strip', '17']], ['prefix', ['add', 'r', '--prefix', '0,']],
    ['prefix', ['add', 'r', '--prefix', '1'.repeat(17)]], ['number-prefix', ['add', 'r', '--number', '&4']], ['position', ['add', 'r', '--position', 'x']],
    ['name', ['add', 'a b']], ['withheld', ['add', 'r', '--withheld', '--caller-number', '1001']], ['name', ['remove', 'nobody']], ['number', ['test', '1&2']],
  ]
  for (const [target, args] of refused) {
    const { code, stderr } = await calltab('dial-rule', ...args, '--json')
    assert.equal(code, 1, args.join(' '))
    assert.equal(JSON.parse(stderr).target, target, stderr)
  }
  assert.deepEqual(await json('dial-rule', 'list'), [])
  assert.equal((await calltab('dial-rule')).code, 2)
})

test('a region that does not exist stops the start and says what to write', async () => {
  const { code, stderr } = await calltab('serve', '--number-region', 'ZZ', '--node', 'n9', '--journal-dir', `${gateway.folder ?? '/tmp'}/other-journal`)
  assert.equal(code, 1)
  assert.match(stderr, /no numbering rules of a region ZZ.*ISO 3166/)
})
