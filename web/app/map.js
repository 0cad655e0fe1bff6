// The map: cells in an off-screen picture, robot, path and LiDAR above it. World units are metres, y up.

import { get, getBytes } from './api.js'
import { readRuns, readTiles } from './tiles.js'

// Colour of each kind of shape.
export const SHAPES = { forbidden: '#b3201e', slow: '#a86400', rail: '#12616b', mark: '#5b4b8a' }

const SCALE_MIN = 0.25 // pixels a metre: a kilometre on a phone
const UNKNOWN = [205, 205, 200, 255]
const FREE = [250, 250, 247, 255]
const OCCUPIED = [22, 38, 43, 255]
// A colour as the word that four bytes of a picture are: a building has millions of cells.
const word = (bytes) => new Uint32Array(Uint8Array.from(bytes).buffer)[0]
const [UNKNOWN_WORD, FREE_WORD, OCCUPIED_WORD] = [UNKNOWN, FREE, OCCUPIED].map(word)
// Of thousands: more than a call takes as arguments.
const least = (numbers) => numbers.reduce((a, b) => Math.min(a, b))
const greatest = (numbers) => numbers.reduce((a, b) => Math.max(a, b))
const wordOf = (cell) => (cell < 0 ? UNKNOWN_WORD : cell === 0 ? FREE_WORD : OCCUPIED_WORD)

export class MapView {
  constructor(canvas, hint) {
    this.canvas = canvas
    this.hint = hint
    this.grid = null // {mapId, revision, side (m), column, row, width, height, picture, context}
    this.robot = null
    this.path = []
    this.points = []
    this.shapes = []
    this.closures = []
    this.spread = null // covariance xx, xy, yy of the pose, m2
    this.tool = null // takes the pointer when there is one, see tools.js
    this.view = { x: 0, y: 0, scale: 40, follow: true }
    this.drawn = false
    new ResizeObserver(() => this.redraw()).observe(canvas)
    this.listen()
  }

  listen() {
    let from = null
    this.canvas.onpointerdown = (event) => {
      this.canvas.setPointerCapture(event.pointerId)
      if (this.tool) this.tool.down(this.worldAt(event))
      else from = [event.clientX, event.clientY]
      this.redraw()
    }
    this.canvas.onpointermove = (event) => {
      if (this.tool) {
        this.tool.move(this.worldAt(event))
        this.redraw()
      }
      if (!from) return
      this.view.follow = false
      this.view.x -= (event.clientX - from[0]) / this.view.scale
      this.view.y += (event.clientY - from[1]) / this.view.scale
      from = [event.clientX, event.clientY]
      this.redraw()
    }
    this.canvas.onpointerup = (event) => {
      from = null
      this.tool?.up(this.worldAt(event))
      this.redraw()
    }
    this.canvas.onpointercancel = () => (from = null)
    this.canvas.ondblclick = () => this.tool || this.fit()
    this.canvas.addEventListener('wheel', (event) => {
      event.preventDefault()
      this.view.follow = false
      this.view.scale = Math.min(400, Math.max(SCALE_MIN, this.view.scale * Math.exp(-event.deltaY / 500)))
      this.redraw()
    }, { passive: false })
  }

  // The place in the map frame that lies under the pointer.
  worldAt(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect()
    return [this.view.x + (event.clientX - left - width / 2) / this.view.scale,
      this.view.y - (event.clientY - top - height / 2) / this.view.scale]
  }

  showShapes(shapes) {
    this.shapes = shapes
    this.redraw()
  }

  showClosures(closures) {
    this.closures = closures
    this.redraw()
  }

  // The active map: all of it, or what has changed since the revision at hand.
  async fetch() {
    const status = await get('/api/v1/map/status')
    if (status.current_map_id) {
      const { mapId, revision } = this.grid ?? {}
      const since = revision ? `?map_id=${encodeURIComponent(mapId)}&since=${revision}` : ''
      this.take(readTiles(await getBytes(`/api/v1/map/tiles${since}`)))
      this.hint.hidden = true
      this.refit()
    } else {
      this.grid = null
      this.hint.hidden = false
    }
    this.redraw()
  }

  take({ mapId, revision, since, side, tileSide, column, row, width, height, tiles }) {
    if (this.grid?.mapId !== mapId) this.view.follow = true
    if (since === 0) this.allocate(mapId, side, column, row, width, height)
    if (tiles.length) {
      const columns = tiles.map((tile) => tile.column)
      const rows = tiles.map((tile) => tile.row)
      const [left, bottom] = [least(columns), least(rows)]
      this.reserve(left, bottom, greatest(columns) + tileSide - left, greatest(rows) + tileSide - bottom)
    }
    for (const tile of tiles) {
      this.paint(tile.column - this.grid.column, tile.row - this.grid.row, tileSide, tileSide, readRuns(tile.bytes))
    }
    this.grid.revision = revision
  }

  allocate(mapId, side, column, row, width, height) {
    const picture = new OffscreenCanvas(Math.max(width, 1), Math.max(height, 1))
    const context = picture.getContext('2d')
    context.fillStyle = `rgb(${UNKNOWN.slice(0, 3)})`
    context.fillRect(0, 0, picture.width, picture.height)
    this.grid = { mapId, revision: 0, side, column, row, width, height, picture, context, known: null }
  }

  // Grows the picture so that it holds the given rectangle of cells.
  reserve(column, row, width, height) {
    const old = this.grid
    const left = Math.min(old.column, column)
    const bottom = Math.min(old.row, row)
    const right = Math.max(old.column + old.width, column + width)
    const top = Math.max(old.row + old.height, row + height)
    if (left === old.column && bottom === old.row && right - left === old.width && top - bottom === old.height) return
    this.allocate(old.mapId, old.side, left, bottom, right - left, top - bottom)
    this.grid.revision = old.revision
    this.grid.known = old.known
    this.grid.context.drawImage(old.picture, old.column - left, old.row - bottom)
  }

  // Pictures keep row 0 at the lowest y; drawing turns them over. runs: [value, count, value, count, ...]: a building has
  // sixty million cells, and while they are painted no button answers.
  paint(x, y, width, height, runs) {
    if (this.image?.width !== width || this.image.height !== height) this.image = this.grid.context.createImageData(width, height)
    const words = new Uint32Array(this.image.data.buffer)
    let [left, right, bottom, top] = [width, -1, height, -1] // of the known cells
    for (let i = 0, at = 0, end; i < runs.length; i += 2, at = end) {
      end = at + runs[i + 1]
      words.fill(wordOf(runs[i]), at, end)
      if (runs[i] < 0) continue
      const first = Math.floor(at / width)
      top = Math.floor((end - 1) / width)
      bottom = Math.min(bottom, first)
      left = top > first ? 0 : Math.min(left, at % width)
      right = top > first ? width - 1 : Math.max(right, (end - 1) % width)
    }
    this.grid.context.putImageData(this.image, x, y)
    const [originX, originY] = [this.grid.column + x, this.grid.row + y]
    if (top >= 0) this.know(originX + left, originX + right, originY + bottom, originY + top)
  }

  // Widens the box of known cells: what the view is fitted to.
  know(left, right, bottom, top) {
    const box = (this.grid.known ??= { left, right, bottom, top })
    box.left = Math.min(box.left, left)
    box.right = Math.max(box.right, right)
    box.bottom = Math.min(box.bottom, bottom)
    box.top = Math.max(box.top, top)
  }

  async patch(data) {
    const missed = !this.grid || this.grid.mapId !== data.map_id || this.grid.revision !== data.previous
    if (missed) {
      if (this.fetching) return
      this.fetching = this.fetch().catch(() => {}).finally(() => (this.fetching = null))
      return
    }
    this.reserve(data.column, data.row, data.width, data.height)
    this.paint(data.column - this.grid.column, data.row - this.grid.row, data.width, data.height, data.occupancy_grid)
    this.grid.revision = data.revision
    this.refit()
    this.redraw()
  }

  // Position frames are in millimetres.
  pose(data) {
    this.robot = { x: data.x / 1000, y: data.y / 1000, theta: data.theta, stale: data.stale }
    const last = this.path.at(-1)
    if (!last || Math.hypot(last[0] - this.robot.x, last[1] - this.robot.y) > 0.05) {
      this.path.push([this.robot.x, this.robot.y])
      if (this.path.length > 5000) this.path.shift()
    }
    if (this.view.follow && !this.grid?.known) {
      this.view.x = this.robot.x
      this.view.y = this.robot.y
    }
    this.redraw()
  }

  // No live data: the robot is somewhere, but not known to be here.
  lose() {
    if (this.robot) this.robot.stale = true
    this.points = []
    this.redraw()
  }

  // A sweep in the sensor's frame, drawn at the newest pose.
  scan(points) {
    if (!this.robot) return
    const { x, y, theta } = this.robot
    this.points = points.map(([angle, range]) => [x + range * Math.cos(theta + angle), y + range * Math.sin(theta + angle)])
    this.redraw()
  }

  // As fit, unless the operator has moved the view or is drawing in it.
  refit() {
    if (this.view.follow && !this.tool) this.fit()
  }

  fit() {
    if (!this.grid?.known) return
    const { side, known } = this.grid
    const { clientWidth, clientHeight } = this.canvas
    const width = (known.right - known.left + 1) * side
    const height = (known.top - known.bottom + 1) * side
    this.view.follow = true
    this.view.x = (known.left + known.right + 1) / 2 * side
    this.view.y = (known.bottom + known.top + 1) / 2 * side
    this.view.scale = Math.min(120, Math.max(SCALE_MIN, 0.9 * Math.min(clientWidth / width, clientHeight / height)))
    this.redraw()
  }

  redraw() {
    if (this.drawn) return
    this.drawn = true
    requestAnimationFrame(() => {
      this.drawn = false
      this.draw()
    })
  }

  draw() {
    const ratio = devicePixelRatio
    const { clientWidth, clientHeight } = this.canvas
    this.canvas.width = clientWidth * ratio
    this.canvas.height = clientHeight * ratio
    const context = this.canvas.getContext('2d')
    context.fillStyle = `rgb(${UNKNOWN.slice(0, 3)})`
    context.fillRect(0, 0, this.canvas.width, this.canvas.height)
    const scale = this.view.scale * ratio
    context.setTransform(scale, 0, 0, -scale, this.canvas.width / 2 - this.view.x * scale,
      this.canvas.height / 2 + this.view.y * scale)
    context.imageSmoothingEnabled = false
    if (this.grid) {
      const { side, column, row, picture } = this.grid
      context.save()
      context.translate(column * side, row * side)
      context.drawImage(picture, 0, 0, picture.width * side, picture.height * side)
      context.restore()
    }
    this.drawShapes(context)
    this.drawPath(context)
    this.drawClosures(context)
    context.fillStyle = '#c2410c'
    for (const [x, y] of this.points) context.fillRect(x - 0.03, y - 0.03, 0.06, 0.06)
    this.drawSpread(context)
    this.drawRobot(context)
    this.tool?.draw(context)
  }

  // Zones are filled, lines are not. Millimetres, as the routes give them.
  drawShapes(context) {
    for (const shape of this.shapes) {
      context.beginPath()
      shape.points.forEach(({ x, y }) => context.lineTo(x / 1000, y / 1000))
      if (shape.closed) context.closePath()
      context.strokeStyle = SHAPES[shape.kind]
      context.lineWidth = 0.06
      context.stroke()
      if (shape.kind !== 'forbidden' && shape.kind !== 'slow') continue
      context.globalAlpha = 0.18
      context.fillStyle = SHAPES[shape.kind]
      context.fill()
      context.globalAlpha = 1
    }
  }

  // Places that were recognised: green where the map was tied together, red where it was not believed.
  drawClosures(context) {
    context.lineWidth = 0.04
    for (const closure of this.closures) {
      if (closure.verdict === 'waiting') continue
      context.strokeStyle = closure.verdict === 'accepted' ? '#1d7a46' : 'rgba(179, 32, 30, 0.35)'
      context.beginPath()
      context.moveTo(closure.from_x / 1000, closure.from_y / 1000)
      context.lineTo(closure.to_x / 1000, closure.to_y / 1000)
      context.stroke()
    }
  }

  // Where the robot is with 95 %: the ellipse of its covariance (axes by the eigenvalues, 2.45 standard deviations).
  drawSpread(context) {
    if (!this.robot || this.spread?.length !== 3) return
    const [xx, xy, yy] = this.spread
    const middle = (xx + yy) / 2
    const half = Math.hypot((xx - yy) / 2, xy)
    const [long, short] = [middle + half, Math.max(middle - half, 0)].map((variance) => 2.45 * Math.sqrt(variance))
    context.beginPath()
    context.ellipse(this.robot.x, this.robot.y, long, short, Math.atan2(2 * xy, xx - yy) / 2, 0, 2 * Math.PI)
    context.lineWidth = 0.03
    context.strokeStyle = '#12616b'
    context.stroke()
  }

  drawPath(context) {
    if (this.path.length < 2) return
    context.beginPath()
    this.path.forEach(([x, y]) => context.lineTo(x, y))
    context.lineWidth = 0.05
    context.strokeStyle = '#2f80c3'
    context.stroke()
  }

  drawRobot(context) {
    if (!this.robot) return
    context.save()
    context.translate(this.robot.x, this.robot.y)
    context.rotate(this.robot.theta)
    context.fillStyle = this.robot.stale ? '#8a9295' : '#12616b'
    context.beginPath()
    context.moveTo(0.4, 0)
    context.lineTo(-0.25, 0.25)
    context.lineTo(-0.15, 0)
    context.lineTo(-0.25, -0.25)
    context.fill()
    context.restore()
  }
}
