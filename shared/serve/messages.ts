/** What the process that checks and the process that serves tell each other. */
import type { Part } from './parts.ts';

/** To the process that serves. When the channel closes, it stops. */
export type ToServer =
  /** Begin to serve. 0: at any free port. */
  | { readonly type: 'listen'; readonly port: number; readonly parts: readonly Part[] }
  /** This is new about the lessons. The server stays as it is. */
  | { readonly type: 'parts'; readonly parts: readonly Part[] };

/** From the process that serves. */
export type FromServer =
  /** The lessons are loaded. */
  | { readonly type: 'loaded' }
  | { readonly type: 'listening'; readonly port: number }
  /** The system won't let us have the port. `code` is its reason, such as `EADDRINUSE`. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string };
