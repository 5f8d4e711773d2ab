/** What a person does on the page of `npm run serve`. */
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { findBrowser } from '../../shared/drive/chromium.ts';
import { REFERENCE, SHOWN_REFERENCE } from '../../shared/serve/parts.ts';
import { type Lesson05, type Serving, serve } from '../../shared/serve/server.ts';
import * as lesson from '../../solutions/05-server/server.ts';
import * as compression from '../../solutions/07-compression/compression.ts';
import { Browser, type Page } from './browser.ts';

/** A line of the page's log. */
export interface Entry {
  readonly kind: string;
  readonly text: string;
  readonly details: string;
}

/** A tab with the page in it, and what a person does there. */
export class Visit {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async connect(): Promise<void> {
    await this.page.click('#connect button');
    await this.page.until(`document.querySelector('#state').dataset.state === '1'`);
  }

  /** Connects to a chat room. */
  async join(room: string, name: string): Promise<void> {
    await this.page.click('[value="/chat"]');
    await this.page.type('#room', room);
    await this.page.type('#name', name);
    await this.connect();
    await this.heard(`· ${name} has joined`);
  }

  async send(text: string): Promise<void> {
    await this.page.type('#text', text);
    await this.page.press('Enter');
  }

  async close(code: string, reason: string): Promise<void> {
    await this.page.type('#code', code);
    await this.page.type('#reason', reason);
    await this.page.click('#close button');
  }

  /** Waits for a message that starts like this. */
  async heard(text: string): Promise<Entry> {
    const [found] = await this.logged('message', text);
    return found!;
  }

  /** Waits for entries of a kind, and returns them. */
  async logged(kind: string, text = ''): Promise<Entry[]> {
    const isIt = ({ kind: other, text: said }: Entry) => other === kind && said.startsWith(text);
    for (;;) {
      const count = await this.page.evaluate<number>('log.childElementCount');
      const found = (await this.log()).filter(isIt);
      if (found.length > 0) return found;
      await this.page.until(`log.childElementCount > ${count}`);
    }
  }

  log(): Promise<Entry[]> {
    return this.page.evaluate(`[...log.children].map((entry) => ({
      kind: entry.dataset.kind,
      text: entry.querySelector('.said').textContent,
      details: entry.querySelector('.details')?.textContent ?? '',
    }))`);
  }

  /** Waits until the wire shows a text, and returns all that it shows. */
  async wire(text: string): Promise<string> {
    await this.page.until(`wire.innerText.includes(${JSON.stringify(text)})`);
    return this.page.evaluate('wire.innerText');
  }
}

export const NO_BROWSER = 'There is no Chromium to test the page with. CHROME_PATH can name one.';

/** The browser to test with. `undefined`: there is none. */
export const BROWSER = findBrowser();

/** Tests that need a browser. */
export const withBrowser = describe.skipIf(BROWSER === undefined);

/** Where the reference is served. */
export let serving: Serving;
let browser: Browser;
const pages: Page[] = [];

/** Serves the reference and starts a browser for the tests of a file. */
export function useBrowser(): void {
  if (BROWSER === undefined) console.warn(NO_BROWSER);
  beforeAll(async () => {
    if (BROWSER === undefined) return;
    serving = await start();
    browser = await Browser.start(BROWSER);
  });
  afterAll(async () => {
    await browser?.close();
    await serving?.stop();
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await browser.leave(page);
  });
}

/** Fails the test with what a lesson throws. */
const report = (error: unknown) => {
  throw error;
};

/** Starts a server. What its lesson throws fails the test. */
export function start(server: Lesson05 = lesson, port = 0): Promise<Serving> {
  return serve({ lesson: server, parts: REFERENCE, port, report });
}

/** Starts a server that compresses, with these parts on its page. */
export function startCompressing(parts = SHOWN_REFERENCE): Promise<Serving> {
  return serve({ lesson, compression, parts, port: 0, report });
}

/** Opens the page in a tab of its own, and waits until it names so many lessons. */
export async function visit(url = serving.url, lessons = REFERENCE.length): Promise<Visit> {
  const page = await browser.open(url);
  pages.push(page);
  await page.until(`lessons.childElementCount === ${lessons}`);
  return new Visit(page);
}

/** Opens the page, and makes sure in the end that the browser had nothing to complain about. */
export async function quietly(act: (visit: Visit) => Promise<void>): Promise<void> {
  const visitor = await visit();
  await act(visitor);
  expect(visitor.page.complaints).toEqual([]);
}
