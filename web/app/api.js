// Requests to the gateway. The tokens live as long as the tab; the short one is renewed before it ends.

const KEY = 'gantry-token'
const REFRESH = 'gantry-refresh'
const REQUEST_MS = 8000
const LONG_MS = 120000 // a long drive to be put together, a building's cells, a picture over a slow line
const LONG = /\/(stop-mapping|occupancy-grid|import\?.*)$/

export class ApiError extends Error {
  constructor(status, body) {
    super(body?.detail || body?.error || `HTTP ${status}`)
    this.status = status
    this.code = body?.code
  }
}

export const token = () => sessionStorage.getItem(KEY)

export function forget() {
  sessionStorage.removeItem(KEY)
  sessionStorage.removeItem(REFRESH)
}

// No answer at all: the gateway is away, which the page shows by itself.
export const isAway = (error) => !(error instanceof ApiError)

// body: what is sent as JSON, or a Blob (a file) that is sent as it is.
async function exchange(method, path, body) {
  const headers = {}
  const isFile = body instanceof Blob
  if (token()) headers.Authorization = `Bearer ${token()}`
  if (body !== undefined) headers['Content-Type'] = isFile ? body.type || 'application/octet-stream' : 'application/json'
  const reply = await fetch(path, { method, headers, body: body === undefined || isFile ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(LONG.test(path) ? LONG_MS : REQUEST_MS) })
  return [reply, await reply.json().catch(() => null)]
}

let renewal = null
// A new access token for the refresh token; false when there is none. One at a time.
export function renew() {
  const old = sessionStorage.getItem(REFRESH)
  if (!old) return Promise.resolve(false)
  renewal ??= exchange('POST', '/api/v1/auth/refresh', { refresh_token: old }).then(([reply, answer]) => {
    if (reply.status === 401) forget()
    if (reply.ok) sessionStorage.setItem(KEY, answer.access_token)
    return reply.ok
  }).finally(() => (renewal = null))
  return renewal
}

export async function request(method, path, body) {
  let [reply, answer] = await exchange(method, path, body)
  if (reply.status === 401 && token() && !path.includes('/auth/login') && await renew()) {
    [reply, answer] = await exchange(method, path, body)
  }
  if (reply.status === 401 && !path.includes('/auth/login')) document.dispatchEvent(new Event('gantry-logged-out'))
  if (!reply.ok && !(path === '/health' && answer)) throw new ApiError(reply.status, answer)
  return answer
}

export const get = (path) => request('GET', path)
export const post = (path, body) => request('POST', path, body)
export const del = (path) => request('DELETE', path)

// Fetches a file and hands it to the browser's downloads. However long it takes: the browser keeps it on disk.
export async function download(path) {
  const ask = () => fetch(path, { headers: { Authorization: `Bearer ${token()}` } })
  let reply = await ask()
  if (reply.status === 401 && await renew()) reply = await ask()
  if (!reply.ok) throw new ApiError(reply.status, await reply.json().catch(() => null))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await reply.blob())
  link.download = /filename="([^"]+)"/.exec(reply.headers.get('Content-Disposition'))?.[1] ?? 'session'
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}

export async function login(username, password) {
  const answer = await post('/api/v1/auth/login', { username, password })
  sessionStorage.setItem(KEY, answer.access_token)
  sessionStorage.setItem(REFRESH, answer.refresh_token)
  return answer
}
