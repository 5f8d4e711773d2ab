/** Which cases to run. */
import { UsageError } from '../course/lessons.ts';
import type { Case, Category } from './case.ts';

/**
 * Chooses cases by name: a category such as `6`, a family such as `6.4`, or a case; in any case
 * of letters. No names choose everything. Throws `UsageError` for a name that nothing has.
 */
export function selectCases<S>(
  names: readonly string[],
  categories: readonly Category<S>[],
): Category<S>[] {
  const wanted = names.map((name) => name.toUpperCase().replace(/\.?\*?$/, ''));
  const fits = (name: string, { id }: Case<S>) => id === name || id.startsWith(`${name}.`);
  for (const [i, name] of wanted.entries()) {
    if (!categories.some(({ cases }) => cases.some((testCase) => fits(name, testCase)))) {
      throw new UsageError(unknown(names[i] ?? '', name, categories));
    }
  }
  return categories
    .map((category) => ({
      ...category,
      cases: category.cases.filter(
        (testCase) => wanted.length === 0 || wanted.some((name) => fits(name, testCase)),
      ),
    }))
    .filter(({ cases }) => cases.length > 0);
}

function unknown(given: string, name: string, categories: readonly Category<never>[]): string {
  const category = categories.find(({ id }) => id === name.split('.')[0]);
  if (!category) {
    const ids = categories.map(({ id }) => id).join(', ');
    return `There is no category ${JSON.stringify(given)}. The categories are ${ids}.`;
  }
  const [first, last] = [category.cases[0]?.id, category.cases.at(-1)?.id];
  return `There is no case ${JSON.stringify(given)}. Category ${category.id} goes from ${first} to ${last}.`;
}
