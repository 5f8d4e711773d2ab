/** Codes, reasons and bodies, drawn for the generated cases of lesson 04. */
import { join, utf8 } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { codeBytes } from './tools.ts';

const LEGAL_CODES = [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999];
const ILLEGAL_CODES = [1005, 1006, 1015, 1004, 0, 1, 999, 1016, 2999, 5000, 65535];

/** Draws a code that may travel. */
export function drawLegalCode(choose: Choices): number {
  return choose.oneIn(4) ? 3000 + choose.below(2000) : choose.pick(LEGAL_CODES);
}

/** Draws a code of two bytes that may not travel. */
export function drawIllegalCode(choose: Choices): number {
  return choose.pick(ILLEGAL_CODES);
}

/** Says of a number whether it is a code that may travel: the table of the lesson, row by row. */
export function mayTravel(code: number): boolean {
  const standard = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
  return standard.includes(code) || (Number.isInteger(code) && code > 2999 && code < 5000);
}

/** Characters of one to four bytes, and those that code which means well would change. */
const CHARACTERS = ['x', 'é', '€', '😀', '\ufffd', '\ufeff', 'e\u0301', '\u0000', ' ', '\u07ff'];

/** Draws a reason of up to about `most` bytes. */
export function drawReason(choose: Choices, most = 20): string {
  const start = 'x'.repeat(choose.oneIn(2) ? choose.below(Math.max(1, most - 8)) : 0);
  return start + choose.list(8, () => choose.pick(CHARACTERS)).join('');
}

/** Draws a reason around the boundary of 123 bytes: cut at any place, it would be cut in a character. */
export function drawLongReason(choose: Choices): string {
  const filler = choose.pick(CHARACTERS);
  const bytes = 123 - choose.below(12);
  const start = filler.repeat(Math.floor(bytes / utf8(filler).length));
  const left = 'x'.repeat(choose.below(6));
  return start + left + choose.list(8, () => choose.pick(CHARACTERS)).join('');
}

/** Makes the body of a Close. */
export function bodyOf(code: number | undefined, reason = ''): Uint8Array<ArrayBuffer> {
  return code === undefined ? new Uint8Array() : join(codeBytes(code), utf8(reason));
}

/** Draws a reason with which a body has up to 124 bytes. */
function drawReasonOfBody(choose: Choices): string {
  return drawReason(choose, choose.pick([20, 99]));
}

/** Draws a legal body. */
export function drawLegalBody(choose: Choices): Uint8Array<ArrayBuffer> {
  if (choose.oneIn(4)) return new Uint8Array();
  return bodyOf(drawLegalCode(choose), drawReasonOfBody(choose));
}

/** Draws a body of up to 125 bytes, in which most often something is wrong. */
export function drawSpoiltBody(choose: Choices): Uint8Array<ArrayBuffer> {
  const isIllegal = choose.oneIn(2);
  const code = isIllegal ? drawIllegalCode(choose) : drawLegalCode(choose);
  const body = bodyOf(code, drawReasonOfBody(choose));
  const at = choose.below(body.length);
  switch (choose.below(4)) {
    case 1:
      return body.slice(0, at);
    case 2:
      return Uint8Array.from(body, (byte, i) => (i === at ? choose.below(256) : byte));
    case 3:
      return join(body.subarray(0, at), Uint8Array.of(0x80 + choose.below(128)), body.subarray(at));
    default:
      return body;
  }
}

/** Puts bytes into the memory of a caller: an array of their own, or a part of a larger one. */
export function placed(choose: Choices, bytes: Uint8Array): Uint8Array {
  const start = choose.below(10);
  const larger = Buffer.concat([Buffer.alloc(start, 0xee), bytes, Buffer.alloc(4, 0xee)]);
  const kinds = [
    () => new Uint8Array(bytes),
    () => larger.subarray(start, start + bytes.length),
    () => new Uint8Array(larger).subarray(start, start + bytes.length),
  ];
  return choose.pick(kinds)();
}

/** What a body says, or the codes of the Closes that may refuse it. */
export type Judged =
  | { readonly isLegal: true; readonly code: number | undefined; readonly reason: string }
  | { readonly isLegal: false; readonly codes: readonly number[] };

/** Judges a body. Where both its code and its reason are wrong, either may be named. */
export function judge(body: Uint8Array): Judged {
  const [high = 0, low] = body;
  if (body.length === 0) return { isLegal: true, code: undefined, reason: '' };
  if (low === undefined) return { isLegal: false, codes: [1002] };
  const code = high * 256 + low;
  const reason = readUtf8(body.subarray(2));
  const codes = [...(mayTravel(code) ? [] : [1002]), ...(reason === undefined ? [1007] : [])];
  return codes.length > 0 || reason === undefined
    ? { isLegal: false, codes }
    : { isLegal: true, code, reason };
}

/** Decodes UTF-8. `undefined`: it is none. */
export function readUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The longest beginning of a text that has at most 123 bytes: one character after the other. */
export function whatFits(text: string): string {
  let fits = '';
  let size = 0;
  for (const character of text) {
    size += utf8(character).length;
    if (size > 123) break;
    fits += character;
  }
  return fits;
}
