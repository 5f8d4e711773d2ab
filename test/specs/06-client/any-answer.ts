/** Step 4, with responses that nobody thought of. */
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { ACCEPT_VECTORS } from '../../vectors/accept.ts';
import { type Answer, compare } from './judge.ts';
import type { Scenarios } from './tools.ts';

const STATUS_LINES = ['101 Switching Protocols', '101', '101 x', '100', '200 OK', '302', '401'];
const UPGRADES = ['websocket', 'WebSocket', 'WEBSOCKET', 'websockets', 'h2c', 'web', 'websocket,'];
const ITEMS = ['Upgrade', 'upgrade', 'UPGRADE', 'keep-alive', 'close', '', 'upgrades', 'x upgrade'];
const SEPARATORS = [', ', ',', ' ,', '\t,\t'];
const PROTOCOLS = ['chat', 'superchat', 'CHAT', 'cha', "!#$%&'*+-.^_`|~", '__proto__'];
const BAD_PROTOCOLS = ['', 'chat, superchat', 'chat,', '"chat"', 'other'];
const EXTENSIONS = ['', 'permessage-deflate', 'x-foo; a=b'];
const MORE = [
  'X-Upgrade: h2c',
  'Set-Cookie: a=b',
  'Server: x',
  'Sec-WebSocket-Key: x',
  'Via: 1.1 x',
];

/** What a header has: most often what is right, on one line. */
function drawValues(choose: Choices, right: readonly string[], wrong: readonly string[]): string[] {
  const form = choose.below(10);
  if (form < 6) return right.length > 0 ? [choose.pick(right)] : [];
  if (form === 6) return [choose.pick(wrong)];
  if (form === 7) return [];
  const all = [...right, ...wrong];
  return [choose.pick(all), choose.pick(all)];
}

function drawConnection(choose: Choices): string {
  const items = choose.list(3, () => choose.pick(ITEMS));
  return ['Upgrade', ...items].slice(choose.below(2)).toSorted().join(choose.pick(SEPARATORS));
}

/** Changes an accept value a little. */
function wrongAccepts(choose: Choices, accept: string): string[] {
  const at = choose.below(accept.length);
  const other = accept[at] === 'A' ? 'B' : 'A';
  return [
    accept.slice(0, at) + other + accept.slice(at + 1),
    accept.slice(0, at),
    accept + accept.slice(at),
    accept.toUpperCase(),
    '',
  ];
}

function drawAnswer(choose: Choices): Answer {
  const { key, accept } = choose.pick(ACCEPT_VECTORS);
  const offer = [...new Set(choose.list(3, () => choose.pick(PROTOCOLS)))];
  const status = choose.oneIn(8) ? choose.pick(STATUS_LINES) : STATUS_LINES[0];
  const values: Readonly<Record<string, readonly string[]>> = {
    Upgrade: drawValues(choose, UPGRADES.slice(0, 3), UPGRADES),
    Connection: Array.from({ length: choose.pick([1, 1, 2, 0]) }, () => drawConnection(choose)),
    'Sec-WebSocket-Accept': drawValues(choose, [accept], wrongAccepts(choose, accept)),
    'Sec-WebSocket-Protocol': drawValues(choose, offer, [...PROTOCOLS, ...BAD_PROTOCOLS]),
    'Sec-WebSocket-Extensions': choose.oneIn(10) ? [choose.pick(EXTENSIONS)] : [],
  };
  const isLower = choose.below(2) === 1;
  const headers = Object.entries(values).flatMap(([name, lines]) =>
    lines.map((value) => `${isLower ? name.toLowerCase() : name}: ${value}`),
  );
  const at = choose.below(headers.length + 1);
  const more = choose.list(2, () => choose.pick(MORE));
  const lines = [`HTTP/1.1 ${status}`, ...headers.toSpliced(at, 0, ...more)];
  return {
    lines,
    key,
    accept,
    ...(offer.length > 0 || choose.oneIn(2) ? { protocols: offer } : {}),
  };
}

export const ANY_ANSWERS: Scenarios = [
  {
    what: 'Any response, right or wrong.',
    rules: [26, 27, 28, 29, 30, 31, 32, 33],
    check: (lesson) => {
      generated(100, (choose) => compare(lesson, drawAnswer(choose)));
    },
  },
];
