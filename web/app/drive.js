// Hold to drive: a jog is renewed while a button or key is held and lapses by itself when it is not.
// setUpDrive returns the function that lets go, for the stop: what is held then no longer drives.

import { post } from './api.js'

const RENEW_MS = 120
const DEAD_MAN_MS = 400

// Returns what lets go without asking for an ordinary stop: the emergency stop has been asked for instead.
export function setUpDrive(say) {
  const speed = document.getElementById('speed')
  const shown = document.getElementById('speed-out')
  let held = null
  let timer = null

  speed.oninput = () => (shown.textContent = `${speed.value} %`)

  async function renew() {
    if (!held) return
    try {
      await post('/api/v1/robot/jog', { direction: held, speed: speed.value / 100, dead_man_ms: DEAD_MAN_MS })
      if (held) timer = setTimeout(renew, RENEW_MS)
    } catch (error) {
      letGo()
      say(error.message)
    }
  }

  function hold(direction) {
    if (held === direction) return
    held = direction
    clearTimeout(timer)
    mark()
    renew()
  }

  function letGo() {
    held = null
    clearTimeout(timer)
    mark()
  }

  function release() {
    if (!held) return
    letGo()
    post('/api/v1/robot/stop').catch((error) => say(error.message))
  }

  function mark() {
    for (const name of ['forward', 'backward']) document.getElementById(name).classList.toggle('active', held === name)
  }

  for (const name of ['forward', 'backward']) {
    const button = document.getElementById(name)
    button.onpointerdown = (event) => {
      button.setPointerCapture(event.pointerId)
      hold(name)
    }
    button.onpointerup = button.onpointercancel = release
    button.oncontextmenu = (event) => event.preventDefault()
  }
  const KEYS = { ArrowUp: 'forward', ArrowDown: 'backward' }
  addEventListener('keydown', (event) => {
    if (event.target.tagName !== 'INPUT' && KEYS[event.key]) {
      event.preventDefault()
      hold(KEYS[event.key])
    }
  })
  addEventListener('keyup', (event) => KEYS[event.key] && release())
  addEventListener('blur', release)
  return letGo
}
