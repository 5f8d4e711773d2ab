/** Step 5, with subprotocols and errors that nobody thought of. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { RFC_ACCEPT, RFC_KEY } from '../../vectors/accept.ts';
import { CHARACTERS, isToken } from './reader.ts';
import {
  callOf,
  drawnOf,
  drawResponse,
  factsOf,
  readResponse,
  refusesToSend,
} from './responses.ts';

type ResponseScenario = Scenario<typeof Handshake>;

/** These are line ends to a program that keeps the lower eight bits of a character only. */
const WIDE_LINE_ENDS = ['\u010d', '\u010a'];
/** These are letters of ASCII to a pattern with the flags `iu`. */
const WIDE_LETTERS = ['\u017f', '\u212a'];
const LIKE_LETTERS =
  'To a pattern with the flags `iu`, U+017F is an s and U+212A a k. Write `A-Za-z` without them.';

const PROTOCOL = 'Sec-WebSocket-Protocol';

const NAMES_ANY: ResponseScenario = {
  what: 'Any subprotocol: a token is sent as it is, and all else is refused.',
  rules: [44, 59],
  check: ({ acceptResponse }) => {
    const inside = [...CHARACTERS.slice(0, 128), '\x85', '\xa0', '\xe9'].concat(
      WIDE_LINE_ENDS,
      WIDE_LETTERS,
    );
    const atEnds = [...'\0\t\n\r a-,(\x7f\xe9'];
    const names = [
      ...inside.map((character) => `a${character}b`),
      ...atEnds.flatMap((character) => [`${character}ab`, `ab${character}`]),
    ];
    for (const protocol of names) {
      const given = [callOf(RFC_KEY, protocol)];
      const call = () => acceptResponse(RFC_KEY, protocol);
      if (isToken(protocol)) {
        const told = 'Send any subprotocol that is a token.';
        equal(() => protocolOf(call()), protocol, told, { given, label: PROTOCOL });
      } else {
        const told = 'Refuse to send any subprotocol that is not a token.';
        // Others beyond ASCII have been refused.
        const isLetter = WIDE_LETTERS.some((letter) => protocol.includes(letter));
        refusesToSend(call, told, given, isLetter ? LIKE_LETTERS : undefined);
      }
    }
  },
};

function protocolOf(bytes: Uint8Array): string | undefined {
  return readResponse(bytes).headers.get(PROTOCOL.toLowerCase());
}

// ── Errors ──────────────────────────────────────────────────────────────────────────────────────

const STATUSES = [400, 401, 403, 404, 405, 408, 418, 426, 429, 431, 499, 500, 501, 503, 599];
const WORDS = [
  'No',
  ' ',
  'ß',
  '太长',
  'é',
  '😀',
  '.',
  '\n',
  '\r\n',
  '\t',
  '"',
  '\u2028',
  'a\r\n\r\nb',
];
const HEADER_NAMES = ['X-A', 'Allow', 'Retry-After', 'Sec-WebSocket-Version', 'WWW-Authenticate'];
const HEADER_VALUES = ['1', 'GET', '13, 8', 'Basic realm="a: b"', 'a,b', ''];
const CONNECTIONS = ['close, Upgrade', 'close'];
const INTRUDERS = ['\n', '\r', '\r\n', '\n\n', '\r\nX-C: d'];

function drawError(choose: Choices): HandshakeError {
  const message = `No${choose.list(4, () => choose.pick(WORDS)).join('')}`;
  const headers = choose.list(3, () => [choose.pick(HEADER_NAMES), choose.pick(HEADER_VALUES)]);
  if (choose.oneIn(4)) headers.push(['Connection', choose.pick(CONNECTIONS)]);
  return new HandshakeError(choose.pick(STATUSES), '4.2.1', message, Object.fromEntries(headers));
}

const ANY_ERROR: ResponseScenario = {
  what: 'Any error: its status, its headers, and its message in so many bytes.',
  rules: [132, 154],
  check: ({ refusal }) => {
    generated(80, (choose) => {
      const error = drawError(choose);
      const about = {
        get given() {
          return factsOf(error);
        },
        label: 'in the response',
      };
      const told = 'Say no with the status, the headers and the message of any error.';
      equal(() => partsOf(refusal(error), error), expectedOf(error), told, about);
    });
  },
};

/** What has to be so of a response, whatever its phrase, the case of its names and their order. */
function partsOf(bytes: Uint8Array, error: HandshakeError) {
  const { status, headers, body } = readResponse(bytes);
  return {
    status: status.split(' ')[1],
    headers: Object.fromEntries(
      Object.keys(expectedOf(error).headers).map((name) => [name, headers.get(name)]),
    ),
    'message in the body': Buffer.from(body).includes(error.message),
    'Content-Length is right': headers.get('content-length') === String(body.length),
  };
}

function expectedOf({ status, headers }: HandshakeError) {
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    status: String(status),
    headers: Object.fromEntries([['connection', 'close'], ...own]),
    'message in the body': true,
    'Content-Length is right': true,
  };
}

const LINE_BREAKS: ResponseScenario = {
  what: 'Any line break in a header of an error, in its name or its value.',
  rules: [],
  check: ({ refusal }) => {
    for (const intruder of INTRUDERS) {
      for (const text of [`${intruder}b`, `a${intruder}b`, `a${intruder}`]) {
        for (const [name, value] of [
          ['X-A', text],
          [text, 'b'],
        ] as const) {
          const error = new HandshakeError(400, '4.2.1', 'No.', { Allow: 'GET', [name]: value });
          const told = 'Refuse to send a header with any part of a line break, in name or value.';
          refusesToSend(() => refusal(error), told, factsOf(error));
        }
      }
    }
  },
};

const AS_LATIN1 =
  'Written with one byte for each character, U+010A is cut to 0a and U+010D to 0d: line ends.';

const WIDE: ResponseScenario = {
  what: 'No character of a header becomes a line break on its way to bytes.',
  rules: [],
  check: ({ refusal }) => {
    for (const character of WIDE_LINE_ENDS) {
      const error = new HandshakeError(400, '4.2.1', 'No.', { 'X-A': `a${character}X-C: d` });
      let bytes: Uint8Array;
      try {
        bytes = refusal(error);
      } catch (thrown) {
        if (thrown instanceof TypeError) continue;
        throw thrown;
      }
      const cut = Buffer.from(`a${character}X-C`, 'latin1');
      if (Buffer.from(bytes).includes(cut)) {
        fail(WIDE.what, [...factsOf(error), drawnOf(bytes)], AS_LATIN1);
      }
      readResponse(bytes, factsOf(error));
    }
  },
};

// ── Two in a row ────────────────────────────────────────────────────────────────────────────────

const KEPT: ResponseScenario = {
  what: 'Any two responses: each has bytes of its own.',
  rules: [],
  check: ({ acceptResponse, refusal }) => {
    generated(30, (choose) => {
      const error = drawError(choose);
      const calls: readonly (readonly [name: string, call: () => Uint8Array])[] = [
        ['acceptResponse(key)', () => acceptResponse(RFC_KEY)],
        ["acceptResponse(key, 'chat')", () => acceptResponse(RFC_KEY, 'chat')],
        [`refusal of ${show(error)}`, () => refusal(error)],
      ];
      const [[first, write], [second, writeAnother]] = [choose.pick(calls), choose.pick(calls)];
      const bytes = write();
      const before = new Uint8Array(bytes);
      writeAnother();
      if (Buffer.compare(bytes, before) === 0) return;
      fail('A response stays as it is, when the next one is written.', [
        ['first call', first],
        ['returned', drawResponse(before)],
        ['then', second],
        ['now it is', drawResponse(bytes)],
      ]);
    });
  },
};

/** The accept value is that of the key, whatever has been computed before. */
const KEYS: ResponseScenario = {
  what: 'The accept value is that of this key, after any other.',
  rules: [57],
  check: ({ acceptResponse }) => {
    generated(5, (choose) => {
      const other = Buffer.from(choose.bytes(16)).toString('base64');
      acceptResponse(other, 'chat');
      const accept = () => readResponse(acceptResponse(RFC_KEY)).headers;
      equal(() => accept().get('sec-websocket-accept'), RFC_ACCEPT, KEYS.what, {
        given: [callOf(other, 'chat'), callOf(RFC_KEY)],
        label: 'Sec-WebSocket-Accept',
      });
    });
  },
};

export const ANY_RESPONSES: readonly ResponseScenario[] = [
  NAMES_ANY,
  ANY_ERROR,
  LINE_BREAKS,
  WIDE,
  KEPT,
  KEYS,
];
