/* A Chromium for the tests of pages. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { root } from '../support/results.mjs'

const EXECUTABLE = process.env.CALLTAB_CHROMIUM || '/usr/bin/chromium'
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--no-first-run',
]

export async function launchBrowser(more = []) {
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is missing: apt install chromium, or set CALLTAB_CHROMIUM`)
  return chromium.launch({ executablePath: EXECUTABLE, args: [...ARGUMENTS, ...more] })
}

/* A page in a context of its own. complaints: what its console and its scripts complained about; a test looks at them last. */
export async function openPage(browser, { width = 1280, height = 800, dark = false, ...options } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    locale: 'en-GB',
    ...options,
  })
  const page = await context.newPage()
  const complaints = []
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  page.setDefaultTimeout(10_000)
  return { page, context, complaints }
}

/* Where a person looks at how it turned out. */
export function screenshotPath(name) {
  const folder = join(root, 'var', 'screenshots')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
