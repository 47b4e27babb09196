/* The analyzers that dev/test runs by name. Each is one command that ends with 0 when it finds nothing. gcc's own is a
 * build (dev/build analyzer): its findings are errors there. */
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, relative, resolve } from 'node:path'

const BUILD = 'build-test' // for its compile_commands.json
const ROOMS = /^(base|calls|telephony|db|control|dialer|routes|ws|server)\//

export function analyzer(root, name) {
  const files = sourcesOf(root)
  const atOnce = String(cpus().length)
  const eachFile = 'processes=$1; shift; printf "%s\\n" "$@" | xargs -n 1 -P "$processes" clang-tidy --quiet -p ' + BUILD
  return {
    'clang-tidy': { command: 'sh', args: ['-c', eachFile, 'clang-tidy', atOnce, ...files] },
    cppcheck: {
      command: 'cppcheck',
      args: ['--quiet', '--error-exitcode=1', '--enable=warning,portability', '--inline-suppr', '--std=c11', '--language=c', '-I.', `-j${atOnce}`,
        // it does not look into system headers, so it is told what it needs of them
        '--suppress=missingIncludeSystem', '-D_GNU_SOURCE', '-D__linux__', '-DLWS_LIBRARY_VERSION_NUMBER=4001006',
        '--include=/usr/include/uthash.h', '--include=/usr/include/utlist.h',
        // a plain character never gets there: put_special() is only asked about special ones
        '--suppress=arrayIndexOutOfBoundsCond:base/json_writer.c',
        ...files],
    },
  }[name]
}

function sourcesOf(root) {
  const commands = JSON.parse(readFileSync(join(root, BUILD, 'compile_commands.json'), 'utf8'))
  const paths = commands.map(({ directory, file }) => relative(root, resolve(directory, file)))
  return [...new Set(paths)].filter((path) => ROOMS.test(path) && path.endsWith('.c')).sort()
}
