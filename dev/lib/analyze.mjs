/* The analyzers of the suite `analyze`. Each is one command that ends with 0 when it finds nothing. gcc's own is a
 * build (dev/build analyzer): its findings are errors there. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, relative, resolve } from 'node:path'

const BUILD = 'build-test' // for its compile_commands.json
const ROOMS = /^(base|calls|telephony|db|control|dialer|routes|ws|server)\//

export function analyzers(root) {
  const files = sourcesOf(root)
  const atOnce = String(cpus().length)
  const eachFile = 'processes=$1; shift; printf "%s\\n" "$@" | xargs -n 1 -P "$processes" clang-tidy --quiet -p ' + BUILD
  return [
    { name: 'clang-tidy', command: 'sh', args: ['-c', eachFile, 'clang-tidy', atOnce, ...files] },
    {
      name: 'cppcheck',
      command: 'cppcheck',
      args: ['--quiet', '--error-exitcode=1', '--enable=warning,portability', '--inline-suppr', '--std=c11', '--language=c',
        '--suppress=missingIncludeSystem', '-D_GNU_SOURCE', '-I.', `-j${atOnce}`, ...files],
    },
  ]
}

function sourcesOf(root) {
  const commands = JSON.parse(readFileSync(join(root, BUILD, 'compile_commands.json'), 'utf8'))
  const paths = commands.map(({ directory, file }) => relative(root, resolve(directory, file)))
  return [...new Set(paths)].filter((path) => ROOMS.test(path)).sort()
}
