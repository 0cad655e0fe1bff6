// The panels beside the map. What is not known is shown as a dash, never as a number.

import { get } from './api.js'

const byId = (id) => document.getElementById(id)
const dash = (value, text) => (value === undefined || value === null ? '–' : text(value))

export function pill(id, text, tone) {
  byId(id).textContent = text
  byId(id).className = `pill ${tone}`
}

function rows(table, list) {
  table.replaceChildren(...list.map((cells) => {
    const row = document.createElement('tr')
    for (const cell of cells) {
      const data = document.createElement('td')
      data.textContent = cell.text ?? cell
      if (cell.tone) data.className = cell.tone
      row.append(data)
    }
    return row
  }))
}

const TONES = { ready: 'good', online: 'good', healthy: 'good', idle: 'good', moving: 'good', degraded: 'warn', starting: 'warn',
  draining: 'warn', paused: 'warn', charging: 'good', docking: 'good', offline: 'bad', down: 'bad', unhealthy: 'bad',
  error: 'bad', emergency_stop: 'bad' }
export const tone = (word) => TONES[word] ?? 'unknown'

const facts = { position: null, telemetry: null }

export function showRobot(change) {
  Object.assign(facts, change)
  const { position, telemetry } = facts
  const motion = telemetry?.motion
  const battery = telemetry?.battery
  const list = [
    ['Position', dash(position, (p) => `${(p.x / 1000).toFixed(2)}, ${(p.y / 1000).toFixed(2)} m`)],
    ['Heading', dash(position, (p) => `${(p.theta * 180 / Math.PI).toFixed(1)}°`)],
    ['Confidence', dash(position, (p) => `${Math.round(p.confidence * 100)} % (${p.primary_source})`)],
    ['Speed', dash(motion, (m) => `${m.speed.toFixed(2)} m/s, set ${m.setpoint.toFixed(2)}`)],
    ['Battery', dash(battery, (b) => `${Math.round(b.charge * 100)} %, ${b.voltage.toFixed(1)} V, ${b.current.toFixed(1)} A`)],
    ['Source', dash(position, (p) => (p.stale ? `${p.origin}, stale` : p.origin))],
  ]
  byId('robot').replaceChildren(...list.flatMap(([name, value]) => {
    const term = document.createElement('dt')
    const text = document.createElement('dd')
    term.textContent = name
    text.textContent = value
    return [term, text]
  }))
}

// resettable: the robot waits for a confirmed reset, latched or not.
export function showSafety(safety, robotStatus, resettable) {
  pill('robot-state', robotStatus.replace('_', ' '), tone(robotStatus))
  byId('latch').hidden = !resettable
  if (!safety || !resettable) return
  byId('latch-title').textContent = safety.latched ? 'Stopped' : `In state ${safety.state}`
  byId('latch-cause').textContent = `${safety.detail || 'Emergency stop'} (${safety.cause}); motors ` +
    (safety.motors_off ? 'are off' : 'are NOT confirmed off')
}

// Nothing is heard any more: what was known is not shown as if it still held.
export function forgetRobot() {
  showRobot({ position: null, telemetry: null })
  pill('robot-state', 'unknown', 'unknown')
}

export async function refreshHealth() {
  try {
    const health = await get('/health')
    pill('suite-state', health.status, tone(health.status))
    byId('suite-state').title = health.error ?? ''
    rows(byId('services'), health.processes.map((row) => [row.name, { text: row.status, tone: tone(row.status) },
      `${(row.rss_bytes / 1048576).toFixed(1)} MiB`, row.restarts ? `${row.restarts} restarts` : '']))
  } catch {
    pill('suite-state', 'no gateway', 'bad')
    rows(byId('services'), [])
  }
}
