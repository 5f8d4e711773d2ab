/** Errors that the code threw without meaning to. */
import { isOfCheck, isRepeated, placesOf } from '../course/place.ts';
import type { Fact } from './facts.ts';
import { show } from './show.ts';

/** What a check could not call: how the check has come to it is left out. */
const NOT_CALLABLE = /^(TypeError: )(?:new )?(?:\S+\.)?(\w+ is not a (?:function|constructor))/;

/** What an engine of lesson 09 rejects a command with. */
const OF_ENGINE = /^ERR |^The connection to the engine was lost/;

/**
 * What was thrown, where in the learner's code, and what was expected of it. The caller is named,
 * too, because what throws may only make the error.
 */
export function thrown(error: unknown, expected?: string): Fact[] {
  if (hasTripped(error)) return [['the check says', show(error).replace(NOT_CALLABLE, '$1$2')]];
  const [place, caller] = placesOf(error);
  return [
    ['you threw', show(error)],
    ...(place ? [['thrown at', place] as const] : []),
    ...(caller ? [['called at', caller] as const] : []),
    ...(expected ? [['expected', expected] as const] : []),
  ];
}

/** What lies behind an error that JavaScript itself throws. `undefined`: it says so itself. */
export function causeOfCrash(error: unknown): string | undefined {
  if (hasTripped(error)) {
    if (NOT_CALLABLE.test(show(error)))
      return 'A check wanted to call it. Has it been renamed, or was something of another type returned?';
    return 'The check could not go on with what the code returned. Is it of the type that the signature says?';
  }
  if (error instanceof TypeError && /BigInt/.test(error.message)) {
    return 'A bigint and a number do not mix. `Number(value)` makes a number of a bigint.';
  }
  if (isOfSocket(error)) {
    return 'A socket has emitted it as `error`, and nobody has caught it. Listen for that event.';
  }
  if (error instanceof Error && OF_ENGINE.test(error.message)) {
    return 'A command was rejected with it, and nobody has caught that: the engine has said no, or the connection was lost.';
  }
  if (!(error instanceof RangeError)) return undefined;
  const { message } = error;
  if (/call stack/i.test(message)) {
    return isRepeated(error)
      ? 'A function calls itself again and again. Where should that end? A loop needs no stack.'
      : 'One call has too many arguments: with `...`, each element is one. A loop needs no stack.';
  }
  if (/outside the bounds of the DataView/.test(message)) {
    return 'It reads or writes beyond the last byte. How many bytes are there?';
  }
  if (/length: -/.test(message)) return 'A length has become negative. What was taken from what?';
  if (/allocation|array length|out of memory/i.test(message)) {
    return 'The code asks for more memory than there is. A length that a peer announces is only a claim.';
  }
  return undefined;
}

/** Says whether it is an error of a socket, which no line of the learner's code has thrown. */
function isOfSocket(error: unknown): boolean {
  if (!(error instanceof Error) || !('syscall' in error)) return false;
  return (
    ['connect', 'read', 'write'].includes(String(error.syscall)) && placesOf(error).length === 0
  );
}

/**
 * Whether a check itself could not go on. What an application of a check throws on purpose is a
 * plain `Error`, and comes back through the learner's code.
 */
function hasTripped(error: unknown): boolean {
  return isOfCheck(error) && error instanceof Error && error.name !== 'Error';
}
