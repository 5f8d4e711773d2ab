import { attempt, CheckFailure, equal, fail, failsWith } from '../../shared/harness/check.ts';
import type { Fact } from '../../shared/harness/facts.ts';
import { show } from '../../shared/harness/show.ts';
import type { Spec } from '../../shared/harness/spec.ts';
import { frame, join, KEY, masked, utf8, type WireFrame, wire } from '../../shared/kit/frames.ts';
import { usedMemory } from '../../shared/kit/memory.ts';
import { cpuMs } from '../../shared/kit/patience.ts';
import {
  type Delivery,
  deliver,
  deliveries,
  fewestCuts,
  Random,
  randomly,
} from '../../shared/kit/replay.ts';
import { type Frame, type Message, Opcode, ProtocolError } from '../../shared/protocol.ts';
import { fromHex, toHex } from '../../shared/view/hex.ts';
import type * as Reading from '../../solutions/02-reading-frames/reading.ts';
import {
  ILLEGAL_FRAMES,
  ILLEGAL_LENGTHS,
  LENGTHS,
  PUBLISHED_FRAMES,
  RFC_FRAMES,
  RFC_HEADERS,
} from '../vectors/frames.ts';
import { UTF8_GROUPS } from '../vectors/utf8.ts';

type Lesson = typeof Reading;

const FRAMES = [...RFC_FRAMES, ...PUBLISHED_FRAMES];
const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

/** The fact that bytes arrived, and how. */
function arrived(bytes: Uint8Array, delivery: Delivery | string = ''): Fact[] {
  const { how, cuts } = typeof delivery === 'string' ? { how: delivery, cuts: [] } : delivery;
  return [[how ? `Arrived ${how}` : 'Arrived', { bytes: bytes.slice(), cuts }]];
}

function firstTwoBytes({ decodeFirstBytes }: Lesson): void {
  for (const { what, wire, expected } of [...FRAMES, ...RFC_HEADERS]) {
    const [first = 0, second = 0] = fromHex(wire);
    const { fin, opcode, masked } = expected;
    equal(
      () => decodeFirstBytes(first, second),
      { fin, rsv: 0, opcode, masked, length7: second & 127 },
      `Take the first two bytes apart: ${what}.`,
      {
        given: [['given', toHex(Uint8Array.of(first, second))]],
        cause: (actual) => secondByteMistake(actual, second),
      },
    );
  }
  for (let byte = 0; byte < 256; byte++) {
    const bits = [...byte.toString(2).padStart(8, '0')].map(Number);
    const number = (from: number) => Number.parseInt(bits.slice(from).join(''), 2);
    equal(
      () => decodeFirstBytes(byte, 0x85),
      {
        fin: bits[0] === 1,
        rsv: number(1) >> 4,
        opcode: number(4),
        masked: true,
        length7: 5,
      },
      'Take every possible first byte apart.',
      {
        given: [['given', `${toHex(Uint8Array.of(byte))} 85, in bits ${bits.join('')} 10000101`]],
      },
    );
    equal(
      () => decodeFirstBytes(0x81, byte),
      {
        fin: true,
        rsv: 0,
        opcode: 1,
        masked: bits[0] === 1,
        length7: number(1),
      },
      'Take every possible second byte apart.',
      {
        given: [['given', `81 ${toHex(Uint8Array.of(byte))}, in bits 10000001 ${bits.join('')}`]],
        cause: (actual) => secondByteMistake(actual, byte),
      },
    );
  }
}

function secondByteMistake(actual: unknown, second: number): string | undefined {
  const { length7 } = (actual ?? {}) as Partial<Reading.FirstBytes>;
  if (length7 === undefined || length7 === (second & 127)) return undefined;
  return 'MASK is the highest bit, and may be 0. The length is the other seven: `& 0x7f`.';
}

function headers({ decodeHeader }: Lesson): void {
  const check = (bytes: Uint8Array, expected: object, what: string) => {
    const headerLength = (expected as { headerLength: number }).headerLength;
    for (let length = 0; length < headerLength; length++) {
      const part = bytes.slice(0, length);
      equal(
        () => decodeHeader(part),
        undefined,
        `The header is not complete, so there is nothing to return yet: ${what}.`,
        {
          given: arrived(part, `${length} of the header's ${headerLength} bytes`),
          cause: (actual) => lengthMistake(actual, expected),
        },
      );
      equal(
        () => decodeHeader(join(new Uint8Array(5), part), 5),
        undefined,
        `The header at offset 5 is not complete: ${what}.`,
        { given: arrived(part, `${length} of the header's ${headerLength} bytes, at offset 5`) },
      );
    }
    equal(() => decodeHeader(bytes), expected, `Decode ${what}.`, {
      given: arrived(bytes),
      cause: (actual) => lengthMistake(actual, expected),
    });
    const offset = 5;
    const moved = join(new Uint8Array(offset).fill(0xff), bytes);
    equal(() => decodeHeader(moved, offset), expected, `Decode from offset ${offset}: ${what}.`, {
      given: arrived(moved),
    });
    const view = moved.subarray(offset);
    equal(() => decodeHeader(view), expected, `Decode out of a larger buffer: ${what}.`, {
      given: arrived(view, `a view that starts at byte ${offset} of its buffer`),
      cause: () => 'A view has a byteOffset of its own. A DataView needs to be told.',
    });
  };

  for (const { what, wire, expected } of [...FRAMES, ...RFC_HEADERS]) {
    const { fin, opcode, masked, length: payloadLength } = expected;
    const bytes = fromHex(wire);
    const lengthBytes = payloadLength > 65535 ? 8 : payloadLength > 125 ? 2 : 0;
    const headerLength = 2 + lengthBytes + (masked ? 4 : 0);
    const maskingKey = masked ? bytes.slice(headerLength - 4, headerLength) : undefined;
    check(bytes, { fin, rsv: 0, opcode, maskingKey, payloadLength, headerLength }, what);
  }
  for (const [payloadLength, hex] of LENGTHS) {
    const header = fromHex(hex);
    const fields = { fin: true, rsv: 0, opcode: Binary, payloadLength };
    check(
      header,
      { ...fields, maskingKey: undefined, headerLength: header.length },
      `the header of a binary frame of ${payloadLength} bytes`,
    );
    const maskedHeader = join(header, KEY);
    maskedHeader[1]! |= 0x80;
    check(
      maskedHeader,
      { ...fields, maskingKey: KEY, headerLength: maskedHeader.length },
      `the header of a masked binary frame of ${payloadLength} bytes`,
    );
  }
  for (const { what, wire, expected } of ILLEGAL_LENGTHS) {
    const bytes = fromHex(wire);
    failsWith(expected, () => decodeHeader(bytes), `Refuse ${what}.`, { given: arrived(bytes) });
  }
}

function lengthMistake(actual: unknown, expected: object): string | undefined {
  if (actual instanceof ProtocolError) {
    if (((expected as Partial<Reading.FrameHeader>).payloadLength ?? 0) >= 2 ** 31) {
      return 'This header is legal. `<<` and `|` work on 32 bits only: multiply, or use a DataView.';
    }
    return 'This header is legal. Is the length what the picture says? Its highest byte comes first.';
  }
  const [mine, right] = [actual, expected].map(
    (header) => (header as Partial<Reading.FrameHeader> | undefined)?.payloadLength,
  );
  if (mine === right || mine === undefined) return undefined;
  if (right !== 126 && mine === 126) return '126 is no length here: the next two bytes have it.';
  if (right !== 127 && mine === 127) return '127 is no length here: the next eight bytes have it.';
  return 'The bytes of the length come highest first, and `<<` works on 32 bits only.';
}

function unmasking({ unmask }: Lesson): void {
  for (const { what, wire, expected } of FRAMES) {
    if (!expected.masked || expected.text === undefined) continue;
    const bytes = fromHex(wire);
    const [key, payload] = [bytes.slice(2, 6), bytes.slice(6)];
    const given: Fact[] = [
      ['key', show(key)],
      ['payload', show(payload)],
    ];
    attempt(() => unmask(payload, key), `Unmask ${what}.`, given);
    equal(() => payload, utf8(expected.text), `Unmask ${what}, in place.`, {
      given,
      label: 'it is now',
      cause: () => maskMistake(bytes.slice(6), payload, 0),
    });
    equal(() => key, bytes.slice(2, 6), 'Leave the key as it is.');
  }
  for (const length of [5, 1, 2, 3, 4, 7, 8, 9, 63, 64, 65, 127, 128, 1000]) {
    for (let position = 0; position < 9; position++) {
      const plain = Uint8Array.from({ length }, (_, i) => (i * 7 + length) & 255);
      // A view into a larger buffer, so that its first byte may lie anywhere.
      const buffer = new Uint8Array(length + 16).fill(0xee);
      const payload = buffer.subarray(position, position + length);
      payload.set(masked(plain, KEY, position));
      const given: Fact[] = [
        ['key', show(KEY)],
        ['bytes', show(payload.slice())],
        ['position', `${position}: the first of these is byte ${position} of its payload`],
      ];
      const before = payload.slice();
      attempt(() => unmask(payload, KEY, position), 'Unmask bytes.', given);
      equal(
        () => payload,
        plain,
        `Unmask ${length} bytes from position ${position} of a payload, in place.`,
        { given, label: 'they are now', cause: () => maskMistake(before, payload, position) },
      );
      const outside = [...buffer.subarray(0, position), ...buffer.subarray(position + length)];
      if (outside.some((byte) => byte !== 0xee)) {
        fail('Change no byte outside of the bytes you were given.', given, VIEW);
      }
    }
  }
}

const VIEW =
  'The bytes are a view into a larger buffer: a typed array over `bytes.buffer` needs `bytes.byteOffset`, too.';

/** Says what went wrong with a mask. */
function maskMistake(before: Uint8Array, after: Uint8Array, position: number): string | undefined {
  const is = (bytes: Uint8Array) => Buffer.compare(after, bytes) === 0;
  if (is(before))
    return '`unmask` changes the bytes it is given. What it returns is not looked at.';
  if (position % 4 !== 0 && is(masked(before, KEY))) {
    return 'The key goes on where it was: byte i of the payload takes key byte i mod 4, and the first byte you have is not byte 0 of the payload.';
  }
  return position > 0 ? VIEW : undefined;
}

/** A reader that refuses no header, so that step 4 does not need step 5. */
function anyFrames({ FrameReader }: Lesson): Reading.FrameReader {
  return new FrameReader(() => {});
}

/**
 * Pushes each read and takes out all that is whole after it. A read is a Buffer, as sockets give
 * them, and is overwritten afterwards, as a socket uses its memory again; unless `keep`.
 */
function readAll<T>(reader: Reader<T>, reads: readonly Uint8Array[], keep = false): T[] {
  const results: T[] = [];
  for (const read of reads) {
    const chunk = Buffer.from(read);
    const unchanged = (after: string, what: string) => {
      if (Buffer.compare(chunk, read) === 0) return;
      fail(what, [
        ['pushed', show(read)],
        [`after ${after}`, show(chunk)],
      ]);
    };
    reader.push(chunk);
    unchanged('push', 'The bytes that are pushed belong to the caller: do not change them.');
    for (let result = reader.read(); result !== undefined; result = reader.read()) {
      results.push(keep ? structuredClone(result) : result);
      if (results.length > 10_000) fail('`read` never returns `undefined`: it has to, in the end.');
    }
    unchanged('read', 'The bytes that were pushed belong to the caller: unmask a copy of them.');
    if (!keep) chunk.fill(0xaa);
  }
  return results;
}

interface Reader<T> {
  push(chunk: Uint8Array): void;
  read(): T | undefined;
}

/** Checks what comes out of a new reader when bytes arrive in this way. */
function readsAs<T>(
  makeReader: () => Reader<T>,
  bytes: Uint8Array,
  delivery: Delivery,
  expected: readonly T[],
  what: string,
): void {
  equal(() => readAll(makeReader(), delivery.reads), expected, what, {
    given: arrived(bytes, delivery),
    cause: (actual) => readingMistake(actual, makeReader, delivery, expected),
  });
}

/** Finds out what is behind a wrong reading, by reading again in easier ways. */
function readingMistake<T>(
  actual: unknown,
  makeReader: () => Reader<T>,
  { how, reads }: Delivery,
  expected: readonly T[],
): string | undefined {
  const rightWith = (easier: readonly Uint8Array[], keep: boolean) => {
    try {
      equal(() => readAll(makeReader(), easier, keep), expected, '');
      return true;
    } catch {
      return false;
    }
  };
  if (rightWith(reads, true)) {
    return 'It was right at first, and changed when the memory of the pushed bytes, or your own buffer, was used again. Copy what you keep and what you give out: `new Uint8Array(bytes)`.';
  }
  const text = textMistake(actual, expected);
  if (text) return text;
  if (how !== 'in one read') {
    return 'The same bytes in one read are read right. Keep what is not complete, and go on from there when more comes.';
  }
  if (actual instanceof ProtocolError) {
    return 'All of these frames are legal, in this order, too. A control frame between two fragments neither ends their message nor goes on with it.';
  }
  if (Array.isArray(actual) && actual.length === expected.length) {
    return 'As many came out as should, with something else in them. A message is the bytes of all its fragments, in order, and of nothing else.';
  }
  if (Array.isArray(actual) && actual.length < expected.length) {
    return `The read brought ${expected.length} and ${actual.length} came out. One read may bring many: keep the rest for the next \`read()\`.`;
  }
  return undefined;
}

/** Says what is wrong with the first text that is not as it should be. */
function textMistake(actual: unknown, expected: readonly unknown[]): string | undefined {
  if (actual instanceof ProtocolError && actual.closeCode === 1007) {
    return 'The text is UTF-8 as a whole. A piece of it may end inside a character, and the next one goes on there. What stands in a ping or in a binary message is no text.';
  }
  const textOf = (message: unknown) => {
    const { type, data } = (message ?? {}) as Partial<Message & { data: unknown }>;
    return type === 'text' && typeof data === 'string' ? data : undefined;
  };
  let before = '';
  for (const [i, message] of expected.entries()) {
    const mine = textOf(Array.isArray(actual) ? actual[i] : undefined);
    const right = textOf(message);
    if (mine === undefined || right === undefined) continue;
    if (`\ufeff${mine}` === right) {
      return 'The decoder takes a U+FEFF at the start for a mark, and drops it. Tell it not to: `ignoreBOM`.';
    }
    if (mine !== right && mine === Buffer.from(right).toString('latin1')) {
      return 'Each byte has become a character. In UTF-8, a character has one to four bytes.';
    }
    if (mine !== right && mine === before + right) {
      return 'It begins with the text before it. Each message starts with an empty one.';
    }
    if (mine.length > right.length) {
      return 'There is too much in it. Each byte is decoded once: when it arrives, or when its frame is complete.';
    }
    if (mine.length < right.length) {
      return 'A part of it is missing. What was decoded before its frame was complete belongs to it, and the next frame is new from its first byte on.';
    }
    before = mine;
  }
  return undefined;
}

/** Checks that the same comes out in every way in which the bytes can arrive. */
function replay<T>(
  makeReader: () => Reader<T>,
  bytes: Uint8Array,
  expected: readonly T[],
  what: string,
): void {
  for (const delivery of deliveries(bytes)) readsAs(makeReader, bytes, delivery, expected, what);
}

/** Checks that the same comes out in reads of random sizes; tells of as few cuts as will do. */
function replayRandomly<T>(
  makeReader: () => Reader<T>,
  bytes: Uint8Array,
  expected: readonly T[],
  what: string,
  cuts: readonly number[],
): void {
  const holds = (delivery: Delivery) => {
    try {
      readsAs(makeReader, bytes, delivery, expected, what);
      return true;
    } catch (error) {
      if (error instanceof CheckFailure) return false;
      throw error;
    }
  };
  const failing = fewestCuts(bytes, cuts, holds);
  if (failing) readsAs(makeReader, bytes, failing, expected, what);
}

function stream(lesson: Lesson): void {
  const makeReader = () => anyFrames(lesson);
  const expectedFrame = ({ expected }: (typeof FRAMES)[number]) =>
    frame(expected.opcode, expected.text, expected.fin);

  for (const vector of FRAMES) {
    const bytes = fromHex(vector.wire);
    replay(makeReader, bytes, [expectedFrame(vector)], `Read ${vector.what}.`);
  }
  givenAway(anyFrames(lesson));
  const together = join(...FRAMES.map(({ wire }) => fromHex(wire)));
  replay(makeReader, together, FRAMES.map(expectedFrame), 'Read 16 frames in a row.');

  // The moment counts: a frame is there when its last byte is there.
  const hello = fromHex(RFC_FRAMES[1]!.wire);
  for (let length = 0; length < hello.length; length++) {
    const reader = anyFrames(lesson);
    reader.push(hello.slice(0, length));
    equal(
      () => reader.read(),
      undefined,
      'The frame is not complete, so there is nothing to read yet.',
      {
        given: arrived(hello.slice(0, length), `${length} of 11 bytes`),
      },
    );
  }

  for (const length of [125, 126, 127, 65535, 65536]) {
    const payload = Uint8Array.from({ length }, (_, i) => (i * 31) & 255);
    const bytes = join(wire({ opcode: Binary, payload }), wire({ opcode: Ping, payload: 'next' }));
    const expected = [frame(Binary, payload), frame(Ping, 'next')];
    replay(makeReader, bytes, expected, `Read ${length} bytes, then a ping.`);
  }
  randomly(12, (random, seed) => {
    const sent = Array.from({ length: 12 }, () => randomFrame(random));
    const bytes = join(...sent.map(wire));
    const expected = sent.map(({ opcode, payload, fin }) => frame(opcode, payload, fin));
    const cuts = random.cuts(bytes.length, random.pick([1, 3, 20, 500]));
    replayRandomly(makeReader, bytes, expected, `Read 12 random frames (SEED=${seed}).`, cuts);
  });

  checkCalls(lesson);
  declaredLength(lesson);
  linearCost(anyFrames(lesson), Binary, (payload) => frame(Binary, payload));
}

function randomFrame(random: Random): WireFrame {
  return {
    opcode: random.pick([Text, Binary, Continuation, Ping, Pong, Close]),
    fin: random.below(2) === 1,
    payload: random.bytes(random.pick([0, 1, 5, 125, 126, 300])),
    key: random.pick([null, random.bytes(4)]),
  };
}

/** A payload that has been returned stays as it was, whatever is read after it. */
function givenAway(reader: Reading.FrameReader): void {
  const words = ['one', 'two', 'three', 'four', 'five'];
  const bytes = join(...words.map((payload) => wire({ opcode: Text, payload })));
  // The first read ends with a frame, so that nothing waits; the second and third end inside one.
  const delivery = deliver(bytes, [18, 33, 36]);
  const given = arrived(bytes, delivery);
  const frames: Frame[] = [];
  for (const read of delivery.reads) {
    reader.push(read);
    for (let next = reader.read(); next !== undefined; next = reader.read()) {
      equal(() => next, frame(Text, words[frames.length]), `Read frame ${frames.length + 1}.`, {
        given,
      });
      frames.push(next);
    }
  }
  for (const [i, word] of words.entries()) {
    equal(() => frames[i]?.payload, utf8(word), `Leave payload ${i + 1} as it is once it is out.`, {
      given,
      label: 'it is now',
      cause: () =>
        'It was right when it was returned. Its memory has been used again for what came later: copy what you give out, or never write there again.',
    });
  }
}

/** `check` sees each header once, when it is complete and the frames before it are out. */
function checkCalls({ FrameReader }: Lesson): void {
  const seen: number[] = [];
  const reader = new FrameReader(({ opcode }) => {
    seen.push(opcode);
    if (opcode === Pong) throw new ProtocolError(1002, '5.2', 'Not this one.');
  });
  const two = join(
    wire({ opcode: Text, payload: 'one' }),
    wire({ opcode: Binary, payload: 'two' }),
  );
  const given = (bytes: Uint8Array): Fact[] => arrived(bytes);
  reader.push(two);
  equal(() => reader.read(), frame(Text, 'one'), 'Read the first of two frames.', {
    given: given(two),
  });
  equal(
    () => seen,
    [Text],
    'Call `check` when the frames before it have been returned, not ahead.',
    {
      given: given(two),
      label: 'called with the opcodes',
    },
  );
  equal(() => reader.read(), frame(Binary, 'two'), 'Read the second.', { given: given(two) });
  const [header, rest] = [wire({ opcode: Ping, payload: 'three' }).slice(0, 7), utf8('....')];
  reader.push(header);
  equal(() => reader.read(), undefined, 'A header and one byte of its payload are there.');
  equal(() => seen, [Text, Binary, Ping], 'Call `check` as soon as a header is complete.', {
    given: given(header),
  });
  reader.push(rest.slice(0, 1));
  reader.read();
  equal(() => seen, [Text, Binary, Ping], 'Call `check` once for each header.');
  reader.push(rest.slice(1));
  equal(() => reader.read()?.opcode, Ping, 'Read the third.');
  const refused = wire({ opcode: Pong }).slice(0, 6);
  attempt(
    () => reader.push(refused),
    '`push` only takes bytes in: it never throws.',
    given(refused),
  );
  failsWith(1002, () => reader.read(), 'What `check` throws, `read` throws.', {
    given: given(refused),
  });
}

/** A length is a promise, not a reason to reserve memory. */
function declaredLength(lesson: Lesson): void {
  const before = process.memoryUsage().arrayBuffers;
  const reader = anyFrames(lesson);
  const header = fromHex('82 ff 00 00 00 00 20 00 00 00 37 fa 21 3d'); // 512 MiB
  reader.push(header);
  equal(
    () => reader.read(),
    undefined,
    'A frame of 512 MiB has been announced, and none of it is there.',
  );
  reader.push(Uint8Array.of(1, 2, 3));
  equal(() => reader.read(), undefined, 'Three bytes of 512 MiB are there.');
  if (process.memoryUsage().arrayBuffers - before > 256 * 1024 * 1024) {
    fail('Reserve no memory for bytes that have only been announced.', [
      ['arrived', show(header)],
      ['reserved', 'more than 256 MiB'],
    ]);
  }
}

/** What takes more of the processor, in milliseconds, would take seconds more: it takes 20. */
const PATIENCE_MS = 1500;
/** A key that changes nothing: what is measured is the reading, not our masking. */
const NO_KEY = new Uint8Array(4);

/**
 * Reads a large frame in small reads. Code that handles all the bytes so far with each of them
 * takes minutes for what takes milliseconds.
 */
function linearCost<T>(
  reader: Reader<T>,
  opcode: number,
  expected: (payload: Uint8Array<ArrayBuffer>) => T,
  chunk = 256,
): void {
  const payload = new Uint8Array(4 * 1024 * 1024).fill(0x2a);
  const bytes = wire({ opcode, payload, key: NO_KEY });
  const started = cpuMs();
  const results: T[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    reader.push(bytes.subarray(at, at + chunk));
    for (let next = reader.read(); next !== undefined; next = reader.read()) results.push(next);
    if ((at & 0x3fff) === 0 && cpuMs() - started > PATIENCE_MS) {
      const size = `${Math.round(at / 1024)} KiB of 4096 KiB`;
      fail(
        'A large frame in many small reads takes far too long.',
        [['arrived', `${size} in reads of ${chunk} bytes, in ${PATIENCE_MS} ms`]],
        'Each read seems to handle all that came before it. Handle what is new, let a buffer grow by doubling, and join once.',
      );
    }
  }
  equal(() => results, [expected(payload)], 'Read a frame of 4 MiB in small reads.');
}

/** Why an illegal frame is illegal, by the first word of its id. */
const WHY: Readonly<Record<string, string>> = {
  unmasked: 'A client masks every frame, and a server refuses one that is not masked.',
  rsv1: 'No extension was agreed on, so nobody knows what the bit means. Do not guess.',
  rsv2: 'No extension was agreed on, so nobody knows what the bit means. Do not guess.',
  rsv3: 'No extension was agreed on, so nobody knows what the bit means. Do not guess.',
  opcode: 'Opcodes 3 to 7 and 11 to 15 have no meaning yet. What has none cannot be handled.',
  fragmented: 'A control frame is one frame: FIN is always set.',
  ping: 'A control frame has at most 125 bytes, so that it fits between any two fragments.',
};

function illegalFrames({ checkHeader, decodeHeader, FrameReader }: Lesson): void {
  const headerOf = (bytes: Uint8Array) =>
    decodeHeader(bytes) ?? fail('Step 2 has to hold before this one.', arrived(bytes));

  for (const { id, what, source, wire: hex, expected } of ILLEGAL_FRAMES) {
    const bytes = fromHex(hex);
    const header = headerOf(bytes);
    const section = source.split('§')[1] ?? '5.2';
    const given: Fact[] = [...arrived(bytes), ['header', show(header)], ['we are', 'the server']];
    failsWith(expected, () => checkHeader(header), `Refuse ${what}.`, {
      given,
      section,
      cause: () => WHY[id.split('-')[0] ?? ''],
    });
  }
  for (const opcode of [Continuation, Text, Binary]) {
    const header = headerOf(wire({ opcode, fin: false }));
    attempt(() => checkHeader(header), 'Accept a fragment: data may go on.', [
      ['header', show(header)],
    ]);
  }
  for (let opcode = 0; opcode < 16; opcode++) {
    const header = headerOf(wire({ opcode }));
    const check = () => checkHeader(header);
    const given: Fact[] = [['header', show(header)]];
    if ([0, 1, 2, 8, 9, 10].includes(opcode)) attempt(check, `Accept opcode ${opcode}.`, given);
    else failsWith(1002, check, `Refuse the reserved opcode ${opcode}.`, { given });
  }
  for (let rsv = 1; rsv < 8; rsv++) {
    const header = headerOf(wire({ opcode: Text, rsv }));
    const bits = rsv.toString(2).padStart(3, '0');
    failsWith(1002, () => checkHeader(header), `Refuse the RSV bits ${bits}.`, {
      given: [['header', show(header)]],
    });
  }
  for (const opcode of [Close, Ping, Pong]) {
    const longest = headerOf(wire({ opcode, payload: new Uint8Array(125) }));
    const given: Fact[] = [['header', show(longest)]];
    attempt(() => checkHeader(longest), 'Accept a control frame of 125 bytes.', given);
    for (const length of [126, 127, 65536]) {
      const header = headerOf(wire({ opcode, payload: new Uint8Array(length) }));
      failsWith(1002, () => checkHeader(header), `Refuse a control frame of ${length} bytes.`, {
        given: [['header', show(header)]],
      });
    }
    const open = headerOf(wire({ opcode, fin: false }));
    failsWith(1002, () => checkHeader(open), 'Refuse a control frame without FIN.', {
      given: [['header', show(open)]],
    });
  }

  const maskedHeader = headerOf(wire({ opcode: Text }));
  const plainHeader = headerOf(wire({ opcode: Text, key: null }));
  attempt(() => checkHeader(plainHeader, 'client'), 'As a client, accept an unmasked frame.', [
    ['header', show(plainHeader)],
  ]);
  failsWith(
    1002,
    () => checkHeader(maskedHeader, 'client'),
    'As a client, refuse a masked frame: a server never masks.',
    { given: [['header', show(maskedHeader)]] },
  );

  for (const { what, wire: hex, expected } of ILLEGAL_FRAMES) {
    const bytes = fromHex(hex);
    const header = bytes.slice(0, headerOf(bytes).headerLength);
    const reader = new FrameReader();
    const good = fromHex(RFC_FRAMES[1]!.wire);
    reader.push(join(good, header));
    const given = arrived(join(good, header), 'a good frame, then a bad header without payload');
    equal(() => reader.read(), frame(Text, 'Hello'), `Return the good frame before ${what}.`, {
      given,
    });
    failsWith(
      expected,
      () => reader.read(),
      `Refuse ${what} at its header; do not wait for its payload.`,
      { given },
    );
  }
}

/** A conversation: the frames a client sends, and the messages that come out. */
interface Conversation {
  readonly what: string;
  readonly frames: readonly WireFrame[];
  readonly messages: readonly Message[];
}

const text = (data: string): Message => ({ type: 'text', data });
const binary = (data: Uint8Array): Message => ({ type: 'binary', data });

const CONVERSATIONS: readonly Conversation[] = [
  {
    what: 'one text frame',
    frames: [{ opcode: Text, payload: 'Hello' }],
    messages: [text('Hello')],
  },
  {
    what: 'one binary frame',
    frames: [{ opcode: Binary, payload: Uint8Array.of(0, 255, 128) }],
    messages: [binary(Uint8Array.of(0, 255, 128))],
  },
  {
    what: 'an empty text and an empty binary message',
    frames: [{ opcode: Text }, { opcode: Binary }],
    messages: [text(''), binary(new Uint8Array(0))],
  },
  {
    what: 'a text in two fragments',
    frames: [
      { opcode: Text, payload: 'Hel', fin: false },
      { opcode: Continuation, payload: 'lo' },
    ],
    messages: [text('Hello')],
  },
  {
    what: 'a binary message in four fragments, one of them empty',
    frames: [
      { opcode: Binary, payload: Uint8Array.of(1, 2), fin: false },
      { opcode: Continuation, payload: Uint8Array.of(3), fin: false },
      { opcode: Continuation, fin: false },
      { opcode: Continuation, payload: Uint8Array.of(4) },
    ],
    messages: [binary(Uint8Array.of(1, 2, 3, 4))],
  },
  {
    what: 'three empty fragments, which are one empty message',
    frames: [
      { opcode: Text, fin: false },
      { opcode: Continuation, fin: false },
      { opcode: Continuation },
    ],
    messages: [text('')],
  },
  {
    what: 'a text that stands in the middle one of three fragments',
    frames: [
      { opcode: Text, fin: false },
      { opcode: Continuation, payload: 'middle frame payload', fin: false },
      { opcode: Continuation },
    ],
    messages: [text('middle frame payload')],
  },
  {
    what: 'a ping between two fragments',
    frames: [
      { opcode: Text, payload: 'Hel', fin: false },
      { opcode: Ping, payload: 'p' },
      { opcode: Continuation, payload: 'lo' },
    ],
    messages: [{ type: 'ping', payload: utf8('p') }, text('Hello')],
  },
  {
    what: 'a ping, a pong and an empty ping between three fragments',
    frames: [
      { opcode: Binary, payload: 'a', fin: false },
      { opcode: Ping, payload: 'one' },
      { opcode: Pong, payload: 'two' },
      { opcode: Continuation, payload: 'b', fin: false },
      { opcode: Ping },
      { opcode: Continuation, payload: 'c' },
    ],
    messages: [
      { type: 'ping', payload: utf8('one') },
      { type: 'pong', payload: utf8('two') },
      { type: 'ping', payload: new Uint8Array(0) },
      binary(utf8('abc')),
    ],
  },
  {
    what: 'a close inside a fragmented message',
    frames: [
      { opcode: Text, payload: 'Hel', fin: false },
      { opcode: Close, payload: Uint8Array.of(0x03, 0xe8) },
    ],
    messages: [{ type: 'close', payload: Uint8Array.of(0x03, 0xe8) }],
  },
  {
    what: 'a pong that nobody asked for',
    frames: [{ opcode: Pong, payload: 'still here' }],
    messages: [{ type: 'pong', payload: utf8('still here') }],
  },
  {
    what: 'a ping with bytes that are not UTF-8: a ping is not text',
    frames: [{ opcode: Ping, payload: Uint8Array.of(0xfe, 0xff) }],
    messages: [{ type: 'ping', payload: Uint8Array.of(0xfe, 0xff) }],
  },
  {
    what: 'two messages one after the other, the first in fragments',
    frames: [
      { opcode: Text, payload: 'on', fin: false },
      { opcode: Continuation, payload: 'e' },
      { opcode: Binary, payload: 'two' },
      { opcode: Text, payload: 'three' },
    ],
    messages: [text('one'), binary(utf8('two')), text('three')],
  },
  {
    what: 'a text after a binary message in fragments, of bytes that are no text',
    frames: [
      { opcode: Text, payload: 'before' },
      { opcode: Binary, payload: Uint8Array.of(0xff, 0xc3), fin: false },
      { opcode: Continuation, payload: Uint8Array.of(0x80, 0xfe) },
      { opcode: Text, payload: 'after' },
      { opcode: Binary, payload: Uint8Array.of(0x80) },
    ],
    messages: [
      text('before'),
      binary(Uint8Array.of(0xff, 0xc3, 0x80, 0xfe)),
      text('after'),
      binary(Uint8Array.of(0x80)),
    ],
  },
];

function conversation(lesson: Lesson, { what, frames, messages }: Conversation): void {
  const bytes = join(...frames.map(wire));
  replay(() => new lesson.MessageReader(), bytes, messages, `Read ${what}.`);
}

const BROKEN_ORDER: readonly { what: string; frames: readonly WireFrame[] }[] = [
  {
    what: 'a continuation with nothing to continue',
    frames: [{ opcode: Continuation, payload: 'x' }],
  },
  {
    what: 'a continuation after a message that has ended',
    frames: [
      { opcode: Text, payload: 'a', fin: false },
      { opcode: Continuation, payload: 'b' },
      { opcode: Continuation, payload: 'c' },
    ],
  },
  {
    what: 'a new text inside an open message',
    frames: [
      { opcode: Text, payload: 'A', fin: false },
      { opcode: Text, payload: 'B' },
    ],
  },
  {
    what: 'a new binary message inside an open text',
    frames: [
      { opcode: Text, payload: 'A', fin: false },
      { opcode: Ping },
      { opcode: Binary, payload: 'B' },
    ],
  },
];

/** Reads until the error. Returns the messages before it. */
function readUntilError(reader: Reading.MessageReader): Message[] {
  const messages: Message[] = [];
  for (let message = reader.read(); message !== undefined; message = reader.read()) {
    messages.push(message);
  }
  return messages;
}

function messages(lesson: Lesson): void {
  for (const item of CONVERSATIONS) conversation(lesson, item);

  for (const { what, frames } of BROKEN_ORDER) {
    const last = frames.at(-1)!;
    const header = wire({ ...last, payload: '' }).slice();
    header[1]! |= 100; // 100 bytes announced, none sent: the header alone has to be enough.
    const bytes = join(...frames.slice(0, -1).map(wire), header);
    failsWith(
      1002,
      () => {
        const reader = new lesson.MessageReader();
        reader.push(bytes);
        return readUntilError(reader);
      },
      `Refuse ${what}, at its header.`,
      { given: arrived(bytes) },
    );
  }

  for (const { what, wire: hex } of [...ILLEGAL_FRAMES, ...ILLEGAL_LENGTHS]) {
    const bytes = fromHex(hex);
    const reader = new lesson.MessageReader();
    reader.push(bytes);
    failsWith(1002, () => reader.read(), `Refuse ${what}, as in step 5.`, {
      given: arrived(bytes),
    });
  }
  const client = new lesson.MessageReader('client');
  client.push(wire({ opcode: Text, payload: 'Hello', key: null }));
  equal(() => client.read(), text('Hello'), 'As a client, read an unmasked text.');

  randomly(10, (random, seed) => {
    const { frames, messages } = randomConversation(random);
    const bytes = join(...frames.map(wire));
    const cuts = random.cuts(bytes.length, random.pick([1, 7, 100]));
    const makeReader = () => new lesson.MessageReader();
    replayRandomly(makeReader, bytes, messages, `Read random messages (SEED=${seed}).`, cuts);
  });

  linearCost(new lesson.MessageReader(), Binary, binary, 1024);

  manyFragments(lesson);
}

/** Fragments without number: no nested calls, no memory for nothing, no joining anew each time. */
function manyFragments({ MessageReader }: Lesson): void {
  const many = (count: number, payload: Uint8Array) => {
    const one = wire({ opcode: Continuation, fin: false, payload, key: NO_KEY });
    return Buffer.concat(Array.from({ length: count }, () => one));
  };
  const first = wire({ opcode: Binary, fin: false });
  const last = wire({ opcode: Continuation, payload: 'end' });

  const empty = many(30_000, new Uint8Array(0));
  const reader = new MessageReader();
  const before = usedMemory('heapUsed');
  reader.push(join(first, empty));
  equal(
    () => reader.read(),
    undefined,
    'The message has not ended: 30,000 empty fragments, in one read.',
  );
  if (usedMemory('heapUsed') - before > 1_000_000) {
    fail(
      'Empty fragments take up no memory.',
      [['arrived', '30,000 empty fragments']],
      'Each of them is kept in a list. Keep their bytes, of which there are none.',
    );
  }
  reader.push(last);
  equal(() => reader.read(), binary(utf8('end')), 'Read a message after 30,000 empty fragments.');

  const long = new MessageReader();
  long.push(first);
  const piece = new Uint8Array(1024).fill(0x2a);
  const batch = many(64, piece);
  const started = cpuMs();
  for (let i = 0; i < 64; i++) {
    long.push(batch);
    equal(() => long.read(), undefined, 'The message has not ended: fragments of 1024 bytes.');
    if (cpuMs() - started > PATIENCE_MS) {
      fail(
        'A message of many small fragments takes far too long.',
        [['arrived', `${i * 64} fragments of 1024 bytes, in ${PATIENCE_MS} ms`]],
        'Each fragment seems to copy all that came before it. Join them once, or let a buffer grow by doubling.',
      );
    }
  }
  long.push(last);
  const whole = new Uint8Array(4 * 1024 * 1024 + 3).fill(0x2a);
  whole.set(utf8('end'), whole.length - 3);
  equal(() => long.read(), binary(whole), 'Read a message of 4,097 fragments.');
}

function randomConversation(random: Random): Omit<Conversation, 'what'> {
  const frames: WireFrame[] = [];
  const messages: Message[] = [];
  for (let i = 0; i < 4; i++) {
    const payload = random.bytes(random.below(200));
    const pieces = deliver(payload, random.cuts(payload.length, 80)).reads;
    pieces.forEach((piece, n) => {
      const opcode = n === 0 ? Binary : Continuation;
      frames.push({
        opcode,
        payload: piece,
        fin: n === pieces.length - 1,
        key: random.bytes(4),
      });
      if (n === pieces.length - 1) messages.push(binary(payload));
      if (random.below(3) === 0) {
        const ping = random.bytes(random.below(126));
        frames.push({ opcode: Ping, payload: ping, key: random.bytes(4) });
        messages.push({ type: 'ping', payload: ping });
      }
    });
  }
  return { frames, messages };
}

/** Texts whose characters are cut, and between the pieces what is no text. */
const CUT_TEXTS: Conversation = {
  what: 'three texts, two of them in fragments that cut characters',
  frames: [
    { opcode: Text, payload: fromHex('c3'), fin: false },
    { opcode: Ping, payload: Uint8Array.of(0xfe, 0xff, 0xfe) },
    { opcode: Continuation, payload: fromHex('a9 e2'), fin: false },
    { opcode: Continuation, fin: false },
    { opcode: Continuation, payload: fromHex('82 ac f0 9f 98'), fin: false },
    { opcode: Continuation, payload: fromHex('80') },
    { opcode: Binary, payload: fromHex('f0 9f'), fin: false },
    { opcode: Continuation, payload: fromHex('98') },
    { opcode: Text, payload: fromHex('e8 aa'), fin: false },
    { opcode: Continuation, payload: fromHex('9e') },
    { opcode: Text, payload: 'ñ' },
  ],
  messages: [
    { type: 'ping', payload: Uint8Array.of(0xfe, 0xff, 0xfe) },
    text('é€😀'),
    binary(fromHex('f0 9f 98')),
    text('語'),
    text('ñ'),
  ],
};

function utf8Text(lesson: Lesson): void {
  const conversations: Conversation[] = [
    'Hello-µ@ßöäüàá-UTF-8!!',
    'é€😀',
    '你好，世界',
    '\ufeffhi',
  ].map((data) => ({
    what: `the text ${show(data)}`,
    frames: [{ opcode: Text, payload: data }],
    messages: [text(data)],
  }));
  for (const item of conversations) conversation(lesson, item);
  conversation(lesson, CUT_TEXTS);
  textInManyPieces(lesson);

  for (const { id, what, valid, invalid } of UTF8_GROUPS) {
    for (const [i, hex] of [...valid, ...invalid].entries()) {
      checkUtf8(lesson, fromHex(hex), i < valid.length, `${what} (${id}.${i + 1})`);
    }
  }
  peeking(lesson);
  failFast(lesson);
  const whole = (payload: Uint8Array) => text(new TextDecoder().decode(payload));
  linearCost(new lesson.MessageReader(), Text, whole, 1024);
}

/** Looking at a payload that is still arriving changes nothing. */
function peeking({ FrameReader }: Lesson): void {
  const bytes = wire({ opcode: Text, payload: 'Hello' });
  const reader = new FrameReader();
  const arrive = (from: number, to: number) => {
    reader.push(bytes.slice(from, to));
    const given = arrived(bytes.slice(0, to));
    equal(() => reader.read(), undefined, 'The frame has not ended.', { given });
    return { given };
  };
  equal(() => reader.peek(), utf8(''), 'There is nothing to see yet.');
  const inHeader = arrive(0, 1);
  equal(() => reader.peek(), utf8(''), 'A header is no payload.', inHeader);
  const inPayload = arrive(1, 9);
  for (const [from, seen] of [
    [0, 'Hel'],
    [2, 'l'],
    [3, ''],
    [0, 'Hel'],
  ] as const) {
    equal(() => reader.peek(from), utf8(seen), `See the payload from byte ${from} on.`, {
      ...inPayload,
      cause: () => 'Is it unmasked in a copy? And from the place in the payload where it begins?',
    });
  }
  reader.push(bytes.slice(9));
  equal(() => reader.read(), frame(Text, 'Hello'), 'Who peeks takes nothing away.', {
    given: arrived(bytes),
    cause: () => 'Does `peek` unmask the bytes that wait? Then they are unmasked twice. Copy them.',
  });
  equal(() => reader.peek(), utf8(''), 'After the frame, there is nothing to see.');
}

/** A text comes out once and whole, however many pieces it arrives in; so does the next. */
function textInManyPieces({ MessageReader }: Lesson): void {
  const long = 'aé€😀'.repeat(500);
  const bytes = join(
    wire({ opcode: Text, payload: long }),
    wire({ opcode: Text, payload: 'next', fin: false }),
    wire({ opcode: Continuation, payload: long }),
  );
  const right = [long, `next${long}`];
  const toClient = wire({ opcode: Text, payload: long, key: null });
  equal(
    () => readAll(new MessageReader('client'), deliver(toClient, [1, 2, 3, 100, 1001]).reads),
    [text(long)],
    'As a client, read an unmasked text that arrives in pieces.',
  );
  for (const most of [1, 2, 100, 1000]) {
    const { reads } = deliver(bytes, new Random(most).cuts(bytes.length, most));
    const how = most === 1 ? 'byte by byte' : `in reads of 1 to ${most} bytes`;
    const given = arrived(bytes, how);
    const what = 'Read two texts of 5,000 bytes that arrive in many pieces.';
    const messages = attempt(() => readAll(new MessageReader(), reads), what, given);
    const texts = messages.map((message) => (message.type === 'text' ? message.data : ''));
    // The texts are too long to be shown.
    const lengths = (all: readonly string[]) => all.map(({ length }) => length);
    const cause = () => textMistake(messages, right.map(text));
    equal(() => lengths(texts), lengths(right), what, { given, cause, label: 'lengths' });
    if (texts.join() !== right.join()) {
      fail(what, given, 'The texts have the right length, but not the right characters.');
    }
  }
}

/** The same bytes in one frame, and in two fragments cut at every place. */
function checkUtf8(lesson: Lesson, payload: Uint8Array, valid: boolean, what: string): void {
  const sendings: WireFrame[][] = [[{ opcode: Text, payload }]];
  for (let at = 1; at < Math.min(payload.length, 12); at++) {
    sendings.push([
      { opcode: Text, payload: payload.slice(0, at), fin: false },
      { opcode: Continuation, payload: payload.slice(at) },
    ]);
  }
  for (const frames of sendings) {
    const bytes = join(...frames.map(wire));
    const given: Fact[] = [
      ['payload', show(payload)],
      [
        'sent',
        frames.length === 1
          ? 'in one frame'
          : `in two fragments, cut after byte ${frames[0]?.payload?.length}`,
      ],
    ];
    const read = () => readAll(new lesson.MessageReader(), [bytes]);
    if (valid) {
      const expected = [text(new TextDecoder('utf-8', { ignoreBOM: true }).decode(payload))];
      equal(() => read(), expected, `Read valid UTF-8: ${what}.`, { given });
    } else {
      failsWith(1007, read, `Refuse what is not UTF-8: ${what}.`, {
        given,
        cause: (actual) => {
          if (!Array.isArray(actual) || actual.length === 0) return undefined;
          return String(actual[0]?.data).includes('\ufffd')
            ? 'The decoder put U+FFFD where the wrong bytes were. Ask it to throw instead: fatal.'
            : 'The text ended inside a character. Tell the decoder which piece is the last.';
        },
      });
    }
  }
}

/** A wrong byte ends the connection when it arrives, not when the message ends. */
function failFast(lesson: Lesson): void {
  const good = fromHex('ce ba e1 bd b9 cf 83 ce bc ce b5'); // κόσμε
  const wrong = fromHex('f4 90 80 80'); // beyond U+10FFFF

  const fragments = new lesson.MessageReader();
  fragments.push(wire({ opcode: Text, payload: good, fin: false }));
  equal(
    () => fragments.read(),
    undefined,
    'The first fragment of a text is fine, and not the end.',
  );
  const second = wire({ opcode: Continuation, payload: wrong, fin: false });
  fragments.push(second);
  failsWith(
    1007,
    () => fragments.read(),
    'Refuse a fragment that is not UTF-8 at once; do not wait for the end of the message.',
    { given: arrived(second) },
  );

  const bytes = wire({
    opcode: Text,
    payload: join(good, wrong, utf8('edited')),
  });
  const cut = 6 + good.length;
  const pieces = new lesson.MessageReader();
  pieces.push(bytes.slice(0, cut));
  equal(
    () => pieces.read(),
    undefined,
    'The first bytes of a text frame are fine, and not the end.',
    {
      given: arrived(bytes.slice(0, cut)),
    },
  );
  pieces.push(bytes.slice(cut, cut + 2));
  failsWith(
    1007,
    () => pieces.read(),
    'Refuse a wrong byte in the middle of a frame at once; do not wait for the end of the frame.',
    { given: arrived(bytes.slice(0, cut + 2), deliver(bytes.slice(0, cut + 2), [cut])) },
  );
}

function limits({ MessageReader }: Lesson): void {
  const limit = 1000;
  const reader = () => new MessageReader('server', limit);
  const header = (opcode: number, length: number, fin = true) =>
    wire({ opcode, fin, payload: new Uint8Array(length) }).slice(0, length > 125 ? 8 : 6);

  const largest = utf8('x'.repeat(limit));
  equal(
    () => readAll(reader(), [wire({ opcode: Text, payload: largest })]),
    [text('x'.repeat(limit))],
    `Accept a message of exactly ${limit} bytes when that is the limit.`,
  );
  const inFragments = [0, 400, 800].map((at) => {
    const payload = largest.slice(at, at + 400);
    return wire({
      opcode: at === 0 ? Binary : Continuation,
      payload,
      fin: at === 800,
    });
  });
  equal(
    () => readAll(reader(), [join(...inFragments)]),
    [binary(largest)],
    `Accept fragments of ${limit} bytes together when that is the limit.`,
  );

  const tooLong = header(Text, limit + 1);
  failsWith(
    1009,
    () => readAll(reader(), [tooLong]),
    `Refuse a message of ${limit + 1} bytes at its header, when the limit is ${limit}.`,
    { given: arrived(tooLong, 'the header; none of the payload') },
  );

  const sum = join(
    wire({ opcode: Text, payload: 'x'.repeat(600), fin: false }),
    wire({ opcode: Ping, payload: 'in between' }),
    header(Continuation, 401, false),
  );
  const summing = reader();
  summing.push(sum);
  equal(
    () => summing.read(),
    { type: 'ping', payload: utf8('in between') },
    'Read the ping in between.',
  );
  failsWith(
    1009,
    () => summing.read(),
    `Refuse a fragment that makes 600 bytes 1001, when the limit is ${limit}.`,
    { given: arrived(sum.slice(-8), 'the header of the second fragment; none of its payload') },
  );

  const huge = fromHex('82 ff 00 00 01 00 00 00 00 00 37 fa 21 3d'); // 2^40
  failsWith(
    1009,
    () => readAll(new MessageReader(), [huge]),
    'Refuse a terabyte at its header, whatever the limit is.',
    { given: arrived(huge) },
  );

  const again = reader();
  for (let i = 0; i < 3; i++) {
    equal(
      () => readAll(again, [wire({ opcode: Text, payload: largest })]).length,
      1,
      'The limit is for one message: start to count anew with the next.',
    );
  }
  const around = join(
    wire({ opcode: Binary, payload: 'x'.repeat(990), fin: false }),
    wire({ opcode: Ping, payload: 'p'.repeat(100) }),
    wire({ opcode: Continuation, payload: 'x'.repeat(10) }),
  );
  equal(
    () => readAll(reader(), [around]).length,
    2,
    'The payload of a ping is no part of the message around it.',
  );
  textInTinyReads(MessageReader);
  nothingIsLeft(MessageReader);
}

/** A limit in bytes is worth something when a byte costs a byte. */
function textInTinyReads(MessageReader: Lesson['MessageReader']): void {
  const bytes = wire({ opcode: Text, payload: 'x'.repeat(200_000), key: NO_KEY });
  const reader = new MessageReader();
  const before = usedMemory('heapUsed');
  for (let at = 0; at + 3 < bytes.length; at += 3) {
    reader.push(bytes.subarray(at, at + 3));
    equal(() => reader.read(), undefined, 'A text of which bytes are missing is not whole.');
  }
  const taken = usedMemory('heapUsed') - before;
  // Kept alive until here: otherwise it takes up nothing.
  attempt(() => reader.read(), 'A text of which bytes are missing is not whole.');
  if (taken < 1_500_000) return;
  fail(
    'A text that arrives in small reads takes up little more memory than it has bytes.',
    [
      ['arrived', '200,000 bytes of text, in reads of 3'],
      ['memory', `${Math.round(taken / 1000)},000 bytes`],
    ],
    'Each piece is kept as an object of its own: in a list, or inside of a string that grows by `+=`. Join the pieces from time to time.',
  );
}

/** Between messages, a connection has nothing to keep. */
function nothingIsLeft(MessageReader: Lesson['MessageReader']): void {
  const bytes = wire({ opcode: Binary, payload: new Uint8Array(1024 * 1024), key: NO_KEY });
  const readers = Array.from({ length: 16 }, () => new MessageReader());
  const before = usedMemory('arrayBuffers');
  for (const reader of readers) {
    reader.push(bytes);
    equal(() => reader.read()?.type, 'binary', 'Read a message of 1 MiB.');
    equal(() => reader.read(), undefined, 'There is one message, and no more.');
  }
  const kept = usedMemory('arrayBuffers') - before;
  equal(
    () => readers.map((reader) => reader.read()),
    readers.map(() => undefined),
    'No more.',
  );
  if (kept < 8 * 1024 * 1024) return;
  fail(
    'Keep no memory between two messages.',
    [
      ['read', '16 messages of 1 MiB, by 16 readers'],
      ['kept', `${Math.round(kept / 1024 / 1024)} MiB, once nobody has the messages any more`],
    ],
    'A view keeps all of the memory that it is a part of, even a view of no bytes. When nothing waits, start with a new, empty array.',
  );
}

export const spec: Spec<Lesson> = {
  lesson: '02-reading-frames',
  steps: [
    {
      title: 'The first two bytes',
      section: '5.2',
      scenarios: [{ what: 'The first two bytes', rules: [116, 118], check: firstTwoBytes }],
    },
    {
      title: 'Lengths beyond 125',
      section: '5.2',
      scenarios: [{ what: 'Lengths beyond 125', rules: [74, 75, 76], check: headers }],
    },
    {
      title: 'Unmasking',
      section: '5.3',
      scenarios: [{ what: 'Unmasking', rules: [82, 120], check: unmasking }],
    },
    {
      title: 'A stream has no frames',
      section: '5.2',
      scenarios: [{ what: 'A stream has no frames', rules: [91, 116, 119], check: stream }],
    },
    {
      title: 'Illegal frames',
      section: '5.2',
      scenarios: [
        { what: 'Illegal frames', rules: [67, 69, 72, 73, 84, 92, 93, 153], check: illegalFrames },
      ],
    },
    {
      title: 'Messages from fragments',
      section: '5.4',
      scenarios: [
        {
          what: 'Messages from fragments',
          rules: [83, 85, 86, 87, 88, 90, 105, 117, 118, 119],
          check: messages,
        },
      ],
    },
    {
      title: 'Text is UTF-8',
      section: '8.1',
      scenarios: [{ what: 'Text is UTF-8', rules: [106, 138], check: utf8Text }],
    },
    {
      title: 'Limits',
      section: '10.4',
      scenarios: [{ what: 'Limits', rules: [150, 151], check: limits }],
    },
  ],
};
