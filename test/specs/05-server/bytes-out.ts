/** Step 3: messages go in, bytes for one write come out. */
import { equal, fail, throws } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { callsOf } from '../../../shared/kit/calls.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { fromClient, fromServer, join, splitFrames, utf8 } from '../../../shared/kit/frames.ts';
import {
  Binary,
  connect,
  expectNext,
  expectOutput,
  type Lesson,
  NOTHING,
  Ping,
  Pong,
  received,
  type Scenarios,
  spokenIn,
  Text,
  takeAll,
} from './core.ts';

const PONG = fromServer(Pong, 'hurry');
const LARGE = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);

/** A message that goes out as one frame. */
function sends(what: string, data: string | Uint8Array, frame: Uint8Array): Scenario<Lesson> {
  return {
    what,
    rules: [115],
    check(lesson) {
      const connection = connect(lesson);
      connection.send(data);
      expectOutput(connection, frame, what);
      expectOutput(connection, NOTHING, 'What went out is gone.');
    },
  };
}

/** Sends a large message. A Ping comes when the first piece of it has gone. */
function interrupted(lesson: Lesson): [first: Uint8Array, next: Uint8Array, rest: Uint8Array[]] {
  const connection = connect(lesson);
  connection.send(LARGE);
  const first = connection.takeOutput();
  connection.receive(fromClient(Ping, 'hurry'));
  expectNext(connection, undefined, 'A Ping is not an event.');
  return [first, connection.takeOutput(), takeAll(connection)];
}

/** Checks that the large message goes out whole, in fragments of at most MAX_FRAGMENT_BYTES. */
function expectLarge({ MAX_FRAGMENT_BYTES }: Lesson, output: Uint8Array): void {
  const what = 'A large message goes in fragments.';
  const sizes = splitFrames(output).frames.map(({ payload }) => payload.length);
  if (sizes.length === 0 || Math.max(...sizes) > MAX_FRAGMENT_BYTES) {
    const facts = [
      ['sent', `a message of ${LARGE.length} bytes`],
      ['went out', `frames with payloads of ${show(sizes)} bytes`],
      ['MAX_FRAGMENT_BYTES', `${MAX_FRAGMENT_BYTES}`],
    ] as const;
    fail(what, facts, 'Cut it with `fragment` of lesson 03.');
  }
  const about = { label: 'went out, joined' };
  equal(() => spokenIn(output), [{ opcode: Binary, payload: LARGE }], what, about);
}

export const BYTES_OUT: Scenarios = [
  {
    what: 'Nothing waits, so nothing goes out.',
    rules: [],
    check: (lesson) =>
      expectOutput(connect(lesson), NOTHING, 'Nothing waits, so nothing goes out.'),
  },
  {
    what: 'There is room for more.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      equal(() => connection.send('Hello'), true, 'There is room for more.', {
        label: '`send` gave',
      });
    },
  },
  {
    what: 'Call `wake` when there is something to send.',
    rules: [115],
    check(lesson) {
      let calls = 0;
      const wake = () => {
        calls++;
      };
      const connection = connect(lesson, {}, clock().now, wake);
      connection.send('Hello');
      if (calls > 0) return;
      const given = [...callsOf(connection), ['`wake` was called', 'not once'] as const];
      fail('Call `wake` when there is something to send.', given, 'Nobody would come and take it.');
    },
  },
  sends('A string is sent as text.', 'Hello', fromServer(Text, 'Hello')),
  sends('Bytes are sent as binary.', Uint8Array.of(1, 2), fromServer(Binary, Uint8Array.of(1, 2))),
  sends('An empty message is a message.', '', fromServer(Text, '')),
  sends('Chinese text is sent as UTF-8.', '你好', fromServer(Text, '你好')),
  {
    what: 'What waits goes out together, in order.',
    rules: [115],
    check(lesson) {
      const connection = connect(lesson);
      const texts = ['one', 'two', 'three'];
      for (const text of texts) connection.send(text);
      expectOutput(
        connection,
        join(...texts.map((text) => fromServer(Text, text))),
        'What waits goes out together, in order.',
        (output) =>
          splitFrames(output).frames.length < texts.length
            ? 'One array for one write: every write is a call of the system, and costs more than the frame.'
            : undefined,
      );
    },
  },
  {
    what: 'Refuse half of a surrogate pair.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      throws(TypeError, () => connection.send('\ud800'), 'Refuse half of a surrogate pair.');
      expectOutput(connection, NOTHING, 'A refused call sends nothing.');
    },
  },
  {
    what: 'Refuse a Ping of 126 bytes.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      const ping = () => connection.ping(new Uint8Array(126));
      throws(RangeError, ping, 'Refuse a Ping of 126 bytes.');
      expectOutput(connection, NOTHING, 'A refused call sends nothing.');
    },
  },
  {
    what: 'Ask the peer for a Pong.',
    rules: [115],
    check(lesson) {
      const connection = connect(lesson);
      connection.ping(utf8('there?'));
      expectOutput(connection, fromServer(Ping, 'there?'), 'Ask the peer for a Pong.');
    },
  },
  {
    what: 'A Ping is answered with its own payload, and one read makes one write.',
    rules: [103, 104],
    check(lesson) {
      const frames = [fromClient(Ping, 'a'), fromClient(Ping, 'b'), fromClient(Text, 'c')];
      const connection = received(lesson, ...frames);
      expectNext(connection, { type: 'text', data: 'c' }, 'A Ping is answered, and no event.');
      connection.send('c');
      expectOutput(
        connection,
        join(fromServer(Pong, 'a'), fromServer(Pong, 'b'), fromServer(Text, 'c')),
        'A Ping is answered with its own payload, and one read makes one write.',
        'For each Ping, `next` puts a Pong with its payload into the queue.',
      );
    },
  },
  {
    what: 'A Pong goes between two fragments.',
    rules: [87, 103],
    check(lesson) {
      const [, next] = interrupted(lesson);
      equal(() => next.subarray(0, PONG.length), PONG, 'A Pong goes between two fragments.', {
        frames: true,
        label: 'went out',
        cause: () =>
          'Take out about MAX_OUTPUT_BYTES, not all: a Pong cannot overtake what is out already.',
      });
    },
  },
  {
    what: 'A large message goes on behind the Pong.',
    rules: [87, 115],
    check(lesson) {
      const [first, next, rest] = interrupted(lesson);
      const message = join(first, next.subarray(PONG.length), ...rest);
      expectLarge(lesson, message);
    },
  },
  {
    what: 'About MAX_OUTPUT_BYTES go out at once.',
    rules: [],
    check(lesson) {
      const { MAX_FRAGMENT_BYTES, MAX_OUTPUT_BYTES } = lesson;
      const connection = connect(lesson);
      connection.send(LARGE);
      const most = MAX_OUTPUT_BYTES + MAX_FRAGMENT_BYTES + 100;
      const long = takeAll(connection).find(({ length }) => length > most);
      if (!long) return;
      const what = `About ${MAX_OUTPUT_BYTES} bytes go out at once.`;
      const cause = 'Stop when there is enough: a Pong cannot overtake what is out already.';
      fail(what, [['went out', `${long.length} bytes`]], cause);
    },
  },
  {
    what: 'A large message goes in fragments.',
    rules: [115],
    check(lesson) {
      const connection = connect(lesson);
      connection.send(LARGE);
      expectLarge(lesson, join(...takeAll(connection)));
    },
  },
  {
    what: 'When enough waits, `send` says so.',
    rules: [],
    check(lesson) {
      const piece = new Uint8Array(lesson.HIGH_WATER_BYTES / 4);
      const connection = connect(lesson);
      const room = Array.from({ length: 5 }, () => connection.send(piece));
      equal(() => room, [true, true, true, false, false], 'When enough waits, `send` says so.', {
        given: [
          ['sent', `5 × ${piece.length} bytes`],
          ['HIGH_WATER_BYTES', `${lesson.HIGH_WATER_BYTES}`],
        ],
        label: '`send` gave',
      });
      equal(() => connection.owesDrain, true, 'Somebody waits for room.', {
        label: '`owesDrain` is',
      });
    },
  },
  {
    what: 'What waits is counted in bytes, not in characters.',
    rules: [],
    check(lesson) {
      const { HIGH_WATER_BYTES } = lesson;
      const count = Math.ceil(HIGH_WATER_BYTES / 3);
      const connection = connect(lesson);
      const send = () => connection.send('你'.repeat(count));
      equal(send, false, 'What waits is counted in bytes, not in characters.', {
        given: [
          ['sent', `${count} times U+4F60, of 3 bytes each: ${count * 3} bytes`],
          ['HIGH_WATER_BYTES', `${HIGH_WATER_BYTES}`],
        ],
        label: '`send` gave',
      });
    },
  },
];
