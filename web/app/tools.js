// What the pointer does on the map: move the view, say where the robot stands, set cells, draw shapes. Tools work in metres
// of the map frame; the view asks the chosen one first.

import { del, get, post } from './api.js'
import { SHAPES } from './map.js'
import { activeMap } from './maps.js'

const byId = (id) => document.getElementById(id)
const ROOT = '/api/v1/map'
const mm = (metres) => Math.round(metres * 1000)
const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1])

let say = () => {}
let view
let chosen = null

const fail = (error) => say(error.message)

// Drag from where the robot stands to where it looks.
const poseTool = {
  hint: 'Press where the robot stands, pull towards where it looks, let go.',
  down(point) { this.from = this.to = point },
  move(point) { if (this.from) this.to = point },
  up() {
    const { from, to } = this
    this.from = null
    if (!from) return
    const theta = Math.atan2(to[1] - from[1], to[0] - from[0])
    post('/api/v1/localization/initial-pose', { x: mm(from[0]), y: mm(from[1]), theta })
      .then((answer) => say(answer.message)).catch(fail)
    choose(null)
  },
  draw(context) {
    if (!this.from) return
    context.beginPath()
    context.moveTo(...this.from)
    context.lineTo(...this.to)
    context.lineWidth = 0.08
    context.strokeStyle = '#12616b'
    context.stroke()
  },
}

// Drag over the cells that are wrong.
function cellTool(state) {
  return {
    hint: state === 'free' ? 'Pull a rectangle over what is not there.' : 'Pull a rectangle where a wall stands.',
    down(point) { this.from = this.to = point },
    move(point) { if (this.from) this.to = point },
    up() {
      const { from, to } = this
      this.from = null
      if (!from) return
      const width = mm(Math.abs(to[0] - from[0]))
      const height = mm(Math.abs(to[1] - from[1]))
      if (width >= 10 && height >= 10) {
        post(`${ROOT}/edit`, { x: mm(Math.min(from[0], to[0])), y: mm(Math.min(from[1], to[1])), width, height, state })
          .then((answer) => say(answer.message)).catch(fail)
      }
      choose(null)
    },
    draw(context) {
      if (!this.from) return
      context.lineWidth = 0.05
      context.strokeStyle = '#b3201e'
      context.strokeRect(...this.from, this.to[0] - this.from[0], this.to[1] - this.from[1])
    },
  }
}

// Click corner after corner; the button ends it.
function shapeTool(kind) {
  return {
    hint: kind === 'rail' ? 'Click along the rail, then press Done.' : 'Click the corners of the zone, then press Done.',
    points: [],
    collects: true,
    down(point) { // a double click is one corner
      const last = this.points.at(-1)
      if (!last || apart(last, point) > 0.02) this.points.push(point)
    },
    move() {},
    up() {},
    done() {
      const least = kind === 'rail' ? 2 : 3
      if (this.points.length < least) {
        say(`A ${kind === 'rail' ? 'rail' : 'zone'} needs at least ${least} points.`)
        return
      }
      const first = this.points[0]
      const last = this.points.at(-1)
      const ring = this.points.length > 3 && apart(first, last) < (kind === 'rail' ? 0.5 : 0.2)
      const points = (ring ? this.points.slice(0, -1) : this.points).map(([x, y]) => ({ x: mm(x), y: mm(y) }))
      const shape_id = kind === 'rail' ? 'rail' : `${kind}-${Date.now().toString(36)}`
      post(`${ROOT}/shapes`, { shape_id, kind, points, closed: ring || kind !== 'rail' })
        .then((answer) => view.showShapes(answer.data.shapes)).catch(fail)
      choose(null)
    },
    draw(context) {
      context.beginPath()
      this.points.forEach((point) => context.lineTo(...point))
      context.lineWidth = 0.06
      context.strokeStyle = SHAPES[kind]
      context.stroke()
      context.fillStyle = SHAPES[kind]
      for (const [x, y] of this.points) context.fillRect(x - 0.08, y - 0.08, 0.16, 0.16)
    },
  }
}

const MAKERS = {
  pose: () => poseTool, erase: () => cellTool('free'), wall: () => cellTool('occupied'),
  forbidden: () => shapeTool('forbidden'), slow: () => shapeTool('slow'), rail: () => shapeTool('rail'),
}

function choose(name) {
  chosen = name ? MAKERS[name]() : null
  view.tool = chosen
  for (const made of document.querySelectorAll('[data-tool]')) made.setAttribute('aria-pressed', String(made.dataset.tool === name))
  byId('tool-done').hidden = !chosen?.collects
  byId('tool-cancel').hidden = !chosen
  byId('tool-hint').textContent = chosen?.hint ?? ''
  view.redraw()
}

// Shapes and closures of the active map.
export async function refreshShapes() {
  const known = activeMap() !== ''
  const shapes = known ? (await get(`${ROOT}/shapes`)).data.shapes : []
  view.showShapes(shapes)
  view.showClosures(known ? (await get(`${ROOT}/closures`)).data.closures : [])
  byId('shapes').replaceChildren(...shapes.map((shape) => {
    const item = document.createElement('li')
    const name = document.createElement('span')
    const remove = document.createElement('button')
    name.textContent = `${shape.kind}: ${shape.text || shape.shape_id}`
    name.style.color = SHAPES[shape.kind]
    remove.textContent = 'Remove'
    remove.type = 'button'
    remove.hidden = byId('tools').hidden
    remove.onclick = () => del(`${ROOT}/shapes/${encodeURIComponent(shape.shape_id)}`).then(refreshShapes).catch(fail)
    item.append(name, remove)
    return item
  }))
}

export function permitTools(permissions) {
  byId('tools').hidden = !(permissions?.map?.includes('write') ?? false)
}

export function setUpTools(tell, map) {
  say = tell
  view = map
  for (const made of document.querySelectorAll('[data-tool]')) {
    made.onclick = () => choose(made.getAttribute('aria-pressed') === 'true' ? null : made.dataset.tool)
  }
  byId('tool-done').onclick = () => chosen?.done?.()
  byId('tool-cancel').onclick = () => choose(null)
}
