/** Step 4: saying yes, saying no. */
import { attempt, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import { renderHead } from '../../../shared/view/wire.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { RFC_ACCEPT, RFC_KEY } from '../../vectors/accept.ts';

type ResponseScenario = Scenario<typeof Handshake>;

/** An HTTP response, taken apart the obvious way. */
interface ParsedResponse {
  readonly status: string;
  /** Lower-case name → value. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  readonly drawn: Fact;
}

/** Reads a response that has to be valid HTTP, with no header twice. */
export function readResponse(bytes: unknown): ParsedResponse {
  if (!(bytes instanceof Uint8Array)) fail('Return bytes.', [['you returned', show(bytes)]]);
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) {
    const cause = 'The browser waits for it, shows the connection as pending, and says nothing.';
    fail('A head ends with a blank line: \\r\\n\\r\\n.', [drawnOf(bytes)], cause);
  }
  const [status = '', ...lines] = text.slice(0, end).split('\r\n');
  if (/[\r\n]/.test(lines.join('')) || /[\r\n]/.test(status)) {
    fail('Each line of a head ends with \\r\\n, and neither of the two stands alone.', [
      drawnOf(bytes),
    ]);
  }
  if (!/^HTTP\/1\.1 \d{3} (?!undefined)\S/.test(status)) {
    fail('The first line is `HTTP/1.1`, a status of three digits and a phrase.', [drawnOf(bytes)]);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w-]+): *(.*?) *$/.exec(line) ?? [];
    if (name === '') fail(`This line is no header: ${quote(line)}`, [drawnOf(bytes)]);
    if (headers.has(name.toLowerCase())) fail(`${name} stands twice.`, [drawnOf(bytes)]);
    headers.set(name.toLowerCase(), value);
  }
  return {
    status,
    headers,
    body: bytes.slice(end + 4),
    get drawn() {
      return drawnOf(bytes);
    },
  };
}

function drawnOf(bytes: Uint8Array): Fact {
  return ['you returned', renderHead(bytes, 60).join('\n')];
}

// ── Saying yes ──────────────────────────────────────────────────────────────────────────────────

/** A call of `acceptResponse`, and the accept value that it leads to. */
interface Call {
  readonly key: string;
  readonly protocol?: string;
  readonly accept: string;
}

const CALLS: readonly Call[] = [
  { key: RFC_KEY, accept: RFC_ACCEPT },
  { key: 'x3JJHMbDL1EzLkh9GBhXDw==', accept: 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=' },
  { key: RFC_KEY, protocol: 'chat', accept: RFC_ACCEPT },
];

/** Something that has to be so of the response to each of the calls, besides valid HTTP. */
function saysYes(
  rules: readonly number[],
  what: string,
  checkResponse: (response: ParsedResponse, call: Call, given: readonly Fact[]) => void = () => {},
): ResponseScenario {
  return {
    what,
    rules,
    check: ({ acceptResponse }) => {
      for (const call of CALLS) {
        const { key, protocol } = call;
        const called: Fact = ['called with', show(protocol ? [key, protocol] : [key])];
        const accept = () => acceptResponse(key, protocol);
        const response = readResponse(attempt(accept, 'Say yes.', [called]));
        checkResponse(response, call, [called, response.drawn]);
      }
    },
  };
}

const YES: readonly ResponseScenario[] = [
  saysYes([53, 63, 64], 'Say yes in valid HTTP, with each header once.'),
  saysYes([54], 'Say yes with the status 101.', ({ status }, _, given) => {
    if (!status.startsWith('HTTP/1.1 101 ')) fail('The status is 101.', given);
  }),
  saysYes([55], 'Say yes with `Upgrade: websocket`.', ({ headers }, _, given) => {
    if (headers.get('upgrade')?.toLowerCase() === 'websocket') return;
    fail('The answer needs the header upgrade: websocket', given);
  }),
  saysYes([56], 'Say yes with `Connection: Upgrade`.', ({ headers }, _, given) => {
    if (headers.get('connection')?.toLowerCase() === 'upgrade') return;
    fail('The answer needs the header connection: Upgrade', given);
  }),
  saysYes([57], 'Say yes with the accept value of the key.', ({ headers }, { accept }, given) => {
    if (headers.get('sec-websocket-accept') === accept) return;
    fail(`The answer needs the header sec-websocket-accept: ${accept}`, given);
  }),
  saysYes([44, 59], 'Name the subprotocol that was chosen.', ({ headers }, { protocol }, given) => {
    if (protocol === undefined || headers.get('sec-websocket-protocol') === protocol) return;
    fail(`The answer needs the header sec-websocket-protocol: ${protocol}`, given);
  }),
  saysYes([50], 'Name no subprotocol when none was chosen.', ({ headers }, { protocol }, given) => {
    if (protocol !== undefined || !headers.has('sec-websocket-protocol')) return;
    fail('Send no sec-websocket-protocol: no subprotocol was chosen.', given);
  }),
  saysYes([44, 52, 139], 'Send no header that nobody asked for.', ({ headers }, _, given) => {
    const names = ['upgrade', 'connection', 'sec-websocket-accept', 'sec-websocket-protocol'];
    const extra = [...headers.keys()].find((name) => !names.includes(name));
    if (extra) fail(`The answer has a header that nobody asked for: ${extra}.`, given);
  }),
  saysYes([53], 'A 101 has no body.', ({ body }, _, given) => {
    if (body.length > 0) fail('A 101 has no body: the frames start after the blank line.', given);
  }),
];

/** Checks that this is refused with a `TypeError`, and draws what was sent instead. */
export function refusesToSend(
  send: () => Uint8Array,
  what: string,
  given: readonly Fact[],
  cause?: string,
): void {
  const sendAndDraw = () => {
    const sent: unknown = send();
    if (!(sent instanceof Uint8Array)) return sent;
    return fail(what, [...given, drawnOf(sent), ['expected', 'a thrown TypeError']], cause);
  };
  throws(TypeError, sendAndDraw, what, { given });
}

/** This is no subprotocol: it is not a token. */
function refusesToName(protocol: string): ResponseScenario {
  return {
    what: `Refuse to send the subprotocol ${quote(protocol)}.`,
    rules: [59],
    check: ({ acceptResponse }) => {
      const told =
        'Refuse to send a subprotocol that is not a token: it could bring its own header lines.';
      refusesToSend(() => acceptResponse(RFC_KEY, protocol), told, [['protocol', quote(protocol)]]);
    },
  };
}

// ── Saying no ───────────────────────────────────────────────────────────────────────────────────

const makeErrors = (): readonly HandshakeError[] => [
  new HandshakeError(400, '4.2.1', 'That was no good request.'),
  new HandshakeError(403, '10.2', 'Not from there.'),
  new HandshakeError(404, '4.2.2', 'Not here.'),
  new HandshakeError(405, '4.2.1', 'GET it is.', { Allow: 'GET' }),
  new HandshakeError(408, '10.4', 'Too late.'),
  new HandshakeError(418, '4.2.2', 'A status that nobody has planned for.'),
  new HandshakeError(426, '4.2.2', 'Another version.', {
    'Sec-WebSocket-Version': '13',
    Upgrade: 'websocket',
    Connection: 'close, Upgrade',
  }),
  new HandshakeError(503, '4.2.2', 'Not now.'),
  new HandshakeError(431, '10.4', 'Zu groß – 太长.'),
];

/** Something that has to be so of the response to each of the errors, besides valid HTTP. */
function saysNo(
  rules: readonly number[],
  what: string,
  checkResponse: (
    response: ParsedResponse,
    error: HandshakeError,
    given: readonly Fact[],
  ) => void = () => {},
): ResponseScenario {
  return {
    what,
    rules,
    check: ({ refusal }) => {
      for (const error of makeErrors()) {
        const caught: Fact = ['error', show(error)];
        const response = readResponse(attempt(() => refusal(error), 'Say no.', [caught]));
        checkResponse(response, error, [caught, response.drawn]);
      }
    },
  };
}

const NO: readonly ResponseScenario[] = [
  saysNo([154], 'Say no in valid HTTP.'),
  saysNo([154], 'Say no with the status of the error.', (response, { status }, given) => {
    const start = `HTTP/1.1 ${status} `;
    if (!response.status.startsWith(start)) fail(`The first line starts with ${start}.`, given);
  }),
  saysNo([], 'Say no with the headers of the error.', (response, { headers }, given) => {
    for (const [name, value] of Object.entries(headers)) {
      if (response.headers.get(name.toLowerCase()) === value) continue;
      fail(`The header of the error is missing: ${name}: ${value}`, given);
    }
  }),
  saysNo([132], 'Say that this is the end.', ({ headers }, _, given) => {
    if (/(^|,)\s*close\s*(,|$)/i.test(headers.get('connection') ?? '')) return;
    fail('Say that this is the end: `Connection: close`.', given);
  }),
  saysNo([], 'The body is text.', ({ headers }, _, given) => {
    if (/^text\/plain; *charset="?utf-8/i.test(headers.get('content-type') ?? '')) return;
    fail('The body is text: `Content-Type: text/plain; charset=utf-8`.', given);
  }),
  saysNo([], 'Content-Length is the length of the body.', ({ headers, body }, _, given) => {
    if (headers.get('content-length') === String(body.length)) return;
    fail(
      `Content-Length is ${body.length}, the bytes after the blank line.`,
      given,
      'Count bytes, not characters: a letter beyond ASCII has more than one.',
    );
  }),
  saysNo([], 'The body says what was wrong.', ({ body }, { message }, given) => {
    if (!Buffer.from(body).includes(message)) fail('The body says what was wrong.', given);
  }),
  {
    what: 'Refuse to send a header with a line break in it.',
    rules: [],
    check: ({ refusal }) => {
      const error = new HandshakeError(400, '4.2.1', 'x', { 'X-A': 'b\r\nX-C: d' });
      refusesToSend(() => refusal(error), 'Refuse to send a header with a line break in it.', [
        ['error', show(error)],
        ['its headers', show(error.headers)],
      ]);
    },
  },
];

export const RESPONSES: readonly ResponseScenario[] = [
  ...YES,
  ...['chat\r\nSet-Cookie: a=b', 'a b', 'chat\n', ''].map(refusesToName),
  ...NO,
];
