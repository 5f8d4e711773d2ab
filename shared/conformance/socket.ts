/** One TCP connection to the peer: bytes out, bytes in, and how it ends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterPatience } from '../kit/patience.ts';
import type { Role } from '../protocol.ts';
import type { TargetServer } from './http.ts';
import { Failed } from './model.ts';
import { ConnectionRecord } from './record.ts';
import type { Timeline } from './timeline.ts';

/** How long to wait, in milliseconds. A good peer lets none of it pass. */
export interface Patience {
  /** For an answer. */
  readonly answerMs: number;
  /** For the end of TCP, once both have sent a Close. */
  readonly endMs: number;
  /** Inside a message, where a case lets time pass: no peer may mind. 0: no time passes. */
  readonly pauseMs: number;
}

/** How long a connection that we leave may go on. */
const LEAVE_MS = 1000;

/** Nobody is there, not even for TCP. */
export class Unreachable extends Failed {}

/** A TCP connection that sends what it is told, and knows nothing of HTTP and frames. */
export class RawSocket {
  readonly record: ConnectionRecord;
  /** What to call the peer in a sentence: `The server` or `The client`. */
  readonly peer: string;
  readonly #socket: Socket;
  #take: (chunk: Uint8Array) => boolean = () => true;
  #ended: 'fin' | 'reset' | undefined;
  #wake = () => {};

  private constructor(socket: Socket, timeline: Timeline, peer: Role) {
    this.#socket = socket.pause();
    this.record = new ConnectionRecord(timeline);
    this.peer = `The ${peer}`;
    socket.on('data', (chunk) => {
      if (this.#take(chunk)) this.#wake();
    });
    socket.on('end', () => {
      // Node may take a reset for an end. But then there is no peer any more whose port to ask
      // for, as after the ends of both sides.
      if (socket.remotePort === undefined && socket.writable) this.#end('reset', 'reset');
      else this.#end('fin', `the ${peer} ended TCP (FIN)`);
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#end('reset', error.code === 'ECONNRESET' ? 'reset' : `lost: ${error.message}`),
    );
  }

  /**
   * Connects. With `localPort`, from that port of ours. Throws `Unreachable` when nobody answers.
   *
   * Our side stays open when the server ends its own: who ends TCP first is part of a verdict.
   */
  static async open(
    { host, port }: TargetServer,
    timeline: Timeline,
    patienceMs: number,
    localPort?: number,
  ): Promise<RawSocket> {
    const socket = connect({ host, port, localPort, allowHalfOpen: true, noDelay: true });
    const stop = afterPatience(patienceMs, () => socket.destroy(new Error('no answer')));
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw new Unreachable(`Connecting failed: ${(error as Error).message}.`, 'refused');
    } finally {
      stop();
    }
    const raw = new RawSocket(socket, timeline, 'server');
    raw.record.happened('connected');
    return raw;
  }

  /** Goes on with a connection that a client has made to a server of ours. */
  static accepted(socket: Socket, timeline: Timeline): RawSocket {
    const raw = new RawSocket(socket, timeline, 'client');
    raw.record.happened('the client connected');
    return raw;
  }

  /** How TCP ended. `undefined`: it is still there. */
  get ended(): 'fin' | 'reset' | undefined {
    return this.#ended;
  }

  /** The port of this side. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** What the peer calls us in its Host header, such as `127.0.0.1:8080`. */
  get localAuthority(): string {
    return `${this.#socket.localAddress}:${this.localPort}`;
  }

  /**
   * Hands bytes to `take` from now on, as they arrive. It says whether they are anything that one
   * may wait for. Before the first call nothing is read.
   */
  read(take: (chunk: Uint8Array) => boolean): void {
    this.#take = take;
    this.#socket.resume();
  }

  /** Waits until something arrives that counts, or TCP ends. `false`: neither happened. */
  activity(patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = afterPatience(patienceMs, () => settle(false));
      const settle = (hasArrived: boolean) => {
        stop();
        this.#wake = () => {};
        resolve(hasArrived);
      };
      this.#wake = () => settle(true);
    });
  }

  /** Writes bytes in one write. Does nothing, and returns `false`, when a side of TCP has ended. */
  write(bytes: Uint8Array): boolean {
    if (this.#ended !== undefined || !this.#socket.writable) return false;
    this.#socket.write(bytes);
    return true;
  }

  /**
   * Writes bytes in pieces of `size` bytes, each of which leaves before the next is written.
   * `write` writes a piece, or says that the rest is unwanted. Returns `false` when it stopped
   * before the end: so it was, or TCP had ended.
   */
  async writeInPieces(
    bytes: Uint8Array,
    size: number,
    write: (piece: Uint8Array) => boolean,
  ): Promise<boolean> {
    for (let at = 0; at < bytes.length; at += size) {
      if (this.#ended !== undefined || !write(bytes.subarray(at, at + size))) return false;
      await turn();
    }
    return true;
  }

  /** Ends our side of TCP, if it has not ended; what the peer sends is still read. */
  halfClose(): void {
    if (!this.#socket.writable) return;
    this.record.happened('we ended our side of TCP (FIN)');
    this.#socket.end();
  }

  /** Closes the connection with a reset, as a program that crashes. */
  reset(): void {
    this.record.happened('we reset the connection');
    this.#forget();
    resetNow(this.#socket);
  }

  /** Closes the connection at once. If there is something unread, the peer will meet a reset. */
  destroy(): void {
    this.#forget();
    this.#socket.destroy();
  }

  /**
   * Closes the connection as friends do: what still comes is read, and nobody has to wait for it.
   * A peer that does not end its side meets a reset, so that it need not wait for ever.
   */
  leave(): void {
    if (this.#socket.destroyed) return;
    this.#forget();
    const socket = this.#socket.resume().end().unref();
    const timer = setTimeout(() => resetNow(socket), LEAVE_MS).unref();
    socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer));
  }

  #end(how: 'fin' | 'reset', text: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    this.record.happened(text);
    this.#wake();
  }

  #forget(): void {
    this.#socket.removeAllListeners().on('error', () => {});
  }
}

/** Resets TCP. `resetAndDestroy` alone would end it first, with a FIN. */
export function resetNow(socket: Socket): void {
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}

/**
 * Lets a turn of the event loop pass, with its reading of sockets. The first callback may run in
 * this turn, before it reads.
 */
async function turn(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
