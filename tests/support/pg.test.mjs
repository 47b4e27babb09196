import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, startCluster } from './pg.mjs'
import { until, within } from './until.mjs'

let cluster
before(async () => {
  cluster = await startCluster()
})
after(() => cluster.destroy())

const empty = () => createDatabase({ cluster, migrated: false })

test('two databases know nothing of each other', async () => {
  const [one, two] = await Promise.all([empty(), empty()])
  await one.query('create table t (n integer)')
  await assert.rejects(two.query('select * from t'), /does not exist/)
  await Promise.all([one.drop(), two.drop()])
  assert.deepEqual(await cluster.query(`select datname from pg_database where datname in ('${one.name}', '${two.name}')`), [])
})

test('a stopped PostgreSQL keeps its rows', async () => {
  const database = await empty()
  await database.query('create table t (n integer)')
  await database.query('insert into t values (7)')
  await database.close()
  await cluster.stop()
  await assert.rejects(database.query('select n from t'))
  await cluster.start()
  assert.deepEqual(await database.query('select n from t'), [{ n: 7 }])
  await database.drop()
})

test('a frozen PostgreSQL answers nothing until it is thawed', async () => {
  const database = await empty()
  await database.query('select 1')
  cluster.freeze()
  const answer = database.query('select 2 as n')
  await assert.rejects(within('an answer', 100, answer), /not within/)
  cluster.thaw()
  assert.deepEqual(await answer, [{ n: 2 }])
  await database.drop()
})

test('a process that ends without stopping PostgreSQL leaves nothing behind', () => {
  const { stdout: folder } = startAnd('process.exit(0)')
  assert.match(folder, /calltab-pg-/)
  assert.equal(existsSync(folder), false)
})

test('a process that is killed takes PostgreSQL along', async () => {
  const { stdout: folder, signal } = startAnd("process.kill(process.pid, 'SIGKILL')")
  assert.equal(signal, 'SIGKILL')
  await until('PostgreSQL removed its lock file', () => !existsSync(join(folder, 'data', 'postmaster.pid')))
  rmSync(folder, { recursive: true })
})

function startAnd(end) {
  const module = fileURLToPath(new URL('./pg.mjs', import.meta.url))
  const script = `import { writeSync } from 'node:fs'
    import { startCluster } from ${JSON.stringify(module)}
    const cluster = await startCluster()
    writeSync(1, cluster.folder)
    ${end}`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
}
