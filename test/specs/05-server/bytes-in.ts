/** Step 2: bytes come in, events come out. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, join, utf8, type WireFrame, wire } from '../../../shared/kit/frames.ts';
import { deliveries } from '../../../shared/kit/replay.ts';
import {
  Binary,
  Continuation,
  connect,
  type Event,
  expectNext,
  type Lesson,
  Pong,
  type Scenarios,
  SHARED,
  Text,
} from './core.ts';

/** Frames that make these events, however they arrive. */
function hears(
  what: string,
  frames: readonly WireFrame[],
  events: readonly Partial<Event>[],
): Scenario<Lesson> {
  return {
    what: `Hear of ${what}.`,
    rules: [91, 116, 117],
    check(lesson) {
      const bytes = join(...frames.map(wire));
      for (const { how, reads, cuts } of deliveries(bytes)) {
        const given: Fact[] = [[`arrived ${how}`, { bytes, cuts }]];
        const seen = eventsOf(lesson, reads, `Take in ${what}.`, given);
        equal(() => seen, events, `Hear of ${what}.`, {
          given,
          label: 'the events',
          cause: () => causeOf(seen, events),
        });
      }
    },
  };
}

/** The events that a new connection has for these reads: ten at most. */
function eventsOf(
  lesson: Lesson,
  reads: readonly Uint8Array[],
  what: string,
  given: readonly Fact[],
): Event[] {
  const connection = connect(lesson);
  const seen: Event[] = [];
  for (const read of reads) {
    attempt(() => connection.receive(read), what, given);
    for (let event = connection.next(); event && seen.length < 10; event = connection.next()) {
      seen.push(event);
    }
  }
  return seen;
}

function causeOf(seen: readonly Partial<Event>[], expected: readonly Partial<Event>[]): string {
  const has = (events: readonly Partial<Event>[], type: string) =>
    events.some((event) => event.type === type);
  if (has(seen, 'error')) {
    return 'The reader refuses a good frame. Is it one for the role `server`?';
  }
  if (has(expected, 'pong') && !has(seen, 'pong')) {
    return 'A Pong is an event like a message. Only a Ping is answered.';
  }
  return 'Pull messages until there is none: one read may bring many, or a part of one.';
}

export const BYTES_IN: Scenarios = [
  {
    what: 'Nothing has come, so nothing happens.',
    rules: [],
    check: (lesson) =>
      expectNext(connect(lesson), undefined, 'Nothing has come, so nothing happens.'),
  },
  hears('a text', [{ opcode: Text, payload: 'Hello' }], [{ type: 'text', data: 'Hello' }]),
  hears(
    'Chinese text',
    [{ opcode: Text, payload: '你好，世界' }],
    [{ type: 'text', data: '你好，世界' }],
  ),
  hears(
    'bytes',
    [{ opcode: Binary, payload: Uint8Array.of(0, 255) }],
    [{ type: 'binary', data: Uint8Array.of(0, 255) }],
  ),
  hears('a Pong', [{ opcode: Pong, payload: 'x' }], [{ type: 'pong', payload: utf8('x') }]),
  hears(
    'a message in fragments',
    [
      { opcode: Text, payload: 'Hel', fin: false },
      { opcode: Pong },
      { opcode: Continuation, payload: 'lo' },
    ],
    [{ type: 'pong' }, { type: 'text', data: 'Hello' }],
  ),
  hears(
    'three messages',
    [
      { opcode: Text, payload: 'a' },
      { opcode: Binary, payload: 'b' },
      { opcode: Text, payload: 'c' },
    ],
    [
      { type: 'text', data: 'a' },
      { type: 'binary', data: utf8('b') },
      { type: 'text', data: 'c' },
    ],
  ),
  {
    what: 'Two connections share nothing.',
    rules: [116],
    check(lesson) {
      const [one, two] = [connect(lesson), connect(lesson)];
      one.receive(fromClient(Text, 'one').subarray(0, 5));
      two.receive(fromClient(Text, 'two'));
      expectNext(two, { type: 'text', data: 'two' }, 'Two connections share nothing.', SHARED);
      expectNext(one, undefined, 'Two connections share nothing.', SHARED);
      one.receive(fromClient(Text, 'one').subarray(5));
      expectNext(one, { type: 'text', data: 'one' }, 'Two connections share nothing.', SHARED);
    },
  },
];
