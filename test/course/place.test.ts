import { expect, test } from 'vitest';
import { findPlace, functionOf, isOfCheck, placeOf, placesOf } from '../../shared/course/place.ts';

/** An error with these lines in its stack, each after `at`. */
function thrownAt(...places: readonly string[]): Error {
  const error = new TypeError('Oh.');
  error.stack = ['TypeError: Oh.', ...places.map((place) => `    at ${place}`)].join('\n');
  return error;
}

const HARNESS = 'equal.label (/course/shared/harness/check.ts:3:4)';

test.each([
  ['f (file:///home/ada/websocket-101/lessons/05-server/server.ts:12:3)', 'lessons'],
  ['f (/home/ada/solutions/websocket-101/lessons/05-server/server.ts:12:3)', 'lessons'],
  ['file:///C:/course/solutions/05-server/server.ts?v=7:12:3', 'solutions'],
  ['new F (C:\\course\\solutions\\05-server\\server.ts:12:3)', 'solutions'],
])('%s', (place, side) => {
  const elsewhere = 'g (file:///home/ada/websocket-101/shared/harness/run.ts:1:1)';
  const error = thrownAt(elsewhere, place, 'h (/home/lessons/01-handshake/handshake.ts:4:4)');
  const file = `${side}/05-server/server.ts`;
  expect(findPlace(error)).toEqual({ file, line: 12, column: 3 });
  expect(placeOf(error)).toBe(`${file}:12`);
});

test.each([
  ['nextState', 'nextState'],
  ['Proxy.nextState', 'nextState'],
  ['Object.nextState', 'nextState'],
  ['Function.make', 'make'],
  ['new FrameReader', 'FrameReader'],
  ['async FrameReader.read', 'FrameReader.read'],
  ['FrameReader.#take', 'FrameReader.#take'],
  ['ClosingHandshake.get state', 'ClosingHandshake.state'],
  ['Proxy.encode [as encodeFrame]', 'encode'],
  ['<anonymous>', undefined],
  ['Proxy.<anonymous>', undefined],
])('%s is the function %s', (called, name) => {
  const error = thrownAt(`${called} (/course/lessons/05-server/server.ts:1:2)`, HARNESS);
  expect(functionOf(error)).toBe(name);
});

test('a function that has no name is not called by that of the check', () => {
  expect(functionOf(thrownAt('/course/lessons/05-server/server.ts:1:2', HARNESS))).toBeUndefined();
  expect(functionOf(thrownAt(HARNESS))).toBeUndefined();
});

test.each([thrownAt('f (node:internal/timers:1:1)'), thrownAt(), 'lessons', undefined])(
  'what was thrown nowhere in a lesson: %s',
  (error) => {
    expect(findPlace(error)).toBeUndefined();
    expect(placeOf(error)).toBeUndefined();
  },
);

test('every place is named once, that of the throw first', () => {
  const at = (line: number) => `f (/course/lessons/05-server/server.ts:${line}:2)`;
  const error = thrownAt(at(9), at(9), 'map (<anonymous>)', at(3), HARNESS);
  const file = 'lessons/05-server/server.ts';
  expect(placesOf(error)).toEqual([`${file}:9`, `${file}:3`]);
});

test('what a method throws that counts is thrown by whoever has called it', () => {
  const counting = ['Uint8Array.set (<anonymous>)', 'call (file:///course/shared/kit/work.ts:1:2)'];
  const learner = 'Output.add (/course/lessons/08-speed/speed.ts:1:2)';
  expect(isOfCheck(thrownAt(...counting, learner, HARNESS))).toBe(false);
  expect(isOfCheck(thrownAt(...counting, HARNESS, learner))).toBe(true);
});
