import { describe, expect, test } from 'vitest';
import { countHints, readSteps, renderHint } from '../../shared/course/hints.ts';
import { LESSONS, type Lesson } from '../../shared/course/lessons.ts';
import { renderMarkdown } from '../../shared/view/markdown.ts';

const reading = LESSONS[1] as Lesson;

describe.each(LESSONS)('the hints of lesson $number', (lesson) => {
  test.each([60, 80])('fit into %i columns, and lose no word', (width) => {
    for (const { number, hints } of readSteps(lesson)) {
      expect(countHints(lesson, number)).toBe(3);
      for (const [i, hint] of hints.entries()) {
        const lines = renderHint(lesson, number, i + 1, width);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
        const bare = (text: string) => text.replace(/```(?:ts example|\w*)|\s|\*/g, '');
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
});
