/** A real browser talks to the reference, through the page of `npm run serve`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import * as lesson from '../../solutions/05-server/server.ts';
import type { Page } from './browser.ts';
import { FAINT } from './faint.ts';
import {
  BROWSER,
  NO_BROWSER,
  quietly,
  serving,
  start,
  useBrowser,
  type Visit,
  visit,
  withBrowser,
} from './visit.ts';

const CHINESE = '你好，世界';
const MIB = 1024 * 1024;

/** What the console says of a `send` that comes too late. */
const TOO_LATE = 'WebSocket is already in CLOSING or CLOSED state.';

useBrowser();

test.runIf(process.env.CI)('a browser is there', () => {
  expect(BROWSER, NO_BROWSER).toBeDefined();
});

withBrowser('what the tutorials show', () => {
  test('three buttons: connect, send, close', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      await page.click('#connect button');
      await visitor.logged('open', 'Connected');
      await page.click('#send button');
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
    await visitor.page.click('#connect button');
    await visitor.logged('close', 'code 1006');
    await visitor.logged('note');
    const kinds = (await visitor.log()).map(({ kind }) => kind);
    expect(kinds).toEqual(['open', 'sent', 'message', 'close', 'error', 'close', 'note']);
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

withBrowser('what is open, and what is not', () => {
  const shown = (page: Page) =>
    page.evaluate<string>(`[...document.querySelectorAll('.bar')]
      .filter((form) => form.checkVisibility()).map(({ id }) => id).join()`);

  test('no socket yet, then where it goes, then closed', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      const state = () => page.evaluate<string>(`state.innerText.replaceAll(/\\s+/g, ' ').trim()`);
      expect([await state(), await shown(page)]).toEqual(['no socket yet', 'connect']);
      await visitor.join('tea', 'Ada');
      const { host } = new URL(serving.url);
      expect([await state(), await shown(page)]).toEqual([
        `OPEN ws://${host}/chat?room=tea&name=Ada readyState 1`,
        'close',
      ]);
      // What can be done next is the only thing in the colour of such things.
      const prominent = `[...document.querySelectorAll('.primary')]
        .filter((button) => button.checkVisibility()).map(({ innerText }) => innerText)`;
      expect(await page.evaluate(prominent)).toEqual(['Close']);
      await visitor.close('1000', '');
      await visitor.logged('close');
      expect([await state(), await shown(page)]).toEqual(['CLOSED readyState 3', 'connect']);
      expect(await page.evaluate(prominent)).toEqual(['Connect']);
    }));

  test('whoever uses the keyboard goes on where the next thing is', () =>
    quietly(async ({ page }) => {
      const focus = 'document.activeElement.id || document.activeElement.innerText';
      await page.evaluate(`document.querySelector('#connect button').focus()`);
      await page.press('Enter');
      await page.until(`document.querySelector('#state').dataset.state === '1'`);
      expect(await page.evaluate(focus)).toBe('text');
      await page.evaluate(`document.querySelector('#close button').focus()`);
      await page.press('Enter');
      await page.until(`document.querySelector('#state').dataset.state === '3'`);
      expect(await page.evaluate(focus)).toBe('connect-button');
    }));

  test('an empty list says what to do next', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      const advice = () => page.evaluate(`getComputedStyle(log, '::before').content`);
      expect(await advice()).toBe('"Nothing yet. Connect, and watch."');
      await visitor.connect();
      await page.click('#clear-log');
      expect(await advice()).toBe('"Nothing yet. Send something, and watch."');
    }));

  test('a chat clears its field, and an echo does not', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      await visitor.connect();
      await visitor.send('again');
      await visitor.heard('again');
      expect(await page.evaluate('document.querySelector("#text").value')).toBe('again');
      await visitor.close('1000', '');
      await visitor.logged('close');
      await visitor.join('tea', 'Ada');
      await visitor.send('once');
      await visitor.heard('Ada: once');
      expect(await page.evaluate('document.querySelector("#text").value')).toBe('');
    }));

  test('a subprotocol that nobody speaks is why the browser closes the connection', async () => {
    const visitor = await visit();
    await visitor.page.type('#protocol', 'chat.v1');
    await visitor.page.click('#connect button');
    const [note] = await visitor.logged('note');
    expect(note?.text).toBe(
      'The server’s response names no subprotocol, because it doesn’t know "chat.v1". So the browser closed the connection. This server knows echo.101 and chat.101.',
    );
    const form = await visitor.page.evaluate<string>('connect.innerText');
    expect(form).toContain('Subprotocol: echo.101, chat.101, or none');
    expect(form).toContain(note?.text);
  });

  test('a refusal is why the browser closes the connection', async () => {
    class Closed extends lesson.WebSocketServer {
      constructor(handle: lesson.Handler, options?: lesson.Options) {
        super(handle, { ...options, origins: ['http://elsewhere.example'] });
      }
    }
    const own = await start({ WebSocketServer: Closed });
    const visitor = await visit(own.url);
    await visitor.page.click('#connect button');
    const [note] = await visitor.logged('note');
    expect(note?.text).toMatch(/^The server refused the request: 403 Forbidden\./);
    await own.stop();
  });

  test('no server is why the browser closes the connection', async () => {
    const own = await start();
    const visitor = await visit(own.url);
    await own.stop();
    const advice = `No server answers at 127.0.0.1:${own.port}. Start it with npm run serve, and this page connects to it by itself.`;
    await visitor.page.click('#connect button');
    await visitor.logged('note', advice);
    await visitor.page.until(`lessons.innerText === ${JSON.stringify(advice)}`);
    const again = await start(lesson, own.port);
    await visitor.page.until(`document.querySelector('#state').dataset.state === '1'`);
    await again.stop();
  });

  test('a server that breaks off is why there was no Close', async () => {
    class Rude extends lesson.WebSocketServer {
      readonly #sockets: Duplex[] = [];
      override upgrade(...args: Parameters<lesson.WebSocketServer['upgrade']>): void {
        this.#sockets.push(args[1]);
        super.upgrade(...args);
      }
      override async shutdown(): Promise<void> {
        for (const socket of this.#sockets) socket.destroy();
      }
    }
    const own = await start({ WebSocketServer: Rude });
    const visitor = await visit(own.url);
    await visitor.connect();
    await own.stop();
    await visitor.logged('close', 'code 1006');
    await visitor.logged('note', 'No server answers');
  });
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
    quietly(async (visitor) => {
      const { page } = visitor;
      await visitor.connect();
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

withBrowser('for everybody', () => {
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
      // A phone would zoom out to show all of what is wider, so its own width says nothing.
      const wide = await visitor.page.evaluate('document.scrollingElement.scrollWidth');
      expect(wide).toBeLessThanOrEqual(width);
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
        .filter((control) => control.name !== 'path' || control.checked)
        .filter((control) => control.checkVisibility())`;
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
