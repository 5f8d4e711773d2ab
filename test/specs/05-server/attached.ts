/** Step 6: a connection on its socket. */
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { closeBody, fromClient, fromServer, join } from '../../../shared/kit/frames.ts';
import { count } from '../../../shared/view/count.ts';
import { Binary, Close, nameOf, type Scenarios, spokenIn, Text } from './core.ts';
import {
  type Attached,
  accepted,
  application,
  CLEANLY,
  closes,
  countCalls,
  expectCode,
  expectUsualTimes,
  Line,
  onLine,
  onSocket,
  settles,
  turns,
  writtenTo,
} from './sockets.ts';

const BYE = fromClient(Close, closeBody(4001, 'bye'));

/** Why the server has not ended its side: seen at the socket and at `ending`. */
function whyOpen({ socket, connection }: Attached): string | undefined {
  if (socket.writableEnded || connection.ending !== 'hangUp') return undefined;
  return '`ending` is `hangUp`: end the socket, once everything is written.';
}

const textsFrom = (side: typeof fromClient, texts: readonly string[]) =>
  join(...texts.map((text) => side(Text, text)));

/** What is written to a socket from now on, write by write. */
function writesTo(socket: Duplex): Uint8Array[] {
  const writes: Uint8Array[] = [];
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    writes.push(Buffer.from(args[0] as Uint8Array));
    return write(...args);
  };
  return writes;
}

export const ATTACHED: Scenarios = [
  {
    what: 'A frame that came with the request is not lost.',
    rules: [],
    check: (lesson) =>
      onSocket(
        lesson,
        ({ client }) =>
          client.receives(
            fromServer(Text, 'early'),
            'A frame that came with the request is not lost.',
            'It is in `rest`: hand it to the connection.',
          ),
        { rest: fromClient(Text, 'early') },
      ),
  },
  {
    what: 'The first event is `open`.',
    rules: [],
    check: (lesson) =>
      onSocket(
        lesson,
        async ({ client, app }) => {
          await client.receives(fromServer(Text, 'early'), 'Echo.');
          const label = 'the first event';
          equal(() => app.types()[0], 'open', 'The first event is `open`.', { label });
        },
        { rest: fromClient(Text, 'early') },
      ),
  },
  {
    what: 'The `open` event says what was asked for, and what was agreed on.',
    rules: [],
    async check(lesson) {
      const line = new Line();
      const opening = { ...accepted(lesson), protocol: 'chat' };
      const app = application();
      lesson.attach(line, opening, app.handle);
      await turns(1); // It may also come when `attach` has returned.
      line.destroy();
      const open = { type: 'open', upgrade: opening.upgrade, protocol: 'chat' };
      const what = 'The `open` event says what was asked for, and what was agreed on.';
      equal(() => app.events[0], open, what, {
        given: [['the call', "attach(socket, { …, protocol: 'chat' }, handle)"]],
        label: 'the first event',
      });
    },
  },
  {
    what: 'The answers to one read leave in one write.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async ({ client, socket }) => {
        const writes = countCalls(socket, 'write');
        const texts = Array.from({ length: 16 }, (_, i) => `message ${i}`);
        client.write(textsFrom(fromClient, texts));
        await client.receives(textsFrom(fromServer, texts), 'Echo 16 messages.');
        if (writes() <= 3) return;
        fail(
          'The answers to one read leave in one write.',
          [['16 messages', `${writes()} writes`]],
          'Handle all the events of a read first. Then take the output, and write it.',
        );
      }),
  },
  {
    what: 'A message can be sent at any time.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async ({ client, socket, connection }) => {
        const writes = writesTo(socket);
        connection.send('a');
        const isAtOnce = writes.length > 0;
        for (const text of ['b', 'c']) connection.send(text);
        await client.receives(
          textsFrom(fromServer, ['a', 'b', 'c']),
          'A message can be sent at any time.',
          'Does `wake` lead to a write?',
        );
        const told = writes.map((bytes) => show(bytes)).join(' | ');
        equal(() => writes.length, 1, 'What is sent in one go leaves in one write.', {
          given: [
            ['the calls', 'send("a"), send("b"), send("c")'],
            ['written', told],
          ],
          label: 'writes',
          cause: () =>
            isAtOnce
              ? 'The first was written before the others were sent. Let `wake` only schedule a turn, with `queueMicrotask`, and all three leave in it.'
              : undefined,
        });
      }),
  },
  {
    what: 'What is sent in one go is taken out in one go.',
    rules: [],
    async check(lesson) {
      const { line, connection } = onLine(lesson);
      await nextTurn();
      const taken = countCalls(connection, 'takeOutput');
      for (let i = 0; i < 100; i++) connection.send('x');
      await nextTurn();
      line.destroy();
      if (taken() <= 10) return;
      fail(
        'What is sent in one go is taken out in one go.',
        [['100 messages', `takeOutput was called ${taken()} times`]],
        'One turn is enough for all of them. Remember that it is on its way.',
      );
    },
  },
  {
    what: 'The server ends TCP first, and cleanly.',
    rules: [101, 121],
    check: (lesson) =>
      onSocket(lesson, async (attached) => {
        const { client, socket } = attached;
        client.write(BYE);
        await client.receives(fromServer(Close, closeBody(4001)), 'A Close is answered.');
        const what = 'The server ends TCP first, and cleanly.';
        await client.sees('fin', what, CLEANLY, () => whyOpen(attached));
        const isDestroyed = () => socket.destroyed;
        equal(isDestroyed, false, 'The server ends its side, and waits for the other.', {
          label: 'the socket is destroyed',
          cause: () => CLEANLY,
        });
      }),
  },
  {
    what: 'The server ends its side, although the last bytes are still on their way.',
    rules: [101],
    async check(lesson) {
      const what = 'The server ends its side, although the last bytes are still on their way.';
      const { line } = onLine(lesson);
      line.hold();
      line.emit('data', BYE);
      await turns(3);
      line.release();
      await settles(() => line.writableEnded);
      equal(() => line.writableEnded, true, what, {
        given: [['arrived', 'a Close, while the socket was busy writing; now it is not']],
        label: 'the socket was ended',
        cause: () =>
          '`end` itself waits for what has been written. Of so little, no `drain` comes.',
      });
      line.destroy();
    },
  },
  {
    what: 'The server ends its side when all output is written, however much there is.',
    rules: [],
    async check(lesson) {
      const what = 'The server ends its side when all output is written, however much there is.';
      // There is room for all of it: no `drain` brings another turn.
      const line = new Line(1024 * 1024);
      line.on('error', () => {});
      const message = new Uint8Array(200_000).fill(0x61);
      const connection = lesson.attach(line, accepted(lesson), application().handle);
      line.emit('data', join(fromClient(Binary, message), BYE));
      await settles(() => line.writableFinished);
      const last = nameOf(spokenIn(writtenTo(line)).at(-1));
      const left = connection.takeOutput().length;
      equal(() => last, 'a Close with 4001', what, {
        given: [
          ['arrived', 'a Binary of 200,000 bytes, which the application echoes, and a Close'],
          ['written', count(writtenTo(line).length, 'byte')],
          ['the socket was ended', `${line.writableEnded}`],
        ],
        label: 'the last frame',
        cause: () =>
          left > 0
            ? 'One call of `takeOutput` does not return everything: call it until there is none.'
            : undefined,
      });
      line.destroy();
    },
  },
  {
    what: 'When the client ends its side, the server ends its own.',
    rules: [],
    async check(lesson) {
      const { line } = onLine(lesson);
      line.push(null);
      // Whether it may be destroyed is for step 7 to say.
      const isEnded = () => line.writableEnded || line.destroyed;
      await settles(isEnded);
      equal(isEnded, true, 'When the client ends its side, the server ends its own.', {
        given: [['the client', 'ended its side of TCP, without a Close']],
        label: 'the socket was ended',
        cause: () => 'At the `end` event of the socket, end our side as well.',
      });
      line.destroy();
    },
  },
  {
    what: 'The application hears of the end.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async ({ client, socket, app }) => {
        client.write(BYE);
        await client.sees('fin', 'The server ends TCP first, and cleanly.', CLEANLY);
        client.socket.end();
        const end = { type: 'close', code: 4001, wasClean: true } as const;
        await closes({ app, socket }, end, 'The application hears of it.');
      }),
  },
  {
    what: 'A peer that breaks a rule is told so, and the server ends its side.',
    rules: [121],
    check: (lesson) =>
      onSocket(lesson, async ({ client, socket, app }) => {
        client.write(fromServer(Text, 'not masked'));
        await client.receives(Uint8Array.of(0x88), 'A peer that breaks a rule is told so.');
        await client.sees(
          'fin',
          'When a peer breaks a rule, the server ends its side, cleanly.',
          CLEANLY,
        );
        client.socket.end();
        await closes({ app, socket }, { type: 'close', code: 1006 }, 'It ends abnormally.');
        const label = 'the events';
        equal(app.types, ['open', 'error', 'close'], 'The application hears why.', { label });
      }),
  },
  {
    what: 'Without `limits`, the usual ones apply.',
    rules: [],
    check(lesson) {
      const line = new Line();
      const connection = lesson.attach(line, accepted(lesson), () => {});
      expectUsualTimes(lesson, connection, () => connection.close());
      line.destroy();
    },
  },
  {
    what: 'The limits are those of `limits`, not the usual ones.',
    rules: [150],
    check(lesson) {
      const { line } = onLine(lesson, () => {}, { maxMessageBytes: 4 });
      line.emit('data', fromClient(Text, 'Hello'));
      expectCode(line, 1009, 'The limits are those of `limits`, not the usual ones.', [
        ['limits', 'maxMessageBytes: 4'],
        ['arrived', 'a Text of 5 bytes'],
      ]);
      line.destroy();
    },
  },
];
