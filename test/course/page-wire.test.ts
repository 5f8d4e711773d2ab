/** What the page shows of the wire, and of whose code is at work, in a real browser. */
import { afterAll, expect, test } from 'vitest';
import { LESSONS } from '../../shared/course/lessons.ts';
import { REFERENCE, SHOWN_REFERENCE } from '../../shared/serve/parts.ts';
import * as lesson from '../../solutions/05-server/server.ts';
import type { Page } from './browser.ts';
import { FAINT } from './faint.ts';
import { withSandbox } from './sandbox.ts';
import { endCommands, ServeCommand } from './serve-command.ts';
import {
  quietly,
  serving,
  start,
  startCompressing,
  useBrowser,
  type Visit,
  visit,
  withBrowser,
} from './visit.ts';

useBrowser();
afterAll(endCommands);

withBrowser('the live wire', () => {
  test('shows the handshake, a masked text with its fields, and the Close', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.send('Hello');
      await visitor.heard('Hello');
      await visitor.close('4000', 'bye');
      const shown = await visitor.wire('The TCP connection is gone.');
      for (const text of [
        /GET \/echo HTTP\/1\.1/,
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
      await visitor.page.load(await visitor.page.evaluate(`${link}.href`));
      const { page } = visitor;
      expect(await page.evaluate('location.pathname + location.hash')).toBe(
        '/lessons/02-reading-frames/README.md#step-3',
      );
      const step = `document.querySelector(':target')`;
      expect(await page.evaluate(`${step}.textContent`)).toBe('Step 3 · Unmasking');
      // It's there to be read, and the pictures of the lesson are as well.
      await page.until(`${step}.getBoundingClientRect().top < innerHeight`);
      await page.until('[...document.images].every(({ naturalWidth }) => naturalWidth > 0)');
      expect(await page.evaluate('document.images.length')).toBeGreaterThan(0);
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

  test('shows a handshake byte by byte', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.wire('101 Switching Protocols');
      await visitor.page.click('[data-direction="out"] summary');
      const shown = await visitor.wire('Sec-WebSocket-Accept: ');
      const [, accept = ''] = /(Sec-WebSocket-Accept: \S+=)/.exec(shown) ?? [];
      const hex = Buffer.from(`${accept}\r\n`)
        .toString('hex')
        .replace(/..(?=.)/g, '$& ');
      expect(shown).toContain(hex);
      expect(shown).toContain(`${accept}\\r\\n`);
      expect(shown).toMatch(/0d 0a\s+\\r\\n\s*$/);
    }));

  test('shows reads of one byte, as long as one wants them', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click('#cut');
      await visitor.wire(
        'From here on, the server gets what the browser sends in reads of one byte.',
      );
      await visitor.send('Hello');
      await visitor.wire('text · masked · 11 bytes · in 11 reads');
      await visitor.heard('Hello');
      await visitor.page.click('#cut');
      await visitor.wire('From here on, the server gets what the browser sends as it arrives.');
      await visitor.send('World');
      await visitor.heard('World');
      const shown = await visitor.wire('payload "World"');
      expect(shown.match(/text · masked .*/g)).toEqual([
        'text · masked · 11 bytes · in 11 reads',
        'text · masked · 11 bytes',
      ]);
    }));

  test('cuts the beginning of a long read, and goes on with the rest', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click('#cut');
      await visitor.wire('only the first 1,024 bytes are cut.');
      await visitor.page.click('[data-bytes="1048576"]');
      expect(await visitor.heard('00 01 02 03')).toMatchObject({
        details: 'binary, 1,048,576 bytes',
      });
    }));

  test('shows a Ping on demand, and the Pong of the browser', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click('#ping');
      const shown = await visitor.wire('pong · masked · 20 bytes');
      expect(shown).toMatch(/server → browser\s+ping · not masked · 16 bytes/);
      expect(shown.match(/payload "Are you there\?"/g)).toHaveLength(2);
    }));

  test('shows a Ping between two fragments', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.page.click('#ping-between');
      await visitor.wire('continuation · not masked · 18 bytes');
      const shown = await visitor.wire('pong · masked · 20 bytes');
      const sent = [...shown.matchAll(/server → browser\s+(\S+) · (?:more|not)/g)];
      const kinds = sent.map(([, kind]) => kind);
      // How many fragments are in the first write is the server's business.
      expect(kinds.join(' ')).toMatch(/^text( continuation)* ping( continuation)+$/);
    }));

  test('shows both Closes, and who closes the TCP connection first', () =>
    quietly(async (visitor) => {
      await visitor.connect();
      await visitor.close('4000', 'bye');
      const shown = await visitor.wire('The TCP connection is gone.');
      expect(shown.replaceAll(/\s+/g, ' ')).toMatch(
        /browser → server close · masked .* server → browser close · not masked .* server → browser closes its side of the TCP connection first .* browser → server closes its side of the TCP connection, too/,
      );
    }));

  test('shows all of a text that is short, and marks where it cuts another', () =>
    quietly(async (visitor) => {
      const text = '小明: 大家好 😀🎉, and on to the end of it';
      await visitor.connect();
      await visitor.send(text);
      await visitor.wire(`payload "${text}"`);
      await visitor.send('long '.repeat(100));
      await visitor.wire('payload "long long long long long"… (500 bytes)');
    }));

  test.each([
    [1280, 800],
    [1440, 900],
    [390, 844],
  ])('is in sight after sending, at %i × %i', (width, height) =>
    quietly(async (visitor) => {
      await visitor.page.resize(width, height);
      await visitor.connect();
      await visitor.send('Hello');
      await visitor.page.until(`wire.innerText.split('payload "Hello"').length === 3`);
      const [top, bottom] = await visitor.page.evaluate<[number, number]>(
        `(({ top, bottom }) => [top, bottom])(wire.lastElementChild.getBoundingClientRect())`,
      );
      expect(top).toBeGreaterThanOrEqual(0);
      expect(bottom).toBeLessThanOrEqual(height);
      // And there is enough of it to be read.
      const room = await visitor.page.evaluate('wire.clientHeight');
      expect(room).toBeGreaterThan(0.4 * height);
    }),
  );

  test('pauses on demand, and says how much has passed', () =>
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

  test('shows a new connection, also to somebody who has gone up to look at the last one', () =>
    quietly(async (visitor) => {
      const { page } = visitor;
      await visitor.connect();
      await visitor.wire('101 Switching Protocols');
      await page.evaluate(
        'for (const details of wire.querySelectorAll("details")) details.open = true; wire.scrollTop = 0',
      );
      await visitor.close('1000', '');
      await page.until(`document.querySelector('#state').dataset.state === '3'`);
      await page.evaluate('wire.scrollTop = 0');
      await visitor.connect();
      await page.until(`wire.querySelectorAll('[data-kind="head"]').length === 4`);
      const below = 'wire.scrollHeight - wire.scrollTop - wire.clientHeight';
      expect(await page.evaluate<number>(below)).toBeLessThan(40);
    }));
});

withBrowser('compression', () => {
  const parts = (until: string) =>
    SHOWN_REFERENCE.map((part) => (part.number === '07' ? { ...part, until } : part));
  const shown = (page: Page) =>
    page.evaluate<string[]>(
      `['compression', 'as-is'].map((id) => document.getElementById(id).parentElement).filter((label) => label.checkVisibility()).map(({ innerText }) => innerText.trim())`,
    );

  /** Opens a page of a server that compresses, and leaves both in the end. */
  async function compressed(act: (visitor: Visit) => Promise<void>, until = ''): Promise<void> {
    const own = await startCompressing(parts(until));
    const visitor = await visit(own.url, SHOWN_REFERENCE.length);
    await act(visitor);
    expect(visitor.page.complaints).toEqual([]);
    await own.stop();
  }

  test('shows Hello twice: packed and plain, and what the second takes from the first', () =>
    compressed(async (visitor) => {
      const { page } = visitor;
      await visitor.connect();
      await visitor.send('Hello');
      await visitor.heard('Hello');
      await visitor.send('Hello');
      const text = await visitor.wire('4 bytes from 5 back');
      for (const line of [
        /Compression: both sides can refer back 32 KiB, into earlier messages too\./,
        /Sec-WebSocket-Extensions: permessage-deflate\s+lesson\s+07 · step 2/,
        /browser → server\s+text · compressed · masked · 13 bytes/,
        /c1\s+FIN=1 RSV=100 opcode=1 \(text\), compressed/,
        /7 bytes packed, 5 bytes plain\s+f2 48 cd c9 c9 07 00\s+→\s+"Hello"/,
        /5 bytes packed, 5 bytes plain\s+f2 00 11 00 00\s+→\s+"Hello"/,
        /fixed codes, 31 bits: 1 literal and 1 reference/,
      ]) {
        expect(text).toMatch(line);
      }
      // The line begins below the copy, and its arrow is below the source.
      const drawing = `wire.querySelector('.strip')`;
      expect(await page.evaluate(`${drawing}.getAttribute('aria-label')`)).toBe(
        'Hello│Hello: 4 bytes from 5 back',
      );
      const [copy, source] = await page.evaluate<[number, number]>(
        `[...${drawing}.querySelectorAll('.mark')].map((mark) => mark.getBoundingClientRect()).map(({ x, width }) => x + width / 2).reverse()`,
      );
      const [left, right] = await page.evaluate<[number, number]>(
        `(({ left, right }) => [left, right])(${drawing}.querySelector('.reference').getBoundingClientRect())`,
      );
      expect(Math.abs(left - source)).toBeLessThan(2);
      expect(Math.abs(right - copy)).toBeLessThan(2);
    }));

  test('is what a page asks for with a box, which is off while only the reference fills in', () =>
    compressed(async (visitor) => {
      const { page } = visitor;
      expect(await shown(page)).toEqual(['Compression']);
      const box = `document.querySelector('#compression').checked`;
      expect(await page.evaluate(box)).toBe(false);
      await visitor.connect();
      await visitor.send('Hello');
      const text = await visitor.wire('payload "Hello"');
      expect(text).toContain('No compression: the response does not agree on any.');
      expect(text).toContain('GET /echo HTTP/1.1');
      await visitor.close('1000', '');
      await visitor.logged('close');
      await page.click('#clear-wire');
      await page.click('#compression');
      expect(await shown(page)).toEqual(['Compression', 'Its messages without compression']);
      await visitor.connect();
      await visitor.send('Hello');
      await visitor.wire('7 bytes packed, 5 bytes plain');
    }, 'until step 1 passes'));

  test('is switched off for what the server sends', () =>
    compressed(async (visitor) => {
      await visitor.connect();
      const text = 'one and two and three and four and one and two';
      await visitor.page.click('#as-is');
      await visitor.wire('From here on, the server sends messages as they are: RSV1 is 0.');
      await visitor.send(text);
      await visitor.heard(text);
      expect(await visitor.wire(`payload "${text}"`)).toMatch(
        /server → browser\s+text · not masked/,
      );
      await visitor.page.click('#as-is');
      await visitor.wire('From here on, the server sends messages compressed');
      await visitor.send(text);
      await visitor.wire('text · compressed · not masked');
    }));

  test('is not spoken of where the server has none', () =>
    quietly(async (visitor) => {
      expect(await shown(visitor.page)).toEqual([]);
      await visitor.connect();
      expect(await visitor.wire('101 Switching Protocols')).not.toContain('ompression');
    }));

  test.each([360, 1280])('is no wider than a screen of %i pixels, and easy to read', (width) =>
    compressed(async (visitor) => {
      const { page } = visitor;
      await page.resize(width, 740);
      await visitor.connect();
      const text = 'to be or not to be, 你好，世界';
      for (let i = 0; i < 2; i++) await visitor.send(text);
      await page.until(`wire.querySelectorAll('.strip').length > 0`);
      for (const scheme of ['light', 'dark'] as const) {
        await page.prefer(scheme);
        expect(await page.evaluate(FAINT), scheme).toEqual([]);
      }
      const wide = await page.evaluate('document.scrollingElement.scrollWidth');
      expect(wide).toBeLessThanOrEqual(width);
    }),
  );
});

withBrowser('a lesson', () => {
  test.each([360, 1280])('is no wider than a screen of %i pixels, and easy to read', (width) =>
    quietly(async ({ page }) => {
      await page.resize(width, 740);
      for (const { number } of LESSONS) {
        await page.load(`${serving.url}/lessons/${number}`);
        await page.until('[...document.images].every(({ naturalWidth }) => naturalWidth > 0)');
        await page.evaluate(
          'for (const details of document.querySelectorAll("details")) details.open = true',
        );
        // A phone would zoom out to show all of what is wider, so its own width says nothing.
        expect(await page.evaluate('document.scrollingElement.scrollWidth')).toBeLessThanOrEqual(
          width,
        );
        for (const scheme of ['light', 'dark'] as const) {
          await page.prefer(scheme);
          expect(await page.evaluate(FAINT), scheme).toEqual([]);
        }
      }
    }),
  );
});

withBrowser('whose code is at work', () => {
  test('is said for each lesson, and changes by itself', async () => {
    const own = await start();
    const visitor = await visit(own.url);
    const lines = `[...lessons.children].map(({ innerText }) => innerText)`;
    expect(await visitor.page.evaluate(`${lines}[0]`)).toBe('01 Handshake: reference');
    const change = { isYours: true, until: '' };
    own.tell(REFERENCE.map((part) => (part.number === '01' ? { ...part, ...change } : part)));
    await visitor.page.until(`${lines}[0] === '01 Handshake: yours'`);
    expect(await visitor.page.evaluate(`${lines}[4]`)).toBe('05 The server: reference');
    expect(visitor.page.complaints).toEqual([]);
    await own.stop();
  });

  test('a page comes back to a server that comes back, and to its connection', async () => {
    const own = await start();
    const visitor = await visit(own.url);
    await visitor.connect();
    await own.stop();
    await visitor.logged('close', 'code 1001');
    const again = await start(lesson, own.port);
    await visitor.logged('note', 'The server is back, so this page connects again.');
    await visitor.page.until(`document.querySelector('#state').dataset.state === '1'`);
    await visitor.send('still here');
    await visitor.heard('still here');
    await again.stop();
  });

  test("a learner's lesson joins those of the reference while the page is open", () =>
    withSandbox(async (sandbox) => {
      sandbox.solve('01');
      const command = new ServeCommand(sandbox.folder, '--port', '0');
      const visitor = await visit(await command.isChecked(), 6);
      const lines = `[...lessons.children].map(({ innerText }) => innerText)`;
      await visitor.page.until(`${lines}[0] === '01 Handshake: yours'`);
      expect(await visitor.page.evaluate(lines)).toEqual([
        '01 Handshake: yours',
        '02 Reading frames: reference until step 1 passes',
        '03 Sending frames: reference until step 1 passes',
        '04 Closing: reference until step 1 passes',
        '05 The server: reference until lessons 01 to 04 pass',
        '07 Compression: reference until lessons 01 to 06 pass',
      ]);
      await visitor.connect();
      sandbox.solve('02');
      await visitor.page.until(`${lines}[1] === '02 Reading frames: yours'`);
      await visitor.page.until(`document.querySelector('#state').dataset.state === '1'`);
      await visitor.send('still here');
      await visitor.heard('still here');
      await command.end('SIGTERM');
    }));
});
