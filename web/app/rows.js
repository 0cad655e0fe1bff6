// Rows of tables that are filled again and again.

const ARMED_MS = 4000

// Keeps one row a key in body, in the order of list.
export function keep(body, list, key, make, fill) {
  const old = new Map([...body.children].map((row) => [row.dataset.key, row]))
  list.forEach((item, index) => {
    const name = key(item)
    let row = old.get(name)
    old.delete(name)
    if (!row) {
      row = make(item)
      row.dataset.key = name
    }
    fill(row, item)
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null)
  })
  for (const row of old.values()) row.remove()
}

export function cells(row, texts) {
  texts.forEach(([text, className], index) => {
    const cell = row.cells[index] ?? row.insertCell()
    if (cell.textContent !== text) cell.textContent = text
    cell.className = className ?? ''
  })
}

export function button(text, work) {
  const made = document.createElement('button')
  made.type = 'button'
  made.textContent = text
  made.onclick = work
  return made
}

// The first press asks, the second within some seconds does it.
export function twice(text, question, work) {
  let armed
  const made = button(text, () => {
    if (armed) {
      work()
      return
    }
    made.textContent = question
    made.classList.add('armed')
    armed = setTimeout(() => {
      armed = undefined
      made.textContent = text
      made.classList.remove('armed')
    }, ARMED_MS)
  })
  return made
}
