/** Step 2: a request out of a stream of bytes. */
import { attempt, equal, fail, refusesWith } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join, KEY, masked, utf8, wire } from '../../../shared/kit/frames.ts';
import { quote, toHex } from '../../../shared/view/hex.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import {
  arrived,
  bytesOf,
  CHROME_REQUEST,
  headOf,
  OUTLIVES_CALL,
  RFC_REQUEST,
} from './requests.ts';

type ParsingScenario = Scenario<typeof Handshake>;

/** The values that a header has after these lines have been read. */
function reads(
  rules: readonly number[],
  what: string,
  lines: string,
  name: string,
  values: readonly string[],
): ParsingScenario {
  return {
    what,
    rules,
    check: ({ parseRequest }) => {
      const bytes = bytesOf(['GET / HTTP/1.1', lines]);
      const given = arrived(bytes);
      const head =
        attempt(() => parseRequest(bytes), what, given) ??
        fail('The head is complete: return it.', given);
      equal(() => head.headers.get(name), values, what, {
        given,
        label: `headers.get(${quote(name)})`,
        cause: (found) => otherCase(head.headers, name) ?? decodedAs(found, values),
      });
    },
  };
}

function otherCase(headers: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const found = [...headers.keys()].find((key) => key !== name && key.toLowerCase() === name);
  if (found === undefined) return undefined;
  return `It is there as ${quote(found)}. A name is the same in any case: store it in lower case.`;
}

/** Says so when bytes were decoded in another way than as latin1. */
function decodedAs(found: unknown, [value = '']: readonly string[]): string | undefined {
  if (!Array.isArray(found) || found[0] === value) return undefined;
  const bytes = Buffer.from(value, 'latin1');
  if (found[0] === bytes.toString()) {
    return `The bytes ${toHex(bytes)} were decoded as UTF-8, which makes one character of several bytes. In latin1, each byte is one: then a place in the text is a place in the bytes.`;
  }
  return found[0] === bytes.toString('ascii')
    ? `The bytes ${toHex(bytes)} have lost their highest bit: \`ascii\` reads seven bits of each. In latin1, each byte is a character, up to ff.`
    : undefined;
}

const HEADERS: readonly ParsingScenario[] = [
  reads([43], 'Read a header of any name.', 'X-Any: a', 'x-any', ['a']),
  reads([], 'Split at the first colon only.', 'host: localhost:8080', 'host', ['localhost:8080']),
  reads([34], 'Turn header names to lower case.', 'SEC-WebSocket-KEY: AbC=', 'sec-websocket-key', [
    'AbC=',
  ]),
  reads([43], 'Trim spaces and tabs around a value.', 'X-Pad: \t a b \t', 'x-pad', ['a b']),
  reads([43], 'Read a value with no space before it.', 'X-Tight:a', 'x-tight', ['a']),
  reads([43], 'Keep an empty value.', 'X-Empty:', 'x-empty', ['']),
  reads([43], 'Keep repeated headers, in order.', 'X-Two: 1\r\nx-two: 2', 'x-two', ['1', '2']),
  reads([43], 'Keep a header that repeats another word by word.', 'A: 1\r\nA: 1', 'a', ['1', '1']),
  reads(
    [43],
    'Read each byte as one character, also beyond ASCII: latin1.',
    'X-Latin: \u00e9',
    'x-latin',
    ['\u00c3\u00a9'],
  ),
  reads([43], 'Read `__proto__` like any other name.', '__proto__: x', '__proto__', ['x']),
];

const IN_A_VIEW =
  'In a buffer of their own, the same bytes are read right. A Uint8Array may be a part of a larger buffer: it begins at its `byteOffset`, and has `byteLength` bytes.';

/** Checks what is read out of a part of a larger buffer, which is right in a buffer of its own. */
function readsView(
  { parseRequest }: typeof Handshake,
  view: Uint8Array,
  expected: Handshake.RequestHead | undefined,
  what: string,
  given: readonly Fact[],
): void {
  const isRight = (bytes: Uint8Array) => {
    try {
      return same(parseRequest(bytes), expected);
    } catch {
      return false;
    }
  };
  const cause = () => {
    if (isRight(view)) return OUTLIVES_CALL;
    return isRight(new Uint8Array(view)) ? IN_A_VIEW : undefined;
  };
  equal(() => parseRequest(view), expected, what, { given, cause, causeOfError: cause });
}

/** The bytes of a request are a part of a larger buffer. */
function readsInViews(request: string, lines: readonly string[]): ParsingScenario[] {
  const readMoved = `Read it out of a larger buffer: ${request}.`;
  const waitMoved = `Wait for the blank line, when it lies behind the bytes: ${request}.`;
  return [
    {
      what: readMoved,
      rules: [],
      check: (lesson) => {
        const moved = join(utf8('earlier bytes'), bytesOf(lines)).subarray(13);
        const given = arrived(moved, 'a view that starts at byte 13 of its buffer');
        readsView(lesson, moved, headOf(lines), readMoved, given);
      },
    },
    {
      what: waitMoved,
      rules: [],
      check: (lesson) => {
        const bytes = bytesOf(lines);
        const part = bytes.subarray(0, -2);
        const given = arrived(part, `a view that ends 2 bytes before its buffer does`);
        readsView(lesson, part, undefined, waitMoved, given);
      },
    },
  ];
}

/** Says so when the head ends before its blank line does. */
function endMistake(head: unknown, right: number): string | undefined {
  const { length = right } = (head ?? {}) as Partial<Handshake.RequestHead>;
  return length === right - 4 || length === right - 2
    ? 'The blank line is a part of the head: `length` counts all of `\\r\\n\\r\\n`.'
    : undefined;
}

/** A request is read when it is whole, and not before. */
function readsWhole(
  rules: readonly number[],
  request: string,
  lines: readonly string[],
): ParsingScenario[] {
  const read = `Read ${request}.`;
  return [
    {
      what: `Wait for the blank line of ${request}.`,
      rules: [],
      check: ({ parseRequest }) => {
        const bytes = bytesOf(lines);
        for (let length = 0; length < bytes.length; length++) {
          const part = bytes.slice(0, length);
          const told = 'The blank line has not come yet, so there is nothing to return.';
          equal(() => parseRequest(part), undefined, told, {
            // Drawn when it is told, and not for each of a thousand parts.
            get given() {
              return arrived(part, `${length} of ${bytes.length} bytes`);
            },
          });
        }
      },
    },
    {
      what: read,
      rules,
      check: ({ parseRequest }) => {
        const bytes = bytesOf(lines);
        const given = arrived(bytes);
        equal(() => parseRequest(bytes), headOf(lines), read, {
          given,
          cause: (head) => endMistake(head, bytes.length),
        });
      },
    },
    ...readsInViews(request, lines),
  ];
}

const GLUED: ParsingScenario = {
  what: 'What follows the blank line is the first frame, and no part of the head.',
  rules: [],
  check: ({ parseRequest }) => {
    const frame = wire({ opcode: 1, payload: 'Hello\r\n\r\n' });
    equal(
      () => parseRequest(join(bytesOf(RFC_REQUEST), frame)),
      headOf(RFC_REQUEST),
      'What follows the blank line is the first frame, and no part of the head.',
      {
        given: [['arrived', 'the request of RFC 6455 §1.2 and a frame, in one read']],
        cause: (head) =>
          head === undefined && parseRequest(bytesOf(RFC_REQUEST))
            ? 'Without the frame behind it, the head is found. Its blank line may be anywhere in the bytes, and not only at their end.'
            : undefined,
      },
    );
  },
};

const TWO_BLANK_LINES: ParsingScenario = {
  what: 'Stop at the first blank line: the bytes of a frame may look like another.',
  rules: [],
  check: ({ parseRequest }) => {
    const told = TWO_BLANK_LINES.what;
    const frame = wire({ opcode: 2, payload: masked(utf8('x: y\r\n\r\n'), KEY) });
    equal(() => parseRequest(join(bytesOf(RFC_REQUEST), frame)), headOf(RFC_REQUEST), told, {
      given: [['arrived', 'the request of RFC 6455 §1.2, then a frame that ends with 0d 0a 0d 0a']],
    });
  },
};

const ESCAPED: ParsingScenario = {
  what: 'Leave a target as it is: what is escaped in it is not decoded.',
  rules: [36],
  check: ({ parseRequest }) => {
    const bytes = bytesOf(['GET /%7euser?a=%2F HTTP/1.1']);
    const target = () => parseRequest(bytes)?.target;
    equal(() => ({ target: target() }), { target: '/%7euser?a=%2F' }, ESCAPED.what, {
      given: arrived(bytes),
    });
  },
};

const MANY_HEADERS: ParsingScenario = {
  what: 'Read a head with 100 headers.',
  rules: [43],
  check: ({ parseRequest }) => {
    const lines = ['GET / HTTP/1.1', ...Array.from({ length: 100 }, (_, i) => `X-${i}: a`)];
    equal(() => parseRequest(bytesOf(lines))?.headers.size, 100, MANY_HEADERS.what, {
      given: [['arrived', 'a head with the headers X-0 to X-99']],
      label: 'headers.size',
    });
  },
};

function readsCookies(kibibytes: number): ParsingScenario {
  const what = `Read a head with ${kibibytes} KiB of cookies.`;
  return {
    what,
    rules: [],
    check: ({ parseRequest }) => {
      const lines = ['GET / HTTP/1.1', `Cookie: ${'c'.repeat(kibibytes * 1024)}`, 'Host: h'];
      const bytes = bytesOf(lines);
      const given: Fact[] = [['arrived', `a head of ${bytes.length} bytes, and all of it`]];
      const head = attempt(() => parseRequest(bytes), what, given);
      if (!head) fail(what, [...given, ['you returned', 'undefined']], TOO_SMALL);
      equal(() => head.length, bytes.length, what, { given, label: 'length' });
      const cookie = () => head.headers.get('cookie')?.[0]?.length;
      equal(cookie, kibibytes * 1024, what, { given, label: 'characters of the cookie' });
    },
  };
}

const TOO_SMALL =
  'Shorter heads are found. All of these bytes are there, the blank line too: something looks at the first of them only.';

/** The beginning of a head whose end has not come. */
function endless(): Uint8Array {
  return utf8(`GET / HTTP/1.1\r\nCookie: ${'c'.repeat(200)}`);
}

function limited(bytes: Uint8Array, maxHeadBytes: number, what = 'no blank line'): Fact[] {
  return [
    ...arrived(bytes, `${bytes.length} bytes: ${what}`),
    ['maxHeadBytes', String(maxHeadBytes)],
  ];
}

function lengthOf(head: Handshake.RequestHead | undefined) {
  return head && { length: head.length };
}

const LIMIT: readonly ParsingScenario[] = [
  {
    what: 'Refuse a head that is too long.',
    rules: [],
    check: ({ parseRequest }) => {
      const bytes = endless();
      const max = bytes.length - 1;
      refusesWith(431, () => parseRequest(bytes, max), 'Refuse a head that is too long.', {
        given: limited(bytes, max),
      });
    },
  },
  {
    what: 'Refuse a head that fills the limit without a blank line.',
    rules: [],
    check: ({ parseRequest }) => {
      const bytes = endless();
      const max = bytes.length;
      refusesWith(
        431,
        () => parseRequest(bytes, max),
        'All the bytes of a head are there, and no blank line: it can only be too long.',
        { given: limited(bytes, max) },
      );
    },
  },
  {
    what: 'Wait for a head that may still end in time.',
    rules: [],
    check: ({ parseRequest }) => {
      const bytes = endless();
      const max = bytes.length + 1;
      equal(() => parseRequest(bytes, max), undefined, 'It may still end in time.', {
        given: limited(bytes, max),
      });
    },
  },
  {
    what: 'Accept a head of exactly the limit.',
    rules: [],
    check: ({ parseRequest }) => {
      const bytes = bytesOf(RFC_REQUEST);
      const max = bytes.length;
      const given = limited(bytes, max, 'a whole head');
      equal(
        () => lengthOf(parseRequest(bytes, max)),
        { length: max },
        'Accept a head of exactly the limit.',
        { given },
      );
    },
  },
  {
    what: 'Refuse a whole head that is one byte longer than the limit.',
    rules: [],
    check: ({ parseRequest }) => {
      const bytes = bytesOf(RFC_REQUEST);
      const max = bytes.length - 1;
      const told = 'Refuse a whole head that is one byte longer than the limit.';
      refusesWith(431, () => parseRequest(bytes, max), told, {
        given: limited(bytes, max, 'a whole head'),
      });
    },
  },
  {
    what: 'The limit is for the head: the frames after it do not count.',
    rules: [],
    check: ({ parseRequest }) => {
      const bytes = bytesOf(RFC_REQUEST);
      const max = bytes.length;
      const frames = new Uint8Array(max * 2).fill(0x81);
      const told = 'The limit is for the head: the frames after it do not count.';
      equal(() => lengthOf(parseRequest(join(bytes, frames), max)), { length: max }, told, {
        given: limited(bytes, max, `a whole head, and ${frames.length} bytes of frames`),
      });
    },
  },
  {
    what: 'Refuse a megabyte without a blank line.',
    rules: [],
    check: ({ parseRequest, MAX_HEAD_BYTES }) => {
      const told = 'Refuse a megabyte without a blank line, when no limit is given.';
      refusesWith(431, () => parseRequest(new Uint8Array(1024 * 1024).fill(0x61)), told, {
        given: [
          ['arrived', '1048576 bytes: the letter a, again and again'],
          ['MAX_HEAD_BYTES', `${MAX_HEAD_BYTES}`],
        ],
      });
    },
  },
  {
    what: 'Without a limit, a head may have MAX_HEAD_BYTES, and not one byte more.',
    rules: [],
    check: ({ parseRequest, MAX_HEAD_BYTES: max }) => {
      const told = 'Without a limit, a head may have MAX_HEAD_BYTES, and not one byte more.';
      const padded = (size: number) => {
        const line = (value: string) => bytesOf(['GET / HTTP/1.1', `Cookie: ${value}`]);
        return line('c'.repeat(size - line('').length));
      };
      const given = (size: number): Fact[] => [
        ['arrived', `a head of ${size} bytes, and all of it`],
        ['MAX_HEAD_BYTES', `${max}`],
      ];
      equal(() => lengthOf(parseRequest(padded(max))), { length: max }, told, {
        given: given(max),
      });
      refusesWith(431, () => lengthOf(parseRequest(padded(max + 1))), told, {
        given: given(max + 1),
      });
    },
  },
];

function refuses(head: string, lines: readonly string[]): ParsingScenario {
  const what = `Refuse ${head}.`;
  return {
    what,
    rules: [35],
    check: ({ parseRequest }) => {
      const bytes = bytesOf(lines);
      refusesWith(400, () => parseRequest(bytes), what, { given: arrived(bytes) });
    },
  };
}

const REQUEST_LINES: readonly ParsingScenario[] = [
  refuses('a request line without version', ['GET /chat']),
  refuses('a request line with a space too many', ['GET  /chat HTTP/1.1']),
  refuses('a request line with four words', ['GET /chat room HTTP/1.1']),
  refuses('a request line with a word after the version', ['GET /chat HTTP/1.1 room']),
  refuses('the version `HTTP/x`: it has no digits', ['GET /chat HTTP/x']),
  refuses('the version `http/1.1`: HTTP is in capitals', ['GET /chat http/1.1']),
  refuses('the version `HTTP/2`: it has no dot', ['GET /chat HTTP/2']),
  refuses('the version `HTTP/1x1`: a dot is a dot', ['GET /chat HTTP/1x1']),
  refuses('a version with a letter before it', ['GET /chat XHTTP/1.1']),
  refuses('a version with a digit too many', ['GET /chat HTTP/1.10']),
  refuses('a target with a control character in it', ['GET /a\tchat HTTP/1.1']),
  refuses('a target that starts with a byte beyond ASCII', ['GET \u00fc/chat HTTP/1.1']),
  refuses('a target that ends with a byte beyond ASCII', ['GET /chat\u00fc HTTP/1.1']),
  refuses('a method that isn’t a token', ['G(E)T /chat HTTP/1.1']),
  refuses('an empty request line', ['', 'Host: h']),
];

const HEADER_LINES: readonly ParsingScenario[] = [
  refuses('a header without a colon', ['GET / HTTP/1.1', 'Upgrade websocket']),
  refuses('a header without a name', ['GET / HTTP/1.1', ': value']),
  refuses('a name that starts with a bracket', ['GET / HTTP/1.1', '(Host: h']),
  refuses('a name that ends with a bracket', ['GET / HTTP/1.1', 'Host): h']),
  refuses('a space between name and colon', ['GET / HTTP/1.1', 'Host : h']),
  refuses('a header line that starts with a space', ['GET / HTTP/1.1', 'X-A: 1', ' folded']),
  refuses('a header line that starts with a tab', ['GET / HTTP/1.1', 'X-A: 1', '\tfolded: 2']),
  refuses('a NUL in a value', ['GET / HTTP/1.1', 'X-A: a\0b']),
  refuses('a line feed without carriage return', ['GET / HTTP/1.1', 'X-A: a\nX-B: b']),
  refuses('a carriage return without line feed', ['GET / HTTP/1.1', 'X-A: a\rX-B: b']),
];

export const PARSING: readonly ParsingScenario[] = [
  ...readsWhole([], 'a request without any header', ['GET / HTTP/1.1']),
  ...HEADERS,
  ...readsWhole([], 'the request of RFC 6455 §1.2', RFC_REQUEST),
  ...readsWhole([43], 'a request of Chrome', CHROME_REQUEST),
  GLUED,
  TWO_BLANK_LINES,
  ESCAPED,
  MANY_HEADERS,
  ...[2, 8, 15].map(readsCookies),
  ...LIMIT,
  ...REQUEST_LINES,
  ...HEADER_LINES,
];
