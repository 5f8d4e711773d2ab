/** What has been called on a connection, so that a failure can tell how it came to that. */
import type { Fact } from '../harness/facts.ts';
import { show } from '../harness/show.ts';
import { count } from '../view/count.ts';
import { quote } from '../view/hex.ts';

/** How many of the calls are told: the last ones. */
const MAX_TOLD = 12;

/** One call, and when it was, on the clock of the connection. */
interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly ms: number;
  /** What it gave. Absent: it threw. */
  result?: unknown;
}

interface Log {
  readonly calls: Call[];
  readonly now: () => number;
  /** When the connection was made. */
  readonly startMs: number;
}

const logs = new WeakMap<object, Log>();

/** Wraps a connection so that its calls are remembered. */
export function recorded<T extends object>(connection: T, now: () => number): T {
  const log: Log = { calls: [], now, startMs: now() };
  const wrapped = new Proxy(connection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const call: Call = { name: String(name), args, ms: now() };
        log.calls.push(call);
        call.result = value.apply(target, args);
        return call.result;
      };
    },
  });
  logs.set(wrapped, log);
  return wrapped;
}

/** Tells what has been called on a connection so far, one line each. */
export function callsOf(connection: object): Fact[] {
  const log = logs.get(connection);
  if (!log) return [];
  const { calls, startMs } = log;
  const isTimed = log.now() !== startMs;
  const lines: { text: string; count: number }[] = [];
  for (const call of calls) {
    const text = `${isTimed ? `at ${call.ms}  ` : ''}${textOf(call)}`;
    const last = lines.at(-1);
    if (last?.text === text) last.count++;
    else lines.push({ text, count: 1 });
  }
  const told = lines
    .slice(-MAX_TOLD)
    .map(({ text, count }) => (count === 1 ? text : `${text}  ${count} times`));
  if (told.length < lines.length) told.unshift(`… ${lines.length - told.length} before`);
  return told.map((text, i) => [i === 0 ? 'the calls' : '', text]);
}

/** Tells what the clock of a connection said when it was made, and what it says now. */
export function clockOf(connection: object): Fact[] {
  const log = logs.get(connection);
  return log ? [['the clock', `${log.startMs} ms at the start, now ${log.now()} ms`]] : [];
}

function textOf(call: Call): string {
  const { name, args, result } = call;
  const text = `${name}(${args.map(tell).join(', ')})`;
  if (!('result' in call)) return `${text} threw`;
  const isSilent = result === undefined && name !== 'next';
  return isSilent ? text : `${text} gave ${tell(result)}`;
}

/** Writes a value: of a head, the first line as text, for in hex nobody would know it. */
function tell(value: unknown): string {
  if (!(value instanceof Uint8Array)) return show(value);
  const text = Buffer.from(value).toString('latin1');
  const [line] = /^(?:GET |HTTP\/)[ -~]*\r\n/.exec(text) ?? [];
  if (line === undefined) return show(value);
  return `${quote(line)} and ${count(value.length - line.length, 'byte')} more`;
}
