/** Right solutions of another build, and other choices that a lesson leaves open, stay green. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { firstFailure } from '../../shared/harness/run.ts';
import { loadSpec } from '../../shared/harness/spec.ts';

const FOLDER = join(ROOT, 'test/alternatives');

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
