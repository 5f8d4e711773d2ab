/** Step 4, with requests that nobody thought of. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { RFC_KEY } from '../../vectors/accept.ts';
import type { UpgradeScenario } from './check-upgrade.ts';
import { drawLines, HTTP_VALUES, SEPARATORS, type Values } from './generated-upgrades.ts';
import { compare, EVERYTHING, eachOf, judge } from './judge.ts';
import { BASE64_DIGITS, CHARACTERS, trimmed } from './reader.ts';
import { headOf, replace } from './requests.ts';

// ── Requests ────────────────────────────────────────────────────────────────────────────────────

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
const ALL_NAMES = [...NAMES, ...NO_NAMES, ...NAME_LISTS];
const ORIGINS = ['http://a.example', 'HTTP://A.Example', 'null', '', 'http://a.example/'].concat([
  'http://a.example, http://b.example',
  'http://a.example http://b.example',
  'http://a.example:80',
]);
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

/** What the headers of steps 3 and 4 may be instead. */
const VALUES: Values = {
  ...HTTP_VALUES,
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

// ── Scenarios ───────────────────────────────────────────────────────────────────────────────────

const ANY_REQUEST: UpgradeScenario = {
  what: 'Any request, with one thing wrong or none.',
  rules: [34, 35, 36, 37, 38, 39, 40, 41, 43, 47, 60, 61, 64, 65],
  check: (lesson) =>
    generated(150, (choose) => compare(lesson, drawLines(choose, VALUES), EVERYTHING)),
};

const EACH: readonly UpgradeScenario[] = [
  eachOf(
    'Each of many versions of WebSocket.',
    [35, 41, 47],
    EVERYTHING,
    PROTOCOL_VERSIONS,
    (text) => replace('Sec-WebSocket-Version', text),
  ),
  eachOf('Each character at many places of a key.', [35, 40], EVERYTHING, KEYS, (text) =>
    replace('Sec-WebSocket-Key', text),
  ),
  eachOf('Each of many Origins.', [], EVERYTHING, ORIGINS, (text) => replace('Origin', text)),
  eachOf('Each of many subprotocols.', [35], EVERYTHING, ALL_NAMES, (text) =>
    replace('Sec-WebSocket-Protocol', text),
  ),
];

const KEPT: UpgradeScenario = {
  what: 'Any two requests: what each asks for is its own.',
  rules: [],
  check: ({ checkUpgrade }) => {
    generated(30, (choose) => {
      const requests = [drawLines(choose, VALUES), drawLines(choose, VALUES)];
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

export const ANY_WEBSOCKET_HEADERS: readonly UpgradeScenario[] = [...EACH, ANY_REQUEST, KEPT];
