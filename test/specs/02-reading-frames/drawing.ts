/** Frames drawn at random: most of them legal, the last one perhaps not. */
import { join, utf8 } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { Opcode, type Role } from '../../../shared/protocol.ts';
import { lengthBytesFor, type SentFrame } from './model.ts';
import { CHARACTERS } from './utf8.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

/** Lengths around those at which something changes. */
const EDGES = [0, 1, 2, 7, 124, 125, 126, 127];

/** Lengths that fit into eight bytes only. Those beyond 2^53 are rounded in a number. */
const LONG = [65536n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 63n - 1n];

/** Makes a frame of a payload, as it should be written. */
export function sentFrame(
  opcode: number,
  payload: Uint8Array,
  key: Uint8Array | undefined,
  fin = true,
): SentFrame {
  const length = BigInt(payload.length);
  return { fin, rsv: 0, opcode, key, length, lengthBytes: lengthBytesFor(length), payload };
}

/** Draws the size of a payload: mostly small. */
function drawSize(choose: Choices): number {
  return choose.oneIn(8) ? choose.pick(EDGES) : choose.below(10);
}

/** Draws a masking key where there has to be one. */
export function drawKey(choose: Choices, isMasked: boolean): Uint8Array | undefined {
  if (!isMasked) return undefined;
  // A key may have any byte, and it often matters when that is 0.
  return Uint8Array.from({ length: 4 }, () => (choose.oneIn(4) ? 0 : choose.below(256)));
}

/** Draws a length of any size, and how it is written: one time in four, not as it should be. */
export function drawLength(choose: Choices): Pick<SentFrame, 'length' | 'lengthBytes'> {
  const draws = [
    () => BigInt(choose.pick(EDGES)),
    () => BigInt(choose.below(65536)),
    () => choose.pick([65535n, 65536n, ...LONG]),
  ];
  const length = choose.pick(draws)();
  if (!choose.oneIn(4)) return { length, lengthBytes: lengthBytesFor(length) };
  if (choose.oneIn(4)) return { length: length + 2n ** 63n, lengthBytes: 8 };
  const [size, longest] = choose.pick([[2, 125] as const, [8, 65535] as const]);
  const short = choose.oneIn(2) ? choose.below(longest) : longest;
  return { length: BigInt(short), lengthBytes: size };
}

/** Draws the header of any frame that one can write down. */
export function drawHeader(choose: Choices): SentFrame {
  const key = drawKey(choose, choose.oneIn(2));
  const fin = !choose.oneIn(2);
  const [rsv, opcode] = [choose.below(8), choose.below(16)];
  return { fin, rsv, opcode, key, ...drawLength(choose), payload: new Uint8Array(0) };
}

/** Draws frames for a reader that accepts any header; at the end perhaps a header alone. */
export function drawAnyFrames(choose: Choices): SentFrame[] {
  const frames = choose.list(5, () => {
    const { rsv, opcode, key, fin } = drawHeader(choose);
    const payload = choose.bytes(drawSize(choose));
    return { ...sentFrame(opcode, payload, key, fin), rsv };
  });
  return choose.oneIn(3) ? [...frames, drawHeader(choose)] : frames;
}

/** A message to be sent. */
export interface Draft {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** Cuts a message into fragments, some of them empty, and puts control frames in between. */
export function drawFragments(
  choose: Choices,
  { opcode, payload }: Draft,
  role: Role,
): SentFrame[] {
  const cuts = choose.oneIn(2) ? choose.cuts(payload.length, 8).slice(0, 4) : [];
  if (choose.oneIn(8)) cuts.push(payload.length);
  const ends = [...cuts, payload.length];
  return ends.flatMap((end, i) => {
    const piece = payload.slice(ends[i - 1] ?? 0, end);
    const key = drawKey(choose, role === 'server');
    const isLast = i === ends.length - 1;
    const fragment = sentFrame(i === 0 ? opcode : Continuation, piece, key, isLast);
    return [fragment, ...choose.list(1, () => drawControl(choose, role))];
  });
}

function drawControl(choose: Choices, role: Role): SentFrame {
  const opcode = choose.pick([Ping, Pong, Ping, Pong, Close]);
  const payload = choose.bytes(choose.oneIn(15) ? 125 : choose.below(6));
  // What the payload of a Close may be is for another lesson.
  const body = choose.oneIn(2) ? Uint8Array.of(0x03, 0xe8) : new Uint8Array(0);
  return sentFrame(opcode, opcode === Close ? body : payload, drawKey(choose, role === 'server'));
}

/** Draws a message of letters, or of any bytes. */
export function drawPlain(choose: Choices): Draft {
  const length = drawSize(choose);
  if (choose.oneIn(2)) return { opcode: Binary, payload: choose.bytes(length) };
  return { opcode: Text, payload: utf8('abc'.repeat(length).slice(0, length)) };
}

/** Ends frames somewhere, and adds one that may have something wrong with its header. */
export function drawMistake(
  choose: Choices,
  frames: readonly SentFrame[],
  role: Role,
): SentFrame[] {
  const before = frames.slice(0, choose.below(frames.length + 1));
  const isOpen = before.findLast(({ opcode }) => opcode < 8)?.fin === false;
  const data = isOpen ? [Continuation] : [Text, Binary];
  const opcode = choose.oneIn(3) ? choose.pick([Ping, Close, Pong]) : choose.pick(data);
  if (!choose.oneIn(4)) return [...before, drawSpoiled(choose, opcode, role)];
  const wrong = isOpen ? choose.pick([Text, Binary]) : Continuation;
  return [...before, sentFrame(wrong, utf8('x'), drawKey(choose, role === 'server'))];
}

/** Draws a frame of which one field of the header has been changed. */
export function drawSpoiled(choose: Choices, opcode: number, role: Role): SentFrame {
  const payload = utf8('abc'.slice(0, choose.below(4)));
  const isLast = opcode >= 8 || !choose.oneIn(2);
  const good = sentFrame(opcode, payload, drawKey(choose, role === 'server'), isLast);
  const { key, fin, length } = good;
  const none = { payload: new Uint8Array(0) };
  const changes: readonly (() => Partial<SentFrame>)[] = [
    () => ({ rsv: 1 + choose.below(7) }),
    () => ({ key: key ? undefined : choose.bytes(4) }),
    () => ({ opcode: choose.pick([3, 7, 11, 15, 4, 5, 6, 12, 13, 14]) }),
    () => ({ fin: !fin }),
    () => ({ lengthBytes: choose.pick([2, 8]) }),
    () => ({ lengthBytes: 8, length: length + 2n ** 63n, ...none }),
    () => ({ lengthBytes: 2, length: 126n + BigInt(choose.below(3)), ...none }),
  ];
  return { ...good, ...choose.pick(changes)() };
}

/** Draws bytes of which most are UTF-8: characters from every edge, and perhaps one that is none. */
export function drawText(choose: Choices): Draft {
  const pieces = choose.list(6, () => drawCharacter(choose));
  if (choose.oneIn(4)) pieces.splice(choose.below(pieces.length + 1), 0, drawBroken(choose));
  if (choose.oneIn(6)) pieces.push(drawCharacter(choose).slice(0, -1));
  return { opcode: Text, payload: join(...pieces) };
}

function drawCharacter(choose: Choices): Uint8Array {
  if (choose.oneIn(8)) return utf8(choose.pick(['\ufeff', '\ufffd', '\u0000']));
  const ranges = choose.pick(CHARACTERS);
  return Uint8Array.from(ranges, ([from, to]) => {
    return choose.pick([from, to, from + choose.below(to - from + 1)]);
  });
}

/** Draws a character of which one byte is missing, or out of its range. */
function drawBroken(choose: Choices): Uint8Array {
  const character = drawCharacter(choose);
  const at = choose.below(character.length);
  if (choose.oneIn(2)) return character.filter((_, i) => i !== at);
  const outside = [
    0x80,
    0xbf,
    0xc0,
    0xc1,
    0xf5,
    0xff,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0x41,
    choose.below(256),
  ];
  return character.with(at, choose.pick(outside));
}

/** Draws a message whose size is around a limit, of characters that have two bytes or three. */
export function drawSized(choose: Choices, limit: number): Draft {
  const length = choose.pick([limit, limit + 1, Math.max(0, limit - 1), choose.below(limit + 2)]);
  const letters = choose.pick(['a', 'é', '€']).repeat(length);
  const whole = utf8(letters).slice(0, length - (length % utf8(letters.slice(0, 1) || 'a').length));
  const payload = join(whole, utf8('a'.repeat(length - whole.length)));
  return { opcode: choose.pick([Text, Binary]), payload };
}

/** Draws a data frame of which only the header comes, and announces more than anybody has. */
export function drawHuge(choose: Choices, opcode: number, role: Role): SentFrame {
  const key = drawKey(choose, role === 'server');
  const fin = !choose.oneIn(2);
  const length = choose.pick(LONG);
  return { fin, rsv: 0, opcode, key, length, lengthBytes: 8, payload: new Uint8Array(0) };
}
