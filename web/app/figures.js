// Load over the last day, and the newest log lines. Asked for only while their panels are open.

import { get } from './api.js'
import { cells, keep } from './rows.js'

const byId = (id) => document.getElementById(id)
const TONES = { error: 'bad', warn: 'warn' }
const CURVES = [
  { key: 'cpu_usage', name: 'CPU', unit: '%', most: 100, colour: '#12616b' },
  { key: 'memory_usage', name: 'Memory', unit: '%', most: 100, colour: '#8a5a00' },
  { key: 'response_time', name: 'Answers, 95 %', unit: 'ms', most: null, colour: '#9b1c31' },
]

const text = (value, unit) => (value === undefined ? '–' : `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`)

// A gap in what is known is a gap in the curve.
function draw(context, rows, curve, from, to, width, height) {
  const most = curve.most ?? Math.max(1, ...rows.map((row) => row[curve.key] ?? 0))
  let open = false
  context.beginPath()
  for (const row of rows) {
    const value = row[curve.key]
    if (value === undefined) {
      open = false
      continue
    }
    const x = (Date.parse(row.timestamp) - from) / (to - from) * width
    const y = height - 1 - value / most * (height - 2)
    open ? context.lineTo(x, y) : context.moveTo(x, y)
    open = true
  }
  context.strokeStyle = curve.colour
  context.stroke()
}

function legend(current) {
  byId('load-now').replaceChildren(...CURVES.map((curve) => {
    const item = document.createElement('span')
    item.textContent = `${curve.name} ${text(current[curve.key], curve.unit)}`
    item.style.color = curve.colour
    return item
  }))
}

async function refreshLoad() {
  const hours = Number(byId('load-hours').value)
  const series = await get(`/api/v1/dashboard/performance?hours=${hours}`)
  const canvas = byId('load-chart')
  canvas.width = canvas.clientWidth * devicePixelRatio
  canvas.height = canvas.clientHeight * devicePixelRatio
  const context = canvas.getContext('2d')
  context.lineWidth = 1.5 * devicePixelRatio
  const rows = [...series.data, series.current]
  const to = Date.parse(series.current.timestamp)
  for (const curve of CURVES) draw(context, rows, curve, to - hours * 3600000, to, canvas.width, canvas.height)
  legend(series.current)
}

async function refreshLog() {
  const { logs } = await get(`/api/v1/dashboard/logs?limit=100&level=${byId('log-level').value}`)
  keep(byId('log'), logs, (line) => line.id, () => document.createElement('tr'), (row, line) => cells(row,
    [[new Date(line.timestamp).toLocaleTimeString()], [line.level, TONES[line.level]], [line.source], [line.message]]))
}

export async function refreshFigures() {
  if (byId('load-panel').open) await refreshLoad()
  if (byId('log-panel').open) await refreshLog()
}

export function setUpFigures(say) {
  const now = () => refreshFigures().catch((error) => say(error.message))
  for (const id of ['load-panel', 'log-panel']) byId(id).ontoggle = now
  for (const id of ['load-hours', 'log-level']) byId(id).onchange = now
}
