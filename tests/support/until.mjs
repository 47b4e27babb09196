/* Waiting without sleeping blindly: a named condition with a deadline. */
import { setTimeout as pause } from 'node:timers/promises'

const FIRST_PAUSE_MS = 2
const LONGEST_PAUSE_MS = 50

/* Resolves with the first truthy value of predicate (which may be asynchronous). A predicate that throws counts as
 * "not yet"; when time is up its last words are in the error, because they are usually the reason. */
export async function until(description, predicate, ms = 5000) {
  const deadline = performance.now() + ms
  let lastError = null
  let lastValue
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(wait * 1.5, LONGEST_PAUSE_MS)) {
    try {
      lastValue = await predicate()
      if (lastValue) return lastValue
      lastError = null
    } catch (error) {
      lastError = error
    }
    if (performance.now() >= deadline) break
    await pause(wait)
  }
  const last = lastError ? `it threw: ${lastError.message}` : `it was: ${shorten(lastValue)}`
  throw new Error(`not within ${ms} ms: ${description} (${last})`, { cause: lastError ?? undefined })
}

/* The promise's value, or an error that names what was awaited. */
export async function within(description, ms, promise) {
  const stop = new AbortController()
  const tooLate = pause(ms, null, { signal: stop.signal }).then(
    () => {
      throw new Error(`not within ${ms} ms: ${description}`)
    },
    () => {},
  )
  try {
    return await Promise.race([promise, tooLate])
  } finally {
    stop.abort()
  }
}

function shorten(value) {
  let text
  try {
    text = JSON.stringify(value) ?? String(value)
  } catch {
    text = String(value)
  }
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
