/** Lesson 03, step 7: which frame goes next. */
import { equal } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame } from '../../../shared/kit/frames.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { ToldQueue } from './queues.ts';
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

/** A queue that has returned the first fragment of a message. */
function begin(lesson: Lesson, message: readonly Frame[]): ToldQueue {
  const queue = new ToldQueue(lesson);
  queue.addMessage(message);
  queue.gives(message[0]!, 'A message begins.');
  return queue;
}

/** A scenario whose last check has its name. */
function scenario(
  what: string,
  rules: readonly number[],
  play: (lesson: Lesson, what: string) => void,
): Scenario<Lesson> {
  return { what, rules, check: (lesson) => play(lesson, what) };
}

const messages: readonly Scenario<Lesson>[] = [
  scenario('Nothing waits.', [], (lesson, what) => new ToldQueue(lesson).isLeftWith([], what)),
  scenario('The second message waits for the end of the first.', [85, 86, 115], (lesson, what) => {
    const [first, second] = [short(), long()];
    const queue = new ToldQueue(lesson);
    queue.addMessage(first);
    queue.addMessage(second);
    queue.isLeftWith([...first, ...second], what);
  }),
  scenario(
    'A message of one frame, too, waits for the end of the message before it.',
    [86],
    (lesson, what) => {
      const [first, second] = [short(), [frame(Text, 'whole')]];
      const queue = begin(lesson, first);
      queue.addMessage(second);
      queue.isLeftWith([first[1]!, ...second], what);
    },
  ),
  scenario('The list of frames stays the caller’s.', [], (lesson, what) => {
    const message = long();
    const queue = new lesson.SendQueue();
    queue.addMessage(message);
    queue.next();
    queue.addControl(close);
    equal(() => message, long(), what, {
      given: [['calls', 'addMessage(frames); next(); addControl(close)']],
      label: '`frames` afterwards',
      cause: () => 'Keep the frames in a list of your own: others may send the same message.',
    });
  }),
  scenario('What the caller does to the list afterwards changes nothing.', [], (lesson, what) => {
    const message = long();
    const queue = new lesson.SendQueue();
    queue.addMessage(message);
    message.reverse().pop();
    for (const [i, expected] of long().entries()) {
      equal(() => queue.next(), expected, what, {
        given: [['calls', `addMessage(frames); frames.reverse().pop(); next() ${i + 1} times`]],
        label: 'the last one returned',
        cause: () => 'Keep the frames in a list of your own: the caller may use theirs again.',
      });
    }
  }),
  scenario('A queue that has become empty can be used again.', [115], (lesson, what) => {
    const queue = new ToldQueue(lesson);
    for (const message of [long(), short(), long()]) {
      queue.addMessage(message);
      queue.isLeftWith(message, what);
    }
  }),
];

/** More frames than a call can have arguments. */
const MANY = 150_000;

function tooManyArguments(actual: unknown): string | undefined {
  if (!(actual instanceof RangeError && /call stack/i.test(actual.message))) return undefined;
  return 'No call has room for as many arguments as `push(...frames)` gives it, and no function can call itself so often. Go through the frames in a loop.';
}

/** Says when it would have been the turn of a frame. -1: it is none of them. */
function wrongTurn(turn: number, now: number): string | undefined {
  if (turn === -1) return undefined;
  return turn < now
    ? `Call ${turn + 1} of \`next\` has returned this frame already.`
    : 'The frame whose turn it is was left out.';
}

const eachOnce = scenario('Each of 3,000 fragments goes once, in its order.', [115], (lesson) => {
  const frames = Array.from({ length: 3000 }, (_, i) => {
    return frame(i === 0 ? Text : Continuation, `${i}`, i === 2999);
  });
  const queue = new lesson.SendQueue();
  queue.addMessage([...frames]);
  for (const [i, expected] of frames.entries()) {
    equal(() => queue.next(), expected, 'Each of 3,000 fragments goes once, in its order.', {
      given: [['calls', `addMessage of 3000 frames, then next() ${i + 1} times`]],
      label: 'the last one returned',
      cause: (actual) =>
        wrongTurn(
          frames.findIndex((frame) => same(actual, frame)),
          i,
        ),
    });
  }
});

const manyFragments: Scenario<Lesson> = {
  what: 'A message can have very many fragments.',
  rules: [115],
  check({ SendQueue }) {
    const middle = frame(Continuation, 'm', false);
    const frames = Array<Frame>(MANY).fill(middle);
    frames[0] = frame(Text, 'first', false);
    frames[MANY - 1] = frame(Continuation, 'last');
    const queue = new SendQueue();
    const given: Fact[] = [['call', `addMessage of ${MANY} frames`]];
    const add = () => void queue.addMessage(frames);
    equal(add, undefined, 'A message can have very many fragments.', {
      given,
      causeOfError: tooManyArguments,
    });
    equal(() => queue.next(), frames[0], 'Its first fragment goes first.', { given });
    for (let i = 0; i < 2; i++) {
      equal(() => queue.next(), middle, 'Then the next one goes.', { given });
    }
  },
};

const controls: readonly Scenario<Lesson>[] = [
  scenario('A ping goes before a message that has not begun.', [], (lesson, what) => {
    const message = short();
    const queue = new ToldQueue(lesson);
    queue.addMessage(message);
    queue.addControl(ping);
    queue.gives(ping, what);
    queue.gives(message[0]!, 'Then the message begins.');
  }),
  scenario('Ping and pong slip between two fragments.', [86, 87, 115], (lesson) => {
    const [first, second] = [short(), long()];
    const queue = begin(lesson, first);
    queue.addMessage(second);
    queue.addControl(ping);
    queue.addControl(pong);
    queue.isLeftWith(
      [ping, pong, first[1]!, ...second],
      'Ping and pong slip between two fragments, in their order; the other message does not.',
    );
  }),
];

const closing: readonly Scenario<Lesson>[] = [
  scenario('Refuse a message after a close.', [70, 97, 108, 109], (lesson, what) => {
    const queue = new ToldQueue(lesson);
    queue.addControl(close);
    queue.refuses(Error, 'addMessage', short(), what);
    queue.isLeftWith([close], 'What was refused does not wait.');
  }),
  scenario('Refuse a second close.', [], (lesson, what) => {
    const queue = new ToldQueue(lesson);
    queue.addControl(close);
    queue.refuses(Error, 'addControl', [close], what);
    queue.isLeftWith([close], 'What was refused does not wait.');
  }),
  scenario('A pong may follow a close that waits.', [], (lesson) => {
    const queue = new ToldQueue(lesson);
    queue.addControl(close);
    queue.addControl(
      pong,
      'A pong may follow a close: a ping gets its pong until the peer has closed, too.',
    );
  }),
  scenario('The messages go first, then the close.', [70, 97, 115], (lesson, what) => {
    const [first, second] = [short(), long()];
    const queue = begin(lesson, first);
    queue.addMessage(second);
    queue.addControl(close);
    queue.addControl(pong);
    queue.isLeftWith([pong, first[1]!, ...second, close], what);
  }),
  scenario('A pong may follow a close that has been sent.', [], (lesson, what) => {
    const queue = new ToldQueue(lesson);
    queue.addControl(close);
    queue.gives(close, 'A close goes.');
    queue.addControl(pong, what);
    queue.isLeftWith([pong], what);
  }),
];

const dropping: readonly Scenario<Lesson>[] = [
  scenario(
    'After dropWaiting, what has begun is finished, and what has not begun is dropped.',
    [110, 115],
    (lesson, what) => {
      const message = long();
      const queue = begin(lesson, message);
      queue.addMessage(short());
      queue.dropWaiting();
      queue.addControl(close);
      queue.isLeftWith([...message.slice(1), close], what);
    },
  ),
  scenario(
    'Of a message that has not begun, dropWaiting leaves nothing.',
    [110],
    (lesson, what) => {
      const queue = new ToldQueue(lesson);
      queue.addMessage(long());
      queue.dropWaiting();
      queue.isLeftWith([], what);
    },
  ),
  scenario(
    'After a message that has been sent, dropWaiting leaves only pings.',
    [110],
    (lesson) => {
      const message = short();
      const queue = begin(lesson, message);
      queue.gives(message[1]!, 'A whole message goes.');
      queue.addMessage(long());
      queue.addControl(ping);
      queue.dropWaiting();
      queue.isLeftWith([ping], 'No message has begun, so dropWaiting leaves none; pings stay.');
    },
  ),
  scenario('A message goes on after a ping, for dropWaiting, too.', [115], (lesson) => {
    const message = long();
    const queue = begin(lesson, message);
    queue.addControl(ping);
    queue.gives(ping, 'A ping slips in.');
    queue.dropWaiting();
    queue.isLeftWith(message.slice(1), 'A ping between two fragments does not end their message.');
  }),
];

const NOT_ONE_MESSAGE: readonly (readonly [what: string, frames: readonly Frame[]])[] = [
  ['an empty list', []],
  ['a message without an end', [frame(Text, 'a', false)]],
  ['a continuation without a beginning', [frame(Continuation, 'a')]],
  ['a second beginning', [frame(Text, 'a', false), frame(Text, 'b')]],
  ['an end in the middle', [frame(Text, 'a'), frame(Continuation, 'b')]],
  ['a control frame', [ping]],
  ['a control frame inside', [frame(Text, 'a', false), ping, frame(Continuation, 'b')]],
];

const refusals: readonly Scenario<Lesson>[] = [
  ...NOT_ONE_MESSAGE.map(([name, frames]) =>
    scenario(`Refuse ${name} as a message.`, [], (lesson, what) =>
      new ToldQueue(lesson).refuses(RangeError, 'addMessage', frames, what),
    ),
  ),
  scenario('Refuse a text as a control frame.', [], (lesson, what) =>
    new ToldQueue(lesson).refuses(RangeError, 'addControl', [frame(Text, 'x')], what),
  ),
];

/** Step 7 · Keeping order. */
export const order = [
  ...messages,
  eachOnce,
  manyFragments,
  ...controls,
  ...closing,
  ...dropping,
  ...refusals,
];
