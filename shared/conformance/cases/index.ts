/** Every case there is. */
import type { Category } from '../case.ts';
import type { Trial } from '../trial.ts';
import { CLOSING } from './closing.ts';
import { ENDING } from './ending.ts';
import { FRAMING } from './framing.ts';
import { HANDSHAKE } from './handshake.ts';
import { LIMITS } from './limits.ts';
import { FRAGMENTED, MESSAGE_CATEGORIES } from './messages.ts';
import { ROBUSTNESS } from './robustness.ts';
import { STREAM } from './stream.ts';
import { UTF8 } from './utf8.ts';
import { VOLUME } from './volume.ts';

/**
 * All categories, in the order of a report. Those with numbers have the cases of the Autobahn
 * test suite, by its numbers; those with letters are what that suite leaves out.
 */
export const CATEGORIES: readonly Category<Trial>[] = [
  ...MESSAGE_CATEGORIES,
  UTF8,
  CLOSING,
  VOLUME,
  FRAGMENTED,
  HANDSHAKE,
  FRAMING,
  STREAM,
  LIMITS,
  ENDING,
  ROBUSTNESS,
];
