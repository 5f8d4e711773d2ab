/** Step 8: the server of lesson 05 behind the gate, and a server of `node:http` in front of it. */
import { createServer } from 'node:http';
import { equal } from '../../../shared/harness/check.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, fromServer, utf8 } from '../../../shared/kit/frames.ts';
import { Listener, request, until } from '../../../shared/kit/peer.ts';
import { attach, type Options } from '../../../solutions/05-server/server.ts';
import type { Gate, GateOptions } from '../../../solutions/09-production/production.ts';
import { Binary, type Lesson as Lesson05, Pong, Text } from '../05-server/core.ts';
import { honours, OPTIONS } from '../05-server/many.ts';
import { settles, turns } from '../05-server/sockets.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { atGate, Desk, Entrance, everybody, OPEN, Visitor } from './visitors.ts';

/** A gate in the place of the server of lesson 05: the same scenario runs over it. */
function behindGate(honoured: (typeof OPTIONS)[number]): Scenario<Lesson> {
  const enter = (server: unknown, asks: Uint8Array, head: Uint8Array) => {
    const [, ...lines] = Buffer.from(asks).toString('latin1').trimEnd().split('\r\n');
    const named = lines.map((line) => line.split(': ') as [string, string]);
    return new Visitor(server as Gate, { lines: named, head }).line;
  };
  const scenario = honours(honoured, ' through the gate', enter);
  return {
    ...scenario,
    check: (lesson) =>
      scenario.check({
        WebSocketServer: class {
          constructor(
            handle: ConstructorParameters<Lesson05['WebSocketServer']>[0],
            options: Options,
          ) {
            const limits = { ...OPEN, ...options, authenticate: everybody };
            // biome-ignore lint/correctness/noConstructorReturn: it is the gate that is asked for.
            return new lesson.Gate(handle, limits) as object;
          }
        },
      } as unknown as Lesson05),
  };
}

export const PASSED_ON: Scenarios = [
  ...OPTIONS.map(behindGate),
  {
    what: 'The option `extend` is honoured through the gate.',
    rules: [],
    async check(lesson) {
      const extend: GateOptions['extend'] = (opening) => {
        const answer = Buffer.from(opening.answer).toString('latin1');
        return {
          ...opening,
          answer: utf8(answer.replace('\r\n\r\n', '\r\nX-Extended: yes\r\n\r\n')),
        };
      };
      await atGate(lesson, { extend }, async (entrance) => {
        const visitor = await entrance.open();
        const what = 'The option `extend` is honoured through the gate.';
        equal(() => visitor.header('X-Extended'), 'yes', what, { label: 'what it has put in' });
      });
    },
  },
  {
    what: 'The option `attach` is honoured through the gate, and the gate still counts.',
    rules: [],
    async check(lesson) {
      let given: number | undefined;
      const own: typeof attach = (socket, opening, handle, limits) => {
        given = limits?.maxMessageBytes;
        return attach(socket, opening, handle, limits);
      };
      const messages = { burst: 1, perSecond: 0.001 };
      await atGate(lesson, { attach: own, messages, maxMessageBytes: 77 }, async (entrance) => {
        const visitor = await entrance.open();
        const what = 'The option `attach` is honoured through the gate.';
        equal(() => given, 77, what, { label: '`limits.maxMessageBytes` that it was called with' });
        visitor.say('a', 'b', 'c');
        await settles(() => visitor.closedWith !== 'nothing');
        const closes = 'With an `attach` of its own, a flood is noticed, too.';
        equal(() => visitor.closedWith, 'a Close with 1008', closes, {
          label: 'the server sent',
          inWords: true,
        });
        equal(() => entrance.texts, ['a'], closes, { label: 'the application heard' });
      });
    },
  },
  {
    what: 'Every event of lesson 05 is handed on.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, {}, async (entrance) => {
        const visitor = await entrance.open();
        visitor.send(fromClient(Pong, 'a'), fromClient(Text, 'b'), fromServer(Text, 'not masked'));
        await settles(() => entrance.events('error').length > 0);
        visitor.leave();
        await settles(() => entrance.events('close').length > 0);
        const types = () => entrance.heard.map(({ event }) => event.type);
        const expected = ['open', 'pong', 'text', 'error', 'close'];
        equal(types, expected, 'Every event of lesson 05 is handed on.', {
          given: [['the client', 'sends a Pong, a text, and a frame that is not masked']],
          label: 'the application heard',
        });
      }),
  },
  {
    what: 'Two gates have nothing in common.',
    rules: [],
    async check(lesson) {
      const options = {
        socketsPerAddress: 1,
        socketsPerUser: 1,
        requests: { burst: 1, perSecond: 0.001 },
      };
      await atGate(lesson, options, async (first) => {
        await first.open();
        const second = new Entrance(lesson, options);
        const visitor = second.come();
        const cause = 'What belongs to one gate is kept in its fields, not in the module.';
        await visitor.gets('101', 'Two gates have nothing in common.', cause);
        first.gate.close();
        first.gate.logOut('anna');
        await turns(3);
        equal(() => visitor.closedWith, 'nothing', 'Two gates have nothing in common.', {
          given: [['the first one', 'is closed, and logs the user out']],
          label: 'the second one sent',
          inWords: true,
          cause: () => cause,
        });
        await second.end();
      });
    },
  },
];

/** Runs a check with a web server whose upgrades a gate of the lesson takes. */
async function onHttp(
  lesson: Lesson,
  options: Partial<GateOptions>,
  check: (listener: Listener, entrance: Entrance) => Promise<void>,
): Promise<void> {
  const echo = new Entrance(lesson, options, (connection, event) => {
    if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
  });
  const http = createServer((_, response) => response.end('a page'));
  const upgrade = (...args: Parameters<Gate['upgrade']>) => void echo.gate.upgrade(...args);
  try {
    await Listener.run(http, 'upgrade', upgrade, (listener) => check(listener, echo));
  } finally {
    await echo.end();
  }
}

export const ON_HTTP: Scenarios = [
  {
    what: 'On a server of `node:http`: a page, a login, an early frame, and 70,000 bytes.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      await onHttp(lesson, { authenticate: desk.authenticate }, async (listener) => {
        const reader = await listener.connect();
        reader.write(utf8('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
        const page = await reader.head('A page and a socket share the port.');
        equal(() => page.slice(9, 12), '200', 'A page and a socket share the port.', {
          label: 'status',
          inWords: true,
        });

        const client = await listener.connect();
        const opened = client.open('/?ticket=anna', fromClient(Text, 'early'));
        await desk.hasAsked(1, 'Who somebody is is asked.');
        client.write(fromClient(Text, 'while you look'));
        await turns(3);
        desk.answer(0, { user: 'anna' });
        await opened;
        await client.receives(fromServer(Text, 'early'), 'A frame behind the request is not lost.');
        const what = 'A frame that comes while `authenticate` waits is not lost.';
        await client.receives(fromServer(Text, 'while you look'), what);
        const big = new Uint8Array(70_000).fill(1);
        client.write(fromClient(Binary, big));
        const { opcode } = await client.frame('Echo 70,000 bytes.');
        equal(() => opcode, Binary, 'Echo 70,000 bytes.', { label: 'opcode of the first frame' });
      });
    },
  },
  {
    what: 'On a server of `node:http`: a refusal arrives whole, however much the client has sent.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      await onHttp(lesson, { authenticate: desk.authenticate }, async (listener) => {
        const client = await listener.connect();
        client.write(request('/?ticket=anna'));
        await desk.hasAsked(1, 'Who somebody is is asked.');
        client.write(new Uint8Array(1_000_000));
        await turns(3);
        desk.answer(0, undefined);
        const cause =
          'With unread bytes, closing is a reset, and the response may get lost: read on.';
        await client.sees('fin', 'After a refusal, the server ends its side, cleanly.', cause);
      });
    },
  },
  {
    what: 'On a server of `node:http`: a reset while `authenticate` waits frees the slot.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      const options = { authenticate: desk.authenticate, socketsPerAddress: 1 };
      await onHttp(lesson, options, async (listener, entrance) => {
        const gone = await listener.connect();
        gone.write(request('/?ticket=anna'));
        await desk.hasAsked(1, 'Who somebody is is asked.');
        gone.socket.resetAndDestroy();
        const next = await listener.connect();
        // The reset may still be on its way: then, this one is too many.
        let client = next;
        const asks = async () => {
          client.write(request('/?ticket=bert'));
          const isHeard = () => desk.asked.length > 1 || client.ended !== undefined;
          await until(isHeard, 'A client is heard.');
          if (desk.asked.length < 2) client = await listener.connect();
        };
        for (let i = 0; i < 20 && desk.asked.length < 2; i++) await asks();
        const what = 'The slot of a socket that is gone is free.';
        equal(() => desk.asked.length > 1, true, what, {
          given: [['`socketsPerAddress`', '1, and the first client has reset']],
          label: 'another came so far that it was looked up',
          inWords: true,
        });
        desk.answer(0, { user: 'anna' });
        await turns(3);
        equal(() => entrance.heard.length, 0, 'Nothing opens on a socket that is gone.', {
          label: 'events',
          inWords: true,
        });
      });
    },
  },
];
