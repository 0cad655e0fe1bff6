// Users, for administrators: made, given another role or a new password, shut out and let in again. A password is made here,
// shown once to be handed over, and has to be changed by its owner at the next login.

import { del, get, post, put } from './api.js'
import { button, cells, keep, twice } from './rows.js'

const byId = (id) => document.getElementById(id)
const ROOT = '/api/v1/auth/users'
const ROLES = ['viewer', 'operator', 'fleet_admin', 'admin', 'service']
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789' // none that look alike
const TONES = { active: 'good', locked: 'bad', disabled: 'warn' }

let say = () => {}
let rights = []
let own // number of who is logged in

const fail = (error) => say(error.message)
const one = (user) => `${ROOT}/${user.id}`
const moment = (text) => (text ? new Date(text).toLocaleString('sv') : 'never')

// Sixteen characters, evenly drawn; all kinds that are asked for are among them.
function drawPassword() {
  const room = 256 - 256 % LETTERS.length
  let text = ''
  while (text.length < 16) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1))
    if (byte < room) text += LETTERS[byte % LETTERS.length]
  }
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text) ? text : drawPassword()
}

function hand(name, password) {
  byId('user-secret-name').textContent = name
  byId('user-secret-text').value = password
  byId('user-secret').hidden = false
}

function hide() {
  byId('user-secret').hidden = true
  byId('user-secret-text').value = ''
}

// shown: what of it is to be seen, once it is done.
function change(user, body, what, shown = () => {}) {
  return put(one(user), body).then(() => {
    say(`${user.username} ${what}.`)
    shown()
  }, fail).then(refreshUsers).catch(() => null)
}

function givePassword(user) {
  const password = drawPassword()
  change(user, { password }, 'has a new password', () => hand(user.username, password))
}

// A choice does nothing yet: the arrow keys pass by every role. It goes back when it was refused.
function setRole(row, user) {
  const role = row.choice.value
  change(user, { role }, `is ${role} now`, () => (row.role = role)).then(() => showRole(row, row.role))
}

function showRole(row, role) {
  row.choice.value = role
  offerRole(row)
}

function offerRole(row) {
  const role = row.choice.value
  row.apply.hidden = role === row.role || role === 'admin'
  row.promote.hidden = role === row.role || role !== 'admin'
}

function makeRow(user) {
  const row = document.createElement('tr')
  cells(row, Array(3).fill(['']))
  row.choice = document.createElement('select')
  row.choice.setAttribute('aria-label', `Role of ${user.username}`)
  row.choice.append(...ROLES.map((role) => new Option(role.replace('_', ' '), role)))
  row.choice.onchange = () => offerRole(row)
  row.apply = button('Apply', () => setRole(row, user))
  row.promote = twice('Apply', 'Really admin?', () => setRole(row, user))
  row.insertCell().append(row.choice, row.apply, row.promote)
  const tools = row.insertCell()
  tools.className = 'tools'
  row.unlock = button('Unlock', () => post(`${one(user)}/unlock`).then(refreshUsers).catch(fail))
  row.secret = twice('New password', 'Log out, new password?', () => givePassword(user))
  row.active = button('', () => change(user, { is_active: row.active.dataset.now !== 'true' },
    row.active.dataset.now === 'true' ? 'is shut out' : 'may come in again'))
  row.delete = twice('Delete', 'Really delete?', () => del(one(user)).then(() => {
    say(`${user.username} is deleted.`)
    return refreshUsers()
  }).catch(fail))
  tools.append(row.unlock, row.secret, row.active, row.delete)
  return row
}

function fillRow(row, user) {
  const waits = user.must_change_password ? ', first password' : ''
  cells(row, [[user.full_name ? `${user.username} (${user.full_name})` : user.username],
    [user.status + waits, TONES[user.status]], [moment(user.last_login), 'wide']])
  if (row.role !== user.role) showRole(row, row.role = user.role)
  const itself = user.id === own
  row.choice.disabled = itself || !rights.includes('write')
  row.unlock.hidden = user.status !== 'locked' || !rights.includes('write')
  row.secret.hidden = row.active.hidden = itself || !rights.includes('write')
  row.active.textContent = user.is_active ? 'Disable' : 'Enable'
  row.active.dataset.now = String(user.is_active)
  row.delete.hidden = itself || !rights.includes('delete')
}

export async function refreshUsers() {
  if (!byId('user-panel').open || !rights.includes('read')) return
  const list = await get(`${ROOT}?limit=100`)
  byId('user-count').textContent = list.total_count > list.users.length ? `${list.users.length} of ${list.total_count}` : ''
  keep(byId('users'), list.users, (user) => String(user.id), makeRow, fillRow)
}

// user: who is logged in; null: nobody.
export function permitUsers(user) {
  rights = user?.permissions.users ?? []
  own = user?.id
  byId('user-panel').hidden = !rights.includes('read')
  byId('user-new').hidden = !rights.includes('write')
  if (user) return
  hide()
  byId('users').replaceChildren()
}

export function setUpUsers(tell) {
  say = tell
  byId('user-new').onsubmit = (event) => {
    event.preventDefault()
    const form = new FormData(event.target)
    const password = drawPassword()
    const body = { ...Object.fromEntries(form), password }
    post(ROOT, body).then((made) => {
      event.target.reset()
      hand(made.username, password)
      return refreshUsers()
    }).catch(fail)
  }
  byId('user-secret-done').onclick = hide
  byId('user-panel').ontoggle = () => refreshUsers().catch(fail)
  permitUsers(null)
}
