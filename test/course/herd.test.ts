/**
 * 2,000 clients lose their server for 20 seconds: the figures in lesson 06, and its picture, which
 * `npx vitest run test/course/herd -u` makes again.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { Choices } from '../../shared/kit/generate.ts';
import { nextDelayMs } from '../../solutions/06-client/client.ts';

const CLIENTS = 2000;
const OUTAGE_MS = 20_000;
/** In how long a time it is counted who comes, in milliseconds. */
const WINDOW_MS = 100;
/** Always the same, so that the figures in the text are. */
const SEED = 101;

/** How long to wait before an attempt, in milliseconds. */
type Policy = (attempt: number, random: () => number) => number;

const doubled: Policy = (attempt) => Math.min(1000 * 2 ** attempt, 30_000);

const POLICIES: readonly (readonly [name: string, policy: Policy])[] = [
  ['every second', () => 1000],
  ['doubling, up to 30 s', doubled],
  ['doubling, ± 20 %', (attempt, random) => doubled(attempt, random) * (0.8 + 0.4 * random())],
  ['a random share of the doubled time', (attempt, random) => doubled(attempt, random) * random()],
  ['ours: the same, but the first within 5 s', nextDelayMs],
];

/** When each client asks for a connection, after all have lost theirs at 0, in milliseconds. */
function attemptsOf(policy: Policy): number[][] {
  const choices = Choices.random(SEED);
  const random = () => choices.below(2 ** 30) / 2 ** 30;
  return Array.from({ length: CLIENTS }, () => {
    const times: number[] = [];
    for (let time = 0; time < OUTAGE_MS; times.push(time)) time += policy(times.length, random);
    return times;
  });
}

/** How many come in each window of a time. */
function countWindows(times: readonly number[], windowMs: number): Map<number, number> {
  const windows = new Map<number, number>();
  for (const time of times) {
    const window = Math.floor(time / windowMs);
    windows.set(window, (windows.get(window) ?? 0) + 1);
  }
  return windows;
}

const short = (number: number) => String(Math.round(number * 10) / 10);

/** A row of the table: the policy, and what comes of it. */
function rowOf(name: string, policy: Policy): readonly string[] {
  const attempts = attemptsOf(policy);
  const back = attempts.map((times) => (times.at(-1) ?? 0) - OUTAGE_MS).sort((a, b) => a - b);
  const worst = Math.max(...countWindows(back, WINDOW_MS).values());
  const seconds = (share: number) =>
    `${short((back[Math.ceil(CLIENTS * share) - 1] ?? 0) / 1000)} s`;
  return [
    name,
    short(attempts.flat().length / CLIENTS),
    worst.toLocaleString('en'),
    seconds(0.5),
    seconds(0.99),
  ];
}

test('the table in the text is what comes of it', () => {
  const text = readFileSync(join(ROOT, 'lessons/06-client/README.md'), 'utf8');
  const rows = POLICIES.map(([name, policy]) => `| ${rowOf(name, policy).join(' | ')} |`);
  for (const row of rows) expect(text, rows.join('\n')).toContain(row);
});

/* The picture */

const LEFT = 12;
const WIDTH = 736;
/** What is shown of the time, in seconds. */
const SECONDS = 50;
const ROW = 84;
const TOP = 46;
/** The height of a bar in which all clients come together. */
const HEIGHT = 52;
/** A bar is so long, in milliseconds. */
const BAR_MS = 200;

const x = (seconds: number) => LEFT + (seconds / SECONDS) * WIDTH;

/** Draws how many come when, with the root of the number for a height: so few are seen as well. */
function barsOf(policy: Policy, base: number): string {
  const windows = countWindows(attemptsOf(policy).flat(), BAR_MS);
  const width = x(BAR_MS / 1000) - x(0);
  return [...windows]
    .sort(([a], [b]) => a - b)
    .filter(([window]) => window * BAR_MS < SECONDS * 1000)
    .map(([window, count]) => {
      const height = HEIGHT * Math.sqrt(count / CLIENTS);
      const left = x((window * BAR_MS) / 1000);
      return `M${short(left)} ${base}v-${short(height)}h${short(width)}v${short(height)}z`;
    })
    .join('');
}

function rowsOf(policies: typeof POLICIES): string[] {
  return policies.flatMap(([name, policy], i) => {
    const base = TOP + (i + 1) * ROW - 6;
    const [, , worst] = rowOf(name, policy);
    return [
      `  <text x="${LEFT + 4}" y="${base - HEIGHT - 8}">${name.split(':')[0]}</text>`,
      `  <text class="soft" x="${LEFT + WIDTH - 4}" y="${base - HEIGHT - 8}" text-anchor="end">at worst ${worst} in 100 ms</text>`,
      `  <path class="bar" d="${barsOf(policy, base)}" />`,
      `  <path class="line" d="M${LEFT} ${base}H${LEFT + WIDTH}" />`,
    ];
  });
}

function drawHerd(): string {
  const shown = POLICIES.filter(([name]) => !name.startsWith('a random'));
  const bottom = TOP + shown.length * ROW;
  const ticks = [0, 10, 20, 30, 40, 50].map((second) => {
    const anchor = second === 0 ? 'start' : second === SECONDS ? 'end' : 'middle';
    return `  <text class="soft" x="${short(x(second))}" y="${bottom + 16}" text-anchor="${anchor}">${second} s</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 ${bottom + 28}" role="img" aria-labelledby="title desc" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="15">
  <title id="title">The herd</title>
  <desc id="desc">When 2,000 clients ask for a connection, after all have lost theirs at 0 s. The server is away until 20 s. Every second: 2,000 come together each second, and at 20 s. Doubling: 2,000 come together at 1, 3, 7, 15 and 31 s. Doubling with 20 percent of chance: heaps that get wider, the last from 25 to 37 s. Ours: a low line from 0 s to the end, without a heap.</desc>
  <style>
    text { fill: #1f2328; }
    .soft { fill: #59636e; font-size: 13px; }
    .away { fill: #ffebe9; }
    .bar { fill: #0969da; }
    .line { stroke: #818b98; fill: none; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .soft { fill: #9198a1; }
      .away { fill: #5d0f12; }
      .bar { fill: #58a6ff; }
    }
  </style>
  <rect class="away" x="${LEFT}" y="12" width="${short(x(20) - LEFT)}" height="${bottom - 18}" rx="4" />
  <text class="soft" x="${short(x(10))}" y="32" text-anchor="middle">the server is away</text>
  <text class="soft" x="${short(x(35))}" y="32" text-anchor="middle">the server is back</text>
${[...rowsOf(shown), ...ticks].join('\n')}
</svg>
`;
}

test('the picture is drawn from it', async () => {
  await expect(drawHerd()).toMatchFileSnapshot(join(ROOT, 'lessons/06-client/herd.svg'));
});
