/** The traps of every lesson. */
import { TRAPS as handshake } from './01-handshake.ts';
import { TRAPS as reading } from './02-reading-frames.ts';
import { TRAPS as sending } from './03-sending-frames.ts';
import { TRAPS as closing } from './04-closing.ts';
import { TRAPS as server } from './05-server.ts';
import { TRAPS as client } from './06-client.ts';
import { TRAPS as compression } from './07-compression.ts';
import { TRAPS as speed } from './08-speed.ts';
import { TRAPS as production } from './09-production.ts';
import type { Trap } from './trap.ts';

/** By the number of their lesson, such as `02`. */
export const TRAPS: Readonly<Record<string, readonly Trap[]>> = {
  '01': handshake,
  '02': reading,
  '03': sending,
  '04': closing,
  '05': server,
  '06': client,
  '07': compression,
  '08': speed,
  '09': production,
};
