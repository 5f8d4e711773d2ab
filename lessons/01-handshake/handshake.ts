import { createHash } from 'node:crypto';
import { GUID, HandshakeError } from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';

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

/**
 * Step 1 · The accept key.
 *
 * Turns the client's `Sec-WebSocket-Key` into the `Sec-WebSocket-Accept` that proves
 * we read it: SHA-1 over the key's text and the GUID, in base64.
 * RFC 6455 §1.3, §4.2.2
 */
export function acceptKey(key: string): string {
  throw new Todo('01.1');
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
  throw new Todo('01.2');
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
  throw new Todo('01.3');
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
  throw new Todo('01.5');
}

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
  throw new Todo('01.5');
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
  throw new Todo('01.6');
}
