/* The hand-written types are the contract: they compile, a program written to them compiles, wrong programs do not, their names are
 * those of the code, and the code itself passes the type checker. */
import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import * as library from '../../web/lib/index.js'
import { COMMANDS } from '../../web/lib/commands.js'

const here = dirname(fileURLToPath(import.meta.url))
const lib = join(here, '../../web/lib')
const STRICT = {
  strict: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2020,
  module: ts.ModuleKind.ES2020,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2020.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
  types: [],
}

function complaints(program) {
  return ts.getPreEmitDiagnostics(program).map((it) => {
    const text = ts.flattenDiagnosticMessageText(it.messageText, '\n')
    return it.file ? `${it.file.fileName}:${it.file.getLineAndCharacterOfPosition(it.start).line + 1}: ${text}` : text
  })
}

test('programs in TypeScript compile against the types, wrong ones do not', { timeout: 120_000 }, () => {
  const program = ts.createProgram([join(here, 'types.ts'), join(here, 'types_globals.ts')], STRICT)
  assert.deepEqual(complaints(program), [])
})

test('the library passes the type checker and uses nothing younger than ES2020', { timeout: 120_000 }, () => {
  const program = ts.createProgram([join(lib, 'call_tab.js'), join(lib, 'classic.js')], { ...STRICT, allowJs: true, checkJs: true })
  assert.deepEqual(complaints(program), [])
})

test('the types name what the code has, no more and no less', { timeout: 120_000 }, () => {
  const program = ts.createProgram([join(lib, 'calltab.d.ts')], STRICT)
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(join(lib, 'calltab.d.ts')))
  const exported = checker.getExportsOfModule(module)
  const values = exported.filter((symbol) => symbol.flags & ts.SymbolFlags.Value).map((symbol) => symbol.name)
  assert.deepEqual(values.sort(), Object.keys(library).sort())
  const membersOf = (name) => {
    const symbol = exported.find((it) => it.name === name)
    return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map((it) => it.name).sort()
  }
  assert.deepEqual(membersOf('DynamicsTelephonyApi'), Object.keys(library.DynamicsTelephony).sort())
  assert.deepEqual(membersOf('CallTabApi'), Object.keys(library.CallTab).sort())
  const called = [...membersOf('DynamicsTelephonyApi'), ...membersOf('CallTabApi')]
  for (const method of Object.keys(COMMANDS)) assert.ok(called.includes(method), method)
})
