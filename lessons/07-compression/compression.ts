import { kMaxLength } from 'node:buffer';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import {
  CloseCode,
  type Extension,
  type Frame,
  HandshakeError,
  isControl,
  Opcode,
  OpeningError,
  ProtocolError,
  type Role,
  type SendOptions,
} from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';
import type { RequestHead } from '../01-handshake/handshake.ts';
import {
  checkHeader,
  type FrameHeader,
  FrameReader,
  MAX_MESSAGE_BYTES,
  MessageReader,
} from '../02-reading-frames/reading.ts';
import {
  encodeFrames,
  encodeMaskedFrame,
  fragment,
  SendQueue,
} from '../03-sending-frames/sending.ts';
import {
  type Accepted,
  Connection,
  type Handler,
  type Options,
  openingHandshake,
  WebSocketServer,
} from '../05-server/server.ts';
import {
  ClientConnection,
  type ClientHandler,
  type ClientOptions,
  connect,
  type ResponseHead,
} from '../06-client/client.ts';

/** The parts of the earlier lessons that this one is put into: the checks look at them as well. */
export const EARLIER = {
  MessageReader,
  encodeFrames,
  encodeMaskedFrame,
  SendQueue,
  openingHandshake,
  Connection,
  WebSocketServer,
  ClientConnection,
  connect,
} as const;

/** One element of a Sec-WebSocket-Extensions header: a name, and its parameters in their order. */
export interface ExtensionItem {
  readonly name: string;
  readonly params: readonly ExtensionParam[];
}

/** A parameter of an extension. */
export interface ExtensionParam {
  readonly name: string;
  /** Without quotes. `undefined`: it has no value. */
  readonly value: string | undefined;
}

/** How two ends compress, for one connection. RFC 7692 §7.1 */
export interface DeflateParams {
  /** Does the server forget what it has sent, after each message? */
  readonly serverNoContextTakeover: boolean;
  /** Does the client? */
  readonly clientNoContextTakeover: boolean;
  /** The server looks back 2 to the power of this many bytes, at most: 8 to 15. */
  readonly serverMaxWindowBits: number;
  /** And so many the client. */
  readonly clientMaxWindowBits: number;
}

/** What one end wants. What is absent does not matter to it. */
export type DeflatePolicy = Partial<DeflateParams>;

/** What a server has chosen. */
export interface Agreement {
  readonly params: DeflateParams;
  /** The value of Sec-WebSocket-Extensions in the response. */
  readonly header: string;
}

/** The name of the extension, which is compared as it is. RFC 7692 §7 */
export const DEFLATE = 'permessage-deflate';

/**
 * Step 1 · What is on offer.
 *
 * Takes the value of a Sec-WebSocket-Extensions header apart: elements with commas between them,
 * the most wanted first. Each is a name, and then its parameters: a semicolon, a name, and perhaps
 * `=` and a value. All of these are tokens, and stay as they are written. Spaces and tabs can be
 * around them. A value can also be in quotes, with a backslash before any of its characters: what
 * is left without quotes and backslashes is a token, too. Elements can be empty, and are skipped;
 * nothing else can be.
 *
 * Returns `undefined` for what breaks this grammar, and for a header without an element. Takes a
 * time in proportion to the length of the header. RFC 6455 §9.1
 */
export function parseExtensions(header: string): ExtensionItem[] | undefined {
  throw new Todo('07.1');
}

/**
 * Step 2 · What the server chooses.
 *
 * Takes the first offer that can be kept, and answers it. `undefined`: there is none, and the
 * connection does without compression. An offer that has an unknown parameter, one twice, or a
 * value that cannot be, is passed over, and so is another extension. Window bits are 8 to 15, in
 * decimal without a zero before them; only `client_max_window_bits` can come without a value, and
 * then any limit is fine. The other two parameters have no value. RFC 7692 §5, §7.1
 *
 * A server forgets its window when the client or the policy says so, and asks the client to when
 * the client has offered it or the policy wants it: the answer says both. Both windows are as large
 * as both ends allow, at most 15 bits. The client's can be limited only if the offer has
 * `client_max_window_bits`. The answer says no more than it has to: `server_max_window_bits` when
 * it was offered or is below 15, and `client_max_window_bits` when it is below 15. The order of its
 * parameters is free.
 */
export function chooseDeflate(
  offers: readonly ExtensionItem[],
  policy: DeflatePolicy = {},
): Agreement | undefined {
  throw new Todo('07.2');
}

/**
 * Step 3 · A message, packed.
 *
 * Compresses a message: raw DEFLATE up to a sync flush, without 00 00 ff ff, the four bytes at its
 * end. An empty one becomes one byte, 00. No block has BFINAL, since some peers forget their window
 * there. It refers back to `window`, too, which is the plain bytes before it that the peer still
 * has, but never further than 2^`bits` bytes. The result is a copy of its own size. RFC 7692 §7.2.1
 */
export function deflateMessage(
  plain: Uint8Array,
  window: Uint8Array = new Uint8Array(0),
  bits = 15,
): Uint8Array {
  throw new Todo('07.3');
}

/** How many parts a message can have that say they are the last: each costs a new decompressor. */
export const MAX_FINAL_BLOCKS = 100;

/**
 * Step 4 · A message, unpacked.
 *
 * Puts back the 00 00 ff ff that was cut off, and decompresses a message that may refer back to
 * `window`, into a copy of its own size. It can have any number of blocks of any kind. A block with
 * BFINAL ends a DEFLATE stream, but not the message: at the next byte, another stream begins, which
 * may refer back over the last 32 KiB before it. No more than those are copied for it. A peer that
 * has left 00 00 ff ff in its place, or sends no byte for an empty message, is understood, too.
 *
 * Throws `ProtocolError` 1009 as soon as more than `maxBytes` would come out, before they take any
 * memory (`Infinity` is no limit), and for more than `MAX_FINAL_BLOCKS` blocks with BFINAL; and
 * 1007 for what is not DEFLATE, or refers to what is not there. RFC 7692 §7.2.2, RFC 6455 §10.4
 */
export function inflateMessage(
  payload: Uint8Array,
  maxBytes = MAX_MESSAGE_BYTES,
  window: Uint8Array = new Uint8Array(0),
): Uint8Array {
  throw new Todo('07.4');
}

/**
 * Step 5 · The window.
 *
 * Slides a window over a message: returns the last 2^`bits` bytes of both together, as a copy, so
 * that nothing larger is kept for it. RFC 7692 §7.2.1
 */
export function slide(window: Uint8Array, plain: Uint8Array, bits = 15): Uint8Array {
  throw new Todo('07.5');
}

/**
 * Step 5 · Everything that is sent on one connection.
 *
 * Compresses one message after the other. With takeover, each can refer back to those before it.
 * RFC 7692 §7.2.1
 */
export class Deflater {
  /**
   * Makes a compressor that looks back 2^`bits` bytes at most, and not at all without `takeover`.
   * Of what it was given, it keeps no more than those bytes.
   */
  constructor(bits = 15, takeover = true) {
    throw new Todo('07.5');
  }

  /**
   * Compresses the next message. `undefined`: it would not get shorter, and is to be sent as it is.
   * Then it is not in the window, since the peer will not have it in its own. With takeover, it can
   * get longer by a few bytes, but not by 6 or more, since those after it can refer back to it.
   */
  deflate(plain: Uint8Array): Uint8Array | undefined {
    throw new Todo('07.5');
  }
}

/** Step 5 · Everything that is received compressed on one connection. RFC 7692 §7.2.2 */
export class Inflater {
  /**
   * Makes a decompressor for a peer that looks back 2^`bits` bytes, and not without `takeover`. Of
   * what has come out, it keeps no more than those bytes.
   */
  constructor(bits = 15, takeover = true) {
    throw new Todo('07.5');
  }

  /**
   * Decompresses the next compressed message. Throws `ProtocolError` as `inflateMessage` does, and
   * is of no more use then.
   */
  inflate(payload: Uint8Array, maxBytes = MAX_MESSAGE_BYTES): Uint8Array {
    throw new Todo('07.5');
  }
}

/**
 * Step 6 · RSV1, received.
 *
 * Takes the place of the `FrameReader` in a `MessageReader`, to which it looks as if nothing had
 * been compressed: it gets each compressed message as one frame with its plain bytes, and every
 * other frame as it is. Fragments are joined first, since only the message as a whole is DEFLATE;
 * however many there are, they take no more memory than their bytes, and none before those arrive.
 * RFC 7692 §6.2
 */
export class InflatingReader {
  /**
   * Makes a reader for our `role` that calls `check` with the header of each frame that it returns:
   * when a `FrameReader` does, but for a compressed message when that is complete. Then the header
   * is that of its first frame, with FIN, without RSV bits, and with the length that has come out.
   *
   * A message can have up to `maxMessageBytes`: when it has come out of the `inflater`, and on the
   * wire as well.
   */
  constructor(
    role: Role,
    check: (header: FrameHeader) => void,
    inflater: Inflater,
    maxMessageBytes = MAX_MESSAGE_BYTES,
  ) {
    throw new Todo('07.6');
  }

  /** Stores the bytes of one read, as a `FrameReader` does. */
  push(chunk: Uint8Array): void {
    throw new Todo('07.6');
  }

  /**
   * Returns the next frame, or `undefined` when more bytes are needed. A control frame between the
   * fragments of a compressed message comes before it.
   *
   * Throws `ProtocolError`, at the header of a frame that begins a compressed message or goes on
   * with one: 1002 for what `checkHeader` refuses, RSV1 apart where it begins, and for a message
   * inside another; 1009 when the message would have more than `maxMessageBytes` on the wire.
   * Throws what the `inflater` throws, and what `check` does: RSV1 on any other frame is for that
   * to refuse.
   */
  read(): Frame | undefined {
    throw new Todo('07.6');
  }

  /**
   * Returns what has arrived of the payload that `read` waits for, as a `FrameReader` does. While a
   * compressed message is open, that is nothing: its bytes are no text yet.
   */
  peek(from = 0): Uint8Array {
    throw new Todo('07.6');
  }
}

/**
 * Step 7 · RSV1, sent.
 *
 * Makes the frames of a message as `fragment` does, of at most `maxPayload` bytes each, compressed
 * unless the `deflater` says otherwise: then the first has RSV1, and no other. It is the packed
 * bytes that are cut. With `compress: false`, it goes as it is, and stays out of the window.
 *
 * Throws `RangeError` as `fragment` does, and then the window is as it was. RFC 7692 §6.1
 */
export function deflatedFrames(
  deflater: Deflater,
  opcode: number,
  data: Uint8Array,
  maxPayload: number,
  { compress = true }: SendOptions = {},
): Frame[] {
  throw new Todo('07.7');
}

/**
 * Step 7 · The extension on one connection, for our role in it: what it sends has a window, and
 * what it receives has another. RFC 7692 §7.2
 */
export class PerMessageDeflate implements Extension {
  /** Makes it from what was agreed: what a server sends, a client receives. */
  constructor(role: Role, params: DeflateParams) {
    throw new Todo('07.7');
  }

  /**
   * Makes the reader of messages, which can have up to `maxMessageBytes` each: when they are
   * unpacked, and on the wire as well.
   */
  readerFor(maxMessageBytes: number): MessageReader {
    throw new Todo('07.7');
  }

  /** Makes the frames of a message, each with a payload of at most `maxPayload` bytes. */
  framesFor(opcode: number, data: Uint8Array, maxPayload: number, options?: SendOptions): Frame[] {
    throw new Todo('07.7');
  }
}

/**
 * Step 8 · In the server.
 *
 * Agrees on compression with a client that has offered it, as the policy says: the response gets a
 * Sec-WebSocket-Extensions, and keeps all of its bytes; the opening gets its `extension`. Without
 * an offer that can be kept, the opening stays as it is.
 *
 * Throws `HandshakeError` 400 for a header that breaks the grammar. RFC 6455 §9.1, RFC 7692 §5
 */
export function agreeOnDeflate(
  opening: Accepted,
  { headers }: RequestHead,
  policy: DeflatePolicy = {},
): Accepted {
  throw new Todo('07.8');
}

/**
 * Step 8 · Makes a `WebSocketServer` that compresses with every client that can. An `extend` among
 * the options is called first, and compression is agreed on in what it returns.
 */
export function compressingServer(
  handle: Handler,
  options: Options = {},
  policy: DeflatePolicy = {},
): WebSocketServer {
  throw new Todo('07.8');
}

/**
 * Step 9 · What the client offers.
 *
 * Writes the offer of a client: what the policy wants, and always that the client's window can be
 * limited, by `client_max_window_bits`. 15 bits limit nothing: for the server, they can be left
 * out, and for the client, they can be left without the number. RFC 7692 §7.1
 */
export function offerDeflate(policy: DeflatePolicy = {}): string {
  throw new Todo('07.9');
}

/**
 * Step 9 · Is this what was offered?
 *
 * Checks the server's answer to the offer that `offerDeflate` makes of this policy, and says what
 * both do now. A client that offered to forget its window does so, and one that offered a limit for
 * it keeps to that, when the answer is silent about it. What nobody asked of the server, it may
 * still do: forget its window, or limit it.
 *
 * `undefined`: the connection has to fail, because the answer
 * - is not one element, called `permessage-deflate`,
 * - has an unknown parameter, one twice, or a value that cannot be, such as none for window bits,
 * - does not keep what we have asked of the server, or allows us more than we have offered.
 *
 * Whether an answer has to repeat 15 bits that were offered for the server is left open.
 * RFC 6455 §9.1, RFC 7692 §7.1
 */
export function checkDeflate(
  answer: readonly ExtensionItem[],
  policy: DeflatePolicy = {},
): DeflateParams | undefined {
  throw new Todo('07.9');
}

/**
 * Step 9 · A client that compresses.
 *
 * Connects as `connect` does, with the same options, and offers compression. Without an answer,
 * there is none. One that `checkDeflate` refuses, or that breaks the grammar, fails the connection
 * with an `OpeningError`, which has the status and the headers of the response. RFC 6455 §9.1
 */
export function connectCompressing(
  url: string,
  options: ClientOptions,
  handle: ClientHandler,
  policy: DeflatePolicy = {},
): ClientConnection {
  throw new Todo('07.9');
}

/**
 * Step 10 · When compression is a mistake.
 *
 * Finds out a secret from lengths alone, one character after the other. `lengthOf(text)` is the
 * length of a compressed message in which this text stands beside the secret, or after it. The
 * secret begins with `known`, and then has `count` characters of the `alphabet`. Where several
 * guesses are the shortest, all of them go on: the next character tells them apart.
 *
 * Returns the secret, from `known` on. `undefined`: all guesses at a character are equally long, so
 * that lengths tell nothing. RFC 7692 §8
 */
export function guessSecret(
  lengthOf: (text: string) => number,
  known: string,
  alphabet: string,
  count: number,
): string | undefined {
  throw new Todo('07.10');
}
