/** Who imports whom, read from the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { ROOT } from '../../shared/course/lessons.ts';

/** A file, and the files that it imports, as paths from the project's folder. Types count. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Lists the sources of these folders, from the project's own, with `/` on every system. */
export function listSources(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[jt]s$/.test(name))
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`),
  );
}

/**
 * Reads all of the project's sources, but for the lessons: those are the learner's, and their stubs
 * import what the solutions do. An import whose path is computed is not in it.
 */
export function readImports(): Imports {
  const paths = listSources('shared', 'test', 'solutions');
  return new Map(paths.map((path) => [path, importsOf(path)]));
}

function importsOf(path: string): string[] {
  const source = readFileSync(join(ROOT, path), 'utf8');
  const found = source.matchAll(
    /^(?:import|export)\b[^'`;]*\bfrom '(\.[^']+)'|^import '(\.[^']+)'|\bimport\(\s*'(\.[^']+)'/gm,
  );
  return [...found].map(([, from, only, called]) =>
    posix.join(dirname(path), from ?? only ?? called ?? ''),
  );
}

/** Returns every file that is loaded with these ones. */
export function reachableFrom(starts: readonly string[], imports: Imports): Set<string> {
  const reached = new Set<string>();
  const pending = [...starts];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    pending.push(...(imports.get(path) ?? []));
  }
  return reached;
}

/** Finds a way from a file back to itself. `undefined`: there is none. */
export function findCircle(imports: Imports): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of imports.get(path) ?? []) {
      const circle = visit(next, [...way, path]);
      if (circle) return circle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of imports.keys()) {
    const circle = visit(path, []);
    if (circle) return circle;
  }
  return undefined;
}
