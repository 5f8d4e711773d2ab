import type { Trap } from './trap.ts';

/** Steps 1 to 4: the opening handshake. */
const OPENING: readonly Trap[] = [];

/** Steps 5 and 6: a connection without a socket. */
const CORE: readonly Trap[] = [];

/** Steps 7 and 8: on a socket, and the class. */
const CLASS: readonly Trap[] = [];

/** Steps 9 and 10: coming back, and the debugger. */
const LASTING: readonly Trap[] = [];

export const TRAPS: readonly Trap[] = [...OPENING, ...CORE, ...CLASS, ...LASTING];
