/** The pictures of what the course prints. Made again: npx vitest run test/course/pictures -u */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileOf, findTarget, ROOT } from '../../shared/course/lessons.ts';
import { makePartial } from '../../shared/course/stub.ts';
import { spring } from '../traps/spring.ts';
import { TRAPS } from '../traps/traps.ts';
import { ENV, outcomeOf, scriptOf, withSandbox } from './sandbox.ts';
import { drawTerminal } from './terminal-picture.ts';

const pictureAt = (name: string) => join(ROOT, '.github', name);

test('the picture of a check shows what it prints today', async () => {
  const { lesson } = findTarget('02');
  const trap = TRAPS[lesson.number]?.find(({ id }) => id === 'part-of-a-frame-dropped');
  if (!trap) throw new Error('The mistake in the picture is gone: choose another.');
  const { code, output } = await withSandbox((sandbox) => {
    // Somebody has come this far, and has made this mistake in the last step.
    const source = spring(sandbox.solution(lesson), trap.edits);
    const file = fileOf({ side: 'lessons', lesson });
    sandbox.write(file, makePartial(source, lesson.number, trap.step));
    const check = spawn(process.execPath, ['--import', 'tsx', scriptOf('test'), 'lessons/02'], {
      cwd: sandbox.folder,
      env: { ...ENV, NO_COLOR: undefined, FORCE_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return outcomeOf(check);
  });
  expect(code).toBe(1);
  const picture = drawTerminal(
    `\u001b[2m$ npm test lessons/02\u001b[22m\n\n${output.trim()}`,
    'A check that is red',
    'npm test lessons/02: the first steps pass. In the next one, a frame arrived in two reads. The check draws its bytes with the name of each field, and says what was returned, what was expected, and why.',
  );
  await expect(picture).toMatchFileSnapshot(pictureAt('check.svg'));
});
