/** Two extensions that talk to each other, of which nobody knows what they will say. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, wire } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { type Frame, type Message, Opcode, type Role } from '../../../shared/protocol.ts';
import type {
  DeflateParams,
  PerMessageDeflate,
} from '../../../solutions/07-compression/compression.ts';
import { binary, type Reader, readAll, text } from '../02-reading-frames/readers.ts';
import { drawMessage } from './generated-frames.ts';
import { type Call, isCompressed, isPlain, tellCalls } from './sent-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';

const ROLES: readonly Role[] = ['server', 'client'];
const BITS = [15, 9, 10, 12, 8];
const PING: Message = { type: 'ping', payload: new Uint8Array(0) };

function drawParams(choose: Choices): DeflateParams {
  return {
    serverNoContextTakeover: choose.oneIn(3),
    clientNoContextTakeover: choose.oneIn(3),
    serverMaxWindowBits: choose.pick(BITS),
    clientMaxWindowBits: choose.pick(BITS),
  };
}

/** One end: what it sends, and what its peer still has of that. */
class End {
  readonly #lesson: Lesson;
  readonly #role: Role;
  readonly #extension: PerMessageDeflate;
  readonly #reader: Reader<Message>;
  readonly #takeover: boolean;
  readonly #windowBytes: number;
  #window: Uint8Array = new Uint8Array(0);

  constructor(lesson: Lesson, role: Role, params: DeflateParams) {
    this.#lesson = lesson;
    this.#role = role;
    this.#extension = new lesson.PerMessageDeflate(role, params);
    this.#reader = this.#extension.readerFor(65_536);
    const isServer = role === 'server';
    this.#takeover = !(isServer ? params.serverNoContextTakeover : params.clientNoContextTakeover);
    this.#windowBytes = 2 ** (isServer ? params.serverMaxWindowBits : params.clientMaxWindowBits);
  }

  /** Sends a message that is drawn to the other end, and adds how that was called. */
  say(choose: Choices, other: End, given: readonly Fact[], calls: Call[]): void {
    const { opcode, payload } = drawMessage(choose);
    const maxPayload = choose.pick([65_536, 20, 7, 1]);
    const options = choose.oneIn(4) ? { compress: false } : undefined;
    const data = payload.slice();
    calls.push({ of: `${this.#role}.framesFor(`, opcode, data: payload, maxPayload, options });
    const told = [...given, ...tellCalls(calls)];
    const frames = this.#extension.framesFor(opcode, data, maxPayload, options);
    this.#isRight(frames, { opcode, data: payload, maxPayload }, options !== undefined, told);
    const bytes = this.#encode(frames, choose.oneIn(3));
    // The caller has its memory back when the frames are written.
    data.fill(0xbb);
    other.#hears(bytes, opcode, payload, told);
  }

  #isRight(
    frames: readonly Frame[],
    sent: { opcode: number; data: Uint8Array; maxPayload: number },
    isAsked: boolean,
    told: readonly Fact[],
  ): void {
    const what = 'What is sent is what the other end can read.';
    if (isAsked || !frames[0]?.rsv1) {
      isPlain(frames, sent, what, told);
      return;
    }
    isCompressed(frames, { ...sent, window: this.#window }, what, told);
    if (this.#takeover) this.#window = join(this.#window, sent.data).slice(-this.#windowBytes);
  }

  /** Writes frames, perhaps with a Ping behind each. */
  #encode(frames: readonly Frame[], withPings: boolean): Uint8Array[] {
    const { encodeFrames, encodeMaskedFrame } = this.#lesson.EARLIER;
    const isServer = this.#role === 'server';
    const ping = wire({ opcode: Opcode.Ping, key: isServer ? null : undefined });
    return frames.flatMap((frame) => {
      const bytes = isServer ? encodeFrames([frame]) : encodeMaskedFrame(frame);
      return withPings ? [bytes, ping] : [bytes];
    });
  }

  #hears(
    reads: readonly Uint8Array[],
    opcode: number,
    data: Uint8Array,
    told: readonly Fact[],
  ): void {
    const what = 'What one end sends comes out at the other.';
    const message = opcode === Opcode.Text ? text(`${Buffer.from(data)}`) : binary(data);
    const bytes = join(...reads);
    const given: Fact[] = [...told, [`arrived at the ${this.#role}`, { bytes, cuts: [] }]];
    const isOther = ({ type }: Message) => type !== PING.type;
    equal(() => readAll(this.#reader, reads).filter(isOther), [message], what, { given });
  }
}

/** Step 7. */
export const ANY_TALK: Scenarios[number] = {
  what: 'Whatever two ends say to each other is heard.',
  rules: [155, 159, 160, 162, 176],
  check(lesson) {
    generated(15, (choose) => {
      const params = drawParams(choose);
      const ends = ROLES.map((role) => new End(lesson, role, params)) as [End, End];
      const given: Fact[] = [['params of both', show(params)]];
      const calls: Call[] = [];
      for (const from of choose.list(8, () => choose.below(2))) {
        ends[from]!.say(choose, ends[1 - from]!, given, calls);
      }
    });
  },
};
