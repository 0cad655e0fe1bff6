// Requests to the gateway. The token lives as long as the tab.

const KEY = 'gantry-token'

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
}

export async function request(method, path, body) {
  const headers = {}
  if (token()) headers.Authorization = `Bearer ${token()}`
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const reply = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
  const answer = await reply.json().catch(() => null)
  if (reply.status === 401 && token()) document.dispatchEvent(new Event('gantry-logged-out'))
  if (!reply.ok && !(path === '/health' && answer)) throw new ApiError(reply.status, answer)
  return answer
}

export const get = (path) => request('GET', path)
export const post = (path, body) => request('POST', path, body)

export async function login(username, password) {
  const answer = await post('/api/v1/auth/login', { username, password })
  sessionStorage.setItem(KEY, answer.access_token)
  return answer
}
