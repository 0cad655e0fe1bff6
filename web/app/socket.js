// The live connection: subscribes, hands frames on, comes back by itself.

import { renew, token } from './api.js'

const TYPES = ['position', 'telemetry', 'sensor_data', 'map_update', 'status', 'alert', 'session']

// handlers: type -> function(data, frame); onState(connected) tells the page. Returns a function that ends it.
export function connect(handlers, onState) {
  let socket
  let ended = false
  let delay = 250

  function open() {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    socket = new WebSocket(`${scheme}://${location.host}/ws?token=${encodeURIComponent(token() ?? '')}`)
    socket.onopen = () => {
      delay = 250
      socket.send(JSON.stringify({ type: 'subscribe', data: { types: TYPES } }))
      onState(true)
    }
    socket.onmessage = (event) => {
      const frame = JSON.parse(event.data)
      handlers[frame.type]?.(frame.data, frame)
    }
    socket.onclose = (event) => {
      if (ended) return
      onState(false)
      // An upgrade refused for its token cannot be told from a gateway that is away: the requests beside it tell.
      if (event.code === 4001) {
        renew().catch(() => true).then((ok) => (ok ? open() : document.dispatchEvent(new Event('gantry-logged-out'))))
      } else setTimeout(open, delay = Math.min(delay * 2, 5000))
    }
  }

  open()
  return () => {
    ended = true
    socket.close()
  }
}
