/** The pictures of what the course prints. Made again: npx vitest run test/course/pictures -u */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileOf, findTarget, ROOT } from '../../shared/course/lessons.ts';
import { makePartial } from '../../shared/course/stub.ts';
import { SHOWN_REFERENCE } from '../../shared/serve/parts.ts';
import { spring } from '../traps/spring.ts';
import { TRAPS } from '../traps/traps.ts';
import { ENV, LAUNCH, outcomeOf, scriptOf, withSandbox } from './sandbox.ts';
import { drawTerminal } from './terminal-picture.ts';
import { startCompressing, useBrowser, visit, withBrowser } from './visit.ts';

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
    const check = spawn(process.execPath, [LAUNCH, scriptOf('test'), 'lessons/02'], {
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

/** What is another at each visit: times, ports, keys, and all that depends on them. */
function settled(text: string): string {
  return text
    .replace(/\d\d:\d\d:\d\d\.\d{3}/g, '12:00:00.000')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080')
    .replace(/(?:[\da-f]{2} ){3,}[\da-f]{2}/g, (bytes) => bytes.replace(/\w\w/g, '··'));
}

withBrowser('the picture of the page', () => {
  useBrowser();

  test('shows what the page says today, with a lesson of the learner', async () => {
    const parts = SHOWN_REFERENCE.map((part) => {
      const until = part.number === '07' ? 'until lessons 01 to 06 pass' : '';
      return { ...part, isYours: part.number === '01', until };
    });
    const own = await startCompressing(parts);
    const visitor = await visit(own.url, parts.length);
    const { page } = visitor;
    await page.resize(1280, 800);
    await visitor.join('lobby', 'Ada');
    // The request says which browser it is, and each has words of its own.
    await page.click('#clear-wire');
    await visitor.send('Hello');
    await visitor.heard('Ada: Hello');
    await page.until(`lessons.innerText.includes('yours')`);
    await visitor.wire('Ada: Hello');

    const file = pictureAt('page.txt');
    const before = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    const text = settled(await page.evaluate<string>('document.body.innerText'));
    await expect(text).toMatchFileSnapshot(file);
    // Other words are only accepted with -u, and then they need another picture.
    if (text !== before) {
      for (const scheme of ['light', 'dark'] as const) {
        await page.prefer(scheme);
        writeFileSync(pictureAt(`page-${scheme}.png`), await page.picture());
      }
    }
    await own.stop();
  });
});
