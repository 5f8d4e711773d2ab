/** Step 3, with requests that nobody thought of. */
import { attempt } from '../../../shared/harness/check.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import type { UpgradeScenario } from './check-upgrade.ts';
import { compare, eachOf, RESOURCE } from './judge.ts';
import { drawRequest, headOf, RFC_REQUEST, requestLine } from './requests.ts';

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
const LIST_ITEMS = [
  '',
  'h2c',
  'keep-alive',
  'websockets',
  'x-upgrade',
  'up grade',
  'web',
  '"x"',
  '\xa0websocket',
  'upgrade\xa0',
];
/** What may be between the items of a list. */
export const SEPARATORS = [', ', ',', ' ,', '\t,\t', ' , ', ',,'];
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

/** What headers may be instead, by their names, line by line. */
export type Values = Readonly<Record<string, (choose: Choices) => string[]>>;

/** What the headers of step 3 may be instead. */
export const HTTP_VALUES: Values = {
  Host: (choose) => choose.list(2, () => choose.pick(['h', 'h:8080', 'a.example'])),
  Upgrade: (choose) => drawList(choose, ['websocket', 'WebSocket', 'WEBSOCKET']),
  Connection: (choose) => drawList(choose, ['Upgrade', 'upgrade', 'UPGRADE']),
};

/** Draws a request: that of the standard, and in one or two places another. */
export function drawLines(choose: Choices, values: Values): string[] {
  const isOther = () => choose.oneIn(6);
  const method = isOther() ? choose.pick(METHODS) : 'GET';
  const target = isOther() ? drawTarget(choose) : '/chat';
  const version = isOther() ? choose.pick(VERSIONS) : 'HTTP/1.1';
  const headers = RFC_REQUEST.slice(1).flatMap((line) => {
    const name = line.split(':', 1).join();
    const draw = values[name];
    if (!draw || !isOther()) return [line];
    return draw(choose).map((value) => `${name}: ${value}`);
  });
  const added = isOther() ? [choose.pick(UNKNOWN)] : [];
  const ordered = isOther() ? headers.reverse() : headers;
  return [`${method} ${target} ${version}`, ...ordered, ...added];
}

// ── Scenarios ───────────────────────────────────────────────────────────────────────────────────

const ANY_REQUEST: UpgradeScenario = {
  what: 'Any request, with one thing wrong or none.',
  rules: [34, 35, 36, 37, 38, 39, 43],
  check: (lesson) =>
    generated(100, (choose) => compare(lesson, drawLines(choose, HTTP_VALUES), RESOURCE)),
};

const EACH: readonly UpgradeScenario[] = [
  eachOf('Each of many methods.', [35, 36], RESOURCE, METHODS, (text) =>
    requestLine(`${text} /chat HTTP/1.1`),
  ),
  eachOf('Each of many targets.', [35, 36], RESOURCE, TARGETS, (text) =>
    requestLine(`GET ${text} HTTP/1.1`),
  ),
  eachOf('Each of many versions of HTTP.', [35, 36], RESOURCE, VERSIONS, (text) =>
    requestLine(`GET /chat ${text}`),
  ),
];

const ANY_TARGET: UpgradeScenario = {
  what: 'Any target, read as it is.',
  rules: [35, 36],
  check: (lesson) => {
    generated(60, (choose) => {
      compare(lesson, requestLine(`GET ${drawTarget(choose)} HTTP/1.1`)(RFC_REQUEST), RESOURCE);
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
      attempt(readOrRefuse, STRANGE.what, [drawRequest(lines)], {
        expected: 'an `Upgrade`, or a thrown HandshakeError',
      });
    }
  },
};

export const ANY_UPGRADES: readonly UpgradeScenario[] = [...EACH, ANY_TARGET, STRANGE, ANY_REQUEST];
