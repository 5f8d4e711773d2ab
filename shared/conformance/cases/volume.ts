/** Category 9: large messages, and many. The echo has to be exact. */
import type { WireFrame } from '../../kit/frames.ts';
import type { Caption, Case, Category } from '../case.ts';
import type { Sendable, Writes } from '../endpoint.ts';
import { checkReply, expectReply } from '../expect.ts';
import { worst } from '../model.ts';
import { endingOf, judgeEnding } from '../play.ts';
import { finish } from '../script.ts';
import { binary, echoOf, end, fragments, nameEvent, text } from '../vocabulary.ts';
import { LIMIT_CODES } from './limits.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const SIZES = [64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
const FRAGMENT_SIZES = [64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB];
const CHOPS = [64, 128, 256, 512, 1024, 2048];
const MESSAGE_SIZES = [0, 16, 64, 256, 1024, 4096];
const MESSAGES = 1000;

/** Bytes in which a piece that is lost or moved shows: no two neighbourhoods are alike. */
function noise(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = 0x2545f491;
  for (let i = 0; i < size; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

const KINDS = {
  text: (size: number): WireFrame => text(noise(size).map((byte) => 0x20 + (byte % 95))),
  binary: (size: number): WireFrame => binary(noise(size)),
} as const;
type MessageKind = keyof typeof KINDS;

const named = (size: number) =>
  size >= MIB ? `${size / MIB} MiB` : size >= KIB ? `${size / KIB} KiB` : `${size} bytes`;

/**
 * A case in which one large message is echoed. A limit below it is legal, §10.4, as long as the
 * peer says so: NON-STRICT.
 */
function large(caption: Caption, size: number, kind: MessageKind, pieces: Pieces = {}): Case {
  const [id, title, section] = caption;
  const run: Case['run'] = async (stage) => {
    const message = KINDS[kind](size);
    const endpoint = await stage.open();
    await endpoint.send(pieces.cut?.(message) ?? [message], pieces.writes);
    const event = await endpoint.next();
    if (event.type !== 'close' || !LIMIT_CODES.includes(event.code)) {
      checkReply(endpoint, event, echoOf(message));
      return finish(endpoint);
    }
    await endpoint.untilEnd();
    const ending = endingOf(endpoint);
    return {
      verdict: worst('NON-STRICT', judgeEnding(ending, true)),
      ending,
      happened: `${endpoint.peer} refused it as too much, and said so: ${nameEvent(event)}.`,
    };
  };
  return { id, title, section, expected: 'The same message, then Close 1000.', run };
}

/** How a large message is taken apart. */
interface Pieces {
  readonly cut?: (message: WireFrame) => Sendable[];
  readonly writes?: Writes;
}

/** Several fragments, and one more that has only FIN, as from a sender that learns late of the end. */
function withEmptyEnd(pieces: readonly WireFrame[]): WireFrame[] {
  if (pieces.length === 1) return [...pieces];
  return [...pieces.map((piece) => ({ ...piece, fin: false })), end()];
}

/** A case in which many messages are echoed, each before the next is sent. */
function many(caption: Caption, size: number, kind: MessageKind): Case {
  const [id, title, section] = caption;
  const run: Case['run'] = async (stage) => {
    const message = KINDS[kind](size);
    const wanted = echoOf(message);
    const endpoint = await stage.open();
    for (let i = 1; i <= MESSAGES; i++) {
      await endpoint.send([message]);
      await expectReply(endpoint, wanted, `Message ${i}: `);
    }
    return finish(endpoint);
  };
  const expected = `${MESSAGES} times the same message, then Close 1000.`;
  return { id, title, section, expected, run };
}

/** Cases of one family, for text and for binary: the family of text is odd, that of binary next. */
function both(
  family: number,
  values: readonly number[],
  make: (id: string, value: number, kind: MessageKind) => Case,
): Case[] {
  return (['text', 'binary'] as const).flatMap((kind, i) =>
    values.map((value, at) => make(`9.${family + i}.${at + 1}`, value, kind)),
  );
}

export const VOLUME: Category = {
  id: '9',
  title: 'Large messages, and many',
  serial: true,
  patience: 4,
  cases: [
    ...both(1, SIZES, (id, size, kind) =>
      large([id, `A ${kind} message of ${named(size)}`, '5.2'], size, kind),
    ),
    ...both(3, FRAGMENT_SIZES, (id, size, kind) =>
      large([id, `4 MiB of ${kind} in fragments of ${named(size)}`, '5.4'], 4 * MIB, kind, {
        cut: (message) => withEmptyEnd(fragments(message, size)),
      }),
    ),
    ...both(5, CHOPS, (id, size, kind) =>
      large([id, `1 MiB of ${kind} in writes of ${named(size)}`, '5.2'], MIB, kind, {
        writes: size,
      }),
    ),
    ...both(7, MESSAGE_SIZES, (id, size, kind) =>
      many([id, `${MESSAGES} ${kind} messages of ${named(size)}`, '5.6'], size, kind),
    ),
  ],
};
