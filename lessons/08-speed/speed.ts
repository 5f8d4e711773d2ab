import { isUtf8 } from 'node:buffer';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  CloseCode,
  type Extension,
  type Frame,
  isControl,
  type Message,
  Opcode,
  ProtocolError,
  type Role,
  type SendOptions,
} from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';
import * as reading from '../02-reading-frames/reading.ts';
import { checkHeader, decodeHeader, MAX_MESSAGE_BYTES } from '../02-reading-frames/reading.ts';
import * as sending from '../03-sending-frames/sending.ts';
import { fragment } from '../03-sending-frames/sending.ts';
import * as server from '../05-server/server.ts';
import {
  type Accepted,
  type ConnectionEvent,
  type Handler,
  LIMITS,
  type Limits,
  MAX_FRAGMENT_BYTES,
  type Options,
  Connection as ReadableConnection,
  WebSocketServer as ReadableServer,
} from '../05-server/server.ts';

/** The lessons whose exports this one replaces: the last step runs their checks again. */
export const EARLIER = { reading, sending, server } as const;

/** From this length on, a payload is not copied to be sent, in bytes. */
export const LONG_BYTES = 16 * 1024;

/** How much memory is taken at once for what is sent, in bytes. */
export const OUTPUT_MEMORY_BYTES = 64 * 1024;

/**
 * Step 2 · Words, not bytes.
 *
 * Unmasks bytes in place: byte i of a payload is XORed with byte i mod 4 of the key. `position`
 * is the place of `bytes[0]` in its payload. Whatever memory the bytes begin at, most of them are
 * changed eight at a time. RFC 6455 §5.3
 */
export function unmask(bytes: Uint8Array, maskingKey: Uint8Array, position = 0): void {
  throw new Todo('08.2');
}

/**
 * Steps 3, 4 and 7 · Messages where they are.
 *
 * Puts messages together as the reader of lesson 02 does, and copies no more than it has to: a
 * message that has arrived in one read is a view of that read. RFC 6455 §5.2–§5.6, §8.1, §10.4
 */
export class MessageReader {
  /** Makes a reader for our `role` that accepts messages of up to `maxMessageBytes`. */
  constructor(role: Role = 'server', maxMessageBytes = MAX_MESSAGE_BYTES) {
    throw new Todo('08.3');
  }

  /**
   * Step 3 · Stores the bytes of one read. The chunk stays the caller's: it is copied, not
   * changed, and the caller may use its memory again when `push` has returned.
   */
  push(chunk: Uint8Array): void {
    throw new Todo('08.3');
  }

  /**
   * Step 3 · Takes over the bytes of one read, and their memory: nobody else may look at it or
   * change it from now on. It is unmasked in place, and messages are views of it.
   */
  own(chunk: Uint8Array): void {
    throw new Todo('08.3');
  }

  /**
   * Steps 3, 4 and 7 · Returns the next message or control frame, or `undefined` when more bytes
   * are needed. The bytes are the caller's, but a binary message may share its `buffer` with
   * others of the same read. A text in pieces is checked as it arrives, and decoded once.
   *
   * Throws `ProtocolError` as the reader of lesson 02 does, and is of no more use then: 1002 and
   * 1009 at the header, 1007 as soon as a text has a byte that is not UTF-8.
   */
  read(): Message | undefined {
    throw new Todo('08.3');
  }
}

/**
 * Step 7 · Text without a detour.
 *
 * Encodes text as UTF-8, as lesson 03 does, but takes no memory for each text: short ones share
 * pieces of `OUTPUT_MEMORY_BYTES`. What has been returned never changes. Throws `TypeError` for
 * half of a surrogate pair. RFC 6455 §5.6
 */
export function encodeText(text: string): Uint8Array {
  throw new Todo('08.7');
}

/**
 * Steps 5 and 6 · One memory for all answers.
 *
 * Writes frames one behind the other into memory that is taken in large pieces, for all the
 * connections there are. No byte of it is used twice: what has been taken out never changes.
 * RFC 6455 §5.2
 */
export class Output {
  /**
   * Step 5 · Adds a frame as a server sends it, unmasked. From `LONG_BYTES` on, the payload is not
   * copied: it becomes a part by itself, and has to stay as it is until it is written.
   */
  add(frame: Frame): void {
    throw new Todo('08.5');
  }

  /** Step 5 · Takes out what was added, as parts that follow one another. None: nothing was. */
  take(): Uint8Array[] {
    throw new Todo('08.5');
  }
}

/**
 * Steps 3 and 5–8 · A connection without a socket.
 *
 * The one of lesson 05 with the reader and the output of this lesson.
 */
export class Connection extends ReadableConnection {
  /** Was an extension agreed on with the client? It makes its own frames of each message. */
  readonly isExtended: boolean;

  /** Starts after the opening handshake, as in lesson 05. */
  constructor(limits: Limits, now: () => number, wake: () => void, extension?: Extension) {
    super(limits, now, wake, extension);
    throw new Todo('08.3');
  }

  /** Receives the bytes of one read. They stay the caller's: what is kept of them is copied. */
  override receive(chunk: Uint8Array): void {
    return super.receive(chunk);
  }

  /**
   * Step 3 · Receives the bytes of one read, and takes over their memory: nobody else may look at
   * it or change it from now on.
   */
  receiveOwn(chunk: Uint8Array): void {
    throw new Todo('08.3');
  }

  /** Step 7 · Sends a message, as in lesson 05. */
  override send(data: string | Uint8Array, options?: SendOptions): boolean {
    return super.send(data, options);
  }

  /** Step 3 · Sends a message that is cut into frames already, as in lesson 05. */
  override sendFrames(frames: readonly Frame[]): boolean {
    return super.sendFrames(frames);
  }

  /**
   * Step 3 · Is told whether the socket takes nothing at the moment. What is sent then may wait for
   * long, and is copied if it is short: a few bytes that are a view keep all of their read.
   */
  hold(isHeld: boolean): void {
    throw new Todo('08.3');
  }

  /**
   * Steps 5 and 6 · Returns the bytes to write next as parts that follow one another,
   * `MAX_OUTPUT_BYTES` or a little more in all. None: nothing waits.
   */
  takeParts(): Uint8Array[] {
    throw new Todo('08.5');
  }

  /** Returns the bytes to write next, in one piece. Empty: nothing waits. */
  override takeOutput(): Uint8Array {
    return super.takeOutput();
  }
}

/**
 * Steps 1, 3 and 6 · On a socket.
 *
 * Puts an accepted connection on its socket, as in lesson 05. A read is one turn: it goes to the
 * core, its events to `handle`, and what `handle` sends leaves in one write. Takes over the memory
 * of the reads of a `net.Socket`, unless somebody else reads it as well; copies the others.
 *
 * An error that `handle` throws fails the connection with 1011. When it has failed or closed
 * already, as at an `error` or `close` event, nobody would hear of the error: it is thrown on, and
 * Node reports it as uncaught.
 */
export function attach(
  socket: Duplex,
  opening: Accepted,
  handle: Handler,
  limits: Limits = LIMITS,
): Connection {
  throw new Todo('08.1');
}

/**
 * Step 8 · Once for everybody.
 *
 * The server of lesson 05 on the connections of this one. RFC 6455 §4.2
 */
export class WebSocketServer extends ReadableServer {
  /** Makes a server that tells `handle` what happens on each of its connections. */
  constructor(handle: Handler, options: Options = {}) {
    super(handle, options);
    throw new Todo('08.8');
  }

  /** Step 8 · Sends a message to every open connection but `except`. It is encoded once. */
  override broadcast(data: string | Uint8Array, except?: ReadableConnection): void {
    return super.broadcast(data, except);
  }
}
