/** Keeps what was said on the wire, for a report. */
import { Opcode } from '../protocol.ts';
import { decodeFrame } from '../view/frame.ts';
import { toHex } from '../view/hex.ts';
import { opcodeName, sayBeginning, sayPayload, sayRsv } from '../view/say.ts';
import { renderHead } from '../view/wire.ts';
import { RSV1 } from './parser.ts';

/** One thing that happened on the wire. */
export interface TimelineEntry {
  /** Milliseconds since the case began. */
  readonly ms: number;
  /** `→` we sent, `←` we received, `·` happened to the connection, `…` left out. */
  readonly mark: '→' | '←' | '·' | '…';
  /** Which connection, from 1. `undefined`: the case has only one. */
  readonly connection?: number;
  /** One line; a request or response has several. */
  readonly text: readonly string[];
}

/** What bytes are: a whole frame, perhaps of a compressed message, a request or response, or neither. */
export type BytesKind = 'frame' | 'deflated' | 'head' | 'bytes';

/** What was said, as it was, until somebody wants to read it. */
type Kept =
  | { readonly kind: BytesKind; readonly start: Uint8Array; readonly size: number }
  | { readonly kind: 'line'; readonly text: string };

interface Note {
  readonly ms: number;
  readonly mark: TimelineEntry['mark'];
  readonly connection: number;
  readonly kept: Kept;
}

/** How many entries are kept at each end of a conversation. */
const KEPT = 10;
/** How many bytes of a frame are kept, and of a request or response. */
const KEPT_BYTES = { frame: 48, deflated: 48, bytes: 16, head: 2048 };
const WIDTH = 60;

/** A conversation in the order of time. Long ones are kept without their middle. */
export class Timeline {
  readonly #began = performance.now();
  readonly #first: Note[] = [];
  readonly #last: Note[] = [];
  #leftOut = 0;
  #connections = 0;

  /** Counts connections: the number of a new one. */
  connection(): number {
    return ++this.#connections;
  }

  /** Keeps bytes that were sent or received. */
  bytes(mark: '→' | '←', connection: number, kind: BytesKind, bytes: Uint8Array): void {
    // A copy, so that a large message is not kept for its beginning.
    const start = Uint8Array.from(bytes.subarray(0, KEPT_BYTES[kind]));
    this.#add({ mark, connection, kept: { kind, start, size: bytes.length } });
  }

  /** Keeps a line of text: what happened to the connection, such as `reset`. */
  line(mark: TimelineEntry['mark'], connection: number, text: string): void {
    this.#add({ mark, connection, kept: { kind: 'line', text } });
  }

  #add(note: Omit<Note, 'ms'>): void {
    const whole = { ...note, ms: performance.now() - this.#began };
    if (this.#first.length < KEPT) this.#first.push(whole);
    else this.#last.push(whole);
    if (this.#last.length > KEPT) {
      this.#last.shift();
      this.#leftOut++;
    }
  }

  /** Writes the conversation for people. */
  entries(): TimelineEntry[] {
    const entry = ({ ms, mark, connection, kept }: Note): TimelineEntry => ({
      ms,
      mark,
      ...(this.#connections > 1 && { connection }),
      // Written when it is read: of a case that is OK, nobody does.
      get text() {
        return describe(kept);
      },
    });
    const gap = this.#last[0];
    return [
      ...this.#first.map(entry),
      ...(gap && this.#leftOut > 0
        ? [{ ms: gap.ms, mark: '…' as const, text: [`… ${this.#leftOut} more`] }]
        : []),
      ...this.#last.map(entry),
    ];
  }
}

function describe(kept: Kept): string[] {
  switch (kept.kind) {
    case 'line':
      return [kept.text];
    case 'frame':
      return [describeFrame(kept.start, kept.size)];
    case 'deflated':
      return [describeDeflated(kept.start, kept.size)];
    case 'bytes':
      return [
        `${toHex(kept.start)}${kept.size > kept.start.length ? ` … (${kept.size} bytes)` : ''}`,
      ];
    case 'head': {
      const cut = kept.size - kept.start.length;
      return [...renderHead(kept.start, WIDTH), ...(cut > 0 ? [`… (${cut} more bytes)`] : [])];
    }
  }
}

/** Writes a frame where RSV1 is no mistake, if it is the first of a message. RFC 7692 §6.1 */
function describeDeflated(start: Uint8Array, size: number): string {
  const { rsv, opcode } = decodeFrame(start);
  const isFirst = opcode === Opcode.Text || opcode === Opcode.Binary;
  if (rsv !== RSV1 || !isFirst) return describeFrame(start, size);
  const unmarked = start.map((byte, i) => (i === 0 ? byte & ~(RSV1 << 4) : byte));
  return `${describeFrame(unmarked, size, start)} compressed`;
}

/** Writes a frame in one line: its first bytes, what they say, and the rule they break. */
function describeFrame(start: Uint8Array, size: number, shown = start): string {
  const frame = decodeFrame(start);
  const { fin, rsv, opcode, problem } = frame;
  // What was not kept has come none the less.
  const isShortened = size > start.length;
  const says = [
    toHex(shown, 6).padEnd(20),
    opcodeName(opcode),
    ...(fin ? [] : ['no FIN']),
    ...(rsv === 0 ? [] : [`RSV=${sayRsv(rsv)}`]),
    ...(problem ? [`← ${problem}`] : []),
    ...(isShortened ? [`(${size} bytes)`, sayBeginning(frame)] : [sayPayload(frame)]),
  ];
  return says.join(' ').trimEnd();
}
