/** Where a case is played. */
import type { RawEndpoint } from './endpoint.ts';
import type { DeflateParams } from './extensions.ts';
import { Unimplemented } from './model.ts';
import type { Patience } from './socket.ts';
import type { Timeline } from './timeline.ts';

/** How a case wants to have compression, as far as the peer can be told. */
export interface Terms {
  /** To a server, the value of Sec-WebSocket-Extensions in our request. */
  readonly offer: string;
  /** To a client, what our answer has besides what its offer asks of us: the first that fits. */
  readonly answers: readonly DeflateParams[];
  /** We have to be allowed to refer back to earlier messages. */
  readonly takeover?: boolean;
}

/** Throws `Unimplemented` when a peer has agreed on compression, and not on what a case needs. */
export function requireTakeover({ takeover = false }: Terms, { agreed, peer }: RawEndpoint): void {
  if (!takeover || agreed?.ours.takeover) return;
  throw new Unimplemented(`${peer} agrees on compression, but not on our taking over a window.`);
}

/** What every case works with, whichever side is tested. */
export interface Stage {
  /** What was said, for the report. */
  readonly timeline: Timeline;
  readonly patience: Patience;
  /** Cases with many messages send all of them, which takes minutes. */
  readonly full: boolean;
  /** Opens a WebSocket with the peer. Throws `Failed` when there is none. */
  open(): Promise<RawEndpoint>;
  /**
   * Opens a WebSocket on which both compress. Throws `Unimplemented` when the peer does not agree, and
   * `Failed` when there is no WebSocket, or it has agreed on what nobody has offered. RFC 7692 §7.1
   */
  openDeflate(terms: Terms): Promise<RawEndpoint>;
  /** Closes the connection, politely, whatever the case has left open. */
  leave(): void;
}
