import { attempt, equal, fail, refusesWith, throws } from '../../shared/harness/check.ts';
import type { Fact } from '../../shared/harness/facts.ts';
import { show } from '../../shared/harness/show.ts';
import type { Spec } from '../../shared/harness/spec.ts';
import { join, utf8, wire } from '../../shared/kit/frames.ts';
import { HandshakeError } from '../../shared/protocol.ts';
import { quote } from '../../shared/view/hex.ts';
import { renderHead } from '../../shared/view/wire.ts';
import type * as Handshake from '../../solutions/01-handshake/handshake.ts';
import { ACCEPT_VECTORS, FINGERPRINTS, RFC_ACCEPT, RFC_KEY } from '../vectors/accept.ts';

type Lesson = typeof Handshake;

function accept({ acceptKey }: Lesson): void {
  for (const { source, key, accept } of ACCEPT_VECTORS) {
    equal(() => acceptKey(key), accept, `The accept value for this key is known: ${source}.`, {
      given: [['key', quote(key)]],
      cause: (actual) =>
        typeof actual !== 'string'
          ? 'The accept value is a string.'
          : (FINGERPRINTS[actual] ?? unknownAccept(actual)),
    });
  }
}

function unknownAccept(accept: string): string | undefined {
  if (/\s/.test(accept)) return 'There is white space in it: a base64 helper may have wrapped it.';
  return accept.length === 28
    ? 'It has the right length, so it is the SHA-1 of something else: compare what you hash with the key and GUID, character by character.'
    : `It has ${accept.length} characters. The base64 of a SHA-1 has 28.`;
}

/** The request of RFC 6455 §1.2, one header a line. */
const RFC_REQUEST = [
  'GET /chat HTTP/1.1',
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${RFC_KEY}`,
  'Origin: http://example.com',
  'Sec-WebSocket-Protocol: chat, superchat',
  'Sec-WebSocket-Version: 13',
];

/** What Chrome sends. */
const CHROME_REQUEST = [
  'GET /chat?room=1 HTTP/1.1',
  'Host: localhost:8080',
  'Connection: Upgrade',
  'Pragma: no-cache',
  'Cache-Control: no-cache',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/71.0 Safari/537.36',
  'Upgrade: websocket',
  'Origin: http://localhost:8080',
  'Sec-WebSocket-Version: 13',
  'Accept-Encoding: gzip, deflate, br',
  'Accept-Language: zh-CN,zh;q=0.9',
  'Cookie: _ga=GA1.1.1; token="a=b: c"',
  'Sec-WebSocket-Key: PCD+pA79juC6tlBK9zD3Vw==',
  'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
];

function bytesOf(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return utf8(`${lines.join('\r\n')}\r\n\r\n`);
}

function arrived(bytes: Uint8Array, how?: string): Fact[] {
  const head: Fact = ['arrived', renderHead(bytes, 60).slice(0, 20).join('\n')];
  return how ? [head, ['delivery', how]] : [head];
}

/** A request with a mark at each line that differs from the one of the standard. */
function request(lines: readonly string[]): Fact[] {
  const drawn = renderHead(bytesOf(lines), 60).map((line, i) => {
    const known = lines[i] === undefined || RFC_REQUEST.includes(lines[i]);
    return `${known ? ' ' : '>'} ${line}`;
  });
  const names = (list: readonly string[]) => list.slice(1).map((line) => line.split(':')[0]);
  const gone = names(RFC_REQUEST).filter((name) => !names(lines).includes(name));
  return [['request', [...drawn, ...gone.map((name) => `> (no ${name})`)].join('\n')]];
}

/** The slow, obvious way to read a request that is known to be good. */
function headOf(lines: readonly string[]): Handshake.RequestHead {
  const [method = '', target = '', version = ''] = (lines[0] ?? '').split(' ');
  const headers = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    const [name = '', ...value] = line.split(': ');
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value.join(': ')]);
  }
  return { method, target, version, headers, length: bytesOf(lines).length };
}

function parsing({ parseRequest, MAX_HEAD_BYTES }: Lesson): void {
  const readings: [what: string, line: string, name: string, values: string[]][] = [
    ['Split at the first colon only', 'host: localhost:8080', 'host', ['localhost:8080']],
    ['Turn header names to lower case', 'SEC-WebSocket-KEY: AbC=', 'sec-websocket-key', ['AbC=']],
    ['Trim spaces and tabs around a value', 'X-Pad: \t a b \t', 'x-pad', ['a b']],
    ['Do without the space after the colon', 'X-Tight:a', 'x-tight', ['a']],
    ['Keep an empty value', 'X-Empty:', 'x-empty', ['']],
    ['Keep repeated headers, in order', 'X-Two: 1\r\nx-two: 2', 'x-two', ['1', '2']],
    ['Read any byte beyond ASCII as it is', 'X-Latin: \u00e9', 'x-latin', ['\u00c3\u00a9']],
    ['Read `__proto__` like any other name', '__proto__: x', '__proto__', ['x']],
  ];
  for (const [what, line, name, values] of readings) {
    const bytes = bytesOf(['GET / HTTP/1.1', line]);
    const given = arrived(bytes);
    const read = attempt(() => parseRequest(bytes), `${what}.`, given);
    const head = read ?? fail('The head is complete: return it.', given);
    equal(() => head.headers.get(name), values, `${what}.`, {
      given: [...given, ['header', quote(name)]],
      cause: () => otherCase(head.headers, name),
    });
  }

  for (const [what, lines] of [
    ['the request of RFC 6455 §1.2', RFC_REQUEST],
    ['a request of Chrome', CHROME_REQUEST],
    ['a request without any header', ['GET / HTTP/1.1']],
  ] as const) {
    const bytes = bytesOf(lines);
    for (let length = 0; length < bytes.length; length++) {
      equal(
        () => parseRequest(bytes.slice(0, length)),
        undefined,
        'The blank line has not come yet, so there is nothing to return.',
        { given: arrived(bytes.slice(0, length), `${length} of ${bytes.length} bytes`) },
      );
    }
    equal(() => parseRequest(bytes), headOf(lines), `Read ${what}.`, { given: arrived(bytes) });
    const moved = join(utf8('earlier bytes'), bytes).subarray(13);
    equal(() => parseRequest(moved), headOf(lines), `Read it out of a larger buffer: ${what}.`, {
      given: arrived(moved, 'a view that starts at byte 13 of its buffer'),
    });
  }

  const firstFrame = wire({ opcode: 1, payload: 'Hello\r\n\r\n' });
  const glued = join(bytesOf(RFC_REQUEST), firstFrame);
  equal(
    () => parseRequest(glued),
    headOf(RFC_REQUEST),
    'What follows the blank line is the first frame, and no part of the head.',
    { given: [['arrived', 'the request of RFC 6455 §1.2 and a frame, in one read']] },
  );

  for (const size of [2, 8, 15]) {
    const lines = ['GET / HTTP/1.1', `Cookie: ${'c'.repeat(size * 1024)}`, `Host: h`];
    equal(
      () => parseRequest(bytesOf(lines)),
      headOf(lines),
      `Read a head with ${size} KiB of cookies.`,
    );
  }
  limit(parseRequest, MAX_HEAD_BYTES);

  const malformed: [what: string, lines: string[]][] = [
    ['a request line without version', ['GET /chat']],
    ['a request line with a space too many', ['GET  /chat HTTP/1.1']],
    ['a request line with four words', ['GET /chat room HTTP/1.1']],
    ['a request line with a word after the version', ['GET /chat HTTP/1.1 room']],
    ['a version that is none', ['GET /chat HTTP/x']],
    ['a version with a letter before it', ['GET /chat XHTTP/1.1']],
    ['a version with a digit too many', ['GET /chat HTTP/1.10']],
    ['a target that starts with a byte beyond ASCII', ['GET \u00fc/chat HTTP/1.1']],
    ['a target that ends with a byte beyond ASCII', ['GET /chat\u00fc HTTP/1.1']],
    ['a method that is no token', ['G(E)T /chat HTTP/1.1']],
    ['an empty request line', ['', 'Host: h']],
    ['a header without a colon', ['GET / HTTP/1.1', 'Upgrade websocket']],
    ['a header without a name', ['GET / HTTP/1.1', ': value']],
    ['a name that starts with a bracket', ['GET / HTTP/1.1', '(Host: h']],
    ['a name that ends with a bracket', ['GET / HTTP/1.1', 'Host): h']],
    ['a space between name and colon', ['GET / HTTP/1.1', 'Host : h']],
    ['a header line that starts with a space', ['GET / HTTP/1.1', 'X-A: 1', ' folded']],
    ['a header line that starts with a tab', ['GET / HTTP/1.1', 'X-A: 1', '\tfolded: 2']],
    ['a NUL in a value', ['GET / HTTP/1.1', 'X-A: a\0b']],
    ['a line feed without carriage return', ['GET / HTTP/1.1', 'X-A: a\nX-B: b']],
    ['a carriage return without line feed', ['GET / HTTP/1.1', 'X-A: a\rX-B: b']],
  ];
  for (const [what, lines] of malformed) {
    const bytes = bytesOf(lines);
    refusesWith(400, () => parseRequest(bytes), `Refuse ${what}.`, { given: arrived(bytes) });
  }
}

function otherCase(headers: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const found = [...headers.keys()].find((key) => key !== name && key.toLowerCase() === name);
  return (
    found &&
    `It is there as ${quote(found)}. A name is the same in any case: store it in lower case.`
  );
}

function limit(parseRequest: Lesson['parseRequest'], standard: number): void {
  const endless = utf8(`GET / HTTP/1.1\r\nCookie: ${'c'.repeat(200)}`);
  const given = (max: number): Fact[] => [
    ...arrived(endless, `${endless.length} bytes, and no blank line`),
    ['maxHeadBytes', String(max)],
  ];
  const [less, more] = [endless.length - 1, endless.length + 1];
  refusesWith(431, () => parseRequest(endless, less), 'Refuse a head that is too long.', {
    given: given(less),
  });
  refusesWith(
    431,
    () => parseRequest(endless, endless.length),
    'All the bytes of a head are there, and no blank line: it can only be too long.',
    { given: given(endless.length) },
  );
  equal(() => parseRequest(endless, more), undefined, 'It may still end in time.', {
    given: given(more),
  });

  const bytes = bytesOf(RFC_REQUEST);
  const exact = bytes.length;
  equal(() => parseRequest(bytes, exact)?.length, exact, 'Accept a head of exactly the limit.');
  refusesWith(
    431,
    () => parseRequest(bytes, exact - 1),
    'Refuse a whole head that is one byte longer than the limit.',
  );
  const frames = new Uint8Array(exact * 2).fill(0x81);
  equal(
    () => parseRequest(join(bytes, frames), exact)?.length,
    exact,
    'The limit is for the head: the frames after it do not count.',
  );
  refusesWith(
    431,
    () => parseRequest(new Uint8Array(1024 * 1024).fill(0x61)),
    `Refuse a megabyte without a blank line: the standard limit is ${standard} bytes.`,
  );
}

type Edit = (lines: readonly string[]) => string[];
const without =
  (name: string): Edit =>
  (lines) =>
    lines.filter((line) => !line.startsWith(`${name}:`));
const replace =
  (name: string, ...values: string[]): Edit =>
  (lines) => [...without(name)(lines), ...values.map((value) => `${name}: ${value}`)];
const requestLine =
  (line: string): Edit =>
  (lines) => [line, ...lines.slice(1)];

const KEY = 'Sec-WebSocket-Key';
const VERSION = 'Sec-WebSocket-Version';
const PROTOCOL = 'Sec-WebSocket-Protocol';

const REFUSED: readonly [status: number, what: string, edit: Edit][] = [
  [405, 'a POST', requestLine('POST /chat HTTP/1.1')],
  [405, 'a method that only starts with GET', requestLine('GETX /chat HTTP/1.1')],
  [400, 'HTTP/1.0', requestLine('GET /chat HTTP/1.0')],
  [400, 'a target that is neither a path nor a URI', requestLine('GET chat HTTP/1.1')],
  [400, 'the target `*`', requestLine('GET * HTTP/1.1')],
  [400, 'a URI that only contains `http`', requestLine('GET x-http://a.example/ HTTP/1.1')],
  [400, 'a request without Host', without('Host')],
  [400, 'a request with two Hosts', replace('Host', 'a.example', 'b.example')],
  [400, 'a request without Upgrade', without('Upgrade')],
  [400, 'an Upgrade to something else', replace('Upgrade', 'h2c')],
  [400, 'an Upgrade that only contains the word', replace('Upgrade', 'websockets')],
  [400, 'a request without Connection', without('Connection')],
  [400, 'a Connection without `Upgrade`', replace('Connection', 'keep-alive')],
  [400, 'a Connection that only contains the word', replace('Connection', 'not-upgrade-really')],
  [426, 'a request without version', without(VERSION)],
  [426, 'version 8', replace(VERSION, '8')],
  [426, 'version 12', replace(VERSION, '12')],
  [426, 'version 130', replace(VERSION, '130')],
  [400, 'two versions', replace(VERSION, '13', '13')],
  [400, 'a request without key', without(KEY)],
  [400, 'an empty key', replace(KEY, '')],
  [400, 'a key of 2 bytes', replace(KEY, 'abc=')],
  [400, 'a key of 15 bytes', replace(KEY, 'AQIDBAUGBwgJCgsMDQ4P')],
  [400, 'a key of 17 bytes', replace(KEY, 'AQIDBAUGBwgJCgsMDQ4PEBE=')],
  [400, 'a key of 24 characters that is not base64', replace(KEY, 'dGhlIHNhbX!sZSBub25jZQ==')],
  [400, 'a key in base64url', replace(KEY, 'dGhlIHNhbX-sZSBub25jZQ==')],
  [400, 'a key with text before it', replace(KEY, `x ${RFC_KEY}`)],
  [400, 'a key with text after it', replace(KEY, `${RFC_KEY} x`)],
  [400, 'two keys', replace(KEY, RFC_KEY, RFC_KEY)],
  [400, 'two Origins', replace('Origin', 'http://a.example', 'http://b.example')],
  [400, 'an empty name in the subprotocols', replace(PROTOCOL, 'chat,,superchat')],
  [400, 'a subprotocol that is no token', replace(PROTOCOL, 'chat, super chat')],
  [400, 'a subprotocol that stands twice', replace(PROTOCOL, 'chat, superchat, chat')],
];

const ACCEPTED: readonly [what: string, edit: Edit, differs: Partial<Handshake.Upgrade>][] = [
  ['the request of RFC 6455 §1.2', (lines) => [...lines], {}],
  ['its headers in reverse', ([first = '', ...rest]) => [first, ...rest.reverse()], {}],
  ['`Upgrade: WebSocket`', replace('Upgrade', 'WebSocket'), {}],
  ['one Upgrade of two', replace('Upgrade', 'h2c, websocket'), {}],
  ['`Connection: upgrade`, as nginx has it', replace('Connection', 'upgrade'), {}],
  ['`keep-alive, Upgrade`, as Firefox has it', replace('Connection', 'keep-alive, Upgrade'), {}],
  ['`Upgrade,Keep-Alive`, without a space', replace('Connection', 'Upgrade,Keep-Alive'), {}],
  ['two Connection lines', replace('Connection', 'keep-alive', 'Upgrade'), {}],
  ['a header nobody knows', replace('X-Forwarded-For', '10.0.0.1'), {}],
  ['an offer of compression', replace('Sec-WebSocket-Extensions', 'permessage-deflate'), {}],
  ['HTTP/1.2', requestLine('GET /chat HTTP/1.2'), {}],
  ['no Origin: it is no browser', without('Origin'), { origin: undefined }],
  ['no subprotocols', without(PROTOCOL), { protocols: [] }],
  ['two lines of subprotocols', replace(PROTOCOL, 'chat', 'superchat'), {}],
  ['a query', requestLine('GET /chat?room=1 HTTP/1.1'), { resource: '/chat?room=1' }],
  [
    'a whole URI, as a proxy sends it',
    requestLine('GET http://server.example.com:80/chat?room=1 HTTP/1.1'),
    { resource: '/chat?room=1' },
  ],
  ['a whole URI without path', requestLine('GET http://example.com HTTP/1.1'), { resource: '/' }],
  [
    'a key whose unused bits are not 0, from RFC 6455 §4.1',
    replace(KEY, 'AQIDBAUGBwgJCgsMDQ4PEC=='),
    { key: 'AQIDBAUGBwgJCgsMDQ4PEC==' },
  ],
];

function rules({ checkUpgrade }: Lesson): void {
  const normal = {
    key: RFC_KEY,
    resource: '/chat',
    origin: 'http://example.com',
    protocols: ['chat', 'superchat'],
  };
  for (const [what, edit, differs] of ACCEPTED) {
    const lines = edit(RFC_REQUEST);
    const given = request(lines);
    equal(() => checkUpgrade(headOf(lines)), { ...normal, ...differs }, `Accept ${what}.`, {
      given,
    });
  }
  for (const [status, what, edit] of REFUSED) {
    const lines = edit(RFC_REQUEST);
    const given = request(lines);
    const error = refusesWith(status, () => checkUpgrade(headOf(lines)), `Refuse ${what}.`, {
      given,
    });
    for (const [name, value] of NEEDED[status] ?? []) {
      const sent = new Headers(error.headers).get(name) ?? '';
      if (sent.toLowerCase().split(/ *, */).includes(value.toLowerCase())) continue;
      fail(`A ${status} has to say what would be right: ${name}: ${value}.`, [
        ...given,
        ['headers', show(error.headers)],
      ]);
    }
  }
}

/** The headers that a status has to have, by HTTP. */
const NEEDED: Readonly<Record<number, readonly [name: string, value: string][]>> = {
  405: [['Allow', 'GET']],
  426: [
    [VERSION, '13'],
    ['Upgrade', 'websocket'],
    ['Connection', 'Upgrade'],
    ['Connection', 'close'],
  ],
};

/** An HTTP response, taken apart the obvious way. */
interface Response {
  readonly status: string;
  /** Lower-case name → value. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Reads a response that has to be valid HTTP. */
function readResponse(bytes: unknown): Response {
  if (!(bytes instanceof Uint8Array)) fail('Return bytes.', [['you returned', show(bytes)]]);
  const given: Fact[] = [['you returned', renderHead(bytes, 60).join('\n')]];
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) {
    const cause = 'The browser waits for it, shows the connection as pending, and says nothing.';
    fail('A head ends with a blank line: \\r\\n\\r\\n.', given, cause);
  }
  const [status = '', ...lines] = text.slice(0, end).split('\r\n');
  if (/[\r\n]/.test(lines.join('')) || /[\r\n]/.test(status)) {
    fail('Each line of a head ends with \\r\\n, and neither of the two stands alone.', given);
  }
  if (!/^HTTP\/1\.1 \d{3} (?!undefined)\S/.test(status)) {
    fail('The first line is `HTTP/1.1`, a status of three digits and a phrase.', given);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([\w-]+): *(.*?) *$/.exec(line) ?? [];
    if (name === '') fail(`This line is no header: ${quote(line)}`, given);
    if (headers.has(name.toLowerCase())) fail(`${name} stands twice.`, given);
    headers.set(name.toLowerCase(), value);
  }
  return { status, headers, body: bytes.slice(end + 4) };
}

function answers({ acceptResponse, refusal }: Lesson): void {
  for (const [protocol, key] of [
    [undefined, RFC_KEY],
    [undefined, 'x3JJHMbDL1EzLkh9GBhXDw=='],
    ['chat', RFC_KEY],
  ] as const) {
    const called: Fact = ['called with', show(protocol ? [key, protocol] : [key])];
    const bytes = attempt(() => acceptResponse(key, protocol), 'Say yes.', [called]);
    const { status, headers, body } = readResponse(bytes);
    const given: Fact[] = [called, ['you returned', renderHead(bytes, 60).join('\n')]];
    if (!status.startsWith('HTTP/1.1 101 ')) fail('The status is 101.', given);
    const accept = key === RFC_KEY ? RFC_ACCEPT : 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=';
    const expected: [string, string | undefined][] = [
      ['upgrade', 'websocket'],
      ['connection', 'Upgrade'],
      ['sec-websocket-accept', accept],
      ['sec-websocket-protocol', protocol],
    ];
    for (const [name, value] of expected) {
      const sent = headers.get(name);
      const insensitive = name === 'upgrade' || name === 'connection';
      if (insensitive ? sent?.toLowerCase() === value?.toLowerCase() : sent === value) continue;
      if (value === undefined) fail(`Send no ${name}: no subprotocol was chosen.`, given);
      fail(`The answer needs the header ${name}: ${value}`, given);
    }
    const names = expected.map(([name]) => name);
    const extra = [...headers.keys()].find((name) => !names.includes(name));
    if (extra) fail(`The answer has a header that nobody asked for: ${extra}.`, given);
    if (body.length > 0) fail('A 101 has no body: the frames start after the blank line.', given);
  }
  for (const protocol of ['chat\r\nSet-Cookie: a=b', 'a b', 'chat\n', '']) {
    throws(
      TypeError,
      () => acceptResponse(RFC_KEY, protocol),
      'Refuse to send a subprotocol that is not a token: it could bring its own header lines.',
      { given: [['protocol', quote(protocol)]] },
    );
  }

  const errors = [
    new HandshakeError(400, '4.2.1', 'That was no good request.'),
    new HandshakeError(403, '10.2', 'Not from there.'),
    new HandshakeError(404, '4.2.2', 'Not here.'),
    new HandshakeError(405, '4.2.1', 'GET it is.', { Allow: 'GET' }),
    new HandshakeError(408, '10.4', 'Too late.'),
    new HandshakeError(418, '4.2.2', 'A status that nobody has planned for.'),
    new HandshakeError(426, '4.2.2', 'Another version.', {
      [VERSION]: '13',
      Upgrade: 'websocket',
      Connection: 'close, Upgrade',
    }),
    new HandshakeError(503, '4.2.2', 'Not now.'),
    new HandshakeError(431, '10.4', 'Zu groß – 太长.'),
  ];
  for (const error of errors) {
    const bytes = attempt(() => refusal(error), 'Say no.', [['error', show(error)]]);
    const { status, headers, body } = readResponse(bytes);
    const given: Fact[] = [
      ['error', show(error)],
      ['you returned', renderHead(bytes, 60).join('\n')],
    ];
    const code = `HTTP/1.1 ${error.status} `;
    if (!status.startsWith(code)) fail(`The first line starts with ${code}.`, given);
    for (const [name, value] of Object.entries(error.headers)) {
      if (headers.get(name.toLowerCase()) !== value) {
        fail(`The header of the error is missing: ${name}: ${value}`, given);
      }
    }
    if (!/(^|,)\s*close\s*(,|$)/i.test(headers.get('connection') ?? '')) {
      fail('Say that this is the end: `Connection: close`.', given);
    }
    if (!/^text\/plain; *charset="?utf-8/i.test(headers.get('content-type') ?? '')) {
      fail('The body is text: `Content-Type: text/plain; charset=utf-8`.', given);
    }
    if (headers.get('content-length') !== String(body.length)) {
      fail(
        `Content-Length is ${body.length}, the bytes after the blank line.`,
        given,
        'Count bytes, not characters: a letter beyond ASCII has more than one.',
      );
    }
    if (!Buffer.from(body).includes(error.message)) fail('The body says what was wrong.', given);
  }
  throws(
    TypeError,
    () => refusal(new HandshakeError(400, '4.2.1', 'x', { 'X-A': 'b\r\nX-C: d' })),
    'Refuse to send a header with a line break in it.',
  );
}

function choices({ negotiate }: Lesson): void {
  const upgrade = (differs: Partial<Handshake.Upgrade> = {}): Handshake.Upgrade => ({
    key: RFC_KEY,
    resource: '/chat',
    origin: 'http://example.com',
    protocols: ['chat', 'superchat'],
    ...differs,
  });
  const given = (request: Handshake.Upgrade, policy: Handshake.Policy): Fact[] => [
    ['request', show(request)],
    ['policy', show(policy)],
  ];
  const chooses = (
    what: string,
    expected: string | undefined,
    policy: Handshake.Policy,
    differs: Partial<Handshake.Upgrade> = {},
  ) => {
    const request = upgrade(differs);
    equal(() => negotiate(request, policy), expected, what, { given: given(request, policy) });
  };
  chooses('Choose what both speak.', 'superchat', { protocols: ['superchat'] });
  chooses('The client’s first choice wins.', 'chat', { protocols: ['superchat', 'chat'] });
  chooses('No common subprotocol, so none.', undefined, { protocols: ['mqtt'] });
  chooses('The server speaks none.', undefined, {});
  chooses('None was offered.', undefined, { protocols: ['chat'] }, { protocols: [] });
  chooses('Case matters in names.', undefined, { protocols: ['Chat'] });

  const site = { origins: ['https://good.example'] };
  const refuses = (
    what: string,
    status: number,
    policy: Handshake.Policy,
    differs: Partial<Handshake.Upgrade>,
  ) => {
    const request = upgrade(differs);
    refusesWith(status, () => negotiate(request, policy), what, { given: given(request, policy) });
  };
  chooses('Its own page may call.', undefined, site, { origin: 'https://good.example' });
  chooses('No Origin is no browser.', undefined, site, { origin: undefined });
  chooses('Without a list, every page may call.', undefined, {}, { origin: 'https://a.example' });
  for (const origin of [
    'https://evil.example',
    'https://good.example.evil.test',
    'https://evil-good.example',
    'http://good.example',
    'https://good.example:8443',
    'null',
  ]) {
    refuses(`The page ${origin} may not call.`, 403, site, { origin });
  }
  chooses('The path exists.', undefined, { paths: ['/chat'] });
  chooses(
    'The query is no part of the path.',
    undefined,
    { paths: ['/chat'] },
    {
      resource: '/chat?room=1',
    },
  );
  refuses('There is no such path.', 404, { paths: ['/chat'] }, { resource: '/chatter' });
  refuses('There is no such path.', 404, { paths: ['/chat'] }, { resource: '/' });
}

export const spec: Spec<Lesson> = {
  lesson: '01-handshake',
  steps: [
    {
      title: 'The accept key',
      section: '4.2.2',
      scenarios: [{ what: 'The accept key', rules: [57], check: accept }],
    },
    {
      title: 'A request out of a stream',
      section: '4.2.1',
      scenarios: [{ what: 'A request out of a stream', rules: [34, 35, 43], check: parsing }],
    },
    {
      title: 'Is this a WebSocket request?',
      section: '4.2.1',
      scenarios: [
        {
          what: 'Is this a WebSocket request?',
          rules: [34, 35, 36, 37, 38, 39, 40, 41, 43, 47, 60, 61, 64, 65],
          check: rules,
        },
      ],
    },
    {
      title: 'Saying yes, saying no',
      section: '4.2.2',
      scenarios: [
        {
          what: 'Saying yes, saying no',
          rules: [44, 50, 52, 53, 54, 55, 56, 57, 59, 63, 64, 132, 139, 154],
          check: answers,
        },
      ],
    },
    {
      title: 'What the server chooses',
      section: '4.2.2',
      scenarios: [
        { what: 'What the server chooses', rules: [42, 46, 48, 49, 50, 147], check: choices },
      ],
    },
  ],
};
