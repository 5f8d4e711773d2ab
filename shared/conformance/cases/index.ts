/** Every case there is. */
import type { Category } from '../case.ts';
import type { Trial } from '../trial.ts';
import type { Visit } from '../visit.ts';
import { ANSWERS } from './answers.ts';
import { BOMBS, CLIENT_BOMBS } from './bombs.ts';
import { CLOSING } from './closing.ts';
import { COMPRESSION } from './compression.ts';
import { CLIENT_DEFLATED, DEFLATED } from './deflated.ts';
import { CLIENT_ENDING, ENDING } from './ending.ts';
import { CLIENT_FRAMING, FRAMING } from './framing.ts';
import { HANDSHAKE } from './handshake.ts';
import { CLIENT_LIMITS, LIMITS } from './limits.ts';
import { MASKING } from './masking.ts';
import { FRAGMENTED, MESSAGE_CATEGORIES } from './messages.ts';
import { ANSWERED, OFFERED } from './offers.ts';
import { REQUEST } from './request.ts';
import { ROBUSTNESS } from './robustness.ts';
import { CLIENT_STREAM, STREAM } from './stream.ts';
import { UTF8 } from './utf8.ts';
import { VOLUME } from './volume.ts';

/**
 * All categories for servers, in the order of a report. Those with numbers have the cases of the Autobahn
 * test suite, by its numbers; those with letters are what that suite leaves out.
 */
export const CATEGORIES: readonly Category<Trial>[] = [
  ...MESSAGE_CATEGORIES,
  UTF8,
  CLOSING,
  VOLUME,
  FRAGMENTED,
  ...COMPRESSION,
  HANDSHAKE,
  FRAMING,
  STREAM,
  LIMITS,
  ENDING,
  ROBUSTNESS,
  OFFERED,
  DEFLATED,
  BOMBS,
];

/** All categories for clients. Most cases are those for servers, with the roles turned. */
export const CLIENT_CATEGORIES: readonly Category<Visit>[] = [
  ...MESSAGE_CATEGORIES,
  UTF8,
  CLOSING,
  VOLUME,
  FRAGMENTED,
  ...COMPRESSION,
  REQUEST,
  ANSWERS,
  CLIENT_FRAMING,
  CLIENT_STREAM,
  CLIENT_LIMITS,
  CLIENT_ENDING,
  MASKING,
  ANSWERED,
  CLIENT_DEFLATED,
  CLIENT_BOMBS,
];
