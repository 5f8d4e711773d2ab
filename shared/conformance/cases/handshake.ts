/** Category H: the opening handshake. RFC 6455 §4 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Case, Category } from '../case.ts';
import {
  acceptRule,
  accepts,
  connectionRule,
  EVERYTHING,
  extensionsRule,
  listsVersion13,
  noBodyRule,
  onceRule,
  openWith,
  type RequestEdit,
  refuses,
  statusLineRule,
  subprotocolRule,
  upgradeRule,
} from '../handshake.ts';
import { type HttpHead, type TargetServer, upgradeRequest } from '../http.ts';
import type { HttpClient } from '../http-client.ts';
import { Failed, type Finding } from '../model.ts';
import { randomKey, type Trial } from '../trial.ts';

const KEY = 'Sec-WebSocket-Key';
const VERSION = 'Sec-WebSocket-Version';
const PROTOCOL = 'Sec-WebSocket-Protocol';

/** The key that RFC 6455 §1.3 has as its example, and others with letters of every kind. */
const EXAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const OTHER_KEYS = [
  'AAAAAAAAAAAAAAAAAAAAAA==',
  '/////////////////////w==',
  'AQIDBAUGBwgJCgsMDQ4PEA==',
  'x3JJHMbDL1EzLkh9GBhXDw==',
];

/** Puts a header with these values in the place of those of that name; none take it away. */
const set =
  (name: string, ...values: string[]): RequestEdit =>
  ({ line, headers }) => ({
    line,
    headers: [
      ...headers.filter(([key]) => key !== name),
      ...values.map((value) => [name, value] as const),
    ],
  });
/** Puts lines before all others, even those that aren't headers. */
const before =
  (...lines: string[]): RequestEdit =>
  ({ line, headers }) => ({ line: [line, ...lines].join('\r\n'), headers });
const startLine =
  (make: (target: TargetServer) => string): RequestEdit =>
  ({ headers }, target) => ({ line: make(target), headers });
const rename =
  (change: (name: string) => string): RequestEdit =>
  ({ line, headers }) => ({
    line,
    headers: headers.map(([name, value]) => [change(name), value] as const),
  });
/** Puts white space around the values of some headers. RFC 9110 §5.6.3 */
const padded =
  (names: readonly string[], [left, right] = ['\t ', ' \t']): RequestEdit =>
  ({ line, headers }) => ({
    line,
    headers: headers.map(
      ([name, value]) => [name, names.includes(name) ? left + value + right : value] as const,
    ),
  });
const asItIs: RequestEdit = (request) => request;

/** Cuts the request before the place that `find` returns; the rest comes a moment later. */
const cutAt = (find: (text: string) => number) => async (client: HttpClient, bytes: Uint8Array) => {
  const at = find(Buffer.from(bytes).toString('latin1'));
  client.write(bytes.subarray(0, at));
  // Long enough for a server in another process to read the first piece.
  await pause(1);
  client.write(bytes.subarray(at));
};

const keyOf = ({ headers }: HttpHead) => headers.filter(([name]) => name === KEY);

/** What Chrome sends, header by header. */
const chrome: RequestEdit = (request, { authority }) => ({
  line: request.line,
  headers: [
    ['Host', authority],
    ['Connection', 'Upgrade'],
    ['Pragma', 'no-cache'],
    ['Cache-Control', 'no-cache'],
    [
      'User-Agent',
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    ],
    ['Upgrade', 'websocket'],
    ['Origin', `http://${authority}`],
    [VERSION, '13'],
    ['Accept-Encoding', 'gzip, deflate, br, zstd'],
    ['Accept-Language', 'en-US,en;q=0.9'],
    ...keyOf(request),
    ['Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits'],
  ],
});

/** What Firefox sends, header by header. */
const firefox: RequestEdit = (request, { authority }) => ({
  line: request.line,
  headers: [
    ['Host', authority],
    ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0'],
    ['Accept', '*/*'],
    ['Accept-Language', 'en-US,en;q=0.5'],
    ['Accept-Encoding', 'gzip, deflate, br, zstd'],
    [VERSION, '13'],
    ['Origin', `http://${authority}`],
    ['Sec-WebSocket-Extensions', 'permessage-deflate'],
    ...keyOf(request),
    ['Connection', 'keep-alive, Upgrade'],
    ['Sec-Fetch-Dest', 'empty'],
    ['Sec-Fetch-Mode', 'websocket'],
    ['Sec-Fetch-Site', 'same-origin'],
    ['Pragma', 'no-cache'],
    ['Cache-Control', 'no-cache'],
    ['Upgrade', 'websocket'],
  ],
});
const BROWSER = { rules: EVERYTHING, extensions: ['permessage-deflate'] };

const cookie = (size: number) => before(`Cookie: session=${'c'.repeat(size)}`);

/** What the 101 has to say. */
const RESPONSE: Case<Trial>[] = [
  accepts(['H.1', 'The status line', '4.2.2'], asItIs, { rules: [statusLineRule] }),
  accepts(['H.2', 'Upgrade', '4.2.2'], asItIs, { rules: [upgradeRule] }),
  accepts(['H.3', 'Connection', '4.2.2'], asItIs, { rules: [connectionRule] }),
  accepts(['H.4', "Sec-WebSocket-Accept for the standard's example", '1.3'], asItIs, {
    rules: [acceptRule],
    keys: [EXAMPLE_KEY],
  }),
  accepts(['H.5', 'Sec-WebSocket-Accept for other keys', '4.2.2'], asItIs, {
    rules: [acceptRule],
    keys: OTHER_KEYS,
  }),
  accepts(['H.6', 'No extension that was not offered', '9.1'], asItIs, { rules: [extensionsRule] }),
  accepts(['H.7', 'No subprotocol that was not offered', '4.2.2'], asItIs, {
    rules: [subprotocolRule],
  }),
  accepts(['H.8', 'Headers that may be there once are not there twice', '11.3'], asItIs, {
    rules: [onceRule],
  }),
  accepts(['H.9', 'No length of a body that a 101 does not have', '4.2.2'], asItIs, {
    rules: [noBodyRule],
  }),
];

const SWITCHES = ['Upgrade', 'Connection'];

/**
 * A tab behind Connection is legal, and yet the HTTP reader of Node, which many servers are built
 * on, does not find the token then. No client sends one: to refuse it is NON-STRICT.
 */
const TABS: Case<Trial> = {
  id: 'H.20',
  title: 'Tabs and spaces around Upgrade and Connection',
  section: '4.2.1',
  expected: 'A 101 that opens a WebSocket.',
  run: async (trial) => {
    const finding = await openWith(trial, randomKey(), padded(SWITCHES, ['\t ', '  ']), {});
    if (finding.verdict !== 'OK') return finding;
    const strict = await openWith(trial, randomKey(), padded(SWITCHES), { refusal: 'NON-STRICT' });
    return { ...strict, happened: `With tabs behind them: ${strict.happened}` };
  },
};

/** What a server has to understand. */
const LEGAL: Case<Trial>[] = [
  accepts(
    ['H.10', 'Header names in lower case', '4.2.1'],
    rename((name) => name.toLowerCase()),
  ),
  accepts(
    ['H.11', 'Header names in upper case', '4.2.1'],
    rename((name) => name.toUpperCase()),
  ),
  accepts(['H.12', 'Headers in another order', '4.2.1'], ({ line, headers }) => ({
    line,
    headers: [...headers].reverse(),
  })),
  accepts(
    ['H.13', 'Headers that are not known', '4.2.1'],
    before('X-Unknown: 1', 'X-Empty:', 'Sec-WebSocket-Unknown: a, b; c="d"'),
  ),
  accepts(
    ['H.14', 'Connection: keep-alive, Upgrade', '4.2.1'],
    set('Connection', 'keep-alive, Upgrade'),
    { rules: EVERYTHING },
  ),
  accepts(['H.15', 'Connection: upgrade', '4.2.1'], set('Connection', 'upgrade')),
  accepts(
    ['H.16', 'Upgrade,Keep-Alive without a space', '4.2.1'],
    set('Connection', 'Upgrade,Keep-Alive'),
  ),
  accepts(['H.17', 'Connection in two lines', '4.2.1'], set('Connection', 'keep-alive', 'Upgrade')),
  accepts(['H.18', 'Upgrade: WebSocket', '4.2.1'], set('Upgrade', 'WebSocket')),
  accepts(
    ['H.19', 'Tabs and spaces around the key and the version', '4.2.1'],
    padded([KEY, VERSION]),
  ),
  TABS,
  accepts(['H.21', 'The request in two pieces, cut inside the key', '4.2.1'], asItIs, {
    write: cutAt((text) => text.indexOf(KEY) + KEY.length + 10),
  }),
  accepts(['H.22', 'The request in two pieces, cut inside the blank line', '4.2.1'], asItIs, {
    write: cutAt((text) => text.length - 1),
  }),
  accepts(['H.23', 'The request byte by byte', '4.2.1'], asItIs, {
    write: (client, bytes) => client.writeInPieces(bytes, 1),
  }),
  accepts(
    ['H.24', 'A whole URI as the target', '4.2.1'],
    startLine(({ authority, path }) => `GET http://${authority}${path} HTTP/1.1`),
  ),
  // How long a head may be is up to the server, as long as it says so.
  accepts(['H.25', 'A cookie of 2 KiB before the key', '4.2.1'], cookie(2048), {
    refusal: 'NON-STRICT',
  }),
  accepts(['H.26', 'A cookie of 8 KiB before the key', '4.2.1'], cookie(8192), {
    refusal: 'NON-STRICT',
  }),
  accepts(['H.27', 'Subprotocols in one list', '4.2.2'], set(PROTOCOL, 'chat, superchat'), {
    rules: EVERYTHING,
    protocols: ['chat', 'superchat'],
  }),
  accepts(['H.28', 'Subprotocols in two lines', '11.3.4'], set(PROTOCOL, 'chat', 'superchat'), {
    rules: EVERYTHING,
    protocols: ['chat', 'superchat'],
  }),
  // A client must not do that; to refuse it and to overlook it are both right.
  accepts(['H.29', 'The same subprotocol twice', '4.1'], set(PROTOCOL, 'chat, chat'), {
    rules: EVERYTHING,
    protocols: ['chat'],
    refusal: 'OK',
  }),
  accepts(['H.30', 'An opening handshake of Chrome', '4.2.1'], chrome, BROWSER),
  accepts(['H.31', 'An opening handshake of Firefox', '4.2.1'], firefox, BROWSER),
];

/** A server that does not decode the key cannot know how long it is. RFC 6455 §4.2.2 */
const NEED_NOT_DECODE = { passes: 'NON-STRICT' } as const;

/** What a server has to refuse. */
const ILLEGAL: Case<Trial>[] = [
  refuses(
    ['H.32', 'POST', '4.2.1'],
    startLine(({ path }) => `POST ${path} HTTP/1.1`),
    { statuses: [501] },
  ),
  refuses(
    ['H.33', 'HTTP/1.0', '4.2.1'],
    startLine(({ path }) => `GET ${path} HTTP/1.0`),
    { statuses: [505] },
  ),
  refuses(['H.34', 'No Host', '4.2.1'], set('Host')),
  refuses(['H.35', 'No Upgrade', '4.2.1'], set('Upgrade'), { plain: true }),
  refuses(['H.36', 'Upgrade to something else', '4.2.1'], set('Upgrade', 'example/1'), {
    plain: true,
  }),
  refuses(['H.37', 'No Connection', '4.2.1'], set('Connection'), { plain: true }),
  refuses(['H.38', 'Connection: keep-alive', '4.2.1'], set('Connection', 'keep-alive'), {
    plain: true,
  }),
  refuses(
    ['H.39', 'Connection with Upgrade only as a part of a word', '4.2.1'],
    set('Connection', 'not-upgrade-really'),
    { plain: true },
  ),
  refuses(['H.40', 'No key', '4.2.1'], set(KEY)),
  refuses(['H.41', 'An empty key', '4.2.1'], set(KEY, '')),
  refuses(['H.42', 'A key of 3 letters', '4.2.1'], set(KEY, 'abc'), NEED_NOT_DECODE),
  refuses(
    ['H.43', 'A key of 15 bytes', '4.2.1'],
    set(KEY, 'AAAAAAAAAAAAAAAAAAAA'),
    NEED_NOT_DECODE,
  ),
  refuses(
    ['H.44', 'A key of 17 bytes', '4.2.1'],
    set(KEY, 'AAAAAAAAAAAAAAAAAAAAAAA='),
    NEED_NOT_DECODE,
  ),
  refuses(
    ['H.45', 'A key that is not base64', '4.2.1'],
    set(KEY, 'dGhl*HNhbXBsZSBub25jZQ=='),
    NEED_NOT_DECODE,
  ),
  refuses(['H.46', 'Two keys', '11.3.1'], set(KEY, EXAMPLE_KEY, 'AAAAAAAAAAAAAAAAAAAAAA==')),
  refuses(['H.47', 'The same key twice', '11.3.1'], set(KEY, EXAMPLE_KEY, EXAMPLE_KEY)),
  refuses(['H.48', 'No version', '4.2.1'], set(VERSION)),
  refuses(['H.49', 'Version 12', '4.4'], set(VERSION, '12'), { rule: listsVersion13 }),
  refuses(['H.50', 'A version that is not a number', '4.4'], set(VERSION, 'thirteen'), {
    rule: listsVersion13,
  }),
  refuses(['H.51', 'The version twice', '11.3.5'], set(VERSION, '13', '13')),
  refuses(['H.52', 'A header without a colon', '4.2.1'], before('This is no header')),
  refuses(['H.53', 'A space between a name and its colon', '4.2.1'], before('X-Space : 1')),
  // HTTP lets a server replace it with a space, too. RFC 9110 §5.5
  refuses(['H.54', 'A NUL in a value', '4.2.1'], before('X-Nul: a\0b'), { passes: 'NON-STRICT' }),
];

/** How much of a head that never ends is sent: more than the limits that servers come with. */
const ENDLESS_BYTES = 2 * 1024 * 1024;
const BLOCK = Buffer.from(`X-Padding: ${'*'.repeat(1011)}\r\n`.repeat(16));

const ENDLESS: Case<Trial> = {
  id: 'H.55',
  title: 'A head that never ends',
  section: '10.4',
  expected: 'An HTTP error or a closed connection, before 2 MiB of it were sent.',
  run: async (trial) => {
    const client = await trial.connect();
    const { line } = upgradeRequest(trial.target, randomKey());
    client.write(Buffer.from(`${line}\r\nHost: ${trial.target.authority}\r\n`));
    for (let sent = 0; sent < ENDLESS_BYTES && !client.hasAnswered; sent += BLOCK.length) {
      await client.writeInPieces(BLOCK, BLOCK.length, 'bytes');
    }
    return judgeRefusal(client);
  },
};

/** A closed connection is as good as an error: our last writes may have cost us what the server said. */
async function judgeRefusal(client: HttpClient): Promise<Finding> {
  try {
    const { line, status } = await client.response();
    const verdict = status >= 400 ? 'OK' : 'FAILED';
    return { verdict, ending: 'refused', happened: `The server responded with ${line}.` };
  } catch (error) {
    if (!(error instanceof Failed) || error.ending !== 'dropped') throw error;
    return { verdict: 'OK', ending: 'refused', happened: error.message };
  }
}

export const HANDSHAKE: Category<Trial> = {
  id: 'H',
  title: 'Opening handshake',
  cases: [...RESPONSE, ...LEGAL, ...ILLEGAL, ENDLESS],
};
