/** Step 3: is this a WebSocket request? */
import { equal, fail, refusesWith, throws } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { RFC_KEY } from '../../vectors/accept.ts';
import {
  type Change,
  drawRequest,
  headOf,
  RFC_REQUEST,
  RFC_UPGRADE,
  replace,
  requestLine,
  without,
} from './requests.ts';

type UpgradeScenario = Scenario<typeof Handshake>;

const KEY = 'Sec-WebSocket-Key';
const VERSION = 'Sec-WebSocket-Version';
const PROTOCOL = 'Sec-WebSocket-Protocol';

/** The changed request asks for what that of the standard does, but for what `differs` has. */
function accepts(
  rules: readonly number[],
  request: string,
  change: Change,
  differs: Partial<Handshake.Upgrade> = {},
): UpgradeScenario {
  const what = `Accept ${request}.`;
  return {
    what,
    rules,
    check: ({ checkUpgrade }) => {
      const lines = change(RFC_REQUEST);
      const expected = { ...RFC_UPGRADE, ...differs };
      equal(() => checkUpgrade(headOf(lines)), expected, what, {
        given: [drawRequest(lines)],
        causeOfError: () => namesAsWritten(checkUpgrade, lines),
      });
    },
  };
}

/** Says so when the code finds the headers under the names that the request writes. */
function namesAsWritten(
  checkUpgrade: (typeof Handshake)['checkUpgrade'],
  lines: readonly string[],
): string {
  const head = headOf(lines);
  const headers = new Map(head.headers);
  for (const [name = ''] of lines.slice(1).map((line) => line.split(':'))) {
    headers.set(name, head.headers.get(name.toLowerCase()) ?? []);
  }
  checkUpgrade({ ...head, headers });
  return 'With the names as the request writes them, it is accepted. In `headers` they are in lower case, such as `sec-websocket-key`.';
}

const ACCEPTED: readonly UpgradeScenario[] = [
  accepts([34], 'the request of RFC 6455 §1.2', (lines) => [...lines]),
  accepts([43], 'the same headers in reverse', ([first = '', ...rest]) => [
    first,
    ...rest.reverse(),
  ]),
  accepts([38], '`Upgrade: WebSocket`', replace('Upgrade', 'WebSocket')),
  accepts([38], 'one Upgrade of two', replace('Upgrade', 'h2c, websocket')),
  accepts([39], '`Connection: upgrade`, as nginx has it', replace('Connection', 'upgrade')),
  accepts(
    [39],
    '`keep-alive, Upgrade`, as Firefox has it',
    replace('Connection', 'keep-alive, Upgrade'),
  ),
  accepts(
    [39],
    '`Upgrade,Keep-Alive`, without a space',
    replace('Connection', 'Upgrade,Keep-Alive'),
  ),
  accepts([39], 'two Connection lines', replace('Connection', 'keep-alive', 'Upgrade')),
  accepts([43], 'a header nobody knows', replace('X-Forwarded-For', '10.0.0.1')),
  accepts(
    [43],
    'an offer of compression',
    replace('Sec-WebSocket-Extensions', 'permessage-deflate'),
  ),
  accepts([36], 'HTTP/1.2', requestLine('GET /chat HTTP/1.2')),
  accepts([], 'no Origin: it is no browser', without('Origin'), { origin: undefined }),
  accepts([], 'no subprotocols', without(PROTOCOL), { protocols: [] }),
  accepts([64], 'two lines of subprotocols', replace(PROTOCOL, 'chat', 'superchat')),
  accepts([36], 'a query', requestLine('GET /chat?room=1 HTTP/1.1'), { resource: '/chat?room=1' }),
  accepts(
    [36],
    'a whole URI, as a proxy sends it',
    requestLine('GET http://server.example.com:80/chat?room=1 HTTP/1.1'),
    { resource: '/chat?room=1' },
  ),
  accepts([36], 'a whole URI without path', requestLine('GET http://example.com HTTP/1.1'), {
    resource: '/',
  }),
  accepts(
    [40],
    'a key whose unused bits are not 0, from RFC 6455 §4.1',
    replace(KEY, 'AQIDBAUGBwgJCgsMDQ4PEC=='),
    { key: 'AQIDBAUGBwgJCgsMDQ4PEC==' },
  ),
];

/** The changed request is refused with this status, and the headers that go with it. */
function refuses(
  status: number,
  rules: readonly number[],
  request: string,
  change: Change,
): UpgradeScenario {
  const what = `Refuse ${request}.`;
  return {
    what,
    rules,
    check: ({ checkUpgrade }) => {
      const lines = change(RFC_REQUEST);
      const about = { given: [drawRequest(lines)] };
      const refuse = () => checkUpgrade(headOf(lines));
      saysWhatIsRight(refusesWith(status, refuse, what, about), about);
    },
  };
}

/** The headers that a status has to have, by HTTP. */
const NEEDED: Readonly<Record<number, readonly [name: string, value: string][]>> = {
  405: [['Allow', 'GET']],
  426: [
    [VERSION, '13'],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Connection', 'close'],
  ],
};

/** Checks that a refusal has the headers that its status has to have. */
export function saysWhatIsRight({ status, headers }: HandshakeError, about: About): void {
  for (const [name, value] of NEEDED[status] ?? []) {
    if (itemsOf(headers, name).includes(value.toLowerCase())) continue;
    fail(`A ${status} has to say what would be right: ${name}: ${value}.`, [
      ...(about.given ?? []),
      ['its headers', show(headers)],
    ]);
  }
}

/** The items of a header, in lower case. */
function itemsOf(headers: HandshakeError['headers'], name: string): string[] {
  return Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .flatMap(([, value]) => String(value).toLowerCase().trim().split(/ *, */));
}

const REFUSED: readonly UpgradeScenario[] = [
  refuses(405, [35, 36], 'a POST', requestLine('POST /chat HTTP/1.1')),
  refuses(405, [35, 36], 'a method that only starts with GET', requestLine('GETX /chat HTTP/1.1')),
  refuses(400, [35, 36], 'HTTP/1.0', requestLine('GET /chat HTTP/1.0')),
  refuses(
    400,
    [35, 36],
    'a target that is neither a path nor a URI',
    requestLine('GET chat HTTP/1.1'),
  ),
  refuses(400, [35, 36], 'the target `*`', requestLine('GET * HTTP/1.1')),
  refuses(
    400,
    [35, 36],
    'a URI that only contains `http`',
    requestLine('GET x-http://a.example/ HTTP/1.1'),
  ),
  refuses(400, [35, 37], 'a request without Host', without('Host')),
  refuses(400, [35, 37], 'the same Host twice', replace('Host', 'a.example', 'a.example')),
  refuses(400, [35, 37], 'a request with two Hosts', replace('Host', 'a.example', 'b.example')),
  refuses(400, [35, 38], 'a request without Upgrade', without('Upgrade')),
  refuses(400, [35, 38], 'an Upgrade to something else', replace('Upgrade', 'h2c')),
  refuses(
    400,
    [35, 38],
    'an Upgrade that only contains the word',
    replace('Upgrade', 'websockets'),
  ),
  refuses(400, [35, 39], 'a request without Connection', without('Connection')),
  refuses(400, [35, 39], 'a Connection without `Upgrade`', replace('Connection', 'keep-alive')),
  refuses(
    400,
    [35, 39],
    'a Connection that only contains the word',
    replace('Connection', 'not-upgrade-really'),
  ),
  refuses(426, [35, 41, 47, 60], 'a request without version', without(VERSION)),
  refuses(426, [35, 41, 47, 60], 'version 8', replace(VERSION, '8')),
  refuses(426, [35, 41, 47, 60], 'version 12', replace(VERSION, '12')),
  refuses(426, [35, 41, 47, 60], 'version 130', replace(VERSION, '130')),
  refuses(400, [35, 65], 'two versions', replace(VERSION, '13', '13')),
  refuses(400, [35, 40], 'a request without key', without(KEY)),
  refuses(400, [35, 40], 'an empty key', replace(KEY, '')),
  refuses(400, [35, 40], 'a key of 2 bytes', replace(KEY, 'abc=')),
  refuses(400, [35, 40], 'a key of 15 bytes', replace(KEY, 'AQIDBAUGBwgJCgsMDQ4P')),
  refuses(400, [35, 40], 'a key of 17 bytes', replace(KEY, 'AQIDBAUGBwgJCgsMDQ4PEBE=')),
  refuses(
    400,
    [35, 40],
    'a key of 24 characters that is not base64',
    replace(KEY, 'dGhlIHNhbX!sZSBub25jZQ=='),
  ),
  refuses(400, [35, 40], 'a key in base64url', replace(KEY, 'dGhlIHNhbX-sZSBub25jZQ==')),
  refuses(400, [35, 40], 'a key with text before it', replace(KEY, `x ${RFC_KEY}`)),
  refuses(400, [35, 40], 'a key with text after it', replace(KEY, `${RFC_KEY} x`)),
  refuses(400, [35, 61], 'two keys', replace(KEY, RFC_KEY, RFC_KEY)),
  refuses(400, [35], 'two Origins', replace('Origin', 'http://a.example', 'http://b.example')),
  refuses(
    400,
    [35],
    'the same Origin twice',
    replace('Origin', 'http://a.example', 'http://a.example'),
  ),
  refuses(400, [35], 'a subprotocol that is no token', replace(PROTOCOL, 'chat, super chat')),
  refuses(400, [35], 'a subprotocol that stands twice', replace(PROTOCOL, 'chat, superchat, chat')),
];

const EMPTY_ITEM: UpgradeScenario = {
  what: 'Skip an empty item in the subprotocols, or refuse it: it is no name.',
  rules: [35, 64],
  check: ({ checkUpgrade }) => {
    const lines = replace(PROTOCOL, 'chat,, superchat')(RFC_REQUEST);
    const skipOrRefuse = () => {
      try {
        return checkUpgrade(headOf(lines));
      } catch (error) {
        if (error instanceof HandshakeError && error.status === 400) return RFC_UPGRADE;
        throw error;
      }
    };
    equal(skipOrRefuse, RFC_UPGRADE, EMPTY_ITEM.what, { given: [drawRequest(lines)] });
  },
};

const SECOND_TIME: Fact = ['call', 'checkUpgrade(request), for the second time'];

const TWICE: UpgradeScenario = {
  what: 'Leave the request as it is: checked again, it is as good as before.',
  rules: [],
  check: ({ checkUpgrade }) => {
    const head = headOf(RFC_REQUEST);
    const given = [drawRequest(RFC_REQUEST)];
    equal(() => checkUpgrade(head), RFC_UPGRADE, 'Accept the request of RFC 6455 §1.2.', { given });
    const [left, before] = [head, headOf(RFC_REQUEST)].map(({ headers }) => {
      return Object.fromEntries(headers);
    });
    const label = 'its headers afterwards';
    equal(() => left, before, 'Leave the headers of the request as they are.', { given, label });
    equal(() => checkUpgrade(head), RFC_UPGRADE, TWICE.what, { given: [...given, SECOND_TIME] });
  },
};

/** Whether that is a version that is repeated, or none that we speak, is for the server to say. */
const TWO_VERSIONS: UpgradeScenario = {
  what: 'Refuse two versions in one line.',
  rules: [35],
  check: ({ checkUpgrade }) => {
    const lines = replace(VERSION, '8, 13')(RFC_REQUEST);
    const about = { given: [drawRequest(lines)] };
    throws(Error, () => checkUpgrade(headOf(lines)), 'Refuse two versions in one line.', about);
  },
};

export const UPGRADE: readonly UpgradeScenario[] = [
  ...ACCEPTED,
  ...REFUSED,
  EMPTY_ITEM,
  TWICE,
  TWO_VERSIONS,
];
