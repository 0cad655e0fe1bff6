// What hangs on the RS485 lines: modules, their registers, the search for them. Rows are kept and only their texts change, so
// that a focus or a half typed value survives the next refresh.

import { get, isAway, post } from './api.js'
import { tone } from './panels.js'
import { button, cells, keep } from './rows.js'

const byId = (id) => document.getElementById(id)
const ROOT = '/api/v1/rs485'
const hex = (number, width) => `0x${number.toString(16).toUpperCase().padStart(width, '0')}`
const fixed = (value, digits) => (value === undefined ? '–' : value.toFixed(digits))

let say = () => {}
let permissions = {}
let shown = null // the module whose registers are open

const act = (path, data) => post(`${ROOT}/${path}`, data).then((answer) => say(answer.message), (error) => say(error.message))
const at = (module, what) => `modules/${module.address}/${what}?port=${module.port ?? 1}`

// ---- modules

function makeModule(module) {
  const row = document.createElement('tr')
  cells(row, Array(7).fill(['']))
  const tools = row.insertCell()
  tools.className = 'tools'
  row.ping = button('Ping', () => act(at(module, 'ping')))
  row.leave = button('', () => act(at(module, 'quarantine'), { quarantined: row.leave.dataset.now !== 'true' }))
  row.open = button('Registers', () => openRegisters(module))
  tools.append(row.open, row.ping, row.leave)
  return row
}

function note(module) {
  const notes = []
  if (module.conflict) notes.push(`claims ${hex(module.conflict, 2)}`)
  if (module.quarantined) notes.push('quarantined')
  if (module.mandatory) notes.push('mandatory')
  return notes.join(', ')
}

const MODULE_TONES = { healthy: 'good', warning: 'warn', error: 'bad', lost: 'bad', conflict: 'bad', quarantined: 'warn' }

function fillModule(row, module) {
  cells(row, [
    [`${module.port ?? 1}:${module.addr}`, 'number'], [module.name.replaceAll('_', ' ')],
    [module.status, MODULE_TONES[module.status] ?? tone(module.status)], [`${fixed(module.health, 0)} %`, 'number'],
    [`${fixed(module.response_time, 1)} / ${fixed(module.response_time_p95, 1)} ms`, 'number wide'],
    [`${(module.error_rate * 100).toFixed(1)} %`, 'number wide'], [note(module)],
  ])
  const may = permissions.system?.includes('control') ?? false
  row.ping.disabled = row.leave.disabled = !may
  row.leave.textContent = module.quarantined ? 'Take back' : 'Leave out'
  row.leave.title = module.quarantined ? 'Poll it again' : 'Quarantine: neither poll nor probe it'
  row.leave.dataset.now = String(module.quarantined ?? false)
  row.open.setAttribute('aria-expanded', String(shown?.address === module.address && shown?.port === module.port))
}

function fillLine(row, line) {
  row.textContent = `Line ${line.port}: ` + (line.open
    ? `${Math.round(line.utilisation * 100)} % used, ${Math.round(line.transactions)} requests/s, ` +
      `${line.response_p95_ms.toFixed(1)} ms (95 of 100), ${line.online} of ${line.modules} online`
    : `closed, ${line.detail}`)
  row.title = line.path
  row.className = line.open ? '' : 'bad'
}

export async function refreshModules() {
  const [list, bus] = await Promise.all([get(`${ROOT}/modules`), get(`${ROOT}/bus/health`)])
  const health = bus.data
  byId('bus-state').textContent = health.status
  byId('bus-state').className = `pill ${{ online: 'good', warning: 'warn' }[health.status] ?? 'bad'}`
  byId('bus-count').textContent = `${health.active_modules} of ${health.total_modules} modules answer`
  keep(byId('lines'), health.lines, (line) => String(line.port), () => document.createElement('li'), fillLine)
  keep(byId('modules'), list.data, (module) => `${module.port}:${module.address}`, makeModule, fillModule)
  if (shown) await refreshRegisters()
}

// ---- registers of one module

function openRegisters(module) {
  const same = shown?.address === module.address && shown?.port === module.port
  shown = same ? null : { address: module.address, port: module.port ?? 1, name: module.name }
  byId('registers-panel').hidden = !shown
  byId('registers').replaceChildren()
  byId('registers-title').textContent = shown ? `Registers of ${module.name.replaceAll('_', ' ')}` : ''
  if (!shown) return
  refreshRegisters().then(() => byId('registers-title').scrollIntoView({ block: 'center' }),
    (error) => isAway(error) || say(error.message))
}

function mayWrite(register) {
  return (permissions.system?.includes('configure') ?? false) &&
    (!register.safety || (permissions.safety?.includes('configure') ?? false)) && register.access !== 'system'
}

async function write(register, input) {
  const value = input.valueAsNumber
  if (Number.isNaN(value)) return say(`${register.name} takes a number.`)
  try {
    const answer = await post(`${ROOT}/modules/${shown.address}/telemetry?port=${shown.port}`, { name: register.name, value })
    input.value = ''
    say(answer.message)
    await refreshRegisters()
  } catch (error) {
    say(error.message)
  }
}

function makeRegister(register) {
  const row = document.createElement('tr')
  cells(row, Array(5).fill(['']))
  const tools = row.insertCell()
  tools.className = 'tools'
  if (register.mode === 'R' || !mayWrite(register)) return row
  const form = document.createElement('form')
  const input = document.createElement('input')
  Object.assign(input, { type: 'number', step: 'any', min: register.min ?? '', max: register.max ?? '' })
  input.setAttribute('aria-label', `new value of ${register.name}`)
  form.append(input, Object.assign(button('Write'), { type: 'submit' }))
  form.onsubmit = (event) => {
    event.preventDefault()
    write(register, input)
  }
  tools.append(form)
  return row
}

function fillRegister(row, register) {
  const unit = register.unit === '1' ? '' : register.unit
  const value = register.text ?? (register.value === undefined ? '–' : `${Number(register.value.toPrecision(7))} ${unit}`.trim())
  const range = register.min === undefined && register.max === undefined ? ''
    : `${register.min ?? ''} … ${register.max ?? ''}`
  cells(row, [
    [register.address, 'number'], [register.name], [value, `number ${register.status === 'critical' ? 'bad' : ''}`],
    [`${register.mode.toLowerCase()}${register.safety ? ' safety' : ''} ${range}`.trim(), 'wide'],
    [register.age === undefined ? '' : `${register.age.toFixed(1)} s`, 'number wide'],
  ])
}

async function refreshRegisters() {
  const { address, port } = shown
  const answer = await get(`${ROOT}/modules/${address}/telemetry?port=${port}`)
  if (shown?.address !== address || shown?.port !== port) return
  const words = byId('registers-filter').value.trim().toLowerCase()
  const list = answer.data.registers.filter((row) => `${row.address} ${row.name}`.toLowerCase().includes(words))
  keep(byId('registers'), list, (row) => row.name, makeRegister, fillRegister)
}

// ---- search

// discovery: as in the status frame, or undefined when nothing is heard.
export function showSearch(discovery) {
  const running = discovery?.state === 'running'
  const paused = discovery?.state === 'paused'
  const may = permissions.system?.includes('control') ?? false
  byId('scan-start').hidden = running || paused
  byId('scan-start').disabled = !may || !discovery
  byId('scan-pause').hidden = !running
  byId('scan-resume').hidden = !paused
  byId('scan-stop').hidden = !running && !paused
  byId('scan-progress').hidden = !running && !paused
  if (discovery) byId('scan-progress').value = discovery.progress
  byId('scan-text').textContent = running || paused
    ? `${discovery.state}, ${Math.round(discovery.progress * 100)} %, ${discovery.found} found` : discovery?.detail ?? ''
}

export function permitModules(given) {
  permissions = given ?? {}
}

// Nothing is heard any more.
export function forgetModules() {
  byId('bus-state').textContent = 'unknown'
  byId('bus-state').className = 'pill unknown'
  byId('bus-count').textContent = ''
  for (const id of ['lines', 'modules', 'registers']) byId(id).replaceChildren()
  shown = null
  byId('registers-panel').hidden = true
  showSearch(undefined)
}

export function setUpModules(tell) {
  say = tell
  byId('registers-filter').oninput = () => shown && refreshRegisters().catch((error) => say(error.message))
  byId('registers-close').onclick = () => openRegisters(shown)
  for (const what of ['start', 'stop', 'pause', 'resume']) {
    byId(`scan-${what}`).onclick = () => act(`modules/${what}-scan`)
  }
  forgetModules()
}
