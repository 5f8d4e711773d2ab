/**
 * The wire viewer: bytes → named fields. It shows whatever it is given, legal or not, whole or
 * cut off. It shares no code with the lessons, so that it can be trusted where they are wrong.
 */

import { isControl, MAX_CONTROL_PAYLOAD, Opcode } from '../protocol.ts';
import { quote, toHex } from './hex.ts';
import { clip, wrap } from './wrap.ts';

/** Some bytes that belong together, and what they mean. */
export interface Field {
  /** Where the field starts, in bytes from the start of what was viewed. */
  readonly start: number;
  /** Where it ends; this byte is not part of it. */
  readonly end: number;
  readonly name: string;
  /** What it says, in words. */
  readonly meaning: string;
  /** The rule that it breaks, whoever sent it. */
  readonly problem?: string;
}

/** Names an opcode, such as `text`; a reserved one is `reserved`. */
function opcodeName(opcode: number): string {
  const entry = Object.entries(Opcode).find(([, value]) => value === opcode);
  return entry ? entry[0].toLowerCase() : 'reserved';
}

/**
 * Names the fields of WebSocket frames: one frame, several, or a part of one. Payloads are shown
 * unmasked. RFC 6455 §5.2
 */
export function frameFields(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  while (at < bytes.length) {
    const frame = oneFrame(bytes, at);
    fields.push(...frame);
    at = frame.at(-1)?.end ?? bytes.length;
  }
  return fields;
}

function oneFrame(bytes: Uint8Array, start: number): Field[] {
  const fields: Field[] = [];
  const add = (name: string, size: number | bigint, meaning: string, problem?: string) => {
    const from = fields.at(-1)?.end ?? start;
    const end = Math.min(from + Number(size), bytes.length);
    const missing = BigInt(size) - BigInt(end - from);
    const cut = missing > 0n ? `, ${moreToCome(missing)}` : '';
    fields.push({
      start: from,
      end,
      name,
      meaning: meaning + cut,
      ...(problem && { problem }),
    });
    return bytes.subarray(from, end);
  };

  const first = bytes[start] ?? 0;
  const fin = first >> 7;
  const rsv = (first >> 4) & 7;
  const opcode = first & 15;
  const firstProblem =
    rsv !== 0
      ? 'an RSV bit is set'
      : opcodeName(opcode) === 'reserved'
        ? 'a reserved opcode'
        : isControl(opcode) && fin === 0
          ? 'a fragmented control frame'
          : undefined;
  const rsvBits = rsv.toString(2).padStart(3, '0');
  const opcodeText = `opcode=${opcode} (${opcodeName(opcode)})`;
  add('first byte', 1, `FIN=${fin} RSV=${rsvBits} ${opcodeText}`, firstProblem);

  const second = bytes[start + 1];
  if (second === undefined) return fields;
  const masked = second >= 0x80;
  const length7 = second & 0x7f;
  const controlProblem =
    isControl(opcode) && length7 > MAX_CONTROL_PAYLOAD
      ? 'a control frame of more than 125 bytes'
      : undefined;
  const lengthText = length7 < 126 ? `${length7}` : `${length7}, see the next field`;
  add('second byte', 1, `MASK=${masked ? 1 : 0} length=${lengthText}`, controlProblem);

  // A number cannot hold every length of eight bytes.
  let length = BigInt(length7);
  if (length7 > 125) {
    const size = length7 === 126 ? 2 : 8;
    const from = start + 2;
    const whole = bytes.length >= from + size;
    length = whole ? toNumber(bytes.subarray(from, from + size)) : 0n;
    const problem = !whole
      ? undefined
      : length < (size === 2 ? 126n : 65536n)
        ? 'not the shortest form'
        : length >= 2n ** 63n
          ? 'the most significant bit is set'
          : undefined;
    add('length', size, whole ? `length ${length}` : 'length', problem);
    if (!whole) return fields;
  }

  let key: Uint8Array | undefined;
  if (masked) {
    key = add('masking key', 4, 'masking key');
    if (key.length < 4) return fields;
  }
  if (length > 0n) {
    const from = fields.at(-1)?.end ?? start;
    const seen = bytes.subarray(from, from + Number(length));
    const plain = seen.map((byte, i) => byte ^ (key?.[i & 3] ?? 0));
    add('payload', length, `payload ${describePayload(opcode, plain)}`);
  }
  return fields;
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

function moreToCome(count: bigint): string {
  return `${count} more ${count === 1n ? 'byte' : 'bytes'} to come`;
}

/**
 * Says how much of a frame has not arrived, such as `7 more bytes to come`. `undefined`: it is
 * whole. The bytes start with the frame; what follows it does not matter.
 */
export function frameCut(frame: Uint8Array): string | undefined {
  const second = frame[1];
  if (second === undefined) return `at least ${moreToCome(1n)}`;
  const length7 = second & 0x7f;
  const payloadAt = 2 + (length7 === 127 ? 8 : length7 === 126 ? 2 : 0);
  const keySize = second >= 0x80 ? 4 : 0;
  const headerMissing = BigInt(payloadAt + keySize - frame.length);
  if (length7 > 125 && frame.length < payloadAt) return `at least ${moreToCome(headerMissing)}`;
  const length = length7 > 125 ? toNumber(frame.subarray(2, payloadAt)) : BigInt(length7);
  const missing = headerMissing + length;
  return missing > 0n ? moreToCome(missing) : undefined;
}

function describePayload(opcode: number, payload: Uint8Array): string {
  if (opcode === Opcode.Close && payload.length >= 2) {
    const code = new DataView(payload.buffer, payload.byteOffset).getUint16(0);
    const reason = payload.subarray(2);
    return `code ${code}${reason.length > 0 ? ` reason ${preview(reason)}` : ''}`;
  }
  return preview(payload);
}

/** Shows bytes as quoted text if they are UTF-8, and as hex if not; only their beginning. */
export function preview(bytes: Uint8Array, max = 24): string {
  const total = bytes.length > max ? ` (${bytes.length} bytes)` : '';
  for (const cut of bytes.length > max ? [0, 1, 2, 3] : [0]) {
    try {
      const shown = bytes.subarray(0, Math.min(max, bytes.length) - cut);
      const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
      return `${quote(utf8.decode(shown))}${total && '…'}${total}`;
    } catch {
      // Not UTF-8, or cut inside a character: try a little less.
    }
  }
  return `${toHex(bytes, max)}${total}`;
}

/** Names the lines of an HTTP request or response, and what follows its blank line. */
export function headFields(bytes: Uint8Array): Field[] {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const fields: Field[] = [];
  let at = 0;
  while (at < text.length) {
    const newline = text.indexOf('\n', at);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(at, end);
    const blank = line === '\r\n';
    const name = at === 0 ? 'start line' : blank ? 'blank line' : 'header';
    const problem = line.endsWith('\r\n') ? undefined : 'the line does not end with \\r\\n';
    fields.push({
      start: at,
      end,
      name,
      meaning: quote(line),
      ...(problem && { problem }),
    });
    at = end;
    if (blank) break;
  }
  if (at < text.length) {
    const rest = bytes.subarray(at);
    const size = `${rest.length} bytes after the head`;
    fields.push({
      start: at,
      end: text.length,
      name: 'rest',
      meaning: `${size}: ${preview(rest)}`,
    });
  }
  return fields;
}

/** Bytes to draw, and where the reads that brought them ended. */
export interface Stream {
  readonly bytes: Uint8Array;
  /** Places of cuts, in bytes from the start. Absent: all came in one read. */
  readonly cuts?: readonly number[];
}

/**
 * Draws frames for a person: one frame with a label hanging from each field, several with one
 * line each. A `│` stands where a read ended. No line is wider than `width` columns.
 */
export function drawStream(stream: Stream, width = 76): string[] {
  const frames = splitFrames(stream.bytes);
  const [only] = frames;
  if (frames.length === 1 && only) return drawFrame(stream, only, width);
  const lines = frames.slice(0, MAX_FRAMES).map((fields) => drawLine(stream, fields, width));
  if (frames.length > MAX_FRAMES) lines.push(`… ${frames.length} frames in all`);
  return lines;
}

/** The most frames that are drawn. */
export const MAX_FRAMES = 8;

/** Names the fields of WebSocket frames, frame by frame. */
export function splitFrames(bytes: Uint8Array): Field[][] {
  const frames: Field[][] = [];
  for (const field of frameFields(bytes)) {
    if (field.name === 'first byte') frames.push([]);
    frames.at(-1)?.push(field);
  }
  return frames;
}

/** Writes some bytes as hex with their cuts. Returns the column at which each byte stands. */
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

function drawFrame(stream: Stream, fields: readonly Field[], width: number): string[] {
  const cuts = stream.cuts?.filter((cut) => cut < stream.bytes.length) ?? [];
  const room = Math.floor((width - 2 - 2 * Math.min(cuts.length, 4)) / 3);
  const shown = Math.min(stream.bytes.length, room);
  const { text, columns } = hexWithCuts(stream, 0, shown);
  const lines = [text + (shown < stream.bytes.length ? '…' : '')];

  const visible = fields.filter(({ start }) => start < shown);
  let brackets = '';
  const stems: number[] = [];
  for (const { start, end } of visible) {
    const from = columns[start] ?? 0;
    const to = (columns[Math.min(end, shown) - 1] ?? from) + 1;
    const span = to - from + 1;
    const left = span === 2 ? 0 : Math.floor((span - 2) / 2);
    const bracket = span === 2 ? '┬─' : `╰${'─'.repeat(left)}┬${'─'.repeat(span - 3 - left)}╯`;
    brackets = brackets.padEnd(from) + bracket;
    stems.push(span === 2 ? from : from + left + 1);
  }
  lines.push(brackets);
  for (const [i, field] of [...visible.entries()].reverse()) {
    const stem = stems[i] ?? 0;
    const label = field.problem ? `${field.meaning} ← ${field.problem}` : field.meaning;
    let line = '';
    for (const other of stems.slice(0, i)) line = `${line.padEnd(other)}│`;
    // A label too long for its place moves to the left, as far as the other stems allow, and breaks.
    const at = Math.min(stem, Math.max(width - label.length, line.length + 1));
    for (const part of wrap(label, Math.max(width - at, 12))) lines.push(line.padEnd(at) + part);
  }
  return lines.map((line) => clip(line.trimEnd(), width));
}

function drawLine(stream: Stream, fields: readonly Field[], width: number): string {
  const start = fields[0]?.start ?? 0;
  const end = fields.at(-1)?.end ?? start;
  const most = Math.max(6, Math.floor((width - 36) / 3));
  const { text } = hexWithCuts(stream, start, Math.min(end, start + most));
  const hex = text + (end - start > most ? '…' : '');
  const [, fin = '', name = ''] = /FIN=(\d).*\((\w+)\)/.exec(fields[0]?.meaning ?? '') ?? [];
  const payload = fields.find((field) => field.name === 'payload')?.meaning.slice(8) ?? '';
  const problem = fields.find((field) => field.problem)?.problem;
  const masked = fields.some((field) => field.name === 'masking key') ? '' : ', not masked';
  const says = `${`${name} ${payload}`.trimEnd()}${fin === '0' ? ', no FIN' : ''}${masked}`;
  return clip(`${hex.padEnd(most * 3 + 2)}${says}${problem ? ` ← ${problem}` : ''}`, width);
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
  return headFields(bytes).flatMap(({ name, meaning, problem }) => {
    const text = name === 'rest' ? `(${meaning})` : meaning.slice(1, -1);
    return problem ? [clip(text, width), `^^ ${problem}`] : [clip(text, width)];
  });
}
