/** Step 3: is this a WebSocket request? */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { accepts, refuses, type UpgradeScenario } from './check-upgrade.ts';
import {
  type Change,
  drawRequest,
  headOf,
  RFC_REQUEST,
  replace,
  requestLine,
  without,
} from './requests.ts';

/** All that this step asks of what is returned: key, Origin and subprotocols are for the next. */
const RFC_RESOURCE = { resource: '/chat' };

/** The changed request is accepted, and asks for this resource. */
function acceptsFor(
  resource: string,
  rules: readonly number[],
  request: string,
  change: Change,
): UpgradeScenario {
  return accepts(rules, request, change, { resource });
}

const ACCEPTED: readonly UpgradeScenario[] = [
  acceptsFor('/chat', [34], 'the request of RFC 6455 §1.2', (lines) => [...lines]),
  acceptsFor('/chat', [43], 'the same headers in reverse', ([first = '', ...rest]) => [
    first,
    ...rest.reverse(),
  ]),
  acceptsFor('/chat', [36], 'HTTP/1.2', requestLine('GET /chat HTTP/1.2')),
  acceptsFor('/chat?room=1', [36], 'a query', requestLine('GET /chat?room=1 HTTP/1.1')),
  acceptsFor(
    '/chat?room=1',
    [36],
    'a whole URI, as a proxy sends it',
    requestLine('GET http://server.example.com:80/chat?room=1 HTTP/1.1'),
  ),
  acceptsFor('/', [36], 'a whole URI without path', requestLine('GET http://example.com HTTP/1.1')),
  acceptsFor('/chat', [38], '`Upgrade: WebSocket`', replace('Upgrade', 'WebSocket')),
  acceptsFor('/chat', [38], 'one Upgrade of two', replace('Upgrade', 'h2c, websocket')),
  acceptsFor(
    '/chat',
    [39],
    '`Connection: upgrade`, as nginx has it',
    replace('Connection', 'upgrade'),
  ),
  acceptsFor(
    '/chat',
    [39],
    '`keep-alive, Upgrade`, as Firefox has it',
    replace('Connection', 'keep-alive, Upgrade'),
  ),
  acceptsFor(
    '/chat',
    [39],
    '`Upgrade,Keep-Alive`, without a space',
    replace('Connection', 'Upgrade,Keep-Alive'),
  ),
  acceptsFor('/chat', [39], 'two Connection lines', replace('Connection', 'keep-alive', 'Upgrade')),
  acceptsFor('/chat', [43], 'a header nobody knows', replace('X-Forwarded-For', '10.0.0.1')),
];

const NO_BREAK_SPACE =
  'In HTTP, only spaces and tabs are white space. The byte a0 is part of the item, although `trim` and `\\s` of JavaScript take it for a space.';

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
  refuses(400, [35, 36], 'an http URI without a host', requestLine('GET http:///chat HTTP/1.1')),
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
  refuses(
    400,
    [35, 38],
    'an Upgrade with a no-break space before the word',
    replace('Upgrade', 'h2c,\xa0websocket'),
    NO_BREAK_SPACE,
  ),
  refuses(400, [35, 39], 'a request without Connection', without('Connection')),
  refuses(400, [35, 39], 'a Connection without `Upgrade`', replace('Connection', 'keep-alive')),
  refuses(
    400,
    [35, 39],
    'a Connection that only contains the word',
    replace('Connection', 'not-upgrade-really'),
  ),
  refuses(
    400,
    [35, 39],
    'a Connection with a no-break space behind the word',
    replace('Connection', 'Upgrade\xa0, keep-alive'),
    NO_BREAK_SPACE,
  ),
];

const SECOND_TIME: Fact = ['call', 'checkUpgrade(request), for the second time'];

const TWICE: UpgradeScenario = {
  what: 'Leave the request as it is: checked again, it is as good as before.',
  rules: [],
  check: ({ checkUpgrade }) => {
    const head = headOf(RFC_REQUEST);
    const given = [drawRequest(RFC_REQUEST)];
    const accepted = 'Accept the request of RFC 6455 §1.2.';
    equal(() => checkUpgrade(head), RFC_RESOURCE, accepted, { given });
    const [left, before] = [head, headOf(RFC_REQUEST)].map(({ headers }) => {
      return Object.fromEntries(headers);
    });
    const label = 'its headers afterwards';
    equal(() => left, before, 'Leave the headers of the request as they are.', { given, label });
    equal(() => checkUpgrade(head), RFC_RESOURCE, TWICE.what, { given: [...given, SECOND_TIME] });
  },
};

export const UPGRADE: readonly UpgradeScenario[] = [...ACCEPTED, ...REFUSED, TWICE];
