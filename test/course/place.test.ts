import { expect, test } from 'vitest';
import { findPlace, placeOf } from '../../shared/course/place.ts';

/** An error with these lines in its stack, each after `at`. */
function thrownAt(...places: readonly string[]): Error {
  const error = new TypeError('Oh.');
  error.stack = ['TypeError: Oh.', ...places.map((place) => `    at ${place}`)].join('\n');
  return error;
}

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

test.each([thrownAt('f (node:internal/timers:1:1)'), thrownAt(), 'lessons', undefined])(
  'what was thrown nowhere in a lesson: %s',
  (error) => {
    expect(findPlace(error)).toBeUndefined();
    expect(placeOf(error)).toBeUndefined();
  },
);
