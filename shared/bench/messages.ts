/** What the processes of the benchmark tell each other. */

/** A server to measure: the lesson's, `ws`, or TCP with nothing on it. */
export type Kind = 'lesson' | 'ws' | 'tcp';

/** A load: so many bytes a message, so many messages on their way at once, on each connection. */
export interface Load {
  readonly bytes: number;
  readonly inFlight: number;
}

/** To a process that makes load. */
export interface Order extends Load {
  readonly kind: Kind;
  readonly port: number;
  /** How many connections to open. */
  readonly connections: number;
  /** How long to run before counting, and how long to count, in milliseconds. */
  readonly warmUpMs: number;
  readonly countMs: number;
}

/** What a server says: where it listens, or what its objects and buffers take, in bytes. */
export interface ServerReply {
  readonly port?: number;
  readonly memoryBytes?: number;
}
