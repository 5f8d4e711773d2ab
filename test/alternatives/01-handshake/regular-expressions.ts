/** The handshake in regular expressions: one says what a head is, and its groups take it apart. */
import { createHash } from 'node:crypto';
import { GUID, HandshakeError } from '../../../shared/protocol.ts';
import type { Policy, RequestHead, Upgrade } from '../../../solutions/01-handshake/handshake.ts';

export const MAX_HEAD_BYTES = 16 * 1024;

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const TOKEN = new RegExp(`^${token}$`);
const REQUEST_LINE = new RegExp(`^(${token}) ([!-~]+) (HTTP/\\d\\.\\d)$`);
/** Name and value. The white space around the value is not in the groups. */
const FIELD = new RegExp(`^(${token}):[ \\t]*([\\t -~\\x80-\\xff]*?)[ \\t]*$`);
const TARGET = /^(?:https?:\/\/[^/?#]+)?(\/[^?#]*)?(\?.*)?$/i;
const KEY = /^[A-Za-z0-9+/]{22}==$/;

export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`, 'latin1').digest().toString('base64');
}

export function parseRequest(
  bytes: Uint8Array,
  maxHeadBytes = MAX_HEAD_BYTES,
): RequestHead | undefined {
  const text = Buffer.from(bytes.subarray(0, maxHeadBytes)).toString('latin1');
  const whole = /^(.*?)\r\n\r\n/s.exec(text);
  if (whole === null && text.length === maxHeadBytes) {
    throw new HandshakeError(431, '4.2.1', 'The head does not end.');
  }
  if (whole === null) return undefined;

  const [first = '', ...lines] = whole[1]!.split('\r\n');
  const [, method = '', target = '', version = ''] = match(REQUEST_LINE, first);
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const [, name = '', value = ''] = match(FIELD, line);
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value]);
  }
  return { method, target, version, headers, length: whole[0].length };
}

function match(pattern: RegExp, line: string): string[] {
  return pattern.exec(line) ?? bad(`This line is not HTTP: ${JSON.stringify(line)}`);
}

function bad(message: string): never {
  throw new HandshakeError(400, '4.2.1', message);
}

export function checkUpgrade({ method, version, target, headers }: RequestHead): Upgrade {
  const all = (name: string) => headers.get(name) ?? [];
  const list = (name: string) => all(name).join();
  if (!/^GET$/.test(method)) throw new HandshakeError(405, '4.2.1', 'Only GET.', { Allow: 'GET' });
  if (!/^HTTP\/(1\.[1-9]|[2-9])/.test(version)) bad('At least HTTP/1.1.');
  const [, path = '/', query = ''] = TARGET.exec(target) ?? bad('This is no path.');
  if (target === '' || target.startsWith('?')) bad('There is no path.');
  if (all('host').length !== 1) bad('One Host, please.');
  if (!/(^|,)[ \t]*websocket[ \t]*(,|$)/i.test(list('upgrade'))) bad('Upgrade to what?');
  if (!/(^|,)[ \t]*upgrade[ \t]*(,|$)/i.test(list('connection'))) bad('Connection has no Upgrade.');
  if (all('sec-websocket-version').length > 1) bad('One version, please.');
  if (!/^13$/.test(list('sec-websocket-version'))) throw otherVersion();
  const [key = '', ...keys] = all('sec-websocket-key');
  if (keys.length > 0 || !KEY.test(key)) bad('One key of 16 bytes, please.');
  if (all('origin').length > 1) bad('One Origin, please.');
  const offers = headers.has('sec-websocket-protocol') ? list('sec-websocket-protocol') : undefined;
  const protocols = offers?.split(/[ \t]*,[ \t]*/) ?? [];
  if (!protocols.every((name) => TOKEN.test(name))) bad('A subprotocol is a token.');
  if (/(^|,)([^,]+),(.*,)?\2(,|$)/.test(protocols.join())) bad('A subprotocol comes twice.');
  return { key, resource: path + query, origin: all('origin')[0], protocols };
}

function otherVersion(): HandshakeError {
  return new HandshakeError(426, '4.4', 'Version 13, please.', {
    'Sec-WebSocket-Version': '13',
    Connection: 'close, Upgrade',
    Upgrade: 'websocket',
  });
}

export function acceptResponse(key: string, protocol?: string): Uint8Array {
  if (protocol !== undefined && !TOKEN.test(protocol)) throw new TypeError('That is no token.');
  const template = `HTTP/1.1 101 Switching Protocols
Sec-WebSocket-Accept: ${acceptKey(key)}
Connection: Upgrade
Upgrade: websocket
${protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\n`}
`;
  return new TextEncoder().encode(template.replace(/\n/g, '\r\n'));
}

export function refusal({ status, headers, message }: HandshakeError): Uint8Array {
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (/[\r\n]/.test(fields.join(''))) throw new TypeError('A header has a line break in it.');
  if (!/^connection:/im.test(fields.join('\n'))) fields.push('Connection: close');
  fields.push(`Content-Length: ${Buffer.byteLength(message)}`);
  fields.push('Content-Type: text/plain; charset=utf-8');
  return Buffer.from(`HTTP/1.1 ${status} No\r\n${fields.join('\r\n')}\r\n\r\n${message}`);
}

export function negotiate({ resource, origin, protocols }: Upgrade, policy: Policy) {
  const path = resource.replace(/\?.*/, '');
  if (policy.paths?.includes(path) === false) throw new HandshakeError(404, '4.2.2', 'Not here.');
  if (origin !== undefined && policy.origins?.includes(origin) === false) {
    throw new HandshakeError(403, '10.2', 'Not from there.');
  }
  const ours = new Set(policy.protocols);
  return protocols.find((name) => ours.has(name));
}
