/** Right solutions of another build, and other choices that a lesson leaves open, stay green. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findTarget, LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { firstFailure, withoutSuites } from '../../shared/harness/run.ts';
import { type AnySpec, loadSpec } from '../../shared/harness/spec.ts';
import { loadVariant, sourceOf } from '../traps/load-variant.ts';
import { spring } from '../traps/spring.ts';
import { CHOICES, type Choice } from './choices.ts';

const FOLDER = join(ROOT, 'test/alternatives');

const folders = readdirSync(FOLDER);
/** Every solution of another build, such as `01-handshake/functional`. */
const styles = LESSONS.filter(({ name }) => folders.includes(name)).flatMap(({ name }) =>
  readdirSync(join(FOLDER, name))
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map((file) => `${name}/${file.replace('.ts', '')}`),
);

test.for(styles)('%s is right', async (style) => {
  const [lesson = '', name] = style.split('/');
  const module: object = await import(`./${lesson}/${name}.ts`);
  expect(await firstFailure(await loadSpec(lesson), module)).toBeUndefined();
});

/** What the lessons that are made of others can be built on, besides the solutions. */
const FOUNDATIONS = [
  ['regular-expressions', 'data-view', 'data-view', 'switch'],
  ['state-machine', 'generator', 'hex', 'states-as-classes'],
  ['functional', 'chunk-list', 'hex', 'switch', 'closures', 'from-the-text'],
];

const BUILT = LESSONS.filter(({ needs }) => needs).flatMap(({ number, title }) =>
  FOUNDATIONS.map((foundation) => ({ number, title, foundation })),
);

test.for(BUILT)('$title on $foundation is right', async ({ number, foundation }) => {
  const onFoundation = (source: string) =>
    foundation.reduce((text, style, i) => {
      const { name, file } = LESSONS[i]!;
      // A lesson need not import all those that it is made of, and may import one twice.
      return text.replaceAll(
        `'../${name}/${file}'`,
        `'../../test/alternatives/${name}/${style}.ts'`,
      );
    }, source);
  // A suite takes as long as all the rest: once is enough, where most is of another build.
  const part = foundation === FOUNDATIONS.at(-1) ? undefined : withoutSuites;
  expect(await failureOf(number, onFoundation, part)).toBeUndefined();
});

/** Choices of a lesson that can be made together: no two change the same text. */
interface Group {
  readonly lesson: string;
  readonly choices: Choice[];
}

/** Puts each choice into the first group that it fits into: to check one by one takes minutes. */
function grouped(choices: readonly Choice[]): Group[] {
  const groups: Group[] = [];
  for (const choice of choices) {
    const fits = ({ lesson, choices }: Group) =>
      lesson === choice.lesson &&
      ![...choices, choice].some(({ isAlone }) => isAlone) &&
      canBeMade(lesson, [...choices, choice]);
    const group = groups.find(fits);
    if (group) group.choices.push(choice);
    else groups.push({ lesson: choice.lesson, choices: [choice] });
  }
  return groups;
}

function canBeMade(lesson: string, choices: readonly Choice[]): boolean {
  try {
    spring(sourceOf(findTarget(lesson).lesson), editsOf(choices));
    return true;
  } catch {
    return false;
  }
}

const editsOf = (choices: readonly Choice[]) => choices.flatMap(({ edits }) => edits);

for (const { lesson, choices } of grouped(CHOICES)) {
  const names = choices.map(({ what }) => what).join(' + ');
  test(`lesson ${lesson} may have ${names}`, async () => {
    // A suite takes as long as all the rest, and no choice is about it.
    const change = (source: string) => spring(source, editsOf(choices));
    expect(await failureOf(lesson, change, withoutSuites)).toBeUndefined();
  });
}

/** Checks a solution that has been changed, by a part of its spec. Returns what does not pass. */
async function failureOf(
  number: string,
  change: (source: string) => string,
  partOf = (spec: AnySpec) => spec,
) {
  const { lesson } = findTarget(number);
  const module = await loadVariant(lesson, change);
  return firstFailure(partOf(await loadSpec(lesson.name)), module);
}
