/** Step 3, with heads that nobody thought of. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { join } from '../../../shared/kit/frames.ts';
import { type Choices, generated, mutate } from '../../../shared/kit/generate.ts';
import { quote, toHex } from '../../../shared/view/hex.ts';
import type { ResponseHead } from '../../../solutions/06-client/client.ts';
import { CHARACTERS, latin1 } from '../01-handshake/reader.ts';
import { arrived } from '../01-handshake/requests.ts';
import { readResponse, refusesOpening } from './response.ts';
import type { Lesson, Scenarios } from './tools.ts';

type Head = ResponseHead | undefined;

const READS = 'Read any head that is HTTP, and leave what follows it.';
const REFUSES = 'Refuse any head that is not HTTP.';

/** A head, and how many headers it has: none that nobody sent. */
function sizeOf(head: Head): unknown {
  return head && { ...head, 'number of headers': head.headers?.size };
}

/** Compares what the code makes of bytes with what the slow reader does. */
function compare({ parseResponse }: Lesson, bytes: Uint8Array, more: readonly Fact[] = []): void {
  const { head, problem } = readResponse(bytes);
  const about = {
    // Drawn when it is told, and not for each of many.
    get given(): Fact[] {
      return [...more, ...arrived(bytes), ...(problem ? [['problem', problem] as const] : [])];
    },
  };
  if (problem) refusesOpening(() => parseResponse(bytes), REFUSES, about);
  // Without its blank line, a head that is wrong can be refused already.
  else if (head) equal(() => sizeOf(parseResponse(bytes)), sizeOf(head), READS, about);
}

// ── Each byte at each place ─────────────────────────────────────────────────────────────────────

/** A place in a head, what is there otherwise, and the head with another text there. */
type Place = readonly [name: string, text: string, head: (text: string) => string];

const PLACES: readonly Place[] = [
  ['version', 'HTTP/1.1', (text) => `${text} 101 OK`],
  ['status', '101', (text) => `HTTP/1.1 ${text} OK`],
  ['phrase', 'OK', (text) => `HTTP/1.1 101 ${text}`],
  ['name', 'x-a', (text) => `HTTP/1.1 101 OK\r\n${text}: v`],
  ['value', 'ab', (text) => `HTTP/1.1 101 OK\r\nx-a: ${text}`],
];

/** Every control character, and some of every other kind. */
const TRIED = CHARACTERS.filter(
  (character) => !/[b-zB-Z2-9\x81-\xfe]/.test(character) || '\x85\xa0\xb2\xe9'.includes(character),
);
const AT_ENDS = [...'\x00\t\n\v\f\r (0\x7f\x85\xa0\xff'];

function eachByteIn([name, text, head]: Place): Scenarios[number] {
  return {
    what: `Each byte at each place of a ${name}.`,
    rules: [33, 153],
    check: (lesson) => {
      const tryAt = (character: string, at: number) => {
        const changed = text.slice(0, at) + character + text.slice(at);
        const byte: Fact = ['byte', `${toHex(latin1(character))} at place ${at} of the ${name}`];
        compare(lesson, latin1(`${head(changed)}\r\n\r\n`), [byte]);
      };
      for (const character of TRIED) tryAt(character, 1);
      for (const character of AT_ENDS) tryAt(character, 0);
      for (const character of AT_ENDS) tryAt(character, text.length);
    },
  };
}

// ── Whole heads ─────────────────────────────────────────────────────────────────────────────────

const VERSIONS = ['HTTP/1.1', 'HTTP/1.0'];
const STATUSES = ['101', '200', '302', '401', '403', '426', '503', '599'];
const PHRASES = ['', ' ', ' OK', ' Switching Protocols', ' a  b', ' é', ' \t'];
const NAMES = ['upgrade', 'Upgrade', 'UPGRADE', 'x-a', 'X-A', 'toString', '0', "!#$%&'*"];
const VALUES = ['a', ' ', '\t', ':', ',', '"', '=', 'é', '\xa0', '\x85', '\xff', '~'];
const SPACES = [' ', '', '\t', '  ', ' \t '];
/** What a mutation puts in. */
const INTRUDERS = [...' \t\r\n:,/a1\0\x01\x0b\x1f\x7f\x80\xa0\xff('];

/** Draws a head that keeps the rules. */
function drawHead(choose: Choices): string {
  const status = choose.pick(STATUSES);
  const version = status === '101' ? 'HTTP/1.1' : choose.pick(VERSIONS);
  const first = `${version} ${status}${choose.pick(PHRASES)}`;
  const lines = choose.list(5, () => {
    const value = choose.list(6, () => choose.pick(VALUES)).join('');
    return `${choose.pick(NAMES)}:${choose.pick(SPACES)}${value}${choose.pick(SPACES)}`;
  });
  return `${[first, ...lines].join('\r\n')}\r\n\r\n`;
}

const MUTATED: Scenarios[number] = {
  what: 'Any head, right or wrong.',
  rules: [33, 34, 153],
  check: (lesson) => {
    generated(60, (choose) => {
      let text = drawHead(choose);
      for (let i = choose.below(3); i > 0; i--) text = mutate(choose, text, INTRUDERS);
      // A blank line before the status line can be skipped, or refused, as can a 101 of HTTP/1.0.
      if (text.startsWith('\r\n') || text.startsWith('HTTP/1.0 101')) return;
      const rest = choose.oneIn(4) ? latin1('\r\nx: y\r\n\r\n') : choose.bytes(choose.below(5));
      compare(lesson, join(latin1(text), rest));
    });
  },
};

const LIMITED: Scenarios[number] = {
  what: 'Any head and any limit, with some bytes of it, all, or more.',
  rules: [150],
  check: ({ parseResponse }) => {
    generated(60, (choose) => {
      const text = drawHead(choose);
      const max = Math.max(text.length - 3 + choose.below(6), 4);
      const count = choose.pick([text.length, max - 1, max, max + 1, choose.below(text.length)]);
      const bytes = join(latin1(text), choose.bytes(8)).subarray(0, count);
      const given: Fact[] = [
        ['head', `${text.length} bytes, with its blank line`],
        ['arrived', `${bytes.length} bytes`],
        ['maxHeadBytes', `${max}`],
      ];
      const call = () => parseResponse(bytes, max);
      if (bytes.length >= text.length && text.length <= max) {
        const told = 'Read a head that is within the limit, whatever follows it.';
        equal(call, readResponse(bytes).head, told, { given });
      } else if (bytes.length >= max) {
        refusesOpening(call, 'Refuse a head that has not ended within the limit.', { given });
      } else {
        equal(call, undefined, 'Wait for a head that may still end in time.', { given });
      }
    });
  },
};

const KEPT: Scenarios[number] = {
  what: 'Any two heads: each is one of its own.',
  rules: [],
  check: ({ parseResponse }) => {
    generated(20, (choose) => {
      const texts = [drawHead(choose), drawHead(choose)];
      const arrivals = texts.map(latin1);
      const given = texts.map(
        (head, i): Fact => [`call ${i + 1}`, `parseResponse of ${quote(head)}`],
      );
      const heads = arrivals.map((bytes) => attempt(() => parseResponse(bytes), READS, given));
      const stay = (told: string) => {
        for (const [i, text] of texts.entries()) {
          const label = `head ${i + 1} afterwards`;
          const { head } = readResponse(latin1(text));
          equal(() => sizeOf(heads[i]), sizeOf(head), told, { given, label });
        }
      };
      stay('A head stays as it is, when another one is read.');
      for (const [i, text] of texts.entries()) {
        const left = 'Leave the bytes as they are: what follows the head is still to be read.';
        equal(() => arrivals[i], latin1(text), left, { given, label: 'bytes afterwards' });
      }
      for (const bytes of arrivals) bytes.fill(0x20);
      stay('A head stays as it is, when the bytes that it was read from change.');
    });
  },
};

export const ANY_RESPONSES: Scenarios = [...PLACES.map(eachByteIn), MUTATED, LIMITED, KEPT];
