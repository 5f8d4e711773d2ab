/** The responses of step 3 and 4: how they are made, read, and told. */
import { refusedAs } from '../../../shared/harness/check.ts';
import type { About } from '../../../shared/harness/facts.ts';
import { OpeningError } from '../../../shared/protocol.ts';
import type { ResponseHead } from '../../../solutions/06-client/client.ts';
import { RFC_ACCEPT } from '../../vectors/accept.ts';
import { consistsOf, latin1, readHeaders, splitHead } from '../01-handshake/reader.ts';

/** What Node's own debugger answers to the key of the standard: its status line, then a header a line. */
export const NODE_RESPONSE = [
  'HTTP/1.1 101 Switching Protocols',
  'Upgrade: websocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Accept: ${RFC_ACCEPT}`,
];

/** What that of Chromium answers. */
export const CHROMIUM_RESPONSE = [
  'HTTP/1.1 101 WebSocket Protocol Handshake',
  'Upgrade: WebSocket',
  'Connection: Upgrade',
  `Sec-WebSocket-Accept: ${RFC_ACCEPT}`,
];

/** Writes a response as bytes, one for each character, with the blank line at its end. */
export function bytesOf(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return latin1(`${lines.join('\r\n')}\r\n\r\n`);
}

/** What is to be made of bytes. Neither a head nor a problem: the blank line has not come. */
export interface Reading {
  readonly head?: ResponseHead;
  /** Why it isn't HTTP. */
  readonly problem?: string;
}

const DIGITS = new Set('0123456789');

/** Reads the head of a response, one character after the other. */
export function readResponse(bytes: Uint8Array): Reading {
  const split = splitHead(bytes);
  if (!split) return {};
  const [first = '', ...lines] = split.lines;
  const [version = '', status = ''] = first.split(' ', 2);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    return {
      problem: 'The status line does not begin with `HTTP/1.1` or `HTTP/1.0`, and a space.',
    };
  }
  if (status.length !== 3 || !consistsOf(status, DIGITS)) {
    return { problem: 'Behind the version and one space are not three digits.' };
  }
  // A phrase is like the value of a header.
  const phrase = readHeaders([`phrase:${first.slice('HTTP/1.1 101'.length)}`]);
  if (typeof phrase === 'string') return { problem: 'A control character is in the phrase.' };
  const headers = readHeaders(lines);
  if (typeof headers === 'string') return { problem: headers };
  return { head: { status: Number(status), headers, length: split.length } };
}

/** Reads a response that is known to be good. */
export function headOf(lines: readonly string[]): ResponseHead {
  return readResponse(bytesOf(lines)).head!;
}

/** Checks that a response is refused with an `OpeningError`, and returns that. */
export function refusesOpening(action: () => unknown, what: string, about: About): OpeningError {
  const isRight = (error: unknown): error is OpeningError => error instanceof OpeningError;
  return refusedAs('OpeningError', isRight, action, what, about);
}
