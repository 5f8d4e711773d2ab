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

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]";
/** A name, and perhaps a value: a token, also in quotes, where each character may be escaped. */
const PARAM = new RegExp(
  `^[ \\t]*(${TOKEN}+)[ \\t]*(?:=[ \\t]*(?:(${TOKEN}+)|"((?:\\\\?${TOKEN})+)")[ \\t]*)?$`,
);

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
  const items: ExtensionItem[] = [];
  // A comma or semicolon within quotes is no token: nothing is lost by cutting there.
  for (const text of header.split(',')) {
    if (/^[ \t]*$/.test(text)) continue;
    const [first, ...params] = text.split(';').map(parseParam);
    if (first === undefined || first.value !== undefined) return undefined;
    if (!params.every((param) => param !== undefined)) return undefined;
    items.push({ name: first.name, params });
  }
  return items.length === 0 ? undefined : items;
}

function parseParam(text: string): ExtensionParam | undefined {
  const [, name, value, quoted] = PARAM.exec(text) ?? [];
  return name === undefined ? undefined : { name, value: value ?? quoted?.replaceAll('\\', '') };
}

/** The parameters of one element, by their names. A hint without a value is `true`. */
interface Asked {
  readonly server_no_context_takeover?: true;
  readonly client_no_context_takeover?: true;
  readonly server_max_window_bits?: number;
  readonly client_max_window_bits?: number | true;
}

/**
 * Reads the parameters of one element. `undefined`: one is unknown, repeated, or has a bad value.
 */
function readParams({ params }: ExtensionItem, isOffer: boolean): Asked | undefined {
  const asked: Record<string, number | true> = {};
  for (const { name, value } of params) {
    const read = readValue(name, value, isOffer);
    if (read === undefined || Object.hasOwn(asked, name)) return undefined;
    asked[name] = read;
  }
  return asked;
}

function readValue(name: string, value: string | undefined, isOffer: boolean) {
  switch (name) {
    case 'server_no_context_takeover':
    case 'client_no_context_takeover':
      return value === undefined ? true : undefined;
    case 'client_max_window_bits':
      // In an offer, it can be a mere hint: tell me how many.
      return value === undefined && isOffer ? true : readBits(value);
    case 'server_max_window_bits':
      return readBits(value);
    default:
      return undefined;
  }
}

/** Reads 8 to 15, as it is written in decimal. `undefined`: it is something else. */
function readBits(value = ''): number | undefined {
  return /^([89]|1[0-5])$/.test(value) ? Number(value) : undefined;
}

/** Writes an element. What is `false` or `undefined` is left out, and `true` has no value. */
function writeItem(params: Record<string, number | boolean | undefined>): string {
  const texts = Object.entries(params)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) => (value === true ? `; ${name}` : `; ${name}=${value}`));
  return DEFLATE + texts.join('');
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
  for (const offer of offers) {
    const asked = offer.name === DEFLATE ? readParams(offer, true) : undefined;
    if (asked) return answerTo(asked, policy);
  }
  return undefined;
}

function answerTo(asked: Asked, policy: DeflatePolicy): Agreement {
  const { server_max_window_bits: ownBits, client_max_window_bits: theirBits } = asked;
  const limit = theirBits === true ? 15 : theirBits;
  const params: DeflateParams = {
    serverNoContextTakeover:
      asked.server_no_context_takeover ?? policy.serverNoContextTakeover ?? false,
    clientNoContextTakeover:
      asked.client_no_context_takeover ?? policy.clientNoContextTakeover ?? false,
    serverMaxWindowBits: Math.min(ownBits ?? 15, policy.serverMaxWindowBits ?? 15),
    // A client that has not offered it would not understand it.
    clientMaxWindowBits:
      limit === undefined ? 15 : Math.min(limit, policy.clientMaxWindowBits ?? 15),
  };
  const { serverMaxWindowBits, clientMaxWindowBits } = params;
  const header = writeItem({
    server_no_context_takeover: params.serverNoContextTakeover,
    client_no_context_takeover: params.clientNoContextTakeover,
    server_max_window_bits:
      ownBits !== undefined || serverMaxWindowBits < 15 ? serverMaxWindowBits : undefined,
    client_max_window_bits: clientMaxWindowBits < 15 ? clientMaxWindowBits : undefined,
  });
  return { params, header };
}

/** The end of every message, which both sides know, and nobody sends. RFC 7692 §7.2.1 */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

const NO_BYTES: Uint8Array = new Uint8Array(0);

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
  const packed = deflateRawSync(plain, {
    finishFlush: constants.Z_SYNC_FLUSH,
    dictionary: window,
    // zlib knows no 8, and looks back 250 bytes at most with 9: that fits.
    windowBits: Math.max(bits, 9),
  });
  // zlib returns a part of 16 KiB, which would be kept as long as the message waits.
  return new Uint8Array(packed.subarray(0, -TAIL.length));
}

/** DEFLATE can refer back so far. */
const MAX_WINDOW_BYTES = 2 ** 15;

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
  const pieces: Uint8Array[] = [];
  let size = 0;
  let rest: Uint8Array = Buffer.concat([payload, TAIL]);
  let dictionary = window;
  for (let streams = 0; ; streams++) {
    if (streams > MAX_FINAL_BLOCKS) throw tooBig(`More than ${MAX_FINAL_BLOCKS} final blocks.`);
    const { plain, read } = inflateStream(rest, maxBytes - size, dictionary);
    pieces.push(plain);
    size += plain.length;
    rest = rest.subarray(read);
    if (rest.length === 0) break;
    dictionary = Buffer.concat([dictionary, plain]).subarray(-MAX_WINDOW_BYTES);
  }
  // zlib returns a part of 16 KiB, and `Buffer.concat` one of what all buffers share.
  const message = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    message.set(piece, at);
    at += piece.length;
  }
  return message;
}

/** Decompresses up to the end of a DEFLATE stream, or of the bytes. */
function inflateStream(bytes: Uint8Array, room: number, dictionary: Uint8Array) {
  try {
    // With `info`, which the types do not know, it also says how far it has read.
    const { buffer: plain, engine } = inflateRawSync(bytes, {
      finishFlush: constants.Z_SYNC_FLUSH,
      dictionary,
      // zlib accepts neither 0 nor `Infinity`.
      maxOutputLength: Math.min(Math.max(room, 1), kMaxLength),
      info: true,
    }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    if (plain.length > room) throw tooBig('More than the limit comes out.');
    return { plain, read: engine.bytesWritten };
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooBig('More than the limit comes out.');
    const message = `A message that is not DEFLATE: ${(error as Error).message}.`;
    throw new ProtocolError(CloseCode.InvalidPayload, 'RFC 7692 §7.2.2', message);
  }
}

function tooBig(message: string): ProtocolError {
  return new ProtocolError(CloseCode.MessageTooBig, '10.4', message);
}

/**
 * Step 5 · The window.
 *
 * Slides a window over a message: returns the last 2^`bits` bytes of both together, as a copy, so
 * that nothing larger is kept for it. RFC 7692 §7.2.1
 */
export function slide(window: Uint8Array, plain: Uint8Array, bits = 15): Uint8Array {
  const size = 2 ** bits;
  const kept = Math.max(size - plain.length, 0);
  // Of a window of 0 bytes, `subarray(-0)` would be all.
  const old = kept === 0 ? NO_BYTES : window.subarray(-kept);
  const slid = new Uint8Array(old.length + Math.min(plain.length, size));
  slid.set(old);
  slid.set(plain.subarray(-size), old.length);
  return slid;
}

/**
 * We look back 2 to the power of this at most, though the peer may remember more: it takes half the
 * time, and 7 % more bytes.
 */
const OWN_BITS = 13;

/** A message in which zlib finds nothing is stored, and gets longer by so many bytes. */
const STORED_BYTES = 6;

/**
 * Step 5 · Everything that is sent on one connection.
 *
 * Compresses one message after the other. With takeover, each can refer back to those before it.
 * RFC 7692 §7.2.1
 */
export class Deflater {
  readonly #bits: number;
  readonly #takeover: boolean;
  #window: Uint8Array = NO_BYTES;

  /**
   * Makes a compressor that looks back 2^`bits` bytes at most, and not at all without `takeover`.
   * Of what it was given, it keeps no more than those bytes.
   */
  constructor(bits = 15, takeover = true) {
    this.#bits = Math.min(bits, OWN_BITS);
    this.#takeover = takeover;
  }

  /**
   * Compresses the next message. `undefined`: it would not get shorter, and is to be sent as it is.
   * Then it is not in the window, since the peer will not have it in its own. With takeover, it can
   * get longer by a few bytes, but not by 6 or more, since those after it can refer back to it.
   */
  deflate(plain: Uint8Array): Uint8Array | undefined {
    const packed = deflateMessage(plain, this.#window, this.#bits);
    const limit = this.#takeover ? plain.length + STORED_BYTES : plain.length;
    if (packed.length >= limit) return undefined;
    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);
    return packed;
  }
}

/** Step 5 · Everything that is received compressed on one connection. RFC 7692 §7.2.2 */
export class Inflater {
  readonly #bits: number;
  readonly #takeover: boolean;
  #window: Uint8Array = NO_BYTES;

  /**
   * Makes a decompressor for a peer that looks back 2^`bits` bytes, and not without `takeover`. Of
   * what has come out, it keeps no more than those bytes.
   */
  constructor(bits = 15, takeover = true) {
    this.#bits = bits;
    this.#takeover = takeover;
  }

  /**
   * Decompresses the next compressed message. Throws `ProtocolError` as `inflateMessage` does, and
   * is of no more use then.
   */
  inflate(payload: Uint8Array, maxBytes = MAX_MESSAGE_BYTES): Uint8Array {
    const plain = inflateMessage(payload, maxBytes, this.#window);
    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);
    return plain;
  }
}

/** RSV1 among the three reserved bits of a header. */
const RSV1 = 0b100;

/** A compressed message that is still arriving. */
class PackedMessage {
  /** That of its first frame. */
  readonly header: FrameHeader;
  /** How many bytes its headers so far have announced. */
  announced = 0;
  /** Those that have arrived, and room for more. */
  #memory: Uint8Array = NO_BYTES;
  #arrived = 0;

  constructor(header: FrameHeader) {
    this.header = header;
  }

  add(payload: Uint8Array): void {
    const arrived = this.#arrived + payload.length;
    if (arrived > this.#memory.length) {
      // Twice the room: then many small fragments are not all copied again with each of them.
      const memory = new Uint8Array(Math.max(arrived, 2 * this.#memory.length));
      memory.set(this.#memory);
      this.#memory = memory;
    }
    this.#memory.set(payload, this.#arrived);
    this.#arrived = arrived;
  }

  get payload(): Uint8Array {
    return this.#memory.subarray(0, this.#arrived);
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
  readonly #role: Role;
  readonly #check: (header: FrameHeader) => void;
  readonly #inflater: Inflater;
  readonly #maxMessageBytes: number;
  readonly #frames = new FrameReader((header) => this.#checkFrame(header));
  /** The compressed message that is open. `undefined`: none is. */
  #packed: PackedMessage | undefined;
  /** Is a message open that is not compressed? */
  #isPlainOpen = false;

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
    this.#role = role;
    this.#check = check;
    this.#inflater = inflater;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Stores the bytes of one read, as a `FrameReader` does. */
  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
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
    for (let frame = this.#frames.read(); frame; frame = this.#frames.read()) {
      if (this.#packed === undefined || isControl(frame.opcode)) return frame;
      this.#packed.add(frame.payload);
      if (frame.fin) return this.#unpack(this.#packed);
    }
    return undefined;
  }

  /**
   * Returns what has arrived of the payload that `read` waits for, as a `FrameReader` does. While a
   * compressed message is open, that is nothing: its bytes are no text yet.
   */
  peek(from = 0): Uint8Array {
    return this.#packed ? NO_BYTES : this.#frames.peek(from);
  }

  #checkFrame(header: FrameHeader): void {
    const { fin, opcode, rsv } = header;
    const begins = opcode === Opcode.Text || opcode === Opcode.Binary;
    if (isControl(opcode)) this.#check(header);
    else if (this.#packed) this.#checkPacked(this.#packed, header);
    else if (begins && (rsv & RSV1) !== 0) {
      const first = { ...header, rsv: rsv & ~RSV1 };
      this.#checkPacked(new PackedMessage(first), first);
    } else {
      this.#check(header);
      this.#isPlainOpen = !fin;
    }
  }

  /** Checks the header of a frame that begins a compressed message, or goes on with it. */
  #checkPacked(message: PackedMessage, header: FrameHeader): void {
    checkHeader(header, this.#role);
    const continues = header.opcode === Opcode.Continuation;
    if (this.#isPlainOpen || continues !== (this.#packed !== undefined)) {
      const text = 'A new message before the open one has ended.';
      throw new ProtocolError(CloseCode.ProtocolError, '5.4', text);
    }
    message.announced += header.payloadLength;
    if (message.announced > this.#maxMessageBytes) {
      throw tooBig('More than the limit, though it is compressed.');
    }
    this.#packed = message;
  }

  #unpack({ header, payload: packed }: PackedMessage): Frame {
    const payload = this.#inflater.inflate(packed, this.#maxMessageBytes);
    this.#packed = undefined;
    this.#check({ ...header, fin: true, payloadLength: payload.length });
    return { fin: true, opcode: header.opcode, payload };
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
  // First of all, since it can throw: nobody sends what the window would have then.
  const plain = fragment(opcode, data, maxPayload);
  const packed = compress ? deflater.deflate(data) : undefined;
  if (packed === undefined) return plain;
  const [first, ...others] = fragment(opcode, packed, maxPayload);
  return [{ ...first!, rsv1: true }, ...others];
}

/**
 * Step 7 · The extension on one connection, for our role in it: what it sends has a window, and
 * what it receives has another. RFC 7692 §7.2
 */
export class PerMessageDeflate implements Extension {
  readonly #role: Role;
  readonly #deflater: Deflater;
  readonly #inflater: Inflater;

  /** Makes it from what was agreed: what a server sends, a client receives. */
  constructor(role: Role, params: DeflateParams) {
    const server = [params.serverMaxWindowBits, !params.serverNoContextTakeover] as const;
    const client = [params.clientMaxWindowBits, !params.clientNoContextTakeover] as const;
    this.#role = role;
    this.#deflater = new Deflater(...(role === 'server' ? server : client));
    this.#inflater = new Inflater(...(role === 'server' ? client : server));
  }

  /**
   * Makes the reader of messages, which can have up to `maxMessageBytes` each: when they are
   * unpacked, and on the wire as well.
   */
  readerFor(maxMessageBytes: number): MessageReader {
    return new MessageReader(
      this.#role,
      maxMessageBytes,
      (check) => new InflatingReader(this.#role, check, this.#inflater, maxMessageBytes),
    );
  }

  /** Makes the frames of a message, each with a payload of at most `maxPayload` bytes. */
  framesFor(opcode: number, data: Uint8Array, maxPayload: number, options?: SendOptions): Frame[] {
    return deflatedFrames(this.#deflater, opcode, data, maxPayload, options);
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
  const lines = headers.get('sec-websocket-extensions');
  if (lines === undefined) return opening;
  const offers = parseExtensions(lines.join());
  if (offers === undefined) {
    throw new HandshakeError(400, '9.1', 'Sec-WebSocket-Extensions is not a list of extensions.');
  }
  const agreement = chooseDeflate(offers, policy);
  if (agreement === undefined) return opening;
  // One more line goes before the empty one.
  const answer = Buffer.concat([
    opening.answer.subarray(0, -2),
    Buffer.from(`Sec-WebSocket-Extensions: ${agreement.header}\r\n\r\n`),
  ]);
  return { ...opening, answer, extension: new PerMessageDeflate('server', agreement.params) };
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
  return new WebSocketServer(handle, {
    ...options,
    extend: (opening, request) =>
      agreeOnDeflate(options.extend?.(opening, request) ?? opening, request, policy),
  });
}

/**
 * Step 9 · What the client offers.
 *
 * Writes the offer of a client: what the policy wants, and always that the client's window can be
 * limited, by `client_max_window_bits`. 15 bits limit nothing: for the server, they can be left
 * out, and for the client, they can be left without the number. RFC 7692 §7.1
 */
export function offerDeflate(policy: DeflatePolicy = {}): string {
  return writeItem({
    server_no_context_takeover: policy.serverNoContextTakeover,
    client_no_context_takeover: policy.clientNoContextTakeover,
    server_max_window_bits: policy.serverMaxWindowBits,
    client_max_window_bits: policy.clientMaxWindowBits ?? true,
  });
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
  const [item, ...others] = answer;
  if (item?.name !== DEFLATE || others.length > 0) return undefined;
  const told = readParams(item, false);
  if (told === undefined) return undefined;
  const params: DeflateParams = {
    serverNoContextTakeover: told.server_no_context_takeover ?? false,
    clientNoContextTakeover:
      told.client_no_context_takeover ?? policy.clientNoContextTakeover ?? false,
    serverMaxWindowBits: told.server_max_window_bits ?? 15,
    // One without a number has been refused by now.
    clientMaxWindowBits: Number(told.client_max_window_bits ?? policy.clientMaxWindowBits ?? 15),
  };
  const isKept =
    (params.serverNoContextTakeover || !policy.serverNoContextTakeover) &&
    params.serverMaxWindowBits <= (policy.serverMaxWindowBits ?? 15) &&
    params.clientMaxWindowBits <= (policy.clientMaxWindowBits ?? 15);
  return isKept ? params : undefined;
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
  const agree = (response: ResponseHead) => agreedWith(response, policy);
  return connect(url, { ...options, offer: { header: offerDeflate(policy), agree } }, handle);
}

function agreedWith(response: ResponseHead, policy: DeflatePolicy): Extension | undefined {
  const lines = response.headers.get('sec-websocket-extensions');
  if (lines === undefined) return undefined;
  const params = checkDeflate(parseExtensions(lines.join()) ?? [], policy);
  if (params) return new PerMessageDeflate('client', params);
  throw new OpeningError('9.1', 'The server uses an extension as nobody offered it.', response);
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
  let guesses = [known];
  for (let i = 0; i < count; i++) {
    const longer = guesses.flatMap((guess) => [...alphabet].map((letter) => guess + letter));
    const lengths = longer.map(lengthOf);
    // The more of the secret is right, the more is a reference back to it: the shortest go on.
    const least = Math.min(...lengths);
    guesses = longer.filter((_, at) => lengths[at] === least);
    if (guesses.length === longer.length) return undefined;
  }
  return guesses[0];
}
