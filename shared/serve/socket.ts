/** Two ways to watch over a socket that somebody else works with. */
import type { Duplex } from 'node:stream';

type Method = (...args: unknown[]) => never;

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

/** Catches what the listeners of a stream throw, and calls `failed` with the first of it. */
export function guard(stream: Duplex, failed: (error: unknown) => void): void {
  const emit = stream.emit.bind(stream) as (...args: unknown[]) => boolean;
  let hasFailed = false;
  stream.emit = (...args: unknown[]) => {
    try {
      return emit(...args);
    } catch (error) {
      if (!hasFailed) failed(error);
      hasFailed = true;
      return true;
    }
  };
}
