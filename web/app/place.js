// Where the robot is: what localization says of itself, and what each family of sensors contributes.

import { post } from './api.js'
import { pill } from './panels.js'
import { cells, keep } from './rows.js'

const byId = (id) => document.getElementById(id)
const TONES = { tracking: 'good', dead_reckoning: 'warn', lost: 'bad', unavailable: 'unknown' }
const percent = (share) => `${Math.round(share * 100)} %`

// Contribution of a family: weight times what it is worth now, as a bar.
function fillFamily(row, use) {
  const worth = use.quality * use.consistency * use.freshness
  cells(row, [[use.method], [''], [percent(worth)]])
  row.title = `weight ${use.weight}, quality ${percent(use.quality)}, consistency ${percent(use.consistency)}, ` +
    `freshness ${percent(use.freshness)}`
  const bar = row.cells[1].firstElementChild ?? row.cells[1].appendChild(document.createElement('meter'))
  bar.max = 1
  bar.value = worth
  bar.setAttribute('aria-label', `${use.method} contributes`)
}

// state: localization_state of a status frame, or null.
export function showPlace(state) {
  const status = state?.status
  const words = []
  pill('place-state', status ? status.state.replace('_', ' ') : 'unknown', TONES[status?.state] ?? 'unknown')
  if (status?.searching) words.push('searching the map')
  if (status?.slipping) words.push('the wheels slip')
  if (status?.on_rail) words.push(`on the rail at ${status.rail_s.toFixed(2)} m`)
  if (status?.recoveries) words.push(`found again ${status.recoveries} times`)
  byId('place-detail').textContent = status ? [status.detail, ...words].join(' · ') : ''
  keep(byId('place-usage'), state?.usage ?? [], (use) => use.method, () => document.createElement('tr'), fillFamily)
}

export function permitPlace(permissions) {
  const may = permissions?.localization?.includes('write') ?? false
  byId('find-robot').hidden = byId('tool-pose').hidden = !may
}

export function setUpPlace(say) {
  byId('find-robot').onclick = (event) => {
    event.target.disabled = true
    post('/api/v1/localization/relocalize').then((answer) => say(answer.message), (error) => say(error.message))
      .finally(() => (event.target.disabled = false))
  }
}
