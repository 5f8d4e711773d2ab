/** Compressed messages that nobody thought of, among others that are not. */
import type { Fact } from '../../../shared/harness/facts.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { type Message, Opcode, type Role } from '../../../shared/protocol.ts';
import { type Draft, drawFragments, drawMistake, drawText } from '../02-reading-frames/drawing.ts';
import type { SentFrame } from '../02-reading-frames/model.ts';
import { type Easier, type Party, play } from '../02-reading-frames/playing.ts';
import { packedScript, type Terms } from './model.ts';
import { RSV1 } from './packed-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { noise, packed } from './zlib.ts';

const { Binary, Close, Continuation, Text } = Opcode;

/** Of which some are hard to compress, but for those who remember them. */
const WORDS = [
  'hello',
  '{"type":"chat"}',
  '你好',
  'a'.repeat(40),
  ...[1, 2, 3, 4, 5, 6].map((seed) => Buffer.from(noise(15, seed)).toString('hex')),
];

/** Draws a message that gets shorter, or not. */
export function drawMessage(choose: Choices): Draft {
  const opcode = choose.pick([Text, Binary]);
  const words = choose.list(6, () => choose.pick(WORDS)).join(' ');
  if (opcode === Text || choose.oneIn(2)) return { opcode, payload: utf8(words) };
  return { opcode, payload: noise(choose.below(60), choose.below(5)) };
}

/** Draws the frames of messages, each compressed or not, and perhaps something wrong at the end. */
function drawFrames(choose: Choices, { role, takeover }: Terms): SentFrame[] {
  let window: Uint8Array = new Uint8Array(0);
  const frames = choose.list(4, () => {
    const isPacked = !choose.oneIn(3);
    // What is not UTF-8 is refused when it comes out, or as soon as it is there.
    const draft = choose.oneIn(12) ? drawText(choose) : drawMessage(choose);
    if (!isPacked) return drawFragments(choose, draft, role);
    const payload = packed(draft.payload, new Uint8Array(window));
    if (takeover) window = join(window, draft.payload);
    const [first, ...others] = drawFragments(choose, { ...draft, payload }, role);
    return [{ ...first!, rsv: RSV1 }, ...others];
  });
  const all = frames.flat();
  const close = all.findIndex(({ opcode }) => opcode === Close);
  // Whether a reader reads on behind a Close is its own affair.
  if (close !== -1) return all.slice(0, close + 1);
  return choose.oneIn(3) ? all : drawWrong(choose, all, role);
}

/** Ends frames somewhere, with one that may be wrong. */
function drawWrong(choose: Choices, frames: readonly SentFrame[], role: Role): SentFrame[] {
  const all = drawMistake(choose, frames, role);
  const last = all.at(-1)!;
  const begins = last.opcode === Text || last.opcode === Binary;
  // A message that begins with RSV1 is no mistake: this one gets another bit as well.
  if (begins && last.rsv === RSV1) return all.with(-1, { ...last, rsv: RSV1 + 1 });
  // What would be the end of a compressed message is not DEFLATE: it stays open.
  return last.opcode === Continuation ? all.with(-1, { ...last, fin: false }) : all;
}

const LIMITS = [16 * 1024 * 1024, 20, 60];

function drawParty(lesson: Lesson, choose: Choices): Party<Message> {
  const role = choose.pick<Role>(['server', 'client']);
  const maxMessageBytes = choose.oneIn(3) ? choose.pick(LIMITS) : LIMITS[0]!;
  const terms = { role, maxMessageBytes, takeover: !choose.oneIn(4) };
  const frames = drawFrames(choose, terms);
  const given: Fact[] = [
    ['we are', `the ${role}`],
    ['maxMessageBytes', `${maxMessageBytes}`],
    ['inflater', `new Inflater(15, ${terms.takeover})`],
  ];
  const makeReader = () => {
    const inflater = new lesson.Inflater(15, terms.takeover);
    return new lesson.EARLIER.MessageReader(
      role,
      maxMessageBytes,
      (check) => new lesson.InflatingReader(role, check, inflater, maxMessageBytes),
    );
  };
  return {
    given,
    makeReader,
    script: packedScript(frames, terms),
    easier: () => easier(frames, terms),
  };
}

/** Leaves out the control frames: what is read right then has an easier explanation. */
function easier(frames: readonly SentFrame[], terms: Terms): Easier<Message>[] {
  const data = frames.filter(({ opcode }) => opcode < 8);
  if (data.length === frames.length) return [];
  const cause =
    'Without the control frames it is read right. They are not part of the message around them, and never compressed.';
  return [{ script: packedScript(data, terms), cause }];
}

/** Step 6. */
export const ANY_PACKED: Scenarios[number] = {
  what: 'Read any messages, compressed or not, up to the first frame that is illegal.',
  rules: [155, 156, 160],
  check(lesson) {
    generated(25, (choose) => {
      const draw = () => drawParty(lesson, choose);
      play(choose, choose.oneIn(2) ? [draw(), draw()] : [draw()]);
    });
  },
};
