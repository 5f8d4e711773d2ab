/** The words that cases are written in: what we send, what a peer replies, and their names in a report. */
import { isUtf8 } from 'node:buffer';
import { utf8, type WireFrame } from '../kit/frames.ts';
import { Opcode } from '../protocol.ts';
import { preview } from '../view/say.ts';
import type { PeerEvent } from './parser.ts';

/** Bytes, or text to encode as UTF-8. */
type Payload = Uint8Array | string;
/** What a frame may have besides: another FIN, RSV bits, another key or none. */
type More = Omit<WireFrame, 'opcode' | 'payload'>;

const bytesOf = (payload: Payload) => (typeof payload === 'string' ? utf8(payload) : payload);

const framer =
  (opcode: number) =>
  (payload: Payload = '', more: More = {}): WireFrame => ({ opcode, payload, ...more });
/** A whole text message. */
export const text = framer(Opcode.Text);
/** A whole binary message. */
export const binary = framer(Opcode.Binary);
/** A Ping. */
export const ping = framer(Opcode.Ping);
/** A Pong. */
export const pong = framer(Opcode.Pong);
/** A Close with a body of any bytes. */
export const closeBody = framer(Opcode.Close);
/** The last fragment of a message. */
export const end = framer(Opcode.Continuation);
/** The first fragment of a text. */
export const begin = (payload: Payload = ''): WireFrame => text(payload, { fin: false });
/** A fragment that is neither the first nor the last. */
export const middle = (payload: Payload = ''): WireFrame => end(payload, { fin: false });

/** A Close with a code and a reason; without a code it is empty. */
export function close(code?: number, reason: Payload = ''): WireFrame {
  if (code === undefined) return closeBody();
  return closeBody(Uint8Array.of(code >> 8, code & 255, ...bytesOf(reason)));
}

/** Cuts a message into fragments of `size` bytes. */
export function fragments({ opcode, payload = '' }: WireFrame, size: number): WireFrame[] {
  const bytes = bytesOf(payload);
  const count = Math.max(1, Math.ceil(bytes.length / size));
  return Array.from({ length: count }, (_, i) => ({
    opcode: i === 0 ? opcode : Opcode.Continuation,
    fin: i === count - 1,
    payload: bytes.subarray(i * size, (i + 1) * size),
  }));
}

/** A binary message in which bytes at a wrong place, or with a wrong mask, show. */
export function counting(size: number): WireFrame {
  return binary(new Uint8Array(size).map((_, i) => i * 37 + 1));
}

/** What a peer sends back for what it understood. */
export interface Reply {
  readonly type: 'text' | 'binary' | 'pong';
  readonly payload: Uint8Array;
}

const replier =
  (type: Reply['type']) =>
  (payload: Payload = ''): Reply => ({ type, payload: bytesOf(payload) });
/** The peer sends a text. */
export const textReply = replier('text');
/** The peer sends a binary message. */
export const binaryReply = replier('binary');
/** The peer sends a Pong. */
export const pongReply = replier('pong');

/** The echo of a whole message. */
export function echoOf({ opcode, payload = '' }: WireFrame): Reply {
  return opcode === Opcode.Text ? textReply(payload) : binaryReply(payload);
}

/** Says whether an event is this reply, to the byte. */
export function sameReply(event: PeerEvent, wanted: Reply): boolean {
  return (
    event.type === wanted.type &&
    'payload' in event &&
    Buffer.compare(event.payload, wanted.payload) === 0
  );
}

/**
 * Compares what came with what was wanted. Messages come in order. Pongs do, too, but one may be
 * left out when one for a later Ping comes, §5.5.3, and one may overtake messages: a peer
 * answers Pings at once, while it works on a message. Empty ones may come besides.
 */
export function sameReplies(came: readonly Reply[], wanted: readonly Reply[]): boolean {
  const messagesMatch = sameInOrder(came.filter(isMessage), wanted.filter(isMessage));
  return messagesMatch && pongsMatch(came, wanted);
}

const isMessage = ({ type }: Reply) => type !== 'pong';

function sameInOrder(came: readonly Reply[], wanted: readonly Reply[]): boolean {
  return came.length === wanted.length && came.every((reply, i) => sameReply(reply, wanted[i]!));
}

function pongsMatch(came: readonly Reply[], wanted: readonly Reply[]): boolean {
  let pending = pongsOf(wanted);
  for (const { pong, messagesBefore } of pongsOf(came)) {
    const index = pending.findIndex((other) => sameReply(pong, other.pong));
    const expected = pending[index];
    // An empty one may be no answer at all: a peer may send Pongs of its own.
    if (!expected && pong.payload.length === 0) continue;
    if (!expected || messagesBefore > expected.messagesBefore) return false;
    pending = pending.slice(index + 1);
  }
  return pending.length === 0;
}

/** The Pongs among replies, and how many messages come before each. */
function pongsOf(all: readonly Reply[]): { pong: Reply; messagesBefore: number }[] {
  let messagesBefore = 0;
  return all.flatMap((reply) => {
    if (!isMessage(reply)) return [{ pong: reply, messagesBefore }];
    messagesBefore++;
    return [];
  });
}

/** How many replies are named one by one. */
const MAX_SAID = 2;

/** Names replies, such as `text "Hello", Pong "x"`. */
export function nameReplies(replies: readonly Reply[]): string {
  const said = replies.slice(0, MAX_SAID).map(({ type, payload }) => {
    const name = type === 'pong' ? 'Pong' : type;
    if (payload.length === 0) return `an empty ${name}`;
    return `${name} ${preview(payload, isUtf8(payload) ? 24 : 8)}`;
  });
  const more = replies.length - said.length;
  return `${said.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Names a Close by its code and its reason. */
export function nameClose({ code, payload }: Extract<PeerEvent, { type: 'close' }>): string {
  if (code === undefined) return 'an empty Close';
  return `Close ${code}${payload.length > 2 ? ` ${preview(payload.subarray(2))}` : ''}`;
}

/** Names whatever came. */
export function nameEvent(event: PeerEvent): string {
  switch (event.type) {
    case 'close':
      return nameClose(event);
    case 'fin':
      return 'the end of TCP';
    case 'reset':
      return 'a reset';
    case 'silence':
      return 'nothing';
    default:
      return nameReplies([event]);
  }
}
