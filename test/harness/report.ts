/** How a run is told to the person at the terminal. */

import { fileOf, LESSONS, type Lesson, type Target } from '../../shared/lessons.ts';
import { style } from '../../shared/style.ts';
import type { Failure, StepResult } from './run.ts';

/** The widest line, in columns. */
const WIDTH = 76;

/** Writes why a file could not be loaded, and what to do. */
export function renderBroken({ lesson }: Target, failure: Failure): string {
  const remedy = `Mend it, or get a fresh one and keep yours: npm run reset ${lesson.number}`;
  const lines = failure.facts.length > 0 ? ['', ...facts(failure), ''] : [];
  return [`${style.red('✗')} ${failure.what}`, ...lines, `  ${remedy}`].join('\n');
}

/** Writes the steps, one line each, and the first that does not hold in full. */
export function renderRun(target: Target, results: readonly StepResult[]): string {
  const done = results.filter(({ failure }) => !failure).length;
  const first = results.find(({ failure }) => failure);
  const lines = ['', heading(target, done, results.length), ''];
  for (const result of results) {
    lines.push(stepLine(result));
    if (result === first && result.failure) lines.push('', ...explanation(result, target), '');
  }
  lines.push('', verdict(target, done, results.length), '');
  return lines.join('\n');
}

function heading({ side, lesson }: Target, done: number, total: number): string {
  const title = `${lesson.number} ${lesson.title}${side === 'solutions' ? ' (reference)' : ''}`;
  const bar = `${'█'.repeat(done)}${'░'.repeat(total - done)}  ${done}/${total}`;
  return style.bold(title.padEnd(WIDTH - bar.length) + bar);
}

function stepLine({ number, title, section, failure }: StepResult): string {
  const mark = !failure ? style.green('✓') : failure.kind === 'todo' ? '·' : style.red('✗');
  const name = `${number}  ${title}`;
  const where = `§${section}`;
  return ` ${mark} ${name.padEnd(WIDTH - 3 - where.length)}${style.dim(where)}`;
}

/** Tells in full why a step does not hold: what, with which bytes, and where to read on. */
export function explanation({ number, section, failure }: StepResult, target: Target): string[] {
  if (!failure) return [];
  const lines = wrap(failure.what, WIDTH - 4);
  if (failure.kind === 'todo') {
    lines.push('', `Code      ${fileOf(target)}`);
  } else {
    lines.push('', ...facts(failure));
    if (failure.cause) lines.push('', ...wrap(failure.cause, WIDTH - 4));
    lines.push('');
  }
  lines.push(`Read      lessons/${target.lesson.name}/README.md, step ${number}`);
  lines.push(`Standard  RFC 6455 §${section}`);
  return lines.map((line) => (line ? `    ${line}` : ''));
}

function facts({ facts }: Failure): string[] {
  const column = Math.max(...facts.map(([label]) => label.length)) + 2;
  return facts.flatMap(([label, value]) =>
    wrap(value, WIDTH - 4 - column).map((line, i) => (i === 0 ? label : '').padEnd(column) + line),
  );
}

function verdict({ side, lesson }: Target, done: number, total: number): string {
  if (done < total) return `${done} of ${total} steps hold.`;
  if (side === 'solutions') return `All ${total} steps hold.`;
  const next: Lesson | undefined = LESSONS[LESSONS.indexOf(lesson) + 1];
  const what = `All ${total} steps hold: lesson ${lesson.number} is done.`;
  return next ? `${what} Next: lessons/${next.name}/README.md` : what;
}

/** Breaks text into lines of at most `width` columns, at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let rest = paragraph;
    while (rest.length > width) {
      const space = rest.lastIndexOf(' ', width);
      const cut = space > 0 ? space : width;
      lines.push(rest.slice(0, cut).trimEnd());
      rest = rest.slice(cut).trimStart();
    }
    return [...lines, rest];
  });
}
