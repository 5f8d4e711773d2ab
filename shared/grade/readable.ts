/** Keeps from our own process what would end it. */
import { fileURLToPath } from 'node:url';
import { runModule } from '../process/children.ts';

const PROBE = fileURLToPath(new URL('probe.mjs', import.meta.url));
/** How long to wait for all sources, and for each, in milliseconds: a guard for a busy machine. */
const PATIENCE_MS = 60_000;
const PATIENCE_EACH_MS = 1000;

/** Tells which sources can be read without harm: of each, whether it can. */
export function areReadable(sources: readonly string[]): boolean[] {
  const known: boolean[] = [];
  while (known.length < sources.length) {
    const left = sources.slice(known.length);
    const patienceMs = PATIENCE_MS + PATIENCE_EACH_MS * left.length;
    const answers = runModule(PROBE, JSON.stringify(left), patienceMs);
    known.push(...Array.from(answers, (it) => it === 'y'));
    // What it has not come back from.
    if (known.length < sources.length) known.push(false);
  }
  return known;
}
