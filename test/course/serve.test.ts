/** What `npm run serve` serves, and what its wire shows, without a browser. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { join as joinBytes, utf8, wire } from '../../shared/kit/frames.ts';
import { agreementIn, sayAgreement } from '../../shared/serve/agreement.ts';
import { type CutFrame, FrameCutter, KEPT_BYTES } from '../../shared/serve/cutter.ts';
import { explain } from '../../shared/serve/explain.ts';
import { hasStep } from '../../shared/serve/files.ts';
import { type Observer, Observers } from '../../shared/serve/observers.ts';
import { REFERENCE, SHOWN_REFERENCE } from '../../shared/serve/parts.ts';
import { Rooms } from '../../shared/serve/rooms.ts';
import { PROTOCOLS, type Serving, serve } from '../../shared/serve/server.ts';
import { type Direction, frameStep, headStep } from '../../shared/serve/steps.ts';
import { tapSocket, type UpgradeRequest } from '../../shared/serve/tap.ts';
import { frameEvent, type WireEvent } from '../../shared/serve/wire-event.ts';
import { count } from '../../shared/view/count.ts';
import { fromHex } from '../../shared/view/hex.ts';
import * as lesson from '../../solutions/05-server/server.ts';
import * as compression from '../../solutions/07-compression/compression.ts';
import { ask, open, statusOf } from './visitor.ts';

const TAP = '0b8ee2ae-7ee5-4a43-9c2c-2ac6a3d3a5a1';

/** Opens a link as a page does, and keeps what the server tells. The first event is there. */
async function openLink(
  url: string,
  tap = TAP,
): Promise<{ link: WebSocket; events: readonly WireEvent[] }> {
  const link = new WebSocket(`${url.replace('http', 'ws')}/wire?tap=${tap}`);
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
    '/lessons/10.1',
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

describe('with compression', () => {
  let serving: Serving;
  beforeAll(async () => {
    const report = (error: unknown) => {
      throw error;
    };
    const parts = SHOWN_REFERENCE;
    serving = await serve({ lesson, compression, parts, port: 0, report });
  });
  afterAll(() => serving.stop());

  /** A client of the echo that compresses all that it sends, and whose wire is shown. */
  async function openEcho(query = '') {
    const tap = randomUUID();
    const { link, events } = await openLink(serving.url, tap);
    const url = `${serving.url.replace('http', 'ws')}/echo?tap=${tap}${query}`;
    const socket = new WebSocket(url, { perMessageDeflate: { threshold: 0 } });
    await once(socket, 'open');
    /** Says something, and returns the frames of that and of the answer. */
    const echo = async (data: string) => {
      const frames = () => events.filter((event) => event.kind === 'frame');
      const before = frames().length;
      socket.send(data);
      expect(String((await once(socket, 'message'))[0])).toBe(data);
      // What is on the wire is told on another connection.
      while (frames().length < before + 2) await once(link, 'message');
      return frames().slice(before);
    };
    const end = () => {
      for (const each of [link, socket]) each.terminate();
    };
    return { link, events, echo, end };
  }

  test('both sizes, what is packed and what is plain, and references into messages before', async () => {
    const { events, echo, end } = await openEcho();
    const [first] = await echo('Hello');
    expect(first).toMatchObject({
      summary: 'text · compressed · masked · 13 bytes',
      fields: [{ step: '07.6' }, {}, {}, { meaning: 'payload f2 48 cd c9 c9 07 00', step: '07.4' }],
      message: {
        sizes: '7 bytes packed, 5 bytes plain',
        hex: 'f2 48 cd c9 c9 07 00',
        plain: '"Hello"',
      },
    });
    expect(first).not.toHaveProperty('message.strip');
    const [second] = await echo('Hello');
    expect(second).toMatchObject({
      message: {
        hex: 'f2 00 11 00 00',
        plain: '"Hello"',
        strip: { says: ['4 bytes from 5 back'] },
      },
    });
    const text = 'to be or not to be, to be or not to be';
    const [, third] = await echo(text);
    expect(third).toMatchObject({
      summary: expect.stringMatching(/^text · compressed · not masked · /),
      fields: [{ step: '07.7' }, {}, { step: '07.3' }],
      message: { plain: `"${text}"` },
    });
    expect(events.filter(({ kind }) => kind === 'head')[1]).toMatchObject({
      agreement: 'Compression: both sides can refer back 32 KiB, into earlier messages too.',
    });
    end();
  });

  test('messages in many reads and of many fragments, up to a megabyte', async () => {
    const { link, echo, end } = await openEcho();
    link.send('reads of one byte');
    const noise = Array.from({ length: 1000 }, (_, i) => (i * 2654435761) >>> 0).join();
    const [first] = await echo(noise);
    expect(first?.message?.sizes).toBe(
      `${(first?.size ?? 0) - 8} bytes packed, ${count(noise.length, 'byte')} plain`,
    );
    link.send('reads as they arrive');
    const [, answer] = await echo('z'.repeat(1_000_000));
    expect(answer?.message?.sizes).toMatch(/^\d{3,4} bytes packed, 1,000,000 bytes plain$/);
    expect(answer?.message?.plain).toBe(`"${'z'.repeat(64)}"… (1,000,000 bytes)`);
    end();
  });

  test('the server sends as it is what the page wants so, and stays out of the window', async () => {
    const { link, events, echo, end } = await openEcho();
    const long = 'one and two and three and four';
    link.send('messages as they are');
    while (events.at(-1)?.kind !== 'compressing') await once(link, 'message');
    const [received, sent] = await echo(long.repeat(3));
    expect(received).toHaveProperty('message');
    expect(sent).not.toHaveProperty('message');
    expect(sent).toHaveProperty('fields.0.meaning', 'FIN=1 RSV=000 opcode=1 (text)');
    link.send('compressed messages');
    while (events.at(-1)?.kind !== 'compressing') await once(link, 'message');
    const [, packed] = await echo(long.repeat(3));
    expect(packed).toHaveProperty('message.plain');
    // Nothing of the first is there to refer to.
    expect(JSON.stringify(packed)).not.toContain('"isBefore":true');
    end();
  });

  test('a Ping still finds two fragments of a long message to leave between', async () => {
    const { link, events, echo, end } = await openEcho();
    link.send('ping between fragments');
    while (events.at(-1)?.kind !== 'ping waits') await once(link, 'message');
    await echo('z'.repeat(1_000_000));
    const kinds = () =>
      events
        .filter((event) => event.kind === 'frame' && event.direction === 'out')
        .map((event) => 'summary' in event && event.summary.replace(/ · not.*/, ''))
        .join(', ')
        .replaceAll(' · more to follow', '');
    while (!/, continuation$/.test(kinds()) || !kinds().includes('ping')) {
      await once(link, 'message');
    }
    expect(kinds()).toMatch(/^text(, continuation)*, ping(, continuation)+$/);
    end();
  });

  test('a connection that wants none has none, and the request does not show that wish', async () => {
    const { events, echo, end } = await openEcho('&compression=off');
    const frames = await echo('Hello');
    for (const frame of frames) expect(frame).not.toHaveProperty('message');
    const [request, response] = events.filter(({ kind }) => kind === 'head');
    expect(request).toHaveProperty('lines.0.text', 'GET /echo HTTP/1.1');
    expect(response).toHaveProperty(
      'agreement',
      'No compression: the response does not agree on any.',
    );
    end();
  });

  test('both servers say goodbye', async () => {
    const report = () => {};
    const own = await serve({ lesson, compression, parts: SHOWN_REFERENCE, port: 0, report });
    const sockets = [await open(`${own.url}/echo`), await open(`${own.url}/echo?compression=off`)];
    expect(sockets.map(({ extensions }) => extensions)).toEqual(['permessage-deflate', '']);
    const codes = sockets.map(async (socket) => (await once(socket, 'close'))[0]);
    expect(await own.stop()).toBe(true);
    expect(await Promise.all(codes)).toEqual([1001, 1001]);
  });

  test.each([
    ['', false, 'permessage-deflate', ''],
    ['', true, 'permessage-deflate', ''],
    ['until step 1 passes', false, '', ' The reference serves this connection.'],
  ])(
    'if the reference is used for it %j, and lesson 01 is the learner’s: %j, others get %j',
    async (until, isYours, others, whose) => {
      const parts = SHOWN_REFERENCE.map((part) => {
        if (part.number === '07') return { ...part, until, isYours };
        return { ...part, isYours: isYours || until !== '' };
      });
      const report = () => {};
      const own = await serve({ lesson, compression, parts, port: 0, report });
      const { link, events } = await openLink(own.url);
      const asked = await open(`${own.url}/echo?tap=${TAP}&compression=on`);
      const other = await open(`${own.url}/echo`);
      expect([asked.extensions, other.extensions]).toEqual(['permessage-deflate', others]);
      while (events.filter(({ kind }) => kind === 'head').length < 2) await once(link, 'message');
      expect(events.filter(({ kind }) => kind === 'head')[1]).toHaveProperty(
        'agreement',
        `Compression: both sides can refer back 32 KiB, into earlier messages too.${whose}`,
      );
      for (const each of [link, asked, other]) each.terminate();
      await own.stop();
    },
  );
});

/** Taps a socket on which both sides say the same frames, behind a response with these extensions. */
function tapBoth(extensions: string, hex: string): Extract<WireEvent, { kind: 'frame' }>[] {
  const events: WireEvent[] = [];
  const observer = { send: (event: WireEvent) => events.push(event), fragmentLeaves: () => {} };
  const socket = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() });
  const request = { method: 'GET', url: '/echo', httpVersion: '1.1', rawHeaders: [] };
  const opening = { request, socket, head: new Uint8Array(0) } as unknown as UpgradeRequest;
  tapSocket(opening, observer as unknown as Observer);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: ${extensions}\r\n\r\n`,
  );
  socket.emit('data', fromHex(hex));
  socket.write(fromHex(hex));
  socket.emit('close');
  return events.filter((event) => event.kind === 'frame');
}

test('each side is unpacked as it has agreed to compress, up to what is not complete', () => {
  const HELLO_TWICE = 'c107 f248cdc9c90700 c105 f200110000';
  const plain = (extensions: string) =>
    tapBoth(extensions, `${HELLO_TWICE} c1 07 f2 48`).map(({ direction, message }) => {
      return `${direction} ${message?.plain || message?.problem}`;
    });
  const refused = 'it refers 5 bytes back, but only 1 byte comes before it here';
  const cut = ['in undefined', 'out undefined'];
  expect(plain('permessage-deflate; server_no_context_takeover')).toEqual([
    ...['in "Hello"', 'in "Hello"', 'out "Hello"', `out ${refused}`],
    ...cut,
  ]);
  expect(plain('permessage-deflate; client_no_context_takeover')).toEqual([
    ...['in "Hello"', `in ${refused}`, 'out "Hello"', 'out "Hello"'],
    ...cut,
  ]);
  expect(plain('x-other')).toEqual([...Array(2).fill(cut[0]), ...Array(2).fill(cut[1]), ...cut]);
});

test('what continues a compressed message is shown as packed bytes, and the message at its end', () => {
  const frames = tapBoth('permessage-deflate', '4103 f24824 0002 2424 8900 8001 24 8001 24');
  expect(frames.slice(0, 5).map(({ summary }) => summary)).toEqual([
    'text · compressed · more to follow · not masked · 5 bytes',
    'continuation · compressed · more to follow · not masked · 4 bytes',
    'ping · not masked · 2 bytes',
    'continuation · compressed · not masked · 3 bytes',
    'continuation · not masked · 3 bytes',
  ]);
  expect(frames[1]).toHaveProperty(
    'fields.2',
    expect.objectContaining({ meaning: 'payload 24 24', step: '07.4' }),
  );
  expect(frames.slice(0, 5).map(({ message }) => message?.hex)).toEqual([
    ...Array(3),
    'f2 48 24 24 24 24',
    undefined,
  ]);
  expect(frames[4]).toHaveProperty('fields.2.meaning', 'payload "$"');
});

test.each([
  ['', 'No compression: the response does not agree on any.'],
  [
    'permessage-deflate',
    'Compression: both sides can refer back 32 KiB, into earlier messages too.',
  ],
  [
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    'Compression: both sides can refer back 32 KiB, within one message.',
  ],
  [
    'permessage-deflate; server_max_window_bits=10; client_no_context_takeover; client_max_window_bits=8',
    'Compression: the browser can refer back 256 bytes, within one message, and the server 1 KiB, into earlier messages too.',
  ],
])('an answer of %j is said in one line', (extensions, line) => {
  const header = extensions && `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n${header}\r\n`;
  expect(sayAgreement(agreementIn(utf8(head)))).toBe(line);
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

  test('whole, where that is asked for, and as they were when they arrived', () => {
    const [frame] = [frames[2]!];
    const cutter = new FrameCutter();
    cutter.keepsWhole = true;
    const start = frame.slice(0, 200);
    cutter.push(start);
    start.fill(0);
    expect(cutter.push(frame.slice(200))[0]?.whole).toEqual(Buffer.from(frame));
    expect(new FrameCutter().push(frame)[0]).not.toHaveProperty('whole');
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
