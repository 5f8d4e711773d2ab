/** Step 7: a connection on a socket of its own. */
import { lookup } from 'node:dns/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { closeBody, fromServer } from '../../../shared/kit/frames.ts';
import { Host, hasAddress } from '../../../shared/kit/host.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { withUncaught } from '../../../shared/kit/uncaught.ts';
import { CloseCode, Opcode, OpeningError } from '../../../shared/protocol.ts';
import {
  closing,
  comes,
  dial,
  ends,
  fails,
  hears,
  LOST,
  opened,
  TOO_MUCH,
  text,
} from './dialling.ts';
import { IN_LINE } from './in-line.ts';
import { LEAVING } from './leaving.ts';
import { OVER_TLS } from './over-tls.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** How long a turn or two need at most, in milliseconds. */
const SOON_MS = 10;

/** The value of a header in a request. */
function headerOf(request: string, name: string): string {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\r$`, 'im').exec(request)?.[1] ?? 'none';
}

/** A scenario with an application that has a bug in its handler of an event. */
function survivesBug(type: 'open' | 'text'): Scenarios[number] {
  const bug = new Error(`a bug in the handler of \`${type}\``);
  const what = `An error of the application at \`${type}\` fails the connection with 1011.`;
  return {
    what,
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = dial(lesson, host.url(), {}, (_, event) => {
          if (event.type === type) throw bug;
        });
        const given = [dialled.call, ['`handle` threw', show(bug)]] as const;
        const guest = await host.open(text('Hello'));
        const { opcode, payload } = await guest.frame(what);
        const expected = [Opcode.Close, closeBody(CloseCode.InternalError)];
        equal(() => [opcode, Buffer.from(payload)], expected, what, {
          given,
          label: 'opcode and payload',
        });
        guest.socket.end();
        await ends(dialled, LOST, what);
        const error = dialled.events.find((event) => event.type === 'error');
        equal(() => error, { type: 'error', error: bug }, 'The application hears of its error.', {
          given,
          label: 'the `error` event',
        });
      }),
  };
}

/** Checks that a client that finds no server tells why. */
async function tellsCause(lesson: Lesson, url: string, what: string): Promise<void> {
  const dialled = dial(lesson, url);
  await fails(dialled, what);
  const [event] = dialled.events;
  const error = event?.type === 'error' ? event.error : undefined;
  if (error instanceof OpeningError && error.cause instanceof Error) return;
  fail('The error is an `OpeningError`, and why nobody was reached is its `cause`.', [
    dialled.call,
    ['the error', show(error)],
    ['its cause', show((error as Error | undefined)?.cause)],
  ]);
}

/** A name that is too long to be one: no server is asked for it. */
const NO_NAME = `${'long.'.repeat(60)}example`;

const CONNECTING: Scenarios = [
  {
    what: 'Once connected, the client sends its request.',
    rules: [5, 13],
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = dial(lesson, host.url('/chat?room=1'));
        const { call } = dialled;
        const guest = await comes(host, dialled, 'Connect to the server.');
        const what = 'Once connected, the client sends its request.';
        const request = await guest.asked(what);
        equal(() => request.split('\r\n')[0], 'GET /chat?room=1 HTTP/1.1', what, {
          given: [call],
          label: 'the server got',
        });
        equal(() => headerOf(request, 'host'), `127.0.0.1:${host.port}`, 'Host has the port.', {
          given: [call],
          label: 'Host',
        });
      }),
  },
  {
    what: 'The first event is `open`, and a message right behind the response is the next.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = dial(lesson, host.url());
        await host.open(text('Hello'));
        const what = 'A message right behind the response is not lost.';
        await hears(dialled, ['open', 'text'], what);
        equal(() => dialled.events[1], { data: 'Hello' }, what, { label: 'the second event' });
      }),
  },
  {
    what: 'The handler is told of the connection that `connect` has returned.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        let told: unknown;
        const dialled = dial(lesson, host.url(), {}, (connection) => {
          told = connection;
        });
        await host.open();
        await hears(dialled, ['open'], 'The first event is `open`.');
        const what = 'The handler is told of the connection that `connect` has returned.';
        equal(() => told === dialled.connection, true, what, {
          given: [dialled.call],
          label: 'is its first argument that connection?',
        });
      }),
  },
  {
    what: 'The options reach the connection.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const options = { protocols: ['chat'], headers: { Cookie: 'a=1' }, maxMessageBytes: 4 };
        const dialled = dial(lesson, host.url(), options);
        const guest = await comes(host, dialled, 'Connect to the server.');
        const request = await guest.asked('Once connected, the client sends its request.');
        const sent = ['sec-websocket-protocol', 'cookie'].map((name) => headerOf(request, name));
        equal(() => sent, ['chat', 'a=1'], 'Subprotocols and headers are in the request.', {
          given: [dialled.call],
          label: 'Sec-WebSocket-Protocol and Cookie',
        });
        await guest.agree('Sec-WebSocket-Protocol: chat');
        guest.write(text('Hello'));
        const what = 'A message of more than `maxMessageBytes` is refused with 1009.';
        const { payload } = await guest.frame(what);
        equal(() => Buffer.from(payload.subarray(0, 2)), closeBody(CloseCode.MessageTooBig), what, {
          given: [dialled.call, ['`maxMessageBytes`', '4'], ['arrived', '"Hello"']],
          label: 'the first bytes of the payload',
        });
      }),
  },
  {
    what: 'Messages travel in both directions.',
    rules: [],
    check: (lesson) =>
      opened(
        lesson,
        async ({ guest }) => {
          guest.write(text('one'), text('two'));
          for (const data of ['one', 'two']) {
            const { payload } = await guest.frame('A message that is sent arrives.');
            equal(() => Buffer.from(payload).toString(), data, 'A message that is sent arrives.', {
              label: 'the server got',
            });
          }
        },
        {},
        (connection, event) => {
          if (event.type === 'text') connection.send(event.data);
        },
      ),
  },
  {
    what: 'A message can be sent at any time.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async ({ guest, connection }) => {
        await nextTurn();
        connection.send('later');
        const what = 'A message can be sent at any time.';
        const { payload } = await guest.frame(what, 'Does `wake` lead to a write?');
        equal(() => Buffer.from(payload).toString(), 'later', what, { label: 'the server got' });
      }),
  },
  {
    what: 'Nothing is heard before `connect` has returned.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        let isBack = false;
        let early: string | undefined;
        const dialled = dial(lesson, host.url(), {}, (_, { type }) => {
          if (!isBack) early ??= type;
        });
        dialled.connection.close();
        isBack = true;
        const what = 'Nothing is heard before `connect` and `close` have returned.';
        equal(() => early, undefined, what, { given: [dialled.call], label: 'heard too early' });
        await fails(dialled, 'A connection that is closed before it is open has failed.');
      }),
  },
  {
    what: 'Each event has a task of its own: what follows from one is done before the next.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const seen: string[] = [];
        const dialled = dial(lesson, host.url(), {}, (_, event) => {
          const name = event.type === 'text' ? event.data : event.type;
          seen.push(name);
          void Promise.resolve()
            .then(() => {})
            .then(() => seen.push(`after ${name}`));
        });
        await host.open(text('a'), text('b'));
        await hears(dialled, ['open', 'text', 'text'], 'All that came is heard.');
        await until(() => seen.length === 6, 'Promises settle.');
        const expected = ['open', 'after open', 'a', 'after a', 'b', 'after b'];
        equal(() => seen, expected, 'What follows from an event is done before the next.', {
          label: 'done',
        });
      }),
  },
  {
    what: 'A port where nobody listens is an error with its cause, and the end.',
    rules: [10],
    check: (lesson) =>
      tellsCause(lesson, 'ws://127.0.0.1:1/', 'A port where nobody listens is a failure.'),
  },
  {
    what: 'A name that nobody can have is an error with its cause, and the end.',
    rules: [10],
    // No part of a name has more than 63 characters, so nobody is asked for it.
    check: (lesson) =>
      tellsCause(lesson, `ws://${'a'.repeat(64)}/`, 'A name that nobody can have is a failure.'),
  },
  {
    what: 'A name that leads nowhere is an error, and the end.',
    rules: [10],
    check: async (lesson) => {
      const dialled = dial(lesson, `ws://${NO_NAME}/`);
      await fails(dialled, 'A name that leads nowhere: the connection has failed.');
    },
  },
  {
    what: 'A URL or subprotocol that cannot be is thrown at once, and nobody connects.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        for (const [url, protocols] of [
          [`${host.url()}#x`, []],
          [host.url(), ['a b']],
        ] as const) {
          let error: unknown;
          try {
            lesson.connect(url, { protocols }, () => {});
          } catch (thrown) {
            error = thrown;
          }
          equal(() => (error as Error)?.name, 'SyntaxError', 'What cannot be is thrown at once.', {
            given: [['called', `connect(${show(url)}, { protocols: ${show(protocols)} }, handle)`]],
            label: 'the name of what was thrown',
          });
        }
        for (let turn = 0; turn < 5; turn++) await nextTurn();
        const what = 'When `connect` throws, it has not connected.';
        equal(() => host.connections, 0, what, { label: 'connections' });
      }),
  },
  {
    what: 'An IPv6 address has no brackets for TCP, and keeps them in Host.',
    rules: [],
    check: async (lesson) => {
      if (!(await hasAddress('::1'))) return;
      await Host.run(
        async (host) => {
          const dialled = dial(lesson, host.url());
          const guest = await comes(host, dialled, 'Connect to an IPv6 address.');
          const request = await guest.asked('Connect to an IPv6 address.');
          equal(() => headerOf(request, 'host'), `[::1]:${host.port}`, 'Host has the brackets.', {
            given: [dialled.call],
            label: 'Host',
          });
        },
        { address: '::1' },
      );
    },
  },
];

const TALKING: Scenarios = [
  {
    what: '`localhost` is found in whichever family its server listens.',
    rules: [],
    check: async (lesson) => {
      const found = await lookup('localhost', { all: true });
      for (const address of ['127.0.0.1', '::1'] as const) {
        if (!found.some((one) => one.address === address)) continue;
        await Host.run(
          async (host) => {
            const dialled = dial(lesson, host.url('/', 'localhost'));
            const what = `\`localhost\` is found, with a server on ${address} alone.`;
            await (await comes(host, dialled, what)).agree();
            await hears(dialled, ['open'], what);
          },
          { address },
        );
      }
    },
  },
  {
    what: 'The answer to a message that came together with a Close is sent.',
    rules: [],
    check: (lesson) =>
      opened(
        lesson,
        async ({ guest }) => {
          guest.write(text('last'), closing());
          const what = 'The answer to a message that came together with a Close is sent.';
          const { opcode, payload } = await guest.frame(what);
          equal(() => [opcode, Buffer.from(payload).toString()], [Opcode.Text, 'last'], what, {
            label: 'opcode and payload of the first frame',
          });
          const close = await guest.frame('A Close is answered.');
          equal(() => close.opcode, Opcode.Close, 'The answer to the Close follows.', {
            label: 'its opcode',
          });
        },
        {},
        (connection, event) => {
          if (event.type === 'text') connection.send(event.data);
        },
      ),
  },
  {
    what: 'A server that has ended its side after its Close still gets all that waits.',
    rules: [],
    check: (lesson) =>
      opened(
        lesson,
        async ({ guest, types }) => {
          guest.socket.pause();
          guest.socket.end(Buffer.concat([text('more'), closing()]));
          const what = 'A server that has ended its side after its Close still gets the answer.';
          await until(() => types().includes('text'), 'A message before a Close is heard.');
          await giveWay(SOON_MS);
          equal(types, ['open', 'text'], 'While output waits, TCP is not gone.', {
            label: 'the events',
          });
          guest.socket.resume();
          const { payload } = await guest.frame(what);
          equal(() => payload.length, TOO_MUCH, what, { label: 'bytes of the answer' });
          const close = await guest.frame('The answer to its Close follows.');
          equal(() => close.opcode, Opcode.Close, 'The answer to its Close follows.', {
            label: 'its opcode',
          });
          await guest.sees('Then the client ends its side.');
        },
        {},
        (connection, event) => {
          if (event.type === 'text') connection.send(new Uint8Array(TOO_MUCH));
        },
      ),
  },
  survivesBug('open'),
  survivesBug('text'),
  {
    what: 'An error of the application at `error` or `close` is thrown on.',
    rules: [],
    check: (lesson) => {
      const what = 'An error of the application at `error` or `close` is thrown on.';
      const bugs = ['error', 'close'].map((type) => new Error(`a bug in the handler of ${type}`));
      return withUncaught(bugs, (isThrown) =>
        Host.run(async (host) => {
          const dialled = dial(lesson, host.url(), {}, (_, { type }) => {
            const bug = bugs.find(({ message }) => message.endsWith(` ${type}`));
            if (bug) throw bug;
          });
          (await host.open()).socket.end();
          await fails(dialled, 'The end is told, whatever was thrown before.');
          for (const bug of bugs) {
            const cause = 'Nobody else hears of it: the connection has failed already.';
            await until(
              () => isThrown(bug),
              what,
              () => [dialled.call, ['`handle` threw', show(bug)], ['thrown on', 'no']],
              () => cause,
            );
          }
        }),
      );
    },
  },
  {
    what: 'A server that breaks a rule gets a Close with the code, and the end of TCP.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (both) => {
        const { guest } = both;
        guest.write(fromServer(3));
        const what = 'A server that breaks a rule gets a Close with 1002.';
        const { payload } = await guest.frame(what);
        equal(() => Buffer.from(payload.subarray(0, 2)), closeBody(1002), what, {
          label: 'the first bytes of the payload',
        });
        await guest.sees('Then the client ends its side of TCP.');
        guest.socket.end();
        await fails(both, 'The connection has failed.');
      }),
  },
];

export const SOCKETS: Scenarios = [...CONNECTING, ...TALKING, ...OVER_TLS, ...IN_LINE, ...LEAVING];
