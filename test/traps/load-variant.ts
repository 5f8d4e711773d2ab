import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileOf, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { toJavaScript } from '../../shared/process/translate.mjs';

/** What a module imports of the project. Of others, types have been taken out. */
const IMPORT = /^import (\{[^}]*\}|\* as \w+) from "(\.[^"]+)";$/gm;

/** The modules of this process that variants import, by their paths. */
const modules = new Map<string, object>();
const SHELF = 'modulesForVariants';
Object.assign(globalThis, { [SHELF]: modules });

/** Reads the solution of a lesson. */
export function sourceOf(lesson: Lesson): string {
  return readFileSync(join(ROOT, fileOf({ side: 'solutions', lesson })), 'utf8');
}

/**
 * Loads a variant of a solution: `change` makes its source. What it imports of the project are the
 * modules that are here already, so that both know the same classes; to ask the loader for hundreds
 * of variants would take longer than to check them. `earlier` is what it imports of another lesson,
 * in place of the solution.
 */
export async function loadVariant(
  lesson: Lesson,
  change: (source: string) => string,
  earlier?: { readonly lesson: Lesson; readonly module: object },
): Promise<object> {
  const path = join(ROOT, fileOf({ side: 'solutions', lesson }));
  const code = toJavaScript(path, change(sourceOf(lesson)));
  for (const [, , from = ''] of code.matchAll(IMPORT)) {
    const file = join(dirname(path), from);
    if (!modules.has(file)) modules.set(file, await import(file));
  }
  const variant = earlier && join(ROOT, fileOf({ side: 'solutions', lesson: earlier.lesson }));
  const key = `variant ${count}`;
  if (earlier) modules.set(key, earlier.module);
  const bound = code.replace(IMPORT, (_, names: string, from: string) => {
    const file = join(dirname(path), from);
    const shelved = JSON.stringify(file === variant ? key : file);
    const target = names.replace('* as ', '').replaceAll(' as ', ': ');
    return `const ${target} = ${SHELF}.get(${shelved});`;
  });
  // A number keeps equal variants apart: each has a state of its own.
  return import(
    /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(`${bound}//${count++}`)}`
  );
}

let count = 0;
