/** What the checks of speed count: each thing once, whoever does it, and only while they count. */

import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { LESSONS, type Lesson } from '../../shared/course/lessons.ts';
import { nameOf, writeCourse } from '../../shared/grade/course.ts';
import { startWalled } from '../../shared/grade/walls.ts';
import { wire } from '../../shared/kit/frames.ts';
import { aside, type Work, workOf, workOfEach, workOn } from '../../shared/kit/work.ts';
import { Opcode } from '../../shared/protocol.ts';
import * as server from '../../solutions/05-server/server.ts';
import { accepted, Line } from '../specs/05-server/sockets.ts';

/** What is not 0. */
function done(work: Work): Partial<Work> {
  return Object.fromEntries(Object.entries(work).filter(([, count]) => count !== 0));
}

const BYTES = new Uint8Array(100);
const BUFFER = Buffer.alloc(100);
const { buffer } = BYTES;
const DECODER = new StringDecoder();

const CASES: readonly (readonly [name: string, run: () => unknown, expected: Partial<Work>])[] = [
  ['nothing', () => BYTES[3], {}],
  ['something printed', () => console.log('A line of this test.'), {}],
  ['subarray', () => BYTES.subarray(1), { views: 1 }],
  ['a view by a constructor', () => new Uint8Array(buffer, 1, 2), { views: 1 }],
  ['words', () => new BigUint64Array(buffer, 0, 2), { views: 1 }],
  ['DataView', () => new DataView(buffer), { views: 1 }],
  ['subarray of a Buffer', () => BUFFER.subarray(1), { views: 1 }],
  ['slice of a Buffer', () => BUFFER.slice(1), { views: 1 }],
  ['a Buffer of memory', () => Buffer.from(buffer, 1, 2), { views: 1 }],
  ['an array', () => new Uint8Array(7), { arrays: 1, reservedBytes: 7 }],
  ['an array of words', () => new Uint32Array(2), { arrays: 1, reservedBytes: 8 }],
  ['an ArrayBuffer', () => new ArrayBuffer(7), { arrays: 1, reservedBytes: 7 }],
  ['a copy', () => new Uint8Array(BYTES), { arrays: 1, reservedBytes: 100, copiedBytes: 100 }],
  ['of', () => Uint8Array.of(1, 2), { arrays: 1, reservedBytes: 2 }],
  ['from', () => Uint8Array.from(BYTES), { arrays: 1, reservedBytes: 100, copiedBytes: 100 }],
  ['slice', () => BYTES.slice(90), { arrays: 1, reservedBytes: 10, copiedBytes: 10 }],
  ['slice of memory', () => buffer.slice(90), { arrays: 1, reservedBytes: 10, copiedBytes: 10 }],
  ['set', () => BYTES.set(new Uint8Array(3)), { arrays: 1, reservedBytes: 3, copiedBytes: 3 }],
  ['set of numbers', () => BYTES.set([1, 2]), { copiedBytes: 2 }],
  ['set of a Buffer', () => BUFFER.set([1, 2], 5), { copiedBytes: 2 }],
  ['copyWithin', () => BYTES.copyWithin(10, 0, 20), { copiedBytes: 20 }],
  ['copyWithin to the end', () => BYTES.copyWithin(-5, 0), { copiedBytes: 5 }],
  ['copyWithin of nothing', () => BYTES.copyWithin(0, 20, 10), {}],
  ['copy', () => BUFFER.copy(BYTES, 95), { copiedBytes: 5 }],
  ['alloc', () => Buffer.alloc(7), { buffers: 1, reservedBytes: 7 }],
  ['allocUnsafe', () => Buffer.allocUnsafe(7), { buffers: 1, reservedBytes: 7 }],
  ['allocUnsafeSlow', () => Buffer.allocUnsafeSlow(7), { buffers: 1, reservedBytes: 7 }],
  [
    'a Buffer of bytes',
    () => Buffer.from(BYTES),
    { buffers: 1, reservedBytes: 100, copiedBytes: 100 },
  ],
  [
    'concat',
    () => Buffer.concat([BYTES, BUFFER]),
    { buffers: 1, reservedBytes: 200, copiedBytes: 200 },
  ],
  ['a text', () => Buffer.from('äb'), { buffers: 1, reservedBytes: 3, encodedTexts: 1 }],
  [
    'TextEncoder',
    () => new TextEncoder().encode('äb'),
    { arrays: 1, reservedBytes: 3, encodedTexts: 1 },
  ],
  ['encodeInto', () => new TextEncoder().encodeInto('äb', BYTES), { encodedTexts: 1 }],
  ['write', () => BUFFER.write('äb'), { encodedTexts: 1 }],
  ['toString', () => BUFFER.toString('utf8', 1), { decodedTexts: 1 }],
  ['TextDecoder', () => new TextDecoder().decode(BYTES), { decodedTexts: 1 }],
  ['StringDecoder', () => DECODER.write(BUFFER), { decodedTexts: 1 }],
  ['queueMicrotask', () => queueMicrotask(() => {}), { microtasks: 1 }],
  ['nextTick', () => process.nextTick(() => {}), { ticks: 1 }],
  ['a promise', () => Promise.resolve(1), { promises: 1 }],
  ['an immediate', () => clearImmediate(setImmediate(() => {})), { immediates: 1 }],
  ['a timer', () => clearTimeout(setTimeout(() => {}, 1)), { timers: 1 }],
];

test.for(CASES)('%s counts once', ([, run, expected]) => {
  expect(done(workOf(() => void run()))).toEqual(expected);
});

const CHANGED = [
  globalThis,
  console,
  Object.getPrototypeOf(Uint8Array),
  Object.getPrototypeOf(Uint8Array.prototype),
  ArrayBuffer.prototype,
  Buffer,
  Buffer.prototype,
  TextEncoder.prototype,
  TextDecoder.prototype,
  StringDecoder.prototype,
];

/** Describes all that is replaced while somebody counts, property by property. */
const describe = () =>
  CHANGED.flatMap((it) => Object.values(Object.getOwnPropertyDescriptors(it))).flatMap((property) =>
    Object.values(property),
  );
/** How many parts of that are not what they were. */
const changes = (before: readonly unknown[]) =>
  describe().filter((it, i) => !Object.is(it, before[i])).length;

test('afterwards, all of it is as it was, also after an error', async () => {
  const before = describe();
  const during: number[] = [];
  const look = () => void during.push(changes(before));
  const bug = () => {
    look();
    throw new Error('a bug');
  };
  workOf(look);
  workOf(() => workOf(look));
  await workOfEach([look]);
  expect(() => workOf(bug)).toThrow('a bug');
  await expect(workOfEach([bug])).rejects.toThrow('a bug');
  expect(during).toEqual(Array(5).fill(48));
  expect(changes(before)).toBe(0);
});

test('while they count, arrays are what they are', () => {
  workOf(() => {
    const bytes = new Uint8Array([1, 2]);
    expect(bytes instanceof Uint8Array).toBe(true);
    expect(Buffer.from(bytes) instanceof Uint8Array).toBe(true);
    expect(bytes.subarray(1)).toEqual(Uint8Array.of(2));
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    class Own extends Uint8Array {}
    expect(new Own(2)).toBeInstanceOf(Own);
    expect(() => new Uint8Array(-1)).toThrow(RangeError);
  });
});

test('what a check does aside counts nothing', () => {
  expect(done(workOf(() => aside(() => BYTES.slice())))).toEqual({});
  const twice = () => {
    aside(() => {
      aside(() => {});
      BYTES.slice();
    });
    BYTES.subarray(1);
  };
  expect(done(workOf(twice))).toEqual({ views: 1 });
});

test('what is put off counts, and what somebody else does meanwhile does not', async () => {
  const other = setInterval(() => BYTES.slice());
  const works = await Promise.all([
    workOfEach([() => queueMicrotask(() => BYTES.subarray(1)), () => {}]),
    workOfEach([() => void setImmediate(() => BUFFER.copy(BYTES)), () => {}, () => {}]),
    workOfEach([]),
  ]);
  clearInterval(other);
  expect(works.map(done)).toEqual([
    { views: 1, microtasks: 1 },
    { copiedBytes: 100, immediates: 1 },
    {},
  ]);
});

test('a function that returns a promise is waited for', async () => {
  const slow = async () => {
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    BYTES.subarray(1);
  };
  expect(await workOfEach([slow])).toMatchObject({ views: 1, arrays: 0 });
});

/** How much work the reference makes of reads, of `size` bytes in each of so many messages. */
async function workOfEcho(size: number, perRead: number) {
  const line = new Line(2 ** 20);
  const socket = workOn(line);
  server.attach(line, accepted(server), (connection, event) => {
    if (event.type === 'binary') connection.send(event.data);
  });
  const frame = wire({ opcode: Opcode.Binary, payload: new Uint8Array(size) });
  const reads = Array.from({ length: 64 }, () => Buffer.concat(Array(perRead).fill(frame)));
  await workOfEach([() => {}]);
  const before = { ...socket.calls };
  const work = await workOfEach(reads.map((read) => () => void line.emit('data', read)));
  line.destroy();
  const messages = reads.length * perRead;
  const { views, arrays, buffers, copiedBytes, microtasks, ticks, promises, immediates } = work;
  return {
    perMessage: { views: views / messages, arrays: arrays / messages, buffers: buffers / messages },
    copiedPerByte: Math.round((100 * copiedBytes) / (messages * size)) / 100,
    putOff: microtasks + ticks + promises + immediates,
    writesPerRead: (socket.calls.write - before.write) / reads.length,
    resumes: socket.calls.resume - before.resume,
  };
}

test('the reference of lesson 05 does what was counted by hand', async () => {
  const perRead = { putOff: 0, writesPerRead: 1, resumes: 0 };
  expect(await workOfEcho(64, 1)).toEqual({
    ...perRead,
    perMessage: { views: 6, arrays: 1, buffers: 3 },
    copiedPerByte: 2.09,
  });
  expect(await workOfEcho(64, 16)).toEqual({
    ...perRead,
    perMessage: { views: 2.25, arrays: 1, buffers: 0.1875 },
    copiedPerByte: 2.09,
  });
  expect(await workOfEcho(16 * 1024, 1)).toEqual({
    ...perRead,
    perMessage: { views: 6, arrays: 1, buffers: 3 },
    copiedPerByte: 2,
  });
});

test('what is written to a socket is the very chunk, and its own work does not count', () => {
  const line = new Line();
  const { calls, chunks } = workOn(line);
  const write = () => {
    line.cork();
    line.write(BYTES);
    line.uncork();
  };
  expect(done(workOf(write))).toEqual({});
  expect(chunks[0]).toBe(BYTES);
  expect(calls).toEqual({ write: 1, cork: 1, uncork: 1, pause: 0, resume: 0, end: 0, destroy: 0 });
  line.destroy();
});

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'websocket-101-work-')));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WORK = nameOf(folder, 'shared/kit/work.ts');
const PROBE = `
import { lockDown } from '${nameOf(folder, 'shared/harness/lock-down.ts')}';
import { workOf } from '${WORK}';
const { stderr } = process;
lockDown([]);
const bytes = new Uint8Array(10);
const work = workOf(() => {
  Buffer.concat([bytes.subarray(1), new Uint8Array(bytes.slice())]);
  queueMicrotask(() => {});
});
stderr.write(JSON.stringify(work));
`;

test('behind walls, where JavaScript is frozen, it counts as well', async () => {
  writeCourse(LESSONS[0] as Lesson, folder, ['shared/kit/work.ts']);
  writeFileSync(join(folder, 'probe.js'), PROBE);
  const limits = { cpuSeconds: 60, dataMib: 1536 };
  const walls = { network: false, limits, first: WORK };
  const child = startWalled(folder, join(folder, 'probe.js'), [], walls);
  const said = await text(child.stderr as NodeJS.ReadableStream);
  expect(done(JSON.parse(said))).toEqual({
    views: 1,
    arrays: 2,
    buffers: 1,
    reservedBytes: 10 + 10 + 19,
    copiedBytes: 10 + 10 + 19,
    microtasks: 1,
  });
});
