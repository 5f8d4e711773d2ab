/** The cases of the suite that are about compression: which servers and clients they catch. */
import { describe, expect, test } from 'vitest';
import { runClientConformance } from '../../shared/conformance/client-run.ts';
import type { CaseResult } from '../../shared/conformance/model.ts';
import { renderReport } from '../../shared/conformance/report.ts';
import { runConformance, serverAt } from '../../shared/conformance/run.ts';
import { startServer } from './broken.ts';
import { startClient } from './broken-client.ts';
import type { DeflateFault } from './deflating.ts';

/** Of the many messages, a few will do. */
const SOME = ['12.1.3', '12.2.12', '13.2.4', '13.3.16', '13.7.4'];

/** For those who say nothing. */
const patience = { answerMs: 700, endMs: 700, pauseMs: 0 };

const MARKS = { OK: '', UNIMPLEMENTED: '?', 'NON-STRICT': '~', FAILED: '' };

/** The cases that are not OK, those that are not strict with a `~`. */
function notOk(results: readonly CaseResult[]): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'OK')
    .map(({ id, verdict }) => id + MARKS[verdict]);
}

const ids = (category: string, ...numbers: readonly (number | string)[]) =>
  numbers.map((number) => `${category}.${number}`);
const upTo = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

type Row = readonly [fault: DeflateFault, select: readonly string[], bad: readonly string[]];

/** What a side does with what it receives and sends, which is the same for servers and clients. */
const MESSAGES: readonly Row[] = [
  ['rsv1-anywhere', ids('D', ...upTo(11, 29)), ids('D', 21, 22, 23, 24, 25)],
  ['ping-ends-packed', ids('D', ...upTo(11, 19)), ['D.14']],
  ['all-packed', ids('D', ...upTo(11, 19)), ['D.16', 'D.17']],
  ['text-before-inflate', ['D.1', 'D.7', 'D.18', '1.1'], ['D.1']],
  ['no-text-check', ids('D', ...upTo(15, 21)), ['D.20']],
  ['forgets', ['1.1', ...ids('D', ...upTo(1, 10), 42)], ['D.3', 'D.10~', 'D.42']],
  ['window-one-short', ids('D', 3, 42, 46), ['D.42']],
  ['plain-in-window', ids('D', 3, 16, 17, 34), ids('D', 16, 34)],
  ['no-second-stream', ids('D', ...upTo(1, 10)), ['D.8']],
  ['bfinal-is-over', ids('D', ...upTo(4, 10)), ids('D', 8, 9, 10)],
  ['passes-garbage', ids('D', 1, 20, ...upTo(30, 35)), ids('D', 30, 31, 32, 33, 34)],
  ['busy-with-bombs', ['B'], ids('B', 1, 5, 6, 7)],
  ['cuts-at-limit', ids('B', 2, 4, 5), ['B.5']],
  ['packs-control', ['D.14', '2.1'], ['D.14']],
  ['rsv1-on-all', ids('D', 15, 30), ['D.15']],
  ['tail-uncut', ids('D', 15, 30), ['D.15']],
  ['finishes', ids('D', 15, 30, 43), ['D.43']],
  ['empty-as-nothing', ids('D', 1, 7, 44), ids('D', 7, 44)],
  ['unshrunk-in-window', ids('D', 1, 43, 44, 45), ['D.44']],
  ['takes-over-anyway', [...ids('D', 3, 36, 40), '13.2.4'], ['13.2.4', 'D.36']],
  ['rsv1-on-large', ids('D', 45, 51), ['D.51']],
  ['lengths-add-up-unpacked', ids('B', 2, 8), ['B.8']],
  ['finals-add-up', ids('D', 5, 8, 50), ['D.50']],
  ['strips-mark', ids('D', 1, 48), ['D.48']],
  ['close-overtakes-packed', ids('D', 1, 53), ['D.53~']],
  ['plain-overtakes', ids('D', 1, 52), ['D.52']],
  ['keeps-the-beginning', ids('D', 3, 42, 47), ['D.47']],
  ['each-fragment', ids('D', 1, 2, 12), ['D.2']],
  ['looks-far-back', ids('D', ...upTo(36, 41)), ids('D', 37, 38, 39, 40)],
];

/** What a server answers. */
const ANSWERS: readonly Row[] = [
  ['limits-unasked', ids('N', 1, 2, 3), ['N.1']],
  ['bits-without-value', ['N.2', 'D.1'], ['N.2', 'D.1']],
  ['loses-bits', [...ids('N', 13, 15, 16), '13.3.1'], ['13.3.1', 'N.15', 'N.16']],
  ['loses-takeover', [...ids('N', 2, 4), '13.2.1'], ['13.2.1', 'N.4']],
  ['answers-twice', ['N.2'], ['N.2']],
  ['lax-numbers', ids('N', ...upTo(26, 36)), ids('N', 28, 29, 30, 36)],
  ['needs-bits', ids('N', 1, 2, 3), ['N.1~']],
  ['refuses-bad-offers', ids('N', 2, 18, 21, 26, 41), ids('N', '18~', '21~', '26~', '41~')],
  ['first-offer-only', ids('N', 2, 18, 21, 23), ids('N', '18~', '21~')],
  ['first-line-only', ids('N', 2, 18, 20, 57), ids('N', '20~', 57)],
  ['takes-no-list', ids('N', 2, ...upTo(49, 57)), ids('N', ...upTo(50, 57))],
  ['one-window-for-all', ['D.54'], ['D.54']],
  ['swaps-takeover', ids('D', 3, 36), ['D.36']],
];

/** Runs cases against a server with a fault. */
async function judgeServer(fault: DeflateFault | undefined, select: readonly string[]) {
  const server = await startServer(fault);
  const results = await runConformance(server.url, { select, patience });
  await server.stop();
  return results;
}

const judgeClient = (fault: DeflateFault | undefined, select: readonly string[]) =>
  runClientConformance((url) => startClient(url, fault), { select, patience });

describe.concurrent('a server with compression', () => {
  test('that is right in everything is OK in everything', async () => {
    const results = await judgeServer('deflates', [...SOME, '1', '2', '3', '5', 'D', 'N', 'B']);
    expect(notOk(results)).toEqual([]);
  });

  test.each([...MESSAGES, ...ANSWERS])('%s is red there, and nowhere else', async (...row) => {
    const [fault, select, bad] = row;
    expect(notOk(await judgeServer(fault, select))).toEqual(bad);
  });
});

describe.concurrent('a client with compression', () => {
  test('that is right in everything is OK in everything', async () => {
    const results = await judgeClient('deflates', [...SOME, '1', '2', '3', '5', 'D', 'N', 'B']);
    expect(notOk(results)).toEqual([]);
  });

  test.each(MESSAGES)('%s is red there, and nowhere else', async (fault, select, bad) => {
    expect(notOk(await judgeClient(fault, select))).toEqual(bad);
  });

  test('that takes any answer is red with those that do not fit', async () => {
    const results = await judgeClient('takes-any-answer', ['N']);
    expect(notOk(results)).toEqual(ids('N', ...upTo(16, 37)));
  });
});

describe.concurrent('whoever does without compression is not judged by it', () => {
  const select = ['7.3.1', '12.1.1', 'D.1', 'N', 'B'];

  test('a server', async () => {
    const results = await judgeServer(undefined, select);
    const others = results.filter(({ id }) => id !== '7.3.1');
    expect(new Set(others.map(({ verdict }) => verdict))).toEqual(new Set(['UNIMPLEMENTED']));
    const lines = renderReport(serverAt('ws://127.0.0.1/'), results, 80);
    expect(lines.at(-1)).toContain(`1 OK, 0 NON-STRICT, 0 FAILED, ${others.length} UNIMPLEMENTED`);
    expect(lines.join('\n')).toContain('UNIMPLEMENTED, beginning with 12.1.1: The server does not');
  });

  test('a client', async () => {
    const results = await judgeClient(undefined, select);
    expect(notOk(results).every((id) => id.endsWith('?'))).toBe(true);
    expect(results.at(-1)?.happened).toBe('The client offers no extension.');
  });
});
