// Opens reports in a real browser and says what is wrong with them.
//
//   node check.mjs SHOTS_DIR NAME=PATH/index.html[,full] …
//
// Every page: light and dark, 360 and 1440 px, and print, and axe. `full` adds more sizes, and axe with all folds open.
// Exit 1 with a list when anything is wrong; screenshots and PDFs are left in SHOTS_DIR to look at.

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL, fileURLToPath } from 'node:url'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import { inPage } from './in-page.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const [shots, ...pages] = process.argv.slice(2)
mkdirSync(shots, { recursive: true })

const VIEWS = [
  { name: 'light-1440', width: 1440, height: 900, colorScheme: 'light', axe: true },
  { name: 'dark-1440', width: 1440, height: 900, colorScheme: 'dark', axe: 'full' },
  { name: 'light-360', width: 360, height: 740, colorScheme: 'light', axe: 'full' },
  { name: 'dark-360', width: 360, height: 740, colorScheme: 'dark', isExtra: true },
  { name: 'light-2560', width: 2560, height: 1440, colorScheme: 'light', isExtra: true },
  { name: 'print', width: 680, height: 1000, colorScheme: 'light', print: true },
]

const profile = mkdtempSync(join(tmpdir(), 'logicoma-chromium-'))
const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--font-render-hinting=none'],
})
const wrong = []
const started = Date.now()

/** Everything that is wrong with the page as it stands in the view. */
async function looked(page, where, isPrint) {
  const found = await page.evaluate(inPage, { isPrint })
  wrong.push(...found.map((what) => `${where}: ${what}`))
}

async function axed(page, where) {
  // The page's own policy forbids scripts; the checker comes in through the debugger.
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => axe.run(document, {
    resultTypes: ['violations'],
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }))
  for (const { id, impact, help, nodes } of violations) {
    if (impact === 'serious' || impact === 'critical') {
      wrong.push(`${where}: axe ${impact} ${id}: ${help}; ${nodes.length} times, first ${nodes[0].html.slice(0, 160)}`)
    }
  }
}

let views = 0

async function opened(argument) {
  const [, name, path, full] = argument.match(/^([^=]+)=(.*?)(,full)?$/)
  const url = pathToFileURL(resolve(path)).href
  for (const view of VIEWS.filter((view) => full || !view.isExtra)) {
    const where = `${name} ${view.name}`
    views += 1
    const page = await context.newPage()
    page.on('console', (message) => wrong.push(`${where}: console ${message.type()}: ${message.text().slice(0, 300)}`))
    page.on('pageerror', (error) => wrong.push(`${where}: error ${error.message.slice(0, 300)}`))
    page.on('dialog', (dialog) => { wrong.push(`${where}: a dialog opened`); dialog.dismiss() })
    page.on('request', (request) => {
      if (request.url() !== url) wrong.push(`${where}: asked for ${request.url().slice(0, 200)}`)
    })
    await page.emulateMedia({ media: view.print ? 'print' : 'screen', colorScheme: view.colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width: view.width, height: view.height })
    await page.goto(url, { waitUntil: 'load' })
    const shift = await page.evaluate(() => new Promise((done) => {
      let sum = 0
      new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value })
        .observe({ type: 'layout-shift', buffered: true })
      setTimeout(() => done(sum), 60)
    }))
    if (shift > 0) wrong.push(`${where}: the layout shifts by ${shift}`)
    await looked(page, where, Boolean(view.print))
    if (view.axe === true || (view.axe && full)) await axed(page, where)
    if (view.print) {
      await page.pdf({ path: join(shots, `${name}.pdf`), preferCSSPageSize: true, printBackground: false })
    } else {
      await page.screenshot({ path: join(shots, `${name}-${view.name}.png`), fullPage: true })
      if (full || view.width === 360) {
        await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => { fold.open = true }))
        await looked(page, `${where} unfolded`, false)
        if (full && view.axe === true) await axed(page, `${where} unfolded`)
      }
    }
    await page.close()
  }
  console.log(`${name}: looked at, ${((Date.now() - started) / 1000).toFixed(1)} s so far`)
}

// Two at a time: while one is drawn, another is checked.
const waiting = [...pages]
await Promise.all([0, 1].map(async () => {
  while (waiting.length > 0) await opened(waiting.shift())
}))
await context.close()
rmSync(profile, { recursive: true, force: true })

const here = dirname(fileURLToPath(import.meta.url))
if (wrong.length > 0) {
  console.error(`${wrong.length} things are wrong (checks in ${here}):`)
  // The same thing is often wrong in every view and every page: each is said once, with where it was seen first.
  const seen = new Set()
  for (const line of wrong) {
    const what = line.replace(/^[^:]*: /, '').replace(/\d+/g, '0')
    if (!seen.has(what) && seen.size < 80) console.error(`  ${line}`)
    seen.add(what)
  }
  console.error(`${pages.length} pages in ${views} views: ${new Set(wrong.map((line) => line.split(':')[0])).size} failed`)
  process.exit(1)
}
console.log(`${pages.length} pages in ${views} views: ${views} passed, 0 failed`)
