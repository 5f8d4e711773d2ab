/** Step 8: the class that every browser has. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { attempt, equal, fail, throws } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { closeBody, fromServer } from '../../../shared/kit/frames.ts';
import { Host } from '../../../shared/kit/host.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { Opcode } from '../../../shared/protocol.ts';
import type { CloseEvent } from '../../../solutions/06-client/client.ts';
import { closing, text } from './dialling.ts';
import { ON_A_PAGE } from './messages.ts';
import {
  CLEANLY,
  closesWith,
  FAILING,
  hears,
  MESSAGE,
  OPENED,
  onPage,
  type Page,
  refuses,
  stateOf,
  visit,
} from './paging.ts';
import type { Scenarios } from './tools.ts';

/** How long the other end needs at most to see what was sent, in milliseconds. */
const SOON_MS = 10;

/** A limit that is waited for, in milliseconds. */
const SHORT_MS = 60;

/** Closes a `WebSocket` that is not open yet, and checks what comes of it. */
async function closesEarly(
  page: Page,
  when: string,
  args: Parameters<Page['ws']['close']> = [],
): Promise<void> {
  const { ws, heard, call } = page;
  ws.close(...args);
  ws.close(...args);
  const given = [
    call,
    ['and then', `close(${args.map(show).join(', ')}), twice, ${when}`],
  ] as const;
  const what = '`close` before it is open leads to CLOSING, and tells nothing yet.';
  equal(() => [stateOf(ws), heard], ['2, CLOSING', []], what, {
    given,
    label: '`readyState` and the events',
  });
  await hears(page, FAILING, 'Then `error` and `close` are heard, once.');
  closesWith(page, { code: 1006, wasClean: false }, 'It never was open: 1006.');
  ws.close();
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  equal(() => [stateOf(ws), heard], ['3, CLOSED', FAILING], 'It stays CLOSED.', {
    given,
    label: '`readyState` and the events',
  });
}

const MAKING: Scenarios = [
  {
    what: 'The constants are on the class and on each object.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws }) => {
        for (const [value, name] of ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].entries()) {
          const what = 'The constants are on the class and on each object.';
          equal(() => Reflect.get(lesson.WebSocket, name), value, what, {
            label: `\`WebSocket.${name}\``,
          });
          equal(() => Reflect.get(ws, name), value, what, { label: `\`${name}\` of the object` });
        }
      }),
  },
  {
    what: 'It begins in CONNECTING, and `url` is written the one usual way.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const { ws, call } = visit(lesson, host.url('/a b').replace('ws:', 'HTTP:'));
        const given = [call];
        equal(() => ws.readyState, 0, 'It begins in CONNECTING.', { given, label: '`readyState`' });
        equal(() => ws.url, host.url('/a%20b'), '`url` is written the one usual way.', {
          given,
          label: '`url`',
        });
        for (const name of ['protocol', 'extensions'] as const) {
          const what = 'Before the response, nothing has been chosen.';
          equal(() => ws[name], '', what, { given, label: `\`${name}\`` });
        }
        equal(() => ws.bufferedAmount, 0, 'Nothing waits.', { given, label: '`bufferedAmount`' });
        const asked = await (await host.guest()).asked('It connects to the server.');
        equal(() => asked.split('\r\n')[0], 'GET /a%20b HTTP/1.1', 'It asks for the resource.', {
          given,
          label: 'the server got',
        });
      }),
  },
  {
    what: 'A URL or subprotocol that cannot be is a `SyntaxError`, and no URL a `TypeError`.',
    rules: [],
    check: ({ WebSocket }) => {
      const None = WebSocket as unknown as new () => unknown;
      throws(TypeError, () => new None(), 'A `WebSocket` needs a URL.', {
        given: [['called', 'new WebSocket()']],
      });
      const what = 'A URL or subprotocol that cannot be is a `SyntaxError`.';
      for (const args of [
        ['ws://127.0.0.1:1/#top'],
        ['ftp://127.0.0.1/'],
        ['/chat'],
        ['ws://127.0.0.1:1/', ''],
        ['ws://127.0.0.1:1/', 'a b'],
        ['ws://127.0.0.1:1/', 'ä'],
        ['ws://127.0.0.1:1/', ['a', 'a']],
        ['ws://127.0.0.1:1/', ['a,b']],
      ] as const) {
        const make = () => new WebSocket(...(args as readonly [string, string?]));
        refuses('SyntaxError', `new WebSocket(${args.map(show).join(', ')})`, make, what);
      }
    },
  },
  {
    what: 'The subprotocol that the server chose is in `protocol`.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        for (const protocols of ['Chat', ['a', 'Chat', 'A']]) {
          let chosen: string | undefined;
          const react = (ws: Page['ws']) => {
            chosen ??= ws.protocol;
          };
          const page = visit(lesson, host.url(), { protocols, react });
          const guest = await host.guest();
          const asked = await guest.asked('It connects to the server.');
          const what = 'The subprotocols are offered.';
          const offered = /^sec-websocket-protocol: *(.*?) *\r$/im.exec(asked)?.[1]?.split(/ *, */);
          equal(() => offered, [protocols].flat(), what, { given: [page.call], label: 'offered' });
          await guest.agree('Sec-WebSocket-Protocol: Chat');
          await hears(page, [OPENED], 'When the server has agreed, `open` is heard.');
          equal(() => chosen, 'Chat', 'The chosen one is in `protocol` when `open` is told.', {
            given: [page.call],
            label: '`protocol` in the listener',
          });
        }
      }),
  },
  {
    what: 'The options reach the connection, a URL can be a `URL`, and no subprotocol is none.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const page = visit(lesson, new URL(host.url()), {
          protocols: [],
          options: { headers: { Cookie: 'a=1' } },
        });
        const asked = await (await host.guest()).asked('It connects to the server.');
        if (/^cookie: *a=1\r$/im.test(asked) && !/^sec-websocket-protocol:/im.test(asked)) return;
        fail('The headers of the options are sent, and of subprotocols those that there are.', [
          page.call,
          ['with the options', '{ headers: { Cookie: "a=1" } }'],
          ['the request', show(asked)],
        ]);
      }),
  },
];

const TOLD: Scenarios = [
  {
    what: 'What is heard is an `EventTarget`’s, of the right classes, and of this object.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.write(text('Hello'));
        await hears(page, [OPENED, MESSAGE], 'A message is heard.');
        equal(() => page.ws.protocol, '', 'No subprotocol was chosen.', { label: '`protocol`' });
        const [open, message] = page.events;
        const what = 'The events are objects of the right classes.';
        equal(() => page.ws instanceof EventTarget, true, what, { label: 'an EventTarget?' });
        equal(() => open instanceof Event, true, what, { label: '`open`: an Event?' });
        equal(() => message instanceof MessageEvent, true, what, {
          label: '`message`: a MessageEvent?',
        });
        equal(() => message?.target === page.ws, true, 'They are told of this object.', {
          label: '`target`: the WebSocket?',
        });
        const { origin } = message as MessageEvent;
        equal(() => origin, page.host.url().slice(0, -1), '`origin` says who sent a message.', {
          given: [page.call],
          label: '`origin`',
        });
      }),
  },
  {
    what: 'Nothing is heard before the constructor and what follows it have come to their end.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const { ws, heard, call } = visit(lesson, host.url());
        await Promise.resolve();
        equal(() => [ws.readyState, heard], [0, []], 'Events come in tasks of their own.', {
          given: [call],
          label: '`readyState` and the events',
        });
      }),
  },
  {
    what: '`onmessage` is called among the listeners, where it was set first.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        const { ws } = page;
        const calls: string[] = [];
        const adds = (name: string) => ws.addEventListener('message', () => calls.push(name));
        equal(() => ws.onmessage, null, 'Nothing is set yet.', { label: '`onmessage`' });
        adds('first');
        ws.onmessage = () => calls.push('old');
        adds('last');
        const replaced = function (this: unknown) {
          calls.push(this === ws ? 'new' : 'new, with another `this`');
        };
        ws.onmessage = replaced;
        equal(() => ws.onmessage === replaced, true, 'What was set can be read.', {
          label: 'is `onmessage` what it was set to?',
        });
        page.guest.write(text('Hello'));
        await hears(page, [OPENED, MESSAGE], 'A message is heard.');
        const what = 'A handler that replaces another has its place.';
        equal(() => calls, ['first', 'new', 'last'], what, { label: 'called' });
        const events = [OPENED, MESSAGE];
        for (const nothing of [null, 42]) {
          calls.length = 0;
          ws.onmessage = replaced;
          ws.onmessage = nothing as null;
          equal(() => ws.onmessage === null, true, 'What is no function is `null`.', {
            given: [['set to', show(nothing)]],
            label: 'is `onmessage` then `null`?',
          });
          page.guest.write(text('Hello'));
          events.push(MESSAGE);
          await hears(page, events, 'A message is heard.');
          const none = 'When it has been set to what is no function, none is called.';
          equal(() => calls, ['first', 'last'], none, { label: 'called' });
        }
      }),
  },
  {
    what: '`onopen`, `onerror` and `onclose` are called, too.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const calls: string[] = [];
        const page = visit(lesson, host.url());
        for (const type of ['open', 'error', 'close'] as const) {
          page.ws[`on${type}`] = (event: Event) => calls.push(event.type);
        }
        (await host.open()).socket.end();
        await hears(page, [OPENED, ...FAILING], 'A server that ends TCP without a Close.');
        const what = '`onopen`, `onerror` and `onclose` are called.';
        equal(() => calls, ['open', 'error', 'close'], what, { label: 'called' });
      }),
  },
  {
    what: 'What is set on one `WebSocket` is not set on another.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const [one, other] = [visit(lesson, host.url()), visit(lesson, host.url())];
        for (const type of ['open', 'message', 'error', 'close'] as const) {
          const [handler, another] = [() => {}, () => {}];
          one.ws[`on${type}`] = handler;
          const isFree = other.ws[`on${type}`] === null;
          other.ws[`on${type}`] = another;
          const isKept = one.ws[`on${type}`] === handler && other.ws[`on${type}`] === another;
          if (isFree && isKept) continue;
          fail('What is set on one `WebSocket` is not set on another.', [
            ['set', `\`on${type}\` of two objects, each to a function of its own`],
            ['it was', isFree ? 'lost' : 'set on the other, too'],
          ]);
        }
      }),
  },
  {
    what: 'A refusal is `error` and then `close`, once, with 1006, and says no more.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const page = visit(lesson, host.url());
        const guest = await host.guest();
        await guest.asked('It connects to the server.');
        guest.socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
        await hears(page, FAILING, 'A refusal is `error` and then `close`.');
        closesWith(page, { code: 1006, reason: '', wasClean: false }, 'Nobody said Close: 1006.');
        const what = 'A page is not told why: it could look around in its user’s network.';
        const told = Object.keys(page.events[0] ?? {}).filter((key) => key !== 'isTrusted');
        equal(() => told, [], what, { given: [page.call], label: 'the `error` event also has' });
        await giveWay(SOON_MS);
        equal(() => page.heard, FAILING, 'Nothing comes after `close`.', { label: 'the events' });
        equal(() => stateOf(page.ws), '3, CLOSED', 'It stays CLOSED.', { label: '`readyState`' });
      }),
  },
  {
    what: 'A lost connection is `error` and then `close`, with 1006.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.socket.resetAndDestroy();
        await hears(page, [OPENED, ...FAILING], 'A lost connection is `error` and then `close`.');
        closesWith(page, { code: 1006, reason: '', wasClean: false }, 'Nobody said Close: 1006.');
      }),
  },
  {
    what: 'A server that breaks a rule: `error` and `close` with 1006, whatever our Close says.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.write(fromServer(Opcode.Text, Uint8Array.of(0xff)), text('behind it'));
        const { payload } = await page.guest.frame('A server that breaks a rule gets a Close.');
        equal(() => Buffer.from(payload.subarray(0, 2)), closeBody(1007), 'It says 1007.', {
          label: 'the code in the Close',
        });
        equal(() => page.ws.readyState, 2, 'A connection that has failed is CLOSING.', {
          label: '`readyState`',
        });
        page.guest.socket.end();
        const what = 'A server that breaks a rule ends the connection.';
        await hears(page, [OPENED, ...FAILING], what);
        closesWith(page, { code: 1006, reason: '', wasClean: false }, 'It has not closed: 1006.');
      }),
  },
  {
    what: 'Subprotocols were offered, and the server chose none: it has failed.',
    rules: [169],
    check: (lesson) =>
      Host.run(async (host) => {
        const page = visit(lesson, host.url(), { protocols: 'chat' });
        await host.open();
        await hears(page, FAILING, 'Subprotocols were offered, and the server chose none.');
      }),
  },
  {
    what: 'A Ping is answered, and neither it nor a Pong is heard.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.write(fromServer(Opcode.Ping, 'a'), fromServer(Opcode.Pong), text('Hello'));
        const { opcode } = await page.guest.frame('A Ping is answered.');
        equal(() => opcode, Opcode.Pong, 'A Ping is answered.', { label: 'opcode of the frame' });
        await hears(page, [OPENED, MESSAGE], 'Of Pings and Pongs, a page hears nothing.');
      }),
  },
];

const CLOSED: Scenarios = [
  {
    what: 'Only 1000 and 3000–4999 may be said, and numbers are clamped, never wrapped.',
    rules: [168],
    check: (lesson) =>
      Host.run(async (host) => {
        const { ws } = visit(lesson, host.url());
        const bad = [0, 999, 1001, 1005, 1006, 1011, 2999, 5000, 66_536, -1000, Number.NaN];
        for (const code of [...bad, null, 'abc'] as number[]) {
          const what = 'Only 1000 and 3000–4999 may be said.';
          refuses('InvalidAccessError', `close(${show(code)})`, () => ws.close(code), what);
        }
        equal(() => ws.readyState, 0, 'A `close` that throws changes nothing.', {
          label: '`readyState`',
        });
      }),
  },
  {
    what: 'A code is a number, or what can be read as one, to the nearest whole one.',
    rules: [],
    check: async (lesson) => {
      const cases = [
        ['3000', 3000],
        [2999.6, 3000],
        [4999.4, 4999],
        [1000, 1000],
      ] as [number, number][];
      for (const [code, expected] of cases) {
        await onPage(lesson, async ({ ws, guest }) => {
          const what = 'A code is a number, or what can be read as one.';
          const given = [['called', `close(${show(code)})`]] as const;
          attempt(() => ws.close(code), what, given);
          const { payload } = await guest.frame(what);
          equal(() => Buffer.from(payload), closeBody(expected), what, {
            given,
            label: 'the payload of the Close',
          });
        });
      }
    },
  },
  {
    what: 'A reason has at most 123 bytes of UTF-8, whatever its length as a string.',
    rules: [168],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        const what = 'A reason has at most 123 bytes of UTF-8.';
        for (const [reason, told] of [
          ['x'.repeat(124), '"x".repeat(124)'],
          ['é'.repeat(62), '"é".repeat(62)'],
        ] as const) {
          refuses('SyntaxError', `close(1000, ${told})`, () => ws.close(1000, reason), what);
        }
        equal(() => ws.readyState, 1, 'A `close` that throws changes nothing.', {
          label: '`readyState`',
        });
        const reason = `${'é'.repeat(61)}!`;
        const given = [['called', 'close(1000, "é".repeat(61) + "!")']] as const;
        attempt(() => ws.close(1000, reason), what, given);
        const { payload } = await guest.frame('A reason of 123 bytes is sent.');
        equal(() => Buffer.from(payload), closeBody(1000, reason), what, {
          given,
          label: 'the payload of the Close',
        });
      }),
  },
  {
    what: '`close` leads to CLOSING at once, and to `close` when the server has answered.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        const { ws, guest } = page;
        ws.close(1000, 'bye');
        const given = [['called', 'close(1000, "bye")']] as const;
        equal(() => stateOf(ws), '2, CLOSING', '`close` leads to CLOSING at once.', {
          given,
          label: '`readyState`',
        });
        const { payload } = await guest.frame('Our Close is sent.');
        equal(() => Buffer.from(payload), closeBody(1000, 'bye'), 'Our Close is sent.', {
          given,
          label: 'its payload',
        });
        guest.write(closing(1000, 'bye'));
        guest.socket.end();
        await hears(page, [OPENED, ...CLEANLY], 'The end is heard once.');
        const told = { code: 1000, reason: 'bye', wasClean: true };
        closesWith(page, told, 'The `close` event says how it ended.');
      }),
  },
  {
    what: 'Without a code, our Close is empty; a reason alone gets 1000.',
    rules: [],
    check: async (lesson) => {
      const cases: [args: Parameters<Page['ws']['close']>, payload: Uint8Array][] = [
        [[], new Uint8Array(0)],
        [[undefined, ''], new Uint8Array(0)],
        [[undefined, 'why'], closeBody(1000, 'why')],
      ];
      for (const [args, expected] of cases) {
        await onPage(lesson, async (page) => {
          page.ws.close(...args);
          const what = 'Without a code, our Close is empty; a reason alone gets 1000.';
          const { opcode, payload } = await page.guest.frame(what);
          equal(() => [opcode, Buffer.from(payload)], [Opcode.Close, expected], what, {
            given: [['called', `close(${args.map(show).join(', ')})`]],
            label: 'opcode and payload',
          });
          page.guest.socket.end(closing(4001));
          await hears(page, [OPENED, ...CLEANLY], 'The end is heard once.');
          closesWith(page, { code: 4001, wasClean: true }, 'The code is that of the server.');
        });
      }
    },
  },
  {
    what: 'Half of a surrogate pair in a reason is sent as U+FFFD.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        const what = 'Half of a surrogate pair in a reason is sent as U+FFFD.';
        const given = [['called', 'close(1000, "a\\ud800b")']] as const;
        attempt(() => ws.close(1000, 'a\ud800b'), what, given);
        const { payload } = await guest.frame(what);
        equal(() => Buffer.from(payload), closeBody(1000, 'a\ufffdb'), what, {
          given,
          label: 'the payload of the Close',
        });
      }),
  },
  {
    what: 'A Close of the server is answered and told, with its code and reason.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.write(closing(1001, 'bye'));
        const { payload } = await page.guest.frame('A Close is answered.');
        equal(() => Buffer.from(payload.subarray(0, 2)), closeBody(1001), 'With its code.', {
          label: 'the code in the answer',
        });
        equal(() => stateOf(page.ws), '2, CLOSING', 'Until TCP has ended, it is CLOSING.', {
          label: '`readyState`',
        });
        page.guest.socket.end();
        await hears(page, [OPENED, ...CLEANLY], 'A Close of the server is the end.');
        const told = { code: 1001, reason: 'bye', wasClean: true };
        closesWith(page, told, 'The `close` event has the code and reason of the server.');
      }),
  },
  {
    what: 'An empty Close of the server is told as 1005, and clean.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.socket.end(fromServer(Opcode.Close));
        await hears(page, [OPENED, ...CLEANLY], 'An empty Close is the end.');
        const told = { code: 1005, reason: '', wasClean: true };
        closesWith(page, told, 'An empty Close is told as 1005.');
      }),
  },
  {
    what: 'When both say Close, one is sent, and the server’s code is told.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.write(closing(4001));
        page.ws.close(4002);
        const { payload } = await page.guest.frame('Our Close is sent.');
        equal(() => Buffer.from(payload), closeBody(4002), 'Our Close is sent.', {
          label: 'its payload',
        });
        page.ws.close(4003);
        const call = () => page.ws.close(1001);
        refuses(
          'InvalidAccessError',
          'close(1001), in CLOSING',
          call,
          'A wrong code always throws.',
        );
        await giveWay(SOON_MS);
        equal(() => page.guest.received.length, 0, 'A Close is sent once.', {
          label: 'bytes behind it',
        });
        page.guest.socket.end();
        await hears(page, [OPENED, ...CLEANLY], 'When both say Close, that is the end.');
        closesWith(page, { code: 4001, wasClean: true }, 'The code of the server is told.');
      }),
  },
  {
    what: '`close` before it is open: CLOSING, and later `error` and `close`, never inside.',
    rules: [],
    check: async (lesson) => {
      await Host.run((host) => closesEarly(visit(lesson, host.url()), 'at once'));
      await Host.run(async (host) => {
        const page = visit(lesson, host.url());
        await (await host.guest()).asked('It connects to the server.');
        await closesEarly(page, 'before the response', [3000, 'never mind']);
      });
    },
  },
  {
    what: 'A server that does not answer our Close: 1006, and no `error`.',
    rules: [],
    waits: true,
    check: (lesson) =>
      onPage(
        lesson,
        async (page) => {
          page.ws.close(1000);
          const what = 'To give up on an answer to our Close is no `error`.';
          await hears(page, [OPENED, ...CLEANLY], what);
          closesWith(page, { code: 1006, wasClean: false }, 'The server has not said Close: 1006.');
        },
        { options: { closeTimeoutMs: SHORT_MS } },
      ),
  },
  {
    what: 'A `close` event has a code, a reason and whether it was clean, and is an Event.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.socket.end(closing(4000, '你好'));
        await hears(page, [OPENED, ...CLEANLY], 'The end is heard.');
        const event = page.events.at(-1) as CloseEvent;
        const what = 'A `close` event is an Event of this object.';
        const isRight = event instanceof Event && event.target === page.ws;
        equal(() => isRight, true, what, { label: 'is it?' });
        closesWith(page, { code: 4000, reason: '你好', wasClean: true }, 'It says how it ended.');
      }),
  },
];

export const WEBSOCKET: Scenarios = [...MAKING, ...TOLD, ...CLOSED, ...ON_A_PAGE];
