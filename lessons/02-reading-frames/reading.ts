import {
  CloseCode,
  type Frame,
  isControl,
  MAX_CONTROL_PAYLOAD,
  type Message,
  Opcode,
  ProtocolError,
  type Role,
} from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';

/** The first two bytes of a frame, taken apart. */
export interface FirstBytes {
  /** Is this the last frame of its message? */
  readonly fin: boolean;
  /** RSV1, RSV2 and RSV3 as a number from 0 to 7. */
  readonly rsv: number;
  /** 0 to 15. */
  readonly opcode: number;
  readonly masked: boolean;
  /** 0 to 127; 126 and 127 say that the real length follows. */
  readonly length7: number;
}

/** Everything in a frame before its payload. */
export interface FrameHeader {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  /** Four bytes. `undefined`: the frame is not masked. */
  readonly maskingKey: Uint8Array | undefined;
  /** In bytes. Above 2^53, it may be rounded. */
  readonly payloadLength: number;
  /** Size of the header itself, in bytes: 2 to 14. */
  readonly headerLength: number;
}

/** The largest message we accept unless told otherwise: 16 MiB. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/**
 * Step 1 · The first two bytes.
 *
 * Takes the first two bytes of a frame apart: FIN, RSV, opcode; MASK, length. RFC 6455 §5.2
 */
export function decodeFirstBytes(first: number, second: number): FirstBytes {
  throw new Todo('02.1');
}

/**
 * Step 2 · Lengths beyond 125.
 *
 * Decodes the frame header that starts at `offset`. Returns `undefined` while bytes of it are
 * missing, and consumes nothing: call it again with more.
 *
 * Throws `ProtocolError` 1002 when the length is not in its shortest form, or its most
 * significant bit is set. RFC 6455 §5.2
 */
export function decodeHeader(bytes: Uint8Array, offset = 0): FrameHeader | undefined {
  throw new Todo('02.2');
}

/**
 * Step 3 · Unmasking.
 *
 * Unmasks bytes in place: byte i of a payload is XORed with byte i mod 4 of the key. `position`
 * is the place of `bytes[0]` in its payload, for a payload that arrives in pieces. RFC 6455 §5.3
 */
export function unmask(bytes: Uint8Array, maskingKey: Uint8Array, position = 0): void {
  throw new Todo('02.3');
}

/**
 * Steps 4 and 5 · A stream of frames.
 *
 * Puts frames together from reads of any size: `push` what arrives, then `read` until it
 * returns `undefined`. RFC 6455 §5.2, §6.2
 */
export class FrameReader {
  /**
   * Makes a reader that calls `check` once with each header, as soon as that is complete and the
   * frames before it have been returned, before its payload is waited for. A `check` that throws
   * refuses the frame.
   */
  constructor(check: (header: FrameHeader) => void = checkHeader) {
    throw new Todo('02.4');
  }

  /**
   * Stores the bytes of one read. The chunk stays the caller's: it is copied, not changed, and
   * the caller may use its memory again when `push` has returned.
   */
  push(chunk: Uint8Array): void {
    throw new Todo('02.4');
  }

  /**
   * Returns the next whole frame, unmasked, or `undefined` when more bytes are needed. The
   * payload is the caller's: the reader does not touch it again. Throws what `check` and
   * `decodeHeader` throw, after all the frames before the bad one have been returned. Of that one,
   * nothing is ever returned, not by a later call either.
   */
  read(): Frame | undefined {
    throw new Todo('02.4');
  }

  /**
   * Step 8 · A payload that is still arriving.
   *
   * Returns what has arrived of the payload that `read` waits for, from byte `from` on, unmasked,
   * as a copy. Empty while it waits for a header.
   */
  peek(from = 0): Uint8Array {
    throw new Todo('02.8');
  }
}

/**
 * Step 6 · Illegal frames.
 *
 * Checks a header against the rules that need nothing but the header. `role` is our own: a
 * server wants masked frames, a client unmasked ones.
 *
 * Throws `ProtocolError` 1002 for RSV bits, a reserved opcode, the wrong masking, and a control
 * frame that is fragmented or longer than 125 bytes. RFC 6455 §5.1, §5.2, §5.5
 */
export function checkHeader(header: FrameHeader, role: Role = 'server'): void {
  throw new Todo('02.6');
}

/** Where messages get their frames from: a `FrameReader`, or what an extension has in its place. */
export type FrameSource = Pick<FrameReader, 'push' | 'read' | 'peek'>;

/**
 * Steps 7–9 · Messages.
 *
 * Puts messages together from frames: `push` what arrives, then `read` until it returns
 * `undefined`. Control frames are returned as they arrive, also between the fragments of a
 * message. RFC 6455 §5.4–§5.6, §8.1, §10.4
 */
export class MessageReader {
  /**
   * Makes a reader for our `role` that accepts messages of up to `maxMessageBytes`. Its frames come
   * from what `makeFrames` makes, which calls `check` as a `FrameReader` does: an extension has
   * frames of its own.
   */
  constructor(
    role: Role = 'server',
    maxMessageBytes = MAX_MESSAGE_BYTES,
    makeFrames: (check: (header: FrameHeader) => void) => FrameSource = (check) =>
      new FrameReader(check),
  ) {
    throw new Todo('02.7');
  }

  /**
   * Stores the bytes of one read. The chunk stays the caller's: it is copied, not changed, and
   * the caller may use its memory again when `push` has returned.
   */
  push(chunk: Uint8Array): void {
    throw new Todo('02.7');
  }

  /**
   * Returns the next message or control frame, or `undefined` when more bytes are needed.
   *
   * Throws `ProtocolError`, and is of no more use then. At the header, so that nothing of the frame
   * is ever returned: 1002 for what `checkHeader` refuses, a continuation of nothing, and a new
   * message inside an open one; 1009 when it announces more than `maxMessageBytes`. And 1007 as
   * soon as a text has a byte that is not UTF-8.
   */
  read(): Message | undefined {
    throw new Todo('02.7');
  }
}
