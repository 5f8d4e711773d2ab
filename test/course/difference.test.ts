/** How two values are told apart that look alike. */
import { expect, test } from 'vitest';
import { type CheckFailure, equal } from '../../shared/harness/check.ts';

/** What is told of a wrong value, as `label: text`. */
function told(actual: unknown, expected: unknown): string[] {
  try {
    const call = () => actual;
    equal(() => call(), expected, 'The same.');
  } catch (error) {
    return (error as CheckFailure).facts.map(([label, value]) => `${label}: ${value}`);
  }
  return [];
}

const E_ACUTE = 'é';
const AS_BYTES = '\u00c3\u00a9';

test.each([
  [
    { length: 5n },
    { length: 5 },
    'What should be a number is a bigint. `Number(value)` makes a number of it.',
  ],
  ['\u0081', Uint8Array.of(0x81), 'What should be bytes is text.'],
  [[{ body: [3, 232] }], [{ body: Uint8Array.of(3, 232) }], 'What should be bytes is a list.'],
  [Uint8Array.of(0x61), 'a', 'What should be text is bytes.'],
  [
    Promise.resolve([1]),
    [1],
    'The function is async, or returns a promise. Here it has to return the value itself.',
  ],
  [6, 5, 'About the value.'],
  [undefined, 5, 'About the value.'],
  [{}, { length: 5 }, 'About the value.'],
])('a value of another kind is told before its content: %o', (actual, expected, cause) => {
  const check = () => equal(() => Object(actual) && actual, expected, 'Same.', about);
  const about = { cause: () => 'About the value.' };
  expect(check).toThrow(expect.objectContaining({ cause }));
});

test.each([
  [Uint8Array.of(1), 'OPEN'],
  [Uint8Array.of(1), Uint8Array.of(2)],
])('a value is called what the spec calls it: %o', (actual, expected) => {
  const label = (about: { label?: string }) => {
    try {
      equal(() => actual, expected, 'The same.', about);
    } catch (error) {
      return (error as CheckFailure).facts[0];
    }
    return undefined;
  };
  expect(label({})).toEqual(['you returned', '01']);
  expect(label({ label: 'the payload' })).toEqual(['the payload', '01']);
});

test.each([
  ['a Close with 1008', 'nothing', 'a Close with 1008', 'nothing'],
  [['welcome', 'bye'], ['welcome'], 'welcome, bye', 'welcome'],
  [[], undefined, 'nothing', 'nothing'],
  [false, true, 'no', 'yes'],
  [[false, 16], [false, 0], 'no, 16', 'no, 0'],
])('what is in words has no quotes: %o', (actual, expected, mine, right) => {
  const about = { label: 'it was told', inWords: true };
  const facts = [
    ['it was told', mine],
    ['expected', right],
  ];
  expect(() => equal(() => actual, expected, 'The same.', about)).toThrow(
    expect.objectContaining({ facts }),
  );
});

test('text that is not ASCII is shown in hex, wherever it is', () => {
  expect(told(E_ACUTE, AS_BYTES)).toEqual([
    'you returned: "é"',
    'expected: "Ã©"',
    'in hex: e9, not c3 a9',
  ]);
  for (const wrap of [
    (text: string) => [text],
    (text: string) => ({ fine: 1, headers: new Map([['x', ['a', `b ${text} c`]]]) }),
    (text: string) => [{ type: 'text', data: text }],
  ]) {
    expect(told(wrap(E_ACUTE), wrap(AS_BYTES)).at(-1)).toBe('in hex: e9, not c3 a9');
  }
});

test('in hex is only what differs, and only where it is not ASCII', () => {
  expect(told('a€b', 'a\u00e2\u0082\u00acb').at(-1)).toBe('in hex: 20ac, not e2 82 ac');
  expect(told('😀', '😁').at(-1)).toBe('in hex: 1f600, not 1f601');
  expect(told('caf', 'café').at(-1)).toBe('in hex: e9 is missing');
  expect(told(AS_BYTES.repeat(20), '').at(-1)).toMatch(/^in hex: (c3 a9 ){6}… is too much$/);
  expect(told('café a', 'café b')).toHaveLength(2);
  expect(told('a', 'b')).toHaveLength(2);
  expect(told(1, 'é')).toHaveLength(2);
});

test('what is no plain object has its kind', () => {
  expect(told(new Set(['a']), new Map([['a', 1]]))[0]).toBe('you returned: Set ["a"]');
  expect(told(new ArrayBuffer(2), Uint8Array.of(0, 0))[0]).toBe('you returned: ArrayBuffer {}');
  expect(told(Uint16Array.of(258), Uint8Array.of(1, 2))[0]).toBe('you returned: Uint16Array [258]');
  expect(told((function* () {})(), [])[0]).toBe('you returned: Generator {}');
  expect(told(new (class Frame {})(), { fin: true })[0]).toBe('you returned: Frame {}');
  expect(told(Object.create(null), { fin: true })[0]).toBe('you returned: {}');
  expect(told(-0, 0)).toEqual(['you returned: -0', 'expected: 0']);
});

test('a long list of objects has a line for each', () => {
  const action = (type: string) => ({ type, body: Uint8Array.of(3, 232) });
  const list = [action('sendClose'), action('hangUp'), action('destroy')];
  expect(told(list.slice(0, 1), [])[0]).toBe('you returned: [{ type: "sendClose", body: 03 e8 }]');
  expect(told(list, [])[0]?.split('\n')).toEqual([
    'you returned: [{ type: "sendClose", body: 03 e8 },',
    ' { type: "hangUp", body: 03 e8 },',
    ' { type: "destroy", body: 03 e8 }]',
  ]);
  expect(
    told(
      list.map(({ type }) => type),
      [],
    )[0],
  ).not.toContain('\n');
});

test('a field that is not there is not shown as undefined', () => {
  const ping = { type: 'ping', payload: Uint8Array.of(1) };
  expect(told(ping, { type: 'text', data: 'c' })).toEqual([
    'you returned: { type: "ping" }',
    'expected: { type: "text", data: "c" }',
  ]);
  expect(told({ a: undefined }, { a: 1 })[0]).toBe('you returned: { a: undefined }');
});

test('where they differ is told when it cannot be seen', () => {
  const list = (last: number) => [1, 2, 3, 4, 5, 6, 7, 8, 9, last];
  expect(told(list(10), list(11)).at(-1)).toBe('at [9]: 10, not 11');
  const bytes = (last: number) => [{ data: new Uint8Array(99).fill(last, 98) }];
  expect(told(bytes(7), bytes(8)).at(-1)).toBe('at [0].data: byte 98 is 07, not 08');
  const text = (end: string) => ['x'.repeat(700) + end];
  expect(told(text('one'), text('two')).at(-1)).toBe('at [0]: "one", not "two" from character 700');
  const deep = (value: number) => [[[[[value]]]]];
  expect(told(deep(1), deep(2)).at(-1)).toBe('at [0][0][0][0][0]: 1, not 2');
  const map = (value: number) => new Map([['a b', [list(value)]]]);
  expect(told(map(1), map(2)).at(-1)).toBe('at ["a b"][0][9]: 1, not 2');
});
