// Requests to the gateway. The tokens live as long as the tab; the short one is renewed before it ends.

const KEY = 'gantry-token'
const REFRESH = 'gantry-refresh'
const REQUEST_MS = 8000
const LONG_MS = 120000 // a long drive to be put together, a building's cells, a picture over a slow line
const LONG = /\/(stop-mapping|tiles(\?.*)?|import\?.*)$/

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

// A refresh token holds once: the answer brings the next.
function keep(answer) {
  sessionStorage.setItem(KEY, answer.access_token)
  sessionStorage.setItem(REFRESH, answer.refresh_token)
}

// A duplicated tab holds the same tokens: what one of the two is given for them, the other takes over.
const tabs = new BroadcastChannel('gantry-session')
tabs.onmessage = ({ data }) => sessionStorage.getItem(REFRESH) === data.old && keep(data.answer)

// No answer at all: the gateway is away, which the page shows by itself.
export const isAway = (error) => !(error instanceof ApiError)

// body: what is sent as JSON, or a Blob (a file) that is sent as it is. read: what becomes of a good answer.
async function exchange(method, path, body, read = (reply) => reply.json()) {
  const headers = {}
  const isFile = body instanceof Blob
  if (token()) headers.Authorization = `Bearer ${token()}`
  if (body !== undefined) headers['Content-Type'] = isFile ? body.type || 'application/octet-stream' : 'application/json'
  const reply = await fetch(path, { method, headers, body: body === undefined || isFile ? body : JSON.stringify(body),
    signal: AbortSignal.timeout(LONG.test(path) ? LONG_MS : REQUEST_MS) })
  return [reply, await (reply.ok ? read(reply) : reply.json()).catch(() => null)]
}

// Where 401 says that a password was wrong, and nothing of the token.
const isLogin = (path) => /\/auth\/(login|change-password)$/.test(path)
const isStop = (path) => path.endsWith('/robot/emergency-stop')

// The session does not hold, or nothing may be asked before another password is chosen: both begin at the login.
const isOut = (reply, answer, path) => (reply.status === 401 && !isLogin(path)) ||
  (reply.status === 403 && answer?.code === 'PASSWORD_CHANGE_REQUIRED' && !isLogin(path) && !isStop(path))

let renewal = null
// A new access token for the refresh token; false when there is none. One at a time.
export function renew() {
  const old = sessionStorage.getItem(REFRESH)
  if (!old) return Promise.resolve(false)
  renewal ??= exchange('POST', '/api/v1/auth/refresh', { refresh_token: old }).then(([reply, answer]) => {
    const taken = sessionStorage.getItem(REFRESH) !== old // over from another tab meanwhile
    if (reply.status === 401 && !taken) forget()
    if (reply.ok) {
      keep(answer)
      tabs.postMessage({ old, answer })
    }
    return reply.ok || taken
  }).finally(() => (renewal = null))
  return renewal
}

export async function request(method, path, body, read) {
  let [reply, answer] = await exchange(method, path, body, read)
  if (reply.status === 401 && token() && !isLogin(path) && await renew()) {
    [reply, answer] = await exchange(method, path, body, read)
  }
  if (isOut(reply, answer, path)) document.dispatchEvent(new Event('gantry-logged-out'))
  if (!reply.ok && !(path === '/health' && answer)) throw new ApiError(reply.status, answer)
  return answer
}

export const get = (path) => request('GET', path)
export const getBytes = (path) => request('GET', path, undefined, (reply) => reply.arrayBuffer())
export const post = (path, body) => request('POST', path, body)
export const put = (path, body) => request('PUT', path, body)
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
  keep(answer)
  return answer.user
}

export const changePassword = (from, to, again) => post('/api/v1/auth/change-password',
  { current_password: from, new_password: to, confirm_new_password: again })

// The session's tokens hold no longer, here and elsewhere. Also when the gateway is away they are forgotten.
export function logout() {
  exchange('POST', '/api/v1/auth/logout').catch(() => null)
  forget()
}
