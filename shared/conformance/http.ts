/** The opening handshake: a request and a response, to write down and to read. RFC 6455 §4 */
import { createHash } from 'node:crypto';
import { GUID } from '../protocol.ts';

/** Where a server is. */
export interface TargetServer {
  readonly host: string;
  readonly port: number;
  /** Path and query, such as `/chat?room=1`. */
  readonly path: string;
  /** What the Host header says, such as `127.0.0.1:8080`. */
  readonly authority: string;
}

/** Headers in their order, names as they were written. */
export type HttpHeaders = readonly (readonly [name: string, value: string])[];

/** The head of a request or of a response, to write down, legal or not. */
export interface HttpHead {
  /** Such as `GET / HTTP/1.1`, or `HTTP/1.1 101 Switching Protocols`. */
  readonly line: string;
  readonly headers: HttpHeaders;
}

/** A response that follows the grammar of HTTP. */
export interface HttpResponse {
  readonly status: number;
  /** Such as `HTTP/1.1 101 Switching Protocols`. */
  readonly line: string;
  readonly headers: HttpHeaders;
}

/** The opening handshake of RFC 6455 §4.1, with nothing more than it has to have. */
export function upgradeRequest({ path, authority }: TargetServer, key: string): HttpHead {
  return {
    line: `GET ${path} HTTP/1.1`,
    headers: [
      ['Host', authority],
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Key', key],
      ['Sec-WebSocket-Version', '13'],
    ],
  };
}

/** The 101 of RFC 6455 §4.2.2 for a key, with nothing more than it has to have. */
export function upgradeResponse(key: string): HttpHead {
  return {
    line: 'HTTP/1.1 101 Switching Protocols',
    headers: [
      ['Upgrade', 'websocket'],
      ['Connection', 'Upgrade'],
      ['Sec-WebSocket-Accept', acceptFor(key)],
    ],
  };
}

/** Writes a head as it travels. */
export function encodeHead({ line, headers }: HttpHead): Uint8Array {
  const lines = [line, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Computes what Sec-WebSocket-Accept has to be for a key. RFC 6455 §4.2.2 */
export function acceptFor(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}

/** Finds where a head ends: after its blank line. `undefined`: not yet. */
export function headEnd(bytes: Uint8Array): number | undefined {
  const blank = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('\r\n\r\n');
  return blank === -1 ? undefined : blank + 4;
}

/** Takes a whole head apart: its first line, and those of its headers. */
export function splitHead(head: Uint8Array): { line: string; fields: string[] } {
  const [line = '', ...fields] = Buffer.from(head).toString('latin1').slice(0, -4).split('\r\n');
  return { line, fields };
}

/** Reads the lines of headers. Returns the rule that one breaks, if one does. RFC 9112 §5 */
export function parseHeaders(fields: readonly string[]): HttpHeaders | string {
  const headers: [string, string][] = [];
  for (const field of fields) {
    const [, name, value] =
      /^([\w!#$%&'*+.^`|~-]+):[\t ]*([\t -~\x80-\xff]*?)[\t ]*$/.exec(field) ?? [];
    if (name === undefined || value === undefined) {
      return `the header line ${JSON.stringify(field)} is not one of HTTP`;
    }
    headers.push([name, value]);
  }
  return headers;
}

/** Reads the head of a response. Returns the rule that it breaks, if it breaks one. RFC 9112 */
export function parseResponse(head: Uint8Array): HttpResponse | string {
  const { line, fields } = splitHead(head);
  const [, status] = /^HTTP\/1\.[01] ([1-5]\d\d) [\t -~\x80-\xff]*$/.exec(line) ?? [];
  if (status === undefined) return `the status line ${JSON.stringify(line)} is not one of HTTP`;
  const headers = parseHeaders(fields);
  return typeof headers === 'string' ? headers : { status: Number(status), line, headers };
}

/** Returns the values of a header, whatever the case of its name. */
export function valuesOf(headers: HttpHeaders, name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([key]) => key.toLowerCase() === wanted).map(([, value]) => value);
}

/** Returns the tokens of a header that is a list, from all of its lines. */
export function tokensOf(headers: HttpHeaders, name: string): string[] {
  const values = valuesOf(headers, name);
  return values.flatMap((value) => value.split(',')).map((token) => token.trim());
}
