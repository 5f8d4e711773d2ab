/** Step 5 · Everything that is received: `Inflater`. */
import { once } from 'node:events';
import { constants, createDeflateRaw } from 'node:zlib';
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { generated } from '../../../shared/kit/generate.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { memoryTaken } from '../../../shared/kit/memory.ts';
import { CloseCode, ProtocolError } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { drawBlocks } from './drawing.ts';
import { type BlockToWrite, playMessage, writeMessage } from './encoder.ts';
import { argument, lastOf, sayArguments } from './judge.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise, packed, TAIL } from './zlib.ts';

type Inflater = InstanceType<Lesson['Inflater']>;

const HELLO = 'f2 48 cd c9 c9 07 00';
const HELLO_AGAIN = 'f2 00 11 00 00';

type Causes = Pick<About, 'cause' | 'causeOfError'>;

/** A decompressor at work. */
class Receiver {
  readonly #inflater: Inflater;
  readonly #made: Fact;
  readonly #calls: { payload: Uint8Array; maxBytes?: number | undefined }[] = [];

  constructor({ Inflater }: Lesson, bits?: number, takeover?: boolean) {
    this.#made = ['made with', `new Inflater(${sayArguments(bits, takeover)})`];
    this.#inflater = attempt(() => new Inflater(bits, takeover), 'Make an Inflater.', [this.#made]);
  }

  /** Checks what comes out of the next message. Returns it. */
  receive(payload: Uint8Array, plain: Uint8Array, what: string, about: Causes = {}): Uint8Array {
    let message = plain;
    const receive = () => {
      message = this.#inflate(payload);
      return message;
    };
    withGiven(
      () => this.#facts(),
      () => equal(receive, plain, what, about),
    );
    return message;
  }

  /** Receives a payload that is written as hex. */
  receiveHex(hex: string, text: string, what: string, about: Causes = {}): Uint8Array {
    return this.receive(fromHex(hex), utf8(text), what, about);
  }

  /** Checks that the next message is refused. */
  refuse(closeCode: number, payload: Uint8Array, maxBytes: number, what: string): void {
    const refuse = () => failsWith(closeCode, () => this.#inflate(payload, maxBytes), what);
    withGiven(() => this.#facts(), refuse);
  }

  #inflate(payload: Uint8Array, maxBytes?: number): Uint8Array {
    this.#calls.push({ payload, maxBytes });
    return this.#inflater.inflate(payload, maxBytes);
  }

  #facts(): Fact[] {
    const calls = this.#calls.map(({ payload, maxBytes }) => {
      const limit = maxBytes === undefined ? '' : `, ${maxBytes}`;
      return `inflate(${argument(payload)}${limit})`;
    });
    return [this.#made, ...lastOf(calls)];
  }
}

const FORGOTTEN: Causes = {
  causeOfError: (error) =>
    error instanceof ProtocolError && error.closeCode === CloseCode.InvalidPayload
      ? 'It refers back to a message before. What came out of that has to be there still: the window lasts until the connection ends.'
      : undefined,
};

const AGAIN = 'Unpack a message that refers back to the one before.';

function refersBack(lesson: Lesson): void {
  const receiver = new Receiver(lesson);
  receiver.receiveHex(HELLO, 'Hello', AGAIN);
  receiver.receiveHex(HELLO_AGAIN, 'Hello', AGAIN, FORGOTTEN);
  receiver.receiveHex(HELLO_AGAIN, 'Hello', AGAIN, FORGOTTEN);
}

const EMPTY = 'An empty message leaves the window as it is.';

function keepsOverEmpty(lesson: Lesson): void {
  for (const empty of ['00', '']) {
    const receiver = new Receiver(lesson);
    receiver.receiveHex(HELLO, 'Hello', EMPTY);
    receiver.receiveHex(empty, '', EMPTY);
    receiver.receiveHex(HELLO_AGAIN, 'Hello', EMPTY, FORGOTTEN);
  }
}

const FINAL = 'A block with BFINAL ends neither the connection nor the window.';

const SILENT: Causes = {
  ...FORGOTTEN,
  cause: (returned) =>
    returned instanceof Uint8Array && returned.length === 0
      ? 'After BFINAL, a decompressor of zlib returns nothing any more, and no error. Each message needs a new one, with the same window.'
      : undefined,
};

function keepsOverFinal(lesson: Lesson): void {
  for (const final of ['f3 48 cd c9 c9 07 00 00', 'f3 48 cd c9 c9 07 00']) {
    const receiver = new Receiver(lesson);
    receiver.receiveHex(final, 'Hello', FINAL);
    receiver.receiveHex(HELLO_AGAIN, 'Hello', FINAL, SILENT);
    receiver.receiveHex('f3 00 11 00 00', 'Hello', FINAL, SILENT);
    receiver.receiveHex('03 00', '', FINAL, SILENT);
    receiver.receiveHex(HELLO_AGAIN, 'Hello', FINAL, SILENT);
  }
}

const stored = (...plain: readonly number[]): BlockToWrite => ({ symbols: plain, stored: true });
const back = (length: number, distance: number): BlockToWrite => ({
  symbols: [{ length, distance }],
});

const FURTHER = 'Unpack a message that refers back over several others.';

function refersFurther(lesson: Lesson): void {
  const parts = [noise(1000, 1), noise(500, 2), noise(700, 3)];
  for (const distance of [2200, 1250, 700]) {
    const receiver = new Receiver(lesson);
    for (const part of parts) receiver.receive(writeMessage([stored(...part)]), part, FURTHER);
    const blocks = [back(10, distance)];
    const plain = playMessage(blocks, join(...parts));
    receiver.receive(writeMessage(blocks), plain, FURTHER, FORGOTTEN);
  }
}

const LARGE = 'Unpack a reference back into a message that is larger than the window.';

function refersIntoLarge(lesson: Lesson): void {
  const receiver = new Receiver(lesson);
  const end = noise(300);
  const large = join(new Uint8Array(150_000), end);
  receiver.receive(packed(large), large, LARGE);
  const blocks = [back(200, 300)];
  receiver.receive(writeMessage(blocks), playMessage(blocks, large), LARGE, FORGOTTEN);
}

/** Without bits, those are 15. */
function reachesBack(bits?: number): Scenarios[number] {
  const size = 2 ** (bits ?? 15);
  const how = bits === undefined ? 'without bits of your own' : `with ${bits} bits`;
  const what = `Unpack a reference back over the whole window, ${how}.`;
  return {
    what,
    rules: [159],
    check: (lesson) => {
      const receiver = new Receiver(lesson, bits);
      const [old, recent] = [noise(100, 1), noise(size - 50, 2)];
      for (const part of [old, recent]) {
        receiver.receive(writeMessage([stored(...part)]), part, what);
      }
      const blocks = [back(60, size)];
      receiver.receive(writeMessage(blocks), playMessage(blocks, join(old, recent)), what);
    },
  };
}

const ALONE = 'Without takeover, each message is unpacked by itself.';

function unpacksAlone(lesson: Lesson): void {
  const receiver = new Receiver(lesson, 15, false);
  for (let i = 0; i < 3; i++) receiver.receiveHex(HELLO, 'Hello', ALONE);
  receiver.receiveHex('f3 48 cd c9 c9 07 00 f2 00 11 00 00', 'HelloHello', ALONE);
}

const LIMIT = 'The limit is for each message, when it is unpacked.';

function keepsLimit(lesson: Lesson): void {
  const { Inflater } = lesson;
  const inflater = new Inflater();
  const plain = noise(1000);
  const payload = writeMessage([stored(...plain)]);
  for (let i = 1; i <= 3; i++) {
    const given: Fact[] = [['call', `inflate(${argument(payload)}, 1000), number ${i}`]];
    equal(() => inflater.inflate(payload, 1000), plain, LIMIT, { given });
  }
  new Receiver(lesson).refuse(CloseCode.MessageTooBig, payload, 999, LIMIT);
}

const REFUSED = 'Refuse what refers back to before the first message, with 1007.';

function refusesTooFar(lesson: Lesson): void {
  const refuse = CloseCode.InvalidPayload;
  new Receiver(lesson).refuse(refuse, fromHex(HELLO_AGAIN), 1000, REFUSED);
  const receiver = new Receiver(lesson);
  receiver.receiveHex('4a 04 00', 'a', REFUSED);
  receiver.refuse(refuse, fromHex(HELLO_AGAIN), 1000, REFUSED);
}

function refusesBeyond(bits: number): Scenarios[number] {
  const size = 2 ** bits;
  const what = `Refuse what refers back over more than ${size} bytes, with ${bits} bits.`;
  return {
    what,
    rules: [],
    check: (lesson) => {
      const receiver = new Receiver(lesson, bits);
      const plain = noise(size + 50);
      receiver.receive(writeMessage([stored(...plain)]), plain, what);
      const payload = writeMessage([back(10, size + 1)]);
      receiver.refuse(CloseCode.InvalidPayload, payload, 1000, what);
    },
  };
}

const CHANGED = 'What the caller does with a message that came out changes nothing.';

function copiesPlain(lesson: Lesson): void {
  const cause = (returned: unknown) =>
    returned instanceof Uint8Array && returned.subarray(1).every((byte) => byte === 0)
      ? 'The caller has filled the first message with zeros: the window has to be a copy of it.'
      : undefined;
  for (const first of [HELLO, '00 05 00 fa ff "Hello" 00']) {
    const receiver = new Receiver(lesson);
    const payload = fromHex(first);
    receiver.receive(payload, utf8('Hello'), CHANGED).fill(0);
    payload.fill(0);
    receiver.receiveHex(HELLO_AGAIN, 'Hello', CHANGED, { cause });
  }
}

const TWO = 'Two that decompress know nothing of each other.';

function keepsApart(lesson: Lesson): void {
  const [one, other] = [new Receiver(lesson), new Receiver(lesson)];
  one.receiveHex(HELLO, 'Hello', TWO);
  other.receiveHex('00 05 00 fa ff "World" 00', 'World', TWO);
  one.receiveHex(HELLO_AGAIN, 'Hello', TWO);
}

const SMALL = 'What is kept in memory of all that was received is 2^bits bytes.';

function keepsLittle({ Inflater }: Lesson): void {
  const inflaters = Array.from({ length: 16 }, () => new Inflater(9));
  // 64 KiB: a zero, and so many more.
  const run = Array.from({ length: 254 }, () => ({ length: 258, distance: 1 }));
  const payload = writeMessage([{ symbols: [0, ...run] }]);
  const most = 256 * 1024;
  const taken = memoryTaken(
    ({ arrayBuffers }) => arrayBuffers,
    most,
    () => {
      for (const inflater of inflaters) attempt(() => inflater.inflate(payload), SMALL);
    },
  );
  // Kept alive until here: otherwise they take up nothing.
  for (const inflater of inflaters) attempt(() => inflater.inflate(payload), SMALL);
  if (taken < most) return;
  fail(SMALL, [
    ['call', 'inflate(64 KiB of zeros, packed), by each of 16 that have 9 bits'],
    ['kept', `${Math.round(taken / 1024)} KiB`],
  ]);
}

/** Compresses messages as a peer does that has one stream for all of them. */
async function streamed(plains: readonly Uint8Array[], windowBits: number) {
  const stream = createDeflateRaw({ windowBits });
  const packed: Uint8Array[] = [];
  for (const plain of plains) {
    const parts: Uint8Array[] = [];
    stream.on('data', (part: Uint8Array) => parts.push(part));
    stream.write(plain);
    await new Promise<void>((done) => stream.flush(constants.Z_SYNC_FLUSH, done));
    stream.removeAllListeners('data');
    packed.push(join(...parts).slice(0, -TAIL.length));
  }
  stream.destroy();
  await once(stream, 'close');
  return packed;
}

const STREAM = 'Unpack what zlib makes that has one stream for all messages.';

async function unpacksStream(lesson: Lesson): Promise<void> {
  const words = Array.from({ length: 40 }, (_, seed) => noise((seed * 37) % 300, seed));
  const plains = words.map((word, i) => join(words[(i * 7) % 40]!, word, words[(i * 11) % 40]!));
  for (const bits of [15, 9]) {
    const receiver = new Receiver(lesson, bits);
    const packed = await streamed(plains, bits);
    for (const [i, payload] of packed.entries()) receiver.receive(payload, plains[i]!, STREAM);
  }
}

/** What may have been before. */
const PAST = noise(33_000);

const ANY = 'Unpack whatever a peer sends of blocks, BFINAL and references over the window.';

function receivesAny(lesson: Lesson): void {
  generated(40, (choose) => {
    const bits = 8 + choose.below(8);
    const receiver = new Receiver(lesson, bits);
    const long = choose.oneIn(4) ? choose.below(Math.min(2 ** bits + 300, PAST.length)) : 0;
    let said = PAST.slice(0, long);
    receiver.receive(writeMessage([stored(...said)]), said, ANY);
    for (const _ of choose.list(8, () => 0)) {
      const blocks = drawBlocks(choose, said.length, bits);
      const plain = playMessage(blocks, said);
      receiver.receive(writeMessage(blocks), plain, ANY);
      said = join(said, plain);
    }
  });
}

/** The scenarios: those with a name, then the generated ones. */
export const RECEIVING: { readonly named: Scenarios; readonly generated: Scenarios } = {
  named: [
    { what: AGAIN, rules: [159], check: refersBack },
    { what: TWO, rules: [159], check: keepsApart },
    { what: EMPTY, rules: [158, 159], check: keepsOverEmpty },
    { what: FINAL, rules: [158, 159], check: keepsOverFinal },
    { what: FURTHER, rules: [159], check: refersFurther },
    { what: LARGE, rules: [159], check: refersIntoLarge },
    ...[8, 9, 12, 15, undefined].map(reachesBack),
    { what: ALONE, rules: [158], check: unpacksAlone },
    { what: LIMIT, rules: [164], check: keepsLimit },
    { what: REFUSED, rules: [159], check: refusesTooFar },
    ...[8, 9, 10].map(refusesBeyond),
    { what: CHANGED, rules: [159], check: copiesPlain },
    { what: STREAM, rules: [157, 159], check: unpacksStream },
    { what: SMALL, rules: [], check: keepsLittle },
  ],
  generated: [{ what: ANY, rules: [158, 159], check: receivesAny }],
};
