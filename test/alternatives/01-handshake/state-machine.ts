/** The handshake by hand: a machine reads the head byte by byte, and loops do the rest. */
import { createHash } from 'node:crypto';
import { GUID, HandshakeError } from '../../../shared/protocol.ts';
import type { Policy, RequestHead, Upgrade } from '../../../solutions/01-handshake/handshake.ts';

export const MAX_HEAD_BYTES = 16 * 1024;

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const PUNCTUATION = "!#$%&'*+-.^_`|~";

type State = 'method' | 'target' | 'version' | 'name' | 'value' | 'bad';

function isLetterOrDigit(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

function isTokenByte(code: number): boolean {
  return isLetterOrDigit(code) || PUNCTUATION.includes(String.fromCharCode(code));
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenByte(text.charCodeAt(i))) return false;
  return text !== '';
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function refuse(message: string): never {
  throw new HandshakeError(400, '4.2.1', message);
}

/** Reads one head. What is wrong in it is only remembered: it is told when the head has ended. */
class HeadMachine {
  state: State = 'method';
  readonly headers = new Map<string, string[]>();
  method = '';
  target = '';
  version = '';
  #name = '';
  #value = '';

  /** Reads a byte that is not part of the end of a line. */
  read(code: number): void {
    const letter = String.fromCharCode(code);
    if (this.state === 'method') {
      if (code === SPACE && this.method !== '') this.state = 'target';
      else if (isTokenByte(code)) this.method += letter;
      else this.state = 'bad';
    } else if (this.state === 'target') {
      if (code === SPACE && this.target !== '') this.state = 'version';
      else if (code > SPACE && code < 127) this.target += letter;
      else this.state = 'bad';
    } else if (this.state === 'version') {
      this.version += letter;
    } else if (this.state === 'name') {
      if (code === 58 && this.#name !== '') this.state = 'value';
      else if (isTokenByte(code)) this.#name += letter.toLowerCase();
      else this.state = 'bad';
    } else if (this.state === 'value') {
      if ((code < SPACE && code !== TAB) || code === 127) this.state = 'bad';
      this.#value += letter;
    }
  }

  endLine(): void {
    if (this.state === 'version') {
      this.state = this.#isVersion() ? 'name' : 'bad';
    } else if (this.state === 'value') {
      const values = this.headers.get(this.#name);
      if (values) values.push(trim(this.#value));
      else this.headers.set(this.#name, [trim(this.#value)]);
      this.#name = '';
      this.#value = '';
      this.state = 'name';
    } else {
      this.state = 'bad';
    }
  }

  #isVersion(): boolean {
    const { version } = this;
    const digit = (at: number) => version.charAt(at) >= '0' && version.charAt(at) <= '9';
    const form = version.startsWith('HTTP/') && version.charAt(6) === '.';
    return form && version.length === 8 && digit(5) && digit(7);
  }
}

export function acceptKey(key: string): string {
  const hash = createHash('sha1');
  hash.update(key);
  hash.update(GUID);
  return hash.digest('base64');
}

export function parseRequest(
  bytes: Uint8Array,
  maxHeadBytes = MAX_HEAD_BYTES,
): RequestHead | undefined {
  const machine = new HeadMachine();
  const end = Math.min(bytes.length, maxHeadBytes);
  let lineStart = 0;
  for (let i = 0; i < end; i++) {
    if (bytes[i] !== CR || bytes[i + 1] !== LF || i + 1 >= end) {
      machine.read(bytes[i]!);
      continue;
    }
    const isBlankLine = i === lineStart && i > 0;
    i++;
    lineStart = i + 1;
    if (!isBlankLine) {
      machine.endLine();
      continue;
    }
    if (machine.state !== 'name') refuse('This is not HTTP.');
    const { method, target, version, headers } = machine;
    return { method, target, version, headers, length: lineStart };
  }
  if (bytes.length < maxHeadBytes) return undefined;
  throw new HandshakeError(431, '10.4', 'Too much.');
}

function itemsOf(values: readonly string[]): string[] {
  const items: string[] = [];
  for (const value of values) for (const item of value.split(',')) items.push(trim(item));
  return items;
}

function hasWord(values: readonly string[], word: string): boolean {
  for (const item of itemsOf(values)) if (item.toLowerCase() === word) return true;
  return false;
}

function isKey(text: string): boolean {
  if (text.length !== 24 || !text.endsWith('==')) return false;
  for (let i = 0; i < 22; i++) {
    const letter = text.charAt(i);
    if (!isLetterOrDigit(text.charCodeAt(i)) && letter !== '+' && letter !== '/') return false;
  }
  return true;
}

/** Path and query of a target. */
function resourceOf(target: string): string {
  if (target.startsWith('/')) return target;
  const scheme = target.slice(0, target.indexOf('://')).toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') refuse('The target is no path.');
  const start = scheme.length + 3;
  let end = start;
  while (end < target.length && !'/?'.includes(target.charAt(end))) end++;
  if (end === start) refuse('The target names no host.');
  return target.charAt(end) === '/' ? target.slice(end) : `/${target.slice(end)}`;
}

function checkHttp({ method, version, headers }: RequestHead): void {
  if (method !== 'GET') throw new HandshakeError(405, '4.1', 'GET, please.', { Allow: 'GET' });
  if (Number(version.slice('HTTP/'.length)) < 1.1) refuse('HTTP is too old.');
  if (headers.get('host')?.length !== 1) refuse('There is not one Host.');
}

export function checkUpgrade(request: RequestHead): Upgrade {
  const { target, headers } = request;
  const valuesOf = (name: string) => headers.get(name) ?? [];
  checkHttp(request);
  const resource = resourceOf(target);
  if (!hasWord(valuesOf('upgrade'), 'websocket')) refuse('No upgrade to websocket.');
  if (!hasWord(valuesOf('connection'), 'upgrade')) refuse('No Upgrade in Connection.');
  const versions = valuesOf('sec-websocket-version');
  if (versions.length > 1) refuse('More than one version.');
  if (versions[0] !== '13') {
    const headers = { 'Sec-WebSocket-Version': '13', Upgrade: 'websocket' };
    const error = { ...headers, Connection: 'close, Upgrade' };
    throw new HandshakeError(426, '4.2.2', 'Which version is that?', error);
  }
  const keys = valuesOf('sec-websocket-key');
  if (keys.length !== 1 || !isKey(keys[0]!)) refuse('There is not one good key.');
  if (valuesOf('origin').length > 1) refuse('More than one origin.');
  const protocols = itemsOf(valuesOf('sec-websocket-protocol'));
  for (const [i, name] of protocols.entries()) {
    if (!isToken(name)) refuse('A subprotocol has a name that is none.');
    if (protocols.indexOf(name) < i) refuse('A subprotocol is offered twice.');
  }
  return { key: keys[0]!, resource, origin: valuesOf('origin')[0], protocols };
}

export function acceptResponse(key: string, protocol?: string): Uint8Array {
  let text = 'HTTP/1.1 101 Switching Protocols\r\n';
  text += 'Connection: Upgrade\r\n';
  text += 'Upgrade: websocket\r\n';
  text += `Sec-WebSocket-Accept: ${acceptKey(key)}\r\n`;
  if (protocol !== undefined) {
    if (!isToken(protocol)) throw new TypeError('The subprotocol is no token.');
    text += `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  }
  text += '\r\n';
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function refusal(error: HandshakeError): Uint8Array {
  const body = new TextEncoder().encode(error.message);
  let hasConnection = false;
  let head = `HTTP/1.1 ${error.status} Refused\r\n`;
  head += `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n`;
  for (const name of Object.keys(error.headers)) {
    const line = `${name}: ${error.headers[name]}`;
    if (line.includes('\r') || line.includes('\n'))
      throw new TypeError('A line break in a header.');
    if (name.toLowerCase() === 'connection') hasConnection = true;
    head += `${line}\r\n`;
  }
  if (!hasConnection) head += 'Connection: close\r\n';
  return Buffer.concat([Buffer.from(`${head}\r\n`), body]);
}

export function negotiate(upgrade: Upgrade, policy: Policy): string | undefined {
  const { resource, origin, protocols } = upgrade;
  const mark = resource.indexOf('?');
  const path = mark === -1 ? resource : resource.slice(0, mark);
  if (policy.paths !== undefined && !policy.paths.includes(path)) {
    throw new HandshakeError(404, '4.2.2', 'There is nothing at this path.');
  }
  if (policy.origins !== undefined && origin !== undefined && !policy.origins.includes(origin)) {
    throw new HandshakeError(403, '4.2.2', 'Your page is not welcome.');
  }
  for (const name of protocols) if (policy.protocols?.includes(name)) return name;
  return undefined;
}
