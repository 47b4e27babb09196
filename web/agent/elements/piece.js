/* What all elements of the page have in common. An element takes its markup from the template `t-<name>` of index.html when it
 * enters the page, finds its parts by `data-id`, and shows what update() is given: any number of times, always the same for the
 * same view. It keeps no truth of its own; what a person does leaves it as an event. */

export class Piece extends HTMLElement {
  connectedCallback() {
    if (this.parts) return
    const name = this.localName.replace(/^ct-/, 't-')
    const { content, parts } = stamp(name)
    this.parts = parts
    // before they enter the page: afterwards the buttons of elements inside would be among them
    for (const button of content.querySelectorAll('[data-command]'))
      button.addEventListener('click', () => this.command(button.dataset.command))
    this.append(content)
    this.start()
  }

  /** Once, after the parts are there. */
  start() {}

  /** A command of the call tab: a name of DynamicsTelephony or CallTab and its arguments. */
  command(name, ...args) {
    this.say('ct-command', { name, args })
  }

  say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }))
  }
}

/** A copy of a template and its parts by name. Parts of elements inside it are theirs. */
export function stamp(id) {
  const content = document.importNode(document.getElementById(id).content, true)
  const parts = {}
  for (const it of content.querySelectorAll('[data-id]')) parts[it.dataset.id] = it
  return { content, parts, element: content.firstElementChild }
}

/* Each sets only what differs: a live region does not repeat itself, and nothing loses focus or selection. */

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

export function setHidden(element, isHidden) {
  if (element.hidden !== isHidden) element.hidden = isHidden
}

export function setDisabled(element, isDisabled) {
  if (element.disabled !== isDisabled) element.disabled = isDisabled
}

export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name)
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value)
}

export function setIcon(use, name) {
  setAttribute(use, 'href', `#i-${name}`)
}

/** Makes the list show one element per item: those of the same key stay, in the order of the items. */
export function setList(list, items, keyOf, make, show) {
  const known = new Map([...list.children].map((element) => [element.dataset.key, element]))
  items.forEach((item, at) => {
    const key = String(keyOf(item))
    const element = known.get(key) ?? make(item)
    known.delete(key)
    element.dataset.key = key
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null)
    show(element, item)
  })
  for (const element of known.values()) element.remove()
}
