/** Step 2, with heads that nobody thought of. */
import { attempt, equal, refusesWith } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join } from '../../../shared/kit/frames.ts';
import { type Choices, generated, mutate } from '../../../shared/kit/generate.ts';
import { quote, toHex } from '../../../shared/view/hex.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { CHARACTERS, latin1, readHead } from './reader.ts';
import { arrived } from './requests.ts';

type HeadScenario = Scenario<typeof Handshake>;
type Head = Handshake.RequestHead | undefined;

/** Checks that a head is this one, and has no header besides. */
function isHead(call: () => Head, expected: Head, told: string, about: About): void {
  let head: Head;
  const keep = () => {
    head = call();
    return head;
  };
  equal(keep, expected, told, about);
  const namesOf = (headers: Handshake.RequestHead['headers'] = new Map()) =>
    [...headers.keys()].sort();
  if (head?.headers.size === expected?.headers.size) return;
  equal(() => namesOf(head?.headers), namesOf(expected?.headers), told, {
    given: about.given ?? [],
    label: 'header names',
  });
}

/** How a head is told, when the code does not do with it what it should. */
interface Told {
  readonly reads: string;
  readonly refuses: string;
  readonly given?: readonly Fact[];
  readonly cause?: (returned: Head) => string | undefined;
}

/** Compares what the code makes of bytes with what the slow reader does. */
function compare(
  { parseRequest }: typeof Handshake,
  bytes: Uint8Array,
  { reads, refuses, given = [], cause }: Told,
): void {
  const { head, problem } = readHead(bytes);
  const about = {
    // Drawn when it is told, and not for each of many.
    get given(): Fact[] {
      return [...given, ...arrived(bytes), ...(problem ? [['problem', problem] as const] : [])];
    },
    cause: (returned: unknown) => cause?.(returned as Head),
  };
  if (head) isHead(() => parseRequest(bytes), head, reads, about);
  if (problem) refusesWith(400, () => parseRequest(bytes), refuses, about);
}

// ── Each byte at each place ─────────────────────────────────────────────────────────────────────

/** A place in a head, and what it is called when it is told. */
interface Place {
  readonly name: string;
  /** What it may have, in one sentence, and what it may not. */
  readonly reads: string;
  readonly refuses: string;
  /** What is there otherwise. */
  readonly text: string;
  readonly head: (text: string) => string;
  /** Bytes of which neither this course nor HTTP says the same to everybody. */
  readonly open?: string;
}

const PLACES: readonly Place[] = [
  {
    name: 'method',
    reads: 'Read a method with any byte that a token may have.',
    refuses: 'Refuse a method with a byte that no token has.',
    text: 'GET',
    head: (text) => `${text} / HTTP/1.1`,
  },
  {
    name: 'target',
    reads: 'Read a target with any byte that a URI may have.',
    refuses: 'Refuse a target with a byte that is not visible ASCII.',
    text: '/chat',
    head: (text) => `GET ${text} HTTP/1.1`,
    open: '"#%<>[\\]^`{|}',
  },
  {
    name: 'version',
    reads: 'Read a version with any digit in it.',
    refuses: 'Refuse a version that is not `HTTP/`, a digit, a dot and a digit.',
    text: 'HTTP/1.1',
    head: (text) => `GET / ${text}`,
  },
  {
    name: 'name',
    reads: 'Read a header name with any byte that a token may have.',
    refuses: 'Refuse a header name with a byte that no token has.',
    text: 'x-a',
    head: (text) => `GET / HTTP/1.1\r\n${text}: v`,
  },
  {
    name: 'value',
    reads: 'Read a value with any byte that isn’t a control character, as it is.',
    refuses: 'Refuse a value with a control character in it, apart from the tab.',
    text: 'ab',
    head: (text) => `GET / HTTP/1.1\r\nx-a: ${text}`,
  },
];

const POSITIONS = ['in the middle', 'at the start', 'at the end'] as const;

/** What is tried at both ends: what somebody trims, and one byte of every other kind. */
const AT_ENDS = [...'\x00\t\n\v\f\r (\x7f\x85\xa0\xff'];
/** What is tried in the middle: every control character, and some of every other kind. */
const IN_THE_MIDDLE = CHARACTERS.filter(
  (character) => !/[b-zB-Z2-9\x81-\xfe]/.test(character) || '\x85\xa0\xb2\xe9'.includes(character),
);

/** Puts a character into a text, where the position says. */
function put(character: string, text: string, position: (typeof POSITIONS)[number]): string {
  const at = position === 'at the start' ? 0 : position === 'at the end' ? text.length : 1;
  return text.slice(0, at) + character + text.slice(at);
}

function eachByteIn({ name, reads, refuses, text, head, open = '' }: Place): HeadScenario {
  return {
    what: `Each byte at each place of a ${name}.`,
    rules: [35],
    check: (lesson) => {
      for (const position of POSITIONS) {
        for (const character of position === 'in the middle' ? IN_THE_MIDDLE : AT_ENDS) {
          if (open.includes(character)) continue;
          compare(lesson, latin1(`${head(put(character, text, position))}\r\n\r\n`), {
            reads,
            refuses,
            given: [['byte', `${toHex(latin1(character))} ${position} of the ${name}`]],
            cause: (returned) => causeOf(character, returned),
          });
        }
      }
    },
  };
}

/** Names the mistake that lets a byte pass, or takes it away. `undefined`: not known. */
function causeOf(character: string, returned: Head): string | undefined {
  if (!(returned?.headers instanceof Map)) return undefined;
  const [value] = returned.headers.get('x-a') ?? [];
  if (value === 'ab' && character.trim() === '' && !' \t'.includes(character)) {
    return 'It is gone. White space in HTTP is spaces and tabs; the `trim` of JavaScript takes more, such as 0b, 0c, 0d and a0.';
  }
  // Those before it, such as `(`, have been refused.
  if (character === ',') {
    return 'The comma is between `+` and `.`: in a pattern, `+-.` is a range. Put the `-` last.';
  }
  return undefined;
}

// ── Whole heads ─────────────────────────────────────────────────────────────────────────────────

const METHODS = ['GET', 'get', 'POST', 'M-SEARCH', '!'];
const TARGETS = ['/', '/chat?room=1', 'http://h:80/x', '*', '//a/../b/.', "/!$&'()*+,;=:@-_~?/?"];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/9.9'];
const NAMES = [
  'host',
  'Host',
  'HOST',
  'x-a',
  'X-A',
  'sec-websocket-key',
  'toString',
  '0',
  "!#$%&'*",
];
const VALUE_PARTS = [
  'a',
  ' ',
  '\t',
  ':',
  ',',
  '"',
  '=',
  'é',
  'Ã©',
  '\xa0',
  '\x85',
  '\xff',
  '~',
  '\\',
];
const WHITE_SPACE = [' ', '', '\t', '  ', ' \t ', '\t\t', '          '];
/** What a mutation puts in. */
const INTRUDERS = [...' \t\r\n:,/a1\0\x01\x0b\x0c\x1f\x7f\x80\xa0\xff()'];

/** Draws a head that keeps the rules. */
function drawHead(choose: Choices): string {
  const first = [choose.pick(METHODS), choose.pick(TARGETS), choose.pick(VERSIONS)].join(' ');
  const lines = choose.list(5, () => {
    const value = choose.list(6, () => choose.pick(VALUE_PARTS)).join('');
    return `${choose.pick(NAMES)}:${choose.pick(WHITE_SPACE)}${value}${choose.pick(WHITE_SPACE)}`;
  });
  return `${[first, ...lines].join('\r\n')}\r\n\r\n`;
}

/** Delivers bytes as they may come: alone, as a part of a larger buffer, or as a `Buffer`. */
function deliver(choose: Choices, bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const form = choose.below(3);
  if (form === 0) return bytes;
  const larger = join(choose.bytes(1 + choose.below(8)), bytes, choose.bytes(4));
  const start = larger.length - bytes.length - 4;
  const part = larger.subarray(start, start + bytes.length);
  return form === 1 ? part : Buffer.from(part.buffer, part.byteOffset, part.length);
}

const READS = 'Read any head that is HTTP, and leave what follows it.';
const REFUSES = 'Refuse any head that is not HTTP.';

const MUTATED: HeadScenario = {
  what: 'Any head, right or wrong.',
  rules: [34, 35, 43],
  check: (lesson) => {
    generated(100, (choose) => {
      let text = drawHead(choose);
      for (let i = choose.below(3); i > 0; i--) text = mutate(choose, text, INTRUDERS);
      // HTTP lets a server skip a blank line before a request.
      if (text.startsWith('\r\n')) return;
      const rest = choose.oneIn(4) ? latin1('\r\nx: y\r\n\r\n') : choose.bytes(choose.below(5));
      const bytes = join(latin1(text), rest);
      compare(lesson, deliver(choose, bytes), { reads: READS, refuses: REFUSES });
    });
  },
};

const LIMITED: HeadScenario = {
  what: 'Any head and any limit, with some bytes of it, all, or more.',
  rules: [],
  check: ({ parseRequest }) => {
    generated(100, (choose) => {
      const text = drawHead(choose);
      const max = Math.max(text.length - 3 + choose.below(6), 4);
      const count = choose.pick([text.length, max - 1, max, max + 1, choose.below(text.length)]);
      const bytes = join(latin1(text), choose.bytes(8)).subarray(0, count);
      const given: Fact[] = [
        ['head', `${text.length} bytes, with its blank line`],
        ['arrived', `${bytes.length} bytes`],
        ['maxHeadBytes', `${max}`],
      ];
      const call = () => parseRequest(bytes, max);
      const isWhole = bytes.length >= text.length && text.length <= max;
      if (isWhole) {
        const told = 'Read a head that is within the limit, whatever follows it.';
        isHead(call, readHead(bytes).head, told, { given });
      } else if (bytes.length >= max) {
        const told = 'Refuse a head that has not ended within the limit.';
        refusesWith(431, call, told, { given });
      } else {
        equal(call, undefined, 'Wait for a head that may still end in time.', { given });
      }
    });
  },
};

const KEPT: HeadScenario = {
  what: 'Any two heads: each is one of its own.',
  rules: [],
  check: ({ parseRequest }) => {
    generated(30, (choose) => {
      const texts = [drawHead(choose), drawHead(choose)];
      const arrivals = texts.map((text) => deliver(choose, latin1(text)));
      const given = texts.map(
        (head, i): Fact => [`call ${i + 1}`, `parseRequest of ${quote(head)}`],
      );
      const heads = arrivals.map((bytes, i) => {
        const head = attempt(() => parseRequest(bytes), READS, given);
        isHead(() => head, readHead(latin1(texts[i]!)).head, READS, { given });
        return head;
      });
      for (const [i, text] of texts.entries()) {
        const left = 'Leave the bytes as they are: what follows the head is still to be read.';
        equal(() => arrivals[i], latin1(text), left, { given, label: 'bytes afterwards' });
      }
      const stay = (told: string) => {
        for (const [i, text] of texts.entries()) {
          const label = `head ${i + 1} afterwards`;
          isHead(() => heads[i], readHead(latin1(text)).head, told, { given, label });
        }
      };
      stay('A head stays as it is, when another one is read.');
      for (const bytes of arrivals) bytes.fill(0x20);
      stay('A head stays as it is, when the bytes that it was read from change.');
    });
  },
};

export const ANY_HEADS: readonly HeadScenario[] = [
  ...PLACES.map(eachByteIn),
  MUTATED,
  LIMITED,
  KEPT,
];
