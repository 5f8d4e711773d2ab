/** Step 7: how a connection on a socket ends, and what travels before. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { closeBody, fromServer } from '../../../shared/kit/frames.ts';
import { agreement, type Guest, Host } from '../../../shared/kit/host.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { toHex } from '../../../shared/view/hex.ts';
import {
  closing,
  type Dialled,
  dial,
  ends,
  fails,
  LOST,
  opened,
  TOO_MUCH,
  text,
} from './dialling.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** How long somebody who does not wait for a FIN needs at most to end TCP, in milliseconds. */
const HASTE_MS = 10;

/** Runs a check that also gets the socket of the client. */
async function withSocket(
  lesson: Lesson,
  check: (both: Dialled & { readonly guest: Guest; readonly socket: Socket }) => Promise<void>,
): Promise<void> {
  const made: Socket[] = [];
  const record = (message: unknown) => made.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', record);
  try {
    await opened(lesson, async (both) => {
      // Others may connect meanwhile. A client that makes its socket in another way is not seen.
      const socket = made.find(({ remotePort }) => remotePort === both.host.port);
      if (socket) await check({ ...both, socket });
    });
  } finally {
    unsubscribe('net.client.socket', record);
  }
}

/** What is written to a socket from now on, write by write. */
function writesTo(socket: Socket): Uint8Array[] {
  const writes: Uint8Array[] = [];
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = (...args: unknown[]) => {
    writes.push(Buffer.from(args[0] as Uint8Array));
    return write(...args);
  };
  return writes;
}

/** Answers byte by byte, as slowly as it can, until it is stopped. */
function trickle(guest: Guest, bytes: Uint8Array): () => void {
  let at = 0;
  const timer = setInterval(() => {
    guest.socket.write(bytes.subarray(at, ++at));
    if (at === bytes.length) clearInterval(timer);
  }, 10);
  return () => clearInterval(timer);
}

/** Ends connections in several ways, and checks that no timer of this kind is left of them. */
async function leavesNothing(lesson: Lesson, kind: Timers['kind'], what: string): Promise<void> {
  const timers = new Timers(kind);
  try {
    await Host.run(async (host) => {
      const refused = timers.run(() => dial(lesson, host.url()));
      (await host.guest()).socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      await fails(refused, 'A refusal is a failure.');
      const closed = timers.run(() => dial(lesson, host.url()));
      const guest = await host.open();
      guest.socket.end(closing());
      await ends(closed, { code: 1000 }, 'A Close of the server ends the connection.');
      // An address is looked up at once, and a name takes a while.
      for (const name of ['127.0.0.1', 'localhost']) {
        const early = timers.run(() => dial(lesson, host.url('/', name)));
        early.connection.close();
        await fails(early, 'A connection that is closed before it is open has failed.');
      }
    });
    let left = await timers.count();
    // The last task may be on its way.
    for (let turn = 0; turn < 20 && left > 0; turn++) {
      await giveWay(1);
      left = await timers.count();
    }
    equal(() => left, 0, what, { label: 'left' });
  } finally {
    timers.stop();
  }
}

const BEFORE_THE_END: Scenarios = [
  {
    what: 'What was sent before `close` arrives before the Close, however much it is.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (both) => {
        const { guest, connection } = both;
        connection.send(new Uint8Array(2 ** 22));
        connection.send('last');
        equal(() => connection.bufferedBytes, 2 ** 22 + 4, 'What waits is counted.', {
          label: '`bufferedBytes`',
        });
        connection.close(1000);
        const what = 'What was sent before `close` arrives before the Close.';
        const frames = [await guest.frame(what), await guest.frame(what), await guest.frame(what)];
        equal(
          () => frames.map(({ opcode, payload }) => [opcode, payload.length]),
          [
            [Opcode.Binary, 2 ** 22],
            [Opcode.Text, 4],
            [Opcode.Close, 2],
          ],
          what,
          { label: 'opcodes and lengths' },
        );
        const sent = 'What has been sent does not wait any more.';
        const facts = (): Fact[] => [['`bufferedBytes`', `${connection.bufferedBytes}`]];
        await until(
          () => connection.bufferedBytes === 0,
          sent,
          facts,
          'When a write is done, call `sent`.',
        );
      }),
  },
  {
    what: 'Each frame leaves in one write.',
    rules: [],
    check: (lesson) =>
      withSocket(lesson, async ({ guest, connection, socket }) => {
        const writes = writesTo(socket);
        connection.send('Hello');
        await guest.frame('A message that is sent arrives.');
        const [first] = writes;
        if (!first || first.length === 11) return;
        fail(
          'Each frame leaves in one write.',
          [
            ['called', 'send("Hello"), a frame of 11 bytes'],
            ['the first write', toHex(first)],
          ],
          'Between two writes, the other end can read: half a frame ends some servers.',
        );
      }),
  },
  {
    what: 'Small messages leave at once.',
    rules: [],
    check: (lesson) =>
      withSocket(lesson, async ({ socket }) => {
        // Whether it was told by an option or a call, Node keeps it here.
        const key = Object.getOwnPropertySymbols(socket).find(
          ({ description }) => description === 'kSetNoDelay',
        );
        if (!key || Reflect.get(socket, key) === true) return;
        fail(
          'Small messages leave at once.',
          [['the socket', 'has not been told `noDelay`']],
          'Unless it is told `noDelay`, TCP keeps small pieces back to join them with more.',
        );
      }),
  },
  {
    what: 'A slow application slows the server: no more is read than it has heard.',
    rules: [],
    check: (lesson) => {
      const frame = fromServer(Opcode.Binary, new Uint8Array(1020));
      const megabyte = Buffer.concat(Array.from({ length: 1024 }, () => frame));
      const MEGABYTES = 32;
      return opened(lesson, async ({ guest, events, call }) => {
        for (let i = 0; i < MEGABYTES; i++) guest.socket.write(megabyte);
        const what = 'A slow application slows the server.';
        await until(
          () => events.length > 600,
          what,
          () => [call],
        );
        if (guest.socket.writableLength > 2 ** 20) return;
        fail(
          what,
          [
            call,
            ['the server sent', `${MEGABYTES} MiB, in messages of 1 KiB`],
            ['heard of', count(events.length, 'event')],
            ['has been read', 'all of it'],
          ],
          '`pause` the socket when something has come, and `resume` it when all of that has been told.',
        );
      });
    },
  },
];

const ENDS: Scenarios = [
  {
    what: 'A server that goes away at any byte of the opening is a failure.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        for (const cut of [0, 12, 128]) {
          const dialled = dial(lesson, host.url());
          const guest = await host.guest();
          const response = agreement(await guest.asked('The client sends its request.'));
          guest.socket.end(response.subarray(0, cut));
          await fails(dialled, `A server that goes away after ${count(cut, 'byte')} is a failure.`);
        }
      }),
  },
  {
    what: 'A refusal, and our `close` before the response, end TCP at once.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const refused = dial(lesson, host.url());
        const first = await host.guest();
        await first.asked('The client sends its request.');
        first.write(Buffer.from('HTTP/1.1 403 Forbidden\r\n\r\n'));
        await fails(refused, 'A refusal is a failure, whether or not the server ends TCP.');
        await first.sees('After a refusal, the client ends TCP.');
        const closed = dial(lesson, host.url());
        const second = await host.guest();
        await second.asked('The client sends its request.');
        closed.connection.close();
        await fails(closed, 'A connection that is closed before it is open has failed.');
        await second.sees('A connection that is closed before it is open ends TCP.');
      }),
  },
  {
    what: 'A TCP connection that is reset is a failure, before and after the opening.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const opening = dial(lesson, host.url());
        const first = await host.guest();
        await first.asked('The client sends its request.');
        first.socket.resetAndDestroy();
        await fails(opening, 'A reset during the opening is a failure.');
        const open = dial(lesson, host.url());
        const second = await host.open(text('Hello'));
        await until(
          () => open.events.length > 1,
          'The message is heard.',
          () => [open.call],
        );
        second.socket.resetAndDestroy();
        await fails(open, 'A reset is a failure.');
      }),
  },
  {
    what: 'A server that ends TCP without a Close is a failure.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (both) => {
        both.guest.socket.end(text('last'));
        await fails(both, 'A server that ends TCP without a Close is a failure.');
        equal(() => both.types()[1], 'text', 'What came before the end is told.', {
          label: 'the second event',
        });
      }),
  },
  {
    what: 'A server that ends its side and does not read is gone, whatever waits for it.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (both) => {
        const { guest, connection } = both;
        guest.socket.pause();
        connection.send(new Uint8Array(TOO_MUCH));
        guest.socket.end();
        const what = 'A server that ends its side and does not read is gone.';
        await fails(both, what, () =>
          connection.bufferedBytes > 0
            ? 'Output waits for a server that may never read it.'
            : undefined,
        );
      }),
  },
  {
    what: 'A server that ends TCP when it should answer our Close is gone, too.',
    rules: [],
    check: (lesson) =>
      opened(
        lesson,
        async (both) => {
          const { guest, connection } = both;
          connection.close(1000);
          await guest.frame('Our Close is sent.');
          guest.socket.end();
          await fails(both, 'A server that ends TCP when it should answer our Close is gone, too.');
        },
        // So that nobody takes the end of time for the end of TCP, on a busy machine either.
        { closeTimeoutMs: 600_000 },
      ),
  },
  {
    what: 'When it fails while much is on its way, our Close follows that.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async ({ guest, connection }) => {
        guest.socket.pause();
        connection.send(new Uint8Array(TOO_MUCH));
        await giveWay(HASTE_MS);
        guest.write(fromServer(3));
        await giveWay(HASTE_MS);
        guest.socket.resume();
        const what = 'When it fails while much is on its way, our Close follows that.';
        const cause = () =>
          guest.ended ? '`hangUp` is for when all output has been written.' : undefined;
        const { payload } = await guest.frame('What was on its way arrives.');
        equal(() => payload.length, TOO_MUCH, what, { label: 'bytes of the first frame' });
        const { opcode } = await guest.frame(what, cause);
        equal(() => opcode, Opcode.Close, what, { label: 'opcode of the second frame' });
      }),
  },
  {
    what: 'After both Closes, the client waits until the server ends TCP.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (both) => {
        const { guest, connection, call } = both;
        connection.close(1000, 'bye');
        await guest.frame('Our Close is sent.');
        guest.write(closing(1000));
        await giveWay(HASTE_MS);
        const what = 'After both Closes, the client waits until the server ends TCP.';
        if (guest.ended) fail(what, [call, ['TCP', 'ended by the client']]);
        guest.socket.end();
        await ends(both, { code: 1000, wasClean: true }, what);
        await guest.sees('Then the client ends its side.');
      }),
  },
  {
    what: 'A Close of the server is answered, and its code and reason are told at the end.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (both) => {
        const { guest, call } = both;
        guest.write(closing(4001, 'bye'));
        const { payload } = await guest.frame('A Close is answered.');
        equal(() => Buffer.from(payload.subarray(0, 2)), closeBody(4001), 'With the same code.', {
          given: [call],
          label: 'the payload',
        });
        await giveWay(HASTE_MS);
        const what = 'After both Closes, the client waits until the server ends TCP.';
        if (guest.ended) fail(what, [call, ['TCP', 'ended by the client']]);
        guest.socket.end();
        await ends(both, { code: 4001, reason: 'bye', wasClean: true }, 'The end is told.');
      }),
  },
  {
    what: 'When a connection has ended, no timer is left.',
    rules: [],
    check: (lesson) =>
      leavesNothing(lesson, 'Timeout', 'When a connection has ended, no timer is left.'),
  },
  {
    what: 'When a connection has ended, nothing goes on.',
    rules: [],
    check: (lesson) =>
      leavesNothing(lesson, 'Immediate', 'When a connection has ended, no `setImmediate` is left.'),
  },
];

/** A limit that is so short that a check can wait for it, in milliseconds. */
const SHORT_MS = 60;
/** One for the opening, in which a client can at least connect on a busy machine. */
const OPEN_MS = 200;

const GIVEN_UP: Scenarios = [
  {
    what: 'A server that accepts TCP and says nothing is given up.',
    rules: [],
    waits: true,
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = dial(lesson, host.url(), { openTimeoutMs: OPEN_MS });
        const what = 'A server that accepts TCP and says nothing is given up.';
        const isThere = () => host.connections > 0;
        await fails(dialled, what, () =>
          isThere() ? 'That TCP is connected is not the end of the opening.' : undefined,
        );
        await host.guests[0]?.sees('The client ends TCP then.');
      }),
  },
  {
    what: 'A server that answers byte by byte has no more time than others.',
    rules: [],
    waits: true,
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = dial(lesson, host.url(), { openTimeoutMs: OPEN_MS });
        const stop = trickle(await host.guest(), agreement(''));
        const what = 'A server that answers byte by byte has no more time than others.';
        try {
          await fails(dialled, what);
        } finally {
          stop();
        }
      }),
  },
  {
    what: 'A server that does not speak TLS is given up.',
    rules: [],
    waits: true,
    check: (lesson) =>
      Host.run(async (host) => {
        const url = host.url().replace('ws:', 'wss:');
        const dialled = dial(lesson, url, { openTimeoutMs: OPEN_MS });
        await fails(dialled, 'A server that does not speak TLS is given up.');
      }),
  },
  {
    what: 'A server that does not answer our Close is dropped.',
    rules: [],
    waits: true,
    check: (lesson) =>
      opened(
        lesson,
        async (both) => {
          both.connection.close(1000);
          await ends(both, LOST, 'A server that does not answer our Close is dropped.');
          await both.guest.sees('The client ends TCP then.');
        },
        { closeTimeoutMs: SHORT_MS },
      ),
  },
  {
    what: 'A server that does not end TCP is dropped.',
    rules: [],
    waits: true,
    check: (lesson) =>
      opened(
        lesson,
        async (both) => {
          both.guest.write(closing());
          const what = 'A server that does not end TCP is dropped.';
          await ends(both, { code: 1000, wasClean: true }, what);
          await both.guest.sees('The client ends TCP then.');
        },
        { closeTimeoutMs: SHORT_MS },
      ),
  },
  {
    what: 'A server that goes on talking after a failure is dropped.',
    rules: [],
    waits: true,
    check: (lesson) =>
      opened(
        lesson,
        async (both) => {
          const stop = trickle(both.guest, Buffer.concat([fromServer(3), new Uint8Array(1000)]));
          try {
            const what = 'A server that goes on talking after a failure is dropped.';
            await fails(both, what);
          } finally {
            stop();
          }
        },
        { closeTimeoutMs: SHORT_MS },
      ),
  },
];

export const LEAVING: Scenarios = [...BEFORE_THE_END, ...ENDS, ...GIVEN_UP];
