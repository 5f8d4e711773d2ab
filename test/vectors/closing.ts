/** Close bodies and codes with a known meaning. */
import type { Vector } from './vector.ts';

/** What a close body says. `undefined`: nothing, it is empty. */
type Body = { readonly code: number; readonly reason: string } | undefined;

export const CLOSE_BODIES: readonly Vector<Body>[] = [
  {
    id: 'close-empty',
    source: 'RFC 6455 §5.5.1',
    what: 'an empty body',
    wire: '',
    expected: undefined,
  },
  {
    id: 'close-1000',
    source: 'RFC 6455 §7.4.1',
    what: '1000 without a reason',
    wire: '03 e8',
    expected: { code: 1000, reason: '' },
  },
  {
    id: 'close-1001',
    source: 'RFC 6455 §7.4.1',
    what: '1001 without a reason',
    wire: '03 e9',
    expected: { code: 1001, reason: '' },
  },
  {
    id: 'close-1000-bye',
    source: 'RFC 6455 §5.5.1',
    what: '1000 and "bye"',
    wire: '03 e8 62 79 65',
    expected: { code: 1000, reason: 'bye' },
  },
  {
    id: 'close-4999',
    source: 'RFC 6455 §7.4.2',
    what: '4999, the last that applications may use',
    wire: '13 87',
    expected: { code: 4999, reason: '' },
  },
  {
    id: 'close-4000-chinese',
    source: 'RFC 6455 §7.4.2',
    what: '4000 and a reason beyond ASCII',
    wire: '0f a0 e5 86 8d e8 a7 81',
    expected: { code: 4000, reason: '再见' },
  },
];

/** Codes that may appear in a Close frame: those of RFC 6455 §7.4 and of the IANA registry. */
export const WIRE_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
];

/** Codes that may not, each with its reason. Those in the middle of a range come before its end. */
export const NO_WIRE_CODES: readonly (readonly [code: number, why: string])[] = [
  [1005, 'it says that a Close had no code, and never travels'],
  [1006, 'it says that there was no Close, and never travels'],
  [1004, 'it is reserved, and its meaning was never defined'],
  [0, 'codes below 1000 are not used'],
  [999, 'codes below 1000 are not used'],
  [2999, 'it is kept for future standards'],
  [2000, 'it is kept for future standards'],
  [1100, 'no standard defines it'],
  [1016, 'no standard defines it'],
  [5000, 'codes beyond 4999 have no meaning'],
  [65535, 'codes beyond 4999 have no meaning'],
  [1015, 'it says that TLS failed, and never travels'],
];
