/** Who has handed in what, however that comes. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterAll, expect, test } from 'vitest';
import { LESSONS } from '../../shared/course/lessons.ts';
import { findSubmissions } from '../../shared/grade/submissions.ts';
import { solution, writeFiles } from './class-of.ts';

const folder = mkdtempSync(join(tmpdir(), 'websocket-101-submissions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.from(solution);
/** Whose there are, each with its lessons and where they were found. */
function found(...paths: readonly string[]): string[] {
  return findSubmissions(paths, folder).map(({ name, works, problems }) => {
    const lessons = works.map(({ lesson, path }) => `${lesson.number} ${path}`);
    return [name, ...lessons, ...problems].join(' | ');
  });
}
const filesOf = (...paths: readonly string[]) =>
  Object.fromEntries(paths.map((path) => [path, path.endsWith('handshake.ts') ? bytes : '']));
const UNREAD = 'is a link, or larger or deeper than a lesson can be: it is not read.';
const UNOPENED = 'is not opened: it is damaged, too large, or a zip in a zip.';
const zipped = (...paths: readonly string[]) =>
  zipSync(Object.fromEntries(paths.map((path) => [path, bytes])));

test('a file, told by its name or by what it exports', () => {
  writeFiles(folder, { 'handshake.ts': solution, 'ada.ts': solution, 'notes.ts': 'export {};' });
  expect(found('handshake.ts', './ada.ts', 'notes.ts')).toEqual([
    'handshake | 01 handshake.ts',
    'ada | 01 ada.ts',
    'notes | There is no lesson in it.',
  ]);
});

test('a lone file is of the one lesson that is asked for, whatever is in it', () => {
  writeFiles(folder, {
    'lone.ts': "export * from './nothing.ts';",
    'lone/a.ts': '',
    'lone/b.ts': '',
  });
  const worksOf = (path: string, ...numbers: readonly string[]) => {
    const asked = LESSONS.filter(({ number }) => numbers.includes(number));
    return findSubmissions([path], folder, asked).map(({ works }) => works.length);
  };
  expect(worksOf('lone.ts', '02')).toEqual([1]);
  expect(worksOf('lone.ts', '02', '03')).toEqual([0]);
  expect(worksOf('lone.ts')).toEqual([0]);
  expect(worksOf('lone', '02')).toEqual([1, 1]);
});

test('one student: a folder of files, a clone, the lessons of a clone', () => {
  const clone = ['lessons/01-handshake/handshake.ts', 'solutions/01-handshake/handshake.ts'];
  writeFiles(join(folder, 'ada'), filesOf('handshake.ts', 'reading.ts', 'help.ts', 'x.test.ts'));
  writeFiles(join(folder, 'bob'), filesOf(...clone, 'test/a.ts', 'node_modules/a/sending.ts'));
  expect(found('ada', 'bob', 'bob/lessons')).toEqual([
    'ada | 01 ada/handshake.ts | 02 ada/reading.ts',
    'bob | 01 bob/lessons/01-handshake/handshake.ts',
    'lessons | 01 bob/lessons/01-handshake/handshake.ts',
  ]);
  const importing = `import './help.ts';\n${solution}`;
  writeFiles(join(folder, 'ada'), { 'handshake.ts': importing, 'scratch.ts': 'function (' });
  const [ada] = findSubmissions(['ada'], folder);
  expect([...(ada?.works[0]?.files.keys() ?? [])]).toEqual([
    'lessons/01-handshake/handshake.ts',
    'lessons/01-handshake/help.ts',
  ]);
});

test('a class: folders, files and zips, by the names that learning platforms give', () => {
  writeFiles(join(folder, 'class'), {
    ...filesOf('ada/handshake.ts', 'bob/work/handshake.ts', 'cyd/README.txt', 'grades.csv'),
    ...filesOf('dan_LATE_12_345_handshake.ts', 'dan_12_346_reading.ts'),
    ...filesOf('Eve Doe_77_assignsubmission_file_/handshake.ts'),
    'fay.zip': zipped('lessons/01-handshake/handshake.ts'),
    'gus_88_assignsubmission_file_/work.zip': zipped('handshake.ts', '__MACOSX/._handshake.ts'),
    'hal.zip': 'no zip',
  });
  expect(found('class')).toEqual([
    'Eve Doe | 01 class/Eve Doe_77_assignsubmission_file_/handshake.ts',
    'ada | 01 class/ada/handshake.ts',
    'bob | 01 class/bob/work/handshake.ts',
    'cyd | Nothing to check: README.txt is no .ts file.',
    'dan | 01 class/dan_LATE_12_345_handshake.ts | 02 class/dan_12_346_reading.ts',
    'fay | 01 class/fay/lessons/01-handshake/handshake.ts',
    'gus | 01 class/gus_88_assignsubmission_file_/work/handshake.ts',
    `hal | hal.zip ${UNOPENED}`,
  ]);
});

test('a zip of a class, with a folder around it or without', () => {
  writeFiles(folder, {
    'all.zip': zipped('class/ada/handshake.ts', 'class/bob/handshake.ts'),
    'flat.zip': zipped('ada_1_2_handshake.ts', 'bob_3_4_handshake.ts'),
    'one.zip': zipped('repo-main/lessons/01-handshake/handshake.ts'),
  });
  expect(found('all.zip', 'flat.zip', 'one.zip')).toEqual([
    'ada | 01 all.zip/ada/handshake.ts',
    'bob | 01 all.zip/bob/handshake.ts',
    'ada (2) | 01 flat.zip/ada_1_2_handshake.ts',
    'bob (2) | 01 flat.zip/bob_3_4_handshake.ts',
    'repo-main | 01 one.zip/lessons/01-handshake/handshake.ts',
  ]);
});

test('nobody vanishes: whoever has handed in something else is told what', () => {
  const moodle = (name: string) => `${name}_assignsubmission_file_`;
  const theirs = {
    [`${moodle('Eve_1')}/`]: new Uint8Array(),
    [`${moodle('Grace_2')}sending.txt`]: bytes,
    [`${moodle('Jörg_3')}/mine.zip`]: zipped('repo/lessons/01-handshake/handshake.ts'),
    [`${moodle('Kim_4')}/deep.zip`]: zipSync({ 'more.zip': zipped('handshake.ts') }),
    [`${moodle('Lee_5')}/bad.zip`]: bytes,
    'Turing_6_assignsubmission_onlinetext_onlinetext.html': bytes,
    '__MACOSX/._Ada.ts': bytes,
  };
  writeFiles(folder, {
    'moodle.zip': zipSync(theirs),
    'odd/ada.ts': solution,
    'odd/homework final (2).txt': '',
    'odd/results.json': '',
    ...Object.fromEntries([1, 2, 3, 4, 5].map((n) => [`odd/pat/${n}.pdf`, ''])),
  });
  mkdirSync(join(folder, 'odd/nobody/at/all'), { recursive: true });
  const jorg = `${moodle('Jörg_3')}/mine/repo/lessons/01-handshake/handshake.ts`;
  expect(found('moodle.zip', 'odd', 'odd/nobody')).toEqual([
    'Eve | The folder is empty.',
    'Grace | Nothing to check: sending.txt is no .ts file.',
    `Jörg | 01 moodle.zip/${jorg}`,
    `Kim | more.zip ${UNOPENED}`,
    `Lee | bad.zip ${UNOPENED}`,
    'Turing | Nothing to check: onlinetext.html is no .ts file.',
    'ada | 01 odd/ada.ts',
    'homework final (2) | Nothing to check: homework final (2).txt is no .ts file.',
    'nobody | The folder is empty.',
    'pat | Nothing to check: 1.pdf, 2.pdf, 3.pdf and 2 more are no .ts files.',
    'all | The folder is empty.',
  ]);
});

test('a way out of a zip, a bomb and a link lead nowhere', () => {
  const zeros = new Uint8Array(2 ** 21);
  writeFiles(folder, {
    'slip.zip': zipped('../handshake.ts', '../../handshake.ts'),
    'bomb.zip': zipSync({ 'handshake.ts': zeros }),
  });
  writeFileSync(join(folder, 'huge.ts'), zeros);
  symlinkSync(join(folder, 'handshake.ts'), join(folder, 'link-handshake.ts'));
  expect(found('slip.zip', 'bomb.zip', 'huge.ts', 'link-handshake.ts')).toEqual([
    'slip | The folder is empty.',
    `bomb | handshake.ts ${UNREAD}`,
    `huge | huge.ts ${UNREAD}`,
    `link-handshake | link-handshake.ts ${UNREAD}`,
  ]);
});

test('a source that is nested without end ends nobody', () => {
  writeFiles(join(folder, 'deep'), {
    'ada.ts': `export const acceptKey = 1${'+1'.repeat(300_000)};`,
    'bob.ts': `export const acceptKey = 1${'+1'.repeat(2000)};`,
    'cyd.ts': solution,
  });
  expect(found('deep')).toEqual([
    `ada | ada.ts ${UNREAD}`,
    // Some machines can read it.
    expect.stringMatching(/^bob \| /),
    'cyd | 01 deep/cyd.ts',
  ]);
});

test('a zip with too many files, or too large, is nobody else’s trouble', () => {
  const many = Array.from({ length: 30_000 }, (_, i) => [`${i}.ts`, new Uint8Array()]);
  writeFiles(join(folder, 'zips'), {
    'ada/many.zip': zipSync(Object.fromEntries(many), { level: 0 }),
    'bob/large.zip': '',
    'cyd/handshake.ts': solution,
  });
  truncateSync(join(folder, 'zips/bob/large.zip'), 3 * 2 ** 30);
  expect(found('zips')).toEqual([
    'ada | There is no lesson in it.',
    `bob | large.zip ${UNOPENED}`,
    'cyd | 01 zips/cyd/handshake.ts',
  ]);
});

test('files side by side, as Moodle names them: one student for each person', () => {
  const [ada, bob] = ['Lovelace Ada_1', 'Babbage Charles_2'].map((it) => {
    return `${it}_assignsubmission_file_`;
  });
  const paths = [`${bob}handshake.ts`, `${bob}reading.ts`, `${ada}handshake.ts`];
  writeFiles(folder, {
    'around.zip': zipped(...paths.map((path) => `Class/${path}`)),
    'reading.zip': zipSync({
      [`Class/${bob}reading.ts`]: new Uint8Array(),
      [`Class/${ada}handshake.ts`]: bytes,
    }),
  });
  writeFiles(join(folder, 'flat'), filesOf(...paths));
  expect(found('flat', 'around.zip', 'reading.zip').map((it) => it.replace(/ \(.\)/, ''))).toEqual([
    ...['flat', 'around.zip'].flatMap((place) => [
      `Babbage Charles | 01 ${place}/${paths[0]} | 02 ${place}/${paths[1]}`,
      `Lovelace Ada | 01 ${place}/${paths[2]}`,
    ]),
    `Babbage Charles | 02 reading.zip/${paths[1]}`,
    `Lovelace Ada | 01 reading.zip/${paths[2]}`,
  ]);
});

test('files side by side of the same lesson are those of a class, whatever their names', () => {
  writeFiles(join(folder, 'side'), {
    ...{ 'ada.ts': solution, 'handshake.ts': solution, 'notes.ts': '' },
    're/handshake.ts': solution,
  });
  writeFiles(join(folder, 'own'), {
    ...{ 'handshake.ts': solution, 'all.ts': "export { acceptKey } from './handshake.ts';" },
  });
  writeFiles(folder, { 'two.zip': zipped('Class/bob.ts', 'Class/cyd.ts') });
  expect(found('side', 'two.zip', 'own')).toEqual([
    'ada | 01 side/ada.ts',
    'handshake | 01 side/handshake.ts',
    'notes | There is no lesson in it.',
    're | 01 side/re/handshake.ts',
    'bob | 01 two.zip/bob.ts',
    'cyd | 01 two.zip/cyd.ts',
    'own | 01 own/handshake.ts',
  ]);
});

test('two of the same name stay two', () => {
  const files = [
    'Ada_7_assignsubmission_file/handshake.ts',
    'Ada_8_assignsubmission_file/reading.ts',
  ];
  writeFiles(join(folder, 'same'), filesOf(...files, 'bob_1_2_handshake.ts', 'bob_3_4_reading.ts'));
  expect(found('same')).toEqual([
    `Ada_7 | 01 same/${files[0]}`,
    `Ada_8 | 02 same/${files[1]}`,
    'bob_1 | 01 same/bob_1_2_handshake.ts',
    'bob_3 | 02 same/bob_3_4_reading.ts',
  ]);
});

test('a name does nothing to a terminal', () => {
  const name = 'e\x1b[2J\nve';
  writeFiles(join(folder, 'escapes'), {
    [`${name}/handshake.ts`]: solution,
    'ada.ts': 'export {}',
  });
  const shown = String.raw`e\u001b[2J\u000ave`;
  expect(found('escapes')).toEqual([
    'ada | There is no lesson in it.',
    `${shown} | 01 escapes/${shown}/handshake.ts`,
  ]);
});

test('the same lesson twice: the likelier file counts, or else none of them', () => {
  writeFiles(join(folder, 'twice'), filesOf('old/handshake.ts', '01-handshake/handshake.ts'));
  writeFiles(join(folder, 'equal'), filesOf('handshake.ts', 'old/handshake.ts'));
  expect(found('twice', 'equal')).toEqual([
    'twice | 01 twice/01-handshake/handshake.ts',
    'equal | Lesson 01 is there more than once, so none of these counts: handshake.ts, old/handshake.ts.',
  ]);
});

test('the same path twice is one student', () => {
  writeFiles(folder, { 'path/handshake.ts': solution });
  expect(found('path', './path/', join(folder, 'path'))).toHaveLength(1);
});

test('a file that is not UTF-8 is named, and one that only re-exports a lesson is of it', () => {
  const wide = Buffer.from(solution, 'utf16le');
  writeFiles(join(folder, 'strange'), {
    'cheat.ts': "export * from '../../solutions/01-handshake/handshake.ts';",
    'knuth_utf16.ts': wide,
    'wirth.ts': Buffer.concat([Uint8Array.of(0xff, 0xfe), wide]),
    'zoe/handshake.ts': wide,
    'zoe/more.ts': wide,
  });
  const says = 'is not UTF-8, so that nothing in it can be read: save it as UTF-8.';
  expect(found('strange')).toEqual([
    'cheat | 01 strange/cheat.ts',
    `knuth_utf16 | knuth_utf16.ts ${says}`,
    `wirth | wirth.ts ${says}`,
    `zoe | 01 strange/zoe/handshake.ts | more.ts ${says}`,
  ]);
});

test('a path that is not there is one line', () => {
  expect(() => found('nobody')).toThrow('There is no "nobody".');
});
