/** What the specs say "it should have been" with, and how a failure is told. */
import { SECTIONS } from '../course/sections.ts';
import { HandshakeError, ProtocolError } from '../protocol.ts';
import { Todo } from '../todo.ts';
import { causeOfCrash, thrown } from './crash.ts';
import { same, unseen, wrongKind } from './difference.ts';
import type { About, Fact } from './facts.ts';
import { compareBytes, inWords, show } from './show.ts';

/** A step does not pass, and this is why. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
  /** Given, returned, expected and so on, in the order of telling. */
  readonly facts: readonly Fact[];
  /** The likely cause in plain words. `undefined`: not known. */
  readonly cause: string | undefined;
  /** The section that has the rule, where it is not that of the step. */
  readonly section: string | undefined;

  constructor(what: string, facts: readonly Fact[] = [], cause?: string, section?: string) {
    super(what);
    this.facts = facts;
    this.cause = cause;
    this.section = section;
  }

  /** Makes the same failure, told with other facts. */
  with(facts: readonly Fact[]): CheckFailure {
    return new CheckFailure(this.message, facts, this.cause, this.section);
  }
}

/** Fails: `what` should have been so. */
export function fail(what: string, facts: readonly Fact[] = [], cause?: string): never {
  throw new CheckFailure(what, facts, cause);
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

/** What the code did: what it returned, or what it threw and where. */
function didFacts(outcome: Outcome<unknown>, { label = 'you returned' }: About): Fact[] {
  return outcome.threw ? thrown(outcome.error) : [[label, show(outcome.value)]];
}

function causeOf(outcome: Outcome<unknown>, about: About): string | undefined {
  const actual = outcome.threw ? outcome.error : outcome.value;
  if (actual instanceof Promise) {
    actual.catch(() => {});
    return 'The function is async, or returns a promise. Here it has to return the value itself.';
  }
  if (outcome.threw) return causeOfCrash(actual) ?? ask(about.causeOfError, actual);
  if (typeof actual === 'function') {
    return 'A function came, and not what it returns. Is it a getter, with `get` before its name?';
  }
  return ask(about.cause, actual);
}

/** Asks for a cause. One that tries the code again finds none when that throws. */
function ask(cause: About['cause'], actual: unknown): string | undefined {
  try {
    return cause?.(actual);
  } catch {
    return undefined;
  }
}

/** What surrounds code that has no reason to throw. */
interface Trial extends Pick<About, 'causeOfError'> {
  /** What should have come of it, where errors of some kind are right as well. */
  readonly expected?: string;
}

/** Runs code that has no reason to throw, and returns what it returns. */
export function attempt<T>(
  call: () => T,
  what: string,
  given: readonly Fact[] = [],
  { expected = 'no error', ...about }: Trial = {},
): T {
  const outcome = outcomeOf(call);
  if (!outcome.threw) return outcome.value;
  const facts = [...given, ...thrown(outcome.error, expected)];
  throw new CheckFailure(what, facts, causeOf(outcome, about));
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
  const outcome = outcomeOf(call);
  if (!outcome.threw && same(outcome.value, expected)) return;
  const bytes = !outcome.threw && outcome.value instanceof Uint8Array ? outcome.value : undefined;
  const facts =
    bytes && expected instanceof Uint8Array
      ? compareBytes(bytes, expected, about)
      : outcome.threw
        ? [
            ...thrown(outcome.error),
            ['expected', (about.inWords ? inWords : show)(expected)] as const,
          ]
        : compareValues(outcome.value, expected, about);
  throw new CheckFailure(
    what,
    [...(about.given ?? []), ...facts],
    (outcome.threw ? undefined : wrongKind(outcome.value, expected)) ?? causeOf(outcome, about),
    about.section,
  );
}

/** Two values side by side; of objects, only the fields that differ. */
function compareValues(
  actual: unknown,
  expected: unknown,
  { label = 'you returned', inWords: areWords = false }: About,
): Fact[] {
  if (areWords)
    return [
      [label, inWords(actual)],
      ['expected', inWords(expected)],
    ];
  const [mine, right] =
    isRecord(actual) && isRecord(expected) ? differing(actual, expected) : [actual, expected];
  return [[label, show(mine)], ['expected', show(right)], ...unseen(mine, right)];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
  );
}

function differing(actual: Record<string, unknown>, expected: Record<string, unknown>) {
  const keys = Object.keys(expected).filter((key) => !same(actual[key], expected[key]));
  return [actual, expected].map((side) =>
    Object.fromEntries(keys.filter((key) => key in side).map((key) => [key, side[key]])),
  );
}

/**
 * Checks that something is refused with the right error, and that this says what is wrong. Returns
 * the error. `expected` is what to call it.
 */
export function refusedAs<T>(
  expected: string,
  isRight: (error: unknown) => error is T,
  action: () => unknown,
  what: string,
  about: About = {},
): T {
  const outcome = outcomeOf(action);
  if (!outcome.threw || !isRight(outcome.error)) return refused(outcome, expected, what, about);
  explains(outcome, what, about);
  return outcome.error;
}

/** Checks that the peer's mistake is refused with a `ProtocolError` of this close code. */
export function failsWith(
  closeCode: number,
  action: () => unknown,
  what: string,
  about: About = {},
): void {
  const isRight = (error: unknown): error is ProtocolError =>
    error instanceof ProtocolError && error.closeCode === closeCode;
  refusedAs(`ProtocolError ${closeCode}`, isRight, action, what, about);
}

/** Checks that a request is refused with a `HandshakeError` of this status. Returns the error. */
export function refusesWith(
  status: number,
  action: () => unknown,
  what: string,
  about: About = {},
): HandshakeError {
  const isRight = (error: unknown): error is HandshakeError =>
    error instanceof HandshakeError && error.status === status;
  return refusedAs(`HandshakeError ${status}`, isRight, action, what, about);
}

/** Checks that the caller's mistake is refused with an error of this kind. */
export function throws(
  kind: ErrorConstructor | TypeErrorConstructor | RangeErrorConstructor,
  action: () => unknown,
  what: string,
  about: About = {},
): void {
  const isRight = (error: unknown): error is Error => error instanceof kind;
  refusedAs(kind.name, isRight, action, what, about);
}

/** Checks that the caller's mistake is refused with a `DOMException` of this name. */
export function throwsDOMException(
  name: string,
  action: () => unknown,
  what: string,
  about: About = {},
): void {
  const isRight = (error: unknown): error is DOMException =>
    error instanceof DOMException && error.name === name;
  refusedAs(`DOMException named ${name}`, isRight, action, what, about);
}

/** Checks that an error says what is wrong, and that of a peer's mistake, where that is written. */
function explains(outcome: Outcome<unknown>, what: string, about: About): void {
  if (!outcome.threw || !(outcome.error instanceof Error)) return;
  const { message } = outcome.error;
  const { section = undefined } = outcome.error as { section?: unknown };
  if (message === '') {
    const cause =
      'The error has no message, and people who look for the mistake have nothing else.';
    fail(what, [...(about.given ?? []), ...didFacts(outcome, about)], cause);
  }
  if (section !== undefined && !SECTIONS.has(`${section}`)) {
    const number = /[\d.]*\d/.exec(`${section}`)?.[0];
    const cause =
      number !== undefined && SECTIONS.has(number)
        ? `The section is a number alone: '${number}'.`
        : 'RFC 6455 has no such section. It is a number, such as the one in the heading of the step.';
    fail(
      what,
      [...(about.given ?? []), ...didFacts(outcome, about), ['its section', show(section)]],
      cause,
    );
  }
}

function refused(outcome: Outcome<unknown>, expected: string, what: string, about: About): never {
  const wanted: Fact = ['expected', `a thrown ${expected}`];
  const facts = [...(about.given ?? []), ...didFacts(outcome, about), wanted];
  throw new CheckFailure(what, facts, causeOf(outcome, about), about.section);
}
