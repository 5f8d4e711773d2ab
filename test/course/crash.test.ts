/** What is said of errors that nobody meant to throw. */
import { expect, test } from 'vitest';
import {
  attempt,
  type CheckFailure,
  equal,
  failsWith,
  throwsDOMException,
} from '../../shared/harness/check.ts';
import { causeOfCrash } from '../../shared/harness/crash.ts';
import { toFailure } from '../../shared/harness/run.ts';
import { OpeningError } from '../../shared/protocol.ts';

const OWN = '/course/lessons/02-reading-frames/reading.ts:7:3';
const CHECK = '/course/test/specs/02-reading-frames/frames.ts:9:1';

/** An error with these lines in its stack, each after `at`. */
function thrownAt<E extends Error>(error: E, ...places: readonly string[]): E {
  error.stack = [String(error), ...places.map((place) => `    at ${place}`)].join('\n');
  return error;
}

/** What a check says. */
function told(check: () => void): CheckFailure {
  try {
    check();
  } catch (error) {
    return error as CheckFailure;
  }
  throw new Error('It is right.');
}

const crash = () => {
  throw thrownAt(new TypeError('x is not a function'), `read (${OWN})`, `check (${CHECK})`);
};
const inCheck = () => {
  const error = new TypeError("Cannot read properties of undefined (reading 'map')");
  throw thrownAt(error, 'Array.map (<anonymous>)', `check (${CHECK})`, 'f (node:vm:1:1)');
};

test('a cause of a wrong value is not printed for an error, nor the other way round', () => {
  const refuse = () => {
    throw thrownAt(new Error('1002'), `read (${OWN})`);
  };
  const mask = { cause: () => 'A client has to mask.' };
  expect(told(() => failsWith(1002, refuse, 'Refuse.', mask)).cause).toBeUndefined();
  expect(told(() => failsWith(1002, () => {}, 'Refuse.', mask)).cause).toBe(mask.cause());

  const about = { cause: () => 'The mask is wrong.' };
  expect(told(() => equal(crash, 1, 'One.', about)).cause).toBeUndefined();
  expect(told(() => failsWith(1002, crash, 'Refuse.', about)).cause).toBeUndefined();
  expect(told(() => equal(() => 2, 1, 'One.', about)).cause).toBe('The mask is wrong.');
  const ofError = { causeOfError: (error: unknown) => `A ${(error as Error).name}.` };
  expect(told(() => equal(crash, 1, 'One.', ofError)).cause).toBe('A TypeError.');
  expect(told(() => equal(() => 2, 1, 'One.', ofError)).cause).toBeUndefined();
});

test('a DOMException is known by its name, and is not an error of JavaScript', () => {
  const refuse = (error: Error) => () =>
    throwsDOMException(
      'SyntaxError',
      () => {
        throw thrownAt(error, `read (${OWN})`);
      },
      'Refuse.',
    );
  expect(refuse(new DOMException('No.', 'SyntaxError'))).not.toThrow();
  const saying = (error: Error) => told(refuse(error)).facts[0];
  expect(saying(new SyntaxError('No.'))).toEqual(['you threw', 'SyntaxError: No.']);
  const other = new DOMException('No.', 'InvalidStateError');
  expect(saying(other)).toEqual(['you threw', 'DOMException InvalidStateError: No.']);
  const empty = new DOMException('', 'SyntaxError');
  expect(saying(empty)).toEqual(['you threw', 'DOMException SyntaxError without a message']);
});

test('an error about a response is told with its status, if there was one', () => {
  const saying = (error: Error) => {
    const refuse = () => {
      throw thrownAt(error, `read (${OWN})`);
    };
    return told(() => failsWith(1002, refuse, 'Refuse.')).facts[0]?.[1];
  };
  const head = { status: 403, headers: new Map() };
  expect(saying(new OpeningError('4.1', 'No.', head))).toBe('OpeningError 403: No.');
  expect(saying(new OpeningError('4.1', 'No.'))).toBe('OpeningError: No.');
});

test('a cause that tries the code again finds none when that throws', () => {
  const about = { cause: () => crash() };
  const { facts, cause } = told(() => equal(() => 2, 1, 'One.', about));
  expect(facts).toContainEqual(['you returned', '2']);
  expect(cause).toBeUndefined();
});

test('a check that cannot work with what was returned does not say that the code threw', () => {
  const { facts, cause } = told(() => attempt(inCheck, 'Read.'));
  expect(facts).toEqual([
    ['the check says', "TypeError: Cannot read properties of undefined (reading 'map')"],
  ]);
  expect(cause).toContain('of the type that the signature says?');
  let failure = {};
  try {
    inCheck();
  } catch (error) {
    failure = toFailure(error);
  }
  expect(failure).toMatchObject({
    what: 'What the code returned is not what it should be.',
    facts,
  });
});

test.each([
  ['lesson.checkHeader is not a function', 'checkHeader is not a function'],
  ['handshake2.fail(...).map is not a function', 'map is not a function'],
  ['SendQueue is not a constructor', 'SendQueue is not a constructor'],
  ['new lesson.SendQueue is not a constructor', 'SendQueue is not a constructor'],
])('the variables of a check are not named: %s', (message, named) => {
  const error = thrownAt(new TypeError(message), `check (${CHECK})`);
  const call = () => {
    throw error;
  };
  const { facts, cause } = told(() => attempt(call, 'Read.'));
  expect(facts).toEqual([['the check says', `TypeError: ${named}`]]);
  expect(cause).toContain('Has it been renamed');
});

test('what threw is told with its caller, and with what was expected', () => {
  const error = thrownAt(new Error('No.'), `fault (${OWN})`, `read (${OWN.replace(':', ':9')})`);
  const call = () => {
    throw error;
  };
  const labels = told(() => attempt(call, 'Read.')).facts.map(([label]) => label);
  expect(labels).toEqual(['you threw', 'thrown at', 'called at', 'expected']);
  const { facts } = told(() => attempt(call, 'Read.', [], { expected: 'a frame' }));
  expect(facts.at(-1)).toEqual(['expected', 'a frame']);
});

test.each([
  [new RangeError('Invalid typed array length: -3'), /negative/],
  [new RangeError('Invalid typed array length: 1099511627776'), /more memory than there is/],
  [new RangeError('Array buffer allocation failed'), /more memory than there is/],
  [new RangeError('Offset is outside the bounds of the DataView'), /beyond the last byte/],
  [new TypeError('Cannot mix BigInt and other types, use explicit conversions'), /Number\(value\)/],
])('%s', (error, cause) => {
  expect(causeOfCrash(thrownAt(error, `read (${OWN})`))).toMatch(cause);
});

test('what JavaScript says of itself goes before what the check thinks', () => {
  const full = () => {
    throw thrownAt(new RangeError('Maximum call stack size exceeded'), OWN, OWN);
  };
  const about = { cause: (actual: unknown) => (Array.isArray(actual) ? undefined : 'A list.') };
  expect(told(() => equal(full, [], 'None.', about)).cause).toContain('calls itself');
  expect(told(() => equal(() => undefined, [], 'None.', about)).cause).toBe('A list.');
});

test('a function in the place of a value has not been called', () => {
  const returned = told(() => equal(() => Object(function state() {}), 'OPEN', 'It starts OPEN.'));
  expect(returned.facts[0]).toEqual(['you returned', 'the function state']);
  expect(returned.cause).toContain('A function came, and not what it returns.');
});

test('a stack that is full has one of two causes', () => {
  const full = () => new RangeError('Maximum call stack size exceeded');
  const again = thrownAt(full(), `read (${OWN})`, `read (${OWN})`);
  expect(causeOfCrash(again)).toContain('calls itself');
  const once = thrownAt(full(), `read (${OWN})`, `check (${CHECK})`);
  expect(causeOfCrash(once)).toContain('too many arguments');
});

test('the error of a socket to which nobody listens is told as one', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' });
  const ofNode = thrownAt(refused, 'TCPConnectWrap.afterConnect (node:net:1611:16)');
  expect(causeOfCrash(ofNode)).toContain('Listen for that event');
  expect(causeOfCrash(thrownAt(refused, `dial (${OWN})`))).toBeUndefined();
  const missing = Object.assign(new Error('ENOENT'), { syscall: 'open' });
  expect(causeOfCrash(thrownAt(missing, 'openSync (node:fs:1:1)'))).toBeUndefined();
});
