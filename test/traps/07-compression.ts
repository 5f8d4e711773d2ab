import type { Trap } from './trap.ts';

/** Steps 1, 2 and 9: what is agreed on. */
const AGREEING: readonly Trap[] = [];

/** Steps 3 to 5: messages and their window. */
const PACKING: readonly Trap[] = [];

/** Steps 6 and 7: RSV1. */
const MARKING: readonly Trap[] = [];

/** Steps 8 and 10: in the server, and when not. */
const SERVING: readonly Trap[] = [];

export const TRAPS: readonly Trap[] = [...AGREEING, ...PACKING, ...MARKING, ...SERVING];
