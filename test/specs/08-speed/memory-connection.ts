/** Step 3: a connection without a socket, and the memory of what it is given and sends. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { clock } from '../../../shared/kit/clock.ts';
import { fromClient, join, utf8 } from '../../../shared/kit/frames.ts';
import {
  type Extension,
  type Frame,
  type Message,
  ProtocolError,
} from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type { ConnectionEvent, Limits } from '../../../solutions/05-server/server.ts';
import { Binary, Continuation, Ping, Pong, Text } from '../05-server/core.ts';
import { content } from './memory-reader.ts';
import type { Lesson, Scenarios } from './tools.ts';

export type Connection = InstanceType<Lesson['Connection']>;

/** Makes a connection that has been accepted. */
export function connect(
  { Connection, EARLIER }: Lesson,
  extension?: Extension,
  limits: Partial<Limits> = {},
): Connection {
  const all = { ...EARLIER.server.LIMITS, ...limits };
  const make = () => new Connection(all, clock().now, () => {}, extension);
  return attempt(make, 'Make a connection.');
}

/** All the events that are there. */
export function eventsOf(connection: Connection): ConnectionEvent[] {
  const events: ConnectionEvent[] = [];
  for (let event = connection.next(); event; event = connection.next()) {
    if (events.push(event) > 100) fail('`next` comes to an end.');
  }
  return events;
}

/** Two messages, as a client sends them. */
const BYTES = join(
  fromClient(Binary, content(500, 1)),
  fromClient(Text, 'Hello'),
  fromClient(Binary, content(90, 2)),
);
const MESSAGES: readonly Message[] = [
  { type: 'binary', data: content(500, 1) },
  { type: 'text', data: 'Hello' },
  { type: 'binary', data: content(90, 2) },
];
const TOLD = 'a Binary of 500 bytes, a Text, and a Binary of 90 bytes, in one read';

export function expectEvents(
  events: readonly ConnectionEvent[],
  expected: readonly Message[],
  what: string,
  given: readonly Fact[],
  cause?: string,
): void {
  for (const [i, message] of expected.entries()) {
    const label = `event ${i + 1}`;
    equal(() => events[i], message, what, { given, label, cause: () => cause });
  }
  equal(() => events.length, expected.length, what, { given, label: 'events' });
}

/** An extension whose messages are what arrives, read by read, and what it has been asked for. */
export function extensionOf() {
  const pushed: { chunk: Uint8Array; bytes: Uint8Array }[] = [];
  const limits: number[] = [];
  const unread: Message[] = [];
  const extension: Extension = {
    readerFor(maxMessageBytes) {
      limits.push(maxMessageBytes);
      return {
        push(chunk) {
          const bytes = new Uint8Array(chunk);
          pushed.push({ chunk, bytes });
          unread.push({ type: 'binary', data: bytes });
        },
        read: () => unread.shift(),
      };
    },
    framesFor: (opcode, payload) => [{ fin: true, rsv1: true, opcode, payload }],
  };
  return { extension, pushed, limits };
}

const OTHERS = 'It is not yours: hand on a copy. `receiveOwn` is for what is.';

/** Sends frames while a connection is held, and returns those that wait. */
function held(connection: Connection, frames: readonly Frame[]): Frame[] {
  connection.hold(true);
  attempt(() => connection.sendFrames(frames), 'Send while the socket takes nothing.');
  return connection.takeFrames();
}

/** A payload that is a part of a read of 64 KiB. */
function partOfRead(length: number): Uint8Array {
  const read = content(65_536);
  return read.subarray(77, 77 + length);
}

/** The same as a Buffer, which an application may send as well. */
function bufferOf(length: number): Buffer {
  const { buffer, byteOffset } = partOfRead(length);
  return Buffer.from(buffer, byteOffset, length);
}

const LIMIT_UNTOLD = 'Your reader has to be told the limit of its connection.';
const LIMIT_UNCHECKED =
  'It is 1 byte longer than the limit, and came through. Compare the length with the limit when the header is there.';

/** Does the reader by itself refuse a message that is longer than its limit? */
function checksLimit({ MessageReader }: Lesson): boolean {
  const reader = new MessageReader('server', 99);
  try {
    reader.own(fromClient(Binary, content(100)));
    reader.read();
    return false;
  } catch {
    return true;
  }
}

export const CONNECTIONS: Scenarios = [
  {
    what: 'What `receive` is given stays as it is, and can be used again at once.',
    rules: [],
    check(lesson) {
      const what = 'What `receive` is given stays as it is, and can be used again at once.';
      for (const chunk of [new Uint8Array(BYTES), Buffer.from(BYTES)]) {
        const given: Fact[] = [[`receive(${chunk.constructor.name})`, TOLD]];
        const connection = connect(lesson);
        connection.receive(chunk);
        const first = connection.next();
        equal(() => new Uint8Array(chunk), BYTES, what, {
          given,
          label: 'what it was given',
          cause: () => OTHERS,
        });
        chunk.fill(0x55);
        const events = first ? [first, ...eventsOf(connection)] : [];
        const then: Fact = ['then', 'its memory is used again, before the second `next`'];
        expectEvents(events, MESSAGES, what, [...given, then], OTHERS);
      }
    },
  },
  {
    what: 'What `receiveOwn` is given is taken over.',
    rules: [],
    check(lesson) {
      const what = 'What `receiveOwn` is given is taken over.';
      const connection = connect(lesson);
      const chunk = new Uint8Array(BYTES);
      const given: Fact[] = [['receiveOwn', TOLD]];
      connection.receiveOwn(chunk);
      const events = eventsOf(connection);
      expectEvents(events, MESSAGES, what, given);
      for (const event of events) {
        if (event.type !== 'binary' || event.data.buffer === chunk.buffer) continue;
        fail(
          what,
          [...given, ['the memory of the message', 'is not that of the read']],
          'It has been copied on its way to the reader. Which of its methods takes it over?',
        );
      }
    },
  },
  {
    what: 'Reads are taken in the order in which they came, copied or not.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      const expected: Message[] = [];
      for (let i = 0; i < 6; i++) {
        const chunk = fromClient(Binary, content(100, i));
        if (i % 2 === 0) connection.receiveOwn(chunk);
        else connection.receive(chunk);
        if (i % 2 === 1) chunk.fill(0x55);
        expected.push({ type: 'binary', data: content(100, i) });
      }
      const what = 'Reads are taken in the order in which they came.';
      const given: Fact[] = [['the calls', 'receiveOwn and receive, by turns, six times']];
      expectEvents(eventsOf(connection), expected, what, given);
    },
  },
  {
    what: 'A message that is longer than the limit of the connection is refused with 1009.',
    rules: [],
    check(lesson) {
      for (const how of ['receive', 'receiveOwn'] as const) {
        const connection = connect(lesson, undefined, { maxMessageBytes: 99 });
        connection[how](fromClient(Binary, content(100)));
        const [event] = eventsOf(connection);
        const what = 'A message that is longer than the limit is refused with 1009.';
        const given: Fact[] = [
          ['the limits', 'maxMessageBytes: 99'],
          [how, 'a Binary of 100 bytes'],
        ];
        if (event?.type === 'binary') {
          const cause = checksLimit(lesson) ? LIMIT_UNTOLD : LIMIT_UNCHECKED;
          fail(what, [...given, ['the event', 'the message'], ['expected', '1009']], cause);
        }
        const code = () => {
          const { error } = event?.type === 'error' ? event : { error: undefined };
          return error instanceof ProtocolError ? error.closeCode : event;
        };
        equal(code, 1009, what, { given, label: 'the event', cause: () => LIMIT_UNTOLD });
      }
    },
  },
  {
    what: 'A Pong has the bytes of its Ping, whatever becomes of the memory of the read.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      const chunk = fromClient(Ping, 'are you there?');
      connection.receive(chunk);
      connection.next();
      chunk.fill(0x55);
      connection.receiveOwn(fromClient(Ping, 'and now?'));
      connection.next();
      const pongs = connection.takeFrames();
      const what = 'A Pong has the bytes of its Ping.';
      // Only the last one has to be answered.
      equal(() => pongs.at(-1), { opcode: Pong, payload: utf8('and now?') }, what, {
        label: 'the last Pong',
      });
      const first = pongs.length > 1 ? pongs[0] : undefined;
      if (first) equal(() => first.payload, utf8('are you there?'), what, { cause: () => OTHERS });
    },
  },
  {
    what: 'With an extension, its own reader is given each read, and nothing else is asked of it.',
    rules: [],
    check(lesson) {
      const what = 'With an extension, its own reader is given each read.';
      const { extension, pushed, limits } = extensionOf();
      const connection = connect(lesson, extension);
      const given: Fact[] = [
        ['the extension', 'makes a reader with `push` and `read`, and no more'],
      ];
      equal(() => limits, [lesson.EARLIER.server.LIMITS.maxMessageBytes], what, {
        given,
        label: '`readerFor` was called with',
        cause: () => 'Your own reader is for a connection on which nothing was agreed on.',
      });
      for (const how of ['receive', 'receiveOwn'] as const) {
        const chunk = new Uint8Array(BYTES);
        attempt(() => connection[how](chunk), what, [...given, ['the call', `${how}(chunk)`]]);
        equal(() => pushed.at(-1)?.bytes, BYTES, what, {
          given: [...given, ['the call', `${how}(chunk)`]],
          label: '`push` was given',
          cause: () => 'The bytes as they came: it unmasks them itself.',
        });
        equal(() => new Uint8Array(chunk), BYTES, 'A read for an extension stays as it is.', {
          given: [...given, ['the call', `${how}(chunk)`]],
          label: 'the chunk',
        });
      }
      equal(() => pushed.length, 2, what, { given, label: 'calls of `push`, for two reads' });
      const data = new Uint8Array(BYTES);
      const expected: Message[] = [1, 2].map(() => ({ type: 'binary', data }));
      expectEvents(eventsOf(connection), expected, 'Its messages are the events.', given);
    },
  },
  {
    what: '`isExtended` says whether an extension was agreed on with the client.',
    rules: [],
    check(lesson) {
      const what = '`isExtended` says whether an extension was agreed on with the client.';
      const { extension } = extensionOf();
      for (const [connection, expected] of [
        [connect(lesson), false],
        [connect(lesson, extension), true],
      ] as const) {
        equal(() => connection.isExtended, expected, what, {
          given: [['the extension', expected ? 'was handed to the constructor' : 'there is none']],
          label: '`isExtended`',
          cause: () => 'An extension of your own, which brings in your reader, does not count.',
        });
      }
    },
  },
  {
    what: 'A message for a socket that takes it is not copied.',
    rules: [],
    check(lesson) {
      const what = 'A message for a socket that takes it is not copied.';
      const connection = connect(lesson);
      for (const when of ['at the start', 'when it was held before']) {
        const payload = partOfRead(1000);
        connection.sendFrames([{ fin: true, opcode: Binary, payload }]);
        const [frame] = connection.takeFrames();
        equal(() => frame?.payload, payload, what, { given: [['when', when]], label: 'it waits' });
        if (frame?.payload.buffer !== payload.buffer) {
          const cause = 'It is written in this very turn. Copy only what has to wait.';
          fail(
            what,
            [
              ['when', when],
              ['its memory', 'is not that of the read any more'],
            ],
            cause,
          );
        }
        connection.hold(true);
        connection.hold(false);
      }
    },
  },
  {
    what: 'A short message that has to wait is copied, as it is when it is sent.',
    rules: [],
    check(lesson) {
      const what = 'A short message that has to wait is copied, as it is when it is sent.';
      const lengths = [1, 10, 1000, lesson.LONG_BYTES - 1];
      for (const payload of lengths.flatMap((length) => [partOfRead(length), bufferOf(length)])) {
        const { length } = payload;
        const before = new Uint8Array(payload);
        const frame: Frame = { fin: true, opcode: Binary, payload };
        const given: Fact[] = [
          ['the calls', `hold(true), then sendFrames of ${count(length, 'byte')} of a read`],
          ['the payload', `a ${payload.constructor.name}`],
        ];
        const connection = connect(lesson);
        connection.hold(true);
        attempt(() => connection.sendFrames([frame]), what, given);
        payload.fill(0);
        const [waiting] = connection.takeFrames();
        const isView = waiting?.payload.buffer === payload.buffer;
        const cause = `It is a view of its read, and keeps all of those 64 KiB for as long as the client likes.${
          Buffer.isBuffer(payload) ? ' That is also what the `slice` of a Buffer returns.' : ''
        }`;
        if (isView) fail(what, [...given, ['its memory', 'is that of the read']], cause);
        equal(() => waiting, { fin: true, opcode: Binary, payload: before }, what, {
          given: [...given, ['then', 'the memory of the read is set to 0']],
          label: 'it waits',
          cause: () => (waiting ? undefined : 'It has not been sent: hand the copy on.'),
        });
      }
    },
  },
  {
    what: 'A long message that has to wait is not copied.',
    rules: [],
    check(lesson) {
      const what = 'A long message that has to wait is not copied.';
      for (const length of [lesson.LONG_BYTES, lesson.LONG_BYTES + 1, 40_000]) {
        const payload = partOfRead(length);
        const [frame] = held(connect(lesson), [{ fin: true, opcode: Binary, payload }]);
        const given: Fact[] = [
          ['the calls', `hold(true), then sendFrames of ${count(length, 'byte')} of a read`],
        ];
        equal(() => frame?.payload, payload, what, { given, label: 'it waits' });
        if (frame?.payload.buffer === payload.buffer) continue;
        const cause = 'It is most of what it keeps. From LONG_BYTES on, leave it as it is.';
        fail(what, [...given, ['its memory', 'is not that of the read any more']], cause);
      }
    },
  },
  {
    what: 'A frame that has to wait is the same in all but its memory, and so is that of the caller.',
    rules: [],
    check(lesson) {
      const frames: Frame[] = [
        { fin: false, rsv1: true, opcode: Text, payload: partOfRead(20) },
        { fin: false, opcode: Continuation, payload: partOfRead(0) },
        { fin: true, opcode: Continuation, payload: partOfRead(30) },
      ];
      const before = frames.map((frame) => ({ ...frame }));
      const given: Fact[] = [['the calls', 'hold(true), then sendFrames of a message in 3 frames']];
      const waiting = held(connect(lesson), frames);
      equal(() => waiting, before, 'What waits are the same frames.', {
        given,
        label: 'they wait',
      });
      const isSame = frames.every(({ payload }, i) => payload === before[i]!.payload);
      equal(
        () => isSame && frames.length === 3,
        true,
        'The frames of the caller stay as they are.',
        {
          given,
          label: 'they do',
          cause: () => 'Others may be sent the same frames. Make new ones.',
        },
      );
    },
  },
  {
    what: '`sendFrames` says whether there is room, held or not.',
    rules: [],
    check(lesson) {
      const { HIGH_WATER_BYTES } = lesson.EARLIER.server;
      for (const isHeld of [false, true]) {
        const connection = connect(lesson);
        connection.hold(isHeld);
        const given: Fact[] = [['the call', `hold(${isHeld})`]];
        for (const [length, expected] of [
          [10, true],
          [HIGH_WATER_BYTES, false],
        ] as const) {
          const frame: Frame = { fin: true, opcode: Binary, payload: new Uint8Array(length) };
          equal(
            () => connection.sendFrames([frame]),
            expected,
            '`sendFrames` says if there is room.',
            {
              given: [...given, ['sent', count(length, 'byte')]],
              cause: () => 'Return what the one of lesson 05 returns.',
            },
          );
        }
      }
    },
  },
];
