import { createHash } from 'node:crypto';
import { GUID, HandshakeError } from '../../shared/protocol.ts';

/**
 * The head of an HTTP request: everything up to and including the blank line. Each character of
 * its texts is one byte (latin1).
 */
export interface RequestHead {
  readonly method: string;
  /** The word between method and version, such as `/chat?room=1`: visible ASCII. */
  readonly target: string;
  /** Such as `HTTP/1.1`: two numbers of one digit each. */
  readonly version: string;
  /** Lower-case name → its values, line by line, without the spaces and tabs around them. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Size of the head in bytes. What follows is the first WebSocket frame. */
  readonly length: number;
}

/** A request that asks for a WebSocket and follows every rule. */
export interface Upgrade {
  readonly key: string;
  /** Path and query, character by character as they came: the resource name of RFC 6455 §3. */
  readonly resource: string;
  /** The site whose page is calling. `undefined`: there's no Origin, so it isn't a browser. */
  readonly origin: string | undefined;
  /** The subprotocols on offer, most wanted first. */
  readonly protocols: readonly string[];
}

/**
 * What a server is willing to serve. An absent list allows everything, or offers nothing; an
 * empty one allows nothing. All are compared character by character.
 */
export interface Policy {
  /** Paths that exist, without query. Absent: every path. */
  readonly paths?: readonly string[];
  /** Origins whose pages can connect, such as `https://example.com`. Absent: every origin. */
  readonly origins?: readonly string[];
  /** Subprotocols that the server speaks. Absent: none. */
  readonly protocols?: readonly string[];
}

/** The longest head we read, in bytes, unless told otherwise. */
export const MAX_HEAD_BYTES = 16 * 1024;

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Step 1 · The accept key.
 *
 * Turns the client's `Sec-WebSocket-Key` into the `Sec-WebSocket-Accept` that proves
 * we read it: SHA-1 over the key's text and the GUID, in base64.
 * RFC 6455 §1.3, §4.2.2
 */
export function acceptKey(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/**
 * Step 2 · A request out of a stream of bytes.
 *
 * Reads the head of an HTTP request from all the bytes that have arrived so far.
 * Returns `undefined` while the blank line that ends it is still missing.
 *
 * Throws `HandshakeError` 431 when the head has not ended within `maxHeadBytes`, and 400 for one
 * that isn't HTTP: a request line that isn't three words as described above, a name that isn't a
 * token, a value with a control character in it, apart from the tab. RFC 6455 §4.2.1
 */
export function parseRequest(
  bytes: Uint8Array,
  maxHeadBytes = MAX_HEAD_BYTES,
): RequestHead | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .subarray(0, maxHeadBytes)
    .toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) {
    if (bytes.length < maxHeadBytes) return undefined;
    throw new HandshakeError(431, '10.4', `The head is longer than ${maxHeadBytes} bytes.`);
  }

  const lines = text.slice(0, end).split('\r\n');
  const words = lines[0]!.split(' ');
  if (words.length !== 3) throw badRequest('The request line is not three words.');
  const [method, target, version] = words as [string, string, string];
  if (!TOKEN.test(method) || !/^[!-~]+$/.test(target)) {
    throw badRequest('The request line is not `METHOD target HTTP/x.y`.');
  }
  if (!/^HTTP\/\d\.\d$/.test(version)) {
    throw badRequest('The request line does not end with an HTTP version.');
  }

  const headers = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    const [name, value] = parseHeader(line);
    const values = headers.get(name);
    if (values) values.push(value);
    else headers.set(name, [value]);
  }
  return { method, target, version, headers, length: end + 4 };
}

/** Splits `Name: value` at its first colon: a value such as `localhost:8080` has colons too. */
function parseHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!TOKEN.test(name)) {
    throw badRequest('A header line does not start with a name and a colon.');
  }
  const value = trim(line.slice(colon + 1));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
    throw badRequest(`The value of ${name} has a control character in it.`);
  }
  return [name.toLowerCase(), value];
}

/** Makes a 400: the request breaks a rule of §4.2.1. */
function badRequest(message: string): HandshakeError {
  return new HandshakeError(400, '4.2.1', message);
}

/** Trims spaces and tabs, the white space of HTTP, and no other. */
function trim(text: string): string {
  // Looking behind, it tries a run of spaces once, and not again from each of them.
  return text.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, '');
}

/**
 * Steps 3 and 4 · Is this a WebSocket request?
 *
 * Checks every rule that a client's request has to follow, and picks out what the response needs.
 *
 * Throws `HandshakeError` in step 3, for what is HTTP:
 * - 405 with `Allow: GET` for another method,
 * - 400 for HTTP before 1.1, a target that is neither a path nor an http(s) URI, no single Host, no
 *   `websocket` in Upgrade, no `Upgrade` in Connection.
 *
 * And in step 4, for what WebSocket adds:
 * - 426 with `Sec-WebSocket-Version: 13`, `Upgrade: websocket` and `Connection: close, Upgrade`
 *   when the version is absent or not 13,
 * - 400 for a version or Origin that is repeated, a key that is absent, repeated or not 16 bytes in
 *   base64, subprotocols that are not tokens or not all different. An empty item among them is
 *   skipped, or refused with 400.
 *
 * It throws nothing else, and never changes the request. RFC 6455 §4.2.1
 */
export function checkUpgrade(request: RequestHead): Upgrade {
  if (request.method !== 'GET') {
    throw new HandshakeError(405, '4.2.1', 'The method has to be GET.', { Allow: 'GET' });
  }
  if (request.version < 'HTTP/1.1') throw badRequest('WebSocket needs HTTP/1.1 or higher.');
  const resource = resourceName(request.target);
  if (resource === undefined) throw badRequest('The target is neither a path nor an http URI.');
  if (valuesOf(request, 'host').length !== 1) throw badRequest('There has to be one Host header.');
  if (!hasToken(request, 'upgrade', 'websocket')) throw badRequest('Upgrade lacks `websocket`.');
  if (!hasToken(request, 'connection', 'upgrade')) throw badRequest('Connection lacks `Upgrade`.');

  const versions = valuesOf(request, 'sec-websocket-version');
  if (versions.length > 1) throw badRequest('Sec-WebSocket-Version may appear once.');
  if (versions[0] !== '13') {
    throw new HandshakeError(426, '4.2.2', 'This server speaks WebSocket version 13.', {
      // HTTP wants the first two in every 426.
      Upgrade: 'websocket',
      Connection: 'close, Upgrade',
      'Sec-WebSocket-Version': '13',
    });
  }

  const [key = '', ...moreKeys] = valuesOf(request, 'sec-websocket-key');
  if (moreKeys.length > 0) throw badRequest('Sec-WebSocket-Key may appear once.');
  // 16 bytes are 22 base64 digits and two of padding.
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    throw badRequest('Sec-WebSocket-Key has to be 16 bytes in base64.');
  }

  const origins = valuesOf(request, 'origin');
  if (origins.length > 1) throw badRequest('Origin may appear once.');

  const protocols = itemsOf(request, 'sec-websocket-protocol');
  if (!protocols.every((name) => TOKEN.test(name)) || new Set(protocols).size < protocols.length) {
    throw badRequest('Sec-WebSocket-Protocol has to list different tokens.');
  }

  return { key, resource, origin: origins[0], protocols };
}

function valuesOf(request: RequestHead, name: string): readonly string[] {
  return request.headers.get(name) ?? [];
}

/** The comma-separated items of a header; several lines count as one joined line. */
function itemsOf(request: RequestHead, name: string): string[] {
  const lines = valuesOf(request, name);
  return lines.length === 0 ? [] : lines.join(',').split(',').map(trim);
}

function hasToken(request: RequestHead, name: string, token: string): boolean {
  return itemsOf(request, name).some((item) => item.toLowerCase() === token);
}

/** `/chat?x=1`, whether the target is that or `http://host/chat?x=1`, which proxies send. */
function resourceName(target: string): string | undefined {
  if (target.startsWith('/')) return target;
  const resource = /^https?:\/\/[^/?#]+([^#]*)/i.exec(target)?.[1];
  if (resource === undefined) return undefined;
  return resource.startsWith('/') ? resource : `/${resource}`;
}

/**
 * Step 5 · Saying yes.
 *
 * Writes the response that turns the connection into a WebSocket: status 101, Upgrade,
 * Connection, Sec-WebSocket-Accept, and the subprotocol when there is one. No more.
 *
 * Throws `TypeError` when `protocol` isn't a token: it could smuggle in header lines. `''` isn't a
 * token either; without a subprotocol, it's `undefined`.
 * RFC 6455 §4.2.2
 */
export function acceptResponse(key: string, protocol?: string): Uint8Array {
  if (protocol !== undefined && !TOKEN.test(protocol)) {
    throw new TypeError(`The subprotocol ${JSON.stringify(protocol)} is not a token.`);
  }
  const headers: Record<string, string> = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': acceptKey(key),
  };
  if (protocol !== undefined) headers['Sec-WebSocket-Protocol'] = protocol;
  return response('101 Switching Protocols', headers);
}

const REASON_PHRASES: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  426: 'Upgrade Required',
  431: 'Request Header Fields Too Large',
  503: 'Service Unavailable',
};

/**
 * Step 5 · Saying no.
 *
 * Writes a complete HTTP response to a request that broke a rule: the error's status and
 * headers, `Connection: close` unless they have a `Connection`, and its message as a body of
 * `text/plain; charset=utf-8` with its length in bytes.
 *
 * Throws `TypeError` when a header of the error has a CR or LF in its name or value.
 * RFC 6455 §4.2.1, §4.2.2
 */
export function refusal(error: HandshakeError): Uint8Array {
  const body = `${error.message}\n`;
  const headers = {
    Connection: 'close',
    ...error.headers,
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
  };
  return response(`${error.status} ${REASON_PHRASES[error.status] ?? 'Refused'}`, headers, body);
}

function response(status: string, headers: Record<string, string>, body = ''): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => {
    if (/[\r\n]/.test(name + value)) throw new TypeError(`The header ${name} has a line break.`);
    return `${name}: ${value}\r\n`;
  });
  return Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`);
}

/**
 * Step 6 · What the server chooses.
 *
 * Decides whether this page can have this resource, and picks the subprotocol: the first on the
 * client's list that the server speaks. `undefined`: none was offered, or they share none; we
 * open without one, and a browser that had offered some closes the TCP connection.
 *
 * Throws `HandshakeError` 404 for an unknown path, and 403 for an origin that is not on the
 * list. A client that sends no Origin isn't a browser, and nobody's cookies are at stake.
 * RFC 6455 §4.2.2, §10.2
 */
export function negotiate(upgrade: Upgrade, policy: Policy): string | undefined {
  const path = upgrade.resource.split('?')[0]!;
  if (policy.paths && !policy.paths.includes(path)) {
    throw new HandshakeError(404, '4.2.2', 'There is no WebSocket at this path.');
  }
  if (policy.origins && upgrade.origin !== undefined && !policy.origins.includes(upgrade.origin)) {
    throw new HandshakeError(403, '10.2', 'Pages of this origin may not connect.');
  }
  return upgrade.protocols.find((name) => policy.protocols?.includes(name));
}
