/** The hints of a lesson's README. */
import { renderMarkdown } from '../view/markdown.ts';
import { style } from '../view/style.ts';
import { readText } from './files.ts';
import { type Lesson, UsageError } from './lessons.ts';
import { type StepText, stepsOf } from './readme.ts';

/** Reads the steps of a lesson, with their hints. Throws `UsageError` when the README is gone. */
export function readSteps(lesson: Lesson): StepText[] {
  // Git may have written it with the line ends of Windows.
  return stepsOf(readText(`lessons/${lesson.name}/README.md`).replaceAll('\r\n', '\n'));
}

/** Says how many hints a step has; 0 for a step that does not exist. */
export function countHints(lesson: Lesson, step: number): number {
  return readSteps(lesson).find(({ number }) => number === step)?.hints.length ?? 0;
}

/**
 * Writes one hint, from 1, for a terminal: a heading, and the hint itself. No line is wider than
 * `width` columns. Throws `UsageError` when there is no such step or hint.
 */
export function renderHint(lesson: Lesson, step: number, number: number, width: number): string[] {
  const steps = readSteps(lesson);
  const { title, hints } = steps.find((text) => text.number === step) ?? {};
  if (title === undefined || hints === undefined) {
    throw new UsageError(
      `Lesson ${lesson.number} has no step ${step}, only 1 to ${steps.length}: npm run hint ${lesson.number}.1`,
    );
  }
  const hint = hints[number - 1];
  if (hint === undefined) {
    throw new UsageError(
      `Step ${step} has no hint ${number}, only 1 to ${hints.length}: npm run hint ${lesson.number}.${step}.1`,
    );
  }
  return [
    style.bold(`${lesson.number} ${lesson.title}, step ${step}: ${title}`),
    style.dim(`Hint ${number} of ${hints.length}`),
    '',
    ...renderMarkdown(hint, width - 2).map((line) => line && `  ${line}`),
  ];
}
