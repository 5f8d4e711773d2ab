/** A real browser talks to the reference, through the page of `npm run serve`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { type Serving, serve } from '../../shared/serve/server.ts';
import * as lesson from '../../solutions/05-server/server.ts';
import { Browser, findBrowser, type Page } from './browser.ts';

const CHINESE = '你好，世界';
const MIB = 1024 * 1024;
const NO_BROWSER = 'There is no Chromium to test the page with. CHROME_PATH can name one.';

/** What the console says of a `send` that comes too late. */
const TOO_LATE = 'WebSocket is already in CLOSING or CLOSED state.';

const path = findBrowser();
if (path === undefined) console.warn(NO_BROWSER);
const withBrowser = describe.skipIf(path === undefined);

test.runIf(process.env.CI)('a browser is there', () => {
  expect(path, NO_BROWSER).toBeDefined();
});

/** A line of the page's log. */
interface Entry {
  readonly kind: string;
  readonly text: string;
  readonly details: string;
}

/** Starts a server. What its lesson throws fails the test. */
function start(): Promise<Serving> {
  const report = (error: unknown) => {
    throw error;
  };
  return serve({ lesson, file: 'solutions/05-server/server.ts', port: 0, report });
}

/** A tab with the page in it, and what a person does there. */
class Visit {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async connect(): Promise<void> {
    await this.page.click('#connect .primary');
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

let serving: Serving;
let browser: Browser;
const pages: Page[] = [];

beforeAll(async () => {
  if (path === undefined) return;
  serving = await start();
  browser = await Browser.start(path);
});
afterAll(async () => {
  await browser?.close();
  await serving?.stop();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await browser.leave(page);
});

/** Opens the page in a tab of its own. */
async function visit(url = serving.url): Promise<Visit> {
  const page = await browser.open(url);
  pages.push(page);
  await page.until(`served.textContent.endsWith('server.ts')`);
  return new Visit(page);
}

/** Opens the page, and makes sure in the end that the browser had nothing to complain about. */
async function quietly(act: (visit: Visit) => Promise<void>): Promise<void> {
  const visitor = await visit();
  await act(visitor);
  expect(visitor.page.complaints).toEqual([]);
}

withBrowser('what the tutorials show', () => {
  test('three buttons: connect, send, close', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      await page.click('#connect .primary');
      await visitor.logged('open', 'Connected');
      await page.click('#send .primary');
      await visitor.heard(CHINESE);
      await page.click('#close button');
      expect(await visitor.logged('close')).toMatchObject([
        { text: 'code 1000, reason "", wasClean true' },
      ]);
    }));

  test('an echo with its page: connected, sent, received', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.send('good');
      await visitor.heard('good');
      expect((await visitor.log()).map(({ kind, text }) => [kind, text])).toEqual([
        ['open', 'Connected'],
        ['sent', 'good'],
        ['message', 'good'],
      ]);
    }));

  test('the lines for the console do what they say', async () => {
    const { page } = await visit();
    const lines = await page.evaluate<string[]>(
      `[...document.querySelectorAll('.snippet')].map((code) => code.textContent)`,
    );
    await page.evaluate(`const said = []; console.log = (...words) => said.push(words)`);
    const [connect = '', ...more] = lines;
    await page.evaluate(connect);
    for (const line of more.slice(0, 2)) await page.evaluate(line);
    await page.until('ws.readyState === 1');
    await page.evaluate(more[2] ?? '');
    await page.until('said.length === 1');
    await page.evaluate(more[3] ?? '');
    await page.until('said.length === 2');
    expect(await page.evaluate('said')).toEqual([
      ['message', CHINESE],
      ['close', 4000, '', true],
    ]);
    // It does not throw. Only the console has something to say.
    expect(page.complaints).toEqual([]);
    expect(await page.evaluate(more[4] ?? '')).toBeUndefined();
    expect(page.complaints).toEqual([expect.stringContaining(TOO_LATE)]);
  });

  test('the four events, of which an error says nothing', async () => {
    const visitor = await visit();
    await visitor.connect();
    await visitor.send('Hello');
    await visitor.heard('Hello');
    await visitor.close('1000', '');
    await visitor.logged('close');
    // Nobody has told the server about this one, so the browser gives up.
    await visitor.page.type('#protocol', 'unheard.of');
    await visitor.page.click('#connect .primary');
    await visitor.logged('close', 'code 1006');
    const kinds = (await visitor.log()).map(({ kind }) => kind);
    expect(kinds).toEqual(['open', 'sent', 'message', 'close', 'error', 'close']);
  });

  test.each([CHINESE, '😀', 'Hello'])('%s comes back as it was', (text) =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click(`[data-text="${text}"]`);
      expect(await visitor.heard(text)).toMatchObject({
        text,
        details: `text, ${Buffer.byteLength(text)} bytes`,
      });
    }),
  );
});

withBrowser('messages', () => {
  test('bytes, few and many', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click('[data-bytes="3"]');
      expect(await visitor.heard('00 01 02')).toMatchObject({ details: 'binary, 3 bytes' });
      await visitor.page.click('[data-bytes="1048576"]');
      expect(await visitor.heard('00 01 02 03')).toMatchObject({
        details: 'binary, 1,048,576 bytes',
      });
    }));

  test('a text of 1 MiB', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click('[data-letters]');
      const { text, details } = await visitor.heard('WebSocket 101');
      expect(details).toBe('text, 1,048,576 bytes');
      expect(text.length).toBeLessThan(1000);
    }));

  test('1 MiB is the same, byte for byte', () =>
    quietly(async ({ page }) => {
      const same = await page.evaluate(`await new Promise((resolve) => {
        const socket = new WebSocket(location.origin.replace('http', 'ws') + '/echo');
        const data = Uint8Array.from({ length: ${MIB} }, (_, i) => (i * 2654435761) >>> 24);
        socket.binaryType = 'arraybuffer';
        socket.onopen = () => socket.send(data);
        socket.onmessage = (event) => {
          socket.close();
          const back = new Uint8Array(event.data);
          resolve(back.length === data.length && back.every((byte, i) => byte === data[i]));
        };
      })`);
      expect(same).toBe(true);
    }));

  test('markup stays text', () =>
    quietly(async (visitor) => {
      const markup = '<img src=x onerror=alert(1)><script>alert(2)</script>';
      await visitor.join('<b>room</b>', '<i>Eve</i>');
      await visitor.send(markup);
      await visitor.heard(`<i>Eve</i>: ${markup}`);
      await visitor.wire('payload "<i>Eve</i>');
      const made =
        'log.querySelectorAll("img, script, i").length + wire.querySelectorAll("img, i").length';
      expect(await visitor.page.evaluate(made)).toBe(0);
    }));

  test('without a connection there is advice', () =>
    quietly(async (visitor) => {
      await visitor.send('Hello');
      expect(await visitor.logged('note')).toMatchObject([
        { text: 'There is nobody to send to. Connect first.' },
      ]);
    }));

  test('what is sent after the end goes nowhere, and does not throw', async () => {
    const visitor = await visit();
    await visitor.connect();
    await visitor.close('1000', '');
    await visitor.logged('close');
    await visitor.send('Hello');
    await visitor.logged('note', 'send() threw nothing, but nothing was sent');
    expect(visitor.page.complaints).toEqual([expect.stringContaining(TOO_LATE)]);
  });

  test('a subprotocol is agreed on', () =>
    quietly(async (visitor) => {
      await visitor.page.type('#protocol', 'echo.101');
      await visitor.connect();
      expect(await visitor.logged('open')).toMatchObject([{ details: 'subprotocol echo.101' }]);
      await visitor.wire('Sec-WebSocket-Protocol: echo.101');
    }));
});

withBrowser('closing', () => {
  test.each(['1000', '4001'])('the page closes with %s', (code) =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.close(code, '再见');
      await visitor.logged('close', `code ${code}, reason "", wasClean true`);
      await visitor.wire(`payload code ${code} reason "再见"`);
    }),
  );

  test('without a code', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.close('', '');
      await visitor.logged('close', 'code 1005');
    }));

  test('the server goes away: 1001', async () => {
    const own = await start();
    const visitor = await visit(own.url);
    await visitor.connect();
    const stopped = own.stop();
    await visitor.logged('close', 'code 1001, reason "", wasClean true');
    expect(await stopped).toBe(true);
  });

  test.each([
    ['999', 'bye', /^InvalidAccessError: .*999/],
    ['1001', 'bye', /^InvalidAccessError: .*1001/],
    ['5000', 'bye', /^InvalidAccessError: .*5000/],
    ['1000', '世'.repeat(42), /^SyntaxError: .*123 UTF-8 bytes/],
  ])('close(%s, …) throws, and the page says what', (code, reason, message) =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.close(code, reason);
      const [thrown] = await visitor.logged('throws');
      expect(thrown?.text).toMatch(message);
      expect(
        await visitor.page.evaluate('document.querySelector("#close-hint").textContent'),
      ).toMatch(/^A (page may only close with 1000|reason has at most 123 bytes)/);
      expect(await visitor.page.evaluate('state.dataset.state')).toBe('1');
    }),
  );

  test('the bytes of a reason are counted, not its characters', () =>
    quietly(async ({ page }) => {
      await page.type('#reason', '世界');
      await page.until(`document.querySelector('#reason-size').value === '6 / 123 bytes'`);
    }));
});

withBrowser('chat', () => {
  test('two tabs in one room hear each other, and another room does not', async () => {
    const [ada, bob, eve] = [await visit(), await visit(), await visit()];
    await ada.join('tea', 'Ada');
    await eve.join('coffee', 'Eve');
    await bob.join('tea', 'Bob');
    await ada.heard('· Bob has joined “tea”, 2 here');
    await ada.send(CHINESE);
    await bob.heard(`Ada: ${CHINESE}`);
    await ada.heard(`Ada: ${CHINESE}`);
    await bob.close('1000', '');
    await ada.heard('· Bob has left, 1 here');
    await eve.send('Anybody?');
    await eve.heard('Eve: Anybody?');
    const heard = (await eve.log()).filter(({ kind }) => kind === 'message');
    expect(heard.map(({ text }) => text)).toEqual([
      '· Eve has joined “coffee”, 1 here',
      'Eve: Anybody?',
    ]);
  });

  test('nobody speaks for another, or for the room', () =>
    quietly(async (visitor) => {
      await visitor.page.click('[value="/chat"]');
      await visitor.page.type('#name', '· Ada: I');
      await visitor.connect();
      await visitor.heard('· Ada I has joined');
    }));
});

withBrowser('the live wire', () => {
  test('shows the handshake, a masked text with its fields, and the Close', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.send('Hello');
      await visitor.heard('Hello');
      await visitor.close('4000', 'bye');
      const shown = await visitor.wire('The TCP connection is gone.');
      for (const text of [
        /GET \/echo\?tap=[\w-]{36} HTTP\/1\.1/,
        /Sec-WebSocket-Key: [\w+/]{22}==/,
        /HTTP\/1\.1 101 Switching Protocols/,
        /browser → server\s+text · masked · 11 bytes/,
        /81\s+FIN=1 RSV=000 opcode=1 \(text\)/,
        /85\s+MASK=1 length=5/,
        /([0-9a-f]{2} ){3}[0-9a-f]{2}\s+masking key/,
        /payload "Hello"/,
        /server → browser\s+text · not masked · 7 bytes/,
        /48 65 6c 6c 6f/,
        /88\s+FIN=1 RSV=000 opcode=8 \(close\)/,
        /payload code 4000 reason "bye"/,
        /0f a0\s+payload code 4000/,
      ]) {
        expect(shown).toMatch(text);
      }
    }));

  test('each field leads to its step', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.send('Hello');
      await visitor.wire('payload "Hello"');
      const link = `document.querySelector('[data-direction="in"] [data-field="masking key"] a')`;
      expect(await visitor.page.evaluate(`${link}.innerText`)).toContain('02 · step 3');
      const text = await visitor.page.evaluate<string>(
        `await fetch(${link}.href).then((answer) => answer.text())`,
      );
      expect(text).toContain('## Step 3 · Unmasking');
      expect(text).not.toContain('Hint 1');
    }));

  test('a long frame is shortened, and an echo comes in fragments', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click('[data-bytes="1048576"]');
      await visitor.heard('00 01 02');
      const shown = await visitor.wire('continuation · not masked · 18 bytes');
      // The browser cuts it up as well, where it likes.
      expect(shown).toMatch(/browser → server\s+binary · more to follow · masked/);
      expect(shown).toContain('… (65535 bytes)');
      expect(shown).toContain('continuation · more to follow · not masked · 65,539 bytes');
      expect(shown.length).toBeLessThan(30_000);
    }));

  test('stands still on demand, and says how much has passed', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      await visitor.connect();
      await visitor.wire('101 Switching Protocols');
      await page.click('#pause');
      await visitor.send('unseen');
      await visitor.heard('unseen');
      await page.until(`document.querySelector('#pause').innerText === 'Resume (2 passed)'`);
      expect(await page.evaluate('wire.childElementCount')).toBe(2);
      await page.click('#pause');
      const shown = await visitor.wire('2 events passed without being shown');
      expect(shown).not.toContain('unseen');
      await visitor.send('seen');
      // There and back: nothing more is to come.
      await page.until(`wire.innerText.split('payload "seen"').length === 3`);
      await page.click('#clear-wire');
      expect(await page.evaluate('wire.childElementCount')).toBe(0);
    }));
});

withBrowser('for everybody', () => {
  /** Every element with text of its own and too little contrast to its background. */
  const FAINT = `{
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const luminance = (color) => {
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => {
        const part = byte / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (element) => {
      const color = getComputedStyle(element).backgroundColor;
      return color === 'rgba(0, 0, 0, 0)' ? background(element.parentElement) : color;
    };
    const hasText = (element) =>
      [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    [...document.body.querySelectorAll('*')]
      .filter((element) => element.matches('input') || hasText(element))
      .map((element) => {
        const pair = [getComputedStyle(element).color, background(element)].map(luminance);
        const [dark, light] = pair.sort((a, b) => a - b);
        return [(light + 0.05) / (dark + 0.05), element.outerHTML];
      })
      .filter(([contrast]) => contrast < 4.5);
  }`;

  /** Makes the page show a bit of everything. */
  async function fill(visitor: Visit): Promise<void> {
    await visitor.connect();
    await visitor.page.click('[data-bytes="1048576"]');
    await visitor.heard('00 01 02');
    await visitor.close('999', '');
    await visitor.close('4000', '长'.repeat(41));
    await visitor.wire('The TCP connection is gone.');
  }

  test('light and dark have backgrounds of their own, and enough contrast', () =>
    quietly(async (visitor) => {
      await fill(visitor);
      const backgrounds = new Set<string>();
      for (const scheme of ['light', 'dark'] as const) {
        await visitor.page.prefer(scheme);
        backgrounds.add(
          await visitor.page.evaluate('getComputedStyle(document.body).backgroundColor'),
        );
        expect(await visitor.page.evaluate(FAINT), scheme).toEqual([]);
      }
      expect(backgrounds.size).toBe(2);
    }));

  test.each([360, 768, 1280])('nothing is wider than a screen of %i pixels', (width) =>
    quietly(async (visitor) => {
      await visitor.page.resize(width, 740);
      await fill(visitor);
      await visitor.page.click('[value="/chat"]');
      const fits = 'document.scrollingElement.scrollWidth <= innerWidth';
      expect(await visitor.page.evaluate(fits)).toBe(true);
      // Nor is there an empty room below.
      const bottom = 'document.body.getBoundingClientRect().bottom + scrollY';
      expect(
        await visitor.page.evaluate(`document.scrollingElement.scrollHeight - (${bottom})`),
      ).toBeLessThan(2);
    }),
  );

  test('the keyboard reaches every control, in order, and Enter sends', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      // Not as a mouse does, which would also move the place where Tab goes on from.
      await page.evaluate(`document.querySelector('[value="/chat"]').click()`);
      const all = `[...document.querySelectorAll('input, button, a, [tabindex="0"]')]
        .filter((control) => control.name !== 'path' || control.checked)`;
      const name = `(control) => control.id || control.value || control.textContent`;
      const expected = await page.evaluate<string[]>(`${all}.map(${name})`);
      const reached: string[] = [];
      for (let i = 0; i < expected.length; i++) {
        await page.press('Tab');
        reached.push(await page.evaluate(`(${name})(document.activeElement)`));
        // Where we are has to be seen.
        const outline = `(({ activeElement: a }) => getComputedStyle(a.name === 'path' ? a.nextElementSibling : a).outlineWidth)(document)`;
        expect(await page.evaluate(outline), reached.at(-1)).toBe('3px');
      }
      expect(reached).toEqual(expected);
      await visitor.join('keys', 'Ada');
      await page.evaluate('document.querySelector("#text").focus()');
      await visitor.send('by hand');
      await visitor.heard('Ada: by hand');
      expect(await page.evaluate('location.pathname + location.search')).toBe('/');
    }));

  test('every control has a name', () =>
    quietly(async ({ page }) => {
      const { nodes } = (await page.send('Accessibility.getFullAXTree')) as {
        nodes: { role?: { value: string }; name?: { value: string } }[];
      };
      const roles = ['button', 'textbox', 'combobox', 'radio', 'link', 'log', 'list', 'form'];
      const controls = nodes.filter(({ role }) => roles.includes(role?.value ?? ''));
      expect(controls.length).toBeGreaterThan(20);
      const nameless = controls.filter(({ role, name }) => role?.value !== 'list' && !name?.value);
      expect(nameless).toEqual([]);
    }));
});

test('the page makes text of what it hears, never markup', () => {
  const folder = join(ROOT, 'shared/serve/page');
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    expect(text, name).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/);
    // Nothing inline either, and nothing from elsewhere.
    expect(text, name).not.toMatch(
      /<style|<script>|\son\w+="|\sstyle="|https?:\/\/(?!www\.w3\.org)/,
    );
  }
});
