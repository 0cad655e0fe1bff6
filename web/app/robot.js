// The robot's own panel: state, mode, what it waits for, the command under way, lamps, and the buttons that command it.
// Nothing here asks back in a window of its own: a window would stand between the operator and STOP.

import { post } from './api.js'

const byId = (id) => document.getElementById(id)
const LAMPS = ['power', 'system', 'comm', 'net', 'error']
const SAYS = { off: 'off', on: 'on', slow: 'blinking slowly', fast: 'blinking fast', pulse: 'pulsing' }
const RESETTABLE = ['fault', 'safe', 'estop']

// What a mode lets the robot do by itself, and what it says of it.
const BY_ITSELF = { auto: ['move', 'home', 'dock', 'undock'], semi: ['move', 'home', 'dock', 'undock'],
  emergency: ['home', 'undock'], manual: [], maintenance: [] }
const MODE_SAYS = {
  auto: 'Commands only; no driving by hand.', semi: 'Commands run only while a drive button or an arrow key is held.',
  manual: 'Driving by hand; choose auto for commands.', maintenance: 'Driving by hand, slowly.',
  emergency: 'A creep by hand, home and undock.',
}

// When a button makes sense; the bridge judges again.
const starts = (what) => (now) => now.ready && BY_ITSELF[now.mode].includes(what)
const ALLOWED = {
  forward: starts('move'), backward: starts('move'), home: starts('home'), dock: starts('dock'),
  undock: (now) => now.docked && starts('undock')(now),
  pause: (now) => now.state === 'move' && now.command_state === 'running', resume: (now) => now.state === 'paused',
  halt: (now) => ['move', 'dock', 'paused'].includes(now.state),
}

let activity = null
let may = false

function body(kind) {
  if (kind !== 'forward' && kind !== 'backward') return { command_type: kind === 'halt' ? 'stop' : kind }
  const parameters = { direction: kind, speed: byId('speed').value / 100 }
  const distance = byId('distance').valueAsNumber
  if (distance > 0) parameters.distance = distance
  return { command_type: 'move', parameters }
}

function showButtons() {
  for (const button of document.querySelectorAll('[data-command]')) {
    button.disabled = !may || !activity || !ALLOWED[button.dataset.command](activity)
  }
  for (const button of document.querySelectorAll('[data-preset]')) {
    button.disabled = !may || !activity
    button.setAttribute('aria-pressed', String(activity?.preset === button.dataset.preset))
  }
  byId('mode').disabled = !may || !activity
}

function showCommand() {
  const bar = byId('command-progress')
  const running = activity?.command_state === 'running'
  bar.hidden = !running
  if (running && activity.progress !== undefined) bar.value = activity.progress
  else bar.removeAttribute('value')
  byId('command').textContent = !activity?.command_id ? '–'
    : `${activity.command.replace('_', ' ')}: ${activity.command_state}` +
      (running && activity.progress !== undefined ? `, ${Math.round(activity.progress * 100)} %` : '') +
      (activity.command_detail ? `, ${activity.command_detail}` : '')
}

function showLamps(led) {
  for (const name of LAMPS) {
    const lamp = byId(`lamp-${name}`)
    const pattern = led?.[name]
    lamp.dataset.pattern = pattern ?? 'unknown'
    lamp.setAttribute('aria-label', `${name} lamp ${SAYS[pattern] ?? 'unknown'}`)
  }
}

// status: the frame of that name, or null when nothing is heard.
export function showActivity(status) {
  activity = status?.activity ?? null
  byId('fsm').textContent = activity?.state ?? status?.safety?.state ?? '–'
  byId('waits').textContent = !activity ? 'unknown' : activity.ready ? 'nothing, it may move' : activity.waits_for
  byId('degraded-row').hidden = !activity?.degraded
  byId('degraded').textContent = activity?.degraded ?? ''
  byId('limit').textContent = activity ? `${activity.speed_limit.toFixed(2)} m/s (${activity.preset})` : '–'
  byId('mode-says').textContent = MODE_SAYS[activity?.mode] ?? ''
  if (activity && document.activeElement !== byId('mode')) byId('mode').value = activity.mode
  if (!activity) byId('mode').selectedIndex = -1
  showCommand()
  showLamps(status?.led)
  showButtons()
}

// Whether a reset is what the robot waits for.
export const needsReset = (status) => Boolean(status?.safety?.latched) || RESETTABLE.includes(status?.activity?.state)

export function sendReset(latched, form) {
  const confirmed = { safe_confirm: form.has('safe'), location_ok: form.has('location') }
  return latched ? post('/api/v1/robot/emergency-stop/reset', { ...confirmed, reason: form.get('reason') })
    : post('/api/v1/robot/reset', confirmed)
}

export function permitRobot(permissions) {
  may = permissions?.robot?.includes('control') ?? false
  byId('robot-may').hidden = may
  showButtons()
}

export function setUpRobot(say) {
  const send = (path, data) => post(path, data).then((answer) => say(answer.message), (error) => say(error.message))
  for (const button of document.querySelectorAll('[data-command]')) {
    button.onclick = () => send('/api/v1/robot/control', body(button.dataset.command))
  }
  for (const button of document.querySelectorAll('[data-preset]')) {
    button.onclick = () => send('/api/v1/robot/speed/preset', { preset: button.dataset.preset })
  }
  byId('mode').onchange = (event) => {
    send('/api/v1/robot/mode', { mode: event.target.value, reason: 'chosen on the page' })
    event.target.blur()
  }
  showActivity(null)
}
