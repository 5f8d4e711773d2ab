/** Step 4: any messages, cut anywhere, in reads that are taken over or pushed, and read late or at once. */
import { equal } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { type Message, Opcode } from '../../../shared/protocol.ts';
import { type Draft, drawFragments, drawPlain } from '../02-reading-frames/drawing.ts';
import { messageScript, type Script } from '../02-reading-frames/model.ts';
import { type Reader, readerOf, someBytes } from './reads.ts';
import type { Lesson } from './tools.ts';

/** What larger payloads are parts of. */
const POOL = someBytes(700);

/** How many bytes of something else are before a read in its memory, and behind it. */
const AROUND = [0, 1, 8, 5] as const;

/** What those bytes are. */
const OTHER = 0xaa;

/** A read: where it ends, and what becomes of it. */
interface Arrival {
  readonly end: number;
  /** It is pushed, and its memory used again. Otherwise it is taken over. */
  readonly isPushed: boolean;
  readonly around: number;
  /** What is complete is taken out when the next reads have arrived, too. */
  readonly waits: boolean;
  /** The caller writes into what has come out. */
  readonly isSpent: boolean;
}

function drawDraft(choose: Choices): Draft {
  if (!choose.oneIn(4)) return drawPlain(choose);
  const start = choose.below(100);
  const payload = POOL.subarray(start, start + choose.below(600));
  return { opcode: Opcode.Binary, payload };
}

function drawArrivals(choose: Choices, length: number): Arrival[] {
  const most = choose.pick([length + 1, 300, 100, 20]);
  return [...choose.cuts(length, most), length].map((end) => ({
    end,
    isPushed: choose.oneIn(4),
    around: choose.pick(AROUND),
    waits: choose.oneIn(3),
    isSpent: choose.oneIn(3),
  }));
}

/** A reader, and what has become of the bytes that arrived there. */
class Talk {
  readonly #reader: Reader;
  readonly #script: Script<Message>;
  readonly #cuts: number[] = [];
  readonly #how: string[] = [];
  /** What came out and was kept, and what it has to be. */
  readonly #kept: [Message, Message][] = [];
  /** The memory of the reads, and how much of it at both ends is not theirs. */
  readonly #chunks: { readonly memory: Uint8Array; readonly around: number }[] = [];
  #arrived = 0;
  #count = 0;

  constructor(lesson: Lesson, script: Script<Message>) {
    this.#reader = readerOf(lesson);
    this.#script = script;
  }

  take({ end, isPushed, around, waits, isSpent }: Arrival): void {
    if (this.#arrived > 0) this.#cuts.push(this.#arrived);
    const read = this.#script.bytes.subarray(this.#arrived, end);
    this.#arrived = end;
    this.#how.push(`${isPushed ? 'push' : 'own'}${waits ? '' : ', read'}`);
    const memory = new Uint8Array(read.length + 2 * around).fill(OTHER);
    const chunk = Buffer.from(memory.buffer, around, read.length);
    chunk.set(read);
    this.#chunks.push({ memory, around });
    if (isPushed) {
      this.#reader.push(chunk);
      chunk.fill(OTHER);
    } else {
      this.#reader.own(chunk);
    }
    if (!waits) this.readAll(isSpent);
  }

  /** Takes out what has to be there, and no more. */
  readAll(isSpent = false): void {
    const { results } = this.#script;
    for (let due = results[this.#count]; due && due.end <= this.#arrived; ) {
      const message = this.#readOne(due.value);
      if (isSpent) spend(message);
      else this.#kept.push([message, due.value]);
      due = results[++this.#count];
    }
    const nothing = 'Nothing is returned before it is complete.';
    equal(() => this.#reader.read(), undefined, nothing, this.#about());
  }

  #readOne(expected: Message): Message {
    let message: Message | undefined;
    const read = () => {
      message = this.#reader.read();
      return message;
    };
    const what = 'What is complete is returned by the next `read`, in order.';
    equal(read, expected, what, this.#about());
    return message as Message;
  }

  /** Checks what nobody may have changed in the meantime. */
  checkRest(): void {
    const cause = () =>
      'It was right when it was returned. Something else has been written to its memory since.';
    for (const [message, right] of this.#kept) {
      const what = 'What has been returned stays as it is.';
      equal(() => message, right, what, this.#about({ label: 'it is now', cause }));
    }
    for (const { memory, around } of this.#chunks) {
      const beside = [memory.subarray(0, around), memory.subarray(memory.length - around)];
      const isLeft = beside.every((bytes) => bytes.every((byte) => byte === OTHER));
      const what = 'What is beside a read in its memory is left alone.';
      equal(() => isLeft, true, what, this.#about({ label: 'it was' }));
    }
  }

  /** What to tell. It takes a while to write, and is not looked at when all is well. */
  #about(more: About = {}): About {
    const given = () => this.#given();
    return {
      ...more,
      get given() {
        return given();
      },
    };
  }

  #given(): Fact[] {
    const bytes = this.#script.bytes.slice(0, this.#arrived);
    return [
      ['the calls', this.#how.join('; ')],
      ['Arrived', { bytes, cuts: [...this.#cuts] }],
    ];
  }
}

/** Overwrites the bytes of what has come out: they are the caller's. */
function spend(message: Message): void {
  const bytes = 'payload' in message ? message.payload : message.data;
  if (bytes instanceof Uint8Array) bytes.fill(0xbb);
}

export const ANY_PIECES: Scenario<Lesson> = {
  what: 'Any messages are put together, however they are cut, taken over or pushed, and read.',
  rules: [],
  check(lesson) {
    generated(40, (choose) => {
      const frames = choose
        .list(4, () => drawFragments(choose, drawDraft(choose), 'server'))
        .flat();
      const script = messageScript(frames, { role: 'server', maxMessageBytes: 1_000_000 });
      const talk = new Talk(lesson, script);
      for (const arrival of drawArrivals(choose, script.bytes.length)) talk.take(arrival);
      talk.readAll();
      talk.checkRest();
    });
  },
};
