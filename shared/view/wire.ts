/** The wire viewer: frames and handshakes, drawn for people. */
import { count } from './count.ts';
import { type DecodedFrame, surveyFrames } from './frame.ts';
import { decodeHead } from './head.ts';
import { escapeBytes, toHex } from './hex.ts';
import { frameFields, opcodeName, preview, sayFields, sayPayload } from './say.ts';
import { clip } from './width.ts';
import { wrap } from './wrap.ts';

/** Bytes to draw, and where the reads that brought them ended. */
export interface Stream {
  readonly bytes: Uint8Array;
  /** Places of cuts, in bytes from the start. Absent: all came in one read. */
  readonly cuts?: readonly number[];
  /** Have both ends agreed on compression? Absent: no. */
  readonly deflate?: boolean;
}

/** The most frames that are drawn. */
export const MAX_FRAMES = 8;

/**
 * Draws frames for a person: one frame with a label hanging from each field, several with one
 * line each. A `│` marks where a read ended. No line is wider than `width` columns.
 */
export function drawStream(stream: Stream, width = 76): string[] {
  const { first, count } = surveyFrames(stream.bytes, MAX_FRAMES, stream.deflate);
  const [only] = first;
  if (count === 1 && only) return drawFrame(stream, only, width);
  const lines = first.map((frame) => drawLine(stream, frame, width));
  if (count > MAX_FRAMES) lines.push(`… ${count} frames in all`);
  return lines;
}

/** Writes some bytes as hex with their cuts. Returns the column of each byte. */
function hexWithCuts({ bytes, cuts = [] }: Stream, start: number, end: number) {
  let text = '';
  const columns: number[] = [];
  for (let i = start; i < end; i++) {
    if (i > 0 && cuts.includes(i)) text += '│ ';
    columns.push(text.length);
    text += `${toHex(bytes.subarray(i, i + 1))} `;
  }
  return { text, columns };
}

function drawFrame(stream: Stream, frame: DecodedFrame, width: number): string[] {
  const size = stream.bytes.length;
  const cuts = stream.cuts?.filter((cut) => cut < size) ?? [];
  const room = Math.floor((width - 2 - 2 * Math.min(cuts.length, 4)) / 3);
  const shown = Math.min(size, room);
  const { text, columns } = hexWithCuts(stream, 0, shown);

  let brackets = '';
  const labels: Label[] = [];
  for (const { start, end, meaning, problem } of sayFields(frame)) {
    if (start >= shown) break;
    const from = columns[start]!;
    const bracket = drawBracket(columns[Math.min(end, shown) - 1]! + 2 - from);
    brackets = brackets.padEnd(from) + bracket;
    labels.push({
      stem: from + bracket.indexOf('┬'),
      text: problem ? `${meaning} ← ${problem}` : meaning,
    });
  }
  const lines = [text + (shown < size ? '…' : ''), brackets, ...hangLabels(labels, width)];
  return lines.map((line) => clip(line.trimEnd(), width));
}

/** Draws what joins a number of columns, with a `┬` for the stem of their label. */
function drawBracket(columns: number): string {
  if (columns === 2) return '┬─';
  const left = Math.floor((columns - 2) / 2);
  return `╰${'─'.repeat(left)}┬${'─'.repeat(columns - 3 - left)}╯`;
}

/** A text, and the column of the stem that it hangs from. */
interface Label {
  readonly stem: number;
  readonly text: string;
}

/** Writes labels below each other, the last one first, so that no stem runs through a text. */
function hangLabels(labels: readonly Label[], width: number): string[] {
  const blocks = labels.map(({ stem, text }, i) => {
    const stems = labels.slice(0, i).reduce((line, left) => `${line.padEnd(left.stem)}│`, '');
    // A text too long for its place moves to the left, as far as the other stems allow, and breaks.
    const at = Math.min(stem, Math.max(width - text.length, stems.length + 1));
    return wrap(text, Math.max(width - at, 12)).map((part) => stems.padEnd(at) + part);
  });
  return blocks.reverse().flat();
}

function drawLine(stream: Stream, frame: DecodedFrame, width: number): string {
  const { start, end, fin, opcode, masked, payload, isCompressed, problem } = frame;
  const maxBytes = Math.max(6, Math.floor((width - 36) / 3));
  const { text } = hexWithCuts(stream, start, Math.min(end, start + maxBytes));
  const hex = text + (end - start > maxBytes ? '…' : '');
  const says = [
    opcodeName(opcode),
    isCompressed ? ', compressed' : '',
    payload ? ` ${sayPayload(frame)}` : '',
    fin ? '' : ', no FIN',
    masked === false ? ', not masked' : '',
    problem ? ` ← ${problem}` : '',
  ];
  return clip(hex.padEnd(maxBytes * 3 + 2) + says.join(''), width);
}

/**
 * Draws frames as lines: the place of each field, its bytes, what they mean, and what is wrong
 * with it. No line is wider than `width` columns.
 */
export function renderFrames(bytes: Uint8Array, width = 76): string[] {
  return frameFields(bytes).flatMap(({ start, end, meaning, problem }) => {
    const place = `${start}`.padStart(4);
    const hex = toHex(bytes.subarray(start, end), 8).padEnd(25);
    const lines = [`${place}  ${hex}  ${meaning}`];
    if (problem) lines.push(`${' '.repeat(6)}${'^'.repeat(2)} ${problem}`);
    return lines.map((line) => clip(line, width));
  });
}

/** Draws the lines of a request or response with their line ends visible. */
export function renderHead(bytes: Uint8Array, width = 76): string[] {
  const { lines, rest } = decodeHead(bytes);
  const texts = lines.flatMap(({ text, problem }) => [
    clip(escapeBytes(text), width),
    ...(problem ? [`^^ ${problem}`] : []),
  ]);
  if (rest.length === 0) return texts;
  return [
    ...texts,
    clip(`(${count(rest.length, 'byte')} after the head: ${preview(rest)})`, width),
  ];
}
