// The page of the operator: log in, watch, drive, map, stop.

import { forgetAlerts, permitAlerts, refreshAlerts, setUpAlerts, showAlert } from './alerts.js'
import { changePassword, forget, get, isAway, login, logout, post, token } from './api.js'
import { setUpDrive } from './drive.js'
import { refreshFigures, setUpFigures } from './figures.js'
import { MapView } from './map.js'
import { permitMaps, refreshMaps, setUpMaps, showMapping } from './maps.js'
import { forgetModules, permitModules, refreshModules, setUpModules, showSearch } from './modules.js'
import { forgetRobot, pill, refreshHealth, showRobot, showSafety } from './panels.js'
import { permitPlace, setUpPlace, showPlace } from './place.js'
import { needsReset, permitRobot, sendReset, setUpRobot, showActivity } from './robot.js'
import { refreshSensors, setUpSensors } from './sensors.js'
import { forgetSessions, permitSessions, refreshSessions, setUpSessions, showSession } from './sessions.js'
import { connect } from './socket.js'
import { permitTools, refreshShapes, setUpTools } from './tools.js'
import { permitUsers, refreshUsers, setUpUsers } from './users.js'

const byId = (id) => document.getElementById(id)
const view = new MapView(byId('map'), byId('map-hint'))
let disconnect = null
let timers = []

let toastTimer
// grave: stays until it is touched.
function say(text, grave = false) {
  const toast = byId('toast')
  if (toast.classList.contains('grave') && !grave) return
  toast.textContent = text
  toast.className = grave ? 'shown grave' : 'shown'
  clearTimeout(toastTimer)
  if (!grave) toastTimer = setTimeout(() => (toast.className = ''), 5000)
}
byId('toast').onclick = () => (byId('toast').className = '')
const complain = (error) => say(isAway(error) ? 'The gateway does not answer.' : error.message)

const letGo = setUpDrive(say)
let latched = false
setUpRobot(say)
setUpAlerts(say)
setUpModules(say)
setUpSensors(say)
setUpSessions(say)
setUpMaps(say, view)
setUpPlace(say)
setUpTools(say, view)
setUpFigures(say)
setUpUsers(say)

function showStatus(data) {
  latched = Boolean(data.safety?.latched)
  showSafety(data.safety, data.robot_status, needsReset(data))
  showActivity(data)
  showSearch(data.discovery)
  showMapping(data.mapping ?? null)
  showPlace(data.localization ?? null)
  view.spread = data.localization?.covariance
  followCorrection(data.mapping)
}

// The map has moved: what was drawn of it is fetched anew.
let corrected = ''
function followCorrection(mapping) {
  const now = mapping ? `${mapping.map_id} ${mapping.correction ?? 0}` : ''
  if (now && corrected && now !== corrected) {
    view.path = []
    view.fetch().catch(complain)
  }
  corrected = now
}

async function stopNow() {
  letGo()
  try {
    const answer = await post('/api/v1/robot/emergency-stop', { reason: 'stop button' })
    byId('toast').className = ''
    say(`Stopped and confirmed in ${answer.response_time_ms.toFixed(0)} ms`)
  } catch (error) {
    const reason = isAway(error) ? 'the gateway does not answer' : error.message
    say(`STOP NOT CONFIRMED: ${reason}. Use the hardware stop.`, true)
  }
}

const handlers = {
  position: (data) => {
    view.pose(data)
    showRobot({ position: data })
  },
  telemetry: (data) => showRobot({ telemetry: data }),
  status: showStatus,
  map_update: (data) => view.patch(data),
  session: showSession,
  alert: showAlert,
  sensor_data: (data) => {
    if (data.sensor_type !== 'lidar') return
    view.scan(data.data.scan_data.map((point) => [point.angle * Math.PI / 180, point.distance / 1000])
      .filter(([, range]) => range > 0))
  },
}

function every(ms, work) {
  const run = () => work().catch((error) => isAway(error) || complain(error)) // away: the header says so
  run()
  timers.push(setInterval(run, ms))
}

function enter() {
  if (disconnect) return
  byId('login').hidden = true
  byId('main').hidden = false
  byId('logout').hidden = false
  byId('stop').disabled = false
  disconnect = connect(handlers, onLink)
  get('/api/v1/auth/me').then((user) => {
    permitRobot(user.permissions)
    permitModules(user.permissions)
    permitAlerts(user.permissions)
    permitSessions(user.permissions)
    permitMaps(user.permissions)
    permitPlace(user.permissions)
    permitTools(user.permissions)
    permitUsers(user)
  }, complain)
  every(2000, refreshHealth)
  every(5000, refreshAlerts)
  every(2000, refreshSensors)
  every(2000, refreshMaps)
  every(4000, refreshShapes)
  every(2000, refreshModules)
  every(2000, refreshSessions)
  every(5000, refreshFigures)
  every(5000, refreshUsers)
}

function onLink(up) {
  pill('link-state', up ? 'live' : 'no live data', up ? 'good' : 'bad')
  document.body.classList.toggle('lost', !up)
  if (up) {
    view.fetch().catch(complain)
    return
  }
  view.lose()
  forgetAll()
}

function forgetAll() {
  forgetRobot()
  showActivity(null)
  forgetModules()
  forgetAlerts()
  forgetSessions()
  showMapping(null)
  showPlace(null)
}

function leave() {
  forget()
  disconnect?.()
  disconnect = null
  forgetAll()
  permitRobot(null)
  permitModules(null)
  permitAlerts(null)
  permitSessions(null)
  permitMaps(null)
  permitPlace(null)
  permitTools(null)
  permitUsers(null)
  pill('link-state', 'no live data', 'unknown')
  document.body.classList.remove('lost')
  timers.forEach(clearInterval)
  timers = []
  byId('login').hidden = false
  byId('change').hidden = true
  byId('main').hidden = true
  byId('logout').hidden = true
  byId('stop').disabled = true
}

const asText = (error) => (isAway(error) ? 'The gateway does not answer.' : error.message)

let given // the password that was typed, while another has to be chosen
byId('login').onsubmit = async (event) => {
  event.preventDefault()
  const form = new FormData(event.target)
  try {
    const user = await login(form.get('username'), form.get('password'))
    byId('login-error').textContent = ''
    event.target.reset()
    if (!user.must_change_password) return enter()
    given = form.get('password')
    byId('login').hidden = true
    byId('change').hidden = false
    byId('stop').disabled = false
  } catch (error) {
    byId('login-error').textContent = asText(error)
  }
}
byId('change').onsubmit = async (event) => {
  event.preventDefault()
  const form = new FormData(event.target)
  try {
    await changePassword(given, form.get('new_password'), form.get('again'))
    given = null
    byId('change-error').textContent = ''
    event.target.reset()
    byId('change').hidden = true
    enter()
  } catch (error) {
    byId('change-error').textContent = asText(error)
  }
}
byId('reset').onsubmit = (event) => {
  event.preventDefault()
  const form = new FormData(event.target)
  sendReset(latched, form).then(() => event.target.reset(), complain)
}
byId('stop').onclick = stopNow
addEventListener('keydown', (event) => event.key === 'Escape' && token() && stopNow())
byId('logout').onclick = () => {
  logout()
  leave()
}
document.addEventListener('gantry-logged-out', leave)

// A page opened while the gateway is away, or just begins, keeps its token and asks again.
function resume() {
  if (!token()) return
  get('/api/v1/auth/me').then((user) => (user.must_change_password ? leave() : enter()),
    (error) => (isAway(error) || error.status >= 500 ? setTimeout(resume, 2000) : leave()))
}
resume()
refreshHealth()
