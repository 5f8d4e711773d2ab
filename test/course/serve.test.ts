/** What `npm run serve` serves, and what its wire shows, without a browser. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { join as joinBytes, utf8, wire } from '../../shared/kit/frames.ts';
import { type CutFrame, FrameCutter, KEPT_BYTES } from '../../shared/serve/cutter.ts';
import { explain } from '../../shared/serve/explain.ts';
import { hasStep } from '../../shared/serve/files.ts';
import { Observers } from '../../shared/serve/observers.ts';
import { REFERENCE } from '../../shared/serve/parts.ts';
import { Rooms } from '../../shared/serve/rooms.ts';
import { PROTOCOLS, type Serving, serve } from '../../shared/serve/server.ts';
import { type Direction, frameStep, headStep } from '../../shared/serve/steps.ts';
import { frameEvent, type WireEvent } from '../../shared/serve/wire-event.ts';
import * as lesson from '../../solutions/05-server/server.ts';
import { ask, open, statusOf } from './visitor.ts';

const TAP = '0b8ee2ae-7ee5-4a43-9c2c-2ac6a3d3a5a1';

/** Opens a link as a page does, and keeps what the server tells. The first event is there. */
async function openLink(url: string): Promise<{ link: WebSocket; events: readonly WireEvent[] }> {
  const link = new WebSocket(`${url.replace('http', 'ws')}/wire?tap=${TAP}`);
  const events: WireEvent[] = [];
  link.on('message', (data) => events.push(JSON.parse(String(data)) as WireEvent));
  while (events.length === 0) await once(link, 'message');
  return { link, events };
}

describe('what is served', () => {
  const reports: unknown[] = [];
  let serving: Serving;
  beforeAll(async () => {
    const report = (error: unknown) => reports.push(error);
    serving = await serve({ lesson, parts: REFERENCE, port: 0, report });
  });
  afterAll(async () => {
    expect(await serving.stop()).toBe(true);
    expect(reports).toEqual([]);
  });

  test.each([
    '/',
    '/page.js',
    '/page.css',
    '/icon.svg',
    '/lessons/02.3',
    '/lessons/02-reading-frames/README.md',
    '/lessons/02-reading-frames/frame.svg',
    '/nothing',
  ])('the headers of %s keep everything else out', async (path) => {
    const [{ headers }] = await ask(serving.url + path);
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' ws://127.0.0.1:${serving.port}; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`,
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });

  test.each(LESSONS.map(({ name }) => name))(
    'everything that %s links to is there',
    async (name) => {
      const page = `${serving.url}/lessons/${name}/README.md`;
      const [{ statusCode, headers }, html] = await ask(page);
      expect([statusCode, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      const targets = [...html.matchAll(/ (?:href|src)="([^"#]+)[^"]*"/g)].map(
        ([, url = '']) => url,
      );
      const own = targets
        .map((url) => new URL(url, page))
        .filter(({ origin }) => origin === serving.url);
      expect(own.length).toBeGreaterThan(LESSONS.length);
      for (const { href } of own) expect((await ask(href))[0].statusCode, href).toBe(200);
    },
  );

  test('a step is a place in its lesson', async () => {
    const [{ statusCode, headers }] = await ask(`${serving.url}/lessons/02.3`);
    expect([statusCode, headers.location]).toEqual([
      302,
      '/lessons/02-reading-frames/README.md#step-3',
    ]);
    const [, html] = await ask(serving.url + headers.location);
    expect(html).toContain('<h2 id="step-3">Step 3 · Unmasking</h2>');
  });

  test('the page names the subprotocols that there are', async () => {
    const [, html] = await ask(serving.url);
    const named = [...html.matchAll(/<option value="(.*)">/g)].map(([, name = '']) => name);
    expect(named.toSorted()).toEqual([...PROTOCOLS].toSorted());
  });

  test.each([
    '/nothing',
    '/index.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '/lessons/09.1',
    '/lessons/02.99',
    '/lessons/02-reading-frames/',
    '/lessons/02-reading-frames/reading.test.ts',
    '/lessons/02-reading-frames/..%2f..%2fpackage.json',
    '/lessons/02/README.md',
    '/served.txt',
    '/constructor',
    '/echo',
    '//',
  ])('%s is not there', async (path) => {
    const { hostname, port } = new URL(serving.url);
    const sent = request({ hostname, port, path, agent: false }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(404);
  });

  test('only GET and HEAD', async () => {
    const [head, nothing] = await ask(serving.url, 'HEAD');
    expect([head.statusCode, nothing]).toEqual([200, '']);
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const [answer] = await ask(serving.url, method);
      expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    }
  });

  test('under no other name, or a page elsewhere could call itself one of ours', async () => {
    const host = (name: string) => ({ host: `${name}:${serving.port}` });
    expect((await ask(serving.url, 'GET', host('localhost')))[0].statusCode).toBe(200);
    expect((await ask(serving.url, 'GET', host('evil.example')))[0].statusCode).toBe(421);
    expect((await ask(serving.url, 'GET', { host: '127.0.0.1' }))[0].statusCode).toBe(421);
    expect(await statusOf(`${serving.url}/echo`, host('evil.example'))).toBe(421);
    expect(await statusOf(`${serving.url}/echo`, host('localhost'))).toBe(101);
  });

  test.each(['/echo', '/chat', `/wire?tap=${TAP}`])(
    '%s is for our own pages only',
    async (path) => {
      const url = serving.url + path;
      const statuses = [
        await statusOf(url),
        await statusOf(url, { origin: serving.url }),
        await statusOf(url, { origin: `http://localhost:${serving.port}` }),
        await statusOf(url, { origin: 'http://evil.example' }),
        await statusOf(url, { origin: `https://127.0.0.1:${serving.port}` }),
        await statusOf(url, { origin: 'null' }),
      ];
      expect(statuses).toEqual([101, 101, 101, 403, 403, 403]);
    },
  );

  test('a target that is no URL does not make a room throw', () => {
    const sent: unknown[] = [];
    const connection = { send: (data: unknown) => sent.push(data) } as unknown as lesson.Connection;
    const { handle } = new Rooms();
    for (const resource of ['//[', '/chat?room=a?b&name=Ada']) {
      const upgrade = { resource, key: '', origin: undefined, protocols: [] };
      handle(connection, { type: 'open', upgrade, protocol: undefined });
    }
    expect(sent).toEqual(['· Ada has joined “a?b”, 1 here']);
  });

  test('no WebSocket where there is none', async () => {
    expect(await statusOf(`${serving.url}/`)).toBe(404);
    expect(await statusOf(`${serving.url}/wired`)).toBe(404);
  });

  test('a tap shows its own connection, and nobody can take it over', async () => {
    const { link, events } = await openLink(serving.url);
    const thief = await open(`${serving.url}/wire?tap=${TAP}`);
    expect((await once(thief, 'close'))[0]).toBe(1008);

    const other = await open(`${serving.url}/echo`);
    const socket = await open(`${serving.url}/echo?tap=${TAP}`);
    other.send('not this');
    socket.send('this');
    await once(socket, 'message');
    socket.close();
    while (events.at(-1)?.kind !== 'end') await once(link, 'message');
    expect(events.map(({ kind }) => kind)).toEqual([
      'lessons',
      'head',
      'head',
      'frame',
      'frame',
      'frame',
      'frame',
      'half close',
      'half close',
      'end',
    ]);
    expect(JSON.stringify(events)).not.toContain('not this');
    for (const each of [link, other]) each.terminate();
  });

  test('a tap shows an answer that says no, with its text', async () => {
    const { link, events } = await openLink(serving.url);
    expect(await statusOf(`${serving.url}/nowhere?tap=${TAP}`)).toBe(404);
    while (events.at(-1)?.kind !== 'end') await once(link, 'message');
    expect(events[2]).toMatchObject({ kind: 'head', direction: 'out' });
    expect(events[2]).toHaveProperty('lines.0.text', expect.stringMatching(/^HTTP\/1\.1 404 /));
    link.terminate();
  });
});

test('where there is no reference, the lesson shows its own wire', async () => {
  let made = 0;
  class Counted extends lesson.WebSocketServer {
    constructor(...options: ConstructorParameters<typeof lesson.WebSocketServer>) {
      super(...options);
      made++;
    }
  }
  const own = { WebSocketServer: Counted };
  const report = () => {};
  const serving = await serve({ lesson: own, wire: own, parts: REFERENCE, port: 0, report });
  const { link, events } = await openLink(serving.url);
  expect(events[0]?.kind).toBe('lessons');
  link.terminate();
  await serving.stop();
  expect(made).toBe(2);
});

describe('frames cut out of a stream', () => {
  const frames = [
    wire({ opcode: 1, payload: 'Hello' }),
    wire({ opcode: 9, payload: '', key: null }),
    wire({ opcode: 2, payload: new Uint8Array(300) }),
    wire({ opcode: 8, payload: joinBytes(Uint8Array.of(3, 232), utf8('x'.repeat(123))) }),
    wire({ opcode: 2, payload: new Uint8Array(70_000), key: null }),
    wire({ opcode: 1, payload: 'x'.repeat(125) }),
  ];
  const stream = joinBytes(...frames);
  const expected = frames.map((frame) => ({
    arrived: frame.length,
    size: frame.length,
    bytes: frame.length > 139 ? frame.slice(0, KEPT_BYTES) : frame,
  }));

  test.each([1, 2, 3, 7, 40, 1000, stream.length])('in reads of %i bytes', (size) => {
    const cutter = new FrameCutter();
    const found: CutFrame[] = [];
    for (let at = 0; at < stream.length; at += size) {
      found.push(...cutter.push(stream.slice(at, at + size)));
    }
    expect(found.map(({ reads, ...frame }) => frame)).toEqual(expected);
    expect(cutter.end()).toBeUndefined();
    // The number of reads that have a byte of it.
    let start = 0;
    for (const [i, { length }] of frames.entries()) {
      const last = Math.floor((start + length - 1) / size);
      expect(found[i]?.reads).toBe(last - Math.floor(start / size) + 1);
      start += length;
    }
  });

  test('one that is never completed is shown in the end, as far as it came', () => {
    const cutter = new FrameCutter();
    cutter.push(frames[0]!.subarray(0, 8));
    const cut = cutter.end()!;
    expect(cut.bytes).toEqual(frames[0]!.subarray(0, 8));
    const event = frameEvent('in', cut);
    expect(event).toHaveProperty('fields.3.meaning', 'payload "He", 3 more bytes to come');
    expect(event).toHaveProperty('summary', 'text · masked · 11 bytes · cut off after 8');
  });

  test('nothing is said of a mask that has not arrived', () => {
    const cutter = new FrameCutter();
    cutter.push(frames[0]!.subarray(0, 1));
    expect(frameEvent('in', cutter.end()!)).toHaveProperty('summary', 'text · 1 bytes');
  });

  test('the payload of a shortened one has its real length, and the start of its text', () => {
    const [frame] = new FrameCutter().push(wire({ opcode: 1, payload: '世'.repeat(30_000) }));
    expect(frameEvent('in', frame!)).toMatchObject({
      summary: 'text · masked · 90,014 bytes',
      fields: { length: 5, 4: { meaning: 'payload "世世世世世世世世"… (90000 bytes)' } },
    });
  });

  test('a text that reads like the words of the viewer stays as it is', () => {
    const [frame] = new FrameCutter().push(
      wire({ opcode: 1, payload: 'a (5 bytes) b'.repeat(20) }),
    );
    expect(frameEvent('in', frame!)).toHaveProperty(
      'fields.4.meaning',
      'payload "a (5 bytes) ba (5 bytes)"… (260 bytes)',
    );
  });

  test('what breaks a rule is marked', () => {
    const [frame] = new FrameCutter().push(Uint8Array.of(0xc1, 0x00));
    expect(frameEvent('out', frame!)).toHaveProperty('fields.0.problem', 'an RSV bit is set');
  });
});

test('every field and line leads to a step that exists', () => {
  const names = ['first byte', 'second byte', 'length', 'masking key', 'payload'];
  const directions: readonly Direction[] = ['in', 'out'];
  const steps = directions.flatMap((direction) => [
    ...names.flatMap((name) =>
      Array.from({ length: 32 }, (_, i) =>
        frameStep({ direction, name, opcode: i & 15, fin: i >= 16, length7: 0 }),
      ),
    ),
    headStep(direction, 'GET /echo HTTP/1.1', 0),
    ...['Host', 'Upgrade', 'Sec-WebSocket-Key', 'sec-websocket-accept', 'Origin'].map((name) =>
      headStep(direction, `${name}: x`, 1),
    ),
  ]);
  for (const step of new Set(steps)) {
    const [number, index] = step?.split('.') ?? [];
    const found = LESSONS.find((candidate) => candidate.number === number);
    expect(hasStep(found!, Number(index)), step).toBe(true);
  }
  expect(headStep('in', 'Cookie: x', 3)).toBeUndefined();
  expect(headStep('in', 'Upgrade: websocket', 3)).toBe('01.3');
  expect(headStep('out', 'Upgrade: websocket', 3)).toBe('01.5');
});

test.each([
  [0, '02.1', '03.1'],
  [125, '02.1', '03.1'],
  [126, '02.2', '03.2'],
  [127, '02.2', '03.2'],
])('a second byte that says %i leads to the steps %s and %s', (length7, read, sent) => {
  const bytes = new Uint8Array([0x82, length7, ...new Uint8Array(8), 0, 0]);
  const cut = { bytes, size: bytes.length, arrived: bytes.length, reads: 1 };
  expect(frameEvent('in', cut)).toHaveProperty('fields.1.step', read);
  expect(frameEvent('out', cut)).toHaveProperty('fields.1.step', sent);
});

test('an observer that does not keep up hears how much it has missed', () => {
  const observers = new Observers(REFERENCE);
  const sent: WireEvent[] = [];
  let hasRoom = true;
  const connection = {
    send: (text: string) => {
      sent.push(JSON.parse(text) as WireEvent);
      return hasRoom;
    },
  } as unknown as lesson.Connection;
  const upgrade = { key: '', resource: `/wire?tap=${TAP}`, origin: undefined, protocols: [] };
  observers.handle(connection, { type: 'open', upgrade, protocol: undefined });
  const observer = observers.find(`/echo?tap=${TAP}`)!;
  hasRoom = false;
  for (let i = 0; i < 100; i++) observer.send({ kind: 'end', time: i });
  // The first one, that of the lessons, found room.
  expect(sent).toHaveLength(2);
  hasRoom = true;
  observers.handle(connection, { type: 'drain' });
  observer.send({ kind: 'end', time: 100 });
  expect(sent.slice(2)).toMatchObject([
    { kind: 'gap', count: 99 },
    { kind: 'end', time: 100 },
  ]);
  observers.handle(connection, { type: 'close', code: 1000, reason: '', wasClean: true });
  expect(observers.find(`/echo?tap=${TAP}`)).toBeUndefined();
});

test('what was thrown becomes one line', () => {
  expect(explain('tantrum')).toBe('Your code threw tantrum, which is not an Error.');
  const error = new RangeError('Too long.');
  error.stack = `RangeError: Too long.\n    at f (file://${ROOT}lessons/05-server/server.ts:12:3)`;
  expect(explain(error)).toBe('RangeError: Too long. (lessons/05-server/server.ts:12:3)');
});
