// The sensors: whether they deliver, how healthy they are, and why.

import { get } from './api.js'
import { tone } from './panels.js'
import { button, cells, keep } from './rows.js'

const byId = (id) => document.getElementById(id)
const percent = (share) => `${Math.round(share * 100)} %`

let say = () => {}
let shown = null // the sensor that is explained

function makeSensor(sensor) {
  const row = document.createElement('tr')
  cells(row, Array(4).fill(['']))
  row.insertCell().append(button('Why?', () => {
    shown = shown === sensor.sensor_id ? null : sensor.sensor_id
    explain().catch((error) => say(error.message))
  }))
  return row
}

const fillSensor = (row, sensor) => cells(row, [[sensor.sensor_id], [sensor.type], [sensor.status, tone(sensor.status)],
  [percent(sensor.health_score)]])

// A score, then a term a row: what it says, with the numbers behind it.
function terms(kind, score, list) {
  return [{ key: kind, name: kind, value: percent(score), doc: '' }, ...list.map((term) => ({ key: `${kind} ${term.name}`,
    name: `– ${term.name.replaceAll('_', ' ')}`, value: `${percent(term.value)} × ${term.weight}`, doc: term.doc }))]
}

function counts(list) {
  return list.filter((count) => count.count > 0).map((count) => ({ key: `found ${count.name}`,
    name: count.name.replaceAll('_', ' '), value: `${count.count} ×`, doc: count.refused ? 'refused' : 'kept with a warning' }))
}

function fillTerm(row, term) {
  cells(row, [[term.name], [term.value], [term.doc]])
}

async function explain() {
  byId('explain').hidden = !shown
  if (!shown) return
  const { data } = await get(`/api/v1/sensors/explain/${encodeURIComponent(shown)}`)
  const filters = (data.pipeline.filters ?? []).map((filter) => filter.kind).join(', ') || 'no filter'
  byId('explain-title').textContent = data.sensor_id
  byId('explain-says').textContent = `From ${data.source}; ${filters}; ${data.error_count} refused, ${data.warning_count} ` +
    `with a warning${data.last_error ? `; last refused: ${data.last_error}` : ''}`
  keep(byId('explain-terms'), [...terms('quality', data.quality_score, data.quality),
    ...terms('health', data.health_score, data.health), ...counts(data.counts)],
    (term) => term.key, () => document.createElement('tr'), fillTerm)
}

export async function refreshSensors() {
  const { sensors } = await get('/api/v1/sensors/list')
  keep(byId('sensors'), sensors, (sensor) => sensor.sensor_id, makeSensor, fillSensor)
  await explain()
}

export function setUpSensors(tell) {
  say = tell
  byId('explain-close').onclick = () => {
    shown = null
    byId('explain').hidden = true
  }
}
