/** Step 3: a reader, and the memory of what it is given. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { closeBody, join, utf8, wire } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { type Work, workOf } from '../../../shared/kit/work.ts';
import type { Message } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { Binary, Close, nameOf, Ping, Pong, Text } from '../05-server/core.ts';
import type { Lesson, Scenarios } from './tools.ts';

type Reader = InstanceType<Lesson['MessageReader']>;

/** How a reader is given a chunk. */
type How = 'push' | 'own';

/** A message to send, and what comes out. */
interface Sent {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly key?: Uint8Array | null;
}

const NAMES = { [Text]: 'text', [Binary]: 'binary', [Close]: 'close', [Ping]: 'ping' } as const;

function messageOf({ opcode, payload }: Sent): Message {
  const type = opcode === Pong ? 'pong' : NAMES[opcode as keyof typeof NAMES];
  if (type === 'text') return { type, data: Buffer.from(payload).toString() };
  return type === 'binary' ? { type, data: payload } : { type, payload };
}

/** Bytes with something in them, other ones for each number. */
export function content(length: number, number = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 3 + number * 31 + (i >> 6);
  return bytes;
}

/** The bytes of a message, or of a control frame. */
export function bytesOf(message: Message | undefined): Uint8Array | undefined {
  if (message === undefined || message.type === 'text') return undefined;
  return message.type === 'binary' ? message.data : message.payload;
}

/** Reads all messages that are there. */
function readAll(reader: Reader, what: string, given: readonly Fact[], cause?: string): Message[] {
  const messages: Message[] = [];
  const read = () => attempt(() => reader.read(), what, given, { causeOfError: () => cause });
  for (let message = read(); message; message = read()) {
    if (messages.push(message) > 100) fail('`read` comes to an end.', given);
  }
  return messages;
}

/** Counts what it takes to read chunks that are taken over, one after the other. */
export function workOfReading({ MessageReader }: Lesson, chunks: readonly Uint8Array[]): Work {
  const reader = new MessageReader();
  return workOf(() => {
    for (const chunk of chunks) {
      reader.own(chunk);
      for (let messages = 0; messages < 100 && reader.read(); ) messages++;
    }
  });
}

/** A chunk in the midst of memory that belongs to others. */
function within(bytes: Uint8Array, before: number, as: 'Buffer' | 'Uint8Array' = 'Uint8Array') {
  const memory = new Uint8Array(before + bytes.length + 9).fill(0xaa);
  memory.set(bytes, before);
  const chunk =
    as === 'Buffer'
      ? Buffer.from(memory.buffer, before, bytes.length)
      : memory.subarray(before, before + bytes.length);
  const isAlone = () =>
    memory.every((byte, i) => (i >= before && i < before + bytes.length) || byte === 0xaa);
  return { chunk, isAlone };
}

const KINDS = ['Uint8Array', 'Buffer'] as const;

const LENGTHS = [1, 5, 125, 126, 1000, 65_535, 65_536];

/** Three messages and a Ping, which arrive in one read. */
const FOUR: readonly Sent[] = [
  { opcode: Binary, payload: content(200, 1) },
  { opcode: Text, payload: utf8('Hello, world') },
  { opcode: Ping, payload: content(20, 2) },
  { opcode: Binary, payload: content(301, 3) },
];
const FOUR_TOLD = 'a Binary of 200 bytes, a Text, a Ping, and a Binary of 301 bytes, in one chunk';

/** What comes behind a frame whose header was cut. */
const NEXT: Sent = { opcode: Ping, payload: content(3, 4) };

/** Checks that these messages have been read. */
function expectMessages(
  actual: readonly Message[],
  sent: readonly Sent[],
  what: string,
  given: readonly Fact[],
  cause?: string,
): void {
  for (const [i, expected] of sent.map(messageOf).entries()) {
    equal(() => actual[i], expected, what, {
      given,
      label: `message ${i + 1}`,
      cause: () => cause,
    });
  }
  equal(() => actual.length, sent.length, what, { given, label: 'messages' });
}

const IN_PLACE = 'Unmask the chunk in place, and return a part of it: `subarray` copies nothing.';

function expectView(message: Message | undefined, chunk: Uint8Array, given: readonly Fact[]) {
  if (bytesOf(message)?.buffer === chunk.buffer) return;
  fail(
    'A message of a chunk that was taken over is a view of that chunk.',
    [...given, ['you returned', show(message)], ['its memory', 'is not that of the chunk']],
    IN_PLACE,
  );
}

export const NO_KEY_ARRAY =
  'Does each header make an array for its key? `decodeHeader` of lesson 02 does. Read an ordinary header from the chunk itself, and its key into a number.';
const PART =
  'The chunk may be a part of larger memory: its `byteOffset` and its `length` say where it is.';
const NOTHING = '`read` returned nothing, although the whole frame is there.';
const ONCE = 'Unmask each byte of a payload once, with the key of its frame.';
const ITS_OWN = 'Unmask the bytes of one payload when it is read, from its first to its last.';
const CUT = 'Keep the bytes of a header that is not complete, and go on with them, once.';
const IN_ORDER =
  'A chunk can come before the one before it has been read. Keep those that wait in a row.';
const COPY_NOW = 'Copy the chunk in `push`, into memory of its own: later is too late.';
const NO_BUFFER =
  'The `slice` of a Buffer is one more view. Return `new Uint8Array(buffer, byteOffset, length)`.';

/** What is written over memory that has been given back. */
const SCRIBBLE = 0x55;

/** Messages that arrive in one chunk each, but for headers that are cut, and how. */
function drawnReads(choose: Choices) {
  const sent: Sent[] = [];
  const reads: { how: How; bytes: Uint8Array; isReadAtOnce: boolean }[] = [];
  let open: Uint8Array<ArrayBufferLike> = new Uint8Array(0);
  const end = () => {
    const how = choose.pick(['own', 'push'] as const);
    reads.push({ how, bytes: open, isReadAtOnce: !choose.oneIn(3) });
    open = new Uint8Array(0);
  };
  for (let left = 1 + choose.below(6); left > 0; left--) {
    const opcode = choose.pick([Binary, Text, Ping, Pong]);
    const most = opcode >= Close ? 126 : choose.pick([20, 300, 700]);
    const length = choose.below(most);
    const payload = opcode === Text ? utf8('e'.repeat(length)) : content(length, left);
    const key = choose.oneIn(6) ? new Uint8Array(4) : choose.bytes(4);
    const one = { opcode, payload, key };
    const bytes = wire(one);
    sent.push(one);
    const header = bytes.length - payload.length;
    const cuts = choose.cuts(header, 6);
    let from = 0;
    for (const to of cuts) {
      open = join(open, bytes.subarray(from, to));
      end();
      from = to;
    }
    open = join(open, bytes.subarray(from));
    if (choose.oneIn(3)) end();
  }
  end();
  return { sent, reads };
}

export const READERS: Scenarios = [
  {
    what: 'A message of a chunk that was taken over is a view of that chunk.',
    rules: [],
    check({ MessageReader }) {
      for (const kind of KINDS) {
        for (const length of LENGTHS) {
          const sent = { opcode: Binary, payload: content(length) };
          const { chunk } = within(wire(sent), 3, kind);
          const reader = new MessageReader();
          const given: Fact[] = [
            ['the chunk', `a ${kind} with a Binary of ${count(length, 'byte')}`],
            ['the calls', 'own(chunk), then read()'],
          ];
          const what = 'A whole message is read.';
          reader.own(chunk);
          const messages = readAll(reader, what, given, PART);
          expectMessages(messages, [sent], what, given, messages.length === 0 ? NOTHING : ONCE);
          expectView(messages[0], chunk, given);
        }
      }
    },
  },
  {
    what: 'Each message of a chunk that was taken over is a view of its own part.',
    rules: [],
    check({ MessageReader }) {
      const what = 'Each message has its own bytes, and no others.';
      const given: Fact[] = [['own', FOUR_TOLD]];
      const { chunk, isAlone } = within(join(...FOUR.map((sent) => wire(sent))), 5);
      const reader = new MessageReader();
      reader.own(chunk);
      for (const [i, sent] of FOUR.entries()) {
        const read = () => reader.read();
        const message = attempt(read, what, given, { causeOfError: () => ITS_OWN });
        equal(() => message, messageOf(sent), what, {
          given: [...given, ['after each', 'the application sets its bytes to 0']],
          label: `message ${i + 1}`,
          cause: () => (message ? ITS_OWN : NOTHING),
        });
        if (message?.type === 'binary') expectView(message, chunk, given);
        bytesOf(message)?.fill(0);
      }
      if (isAlone()) return;
      fail('What is around a chunk in memory stays as it is.', given, 'It belongs to others.');
    },
  },
  {
    what: 'Of a chunk that was taken over, nothing is copied.',
    rules: [],
    check({ MessageReader }) {
      const chunk = join(
        ...[1, 2, 3, 4].map((i) => wire({ opcode: Binary, payload: content(4000, i) })),
      );
      const reader = new MessageReader();
      let messages = 0;
      const { copiedBytes, reservedBytes } = workOf(() => {
        reader.own(chunk);
        while (messages < 9 && reader.read()) messages++;
      });
      if (copiedBytes + reservedBytes <= chunk.length / 10) return;
      fail(
        'Of a chunk that was taken over, nothing is copied.',
        [
          ['own', '4 Binary of 4,000 bytes, in one chunk'],
          ['copied', count(copiedBytes, 'byte')],
          ['memory taken', count(reservedBytes, 'byte')],
        ],
        IN_PLACE,
      );
    },
  },
  {
    what: 'An ordinary header needs no memory.',
    rules: [],
    check(lesson) {
      const payloads = Array.from({ length: 64 }, (_, i) => content(i % 2 === 0 ? 20 : 200, i));
      const chunk = join(...payloads.map((payload) => wire({ opcode: Binary, payload })));
      const { arrays, buffers } = workOfReading(lesson, [chunk]);
      // Some that are made once may be made here.
      if (arrays + buffers <= 8) return;
      fail(
        'An ordinary header needs no memory.',
        [
          ['own', '64 Binary of 20 or 200 bytes, in one chunk'],
          ['made', `${arrays + buffers} Buffers or arrays with memory of their own`],
        ],
        NO_KEY_ARRAY,
      );
    },
  },
  {
    what: 'A chunk that was pushed stays as it is.',
    rules: [],
    check({ MessageReader }) {
      for (const kind of KINDS) {
        const bytes = join(...FOUR.map((sent) => wire(sent)));
        const { chunk, isAlone } = within(bytes, 5, kind);
        const reader = new MessageReader();
        const given: Fact[] = [['push', `a ${kind}: ${FOUR_TOLD}`]];
        reader.push(chunk);
        const messages = readAll(reader, 'What was pushed is read.', given);
        expectMessages(messages, FOUR, 'What was pushed is read.', given);
        for (const message of messages) bytesOf(message)?.fill(0);
        equal(() => new Uint8Array(chunk), bytes, 'A chunk that was pushed stays as it is.', {
          given: [...given, ['then', 'every message is read, and its bytes set to 0']],
          label: 'the chunk',
          cause: () =>
            kind === 'Buffer'
              ? 'The `slice` of a Buffer is a view, not a copy.'
              : 'Somebody else may look at it. Take over a copy.',
        });
        if (!isAlone()) fail('What is around a chunk stays as it is.', given);
      }
    },
  },
  {
    what: 'Chunks are read in the order in which they came, however they came.',
    rules: [],
    check({ MessageReader }) {
      const what = 'Chunks are read in the order in which they came, however they came.';
      const given: Fact[] = [
        ['the calls', 'own(1), push(2), own(nothing), own(3), push(4), own(5), then read()'],
      ];
      const reader = new MessageReader();
      const sent = [1, 2, 3, 4, 5].map((i) => ({ opcode: Binary, payload: content(i * 50, i) }));
      const chunks = sent.map((one) => wire(one));
      for (const [i, chunk] of chunks.entries()) {
        reader[i % 2 === 0 ? 'own' : 'push'](chunk);
        if (i === 1) reader.own(new Uint8Array(0));
      }
      const messages = readAll(reader, what, given, IN_ORDER);
      expectMessages(messages, sent, what, given, IN_ORDER);
    },
  },
  {
    what: 'The memory of a chunk that was pushed can be used again at once.',
    rules: [],
    check({ MessageReader }) {
      const what = 'The memory of a chunk that was pushed can be used again at once.';
      const memory = Buffer.alloc(1000);
      const reader = new MessageReader();
      const sent = FOUR.filter(({ opcode }) => opcode !== Text);
      const given: Fact[] = [
        ['the calls', 'push(chunk) for each frame, with the same memory every time, then read()'],
      ];
      for (const one of sent) {
        const bytes = wire(one);
        memory.set(bytes);
        reader.push(memory.subarray(0, bytes.length));
        memory.fill(SCRIBBLE);
      }
      const messages = readAll(reader, what, given, COPY_NOW);
      expectMessages(messages, sent, what, given, COPY_NOW);
    },
  },
  {
    what: 'Messages stay as they are, whatever arrives after them.',
    rules: [],
    check({ MessageReader }) {
      for (const how of ['push', 'own'] as const) {
        const sent = Array.from({ length: 40 }, (_, i) => {
          return { opcode: Binary, payload: content(2000, i) };
        });
        const reader = new MessageReader();
        const what = 'Messages stay as they are, whatever arrives after them.';
        const given: Fact[] = [['the calls', `${how}(chunk), then read(), 40 times`]];
        const messages = sent.flatMap((one) => {
          const chunk = wire(one);
          reader[how](chunk);
          const read = readAll(reader, what, given);
          if (how === 'push') chunk.fill(SCRIBBLE);
          return read;
        });
        expectMessages(
          messages,
          sent,
          what,
          [...given, ['then', 'all of them are looked at again']],
          'Memory that a message is a view of is not yours any more: never write to it again.',
        );
      }
    },
  },
  {
    what: 'Who keeps `data.slice()` keeps a copy of the message, and not its read.',
    rules: [],
    check({ MessageReader }) {
      const what = 'Who keeps `data.slice()` keeps a copy of the message, and not its read.';
      const sent = { opcode: Binary, payload: content(1000) };
      const bytes = wire(sent);
      for (const how of ['own', 'push'] as const) {
        for (const [told, cuts] of [
          ['one chunk', [bytes.length]],
          ['two chunks, the first with 300 bytes', [300, bytes.length]],
        ] as const) {
          const given: Fact[] = [[how, `a Binary of 1,000 bytes in ${told}, each a Buffer`]];
          const reader = new MessageReader();
          const messages = cuts.flatMap((end, i) => {
            reader[how](Buffer.from(bytes.slice(cuts[i - 1] ?? 0, end).buffer));
            return readAll(reader, what, given);
          });
          expectMessages(messages, [sent], what, given);
          const data = bytesOf(messages[0])!;
          if (data.slice().buffer !== data.buffer) continue;
          const view: Fact = ['`data.slice()`', 'is a view of the same memory'];
          fail(what, [...given, ['`data` is', `a ${data.constructor.name}`], view], NO_BUFFER);
        }
      }
    },
  },
  {
    what: 'A header can be cut anywhere.',
    rules: [],
    check({ MessageReader }) {
      const next = wire(NEXT);
      for (const length of [10, 300, 66_000]) {
        const sent = { opcode: Binary, payload: content(length) };
        const bytes = wire(sent);
        const header = bytes.length - length;
        for (let cut = 1; cut <= header; cut++) {
          const what = 'A header can be cut anywhere.';
          const given: Fact[] = [
            ['the frame', `a Binary of ${count(length, 'byte')}`],
            ['the chunks', `its first ${count(cut, 'byte')}, and the rest with a Ping behind it`],
          ];
          const reader = new MessageReader();
          reader.own(bytes.slice(0, cut));
          const early = readAll(reader, what, given, CUT);
          reader.own(join(bytes.subarray(cut), next));
          const messages = [...early, ...readAll(reader, what, given, CUT)];
          expectMessages(messages, [sent, NEXT], what, given, CUT);
        }
      }
    },
  },
  {
    what: 'A header that arrives byte by byte is read.',
    rules: [],
    check({ MessageReader }) {
      const what = 'A header that arrives byte by byte is read.';
      const sent = { opcode: Binary, payload: content(300) };
      const bytes = wire(sent);
      const given: Fact[] = [['the chunks', '8 of one byte each, and the payload']];
      for (const how of ['own', 'push'] as const) {
        const reader = new MessageReader();
        const messages: Message[] = [];
        for (let i = 0; i < 8; i++) {
          const chunk = bytes.slice(i, i + 1);
          reader[how](chunk);
          messages.push(...readAll(reader, what, given, CUT));
          if (how === 'push') chunk.fill(SCRIBBLE);
        }
        reader[how](bytes.slice(8));
        messages.push(...readAll(reader, what, given, CUT));
        expectMessages(messages, [sent], what, [['how', how], ...given], CUT);
      }
    },
  },
  {
    what: 'What is not masked is not changed.',
    rules: [],
    check({ MessageReader }) {
      for (const [role, key, told] of [
        ['client', null, 'a frame of a server, which does not mask'],
        ['server', new Uint8Array(4), 'a frame whose key is four zeros'],
      ] as const) {
        const sent = { opcode: Binary, payload: content(1000), key };
        const chunk = wire(sent);
        const given: Fact[] = [['own', told]];
        const reader = new MessageReader(role);
        reader.own(chunk);
        const messages = readAll(reader, 'What is not masked is not changed.', given);
        expectMessages(messages, [sent], 'What is not masked is not changed.', given);
        expectView(messages[0], chunk, given);
      }
    },
  },
  {
    what: 'A Close has its bytes, in a chunk that was taken over as well.',
    rules: [],
    check({ MessageReader }) {
      const sent = [...FOUR, { opcode: Close, payload: closeBody(1001, 'bye') }];
      const reader = new MessageReader();
      const given: Fact[] = [['own', `${FOUR_TOLD}, and a Close`]];
      reader.own(join(...sent.map((one) => wire(one))));
      const messages = readAll(reader, 'A Close has its bytes.', given);
      expectMessages(messages, sent, 'A Close has its bytes.', given);
    },
  },
  {
    what: 'Generated chunks are read right, taken over or pushed, with headers cut anywhere.',
    rules: [],
    check: ({ MessageReader }) =>
      generated(100, (choose) => {
        const { sent, reads } = drawnReads(choose);
        const what = 'Whole messages are read right, and stay as they are.';
        const given: Fact[] = [
          ['the frames', sent.map(toldOf).join('; ')],
          ['the calls', reads.map(toldOfRead).join(', ')],
        ];
        const reader = new MessageReader();
        const messages = reads.flatMap(({ how, bytes, isReadAtOnce }) => {
          const { chunk } = within(bytes, bytes.length % 8);
          reader[how](chunk);
          if (how === 'push') chunk.fill(SCRIBBLE);
          return isReadAtOnce ? readAll(reader, what, given) : [];
        });
        messages.push(...readAll(reader, what, given));
        expectMessages(messages, sent, what, given);
      }),
  },
];

const toldOf = (sent: Sent) => `${nameOf(sent)}, key ${show(sent.key)}`;
const toldOfRead = ({ how, bytes, isReadAtOnce }: ReturnType<typeof drawnReads>['reads'][number]) =>
  `${how}(${count(bytes.length, 'byte')})${isReadAtOnce ? ' and read' : ''}`;
