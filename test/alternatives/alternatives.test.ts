/** Right solutions of another build, and other choices that a lesson leaves open, stay green. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findTarget, LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { firstFailure } from '../../shared/harness/run.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { loadVariant } from '../traps/load-variant.ts';
import { spring } from '../traps/spring.ts';
import { CHOICES, type Choice } from './choices.ts';

const FOLDER = join(ROOT, 'test/alternatives');
/** The suite of lesson 05: it takes as long as all the rest, and no choice below is about it. */
const SUITE = 10;

const folders = readdirSync(FOLDER);
/** Every solution of another build, such as `01-handshake/functional`. */
const styles = LESSONS.filter(({ name }) => folders.includes(name)).flatMap(({ name }) =>
  readdirSync(join(FOLDER, name))
    .sort()
    .map((file) => `${name}/${file.replace('.ts', '')}`),
);

test.for(styles)('%s is right', async (style) => {
  const [lesson = '', name] = style.split('/');
  const module: object = await import(`./${lesson}/${name}.ts`);
  expect(await firstFailure(await loadSpec(lesson), module)).toBeUndefined();
});

/** What the server of lesson 05 can stand on, besides the solutions. */
const FOUNDATIONS = [
  ['regular-expressions', 'data-view', 'data-view', 'switch'],
  ['state-machine', 'generator', 'hex', 'states-as-classes'],
  ['functional', 'chunk-list', 'hex', 'switch'],
];

test.for(FOUNDATIONS)('a server on %s, %s, %s and %s is right', async (foundation) => {
  const edits = foundation.map((style, i) => {
    const { name, file } = LESSONS[i]!;
    return [`'../${name}/${file}'`, `'../../test/alternatives/${name}/${style}.ts'`] as const;
  });
  expect(await failureOf({ lesson: '05', edits })).toBeUndefined();
});

const named = ({ lesson, what, ...choice }: Choice) =>
  [lesson, what, { lesson, ...choice }] as const;
const onSockets = CHOICES.filter(({ lesson }) => lesson === '05').map(named);
const others = CHOICES.filter(({ lesson }) => lesson !== '05').map(named);

test.for(others)('lesson %s may have %s', async ([, , choice]) => {
  expect(await failureOf(choice)).toBeUndefined();
});

// At once: each waits most of the time.
test.concurrent.for(onSockets)('lesson %s may have %s', async ([, , choice]) => {
  expect(await failureOf(choice, [SUITE])).toBeUndefined();
});

/** Checks a solution that has been edited. Returns what does not hold. */
async function failureOf(
  { lesson: number, edits }: Pick<Choice, 'lesson' | 'edits'>,
  without: readonly number[] = [],
) {
  const { lesson } = findTarget(number);
  const module = await loadVariant(lesson, (source) => spring(source, edits));
  return firstFailure(await loadSpec(lesson.name), module, without);
}
