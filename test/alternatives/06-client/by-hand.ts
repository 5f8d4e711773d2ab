/** Lesson 06, with its opening built in another way: byte by byte, and rules as a list. */
import { OpeningError } from '../../../shared/protocol.ts';
import { acceptKey, MAX_HEAD_BYTES } from '../../../solutions/01-handshake/handshake.ts';
import type {
  ClientOptions,
  RequestOptions,
  ResponseHead,
  Target,
} from '../../../solutions/06-client/client.ts';
import * as reference from '../../../solutions/06-client/client.ts';

export * from '../../../solutions/06-client/client.ts';

const SCHEMES: Readonly<Record<string, 'ws' | 'wss'>> = {
  'ws:': 'ws',
  'wss:': 'wss',
  'http:': 'ws',
  'https:': 'wss',
};
const PORTS = { ws: 80, wss: 443 } as const;

class UrlError extends DOMException {
  constructor(message: string) {
    super(message, 'SyntaxError');
  }
}

export function parseUrl(text: string): Target {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UrlError('That is no URL.');
  }
  const scheme = SCHEMES[url.protocol];
  if (!scheme) throw new UrlError('That is the scheme of something else.');
  if (text.includes('#')) throw new UrlError('There is a #, which is for pages.');
  const { hostname, port, pathname, search, href, host } = url;
  return Object.freeze({
    url: `${scheme}${href.slice(href.indexOf(':'))}`,
    secure: scheme === 'wss',
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? PORTS[scheme] : Number.parseInt(port, 10),
    hostHeader: host,
    resource: `${pathname}${search}`,
  });
}

export function newKey(
  random: (size: number) => Uint8Array = (size) => crypto.getRandomValues(new Uint8Array(size)),
): string {
  return btoa(String.fromCharCode(...random(16)));
}

const TOKEN_CHARACTERS = new Set(
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
);

function isToken(text: string): boolean {
  return text.length > 0 && [...text].every((character) => TOKEN_CHARACTERS.has(character));
}

function isValue(text: string): boolean {
  const codes = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
  return codes.every((code) => code === 9 || (code > 31 && code !== 127 && code < 256));
}

export function openingRequest(
  { resource, hostHeader }: Target,
  key: string,
  options: RequestOptions = {},
): Uint8Array {
  const seen = new Set<string>();
  for (const name of options.protocols ?? []) {
    if (!isToken(name) || seen.has(name)) throw new UrlError(`${name} cannot be offered.`);
    seen.add(name);
  }
  let head = `GET ${resource} HTTP/1.1\r\n`;
  const add = (name: string, value: string) => {
    head += `${name}: ${value}\r\n`;
  };
  // In the order of the solution, whose core is tried on this function.
  add('Host', hostHeader);
  add('Upgrade', 'websocket');
  add('Connection', 'Upgrade');
  add('Sec-WebSocket-Key', key);
  add('Sec-WebSocket-Version', '13');
  if (seen.size > 0) add('Sec-WebSocket-Protocol', [...seen].join(', '));
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    const lower = name.toLowerCase();
    const isOurs = ['host', 'upgrade', 'connection'].includes(lower);
    if (isOurs || lower.startsWith('sec-websocket-') || !isToken(name) || !isValue(value)) {
      throw new TypeError(`${name} cannot be sent.`);
    }
    add(name, value);
  }
  return Uint8Array.from(`${head}\r\n`, (character) => character.charCodeAt(0));
}

/** Reads line by line, and refuses a bad one as soon as it has arrived. */
export function parseResponse(
  bytes: Uint8Array,
  maxHeadBytes: number = MAX_HEAD_BYTES,
): ResponseHead | undefined {
  const headers = new Map<string, string[]>();
  let status: number | undefined;
  let line = '';
  for (let at = 0; at < Math.min(bytes.length, maxHeadBytes); at++) {
    line += String.fromCharCode(bytes[at]!);
    if (!line.endsWith('\r\n')) continue;
    const text = line.slice(0, -2);
    line = '';
    if (status === undefined) status = readStatusLine(text);
    else if (text === '') return { length: at + 1, status, headers };
    else addHeader(headers, text);
  }
  if (bytes.length < maxHeadBytes) return undefined;
  throw new OpeningError('10.4', 'The head goes on for too long.');
}

function readStatusLine(line: string): number {
  const version = line.slice(0, 'HTTP/1.1 '.length);
  const [status = '', ...phrase] = line.slice(version.length).split(' ');
  const isVersion = version === 'HTTP/1.1 ' || version === 'HTTP/1.0 ';
  const isStatus =
    status.length === 3 && [...status].every((digit) => '0123456789'.includes(digit));
  if (!isVersion || !isStatus || !isValue(phrase.join(' '))) {
    throw new OpeningError('4.1', 'That is no status line.');
  }
  return Number(status);
}

function addHeader(headers: Map<string, string[]>, line: string): void {
  const [name = '', ...rest] = line.split(':');
  if (rest.length === 0 || !isToken(name)) throw new OpeningError('4.1', 'That is no header.');
  const text = rest.join(':');
  if (!isValue(text)) throw new OpeningError('4.1', 'That is no value of a header.');
  let [from, to] = [0, text.length];
  while (from < to && (text[from] === ' ' || text[from] === '\t')) from++;
  while (to > from && (text[to - 1] === ' ' || text[to - 1] === '\t')) to--;
  headers.set(name.toLowerCase(), [
    ...(headers.get(name.toLowerCase()) ?? []),
    text.slice(from, to),
  ]);
}

/** What has to be so of a response, and where that is written. */
type Rule = readonly [section: string, message: string, holds: () => boolean];

export function checkResponse(
  head: ResponseHead,
  key: string,
  protocols?: readonly string[],
): string | undefined {
  const values = (name: string) => head.headers.get(name) ?? [];
  const chosen = values('sec-websocket-protocol');
  const offered = protocols ?? [];
  const rules: readonly Rule[] = [
    ['4.1', 'no right accept value', () => isOnly(values('sec-websocket-accept'), acceptKey(key))],
    ['4.1', 'another protocol', () => isOnly(values('upgrade'), 'websocket', true)],
    ['4.1', 'no upgrade', () => values('connection').some(hasUpgrade)],
    ['9.1', 'an extension', () => !head.headers.has('sec-websocket-extensions')],
    ['4.1', 'too much chosen, or nothing', () => chosen.length === Math.min(offered.length, 1)],
    ['4.1', 'something else chosen', () => chosen.every((name) => offered.includes(name))],
    ['4.1', 'another status', () => head.status === 101],
  ];
  const broken = rules.find(([, , holds]) => !holds());
  if (broken) throw new OpeningError(broken[0], `There is ${broken[1]}.`, head);
  return chosen[0];
}

function isOnly(values: readonly string[], wanted: string, inAnyCase = false): boolean {
  const [value = '', ...more] = values;
  return more.length === 0 && (inAnyCase ? value.toLowerCase() : value) === wanted;
}

function hasUpgrade(line: string): boolean {
  return /(^|,)[ \t]*upgrade[ \t]*(,|$)/i.test(line);
}

/** The solution's, with the request from here. */
export class ClientConnection extends reference.ClientConnection {
  readonly #asks: (key: string) => Uint8Array;

  constructor(
    target: Target,
    options: ClientOptions,
    ...rest: [now: () => number, wake: () => void, random?: (size: number) => Uint8Array]
  ) {
    super(target, options, ...rest);
    this.#asks = (key) => openingRequest(target, key, options);
  }

  override takeOutput(): Uint8Array | undefined {
    const output = super.takeOutput();
    if (this.state !== 'CONNECTING' || !output) return output;
    const [, key = ''] = /Sec-WebSocket-Key: (.*)\r/.exec(`${output}`) ?? [];
    return this.#asks(key);
  }
}
