/** The ways in which a process that checks is talked with. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { deserialize, serialize } from 'node:v8';
import type { Go, Signed } from './messages.ts';

/** What goes to such a process, and what comes from it. */
export interface Channel {
  /** Calls back with each message. `undefined`: what came is none. */
  listen(hear: (message: Signed | undefined) => void): void;
  /** Lets the process load the file, and tells it what to sign its messages with. */
  start(secret: string): void;
  /** Waits until nothing more can come. */
  closed(): Promise<unknown>;
}

/** Node's own channel. Where somebody writes to it who should not, Node throws here. */
export function channelOf(child: ChildProcess): Channel {
  return {
    listen: (hear) => void child.on('message', (message: Signed) => hear(message ?? undefined)),
    start: (secret) => void child.send({ type: 'go', secret } satisfies Go),
    closed: async () => child.connected && once(child, 'disconnect'),
  };
}

/** The descriptor that messages are written to where Node's own channel is not to be trusted. */
export const MESSAGES_FD = 3;
/** How long to wait for a full pipe, in milliseconds. */
const RETRY_MS = 2;
const NEVER = new Int32Array(new SharedArrayBuffer(4));
/** The longest message that is read, in bytes. */
const MAX_BYTES = 2 ** 24;

/** A pipe for messages, and standard input for the secret: whatever comes, it is only read. */
export function pipesOf(child: ChildProcess): Channel {
  const pipe = child.stdio[MESSAGES_FD] as Readable;
  const input = child.stdin as Writable;
  // It may have ended before it could read.
  input.on('error', () => {});
  pipe.on('error', () => {});
  return {
    listen(hear) {
      let rest = Buffer.alloc(0);
      pipe.on('data', (chunk: Buffer) => {
        rest = Buffer.concat([rest, chunk]);
        while (rest.length >= 4) {
          const end = 4 + rest.readUInt32BE();
          if (end > MAX_BYTES) return hear(undefined);
          if (rest.length < end) return;
          hear(decode(rest.subarray(4, end)));
          rest = rest.subarray(end);
        }
      });
    },
    start: (secret) => void input.end(secret),
    closed: async () => pipe.closed || once(pipe, 'close'),
  };
}

/** Writes a message to such a pipe, at once: what follows may never come to its end. */
export function writeTo(fd: number, message: Signed): void {
  const bytes = encode(message);
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += writeSync(fd, bytes, sent);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      // It is full, and nobody but us has time to wait.
      Atomics.wait(NEVER, 0, 0, RETRY_MS);
    }
  }
}

/** How a message is in such a pipe: its length, and then what it is. */
export function encode(message: Signed): Buffer {
  const body = serialize(message);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

function decode(bytes: Uint8Array): Signed | undefined {
  try {
    const message: unknown = deserialize(bytes);
    return typeof message === 'object' && message !== null ? (message as Signed) : undefined;
  } catch {
    return undefined;
  }
}
