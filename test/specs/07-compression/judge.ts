/** Says whether bytes are a message as a peer may send it, and which message. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { count } from '../../../shared/view/count.ts';
import { type Walk, walkDeflate } from '../../../shared/view/deflate.ts';
import { quote } from '../../../shared/view/hex.ts';
import { packed as packedByZlib, TAIL, unpackedOrError } from './zlib.ts';

/** A message, and what the peer knows when it arrives. */
export interface Sent {
  readonly plain: Uint8Array;
  /** The plain bytes before it. Absent: none. */
  readonly window?: Uint8Array;
  /** How far it may refer back: 2 to the power of this. Absent: 15. */
  readonly bits?: number;
}

/** Writes bytes as an argument of a call: short ones as text or hex, of long ones how many. */
export function argument(bytes: Uint8Array): string {
  if (bytes.length > 20) return count(bytes.length, 'byte');
  const text = Buffer.from(bytes).toString('latin1');
  return /^[ -~]+$/.test(text) ? `bytes of ${quote(text)}` : show(bytes);
}

/** Says whether something in a message refers back to before its beginning. */
export function refersBefore(packed: Uint8Array): boolean {
  return walkDeflate(packed).blocks.some(({ symbols }) =>
    symbols.some((symbol) => 'distance' in symbol && symbol.distance > symbol.at),
  );
}

/** Says whether this comes out of a message for a peer with this window. */
export function isUnpackedBy(window: Uint8Array, packed: Uint8Array, plain: Uint8Array): boolean {
  const out = unpackedOrError(packed, window);
  return !(out instanceof Error) && Buffer.compare(out, plain) === 0;
}

/** Writes the arguments that a compressor is made with, up to the last that there is. */
export function sayArguments(bits?: number, takeover?: boolean): string {
  if (takeover !== undefined) return `${bits}, ${takeover}`;
  return bits === undefined ? '' : `${bits}`;
}

/**
 * Checks that a call packs a message into what every peer can read, and refers back no further than
 * it may. Returns the bytes. When it does not, `given` is asked for facts; and `causeOf`, when it is
 * DEFLATE, of another message.
 */
export function packs(
  call: () => Uint8Array | undefined,
  sent: Sent,
  what: string,
  given: () => readonly Fact[],
  causeOf: (packed: Uint8Array) => string | undefined = () => undefined,
): Uint8Array {
  return withGiven(given, () => {
    const packed = attempt(call, what);
    const { plain, window = new Uint8Array(0), bits = 15 } = sent;
    if (!(packed instanceof Uint8Array)) {
      equal(() => packed, packedByZlib(plain, window), what);
      return TAIL;
    }
    const returned = () => [['you returned', show(packed)] as const];
    withGiven(returned, () => {
      const walk = walkDeflate(packed);
      endsAsItShould(packed, walk, plain, what);
      const out = unpackedOrError(packed, window);
      if (out instanceof Error) fail(what, [['zlib says of it', out.message]], causeOf(packed));
      equal(() => out, plain, what, { label: 'it unpacks to', cause: () => causeOf(packed) });
      if (walk.largestDistance > 2 ** bits) tooFar(walk, bits, what);
    });
    return packed;
  });
}

function tooFar({ largestDistance }: Walk, bits: number, what: string): never {
  fail(
    what,
    [
      ['refers back', `up to ${count(largestDistance, 'byte')}`],
      ['the window', `2^${bits} = ${count(2 ** bits, 'byte')}`],
    ],
    'The peer has agreed to remember so much, and what is before is lost. `windowBits` tells zlib how far it can look back, in one message and over several.',
  );
}

/** Checks that a message ends where 00 00 ff ff was cut off, and that it does not end the stream. */
function endsAsItShould(packed: Uint8Array, walk: Walk, plain: Uint8Array, what: string): void {
  const isGoingOn = walk.blocks.every(({ final }) => !final);
  if (walk.end === 'flushed' && isGoingOn) return;
  const expected: Fact = [
    'expected',
    'blocks without BFINAL, and at the end the header of an empty stored one, up to where 00 00 ff ff was',
  ];
  const ends = walk.problem ?? (isGoingOn ? ENDS[walk.end] : undefined) ?? 'a block with BFINAL';
  fail(what, [['its end', ends], expected], causeOfEnd(packed, walk, plain));
}

/** How bytes end that are no message. */
const ENDS: Readonly<Partial<Record<Walk['end'], string>>> = {
  cut: 'within a block',
  whole: 'a block that is whole',
};

function causeOfEnd(packed: Uint8Array, walk: Walk, plain: Uint8Array): string | undefined {
  const isSame = (one: Uint8Array, other: Uint8Array) => Buffer.compare(one, other) === 0;
  if (plain.length > 0 && isSame(packed, plain)) return 'These are the plain bytes.';
  if ([0x78, 0x1f].includes(packed[0]!) && walk.end === 'wrong') {
    return 'There is a header before DEFLATE, of zlib or of gzip. `deflateRawSync` writes none.';
  }
  if (walk.blocks.some(({ final }) => final)) {
    return 'Without options, zlib ends the stream, which the BFINAL of its last block says. With `finishFlush: constants.Z_SYNC_FLUSH` it stays open.';
  }
  if (walk.end === 'whole' && packed.length >= 4 && isSame(packed.subarray(-4), TAIL)) {
    return 'The four bytes 00 00 ff ff are still there. The receiver puts them back, and then has them twice.';
  }
  return undefined;
}

/** Checks that bytes keep no more memory alive than they have. */
export function isOwnCopy(bytes: Uint8Array, what: string, given: readonly Fact[]): void {
  const { byteLength } = bytes.buffer;
  if (byteLength <= bytes.length + 64) return;
  fail(
    what,
    [...given, ['it has', count(bytes.length, 'byte')], ['its buffer', count(byteLength, 'byte')]],
    'It is a view into a larger buffer, which stays in memory as long as it does. `new Uint8Array(view)` makes a copy; `subarray`, `Buffer.from` and `Buffer.concat` can all return views.',
  );
}

/** Tells the last of a row of calls, each with its number. */
export function lastOf(calls: readonly string[]): readonly Fact[] {
  const left = Math.max(0, calls.length - MAX_CALLS);
  const told = calls.map((call, i): Fact => [calls.length > 1 ? `call ${i + 1}` : 'call', call]);
  return told.slice(left);
}

/** How many calls are told. */
const MAX_CALLS = 6;
