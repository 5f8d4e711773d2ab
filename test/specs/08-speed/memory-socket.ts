/** Step 3: whose the memory of a read is, on sockets of all kinds, and what keeps it. */
import { PassThrough } from 'node:stream';
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient, join } from '../../../shared/kit/frames.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import type { Message } from '../../../shared/protocol.ts';
import type { ConnectionEvent, Handler } from '../../../solutions/05-server/server.ts';
import { Binary, Ping, Text } from '../05-server/core.ts';
import { Line, settles, turns } from '../05-server/sockets.ts';
import { attachTo, SocketLine } from './lines.ts';
import {
  type Connection,
  connect,
  eventsOf,
  expectEvents,
  extensionOf,
} from './memory-connection.ts';
import { content } from './memory-reader.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** A stream in the clothes of a socket, such as the channel of an SSH library. */
class Disguised extends Line {
  static override readonly name = 'Socket';
  readonly encrypted = true;
  readonly connecting = false;
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort = 50_000;
}

/** A `net.Socket` of a class of its own, as TLS has one. */
class Encrypted extends SocketLine {
  readonly encrypted = true;
}

/** Hears what comes, as an application that keeps all of it. */
function listening() {
  const events: ConnectionEvent[] = [];
  const handle: Handler = (_, event) => {
    if (event.type !== 'open' && event.type !== 'close') events.push(event);
  };
  return { events, handle };
}

const MESSAGES: readonly Message[] = [1, 2, 3, 4].map((i) => {
  return { type: 'binary', data: content(i * 100, i) };
});

/** What arrives: a read for each message. */
const READS = [1, 2, 3, 4].map((i) => fromClient(Binary, content(i * 100, i)));

/** Who else sees the reads of a socket, and from which read on. */
const EARS: readonly (readonly [who: string, from: number, listen: Listen])[] = [
  ['a listener of `data` that was there before', -1, (socket, hear) => socket.on('data', hear)],
  ['a listener of `data` that has come after', 0, (socket, hear) => socket.on('data', hear)],
  ['a listener of `data` that comes after two reads', 2, (socket, hear) => socket.on('data', hear)],
  [
    'a stream that the socket is piped into',
    0,
    (socket, hear) => socket.pipe(new PassThrough()).on('data', hear),
  ],
  [
    'somebody who asks it at `readable`, as a loop over it does',
    0,
    (socket, hear) =>
      socket.on('readable', () => {
        for (let chunk = socket.read(); chunk; chunk = socket.read()) hear(chunk);
      }),
  ],
  ['a listener of one `data`, at the second read', 1, (socket, hear) => socket.once('data', hear)],
];

type Listen = (socket: SocketLine, hear: (chunk: Uint8Array) => void) => void;

/** Something that has read a chunk and is idle, and the memory of that chunk. */
interface Idle {
  readonly what: string;
  readonly holder: object;
  readonly memory: readonly WeakRef<ArrayBufferLike>[];
}

const HEADER = fromClient(Binary, new Uint8Array(66_000)).slice(0, 14);

/** What a reader may have read, when it has nothing more to read. */
const LAST_READS: readonly (readonly [what: string, chunks: () => Uint8Array[]])[] = [
  ['a message', () => [fromClient(Binary, content(4000))]],
  ['a text', () => [fromClient(Text, 'x'.repeat(4000))]],
  ['two messages and a Ping', () => [join(READS[0]!, READS[1]!, fromClient(Ping, 'x'))]],
  ['three chunks', () => READS.slice(0, 3).map((bytes) => new Uint8Array(bytes))],
  ...[1, 2, 9, 13].map((size) => {
    const told = `a message and the first ${size} of the 14 bytes of a header`;
    return [told, () => [join(READS[3]!, HEADER.subarray(0, size))]] as const;
  }),
];

const memoryOf = (chunks: readonly Uint8Array[]) => chunks.map(({ buffer }) => new WeakRef(buffer));

function idleReaders({ MessageReader }: Lesson): Idle[] {
  return LAST_READS.map(([what, chunks]) => {
    const reader = new MessageReader();
    const given = chunks();
    for (const chunk of given) reader.own(chunk);
    for (let left = 9; left > 0 && reader.read(); left--);
    return {
      what: `a reader, after ${what}`,
      holder: reader,
      memory: memoryOf(given),
    };
  });
}

function idleConnections(lesson: Lesson): Idle[] {
  return LAST_READS.map(([what, chunks]) => {
    const connection = connect(lesson);
    const given = chunks();
    for (const chunk of given) connection.receiveOwn(chunk);
    eventsOf(connection);
    connection.takeFrames();
    const memory = memoryOf(given);
    return { what: `a connection, after ${what}`, holder: connection, memory };
  });
}

function idleOn(socket: SocketLine, lesson: Lesson): Idle {
  attachTo(lesson, socket);
  const chunk = fromClient(Binary, content(4000));
  socket.emit('data', chunk);
  const memory = memoryOf([chunk]);
  return { what: 'a connection on a socket, after a message', holder: socket, memory };
}

/** A connection that is held, and has been sent a few bytes of a read of another one. */
function slowConnection(lesson: Lesson): Idle {
  const holder = connect(lesson);
  holder.hold(true);
  const memory = readBy(connect(lesson), (data) => {
    holder.sendFrames([{ fin: true, opcode: Binary, payload: data }]);
  });
  return { what: 'a slow client, to which a message of 100 bytes waits', holder, memory };
}

/** Lets a connection read a short message within a long read. Returns the memory of that read. */
function readBy(connection: Connection, handle: (data: Uint8Array) => void) {
  const chunk = join(READS[0]!, fromClient(Binary, content(60_000)));
  connection.receiveOwn(chunk);
  const [short] = eventsOf(connection);
  if (short?.type === 'binary') handle(short.data);
  return memoryOf([chunk]);
}

async function areForgotten({ memory }: Idle): Promise<boolean> {
  const each = await Promise.all(memory.map(isForgotten));
  return each.every((isForgotten) => isForgotten);
}

async function expectForgotten(idle: readonly Idle[], what: string, cause: string): Promise<void> {
  const forgotten = await Promise.all(idle.map(areForgotten));
  // They are looked at afterwards, so they have been here all the time.
  const first = idle.find(({ holder }, i) => holder && !forgotten[i]);
  if (!first) return;
  const told: Fact[] = [
    ['who', first.what],
    ['the memory of the read', 'is still kept'],
  ];
  fail(what, told, cause);
}

export const SOCKETS: Scenarios = [
  {
    what: 'The reads of a `net.Socket` are taken over.',
    rules: [],
    check(lesson) {
      const what = 'The reads of a `net.Socket` are taken over.';
      for (const socket of [new SocketLine(), new Encrypted()]) {
        const { events, handle } = listening();
        attachTo(lesson, socket, handle);
        const kind = socket instanceof Encrypted ? 'of a subclass, as TLS has it' : 'as it is';
        const given: Fact[] = [['the net.Socket', kind]];
        const chunks = READS.map((bytes) => new Uint8Array(bytes));
        for (const chunk of chunks) socket.emit('data', chunk);
        socket.destroy();
        expectEvents(events, MESSAGES, what, given);
        for (const [i, event] of events.entries()) {
          if (event.type !== 'binary' || event.data.buffer === chunks[i]!.buffer) continue;
          const cause =
            'Hand them to `receiveOwn`: each read of a `net.Socket` has memory of its own. `instanceof` knows its subclasses as well.';
          fail(what, [...given, ['the memory of the message', 'is not that of the read']], cause);
        }
      }
    },
  },
  {
    what: 'The reads of any other stream are copied.',
    rules: [],
    check(lesson) {
      const what = 'The reads of any other stream are copied.';
      for (const stream of [new Line(), new Disguised()]) {
        const { events, handle } = listening();
        attachTo(lesson, stream, handle);
        const kind = stream instanceof Disguised ? ', with all that a socket has' : '';
        const given: Fact[] = [['the socket', `a Duplex of somebody else${kind}`]];
        const memory = Buffer.alloc(1000);
        for (const bytes of READS) {
          memory.set(bytes);
          const chunk = memory.subarray(0, bytes.length);
          stream.emit('data', chunk);
          equal(() => new Uint8Array(chunk), bytes, what, {
            given,
            label: 'a read, afterwards',
            cause: () => 'Only of a `net.Socket` you know who has its memory. Ask `instanceof`.',
          });
        }
        stream.destroy();
        const then: Fact = ['then', 'it uses the same memory for the next read'];
        const cause = 'Only a `net.Socket` has new memory for each read. Ask `instanceof`.';
        expectEvents(events, MESSAGES, what, [...given, then], cause);
      }
    },
  },
  ...EARS.map(([who, from, listen]): Scenarios[number] => ({
    what: `A read that others see is copied: ${who}.`,
    rules: [],
    async check(lesson) {
      const what = 'A read that others see is copied.';
      const { events, handle } = listening();
      const socket = new SocketLine();
      const heard: Uint8Array[] = [];
      const hear = (chunk: Uint8Array) => void heard.push(chunk);
      if (from < 0) listen(socket, hear);
      attachTo(lesson, socket, handle);
      for (const [i, bytes] of READS.entries()) {
        if (i === from) listen(socket, hear);
        await turns(1);
        socket.push(new Uint8Array(bytes));
        await turns(1);
      }
      socket.destroy();
      const given: Fact[] = [['who else listens', who]];
      expectEvents(events, MESSAGES, 'All is read, whoever else listens.', given);
      for (const [i, chunk] of heard.entries()) {
        equal(() => new Uint8Array(chunk), READS[Math.max(from, 0) + i], what, {
          given,
          label: 'what they have, in the end',
          cause: () =>
            from >= 0
              ? 'Nobody else was there at the start, but somebody is now. Ask at each read who listens to `data`, and to `readable`.'
              : 'It has been unmasked under their eyes. Ask how many listen for `data`.',
        });
      }
    },
  })),
  {
    what: 'What came with the request is copied, on a `net.Socket` as well.',
    rules: [],
    check(lesson) {
      const what = 'What came with the request is copied, on a `net.Socket` as well.';
      const { events, handle } = listening();
      const rest = Buffer.from(READS[0]!);
      const socket = new SocketLine();
      attachTo(lesson, socket, handle, { rest });
      socket.destroy();
      const given: Fact[] = [['the opening', 'has a Binary of 100 bytes in its `rest`']];
      equal(() => new Uint8Array(rest), READS[0], what, {
        given,
        label: '`rest`, afterwards',
        cause: () =>
          'It is a part of what somebody else has read: an `upgrade` event hands it out.',
      });
      rest.fill(0x55);
      expectEvents(events, MESSAGES.slice(0, 1), what, given);
    },
  },
  {
    what: 'An extension reads what comes on a socket, whoever has its memory.',
    rules: [],
    check(lesson) {
      for (const socket of [new SocketLine(), new Line()]) {
        const { extension, pushed } = extensionOf();
        const connection = attachTo(lesson, socket, () => {}, { extension });
        for (const bytes of READS) socket.emit('data', new Uint8Array(bytes));
        socket.destroy();
        const what = 'An extension reads what comes on a socket.';
        const given: Fact[] = [
          ['the socket', socket instanceof SocketLine ? 'a `net.Socket`' : 'another Duplex'],
          ['the opening', 'has an extension'],
        ];
        const bytes = pushed.filter(({ bytes }) => bytes.length > 0).map((one) => one.bytes);
        equal(() => join(...bytes), join(...READS), what, {
          given,
          label: 'its reader was given',
          cause: () => 'Hand the extension of the opening to the connection.',
        });
        equal(() => connection.isExtended, true, what, { given, label: '`isExtended`' });
      }
    },
  },
  {
    what: 'A connection knows when its socket takes nothing, and when it does again.',
    rules: [],
    async check(lesson) {
      const what = 'A connection knows when its socket takes nothing, and when it does again.';
      const line = new Line();
      const connection = attachTo(lesson, line);
      await turns(1);
      const told: boolean[] = [];
      const hold = connection.hold.bind(connection);
      connection.hold = (isHeld) => {
        told.push(isHeld);
        hold(isHeld);
      };
      for (let round = 1; round <= 2; round++) {
        for (const isHeld of [true, false]) {
          if (isHeld) line.hold();
          else line.release();
          const payload = new Uint8Array(8000);
          if (isHeld) connection.sendFrames([{ fin: true, opcode: Binary, payload }]);
          await settles(() => told.at(-1) === isHeld);
          equal(() => told.at(-1), isHeld, what, {
            given: [
              ['round', `${round}`],
              [
                'the socket',
                isHeld ? 'has 8,000 bytes to write, and takes none' : 'has room again',
              ],
            ],
            label: '`hold` was last called with',
            cause: () => 'Call it where you pause the socket, and where you resume it.',
          });
        }
      }
      line.destroy();
    },
  },
  {
    what: 'Who has nothing more to read keeps nothing of what it has read.',
    rules: [],
    async check(lesson) {
      const socket = new SocketLine();
      const idle = [...idleReaders(lesson), ...idleConnections(lesson), idleOn(socket, lesson)];
      const cause =
        'Ten thousand idle clients would keep a read each. Let go of a chunk when it is used up, and copy the few bytes of a header that is cut.';
      try {
        await expectForgotten(idle, 'Who has nothing more to read keeps no read.', cause);
      } finally {
        socket.destroy();
      }
    },
  },
  {
    what: 'A message that waits for a slow client keeps nothing of its read but itself.',
    rules: [],
    check: (lesson) =>
      expectForgotten(
        [slowConnection(lesson)],
        'A message that waits for a slow client keeps nothing of its read but itself.',
        'It is a view: a few bytes keep the whole read. When the socket is held, copy what is short.',
      ),
  },
];
