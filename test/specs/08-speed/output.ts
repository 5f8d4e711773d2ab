/** Step 5: one memory for all answers. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { frame, fromClient, join, splitFrames, utf8 } from '../../../shared/kit/frames.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import { workOf, workOfEach, workOn } from '../../../shared/kit/work.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type { Connection } from '../../../solutions/08-speed/speed.ts';
import { turns } from '../05-server/sockets.ts';
import { connected } from './connecting.ts';
import { HOOKS_OF_OUTPUT } from './hooks.ts';
import { attachTo, SocketLine } from './lines.ts';
import { NO_KEY_ARRAY, workOfReading } from './memory-reader.ts';
import { echo } from './on-socket.ts';
import { ANY_OUTPUT } from './output-drawn.ts';
import { someBytes } from './reads.ts';
import {
  binaryFrame,
  expectParts,
  fitsInto,
  onWire,
  outputOf,
  sizeOf,
  takeAll,
  tellParts,
  writing,
} from './sending.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

/** Lengths around those at which the header changes, and some that are longer than a memory. */
const LENGTHS = [0, 1, 125, 126, 127, 255, 256, 257, 1000, 16_000, 65_535, 65_536, 150_000];

/** Frames with every bit that a header has. */
const HEADERS: readonly Frame[] = [
  ...[Text, Binary, Continuation].flatMap((opcode) => [
    { fin: true, opcode, payload: utf8('last') },
    { fin: false, opcode, payload: utf8('more') },
  ]),
  ...[Close, Ping, Pong].map((opcode) => ({ fin: true, opcode, payload: utf8('!') })),
  { fin: true, rsv1: true, opcode: Text, payload: utf8('packed') },
  { fin: false, rsv1: true, opcode: Binary, payload: utf8('packed') },
  { fin: true, rsv1: false, opcode: Binary, payload: utf8('not packed') },
];

const WIRE: Scenarios = [
  {
    what: 'A frame is written as lesson 03 encodes it, with whatever header.',
    rules: [],
    check(lesson) {
      const lengths = LENGTHS.map((length) => binaryFrame(someBytes(length)));
      for (const one of [...HEADERS, ...lengths]) {
        const { fin, rsv1 = false, opcode, payload } = one;
        expectParts(
          writing(lesson, [one]),
          onWire([one]),
          'A frame is written as lesson 03 encodes it.',
          [
            [
              'add',
              `FIN ${fin ? 1 : 0}, RSV1 ${rsv1 ? 1 : 0}, opcode ${opcode}, ${count(payload.length, 'byte')}`,
            ],
          ],
        );
      }
    },
  },
  {
    what: 'Frames come out in the order in which they were added, and all of them.',
    rules: [],
    check(lesson) {
      const frames = Array.from({ length: 300 }, (_, i) => binaryFrame(someBytes(1000, i)));
      expectParts(
        writing(lesson, frames),
        onWire(frames),
        'Frames come out in the order in which they were added, and all of them.',
        [['the calls', 'add(frame) 300 times, with 1000 bytes each, then take()']],
        (joined) =>
          joined.length === 300 * 1004
            ? 'Take new memory when a frame does not fit any more: the old one is still to be written.'
            : 'When a frame does not fit any more, end the part: what is before it is still to be taken.',
      );
    },
  },
  {
    what: 'A frame that fits into a memory to the last byte is whole, and so is one that does not.',
    rules: [],
    check: (lesson) => fitsInto(lesson, [0, 1, 130, 300]),
  },
  {
    what: 'What was taken does not come again, and when nothing waits, there are no parts.',
    rules: [],
    check(lesson) {
      const output = outputOf(lesson);
      const take = () => output.take();
      const nothing = 'When nothing waits, there are no parts.';
      equal(take, [], nothing, { given: [['the calls', 'take() of a new output']] });
      output.add(frame(Text, 'one'));
      output.take();
      equal(take, [], nothing, { given: [['the calls', 'add(frame), take(), take()']] });
      output.add(frame(Text, 'two'));
      expectParts(take, onWire([frame(Text, 'two')]), 'What was taken does not come again.', [
        ['the calls', 'add(one), take(), take(), add(two), take()'],
      ]);
    },
  },
  {
    what: 'Two outputs have nothing to do with each other.',
    rules: [],
    check(lesson) {
      const outputs = [outputOf(lesson), outputOf(lesson)] as const;
      const texts = ['one', 'two', 'three'];
      for (const text of texts)
        for (const [i, output] of outputs.entries()) output.add(frame(Text, `${text} ${i}`));
      for (const [i, output] of outputs.entries()) {
        expectParts(
          () => output.take(),
          onWire(texts.map((text) => frame(Text, `${text} ${i}`))),
          'Two outputs have nothing to do with each other.',
          [['the calls', 'add of the one and of the other in turn, then take of each']],
          'Where a part begins and ends is kept in the fields of the output, and not in the module.',
        );
      }
    },
  },
];

const STAYS: Scenarios = [
  {
    what: 'What was taken stays as it is, whatever is added later.',
    rules: [],
    check(lesson) {
      const output = outputOf(lesson);
      const frames = Array.from({ length: 200 }, (_, i) => binaryFrame(someBytes(i * 9, i)));
      const taken = frames.flatMap((one) => {
        output.add(one);
        return output.take();
      });
      expectParts(
        () => taken,
        onWire(frames),
        'What was taken stays as it is, whatever is added later.',
        [
          ['the calls', 'add(frame), then take(), 200 times'],
          ['looked at', 'in the end'],
        ],
        'What was taken may still wait to be written: never write to a byte twice.',
      );
    },
  },
  {
    what: 'Bytes that were added stay as they are, when their caller uses the payload again.',
    rules: [],
    check(lesson) {
      const output = outputOf(lesson);
      const payload = new Uint8Array(2000);
      const parts = () => {
        for (const byte of [1, 2, 3]) output.add(binaryFrame(payload.fill(byte)));
        payload.fill(9);
        return output.take();
      };
      const right = [1, 2, 3].map((byte) => binaryFrame(new Uint8Array(2000).fill(byte)));
      expectParts(
        parts,
        onWire(right),
        'Bytes that were added stay as they are, when their caller uses the payload again.',
        [
          [
            'the calls',
            'add(frame) three times with one array of 2000 bytes, filled with 1, 2 and 3; then take()',
          ],
        ],
        'A short payload is copied when it is added.',
      );
    },
  },
];

/** How many messages are counted with. */
const MESSAGES = 2000;
const MESSAGE_BYTES = 64;

/** Adds many short messages, each taken out by itself or all together, and says what that takes. */
function workOfMessages(lesson: Lesson, together: number) {
  const { Output } = lesson;
  const one = binaryFrame(someBytes(MESSAGE_BYTES));
  const parts: Uint8Array[] = [];
  const work = workOf(() => {
    const output = new Output();
    for (let i = 1; i <= MESSAGES; i++) {
      output.add(one);
      if (i % together === 0) parts.push(...output.take());
    }
  });
  return { work, parts, bytes: MESSAGES * (MESSAGE_BYTES + 2) };
}

/** How many memories so many bytes fill: one more may have been begun, and some bytes be left over. */
function memoriesFor({ OUTPUT_MEMORY_BYTES }: Lesson, bytes: number): number {
  return Math.ceil(bytes / (OUTPUT_MEMORY_BYTES - 1000)) + 1;
}

const SENT: Fact = ['added, and taken each', `${MESSAGES} messages of ${MESSAGE_BYTES} bytes`];

const COUNTS: Scenarios = [
  {
    what: 'Messages share memory: no Buffer is made for each of them.',
    rules: [],
    check(lesson) {
      const { work, bytes } = workOfMessages(lesson, 1);
      const made = work.buffers + work.arrays;
      // Some that are made once may be small.
      if (made <= 8 + memoriesFor(lesson, bytes)) return;
      fail(
        'Messages share memory: no Buffer is made for each of them.',
        [SENT, ['made', `${count(made, 'Buffer')} or arrays with memory of their own`]],
        'Write the header byte by byte to where it belongs, the payload behind it, and hand out a view.',
      );
    },
  },
  {
    what: 'A memory is filled before the next one is taken.',
    rules: [],
    check(lesson) {
      const { work, bytes } = workOfMessages(lesson, 1);
      const limit = memoriesFor(lesson, bytes) * lesson.OUTPUT_MEMORY_BYTES + 1000;
      if (work.reservedBytes <= limit) return;
      fail(
        'A memory is filled before the next one is taken.',
        [
          SENT,
          ['reserved', count(work.reservedBytes, 'byte')],
          ['expected', `at most ${count(limit, 'byte')}`],
        ],
        'Go on behind what was taken. That nobody may write to it again makes the rest of the memory no worse.',
      );
    },
  },
  {
    what: 'Each byte is copied once.',
    rules: [],
    check(lesson) {
      const { work, bytes } = workOfMessages(lesson, 10);
      if (work.copiedBytes <= bytes + 1000) return;
      fail(
        'Each byte is copied once.',
        [
          ['added', `${MESSAGES} messages of ${MESSAGE_BYTES} bytes, taken out ten by ten`],
          ['copied', count(work.copiedBytes, 'byte')],
          ['that is', `${(work.copiedBytes / bytes).toFixed(1)} for each byte`],
        ],
        'Copy a payload to its place in the memory, and hand out a view of that.',
      );
    },
  },
  {
    what: 'Short frames that are taken together are one part, or two where a memory ends.',
    rules: [],
    check(lesson) {
      const { parts, bytes } = workOfMessages(lesson, 40);
      const takes = MESSAGES / 40;
      if (parts.length <= takes + 3 * memoriesFor(lesson, bytes)) return;
      fail(
        'Short frames that are taken together are one part, or two where a memory ends.',
        [
          ['added', `${MESSAGES} messages of ${MESSAGE_BYTES} bytes, taken out 40 by 40`],
          ['parts', tellParts(parts)],
          ['expected', `about ${takes}`],
        ],
        'What is written one behind the other is one part, from where the last one ended.',
      );
    },
  },
  {
    what: 'A memory that is full is kept by those who have parts of it, and by nobody else.',
    rules: [],
    async check(lesson) {
      const output = outputOf(lesson);
      const fill = (): WeakRef<ArrayBufferLike> => {
        output.add(binaryFrame(someBytes(1000)));
        const { buffer } = output.take()[0] ?? new Uint8Array(0);
        for (let added = 0; added < 2 * lesson.OUTPUT_MEMORY_BYTES; added += 1000) {
          output.add(binaryFrame(someBytes(1000)));
        }
        output.take();
        return new WeakRef(buffer);
      };
      const isKept = !(await isForgotten(fill()));
      output.take();
      if (!isKept) return;
      fail(
        'A memory that is full is kept by those who have parts of it, and by nobody else.',
        [['added, taken and dropped', 'messages of twice OUTPUT_MEMORY_BYTES']],
        'A server runs for months. Keep the memory that is being filled, and no other.',
      );
    },
  },
];

/** How many messages are echoed, each in a read of its own. */
const ECHOED = 64;

const ON_SOCKET: Scenarios = [
  {
    what: 'On a socket, answers need no memory each, either.',
    rules: [],
    async check(lesson) {
      const line = new SocketLine();
      const joined = callsOfTakeOutput(attachTo(lesson, line, echo));
      await turns(1);
      const question = fromClient(Binary, someBytes(MESSAGE_BYTES));
      const reads = Array.from({ length: ECHOED }, () => Buffer.from(question));
      const { chunks } = workOn(line);
      const { buffers, arrays } = await workOfEach(
        reads.map((read) => () => {
          line.emit('data', read);
        }),
      );
      line.destroy();
      const right = binaryFrame(someBytes(MESSAGE_BYTES));
      expectParts(
        () => chunks.map((chunk) => Buffer.from(chunk as Uint8Array)),
        onWire(Array<Frame>(ECHOED).fill(right)),
        'Each message is echoed.',
        [['arrived', `${ECHOED} reads with a message of ${MESSAGE_BYTES} bytes`]],
      );
      if (buffers + arrays <= 8) return;
      fail(
        'On a socket, answers need no memory each, either.',
        [
          ['arrived', `${ECHOED} reads with a message of ${MESSAGE_BYTES} bytes, to be echoed`],
          ['made', `${buffers + arrays} Buffers or arrays with memory of their own`],
        ],
        joined() > 0
          ? 'Write what `takeParts` returns: `takeOutput` joins it in new memory, also if it is one part.'
          : whoMakesMemory(lesson, question),
      );
    },
  },
];

/** Counts how often a connection is asked for its output in one piece. */
function callsOfTakeOutput(connection: Connection): () => number {
  const { takeOutput } = connection;
  let calls = 0;
  connection.takeOutput = () => {
    calls++;
    return takeOutput.call(connection);
  };
  return () => calls;
}

/** Says on which way memory is made for each message, where it is not `takeOutput`. */
function whoMakesMemory(lesson: Lesson, question: Uint8Array): string {
  const reads = Array.from({ length: ECHOED }, () => Buffer.from(question));
  const { buffers, arrays } = workOfReading(lesson, reads);
  return buffers + arrays > 8
    ? `The way out needs none. It is the reader that makes ${buffers + arrays} of them. ${NO_KEY_ARRAY} (Step 3)`
    : 'Neither the reader makes them nor `takeOutput`. Look at what `attach` does with a read, and `sendFrames` and `takeParts` with a frame.';
}

/** Makes many connections, and sends a message on each of them. */
function workOfConnections(lesson: Lesson, connections: number) {
  const taken: Uint8Array[][] = [];
  const work = workOf(() => {
    const all = Array.from({ length: connections }, () => connected(lesson));
    for (const [i, connection] of all.entries()) {
      connection.sendFrames([frame(Text, `for ${i}`)]);
      taken.push(connection.takeParts());
    }
  });
  return { work, taken };
}

const CONNECTIONS: Scenarios = [
  {
    what: 'All connections write into one memory, each its own frames.',
    rules: [],
    check(lesson) {
      const { work, taken } = workOfConnections(lesson, 200);
      for (const [i, parts] of taken.entries()) {
        expectParts(
          () => parts,
          onWire([frame(Text, `for ${i}`)]),
          'Each connection has its own frames.',
          [['sent', `a text on each of 200 connections: this is number ${i}`]],
        );
      }
      const limit = 4 * lesson.OUTPUT_MEMORY_BYTES;
      if (work.reservedBytes <= limit) return;
      fail(
        'All connections write into one memory, each its own frames.',
        [
          ['sent', 'a text of 7 bytes on each of 200 connections'],
          ['reserved', count(work.reservedBytes, 'byte')],
        ],
        'Ten thousand connections with a memory each need 640 MB. Each takes its bytes out before the next one begins, so one output serves them all.',
      );
    },
  },
  {
    what: 'Frames that wait on two connections are not mixed.',
    rules: [],
    check(lesson) {
      const both = [connected(lesson), connected(lesson)];
      for (const text of ['one', 'two'])
        for (const [i, connection] of both.entries())
          connection.sendFrames([frame(Text, `${text} ${i}`)]);
      const taken = both.map((connection) => connection.takeParts());
      for (const [i, parts] of taken.entries()) {
        expectParts(
          () => parts,
          onWire(['one', 'two'].map((text) => frame(Text, `${text} ${i}`))),
          'Frames that wait on two connections are not mixed.',
          [['the calls', 'sendFrames on the one and on the other in turn, then takeParts of each']],
          'What waits is in the queue of its connection. Only `takeParts` writes it into the memory, and takes it out at once.',
        );
      }
    },
  },
  {
    what: 'What cannot be sent on one connection leaves nothing behind for the next.',
    rules: [],
    check(lesson) {
      const [one, next] = [connected(lesson), connected(lesson)];
      // Types forbid it, but who writes in JavaScript has none.
      const words = new BigInt64Array(3) as unknown as Uint8Array;
      let taken: Uint8Array[] = [];
      try {
        one.sendFrames([binaryFrame(words)]);
        taken = one.takeParts();
      } catch {
        // It may be refused where it is sent, or where it is taken.
      }
      equal(
        () => splitFrames(join(...taken)).rest,
        new Uint8Array(),
        'What is taken is whole frames.',
        {
          given: [['the calls', 'sendFrames of a BigInt64Array, then takeParts']],
          label: 'behind the last whole frame',
          cause: () =>
            'An error in the midst of a frame leaves half of it. Who catches that error sends the half: let it be thrown on.',
        },
      );
      next.sendFrames([frame(Text, 'mine')]);
      expectParts(
        () => next.takeParts(),
        onWire([frame(Text, 'mine')]),
        'What cannot be sent on one connection leaves nothing behind for the next.',
        [['the calls', 'one.sendFrames of a BigInt64Array, next.sendFrames of a text, takeParts']],
        'An error in the midst of a frame leaves half of it in the memory that all share. Take it out before the next connection begins.',
      );
    },
  },
  {
    what: 'A Ping goes before the messages that wait, and nothing is taken twice.',
    rules: [],
    check(lesson) {
      const connection = connected(lesson);
      connection.sendFrames([frame(Text, 'one')]);
      connection.ping(utf8('?'));
      connection.sendFrames([frame(Text, 'two')]);
      const right = onWire([frame(Ping, '?'), frame(Text, 'one'), frame(Text, 'two')]);
      const given: Fact[] = [['the calls', 'sendFrames, ping, sendFrames']];
      const what = 'A Ping goes before the messages that wait.';
      expectParts(() => connection.takeParts(), right, what, given);
      equal(() => connection.takeParts(), [], 'When nothing waits, there are no parts.', {
        given: [...given, ['then', 'takeParts, twice']],
      });
    },
  },
  {
    what: 'At most MAX_OUTPUT_BYTES and one frame are taken at once, and in the end all.',
    rules: [],
    check(lesson) {
      const { MAX_OUTPUT_BYTES } = lesson.EARLIER.server;
      const frames = Array.from({ length: 200 }, (_, i) => binaryFrame(someBytes(1500, i)));
      const connection = connected(lesson);
      for (const one of frames) connection.sendFrames([one]);
      const taken = takeAll(connection);
      const most = Math.max(...taken.map(sizeOf));
      if (most > MAX_OUTPUT_BYTES + 2000) {
        fail(
          'At most MAX_OUTPUT_BYTES and one frame are taken at once.',
          [
            ['waiting', '200 messages of 1500 bytes'],
            ['taken at once', count(most, 'byte')],
          ],
          'A Pong waits behind what has been taken. Ask `takeFrames` of lesson 05, which counts.',
        );
      }
      expectParts(() => taken.flat(), onWire(frames), 'In the end, all is taken, in order.', [
        ['sent', '200 messages of 1500 bytes'],
      ]);
    },
  },
  {
    what: 'The bytes of `takeOutput` stay as they are, too.',
    rules: [],
    check(lesson) {
      const connection = connected(lesson);
      const texts = ['one', 'two', 'three'];
      const taken = texts.map((text) => {
        connection.sendFrames([frame(Text, text)]);
        return connection.takeOutput();
      });
      const right = onWire(texts.map((text) => frame(Text, text)));
      equal(() => join(...taken), right, 'The bytes of `takeOutput` stay as they are, too.', {
        given: [['the calls', 'sendFrames, then takeOutput, three times']],
        label: 'joined, in the end',
        frames: true,
      });
    },
  },
];

export const OUTPUT: Scenarios = [
  ...HOOKS_OF_OUTPUT,
  ...WIRE,
  ...STAYS,
  ...COUNTS,
  ...CONNECTIONS,
  ...ON_SOCKET,
  ANY_OUTPUT,
];
