/** What the processes of the benchmark tell each other. */
import type { Sample } from './samples.ts';

/**
 * A server to measure: a lesson's, `ws`, both of them compressing, TCP with nothing on it, or the
 * one that is part of Bun.
 */
export type Kind = 'lesson' | 'ws' | 'tcp' | 'bun' | 'lesson-deflate' | 'ws-deflate';

/** Says whether a server compresses. */
export function isCompressing(kind: Kind): boolean {
  return kind === 'lesson-deflate' || kind === 'ws-deflate';
}

/** What a server does with a message: it sends it back, or to everybody. */
export type Job = 'echo' | 'broadcast';

/** A load: so many bytes a message, so many messages on their way at once, on each connection. */
export interface Load {
  readonly bytes: number;
  readonly inFlight: number;
  /** How many connections there are. In a broadcast, one sends, and all of them receive. */
  readonly connections: number;
  readonly job?: Job;
  /** Absent: the messages are binary. */
  readonly isText?: boolean;
  /** What the messages are. Absent: all the same letter. */
  readonly sample?: Sample;
}

/** To the process that makes load. When it runs, and is warm, that says so, and waits for `count`. */
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
  /** The share of the time in which the load itself was busy: 1 is a whole core. */
  readonly loadBusy: number;
  /** How long one took there and back, in microseconds. Empty: several were on their way at once. */
  readonly latenciesUs: Latencies | undefined;
}

/** The time in which half of all messages are back, and that in which 99 % are. */
export interface Latencies {
  readonly p50: number;
  readonly p99: number;
}

/** What a server is asked, or told. It answers each. */
export type Question = Job | 'cpu' | 'memory' | 'start profile' | 'end profile';

/** The processor time of all threads so far, in microseconds, and when that was, in milliseconds. */
export interface Cpu {
  readonly userUs: number;
  readonly systemUs: number;
  readonly atMs: number;
}

/** What a server has in memory. */
export interface Memory {
  /** What its objects and buffers take, in bytes. Of Bun: its process. */
  readonly memoryBytes: number;
  /** What its process takes, with what libraries have reserved for themselves, in bytes. */
  readonly processBytes: number;
}

/** What a process says instead of an answer when it cannot do what it was asked. */
export interface Failure {
  readonly failure: string;
}

/** Reads the processor time of this process. */
export function cpuNow(): Cpu {
  const { user, system } = process.cpuUsage();
  return { userUs: user, systemUs: system, atMs: performance.now() };
}

/** How busy a process was between two readings: 1 is a whole core. */
export function busyBetween(before: Cpu, after: Cpu): number {
  const cpuUs = after.userUs - before.userUs + after.systemUs - before.systemUs;
  return cpuUs / 1000 / (after.atMs - before.atMs);
}
