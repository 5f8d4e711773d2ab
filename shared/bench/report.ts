/** What the benchmark prints. */
import { count } from '../view/count.ts';
import { style } from '../view/style.ts';
import { pad, widthOf } from '../view/width.ts';
import { wrap } from '../view/wrap.ts';
import type { Measured, Profiled, Result } from './bench.ts';
import type { Group } from './chart.ts';
import type { Load, Memory } from './messages.ts';
import { sharesOf } from './profile.ts';
import { median, quantile, ratios, spread } from './statistics.ts';

/** How wide a table is, in columns. */
const WIDTH = 79;

/** The middle half of all rounds may be so far apart, as a share of the median. */
const NOISY = 0.15;
/** From this share of a core on, somebody works as fast as they can. */
const BUSY = 0.9;
/** When neither side has this share, somebody else has the rest. */
const IDLE = 0.75;

/** Writes a load, such as `1 KiB, 16 in flight, 24 clients`, or `chat, 107 B, 24 clients`. */
export function describe({ bytes, inFlight, connections, sample }: Load): string {
  const clients = count(connections, 'client');
  return sample
    ? `${sample}, ${sizeOf(bytes)}, ${clients}`
    : `${sizeOf(bytes)}, ${inFlight} in flight, ${clients}`;
}

function sizeOf(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

const whole = (value: number) => Math.round(value).toLocaleString('en');
const percent = (share: number) => `${Math.round(share * 100)} %`;
/** Three digits at least, however small a number is. */
const micro = (us: number) =>
  `${us < 10 ? us.toFixed(2) : us < 100 ? us.toFixed(1) : whole(us)} µs`;

/** Draws a bar, to an eighth of a column. */
function bar(share: number, width: number): string {
  const eighths = Math.ceil(share * width * 8);
  return '█'.repeat(eighths >> 3) + ['', ...'▏▎▍▌▋▊▉'][eighths & 7];
}

/** One value of each round. */
const valuesOf = ({ results }: Measured, value: (result: Result) => number) => results.map(value);
const rateOf = (measured: Measured) => median(valuesOf(measured, ({ rate }) => rate));

/** How the rate of one was to that of another, round by round. */
export function ratesTo(measured: Measured, other: Measured): number[] {
  return ratios(
    valuesOf(measured, ({ rate }) => rate),
    valuesOf(other, ({ rate }) => rate),
  );
}

/** Writes rows below a heading, in columns: the first to the left, the others to the right. */
function renderTable(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [heading, ...rows];
  const widths = heading.map((_, i) => Math.max(...all.map((row) => widthOf(row[i] ?? ''))));
  return all.map((row) => {
    const cells = row.map((cell, i) => {
      const width = widths[i] ?? 0;
      return i === 0 ? pad(cell, width) : ' '.repeat(width - widthOf(cell)) + cell;
    });
    return `  ${cells.join('  ')}`;
  });
}

/** Adds a bar to each row of a table. The first row below the heading is bold: it is ours. */
function withBars(lines: readonly string[], shares: readonly number[]): string[] {
  const width = WIDTH - widthOf(lines[0] ?? '') - 2;
  return lines.map((line, i) => {
    if (i === 0) return style.dim(line);
    const row = `${line}  ${bar(shares[i - 1] ?? 0, width)}`;
    return i === 1 ? style.bold(row) : row;
  });
}

/** Writes what servers did under a load. `plain` is the one to compare them with. */
export function renderLoad(load: Load, all: readonly Measured[], plain: Measured): string[] {
  const rows = all.map((measured) => {
    const toPlain = ratesTo(measured, plain);
    const half = (quantile(toPlain, 0.75) - quantile(toPlain, 0.25)) / 2;
    return [
      measured.contestant.name,
      whole(rateOf(measured)),
      measured === plain ? '1       ' : `${median(toPlain).toFixed(2)} ± ${half.toFixed(2)}`,
      micro(median(valuesOf(measured, ({ cpuUs }) => cpuUs))),
    ];
  });
  const most = Math.max(...all.map(rateOf));
  const table = renderTable(['', 'messages/s', 'of plain TCP', 'CPU each'], rows);
  return [
    describe(load),
    ...withBars(
      table,
      all.map((it) => rateOf(it) / most),
    ),
    ...[renderBusy(all), renderNoise(all, plain)].flatMap((text) =>
      text === '' ? [] : wrap(`  ${text}`, WIDTH, '  '),
    ),
    '',
  ];
}

/** Says which side had to work: a figure is that of the server only if the server was busy. */
function renderBusy(all: readonly Measured[]): string {
  const serverOf = (it: Measured) => median(valuesOf(it, ({ serverBusy }) => serverBusy));
  const loadOf = (it: Measured) => median(valuesOf(it, ({ loadBusy }) => loadBusy));
  const range = (values: readonly number[]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)].map((it) =>
      Math.round(it * 100),
    );
    return low === high ? `${low} %` : `${low}–${high} %`;
  };
  const late = all.filter((it) => serverOf(it) < BUSY && loadOf(it) >= BUSY);
  const more = late.length > 0 ? ` The load held up ${namesOf(late)}: faster than shown.` : '';
  return `Busy: the server ${range(all.map(serverOf))}, the load ${range(all.map(loadOf))}.${more}`;
}

const namesOf = (all: readonly Measured[]) =>
  all.map(({ contestant }) => contestant.name).join(', ');

/** Says why the rounds of a load say nothing. Empty: they do. */
export function renderNoise(all: readonly Measured[], plain: Measured): string {
  const noise = Math.max(...all.map((measured) => spread(ratesTo(measured, plain))));
  if (noise > NOISY) {
    return style.yellow(
      `Too noisy to tell: the same ratio differs by ${percent(noise)} between rounds.`,
    );
  }
  const idle = all.filter((it) => {
    const busy = valuesOf(it, ({ serverBusy, loadBusy }) => Math.max(serverBusy, loadBusy));
    return median(busy) < IDLE;
  });
  if (idle.length === 0) return '';
  const who = idle.length < all.length ? `with ${namesOf(idle)}, ` : '';
  return style.yellow(`Too noisy to tell: ${who}neither side was busy. Others had the processor.`);
}

/** Writes what servers did with compressed messages, and how ours, the first, compares. */
export function renderSample(load: Load, all: readonly Measured[]): string[] {
  const [mine, other, plain] = all as [Measured, Measured, Measured];
  const times = (it: Measured) => median(ratesTo(mine, it)).toFixed(2);
  const cpuOf = (it: Measured) => median(valuesOf(it, ({ cpuUs }) => cpuUs));
  const work = (cpuOf(mine) / cpuOf(other)).toFixed(2);
  const rows = all.map((it) => [
    it.contestant.name,
    whole(rateOf(it)),
    micro(cpuOf(it)),
    whole(median(valuesOf(it, ({ bytesBack }) => bytesBack))),
  ]);
  const most = Math.max(...all.map(rateOf));
  return [
    ...wrap(
      `${describe(load)}: ${times(other)} × ws with compression, ${times(plain)} × without; ${work} × its processor time`,
      WIDTH,
      '  ',
    ),
    ...withBars(
      renderTable(['', 'messages/s', 'CPU each', 'bytes back'], rows),
      all.map((it) => rateOf(it) / most),
    ),
    '',
  ];
}

/** Writes what a connection takes on each server. `which` is `an idle` or `a busy`. */
export function renderMemory(
  which: string,
  memories: ReadonlyMap<string, Memory>,
  of: keyof Memory = 'memoryBytes',
): string[] {
  const each = Array.from(memories, ([name, memory]) => `${name} ${kibibytes(memory[of])}`);
  const what = of === 'memoryBytes' ? 'objects and buffers' : 'of the whole process';
  return wrap(`Memory of ${which} connection, ${what}: ${each.join(', ')}`, WIDTH, '  ');
}

const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;

/** What was measured of a server besides its rate. */
export interface Besides {
  /** One message on its way alone. */
  readonly alone: Measured;
  readonly idle: Memory;
  /** A short text and a long one to everybody. */
  readonly broadcasts: readonly Measured[];
}

/** Writes latency, memory and the cost of a broadcast. */
export function renderBesides(all: readonly Besides[], broadcasts: readonly Load[]): string[] {
  const latency = (it: Measured, of: 'p50' | 'p99') =>
    micro(median(it.results.map(({ latenciesUs }) => latenciesUs?.[of] ?? Number.NaN)));
  const rows = all.map(({ alone, idle, broadcasts }) => [
    alone.contestant.name,
    latency(alone, 'p50'),
    latency(alone, 'p99'),
    kibibytes(idle.memoryBytes),
    ...broadcasts.map((it) => micro(median(valuesOf(it, ({ cpuUs }) => cpuUs)))),
  ]);
  const sizes = broadcasts.map(({ bytes }) => `${sizeOf(bytes)} of text`);
  const [heading = '', first = '', ...others] = renderTable(
    ['', 'half within', '99 % within', 'idle', ...sizes],
    rows,
  );
  const receivers = count(broadcasts[0]?.connections ?? 0, 'client');
  const legend = `The time of one message alone, there and back; the memory of an idle connection; and the CPU time of a broadcast, for each of ${receivers}:`;
  return [...wrap(legend, WIDTH), style.dim(heading), style.bold(first), ...others, ''];
}

/** How many functions of ours a profile names. */
const FUNCTIONS = 6;

/** Writes where the processor time of a server went under a load, of which `plain` took a part. */
export function renderProfile(
  load: Load,
  { summary, kernel, cpuUs }: Profiled,
  plain: Profiled,
): string[] {
  const { all, ours } = sharesOf(summary, kernel);
  const rest = ours.slice(FUNCTIONS);
  const others = {
    name: count(rest.length, 'other function'),
    share: rest.reduce((sum, { share }) => sum + share, 0),
  };
  const shown = [...all, ...ours.slice(0, FUNCTIONS), ...(rest.length > 0 ? [others] : [])];
  const names = shown.map(({ name }, i) => (i < all.length ? name : `  ${name}`));
  const width = Math.max(...names.map(widthOf));
  const lines = shown.map(({ share }, i) => {
    const start = `  ${pad(names[i] ?? '', width)} ${percent(share).padStart(5)} ${micro(share * cpuUs).padStart(8)}  `;
    const line = start + bar(share, WIDTH - widthOf(start));
    return i < all.length ? line : style.dim(line);
  });
  const each = `${micro(cpuUs)} for each message, plain TCP ${micro(plain.cpuUs)}`;
  return [`${describe(load)}: ${each}`, ...lines, ''];
}

/** What a profile means, and what it does not. */
export const PROFILE_LEGEND = wrap(
  'The share of the kernel is what the system counts; the others are what the profiler of V8 saw, which looks 5,000 times a second. Copying is what was seen on lines that call set, slice, copy, concat, decode or encode. To be looked at takes time as well: compare shares, and no rates.',
  WIDTH,
);

/** Says for how many of the loads the rounds say something. */
export function renderVerdict(noisy: number, loads: number, rounds: number): string {
  if (rounds < 3) return 'With fewer than three rounds, nobody can tell how noisy the machine was.';
  if (noisy === 0) return `None of ${count(loads, 'load')} was too noisy to tell.`;
  const remedy = 'End what else is running, and let more rounds decide: --rounds 7';
  return `${noisy} of ${count(loads, 'load')} ${noisy === 1 ? 'was' : 'were'} too noisy to tell.\n${remedy}`;
}

/** What a chart shows of a load. */
export function groupOf(load: Load, all: readonly Measured[], plain: Measured): Group {
  const bars = all.map((measured) => {
    return { name: measured.contestant.name, ratio: median(ratesTo(measured, plain)) };
  });
  return { name: describe(load), bars };
}
