/** Step 3, with requests that nobody thought of. */
import { attempt, equal, refusesWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { RFC_KEY } from '../../vectors/accept.ts';
import { BASE64_DIGITS, CHARACTERS, consistsOf, isToken, trimmed } from './reader.ts';
import { type Change, drawRequest, headOf, RFC_REQUEST, replace, requestLine } from './requests.ts';
import { saysWhatIsRight } from './upgrade.ts';

type UpgradeScenario = Scenario<typeof Handshake>;

// ── The slow, obvious judge ─────────────────────────────────────────────────────────────────────

/** The status for a request that breaks a rule, and how the rule is told. */
type Breach = readonly [status: number, told: string];

/** What is to be made of a request. */
interface Judgement {
  readonly breaches: readonly Breach[];
  /** What it asks for, where it breaks no rule. */
  readonly upgrade: Handshake.Upgrade;
  /** Nothing says which of two answers is the right one. */
  readonly isOpen: boolean;
}

function judge({ method, version, target, headers }: Handshake.RequestHead): Judgement {
  const lines = (name: string) => headers.get(name) ?? [];
  const items = (name: string) =>
    lines(name).flatMap((line) => line.split(',').map((item) => trimmed(item)));
  const lists = (name: string, wanted: string) =>
    items(name).some((item) => item.toLowerCase() === wanted);

  const [protocolVersion, ...moreVersions] = lines('sec-websocket-version');
  const [key = '', ...moreKeys] = lines('sec-websocket-key');
  const [origin, ...moreOrigins] = lines('origin');
  const protocols = items('sec-websocket-protocol');
  const resource = resourceOf(target);
  const breaches: readonly (Breach | false)[] = [
    method !== 'GET' && [405, 'Refuse a method that is not `GET`, in capitals.'],
    ['HTTP/0.9', 'HTTP/1.0'].includes(version) && [400, 'Refuse HTTP before 1.1.'],
    resource === undefined && [400, 'Refuse a target that is neither a path nor an http URI.'],
    lines('host').length !== 1 && [400, 'Refuse a request that has not one Host.'],
    !lists('upgrade', 'websocket') && [400, 'Refuse an Upgrade that does not list `websocket`.'],
    !lists('connection', 'upgrade') && [400, 'Refuse a Connection that does not list `Upgrade`.'],
    moreVersions.length > 0 && [400, 'Refuse two versions of WebSocket.'],
    moreVersions.length === 0 &&
      protocolVersion !== '13' && [
        426,
        'Refuse a Sec-WebSocket-Version that is not `13`, character by character.',
      ],
    moreKeys.length > 0 && [400, 'Refuse two keys, even if they are the same.'],
    !isKey(key) && [400, 'Refuse a key that is not 22 base64 digits and `==`.'],
    moreOrigins.length > 0 && [400, 'Refuse two Origins, even if they are the same.'],
    protocols.some((name) => name !== '' && !isToken(name)) && [
      400,
      'Refuse a subprotocol that is not a token.',
    ],
    new Set(protocols).size < protocols.length && [
      400,
      'Refuse a subprotocol that is there twice.',
    ],
  ];
  return {
    breaches: breaches.filter((breach) => breach !== false),
    upgrade: { key, resource: resource ?? '', origin, protocols },
    // Is `13, 8` one version or two? An empty item may be skipped, or refused.
    isOpen: protocolVersion?.includes(',') === true || protocols.includes(''),
  };
}

function isKey(text: string): boolean {
  return text.length === 24 && consistsOf(text.slice(0, 22), BASE64_DIGITS) && text.endsWith('==');
}

/** The resource name of a target. `undefined`: it is neither a path nor an http URI. */
function resourceOf(target: string): string | undefined {
  if (target.startsWith('/')) return target;
  const scheme = ['http://', 'https://'].find((start) => target.toLowerCase().startsWith(start));
  if (scheme === undefined) return undefined;
  const rest = target.slice(scheme.length);
  let end = 0;
  while (end < rest.length && !'/?'.includes(rest.charAt(end))) end++;
  if (end === 0) return undefined;
  return rest.charAt(end) === '/' ? rest.slice(end) : `/${rest.slice(end)}`;
}

// ── Requests ────────────────────────────────────────────────────────────────────────────────────

const METHODS = ['POST', 'get', 'Get', 'GETX', 'GE', 'HEAD', 'CONNECT'];
const VERSIONS = ['HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/1.9', 'HTTP/2.0', 'HTTP/3.1'];
const PATH_PARTS = ['a', '/', '?', '..', '.', '%41', '%2f', '~', '=', '*', ':', '@', '//', 'A'];
const SCHEMES = ['http://', 'https://', 'HTTP://', 'hTTps://', 'ftp://', 'ws://', 'file://'];
const NO_SCHEMES = ['http:/', 'http:', 'httpx://', 'x-http://', '//', '://', 'http//', ''];
const HOSTS = ['h', 'h:80', 'Example.com:8080', '127.0.0.1', '[::1]:80'];
/** The right ones first: what is read wrongly says more than what is not refused. */
const TARGETS = ['//a', '/a/../b', '/%41', '/?', '/a?b?c', '/http://h/', 'http://h?x=1'].concat(
  ['http://h', 'HTTP://h/chat', 'https://h/a/../b', 'http://h/?', 'http://h:80//a'],
  ['ftp://h/chat', 'ws://h/chat', '*', 'chat', '?x=1', './chat', 'h:443', 'http:chat'],
  ['http:///chat', 'http://', 'http://?x=1'],
);
const LIST_ITEMS = ['', 'h2c', 'keep-alive', 'websockets', 'x-upgrade', 'up grade', 'web', '"x"'];
const SEPARATORS = [', ', ',', ' ,', '\t,\t', ' , ', ',,'];
/** What somebody may take for 13, and what nobody does. */
const PROTOCOL_VERSIONS = [
  '8',
  '12',
  '14',
  '1',
  '3',
  '113',
  '130',
  '',
  '13abc',
  '0x0d',
  '13.0',
].concat([
  '013',
  '+13',
  '-13',
  '1.3e1',
  '13.',
  '13;',
  '1 3',
  '\xa013',
  '13\xa0',
  '0b1101',
  '0o15',
  '13n',
  'x',
]);
const NAMES = ['chat', 'Chat', 'superchat', 'v12.stomp', 'a+b', "!#$%&'*+-.^_`|~", '0', 'x'];
const NO_NAMES = [
  'super chat',
  'a/b',
  '(a)',
  '"chat"',
  'a=b',
  'a;b',
  'a@b',
  '\xe9',
  'a\tb',
  '\xa0a',
];
const NAME_LISTS = ['chat, Chat', 'chat,x', 'a\t,\tb', 'x, chat, x', 'x,x', 'a, (b)', 'z, a, m'];
const ORIGINS = ['http://a.example', 'HTTP://A.Example', 'null', '', 'http://a.example/'].concat([
  'http://a.example, http://b.example',
  'http://a.example http://b.example',
  'http://a.example:80',
]);
const UNKNOWN = ['X-Upgrade: websocket', 'Keep-Alive: 5', 'Sec-WebSocket-Extensions: x; a="b, c"'];

function drawTarget(choose: Choices): string {
  const form = choose.below(4);
  const path = choose.list(5, () => choose.pick(PATH_PARTS)).join('');
  if (form === 0) return `/${path}`;
  if (form === 3) return choose.pick(TARGETS);
  const host =
    form === 1 ? choose.pick(SCHEMES) + choose.pick(HOSTS) : `${choose.pick(NO_SCHEMES)}h`;
  // Without a slash, it would be a part of the host.
  return host + (/^[/?]|^$/.test(path) ? path : `/${path}`);
}

/** A list with the wanted item in it, or not, on one line or two. */
function drawList(choose: Choices, wanted: readonly string[]): string[] {
  const items = choose.list(4, () => choose.pick([...wanted, ...LIST_ITEMS]));
  const line = items.join(choose.pick(SEPARATORS));
  return choose.oneIn(3) ? [line, choose.pick([...wanted, ...LIST_ITEMS])] : [line];
}

function drawKey(choose: Choices): string {
  const all = [...BASE64_DIGITS];
  const digits = Array.from({ length: 22 }, () => choose.pick(all));
  const text = `${digits.join('')}==`;
  if (!choose.oneIn(2)) return text;
  const at = choose.below(25);
  const intruder = choose.pick([
    '',
    '_',
    '-',
    '=',
    ' ',
    'A',
    '\xa0',
    '\t',
    '\xe9',
    ...CHARACTERS.slice(33, 48),
  ]);
  return trimmed(text.slice(0, at) + intruder + text.slice(at + choose.below(2)));
}

/** What a header may be instead, line by line. */
const VALUES: Readonly<Record<string, (choose: Choices) => string[]>> = {
  Host: (choose) => choose.list(2, () => choose.pick(['h', 'h:8080', 'a.example'])),
  Upgrade: (choose) => drawList(choose, ['websocket', 'WebSocket', 'WEBSOCKET']),
  Connection: (choose) => drawList(choose, ['Upgrade', 'upgrade', 'UPGRADE']),
  'Sec-WebSocket-Key': (choose) => {
    const key = drawKey(choose);
    return choose.pick([[key], [RFC_KEY, RFC_KEY], [key, key], []]);
  },
  'Sec-WebSocket-Version': (choose) => {
    const version = choose.pick(PROTOCOL_VERSIONS);
    return choose.pick([[version], ['13', '13'], ['13', version], []]);
  },
  Origin: (choose) => {
    const origin = choose.pick(ORIGINS);
    return choose.pick([[origin], [origin, origin], [origin, 'http://b.example'], []]);
  },
  'Sec-WebSocket-Protocol': (choose) => {
    const pick = () => choose.pick(choose.oneIn(6) ? NO_NAMES : NAMES);
    const line = choose.list(3, pick).join(choose.pick(SEPARATORS));
    return choose.oneIn(3) ? [line, pick()] : [line];
  },
};

/** Draws a request: that of the standard, and in one or two places another. */
function drawLines(choose: Choices): string[] {
  const isOther = () => choose.oneIn(6);
  const method = isOther() ? choose.pick(METHODS) : 'GET';
  const target = isOther() ? drawTarget(choose) : '/chat';
  const version = isOther() ? choose.pick(VERSIONS) : 'HTTP/1.1';
  const headers = RFC_REQUEST.slice(1).flatMap((line) => {
    const name = line.split(':', 1).join();
    if (!isOther()) return [line];
    return (VALUES[name]?.(choose) ?? []).map((value) => `${name}: ${value}`);
  });
  const added = isOther() ? [choose.pick(UNKNOWN)] : [];
  const ordered = isOther() ? headers.reverse() : headers;
  return [`${method} ${target} ${version}`, ...ordered, ...added];
}

// ── Scenarios ───────────────────────────────────────────────────────────────────────────────────

const ACCEPTS = 'Accept any request that keeps the rules, and read what it asks for as it is.';

function compare({ checkUpgrade }: typeof Handshake, lines: readonly string[]): void {
  const head = headOf(lines);
  const { breaches, upgrade, isOpen } = judge(head);
  const [breach] = breaches;
  // With two rules broken, either may be found first.
  if (isOpen || breaches.some(([status]) => status !== breach?.[0])) return;
  const call = () => checkUpgrade(head);
  const about = {
    get given(): Fact[] {
      return [drawRequest(lines)];
    },
    cause: (returned: unknown) =>
      breach ? causeOfAccepting(returned, upgrade) : causeOf(returned, upgrade),
  };
  if (breach) {
    const [status, told] = breach;
    saysWhatIsRight(refusesWith(status, call, told, about), about);
  } else {
    equal(call, upgrade, ACCEPTS, about);
  }
}

/** Names what should not have been accepted. `undefined`: it is plain to see. */
function causeOfAccepting(returned: unknown, { key, protocols }: Handshake.Upgrade) {
  const digit = [...key.slice(0, 22)].find((character) => !BASE64_DIGITS.has(character));
  if (digit) return `${quote(digit)} is none of the 64 digits: A to Z, a to z, 0 to 9, + and /.`;
  const { protocols: mine = undefined } = (returned ?? {}) as Partial<Handshake.Upgrade>;
  const isTrimmed = String(mine) === String(protocols.map((name) => name.trim()));
  return isTrimmed && String(mine) !== String(protocols)
    ? 'A byte of the name is gone. White space in HTTP is spaces and tabs; the `trim` of JavaScript takes more, such as a0.'
    : undefined;
}

/** Names what is another text than that of the request. `undefined`: nothing, or all of it. */
function causeOf(returned: unknown, upgrade: Handshake.Upgrade): string | undefined {
  if (returned === null || typeof returned !== 'object') return undefined;
  const { resource, origin, protocols } = { ...upgrade, ...returned };
  if (resource !== upgrade.resource) {
    return 'The resource is path and query as they came: nothing is decoded, shortened or left out, and all that is added is a slash where there is no path.';
  }
  if (origin !== upgrade.origin) {
    return 'The Origin is what the header says, character by character, even if that is nothing. It is `undefined` where there is no such header.';
  }
  if (String(protocols) !== String(upgrade.protocols)) {
    return 'The subprotocols are the names as they came, in their order, and with their case.';
  }
  return undefined;
}

const ANY_REQUEST: UpgradeScenario = {
  what: 'Any request, with one thing wrong or none.',
  rules: [34, 35, 36, 37, 38, 39, 40, 41, 43, 47, 60, 61, 64, 65],
  check: (lesson) => generated(150, (choose) => compare(lesson, drawLines(choose))),
};

/** What stands in a place of a request, and each of the texts that are tried there. */
function eachOf(
  what: string,
  rules: readonly number[],
  texts: readonly string[],
  change: (text: string) => Change,
): UpgradeScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const text of texts) compare(lesson, change(text)(RFC_REQUEST));
    },
  };
}

/** Keys with another character somewhere: in the middle any visible one, elsewhere of every kind. */
const KEYS = [
  ...[...CHARACTERS.slice(0x21, 0x7f), '\xa0', '\xe9'].map((character) => putInKey(character, 9)),
  ...[0, 21, 22, 23].flatMap((at) => [...'A/+_-=\xa0'].map((character) => putInKey(character, at))),
  ...[' ', '\t'].map((space) => `${RFC_KEY.slice(0, 9)}${space}${RFC_KEY.slice(9)}`),
  ...['A', 'AB', '=', ''].map((more) => `${RFC_KEY.slice(0, 22)}${more}==`),
  ...['=', '', '==='].map((end) => `${RFC_KEY.slice(0, 22)}${end}`),
  `${RFC_KEY.slice(0, 21)}==`,
];

function putInKey(character: string, at: number): string {
  return RFC_KEY.slice(0, at) + character + RFC_KEY.slice(at + 1);
}

const EACH: readonly UpgradeScenario[] = [
  eachOf('Each of many methods.', [35, 36], METHODS, (text) =>
    requestLine(`${text} /chat HTTP/1.1`),
  ),
  eachOf('Each of many targets.', [35, 36], TARGETS, (text) => requestLine(`GET ${text} HTTP/1.1`)),
  eachOf('Each of many versions of HTTP.', [35, 36], VERSIONS, (text) =>
    requestLine(`GET /chat ${text}`),
  ),
  eachOf('Each of many versions of WebSocket.', [35, 41, 47], PROTOCOL_VERSIONS, (text) =>
    replace('Sec-WebSocket-Version', text),
  ),
  eachOf('Each character at many places of a key.', [35, 40], KEYS, (text) =>
    replace('Sec-WebSocket-Key', text),
  ),
  eachOf('Each of many Origins.', [], ORIGINS, (text) => replace('Origin', text)),
  eachOf('Each of many subprotocols.', [35], [...NAMES, ...NO_NAMES, ...NAME_LISTS], (text) =>
    replace('Sec-WebSocket-Protocol', text),
  ),
];

const ANY_TARGET: UpgradeScenario = {
  what: 'Any target, read as it is.',
  rules: [35, 36],
  check: (lesson) => {
    generated(60, (choose) => {
      compare(lesson, requestLine(`GET ${drawTarget(choose)} HTTP/1.1`)(RFC_REQUEST));
    });
  },
};

/** Targets that one may refuse, or read: HTTP and this course leave it open. */
const STRANGE_TARGETS = [
  '//[',
  'http://h:999999/',
  'http://[/',
  'http://h:x/',
  'http://u@h/',
].concat(['/#a', 'http://h#a', '/%', '/\\', 'http://%/', 'http://h/|', 'http://:80/']);

const STRANGE: UpgradeScenario = {
  what: 'Throw nothing but a `HandshakeError`, however strange the target.',
  rules: [35],
  check: ({ checkUpgrade }) => {
    for (const target of STRANGE_TARGETS) {
      const lines = requestLine(`GET ${target} HTTP/1.1`)(RFC_REQUEST);
      const readOrRefuse = () => {
        try {
          checkUpgrade(headOf(lines));
        } catch (error) {
          if (!(error instanceof HandshakeError)) throw error;
        }
      };
      attempt(readOrRefuse, STRANGE.what, [drawRequest(lines)]);
    }
  },
};

const KEPT: UpgradeScenario = {
  what: 'Any two requests: what each asks for is its own.',
  rules: [],
  check: ({ checkUpgrade }) => {
    generated(30, (choose) => {
      const requests = [drawLines(choose), drawLines(choose)];
      const judgements = requests.map((lines) => judge(headOf(lines)));
      if (judgements.some(({ breaches, isOpen }) => breaches.length > 0 || isOpen)) return;
      const given = requests.map((lines, i): Fact => [`request ${i + 1}`, lines.join('\n')]);
      const heads = requests.map(headOf);
      const check = (told: string) =>
        heads.map((head) => attempt(() => checkUpgrade(head), told, given));
      const upgrades = check('Accept one request after the other.');
      check('Leave a request as it is: when it is checked again, it is as good as before.');
      for (const [i, { upgrade }] of judgements.entries()) {
        const told = 'What a request asks for stays as it is, when others are checked.';
        equal(() => upgrades[i], upgrade, told, { given, label: `upgrade ${i + 1} afterwards` });
      }
    });
  },
};

export const ANY_UPGRADES: readonly UpgradeScenario[] = [
  ...EACH,
  ANY_TARGET,
  STRANGE,
  ANY_REQUEST,
  KEPT,
];
