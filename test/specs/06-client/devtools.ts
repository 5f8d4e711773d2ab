/** Step 10: requests and responses by their ids, events, and what is left at the end. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { wire } from '../../../shared/kit/frames.ts';
import { Choices } from '../../../shared/kit/generate.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { SEED } from '../../../shared/kit/seed.ts';
import { CloseCode, Opcode } from '../../../shared/protocol.ts';
import type { DevTools } from '../../../solutions/06-client/client.ts';
import { EMPTY_PORT, FakeDebugger, type Settled, saySettled, settled, spoken } from './debugger.ts';
import type { Lesson, Scenarios } from './tools.ts';

const EVALUATE = 'Runtime.evaluate';

/** A request, as it is called. */
function callOf(method: string, params?: object): Fact {
  return ['call', `request('${method}'${params ? `, ${show(params)}` : ''})`];
}

/** Asks for something, and follows the promise. */
function ask(devtools: DevTools, method: string, params?: object): Promise<Settled> {
  return settled(params ? devtools.request(method, params) : devtools.request(method));
}

/** Checks that a request resolves with this. */
async function expectResult(
  outcome: Promise<Settled>,
  expected: unknown,
  what: string,
  given: readonly Fact[],
): Promise<void> {
  const actual = await outcome;
  if (actual.state === 'resolved' && same(actual.value, expected)) return;
  const wanted: Fact = ['expected', `resolves with ${show(expected)}`];
  fail(what, [...given, ['the promise', saySettled(actual)], wanted]);
}

/** Checks that a request rejects with an `Error` that says something. Returns the error. */
async function expectRejection(
  outcome: Promise<Settled>,
  what: string,
  given: readonly Fact[],
): Promise<Error> {
  const actual = await outcome;
  if (actual.state === 'rejected' && actual.error instanceof Error && actual.error.message) {
    return actual.error;
  }
  const expected: Fact = ['expected', 'rejects with an Error that has a message'];
  return fail(what, [...given, ['the promise', saySettled(actual)], expected]);
}

/** Checks that `ended` resolves. */
async function expectEnd(promise: unknown, name: string, given: readonly Fact[]): Promise<void> {
  const outcome = await settled(promise);
  if (outcome.state === 'resolved') return;
  const facts: Fact[] = [
    [name, saySettled(outcome)],
    ['expected', 'resolves'],
  ];
  fail('When the connection has ended, those who wait for that are told.', [...given, ...facts]);
}

/** Runs a check with a debugger that has agreed to a WebSocket. */
function opened(lesson: Lesson, check: Parameters<typeof FakeDebugger.run>[1]): Promise<void> {
  return FakeDebugger.run(lesson, async (peer, devtools, events) => {
    await peer.opens();
    await check(peer, devtools, events);
  });
}

const close = (code: number) =>
  wire({ opcode: Opcode.Close, payload: Uint8Array.of(code >> 8, code & 255), key: null });

const ASKING: Scenarios = [
  {
    what: 'A request is one text frame of JSON, with an id, the method and its params.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const params = { expression: '"你好" + 6 * 7' };
        void ask(devtools, EVALUATE, params);
        void ask(devtools, 'Runtime.enable');
        const what = 'A request has an id, the method and its params.';
        const [first, second] = await peer.hears(2, 'Each call of `request` sends one request.');
        equal(() => first, { method: EVALUATE, params }, what, {
          given: [callOf(EVALUATE, params)],
          label: 'sent',
        });
        equal(() => second?.method, 'Runtime.enable', what, { label: 'method sent' });
        const ids = [first?.id, second?.id];
        if (ids.every(Number.isSafeInteger) && ids[0] !== ids[1]) return;
        const expected: Fact = ['expected', 'whole numbers, each another'];
        fail('Each request has an id of its own.', [['ids sent', show(ids)], expected]);
      }),
  },
  {
    what: 'Requests made before the connection is open are sent then, in their order.',
    rules: [25],
    check: (lesson) =>
      FakeDebugger.run(lesson, async (peer, devtools) => {
        const what = 'Requests made before the connection is open are sent then, in their order.';
        const methods = ['Runtime.enable', 'Debugger.enable', 'Runtime.evaluate'];
        for (const method of methods) void ask(devtools, method);
        await giveWay(5);
        await peer.opens();
        const { length } = peer.early;
        equal(() => length, 0, 'Before the server has agreed, no frame is sent.', {
          label: 'bytes behind the head of the request',
        });
        const requests = await peer.hears(3, what);
        void ask(devtools, 'Debugger.pause');
        await peer.hears(4, 'Later requests are sent at once, and each only once.');
        equal(() => requests.map(({ method }) => method), methods, what, { label: 'methods sent' });
      }),
  },
  {
    what: 'Each response goes to the request with its id, in whatever order they come.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = 'Each response goes to the request with its id, in whatever order they come.';
        const methods = ['A.one', 'B.two', 'C.three'];
        const outcomes = methods.map((method) => ask(devtools, method));
        const requests = await peer.hears(3, what);
        for (const { id, method } of requests.toReversed()) peer.says({ id, result: { method } });
        for (const [i, method] of methods.entries()) {
          await expectResult(outcomes[i]!, { method }, what, [
            callOf(method),
            ['responses', 'to the last request first'],
          ]);
        }
      }),
  },
  {
    what: 'What the debugger says arrives as it said it, also from outside of ASCII.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = 'A request resolves with the result, and with nothing around it.';
        for (const result of [{ result: { type: 'string', value: '你好，世界 😀' } }, {}]) {
          const outcome = ask(devtools, EVALUATE);
          const requests = await peer.hears(peer.requests.length + 1, what);
          const response = { id: requests.at(-1)?.id, result };
          peer.says(response);
          await expectResult(outcome, result, what, [['response', show(response)]]);
        }
      }),
  },
  {
    what: 'A refusal rejects, with its message and with its code as the cause.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = 'A refusal rejects its request, with the message, and the code as `cause`.';
        const refused = ask(devtools, 'Nope.nope');
        const other = ask(devtools, EVALUATE);
        const [first, second] = await peer.hears(2, what);
        const response = {
          id: first?.id,
          error: { code: -32601, message: "'Nope.nope' wasn't found" },
        };
        peer.says(response);
        const given: Fact[] = [callOf('Nope.nope'), ['response', show(response)]];
        const { message, cause } = await expectRejection(refused, what, given);
        equal(
          () => ({ message, cause }),
          { message: response.error.message, cause: -32601 },
          what,
          {
            given,
            label: 'the error',
          },
        );
        peer.says({ id: second?.id, result: {} });
        await expectResult(other, {}, 'A refusal concerns its own request alone.', given);
      }),
  },
  {
    what: 'It says nothing of an Origin: a debugger refuses one that it does not know.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer) => {
        if (!/^origin:/im.test(peer.head)) return;
        const what = 'A debugger refuses an Origin that it does not know, so none is sent.';
        fail(what, [['the request', show(peer.head)]]);
      }),
  },
  {
    what: 'Two debuggers are two: each answers its own requests.',
    rules: [],
    check: (lesson) =>
      opened(lesson, (peer, devtools) =>
        opened(lesson, async (other, another) => {
          const what = 'Each debugger answers its own requests.';
          const given = [['made', 'two DevTools, and a request with each']] as const;
          const outcomes = [ask(devtools, EVALUATE), ask(another, EVALUATE)] as const;
          for (const [i, debug] of [other, peer].entries()) {
            const [request] = await debug.hears(1, what);
            debug.says({ id: request?.id, result: { of: i } });
            await expectResult(outcomes[1 - i]!, { of: i }, what, given);
          }
        }),
      ),
  },
];

const HEARING: Scenarios = [
  {
    what: 'What has no id is an event, and goes to `onEvent` with method and params.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools, events) => {
        const what = 'Events are told in their order, and before a response that comes after them.';
        const outcome = ask(devtools, 'Debugger.enable');
        const [request] = await peer.hears(1, what);
        const sent = Array.from({ length: 109 }, (_, i) => {
          return { method: 'Debugger.scriptParsed', params: { scriptId: `${i}` } };
        });
        peer.says(...sent, { id: request?.id, result: {} });
        await expectResult(outcome, {}, what, [callOf('Debugger.enable')]);
        equal(() => events, sent, what, { label: 'told to onEvent' });
        peer.says({ method: 'Runtime.executionContextsCleared' });
        await until(() => events.length > 109, 'An event without params is told as well.');
        equal(() => events.at(-1)?.method, 'Runtime.executionContextsCleared', what, {
          label: 'told to onEvent',
        });
      }),
  },
  {
    what: 'An event that comes together with the 101 is told.',
    rules: [],
    check: (lesson) =>
      FakeDebugger.run(lesson, async (peer, _, events) => {
        const event = { method: 'Debugger.paused', params: { reason: 'other' } };
        await peer.opens(spoken(event));
        const what = 'An event that comes together with the 101 is told.';
        await until(() => events.length > 0, what);
        equal(() => events, [event], what, { label: 'told to onEvent' });
      }),
  },
  {
    what: 'A response that nobody waits for does nothing.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools, events) => {
        const what = 'A response that nobody waits for does nothing.';
        const first = ask(devtools, 'A.one');
        const [one] = await peer.hears(1, what);
        const strange = { id: 4711, result: {} };
        const again = { id: one?.id, error: { code: 1, message: 'again' } };
        peer.says(strange, { id: one?.id, result: { is: 1 } }, again);
        const given: Fact[] = [['came as well', `${show(strange)} and ${show(again)}`]];
        await expectResult(first, { is: 1 }, what, given);
        const second = ask(devtools, 'B.two');
        const requests = await peer.hears(2, what);
        peer.says({ id: requests[1]?.id, result: { is: 2 } });
        await expectResult(second, { is: 2 }, what, given);
        equal(() => events, [], 'A response is no event.', { given, label: 'told to onEvent' });
      }),
  },
  {
    what: 'A picture of 1 MB arrives in one frame, and so could something of 256 MiB.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools, events) => {
        const what = 'A message of a debugger can have 256 MiB, and a picture of 1 MB is usual.';
        const outcome = ask(devtools, 'Page.captureScreenshot');
        const [request] = await peer.hears(1, what);
        const data = 'iVBORw0KGgo'.repeat(95_000);
        peer.says({ id: request?.id, result: { data } });
        const given: Fact[] = [callOf('Page.captureScreenshot'), ['frame', 'of 1 MB']];
        await expectResult(outcome, { data }, what, given);
        // The header alone: who means to refuse it refuses now.
        const header = new Uint8Array(10);
        header.set([0x81, 127]);
        new DataView(header.buffer).setUint32(6, 256 * 1024 * 1024);
        peer.sends(spoken({ method: 'Page.loadEventFired' }), header);
        await until(() => events.length > 0, what);
        await giveWay(5);
        void ask(devtools, EVALUATE);
        await giveWay(5);
        const isRefused = peer.frames.some(({ opcode }) => opcode === Opcode.Close);
        if (isRefused || peer.hasEnded) {
          fail(
            what,
            [
              ['frame', 'its header says 256 MiB'],
              ['came back', isRefused ? 'a Close' : 'the end of TCP'],
            ],
            'The limit is an option of the connection: `maxMessageBytes`.',
          );
        }
      }),
  },
  {
    what: 'Nothing but requests is sent: no Ping, no fragment, nothing binary.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = 'A debugger hangs up at a Ping and at a fragment: there are requests alone.';
        const expression = 'x'.repeat(200_000);
        void ask(devtools, EVALUATE, { expression });
        void ask(devtools, EVALUATE, { expression: '' });
        await until(
          () => peer.frames.length >= 2,
          what,
          () => [['frames that came', `${peer.frames.length}`]],
        );
        await giveWay(10);
        const came = peer.frames.map(({ opcode, fin }) => `opcode ${opcode}, FIN=${fin ? 1 : 0}`);
        equal(() => came, ['opcode 1, FIN=1', 'opcode 1, FIN=1'], what, {
          given: [callOf(EVALUATE, { expression: '200,000 letters' })],
          label: 'came',
        });
      }),
  },
];

/** How many bytes Node's debugger reads at a time, and how few may not be left of a frame. */
const READ_BYTES = 65_536;
const CUT_BYTES = 10;

const LONG: Scenarios = [
  {
    what: 'No frame leaves its last bytes, 10 or fewer, for another read of 64 KiB.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = 'Of no frame are the last 10 bytes or fewer left for another read of 64 KiB.';
        void ask(devtools, EVALUATE, { expression: '' });
        const [probe] = await peer.hears(1, what);
        const around = JSON.stringify(probe).length;
        for (const [reads, endings] of [
          [1, [1, 4, 7]],
          [2, [5, 10, 0, READ_BYTES - 5]],
        ] as const) {
          for (const left of endings) {
            const wanted = reads * READ_BYTES + left;
            const payload = wanted - (wanted - 8 > 65_535 ? 14 : 8);
            // Longer in bytes than in characters.
            const text = '你好，世界';
            const expression = `"${text}${'x'.repeat(payload - around - 4 - 15)}"`;
            void ask(devtools, EVALUATE, { expression });
            const requests = await peer.hears(peer.requests.length + 1, what);
            const frame = peer.frames.at(-1);
            const size = (frame?.end ?? 0) - (frame?.start ?? 0);
            const given: Fact[] = [
              ['call', `request('${EVALUATE}', { expression: … ${expression.length} characters })`],
            ];
            equal(() => requests.at(-1)?.params, { expression }, 'Spaces change no request.', {
              given,
              label: 'params sent',
            });
            const rest = size % READ_BYTES;
            if (rest > CUT_BYTES || rest === 0) continue;
            fail(what, [
              ...given,
              ['frame', `${size} bytes: ${(size - rest) / READ_BYTES} reads, and ${rest} more`],
              ['expected', 'some spaces behind the JSON, so that more are left'],
            ]);
          }
        }
      }),
  },
];

const ENDING: Scenarios = [
  {
    what: 'When the connection ends, all that is waiting is rejected, and `ended` resolves.',
    rules: [131],
    check: async (lesson) => {
      const what = 'When the connection ends, whoever waits for a response is told.';
      for (const [name, frames] of [
        ['the end of TCP', []],
        ['a Close 1001, and the end of TCP', [close(1001)]],
      ] as const) {
        await opened(lesson, async (peer, devtools) => {
          const given: Fact[] = [['came', name]];
          const { ended } = devtools;
          const outcomes = ['A.one', 'B.two'].map((method) => ask(devtools, method));
          await peer.hears(2, what);
          peer.ends(...frames);
          for (const outcome of outcomes) await expectRejection(outcome, what, given);
          await expectEnd(ended, 'ended', given);
          const late = ask(devtools, 'C.three');
          await expectRejection(late, 'A request after the end is rejected.', given);
          await expectEnd(devtools.ended, 'ended, asked again', given);
        });
      }
    },
  },
  {
    what: 'Where no debugger is, the requests that wait for it are rejected.',
    rules: [10],
    check: async (lesson) => {
      const what = 'Where no debugger is, the requests that wait for it are rejected.';
      await FakeDebugger.run(lesson, async (peer, devtools) => {
        const outcome = ask(devtools, EVALUATE);
        peer.ends();
        const given: Fact[] = [['came', 'the end of TCP in the place of a response']];
        await expectRejection(outcome, what, given);
        await expectEnd(devtools.ended, 'ended', given);
      });
      const devtools = new lesson.DevTools(`ws://127.0.0.1:${EMPTY_PORT}/6f1d`);
      const given: Fact[] = [['TCP', 'nobody listens at the port']];
      const { cause } = await expectRejection(ask(devtools, EVALUATE), what, given);
      if (!(cause instanceof Error)) {
        const expected: Fact = ['expected', 'the error of the connection'];
        fail('Whoever waits is told why, as far as it is known.', [
          ...given,
          ['cause', show(cause)],
          expected,
        ]);
      }
      await expectEnd(devtools.ended, 'ended', given);
    },
  },
  {
    what: '`close` sends a Close with 1000, and resolves when the connection has ended.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = '`close` starts the closing handshake with 1000.';
        const waiting = ask(devtools, EVALUATE);
        await peer.hears(1, what);
        let isClosed = false;
        const closed = Promise.resolve(devtools.close()).then(() => {
          isClosed = true;
        });
        const { payload } = await peer.hearsClose(what);
        equal(() => payload?.subarray(0, 2), Uint8Array.of(0x03, 0xe8), what, {
          label: 'code in the Close',
        });
        await giveWay(5);
        equal(() => isClosed, false, '`close` resolves when the connection has ended.', {
          given: [['TCP', 'open, and the Close is not answered']],
          label: 'resolved',
        });
        peer.ends(close(CloseCode.NormalClosure));
        await expectEnd(closed, 'close()', []);
        await expectRejection(waiting, 'What was waiting at the end is rejected.', []);
      }),
  },
  {
    what: 'A response that is still due when `close` is called arrives before the end.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = 'Until the debugger has said Close, its responses count.';
        const waiting = ask(devtools, EVALUATE);
        const [request] = await peer.hears(1, what);
        void settled(devtools.close());
        const late = ask(devtools, 'A.late');
        await peer.hearsClose(what);
        await expectRejection(late, 'A request after `close` is rejected.', []);
        peer.says({ id: request?.id, result: { value: 42 } });
        peer.ends(close(CloseCode.NormalClosure));
        await expectResult(waiting, { value: 42 }, what, [
          ['calls', 'request, close, and then another request'],
        ]);
      }),
  },
  {
    what: 'What is not JSON ends the connection: nobody is left waiting.',
    rules: [153],
    check: async (lesson) => {
      const what = 'What is not JSON fails the connection, and whoever waits is told.';
      for (const text of ['Debugger attached.', '{"id":1,']) {
        await opened(lesson, async (peer, devtools) => {
          const given: Fact[] = [['came', show(text)]];
          const outcome = ask(devtools, EVALUATE);
          await peer.hears(1, what);
          peer.says(text);
          let isEnded = false;
          const ended = Promise.resolve(devtools.ended).then(() => {
            isEnded = true;
          });
          await peer.hearsClose(what);
          await giveWay(5);
          equal(() => isEnded, false, 'While TCP is there, the connection has not ended.', {
            given,
            label: '`ended` has resolved',
          });
          peer.ends();
          await expectRejection(outcome, what, given);
          await expectEnd(ended, 'ended', given);
        });
      }
    },
  },
  {
    what: 'A request that has been answered is forgotten.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools) => {
        const what = 'A request that has been answered is forgotten, and its result with it.';
        const answer = async () => {
          const outcome = ask(devtools, EVALUATE);
          const [request] = await peer.hears(1, what);
          peer.says({ id: request?.id, result: {} });
          const { state, value } = { value: undefined, ...(await outcome) };
          if (state !== 'resolved') fail(what, [['the promise', state]]);
          return new WeakRef(value as unknown as object);
        };
        if (await isForgotten(await answer())) return;
        fail(
          what,
          [['its memory', 'is still kept']],
          'Nobody waits any more: take it off the map.',
        );
      }),
  },
  {
    what: 'Of 200 requests, each gets what it asked for, whatever comes in between.',
    rules: [],
    check: (lesson) =>
      opened(lesson, async (peer, devtools, events) => {
        const what = 'Each of 200 requests gets what it asked for.';
        const choices = Choices.random(SEED);
        const outcomes = Array.from({ length: 200 }, (_, i) => ask(devtools, `Get.${i}`));
        const waiting = [...(await peer.hears(200, what))];
        let told = 0;
        while (waiting.length > 0) {
          const [request] = waiting.splice(choices.below(waiting.length), 1);
          const number = Number(`${request?.method}`.slice(4));
          if (choices.oneIn(3)) peer.says({ method: `Event.${told++}`, params: {} });
          if (number % 7 === 3) {
            peer.says({ id: request?.id, error: { code: number, message: `no ${number}` } });
          } else peer.says({ id: request?.id, result: { number } });
        }
        for (const [number, outcome] of outcomes.entries()) {
          const given = [callOf(`Get.${number}`), ['found with', `SEED=${SEED}`] as const];
          if (number % 7 !== 3) await expectResult(outcome, { number }, what, given);
          else {
            const { cause } = await expectRejection(outcome, what, given);
            equal(() => cause, number, what, { given, label: 'cause' });
          }
        }
        equal(() => events.length, told, what, { label: 'events told' });
      }),
  },
];

export const DEVTOOLS: Scenarios = [...ASKING, ...HEARING, ...LONG, ...ENDING];
