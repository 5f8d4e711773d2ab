/** The examples in the texts: each has to be right by itself, without the rest of a solution. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fileOf, LESSONS, type Lesson, ROOT } from '../../shared/course/lessons.ts';
import { blocksOf } from '../../shared/course/readme.ts';
import { complaintsOf } from '../../shared/course/typecheck.ts';

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'examples-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The examples of a lesson's README. */
function examplesOf(lesson: Lesson): string[] {
  const blocks = blocksOf(read(`lessons/${lesson.name}/README.md`));
  return blocks.filter(({ language }) => language === 'ts example').map(({ code }) => code);
}

/**
 * Makes a file of an example. It has what a learner's file has from the start, which are the
 * imports and the exported names of the lesson, but for those that it declares itself.
 */
function programOf(example: string, lesson: Lesson): string {
  const file = fileOf({ side: 'solutions', lesson });
  const source = read(file);
  const imports = [...source.matchAll(/^import (?:type )?\{([^}]*)\} from '(.*)';$/gm)].map(
    ([, names = '', from = '']) => importOf(names.split(','), from, file, example),
  );
  const exported = [...source.matchAll(/^export \w+ (\w+)/gm)].map(([, name = '']) => name);
  const own = importOf(exported, `./${file.split('/').at(-1)}`, file, example);
  // All on the first line, so that the lines are those of the example.
  const placed = example.replaceAll(" from './", ` from '${join(ROOT, file, '..')}/`);
  return `${[...imports, own].join(' ')} ${placed}\nexport {};\n`;
}

/** Writes the import of those names, such as `a` or `a as b`, that the example does not have itself. */
function importOf(names: readonly string[], from: string, file: string, example: string): string {
  const others = names
    .map((name) => name.trim().replace(/^type /, ''))
    .filter((name) => {
      const local = name.split(' as ').at(-1);
      const own = `\\b(?:class|const|function|import \\{.*|interface|let|type) ${local}\\b`;
      return local !== '' && !new RegExp(own).test(example);
    });
  const path = from.startsWith('.') ? join(ROOT, file, '..', from) : from;
  return `import { ${others.join(', ')} } from '${path}';`;
}

/** What the type checker says of examples, by the number of each. */
async function complaintsAbout(examples: readonly string[], lesson: Lesson): Promise<string[]> {
  const files = examples.map((example, i) => {
    const file = join(folder, `${lesson.number}-${i + 1}.ts`);
    writeFileSync(file, programOf(example, lesson));
    return relative(ROOT, file);
  });
  // The imports name types and values alike.
  const complaints = await complaintsOf(files, relative(ROOT, folder), {
    verbatimModuleSyntax: false,
  });
  return complaints.map(({ place, text }) => `${place.split('/').at(-1)} ${text}`);
}

test.each(LESSONS)('the examples of lesson $number are right by themselves', async (lesson) => {
  const examples = examplesOf(lesson);
  const faults = examples.length === 0 ? [] : await complaintsAbout(examples, lesson);
  expect(faults, 'LESSON-NUMBER.ts:LINE of the examples. Each has to be whole').toEqual([]);
});

test('an example has the names of its lesson, and no others', async () => {
  const [lesson] = LESSONS;
  if (!lesson) throw new Error('There is no lesson.');
  const whole = `function digest(key: string): string {\n  return createHash('sha1').update(key + GUID).digest('base64');\n}\n`;
  const own = `const GUID = 5;\nfunction next(): number {\n  return GUID + 1;\n}\n`;
  const torn = `  const name = line.slice(0, 3);\n`;
  const wrong = `const count: number = acceptKey('');\n`;
  const faults = await complaintsAbout([whole, own, torn, wrong], lesson);
  expect(faults).toEqual([
    expect.stringMatching(/^01-3\.ts:1:\d+ Cannot find name 'line'/),
    expect.stringMatching(/^01-4\.ts:1:\d+ Type 'string' is not assignable/),
  ]);
});
