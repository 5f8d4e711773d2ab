/** The handshake as expressions: lists are split, mapped and reduced, and a table has the rules. */
import { hash } from 'node:crypto';
import { GUID, HandshakeError } from '../../../shared/protocol.ts';
import type { Policy, RequestHead, Upgrade } from '../../../solutions/01-handshake/handshake.ts';

export const MAX_HEAD_BYTES = 16 * 1024;

type Headers = Record<string, string>;

const TOKEN_CHARACTERS = new Set([
  ..."!#$%&'*+-.^_`|~0123456789",
  ...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
]);
const KEY_CHARACTERS = new Set([
  ...'+/0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ',
]);

const consistsOf = (text: string, characters: ReadonlySet<string>) =>
  text !== '' && [...text].every((character) => characters.has(character));
const isToken = (text: string) => consistsOf(text, TOKEN_CHARACTERS);
const isKey = (text: string) =>
  text.length === 24 && text.endsWith('==') && consistsOf(text.slice(0, -2), KEY_CHARACTERS);
const isControl = (character: string) =>
  (character < ' ' && character !== '\t') || character === '\x7f';
const isUnique = <T>(item: T, i: number, items: readonly T[]) => items.indexOf(item) === i;
const trim = (text: string) => text.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, '');
/** Cuts a text in two at the first `mark`. */
const cut = (text: string, mark: string): [string, string | undefined] => {
  const [head = '', ...rest] = text.split(mark);
  return [head, rest.length === 0 ? undefined : rest.join(mark)];
};
/** Throws where others return: an expression, so that it can end a chain of `??` and `||`. */
const refuse = (message: string, status = 400, headers: Headers = {}): never => {
  throw new HandshakeError(status, '4.2.1', message, headers);
};

export const acceptKey = (key: string): string => hash('sha1', key.concat(GUID), 'base64');

export const parseRequest = (
  bytes: Uint8Array,
  maxHeadBytes = MAX_HEAD_BYTES,
): RequestHead | undefined => {
  const [head, rest] = cut(Buffer.from(bytes).toString('latin1', 0, maxHeadBytes), '\r\n\r\n');
  if (rest !== undefined) return { ...parseHead(head.split('\r\n')), length: head.length + 4 };
  return bytes.length < maxHeadBytes ? undefined : refuse('Where does the head end?', 431);
};

const parseHead = ([requestLine = '', ...lines]: string[]) => {
  const [method = '', target = '', version = '', ...more] = requestLine.split(' ');
  const isVisible = [...target].every((character) => character > ' ' && character < '\x7f');
  const holds = isToken(method) && target !== '' && isVisible && more.length === 0;
  if (!holds || !/^HTTP\/\d\.\d$/.test(version)) refuse('The first line is none of HTTP.');
  const headers = lines
    .map(parseField)
    .reduce(
      (map, [name, value]) => map.set(name, [...(map.get(name) ?? []), value]),
      new Map<string, string[]>(),
    );
  return { method, target, version, headers };
};

const parseField = (line: string): [name: string, value: string] => {
  const [name, value = refuse('A header has a colon.')] = cut(line, ':');
  if (!isToken(name)) refuse('A header has a token for its name.');
  if ([...value].some(isControl)) refuse('A control character.');
  return [name.toLowerCase(), trim(value)];
};

const itemsOf = ({ headers }: RequestHead, name: string): string[] =>
  (headers.get(name) ?? []).flatMap((line) => line.split(',')).map(trim);
const lists = (request: RequestHead, name: string, word: string) =>
  itemsOf(request, name).some((item) => item.toLowerCase() === word);
const count = ({ headers }: RequestHead, name: string) => headers.get(name)?.length ?? 0;

/** What has to be so, in this order; and what is said where it is not. */
const RULES: readonly [(request: RequestHead) => boolean, ...Parameters<typeof refuse>][] = [
  [({ method }) => method === 'GET', 'GET is the method.', 405, { Allow: 'GET' }],
  [({ version }) => version >= 'HTTP/1.1', 'The version of HTTP is 1.1.'],
  [({ target }) => resourceOf(target) !== undefined, 'The target is a path.'],
  [(request) => count(request, 'host') === 1, 'Host comes once.'],
  [(request) => lists(request, 'upgrade', 'websocket'), 'Upgrade has websocket.'],
  [(request) => lists(request, 'connection', 'upgrade'), 'Connection has Upgrade.'],
  [(request) => count(request, 'sec-websocket-version') < 2, 'The version comes once.'],
  [
    ({ headers }) => headers.get('sec-websocket-version')?.at(0) === '13',
    'The version is 13.',
    426,
    { Connection: 'close, Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' },
  ],
  [({ headers }) => (headers.get('sec-websocket-key') ?? ['']).every(isKey), 'The key is wrong.'],
  [(request) => count(request, 'sec-websocket-key') === 1, 'The key comes once.'],
  [(request) => count(request, 'origin') < 2, 'Origin comes once at most.'],
  [(request) => itemsOf(request, 'sec-websocket-protocol').every(isToken), 'Names are tokens.'],
  [(request) => itemsOf(request, 'sec-websocket-protocol').every(isUnique), 'Names differ.'],
];

/** Path and query of a target. `undefined`: it is neither a path nor a URI of HTTP. */
const resourceOf = (target: string): string | undefined => {
  if (target.startsWith('/')) return target;
  const [scheme, rest = ''] = cut(target, '://');
  const host = rest.split(/[/?]/, 1).join();
  if (!['http', 'https'].includes(scheme.toLowerCase()) || host === '') return undefined;
  return rest.slice(host.length).replace(/^(?!\/)/, '/');
};

export const checkUpgrade = (request: RequestHead): Upgrade => {
  const broken = RULES.find(([holds]) => !holds(request));
  if (broken) refuse(...(broken.slice(1) as Parameters<typeof refuse>));
  return {
    key: request.headers.get('sec-websocket-key')?.at(0) ?? '',
    resource: resourceOf(request.target) ?? '',
    origin: request.headers.get('origin')?.at(0),
    protocols: itemsOf(request, 'sec-websocket-protocol'),
  };
};

const message = (lines: readonly string[], body = '') =>
  Buffer.from([...lines, '', body].join('\r\n'));

export const acceptResponse = (key: string, protocol?: string): Uint8Array => {
  if (protocol !== undefined && !isToken(protocol)) throw new TypeError(`Bad name: ${protocol}`);
  return message([
    'HTTP/1.1 101 Switching Protocols',
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
  ]);
};

export const refusal = (error: HandshakeError): Uint8Array => {
  const own = Object.entries(error.headers);
  if (own.flat().some((text) => /[\r\n]/.test(text))) throw new TypeError('A line break.');
  const says = own.some(([name]) => name.toLowerCase() === 'connection');
  const fields = [
    ...(says ? [] : [['Connection', 'close']]),
    ['Content-Length', Buffer.byteLength(error.message)],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ...own,
  ];
  const lines = fields.map(([name, value]) => `${name}: ${value}`);
  return message([`HTTP/1.1 ${error.status} Sorry`, ...lines], error.message);
};

export const negotiate = (upgrade: Upgrade, policy: Policy): string | undefined => {
  const { paths, origins, protocols = [] } = policy;
  const [path] = cut(upgrade.resource, '?');
  const { origin = origins?.[0] } = upgrade;
  if (paths && !paths.includes(path)) refuse('Unknown.', 404);
  if (origins && origin !== undefined && !origins.includes(origin)) refuse('Forbidden.', 403);
  return upgrade.protocols.filter((name) => protocols.includes(name))[0];
};
