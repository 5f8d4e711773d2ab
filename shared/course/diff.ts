import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hunksOf, renderHunks } from '../view/diff.ts';
import { style } from '../view/style.ts';
import { pad, widthOf } from '../view/width.ts';
import { wrap } from '../view/wrap.ts';
import { requireFile } from './files.ts';
import { fileOf, type Lesson, ROOT, type Target } from './lessons.ts';

/**
 * Compares the learner's file with the reference, as unified hunks. Lines wider than `width`
 * columns are broken. Throws `UsageError` when one of the files is missing.
 */
export function renderDiff(lesson: Lesson, width: number): string[] {
  const [yours, reference]: [Target, Target] = [
    { side: 'lessons', lesson },
    { side: 'solutions', lesson },
  ];
  const hunks = hunksOf(readText(yours), readText(reference));
  if (hunks.length === 0) return wrap(`${fileOf(yours)} is the same as the reference.`, width);
  const column = Math.max(widthOf(fileOf(yours)), widthOf(fileOf(reference))) + 2;
  return [
    style.bold.red(`--- ${pad(fileOf(yours), column)}yours`),
    style.bold.green(`+++ ${pad(fileOf(reference), column)}the reference`),
    ...renderHunks(hunks, width),
  ];
}

/** Reads a target's file. Which line ends it has is no difference. */
function readText(target: Target): string {
  requireFile(target);
  return readFileSync(join(ROOT, fileOf(target)), 'utf8').replaceAll('\r\n', '\n');
}
