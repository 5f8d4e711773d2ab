import { isHead } from './bytes.ts';
import { style } from './style.ts';
import {
  drawStream,
  type Field,
  frameCut,
  headFields,
  MAX_FRAMES,
  preview,
  splitFrames,
} from './wire.ts';
import { wrap } from './wrap.ts';

/**
 * Explains bytes of a connection to a person: handshakes line by line, frames field by field, and
 * what is missing. No line is wider than `width` columns.
 */
export function renderBytes(bytes: Uint8Array, width: number): string[] {
  return isHead(bytes) ? explainHandshake(bytes, width) : explainFrames(bytes, width);
}

function explainFrames(bytes: Uint8Array, width: number): string[] {
  const frames = splitFrames(bytes).map((fields) => {
    const [start, end] = [fields[0]?.start ?? 0, fields.at(-1)?.end ?? 0];
    return { start, end, isIllegal: fields.some(({ problem }) => problem) };
  });
  const lines = drawStream({ bytes }, width);
  if (frames.length > 1) {
    for (const [i, { start, end }] of frames.slice(0, MAX_FRAMES).entries()) {
      const heading = style.bold(`Frame ${i + 1}, from byte ${start}`);
      lines.push('', heading, '', ...drawStream({ bytes: bytes.subarray(start, end) }, width));
    }
  }

  const says = [`${count(frames.length, 'frame')}, ${count(bytes.length, 'byte')}.`];
  const illegal = frames.flatMap(({ isIllegal }, i) => (isIllegal ? [i + 1] : []));
  if (frames.length > MAX_FRAMES) says.push(`The first ${MAX_FRAMES} are drawn.`);
  if (frames.length > 1 && illegal.length > 0) {
    const more = illegal.length > 8 ? ', …' : '';
    says.push(`Not legal: ${illegal.slice(0, 8).join(', ')}${more}.`);
  }
  const cut = frameCut(bytes.subarray(frames.at(-1)?.start));
  if (cut) says.push(`${frames.length > 1 ? 'The last' : 'It'} is cut: ${cut}.`);
  return [...lines, '', ...wrap(says.join(' '), width)];
}

function explainHandshake(bytes: Uint8Array, width: number): string[] {
  const fields = headFields(bytes);
  const head = fields.filter(({ name }) => name !== 'rest');
  const end = head.at(-1)?.end ?? 0;
  const [, status] = /^"HTTP\/\S+ (\d+)/i.exec(head[0]?.meaning ?? '') ?? [];
  const what = /^"HTTP/i.test(head[0]?.meaning ?? '') ? 'response' : 'request';
  const lines = [
    style.bold(`The head of a ${what}, ${count(end, 'byte')}`),
    '',
    ...head.flatMap((field) => renderLine(field, bytes, width)),
    '',
  ];
  if (head.at(-1)?.name !== 'blank line') {
    return [
      ...lines,
      ...wrap('The head is cut: the blank line that ends it is still to come.', width),
    ];
  }
  const rest = bytes.subarray(end);
  if (rest.length === 0) return [...lines, 'The head is whole, and nothing follows it.'];
  if (status !== undefined && status !== '101') {
    return [
      ...lines,
      ...wrap(`Its body, ${count(rest.length, 'byte')}: ${preview(rest, 200)}`, width),
    ];
  }
  return [
    ...lines,
    style.bold(`After the head, ${count(rest.length, 'byte')}`),
    '',
    ...renderBytes(rest, width),
  ];
}

function renderLine({ end, meaning, problem }: Field, bytes: Uint8Array, width: number): string[] {
  const lines = fold(meaning.slice(1, -1), width - 2).map((line) => `  ${line}`);
  // A line that is still arriving has no end yet.
  const isCut = end === bytes.length && bytes[end - 1] !== 0x0a;
  return problem && !isCut ? [...lines, `  ^^ ${problem}`] : lines;
}

/** Breaks a line without losing a space, and never inside of `\r` or `\u0000`. */
function fold(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const [token] of text.matchAll(/\\u[0-9a-f]{4}|\\?./g)) {
    if (line.length + token.length > width) {
      lines.push(line);
      line = '    ';
    }
    line += token;
  }
  return [...lines, line];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
