/** What the processes of the benchmark tell each other. */
import type { Sample } from './samples.ts';

/** A server to measure: the lesson's, `ws`, both of them compressing, or TCP with nothing on it. */
export type Kind = 'lesson' | 'ws' | 'tcp' | 'lesson-deflate' | 'ws-deflate';

/** Says whether a server compresses. */
export function isCompressing(kind: Kind): boolean {
  return kind === 'lesson-deflate' || kind === 'ws-deflate';
}

/** A load: so many bytes a message, so many messages on their way at once, on each connection. */
export interface Load {
  readonly bytes: number;
  readonly inFlight: number;
  /** How many connections there are. */
  readonly connections: number;
  /** What the messages are. Absent: all the same letter. */
  readonly sample?: Sample;
}

/** To a process that makes load. */
export interface Order extends Load {
  readonly kind: Kind;
  readonly port: number;
  /** How long to run before counting, and how long to count, in milliseconds. */
  readonly warmUpMs: number;
  readonly countMs: number;
}

/** What came back from a server. */
export interface Measure {
  /** Messages in a second. */
  readonly rate: number;
  /** Bytes on the wire for each of them. */
  readonly bytesBack: number;
  /** All messages, those of the warm-up too. */
  readonly messages: number;
}

/** What a server uses. */
export interface Usage {
  /** What its objects and buffers take, in bytes. */
  readonly memoryBytes: number;
  /** What its process takes, with what libraries have reserved for themselves, in bytes. */
  readonly processBytes: number;
  /** The processor time of all its threads so far, in microseconds. */
  readonly cpuUs: number;
}

/** What a server says: first where it listens, then what it uses. */
export type ServerReply = { readonly port: number } | Usage;
