/**
 * All steps, as somebody built them from the lesson's text: a header is read by a table of what can
 * follow what, a window slides in memory of its own, and the reader of compressed messages is a
 * `FrameReader` itself.
 */
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
} from '../../../shared/protocol.ts';
import type { RequestHead } from '../../../solutions/01-handshake/handshake.ts';
import {
  checkHeader,
  type FrameHeader,
  FrameReader,
  MAX_MESSAGE_BYTES,
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
  type ResponseHead,
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

const HEADER = 'sec-websocket-extensions';

const CHAR = "[!#$%&'*+.^_`|~0-9A-Za-z-]";
/** Sticky: stops at the first character that none of these begins with. */
const LEXEME = new RegExp(`[ \\t]+|[,;=]|${CHAR}+|"(?:\\\\?${CHAR})+"`, 'gy');

type Kind = ',' | ';' | '=' | 'token' | 'quoted';

/** Where we are: at the start of an element, or behind one of these. */
type Place = 'start' | 'name' | 'semicolon' | 'param' | 'equals' | 'value';

/** What can follow, and where that leads to. */
const GRAMMAR: Record<Place, Partial<Record<Kind, Place>>> = {
  start: { ',': 'start', token: 'name' },
  name: { ',': 'start', ';': 'semicolon' },
  semicolon: { token: 'param' },
  param: { ',': 'start', ';': 'semicolon', '=': 'equals' },
  equals: { token: 'value', quoted: 'value' },
  value: { ',': 'start', ';': 'semicolon' },
};

function kindOf(lexeme: string): Kind {
  if (lexeme === ',' || lexeme === ';' || lexeme === '=') return lexeme;
  return lexeme.startsWith('"') ? 'quoted' : 'token';
}

export function parseExtensions(header: string): ExtensionItem[] | undefined {
  const items: { name: string; params: { name: string; value: string | undefined }[] }[] = [];
  let place: Place = 'start';
  let end = 0;
  for (const { 0: lexeme, index } of header.matchAll(LEXEME)) {
    end = index + lexeme.length;
    if (lexeme.trim() === '') continue;
    const next: Place | undefined = GRAMMAR[place][kindOf(lexeme)];
    if (next === undefined) return undefined;
    place = next;
    if (place === 'name') items.push({ name: lexeme, params: [] });
    const params = items.at(-1)?.params;
    if (place === 'param') params?.push({ name: lexeme, value: undefined });
    if (place === 'value') params!.at(-1)!.value = lexeme.replace(/["\\]/g, '');
  }
  const isOpen = end < header.length || place === 'semicolon' || place === 'equals';
  return isOpen || items.length === 0 ? undefined : items;
}

/** What was said of each parameter: its number of bits, or `true` when it has no value. */
type Said = ReadonlyMap<string, number | true>;

const NO_VALUE = (value: string | undefined) => value === undefined;
const BITS = (value: string | undefined) => /^([89]|1[0-5])$/.test(value ?? '');

/** Which value a parameter can have. */
const IN_ANSWER: ReadonlyMap<string, (value: string | undefined) => boolean> = new Map([
  ['server_no_context_takeover', NO_VALUE],
  ['client_no_context_takeover', NO_VALUE],
  ['server_max_window_bits', BITS],
  ['client_max_window_bits', BITS],
]);
const IN_OFFER = new Map([
  ...IN_ANSWER,
  ['client_max_window_bits', (value: string | undefined) => NO_VALUE(value) || BITS(value)],
]);

/** `undefined`: one of the parameters cannot be. */
function read(params: readonly ExtensionParam[], allowed: typeof IN_ANSWER): Said | undefined {
  const said = new Map<string, number | true>();
  for (const { name, value } of params) {
    if (said.has(name) || !allowed.get(name)?.(value)) return undefined;
    said.set(name, value === undefined || Number(value));
  }
  return said;
}

/** Keeps to what was said of a window, and to what we want ourselves. */
function limit(said: number | true | undefined, wanted = 15): number {
  return Math.min(typeof said === 'number' ? said : 15, wanted);
}

export function chooseDeflate(
  offers: readonly ExtensionItem[],
  policy: DeflatePolicy = {},
): Agreement | undefined {
  for (const { name, params } of offers) {
    const offered = name === DEFLATE ? read(params, IN_OFFER) : undefined;
    if (offered) return answerTo(offered, policy);
  }
  return undefined;
}

function answerTo(offered: Said, policy: DeflatePolicy): Agreement {
  const serverBits = offered.get('server_max_window_bits');
  const clientBits = offered.get('client_max_window_bits');
  const params: DeflateParams = {
    serverNoContextTakeover:
      offered.has('server_no_context_takeover') || policy.serverNoContextTakeover === true,
    clientNoContextTakeover:
      offered.has('client_no_context_takeover') || policy.clientNoContextTakeover === true,
    serverMaxWindowBits: limit(serverBits, policy.serverMaxWindowBits),
    clientMaxWindowBits: clientBits ? limit(clientBits, policy.clientMaxWindowBits) : 15,
  };
  const saysServerBits = serverBits !== undefined || params.serverMaxWindowBits < 15;
  const parts = [
    [true, DEFLATE],
    [params.clientMaxWindowBits < 15, `client_max_window_bits=${params.clientMaxWindowBits}`],
    [saysServerBits, `server_max_window_bits=${params.serverMaxWindowBits}`],
    [params.clientNoContextTakeover, 'client_no_context_takeover'],
    [params.serverNoContextTakeover, 'server_no_context_takeover'],
  ] as const;
  return { params, header: joined(parts) };
}

function joined(parts: readonly (readonly [isSaid: boolean, text: string])[]): string {
  return parts
    .filter(([isSaid]) => isSaid)
    .map(([, text]) => text)
    .join('; ');
}

export function deflateMessage(
  plain: Uint8Array,
  window: Uint8Array = new Uint8Array(0),
  bits = 15,
): Uint8Array {
  const flushed = deflateRawSync(plain, {
    finishFlush: constants.Z_SYNC_FLUSH,
    windowBits: Math.max(bits, 9),
    dictionary: window,
  });
  return new Uint8Array(flushed.subarray(0, -TAIL.length));
}

export const MAX_FINAL_BLOCKS = 100;

/** What a sender leaves out. */
const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** How far a reference can reach. */
const FARTHEST = 2 ** 15;

export function inflateMessage(
  payload: Uint8Array,
  maxBytes = MAX_MESSAGE_BYTES,
  window: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const pieces = [...streams(Buffer.concat([payload, TAIL]), maxBytes, window)];
  return new Uint8Array(Buffer.concat(pieces));
}

/** Decompresses one stream after the other, until no byte is left. */
function* streams(bytes: Uint8Array, maxBytes: number, window: Uint8Array): Generator<Uint8Array> {
  let [left, room, before] = [bytes, maxBytes, window];
  for (let finals = 0; left.length > 0; finals++) {
    if (finals > MAX_FINAL_BLOCKS) throw tooBig();
    const { buffer: plain, engine } = inflate(left, room, before);
    if (plain.length > room) throw tooBig();
    yield plain;
    left = left.subarray(engine.bytesWritten);
    room -= plain.length;
    before = Buffer.concat([before, plain.subarray(-FARTHEST)]).subarray(-FARTHEST);
  }
}

interface Inflated {
  readonly buffer: Uint8Array;
  readonly engine: { readonly bytesWritten: number };
}

function inflate(bytes: Uint8Array, room: number, dictionary: Uint8Array): Inflated {
  try {
    return inflateRawSync(bytes, {
      finishFlush: constants.Z_SYNC_FLUSH,
      dictionary,
      maxOutputLength: Math.max(Math.min(room, kMaxLength), 1),
      info: true,
    }) as unknown as Inflated;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooBig();
    if (!code.startsWith('Z_')) throw error;
    throw new ProtocolError(
      CloseCode.InvalidPayload,
      'RFC 7692 §7.2.2',
      'A message that is not DEFLATE.',
    );
  }
}

function tooBig(): ProtocolError {
  return new ProtocolError(CloseCode.MessageTooBig, '10.4', 'A message that gets too large.');
}

export function slide(window: Uint8Array, plain: Uint8Array, bits = 15): Uint8Array {
  const size = 2 ** bits;
  const slid = new Uint8Array(Math.min(window.length + plain.length, size));
  const end = plain.subarray(Math.max(plain.length - size, 0));
  const kept = slid.length - end.length;
  slid.set(window.subarray(window.length - kept));
  slid.set(end, kept);
  return slid;
}

/** Bytes that grow at their end, in memory that doubles. Of more than `size`, the first are lost. */
class History {
  readonly #size: number;
  #memory = new Uint8Array(0);
  #length = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** A view: it is right until something is added. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#length);
  }

  add(plain: Uint8Array): void {
    const end = plain.subarray(Math.max(plain.length - this.#size, 0));
    const kept = Math.min(this.#length, this.#size - end.length);
    this.#reserve(kept + end.length);
    this.#memory.copyWithin(0, this.#length - kept, this.#length);
    this.#memory.set(end, kept);
    this.#length = kept + end.length;
  }

  #reserve(length: number): void {
    if (length <= this.#memory.length) return;
    const memory = new Uint8Array(Math.min(Math.max(length, this.#length * 2), this.#size));
    memory.set(this.bytes);
    this.#memory = memory;
  }
}

export class Deflater {
  readonly #bits: number;
  readonly #history: History;

  constructor(bits = 15, takeover = true) {
    this.#bits = bits;
    this.#history = new History(takeover ? 2 ** bits : 0);
  }

  deflate(plain: Uint8Array): Uint8Array | undefined {
    const packed = deflateMessage(plain, this.#history.bytes, this.#bits);
    if (packed.length >= plain.length) return undefined;
    this.#history.add(plain);
    return packed;
  }
}

export class Inflater {
  readonly #history: History;

  constructor(bits = 15, takeover = true) {
    this.#history = new History(takeover ? 2 ** bits : 0);
  }

  inflate(payload: Uint8Array, maxBytes = MAX_MESSAGE_BYTES): Uint8Array {
    const plain = inflateMessage(payload, maxBytes, this.#history.bytes);
    this.#history.add(plain);
    return plain;
  }
}

/** A message that is arriving. */
interface OpenMessage {
  /** The header of its first frame. */
  readonly first: FrameHeader;
  /** What has arrived of it. `undefined`: it is not compressed, and its frames were passed on. */
  readonly packed: History | undefined;
  /** What its headers have announced so far. */
  readonly announced: number;
}

export class InflatingReader extends FrameReader {
  readonly #role: Role;
  readonly #check: (header: FrameHeader) => void;
  readonly #inflater: Inflater;
  readonly #maxMessageBytes: number;
  #open: OpenMessage | undefined;

  constructor(
    role: Role,
    check: (header: FrameHeader) => void,
    inflater: Inflater,
    maxMessageBytes = MAX_MESSAGE_BYTES,
  ) {
    super((header) => {
      if (isControl(header.opcode)) check(header);
      else this.#open = this.#follow(header);
    });
    this.#role = role;
    this.#check = check;
    this.#inflater = inflater;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Checks the header of a data frame. Returns the message that it belongs to. */
  #follow(header: FrameHeader): OpenMessage {
    const isFirst = header.opcode !== Opcode.Continuation;
    const isPacked = isFirst ? (header.rsv & 0b100) !== 0 : this.#open?.packed !== undefined;
    if (!isPacked && !this.#open?.packed) {
      this.#check(header);
      return { first: header, packed: undefined, announced: 0 };
    }
    if (isFirst && this.#open) throw newMessage();
    checkHeader(isFirst ? { ...header, rsv: header.rsv & 0b011 } : header, this.#role);
    const open = this.#open ?? { first: header, packed: endless(), announced: 0 };
    const announced = open.announced + header.payloadLength;
    if (announced > this.#maxMessageBytes) throw tooBig();
    return { ...open, announced };
  }

  override read(): Frame | undefined {
    for (let frame = super.read(); frame; frame = super.read()) {
      const { fin, opcode, payload } = frame;
      const open = isControl(opcode) ? undefined : this.#open;
      if (open && fin) this.#open = undefined;
      if (!open?.packed) return frame;
      open.packed.add(payload);
      if (fin) return this.#whole(open.first, open.packed.bytes);
    }
    return undefined;
  }

  #whole(first: FrameHeader, packed: Uint8Array): Frame {
    const payload = this.#inflater.inflate(packed, this.#maxMessageBytes);
    this.#check({ ...first, fin: true, rsv: 0, payloadLength: payload.length });
    return { fin: true, opcode: first.opcode, payload };
  }

  override peek(from = 0): Uint8Array {
    return this.#open?.packed ? new Uint8Array(0) : super.peek(from);
  }
}

function endless(): History {
  return new History(Number.POSITIVE_INFINITY);
}

function newMessage(): ProtocolError {
  return new ProtocolError(
    CloseCode.ProtocolError,
    '5.4',
    'A new message before the compressed one has ended.',
  );
}

export function deflatedFrames(
  deflater: Deflater,
  opcode: number,
  data: Uint8Array,
  maxPayload: number,
  { compress = true }: SendOptions = {},
): Frame[] {
  // Throws for what cannot be sent, before anything is in the window.
  const asIs = fragment(opcode, data, maxPayload);
  const packed = compress ? deflater.deflate(data) : undefined;
  if (!packed) return asIs;
  return fragment(opcode, packed, maxPayload).map((frame, i) => ({ ...frame, rsv1: i === 0 }));
}

export class PerMessageDeflate implements Extension {
  readonly #role: Role;
  readonly #deflater: Deflater;
  readonly #inflater: Inflater;

  constructor(role: Role, params: DeflateParams) {
    const windows = {
      server: [params.serverMaxWindowBits, !params.serverNoContextTakeover],
      client: [params.clientMaxWindowBits, !params.clientNoContextTakeover],
    } as const;
    this.#role = role;
    this.#deflater = new Deflater(...windows[role]);
    this.#inflater = new Inflater(...windows[role === 'server' ? 'client' : 'server']);
  }

  readerFor(maxMessageBytes: number): MessageReader {
    return new MessageReader(
      this.#role,
      maxMessageBytes,
      (check) => new InflatingReader(this.#role, check, this.#inflater, maxMessageBytes),
    );
  }

  framesFor(opcode: number, data: Uint8Array, maxPayload: number, options?: SendOptions): Frame[] {
    return deflatedFrames(this.#deflater, opcode, data, maxPayload, options);
  }
}

export function agreeOnDeflate(
  opening: Accepted,
  { headers }: RequestHead,
  policy: DeflatePolicy = {},
): Accepted {
  const lines = headers.get(HEADER);
  if (!lines) return opening;
  const offers = parseExtensions(lines.join());
  if (!offers)
    throw new HandshakeError(400, '9.1', 'The offer of extensions is not a list of them.');
  const agreement = chooseDeflate(offers, policy);
  if (!agreement) return opening;
  const head = Buffer.from(opening.answer).toString('latin1').slice(0, -2);
  return {
    ...opening,
    answer: Buffer.from(`${head}Sec-WebSocket-Extensions: ${agreement.header}\r\n\r\n`, 'latin1'),
    extension: new PerMessageDeflate('server', agreement.params),
  };
}

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

export function offerDeflate(policy: DeflatePolicy = {}): string {
  const { serverMaxWindowBits, clientMaxWindowBits } = policy;
  const clientBits = clientMaxWindowBits === undefined ? '' : `=${clientMaxWindowBits}`;
  return joined([
    [true, DEFLATE],
    [true, `client_max_window_bits${clientBits}`],
    [serverMaxWindowBits !== undefined, `server_max_window_bits=${serverMaxWindowBits}`],
    [policy.clientNoContextTakeover === true, 'client_no_context_takeover'],
    [policy.serverNoContextTakeover === true, 'server_no_context_takeover'],
  ]);
}

export function checkDeflate(
  answer: readonly ExtensionItem[],
  policy: DeflatePolicy = {},
): DeflateParams | undefined {
  const [element, ...others] = answer;
  if (element?.name !== DEFLATE || others.length > 0) return undefined;
  const said = read(element.params, IN_ANSWER);
  if (!said) return undefined;
  const { serverMaxWindowBits = 15, clientMaxWindowBits = 15 } = policy;
  const params: DeflateParams = {
    serverNoContextTakeover: said.has('server_no_context_takeover'),
    clientNoContextTakeover:
      said.has('client_no_context_takeover') || policy.clientNoContextTakeover === true,
    serverMaxWindowBits: Number(said.get('server_max_window_bits') ?? 15),
    clientMaxWindowBits: Number(said.get('client_max_window_bits') ?? clientMaxWindowBits),
  };
  const isKept =
    params.serverMaxWindowBits <= serverMaxWindowBits &&
    params.clientMaxWindowBits <= clientMaxWindowBits &&
    (params.serverNoContextTakeover || !policy.serverNoContextTakeover);
  return isKept ? params : undefined;
}

export function connectCompressing(
  url: string,
  options: ClientOptions,
  handle: ClientHandler,
  policy: DeflatePolicy = {},
): ClientConnection {
  const agree = (response: ResponseHead) => {
    const lines = response.headers.get(HEADER);
    if (!lines) return undefined;
    const params = checkDeflate(parseExtensions(lines.join()) ?? [], policy);
    if (!params) throw new OpeningError('9.1', 'The answer does not fit our offer.', response);
    return new PerMessageDeflate('client', params);
  };
  return connect(url, { ...options, offer: { header: offerDeflate(policy), agree } }, handle);
}

export function guessSecret(
  lengthOf: (text: string) => number,
  known: string,
  alphabet: string,
  count: number,
): string | undefined {
  return longer([known], lengthOf, alphabet, count);
}

/** Makes guesses longer by so many characters. The first of the best is the secret. */
function longer(
  guesses: readonly string[],
  lengthOf: (text: string) => number,
  alphabet: string,
  count: number,
): string | undefined {
  if (count === 0) return guesses[0];
  const texts = guesses.flatMap((guess) => [...alphabet].map((character) => guess + character));
  const lengths = texts.map(lengthOf);
  const least = Math.min(...lengths);
  const best = texts.filter((_, at) => lengths[at] === least);
  if (best.length === texts.length) return undefined;
  return longer(best, lengthOf, alphabet, count - 1);
}
