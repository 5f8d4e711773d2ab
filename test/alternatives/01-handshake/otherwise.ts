/**
 * Lesson 01, written otherwise wherever its text leaves a choice: another order, other words, stricter
 * where one may be. The checks have to let it pass.
 */
import { createHash } from 'node:crypto';
import { GUID, HandshakeError } from '../../../shared/protocol.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';

const refuse = (message: string) => new HandshakeError(400, '4.2.1', message);

export const MAX_HEAD_BYTES: number = 16 * 1024;

export function acceptKey(key: string): string {
  const digest = createHash('sha1').update(key).update(GUID).digest();
  return digest.toString('base64');
}

/** Whether a text is a token: by what no token has. */
function isToken(text: string): boolean {
  return (
    text !== '' &&
    [...text].every((c) => c > ' ' && c < '\x7f' && !'"(),/:;<=>?@[\\]{}'.includes(c))
  );
}

function strip(text: string): string {
  let stripped = text;
  while (/^[ \t]/.test(stripped)) stripped = stripped.slice(1);
  while (/[ \t]$/.test(stripped)) stripped = stripped.slice(0, -1);
  return stripped;
}

/** Takes only what a URI may have for a target, and hands the headers out from the last to the first. */
export function parseRequest(
  bytes: Uint8Array,
  maxHeadBytes: number = MAX_HEAD_BYTES,
): Handshake.RequestHead | undefined {
  let head = '';
  for (const byte of bytes.subarray(0, maxHeadBytes)) {
    head += String.fromCharCode(byte);
    if (head.endsWith('\r\n\r\n')) break;
  }
  if (!head.endsWith('\r\n\r\n')) {
    if (bytes.length >= maxHeadBytes) throw new HandshakeError(431, '10.4', 'Too long.');
    return undefined;
  }
  const [first = '', ...lines] = head.slice(0, -4).split('\r\n');
  const [, method = '', target = '', version = ''] =
    /^(\S+) ([!$-;=?-Z_a-z~%]+) (HTTP\/[0-9]\.[0-9])$/.exec(first) ?? [];
  if (!isToken(method)) throw refuse('That is no request line.');
  const fields = lines.map((line) => {
    const [name = ''] = line.split(':');
    const value = strip(line.slice(name.length + 1));
    const isPlain = [...value].every((c) => c === '\t' || (c >= ' ' && c !== '\x7f'));
    if (!line.includes(':') || !isToken(name) || !isPlain) throw refuse('That is no header.');
    return [name.toLowerCase(), value] as const;
  });
  const names = [...new Set(fields.map(([name]) => name))].reverse();
  const valuesOf = (wanted: string) => fields.filter(([name]) => name === wanted).map(([, v]) => v);
  const headers = new Map(names.map((name) => [name, valuesOf(name)]));
  return { headers, length: head.length, version, target, method };
}

/** Checks the rules from the last to the first, skips empty items, and refuses what isn't a URI. */
export function checkUpgrade({ headers, target, version, method }: Handshake.RequestHead) {
  const lines = (name: string) => headers.get(name) ?? [];
  const items = (name: string) =>
    lines(name).flatMap((line) =>
      line
        .split(',')
        .map(strip)
        .filter((item) => item !== ''),
    );
  const lists = (name: string, word: string) =>
    items(name).some((item) => item.toLowerCase() === word);

  const resource = resourceOf(target);
  const protocols = items('sec-websocket-protocol');
  if (!protocols.every(isToken)) throw refuse('A name is no token.');
  if (protocols.some((name, i) => protocols.indexOf(name) !== i)) throw refuse('A name is twice.');
  if (lines('origin').length > 1) throw refuse('Two Origins.');
  const [key = ''] = lines('sec-websocket-key');
  if (lines('sec-websocket-key').length > 1) throw refuse('Two keys.');
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) throw refuse('That is no key.');
  const versions = items('sec-websocket-version');
  if (versions.length > 1 || lines('sec-websocket-version').length > 1)
    throw refuse('Two versions.');
  if (versions[0] !== '13') {
    const wanted = { connection: 'Upgrade, close', upgrade: 'websocket', Vary: 'Origin' };
    throw new HandshakeError(426, '4.4', 'Thirteen.', { ...wanted, 'sec-websocket-version': '13' });
  }
  if (!lists('connection', 'upgrade')) throw refuse('No Upgrade in Connection.');
  if (!lists('upgrade', 'websocket')) throw refuse('No websocket in Upgrade.');
  if (lines('host').length !== 1) throw refuse('Not one Host.');
  if (Number(version.slice('HTTP/'.length)) < 1.1) throw refuse('Too old.');
  if (method !== 'GET') throw new HandshakeError(405, '4.2.1', 'GET.', { allow: 'GET', Vary: 'x' });
  return { protocols, origin: lines('origin')[0], resource, key };
}

function resourceOf(target: string): string {
  if (/["#<>[\\\]^`{|}]|%(?![0-9a-f]{2})/i.test(target.replace(/^\w+:\/\/\[[0-9a-f:]+\]/, ''))) {
    throw refuse('That is no URI.');
  }
  if (target.startsWith('/')) return target;
  const [, port = '', rest = ''] = /^https?:\/\/[^/?:@[]+(:\d+)?(.*)$/i.exec(target) ?? [];
  const [, after = rest] = /^https?:\/\/\[[0-9a-f:]+\](?::\d+)?(.*)$/i.exec(target) ?? [];
  const isUri = /^https?:\/\/[^/?]/i.test(target) && Number(port.slice(1)) < 65536;
  if (!isUri || !/^([/?]|$)/.test(after)) throw refuse('That is no URI of ours.');
  return after.startsWith('/') ? after : `/${after}`;
}

/** Another phrase, another order, another case, other white space. */
export function acceptResponse(key: string, protocol?: string): Uint8Array {
  if (protocol !== undefined && !isToken(protocol)) throw new TypeError('That is no token.');
  const lines = [
    'HTTP/1.1 101 Here we go',
    `sec-websocket-accept:${acceptKey(key)}`,
    ...(protocol === undefined ? [] : [`SEC-WEBSOCKET-PROTOCOL:  ${protocol} `]),
    'connection: upgrade',
    'UPGRADE: WebSocket',
  ];
  return new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`);
}

/** A body and headers of its own. Refuses every name and value that HTTP would not have. */
export function refusal({ status, message, section, headers }: HandshakeError): Uint8Array {
  const body = new TextEncoder().encode(`Sorry: ${message} (RFC 6455 §${section})`);
  const all = [
    ['content-length', String(body.length)],
    ['content-type', 'text/plain;charset=UTF-8'],
    ['Date', new Date(0).toUTCString()],
    ...Object.entries(headers),
  ];
  if (headers.Connection === undefined) all.push(['connection', 'close']);
  for (const [name = '', value = ''] of all) {
    if (!isToken(name) || /[^\t -~]/.test(value)) throw new TypeError('That is no header.');
  }
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status} Sorry\r\n${lines.join('')}\r\n`), body]);
}

/** Looks at the Origin first. */
export function negotiate(
  { origin, resource, protocols }: Handshake.Upgrade,
  policy: Handshake.Policy,
): string | undefined {
  if (origin !== undefined && policy.origins?.includes(origin) === false) {
    throw new HandshakeError(403, '10.2', 'Not from there.');
  }
  const [path = ''] = /^[^?]*/.exec(resource) ?? [];
  if (policy.paths?.includes(path) === false) throw new HandshakeError(404, '4.2.2', 'Not here.');
  for (const name of protocols) if (policy.protocols?.includes(name)) return name;
  return undefined;
}
