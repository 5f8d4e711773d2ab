/** Tells a tour to the person at the terminal: what is done, what travels, and what comes of it. */
import { Opcode } from '../protocol.ts';
import type { CutFrame } from '../serve/cutter.ts';
import { count } from '../view/count.ts';
import { type DecodedFrame, decodeFrame } from '../view/frame.ts';
import { toHex } from '../view/hex.ts';
import { printable } from '../view/printable.ts';
import { opcodeName } from '../view/say.ts';
import { style } from '../view/style.ts';
import { clip, fitting, pad } from '../view/width.ts';
import { drawStream, renderHead } from '../view/wire.ts';
import type { Crossing, Direction } from './tap.ts';

/** How many heads and frames of a scene are shown, and of events of the same kind in a row. */
const MAX_SHOWN = 10;
const MAX_ALIKE = 2;

/** How many lines there are for what a frame says. */
const MAX_LINES = 2;

/** How many bytes of a frame are written where it has a line or two. */
const BYTES_IN_LINE = 12;

/** Writes a tour, no line wider than `width` columns. */
export class Narrator {
  readonly #width: number;
  readonly #print: (line: string) => void;
  #crossings: Crossing[] = [];
  #scenes = 0;
  /** Which directions have been shown field by field: each once, by its first short frame. */
  readonly #drawn = new Set<Direction>();

  constructor(width: number, print: (line: string) => void = console.log) {
    this.#width = width;
    this.#print = print;
  }

  /** Remembers something that crosses the wire, for the scene that is on. */
  hear(crossing: Crossing): void {
    this.#crossings.push(crossing);
  }

  /** Tells what a scene is about. What has crossed before it is told first. */
  begin(title: string): void {
    this.#scenes++;
    this.#say('', style.bold(`${this.#scenes}  ${title}`), '');
  }

  /** Tells what has crossed the wire, and what came of it. */
  end(outcome: string): void {
    for (const line of this.#lines()) this.#say(line && `   ${line}`);
    this.#crossings = [];
    this.#say(`   ${style.green('✓')} ${outcome}`);
  }

  #say(...lines: readonly string[]): void {
    for (const line of lines) this.#print(line);
  }

  #lines(): string[] {
    const width = this.#width - 5;
    return grouped(this.#crossings).flatMap(({ shown, hidden }) => {
      const lines = shown.flatMap((crossing) => {
        const [first = '', ...more] = this.#render(crossing, width);
        const { direction } = crossing;
        return [`${style.dim(direction)} ${first}`, ...more.map((line) => line && `  ${line}`), ''];
      });
      return hidden.length > 0 ? [...lines, style.dim(sayHidden(hidden)), ''] : lines;
    });
  }

  #render(crossing: Crossing, width: number): string[] {
    if (crossing.kind === 'head') return renderHead(crossing.bytes, width);
    const { direction, frame } = crossing;
    const isWhole = frame.bytes.length === frame.size;
    if (!isWhole || this.#drawn.has(direction)) return renderLine(frame, width);
    this.#drawn.add(direction);
    return drawStream({ bytes: frame.bytes }, width);
  }
}

/** Writes a frame in two lines: its first bytes with what it is, and what it says. */
function renderLine({ bytes, size, reads }: CutFrame, width: number): string[] {
  const frame = decodeFrame(bytes);
  const hex = toHex(bytes.subarray(0, BYTES_IN_LINE)) + (size > BYTES_IN_LINE ? ' …' : '');
  const words = [
    opcodeName(frame.opcode),
    ...(frame.masked ? ['masked'] : []),
    count(size, 'byte'),
    ...(reads > 1 ? [`in ${reads} reads`] : []),
  ];
  const text = textOf(frame) + (bytes.length < size ? ' …' : '');
  return [
    clip(`${pad(hex, BYTES_IN_LINE * 3 + 4)}${words.join(', ')}`, width),
    ...folded(text, width).map((line) => style.cyan(line)),
  ];
}

/** Breaks a text wherever a line is full, and shortens what is too long. */
function folded(text: string, width: number): string[] {
  const lines: string[] = [];
  for (let rest = text; rest !== ''; rest = rest.slice(lines.at(-1)!.length)) {
    if (lines.length === MAX_LINES - 1) return [...lines, clip(rest, width)];
    lines.push(rest.slice(0, fitting(rest, width)));
  }
  return lines;
}

/** What a text says, as far as it has been kept. Empty: it is no text. */
function textOf({ opcode, payload }: DecodedFrame): string {
  if (opcode !== Opcode.Text) return '';
  // The last character may be cut: it is left out.
  return printable(new TextDecoder().decode(payload, { stream: true }));
}

/** Crossings in a row, of which those at the end are only counted. */
interface Group {
  readonly shown: Crossing[];
  readonly hidden: Crossing[];
}

/** Puts together what is alike in a row, and what comes when enough has been shown. */
function grouped(crossings: readonly Crossing[]): Group[] {
  const groups: Group[] = [];
  let shown = 0;
  let alike = 0;
  for (const [i, crossing] of crossings.entries()) {
    const before = crossings[i - 1];
    alike = before && kindOf(before) === kindOf(crossing) ? alike + 1 : 1;
    const last = groups.at(-1);
    if (last && (alike > MAX_ALIKE || shown >= MAX_SHOWN)) {
      last.hidden.push(crossing);
    } else {
      shown++;
      if (last && last.hidden.length === 0) last.shown.push(crossing);
      else groups.push({ shown: [crossing], hidden: [] });
    }
  }
  return groups;
}

/** What is alike has the same: events of one kind. Anything else is like nothing. */
function kindOf(crossing: Crossing): unknown {
  if (crossing.kind === 'head') return crossing;
  const [method] = /^\{"method":"[^"]*"/.exec(textOf(decodeFrame(crossing.frame.bytes))) ?? [];
  return method ?? crossing;
}

function sayHidden(crossings: readonly Crossing[]): string {
  const sizes = crossings.map((it) => (it.kind === 'frame' ? it.frame.size : it.bytes.length));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return `  … and ${count(sizes.length, 'more frame')}, ${count(bytes, 'byte')}`;
}
