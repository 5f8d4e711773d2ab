import { fileOf, type Lesson } from '../../shared/course/lessons.ts';

/** Loads a variant of a solution, such as `done=3`, as `variants.ts` makes it. */
export function loadVariant(lesson: Lesson, query: string): Promise<object> {
  return import(/* @vite-ignore */ `../../${fileOf({ side: 'solutions', lesson })}?${query}`);
}
