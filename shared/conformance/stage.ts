/** Where a case is played. */
import type { RawEndpoint } from './endpoint.ts';
import type { Patience } from './socket.ts';
import type { Timeline } from './timeline.ts';

/** What every case works with, whichever side is tested. */
export interface Stage {
  /** What was said, for the report. */
  readonly timeline: Timeline;
  readonly patience: Patience;
  /** Opens a WebSocket with the peer. Throws `Failed` when there is none. */
  open(): Promise<RawEndpoint>;
  /** Closes the connection, politely, whatever the case has left open. */
  leave(): void;
}
