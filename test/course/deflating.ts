/** Compression for the small echo server and client, which breaks a rule when it is told to. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Agreed } from '../../shared/conformance/deflate.ts';
import {
  agreedOn,
  answerTo,
  DEFLATE,
  type DeflateParams,
  parseList,
  readOffers,
} from '../../shared/conformance/extensions.ts';
import { join } from '../../shared/kit/frames.ts';
import { CloseCode, Opcode } from '../../shared/protocol.ts';
import { fromHex } from '../../shared/view/hex.ts';

/** The mistakes with compression. Whoever makes one compresses. */
const DEFLATE_FAULTS = [
  /** No fault: it compresses. */
  'deflates',
  /** RSV1 is accepted on any frame. */
  'rsv1-anywhere',
  /** A control frame ends the compression of the message that it is in. */
  'ping-ends-packed',
  /** Once there is compression, each message is inflated. */
  'all-packed',
  /** Text is checked before it is inflated. */
  'text-before-inflate',
  /** Compressed text is not checked. */
  'no-text-check',
  /** The window of the peer is dropped. */
  'forgets',
  /** The window of the peer is one byte too short. */
  'window-one-short',
  /** Plain messages are in the window of the peer. */
  'plain-in-window',
  /** What is behind a block with BFINAL is lost. */
  'no-second-stream',
  /** After a block with BFINAL, nothing comes out any more. */
  'bfinal-is-over',
  /** What cannot be inflated is empty. */
  'passes-garbage',
  /** With what is too much it is busy for a long time. */
  'busy-with-bombs',
  /** What is above the limit is cut off. */
  'cuts-at-limit',
  /** Control frames have RSV1. */
  'packs-control',
  /** Continuations have RSV1. */
  'rsv1-on-all',
  /** 00 00 ff ff is sent. */
  'tail-uncut',
  /** Messages end with BFINAL. */
  'finishes',
  /** An empty message has 0 bytes. */
  'empty-as-nothing',
  /** What does not get shorter goes plain, and has entered the window. */
  'unshrunk-in-window',
  /** It refers back to earlier messages although it was to forget them. */
  'takes-over-anyway',
  /** Continuations of large messages have RSV1. */
  'rsv1-on-large',
  /** The lengths of all messages count towards the limit of one. */
  'lengths-add-up-unpacked',
  /** The blocks with BFINAL of all messages count towards the limit of one. */
  'finals-add-up',
  /** A byte order mark is no part of a text. */
  'strips-mark',
  /** No fault: the answer to a Close overtakes the echo of a compressed message. */
  'close-overtakes-packed',
  /** A plain message overtakes compressed ones. */
  'plain-overtakes',
  /** Of a message that is longer than the window, the beginning is kept. */
  'keeps-the-beginning',
  /** Each fragment is inflated by itself. */
  'each-fragment',
  /** Each side forgets when the other one has to. */
  'swaps-takeover',
  /** It looks back 32 KiB whatever was agreed on. */
  'looks-far-back',
  /** All connections have one window for what is sent. */
  'one-window-for-all',
  /** The client's window is limited, whether it understands that or not. */
  'limits-unasked',
  /** A client takes any answer for a good one. */
  'takes-any-answer',
  /** `client_max_window_bits` is answered without a value. */
  'bits-without-value',
  /** `server_max_window_bits` is not answered. */
  'loses-bits',
  /** `server_no_context_takeover` is not answered. */
  'loses-takeover',
  /** Two offers are accepted. */
  'answers-twice',
  /** Values are read as numbers of any form. */
  'lax-numbers',
  /** Without `client_max_window_bits` there is no compression. */
  'needs-bits',
  /** A bad offer is refused with 400. */
  'refuses-bad-offers',
  /** The first offer is the only one that is looked at. */
  'first-offer-only',
  /** The first header line is the only one that is looked at. */
  'first-line-only',
  /** What is no list of extensions is passed over. */
  'takes-no-list',
] as const;
export type DeflateFault = (typeof DEFLATE_FAULTS)[number];

/** Says whether a fault is one with compression. */
export function isDeflateFault(fault: string | undefined): fault is DeflateFault {
  return (DEFLATE_FAULTS as readonly (string | undefined)[]).includes(fault);
}

const TAIL = fromHex('00 00 ff ff');
const WINDOW_BYTES = 32_768;
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_STREAMS = 100;
const shared = { window: new Uint8Array(0) };

/** Answers the offers of a client. `undefined`: they break the grammar. '': there is no extension. */
export function answerOffers(
  values: readonly string[],
  fault: DeflateFault,
): { readonly answer: string; readonly agreed?: Agreed | undefined } | undefined {
  if (values.length === 0) return { answer: '' };
  const lines = fault === 'first-line-only' ? values.slice(0, 1) : values;
  const elements = parseList(lines.join());
  if (!elements) return fault === 'takes-no-list' ? { answer: '' } : undefined;
  const offers = offersFor(lines, elements.length, fault);
  if (!offers) return undefined;
  const [offer] = offers;
  if (!offer) return { answer: '' };
  const params = { ...offer, ...(fault === 'limits-unasked' && { client_max_window_bits: 15 }) };
  const { client_max_window_bits: bits, server_max_window_bits: own } = params;
  const wanted: DeflateParams = {
    ...(typeof bits === 'number' && { client_max_window_bits: bits }),
    ...(own !== undefined && { server_max_window_bits: own }),
  };
  const { client, server } = agreedOn(wanted, offers);
  const takeover = !offer.server_no_context_takeover;
  const answer = spoil(answerTo(offer, wanted), fault);
  return { answer, agreed: { ours: { ...server, takeover }, theirs: client } };
}

/** The offers that are looked at. `undefined`: they are refused. */
function offersFor(lines: readonly string[], elements: number, fault: DeflateFault) {
  const lax = (value: string) =>
    value.replace(/bits="?([^;,"]+)/g, (_, bits) => `bits=${Number(bits)}`);
  const offers = readOffers(fault === 'lax-numbers' ? lines.map(lax) : lines);
  if (fault === 'refuses-bad-offers' && offers.length < elements) return undefined;
  if (fault === 'needs-bits') return offers.filter((offer) => offer.client_max_window_bits);
  return fault === 'first-offer-only' ? readOffers(lines.join().split(',').slice(0, 1)) : offers;
}

function spoil(answer: string, fault: DeflateFault): string {
  switch (fault) {
    case 'bits-without-value':
      return `${answer}; client_max_window_bits`;
    case 'loses-bits':
      return answer.replace(/; server_max_window_bits=\d+/, '');
    case 'loses-takeover':
      return answer.replace('; server_no_context_takeover', '');
    case 'answers-twice':
      return `${answer}, ${DEFLATE}`;
    default:
      return answer;
  }
}

/** A message cannot be unpacked, and the connection has to fail with this code. */
export class Unpackable extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`Close ${code}`);
    this.code = code;
  }
}

/** There is no answer to be expected for a long time. */
export class Busy extends Error {}

/** The windows of one connection. */
export class Deflating {
  readonly #agreed: Agreed;
  readonly #fault: DeflateFault;
  #received: Uint8Array = new Uint8Array(0);
  #sent = { window: new Uint8Array(0) as Uint8Array };
  #isOver = false;
  #unpackedBytes = 0;
  #finals = 0;

  constructor(agreed: Agreed, fault: DeflateFault) {
    const [{ takeover: mine }, { takeover: yours }] = [agreed.ours, agreed.theirs];
    const isSwapped = fault === 'swaps-takeover';
    this.#agreed = {
      ours: { ...agreed.ours, takeover: isSwapped ? yours : mine },
      theirs: { ...agreed.theirs, takeover: isSwapped ? mine : yours },
    };
    this.#fault = fault;
    if (fault === 'one-window-for-all') this.#sent = shared;
  }

  /** Unpacks a message. Throws `Unpackable`. */
  inflate(payload: Uint8Array): Uint8Array {
    const fault = this.#fault;
    if (this.#isOver) return new Uint8Array(0);
    const pieces: Uint8Array[] = [];
    const used = fault === 'lengths-add-up-unpacked' ? this.#unpackedBytes : 0;
    let [window, room] = [this.#received, MAX_BYTES - used];
    let rest: Uint8Array = join(payload, TAIL);
    for (let streams = 1; rest.length > 0; streams++) {
      const before = fault === 'finals-add-up' ? this.#finals++ : 0;
      if (streams + before > MAX_STREAMS) throw this.#tooMuch();
      const { plain, read } = this.#inflateStream(rest, window, room);
      if (plain.length > 0) pieces.push(plain);
      this.#unpackedBytes += plain.length;
      const isKept = fault === 'keeps-the-beginning' && plain.length > WINDOW_BYTES;
      window = isKept ? plain.slice(0, WINDOW_BYTES) : join(window, plain).subarray(-WINDOW_BYTES);
      room -= plain.length;
      rest = rest.subarray(read);
      if (rest.length > 0) this.#isOver = fault === 'bfinal-is-over';
      if (fault === 'no-second-stream' || this.#isOver) break;
    }
    const kept = fault === 'window-one-short' ? WINDOW_BYTES - 1 : WINDOW_BYTES;
    const { takeover } = this.#agreed.theirs;
    if (takeover && fault !== 'forgets') this.#received = Uint8Array.from(window.subarray(-kept));
    return join(...pieces);
  }

  #inflateStream(bytes: Uint8Array, dictionary: Uint8Array, room: number) {
    try {
      const { buffer, engine } = inflateRawSync(bytes, {
        finishFlush: constants.Z_SYNC_FLUSH,
        dictionary,
        maxOutputLength: this.#fault === 'cuts-at-limit' ? 2 * MAX_BYTES : Math.max(room, 1),
        info: true,
      }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
      const plain = this.#fault === 'cuts-at-limit' ? buffer.subarray(0, room) : buffer;
      return { plain, read: engine.bytesWritten };
    } catch (error) {
      const isTooBig = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
      if (isTooBig) throw this.#tooMuch();
      if (this.#fault === 'passes-garbage') return { plain: new Uint8Array(0), read: bytes.length };
      throw new Unpackable(CloseCode.InvalidPayload);
    }
  }

  #tooMuch(): Error {
    return this.#fault === 'busy-with-bombs' ? new Busy() : new Unpackable(CloseCode.MessageTooBig);
  }

  /** Takes note of a message that came plain. */
  seePlain(payload: Uint8Array): void {
    if (this.#fault !== 'plain-in-window') return;
    this.#received = join(this.#received, payload).subarray(-WINDOW_BYTES);
  }

  /** Packs what is sent. `rsv`: the bits of its first frame. */
  pack(opcode: number, plain: Uint8Array): { rsv: number; payload: Uint8Array } {
    const isData = opcode === Opcode.Text || opcode === Opcode.Binary;
    if (!isData) return { rsv: this.#fault === 'packs-control' ? 4 : 0, payload: plain };
    if (plain.length === 0) {
      return { rsv: 4, payload: new Uint8Array(this.#fault === 'empty-as-nothing' ? 0 : 1) };
    }
    const { takeover, bits } = this.#agreed.ours;
    const isFar = this.#fault === 'looks-far-back';
    const finishes = this.#fault === 'finishes';
    const packed = deflateRawSync(plain, {
      finishFlush: finishes ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
      dictionary: this.#sent.window,
      windowBits: isFar ? 15 : Math.max(bits, 9),
    });
    const isLonger = packed.length - TAIL.length >= plain.length;
    if (takeover || this.#fault === 'takes-over-anyway') {
      if (!isLonger || this.#fault === 'unshrunk-in-window') this.#keep(plain);
    }
    if (isLonger) return { rsv: 0, payload: plain };
    const isWhole = finishes || this.#fault === 'tail-uncut';
    return { rsv: 4, payload: isWhole ? packed : packed.subarray(0, -TAIL.length) };
  }

  #keep(plain: Uint8Array): void {
    this.#sent.window = Uint8Array.from(join(this.#sent.window, plain).subarray(-WINDOW_BYTES));
  }
}
