/** Listens to the bytes of one socket, in both directions, as they cross it. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { decodeHeader } from '../view/frame.ts';
import { Unpacker } from '../view/unpack.ts';
import { type Agreement, agreementIn } from './agreement.ts';
import { type CutFrame, FrameCutter } from './cutter.ts';
import { type Observer, withoutTap } from './observers.ts';
import { cutReads, onEnding, onWrite } from './socket.ts';
import type { Direction } from './steps.ts';
import { frameEvent, headEvent, type WireEvent } from './wire-event.ts';

/** A request to switch, as `node:http` hands it out. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What has been read behind the request. */
  readonly head: Uint8Array;
}

const BLANK_LINE = '\r\n\r\n';

/** How much of the response to a handshake is shown, in bytes. */
const MAX_RESPONSE_BYTES = 16 * 1024;

/**
 * Tells an observer everything that crosses a socket: the request, as the browser sent it, and from
 * now on the response, every frame and the end.
 *
 * The bytes are seen before they are unmasked, and none is changed. `sayAgreed` says what the two ends
 * agree on about compression. Absent: the server has none.
 */
export function tapSocket(
  { request, socket, head }: UpgradeRequest,
  observer: Observer,
  sayAgreed?: (agreement: Agreement | undefined) => string,
): void {
  const received = new Half('in');
  const sent = new Half('out');
  const response = new HandshakeResponse();

  const takeIn = (bytes: Uint8Array) => {
    for (const frame of received.push(bytes)) observer.send(received.eventOf(frame));
  };
  const takeOut = (bytes: Uint8Array) => {
    for (const frame of sent.push(bytes)) {
      observer.send(sent.eventOf(frame));
      if (!isLast(frame)) observer.fragmentLeaves();
    }
  };
  onWrite(socket, (bytes) => {
    if (response.isComplete) return takeOut(bytes);
    const rest = response.push(bytes);
    if (!rest) return;
    const agreement = agreementIn(response.bytes);
    for (const half of [received, sent]) half.agree(agreement);
    observer.send(headEvent('out', response.bytes, sayAgreed?.(agreement)));
    takeOut(rest);
  });
  // The first listener: a later one can change the bytes in place.
  socket.on('data', takeIn);
  cutReads(socket, () => observer.wantsCutReads);
  tapEnd(socket, observer, [received, sent]);

  observer.send(headEvent('in', requestBytes(request)));
  takeIn(head);
}

/** What crosses a socket in one direction. */
class Half {
  readonly #direction: Direction;
  readonly #cutter = new FrameCutter();
  #unpacker: Unpacker | undefined;

  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** Unpacks what comes from now on, if that is what the two ends have agreed on. */
  agree(agreement: Agreement | undefined): void {
    const side = agreement?.[this.#direction];
    this.#unpacker = side && new Unpacker(side.keepsWindow);
    this.#cutter.keepsWhole = side !== undefined;
  }

  /** Takes in the bytes of one read. Returns the frames that are complete now. */
  push(bytes: Uint8Array): CutFrame[] {
    return this.#cutter.push(bytes);
  }

  /** Returns the beginning of a frame that will not be completed. `undefined`: there is none. */
  end(): CutFrame | undefined {
    return this.#cutter.end();
  }

  /** Says what a frame is. Each frame has its turn once. */
  eventOf(frame: CutFrame): WireEvent {
    return frameEvent(this.#direction, frame, this.#unpacker);
  }
}

/** Tells which side closes the TCP connection first, and which frames will never be complete. */
function tapEnd(socket: Duplex, observer: Observer, halves: readonly Half[]): void {
  let isFirst = true;
  const tellHalf = (direction: Direction) => {
    observer.send({ kind: 'half close', direction, time: Date.now(), isFirst });
    isFirst = false;
  };
  onEnding(socket, () => tellHalf('out'));
  socket.on('end', () => tellHalf('in'));
  socket.on('close', () => {
    for (const half of halves) {
      const cut = half.end();
      if (cut) observer.send(half.eventOf(cut));
    }
    observer.send({ kind: 'end', time: Date.now() });
  });
}

function isLast({ bytes }: CutFrame): boolean {
  return decodeHeader(bytes).fin !== false;
}

/** The response to a handshake: its head, and the body as well if it is a refusal. */
class HandshakeResponse {
  bytes: Uint8Array = new Uint8Array(0);
  isComplete = false;

  /** Takes what is written. Returns the bytes behind the response, `undefined` until it is complete. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = Buffer.concat([this.bytes, chunk]);
    const blank = bytes.indexOf(BLANK_LINE);
    this.isComplete = blank !== -1 || bytes.length > MAX_RESPONSE_BYTES;
    const switches = bytes.toString('latin1', 0, 13).includes(' 101 ');
    const end = blank !== -1 && switches ? blank + BLANK_LINE.length : bytes.length;
    this.bytes = bytes.subarray(0, Math.min(end, MAX_RESPONSE_BYTES));
    return this.isComplete ? bytes.subarray(end) : undefined;
  }
}

/**
 * The head of a request again, from its parts: names as they were written, in their order. Without
 * the ID that says who observes it.
 */
function requestBytes({ method, url = '', httpVersion, rawHeaders }: IncomingMessage): Uint8Array {
  const headers = rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`));
  const target = withoutTap(url);
  const head = `${method} ${target} HTTP/${httpVersion}\r\n${headers.join('')}\r\n`;
  return Buffer.from(head, 'latin1');
}
