import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { CATEGORIES } from '../../shared/conformance/cases/index.ts';
import { UTF8_TEXTS } from '../../shared/conformance/cases/utf8.ts';
import type { CaseResult } from '../../shared/conformance/model.ts';
import { OwnFrames } from '../../shared/conformance/own-frames.ts';
import { PeerFrames } from '../../shared/conformance/parser.ts';
import { renderReport } from '../../shared/conformance/report.ts';
import { runCase, runConformance, serverAt } from '../../shared/conformance/run.ts';
import { selectCases } from '../../shared/conformance/select.ts';
import { parseTarget } from '../../shared/conformance/target.ts';
import { close, ping, text } from '../../shared/conformance/vocabulary.ts';
import { ROOT } from '../../shared/course/lessons.ts';
import { join, wire } from '../../shared/kit/frames.ts';
import { fromHex, toHex } from '../../shared/view/hex.ts';
import { UTF8_GROUPS } from '../vectors/utf8.ts';
import { type Running, startServer } from './broken.ts';
import type { Fault } from './echo-endpoint.ts';
import { LAUNCH, scriptOf } from './sandbox.ts';

/** Everything but the large messages, of which a few will do. */
const MOST = ['1', '2', '3', '4', '5', '6', '7', '10', 'H', 'F', 'S', 'L', 'C', 'R'];
const SOME_LARGE = ['9.1.1', '9.2.3', '9.3.9', '9.5.6', '9.8.2'];

const LOCAL = '127.0.0.1';

/** Where a server listens that was given port 0. */
function urlOf(address: AddressInfo | string | null): string {
  return `ws://${LOCAL}:${(address as AddressInfo).port}/`;
}

/** The cases that are not OK, those that are not strict with a `~`. */
function notOk(results: readonly CaseResult[]): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'OK')
    .map(({ id, verdict }) => (verdict === 'FAILED' ? id : `${id}~`));
}

let good: Running;
beforeAll(async () => {
  good = await startServer();
});
afterAll(() => good.stop());

describe('the cases', () => {
  const cases = CATEGORIES.flatMap(({ cases }) => cases);
  const familySizes = (category: string) => {
    const sizes = new Map<string, number>();
    for (const { id } of CATEGORIES.find(({ id }) => id === category)?.cases ?? []) {
      const family = id.slice(0, id.lastIndexOf('.'));
      sizes.set(family, (sizes.get(family) ?? 0) + 1);
    }
    return Object.fromEntries(sizes);
  };

  test('have ids of their own, in order', () => {
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length);
    for (const { id, cases } of CATEGORIES) {
      const ids = cases.map((testCase) => testCase.id);
      expect(ids.every((caseId) => caseId.startsWith(`${id}.`))).toBe(true);
      const inOrder = [...ids].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      expect(ids).toEqual(inOrder);
    }
  });

  test('say what they are about', () => {
    for (const { title, section, expected } of cases) {
      expect(title).toMatch(/^\S.*[^.]$/);
      expect(section).toMatch(/^(RFC 7692 §)?\d+(\.\d+)*$/);
      expect(expected).toMatch(/^\S.*\.$/);
    }
  });

  test('are as many as the numbered suite has', () => {
    expect(familySizes('1')).toEqual({ '1.1': 8, '1.2': 8 });
    expect(familySizes('2')).toEqual({ 2: 11 });
    expect(familySizes('3')).toEqual({ 3: 7 });
    expect(familySizes('4')).toEqual({ '4.1': 5, '4.2': 5 });
    expect(familySizes('5')).toEqual({ 5: 20 });
    expect(Object.values(familySizes('6'))).toEqual([
      3, 4, 2, 4, 5, 11, 4, 2, 4, 3, 5, 8, 5, 10, 1, 3, 5, 5, 5, 7, 8, 34, 7,
    ]);
    expect(Object.values(familySizes('7'))).toEqual([6, 6, 1, 13, 9, 2]);
    expect(Object.values(familySizes('9'))).toEqual([6, 6, 9, 9, 6, 6, 6, 6]);
    expect(familySizes('10')).toEqual({ '10.1': 1 });
    expect(Object.values(familySizes('12'))).toEqual([18, 18, 18, 18, 18]);
    expect(Object.values(familySizes('13'))).toEqual([18, 18, 18, 18, 18, 18, 18]);
  });

  test.each(UTF8_GROUPS)('$id has the texts of the vectors', ({ id, valid, invalid }) => {
    const family = id.replace('utf8-', '');
    const texts = UTF8_TEXTS.filter((text) => text.id.startsWith(`${family}.`));
    const hexes = texts.map(({ payload }) => toHex(payload).replaceAll(' ', '')).sort();
    expect(hexes).toEqual([...valid, ...invalid].sort());
  });
});

describe.concurrent('a server', () => {
  test('that is right in everything is OK in everything', async () => {
    const results = await runConformance(good.url, { select: [...MOST, ...SOME_LARGE] });
    expect(notOk(results)).toEqual([]);
    expect(results.every(({ ending }) => /clean|refused|ours/.test(ending))).toBe(true);
  });

  test('of the library ws has these findings, each looked at by hand', async () => {
    const maxPayload = 16 * 1024 * 1024;
    const server = new WebSocketServer({ host: LOCAL, port: 0, maxPayload });
    server.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
    await once(server, 'listening');
    const url = urlOf(server.address());
    const results = await runConformance(url, { select: [...MOST, ...SOME_LARGE] });
    server.close();

    const [handshake, rest] = [true, false].map((inHandshake) =>
      notOk(results).filter((id) => id.startsWith('H.') === inHandshake),
    );
    // It checks UTF-8 when a message is whole.
    const utf8 = ['6.4.1~', '6.4.2~', '6.4.3~', '6.4.4~'];
    // It reads lengths in any form, and takes those with the highest bit for large ones.
    const lengths = [6, 7, 8, 9, 10, 11, 12, 15, 16].map((number) => `F.${number}~`);
    expect(rest).toEqual([...utf8, ...lengths]);
    // Node's own HTTP server reads the request, and may change with its version: a tab behind
    // Connection, HTTP/1.0, and a request without Host.
    expect(['H.20~', 'H.33', 'H.34']).toEqual(expect.arrayContaining(handshake ?? []));
  });
});

/** For servers that hang: each of these cases waits that long. */
const IMPATIENT = { answerMs: 700, endMs: 700, pauseMs: 0 };

const BROKEN: readonly {
  readonly fault: Fault;
  readonly select: readonly string[];
  readonly bad: readonly string[];
}[] = [
  {
    fault: 'wrong-accept',
    select: ['1.1', 'H.1', 'H.2', 'H.3', 'H.4', 'H.5', 'H.6', 'H.10', 'H.40', 'S.1', 'R.1'],
    bad: ['H.4', 'H.5', 'H.10'],
  },
  { fault: 'drops-glued', select: ['1', '5', 'H', 'S', 'R.11'], bad: ['S.1~', 'S.2~', 'S.3~'] },
  {
    fault: 'read-is-frame',
    select: ['1.1.1', '1.1.2', '2.1', '5.3', '5.4', '7.1.1', 'H', 'S.4', 'S.5', 'S.10', 'C.1'],
    bad: ['5.3', 'S.4', 'S.5', 'S.10'],
  },
  {
    fault: 'accepts-any-mask',
    select: ['1', '5', '7', 'F', 'C'],
    bad: ['F.1', 'F.2', 'F.3', 'F.4', 'F.5'],
  },
  {
    fault: 'ignores-reserved-bits',
    select: ['1', '3', '4', 'F', 'S', 'C'],
    bad: ['3.1', '3.2', '3.3', '3.4', '3.5', '3.6', '3.7', 'F.28', 'C.11', 'C.12'],
  },
  {
    fault: 'repairs-utf8',
    select: ['1', '6.1', '6.2', '6.3', '6.7', '6.12.1', '6.16', '7', 'F', 'S'],
    bad: ['6.3.1', '6.3.2', '6.12.1', '6.16.1', '6.16.2', '6.16.3'],
  },
  {
    fault: 'close-overtakes',
    select: ['1', '2', '7', '10', 'H', 'F', 'S', 'C', 'R'],
    bad: ['7.1.6~', 'S.10~'],
  },
  {
    fault: 'never-answers-close',
    select: ['3.1', '7.3.1', '7.9.1', 'H', 'F.1', 'C.1', 'R'],
    bad: ['7.3.1', '7.9.1', 'C.1'],
  },
  {
    fault: 'never-ends-tcp',
    select: ['1.1.1', '3.1', '7.3.1', 'H', 'R'],
    bad: ['1.1.1', '3.1', '7.3.1'],
  },
  { fault: 'resets-tcp', select: ['3.1', '7.3.1', 'H', 'C.1', 'R'], bad: ['7.3.1~', 'C.1~'] },
  {
    fault: 'drops-on-error',
    select: [
      '1',
      '3.1',
      '4.1.1',
      '5.1',
      '6.3.1',
      '6.4.1',
      '6.4.3',
      '7.7',
      '7.9.1',
      'H',
      'S',
      'L.1',
      'L.5',
    ],
    bad: ['3.1~', '4.1.1~', '5.1~', '6.3.1~', '6.4.1~', '6.4.3~', '7.9.1~', 'L.1~', 'L.5~'],
  },
  { fault: 'no-limit', select: ['1', '5', 'F', 'L.1', 'L.4', 'L.8', 'S'], bad: ['L.1', 'L.4'] },
  {
    fault: 'masks-the-wrong-way',
    select: ['1.1.1', '3.1', '7.3.1', 'H.1'],
    bad: ['1.1.1', '3.1', '7.3.1'],
  },
  { fault: 'dies-of-reset', select: ['1', '5', '7', 'C', 'R.1', 'R.8'], bad: ['R.1', 'R.8'] },
  {
    fault: 'refuses-early-frames',
    select: ['1', 'H', 'S'],
    bad: ['S.1~', 'S.2~', 'S.3~'],
  },
  { fault: 'takes-any-key', select: ['H', 'S'], bad: ['H.42~', 'H.43~', 'H.44~', 'H.45~'] },
  { fault: 'says-1003', select: ['F'], bad: ['F.1~', 'F.2~', 'F.3~', 'F.4~', 'F.5~'] },
  {
    fault: 'lenient-and-late',
    select: ['7', 'F', 'S'],
    bad: ['7.1.6~', ...[6, 7, 8, 9, 10, 11, 12, 13, 14].map((at) => `F.${at}~`), 'S.10~'],
  },
  { fault: 'hurries', select: ['5', '6.4'], bad: ['5.19', '5.20', '6.4.1~', '6.4.2~'] },
  { fault: 'few-fragments', select: ['9.3.2', '9.3.3', '9.4.2', '10'], bad: ['9.3.2~', '9.4.2~'] },
  { fault: 'lengths-add-up', select: ['5', '9.3.9', '9.4.8', '10', 'L'], bad: ['L.9'] },
];

describe.concurrent('a server is red where it is broken, and nowhere else', () => {
  // Once more: on a machine that stands still for a second, one that hurries is red elsewhere, too.
  test.each(BROKEN)('$fault', { retry: 1 }, async ({ fault, select, bad }) => {
    const server = await startServer(fault);
    const patience = fault === 'hurries' ? { ...IMPATIENT, pauseMs: 1500 } : IMPATIENT;
    const results = await runConformance(server.url, { select, patience });
    await server.stop();
    expect(notOk(results)).toEqual(bad);
  });
});

describe.concurrent('a server may', () => {
  test.each([
    ['ask whether we are there', 'pings', ['1', '2', '5', '6.4', '7', 'S', 'L', 'C', 'R']],
    ['say that it is there', 'pongs', ['1', '2', '5', '6.4', '7', 'S', 'L', 'C', 'R']],
    ['wait for the answer to its Close', 'awaits-answer', ['1.1.1', '6.4.1', '6.4.2', '7.3.1']],
    ['refuse a code that nothing defines', 'refuses-5000', ['7.13']],
    ['take a code that nothing defines', 'empties-5000', ['7.13']],
  ] as const)('%s', async (_, fault, select) => {
    const server = await startServer(fault);
    const results = await runConformance(server.url, { select, patience: IMPATIENT });
    await server.stop();
    expect(notOk(results)).toEqual([]);
  });
});

describe.concurrent('how a connection ends is told apart', () => {
  test.each([
    ['never-answers-close', 'open', 'said no more, not even a Close'],
    ['never-ends-tcp', 'open', 'sent Close 1000, and did not end TCP'],
    ['resets-tcp', 'reset', 'sent Close 1000, and reset TCP'],
  ] as const)('%s is %s', async (fault, ending, happened) => {
    const server = await startServer(fault);
    const select = ['7.3.3'];
    const [result] = await runConformance(server.url, { select, patience: IMPATIENT });
    await server.stop();
    expect(result).toMatchObject({ ending, happened: `The server ${happened}.` });
  });
});

describe('what a server must not send', () => {
  test.each([
    ['a mask', '81 85 37 fa 21 3d 7f 9f 4d 51 58', 'mask'],
    ['an RSV bit', 'c1 00', 'RSV'],
    ['a reserved opcode', '83 00', 'opcode 3'],
    ['a length of 5 in 2 bytes', '82 7e 00 05', 'more bytes than it needs'],
    ['a length of 65535 in 8 bytes', '82 7f 00 00 00 00 00 00 ff ff', 'more bytes than it needs'],
    ['a length with the highest bit', '82 7f 80 00 00 00 00 00 00 00', 'highest bit'],
    ['a Ping of 126 bytes', '89 7e 00 7e', '126 bytes'],
    ['a Ping without FIN', '09 00', 'without FIN'],
    ['a fragment of nothing', '80 00', 'of no message'],
    ['a message inside another', '01 00 81 00', 'before the last fragment'],
    ['text that is not UTF-8', '81 01 ff', 'not UTF-8'],
    ['a Close with half a code', '88 01 03', 'half a code'],
    ['a Close with 1005', '88 02 03 ed', 'code 1005'],
    ['a Close with a reason that is not UTF-8', '88 03 03 e8 ff', 'reason is not UTF-8'],
    ['anything after its Close', '88 02 03 e8 81 00', 'after its Close'],
  ])('%s', (_, bytes, problem) => {
    const frames = new PeerFrames('server');
    frames.push(fromHex(bytes));
    const readAll = () => {
      while (frames.read());
    };
    expect(readAll).toThrow(
      expect.objectContaining({
        name: 'IllegalFrame',
        message: expect.stringContaining(problem),
      }),
    );
  });

  test('what it may is read however it is cut', () => {
    const bytes = fromHex('01 03 48 65 6c 89 01 21 80 02 6c 6f 82 7e 00 7e');
    const all = new Uint8Array(bytes.length + 126);
    all.set(bytes);
    const frames = new PeerFrames('server');
    const said: string[] = [];
    for (const byte of all) {
      frames.push(Uint8Array.of(byte));
      for (let message = frames.read(); message; message = frames.read()) {
        said.push(`${message.type} ${message.payload.length}`);
      }
    }
    expect(said).toEqual(['ping 1', 'text 5', 'binary 126']);
    expect(frames.isInside).toBe(false);
  });
});

test('where a frame of ours ends is known, however it is cut', () => {
  const frames = [text('Hi'), ping('?'), text('*'.repeat(126)), close(1000)].map((frame) =>
    wire(frame),
  );
  const unmasked = wire({ ...text('no key'), key: null });
  const own = new OwnFrames();
  const ends: number[] = [];
  join(...frames.slice(0, 3), unmasked, ...frames.slice(3)).forEach((byte, at) => {
    expect(own.hasClosed).toBe(false);
    own.push(Uint8Array.of(byte));
    if (!own.isInside) ends.push(at + 1);
  });
  expect(ends).toEqual([8, 15, 149, 157, 165]);
  expect(own.hasClosed).toBe(true);
});

describe('a run', () => {
  test('of one case tells what was said', async () => {
    const testCase = selectCases(['7.3.3'], CATEGORIES)[0]!.cases[0]!;
    const result = await runCase(parseTarget(good.url), testCase);
    expect(result).toMatchObject({ id: '7.3.3', verdict: 'OK', ending: 'clean', section: '5.5.1' });
    expect(result.timeline.map(({ mark, text }) => `${mark} ${text[0]}`)).toEqual([
      '· connected',
      '→ GET / HTTP/1.1, and the rest of the opening handshake',
      '← HTTP/1.1 101 Switching Protocols',
      expect.stringMatching(/^→ 88 82 .* close code 1000$/),
      expect.stringMatching(/^← 88 02 03 e8 .* close code 1000$/),
      '· the server ended TCP (FIN)',
    ]);
  });

  test('chooses by category, family and case, in any case of letters', () => {
    const ids = (...names: string[]) =>
      selectCases(names, CATEGORIES).flatMap(({ cases }) => cases.map(({ id }) => id));
    expect(ids('6.4')).toEqual(['6.4.1', '6.4.2', '6.4.3', '6.4.4']);
    expect(ids('h.3', '7.3.1')).toEqual(['7.3.1', 'H.3']);
    expect(ids('l').length).toBeGreaterThan(5);
    expect(() => ids('99')).toThrow('There is no category "99". The categories are 1, 2,');
    expect(() => ids('H.99')).toThrow('There is no case "H.99". Category H goes from H.1 to H.55.');
  });

  test.each([
    ['wss://127.0.0.1/', 'without TLS'],
    ['http://127.0.0.1/', 'starts with ws://'],
    ['nonsense', 'Cannot read'],
  ])('refuses %s', async (url, message) => {
    await expect(runConformance(url)).rejects.toThrow(message);
  });

  test('without a WebSocket judges the handshake alone', async () => {
    const server = createServer((_, response) => response.writeHead(404).end()).listen(0, LOCAL);
    await once(server, 'listening');
    const url = urlOf(server.address());
    const results = await runConformance(url, { select: ['1.1', 'H.2', 'H.48'] });
    const all = await runConformance(url);
    server.close();
    expect(notOk(results)).toEqual([
      ...[1, 2, 3, 4, 5, 6, 7, 8].map((number) => `1.1.${number}`),
      'H.2',
    ]);
    expect(results[0]).toMatchObject({
      ending: 'untried',
      happened:
        'Not tried. This is not a WebSocket server, or not at /: The response to the handshake was HTTP/1.1 404 Not Found.',
    });
    // Nobody asked for the handshake: the reason is told once, and that is all.
    expect(renderReport(serverAt(url), all, 80).map(stripVTControlCharacters)).toEqual([
      '',
      `Conformance of ${url}`,
      'Sections, such as §5.2, are those of RFC 6455.',
      '',
      '✗ This is not a WebSocket server, or not at /: The response to the handshake was',
      '  HTTP/1.1 404 Not Found.',
      '',
      `0 OK, 0 NON-STRICT, 0 FAILED, ${all.length} not tried`,
    ]);
  });

  test('without HTTP ends at once', async () => {
    const server = createTcpServer(
      (socket) => void socket.on('error', () => {}).write('SSH-2.0-Server\r\n'),
    ).listen(0, LOCAL);
    await once(server, 'listening');
    const results = await runConformance(urlOf(server.address()), { select: ['1', 'R'] });
    server.close();
    expect(results.every(({ ending }) => ending === 'untried')).toBe(true);
    expect(results[0]?.happened).toContain('Its response is not HTTP: it begins with "SSH-2.0');
  });

  test.each([
    [
      'goes-away',
      /^Not tried\. The server is gone, since about \S+\. Connecting failed: .*REFUSED/,
    ],
    [
      'says-nothing',
      /of no use, since about \S+\. It opens a WebSocket, and says nothing for 0\.7 s\.$/,
    ],
    ['greets', /It is not an echo server: unasked, it says text "welcome"\.$/],
  ] as const)('gives a server up that %s', async (fault, reason) => {
    const server = await startServer(fault);
    const results = await runConformance(server.url, { patience: IMPATIENT });
    await server.stop();
    const untried = results.filter(({ ending }) => ending === 'untried');
    expect(untried.length).toBeGreaterThan(380);
    expect(new Set(untried.map(({ happened }) => happened)).size).toBe(1);
    expect(untried[0]?.happened).toMatch(reason);
  });

  test('comes to its end when a server speaks first', async () => {
    const server = await startServer('greets');
    const results = await runConformance(server.url, { select: ['R.13', 'L.8'] });
    await server.stop();
    expect(notOk(results)).toEqual(['L.8', 'R.13']);
  });
});

describe('a report', () => {
  let broken: Running;
  let results: CaseResult[];
  beforeAll(async () => {
    broken = await startServer('ignores-reserved-bits');
    results = await runConformance(broken.url, { select: ['3', '6.4', 'S.12', 'C'] });
  });
  afterAll(() => broken.stop());

  test('fits into 80 columns and ends with the sum', () => {
    const lines = renderReport(serverAt(broken.url), results, 80).map(stripVTControlCharacters);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.at(-1)).toBe(`${results.length - 9} OK, 0 NON-STRICT, 9 FAILED`);
  });

  test('has a row for each category, and the first three conversations', () => {
    const text = stripVTControlCharacters(
      renderReport(serverAt(broken.url), results, 80).join('\n'),
    );
    expect(text).toMatch(/^✗ 3 {3}Reserved bits {2,}· {2,}· {2,}7 {2,}\d+\.\d$/m);
    expect(text).toMatch(/^✓ 6 {3}UTF-8 {2,}4 {2,}· {2,}· {2,}\d+\.\d$/m);
    expect(text).toMatch(/^✗ 3\.1 {5}A text with RSV 1 +§5\.2 {2}FAILED$/m);
    expect(text).toMatch(/^How TCP ended: \d+ clean\.$/m);
    expect(text).toContain('expected   No answer, but Close 1002 and the end of TCP.');
    expect(text).toContain('happened   The server sent text "Hello, world!", then Close 1000');
    expect(text).toMatch(/ms → 91 8d 37 fa 21 3d … {2}text RSV=001 ← an RSV bit is set/);
    expect(text.match(/· connected/g)).toHaveLength(3);
    expect(text).toMatch(/npm run conformance\s+ws:\S+ 3\.4$/m);
  });

  test('tells the first 40 that are not OK, and names the others', async () => {
    const masking = await startServer('masks-the-wrong-way');
    const all = await runConformance(masking.url, { select: ['6'] });
    await masking.stop();
    const lines = renderReport(serverAt(masking.url), all, 80).map(stripVTControlCharacters);
    const bad = notOk(all).length;
    expect(lines.filter((line) => line.endsWith('FAILED')).length - 1).toBe(40);
    expect(lines.join(' ')).toContain(`And ${bad - 40} more, those that are NON-STRICT with a ~:`);
  });

  test('of one case is told in full, the middle of much talk left out', async () => {
    const select = ['S.12'];
    const alone = await runConformance(broken.url, { select });
    const text = stripVTControlCharacters(renderReport(serverAt(broken.url), alone, 80).join('\n'));
    expect(text).toMatch(/^✓ S\.12/m);
    expect(text).toMatch(/… \d+ more$/m);
    expect(text).toMatch(/1 OK, 0 NON-STRICT, 0 FAILED$/);
  });
});

/** Runs the command. Returns its exit code and what it wrote. */
async function command(...args: string[]) {
  const run = spawn(process.execPath, [LAUNCH, scriptOf('conformance'), ...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1' },
  });
  let [output, errors] = ['', ''];
  run.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  run.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code] = await once(run, 'close');
  return { code, output, errors };
}

describe.concurrent('npm run conformance', () => {
  test('writes a report, and nothing else', async () => {
    const { code, output, errors } = await command(
      good.url,
      '--category',
      '3,C.1',
      '--case',
      '6.4.2',
    );
    expect(errors).toBe('');
    expect(output).toMatch(/^\nConformance of ws:/);
    expect(output).toMatch(/\n9 OK, 0 NON-STRICT, 0 FAILED\n$/);
    expect(code).toBe(0);
  });

  test.each(['07', '08'])('starts a lesson that is a server: %s', async (number) => {
    const { code, output, errors } = await command(`solutions/${number}`, 'D.3', 'N.1', '7.3.1');
    expect(errors).toBe('');
    expect(output).toContain(`\nConformance of solutions/${number}\n`);
    expect(output).toMatch(/\n3 OK, 0 NON-STRICT, 0 FAILED\n$/);
    expect(code).toBe(0);
  });

  test('--json is for programs', async () => {
    const { code, output } = await command(good.url, '--json', '--case', '2.1');
    expect(JSON.parse(output)).toMatchObject({
      url: good.url,
      counts: { OK: 1, 'NON-STRICT': 0, FAILED: 0 },
      results: [{ id: '2.1', verdict: 'OK', ending: 'clean' }],
    });
    expect(code).toBe(0);
  });

  test('ends with 1 when something failed', async () => {
    const broken = await startServer('accepts-any-mask');
    const { code, output } = await command(broken.url, '--case', 'F.1');
    await broken.stop();
    expect(output).toMatch(/0 OK, 0 NON-STRICT, 1 FAILED\n$/);
    expect(code).toBe(1);
  });

  test('says how to run less, and ends when the server does', async () => {
    const server = await startServer('goes-away');
    const { code, output, errors } = await command(server.url);
    await server.stop();
    expect(errors).toMatch(
      /^All \d+ cases\. To run some of them: npm run conformance ws:.* 5 6\.4\.2\n$/,
    );
    expect(output).toMatch(/\n✗ The server is gone, since about /);
    expect(output).toMatch(/ FAILED, \d+ not tried\n$/);
    expect(code).toBe(1);
  });

  test.each([
    [[], /^✗ Say which server to test: npm run conformance ws:.*\n$/],
    [['ws://127.0.0.1:1/', '--case', '6.99'], /^✗ There is no case "6\.99"\..*\n$/],
    [
      ['ws://127.0.0.1:1/', '--loud'],
      /^✗ Unknown option '--loud'\. See npm run conformance -- --help\n$/,
    ],
    [['ws://127.0.0.1:1/', 'ws://127.0.0.1:2/'], /^✗ One server at a time: ws:.*\n$/],
    [['lessons/06'], /^✗ Lesson 06 is no server\. Lessons 05, 07 and 08 are: .*\n$/],
    [['ws://127.0.0.1:1/'], /^✗ Nobody listens at 127\.0\.0\.1:1 .*\n$/],
  ])('%j is one clear message', async (args, message) => {
    const { code, output, errors } = await command(...args);
    expect(errors).toMatch(message);
    expect(output).toBe('');
    expect(code).toBe(2);
  });
});
