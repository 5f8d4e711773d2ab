/** Ways to watch over a socket that somebody else works with. */
import type { Duplex } from 'node:stream';

type Method = (...args: unknown[]) => never;

/** How much of a read is cut into single bytes: with a megabyte, one would wait for long. */
const MAX_SINGLE_BYTES = 1024;

/** Calls `onBytes` with whatever is written to a stream from now on, before it is. */
export function onWrite(stream: Duplex, onBytes: (bytes: Uint8Array) => void): void {
  for (const name of ['write', 'end'] as const) {
    const original = stream[name].bind(stream) as Method;
    stream[name] = (...args: unknown[]) => {
      const [chunk, encoding] = args;
      if (chunk instanceof Uint8Array) onBytes(chunk);
      if (typeof chunk === 'string') onBytes(Buffer.from(chunk, asEncoding(encoding)));
      return original(...args);
    };
  }
}

function asEncoding(value: unknown): BufferEncoding {
  return typeof value === 'string' ? (value as BufferEncoding) : 'utf8';
}

/** Calls `act` once our side of a stream has been told to end. */
export function onEnding(stream: Duplex, act: () => void): void {
  const original = stream.end.bind(stream) as Method;
  stream.end = (...args: unknown[]) => {
    const wasOpen = !stream.writableEnded;
    const result = original(...args);
    if (wasOpen) act();
    return result;
  };
}

/** Cuts what arrives into reads of one byte, for all who listen, as long as `isOn` says so. */
export function cutReads(stream: Duplex, isOn: () => boolean): void {
  replaceEmit(stream, (emit, name, chunk, ...rest) => {
    if (name !== 'data' || !(chunk instanceof Uint8Array) || !isOn()) {
      return emit(name, chunk, ...rest);
    }
    const singles = Math.min(chunk.length, MAX_SINGLE_BYTES);
    for (let i = 0; i < singles; i++) emit('data', chunk.subarray(i, i + 1));
    return singles === chunk.length || emit('data', chunk.subarray(singles));
  });
}

/** Catches what the listeners of a stream throw, and calls `failed` with the first of it. */
export function guard(stream: Duplex, failed: (error: unknown) => void): void {
  let hasFailed = false;
  replaceEmit(stream, (emit, ...args) => {
    try {
      return emit(...args);
    } catch (error) {
      if (!hasFailed) failed(error);
      hasFailed = true;
      return true;
    }
  });
}

type Emit = (...args: unknown[]) => boolean;

/** Lets `replacement` decide what a stream emits; its first argument emits as before. */
function replaceEmit(
  stream: Duplex,
  replacement: (emit: Emit, ...args: unknown[]) => boolean,
): void {
  const emit = stream.emit.bind(stream) as Emit;
  stream.emit = (...args: unknown[]) => replacement(emit, ...args);
}
