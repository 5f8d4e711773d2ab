/** What the benchmark makes of what it has measured: the arithmetic, and the words. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Measured } from '../../shared/bench/bench.ts';
import { drawChart, requireChartPlace, writeChart } from '../../shared/bench/chart.ts';
import { LOADS } from '../../shared/bench/loads.ts';
import { type Profile, sharesOf, summarize } from '../../shared/bench/profile.ts';
import { renderLoad, renderNoise, renderVerdict } from '../../shared/bench/report.ts';
import { median, quantile, ratios, spread } from '../../shared/bench/statistics.ts';
import { Batches, Messages } from '../../shared/bench/traffic.ts';
import { fromServer } from '../../shared/kit/frames.ts';
import { Opcode } from '../../shared/protocol.ts';

test('the median is the value in the middle, and others lie between their neighbours', () => {
  expect(median([30, 10, 20])).toBe(20);
  expect(median([40, 10, 20, 30])).toBe(25);
  expect(quantile([5, 1, 4, 2, 3], 0.25)).toBe(2);
  expect(quantile([5, 1, 4, 2, 3], 0.99)).toBeCloseTo(4.96);
  expect(quantile([7], 0.99)).toBe(7);
});

test('the spread is that of the middle half, so that one bad round does not count', () => {
  expect(spread([100, 100, 100])).toBe(0);
  expect(spread([90, 100, 110])).toBeCloseTo(0.1);
  expect(spread([100, 100, 100, 100, 100, 100, 5])).toBe(0);
});

/** A server that did so many messages a second in each round. */
function measured(name: string, rates: readonly number[], more: object = {}): Measured {
  const results = rates.map((rate) => {
    const other = { bytesBack: 66, cpuUs: 1, serverBusy: 1, loadBusy: 0.5, latenciesUs: undefined };
    return { rate, ...other, ...more };
  });
  return { contestant: { kind: 'tcp', name }, results };
}

describe('a ratio', () => {
  // The machine is half as fast in the second round, and a tenth as fast in the third.
  const tcp = measured('plain TCP', [1000, 500, 100]);
  const ours = measured('ours', [800, 400, 80]);

  test('is of what both did in the same round', () => {
    expect(ratios([800, 400, 80], [1000, 500, 100])).toEqual([0.8, 0.8, 0.8]);
    const text = renderLoad(LOADS[0]!, [ours, tcp], tcp).join('\n');
    expect(text).toMatch(/^ {2}ours +400 +0\.80 ± 0\.00 +1\.00 µs/m);
    expect(text).toMatch(/^ {2}plain TCP +500 +1 /m);
    expect(text).not.toContain('noisy');
  });

  test('is not that of two medians, which are of different rounds', () => {
    const plain = measured('plain TCP', [100, 300, 200]);
    const text = renderLoad(LOADS[0]!, [measured('other', [90, 60, 200]), plain], plain).join('\n');
    expect(text).toMatch(/^ {2}other +90 +0\.90 ± 0\.20 /m);
    expect(text).toContain('Too noisy to tell: the same ratio differs by 44 % between rounds.');
  });
});

describe('noise is told', () => {
  const tcp = measured('plain TCP', [100, 100, 100]);

  test('when ratios differ by more than 15 % in the middle half of the rounds', () => {
    expect(renderNoise([measured('ours', [90, 100, 118]), tcp], tcp)).toBe('');
    expect(renderNoise([measured('ours', [84, 100, 118]), tcp], tcp)).toMatch(/by 17 %/);
  });

  test('when neither side was busy, although both had something to do', () => {
    const lazy = measured('ours', [100, 100, 100], { serverBusy: 0.7, loadBusy: 0.6 });
    expect(renderNoise([lazy, tcp], tcp)).toMatch(/^Too noisy .* with ours, neither side was busy/);
    expect(renderNoise([lazy], lazy)).toMatch(/^Too noisy to tell: neither side was busy/);
    expect(renderNoise([measured('ours', [9, 9, 9], { serverBusy: 0.8 }), tcp], tcp)).toBe('');
  });

  test('at the end, for all loads', () => {
    expect(renderVerdict(0, 7, 3)).toBe('None of 7 loads was too noisy to tell.');
    expect(renderVerdict(1, 7, 3)).toMatch(/^1 of 7 loads was too noisy to tell\.\n.*--rounds 7$/);
    expect(renderVerdict(2, 7, 3)).toMatch(/^2 of 7 loads were/);
    expect(renderVerdict(0, 7, 2)).toMatch(/^With fewer than three rounds, nobody can tell/);
  });
});

test('a server that was held up by the load is named', () => {
  const tcp = measured('plain TCP', [1, 1, 1], { serverBusy: 0.82, loadBusy: 0.97 });
  const ours = measured('ours', [1, 1, 1], { serverBusy: 0.99, loadBusy: 0.95 });
  const text = renderLoad(LOADS[0]!, [ours, tcp], tcp).join('\n').replace(/\s+/g, ' ');
  expect(text).toContain('Busy: the server 82–99 %, the load 95–97 %.');
  expect(text).toContain('The load held up plain TCP: faster than shown.');
});

test.each(LOADS)('no line is wider than a terminal: $bytes B', (load) => {
  const names = ['reference 08', 'reference 05', 'ws 10.23.110', 'plain TCP'];
  const all = names.map((name, i) => measured(name, [1_234_567, 9_876_543, 1 + i]));
  const lines = renderLoad(load, all, all[3]!);
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
});

describe('what has come back is counted', () => {
  const memory = (bytes: Uint8Array) => Buffer.from(bytes);

  test('in bytes, when it is as long as ever: a batch when all of it is there', () => {
    const batches = new Batches(Uint8Array.of(1, 2), 4, 10);
    const lengths = [9, 1, 15, 4, 1];
    expect(lengths.map((length) => batches.receive(memory(new Uint8Array(20)), length))).toEqual([
      0, 4, 4, 0, 4,
    ]);
    expect(batches.next()).toBe(batches.first);
  });

  test('in messages, when it may be in fragments, and in reads that use one memory', () => {
    const wire = Buffer.concat([
      fromServer(Opcode.Binary, new Uint8Array(200), false),
      fromServer(Opcode.Continuation, new Uint8Array(300)),
      fromServer(Opcode.Binary, 'x'),
    ]);
    for (const size of [1, 3, 250, 1000]) {
      const messages = new Messages(2, () => new Uint8Array(1));
      const shared = Buffer.alloc(1000);
      let count = 0;
      for (let at = 0; at < wire.length; at += size) {
        const length = wire.copy(shared, 0, at, Math.min(at + size, wire.length));
        count += messages.receive(shared, length);
        shared.fill(0xff);
      }
      expect(count).toBe(2);
    }
  });

  test('in messages, and the next batch waits for all of them', () => {
    const messages = new Messages(2, (count) => new Uint8Array(count));
    expect(messages.first).toHaveLength(2);
    const frame = Buffer.from(fromServer(Opcode.Binary, 'x'));
    const reads = [frame, frame, Buffer.concat([frame, frame]), frame];
    expect(reads.map((read) => messages.receive(read, read.length))).toEqual([0, 2, 2, 0]);
  });
});

describe('a profile', () => {
  const node = (functionName: string, url: string, hitCount: number, lines: number[] = []) => {
    const positionTicks = lines.map((line) => ({ line, ticks: 10 }));
    return { callFrame: { functionName, url, scriptId: '1' }, hitCount, positionTicks };
  };
  const lesson = 'file:///course/lessons/02-reading-frames/reading.ts';
  const source = 'const a = 1;\nbytes.set(chunk, at);\nreturn a;';
  const profile: Profile = {
    nodes: [
      node('(idle)', '', 500),
      node('(program)', '', 30),
      node('writeBuffer', '', 20),
      node('(garbage collector)', '', 10),
      node('utf8Write', '', 5),
      node('onread', 'node:net', 5),
      node('send', 'file:///course/node_modules/ws/lib/sender.js', 5),
      node('read', lesson, 15, [1, 2]),
      node('read', lesson, 5),
      node('', lesson, 2),
      node('', 'file:///course/shared/bench/server.ts', 3),
    ],
  };
  const summary = summarize(profile, () => source);

  test('tells our code from copying, from Node and from what nobody can look into', () => {
    expect(summary).toEqual({
      functions: {
        'read, reading.ts': 10,
        '=>, reading.ts': 2,
        'the application, which echoes': 3,
      },
      copying: 15,
      node: 10,
      garbage: 10,
      native: 50,
    });
  });

  test('has the share of the kernel from the system, and takes it from what calls it', () => {
    const { all, ours } = sharesOf(summary, 0.4);
    const shares = Object.fromEntries(
      all.map(({ name, share }) => [name, Math.round(share * 100)]),
    );
    expect(shares).toEqual({
      'the kernel': 40,
      'Node, compiled': 10,
      'Node, JavaScript': 10,
      'copying bytes': 15,
      'collecting garbage': 10,
      'our code': 15,
    });
    expect(ours.map(({ name }) => name)).toEqual([
      'read, reading.ts',
      'the application, which echoes',
      '=>, reading.ts',
    ]);
  });

  test.each([0, 0.2, 0.5, 0.9])('is whole, with a kernel of %d', (kernel) => {
    const { all, ours } = sharesOf(summary, kernel);
    const sum = (shares: readonly { share: number }[]) =>
      shares.reduce((sum, { share }) => sum + share, 0);
    expect(sum(all)).toBeCloseTo(1);
    expect(sum(ours)).toBeCloseTo(all.at(-1)!.share);
    expect(all.every(({ share }) => share >= 0)).toBe(true);
  });
});

describe('a chart', () => {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-101-chart-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const bars = [
    { name: 'ours', ratio: 0.5 },
    { name: 'a < b & "c"', ratio: 2 },
  ];
  const chart = drawChart([{ name: '64 B', bars }], ['ours'], ['Three rounds.']);

  test('has a bar for each, in proportion, and says in words what it shows', () => {
    const widths = Array.from(chart.matchAll(/<rect .*? width="([\d.]+)"/g), ([, it]) =>
      Number(it),
    );
    expect(widths).toHaveLength(2);
    expect(widths[1]).toBeCloseTo(4 * (widths[0] ?? 0), 0);
    expect(chart).toContain('64 B: ours 0.50, a &#60; b &#38; &#34;c&#34; 2.00.');
    expect(chart).not.toMatch(/a < b|NaN|undefined/);
    expect(chart.match(/class="bar mine"/g)).toHaveLength(1);
    expect(chart).toContain('Three rounds.');
  });

  test('replaces one of ours, and nothing else', () => {
    const file = join(folder, 'bench.svg');
    writeChart(file, chart);
    writeChart(file, chart.replace('Three', 'Seven'));
    expect(readFileSync(file, 'utf8')).toContain('Seven rounds.');

    const own = join(folder, 'server.ts');
    for (const text of ['', 'const mine = 1;', `<svg></svg>${chart}`]) {
      writeFileSync(own, text);
      expect(() => writeChart(own, chart)).toThrow(/is there already, and is no chart of ours/);
      expect(readFileSync(own, 'utf8')).toBe(text);
    }
    expect(() => requireChartPlace(folder)).toThrow(/ is not a file\.$/);
    expect(() => requireChartPlace(join(folder, 'no', 'x.svg'))).toThrow(/^There is no folder /);
  });
});
