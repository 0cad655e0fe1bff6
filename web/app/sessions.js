// Recording sessions: the one that records, those that are kept, and what rules have found.

import { del, download, get, post } from './api.js'
import { pill } from './panels.js'
import { button, cells, keep, twice } from './rows.js'

const byId = (id) => document.getElementById(id)
const ROOT = '/api/v1/sessions'
const FORMATS = [['csv', 'CSV'], ['csv_wide', 'wide CSV'], ['jsonl', 'JSON lines'], ['mcap', 'MCAP']]
const TONES = { recording: 'bad', stopped: 'good', discarded: 'warn', idle: 'unknown' }
const SEVERITIES = { critical: 'bad', error: 'bad', warning: 'warn' }

let say = () => {}
let permissions = {}

const fail = (error) => say(error.message)
const count = (number) => number.toLocaleString('en')
const moment = (text) => (text ? new Date(text).toLocaleString('sv') : '–')

function length(seconds) {
  if (seconds === undefined) return '–'
  const whole = Math.floor(seconds)
  const two = (number) => String(number).padStart(2, '0')
  return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`
}

// ---- the one that records

export function showSession(status) {
  const { session, recording } = status
  const parts = [session.name || 'without a name', length(session.duration_seconds), `${count(status.total_readings)} readings`]
  if (status.findings) parts.push(`${count(status.findings)} findings`)
  if (status.waiting) parts.push(`${count(status.waiting)} records on their way to the database`)
  pill('session-state', session.status, TONES[session.status] ?? 'unknown')
  byId('session-now').textContent = session.session_id ? parts.join(' · ') : ''
  byId('session-types').textContent = status.types.map((row) => `${row.type} ${count(row.count)}`).join(', ')
  byId('session-start').hidden = recording || !permissions.control
  byId('session-stop').hidden = byId('session-reset').hidden = !recording || !permissions.control
}

export function forgetSessions() {
  pill('session-state', 'unknown', 'unknown')
  for (const id of ['session-now', 'session-types']) byId(id).textContent = ''
  for (const id of ['session-start', 'session-stop', 'session-reset']) byId(id).hidden = true
}

// ---- those that are kept

function fetchFile(made, path) {
  made.disabled = true
  download(path).catch(fail).finally(() => (made.disabled = false))
}

function makeRow({ session }) {
  const row = document.createElement('tr')
  const path = `${ROOT}/${encodeURIComponent(session.session_id)}`
  cells(row, Array(6).fill(['']))
  const tools = row.insertCell()
  tools.className = 'tools'
  for (const [format, name] of FORMATS) {
    const file = button(name, () => fetchFile(file, `${path}/export?format=${format}`))
    tools.append(file)
  }
  row.delete = twice('Delete', 'Really delete?', () => del(path).then(() => {
    say(`${session.name || session.session_id} is deleted.`)
    return refreshSessions()
  }).catch(fail))
  tools.append(row.delete)
  return row
}

function fillRow(row, kept) {
  const { session } = kept
  row.title = session.session_id
  row.delete.hidden = !permissions.delete || session.status === 'recording'
  cells(row, [[session.name || '(no name)'], [moment(session.started_at)], [session.status, TONES[session.status]],
    [length(session.duration_seconds)], [count(kept.total_readings)], [count(kept.findings), 'wide']])
}

function fillFinding(row, found) {
  cells(row, [[moment(found.timestamp)], [found.sensor_id], [found.rule], [found.status, SEVERITIES[found.status]],
    [found.message]])
}

export async function refreshSessions() {
  if (!byId('session-panel').open) return
  const [status, sessions, findings] = await Promise.all([get(`${ROOT}/status`), get(`${ROOT}?limit=20`),
    get('/api/v1/sensors/validation?limit=20')])
  showSession(status.data)
  keep(byId('sessions'), sessions.data, (kept) => kept.session.session_id, makeRow, fillRow)
  keep(byId('findings'), findings.data, (found) => String(found.id), () => document.createElement('tr'), fillFinding)
}

// rights: what the user may do; null: nobody is logged in.
export function permitSessions(rights) {
  const may = rights?.sessions ?? []
  permissions = { control: may.includes('control'), delete: may.includes('delete') }
}

export function setUpSessions(tell) {
  say = tell
  const act = (what, body) => post(`${ROOT}/${what}`, body).then(refreshSessions).catch(fail)
  byId('session-start').onsubmit = (event) => {
    event.preventDefault()
    const name = new FormData(event.target).get('name').trim()
    act('start', name ? { name } : {})
    event.target.reset()
  }
  byId('session-stop').onclick = () => act('stop')
  byId('session-reset').onclick = () => act('reset')
  byId('session-panel').ontoggle = () => refreshSessions().catch(fail)
}
