import { describe, expect, test } from 'vitest';
import { CLIENT_CATEGORIES } from '../../shared/conformance/cases/index.ts';
import { runClientConformance } from '../../shared/conformance/client-run.ts';
import type { CaseResult } from '../../shared/conformance/model.ts';
import { type ClientFault, startClient } from './broken-client.ts';

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
      expect(section).toMatch(/^\d+(\.\d+)*$/);
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
  ['any-status', OPENING, ids('A', ...upTo(37, 43))],
  [
    'status-only',
    OPENING,
    ids('A', 44, 45, 46, 47, '48~', ...upTo(49, 58), '59~', 60, '61~', 62, 63, '64~'),
  ],
  ['upgrade-by-letter', OPENING, ['A.4']],
  ['connection-as-a-whole', OPENING, ['A.6', 'A.7']],
  ['connection-by-part', OPENING, ['A.51']],
  ['accept-unchecked', OPENING, ids('A', ...upTo(52, 58), '59~')],
  ['accept-in-any-case', OPENING, ['A.55']],
  ['untrimmed', OPENING, ['A.8', 'A.59~']],
  ['takes-any-protocol', OPENING, ['A.60', 'A.61~']],
  ['takes-any-extension', OPENING, ['A.62', 'A.63', 'A.64~']],
  ['head-is-read', OPENING, ['A.14', 'A.15']],
  ['no-interim', OPENING, ['A.19~', 'A.20~']],
  ['endless-head', OPENING, ['A.65~']],
  ['drops-behind-head', ['1.1.1', 'H', 'A.1', 'M', 'S'], ids('S', 1, 2, 3, 14, 15)],
  ['holds-on', ['1.1.1', 'H', 'A.1', 'A.44', 'A.55'], ['A.44', 'A.55']],
  ['accepts-any-mask', FRAMES, ids('F', 1, 2, 3, 4, 5)],
  ['masks-of-data-only', FRAMES, ['F.3', 'F.4']],
  ['masks-the-wrong-way', ['1.1.1', '2.1', 'H.1', 'A.44'], ['1.1.1', '2.1', 'H.1']],
  ['bare-control', ['2.1', '2.7', 'M.1'], ['2.1', '2.7', 'M.1']],
  ['one-mask', FRAMES, ['M.2', 'M.3', 'M.4']],
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

  test('of a client that does not go on starts it again, and says so', async () => {
    const results = await runClientConformance((url) => startClient(url, 'stops-at-10'), {
      select,
      patience,
      idleMs: 300,
    });
    // The first connection is to ask how many cases there are.
    expect(notOk(results)).toEqual(['1.2.1~', '2.2~', '2.11~']);
    expect(results[8]?.happened).toMatch(/\. Then it did not go on, and was started again\.$/);
  });

  test.each([
    ['no-start', 'The client ended with code 3, before it had come to a case.'],
    ['asleep', 'The client did not come to a case within 0.3 s.'],
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
