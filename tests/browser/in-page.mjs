// Runs inside the page. Gives a list of what is wrong: overflow, colliding or cut texts in charts, things that may not be there.

export function inPage({ isPrint }) {
  const wrong = []
  const words = (element) => (element.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 60)
  const name = (element) =>
    `<${element.tagName.toLowerCase()}${element.id ? ` id=${element.id}` : ''}> '${words(element)}'`

  // Nothing but text and drawings.
  for (const forbidden of document.querySelectorAll('script, link, iframe, object, embed, img, video, audio, base, form, [style], [srcset], [src]')) {
    wrong.push(`${name(forbidden)} may not be in the page`)
  }
  for (const element of document.querySelectorAll('*')) {
    for (const { name: attribute, value } of element.attributes) {
      if (attribute.startsWith('on')) wrong.push(`${name(element)} has ${attribute}`)
      if (attribute === 'href' && !/^(#|(\.\.\/)?[\w.%~-]+(\/[\w.%~-]+)?$)/.test(value)) wrong.push(`${name(element)} links to ${value}`)
    }
  }
  if (document.querySelectorAll('main').length !== 1 || document.querySelectorAll('h1').length !== 1) {
    wrong.push('there is not one main part with one heading')
  }
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(decodeURIComponent(link.hash.slice(1)))) wrong.push(`${link.hash} leads nowhere`)
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id)
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) wrong.push(`two elements have the id ${id}`)

  // No horizontal scroll, nothing that sticks out, and the text has the room that there is.
  const width = document.documentElement.clientWidth
  const room = document.querySelector('main')?.getBoundingClientRect().width ?? 0
  if (room < Math.min(width * 0.8, 640)) wrong.push(`the main part is only ${Math.round(room)} px wide on a screen of ${width}`)
  if (document.documentElement.scrollWidth > width) {
    wrong.push(`the page is ${document.documentElement.scrollWidth} px wide on a screen of ${width}`)
  }
  const scrollers = '.scroll, pre, nav.contents, .skip, .vh, svg, .defs'
  for (const element of document.querySelectorAll('body *')) {
    if (element.closest(isPrint ? '.skip, .vh, svg, .defs' : scrollers) && !element.matches('svg.chart, .scroll, pre')) continue
    const box = element.getBoundingClientRect()
    if (box.width > 0 && (box.right > width + 1 || box.left < -1)) wrong.push(`${name(element)} sticks out to ${Math.round(box.right)} px of ${width}`)
  }

  // Charts: no two texts on each other, none outside of its drawing.
  for (const chart of document.querySelectorAll('svg.chart')) {
    const frame = chart.getBoundingClientRect()
    if (frame.width === 0) continue
    const title = chart.querySelector('title')?.textContent ?? '?'
    if (!chart.querySelector('title')?.textContent || !chart.querySelector('desc')?.textContent) wrong.push(`chart '${title}' has no title or description`)
    const texts = [...chart.querySelectorAll('text')].map((text) => ({ text, box: text.getBoundingClientRect() }))
    for (const { text, box } of texts) {
      if (box.left < frame.left - 1.5 || box.right > frame.right + 1.5 || box.top < frame.top - 1.5 || box.bottom > frame.bottom + 1.5) {
        wrong.push(`chart '${title}': '${words(text)}' is cut off`)
      }
    }
    texts.sort((left, right) => left.box.left - right.box.left)
    for (let one = 0; one < texts.length; one += 1) {
      for (let two = one + 1; two < texts.length && texts[two].box.left < texts[one].box.right - 1; two += 1) {
        const [a, b] = [texts[one].box, texts[two].box]
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left)
        // Lines of text may touch: their boxes are higher than their letters.
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
        if (across > 1 && down > Math.min(a.height, b.height) * 0.3) {
          wrong.push(`chart '${title}': '${words(texts[one].text)}' and '${words(texts[two].text)}' are on each other`)
        }
      }
    }
  }

  // Cells keep to themselves.
  for (const cell of document.querySelectorAll('td, th')) {
    if (cell.scrollWidth > cell.clientWidth + 1 && cell.clientWidth > 0) wrong.push(`a cell is too narrow for '${words(cell)}'`)
  }
  return wrong.slice(0, 25)
}
