/** Compressed messages that arrive in every possible way, at a reader of lesson 02. */
import { attempt, equal, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { join, type WireFrame, wire } from '../../../shared/kit/frames.ts';
import { type Delivery, deliver, deliveries } from '../../../shared/kit/replay.ts';
import { CloseCode, type Message, Opcode, ProtocolError } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import { arrived, type Reader, readAll } from '../02-reading-frames/readers.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** RSV1 among the reserved bits of a frame. */
export const RSV1 = 4;

/** Hello, compressed, and once more with a reference back to the first. RFC 7692 §7.2.3 */
export const HELLO = fromHex('f2 48 cd c9 c9 07 00');
export const HELLO_AGAIN = fromHex('f2 00 11 00 00');

/** Makes the first frame of a compressed message. */
export const first = (opcode: number, payload: Uint8Array, fin = true): WireFrame => {
  return { opcode, rsv: RSV1, payload, fin };
};

/** Makes a continuation. */
export const more = (payload: Uint8Array, fin = true): WireFrame => {
  return { opcode: Opcode.Continuation, payload, fin };
};

/** What a reader of messages is made with, where it is not the usual. */
export interface Terms {
  readonly role?: 'client' | 'server';
  readonly maxMessageBytes?: number;
  /** What has been received before. */
  readonly inflater?: InstanceType<Lesson['Inflater']>;
}

/** Puts an `InflatingReader` under a `MessageReader`, as step 7 does. */
export function messagesOf(lesson: Lesson, terms: Terms = {}): Reader<Message> {
  const { role = 'server', maxMessageBytes, inflater = new lesson.Inflater() } = terms;
  return new lesson.EARLIER.MessageReader(
    role,
    maxMessageBytes,
    (check) => new lesson.InflatingReader(role, check, inflater, maxMessageBytes),
  );
}

/** Tells what a reader was made with. */
export function told({ role, maxMessageBytes, inflater }: Terms): Fact[] {
  return [
    ...(role === 'client' ? [['we are', 'the client'] as const] : []),
    ...(maxMessageBytes === undefined ? [] : [['maxMessageBytes', `${maxMessageBytes}`] as const]),
    ...(inflater ? [['inflater', 'one that has received a message before'] as const] : []),
  ];
}

/** Writes frames as our peer does: masked when that is the client. */
export function written(frames: readonly WireFrame[], { role }: Terms = {}): Uint8Array {
  return join(...frames.map((sent) => wire(role === 'client' ? { ...sent, key: null } : sent)));
}

/** Frames that arrive, and the messages that come out. */
export interface Talk {
  readonly what: string;
  readonly rules: readonly number[];
  readonly frames: readonly WireFrame[];
  readonly messages: readonly Message[];
  /** Makes the terms: an inflater of the lesson is one of them. */
  readonly terms?: (lesson: Lesson) => Terms;
}

/** Reads messages that arrive in every possible way. */
export function reads({ what, rules, frames, messages, terms }: Talk): Scenarios[number] {
  return {
    what,
    rules,
    check(lesson) {
      const made = () => terms?.(lesson) ?? {};
      const given = made();
      const bytes = written(frames, given);
      const read: Read = (sent, reads = [written(sent, given)], keep = false) =>
        readAll(messagesOf(lesson, made()), reads, keep);
      for (const delivery of deliveries(bytes)) {
        const cause = (actual: unknown) => mistakeIn({ read, frames, delivery, actual, messages });
        equal(() => read(frames, delivery.reads), messages, what, {
          given: [...told(given), ...arrived(bytes, delivery)],
          cause,
          causeOfError: cause,
        });
      }
    },
  };
}

/** Reads frames with a new reader, in these reads. With `keep`, it is looked at at once. */
type Read = (
  frames: readonly WireFrame[],
  reads?: readonly Uint8Array[],
  keep?: boolean,
) => Message[];

/** A reading that has gone wrong. */
interface Misreading {
  readonly read: Read;
  readonly frames: readonly WireFrame[];
  readonly delivery: Delivery;
  readonly actual: unknown;
  readonly messages: readonly Message[];
}

/** Finds out what is behind a wrong reading, by reading again in easier ways. */
function mistakeIn({ read, frames, delivery, actual, messages }: Misreading): string | undefined {
  const data = frames.filter(({ opcode }) => opcode < 8);
  const whole = inOneFrame(frames);
  const binary = frames.map((sent) => {
    return sent.opcode === Opcode.Text ? { ...sent, opcode: Opcode.Binary } : sent;
  });
  const ofControl = (message: Message) => !('data' in message);
  const asBinary = messages.map((message): Message => {
    if (message.type !== 'text') return message;
    return { type: 'binary', data: Buffer.from(message.data) };
  });
  const isRead = (sent: readonly WireFrame[], right = messages) => isEqual(() => read(sent), right);
  const isInvalid =
    actual instanceof ProtocolError && actual.closeCode === CloseCode.InvalidPayload;
  const suspicions: readonly (readonly [isSo: () => boolean, cause: string])[] = [
    [
      () => isEqual(() => read(frames, delivery.reads, true), messages),
      'It was right at first, and changed when the memory of the pushed bytes was used again. Copy what you keep.',
    ],
    [
      () =>
        data.length < frames.length &&
        isRead(
          data,
          messages.filter((message) => !ofControl(message)),
        ),
      'Without the control frames it is read right. A control frame is never compressed, and the message around it stays as it is.',
    ],
    [
      () => whole.length < frames.length && isRead(whole, messages),
      'With each message in one frame, it is read right. RSV1 of the first frame counts for all of its fragments, and only together are they DEFLATE.',
    ],
    [
      () => isInvalid && isRead(binary, asBinary),
      'As a binary message, it is read right. It is the text that comes out that has to be UTF-8, and not the compressed bytes.',
    ],
    [
      () => delivery.reads.length > 1 && isRead(frames),
      'The same bytes in one read are read right. Keep what is not complete, and go on from there when more comes.',
    ],
  ];
  return suspicions.find(([isSo]) => isSo())?.[1];
}

/** Joins the fragments of each message. What came between them comes before it. */
function inOneFrame(frames: readonly WireFrame[]): WireFrame[] {
  const whole: WireFrame[] = [];
  let open: WireFrame[] = [];
  for (const sent of frames) {
    if (sent.opcode >= 8) whole.push(sent);
    else {
      open.push(sent);
      if (sent.fin === false) continue;
      const payload = join(...open.map(({ payload }) => Buffer.from(payload ?? '')));
      whole.push({ ...open[0]!, payload, fin: true });
      open = [];
    }
  }
  return whole;
}

function isEqual(read: () => unknown, expected: unknown): boolean {
  try {
    equal(read, expected, '');
    return true;
  } catch {
    return false;
  }
}

/** Frames of which the last is refused. */
export interface Offence {
  readonly what: string;
  readonly rules: readonly number[];
  readonly frames: readonly WireFrame[];
  readonly code: CloseCode;
  readonly terms?: Terms;
  /** Does the header of the last frame suffice? Then only that arrives, and announces 100 bytes. */
  readonly atHeader?: true;
  /** What is behind it when it is not refused. */
  readonly cause?: string;
}

/** Refuses the last of some frames. Those before it arrive alone. */
export function refuses(offence: Offence): Scenarios[number] {
  const { what, rules, frames, code, terms = {}, atHeader, cause } = offence;
  return {
    what,
    rules,
    check(lesson) {
      const before = written(frames.slice(0, -1), terms);
      const last = written(frames.slice(-1), terms);
      const bytes = join(before, atHeader ? announcing(last) : last);
      const delivery = deliver(bytes, before.length > 0 ? [before.length] : []);
      const reader = messagesOf(lesson, terms);
      const given = [...told(terms), ...arrived(bytes, delivery)];
      attempt(() => readAll(reader, [before]), 'Read what is allowed, before it.', given);
      reader.push(bytes.slice(before.length));
      failsWith(code, () => reader.read(), what, {
        given,
        label: '`read` returned',
        ...(cause && { cause: (actual: unknown) => (actual instanceof Error ? undefined : cause) }),
      });
    },
  };
}

/** The header of a frame, its masking key included, that announces 100 bytes, and none of those. */
function announcing(frame: Uint8Array): Uint8Array {
  const header = frame.slice(0, frame[1]! >= 0x80 ? 6 : 2);
  header[1] = (header[1]! & 0x80) | 100;
  return header;
}
