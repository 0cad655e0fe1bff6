// The alerts that hold: gravest first, with what may be done about them.

import { get, post } from './api.js'
import { pill } from './panels.js'
import { button, keep } from './rows.js'

const byId = (id) => document.getElementById(id)
const TONES = { critical: 'bad', error: 'bad', warning: 'warn', info: 'unknown' }
let say
let may = false

const act = (alert, what) => post(`/api/v1/dashboard/alerts/${alert.id}/${what}`).then(refreshAlerts).catch((error) => say(error.message))

function make(alert) {
  const row = document.createElement('li')
  row.append(document.createElement('span'), document.createElement('small'),
    button('Seen', () => act(alert, 'acknowledge')), button('Resolve', () => act(alert, 'resolve')))
  return row
}

function fill(row, alert) {
  const [text, who, seen, resolve] = row.children
  const since = new Date(alert.timestamp).toLocaleTimeString()
  text.textContent = `${alert.title}: ${alert.message}`
  text.className = TONES[alert.level]
  who.textContent = alert.acknowledged ? ` since ${since}, seen by ${alert.acknowledged_by} ` : ` since ${since} `
  seen.hidden = !may || alert.acknowledged
  resolve.hidden = !may
}

export async function refreshAlerts() {
  const active = await get('/api/v1/monitoring/alerts/active')
  pill('alerts-state', active.total_count ? `${active.total_count} active` : 'none',
    active.critical_count || active.error_count ? 'bad' : active.total_count ? 'warn' : 'good')
  keep(byId('alerts'), active.alerts, (alert) => String(alert.id), make, fill)
}

// An `alert` frame has come. A stop has a panel of its own.
export function showAlert(frame) {
  if (frame.change === 'raised' && frame.id !== 'STOP-LATCHED') say(`${frame.level}: ${frame.message}`)
  refreshAlerts().catch(() => {})
}

export function permitAlerts(rights) {
  may = Boolean(rights?.dashboard?.includes('write'))
}

export function forgetAlerts() {
  pill('alerts-state', 'unknown', 'unknown')
  byId('alerts').replaceChildren()
}

export function setUpAlerts(tell) {
  say = tell
}
