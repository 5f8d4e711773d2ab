/** What has to become of frames where messages can be compressed, slowly and obviously. */
import { join } from '../../../shared/kit/frames.ts';
import { CloseCode, type Message, Opcode, type Role } from '../../../shared/protocol.ts';
import {
  frameBytes,
  headBytes,
  headerMistake,
  lengthMistake,
  type Refusal,
  type Script,
  type SentFrame,
} from '../02-reading-frames/model.ts';
import { binary, text } from '../02-reading-frames/readers.ts';
import { decodeUtf8 } from '../02-reading-frames/utf8.ts';
import { RSV1 } from './packed-messages.ts';
import { unpacked } from './zlib.ts';

/** What a reader is told, and whether its peer refers back to earlier messages. */
export interface Terms {
  readonly role: Role;
  readonly maxMessageBytes: number;
  readonly takeover: boolean;
}

/** A message on its way. */
interface Draft {
  readonly opcode: number;
  readonly isPacked: boolean;
  readonly bytes: Uint8Array;
}

/** The messages that come out, or the first mistake. */
class Model {
  readonly results: { value: Message; end: number }[] = [];
  refusal: Refusal | undefined;
  readonly #terms: Terms;
  #open: Draft | undefined;
  #window: Uint8Array = new Uint8Array(0);

  constructor(terms: Terms) {
    this.#terms = terms;
  }

  /** Takes a frame that begins at `start`. */
  take(sent: SentFrame, start: number): void {
    const at = start + headBytes(sent).length;
    const end = start + frameBytes(sent).length;
    const wrong = lengthMistake(sent) ?? this.#mistakeIn(sent);
    if (wrong) {
      this.#refuse(CloseCode.ProtocolError, wrong, start + 1, at);
      return;
    }
    const isWhole = BigInt(sent.payload.length) === sent.length;
    if (sent.opcode >= 8) {
      if (isWhole) this.results.push({ value: controlMessage(sent), end });
      return;
    }
    const open = this.#open ?? { opcode: sent.opcode, isPacked: sent.rsv === RSV1, bytes: NONE };
    const draft = { ...open, bytes: join(open.bytes, sent.payload) };
    const size = open.bytes.length + Number(sent.length);
    if (size > this.#terms.maxMessageBytes) {
      const why = `its message would have ${size} bytes`;
      this.#refuse(CloseCode.MessageTooBig, why, start + 1, at);
      return;
    }
    const isLast = sent.fin && isWhole;
    this.#open = isLast ? undefined : draft;
    if (!draft.isPacked) this.#takePlain(draft, isLast, end);
    else if (isLast) this.#finish({ ...draft, bytes: this.#unpack(draft.bytes) }, end);
  }

  #mistakeIn(sent: SentFrame): string | undefined {
    const begins = sent.opcode === Opcode.Text || sent.opcode === Opcode.Binary;
    const rsv = begins && !this.#open ? sent.rsv & ~RSV1 : sent.rsv;
    const wrong = headerMistake({ ...sent, rsv }, this.#terms.role);
    if (wrong) return wrong;
    if (begins && this.#open) return 'the message before it has not ended';
    const isLost = sent.opcode === Opcode.Continuation && !this.#open;
    return isLost ? 'there is nothing to continue' : undefined;
  }

  #unpack(bytes: Uint8Array): Uint8Array {
    const plain = unpacked(bytes, this.#window);
    if (this.#terms.takeover) this.#window = join(this.#window, plain);
    return plain;
  }

  #finish(draft: Draft, end: number): void {
    if (draft.bytes.length > this.#terms.maxMessageBytes) {
      const why = `${draft.bytes.length} bytes would come out`;
      this.#refuse(CloseCode.MessageTooBig, why, end, end);
    } else {
      this.#takePlain(draft, true, end);
    }
  }

  /** Takes what there is of a message, up to the byte before `end`. */
  #takePlain({ opcode, bytes, isPacked }: Draft, isLast: boolean, end: number): void {
    if (opcode !== Opcode.Text) {
      if (isLast) this.results.push({ value: binary(bytes), end });
      return;
    }
    const { wrongAt, isCut, text: data } = decodeUtf8([...bytes]);
    if (wrongAt !== undefined) {
      const at = isPacked ? end : end - (bytes.length - wrongAt) + 1;
      const why = `no text has byte ${wrongAt} of this message there`;
      this.#refuse(CloseCode.InvalidPayload, why, at, at);
    } else if (isLast && isCut) {
      this.#refuse(CloseCode.InvalidPayload, 'the text ends inside a character', end, end);
    } else if (isLast) {
      this.results.push({ value: text(data), end });
    }
  }

  #refuse(code: CloseCode, why: string, from: number, at: number): void {
    this.refusal = { code, why, from, at };
  }
}

const NONE = new Uint8Array(0);

/** Tells what a reader makes of frames. RFC 6455 §5.4–§5.6, §8.1, §10.4, RFC 7692 §6.2 */
export function packedScript(frames: readonly SentFrame[], terms: Terms): Script<Message> {
  const model = new Model(terms);
  let bytes: Uint8Array = NONE;
  for (const sent of frames) {
    model.take(sent, bytes.length);
    bytes = join(bytes, frameBytes(sent));
    if (model.refusal) break;
  }
  return { bytes, results: model.results, refusal: model.refusal };
}

function controlMessage({ opcode, payload }: SentFrame): Message {
  const type = opcode === Opcode.Close ? 'close' : opcode === Opcode.Ping ? 'ping' : 'pong';
  return { type, payload };
}
