/** What memory is in use. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { giveWay } from './patience.ts';

/** How often garbage is collected until an object counts as held. */
const ATTEMPTS = 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

/**
 * Returns how many bytes of memory, of the kind that `measure` looks at, are in use after an action
 * and were not before. Below `limit`, some of them may be garbage: to collect all of it takes its
 * time, and changes nothing.
 */
export function memoryTaken(
  measure: (usage: NodeJS.MemoryUsage) => number,
  limit: number,
  act: () => void,
): number {
  collectGarbage();
  // The memory of buffers is given back later, but before the next collection, of whatever type.
  const used = () => {
    collectGarbage({ type: 'minor' });
    return measure(process.memoryUsage());
  };
  const before = used();
  act();
  const taken = used() - before;
  if (taken < limit) return taken;
  collectGarbage();
  return used() - before;
}

/**
 * Returns how many bytes of buffers an action reserves that is done so many times. What garbage is
 * collected meanwhile hides no more than what one of the times reserves.
 */
export function buffersReserved(times: number, act: () => void): number {
  let reserved = 0;
  for (let i = 0; i < times; i++) {
    const before = process.memoryUsage().arrayBuffers;
    act();
    reserved += Math.max(0, process.memoryUsage().arrayBuffers - before);
  }
  return reserved;
}

/** Says whether nothing refers to an object any more. Waits a little for what is about to let go. */
export async function isForgotten(object: WeakRef<object>): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await giveWay(5);
    await collectTogether();
    if (object.deref() === undefined) return true;
  }
  return false;
}

let collection: Promise<void> | undefined;

/** Collects garbage, once for everybody who waits for it at the same time. */
function collectTogether(): Promise<void> {
  collection ??= nextTurn().then(() => {
    collection = undefined;
    collectGarbage();
  });
  return collection;
}
