import { isHead } from './bytes.ts';
import { count } from './count.ts';
import { type Survey, surveyFrames } from './frame.ts';
import { decodeHead, type HeadLine } from './head.ts';
import { escapeBytes } from './hex.ts';
import { preview, sayMissing } from './say.ts';
import { style } from './style.ts';
import { Unpacker } from './unpack.ts';
import { drawUnpacked } from './unpacked.ts';
import { drawStream, MAX_FRAMES } from './wire.ts';
import { wrap } from './wrap.ts';

/** The line of a response that agrees on compression. */
const AGREEMENT = /^sec-websocket-extensions:[ \t]*permessage-deflate/i;

/**
 * Explains bytes of a connection to a person: handshakes line by line, frames field by field,
 * compressed messages unpacked, and what is missing. No line is wider than `width` columns.
 */
export function renderBytes(bytes: Uint8Array, width: number): string[] {
  return isHead(bytes) ? explainHandshake(bytes, width) : explainFrames(bytes, width);
}

/** Explains frames. Without the response to a handshake, RSV1 is what says that they compress. */
function explainFrames(bytes: Uint8Array, width: number, deflate = true): string[] {
  const survey = surveyFrames(bytes, MAX_FRAMES, deflate);
  // What a client sends is masked, and each side has a window of its own.
  const unpackers = [new Unpacker(), new Unpacker()] as const;
  const lines = drawStream({ bytes, deflate }, width);
  for (const [i, frame] of survey.first.entries()) {
    const { start, end } = frame;
    if (survey.count > 1) {
      const heading = style.bold(`Frame ${i + 1}, from byte ${start}`);
      const stream = { bytes: bytes.subarray(start, end), deflate };
      lines.push('', heading, '', ...drawStream(stream, width));
    }
    const unpacker = unpackers[frame.masked ? 1 : 0];
    const message = frame.missing === 0n ? unpacker.push(frame) : undefined;
    if (message) lines.push('', ...drawUnpacked(message, width));
  }
  const says = summarize(survey, bytes.length);
  if (unpackers.some(({ isPacked }) => isPacked)) {
    says.push('A compressed message is cut: it is unpacked when it is whole.');
  }
  return [...lines, '', ...wrap(says.join(' '), width)];
}

/** Says how many frames there are, which are not legal, and whether the last is cut. */
function summarize({ count: frames, illegal, last }: Survey, size: number): string[] {
  const says = [`${count(frames, 'frame')}, ${count(size, 'byte')}.`];
  if (frames > MAX_FRAMES) says.push(`The first ${MAX_FRAMES} are drawn.`);
  if (frames > 1 && illegal.length > 0) {
    const more = illegal.length > 8 ? ', …' : '';
    says.push(`Not legal: ${illegal.slice(0, 8).join(', ')}${more}.`);
  }
  const cut = last && sayMissing(last);
  if (cut) says.push(`${frames > 1 ? 'The last' : 'It'} is cut: ${cut}.`);
  return says;
}

function explainHandshake(bytes: Uint8Array, width: number): string[] {
  const { lines, size, isWhole, kind, status, rest } = decodeHead(bytes);
  const head = [
    style.bold(`The head of a ${kind}, ${count(size, 'byte')}`),
    '',
    ...lines.flatMap((line) => renderLine(line, width)),
    '',
  ];
  if (!isWhole) {
    const cut = 'The head is cut: the blank line that ends it is still to come.';
    return [...head, ...wrap(cut, width)];
  }
  if (rest.length === 0) return [...head, 'The head is whole, and nothing follows it.'];
  if (status !== undefined && status !== 101) {
    const body = `Its body, ${count(rest.length, 'byte')}: ${preview(rest, 200)}`;
    return [...head, ...wrap(body, width)];
  }
  const heading = style.bold(`After the head, ${count(rest.length, 'byte')}`);
  if (isHead(rest)) return [...head, heading, '', ...explainHandshake(rest, width)];
  const deflate = kind === 'request' || lines.some(({ text }) => AGREEMENT.test(text));
  return [...head, heading, '', ...explainFrames(rest, width, deflate)];
}

function renderLine({ text, problem }: HeadLine, width: number): string[] {
  const lines = fold(escapeBytes(text), width - 2).map((line) => `  ${line}`);
  // A line that is still arriving has no end yet.
  const isCut = !text.endsWith('\n');
  return problem && !isCut ? [...lines, `  ^^ ${problem}`] : lines;
}

/** Breaks a line without losing a space, and never inside of `\r`, `\xc3` or `\u0000`. */
function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [token] of text.matchAll(/\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\?./g)) {
    if (line.length + token.length > width) {
      lines.push(line);
      line = '    ';
    }
    line += token;
  }
  return [...lines, line];
}
