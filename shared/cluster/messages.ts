/** What a cluster and its processes say to each other. */
import type { Entry, GateLimits, Said } from '../../solutions/09-production/production.ts';

/** What a process of a cluster is made with. */
export interface Settings {
  /** What people call it, such as `A`. */
  readonly name: string;
  /** Where it listens. 0: the system picks a port. */
  readonly port: number;
  /** The URLs of the modules with lessons 09 and 05. */
  readonly production: string;
  readonly server: string;
  readonly limits: Partial<GateLimits>;
  /** The origins of the pages that may connect. Absent: all of them. */
  readonly origins?: readonly string[];
  /** Is there a proxy in front of it that says in `X-Forwarded-For` who it is for? */
  readonly isProxied: boolean;
  /** The port of the engine that carries the messages. Absent: the parent does. */
  readonly engine?: number;
  /** How many messages a room remembers. */
  readonly historySize: number;
}

/** What a process asks of the bus in its parent. Each `number` is used once. */
export type Question =
  | { readonly ask: 'publish'; readonly room: string; readonly said: Said }
  | { readonly ask: 'after'; readonly room: string; readonly last: string; readonly count: number }
  | { readonly ask: 'tip'; readonly room: string }
  | { readonly ask: 'subscribe'; readonly room: string }
  | { readonly ask: 'unsubscribe'; readonly subscription: number };

/** What a process says to its parent. */
export type FromMember =
  /** It listens here. */
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'question'; readonly number: number; readonly question: Question };

/** What the parent says to a process. */
export type ToMember =
  | { readonly type: 'answer'; readonly number: number; readonly value?: unknown }
  | { readonly type: 'failure'; readonly number: number; readonly message: string }
  /** For the subscription that was asked for under this number. */
  | { readonly type: 'delivery'; readonly subscription: number; readonly entry?: Entry }
  /** Time to go: send the clients away within so many milliseconds, and end. */
  | { readonly type: 'leave'; readonly spreadMs: number };
