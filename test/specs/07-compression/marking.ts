/** Step 7: compressed messages, sent. */
import { attempt, equal, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode, type SendOptions } from '../../../shared/protocol.ts';
import { EXTENDING } from './extending.ts';
import { ANY_TALK } from './generated-talk.ts';
import { HOOKS_OF_SENDING } from './hooks.ts';
import { type Call, CHAT, FILLER, isCompressed, isPlain, tellCalls } from './sent-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise } from './zlib.ts';

const { Binary, Text } = Opcode;

const NOTHING = new Uint8Array(0);
const NOISE = noise(100);

const REFERS_TO_PLAIN =
  'It refers back to what went as it is. The peer has not unpacked that, and does not have it in its window.';
const REFERS_TO_REFUSED =
  'It refers back to the message that was refused, which nobody has sent. Let `fragment` refuse it before the deflater gets it.';

/** Sends messages with one `Deflater`, and tells so. */
class Sender {
  readonly #lesson: Lesson;
  readonly #deflater: InstanceType<Lesson['Deflater']>;
  readonly #made: Fact;
  readonly #calls: Call[] = [];

  constructor(lesson: Lesson, bits = 15, takeover = true) {
    this.#lesson = lesson;
    this.#deflater = new lesson.Deflater(bits, takeover);
    this.#made = ['the deflater', `new Deflater(${bits}, ${takeover})`];
  }

  send(
    opcode: number,
    data: Uint8Array,
    maxPayload: number,
    options?: SendOptions,
  ): readonly Frame[] {
    this.#calls.push({ of: DEFLATED, opcode, data, maxPayload, options });
    const call = () =>
      options
        ? this.#lesson.deflatedFrames(this.#deflater, opcode, data, maxPayload, options)
        : this.#lesson.deflatedFrames(this.#deflater, opcode, data, maxPayload);
    return attempt(call, 'A message becomes frames.', this.given);
  }

  get given(): readonly Fact[] {
    return [this.#made, ...tellCalls(this.#calls)];
  }
}

const DEFLATED = 'deflatedFrames(deflater, ';

const SENT: Scenarios = [
  {
    what: 'A message that gets shorter goes compressed, in a frame with RSV1.',
    rules: [155],
    check(lesson) {
      const what = 'A message that gets shorter goes compressed, in a frame with RSV1.';
      const sender = new Sender(lesson);
      for (const opcode of [Text, Binary]) {
        const data = opcode === Text ? CHAT : new Uint8Array(64);
        const window = opcode === Text ? NOTHING : CHAT;
        const frames = sender.send(opcode, data, 65_536);
        isCompressed(frames, { opcode, data, maxPayload: 65_536, window }, what, sender.given);
        equal(() => frames.length, 1, 'What fits into one frame is one.', {
          given: sender.given,
          label: 'frames',
        });
      }
    },
  },
  {
    what: 'It is the packed bytes that are cut, and only the first frame has RSV1.',
    rules: [155],
    check(lesson) {
      const what = 'It is the packed bytes that are cut, and only the first frame has RSV1.';
      for (const maxPayload of [20, 1]) {
        const sender = new Sender(lesson);
        const frames = sender.send(Text, CHAT, maxPayload);
        isCompressed(frames, { opcode: Text, data: CHAT, maxPayload }, what, sender.given);
      }
    },
  },
  {
    what: 'What went in fragments is in the window once, as the peer has it.',
    rules: [159],
    check(lesson) {
      const what = 'What went in fragments is in the window once, as the peer has it.';
      const sender = new Sender(lesson);
      let window: Uint8Array = NOTHING;
      for (const data of [CHAT, utf8(FILLER), CHAT]) {
        const frames = sender.send(Text, data, 20);
        isCompressed(frames, { opcode: Text, data, maxPayload: 20, window }, what, sender.given);
        window = join(window, data);
      }
    },
  },
  {
    what: 'How many frames there are depends on the packed bytes alone.',
    rules: [],
    check(lesson) {
      const what = 'How many frames there are depends on the packed bytes alone.';
      const sender = new Sender(lesson);
      const data = new Uint8Array(100_000);
      const frames = sender.send(Binary, data, 1000);
      isCompressed(frames, { opcode: Binary, data, maxPayload: 1000 }, what, sender.given);
      const cause = () =>
        'Compressed, it fits into one frame. Cut what comes out, and not what goes in.';
      equal(() => frames.length, 1, what, { given: sender.given, label: 'frames', cause });
    },
  },
  {
    what: 'Without a limit for one frame, a large message is one.',
    rules: [],
    check(lesson) {
      const what = 'Without a limit for one frame, a large message is one.';
      const sender = new Sender(lesson, 15, false);
      const data = join(noise(70_000), new Uint8Array(70_000));
      const sent = { opcode: Binary, data, maxPayload: Number.MAX_SAFE_INTEGER };
      const frames = sender.send(Binary, data, sent.maxPayload);
      isCompressed(frames, sent, what, sender.given);
      equal(() => frames.length, 1, what, { given: sender.given, label: 'frames' });
    },
  },
  {
    what: 'Without takeover, a message that does not get shorter goes as it is, without RSV1.',
    rules: [],
    check(lesson) {
      const what =
        'Without takeover, a message that does not get shorter goes as it is, without RSV1.';
      for (const data of [utf8('Hello'), NOISE]) {
        for (const maxPayload of [1000, 3]) {
          const sender = new Sender(lesson, 15, false);
          const frames = sender.send(Binary, data, maxPayload);
          isPlain(frames, { opcode: Binary, data, maxPayload }, what, sender.given);
        }
      }
    },
  },
  {
    what: 'Without takeover, an empty message is one empty frame, without RSV1.',
    rules: [],
    check(lesson) {
      const what = 'Without takeover, an empty message is one empty frame, without RSV1.';
      const sender = new Sender(lesson, 15, false);
      for (const opcode of [Text, Binary, Text]) {
        const frames = sender.send(opcode, NOTHING, 1000);
        isPlain(frames, { opcode, data: NOTHING, maxPayload: 1000 }, what, sender.given);
      }
    },
  },
  {
    what: 'With `compress: false`, a message goes as it is.',
    rules: [],
    check(lesson) {
      const what = 'With `compress: false`, a message goes as it is.';
      for (const maxPayload of [1000, 20]) {
        const sender = new Sender(lesson);
        const frames = sender.send(Text, CHAT, maxPayload, { compress: false });
        isPlain(frames, { opcode: Text, data: CHAT, maxPayload }, what, sender.given);
      }
    },
  },
  {
    what: 'Without `compress`, the options change nothing.',
    rules: [],
    check(lesson) {
      const what = 'Without `compress`, the options change nothing.';
      const sender = new Sender(lesson);
      const sent = { opcode: Text, data: CHAT, maxPayload: 1000 };
      isCompressed(sender.send(Text, CHAT, 1000, {}), sent, what, sender.given);
      const frames = sender.send(Text, CHAT, 1000, { compress: true });
      isCompressed(frames, { ...sent, window: CHAT }, what, sender.given);
    },
  },
  {
    what: 'What goes as it is stays out of the window: the peer will not have it there.',
    rules: [160],
    check(lesson) {
      const what = 'What goes as it is stays out of the window: the peer will not have it there.';
      const secret = utf8('token=7f3a9c1e8d4b2506 '.repeat(100));
      for (const [data, options] of [
        [secret, { compress: false }],
        [NOISE, undefined],
      ] as const) {
        const sender = new Sender(lesson);
        sender.send(Text, CHAT, 1000);
        isPlain(
          sender.send(Binary, data, 1000, options),
          { opcode: Binary, data, maxPayload: 1000 },
          'This one goes as it is.',
          sender.given,
        );
        // All of it is once more in the next, to tempt.
        const next = join(data, CHAT, CHAT);
        const frames = sender.send(Text, next, 1000);
        const lure = { window: join(CHAT, data), cause: () => REFERS_TO_PLAIN };
        const sent = { opcode: Text, data: next, maxPayload: 1000, window: CHAT, lure };
        isCompressed(frames, sent, what, sender.given);
      }
    },
  },
  {
    what: 'A message that gets a little longer goes as it is, or is in the window: never both.',
    rules: [159, 160],
    check(lesson) {
      const what =
        'A message that gets a little longer goes as it is, or is in the window: never both.';
      // Nothing in it is in the message before.
      const short = utf8('No, 42 is 6 * 7!');
      for (const maxPayload of [1000, short.length]) {
        const sender = new Sender(lesson);
        let window: Uint8Array = NOTHING;
        for (const data of [CHAT, short, join(short, CHAT)]) {
          const sent = { opcode: Text, data, maxPayload, window };
          const frames = sender.send(Text, data, maxPayload);
          // Below 6 bytes more, both are right, but only one of them is in the window.
          if (frames[0]?.rsv1) {
            isCompressed(frames, sent, what, sender.given);
            window = join(window, data);
          } else {
            isPlain(frames, sent, what, sender.given);
          }
        }
      }
    },
  },
  {
    what: 'What `fragment` refuses is refused, and then the window is as it was.',
    rules: [],
    check(lesson) {
      const what = 'What `fragment` refuses is refused, and then the window is as it was.';
      const wrong = [
        [Opcode.Ping, 1000, 'opcode 9 is a Ping, and no message'],
        [Opcode.Continuation, 1000, 'opcode 0 begins no message'],
        [Text, 0, 'nothing fits into a frame of 0 bytes'],
        [Text, 1.5, 'there is no half byte'],
      ] as const;
      for (const [opcode, maxPayload, why] of wrong) {
        const deflater = new lesson.Deflater();
        const refused: Call = { of: DEFLATED, opcode, data: CHAT, maxPayload };
        const refuse = () => lesson.deflatedFrames(deflater, opcode, CHAT, maxPayload);
        const reason: Fact = ['which is wrong', why];
        throws(RangeError, refuse, what, { given: [...tellCalls([refused]), reason] });
        const sent = { opcode: Text, data: CHAT, maxPayload: 1000 };
        const given = tellCalls([
          { ...refused, end: ' threw' },
          { ...sent, of: DEFLATED },
        ]);
        const frames = attempt(
          () => lesson.deflatedFrames(deflater, Text, CHAT, 1000),
          what,
          given,
        );
        const lure = { window: CHAT, cause: () => REFERS_TO_REFUSED };
        isCompressed(frames, { ...sent, lure }, what, given);
      }
    },
  },
];

export const MARKING: Scenarios = [...HOOKS_OF_SENDING, ...SENT, ...EXTENDING, ANY_TALK];
