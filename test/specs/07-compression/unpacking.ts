/** Step 4 · A message, unpacked. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { buffersReserved } from '../../../shared/kit/memory.ts';
import { CloseCode, ProtocolError } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { walkDeflate } from '../../../shared/view/deflate.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import {
  LOOSE_MESSAGES,
  NO_MESSAGES,
  RFC_MESSAGES,
  SHORT_MESSAGES,
  type Unpacked,
} from '../../vectors/deflate.ts';
import type { Vector } from '../../vectors/vector.ts';
import { drawBlocks } from './drawing.ts';
import { playMessage, writeMessage } from './encoder.ts';
import { argument, isOwnCopy } from './judge.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise } from './zlib.ts';

/** A call of `inflateMessage`. */
interface Call {
  readonly payload: Uint8Array;
  /** Absent: that of the lesson. */
  readonly maxBytes?: number;
  /** Absent: none. */
  readonly window?: Uint8Array;
}

/** What the call looks like, and how many blocks of the message say that they are the last. */
function given({ payload, maxBytes, window }: Call): Fact[] {
  const args = [argument(payload)];
  if (maxBytes !== undefined || window) args.push(`${maxBytes}`);
  if (window) args.push('window');
  const facts: Fact[] = [['call', `inflateMessage(${args.join(', ')})`]];
  if (window) facts.push(['window', argument(window)]);
  const finals = walkDeflate(payload).blocks.filter(({ final }) => final).length;
  if (finals > 0) facts.push(['blocks with BFINAL', `${finals}`]);
  return facts;
}

/** Checks what comes out of a message. */
function unpacks({ inflateMessage }: Lesson, call: Call, plain: Uint8Array, what: string): void {
  const { payload, maxBytes, window } = call;
  equal(() => inflateMessage(payload, maxBytes, window), plain, what, {
    get given() {
      return given(call);
    },
    cause: (returned) => causeOf(returned, call, plain),
    causeOfError: (error) =>
      causeOfError(error) ??
      causeOfLimit(error, call, plain) ??
      causeOfNoLimit(error, inflateMessage, call) ??
      (isGarbage(error) ? causeOfGarbled(error, inflateMessage, call) : undefined),
  });
}

function causeOf(returned: unknown, { payload }: Call, plain: Uint8Array): string | undefined {
  if (!(returned instanceof Uint8Array) || returned.length >= plain.length) return undefined;
  const isStart = Buffer.compare(returned, plain.subarray(0, returned.length)) === 0;
  const isFirstFinal = (payload[0]! & 1) === 1;
  return isStart && isFirstFinal
    ? 'zlib stops after a block with BFINAL, and says nothing. With `info: true` it also returns its engine, whose `bytesWritten` says how many bytes it has read.'
    : undefined;
}

function causeOfError(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR' || /unexpected end of file/.test(message)) {
    return OPEN_END;
  }
  if (code === 'ERR_OUT_OF_RANGE') {
    return 'zlib accepts a `maxOutputLength` from 1 to `kMaxLength` of node:buffer: bring the limit into that, and compare what comes out with it yourself.';
  }
  if (code === 'ERR_BUFFER_TOO_LARGE') {
    return 'So Node says that more than `maxOutputLength` would come out. The error has to say with which code to close.';
  }
  return undefined;
}

const OPEN_END =
  'For zlib, the bytes end too early. It needs the 00 00 ff ff that was cut off, and `finishFlush: constants.Z_SYNC_FLUSH`, since no block says that it is the last.';

function isGarbage(error: unknown): error is ProtocolError {
  return error instanceof ProtocolError && error.closeCode === CloseCode.InvalidPayload;
}

/** What is wrong where right bytes are taken for garbage. */
function causeOfGarbled(
  { message }: Error,
  inflateMessage: Lesson['inflateMessage'],
  { payload }: Call,
): string | undefined {
  if (finishes(inflateMessage)) return OPEN_END;
  if (isHello(inflateMessage, '78 9c f2 48 cd c9 c9 07 00')) return WITH_HEADER;
  const isFinal = walkDeflate(payload).blocks.some(({ final }) => final);
  return isFinal && /too far back/.test(message) ? BEYOND_FINAL : undefined;
}

const WITH_HEADER =
  'What `deflateSync` makes is unpacked, with its header of two bytes. A message has none: `inflateRawSync` expects none.';
const BEYOND_FINAL =
  'After a block with BFINAL, the window is what it was, and behind it what has come out of this message so far.';

/** Whether "Hello" can be unpacked when its last block, an empty one, has BFINAL, but not without. */
function finishes(inflateMessage: Lesson['inflateMessage']): boolean {
  const [final, open] = ['f2 48 cd c9 c9 07 04', 'f2 48 cd c9 c9 07 00'];
  return isHello(inflateMessage, final) && !isHello(inflateMessage, open);
}

/** Whether "Hello" comes out of these bytes. */
function isHello(inflateMessage: Lesson['inflateMessage'], payload: string): boolean {
  try {
    return Buffer.from(inflateMessage(fromHex(payload))).equals(utf8('Hello'));
  } catch {
    return false;
  }
}

function causeOfLimit(
  error: unknown,
  { payload, maxBytes = Infinity }: Call,
  plain: Uint8Array,
): string | undefined {
  const isTooBig = error instanceof ProtocolError && error.closeCode === CloseCode.MessageTooBig;
  return isTooBig && payload.length > maxBytes
    ? `The limit is for what comes out, which is ${count(plain.length, 'byte')}. Compressed, it can be longer.`
    : undefined;
}

/** What is wrong where a message can be unpacked with any limit, but not with none. */
function causeOfNoLimit(
  error: unknown,
  inflateMessage: Lesson['inflateMessage'],
  { payload, maxBytes, window }: Call,
): string | undefined {
  if (!isGarbage(error) || maxBytes !== Infinity) return undefined;
  inflateMessage(payload, 1000, window);
  return 'With a limit of 1000 bytes, it is unpacked. For zlib, `Infinity` is no `maxOutputLength`: it is `kMaxLength` of node:buffer at most.';
}

function unpacksVector({ what, wire, expected }: Vector<Unpacked>): Scenarios[number] {
  const sentence = `Unpack ${what}.`;
  const window = expected.window === undefined ? undefined : fromHex(expected.window);
  return {
    what: sentence,
    rules: [157, 158],
    check: (lesson) => {
      const call = { payload: fromHex(wire), ...(window && { window }) };
      unpacks(lesson, call, fromHex(expected.plain), sentence);
    },
  };
}

/** Checks that a message is refused with 1007. */
function refusesGarbage({ what, wire, expected }: (typeof NO_MESSAGES)[number]): Scenarios[number] {
  const sentence = `Refuse ${what}, with 1007.`;
  const window = expected.window === undefined ? undefined : fromHex(expected.window);
  return {
    what: sentence,
    rules: [157],
    check: ({ inflateMessage }) => {
      const payload = fromHex(wire);
      failsWith(
        CloseCode.InvalidPayload,
        () => inflateMessage(payload, undefined, window),
        sentence,
        {
          get given(): Fact[] {
            const call = { payload, ...(window && { window }) };
            return [...given(call), ['which is wrong', expected.why]];
          },
          cause: (returned) => causeOfPatience(returned, payload),
          causeOfError: (error) =>
            error instanceof ProtocolError
              ? undefined
              : 'It is the mistake of a peer, and no bug: the error has to say with which code to close.',
        },
      );
    },
  };
}

/** What is wrong where just that was returned which zlib finds in a message as it arrived. */
function causeOfPatience(returned: unknown, payload: Uint8Array): string | undefined {
  const found = inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH });
  return returned instanceof Uint8Array && Buffer.compare(returned, found) === 0
    ? 'This is what zlib makes of the bytes as they arrive: it waits for more, and says nothing. With the 00 00 ff ff that was cut off put back, it finds the mistake.'
    : undefined;
}

/** Makes zeros, packed: so many times 64 KiB. */
function zeros(times: number): Uint8Array {
  const options = { finishFlush: constants.Z_FULL_FLUSH };
  const part = deflateRawSync(new Uint8Array(65_536), options);
  return join(...Array.from({ length: times }, () => part), Uint8Array.of(0));
}

const EMPTY_FINAL = { symbols: [], final: true };

/** The same plain bytes in messages that differ: the limit is the same for all. */
function* messagesOf(plain: Uint8Array): Generator<Uint8Array> {
  const all = [...plain];
  const [start, rest] = [all.slice(0, 500), all.slice(500)];
  yield writeMessage([
    { symbols: start, stored: true },
    { symbols: rest, stored: true },
  ]);
  // Of what fills a buffer of zlib, one kind is enough.
  if (plain.length > 2000) return;
  yield writeMessage([{ symbols: all }]);
  yield writeMessage([{ symbols: start, final: true }, { symbols: rest }]);
  yield writeMessage([
    { symbols: start, final: true },
    { symbols: rest, final: true },
  ]);
  yield writeMessage([{ symbols: start, final: true }, EMPTY_FINAL, { symbols: rest }]);
  yield writeMessage([{ symbols: all.slice(0, -1), final: true }, { symbols: all.slice(-1) }]);
}

const AT_LIMIT = 'Unpack a message of exactly the limit, and refuse one of a byte more.';

function keepsLimit(lesson: Lesson): void {
  for (const maxBytes of [1000, 1, 0, 16_384]) {
    const [plain, more] = [noise(maxBytes), noise(maxBytes + 1)];
    for (const payload of messagesOf(plain)) {
      unpacks(lesson, { payload, maxBytes }, plain, AT_LIMIT);
    }
    const facts: Fact[] = [['comes out', count(more.length, 'byte')]];
    for (const payload of messagesOf(more)) {
      refusesLarge(lesson, { payload, maxBytes }, AT_LIMIT, facts);
    }
  }
}

const NO_LIMIT = 'With a limit of `Infinity`, all of it comes out.';

function knowsNoLimit(lesson: Lesson): void {
  const payload = fromHex('f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00');
  unpacks(lesson, { payload, maxBytes: Infinity }, utf8('HelloHello'), NO_LIMIT);
}

/** Checks that more would come out of a message than may. */
function refusesLarge(
  { inflateMessage }: Lesson,
  call: Call,
  what: string,
  facts: readonly Fact[] = [],
  cause: (error: unknown) => string | undefined = causeOfError,
): void {
  const { payload, maxBytes, window } = call;
  failsWith(CloseCode.MessageTooBig, () => inflateMessage(payload, maxBytes, window), what, {
    get given() {
      return [...given(call), ...facts];
    },
    causeOfError: cause,
    section: '10.4',
  });
}

/** What is wrong where something that is no DEFLATE comes after what is too much already. */
function causeOfGarbage(error: unknown): string | undefined {
  return error instanceof ProtocolError && error.closeCode === CloseCode.InvalidPayload
    ? 'What is no DEFLATE comes after what is too much already: it was unpacked all the same.'
    : causeOfError(error);
}

const BOMB = 'Refuse 64 MiB out of a few bytes before they take any memory.';

function refusesBomb(lesson: Lesson): void {
  const call = { payload: zeros(1024), maxBytes: 65_536 };
  const most = 8 * 1024 * 1024;
  const refuse = () => refusesLarge(lesson, call, BOMB, [['comes out', '64 MiB of zeros']]);
  const reserved = buffersReserved(2, refuse);
  if (reserved < most) return;
  fail(
    BOMB,
    [...given(call), ['memory', `${Math.round(reserved / 2 / 1024 / 1024)} MiB each time`]],
    'It is all unpacked before somebody counts. `maxOutputLength` makes zlib stop there.',
  );
}

const STOP = 'Stop at the limit: what comes after it does not matter.';

function stopsAtLimit(lesson: Lesson): void {
  const payload = join(zeros(16).subarray(0, -1), Uint8Array.of(0xff, 0xff));
  const facts: Fact[] = [['comes out', '1 MiB of zeros, and then there is no DEFLATE any more']];
  refusesLarge(lesson, { payload, maxBytes: 1000 }, STOP, facts, causeOfGarbage);
}

const STOP_AFTER = 'Stop at the limit, also when a block with BFINAL came before.';

function stopsAfterFinal(lesson: Lesson): void {
  const maxBytes = 2 ** 20;
  const start = deflateRawSync(new Uint8Array(maxBytes - 1000));
  // No more than the limit by itself.
  const payload = join(start, zeros(15).subarray(0, -1), Uint8Array.of(0xff, 0xff));
  const facts: Fact[] = [
    ['comes out', '1 MiB less 1000 bytes, with BFINAL'],
    ['and then', '960 KiB, and then there is no DEFLATE any more'],
  ];
  refusesLarge(lesson, { payload, maxBytes }, STOP_AFTER, facts, causeOfGarbage);
}

const USUAL = 'Without a limit of your own, no more than 16 MiB come out.';

function hasUsualLimit(lesson: Lesson): void {
  unpacks(lesson, { payload: zeros(64) }, new Uint8Array(2 ** 22), USUAL);
  const payload = join(zeros(256).subarray(0, -1), writeMessage([{ symbols: [0] }]));
  refusesLarge(lesson, { payload }, USUAL, [['comes out', '16 MiB and one byte']]);
}

const MORE = 'With a larger limit of your own, more than 16 MiB can come out.';

function hasLargerLimit({ inflateMessage }: Lesson): void {
  const payload = join(zeros(256).subarray(0, -1), writeMessage([{ symbols: [0] }]));
  // Of 32 bits, this is a negative number.
  const call = { payload, maxBytes: 2 ** 31 };
  equal(() => inflateMessage(payload, call.maxBytes).length, 2 ** 24 + 1, MORE, {
    get given() {
      return given(call);
    },
    label: 'so many bytes came out',
  });
}

/** How many blocks can have BFINAL. */
const MOST_FINAL = 100;

/** Makes so many empty blocks with BFINAL, of two bytes each. */
function emptyFinals(count: number): Uint8Array {
  const block = fromHex('03 00');
  return join(...Array.from({ length: count }, () => block));
}

const FINALS = `Unpack a message with ${MOST_FINAL} blocks with BFINAL, and refuse one with more.`;

function countsFinals(lesson: Lesson): void {
  const letter = { symbols: [0x61], final: true };
  const finals = Array.from({ length: MOST_FINAL }, () => letter);
  const plain = utf8('a'.repeat(MOST_FINAL));
  unpacks(lesson, { payload: writeMessage(finals) }, plain, FINALS);
  const payload = writeMessage([...finals, letter]);
  refusesLarge(lesson, { payload }, FINALS);
}

const OPEN = 'Unpack a message with 300 blocks without BFINAL: it can have any number of them.';

function countsFinalsOnly(lesson: Lesson): void {
  const letter = { symbols: [0x61] };
  const blocks = Array.from({ length: 150 }, () => [letter, { symbols: [], stored: true }]).flat();
  unpacks(lesson, { payload: writeMessage(blocks) }, utf8('a'.repeat(150)), OPEN);
}

const MANY = 'Stop at the 101st block with BFINAL: what comes after it does not matter.';

function stopsAtFinals(lesson: Lesson): void {
  const payload = join(emptyFinals(1000), Uint8Array.of(0xff, 0xff));
  const facts: Fact[] = [['after them', 'there is no DEFLATE any more']];
  refusesLarge(lesson, { payload }, MANY, facts, causeOfGarbage);
}

const ONCE = 'Do not copy all that has come out again after each block with BFINAL.';

const COPIED =
  'Where these blocks come first, it takes far less: so what has come out is copied after each of them. For what refers back, the last 32 KiB are enough, and all the pieces can be joined once, at the end.';

function copiesOnce(lesson: Lesson): void {
  const [many, finals] = [zeros(8), emptyFinals(20)];
  const plain = new Uint8Array(8 * 65_536);
  const payload = join(many.subarray(0, -1), finals);
  const most = 8 * 1024 * 1024;
  /** The most of several tries: a collection of garbage hides all that one of them reserves. */
  const reserved = (payload: Uint8Array) => {
    const unpack = () => unpacks(lesson, { payload }, plain, ONCE);
    return Math.max(...Array.from({ length: 8 }, () => buffersReserved(1, unpack)));
  };
  const taken = reserved(payload);
  if (taken < most) return;
  fail(
    ONCE,
    [
      ...given({ payload }),
      ['comes out', '512 KiB of zeros, and then nothing of these blocks'],
      ['memory', `${Math.round(taken / 1024 / 1024)} MiB are reserved meanwhile`],
      ['expected', 'less than 8 MiB'],
    ],
    reserved(join(finals, many)) < most ? COPIED : undefined,
  );
}

const REACH = 'Refer back over the whole window, and over no more than there is.';

function reachesBack(lesson: Lesson): void {
  const window = noise(32_768);
  const blocks = [{ symbols: [{ length: 10, distance: 32_768 }] }];
  const payload = writeMessage(blocks);
  unpacks(lesson, { payload, window }, playMessage(blocks, window), REACH);
}

const REACH_OVER = 'Refer back as far, over a block with BFINAL.';

function reachesOverFinal(lesson: Lesson): void {
  const [window, between] = [noise(15_000), noise(17_768, 2)];
  const blocks = [
    { symbols: [...between], stored: true, final: true },
    { symbols: [{ length: 10, distance: 32_768 }] },
  ];
  const payload = writeMessage(blocks);
  unpacks(lesson, { payload, window }, playMessage(blocks, window), REACH_OVER);
}

const KEPT = 'Leave the payload and the window as they are.';

function leavesAlone({ inflateMessage }: Lesson): void {
  for (const [hex, past] of [
    ['f2 00 11 00 00', utf8('Hello')],
    ['f3 48 cd c9 c9 07 00 00', noise(32_768)],
  ] as const) {
    const [packed, window] = [fromHex(hex), past.slice()];
    const buffer = join(packed, utf8('and more'));
    const call = { payload: buffer.subarray(0, packed.length), window };
    attempt(() => inflateMessage(call.payload, undefined, window), KEPT, given(call));
    const label = 'the payload, and what is behind it in its buffer, is now';
    equal(() => buffer, join(packed, utf8('and more')), KEPT, { given: given(call), label });
    equal(() => window, past, KEPT, { given: given(call), label: 'the window is now' });
  }
}

const PART = 'Unpack the bytes of a part of a buffer, and no others.';

function unpacksView(lesson: Lesson): void {
  const packed = fromHex('00 00 f2 00 11 00 00 03 00');
  const past = utf8('World, Hello, World');
  const call = { payload: packed.subarray(2, 7), window: past.subarray(7, 12) };
  unpacks(lesson, call, utf8('Hello'), PART);
}

const COPY = 'What comes out is a copy of its own size, which keeps nothing else in memory.';

function returnsCopy({ inflateMessage }: Lesson): void {
  for (const final of [false, true]) {
    for (const length of final ? [5, 10_000] : [0, 5, 3000, 10_000, 30_000]) {
      const [plain, other] = [noise(length), noise(length, 2)];
      const [payload, next] = [plain, other].map((bytes) => {
        return writeMessage([{ symbols: [...bytes], stored: true, final }]);
      }) as [Uint8Array, Uint8Array];
      withGiven(
        () => given({ payload }),
        () => {
          const message = attempt(() => inflateMessage(payload), COPY);
          isOwnCopy(message, COPY, []);
          attempt(() => inflateMessage(next), COPY);
          equal(() => message, plain, COPY, { label: 'after another call' });
        },
      );
    }
  }
}

/** What may have been before. */
const PAST = noise(40_000);

const ANY = 'Unpack whatever a peer makes of blocks, references back and BFINAL.';

function unpacksAny(lesson: Lesson): void {
  generated(100, (choose: Choices) => {
    const window = PAST.subarray(0, choose.below(choose.oneIn(4) ? PAST.length : 30));
    const blocks = drawBlocks(choose, window.length, 15);
    const plain = playMessage(blocks, window);
    unpacks(lesson, { payload: writeMessage(blocks), window }, plain, ANY);
  });
}

export const UNPACKING: Scenarios = [
  ...[...RFC_MESSAGES, ...SHORT_MESSAGES, ...LOOSE_MESSAGES].map(unpacksVector),
  ...NO_MESSAGES.map(refusesGarbage),
  { what: OPEN, rules: [158], check: countsFinalsOnly },
  { what: REACH, rules: [159], check: reachesBack },
  { what: REACH_OVER, rules: [158, 159], check: reachesOverFinal },
  { what: AT_LIMIT, rules: [164], check: keepsLimit },
  { what: NO_LIMIT, rules: [164], check: knowsNoLimit },
  { what: STOP, rules: [164], check: stopsAtLimit },
  { what: STOP_AFTER, rules: [158, 164], check: stopsAfterFinal },
  { what: BOMB, rules: [164], check: refusesBomb },
  { what: USUAL, rules: [164], check: hasUsualLimit },
  { what: MORE, rules: [164], check: hasLargerLimit },
  { what: FINALS, rules: [158, 164], check: countsFinals },
  { what: MANY, rules: [164], check: stopsAtFinals },
  { what: ONCE, rules: [164], check: copiesOnce },
  { what: PART, rules: [], check: unpacksView },
  { what: KEPT, rules: [], check: leavesAlone },
  { what: COPY, rules: [], check: returnsCopy },
  { what: ANY, rules: [157, 158], check: unpacksAny },
];
