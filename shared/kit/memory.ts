/** What memory is in use. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { giveWay } from './patience.ts';

/** How often garbage is collected until an object counts as held. */
const ATTEMPTS = 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' }) => void;

/** The bytes that objects, or buffers, take up, after what is not in use has been thrown away. */
export function usedMemory(kind: 'heapUsed' | 'arrayBuffers'): number {
  collectGarbage();
  // The memory of buffers is given back later, but before the next collection, of whatever type.
  if (kind === 'arrayBuffers') collectGarbage({ type: 'minor' });
  return process.memoryUsage()[kind];
}

/** Says whether nobody holds an object any more. Waits a little for whoever is about to let go. */
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
