/** Step 5: saying yes, saying no. */
import { attempt, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { RFC_ACCEPT, RFC_KEY } from '../../vectors/accept.ts';
import { drawHead, OUTLIVES_CALL } from './requests.ts';

type ResponseScenario = Scenario<typeof Handshake>;

/** An HTTP response, taken apart the obvious way. */
interface ParsedResponse {
  readonly status: string;
  /** Lower-case name → value. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
  /** All of it. */
  readonly bytes: Uint8Array;
}

const LINE_ENDS = 'Each line of a head ends with \\r\\n, and neither of the two appears alone.';

/** Reads a response that has to be valid HTTP, with no header twice. */
export function readResponse(bytes: unknown, given: readonly Fact[] = []): ParsedResponse {
  if (!(bytes instanceof Uint8Array)) {
    fail('Return bytes.', [...given, ['you returned', show(bytes)]]);
  }
  const isHttp = (holds: boolean, what: string, cause?: string) => {
    if (!holds) fail(what, [...given, drawnOf(bytes)], cause);
  };
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  const pending = 'The browser waits for it, shows the connection as pending, and says nothing.';
  isHttp(end !== -1 || !/[^\r]\n[\w-]+: /.test(text), LINE_ENDS);
  isHttp(end !== -1, 'A head ends with a blank line: \\r\\n\\r\\n.', pending);
  const [status = '', ...lines] = text.slice(0, end).split('\r\n');
  isHttp(!/[\r\n]/.test(lines.join('') + status), LINE_ENDS);
  const phrase = 'The first line is `HTTP/1.1`, a status of three digits and a phrase.';
  isHttp(/^HTTP\/1\.1 \d{3} (?!undefined)\S/.test(status), phrase, phraseMistake(status));
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w-]+): *(.*?) *$/.exec(line) ?? [];
    isHttp(name !== '', `This line isn’t a header: ${quote(line)}`);
    const isFirst = !headers.has(name.toLowerCase());
    isHttp(isFirst, `${name} appears twice.`, caseMistake(lines, name));
    headers.set(name.toLowerCase(), value);
  }
  return { status, headers, body: bytes.slice(end + 4), bytes };
}

/** What is wrong with a status line that has a status. */
function phraseMistake(line: string): string | undefined {
  return /^HTTP\/1\.1 \d{3} ?(undefined)?$/.test(line)
    ? 'It has no phrase for this status. Where you know none, any phrase will do, such as Refused.'
    : undefined;
}

/** The cause, where a header appears again in another case. */
function caseMistake(lines: readonly string[], name: string): string | undefined {
  const names = lines.map((line) => line.split(':', 1).join());
  const other = names.find((one) => one !== name && one.toLowerCase() === name.toLowerCase());
  return other && `In HTTP, \`${other}\` and \`${name}\` are the same name.`;
}

/** Draws a response line by line. */
export function drawResponse(bytes: Uint8Array): string {
  return drawHead(bytes).join('\n');
}

export function drawnOf(bytes: Uint8Array): Fact {
  return ['you returned', drawResponse(bytes)];
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

/** Tells a call of `acceptResponse`, with what is not ASCII as `\u017f`. */
export function callOf(...names: readonly (string | undefined)[]): Fact {
  const given = names.flatMap((name) => (name === undefined ? [] : [inAscii(name)]));
  return ['call', `acceptResponse(${given.join(', ')})`];
}

/** Quotes text, and writes what is not ASCII as `\u017f`. */
export function inAscii(text: string): string {
  const byNumber = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return quote(text).replace(/[^ -~]/g, byNumber);
}

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
        const called = callOf(key, protocol);
        const accept = () => acceptResponse(key, protocol);
        const again = () => worksAgain(accept);
        const response = readResponse(
          attempt(accept, 'Say yes.', [called], { causeOfError: again }),
          [called],
        );
        checkResponse(response, call, [called, drawnOf(response.bytes)]);
      }
    },
  };
}

/** Says so when a call that has thrown does not when it is made again. */
function worksAgain(call: () => unknown): string {
  call();
  return OUTLIVES_CALL;
}

const YES: readonly ResponseScenario[] = [
  saysYes([53, 63, 64], 'Say yes in valid HTTP, with each header once.'),
  saysYes([54], 'Say yes with the status 101.', ({ status }, _, given) => {
    if (!status.startsWith('HTTP/1.1 101 ')) fail('The status has to be 101.', given);
  }),
  saysYes([55], 'Say yes with `Upgrade: websocket`.', ({ headers }, _, given) => {
    if (headers.get('upgrade')?.toLowerCase() === 'websocket') return;
    fail('The response needs `Upgrade: websocket`.', given);
  }),
  saysYes([56], 'Say yes with `Connection: Upgrade`.', ({ headers }, _, given) => {
    if (headers.get('connection')?.toLowerCase() === 'upgrade') return;
    fail('The response needs `Connection: Upgrade`, and no other item in it.', given);
  }),
  saysYes([57], 'Say yes with the accept value of the key.', ({ headers }, { accept }, given) => {
    if (headers.get('sec-websocket-accept') === accept) return;
    fail(`The response needs \`Sec-WebSocket-Accept: ${accept}\`.`, given);
  }),
  saysYes([44, 59], 'Name the subprotocol that was chosen.', ({ headers }, { protocol }, given) => {
    if (protocol === undefined || headers.get('sec-websocket-protocol') === protocol) return;
    fail(`The response needs \`Sec-WebSocket-Protocol: ${protocol}\`.`, given);
  }),
  saysYes([50], 'Name no subprotocol when none was chosen.', ({ headers }, { protocol }, given) => {
    if (protocol !== undefined || !headers.has('sec-websocket-protocol')) return;
    fail('Send no `Sec-WebSocket-Protocol`: no subprotocol was chosen.', given);
  }),
  saysYes([44, 52, 139], 'Send no header that nobody asked for.', ({ headers }, _, given) => {
    const names = ['upgrade', 'connection', 'sec-websocket-accept', 'sec-websocket-protocol'];
    const extra = [...headers.keys()].find((name) => !names.includes(name));
    if (extra) fail(`Nobody asked for this header: \`${extra}\`.`, given);
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

/** What can't be a subprotocol, and why it isn't a token. */
const NO_TOKENS: readonly (readonly [name: string, why: string])[] = [
  ['chat\r\nSet-Cookie: a=b', 'it brings a header line of its own.'],
  ['a b', 'there is a space in it.'],
  ['chat\n', 'there is a line break in it.'],
  ['', 'a token has a character at least. Without a subprotocol, the parameter is `undefined`.'],
];

/** This can't be a subprotocol: it isn't a token. */
function refusesToName([protocol, why]: readonly [string, string]): ResponseScenario {
  const what = `Refuse to send the subprotocol ${quote(protocol)}.`;
  return {
    what,
    rules: [59],
    check: ({ acceptResponse }) => {
      const call = () => acceptResponse(RFC_KEY, protocol);
      refusesToSend(call, what, [callOf(RFC_KEY, protocol)], `It is not a token: ${why}`);
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

/** How an error is told: what of it goes into the response. */
export function factsOf(error: HandshakeError): Fact[] {
  const headers = Object.entries(error.headers).map(
    ([name, value]) => `${inAscii(name)}: ${inAscii(value)}`,
  );
  const told: Fact = ['error', show(error)];
  return headers.length === 0 ? [told] : [told, ['its headers', headers.join('\n')]];
}

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
        const caught = factsOf(error);
        const response = readResponse(
          attempt(() => refusal(error), 'Say no.', caught),
          caught,
        );
        checkResponse(response, error, [...caught, drawnOf(response.bytes)]);
      }
    },
  };
}

const NO: readonly ResponseScenario[] = [
  saysNo([154], 'Say no in valid HTTP.'),
  saysNo([154], 'Say no with the status of the error.', (response, { status }, given) => {
    if (response.status.startsWith(`HTTP/1.1 ${status} `)) return;
    fail(`The first line has to be \`HTTP/1.1 ${status}\` and a phrase.`, given);
  }),
  saysNo([], 'Say no with the headers of the error.', (response, { headers }, given) => {
    for (const [name, value] of Object.entries(headers)) {
      if (response.headers.get(name.toLowerCase()) === value) continue;
      fail(`The response needs the header of the error: \`${name}: ${value}\`.`, given);
    }
  }),
  saysNo([132], 'Say that this is the end.', ({ headers }, _, given) => {
    if (/(^|,)\s*close\s*(,|$)/i.test(headers.get('connection') ?? '')) return;
    fail('Say that this is the end: `Connection: close`.', given);
  }),
  saysNo([], 'The body is text.', ({ headers }, _, given) => {
    if (/^text\/plain; *charset="?utf-8/i.test(headers.get('content-type') ?? '')) return;
    fail('The response needs `Content-Type: text/plain; charset=utf-8`.', given);
  }),
  saysNo([], 'Content-Length is the length of the body.', ({ headers, body }, _, given) => {
    if (headers.get('content-length') === String(body.length)) return;
    const characters = String(Buffer.from(body).toString().length);
    fail(
      `Content-Length has to be ${body.length}: so many bytes follow the blank line.`,
      given,
      headers.get('content-length') === characters
        ? 'Those are its characters. A letter beyond ASCII has more than one byte.'
        : undefined,
    );
  }),
  saysNo([], 'The body says what was wrong.', ({ body }, { message }, given) => {
    if (!Buffer.from(body).includes(message))
      fail('The body has to have the message of the error in it.', given);
  }),
  {
    what: 'Refuse to send a header with a line break in it.',
    rules: [],
    check: ({ refusal }) => {
      const error = new HandshakeError(400, '4.2.1', 'x', { 'X-A': 'b\r\nX-C: d' });
      const told = 'Refuse to send a header with a line break in it.';
      refusesToSend(() => refusal(error), told, factsOf(error));
    },
  },
];

export const RESPONSES: readonly ResponseScenario[] = [
  ...YES,
  ...NO_TOKENS.map(refusesToName),
  ...NO,
];
