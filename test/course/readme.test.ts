import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { fileOf, findTarget, LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { type Block, blocksOf, stepsOf } from '../../shared/course/readme.ts';
import { SECTIONS, sectionsIn } from '../../shared/course/sections.ts';
import { makeStub } from '../../shared/course/stub.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { fromHex } from '../../shared/view/hex.ts';
import { renderFrames } from '../../shared/view/wire.ts';
import {
  acceptResponse,
  checkUpgrade,
  parseRequest,
} from '../../solutions/01-handshake/handshake.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** Every text of the course: its own README files, and those of the lessons. */
const TEXTS = [
  'README.md',
  'CONTRIBUTING.md',
  'TEACHING.md',
  ...LESSONS.map(({ name }) => `lessons/${name}/README.md`),
];

/** These, and the pages that are made by a program. */
const PAGES = [
  ...TEXTS,
  ...['shared', 'solutions', 'test'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];

/** The blocks of a text, also those in a list, whose fences are indented. */
const blocksIn = (text: string) => blocksOf(text.replace(/^ +(?=```)/gm, ''));

describe.each(LESSONS)('the README of lesson $number', (lesson) => {
  const text = read(`lessons/${lesson.name}/README.md`);
  const steps = stepsOf(text);

  test('has the steps of the spec, in order, with three hints each', async () => {
    const spec = await loadSpec(lesson.name);
    const headings = steps.map(({ number, title }) => `${number} ${title}`);
    expect(headings, `They have other names in test/specs/${lesson.name}.ts`).toEqual(
      spec.steps.map(({ title }, i) => `${i + 1} ${title}`),
    );
    for (const [i, { sections, hints }] of steps.entries()) {
      const step = `step ${i + 1}`;
      expect(sections, `${step} has another section in the spec`).toContain(spec.steps[i]?.section);
      expect(hints, `${step} needs a "Hint 1 of 3", 2 and 3`).toHaveLength(3);
      for (const hint of hints) expect(hint.length).toBeGreaterThan(15);
    }
    const summaries = [...text.matchAll(/<summary>(Hint .*)<\/summary>/g)].map(([, hint]) => hint);
    expect(summaries, 'The hints are not numbered in order').toEqual(
      steps.flatMap(() => [1, 2, 3].map((n) => `Hint ${n} of 3`)),
    );
  });

  test('names at each step what the stub has for it', () => {
    const stub = makeStub(read(fileOf({ side: 'solutions', lesson })), lesson.number);
    const lines = [...text.matchAll(/^(.*) · RFC \d+ .*$/gm)].map(([, line = '']) => line);
    expect(lines).toHaveLength(steps.length);
    for (const [quoted, name, list] of lines.join().matchAll(/`(?:new )?(\w+)(?:\((.*?)\))?`/g)) {
      const isThere = new RegExp(`(class|function|get|override|async|^ ) ${name}\\b`, 'm').test(
        stub,
      );
      expect(isThere, `${quoted} is not in ${lesson.file}`).toBe(true);
      if (list === undefined) continue;
      const start = `(?:class ${name} [\\s\\S]*?constructor|(?:function|override|async|^ ) ${name})\\(`;
      const found = new RegExp(`${start}([\\s\\S]*?) {\n`, 'm').exec(stub)?.[1] ?? '';
      const parameters: string[] = list.match(/\w+/g) ?? [];
      const same = [...new Set(found.match(/\w+/g))].filter((word) => parameters.includes(word));
      expect(same, `${quoted} has other parameters in ${lesson.file}`).toEqual(parameters);
    }
    const marked = [...stub.matchAll(/\* Steps? ([^·]*) ·/g)].flatMap(([, list = '']) =>
      numbersIn(list),
    );
    const written = steps.filter((_, i) => lines[i] !== 'Nothing to write');
    expect(new Set(marked), 'The steps in the doc comments, and those to write').toEqual(
      new Set(written.map(({ number }) => number)),
    );
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
});

describe.each(TEXTS)('%s', (path) => {
  const text = read(path);
  const blocks = blocksIn(text);

  test('has only kinds of blocks that are checked', () => {
    const known = ['', 'dockerfile', 'http', 'json', 'sh', 'ts', 'ts example', 'wire', 'text'];
    const others = blocks.filter(({ language }) => !known.includes(language));
    expect(others, `Nothing checks such a block. What is checked: ${known.join(' ')}`).toEqual([]);
    const fences = text.match(/^ *(?:```|~~~)/gm) ?? [];
    expect(fences, 'A block begins and ends with three backticks.').toHaveLength(blocks.length * 2);
  });

  test('quotes code as it is', () => {
    const own = LESSONS.filter(({ name }) => path.includes(name));
    const lessons = own.length > 0 ? own : LESSONS;
    const files = lessons.map((lesson) => fileOf({ side: 'solutions', lesson }));
    const sources = [...files, 'shared/protocol.ts'].map((file) => `\n${read(file)}`);
    for (const { language, code } of blocks) {
      if (language !== 'ts') continue;
      const isThere = sources.some((source) => source.includes(`\n${code}`));
      expect(isThere, `Not in ${files}. Copy it from there, as it is:\n${code}`).toBe(true);
    }
  });

  test('shows frames as the viewer prints them', () => {
    for (const { language, code } of blocks) {
      if (language !== 'wire') continue;
      const [hex = '', ...lines] = code.trimEnd().split('\n');
      const drawn = renderFrames(fromHex(hex)).map((line) => line.trimEnd());
      expect(lines, 'The viewer draws these bytes in another way').toEqual(['', ...drawn]);
    }
  });

  test('shows requests that are accepted, and the answers they get', () => {
    let answer = '';
    for (const { language, code } of blocks) {
      if (language !== 'http') continue;
      if (code.startsWith('HTTP')) {
        const written = `${code}\n`.replaceAll('\n', '\r\n');
        expect(written, 'The reference answers something else').toBe(answer);
        continue;
      }
      const head = parseRequest(Buffer.from(`${code}\n`.replaceAll('\n', '\r\n')));
      if (!head) throw new Error(`Not a whole request: ${code}`);
      answer = Buffer.from(acceptResponse(checkUpgrade(head).key)).toString();
    }
  });

  test('shows images of a container that start a command of the course', () => {
    for (const { language, code } of blocks) {
      if (language !== 'dockerfile') continue;
      const [, entry = '[]'] = /^ENTRYPOINT (.*)$/m.exec(code) ?? [];
      const [npm, run, , script] = JSON.parse(entry);
      expect([npm, run, Object.keys(scripts).includes(script)]).toEqual(['npm', 'run', true]);
      expect(code.match(/^[A-Z]+/gm)?.join(' ')).toBe('FROM WORKDIR COPY RUN USER ENTRYPOINT');
      const { engines } = JSON.parse(read('package.json'));
      expect(engines.node).toContain(`>=${/^FROM node:(\d+)-slim$/m.exec(code)?.[1]}.`);
    }
  });

  test('shows commands that can be checked', () => {
    const lines = shellLines(blocks).filter((line) => !/^npm (ci|start|test|run )/.test(line));
    expect(lines, 'Nothing checks a command that is not npm').toEqual([]);
  });
});

describe.each(PAGES)('%s', (path) => {
  const text = read(path);
  const blocks = blocksIn(text);

  test('names commands that exist, for lessons and steps that exist', () => {
    const inline = [...text.matchAll(/`(?:\w+=\w+ )?(npm [^`]+)`/g)];
    for (const command of [...shellLines(blocks), ...inline.map(([, it = '']) => it)]) {
      const [, run, script = '', rest = '', options = ''] =
        /^npm (run (?:-s )?)?([\w:-]+) ?(.*?)(?: ?-- (.*))?$/.exec(command) ?? [];
      if (['ci', 'i', 'install'].includes(script) && !run) continue;
      expect(Object.keys(scripts), command).toContain(script);
      if (!run) expect(['start', 'test'], `It is npm run ${script}`).toContain(script);
      if (['test', 'reset', 'diff', 'hint', 'start'].includes(script)) {
        for (const word of rest.split(' ')) expectTarget(word, command);
      }
      for (const option of optionsIn(options)) expect(optionsOf(script), command).toContain(option);
    }
    // What goes behind a command that the text has named before.
    for (const [option, words = ''] of text.matchAll(/`-- (--[^`]*)`/g)) {
      const known = Object.keys(scripts).flatMap(optionsOf);
      for (const word of optionsIn(words)) expect(known, option).toContain(word);
    }
  });

  test('has links that lead somewhere', () => {
    // In code, brackets are something else.
    const prose = text.replace(/^```[\s\S]*?^```/gm, '');
    const links = [
      ...prose.matchAll(/\]\(([^)\s]+)[^)]*\)|^\[[^\]]+\]: (\S+)|(?:href|src|srcset)="([^"]*)"/gm),
    ];
    for (const [, inline, reference, html] of links) {
      const target = inline ?? reference ?? html ?? '';
      const [file = '', anchor] = target.split('#');
      if (/^https:\/\//.test(target)) {
        const [, rfc, section] = /rfc(6455|7692).*#section-([\d.]+)/.exec(target) ?? [];
        if (section) expect(SECTIONS, target).toContain(sectionsIn(`RFC ${rfc} §${section}`)[0]);
        continue;
      }
      const place = file === '' ? path : relative(ROOT, join(ROOT, dirname(path), file));
      expect(place.startsWith('..'), `${target} leads out of the project`).toBe(false);
      expect(existsSync(join(ROOT, place)), `${target} does not exist`).toBe(true);
      if (anchor) expect(anchorsOf(read(place)), `no heading for ${target}`).toContain(anchor);
    }
  });

  test('names files that exist', () => {
    const names = text.matchAll(/`((?:shared|solutions|test|lessons|\.ci|\.github)\/[^\s`]*)`/g);
    for (const [, name = ''] of names) {
      if (/NN|…/.test(name) || existsSync(join(ROOT, name))) continue;
      expect(() => findTarget(name), `${name} does not exist`).not.toThrow();
    }
  });

  test('names sections that exist', () => {
    const unknown = sectionsIn(text).filter((section) => !SECTIONS.has(section));
    expect(unknown, 'There is no such section').toEqual([]);
  });
});

/** The numbers in a list such as `2–5 and 8`. */
function numbersIn(list: string): number[] {
  return list.split(/, | and /).flatMap((part) => {
    const [first = 0, last = first] = part.split('–').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

/** The lines of the blocks for the terminal, without comments. */
function shellLines(blocks: readonly Block[]): string[] {
  return blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ code }) => code.split('\n'))
    .map((line) => line.replace(/(^| )#.*/, '').trim())
    .filter((line) => line !== '');
}

/** Checks that a word such as `lessons/02` or `02.4.1` is a lesson, or a step and hint of one. */
function expectTarget(word: string, command: string): void {
  if (/^(lessons|solutions)?$|…|NN/.test(word)) return;
  const [, name = word, step, hint = '1'] = /^(\d+)\.(\d+)(?:\.(\d+))?$/.exec(word) ?? [];
  expect(() => findTarget(name), command).not.toThrow();
  if (step === undefined) return;
  const steps = stepsOf(read(`lessons/${findTarget(name).lesson.name}/README.md`));
  expect(steps[Number(step) - 1]?.hints[Number(hint) - 1], command).toBeDefined();
}

/** The options in what is typed, such as `solution` in `--solution`. */
function optionsIn(words: string): string[] {
  return [...words.matchAll(/--(\w+)/g)].map(([, option = '']) => option);
}

/** The words in the code of a command: what it takes as an option is among them. */
function optionsOf(script: string): string[] {
  const file = / (shared\/commands\/\S+\.ts)/.exec(scripts[script] ?? '')?.[1];
  if (!file) return [];
  const code = read(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  return ['help', ...(code.match(/\w+/g) ?? [])];
}

/** What a link may have behind its `#`: the headings of a text, as GitHub writes them. */
function anchorsOf(markdown: string): string[] {
  const headings = markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('the table of lessons is that of the specs', async () => {
  const rows = [
    ...read('README.md').matchAll(/^\| (\d\d) +\| \[(.*)\]\((.*)\) +\|.*?\| (\d+) +\|/gm),
  ];
  const expected = await Promise.all(
    LESSONS.map(async ({ number, title, name }) => {
      const { steps } = await loadSpec(name);
      return [number, title, `lessons/${name}/README.md`, String(steps.length)];
    }),
  );
  const found = rows.map((row) => row.slice(1));
  expect(found, 'README.md: number, title, link and steps of each lesson').toEqual(expected);
});

const pictures = LESSONS.flatMap(({ name }) =>
  readdirSync(join(ROOT, 'lessons', name))
    .filter((file) => /\.(svg|png|jpe?g|gif|webp)$/.test(file))
    .map((file) => `lessons/${name}/${file}`),
);

test.each(pictures)('%s is well formed, and says what it shows', (path) => {
  const svg = read(path);
  expect(xmlFault(svg), 'It is no XML').toBeUndefined();
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg).toMatch(/^<svg [^>]*aria-labelledby="title desc"/);
  expect(svg).toMatch(/<title id="title">.+<\/title>\s*<desc id="desc">.+<\/desc>/s);
  expect(svg).toContain('prefers-color-scheme: dark');
});

test.each(pictures)('%s is in the text beside it', (path) => {
  const readme = read(join(dirname(path), 'README.md'));
  const isShown = readme.includes(`](${path.split('/').at(-1)})`);
  expect(isShown, 'No text shows it: show it, or remove it.').toBe(true);
});

test('every lesson has a picture', () => {
  expect(new Set(pictures.map((path) => dirname(path))).size).toBe(LESSONS.length);
});

/** Where a text stops to be well-formed XML, of the plain kind that pictures are. */
function xmlFault(xml: string): string | undefined {
  const entity = '&(?:amp|lt|gt|quot|apos|#\\d+|#x[\\da-f]+);';
  const attribute = `\\s+[\\w:-]+\\s*=\\s*(?:"(?:[^"<&]|${entity})*"|'(?:[^'<&]|${entity})*')`;
  const token = new RegExp(
    `<!--(?:(?!--)[\\s\\S])*-->|<(/?)([\\w:-]+)((?:${attribute})*)\\s*(/?)>|[^<&]|${entity}`,
    'y',
  );
  const open: string[] = [];
  let roots = 0;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const found = token.exec(xml);
    const here = `line ${xml.slice(0, at).split('\n').length}: ${xml.slice(at, at + 40)}`;
    if (!found) return here;
    const [piece, close, name, attributes = '', empty] = found;
    if (name === undefined) {
      const isOutside = open.length === 0 && !piece.startsWith('<!--');
      if (isOutside && piece.trim() !== '') return `outside of the picture, ${here}`;
      continue;
    }
    const names = [...attributes.matchAll(/([\w:-]+)\s*=/g)].map(([, attribute]) => attribute);
    if (new Set(names).size < names.length) return `an attribute twice, ${here}`;
    if (close && open.pop() !== name) return `not what is open, ${here}`;
    if (!close && open.length === 0) roots++;
    if (!close && !empty) open.push(name);
  }
  return open.length > 0 || roots !== 1 ? `open at the end: ${open}` : undefined;
}
