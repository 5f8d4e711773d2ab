/** Step 8: the gate. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import { fromClient, join } from '../../../shared/kit/frames.ts';
import type { GateOptions } from '../../../solutions/09-production/production.ts';
import { Close, NORMAL, Text } from '../05-server/core.ts';
import { expectListener, settles, turns } from '../05-server/sockets.ts';
import { ANY_GATE } from './gate-any.ts';
import { FLOODS } from './gate-floods.ts';
import { CROWDS } from './gate-limits.ts';
import { ON_HTTP, PASSED_ON } from './gate-options.ts';
import { LOGGING_OUT } from './gate-time.ts';
import type { Lesson, Scenarios } from './tools.ts';
import { type Asking, atGate, Desk, LET_GO, Visitor } from './visitors.ts';

const WHILE_WAITING =
  'Nobody listens to the socket while `authenticate` waits. Its `error` would end the process.';
const SLOT_KEPT = 'Give a slot back when its socket closes, whenever that is.';

/** A request that is refused before anybody is asked who it is. */
interface Refused {
  readonly what: string;
  readonly asking: Asking;
  readonly status: string;
}

const KEY = 'Sec-WebSocket-Key';

const BAD_REQUESTS: readonly Refused[] = [
  { what: 'a request without a key', asking: { without: KEY }, status: '400' },
  {
    what: 'a request with two keys',
    asking: {
      lines: [
        [KEY, 'dGhlIHNhbXBsZSBub25jZQ=='],
        [KEY, 'AAAAAAAAAAAAAAAAAAAAAA=='],
      ],
    },
    status: '400',
  },
  { what: 'a request of HTTP/1.0', asking: { version: '1.0' }, status: '400' },
  {
    what: 'another version of WebSocket',
    asking: { lines: [['Sec-WebSocket-Version', '12']] },
    status: '426',
  },
  { what: 'another path', asking: { target: '/there?ticket=anna' }, status: '404' },
  {
    what: 'a page of another origin',
    asking: { lines: [['Origin', 'http://evil.example']] },
    status: '403',
  },
];

const POLICY: Partial<GateOptions> = { paths: ['/'], origins: ['http://good.example'] };

/** Checks that a bad request is refused without asking anybody. */
async function refusesFirst(lesson: Lesson, { what, asking, status }: Refused): Promise<void> {
  const desk = new Desk();
  await atGate(lesson, { ...POLICY, authenticate: desk.authenticate }, async (entrance) => {
    const visitor = entrance.come(asking);
    await settles(() => visitor.status !== '' || desk.asked.length > 0);
    equal(() => desk.asked.length, 0, 'Who somebody is comes last: a refusal burns no ticket.', {
      given: [['came', what], ...visitor.facts],
      label: 'calls of `authenticate`',
      cause: () => 'Check the request and the policy before. A ticket is good for once.',
    });
    await visitor.gets(status, 'A bad request is refused as in lesson 01.');
  });
}

/** Checks what becomes of a login that does not come to a good end. */
async function isOutOfReach(lesson: Lesson, what: string, options: Partial<GateOptions>) {
  await atGate(lesson, options, async (entrance) => {
    const visitor = entrance.come();
    const cause = 'That is our fault, and not the client’s: it may come back.';
    await visitor.gets('503', what, cause);
    const seconds = () => Number(visitor.header('Retry-After')) >= 1;
    equal(seconds, true, 'A 503 says when to come back.', {
      given: [['the response', visitor.response]],
      label: '`Retry-After` is a number of seconds',
      inWords: true,
    });
  });
}

const ENTERING: Scenarios = [
  {
    what: 'Who shows who they are comes in.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      await atGate(lesson, { authenticate: desk.authenticate }, async (entrance) => {
        const visitor = entrance.come({ target: '/chat?room=1&ticket=t1' });
        const what = 'Who somebody is, the credential of step 4 shows.';
        await desk.hasAsked(1, what);
        equal(() => desk.asked, [{ kind: 'ticket', value: 't1' }], what, {
          given: visitor.facts,
          label: '`authenticate` got',
        });
        await turns(3);
        equal(() => visitor.status, '', 'Nobody is let in before it is known who they are.', {
          given: [['`authenticate`', 'has not answered'], ...visitor.facts],
          label: 'status',
          inWords: true,
        });
        const login = { user: 'anna' };
        desk.answer(0, login);
        await visitor.gets('101', 'Who shows who they are comes in.');
        visitor.say('Hello');
        await settles(() => entrance.texts.length > 0);
        const told = () => entrance.heard.map(({ event, login }) => [event.type, login?.user]);
        const expected = [
          ['open', 'anna'],
          ['text', 'anna'],
        ];
        equal(told, expected, 'The application hears what happens, and whose it is.', {
          label: 'it heard',
        });
        const open = { type: 'open', upgrade: { resource: '/chat?room=1&ticket=t1' } };
        equal(() => entrance.heard[0]?.event, open, 'The first event is that of lesson 05.', {
          label: 'the first event',
          inWords: true,
        });
        visitor.send(fromClient(Close, NORMAL));
        visitor.leave();
        await settles(() => entrance.events('close').length > 0);
        equal(() => entrance.heard.at(-1)?.event.type, 'close', 'The last event is `close`.', {
          label: 'the last event',
          inWords: true,
        });
      });
    },
  },
  {
    what: 'A bad request is refused as in lesson 01, and nobody is asked.',
    rules: [],
    async check(lesson) {
      for (const refused of BAD_REQUESTS) await refusesFirst(lesson, refused);
    },
  },
  {
    what: 'A refusal burns no ticket.',
    rules: [193],
    async check(lesson) {
      const tickets = new lesson.Tickets();
      const ticket = tickets.issue('anna', 0);
      const authenticate: GateOptions['authenticate'] = async ({ value }) => {
        const user = tickets.redeem(value, 0);
        return user === undefined ? undefined : { user };
      };
      await atGate(lesson, { ...POLICY, authenticate }, async (entrance) => {
        const target = `/?ticket=${ticket}`;
        const evil = entrance.come({ target, lines: [['Origin', 'http://evil.example']] });
        await evil.gets('403', 'A page of another origin is refused.');
        const good = entrance.come({ target, lines: [['Origin', 'http://good.example']] });
        const burned = 'The ticket was used up by a request that was refused for something else.';
        await good.gets('101', 'A refusal burns no ticket.', burned);
        const again = entrance.come({ target });
        await again.gets('401', 'A ticket is good for once.');
      });
    },
  },
  {
    what: 'Who shows nothing is refused, and nobody is asked.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      await atGate(lesson, { authenticate: desk.authenticate }, async (entrance) => {
        const visitor = entrance.come({ target: '/' });
        await settles(() => visitor.status !== '' || desk.asked.length > 0);
        const what = 'Who shows nothing is refused, and nobody is asked.';
        const given = visitor.facts;
        equal(() => desk.asked.length, 0, what, { given, label: 'calls of `authenticate`' });
        await visitor.gets('401', what);
        equal(
          () => Boolean(visitor.header('WWW-Authenticate')),
          true,
          'A 401 says how to log in.',
          {
            given: [['the response', visitor.response]],
            label: 'has it `WWW-Authenticate`?',
            inWords: true,
            cause: () => 'RFC 9110 §15.5.2 wants it in each 401.',
          },
        );
      });
    },
  },
  {
    what: 'Who shows what nobody knows is refused.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, { authenticate: async () => undefined }, async (entrance) => {
        const visitor = entrance.come();
        await visitor.gets('401', 'Who shows what nobody knows is refused.');
        equal(
          () => Boolean(visitor.header('WWW-Authenticate')),
          true,
          'A 401 says how to log in.',
          {
            given: [['the response', visitor.response]],
            label: 'has it `WWW-Authenticate`?',
            inWords: true,
          },
        );
        equal(() => entrance.heard.length, 0, 'Of a refused client, nothing is heard.', {
          label: 'events',
          inWords: true,
        });
        await settles(() => visitor.line.writableEnded);
        const ended = 'After a refusal, the server ends its side.';
        equal(() => visitor.line.writableEnded, true, ended, {
          label: 'the socket was ended',
          inWords: true,
        });
      }),
  },
  {
    what: 'A refused client is read on, so that the refusal is not lost.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      await atGate(lesson, { authenticate: desk.authenticate }, async (entrance) => {
        const visitor = entrance.come();
        await desk.hasAsked(1, 'Who somebody is is asked.');
        visitor.say('in a hurry');
        desk.answer(0, undefined);
        await visitor.gets('401', 'Who shows what nobody knows is refused.');
        await turns(5);
        const state = () => [visitor.line.destroyed, visitor.line.readableLength];
        const what = 'A refused client is read on, so that the refusal is not lost.';
        equal(state, [false, 0], what, {
          given: [['the client', 'has sent a frame while it waited, and ends TCP later']],
          label: 'destroyed, and bytes that nobody has read',
          inWords: true,
          cause: () => 'Closing with unread bytes is a reset, and the response may get lost.',
        });
        visitor.leave();
        await visitor.isGone('A refused client that ends TCP is let go.', LET_GO);
      });
    },
  },
  {
    what: 'An error of `authenticate` is not the client’s fault.',
    rules: [],
    async check(lesson) {
      const rejects = async () => Promise.reject(new Error('The database is away.'));
      const what = 'When `authenticate` rejects, the answer is 503.';
      await isOutOfReach(lesson, what, { authenticate: rejects });
      const throwing = () => {
        throw new Error('The database is away.');
      };
      await isOutOfReach(lesson, 'When `authenticate` throws, the answer is 503.', {
        authenticate: throwing,
      });
    },
  },
  {
    what: 'When `authenticate` does not answer in time, the answer is 503.',
    rules: [],
    waits: true,
    async check(lesson) {
      const desk = new Desk();
      const options = { authenticate: desk.authenticate, loginTimeoutMs: 30 };
      const what = 'When `authenticate` does not answer in time, the answer is 503.';
      await atGate(lesson, options, async (entrance) => {
        const visitor = entrance.come();
        const cause =
          'A database that hangs would keep every client waiting, and all slots taken: `loginTimeoutMs` is how long it may take.';
        await visitor.gets('503', what, cause);
        desk.answer(0, { user: 'anna' });
        await turns(5);
        equal(() => entrance.heard.length, 0, 'An answer that comes too late opens nothing.', {
          given: [['`authenticate`', 'answered after the 503']],
          label: 'events',
          inWords: true,
        });
      });
    },
  },
  {
    what: 'A subprotocol that is a token is not answered with.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      const options = { authenticate: desk.authenticate, protocols: ['chat.v1'] };
      await atGate(lesson, options, async (entrance) => {
        const secret = `${lesson.TOKEN_PREFIX}${Buffer.from('secret').toString('base64url')}`;
        const lines = [['Sec-WebSocket-Protocol', `${secret}, chat.v1`]] as const;
        const visitor = entrance.come({ target: '/', lines });
        await desk.hasAsked(1, 'A token among the subprotocols shows who somebody is.');
        const kind = { kind: 'token', value: 'secret' };
        equal(() => desk.asked[0], kind, 'The credential is that of step 4.', {
          given: visitor.facts,
          label: '`authenticate` got',
        });
        desk.answer(0, { user: 'anna' });
        await visitor.gets('101', 'Who shows who they are comes in.');
        const what = 'A subprotocol that is a token is not answered with.';
        equal(() => visitor.header('Sec-WebSocket-Protocol'), 'chat.v1', what, {
          given: visitor.facts,
          label: 'Sec-WebSocket-Protocol',
        });
      });
    },
  },
];

const WAITING: Scenarios = [
  {
    what: 'What the client sends before it is let in is not lost.',
    rules: [194],
    async check(lesson) {
      const what = 'What the client sends before it is let in is not lost.';
      const desk = new Desk();
      await atGate(lesson, { authenticate: desk.authenticate }, async (entrance) => {
        const second = fromClient(Text, 'second');
        const head = join(fromClient(Text, 'first'), second.subarray(0, 3));
        const visitor = entrance.come({ head });
        await desk.hasAsked(1, 'Who somebody is is asked.');
        visitor.send(second.subarray(3));
        await turns(2);
        visitor.say('third');
        await turns(2);
        desk.answer(0, { user: 'anna' });
        await visitor.gets('101', 'Who shows who they are comes in.');
        visitor.say('fourth');
        await settles(() => entrance.texts.length >= 4);
        const expected = ['first', 'second', 'third', 'fourth'];
        equal(() => entrance.texts, expected, what, {
          given: [
            ['with the request', 'first, and a part of second'],
            ['while `authenticate` waited', 'the rest of second, and third'],
            ['after the 101', 'fourth'],
          ],
          label: 'the application heard',
          cause: () => '`head` is what Node has read already. The rest waits in the socket.',
        });
      });
    },
  },
  {
    what: 'What a client sends while it waits does not fill the memory.',
    rules: [],
    async check(lesson) {
      const what = 'What a client sends while it waits does not fill the memory.';
      const desk = new Desk();
      await atGate(lesson, { authenticate: desk.authenticate }, async (entrance) => {
        const visitor = entrance.come();
        await desk.hasAsked(1, 'Who somebody is is asked.');
        let sent = 0;
        const chunk = new Uint8Array(64 * 1024);
        visitor.line._read = () => {
          sent += chunk.length;
          if (sent <= 8 * 1024 * 1024) setImmediate(() => visitor.send(chunk));
        };
        visitor.send(chunk);
        await turns(400);
        equal(() => sent <= 1024 * 1024, true, what, {
          given: [
            ['`authenticate`', 'has not answered'],
            ['the client', 'sends as long as somebody reads'],
            ['read from the socket', `${sent} bytes`],
          ],
          label: 'at most 1 MiB',
          inWords: true,
          cause: () =>
            'Nobody has to read before it is known who it is. Unread bytes stay with the client.',
        });
      });
    },
  },
  {
    what: 'A client that resets while `authenticate` waits does no harm.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      const options = {
        authenticate: desk.authenticate,
        socketsPerAddress: 1,
        socketsPerUser: 1,
      };
      await atGate(lesson, options, async (entrance) => {
        const gone = entrance.come();
        if (gone.line.listenerCount('error') === 0)
          fail('A reset while `authenticate` waits does not end the process.', [], WHILE_WAITING);
        await desk.hasAsked(1, 'Who somebody is is asked.');
        gone.reset();
        await turns(2);
        const next = entrance.come();
        await settles(() => desk.asked.length > 1 || next.status !== '');
        const state = () => next.status || 'no answer yet';
        equal(state, 'no answer yet', 'The slot of an address is free when its socket is gone.', {
          given: [['`socketsPerAddress`', '1, and the first client has gone'], ...next.facts],
          label: 'status',
          inWords: true,
          cause: () => SLOT_KEPT,
        });
        desk.answer(0, { user: 'anna' });
        await turns(5);
        equal(() => entrance.heard.length, 0, 'Nothing opens on a socket that is gone.', {
          given: [['the client', 'went, and then `authenticate` answered']],
          label: 'events',
          inWords: true,
        });
        desk.answer(1, { user: 'anna' });
        const what = 'The slot of a user is free when the socket is gone.';
        await next.gets('101', what, SLOT_KEPT);
      });
    },
  },
  {
    what: 'A client that is gone before it comes takes no slot.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, { socketsPerAddress: 1, socketsPerUser: 1 }, async (entrance) => {
        const gate = {
          upgrade: (...args: Parameters<typeof entrance.gate.upgrade>) => {
            args[1].destroy();
            // The gate gets it after its `close`.
            args[1].once('close', () => setImmediate(() => entrance.gate.upgrade(...args)));
            return Promise.resolve();
          },
        };
        new Visitor(gate);
        await turns(5);
        const what = 'A client that is gone before it comes takes no slot.';
        const cause = 'Its socket emits no `close` any more: look at `closed`.';
        await entrance.come().gets('101', what, cause, [['`socketsPerAddress`', '1']]);
      }),
  },
  {
    what: 'A gate that closes while somebody waits refuses them.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      await atGate(lesson, { authenticate: desk.authenticate }, async (entrance) => {
        const waiting = entrance.come();
        await desk.hasAsked(1, 'Who somebody is is asked.');
        attempt(() => entrance.gate.close(), 'Close the gate.');
        desk.answer(0, { user: 'anna' });
        const what = 'A gate that closes while somebody waits refuses them.';
        await waiting.gets('503', what, 'Look again after the `await`.');
      });
    },
  },
  {
    what: 'A closed gate refuses everybody, and asks nobody.',
    rules: [],
    async check(lesson) {
      const desk = new Desk();
      const what = 'A closed gate refuses everybody, and asks nobody.';
      await atGate(lesson, { authenticate: desk.authenticate }, async (entrance) => {
        const before = entrance.come();
        await desk.hasAsked(1, 'Who somebody is is asked.');
        desk.answer(0, { user: 'anna' });
        await before.gets('101', 'Who shows who they are comes in.');
        attempt(() => entrance.gate.close(), 'Close the gate.');
        for (const asking of [{}, { without: KEY }, { target: '/' }]) {
          const visitor = entrance.come(asking);
          await visitor.gets('503', what, undefined, [['the gate', 'is closed']]);
          equal(
            () => Number(visitor.header('Retry-After')) >= 1,
            true,
            'A 503 says when to come back.',
            {
              given: [['the response', visitor.response]],
              label: '`Retry-After` is a number of seconds',
              inWords: true,
            },
          );
        }
        equal(() => desk.asked.length, 1, what, { label: 'calls of `authenticate`' });
        before.say('still here');
        await settles(() => entrance.texts.length > 0);
        const stay = 'Whoever is in stays: closing the gate closes no connection.';
        equal(() => before.closedWith, 'nothing', stay, {
          label: 'the server sent',
          inWords: true,
        });
        equal(() => entrance.texts, ['still here'], stay, { label: 'the application heard' });
      });
    },
  },
  {
    what: 'A shutdown closes the gate and all connections.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, {}, async (entrance) => {
        const visitor = await entrance.open();
        let isOver = false;
        const shutdown = attempt(() => entrance.gate.shutdown(), 'Shut down.');
        void shutdown.then(() => {
          isOver = true;
        });
        const late = entrance.come();
        await late.gets('503', 'A shutdown closes the gate.');
        equal(() => Number(late.header('Retry-After')) >= 1, true, 'A shutdown closes the gate.', {
          given: [['the response', late.response]],
          label: '`Retry-After` is a number of seconds',
          inWords: true,
          cause: () => 'Refused by the gate, and not only by the server of lesson 05 behind it?',
        });
        const sees = () => visitor.closedWith;
        equal(sees, 'a Close with 1001', 'A shutdown closes the gate and all connections.', {
          label: 'sent',
          inWords: true,
        });
        equal(() => isOver, false, 'A shutdown ends when all are gone.', {
          label: 'it is over',
          inWords: true,
        });
        visitor.send(fromClient(Close, NORMAL));
        visitor.leave();
        await settles(() => isOver);
        equal(() => isOver, true, 'A shutdown ends when all are gone.', {
          label: 'it is over',
          inWords: true,
        });
      }),
  },
  {
    what: 'Nothing that `upgrade` does rejects.',
    rules: [],
    async check(lesson) {
      const reject = async () => Promise.reject(new Error('The database is away.'));
      for (const authenticate of [reject, async () => undefined]) {
        await atGate(lesson, { authenticate }, async (entrance) => {
          for (const asking of [{}, { without: KEY }, { target: '/' }]) {
            let result: Promise<void> | undefined;
            const gate = {
              upgrade: (...args: Parameters<typeof entrance.gate.upgrade>) => {
                result = entrance.gate.upgrade(...args);
                return result;
              },
            };
            const visitor = new Visitor(gate, asking);
            const outcome = await Promise.resolve(result).then(
              () => 'resolved',
              (error: unknown) => `rejected with ${error}`,
            );
            visitor.line.destroy();
            equal(() => outcome, 'resolved', 'Nothing that `upgrade` does rejects.', {
              given: visitor.facts,
              label: 'it has',
              cause: () =>
                'Nobody awaits it at an `upgrade` event. In Node, what it rejects with ends the process.',
            });
          }
        });
      }
    },
  },
  {
    what: 'The listener for `error` is there from the start.',
    rules: [],
    check: (lesson) =>
      atGate(lesson, {}, async (entrance) => {
        for (const asking of [{}, { without: KEY }]) expectListener(entrance.come(asking).line);
        entrance.gate.close();
        expectListener(entrance.come().line);
      }),
  },
];

export const GATE: Scenarios = [
  ...ENTERING,
  ...WAITING,
  ...CROWDS,
  ...FLOODS,
  ...LOGGING_OUT,
  ...PASSED_ON,
  ...ON_HTTP,
  ANY_GATE,
];
