/** What the benchmark prints. */
import { count } from '../view/count.ts';
import { style } from '../view/style.ts';
import type { Results } from './bench.ts';
import type { Kind, Load, Usage } from './messages.ts';

/** How long the longest bar is. */
const BAR = 30;

/** What each server is called. */
export type Names<K extends Kind> = Readonly<Record<K, string>>;

/** Writes a load, such as `1 KiB, 16 in flight`, or `chat, 107 B, 24 clients`. */
export function describe({ bytes, inFlight, connections, sample }: Load): string {
  return sample
    ? `${sample}, ${sizeOf(bytes)}, ${count(connections, 'client')}`
    : `${sizeOf(bytes)}, ${inFlight} in flight`;
}

function sizeOf(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

/** Writes what each server did under a load, as bars beside each other. The first one is ours. */
function renderBars<K extends Kind>(
  results: Results<K>,
  names: Names<K>,
  more: (kind: K) => string = () => '',
): string[] {
  const kinds = Object.keys(results) as K[];
  const most = Math.max(...kinds.map((kind) => results[kind].rate));
  const width = Math.max(...kinds.map((kind) => names[kind].length));
  return kinds.map((kind, i) => {
    const bar = '█'.repeat(Math.max(1, Math.round((results[kind].rate / most) * BAR)));
    const rate = Math.round(results[kind].rate).toLocaleString('en').padStart(11);
    const line = `  ${names[kind].padEnd(width)} ${rate} /s${more(kind)}  ${bar}`;
    return i === 0 ? style.bold(line) : line;
  });
}

const times = (mine: number, other: number) => (mine / other).toFixed(2);

/** Writes what servers did under a load, and how ours compares. */
export function renderLoad(
  load: Load,
  results: Results<'lesson' | 'ws' | 'tcp'>,
  names: Names<'lesson' | 'ws' | 'tcp'>,
): string[] {
  const { lesson, ws, tcp } = results;
  const share = Math.round((lesson.rate / tcp.rate) * 100);
  const ratio = `${times(lesson.rate, ws.rate)} × ws, ${share} % of plain TCP`;
  return [`${describe(load)}: ${ratio}`, ...renderBars(results, names), ''];
}

/** The servers of a benchmark of compression. */
type Compressing = 'lesson-deflate' | 'ws-deflate' | 'ws';

/** Writes what servers did with compressed messages, and how ours compares. */
export function renderSample(
  load: Load,
  results: Results<Compressing>,
  names: Names<Compressing>,
): string[] {
  const { 'lesson-deflate': mine, 'ws-deflate': other, ws } = results;
  const rates = `${times(mine.rate, other.rate)} × ws with compression, ${times(mine.rate, ws.rate)} × without`;
  const work = `${times(mine.cpuUs, other.cpuUs)} × its processor time`;
  const more = (kind: Compressing) =>
    `${number(results[kind].cpuUs)} µs of CPU ${number(results[kind].bytesBack)} bytes back`;
  return [`${describe(load)}: ${rates}; ${work}`, ...renderBars(results, names, more), ''];
}

const number = (value: number) => Math.round(value).toLocaleString('en').padStart(8);

/** Writes what a connection takes on each server. `which` is `an idle` or `a busy`. */
export function renderMemory<K extends Kind>(
  which: string,
  usages: Readonly<Record<K, Usage>>,
  names: Names<K>,
  of: 'memoryBytes' | 'processBytes' = 'memoryBytes',
): string {
  const each = (Object.keys(usages) as K[]).map(
    (kind) => `${names[kind]} ${(usages[kind][of] / 1024).toFixed(1)} KiB`,
  );
  const what = of === 'memoryBytes' ? 'objects and buffers' : 'of the whole process';
  return `Memory of ${which} connection, ${what}: ${each.join(', ')}`;
}
