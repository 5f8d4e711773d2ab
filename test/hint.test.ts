import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countHints, readSteps, renderHint } from '../shared/hints.ts';
import { LESSONS, type Lesson } from '../shared/lessons.ts';
import { renderMarkdown } from '../shared/markdown.ts';
import { wrap } from '../shared/wrap.ts';
import { Sandbox } from './harness/sandbox.ts';

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(() => sandbox.remove());

const reading = LESSONS[1] as Lesson;
const words = (text: string) => text.replace(/\s+/g, ' ').trim();

describe.concurrent('npm run hint', () => {
  test('shows the first hint of a step, and names the command for the next', async () => {
    const { code, output } = await sandbox.run('hint', '02.4');
    expect(code).toBe(0);
    const [heading, number, , ...rest] = output.trim().split('\n');
    expect(heading).toBe('02 Reading frames, step 4: A stream has no frames');
    expect(number).toBe('Hint 1 of 3');
    expect(words(rest.join('\n'))).toMatch(
      /^Two things have to survive between calls: .* arriving\./,
    );
    expect(rest.at(-1)).toBe('The next hint: npm run hint 02.4.2');
  });

  test('leads to the third, and from there to the reference', async () => {
    const second = await sandbox.run('hint', '02.4.2');
    expect(second.output).toContain('Hint 2 of 3');
    expect(second.output.trim()).toMatch(/\nThe next hint: npm run hint 02\.4\.3$/);
    const third = await sandbox.run('hint', '02.4.3');
    expect(third.output).toContain('\n      this.#header ??= this.#readHeader();\n');
    expect(third.output).not.toContain('```');
    expect(third.output.trim()).toMatch(
      /\nThat was the last\. To see the reference: npm run diff 02$/,
    );
  });

  test('understands a step however it is written', async () => {
    const same = [['2.4.2'], ['02', '4', '2'], ['lessons/02.4.2'], ['reading', '4.2']];
    const runs = await Promise.all(same.map((args) => sandbox.run('hint', ...args)));
    const expected = await sandbox.run('hint', '02.4.2');
    for (const run of runs) expect(run).toEqual(expected);
  });

  test.each([
    [[], 'Say which step you want a hint for: npm run hint 02.4'],
    [['02'], 'Say which of the steps 1 to 8 you want a hint for: npm run hint 02.1'],
    [['02.9'], 'Lesson 02 has no step 9, only 1 to 8: npm run hint 02.1'],
    [['02.4.4'], 'Step 4 has no hint 4, only 1 to 3: npm run hint 02.4.1'],
    [['02.4.0'], 'Step 4 has no hint 0, only 1 to 3: npm run hint 02.4.1'],
    [['9.1'], /^There is no lesson "9"; name one of 01-handshake/],
    [['02.x'], /^There is no lesson "02\.x"; name one of 01-handshake/],
    [['frames.1'], /^"frames" fits more than one lesson; name one of 02-.*, 03-/],
  ])('%j is one clear message', async (args, message) => {
    const { code, output } = await sandbox.run('hint', ...args);
    expect(code).toBe(2);
    const [line = '', ...more] = output.trim().split('\n');
    expect(more).toEqual([]);
    if (typeof message === 'string') expect(line).toBe(`✗ ${message}`);
    else expect(line.slice(2)).toMatch(message);
  });

  test('a README with the line ends of Windows is read, and a missing one is named', async () => {
    const own = new Sandbox();
    const path = `lessons/${reading.name}/README.md`;
    own.write(path, own.read(path).replaceAll('\n', '\r\n'));
    expect((await own.run('hint', '02.4')).output).toBe((await sandbox.run('hint', '02.4')).output);
    rmSync(join(own.folder, path));
    expect(await own.run('hint', '02.4')).toEqual({
      code: 2,
      output: `✗ ${path} is missing. Get it back: git checkout ${path}\n`,
    });
    own.remove();
  });
});

describe.each(LESSONS)('the hints of lesson $number', (lesson) => {
  test.each([60, 80])('fit into %i columns, and lose no word', (width) => {
    for (const { number, hints } of readSteps(lesson)) {
      expect(countHints(lesson, number)).toBe(3);
      for (const [i, hint] of hints.entries()) {
        const lines = renderHint(lesson, number, i + 1, width);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
        const bare = (text: string) => text.replace(/```\w*|\s|\*/g, '');
        expect(bare(lines.slice(3).join('\n'))).toBe(bare(hint));
      }
    }
  });
});

test('a step that does not exist has no hints', () => {
  expect(countHints(reading, 99)).toBe(0);
});

describe('Markdown in a terminal', () => {
  test('is wrapped, with its code indented and its marks gone', () => {
    const markdown =
      'An **array** is *not* `2 ** 3 ** 4`, see\n[the guide](https://example.com).\n\n- one\n- two is long enough\n\n```ts\n  if (a) {\n    return [1, 2, 3, 4, 5];\n  }\n```\n\nEnd.';
    expect(renderMarkdown(markdown, 25)).toEqual([
      'An array is not `2 ** 3',
      '** 4`, see the guide',
      '(https://example.com).',
      '',
      '- one',
      '- two is long enough',
      '',
      '    if (a) {',
      '      return [1, 2, 3, 4,',
      '          5];',
      '    }',
      '',
      'End.',
    ]);
  });

  test('words that are too long for a line are cut', () => {
    expect(wrap('abcdefgh ij', 5)).toEqual(['abcde', 'fgh', 'ij']);
    expect(wrap('    abcdefgh', 6, '      ')).toEqual(['    ab', '   cde', '   fgh']);
    expect(wrap('a b\n\nc', 3)).toEqual(['a b', '', 'c']);
  });
});
