/** Lesson 03, step 7: which frame goes next. */
import { attempt, equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import type { Lesson } from './tools.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

/** A message in two fragments. */
const short = () => [frame(Text, 'o', false), frame(Continuation, 'ne')];
/** A message in three fragments. */
const long = () => [
  frame(Binary, 't', false),
  frame(Continuation, 'w', false),
  frame(Continuation, 'o'),
];
const ping = frame(Ping, 'p');
const pong = frame(Pong, 'q');
const close = frame(Close, Uint8Array.of(0x03, 0xe8));

/** Takes out all that waits. */
function drain(queue: InstanceType<Lesson['SendQueue']>): Frame[] {
  const frames: Frame[] = [];
  for (let next = queue.next(); next; next = queue.next()) {
    frames.push(next);
    if (frames.length > 100) fail('`next` returns `undefined` when nothing waits.');
  }
  return frames;
}

/** A queue that has given out the first fragment of a message. */
function begin({ SendQueue }: Lesson, message: readonly Frame[]) {
  const queue = new SendQueue();
  queue.addMessage(message);
  equal(() => queue.next(), message[0], 'A message begins.');
  return queue;
}

const messages: readonly Scenario<Lesson>[] = [
  {
    what: 'Nothing waits.',
    rules: [],
    check({ SendQueue }) {
      equal(() => new SendQueue().next(), undefined, 'Nothing waits.');
    },
  },
  {
    what: 'The second message waits for the end of the first.',
    rules: [85, 86, 115],
    check({ SendQueue }) {
      const [first, second] = [short(), long()];
      const queue = new SendQueue();
      queue.addMessage(first);
      queue.addMessage(second);
      const all = [...first, ...second];
      equal(() => drain(queue), all, 'The second message waits for the end of the first.');
    },
  },
  {
    what: 'A message of one frame, too, waits for the end of the message before it.',
    rules: [86],
    check(lesson) {
      const [first, second] = [short(), [frame(Text, 'whole')]];
      const queue = begin(lesson, first);
      queue.addMessage(second);
      equal(
        () => drain(queue),
        [first[1], ...second],
        'A message of one frame, too, waits for the end of the message before it.',
      );
    },
  },
  {
    what: 'A queue that has become empty can be used again.',
    rules: [115],
    check({ SendQueue }) {
      const queue = new SendQueue();
      for (const message of [long(), short(), long()]) {
        queue.addMessage(message);
        equal(() => drain(queue), message, 'A queue that has become empty can be used again.');
      }
    },
  },
];

/** More frames than a call can have arguments. */
const MANY = 150_000;

function tooManyArguments(actual: unknown): string | undefined {
  if (!(actual instanceof RangeError && /call stack/i.test(actual.message))) return undefined;
  return 'No call has room for as many arguments as `push(...frames)` gives it, and no function can call itself so often. Go through the frames in a loop.';
}

const manyFragments: Scenario<Lesson> = {
  what: 'A message may have very many fragments.',
  rules: [115],
  check({ SendQueue }) {
    const middle = frame(Continuation, 'm', false);
    const frames = Array<Frame>(MANY).fill(middle);
    frames[0] = frame(Text, 'first', false);
    frames[MANY - 1] = frame(Continuation, 'last');
    const queue = new SendQueue();
    const given: Fact[] = [['call', `addMessage of ${MANY} frames`]];
    const add = () => void queue.addMessage(frames);
    equal(add, undefined, 'A message may have very many fragments.', {
      given,
      cause: tooManyArguments,
    });
    equal(() => queue.next(), frames[0], 'Its first fragment goes first.', { given });
    equal(() => queue.next(), middle, 'Then the next one goes.', { given });
  },
};

const controls: readonly Scenario<Lesson>[] = [
  {
    what: 'A ping goes before a message that has not begun.',
    rules: [],
    check({ SendQueue }) {
      const message = short();
      const queue = new SendQueue();
      queue.addMessage(message);
      queue.addControl(ping);
      equal(() => queue.next(), ping, 'A ping goes before a message that has not begun.');
      equal(() => queue.next(), message[0], 'Then the message begins.');
    },
  },
  {
    what: 'Ping and pong slip between two fragments.',
    rules: [86, 87, 115],
    check(lesson) {
      const [first, second] = [short(), long()];
      const queue = begin(lesson, first);
      queue.addMessage(second);
      queue.addControl(ping);
      queue.addControl(pong);
      equal(
        () => drain(queue),
        [ping, pong, first[1], ...second],
        'Ping and pong slip between two fragments, in their order; the other message does not.',
      );
    },
  },
];

const closing: readonly Scenario<Lesson>[] = [
  {
    what: 'Refuse a message after a close.',
    rules: [70, 97, 108, 109],
    check({ SendQueue }) {
      const queue = new SendQueue();
      queue.addControl(close);
      throws(Error, () => queue.addMessage(short()), 'Refuse a message after a close.');
      equal(() => drain(queue), [close], 'What was refused does not wait.');
    },
  },
  {
    what: 'Refuse a second close.',
    rules: [],
    check({ SendQueue }) {
      const queue = new SendQueue();
      queue.addControl(close);
      throws(Error, () => queue.addControl(close), 'Refuse a second close.');
      equal(() => drain(queue), [close], 'What was refused does not wait.');
    },
  },
  {
    what: 'A pong may follow a close that waits.',
    rules: [],
    check({ SendQueue }) {
      const queue = new SendQueue();
      queue.addControl(close);
      attempt(
        () => queue.addControl(pong),
        'A pong may follow a close: a ping is answered until the peer has closed, too.',
      );
    },
  },
  {
    what: 'The messages go first, then the close.',
    rules: [70, 97, 115],
    check(lesson) {
      const [first, second] = [short(), long()];
      const queue = begin(lesson, first);
      queue.addMessage(second);
      queue.addControl(close);
      queue.addControl(pong);
      equal(
        () => drain(queue),
        [pong, first[1], ...second, close],
        'The messages go first, then the close.',
      );
    },
  },
  {
    what: 'A pong may follow a close that has gone.',
    rules: [],
    check({ SendQueue }) {
      const queue = new SendQueue();
      queue.addControl(close);
      equal(() => drain(queue), [close], 'A close goes.');
      attempt(() => queue.addControl(pong), 'A pong may follow a close that has gone.');
      equal(() => drain(queue), [pong], 'A pong may follow a close that has gone.');
    },
  },
];

const dropping: readonly Scenario<Lesson>[] = [
  {
    what: 'After dropWaiting, what has begun is finished, and what has not begun is gone.',
    rules: [110, 115],
    check(lesson) {
      const message = long();
      const queue = begin(lesson, message);
      queue.addMessage(short());
      queue.dropWaiting();
      queue.addControl(close);
      equal(
        () => drain(queue),
        [message[1], message[2], close],
        'After dropWaiting, what has begun is finished, and what has not begun is gone.',
      );
    },
  },
  {
    what: 'Of a message that has not begun, dropWaiting leaves nothing.',
    rules: [110],
    check({ SendQueue }) {
      const queue = new SendQueue();
      queue.addMessage(long());
      queue.dropWaiting();
      equal(() => drain(queue), [], 'Of a message that has not begun, dropWaiting leaves nothing.');
    },
  },
  {
    what: 'Behind a message that has gone, dropWaiting leaves only pings.',
    rules: [110],
    check(lesson) {
      const message = short();
      const queue = begin(lesson, message);
      equal(() => queue.next(), message[1], 'A whole message goes.');
      queue.addMessage(long());
      queue.addControl(ping);
      queue.dropWaiting();
      equal(
        () => drain(queue),
        [ping],
        'No message has begun, so dropWaiting leaves none; pings stay.',
      );
    },
  },
];

const NOT_ONE_MESSAGE: readonly (readonly [what: string, frames: readonly Frame[]])[] = [
  ['no frame at all', []],
  ['a message without an end', [frame(Text, 'a', false)]],
  ['a continuation without a beginning', [frame(Continuation, 'a')]],
  ['a second beginning', [frame(Text, 'a', false), frame(Text, 'b')]],
  ['an end in the middle', [frame(Text, 'a'), frame(Continuation, 'b')]],
  ['a control frame', [ping]],
  ['a control frame inside', [frame(Text, 'a', false), ping, frame(Continuation, 'b')]],
];

const refusals: readonly Scenario<Lesson>[] = [
  ...NOT_ONE_MESSAGE.map(([what, frames]) => ({
    what: `Refuse ${what} as a message.`,
    rules: [],
    check({ SendQueue }: Lesson) {
      const add = () => new SendQueue().addMessage([...frames]);
      throws(RangeError, add, `Refuse ${what} as a message.`, {
        given: [['frames', show(frames)]],
      });
    },
  })),
  {
    what: 'Refuse a text as a control frame.',
    rules: [],
    check({ SendQueue }) {
      const add = () => new SendQueue().addControl(frame(Text, 'x'));
      throws(RangeError, add, 'Refuse a text as a control frame.');
    },
  },
];

/** Step 7 · Keeping order. */
export const order = [
  ...messages,
  manyFragments,
  ...controls,
  ...closing,
  ...dropping,
  ...refusals,
];
