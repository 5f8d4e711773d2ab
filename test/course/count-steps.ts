/** How many steps there are. */
import { LESSONS } from '../../shared/course/lessons.ts';
import { loadSpec } from '../../shared/harness/spec.ts';

/** Counts the steps of all lessons. */
export async function countSteps(): Promise<number> {
  const specs = await Promise.all(LESSONS.map(({ name }) => loadSpec(name)));
  return specs.flatMap(({ steps }) => steps).length;
}
