// The active map's cells as /api/v1/map/tiles sends them; the layout stands in /docs.

const HEAD = 104
const TILE_HEAD = 20

// Pairs of a value byte and a run length as LEB128 -> [value, count, value, count, ...], -1 for unknown.
export function readRuns(bytes) {
  const runs = []
  for (let at = 0; at < bytes.length;) {
    runs.push(bytes[at++] << 24 >> 24) // 255 is -1
    let run = 0
    let scale = 1
    let byte
    do {
      byte = bytes[at++]
      run += (byte & 127) * scale
      scale *= 128
    } while (byte & 128)
    runs.push(run)
  }
  return runs
}

// buffer -> {mapId, revision, since, tileSide, side (m), column, row, width, height, tiles: [{column, row, bytes}]}
export function readTiles(buffer) {
  const view = new DataView(buffer)
  const bytes = new Uint8Array(buffer)
  const text = (from, to) => new TextDecoder().decode(bytes.subarray(from, to))
  if (buffer.byteLength < HEAD || text(0, 4) !== 'GMT1') throw new Error('The map is not in a form that this page knows.')
  const tileSide = view.getUint32(4, true)
  const tiles = []
  for (let at = HEAD, left = view.getUint32(48, true); left > 0; left--) {
    const length = view.getUint32(at + 16, true)
    const cells = bytes.subarray(at + TILE_HEAD, at + TILE_HEAD + length)
    tiles.push({ column: view.getInt32(at, true), row: view.getInt32(at + 4, true), bytes: cells })
    at += TILE_HEAD + length
  }
  return {
    mapId: text(52, HEAD).replace(/\0+$/, ''),
    revision: Number(view.getBigUint64(8, true)),
    since: Number(view.getBigUint64(16, true)),
    tileSide,
    side: view.getFloat64(24, true) / 1000,
    column: view.getInt32(32, true),
    row: view.getInt32(36, true),
    width: view.getUint32(40, true),
    height: view.getUint32(44, true),
    tiles,
  }
}
