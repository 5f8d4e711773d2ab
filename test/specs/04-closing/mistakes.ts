/** Lesson 04: what to think of when the wrong things are to be done. */
import type { Role } from '../../../shared/protocol.ts';
import type { Action, ClosingEvent, State } from './tools.ts';

/** What happened, to whom, and in which state. */
export interface Situation {
  readonly role: Role;
  readonly state: State;
  readonly event: ClosingEvent;
}

/** Names the one thing that is wrong with a list of actions. `undefined`: it is something else. */
export function actionMistake(
  { role, state, event }: Situation,
  actual: unknown,
  expected: readonly Action[],
): string | undefined {
  if (!Array.isArray(actual)) {
    return 'The actions are a list, an empty one when there is nothing to do.';
  }
  const has = (actions: readonly Action[], type: Action['type']) =>
    actions.some((action) => action?.type === type);
  if ((state === 'HANGING_UP' || state === 'CLOSED') && actual.length > 0) {
    return `In ${state}, ${event} is not in the table: it means nothing, and there is nothing to do.`;
  }
  if (has(expected, 'sendClose') && !has(actual, 'sendClose')) {
    return 'A Close is missing: a side that has not sent its own sends it now.';
  }
  if (!has(expected, 'sendClose') && has(actual, 'sendClose')) {
    return 'Each side sends one Close, and ours is out already.';
  }
  if (has(expected, 'hangUp') && !has(actual, 'hangUp')) {
    return event === 'fail'
      ? 'After a failure, close the TCP connection at once, as a client as well.'
      : 'Both Closes have passed: the server closes the TCP connection, at once.';
  }
  if (!has(expected, 'hangUp') && has(actual, 'hangUp')) return tooEarly(role, event);
  return bodyMistake(event, actual[0], expected[0]) ?? orderMistake(actual, expected);
}

function orderMistake(actual: readonly Action[], expected: readonly Action[]): string | undefined {
  const isReversed = actual[0]?.type === 'hangUp' && expected[0]?.type === 'sendClose';
  return isReversed ? 'First the Close, then the end: a list is done in its order.' : undefined;
}

/** What is wrong with the body of a Close. */
function bodyMistake(event: ClosingEvent, mine?: Action, right?: Action): string | undefined {
  if (mine?.type !== 'sendClose' || right?.type !== 'sendClose') return undefined;
  if (!(mine.body instanceof Uint8Array)) return 'The body of a Close is bytes.';
  const isCodeRight = Buffer.compare(mine.body.slice(0, 2), right.body.slice(0, 2)) === 0;
  if (event === 'receiveClose' && right.body.length === 0 && mine.body.length > 0) {
    return 'A Close without a code is answered with one without a code.';
  }
  if (event === 'receiveClose' && !isCodeRight) {
    return 'A Close is answered with the code that it has.';
  }
  if (event === 'receiveClose' && mine.body.length > right.body.length) {
    return 'The code goes back, but not the reason.';
  }
  if (event === 'fail' && isCodeRight && Buffer.compare(mine.body, right.body) !== 0) {
    return 'The reason is the message of a `ProtocolError`, as much of it as fits. Any other error has none.';
  }
  return undefined;
}

function tooEarly(role: Role, event: ClosingEvent): string | undefined {
  if (event === 'close') {
    return 'The peer has not said Close yet, and can still be sending. Wait for it.';
  }
  return role === 'client'
    ? 'A client leaves it to the server to close the TCP connection.'
    : undefined;
}
