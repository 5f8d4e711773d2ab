/** Step 3: a response out of a stream of bytes. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, wire } from '../../../shared/kit/frames.ts';
import { isForgotten } from '../../../shared/kit/memory.ts';
import { quote } from '../../../shared/view/hex.ts';
import { latin1 } from '../01-handshake/reader.ts';
import { arrived } from '../01-handshake/requests.ts';
import { ANY_RESPONSES } from './any-response.ts';
import { bytesOf, CHROMIUM_RESPONSE, headOf, NODE_RESPONSE, refusesOpening } from './response.ts';
import type { Lesson, Scenarios } from './tools.ts';

type ResponseScenario = Scenarios[number];

/** What a server in front of others adds to a response. */
const PROXIED = [
  'HTTP/1.1 101 Switching Protocols',
  'Date: Sun, 22 Nov 2026 08:00:00 GMT',
  'Connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
  'Set-Cookie: a=b; Path=/',
  'Set-Cookie: c=d; Path=/',
  'Server: some-proxy/1.2',
];
const REFUSAL = ['HTTP/1.1 401 Unauthorized', 'WWW-Authenticate: Basic realm="a: b"'];
const OLD_REFUSAL = ['HTTP/1.0 400 Bad Request', 'Content-Type: text/html; charset=UTF-8'];

// ── Whole, and not before ───────────────────────────────────────────────────────────────────────

/** Reads a head, or more, that is right. */
function reads(what: string, bytes: Uint8Array, lines: readonly string[], how?: string) {
  const check = ({ parseResponse }: Lesson) => {
    const given = arrived(bytes, how);
    const head = headOf(lines);
    const isRight = (copy: Uint8Array) => same(parseResponse(copy), head);
    equal(() => parseResponse(bytes), head, what, {
      given,
      cause: (returned) => {
        if (isRight(bytes)) return undefined;
        if (isRight(new Uint8Array(bytes))) return IN_A_VIEW;
        return inOtherCase(returned) ?? endMistake(returned, head.length);
      },
    });
  };
  return { what, rules: [], check };
}

const IN_A_VIEW =
  'In a buffer of their own, the same bytes are read right. A Uint8Array may be a part of a larger buffer: it begins at its `byteOffset`, and has `byteLength` bytes.';

/** Says so when a name is there as it was written. */
function inOtherCase(returned: unknown): string | undefined {
  const { headers } = (returned ?? {}) as { headers?: unknown };
  const names: unknown[] = headers instanceof Map ? [...headers.keys()] : [];
  const other = names.find((name) => typeof name === 'string' && name !== name.toLowerCase());
  return typeof other === 'string'
    ? `One name is ${quote(other)}. A name is the same in any case: store it in lower case.`
    : undefined;
}

/** Says so when the head ends before its blank line does. */
function endMistake(returned: unknown, right: number): string | undefined {
  const { length = right } = (returned ?? {}) as { length?: number };
  return length === right - 4 || length === right - 2
    ? 'The blank line is a part of the head: `length` counts all of `\\r\\n\\r\\n`.'
    : undefined;
}

/** A response is read when it is whole, and not before. */
function readsWhole(response: string, lines: readonly string[]): ResponseScenario[] {
  return [
    {
      what: `Wait for the blank line of ${response}.`,
      rules: [],
      check: ({ parseResponse }) => {
        const bytes = bytesOf(lines);
        for (let length = 0; length < bytes.length; length++) {
          const part = bytes.slice(0, length);
          const told = 'The blank line has not come yet, so there is nothing to return.';
          equal(() => parseResponse(part), undefined, told, {
            // Drawn when it is told, and not for each of the parts.
            get given() {
              return arrived(part, `${length} of ${bytes.length} bytes`);
            },
          });
        }
      },
    },
    reads(`Read ${response}.`, bytesOf(lines), lines),
  ];
}

const FRAME = wire({ opcode: 1, payload: 'Hello', key: null });
const LIKE_A_HEAD = wire({ opcode: 2, payload: 'x: y\r\n\r\n', key: null });

const WHOLE: readonly ResponseScenario[] = [
  ...readsWhole('the response of Node’s debugger', NODE_RESPONSE),
  ...readsWhole('a response with the headers of a proxy', PROXIED),
  ...readsWhole('a response without any header', ['HTTP/1.1 204 No Content']),
  reads('Read the response of Chromium’s debugger.', bytesOf(CHROMIUM_RESPONSE), CHROMIUM_RESPONSE),
  reads('Read a refusal, too: its status and its headers.', bytesOf(REFUSAL), REFUSAL),
  reads('Read a refusal of HTTP/1.0.', bytesOf(OLD_REFUSAL), OLD_REFUSAL),
  reads(
    'What follows the blank line is the first frame, and no part of the head.',
    join(bytesOf(NODE_RESPONSE), FRAME),
    NODE_RESPONSE,
    'with a frame behind it, in one read',
  ),
  reads(
    'Stop at the first blank line: the bytes of a frame may look like another.',
    join(bytesOf(NODE_RESPONSE), LIKE_A_HEAD),
    NODE_RESPONSE,
    'with a frame behind it that ends with 0d 0a 0d 0a',
  ),
  reads(
    'Read it out of a larger buffer.',
    join(latin1('earlier bytes'), bytesOf(NODE_RESPONSE)).subarray(13),
    NODE_RESPONSE,
    'a view that starts at byte 13 of its buffer',
  ),
  {
    what: 'Wait for the blank line, when it lies behind the bytes.',
    rules: [],
    check: ({ parseResponse }) => {
      const part = bytesOf(NODE_RESPONSE).subarray(0, -2);
      const what = 'Wait for the blank line, when it lies behind the bytes.';
      const given = arrived(part, 'a view that ends 2 bytes before its buffer does');
      equal(() => parseResponse(part), undefined, what, { given });
    },
  },
];

// ── The lines ───────────────────────────────────────────────────────────────────────────────────

/** The status of a response that begins with this line. */
function readsStatus(status: number, what: string, line: string): ResponseScenario {
  return {
    what,
    rules: [],
    check: ({ parseResponse }) => {
      const bytes = bytesOf([line, ...NODE_RESPONSE.slice(1)]);
      const read = () => ({ status: parseResponse(bytes)?.status });
      equal(read, { status }, what, { given: arrived(bytes) });
    },
  };
}

/** The values that a header has after these lines have been read. */
function readsHeader(
  rules: readonly number[],
  what: string,
  lines: string,
  name: string,
  values: readonly string[],
): ResponseScenario {
  return {
    what,
    rules,
    check: ({ parseResponse }) => {
      const bytes = bytesOf(['HTTP/1.1 101 Switching Protocols', lines]);
      const given = arrived(bytes);
      const head =
        attempt(() => parseResponse(bytes), what, given) ??
        fail('The head is complete: return it.', given);
      equal(() => head.headers.get(name), values, what, {
        given,
        label: `headers.get(${quote(name)})`,
        cause: () => inOtherCase(head),
      });
    },
  };
}

const MANY = Array.from({ length: 100 }, (_, i) => `X-${i}: ${i}`).join('\r\n');

const LINES: readonly ResponseScenario[] = [
  readsStatus(101, 'The phrase can say anything.', 'HTTP/1.1 101 Web Socket: Protocol (Handshake)'),
  readsStatus(101, 'The phrase can be empty.', 'HTTP/1.1 101 '),
  readsStatus(101, 'The phrase can be absent, with the space before it.', 'HTTP/1.1 101'),
  readsStatus(600, 'A status is any three digits, also beyond 599.', 'HTTP/1.1 600 Later'),
  readsStatus(426, 'The phrase can have bytes beyond ASCII.', 'HTTP/1.1 426 N\u00e3o'),
  readsHeader([34], 'Turn header names to lower case.', 'UPGRADE: a', 'upgrade', ['a']),
  readsHeader([], 'Trim spaces and tabs around a value.', 'X-Pad: \t a b \t', 'x-pad', ['a b']),
  readsHeader([], 'Read a value with no space before it.', 'X-Tight:a', 'x-tight', ['a']),
  readsHeader([], 'Split at the first colon only.', 'X-A: b: c:d', 'x-a', ['b: c:d']),
  readsHeader([], 'Keep an empty value.', 'X-Empty:', 'x-empty', ['']),
  readsHeader([], 'Keep repeated headers, in order.', 'X-Two: 1\r\nx-two: 2', 'x-two', ['1', '2']),
  readsHeader([], 'Keep a header that comes twice with one value.', 'A: 1\r\nA: 1', 'a', [
    '1',
    '1',
  ]),
  readsHeader([], 'Read each byte as one character: latin1.', 'X-L: \u00c3\u00a9', 'x-l', [
    '\u00c3\u00a9',
  ]),
  readsHeader([], 'Read each of 100 headers.', MANY, 'x-99', ['99']),
  readsHeader([], 'Read `__proto__` like any other name.', '__proto__: x', '__proto__', ['x']),
];

// ── What isn't HTTP ─────────────────────────────────────────────────────────────────────────────

function refuses(head: string, lines: readonly string[]): ResponseScenario {
  const what = `Refuse ${head}.`;
  return {
    what,
    rules: [33, 153],
    check: ({ parseResponse }) => {
      const bytes = bytesOf(lines);
      refusesOpening(() => parseResponse(bytes), what, { given: arrived(bytes) });
    },
  };
}

function refusesLine(line: string, statusLine: string): ResponseScenario {
  return refuses(line, [statusLine, ...NODE_RESPONSE.slice(1)]);
}

function refusesHeader(line: string, ...lines: readonly string[]): ResponseScenario {
  return refuses(line, [...NODE_RESPONSE, ...lines]);
}

const NOT_HTTP: readonly ResponseScenario[] = [
  refusesLine('the version HTTP/1.2', 'HTTP/1.2 101 Switching Protocols'),
  refusesLine('the version HTTP/2', 'HTTP/2 101 Switching Protocols'),
  refusesLine('the version HTTP/1x1: a dot is a dot', 'HTTP/1x1 101 Switching Protocols'),
  refusesLine('`http`: HTTP is in capitals', 'http/1.1 101 Switching Protocols'),
  refusesLine('a status of four digits', 'HTTP/1.1 0101 Switching Protocols'),
  refusesLine('a status that goes on behind three digits', 'HTTP/1.1 101Switching Protocols'),
  refusesLine('a status of two digits', 'HTTP/1.1 10 Switching Protocols'),
  refusesLine('a status with a letter in it', 'HTTP/1.1 1O1 Switching Protocols'),
  refusesLine('two spaces before the status', 'HTTP/1.1  101 Switching Protocols'),
  refusesLine('a tab before the status', 'HTTP/1.1\t101 Switching Protocols'),
  refusesLine('a line without status', 'HTTP/1.1'),
  refusesLine('something before `HTTP`', 'xHTTP/1.1 101 Switching Protocols'),
  refusesLine('a control character in the phrase', 'HTTP/1.1 101 Switching\0'),
  refuses('a request', ['GET / HTTP/1.1', 'Host: h']),
  refusesHeader('a header without a colon', 'Sec-WebSocket-Extensions'),
  refusesHeader('a header without a name', ': value'),
  refusesHeader('a space between name and colon', 'X-A : b'),
  refusesHeader('a name that isn’t a token', 'X(A): b'),
  refusesHeader('a header that goes on in the next line', 'X-A: b,', ' c'),
  refusesHeader('a header that goes on behind a tab', 'X-A: b,', '\tc: d'),
  refusesHeader('a NUL in a value', 'X-A: a\0b'),
  refusesHeader('a line feed without carriage return', 'X-A: a\nX-B: b'),
  refusesHeader('a carriage return without line feed', 'X-A: a\rX-B: b'),
  refusesHeader('a value of 15,000 spaces with a control character', `X:${' '.repeat(15_000)}\r`),
  refusesHeader('a value of 15,000 spaces between two of them', `X: \x01${' '.repeat(15_000)}\x01`),
];

/** Reads a head out of bytes that nobody else has. */
function readAndLeave({ parseResponse }: Lesson): { bytes: WeakRef<object>; head: unknown } {
  const bytes = bytesOf(PROXIED);
  const head = parseResponse(bytes);
  return { bytes: new WeakRef(bytes.buffer), head };
}

const FORGOTTEN: ResponseScenario = {
  what: 'A head keeps none of the bytes that it was read from.',
  rules: [],
  check: async (lesson) => {
    const { bytes, head } = readAndLeave(lesson);
    if (await isForgotten(bytes)) return;
    fail('A head keeps none of the bytes that it was read from.', [
      ['the head', show(head)],
      ['its bytes', 'are still in memory, although nobody else has them'],
    ]);
  },
};

// ── Limits ──────────────────────────────────────────────────────────────────────────────────────

/** A head of so many bytes. */
function sized(size: number): Uint8Array {
  const line = (value: string) => bytesOf([...NODE_RESPONSE, `Set-Cookie: ${value}`]);
  return line('c'.repeat(size - line('').length));
}

/** The beginning of a head whose end has not come: 296 bytes. */
const ENDLESS = sized(300).subarray(0, -4);

/** What becomes of bytes with a limit: how long the head is, nothing yet, or a refusal. */
function limits(
  what: string,
  bytesFor: (max: number) => Uint8Array,
  max: number | undefined,
  expected: 'read' | 'nothing yet' | 'refused',
): ResponseScenario {
  return {
    what,
    rules: [150],
    check: ({ parseResponse, CLIENT_LIMITS: { maxHeadBytes } }) => {
      const bytes = bytesFor(max ?? maxHeadBytes);
      const given: Fact[] = [
        ['arrived', `${bytes.length} bytes of a response`],
        ['call', max === undefined ? 'parseResponse(bytes)' : `parseResponse(bytes, ${max})`],
        ...(max === undefined ? [['MAX_HEAD_BYTES', `${maxHeadBytes}`] as const] : []),
      ];
      const call = () => parseResponse(bytes, max);
      const length = Buffer.from(bytes).indexOf('\r\n\r\n') + 4;
      if (expected === 'refused') refusesOpening(call, what, { given });
      else if (expected === 'nothing yet') equal(call, undefined, what, { given });
      else equal(() => ({ length: call()?.length }), { length }, what, { given });
    },
  };
}

const WITHOUT_ANY: readonly ResponseScenario[] = [
  limits('Read a head of 2,400 bytes: proxies add a lot.', () => sized(2400), undefined, 'read'),
  limits('Read a head of 15,000 bytes.', () => sized(15_000), undefined, 'read'),
  limits('Without a limit, a head can have MAX_HEAD_BYTES.', sized, undefined, 'read'),
  limits(
    'Without a limit, refuse a head of MAX_HEAD_BYTES and one.',
    (max) => sized(max + 1),
    undefined,
    'refused',
  ),
  limits('Refuse a head of a megabyte.', () => sized(1_000_000), undefined, 'refused'),
];

const WITH_ONE: readonly ResponseScenario[] = [
  limits('Refuse a head that is too long, before its end.', () => ENDLESS, 295, 'refused'),
  limits('Refuse one that fills the limit without a blank line.', () => ENDLESS, 296, 'refused'),
  limits('Wait for a head that may still end in time.', () => ENDLESS, 297, 'nothing yet'),
  limits('Read a head of exactly the limit.', sized, 300, 'read'),
  limits('Refuse a whole head that is one byte too long.', () => sized(300), 299, 'refused'),
  limits(
    'The limit is for the head: the frames after it do not count.',
    (max) => join(sized(max), new Uint8Array(600).fill(0x81)),
    300,
    'read',
  ),
];

export const RESPONSES: Scenarios = [
  ...WHOLE,
  ...LINES,
  ...NOT_HTTP,
  ...WITHOUT_ANY,
  ...WITH_ONE,
  FORGOTTEN,
  ...ANY_RESPONSES,
];
