/** What the specs say "it should have been" with, and how a failure is told. */
import { toHex } from '../../shared/hex.ts';
import { HandshakeError, ProtocolError } from '../../shared/protocol.ts';
import { Todo } from '../../shared/todo.ts';
import { show } from './show.ts';

/** A line of a failure: what it is, and the value, which may have several lines. */
export type Fact = readonly [label: string, value: string];

/** A step does not hold, and this is why. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
  /** Given, returned, expected and so on, in the order of telling. */
  readonly facts: readonly Fact[];
  /** The likely cause in plain words. `undefined`: not known. */
  readonly cause: string | undefined;

  constructor(what: string, facts: readonly Fact[] = [], cause?: string) {
    super(what);
    this.facts = facts;
    this.cause = cause;
  }
}

/** Fails: `what` should have been so. */
export function fail(what: string, facts: readonly Fact[] = [], cause?: string): never {
  throw new CheckFailure(what, facts, cause);
}

/** What surrounds a comparison. */
export interface About {
  /** What the code was called with, or what arrived. */
  readonly given?: readonly Fact[];
  /** Names the likely cause of a wrong value, when there is one to name. */
  readonly cause?: (actual: unknown) => string | undefined;
}

/** Runs code that has no reason to throw, and returns what it returns. */
export function attempt<T>(call: () => T, what: string, facts: readonly Fact[] = []): T {
  const outcome = outcomeOf(call);
  if (outcome.threw) throw new CheckFailure(what, [...facts, ...thrown(outcome.error)]);
  return outcome.value;
}

/**
 * Checks that the code returns what it should: bytes by their content, objects and maps by what
 * `expected` has, whatever else they have.
 */
export function equal(
  call: () => unknown,
  expected: unknown,
  what: string,
  about: About = {},
): void {
  const given = about.given ?? [];
  const wanted: Fact = ['expected', show(expected)];
  const actual = attempt(call, what, [...given, wanted]);
  if (same(actual, expected)) return;
  const facts: Fact[] = [...given, ['you returned', show(actual)], wanted];
  if (actual instanceof Uint8Array && expected instanceof Uint8Array) {
    facts.push(['difference', firstDifference(actual, expected)]);
  }
  throw new CheckFailure(what, facts, about.cause?.(actual));
}

/** What was thrown, and where in the learner's code. */
export function thrown(error: unknown): Fact[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const place = /(lessons|solutions)[\\/][^\s\\/]+[\\/][^\s()?]+?(\?[^:]*)?:(\d+)/.exec(stack);
  const facts: Fact[] = [['you threw', show(error)]];
  if (place) {
    const [whole, , query = '', line] = place;
    const file = whole.slice(0, whole.length - query.length - `:${line}`.length);
    facts.push(['thrown at', `${file.replaceAll('\\', '/')}:${line}`]);
  }
  return facts;
}

function firstDifference(actual: Uint8Array, expected: Uint8Array): string {
  const at = expected.findIndex((byte, i) => byte !== actual[i]);
  if (at === -1) return `${actual.length - expected.length} bytes too many at the end`;
  if (at >= actual.length) return `${expected.length - actual.length} bytes missing at the end`;
  const [mine, right] = [actual, expected].map((bytes) => toHex(bytes.subarray(at, at + 1)));
  return `byte ${at} is ${mine}, not ${right}`;
}

function same(actual: unknown, expected: unknown): boolean {
  if (expected instanceof Uint8Array) {
    return actual instanceof Uint8Array && Buffer.compare(actual, expected) === 0;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false;
    return expected.every((item, i) => same(actual[i], item));
  }
  if (expected instanceof Map) {
    return actual instanceof Map && [...expected].every(([key, v]) => same(actual.get(key), v));
  }
  if (expected !== null && typeof expected === 'object') {
    if (actual === null || typeof actual !== 'object') return false;
    const fields = actual as Record<string, unknown>;
    return Object.entries(expected).every(([key, value]) => same(fields[key], value));
  }
  return Object.is(actual, expected);
}

/** Checks that the peer's mistake is refused with a `ProtocolError` of this close code. */
export function failsWith(
  closeCode: number,
  action: () => unknown,
  what: string,
  given: readonly Fact[] = [],
): void {
  const outcome = outcomeOf(action);
  if (errorOf(outcome, ProtocolError)?.closeCode === closeCode) return;
  refused(outcome, `ProtocolError ${closeCode}`, what, given);
}

/** Checks that a request is refused with a `HandshakeError` of this status. Returns the error. */
export function refusesWith(
  status: number,
  action: () => unknown,
  what: string,
  given: readonly Fact[] = [],
): HandshakeError {
  const outcome = outcomeOf(action);
  const error = errorOf(outcome, HandshakeError);
  if (error?.status === status) return error;
  return refused(outcome, `HandshakeError ${status}`, what, given);
}

/** Checks that the caller's mistake is refused with an error of this kind. */
export function throws(
  kind: ErrorConstructor | TypeErrorConstructor | RangeErrorConstructor,
  action: () => unknown,
  what: string,
  given: readonly Fact[] = [],
): void {
  const outcome = outcomeOf(action);
  if (errorOf(outcome, kind)) return;
  refused(outcome, kind.name, what, given);
}

type Outcome<T> =
  | { readonly threw: false; readonly value: T }
  | { readonly threw: true; readonly error: unknown };

function outcomeOf<T>(action: () => T): Outcome<T> {
  try {
    return { threw: false, value: action() };
  } catch (error) {
    if (error instanceof Todo || error instanceof CheckFailure) throw error;
    return { threw: true, error };
  }
}

/** Is the outcome a thrown error of this kind? Then returns it. */
function errorOf<T>(
  outcome: Outcome<unknown>,
  kind: abstract new (...args: never[]) => T,
): T | undefined {
  return outcome.threw && outcome.error instanceof kind ? outcome.error : undefined;
}

function refused(
  outcome: Outcome<unknown>,
  expected: string,
  what: string,
  given: readonly Fact[],
): never {
  throw new CheckFailure(what, [
    ...given,
    ...(outcome.threw ? thrown(outcome.error) : [['you returned', show(outcome.value)] as const]),
    ['expected', `a thrown ${expected}`],
  ]);
}
