/** Scenarios that nobody thought of: drawn, and compared with a slow and obvious model. */
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, masked } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import {
  CloseCode,
  type Frame,
  type Message,
  Opcode,
  ProtocolError,
  type Role,
} from '../../../shared/protocol.ts';
import type { FrameHeader } from '../../../solutions/02-reading-frames/reading.ts';
import {
  type Draft,
  drawAnyFrames,
  drawFragments,
  drawHeader,
  drawHuge,
  drawKey,
  drawMistake,
  drawPlain,
  drawSized,
  drawSpoiled,
  drawText,
  sentFrame,
} from './drawing.ts';
import { byDigits } from './first-bytes.ts';
import {
  frameBytes,
  frameScript,
  headBytes,
  headerMistake,
  lengthMistake,
  messageScript,
  type SentFrame,
  type Terms,
} from './model.ts';
import { type Easier, type Party, play } from './playing.ts';
import { anyFrames, arrived, type Lesson, type Reader } from './readers.ts';

const ROLES: readonly Role[] = ['server', 'client'];

// ── Step 1 · The first two bytes ────────────────────────────────────────────────────────────────

export const ANY_FIRST_BYTES: Scenario<Lesson> = {
  what: 'Take any two bytes apart.',
  rules: [116, 118],
  check({ decodeFirstBytes }) {
    generated(25, (choose) => {
      const [first, second, fields] = byDigits(choose.below(256), choose.below(256));
      const given: Fact[] = [['given', show(Uint8Array.of(first, second))]];
      equal(() => decodeFirstBytes(first, second), fields, 'Take any two bytes apart.', { given });
    });
  },
};

// ── Step 2 · Lengths beyond 125 ─────────────────────────────────────────────────────────────────

/** What the header of a frame says. Of a length beyond 2^53, nothing: it may be rounded. */
function headerOf(sent: SentFrame): Partial<FrameHeader> {
  const { fin, rsv, opcode, key, length } = sent;
  const fields = { fin, rsv, opcode, maskingKey: key, headerLength: headBytes(sent).length };
  return length > 2n ** 53n ? fields : { ...fields, payloadLength: Number(length) };
}

/** Whether a header of which only so many bytes are there cannot become a legal one any more. */
function isLost(sent: SentFrame, available: number): boolean {
  const size = Math.min(available - 2, sent.lengthBytes);
  if (size < 1) return false;
  const there = sent.length
    .toString(16)
    .padStart(sent.lengthBytes * 2, '0')
    .slice(0, size * 2);
  const length = BigInt(`0x${there.padEnd(sent.lengthBytes * 2, 'f')}`);
  return lengthMistake({ ...sent, length }) !== undefined;
}

/** Decodes a header of which the first `available` bytes are there, at an offset in its bytes. */
function decodesPart(
  { decodeHeader }: Lesson,
  sent: SentFrame,
  available: number,
  bytes: Uint8Array,
  offset: number,
): void {
  const given: Fact[] = [
    ...arrived(bytes.subarray(offset), `at offset ${offset} of ${bytes.length} bytes`),
    [
      'there',
      `${Math.min(available, headBytes(sent).length)} of the header's ${headBytes(sent).length} bytes`,
    ],
  ];
  const mistake = lengthMistake(sent);
  if (available < headBytes(sent).length) {
    const decode = () => {
      try {
        return decodeHeader(bytes, offset);
      } catch (error) {
        if (isLost(sent, available) && error instanceof ProtocolError) return undefined;
        throw error;
      }
    };
    equal(decode, undefined, 'A header that is not complete is none yet.', { given });
  } else if (mistake) {
    const about = { given: [...given, ['not allowed', mistake] as const] };
    failsWith(
      1002,
      () => decodeHeader(bytes, offset),
      'Refuse a length that is not allowed.',
      about,
    );
  } else {
    const expected = headerOf(sent);
    equal(() => decodeHeader(bytes, offset), expected, 'Decode a header, wherever it is.', {
      given,
    });
  }
}

export const ANY_HEADER: Scenario<Lesson> = {
  what: 'Decode any header, wherever it starts and ends.',
  rules: [74, 75, 76],
  check(lesson) {
    generated(25, (choose) => {
      const sent = drawHeader(choose);
      const head = headBytes(sent);
      const [offset, around] = [choose.below(9), choose.below(9)];
      const behind = choose.bytes(choose.below(4));
      for (let available = 0; available <= head.length; available++) {
        const whole = available === head.length ? behind : new Uint8Array(0);
        const bytes = join(new Uint8Array(offset).fill(0xff), head.slice(0, available), whole);
        const view = join(new Uint8Array(around), bytes).subarray(around);
        decodesPart(lesson, sent, available, view, offset);
        equal(() => view, bytes, '`decodeHeader` changes nothing.', { label: 'the bytes are now' });
      }
    });
  },
};

// ── Step 3 · Unmasking ──────────────────────────────────────────────────────────────────────────

/** Puts bytes into a larger buffer, in front of and behind others. */
function within(bytes: Uint8Array, around: number): { piece: Uint8Array; buffer: Uint8Array } {
  const buffer = new Uint8Array(bytes.length + 2 * around).fill(0xee);
  const piece = buffer.subarray(around, around + bytes.length);
  piece.set(bytes);
  return { piece, buffer };
}

const ALONE =
  'With bytes and a key that have a buffer of their own, it is right. A view has a byteOffset: a typed array over `bytes.buffer` needs that, too.';

function unmasksAny({ unmask }: Lesson, choose: Choices): void {
  const key = choose.bytes(4);
  const plain = choose.bytes(choose.pick([choose.below(10), choose.below(150)]));
  const position = choose.below(9) + choose.pick([0, 2 ** 16, 2 ** 31, 2 ** 32]);
  const { piece, buffer } = within(masked(plain, key, position % 4), choose.below(9));
  const view = within(key, choose.below(9)).piece;
  const given: Fact[] = [
    ['key', `${show(key)}, at byte ${view.byteOffset} of its buffer`],
    ['bytes', `${show(piece.slice())}, at byte ${piece.byteOffset} of their buffer`],
    ['position', `${position}`],
  ];
  const right = within(plain, piece.byteOffset).buffer;
  attempt(() => unmask(piece, view, position), 'Unmask any bytes.', given);
  const cause = () => {
    const again = masked(plain, key, position % 4);
    unmask(again, key, position);
    return Buffer.compare(again, plain) === 0 ? ALONE : undefined;
  };
  equal(() => piece, plain, 'Unmask any bytes, in place.', { given, label: 'they are now', cause });
  equal(() => buffer, right, 'Change no byte before or behind.', { given, label: 'buffer' });
  equal(() => view, key, 'Leave the key as it is.', { given, label: 'the key is now' });
}

export const ANY_MASK: Scenario<Lesson> = {
  what: 'Unmask any bytes with any key, from any position.',
  rules: [82],
  check(lesson) {
    generated(25, (choose) => {
      unmasksAny(lesson, choose);
      // Another key, right after.
      if (choose.oneIn(2)) unmasksAny(lesson, choose);
    });
  },
};

// ── Step 4 · A stream has no frames ─────────────────────────────────────────────────────────────

/** Draws one or two of them. */
function parties<T>(choose: Choices, draw: () => Party<T>): Party<T>[] {
  return choose.oneIn(2) ? [draw(), draw()] : [draw()];
}

/** Draws frames, and a reader of them whose `check` refuses the opcode `refused`. */
function frameParty(
  choose: Choices,
  makeReader: (frames: readonly SentFrame[]) => Reader<Frame>,
  refused?: number,
): Party<Frame> {
  const frames = drawAnyFrames(choose);
  const script = frameScript(frames, refused);
  return { given: [], makeReader: () => makeReader(frames), script };
}

export const ANY_FRAMES: Scenario<Lesson> = {
  what: 'Read any frames, however they arrive, at two readers at once.',
  rules: [91, 116],
  check(lesson) {
    generated(25, (choose) => {
      const draw = () => frameParty(choose, () => anyFrames(lesson));
      play(choose, parties(choose, draw));
    });
  },
};

// ── Step 5 · While a frame arrives ──────────────────────────────────────────────────────────────

/** The opcode that the `check` of these readers refuses. */
const REFUSED = 11;

/** A frame reader that watches when its `check` is called. */
class WatchedReader implements Reader<Frame> {
  readonly #reader: Reader<Frame>;
  readonly #calls: FrameHeader[] = [];
  readonly #bytes: Uint8Array;
  /** Each header, and with how many bytes it is complete. */
  readonly #headers: readonly { readonly expected: object; readonly end: number }[];
  #arrived = 0;
  #count = 0;

  constructor({ FrameReader }: Lesson, frames: readonly SentFrame[]) {
    this.#bytes = join(...frames.map(frameBytes));
    this.#headers = frames.map((sent, i) => {
      const before = join(...frames.slice(0, i).map(frameBytes));
      return { expected: headerOf(sent), end: before.length + headBytes(sent).length };
    });
    this.#reader = new FrameReader((header) => {
      // The key may be a view into memory that is used again.
      const { maskingKey: key } = header;
      this.#calls.push({ ...header, maskingKey: key && new Uint8Array(key) });
      if (header.opcode !== REFUSED) return;
      throw new ProtocolError(CloseCode.PolicyViolation, '5.2', 'Not this one.');
    });
  }

  push(chunk: Uint8Array): void {
    this.#arrived += chunk.length;
    this.#reader.push(chunk);
  }

  read(): Frame | undefined {
    const result = this.#reader.read();
    if (result) this.#count++;
    // It has been called for what is out, and when nothing is, for the header that is complete.
    const complete = this.#headers.filter(({ end }) => end <= this.#arrived);
    const called = result ? complete.slice(0, this.#count) : complete;
    const once =
      'Call `check` once with each header, and not before the frames ahead of it are out.';
    const given = arrived(this.#bytes.subarray(0, this.#arrived));
    const expected = called.map((header) => header.expected);
    equal(() => this.#calls, expected, once, { given, label: 'called with' });
    return result;
  }
}

export const ANY_CHECKED: Scenario<Lesson> = {
  what: 'Call `check` with the header of any frame, once and in time.',
  rules: [],
  check(lesson) {
    generated(25, (choose) => {
      const draw = () => frameParty(choose, (frames) => new WatchedReader(lesson, frames), REFUSED);
      play(choose, parties(choose, draw));
    });
  },
};

// ── Step 6 · Illegal frames ─────────────────────────────────────────────────────────────────────

export const ANY_LEGALITY: Scenario<Lesson> = {
  what: 'Accept any header that is legal, and refuse any other.',
  rules: [67, 69, 72, 73, 84, 92, 93, 153],
  check({ decodeHeader, checkHeader }) {
    generated(120, (choose) => {
      const role = choose.pick(ROLES);
      const sent = drawSpoiled(choose, choose.pick(Object.values(Opcode)), role);
      if (lengthMistake(sent)) return;
      const bytes = headBytes(sent);
      const header =
        decodeHeader(bytes) ?? fail('Step 2 has to pass before this one.', arrived(bytes));
      const given: Fact[] = [
        ['we are', `the ${role}`],
        ['header', show(header)],
      ];
      const mistake = headerMistake(sent, role);
      if (mistake === undefined) {
        attempt(() => checkHeader(header, role), 'Accept a header that is legal.', given);
        return;
      }
      const refuse = () => checkHeader(header, role);
      const about = { given: [...given, ['not allowed', mistake] as const] };
      failsWith(1002, refuse, 'Refuse a header that is not allowed.', about);
    });
  },
};

// ── Steps 7 to 9 · Messages ─────────────────────────────────────────────────────────────────────

function messageParty(
  { MessageReader }: Lesson,
  frames: readonly SentFrame[],
  { role, maxMessageBytes }: Terms,
  isUsual = false,
): Party<Message> {
  const given: Fact[] = [['we are', `the ${role}`]];
  if (!isUsual) given.push(['maxMessageBytes', `${maxMessageBytes}`]);
  const makeReader = () =>
    isUsual ? new MessageReader(role) : new MessageReader(role, maxMessageBytes);
  const terms = { role, maxMessageBytes };
  const script = messageScript(frames, terms);
  const easier = (arrived: number) => easierMessages(begun(frames, arrived), terms);
  return { given, makeReader, script, easier };
}

/** The frames that have begun when so many bytes have arrived. */
function begun(frames: readonly SentFrame[], arrived: number): readonly SentFrame[] {
  let start = 0;
  return frames.filter((sent) => {
    const isBegun = start < arrived;
    start += frameBytes(sent).length;
    return isBegun;
  });
}

/** Leaves frames out: those in between, or those before the last message. */
function easierMessages(frames: readonly SentFrame[], terms: Terms): Easier<Message>[] {
  const data = frames.filter(({ opcode }) => opcode < 8);
  const last = data.slice(data.slice(0, -1).findLastIndex(({ fin }) => fin) + 1);
  const ways: [SentFrame[], string][] = [];
  if (data.length < frames.length) {
    const cause =
      'Without the control frames it is read right. They are not part of the message around them, not even while they arrive.';
    ways.push([data, cause]);
  }
  if (last.length < data.length) {
    const cause =
      'Alone, the last message is read right. When a message has ended, the next one begins with nothing.';
    ways.push([last, cause]);
  }
  return ways.map(([easier, cause]) => ({ script: messageScript(easier, terms), cause }));
}

/** Reads messages that `draw` makes, with the usual limit, at one reader or two. */
function readsMessages(lesson: Lesson, choose: Choices, draw: (role: Role) => SentFrame[]): void {
  const party = () => {
    const role = choose.pick(ROLES);
    const terms = { role, maxMessageBytes: 16 * 1024 * 1024 };
    return messageParty(lesson, draw(role), terms, true);
  };
  play(choose, parties(choose, party));
}

/** Draws some messages, one after the other. */
function drawMessages(choose: Choices, role: Role, draw: () => Draft): SentFrame[] {
  const frames = choose.list(3, () => drawFragments(choose, draw(), role)).flat();
  // Whether a reader reads on behind a Close is its own affair.
  const close = frames.findIndex(({ opcode }) => opcode === Opcode.Close);
  return close === -1 ? frames : frames.slice(0, close + 1);
}

export const ANY_MESSAGES: Scenario<Lesson> = {
  what: 'Read any messages, however they arrive, up to the first frame that is illegal.',
  rules: [83, 85, 86, 87, 88, 119],
  check(lesson) {
    generated(25, (choose) =>
      readsMessages(lesson, choose, (role) => {
        const frames = drawMessages(choose, role, () => drawPlain(choose));
        const isClosed = frames.at(-1)?.opcode === Opcode.Close;
        return !isClosed && choose.oneIn(2) ? drawMistake(choose, frames, role) : frames;
      }),
    );
  },
};

export const ANY_TEXTS: Scenario<Lesson> = {
  what: 'Read any texts, however they are cut, up to the first byte that is not UTF-8.',
  rules: [106, 138],
  check(lesson) {
    generated(25, (choose) =>
      readsMessages(lesson, choose, (role) => {
        const draw = () => (choose.oneIn(5) ? drawPlain(choose) : drawText(choose));
        return drawMessages(choose, role, draw);
      }),
    );
  },
};

/** Peeks into a frame that has not ended, here and there. */
function peeks({ FrameReader }: Lesson, choose: Choices): void {
  const role = choose.pick(ROLES);
  const payload = choose.bytes(1 + choose.below(120));
  const sent = sentFrame(Opcode.Text, payload, drawKey(choose, role === 'server'));
  const bytes = frameBytes(sent);
  const size = headBytes(sent).length;
  const there = choose.below(payload.length);
  const reader = new FrameReader(() => {});
  const given = arrived(bytes.slice(0, size + there));
  reader.push(bytes.slice(0, size + there));
  equal(() => reader.read(), undefined, 'The frame has not ended.', { given });
  for (const from of choose.list(3, () => choose.below(there + 1))) {
    let seen = new Uint8Array(0);
    const peek = () => {
      seen = reader.peek(from) as typeof seen;
      return seen;
    };
    const facts: Fact[] = [...given, ['from', `${from}`]];
    equal(
      peek,
      payload.slice(from, there),
      'See what has arrived of a payload, from any byte on.',
      {
        given: facts,
      },
    );
    // A copy is the caller's.
    seen.fill(0);
  }
  reader.push(bytes.slice(size + there));
  const untouched = 'Writing into what `peek` has returned changes nothing of the frame.';
  const frame = { fin: true, opcode: Opcode.Text, payload };
  equal(() => reader.read(), frame, untouched, { given: arrived(bytes) });
}

export const ANY_PEEK: Scenario<Lesson> = {
  what: 'See any part of any payload that is still arriving.',
  rules: [],
  check(lesson) {
    generated(25, (choose) => peeks(lesson, choose));
  },
};

/** Draws messages around a limit, and a reader with it. */
function limitedParty(lesson: Lesson, choose: Choices): Party<Message> {
  const role = choose.pick(ROLES);
  const limit = choose.oneIn(10) ? choose.pick([125, 126, 127]) : choose.below(16);
  const frames = drawMessages(choose, role, () => drawSized(choose, limit));
  if (frames.at(-1)?.opcode !== Opcode.Close && choose.oneIn(3)) {
    const isOpen = frames.findLast(({ opcode }) => opcode < 8)?.fin === false;
    frames.push(drawHuge(choose, isOpen ? Opcode.Continuation : Opcode.Binary, role));
  }
  return messageParty(lesson, frames, { role, maxMessageBytes: limit });
}

export const ANY_SIZES: Scenario<Lesson> = {
  what: 'Accept messages of any size up to any limit, and refuse what is larger at its header.',
  rules: [150, 151],
  check(lesson) {
    generated(25, (choose) =>
      play(
        choose,
        parties(choose, () => limitedParty(lesson, choose)),
      ),
    );
  },
};
