import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fromHex } from '../shared/hex.ts';
import { fileOf, findTarget, LESSONS, ROOT } from '../shared/lessons.ts';
import { type Block, blocksOf, stepsOf } from '../shared/readme.ts';
import { renderFrames } from '../shared/wire.ts';
import { acceptResponse, checkUpgrade, parseRequest } from '../solutions/01-handshake/handshake.ts';
import { loadSpec } from './harness/spec.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);

/** Every text of the course: its own README files, and those of the lessons. */
const TEXTS = [
  'README.md',
  'CONTRIBUTING.md',
  ...LESSONS.map(({ name }) => `lessons/${name}/README.md`),
];

/** Every section of RFC 6455 that a text may send its reader to. */
const SECTIONS = [...read('test/rfc6455-sections.txt').matchAll(/^[\d.]+/gm)].map(([id]) => id);

describe.each(LESSONS)('the README of lesson $number', (lesson) => {
  const text = read(`lessons/${lesson.name}/README.md`);
  const steps = stepsOf(text);

  test('has the steps of the spec, in order, with three hints each', async () => {
    const spec = await loadSpec(lesson.name);
    expect(steps.map(({ number, title }) => `${number} ${title}`)).toEqual(
      spec.steps.map(({ title }, i) => `${i + 1} ${title}`),
    );
    for (const [i, { sections, hints }] of steps.entries()) {
      expect(sections, `step ${i + 1}`).toContain(spec.steps[i]?.section);
      expect(hints, `step ${i + 1}`).toHaveLength(3);
      for (const hint of hints) expect(hint.length).toBeGreaterThan(15);
    }
  });

  test('has every part of a lesson', () => {
    const headings = [...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    expect(text.startsWith(`# ${lesson.number} · ${lesson.title}\n`)).toBe(true);
    expect(text).toMatch(/\*\*Time\*\* .*·.*\*\*Write\*\* .*·.*\*\*Check\*\* /);
    expect(headings[0]).toMatch(/^Why /);
    expect(headings[1]).toMatch(/in a picture$/);
    expect(headings[2]).toBe('Before you start');
    expect(headings.slice(-3)).toEqual(['In the wild', 'Test yourself', 'Next']);
    expect(text).toMatch(/!\[.{40,}\]\(\w+\.svg\)/);
    expect(text.split('## Test yourself')[1]?.match(/<details>/g)?.length).toBeGreaterThan(3);
  });

  test('quotes code as it is', () => {
    const sources = [fileOf({ side: 'solutions', lesson }), 'shared/protocol.ts'].map(read);
    for (const { language, code } of blocksOf(text)) {
      if (language !== 'ts') continue;
      expect(
        sources.some((source) => source.includes(code)),
        code,
      ).toBe(true);
    }
  });
});

describe.each(TEXTS)('%s', (path) => {
  const text = read(path);
  const blocks = blocksOf(text);

  test('has only kinds of blocks that are checked', () => {
    const known = ['', 'http', 'sh', 'ts', 'wire', 'text'];
    expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([]);
  });

  test('shows frames as the viewer prints them', () => {
    for (const { language, code } of blocks) {
      if (language !== 'wire') continue;
      const [hex = '', ...lines] = code.trimEnd().split('\n');
      const drawn = renderFrames(fromHex(hex)).map((line) => line.trimEnd());
      expect(lines).toEqual(['', ...drawn]);
    }
  });

  test('shows requests that are accepted, and the answers they get', () => {
    let answer = '';
    for (const { language, code } of blocks) {
      if (language !== 'http') continue;
      if (code.startsWith('HTTP')) {
        expect(`${code}\n`.replaceAll('\n', '\r\n')).toBe(answer);
        continue;
      }
      const head = parseRequest(Buffer.from(`${code}\n`.replaceAll('\n', '\r\n')));
      if (!head) throw new Error(`Not a whole request: ${code}`);
      answer = Buffer.from(acceptResponse(checkUpgrade(head).key)).toString();
    }
  });

  test('names commands that exist, for lessons that exist', () => {
    const inline = [...text.matchAll(/`(npm [^`]+)`/g)].map(([, command = '']) => command);
    for (const command of [...shellLines(blocks), ...inline]) {
      const [, run, script = '', rest = ''] =
        /^npm (run )?([\w:-]+) ?(.*?)(?: -- .*)?$/.exec(command) ?? [];
      if (['ci', 'i', 'install'].includes(script) && !run) continue;
      expect(scripts, command).toContain(script);
      if (script === 'test' || script === 'reset') {
        if (rest && !/^(lessons|solutions)$|…|NN/.test(rest)) {
          expect(() => findTarget(rest), command).not.toThrow();
        }
      }
    }
  });

  test('has links that lead somewhere', () => {
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https:\/\//.test(target)) continue;
      const [file = ''] = target.split('#');
      expect(existsSync(join(ROOT, dirname(path), file)), target).toBe(true);
    }
  });

  test('names sections that exist', () => {
    const named = [...text.matchAll(/§(\d+(?:\.\d+)*)/g)].map(([, section = '']) => section);
    expect(named.filter((section) => !SECTIONS.includes(section))).toEqual([]);
  });
});

function shellLines(blocks: readonly Block[]): string[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n'))
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line.startsWith('npm '));
}

const pictures = LESSONS.flatMap(({ name }) =>
  readdirSync(join(ROOT, 'lessons', name))
    .filter((file) => file.endsWith('.svg'))
    .map((file) => `lessons/${name}/${file}`),
);

test.each(pictures)('%s is well formed, and says what it shows', (path) => {
  const svg = read(path);
  const open: string[] = [];
  for (const [, close, name = '', empty] of svg.matchAll(/<(\/?)([a-z]+)\b[^>]*?(\/?)>/gi)) {
    if (close) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name);
  }
  expect(open).toEqual([]);
  expect(svg).toMatch(/<title id="title">.+<\/title>\s*<desc id="desc">.+<\/desc>/s);
  expect(svg).toContain('prefers-color-scheme: dark');
});

test('every lesson has a picture', () => {
  expect(new Set(pictures.map((path) => dirname(path))).size).toBe(LESSONS.length);
});
