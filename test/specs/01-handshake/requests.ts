/** The requests of lesson 01: how they are made, changed, read, and drawn in a failure. */
import type { Fact } from '../../../shared/harness/facts.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { renderHead } from '../../../shared/view/wire.ts';
import type { RequestHead, Upgrade } from '../../../solutions/01-handshake/handshake.ts';
import { RFC_KEY } from '../../vectors/accept.ts';

/** The request of RFC 6455 §1.2: its request line, then one header a line. */
export const RFC_REQUEST = [
  'GET /chat HTTP/1.1',
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Key: ${RFC_KEY}`,
  'Origin: http://example.com',
  'Sec-WebSocket-Protocol: chat, superchat',
  'Sec-WebSocket-Version: 13',
];

/** What the request of RFC 6455 §1.2 asks for. */
export const RFC_UPGRADE: Upgrade = {
  key: RFC_KEY,
  resource: '/chat',
  origin: 'http://example.com',
  protocols: ['chat', 'superchat'],
};

/** What Chrome sends. */
export const CHROME_REQUEST = [
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

/** Writes a request as bytes, with the blank line at its end. */
export function bytesOf(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return utf8(`${lines.join('\r\n')}\r\n\r\n`);
}

/** The slow, obvious way to read a request that is known to be good. */
export function headOf(lines: readonly string[]): RequestHead {
  const [method = '', target = '', version = ''] = (lines[0] ?? '').split(' ');
  const headers = new Map<string, string[]>();
  for (const line of lines.slice(1)) {
    const [name = '', ...value] = line.split(': ');
    const key = name.toLowerCase();
    headers.set(key, [...(headers.get(key) ?? []), value.join(': ')]);
  }
  return { method, target, version, headers, length: bytesOf(lines).length };
}

/** Draws the bytes of a request, and says how they were delivered, if that matters. */
export function arrived(bytes: Uint8Array, how?: string): Fact[] {
  const lines = drawHead(bytes).slice(0, 20);
  // Of a head that goes on, the last line has not come to its end.
  if (lines.at(-1)?.startsWith('^^')) lines.pop();
  const head: Fact = ['arrived', lines.join('\n') || 'nothing'];
  return how ? [head, ['delivery', how]] : [head];
}

/** Draws a head line by line, and bytes beyond ASCII as bytes, such as `\xc3`. */
export function drawHead(bytes: Uint8Array): string[] {
  const asByte = (character: string, hex = character.charCodeAt(0).toString(16)) => `\\x${hex}`;
  return renderHead(bytes, 60).map((line) => {
    const isAfterHead = line.startsWith('(');
    return isAfterHead ? line : line.replace(/\\u00([89a-f].)|[\xa1-\xff]/g, asByte);
  });
}

/** Draws a request, with a mark at each line that differs from the request of the standard. */
export function drawRequest(lines: readonly string[]): Fact {
  const linesOf = (request: readonly string[], name: string | undefined) =>
    request
      .slice(1)
      .filter((line) => nameOf(line) === name)
      .join();
  const isKnown = (line: string, i: number) =>
    i === 0
      ? line === RFC_REQUEST[0]
      : linesOf(lines, nameOf(line)) === linesOf(RFC_REQUEST, nameOf(line));
  const bytes = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  const marked = drawHead(bytes).map((text, i) => {
    const line = lines[i];
    return `${line === undefined || isKnown(line, i) ? ' ' : '>'} ${text}`;
  });
  const missing = namesOf(RFC_REQUEST).filter((name) => !namesOf(lines).includes(name));
  return ['request', [...marked, ...missing.map((name) => `> (no ${name})`)].join('\n')];
}

function namesOf(lines: readonly string[]): (string | undefined)[] {
  return lines.slice(1).map(nameOf);
}

function nameOf(line: string): string | undefined {
  return line.split(':')[0];
}

/** What to say when a call is wrong, and the same call right when it is made again. */
export const OUTLIVES_CALL =
  'Called again, it is right. Something outlives a call, such as the `lastIndex` of a pattern with the flag `g`.';

/** Makes another request out of one. */
export type Change = (lines: readonly string[]) => string[];

/** Takes a header away. */
export function without(name: string): Change {
  return (lines) => lines.filter((line) => !line.startsWith(`${name}:`));
}

/** Puts lines with these values in the place of a header, at the end. */
export function replace(name: string, ...values: readonly string[]): Change {
  return (lines) => [...without(name)(lines), ...values.map((value) => `${name}: ${value}`)];
}

/** Puts another line in the place of the request line. */
export function requestLine(line: string): Change {
  return (lines) => [line, ...lines.slice(1)];
}
