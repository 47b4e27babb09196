/* Who is signed in, on this window. The token lives as long as the window does, so a reload asks for nothing. */
const KEY = 'calltab.session'

export class Session {
  constructor() {
    this.current = read()
  }

  get isOpen() {
    return this.current !== null
  }

  /**
   * With {login, password} or {link}. Throws an Error with the gateway's words.
   * @param {Record<string, string>} proof
   */
  async open(proof) {
    const { token, expiresOn } = await post('sign-in', { body: proof })
    this.current = { token, expiresOn }
    sessionStorage.setItem(KEY, JSON.stringify(this.current))
  }

  /** A fresh ticket for a socket. */
  async ticket() {
    const { ticket } = await post('ws-tickets', { token: this.current?.token })
    return ticket
  }

  /** Ends it here in any case, at the gateway when that can be reached. */
  async close() {
    const token = this.current?.token
    this.forget()
    await post('sign-out', { token }).catch(() => {})
  }

  forget() {
    this.current = null
    sessionStorage.removeItem(KEY)
  }
}

/** The one-use code of an address `…#link=<code>`, which then is nowhere on the page any more. */
export function takeLink() {
  const link = new URLSearchParams(location.hash.slice(1)).get('link')
  if (link !== null) history.replaceState(null, '', location.pathname + location.search)
  return link
}

async function post(what, { body, token }) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
  const response = await fetch(`/api/v1/${what}`, { method: 'POST', headers, body: JSON.stringify(body ?? {}) })
  const json = await response.json().catch(() => ({}))
  if (response.ok) return json
  const { status } = response
  const retryAfterMs = 1000 * Number(response.headers.get('retry-after') ?? 0)
  throw Object.assign(new Error(json.detail || `the gateway answers ${status}`), { status, code: json.code, retryAfterMs })
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY))
  } catch {
    return null
  }
}
