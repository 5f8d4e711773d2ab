/** Step 7: texts, encoded into memory that they share, and decoded without a detour. */
import { TEXTS_IN } from './texts-in.ts';
import { TEXTS_OUT } from './texts-out.ts';
import type { Scenarios } from './tools.ts';

export const TEXT: Scenarios = [...TEXTS_OUT, ...TEXTS_IN];
