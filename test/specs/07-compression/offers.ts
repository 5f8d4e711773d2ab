/** Step 1: a Sec-WebSocket-Extensions header, taken apart. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { quote } from '../../../shared/view/hex.ts';
import type { ExtensionItem } from '../../../solutions/07-compression/compression.ts';
import { CHARACTERS } from '../01-handshake/reader.ts';
import { outOfProportion } from '../02-reading-frames/cost.ts';
import { readExtensions } from './extensions.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** An element: its name, then its parameters, each a name, and a value if it has one. */
type Element = readonly [name: string, ...params: (readonly [name: string, value?: string])[]];

const itemsOf = (elements: readonly Element[]): ExtensionItem[] =>
  elements.map(([name, ...params]) => ({
    name,
    params: params.map(([name, value]) => ({ name, value })),
  }));

/** Checks what is made of a header. */
function compare(
  { parseExtensions }: Lesson,
  header: string,
  expected: ExtensionItem[] | undefined,
  what: string,
): void {
  equal(() => parseExtensions(header), expected, what, {
    get given(): Fact[] {
      return [['call', `parseExtensions(${quote(header)})`]];
    },
    cause: (returned) => (expected ? mistakeIn(returned, expected) : undefined),
  });
}

/** Names the mistake behind a list that is wrong. `undefined`: it is plain to see. */
function mistakeIn(returned: unknown, expected: readonly ExtensionItem[]): string | undefined {
  if (!Array.isArray(returned)) return undefined;
  const [mine, right] = [textsOf(returned), textsOf(expected)];
  if (mine.length !== right.length) return undefined;
  const at = mine.findIndex((text, i) => text !== right[i]);
  const [one, other] = [mine[at], right[at]];
  if (one === '' && other === undefined)
    return 'A parameter without `=` has no value: `undefined`.';
  if (one === undefined || other === undefined) return undefined;
  if (one === `"${other}"`) return 'The quotes are around the value, and not a part of it.';
  if (one.includes('\\'))
    return 'A backslash in quotes is no part of the value: what follows it is.';
  if (one.trim() === other) return 'Spaces and tabs around a name or a value are no part of it.';
  return one === other.toLowerCase()
    ? 'Names and values stay as they are written: capitals are other letters.'
    : undefined;
}

/** All texts in a list of elements, one after the other. */
function textsOf(items: readonly Partial<ExtensionItem>[]): (string | undefined)[] {
  return items.flatMap(({ name, params = [] }) => [
    name,
    ...params.flatMap(({ name, value }) => [name, value]),
  ]);
}

function reads(
  rules: readonly number[],
  what: string,
  header: string,
  ...elements: readonly Element[]
): Scenarios[number] {
  return { what, rules, check: (lesson) => compare(lesson, header, itemsOf(elements), what) };
}

function refuses(
  rules: readonly number[],
  mistake: string,
  ...headers: readonly string[]
): Scenarios[number] {
  const what = `Refuse ${mistake}.`;
  return {
    what,
    rules,
    check: (lesson) => {
      for (const header of headers) compare(lesson, header, undefined, what);
    },
  };
}

/** The characters of a token that are neither letters nor digits. */
const SIGNS = "!#$%&'*+-.^_`|~";

/** Longer than anybody writes. */
const LONG = 'x'.repeat(70);
const ROOM = ' '.repeat(20);

/** More than anybody sends. */
const MANY = Array.from({ length: 100 }, (_, i) => `name-${i}`);

// ── What is right ───────────────────────────────────────────────────────────────────────────────

const READING: Scenarios = [
  reads([], 'Read a name: what Firefox offers.', 'permessage-deflate', ['permessage-deflate']),
  reads(
    [],
    'Read a parameter without a value: what Chrome offers.',
    'permessage-deflate; client_max_window_bits',
    ['permessage-deflate', ['client_max_window_bits']],
  ),
  reads([], 'Read a parameter with a value.', 'permessage-deflate; client_max_window_bits=12', [
    'permessage-deflate',
    ['client_max_window_bits', '12'],
  ]),
  reads([], 'Read several parameters, in their order.', 'x; b=1; a; c=2', [
    'x',
    ['b', '1'],
    ['a'],
    ['c', '2'],
  ]),
  reads(
    [],
    'Read several elements, in their order.',
    'b; x=1, a, c; y',
    ['b', ['x', '1']],
    ['a'],
    ['c', ['y']],
  ),
  reads([], 'Read an element that comes twice.', 'a; x, a', ['a', ['x']], ['a']),
  reads([161], 'Read a parameter that comes twice: what it means is for later.', 'a; x; x=1', [
    'a',
    ['x'],
    ['x', '1'],
  ]),
  reads([143], 'Leave names and values as they are written.', 'PerMessage-Deflate; Bits=0A', [
    'PerMessage-Deflate',
    ['Bits', '0A'],
  ]),
  reads(
    [],
    'Read `__proto__` and `toString` like any other name.',
    '__proto__; toString; __proto__=constructor',
    ['__proto__', ['toString'], ['__proto__', 'constructor']],
  ),
  reads([], 'A token has any of these characters.', `${SIGNS}; 0=Z9`, [SIGNS, ['0', 'Z9']]),
  reads(
    [],
    'There can be many elements.',
    MANY.map((name) => `${name};x=${name}`).join(),
    ...MANY.map((name): Element => [name, ['x', name]]),
  ),
  reads([], 'There can be many parameters.', ['a', ...MANY].join('; '), [
    'a',
    ...MANY.map((name) => [name] as const),
  ]),
  reads(
    [],
    'Names, values and the spaces around them can be long.',
    `${LONG}${ROOM};${ROOM}${LONG}=${ROOM}${LONG}${ROOM},${ROOM}a; x="${LONG}"${ROOM}`,
    [LONG, [LONG, LONG]],
    ['a', ['x', LONG]],
  ),
  reads([], 'Without spaces, it is the same.', 'a;x=1;y,b', ['a', ['x', '1'], ['y']], ['b']),
  reads(
    [141],
    'Spaces and tabs can be around everything.',
    ' \ta\t ; x \t=\t 1\t;y\t, b \t',
    ['a', ['x', '1'], ['y']],
    ['b'],
  ),
  reads([58, 142], 'Take the quotes from a value.', 'a; x="12"', ['a', ['x', '12']]),
  reads([58, 142], 'Take the backslashes from a value in quotes.', 'a; x="1\\2"; y="\\a\\b"', [
    'a',
    ['x', '12'],
    ['y', 'ab'],
  ]),
  reads([58, 142], 'A value in quotes has the characters of a token.', `a; x="${SIGNS}"`, [
    'a',
    ['x', SIGNS],
  ]),
  reads(
    [58, 142],
    'Spaces can be around the quotes, too.',
    'a; x = "12" ; y, b',
    ['a', ['x', '12'], ['y']],
    ['b'],
  ),
  reads([141], 'Skip empty elements.', ' , a,\t,, b; x ,', ['a'], ['b', ['x']]),
];

// ── What is wrong ───────────────────────────────────────────────────────────────────────────────

const REFUSING: Scenarios = [
  refuses([141], 'a header without an element', '', ' ', ',', ' ,\t,'),
  refuses([141], 'a semicolon without a parameter', 'a;', 'a; ', 'a;;x', 'a; x;', 'a; , b'),
  refuses([141], 'a parameter without an element', '; x', 'a, ; x', ' ;'),
  refuses([141], 'an `=` without a value', 'a; x=', 'a; x= ', 'a; x=; y', 'a; x=, b'),
  refuses([141], 'an `=` without a name', 'a; =10', 'a; =', '=', '=1'),
  refuses([141], 'a value for the name of the element', 'a=1', 'a=1; x', 'b, a="1"'),
  refuses([141], 'two values', 'a; x=1=2', 'a; x==1', 'a; x="1"="2"', 'a; x="1"2', 'a; x=1"2"'),
  refuses([141], 'two names with a space between them', 'a x', 'a; x y', 'a; x=1 2', 'a\tb; x'),
  refuses([141], 'a name in quotes', '"a"', 'a; "x"', 'a; "x"=1'),
  refuses([58, 141, 142], 'a value in quotes that is empty', 'a; x=""', 'a; x="", b'),
  refuses(
    [58, 141, 142],
    'a value in quotes that has a space in it',
    'a; x="1 2"',
    'a; x=" 12"',
    'a; x="12\t"',
  ),
  refuses(
    [58, 141, 142],
    'a value in quotes that has a separator in it',
    'a; x="1,2", b',
    'a; x="1;2"',
    'a; x="1=2"',
    'a; x="(1)"',
    'a; x="1, permessage-deflate, 2"',
  ),
  refuses(
    [58, 141, 142],
    'a value in quotes with a backslash before what is not for a token',
    'a; x="1\\ 2"',
    'a; x="\\""',
    'a; x="\\\\"',
    'a; x="\\,"',
    'a; x="1\\\\2"',
  ),
  refuses(
    [141, 142],
    'quotes that are not closed',
    'a; x="12',
    'a; x="',
    'a; x="12, b',
    'a; x="12\\"',
  ),
  refuses([141, 142], 'quotes that were not opened', 'a; x=12"', 'a; x="1"2"', 'a", b'),
  refuses([141], 'a backslash without quotes', 'a; x=1\\2', 'a\\b', 'a; \\x'),
  refuses([141], 'single quotes around what is not for a token', "a; x='1 2'", "a; x='1,2'='3'"),
  refuses(
    [141],
    'a list with one element that is wrong, wherever it is',
    'a b, c',
    'c, a b',
    'c, a;, d',
  ),
  refuses(
    [141],
    'white space that is neither a space nor a tab',
    'a\xa0',
    '\xa0a',
    'a;\vx',
    'a; x\f',
    'a; x=1\u2003',
    'a,\xa0,b',
    'a\r\n',
    'a; x=\n1',
  ),
];

function eachCharacter(place: string, headerOf: (character: string) => string): Scenarios[number] {
  return {
    what: `Each character at each place of ${place}.`,
    rules: [141],
    check: (lesson) => {
      for (const character of CHARACTERS) {
        // Of letters, digits and what is beyond ASCII, some will do.
        if (/[c-yC-Y2-8\x81-\x84\x86-\x9f\xa1-\xfe]/.test(character)) continue;
        const header = headerOf(character);
        compare(lesson, header, readExtensions(header), told(readExtensions(header)));
      }
    },
  };
}

const told = (items: unknown) =>
  items ? 'Read any list that keeps the grammar.' : 'Refuse any list that breaks the grammar.';

// ── What it costs ───────────────────────────────────────────────────────────────────────────────

/** How long the long headers are: longer than a head may be, so that slow code is seen to be slow. */
const LENGTH = 40_000;

const READ_AGAIN =
  'A header that is a sixteenth as long takes far less than a sixteenth of that, so the same characters are read again and again. A regular expression may do so, from each space to the last one.';

const COPIED_AGAIN =
  'A header that is a sixteenth as long takes far less than a sixteenth of that, so what is done for each element grows with their number. A new list each time, such as `[...list, one]`, copies all that are in it already.';

/** Checks that a long header takes a time in proportion to its length. */
function costs(
  header: string,
  before: string,
  repeated: string,
  after: string,
  isRight = false,
  growing = READ_AGAIN,
): Scenarios[number] {
  const what = `A header takes a time in proportion to its length: ${header}.`;
  return {
    what,
    rules: [],
    check: ({ parseExtensions }) => {
      const times = LENGTH / repeated.length;
      const text = `${quote(before)} + ${quote(repeated)} × ${times} + ${quote(after)}`;
      const given: Fact[] = [['call', `parseExtensions(${text})`]];
      let returned: unknown;
      const slow = outOfProportion(16, (share) => {
        const long = before + repeated.repeat((times / 16) * share) + after;
        return (part) => {
          if (part < share - 1) return;
          returned = attempt(() => parseExtensions(long), what, given);
        };
      });
      if (slow) {
        const cause = slow.isGrowing ? growing : undefined;
        fail(what, [...given, ['it took', `${Math.round(slow.ms)} ms`]], cause);
      }
      const label = 'did you return a list?';
      equal(() => returned !== undefined, isRight, what, { given, label });
    },
  };
}

// ── Generated ───────────────────────────────────────────────────────────────────────────────────

const NAMES = ['a', 'permessage-deflate', 'x', 'A', 'toString', '__proto__', '0', "!#$%&'*"];
const VALUES = ['1', '12', '"1"', '"1\\2"', '010', '""', '" 1"', '"a,b"', '"a;b"', '"\\""', '"1'];
const SPACES = ['', ' ', '\t', ' \t '];
const INTRUDERS = [...' \t,;="\\a1(\'\xa0\v'];

/** Draws a list, most often one that keeps the grammar. */
function drawHeader(choose: Choices): string {
  const space = () => (choose.oneIn(3) ? choose.pick(SPACES) : '');
  const padded = (text: string) => space() + text + space();
  const param = () => {
    const name = padded(choose.pick(NAMES));
    return choose.below(2) === 0 ? name : `${name}=${padded(choose.pick(VALUES))}`;
  };
  const element = () => {
    const params = choose.list(3, param);
    return [padded(choose.oneIn(8) ? '' : choose.pick(NAMES)), ...params].join(';');
  };
  return choose.list(3, element).join(',');
}

/** Puts in, takes out or changes a character. */
function mutate(choose: Choices, text: string): string {
  const at = choose.below(text.length + 1);
  const intruder = choose.below(3) < 2 ? choose.pick(INTRUDERS) : '';
  return text.slice(0, at) + intruder + text.slice(at + choose.below(2));
}

const ANY_HEADER: Scenarios[number] = {
  what: 'Any header, right or wrong.',
  rules: [58, 141, 142],
  check: (lesson) => {
    generated(100, (choose) => {
      let header = drawHeader(choose);
      for (let i = choose.below(3); i > 0; i--) header = mutate(choose, header);
      const expected = readExtensions(header);
      compare(lesson, header, expected, told(expected));
    });
  },
};

const KEPT: Scenarios[number] = {
  what: 'A list stays as it is, when another header is read.',
  rules: [],
  check: ({ parseExtensions }) => {
    const what = 'A list stays as it is, when another header is read.';
    const list = parseExtensions('a; x=1, b');
    parseExtensions('c; y');
    equal(() => list, itemsOf([['a', ['x', '1']], ['b']]), what, {
      given: [
        ['call 1', 'parseExtensions("a; x=1, b")'],
        ['call 2', 'parseExtensions("c; y")'],
      ],
      label: 'the first list',
    });
  },
};

export const OFFERS: Scenarios = [
  ...READING,
  ...REFUSING,
  KEPT,
  costs('spaces and then an error', 'a', ' ', '('),
  costs('spaces between two values', 'a; x=1', ' ', '1'),
  costs('quotes that stay open', 'a; x="', 'a', ''),
  costs('one name', '', 'a', ' a'),
  costs('empty elements', 'a', ' ,', 'b', true),
  costs('elements', 'a', ',a', ',a', true, COPIED_AGAIN),
  eachCharacter('a list', (character) => `a${character}b`),
  ANY_HEADER,
];
