/** Step 5 · Everything that is sent: `Deflater`. */
import { constants, inflateRawSync } from 'node:zlib';
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { memoryTaken } from '../../../shared/kit/memory.ts';
import { count } from '../../../shared/view/count.ts';
import { argument, isUnpackedBy, lastOf, packs, refersBefore, sayArguments } from './judge.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise, TAIL } from './zlib.ts';

type Deflater = InstanceType<Lesson['Deflater']>;

/** A compressor at work, and the peer that unpacks what it sends. */
class Sender {
  readonly #deflater: Deflater;
  readonly #bits: number;
  readonly #takeover: boolean;
  readonly #made: Fact;
  /** What it was called with, and what it gave. */
  readonly #calls: { plain: Uint8Array; packed?: Uint8Array | undefined }[] = [];
  /** Each message that the peer has unpacked. */
  readonly #unpacked: Uint8Array[] = [];
  /** What it has of those. */
  #window: Uint8Array = new Uint8Array(0);
  /** All that was to be sent. */
  #said: Uint8Array = new Uint8Array(0);

  /** Without bits and takeover, it is made without them, too. */
  constructor({ Deflater }: Lesson, bits?: number, takeover?: boolean) {
    this.#made = ['made with', `new Deflater(${sayArguments(bits, takeover)})`];
    this.#bits = bits ?? 15;
    this.#takeover = takeover ?? true;
    this.#deflater = attempt(() => new Deflater(bits, takeover), 'Make a Deflater.', this.facts());
  }

  /** Tells what has been called so far. */
  facts(): Fact[] {
    const calls = this.#calls.map((call) => {
      const gave = !('packed' in call)
        ? ''
        : ` gave ${call.packed instanceof Uint8Array ? argument(call.packed) : show(call.packed)}`;
      return `deflate(${argument(call.plain)})${gave}`;
    });
    return [this.#made, ...lastOf(calls)];
  }

  /** Sends a message, and checks that the peer gets it. `undefined`: as it is. */
  send(plain: Uint8Array, what: string): Uint8Array | undefined {
    return withGiven(
      () => this.facts(),
      () => {
        const call: { plain: Uint8Array; packed?: Uint8Array | undefined } = { plain };
        this.#calls.push(call);
        const packed = attempt(() => this.#deflater.deflate(plain), what);
        call.packed = packed;
        if (packed instanceof Uint8Array) this.#check(packed, plain, what);
        else equal(() => packed, undefined, 'A `Deflater` returns bytes, or undefined.');
        this.#said = join(this.#said, plain);
        return packed;
      },
    );
  }

  #check(packed: Uint8Array, plain: Uint8Array, what: string): void {
    const window = this.#takeover ? this.#window : new Uint8Array(0);
    const sent = { plain, window, bits: this.#bits };
    const given = (): Fact[] => [['the peer has', argument(window)]];
    packs(
      () => packed,
      sent,
      what,
      given,
      () => this.#causeOf(packed, plain),
    );
    this.#window = join(this.#window, plain).slice(-(2 ** this.#bits));
    this.#unpacked.push(plain);
  }

  /** Finds a window with which a message would be right, and says what is in it that is too much. */
  #causeOf(packed: Uint8Array, plain: Uint8Array): string | undefined {
    if (!this.#takeover && isUnpackedBy(this.#window, packed, plain)) {
      return 'It refers back to a message before. Without takeover, the peer does not have that any more.';
    }
    if (this.#said.length === 0 && refersBefore(packed)) {
      return 'It refers back to before its beginning, though nothing was sent before it. Is its window that of another?';
    }
    if (isUnpackedBy(this.#said, packed, plain)) {
      return 'It refers back to what was sent as it is. That is not in the window of the peer: only what it has unpacked is.';
    }
    const isMissing = this.#unpacked.some((_, i) => {
      return isUnpackedBy(join(...this.#unpacked.toSpliced(i, 1)), packed, plain);
    });
    if (this.#takeover && isMissing) {
      return 'It would be right if one of the messages before had gone as it is. But that was sent compressed, and the peer has it in its window.';
    }
    return undefined;
  }

  /** Sends a message that has to get shorter, to so many bytes at most. */
  sendShort(plain: Uint8Array, most: number, what: string, cause?: string): Uint8Array {
    const packed = this.send(plain, what);
    if (packed !== undefined && packed.length <= most) return packed;
    fail(what, [...this.facts(), ['expected', `at most ${count(most, 'byte')}`]], cause);
  }

  /** Sends a message that does not get shorter. */
  sendPlain(plain: Uint8Array, what: string, cause?: string): void {
    const packed = this.send(plain, what);
    if (packed === undefined) return;
    fail(what, [...this.facts(), ['expected', 'undefined']], cause);
  }
}

const CHAT = utf8('{"type":"chat","from":"ana","text":"Hello"}');
const LINES = utf8('To be or not to be, that is the question. '.repeat(10));

const AGAIN = 'A message that was sent before is almost nothing the second time.';

function refersBack(lesson: Lesson): void {
  const sender = new Sender(lesson);
  const long = join(LINES, noise(4000));
  sender.send(long, AGAIN);
  const again = sender.send(long, AGAIN);
  if (again !== undefined && again.length <= 100) return;
  fail(
    AGAIN,
    [...sender.facts(), ['expected', 'at most 100 bytes']],
    again && !refersBefore(again)
      ? 'Nothing in it refers back to the message before, which the peer has in its window.'
      : undefined,
  );
}

const EARLIER = 'Refer back over several messages, as long as they are in the window.';

function refersFurther(lesson: Lesson): void {
  const sender = new Sender(lesson);
  const compressible = (seed: number) => join(LINES, noise(200, seed));
  for (const seed of [1, 2, 3]) sender.send(compressible(seed), EARLIER);
  const cause = 'The window is more than the last message: it slides over all of them.';
  sender.sendShort(compressible(1), 60, EARLIER, cause);
}

const LARGE = 'A message that is larger than the window leaves its end there.';

function keepsEnd(lesson: Lesson): void {
  const sender = new Sender(lesson);
  const end = noise(300);
  sender.send(LINES, LARGE);
  sender.send(join(new Uint8Array(150_000), end), LARGE);
  sender.sendShort(join(end, LINES), 120, LARGE);
}

const NONE = 'Without takeover, no message refers back to another.';

function refersNever(lesson: Lesson): void {
  for (const bits of [15, 10]) {
    const sender = new Sender(lesson, bits, false);
    for (let i = 0; i < 3; i++) sender.sendShort(LINES, 100, NONE);
  }
}

const LONGER = 'Without takeover, return undefined for a message that would not get shorter.';

function leavesPlain(lesson: Lesson): void {
  const plains = [new Uint8Array(0), utf8('a'), utf8('Hello'), noise(100), noise(20_000)];
  for (const plain of plains) {
    new Sender(lesson, 15, false).sendPlain(plain, LONGER, 'It is at least as long as it was.');
  }
}

const STORED = 'Return undefined for a message that would get longer by 6 bytes or more.';

function leavesStored(lesson: Lesson): void {
  for (const plain of [noise(100), noise(20_000)]) new Sender(lesson).sendPlain(plain, STORED);
}

const SAME = 'Compress a message if that makes it shorter, be it by one byte.';

function compressesShorter(lesson: Lesson): void {
  // Somewhere among them, it is as long, and somewhere a byte shorter.
  for (let length = 1; length < 40; length++) {
    const plain = join(utf8('aaaaaaaa'.slice(0, 1 + (length % 8))), noise(length >> 2));
    const packed = attempt(() => lesson.deflateMessage(plain), SAME);
    const isShorter = packed.length < plain.length;
    for (const takeover of [true, false]) {
      const sender = new Sender(lesson, 15, takeover);
      const isSent = sender.send(plain, SAME) !== undefined;
      // With takeover, it is left open up to which length it is worth it for those to come.
      if (isSent === isShorter || (takeover && !isShorter)) continue;
      fail(SAME, [
        ...sender.facts(),
        ['deflateMessage', `makes ${count(packed.length, 'byte')} of ${plain.length}`],
        ['expected', isSent ? 'undefined' : 'those'],
      ]);
    }
  }
}

const LITTLE =
  'What gets a little longer is in the window if it is sent compressed, and only then.';

function keepsLonger(lesson: Lesson): void {
  const sender = new Sender(lesson);
  sender.send(LINES, LITTLE);
  for (const text of ['{"from":"ada","text":"yes"}', 'Hello', 'a', 'no, 42 (or 7?)']) {
    sender.send(utf8(text), LITTLE);
    sender.sendShort(LINES, 30, LITTLE);
  }
}

const BY_WINDOW = 'Compress a message that only gets shorter by what is in the window.';

function compressesKnown(lesson: Lesson): void {
  const sender = new Sender(lesson);
  const random = noise(100);
  sender.send(join(LINES, random), BY_WINDOW);
  const cause = 'By itself, it would get longer. But the peer has it in its window.';
  sender.sendShort(random, 30, BY_WINDOW, cause);
}

const STAYS_OUT = 'What is sent as it is does not enter the window.';

function keepsPlainOut(lesson: Lesson): void {
  const sender = new Sender(lesson);
  const random = noise(100);
  const cause =
    'What was sent compressed stays in the window, whatever is sent as it is in between.';
  sender.send(LINES, STAYS_OUT);
  sender.sendPlain(random, STAYS_OUT);
  sender.sendShort(LINES, 30, STAYS_OUT, cause);
  // For this one, the peer needs what it has not got.
  sender.send(join(LINES, random), STAYS_OUT);
  sender.send(new Uint8Array(0), STAYS_OUT);
  sender.sendShort(join(LINES, random), 60, STAYS_OUT, cause);
}

function staysWithin(bits: number): Scenarios[number] {
  const what = `Refer back ${count(2 ** bits, 'byte')} at most over all messages, with ${bits} bits.`;
  return {
    what,
    rules: [162],
    check: (lesson) => {
      const [far, line] = [noise(2 ** bits - 30), LINES.slice(0, 200)];
      for (const takeover of [undefined, false]) {
        const sender = new Sender(lesson, bits, takeover);
        for (const plain of [join(line, line), far, join(line, far, line), join(far, far, line)]) {
          sender.send(join(plain, LINES), what);
        }
      }
    },
  };
}

const TWO = 'Two that compress know nothing of each other.';

function keepsApart(lesson: Lesson): void {
  const [one, other] = [new Sender(lesson), new Sender(lesson)];
  const cases = [CHAT, LINES, join(CHAT, LINES)];
  for (const plain of cases) {
    one.send(plain, TWO);
    other.send(join(plain, LINES), TWO);
  }
}

const CHANGED = 'What the caller does with a message after sending it changes nothing.';

function copiesPlain({ Deflater }: Lesson): void {
  const deflater = new Deflater();
  const given: Fact[] = [
    ['call', `deflate(buffer), with a message of ${count(LINES.length, 'byte')}`],
    ['then', 'deflate(buffer), where the caller has put the next message'],
  ];
  // A Buffer, whose `slice` is a view.
  const buffer = Buffer.from(LINES.slice().buffer);
  attempt(() => deflater.deflate(buffer), CHANGED, given);
  const next = utf8('Whether it is nobler in the mind to suffer '.repeat(10)).slice(
    0,
    LINES.length,
  );
  buffer.set(next);
  const sent = { plain: next, window: LINES };
  const cause = (packed: Uint8Array) =>
    isUnpackedBy(next, packed, next)
      ? 'The window is not what was sent, but what is in the bytes of the caller now. It has to be a copy.'
      : undefined;
  packs(
    () => deflater.deflate(buffer),
    sent,
    CHANGED,
    () => given,
    cause,
  );
}

const SMALL = 'What is kept in memory of all that was sent is 2^bits bytes.';

function keepsLittle({ Deflater }: Lesson): void {
  const deflaters = Array.from({ length: 16 }, () => new Deflater(9));
  const most = 256 * 1024;
  const taken = memoryTaken(
    ({ arrayBuffers }) => arrayBuffers,
    most,
    () => {
      for (const deflater of deflaters) {
        attempt(() => deflater.deflate(new Uint8Array(64 * 1024)), SMALL);
      }
    },
  );
  // Kept alive until here: otherwise they take up nothing.
  for (const deflater of deflaters) attempt(() => deflater.deflate(LINES), SMALL);
  if (taken < most) return;
  fail(SMALL, [
    ['call', 'deflate(64 KiB of zeros), by each of 16 that have 9 bits'],
    ['kept', `${Math.round(taken / 1024)} KiB`],
  ]);
}

const ONE = 'All that was sent compressed is one DEFLATE stream, which anybody can inflate.';

function isOneStream(lesson: Lesson): void {
  const sender = new Sender(lesson);
  const plains = [CHAT, LINES, noise(60), join(CHAT, LINES), noise(5000), LINES, CHAT];
  const sent = plains.map((plain) => ({ plain, packed: sender.send(plain, ONE) }));
  const compressed = sent.filter(({ packed }) => packed !== undefined);
  const stream = join(...compressed.flatMap(({ packed }) => [packed!, TAIL]));
  const finishFlush = constants.Z_SYNC_FLUSH;
  equal(
    () => inflateRawSync(stream, { finishFlush }),
    join(...compressed.map(({ plain }) => plain)),
    ONE,
    { given: sender.facts(), label: 'it inflates to' },
  );
}

/** Draws a message that has to do with those before it. */
function drawMessage(choose: Choices, said: readonly Uint8Array[]): Uint8Array {
  const parts = choose.list(4, () => {
    const known = said.length > 0 && choose.oneIn(2);
    if (known) return choose.pick(said);
    return noise(choose.below(choose.oneIn(6) ? 2500 : 40), choose.below(50));
  });
  return join(...parts, ...choose.list(3, () => utf8('again and again ')));
}

const ANY = 'Whatever is sent, a peer that unpacks it all gets it all.';

function sendsAny(lesson: Lesson): void {
  generated(20, (choose) => {
    const sender = new Sender(lesson, 8 + choose.below(8), !choose.oneIn(4));
    const said: Uint8Array[] = [];
    for (const _ of choose.list(8, () => 0)) {
      const plain = drawMessage(choose, said);
      if (plain.length < 6000) said.push(plain);
      sender.send(plain, ANY);
    }
  });
}

/** The scenarios: those with a name, then the generated ones. */
export const SENDING: { readonly named: Scenarios; readonly generated: Scenarios } = {
  named: [
    { what: AGAIN, rules: [159], check: refersBack },
    { what: TWO, rules: [159], check: keepsApart },
    { what: EARLIER, rules: [159], check: refersFurther },
    { what: LARGE, rules: [159], check: keepsEnd },
    { what: NONE, rules: [159, 176], check: refersNever },
    { what: LONGER, rules: [160], check: leavesPlain },
    { what: STORED, rules: [160], check: leavesStored },
    { what: SAME, rules: [160], check: compressesShorter },
    { what: BY_WINDOW, rules: [159], check: compressesKnown },
    { what: STAYS_OUT, rules: [160], check: keepsPlainOut },
    { what: LITTLE, rules: [159, 160], check: keepsLonger },
    ...[12, 10, 9, 8].map(staysWithin),
    { what: CHANGED, rules: [159], check: copiesPlain },
    { what: ONE, rules: [157, 159], check: isOneStream },
    { what: SMALL, rules: [], check: keepsLittle },
  ],
  generated: [{ what: ANY, rules: [159, 160, 162], check: sendsAny }],
};
