// Maps: the session that draws one, those that are stored, and files of map_server's convention.

import { del, download, get, post, request } from './api.js'
import { pill } from './panels.js'
import { button, keep, twice } from './rows.js'

const byId = (id) => document.getElementById(id)
const ROOT = '/api/v1/map'
const IMAGE_MAX = 10 << 20 // what the gateway takes
const TONES = { mapping: 'warn', finishing: 'warn', storing: 'warn', idle: 'good' }

let say = () => {}
let onLoaded = () => {}
let rights = []
let active = ''

const fail = (error) => say(error.message)
const one = (id) => `${ROOT}/${encodeURIComponent(id)}`

// ---- the session

// status: map.status as the bus has it, or null when nothing is heard of the mapper.
export function showMapping(status) {
  const phase = status?.phase ?? (status?.mapping ? 'mapping' : 'idle')
  const busy = phase === 'finishing' || phase === 'storing'
  pill('mapping-state', status ? phase : 'unknown', status ? TONES[phase] : 'unknown')
  byId('mapping-start').disabled = !status || phase !== 'idle'
  byId('mapping-start').hidden = Boolean(status?.mapping)
  byId('mapping-stop').hidden = !status?.mapping
  byId('mapping-stop').textContent = `Stop and store (${status?.scans ?? 0} scans)`
  byId('mapping-progress').hidden = !busy
  byId('mapping-progress').value = status?.progress ?? 0
  byId('mapping-terms').textContent = status?.terms?.keyframes ? sayTerms(status.terms) : ''
}

function sayTerms(terms) {
  return `${Math.round(terms.coverage * 100)} % explored · points ${(terms.residual * 1000).toFixed(0)} mm from walls · ` +
    `${(terms.consistency * 100).toFixed(1)} % of rays agree · ${terms.closures} loops closed, ${terms.refused} refused`
}

// ---- those that are stored

function rename(map, row) {
  const form = document.createElement('form')
  const input = document.createElement('input')
  input.value = map.name
  input.maxLength = 100
  input.setAttribute('aria-label', 'New name')
  form.append(input)
  form.onsubmit = (event) => {
    event.preventDefault()
    input.onblur = null // removal blurs, and nothing is removed twice
    form.remove()
    request('PUT', one(map.map_id), { name: input.value.trim() }).then(refreshMaps).catch(fail)
  }
  input.onblur = () => form.remove()
  row.append(form)
  input.select()
}

function makeRow(map) {
  const row = document.createElement('li')
  const path = one(map.map_id)
  row.name = document.createElement('span')
  row.tools = document.createElement('span')
  row.tools.className = 'tools'
  row.load = button('Load', () => post(`${ROOT}/load/${encodeURIComponent(map.map_id)}`).then(onLoaded).catch(fail))
  row.rename = button('Rename', () => rename(map, row))
  row.delete = twice('Delete', 'Really delete?', () => del(path).then(refreshMaps).catch(fail))
  const png = button('PNG', () => download(`${path}/map.png`).catch(fail))
  const yaml = button('YAML', () => download(`${path}/map.yaml`).catch(fail))
  row.tools.append(row.load, png, yaml, row.rename, row.delete)
  row.append(row.name, row.tools)
  return row
}

function fillRow(row, map) {
  const isActive = map.map_id === active
  const text = `${map.name} (${(map.width * map.resolution / 1000).toFixed(0)} × ${(map.height * map.resolution / 1000).toFixed(0)} m)`
  if (row.name.textContent !== text) row.name.textContent = text
  row.load.textContent = isActive ? 'active' : 'Load'
  row.load.disabled = isActive
  row.load.hidden = row.rename.hidden = !rights.includes('write')
  row.delete.hidden = !rights.includes('delete') || isActive
}

// Id of the active map, or "".
export const activeMap = () => active

export async function refreshMaps() {
  const [status, list] = await Promise.all([get(`${ROOT}/status`), get(`${ROOT}/list`)])
  active = status.current_map_id ?? ''
  keep(byId('maps'), list.maps, (map) => map.map_id, makeRow, fillRow)
}

// ---- files

// The few keys that map_server's YAML has; the gateway checks their values.
function readYaml(text) {
  const value = (key) => new RegExp(`^\\s*${key}\\s*:\\s*(.+?)\\s*(?:#.*)?$`, 'm').exec(text)?.[1]
  const origin = /\[\s*([-\d.eE+]+)\s*,\s*([-\d.eE+]+)\s*,\s*([-\d.eE+]+)\s*\]/.exec(value('origin') ?? '')
  if (!value('resolution') || !origin) throw new Error('The YAML lacks resolution or origin.')
  if (Number(origin[3]) !== 0) throw new Error('The map is turned (origin has a yaw): turn the image instead.')
  const query = { resolution: value('resolution'), origin_x: origin[1], origin_y: origin[2] }
  if (value('negate')) query.negate = value('negate') === '1' ? 'true' : 'false'
  if ((value('mode') ?? 'trinary') !== 'trinary') throw new Error('Only maps of mode trinary can be imported.')
  for (const key of ['occupied_thresh', 'free_thresh']) if (value(key)) query[key] = value(key)
  return query
}

async function takeFiles(files) {
  const yaml = files.find((file) => /\.ya?ml$/i.test(file.name))
  const image = files.find((file) => /\.(png|pgm)$/i.test(file.name))
  if (!yaml || !image) throw new Error('Choose both files of the map: its YAML and its PNG or PGM.')
  if (image.size > IMAGE_MAX) throw new Error('The image is larger than 10 MB: save it as PNG.')
  const query = new URLSearchParams({ name: yaml.name.replace(/\.ya?ml$/i, ''), ...readYaml(await yaml.text()) })
  const answer = await request('POST', `${ROOT}/import?${query}`, image)
  say(answer.message)
  return refreshMaps()
}

// ---- wiring

// permissions: what the user may do; null: nobody is logged in.
export function permitMaps(permissions) {
  rights = permissions?.map ?? []
  byId('mapping').hidden = byId('map-import').hidden = !rights.includes('write')
}

export function setUpMaps(tell, view) {
  say = tell
  onLoaded = () => view.fetch().then(refreshMaps)
  byId('mapping').onsubmit = (event) => {
    event.preventDefault()
    const name = new FormData(event.target).get('name').trim() || `map of ${new Date().toLocaleString()}`
    post(`${ROOT}/start-mapping`, { map_name: name }).then(() => {
      view.path = []
      return view.fetch()
    }).catch(fail)
  }
  byId('mapping-stop').onclick = () => post(`${ROOT}/stop-mapping`).then((answer) =>
    say(`Stored: ${answer.total_scans} scans, ${Math.round(answer.mapping_quality * 100)} % explored`)).catch(fail)
  byId('map-import').onclick = () => byId('map-files').click()
  byId('map-files').onchange = (event) => {
    takeFiles([...event.target.files]).catch(fail)
    event.target.value = ''
  }
}
