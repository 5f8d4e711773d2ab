/** Lesson 07 without regular expressions where it can be, with plain functions and other options of zlib. */
import { constants, deflateRawSync, inflateRawSync, type ZlibOptions } from 'node:zlib';
import {
  CloseCode,
  type Extension,
  type Frame,
  HandshakeError,
  OpeningError,
  ProtocolError,
  type Role,
  type SendOptions,
} from '../../../shared/protocol.ts';
import type { RequestHead } from '../../../solutions/01-handshake/handshake.ts';
import {
  checkHeader,
  type FrameHeader,
  FrameReader,
  MessageReader,
} from '../../../solutions/02-reading-frames/reading.ts';
import {
  encodeFrames,
  encodeMaskedFrame,
  fragment,
  SendQueue,
} from '../../../solutions/03-sending-frames/sending.ts';
import {
  type Accepted,
  Connection,
  type Handler,
  type Options,
  openingHandshake,
  WebSocketServer,
} from '../../../solutions/05-server/server.ts';
import {
  ClientConnection,
  type ClientHandler,
  type ClientOptions,
  connect,
} from '../../../solutions/06-client/client.ts';
import type {
  Agreement,
  DeflateParams,
  DeflatePolicy,
  ExtensionItem,
  ExtensionParam,
} from '../../../solutions/07-compression/compression.ts';

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

export const DEFLATE = 'permessage-deflate';

const TOKEN_CHARACTERS = new Set(
  "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
);

/** Reads a header character by character. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }

  take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Throws a `SyntaxError` when none is there. */
  token(): string {
    this.#skipSpace();
    const start = this.#at;
    while (TOKEN_CHARACTERS.has(this.#text[this.#at] ?? '')) this.#at++;
    if (this.#at === start) throw new SyntaxError('A token is missing.');
    return this.#text.slice(start, this.#at);
  }

  /** Throws a `SyntaxError` for what is no token when the quotes are gone. */
  value(): string {
    if (!this.take('"')) return this.token();
    let value = '';
    while (this.#text[this.#at] !== '"') {
      if (this.#text[this.#at] === '\\') this.#at++;
      const character = this.#text[this.#at++] ?? '';
      if (!TOKEN_CHARACTERS.has(character)) throw new SyntaxError('That is no token.');
      value += character;
    }
    this.#at++;
    if (value === '') throw new SyntaxError('An empty string is no token.');
    return value;
  }
}

export function parseExtensions(header: string): ExtensionItem[] | undefined {
  const scanner = new Scanner(header);
  const items: ExtensionItem[] = [];
  try {
    while (!scanner.isAtEnd) {
      if (scanner.take(',')) continue;
      const name = scanner.token();
      const params: ExtensionParam[] = [];
      while (scanner.take(';')) {
        const name = scanner.token();
        params.push({ name, value: scanner.take('=') ? scanner.value() : undefined });
      }
      items.push({ name, params });
      if (!scanner.isAtEnd && !scanner.take(',')) return undefined;
    }
  } catch {
    return undefined;
  }
  return items.length > 0 ? items : undefined;
}

const BITS = new Map(Array.from({ length: 8 }, (_, i) => [`${i + 8}`, i + 8]));

/** The values of an element's parameters by their names; `null` stands for none. */
function valuesOf(item: ExtensionItem, isOffer: boolean): Map<string, number | null> | undefined {
  const values = new Map<string, number | null>();
  for (const { name, value } of item.params) {
    const isBits = name === 'server_max_window_bits' || name === 'client_max_window_bits';
    const isFlag = name === 'server_no_context_takeover' || name === 'client_no_context_takeover';
    if (values.has(name) || !(isBits || isFlag)) return undefined;
    if (isFlag) {
      if (value !== undefined) return undefined;
      values.set(name, null);
    } else if (value === undefined) {
      if (!isOffer || name !== 'client_max_window_bits') return undefined;
      values.set(name, null);
    } else {
      const bits = BITS.get(value);
      if (bits === undefined) return undefined;
      values.set(name, bits);
    }
  }
  return values;
}

export function chooseDeflate(
  offers: readonly ExtensionItem[],
  policy: DeflatePolicy = {},
): Agreement | undefined {
  const asked = offers
    .filter(({ name }) => name === DEFLATE)
    .map((offer) => valuesOf(offer, true))
    .find((values) => values !== undefined);
  if (asked === undefined) return undefined;
  const words = [DEFLATE];
  const forgets = (side: 'server' | 'client', wanted: boolean | undefined) => {
    const isSo = asked.has(`${side}_no_context_takeover`) || wanted === true;
    if (isSo) words.push(`${side}_no_context_takeover`);
    return isSo;
  };
  const serverNoContextTakeover = forgets('server', policy.serverNoContextTakeover);
  const clientNoContextTakeover = forgets('client', policy.clientNoContextTakeover);
  const own = asked.get('server_max_window_bits') ?? 15;
  const serverMaxWindowBits = Math.min(own, policy.serverMaxWindowBits ?? 15);
  if (asked.has('server_max_window_bits') || serverMaxWindowBits !== 15) {
    words.push(`server_max_window_bits=${serverMaxWindowBits}`);
  }
  let clientMaxWindowBits = 15;
  if (asked.has('client_max_window_bits')) {
    const theirs = asked.get('client_max_window_bits') ?? 15;
    clientMaxWindowBits = Math.min(theirs, policy.clientMaxWindowBits ?? 15);
    if (clientMaxWindowBits !== 15) words.push(`client_max_window_bits=${clientMaxWindowBits}`);
  }
  const params = {
    serverNoContextTakeover,
    clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits,
  };
  return { params, header: words.join('; ') };
}

export function deflateMessage(
  plain: Uint8Array,
  window: Uint8Array = new Uint8Array(0),
  bits = 15,
): Uint8Array {
  const options: ZlibOptions = {
    finishFlush: constants.Z_SYNC_FLUSH,
    windowBits: bits === 8 ? 9 : bits,
    level: 9,
    memLevel: 9,
  };
  if (window.length > 0) options.dictionary = window;
  const packed = deflateRawSync(plain, options);
  return Uint8Array.from(packed.subarray(0, packed.length - 4));
}

export const MAX_FINAL_BLOCKS = 100;

const fail = (code: 1002 | 1007 | 1009, section: string, message: string) =>
  new ProtocolError(code, section, message);

export function inflateMessage(
  payload: Uint8Array,
  maxBytes = 16 * 1024 * 1024,
  window: Uint8Array = new Uint8Array(0),
): Uint8Array {
  let packed: Uint8Array = Buffer.concat([payload, Buffer.from('0000ffff', 'hex')]);
  const pieces: Uint8Array[] = [];
  let size = 0;
  let before = window;
  let finals = 0;
  while (packed.length > 0) {
    let result: { buffer: Buffer; engine: { bytesWritten: number } };
    try {
      result = inflateRawSync(packed, {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: Math.min(maxBytes - size + 1, 2 ** 32 - 1),
        info: true,
        ...(before.length > 0 && { dictionary: before }),
      }) as never;
    } catch (error) {
      if (error instanceof RangeError) throw fail(CloseCode.MessageTooBig, '10.4', error.message);
      throw fail(CloseCode.InvalidPayload, 'RFC 7692 §7.2.2', String(error));
    }
    pieces.push(result.buffer);
    size += result.buffer.length;
    if (size > maxBytes) throw fail(CloseCode.MessageTooBig, '10.4', 'Too much.');
    before = Buffer.concat([before, result.buffer]).subarray(-32_768);
    packed = packed.subarray(result.engine.bytesWritten);
    if (packed.length > 0 && ++finals > MAX_FINAL_BLOCKS) {
      throw fail(CloseCode.MessageTooBig, '10.4', 'Too many final blocks.');
    }
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

export function slide(window: Uint8Array, plain: Uint8Array, bits = 15): Uint8Array {
  const both = Buffer.concat([window, plain]);
  return Uint8Array.from(both.subarray(Math.max(0, both.length - (1 << bits))));
}

export class Deflater {
  readonly #forget: boolean;
  readonly #bits: number;
  #window: Uint8Array = new Uint8Array(0);

  constructor(bits = 15, takeover = true) {
    this.#bits = bits;
    this.#forget = !takeover;
  }

  deflate(plain: Uint8Array): Uint8Array | undefined {
    const packed = deflateMessage(plain, this.#window, this.#bits);
    if (packed.length >= plain.length) return undefined;
    if (!this.#forget) this.#window = slide(this.#window, plain, this.#bits);
    return packed;
  }
}

export class Inflater {
  readonly #forget: boolean;
  readonly #bits: number;
  #window: Uint8Array = new Uint8Array(0);

  constructor(bits = 15, takeover = true) {
    this.#bits = bits;
    this.#forget = !takeover;
  }

  inflate(payload: Uint8Array, maxBytes?: number): Uint8Array {
    const plain = inflateMessage(payload, maxBytes, this.#window);
    if (!this.#forget) this.#window = slide(this.#window, plain, this.#bits);
    return plain;
  }
}

/** The compressed message that is open. */
interface Packed {
  readonly first: FrameHeader;
  announced: number;
  /** Joined a thousand at a time: a payload of a byte is an object of a hundred. */
  pieces: Uint8Array[];
}

/** How many pieces are kept before they are joined. */
const MAX_PIECES = 1000;

export class InflatingReader {
  readonly #frames: FrameReader;
  readonly #finish: (packed: Packed) => Frame;
  #packed: Packed | undefined;
  #isOpen = false;

  constructor(
    role: Role,
    check: (header: FrameHeader) => void,
    inflater: Inflater,
    maxMessageBytes = 16 * 1024 * 1024,
  ) {
    this.#frames = new FrameReader((header) => {
      const isFirst = header.opcode === 1 || header.opcode === 2;
      const isPacked = header.rsv >= 4 && isFirst;
      if (header.opcode >= 8 || !(this.#packed || isPacked)) {
        check(header);
        if (header.opcode < 8) this.#isOpen = !header.fin;
        return;
      }
      const bare = isPacked ? { ...header, rsv: header.rsv - 4 } : header;
      checkHeader(bare, role);
      if (this.#isOpen || (this.#packed && isFirst)) {
        throw fail(1002, '5.4', 'A message inside of another.');
      }
      const packed = this.#packed ?? { first: bare, announced: 0, pieces: [] };
      packed.announced += header.payloadLength;
      if (packed.announced > maxMessageBytes) throw fail(1009, '10.4', 'Too much.');
      this.#packed = packed;
    });
    this.#finish = ({ first, pieces }) => {
      const payload = inflater.inflate(Buffer.concat(pieces), maxMessageBytes);
      check({ ...first, fin: true, payloadLength: payload.length });
      return { fin: true, opcode: first.opcode, payload };
    };
  }

  push(chunk: Uint8Array): void {
    this.#frames.push(chunk);
  }

  read(): Frame | undefined {
    for (;;) {
      const frame = this.#frames.read();
      const packed = this.#packed;
      if (frame === undefined || packed === undefined || frame.opcode >= 8) return frame;
      packed.pieces.push(frame.payload);
      if (packed.pieces.length > MAX_PIECES) packed.pieces = [Buffer.concat(packed.pieces)];
      if (!frame.fin) continue;
      this.#packed = undefined;
      return this.#finish(packed);
    }
  }

  peek(from = 0): Uint8Array {
    return this.#packed ? new Uint8Array(0) : this.#frames.peek(from);
  }
}

export function deflatedFrames(
  deflater: Deflater,
  opcode: number,
  data: Uint8Array,
  maxPayload: number,
  options: SendOptions = {},
): Frame[] {
  const plain = fragment(opcode, data, maxPayload);
  const packed = options.compress === false ? undefined : deflater.deflate(data);
  if (packed === undefined) return plain;
  return fragment(opcode, packed, maxPayload).map((frame, i) =>
    i === 0 ? { ...frame, rsv1: true } : frame,
  );
}

export class PerMessageDeflate implements Extension {
  readonly readerFor: (maxMessageBytes: number) => MessageReader;
  readonly framesFor: Extension['framesFor'];

  constructor(role: Role, params: DeflateParams) {
    const ours = role === 'server' ? 'server' : 'client';
    const theirs = role === 'server' ? 'client' : 'server';
    const deflater = new Deflater(
      params[`${ours}MaxWindowBits`],
      !params[`${ours}NoContextTakeover`],
    );
    const inflater = new Inflater(
      params[`${theirs}MaxWindowBits`],
      !params[`${theirs}NoContextTakeover`],
    );
    this.readerFor = (max) =>
      new MessageReader(role, max, (check) => new InflatingReader(role, check, inflater, max));
    this.framesFor = (opcode, data, maxPayload, options) =>
      deflatedFrames(deflater, opcode, data, maxPayload, options);
  }
}

export function agreeOnDeflate(
  opening: Accepted,
  request: RequestHead,
  policy: DeflatePolicy = {},
): Accepted {
  const header = request.headers.get('sec-websocket-extensions')?.join(', ');
  if (header === undefined) return opening;
  const offers = parseExtensions(header);
  if (offers === undefined) throw new HandshakeError(400, '9.1', 'That is no list of extensions.');
  const agreement = chooseDeflate(offers, policy);
  if (agreement === undefined) return opening;
  const text = Buffer.from(opening.answer).toString('latin1');
  const line = `Sec-WebSocket-Extensions: ${agreement.header}`;
  const answer = Buffer.from(`${text.slice(0, -2)}${line}\r\n\r\n`, 'latin1');
  return { ...opening, answer, extension: new PerMessageDeflate('server', agreement.params) };
}

export function compressingServer(
  handle: Handler,
  options: Options = {},
  policy: DeflatePolicy = {},
): WebSocketServer {
  const extend: NonNullable<Options['extend']> = (opening, request) => {
    const before = options.extend ? options.extend(opening, request) : opening;
    return agreeOnDeflate(before, request, policy);
  };
  return new WebSocketServer(handle, { ...options, extend });
}

export function offerDeflate(policy: DeflatePolicy = {}): string {
  let offer = DEFLATE;
  if (policy.serverNoContextTakeover) offer += '; server_no_context_takeover';
  if (policy.clientNoContextTakeover) offer += '; client_no_context_takeover';
  if (policy.serverMaxWindowBits) offer += `; server_max_window_bits=${policy.serverMaxWindowBits}`;
  offer += '; client_max_window_bits';
  if (policy.clientMaxWindowBits) offer += `=${policy.clientMaxWindowBits}`;
  return offer;
}

export function checkDeflate(
  answer: readonly ExtensionItem[],
  policy: DeflatePolicy = {},
): DeflateParams | undefined {
  const item = answer[0];
  if (answer.length !== 1 || item?.name !== DEFLATE) return undefined;
  const told = valuesOf(item, false);
  if (told === undefined) return undefined;
  const serverNoContextTakeover = told.has('server_no_context_takeover');
  if (policy.serverNoContextTakeover && !serverNoContextTakeover) return undefined;
  const serverMaxWindowBits = told.get('server_max_window_bits') ?? 15;
  if (serverMaxWindowBits > (policy.serverMaxWindowBits ?? 15)) return undefined;
  const offered = policy.clientMaxWindowBits ?? 15;
  const clientMaxWindowBits = told.get('client_max_window_bits') ?? offered;
  if (clientMaxWindowBits > offered) return undefined;
  const clientNoContextTakeover =
    told.has('client_no_context_takeover') || policy.clientNoContextTakeover === true;
  return {
    serverNoContextTakeover,
    clientNoContextTakeover,
    serverMaxWindowBits,
    clientMaxWindowBits,
  };
}

export function connectCompressing(
  url: string,
  options: ClientOptions,
  handle: ClientHandler,
  policy: DeflatePolicy = {},
) {
  const offer: NonNullable<ClientOptions['offer']> = {
    header: offerDeflate(policy),
    agree(response) {
      const header = response.headers.get('sec-websocket-extensions')?.join(', ');
      if (header === undefined) return undefined;
      const items = parseExtensions(header);
      const params = items && checkDeflate(items, policy);
      if (params) return new PerMessageDeflate('client', params);
      throw new OpeningError('9.1', 'Nobody has offered that.', response);
    },
  };
  return connect(url, { ...options, offer }, handle);
}

export function guessSecret(
  lengthOf: (text: string) => number,
  known: string,
  alphabet: string,
  count: number,
): string | undefined {
  let best = new Set([known]);
  for (let i = 0; i < count; i++) {
    const byLength = new Map<number, Set<string>>();
    for (const start of best) {
      for (const letter of alphabet) {
        const guess = start + letter;
        const length = lengthOf(guess);
        byLength.set(length, (byLength.get(length) ?? new Set()).add(guess));
      }
    }
    if (byLength.size === 1) return undefined;
    best = byLength.get(Math.min(...byLength.keys()))!;
  }
  return [...best][0];
}
