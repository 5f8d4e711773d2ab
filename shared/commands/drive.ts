import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findTarget, neededBy, STARTED_IN, UsageError } from '../course/lessons.ts';
import { Chromium, findBrowser } from '../drive/chromium.ts';
import { chromiumTour } from '../drive/chromium-tour.ts';
import { Debuggee } from '../drive/debuggee.ts';
import { NODE_TOUR } from '../drive/node-tour.ts';
import { type Lesson06, playTour, TourError } from '../drive/tour.ts';
import { loadMixed, loadServer } from '../serve/mix.ts';
import {
  checkParts,
  hasReference,
  type Part,
  REFERENCE,
  renderPart,
  SERVED,
  yoursAmong,
} from '../serve/parts.ts';
import { serve } from '../serve/server.ts';
import { columns, style } from '../view/style.ts';
import { runCommand } from './run-command.ts';

/** Where the picture of the browser goes when nobody says so. */
const PICTURE = 'drive.png';

await runCommand({
  name: 'npm run drive',
  summary:
    'Your client of lesson 06 at work: it drives the debugger of a running program, and shows what travels. The reference is used for each lesson that does not pass its checks yet.',
  options: {
    solution: { type: 'boolean', help: 'The reference in place of all your lessons.' },
    node: { type: 'boolean', help: 'Drives a program of Node. It is what happens by default.' },
    chromium: {
      type: 'boolean',
      help: 'Drives a Chromium, which opens the page of lesson 05 and talks to your server.',
    },
    picture: {
      type: 'string',
      value: 'FILE',
      help: `Where the picture of the browser goes. By default, ${PICTURE}.`,
    },
  },
  examples: [
    ['npm run drive', 'Your client looks into a program of Node.'],
    ['npm run drive -- --solution --chromium', 'The reference uses a browser.'],
  ],
  async run({ solution = false, node, chromium, picture = PICTURE }) {
    const browser = chromium ? requireBrowser() : undefined;
    const parts = solution ? requireReference() : await checkedParts(browser !== undefined);
    const lesson = (await loadMixed('06', yoursAmong(parts))) as Lesson06;
    try {
      if (node || browser === undefined) await driveNode(lesson);
      if (browser !== undefined) await driveChromium(lesson, parts, browser, picture);
      return 0;
    } catch (error) {
      if (!(error instanceof TourError)) throw error;
      console.error(`\n${style.red('✗')} ${error.message}`);
      return 1;
    }
  },
});

/** Finds a Chromium. Throws `UsageError` where none is. */
function requireBrowser(): string {
  const browser = findBrowser();
  if (browser !== undefined) return browser;
  throw new UsageError(
    'There is no Chromium here. Set CHROME_PATH to one, or drive Node: npm run drive',
  );
}

/** Throws `UsageError` where no reference is. */
function requireReference(): readonly Part[] {
  if (hasReference) return REFERENCE;
  throw new UsageError('The solutions are not in this handout. Ask your instructor for them.');
}

/** Checks the lessons that are at work, and says whose they are. */
async function checkedParts(withServer: boolean): Promise<readonly Part[]> {
  const { lesson } = findTarget('lessons/06');
  console.log('Checking your lessons …');
  const parts = await checkParts([...(withServer ? SERVED : neededBy(lesson)), lesson]);
  const missing = parts.find(({ isYours }) => !isYours);
  if (missing && !hasReference) {
    throw new UsageError(
      `There is no reference in this handout, so your lessons have to pass first. See: npm test lessons/${missing.number}`,
    );
  }
  console.log(['', ...parts.map(renderPart)].join('\n'));
  return parts;
}

async function driveNode(lesson: Lesson06): Promise<void> {
  const shop = fileURLToPath(new URL('../drive/shop.mjs', import.meta.url));
  const words = ['--inspect=127.0.0.1:0', shop];
  const debuggee = await Debuggee.start(process.execPath, words, 'The shop is open.');
  try {
    sayWho(`The debugger of a program on Node ${process.versions.node}`, debuggee.url);
    await playTour(lesson, debuggee.url, NODE_TOUR, columns());
  } finally {
    await debuggee.end();
  }
}

async function driveChromium(
  lesson: Lesson06,
  parts: readonly Part[],
  browser: string,
  picture: string,
): Promise<void> {
  const report = (error: unknown) => console.error(`${style.red('✗')} ${String(error)}`);
  const chromium = await started(browser);
  const server = await loadServer(yoursAmong(parts));
  const serving = await serve({ lesson: server, parts, port: 0, report });
  try {
    const tab = await chromium.open('about:blank');
    sayWho('The debugger of a tab in Chromium', tab);
    const scenes = chromiumTour(`${serving.url}/?driven`, resolve(STARTED_IN, picture));
    await playTour(lesson, tab, scenes, columns());
  } finally {
    await chromium.end();
    await serving.stop();
  }
}

/** Starts a Chromium. Throws `UsageError` for one that does not come up. */
async function started(browser: string): Promise<Chromium> {
  try {
    return await Chromium.start(browser);
  } catch (error) {
    throw new UsageError(`The browser does not start. ${(error as Error).message}`);
  }
}

function sayWho(who: string, url: string): void {
  console.log(`\n${style.bold(who)}\n${url}`);
}
