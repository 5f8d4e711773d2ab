/** Step 2: the key, and the request. */
import { fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { RFC_KEY } from '../../vectors/accept.ts';
import { ANY_REQUESTS } from './any-request.ts';
import { KEYS } from './keys.ts';
import {
  ask,
  type Call,
  drawnOf,
  factsOf,
  itemsOf,
  type ParsedRequest,
  refusesToAsk,
} from './request.ts';
import { to } from './targets.ts';
import type { Scenarios } from './tools.ts';

type RequestScenario = Scenarios[number];

const CALLS: readonly Call[] = [
  { target: to('ws://server.example.com/chat'), key: RFC_KEY },
  {
    target: to('wss://example.com:8443/?token=a%20b'),
    key: 'x3JJHMbDL1EzLkh9GBhXDw==',
    options: { protocols: ['chat', 'superchat'] },
  },
  {
    target: to('ws://[::1]:8080/'),
    key: 'AQIDBAUGBwgJCgsMDQ4PEA==',
    options: {
      protocols: ['graphql-ws'],
      headers: { Cookie: 'a=b; c="d:e"', Authorization: 'Basic YTpi', 'X-Empty': '' },
    },
  },
];

/** Something that has to be so of the request of each call, besides valid HTTP. */
function asks(
  rules: readonly number[],
  what: string,
  checkRequest: (request: ParsedRequest, call: Call, given: readonly Fact[]) => void = () => {},
): RequestScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const call of CALLS) {
        const request = ask(lesson, call);
        checkRequest(request, call, [...factsOf(call), drawnOf(request.bytes)]);
      }
    },
  };
}

const ASKED: readonly RequestScenario[] = [
  asks([14, 61, 65], 'Ask in valid HTTP, with each header once, and nothing behind it.'),
  asks([15], 'Ask with GET and HTTP/1.1.', ({ line }, _, given) => {
    if (/^GET .* HTTP\/1\.1$/.test(line)) return;
    fail('The request line begins with `GET` and ends with `HTTP/1.1`.', given);
  }),
  asks([16], 'Ask for the resource: path and query.', ({ line }, { target }, given) => {
    if (line.split(' ')[1] === target.resource) return;
    fail('Between GET and HTTP/1.1 is the resource of the target, as it is.', given);
  }),
  asks([17], 'The Host is that of the target, with its port.', ({ headers }, { target }, given) => {
    if (headers.get('host') === target.hostHeader) return;
    const cause =
      headers.get('host') === target.host
        ? 'The `host` of a target is what to connect to. For the Host header there is `hostHeader`.'
        : undefined;
    fail(`The request needs \`Host: ${target.hostHeader}\`.`, given, cause);
  }),
  asks([18], 'Ask with `Upgrade: websocket`.', ({ headers }, _, given) => {
    if (headers.get('upgrade')?.toLowerCase() === 'websocket') return;
    fail('The request needs `Upgrade: websocket`.', given);
  }),
  asks([19], 'Ask with `Connection: Upgrade`.', (request, _, given) => {
    if (itemsOf(request, 'connection').some((item) => item.toLowerCase() === 'upgrade')) return;
    fail('The request needs `Connection: Upgrade`.', given);
  }),
  asks([20], 'Send the key that was given.', ({ headers }, { key }, given) => {
    if (headers.get('sec-websocket-key') === key) return;
    fail(`The request needs \`Sec-WebSocket-Key: ${key}\`.`, given);
  }),
  asks([23], 'Ask for version 13.', ({ headers }, _, given) => {
    if (headers.get('sec-websocket-version') === '13') return;
    fail('The request needs `Sec-WebSocket-Version: 13`.', given);
  }),
  asks([24], 'Offer the subprotocols, in their order.', (request, { options }, given) => {
    const offered = itemsOf(request, 'sec-websocket-protocol');
    const { protocols = [] } = options ?? {};
    if (protocols.length === 0 || offered.join() === protocols.join()) return;
    fail(`The request needs \`Sec-WebSocket-Protocol: ${protocols.join(', ')}\`.`, given);
  }),
  asks([24], 'Without a subprotocol, offer none.', ({ headers }, { options }, given) => {
    if (options?.protocols || !headers.has('sec-websocket-protocol')) return;
    fail('Send no `Sec-WebSocket-Protocol`: there are none to offer.', given);
  }),
  asks([14], 'Send the headers of the options.', ({ headers }, { options }, given) => {
    for (const [name, value] of Object.entries(options?.headers ?? {})) {
      if (headers.get(name.toLowerCase()) === value) continue;
      fail(`The request needs the header of the options: \`${name}: ${value}\`.`, given);
    }
  }),
  asks([], 'Send no header that nobody asked for.', ({ headers }, { options }, given) => {
    const wanted = new Set(
      [...OURS, ...Object.keys(options?.headers ?? {})].map((name) => name.toLowerCase()),
    );
    const extra = [...headers.keys()].find((name) => !wanted.has(name));
    if (extra === undefined) return;
    const cause =
      extra === 'origin'
        ? 'An Origin is for the page that a browser shows. A server that has a list of them refuses one that it does not know.'
        : undefined;
    fail(`Nobody asked for this header: \`${extra}\`.`, given, cause);
  }),
  {
    what: 'Of an empty list of subprotocols, offer none.',
    rules: [24],
    check: (lesson) => {
      const call = { target: CALLS[0]!.target, key: RFC_KEY, options: { protocols: [] } };
      const { headers, bytes } = ask(lesson, call);
      if (!headers.has('sec-websocket-protocol')) return;
      fail('Send no `Sec-WebSocket-Protocol`: there are none to offer.', [
        ...factsOf(call),
        drawnOf(bytes),
      ]);
    },
  },
];

const OURS = [
  'Host',
  'Upgrade',
  'Connection',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Version',
  'Sec-WebSocket-Protocol',
];

// ── What cannot be sent ─────────────────────────────────────────────────────────────────────────

/** These subprotocols cannot be offered. */
function refusesToOffer(why: string, protocols: readonly string[]): RequestScenario {
  const what = `Refuse to offer ${show(protocols)}: ${why}.`;
  return {
    what,
    rules: [24],
    check: (lesson) => {
      const call = { target: CALLS[0]!.target, key: RFC_KEY, options: { protocols } };
      refusesToAsk(lesson, call, 'SyntaxError', what);
    },
  };
}

const PROTOCOLS: readonly RequestScenario[] = [
  refusesToOffer('a token has a character at least', ['']),
  refusesToOffer('there is a space in it', ['chat', 'a b']),
  refusesToOffer('a comma makes two of it', ['a,b']),
  refusesToOffer('a slash is in no token', ['chat/2']),
  refusesToOffer('it is not ASCII', ['ä']),
  refusesToOffer('it brings a header line of its own', ['chat\r\nX-Evil: 1']),
  refusesToOffer('no two can be the same', ['chat', 'other', 'chat']),
  {
    what: 'Offer two subprotocols that differ in their case.',
    rules: [24],
    check: (lesson) => {
      const protocols = ['chat', 'CHAT'];
      const call = { target: CALLS[0]!.target, key: RFC_KEY, options: { protocols } };
      const request = ask(lesson, call);
      if (itemsOf(request, 'sec-websocket-protocol').join() === 'chat,CHAT') return;
      fail('The name of a subprotocol is another one in another case.', [
        ...factsOf(call),
        drawnOf(request.bytes),
      ]);
    },
  },
];

/** A header that cannot be sent. */
function refusesToSend(
  rules: readonly number[],
  what: string,
  headers: Readonly<Record<string, string>>,
): RequestScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      const call = { target: CALLS[0]!.target, key: RFC_KEY, options: { headers } };
      refusesToAsk(lesson, call, 'TypeError', what);
    },
  };
}

const INJECTED = { 'X-A': 'b\r\nX-Evil: 1' };

const IN_ANY_CASE: RequestScenario = {
  what: 'Refuse these names in any case.',
  rules: [17, 18, 19, 61, 65],
  check: (lesson) => {
    for (const name of [
      'HOST',
      'uPgrade',
      'connectioN',
      'SEC-WEBSOCKET-KEY',
      'sec-Websocket-X',
      'Sec-WebSocket-',
    ]) {
      const call = {
        target: CALLS[0]!.target,
        key: RFC_KEY,
        options: { headers: { [name]: '1' } },
      };
      refusesToAsk(lesson, call, 'TypeError', IN_ANY_CASE.what);
    }
  },
};

const HEADERS: readonly RequestScenario[] = [
  refusesToSend([14], 'Refuse a value with a line break: it brings a header of its own.', INJECTED),
  refusesToSend([14], 'Refuse a value with half of a line break.', { 'X-A': 'b\n' }),
  refusesToSend([14], 'Refuse a value that is not one byte for each character.', { 'X-A': '€' }),
  refusesToSend([14], 'Refuse a name with a line break.', { 'X-A: b\r\nX-Evil': '1' }),
  refusesToSend([14], 'Refuse a name with a space behind it.', { 'X-A ': 'b' }),
  refusesToSend([14], 'Refuse a name that is empty.', { '': 'b' }),
  refusesToSend([17], 'Refuse another Host.', { host: 'evil.example' }),
  refusesToSend([18], 'Refuse another Upgrade.', { Upgrade: 'h2c' }),
  refusesToSend([19], 'Refuse another Connection.', { CONNECTION: 'close' }),
  refusesToSend([61], 'Refuse another key.', { 'sec-websocket-key': RFC_KEY }),
  refusesToSend([65], 'Refuse another version.', { 'Sec-WebSocket-Version': '8' }),
  refusesToSend([24], 'Refuse subprotocols that the options do not name.', {
    'Sec-WebSocket-Protocol': 'chat',
  }),
  IN_ANY_CASE,
  refusesToSend([], 'Refuse to offer an extension: this client speaks none.', {
    'Sec-WebSocket-Extensions': 'permessage-deflate',
  }),
];

export const REQUESTS: Scenarios = [...KEYS, ...ASKED, ...PROTOCOLS, ...HEADERS, ...ANY_REQUESTS];
