import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, test, vi } from 'vitest';
import { CLIENT_CATEGORIES } from '../../shared/conformance/cases/index.ts';
import { runClientConformance } from '../../shared/conformance/client-run.ts';
import type { CaseResult } from '../../shared/conformance/model.ts';
import { ROOT } from '../../shared/course/lessons.ts';
import { TYPESCRIPT } from '../../shared/process/children.ts';
import { type ClientFault, startClient } from './broken-client.ts';
import { ENV, LAUNCH, scriptOf } from './sandbox.ts';

/** Everything but the large messages, of which a few will do. */
const MOST = ['1', '2', '3', '4', '5', '6', '7', '10', 'H', 'A', 'M', 'F', 'S', 'L', 'C'];
const SOME_LARGE = ['9.1.1', '9.2.3', '9.3.9', '9.5.6', '9.8.2'];

/** The cases that are not OK, those that are not strict with a `~`. */
function notOk(results: readonly CaseResult[]): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'OK')
    .map(({ id, verdict }) => (verdict === 'FAILED' ? id : `${id}~`));
}

/** For clients that hang: each of these cases waits that long. */
const IMPATIENT = { answerMs: 700, endMs: 700, pauseMs: 0 };

const run = (fault: ClientFault | undefined, select: readonly string[]) =>
  runClientConformance((url) => startClient(url, fault), { select, patience: IMPATIENT });

describe('the cases for clients', () => {
  test('have ids of their own, in order', () => {
    for (const { id, cases } of CLIENT_CATEGORIES) {
      const ids = cases.map((testCase) => testCase.id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.every((caseId) => caseId.startsWith(`${id}.`))).toBe(true);
      const inOrder = [...ids].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
      expect(ids).toEqual(inOrder);
    }
  });

  test('say what they are about', () => {
    for (const { title, section, expected } of CLIENT_CATEGORIES.flatMap(({ cases }) => cases)) {
      expect(title).toMatch(/^\S.*[^.]$/);
      expect(section).toMatch(/^(RFC 7692 §)?\d+(\.\d+)*$/);
      expect(expected).toMatch(/^\S.*\.$/);
    }
  });
});

test('a client that is right in everything is OK in everything', async () => {
  const results = await run(undefined, [...MOST, ...SOME_LARGE]);
  expect(notOk(results)).toEqual([]);
  expect(results.every(({ ending }) => /clean|refused|ours/.test(ending))).toBe(true);
});

const OPENING = ['1.1.1', 'H', 'A', 'M.1', 'S.1', 'S.14'];
const FRAMES = ['1.1.1', '2.1', '3.1', '5.3', '6.3', '7.1', '7.3', '7.9.1', 'M', 'F', 'S', 'C'];
const ids = (category: string, ...numbers: readonly (number | string)[]) =>
  numbers.map((number) => `${category}.${number}`);
const upTo = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

const BROKEN: readonly (readonly [
  fault: ClientFault,
  select: readonly string[],
  bad: readonly string[],
])[] = [
  ['posts', OPENING, ['H.1']],
  ['no-port', OPENING, ['H.2']],
  ['no-upgrade', OPENING, ['H.3']],
  ['no-connection', OPENING, ['H.4']],
  ['short-key', OPENING, ['H.5', 'H.14']],
  ['one-key', OPENING, ['H.11', 'H.14']],
  ['letters', OPENING, ['H.14']],
  ['version-8', OPENING, ['H.6']],
  ['bad-header', OPENING, ['H.7']],
  ['protocol-twice', OPENING, ['H.8']],
  ['bad-extensions', OPENING, ['H.9']],
  ['announces-body', OPENING, ['H.10~']],
  ['early-frame', OPENING, ['H.12']],
  ['two-at-once', OPENING, ['H.13~']],
  ['any-status', OPENING, ids('A', ...upTo(37, 43), 65)],
  [
    'status-only',
    OPENING,
    ids('A', 44, 45, 46, 47, '48~', ...upTo(49, 58), '59~', 60, '61~', 62, 63, '64~', 66, 67, 68),
  ],
  ['upgrade-by-letter', OPENING, ['A.4']],
  ['connection-as-a-whole', OPENING, ['A.6', 'A.7']],
  ['connection-by-part', OPENING, ['A.51']],
  ['accept-unchecked', OPENING, ids('A', ...upTo(52, 58), '59~', 67, 68)],
  ['accept-in-any-case', OPENING, ['A.55']],
  ['untrimmed', OPENING, ['A.8', 'A.59~']],
  ['takes-any-protocol', OPENING, ['A.60', 'A.61~']],
  ['takes-any-extension', OPENING, ['A.62', 'A.63', 'A.64~']],
  ['head-is-read', OPENING, ['A.14', 'A.15']],
  ['no-interim', OPENING, ['A.19~', 'A.20~']],
  ['endless-head', OPENING, ['A.69~']],
  ['endless-interim', OPENING, ['A.70~']],
  ['no-query', OPENING, ['H.1']],
  ['accept-by-start', OPENING, ['A.59~', 'A.67']],
  [
    'words-in-head',
    OPENING,
    ids('A', 46, 47, '48~', 49, 50, 51, 55, 58, '59~', 60, '61~', 62, 63, '64~', ...upTo(65, 68)),
  ],
  ['one-control-mask', FRAMES, ['M.2', 'M.3', 'M.5']],
  ['one-large-mask', ['L.9', 'M'], ['M.5']],
  ['drops-behind-head', ['1.1.1', 'H', 'A.1', 'M', 'S'], ids('S', 1, 2, 3, 14, 15)],
  ['holds-on', ['1.1.1', 'H', 'A.1', 'A.44', 'A.55'], ['A.44', 'A.55']],
  ['accepts-any-mask', FRAMES, ids('F', 1, 2, 3, 4, 5)],
  ['masks-of-data-only', FRAMES, ['F.3', 'F.4']],
  ['masks-the-wrong-way', ['1.1.1', '2.1', 'H.1', 'A.44'], ['1.1.1', '2.1', 'H.1']],
  ['bare-control', ['2.1', '2.7', 'M.1'], ['2.1', '2.7', 'M.1']],
  ['one-mask', FRAMES, ['M.2', 'M.3', 'M.4', 'M.5']],
  ['counting-masks', FRAMES, ['M.3', 'M.4']],
  ['seeded-masks', FRAMES, ['M.4']],
  ['ascii-masks', FRAMES, ['M.3']],
  ['ends-tcp-first', FRAMES, ['C.1~']],
  ['never-ends-tcp', ['7.3.1', 'C.1'], ['7.3.1', 'C.1']],
  ['never-answers-close', ['7.3.1', 'C.1', 'C.17'], ['7.3.1', 'C.1']],
  ['ignores-reserved-bits', FRAMES, ['3.1', 'F.28', 'C.11', 'C.12']],
  ['repairs-utf8', FRAMES, ['6.3.1', '6.3.2']],
  ['close-overtakes', FRAMES, ['7.1.6~', 'S.10~', 'S.14~']],
  [
    'lenient-and-late',
    FRAMES,
    ['7.1.6~', ...ids('F', ...upTo(6, 14).map((at) => `${at}~`)), 'S.10~', 'S.14~'],
  ],
  ['drops-on-error', ['3.1', '6.3.1', '7.9.1', 'L.1'], ['3.1~', '6.3.1~', '7.9.1~', 'L.1~']],
  ['no-limit', ['1.1', 'L.1', 'L.4', 'L.8'], ['L.1', 'L.4']],
  ['few-fragments', ['9.3.2', '9.3.9', '10'], ['9.3.2~']],
  ['lengths-add-up', ['9.3.9', '10', 'L.9'], ['L.9']],
];

describe.concurrent('a client is red where it is broken, and nowhere else', () => {
  test.each(BROKEN)('%s', async (fault, select, bad) => {
    expect(notOk(await run(fault, select))).toEqual(bad);
  });
});

describe.concurrent('a client may', () => {
  test.each([
    ['ask whether we are there', 'pings'],
    ['say that it is there', 'pongs'],
    ['wait for the answer to its Close', 'awaits-answer'],
    ['refuse a code that nothing defines', 'refuses-5000'],
    ['take a code that nothing defines', 'empties-5000'],
  ] as const)('%s', async (_, fault) => {
    expect(notOk(await run(fault, ['1', '2', '5', '6.4', '7', 'A.1', 'M', 'S', 'C']))).toEqual([]);
  });
});

describe.concurrent('a run', () => {
  const select = ['1', '2', '3', 'A.44'];
  const patience = IMPATIENT;

  test('of a client that knows no loop starts it for each case', async () => {
    let starts = 0;
    const results = await runClientConformance(
      (url) => {
        starts++;
        return startClient(url, 'once');
      },
      { select, patience },
    );
    expect(notOk(results)).toEqual([]);
    expect(starts).toBe(results.length);
  });

  test.each([
    ['stops-at-10', 'did not go on'],
    ['crashes-at-10', 'ended with code 1'],
  ] as const)('of a client that %s starts it again, and says so', async (fault, what) => {
    const results = await runClientConformance((url) => startClient(url, fault), {
      select,
      patience,
      idleMs: 300,
    });
    // The first connection is to ask how many cases there are.
    expect(notOk(results)).toEqual(['1.2.1~', '2.2~', '2.11~']);
    expect(results[8]?.happened).toBe(
      `The client sent an empty binary, then Close 1000, and ended TCP. Then it ${what}.`,
    );
  });

  test.each([
    ['no-start', 'The client ended with code 3, before it had come to a case.'],
    ['asleep', 'The client did not come to a case within 0.3 s or 50 connections.'],
    ['asks-for-ever', 'The client did not come to a case within 0.3 s or 50 connections.'],
  ] as const)('gives up a client that is %s', async (fault, obstacle) => {
    const results = await runClientConformance((url) => startClient(url, fault), {
      select,
      idleMs: 300,
    });
    expect(results.length).toBe(35);
    for (const result of results) {
      expect(result).toMatchObject({ ending: 'untried', happened: `Not tried. ${obstacle}` });
    }
  });

  test('comes to its end when the client never goes on to the second case', async () => {
    const results = await runClientConformance((url) => startClient(url, 'begins-for-ever'), {
      select: ['7.3'],
    });
    // Each start brings one result more.
    expect(notOk(results)).toEqual(ids('7.3', ...upTo(1, 5).map((number) => `${number}~`)));
  });

  test('gives up a client that lets us wait again and again', async () => {
    const results = await run('says-nothing', ['1', '2']);
    const tried = results.filter(({ ending }) => ending !== 'untried');
    expect(tried.length).toBe(10);
    expect(results.at(-1)?.happened).toBe(
      'Not tried. The client is of no use: in 10 cases in a row, we waited for it in vain.',
    );
  });

  test('leaves out the cases that wait for minutes, unless they are asked for', async () => {
    const start = (url: string) => startClient(url, 'ends-tcp-first');
    const ids = (results: readonly CaseResult[]) => results.map(({ id }) => id);
    expect(ids(await runClientConformance(start, { select: ['C'] }))).not.toContain('C.18');
    expect(ids(await runClientConformance(start, { select: ['c.18'] }))).toEqual(['C.18']);
    expect(ids(await runClientConformance(start, { select: ['C'], full: true }))).toContain('C.18');
  });
});

const ENDLESS = 'setInterval(() => {}, 1e9)';

/** Words that run a program of ours, in a shell. */
const program = (name: string) =>
  `"${process.execPath}" ${TYPESCRIPT.join(' ')} "${join(ROOT, 'test', 'course', name)}"`;

/** Runs the command. Returns its exit code and what it wrote. */
async function command(...args: string[]) {
  const child = start(...args);
  const [output, errors] = [collect(child.stdout), collect(child.stderr)];
  const [code] = await once(child, 'close');
  return { code, output: output(), errors: errors() };
}

const start = (...args: string[]) =>
  spawn(process.execPath, [LAUNCH, scriptOf('conformance'), ...args], { cwd: ROOT, env: ENV });

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

describe.concurrent('npm run conformance -- --client', () => {
  test('runs the reference, and writes a report', async () => {
    const { code, output, errors } = await command('--client', 'solutions/06', '7.3.3', 'H.2,M');
    expect(errors).toBe('');
    expect(output).toMatch(/^\nConformance of solutions\/06\n/);
    expect(output).toMatch(/\n7 OK, 0 NON-STRICT, 0 FAILED\n$/);
    expect(code).toBe(0);
  });

  test('runs a client that compresses', async () => {
    const { code, output } = await command('--client', 'solutions/07', 'D.3', 'N.1', '7.3.1');
    expect(output).toMatch(/\n3 OK, 0 NON-STRICT, 0 FAILED\n$/);
    expect(code).toBe(0);
  });

  test('of the library ws has these findings, each looked at by hand', async () => {
    const client = `${program('ws-client.ts')} {url}`;
    const { output } = await command('--client', client, '--json', ...MOST, ...SOME_LARGE);
    const { results, ...about } = JSON.parse(output);
    expect(about).toEqual({ client, counts: expect.anything() });
    // It checks UTF-8 when a message is whole, reads lengths in any form, takes those with the
    // highest bit for large ones, and does not wait for the server to end TCP.
    const utf8 = ['6.4.1~', '6.4.2~', '6.4.3~', '6.4.4~'];
    const lengths = ids('F', ...[6, 7, 8, 9, 10, 11, 12, 15, 16].map((number) => `${number}~`));
    // Which answers are HTTP, the reader of Node decides, and may change with its version.
    const http = ids('A', ...upTo(16, 36), 70).flatMap((id) => [id, `${id}~`]);
    const rest = notOk(results).filter((id) => !http.includes(id));
    expect(rest).toEqual([...utf8, ...lengths, 'C.1~']);
  });

  test('shows what a client has said that does not come to a case', async () => {
    const { code, output } = await command(
      '--client',
      'echo no such thing as {url} && exit 3',
      '1.1.1',
    );
    expect(output).toMatch(
      /\n✗ The client ended with code 3, before it had come to a case\. Its last words:\n\s*no such thing as ws:\/\/127\.0\.0\.1:\d+\n/,
    );
    expect(code).toBe(1);
  });

  test.each([
    [['node echo.js'], /^✗ Put \{url\} where the URL belongs .* "node echo\.js \{url\}"\n$/],
    [['lessons/05'], /^✗ Lesson 05 is no client\. Lessons 06 and 07 are: --client lessons\/06\n$/],
    [['lessons/99'], /^✗ There is no lesson "lessons\/99".*\n$/],
    [['x {url}', 'ws://127.0.0.1:1/'], /^✗ Either a server or a client: ws:.*\n$/],
    [['x {url}', 'R.1'], /^✗ There is no category "R\.1"\. The categories are 1, .*\n$/],
  ])('%j is one clear message', async (args, message) => {
    const { code, output, errors } = await command('--client', ...args);
    expect(errors).toMatch(message);
    expect(output).toBe('');
    expect(code).toBe(2);
  });

  test.skipIf(process.platform === 'win32')(
    'on Ctrl-C ends the client, and its children',
    async () => {
      const mark = `left-by-a-client-${process.pid}`;
      // Without the quotes of the shell, whose own words have the mark as well.
      const running = () =>
        execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(`-e ${ENDLESS} ${mark}`);
      const sleep = `"${process.execPath}" -e "${ENDLESS}" ${mark}`;
      const child = start('--client', `${sleep} & ${sleep} {url}`, '1.1.1');
      await vi.waitFor(() => expect(running()).toBe(true), { timeout: 30_000, interval: 100 });
      child.kill('SIGINT');
      const [code] = await once(child, 'close');
      expect(code).toBe(130);
      await vi.waitFor(() => expect(running()).toBe(false), { timeout: 10_000, interval: 100 });
    },
  );
});
