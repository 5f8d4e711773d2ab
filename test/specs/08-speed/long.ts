/** Step 6: payloads that go out as they are. */
import type { Socket } from 'node:net';
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { frame, fromClient, splitFrames } from '../../../shared/kit/frames.ts';
import { workOf, workOfEach, workOn } from '../../../shared/kit/work.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { takeSlowly } from '../05-server/slow.ts';
import { countCalls, turns, writtenTo } from '../05-server/sockets.ts';
import { connected } from './connecting.ts';
import { echo, onNetSocket, onPlainLine } from './on-socket.ts';
import { ANY_LONG_OUTPUT } from './output-drawn.ts';
import { plain, someBytes } from './reads.ts';
import {
  binaryFrame,
  expectParts,
  fitsInto,
  messageOf,
  onWire,
  outputOf,
  sizeOf,
  takeAll,
  tellParts,
  writing,
} from './sending.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { Pong, Text } = Opcode;

/** Is this the very same part of the same memory? */
function isSame(one: unknown, other: Uint8Array): boolean {
  if (!(one instanceof Uint8Array)) return false;
  const { buffer, byteOffset, length } = one;
  return buffer === other.buffer && byteOffset === other.byteOffset && length === other.length;
}

/** Makes a payload that is the middle of a larger memory, as that of a message often is. */
function inTheMiddle(length: number): Uint8Array {
  return someBytes(length + 24).subarray(8, 8 + length);
}

const AS_IT_IS =
  'It has been copied. End the part with its header, take the payload itself as the next part, and begin another behind it.';

const NOT_ALL =
  'A part has more of the memory than the payload, which begins at its `byteOffset`. Take the payload itself as the part.';

const OUTPUTS: Scenarios = [
  {
    what: 'A payload of LONG_BYTES, or more, is a part by itself, in its own memory.',
    rules: [],
    check(lesson) {
      for (const length of [lesson.LONG_BYTES, lesson.LONG_BYTES + 1, 200_000]) {
        const payload = inTheMiddle(length);
        const output = outputOf(lesson);
        output.add(binaryFrame(payload));
        const parts = output.take();
        if (parts.some((part) => isSame(part, payload))) continue;
        fail(
          'A payload of LONG_BYTES, or more, is a part by itself, in its own memory.',
          [
            ['the payload', count(length, 'byte')],
            ['the parts', tellParts(parts)],
          ],
          parts.some(({ buffer }) => buffer === payload.buffer) ? NOT_ALL : AS_IT_IS,
        );
      }
    },
  },
  {
    what: 'A payload of less than LONG_BYTES is copied, and may change once it has been added.',
    rules: [],
    check(lesson) {
      for (const length of [1, 1000, lesson.LONG_BYTES - 1]) {
        const payload = inTheMiddle(length);
        const right = onWire([binaryFrame(payload.slice())]);
        const output = outputOf(lesson);
        const parts = () => {
          output.add(binaryFrame(payload));
          payload.fill(0xbb);
          return output.take();
        };
        expectParts(
          parts,
          right,
          'A payload of less than LONG_BYTES is copied, and may change once it has been added.',
          [['the calls', `add(frame) with ${count(length, 'byte')}, payload.fill(…), take()`]],
          'A view of a few bytes keeps all of the read that they came in, and each part costs a write.',
        );
      }
    },
  },
  {
    what: 'Short frames, long ones and control frames follow one another in their order.',
    rules: [],
    check(lesson) {
      const lengths = [10, lesson.LONG_BYTES, 20, 0, 70_000, 65_536, 30, 125, 65_535];
      const frames = lengths.map((length, i) => binaryFrame(someBytes(length, i)));
      expectParts(
        writing(lesson, frames),
        onWire(frames),
        'Short frames, long ones and control frames follow one another in their order.',
        [['the calls', `add(frame) with ${lengths.join(', ')} bytes, then take()`]],
        'Before a long payload, end the part that its header is in. What comes behind it begins another.',
      );
    },
  },
  {
    what: 'A header of a long payload that no memory has room for any more begins the next.',
    rules: [],
    check: (lesson) => fitsInto(lesson, [lesson.LONG_BYTES, 65_536]),
  },
  {
    what: 'A message of 1 MiB is taken without a copy of it, and without memory for it.',
    rules: [],
    check(lesson) {
      const data = new Uint8Array(1024 * 1024);
      const connection = connected(lesson);
      const frames = messageOf(lesson, data);
      const parts: Uint8Array[] = [];
      const work = workOf(() => {
        connection.sendFrames(frames);
        parts.push(...takeAll(connection).flat());
      });
      const given: Fact[] = [['sent', `a message of 1 MiB, in ${frames.length} frames`]];
      equal(() => sizeOf(parts), sizeOf([onWire(frames)]), 'All of it is taken.', { given });
      const { copiedBytes, reservedBytes } = work;
      if (copiedBytes <= 1000 && reservedBytes <= 2 * lesson.OUTPUT_MEMORY_BYTES) return;
      fail(
        'A message of 1 MiB is taken without a copy of it, and without memory for it.',
        [
          ...given,
          ['copied', count(copiedBytes, 'byte')],
          ['reserved', count(reservedBytes, 'byte')],
        ],
        'Only the headers need memory: ten bytes for each.',
      );
    },
  },
  {
    what: 'The headers of long payloads share memory.',
    rules: [],
    check(lesson) {
      const { Output } = lesson;
      const long = binaryFrame(new Uint8Array(65_535));
      const { buffers, arrays, reservedBytes } = workOf(() => {
        const output = new Output();
        for (let i = 0; i < 5000; i++) {
          output.add(long);
          output.take();
        }
      });
      if (buffers + arrays <= 8 && reservedBytes <= 2 * lesson.OUTPUT_MEMORY_BYTES) return;
      fail(
        'The headers of long payloads share memory.',
        [
          ['added, and taken each', '5000 payloads of 65,535 bytes'],
          ['made', `${buffers + arrays} Buffers or arrays, of ${count(reservedBytes, 'byte')}`],
        ],
        'Write each header behind what was written before, and reserve no room for what is not copied.',
      );
    },
  },
];

/** Counts the calls of the system that the writes of a socket lead to. */
function systemWrites(socket: Socket): () => number {
  const single = countCalls(socket, '_write');
  const several = countCalls(socket, '_writev' as '_write');
  return () => single() + several();
}

/** What is sent in one turn: short, long and short again, and less than is written at once. */
function someFrames({ LONG_BYTES }: Lesson): Frame[] {
  return [frame(Text, 'a'), binaryFrame(someBytes(2 * LONG_BYTES)), frame(Text, 'b')];
}

const SENT: Fact = ['sent in one turn', 'a short text, `2 * LONG_BYTES` bytes, a short text'];

const CORKED =
  'A socket that stays corked keeps what is written to it: for each `cork`, one `uncork`.';

const BEHIND_SHORT =
  'Its memory may be used again: `send` was long ago. Copy short payloads when they are written.';

const SOCKETS: Scenarios = [
  {
    what: 'On a net.Socket, a long payload gets to `write` in its own memory.',
    rules: [],
    check: (lesson) =>
      onNetSocket(lesson, async ({ socket, client, connection }) => {
        const { chunks } = workOn(socket);
        const frames = someFrames(lesson);
        for (const one of frames) connection.sendFrames([one]);
        await client.receives(onWire(frames), 'What is sent arrives, in its order.', CORKED);
        if (chunks.some((chunk) => isSame(chunk, frames[1]!.payload))) return;
        const sizes = chunks.map(({ length }) => count(length, 'byte')).join(', ');
        fail(
          'On a net.Socket, a long payload gets to `write` in its own memory.',
          [SENT, ['written', sizes]],
          'Write the parts as `takeParts` returns them: to join them is to copy them.',
        );
      }),
  },
  {
    what: 'On a net.Socket, the parts of a turn leave in one call of the system.',
    rules: [],
    check: (lesson) =>
      onNetSocket(lesson, async ({ socket, client, connection }) => {
        for (let turn = 0; turn < 2; turn++) {
          const writes = systemWrites(socket);
          const frames = someFrames(lesson);
          for (const one of frames) connection.sendFrames([one]);
          await client.receives(onWire(frames), 'What is sent arrives, in its order.', CORKED);
          if (writes() === 1 && socket.writableCorked === 0) continue;
          fail(
            'On a net.Socket, the parts of a turn leave in one call of the system.',
            [
              SENT,
              ['calls of the system', `${writes()}`],
              ['the socket', `is corked ${socket.writableCorked} times`],
            ],
            '`cork`, a `write` for each part, and `uncork`. A call of the system costs more than to copy what is short.',
          );
        }
      }),
  },
  {
    what: 'On a net.Socket, short messages of a turn leave in one write, copied once.',
    rules: [],
    check: (lesson) =>
      onNetSocket(lesson, async ({ socket, client, connection }) => {
        const frames = Array.from({ length: 20 }, (_, i) => binaryFrame(someBytes(1000, i)));
        const right = onWire(frames);
        const { calls } = workOn(socket);
        const { copiedBytes } = await workOfEach([
          () => {
            for (const one of frames) connection.sendFrames([one]);
          },
        ]);
        await client.receives(right, 'What is sent arrives, in its order.');
        // Two: where one memory ends and the next begins.
        if (calls.write <= 2 && copiedBytes <= right.length + 1000) return;
        fail(
          'On a net.Socket, short messages of a turn leave in one write, copied once.',
          [
            ['sent in one turn', '20 messages of 1000 bytes'],
            ['calls of `write`', `${calls.write}`],
            ['copied', count(copiedBytes, 'byte')],
          ],
          'They are one part already. Write that as it is.',
        );
      }),
  },
  {
    what: 'A long answer that the system takes at once is no reason to pause.',
    rules: [],
    check: (lesson) =>
      onNetSocket(
        lesson,
        async ({ socket, client }) => {
          const { calls } = workOn(socket);
          const payload = someBytes(lesson.LONG_BYTES + 5000);
          const [question, answer] = [
            plain(Opcode.Binary, payload),
            onWire([binaryFrame(payload)]),
          ];
          for (let i = 0; i < 10; i++) {
            client.write(question);
            await client.receives(answer, 'A long message comes back.');
          }
          if (calls.pause === 0) return;
          fail(
            'A long answer that the system takes at once is no reason to pause.',
            [
              ['answers', '10 of more than LONG_BYTES, each read before the next question'],
              ['calls of `pause`', `${calls.pause}`],
            ],
            'Within `cork`, `writableNeedDrain` becomes true, and stays so when `uncork` has written everything. Ask after `uncork`, and whether there is still something in the socket.',
          );
        },
        echo,
      ),
  },
  {
    what: 'A socket that is no net.Socket gets the parts of a turn in one write.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onPlainLine(lesson);
      await turns(1);
      const { calls } = workOn(line);
      const frames = someFrames(lesson);
      for (const one of frames) connection.sendFrames([one]);
      await turns(2);
      line.destroy();
      expectParts(() => [writtenTo(line)], onWire(frames), 'What is sent is written.', [SENT]);
      if (calls.write === 1) return;
      fail(
        'A socket that is no net.Socket gets the parts of a turn in one write.',
        [SENT, ['calls of `write`', `${calls.write}`]],
        'A `Duplex` need not have `_writev`: then `cork` joins nothing, and each part is written by itself. Join them.',
      );
    },
  },
];

/** How much may be in front of a Pong: one batch of output, which may be a little more than that. */
const PONG_WAITS_BYTES = 132 * 1024;

/** How much is sent to a client that reads slowly, in bytes. */
const MUCH_BYTES = 1024 * 1024;

const SLOW: Scenarios = [
  {
    what: 'A Pong waits behind at most about 128 KiB of a long message.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onPlainLine(lesson);
      await turns(1);
      line.hold();
      const frames = messageOf(lesson, someBytes(MUCH_BYTES));
      connection.sendFrames(frames);
      await turns(2);
      const held = line.writableLength;
      line.emit('data', fromClient(Opcode.Ping, 'now'));
      await takeSlowly(line);
      line.destroy();
      const all = splitFrames(writtenTo(line)).frames;
      const at = all.findIndex(({ opcode }) => opcode === Pong);
      const before = sizeOf(all.slice(0, at).map(({ payload }) => payload));
      const data = all.filter(({ opcode }) => opcode !== Pong);
      equal(() => onWire(data), onWire(frames), 'All of the message is written, in order.', {
        given: [['sent', 'a message of 1 MiB; then a Ping has arrived']],
        label: 'written',
      });
      if (at !== -1 && Math.max(before, held) <= PONG_WAITS_BYTES) return;
      fail(
        'A Pong waits behind at most about 128 KiB of a long message.',
        [
          ['sent', 'a message of 1 MiB, to a client that reads slowly'],
          ['in the socket', count(held, 'byte')],
          ['before the Pong', at === -1 ? 'all, and it never came' : count(before, 'byte')],
        ],
        'What is in the socket goes first, whatever comes. That nothing is copied is no reason to write it all at once: after each batch of `takeParts`, ask whether the socket is behind.',
      );
    },
  },
  {
    what: 'On a net.Socket whose client does not read, no more than a batch is kept, and none lost.',
    rules: [],
    check: (lesson) =>
      onNetSocket(lesson, async ({ socket, client, connection }) => {
        client.socket.pause();
        const data = new Uint8Array(8 * MUCH_BYTES).fill(7);
        const frames = messageOf(lesson, data);
        connection.sendFrames(frames);
        await turns(5);
        const kept = socket.writableLength;
        client.socket.resume();
        await client.receives(onWire(frames), 'All of a long message arrives, when it is read.');
        if (kept <= PONG_WAITS_BYTES) return;
        fail(
          'On a net.Socket whose client does not read, no more than a batch is kept, and none lost.',
          [
            ['sent', 'a message of 8 MiB'],
            ['in the socket', count(kept, 'byte')],
          ],
          'After each batch of `takeParts`, ask whether the socket is behind.',
        );
      }),
  },
  {
    what: 'Short payloads may change after the turn in which they were sent.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onPlainLine(lesson);
      await turns(1);
      const lengths = [100, 5000, 200, 300];
      const frames = lengths.map((length, i) => binaryFrame(someBytes(length, i)));
      const right = onWire(frames);
      line.hold();
      for (const one of frames) {
        // The second fills the socket: from then on, what is sent waits.
        connection.sendFrames([one]);
        await turns(1);
        one.payload.fill(0xbb);
      }
      await takeSlowly(line);
      line.destroy();
      expectParts(
        () => [writtenTo(line)],
        right,
        'Short payloads may change after the turn in which they were sent.',
        [
          [
            'sent',
            `${lengths.join(', ')} bytes, each in a turn of its own, to a client that does not read`,
          ],
          ['after each turn', 'its payload was filled with bb'],
        ],
        (joined) =>
          joined.length === right.length
            ? BEHIND_SHORT
            : 'A `drain` comes only after a `write` that returned `false`. Whoever waits for it in any other case waits for ever.',
      );
    },
  },
  {
    what: 'On a net.Socket, short payloads beside long ones may change after their turn.',
    rules: [],
    check: (lesson) =>
      onNetSocket(lesson, async ({ client, connection }) => {
        client.socket.pause();
        const frames = [...someFrames(lesson), binaryFrame(someBytes(1000))];
        const right = onWire(frames);
        for (const one of frames) connection.sendFrames([one]);
        await turns(1);
        for (const { payload } of frames)
          if (payload.length < lesson.LONG_BYTES) payload.fill(0xbb);
        client.socket.resume();
        const what =
          'On a net.Socket, short payloads beside long ones may change after their turn.';
        await client.receives(right, what);
      }),
  },
];

export const LONG: Scenarios = [...OUTPUTS, ...SOCKETS, ...SLOW, ANY_LONG_OUTPUT];
