/** The chart of a benchmark, as an SVG. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { sayFault } from '../course/files.ts';
import { UsageError } from '../course/lessons.ts';

/** By which we know a file that may be replaced. */
const MARK = '<!-- Made by npm run bench. It replaces this file when it is asked to. -->';

/** A group of bars: what each server did under one load. */
export interface Group {
  readonly name: string;
  /** Their rates, as shares of that of plain TCP, by the names of the servers. */
  readonly bars: readonly { readonly name: string; readonly ratio: number }[];
}

/**
 * Makes sure that a chart can be written to a file. Throws `UsageError` for a file that is not a
 * chart of ours, and for a place where there can be none.
 */
export function requireChartPlace(file: string): void {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat && !stat.isFile()) throw new UsageError(`${file} is not a file.`);
  if (stat && !readFileSync(file, 'utf8').startsWith(MARK)) {
    throw new UsageError(`${file} is there already, and is no chart of ours. Choose another name.`);
  }
  if (!existsSync(dirname(file))) throw new UsageError(`There is no folder ${dirname(file)}.`);
}

/** Writes a chart to a file. Throws `UsageError` as `requireChartPlace` does, and for a full disk. */
export function writeChart(file: string, chart: string): void {
  requireChartPlace(file);
  try {
    writeFileSync(file, chart);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${sayFault(error) ?? 'the system says no'}.`);
  }
}

const LEFT = 170;
const SCALE = 430;
const WIDTH = 760;
const ROW = 18;
const GAP = 34;
/** Below the title and three notes. */
const TOP = 118;

const escaped = (text: string) => text.replace(/[&<>"]/g, (it) => `&#${it.charCodeAt(0)};`);

const STYLE = `
    text { fill: #1f2328; }
    .soft { fill: #59636e; }
    .axis { stroke: #818b98; stroke-dasharray: 3 3; }
    .bar { fill: #54aeff; }
    .mine { fill: #2da44e; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .soft { fill: #9198a1; }
      .bar { fill: #1f6feb; }
      .mine { fill: #238636; }
    }`;

/**
 * Draws bars beside each other, in groups, with a line where plain TCP is. The servers named
 * `mine` have a colour of their own. `notes` are lines that say how it was measured.
 */
export function drawChart(
  groups: readonly Group[],
  mine: readonly string[],
  notes: readonly string[],
): string {
  const most = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const scale = SCALE / most;
  let y = TOP;
  const body = groups.flatMap(({ name, bars }) => {
    const lines = [`<text x="20" y="${y}" font-weight="bold">${escaped(name)}</text>`];
    for (const bar of bars) {
      y += ROW;
      const width = Math.max(1, bar.ratio * scale).toFixed(1);
      const kind = mine.includes(bar.name) ? 'bar mine' : 'bar';
      lines.push(
        `<text x="${LEFT - 8}" y="${y}" text-anchor="end">${escaped(bar.name)}</text>`,
        `<rect class="${kind}" x="${LEFT}" y="${y - 12}" width="${width}" height="14" />`,
        `<text class="soft" x="${LEFT + Number(width) + 8}" y="${y}">${bar.ratio.toFixed(2)}</text>`,
      );
    }
    y += GAP;
    return lines;
  });
  const axis = LEFT + scale;
  const height = y;
  return [
    MARK,
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title desc" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13">`,
    '<title id="title">Messages echoed in a second: plain TCP is 1</title>',
    `<desc id="desc">${escaped(groups.map(describeGroup).join(' '))}</desc>`,
    `<style>${STYLE}\n  </style>`,
    '<text x="20" y="26" font-size="16">Messages echoed in a second: plain TCP is 1</text>',
    ...notes.map(
      (note, i) => `<text class="soft" x="20" y="${46 + i * 18}">${escaped(note)}</text>`,
    ),
    `<line class="axis" x1="${axis.toFixed(1)}" x2="${axis.toFixed(1)}" y1="${TOP - 14}" y2="${height - GAP}" />`,
    ...body,
    '</svg>',
    '',
  ].join('\n');
}

function describeGroup({ name, bars }: Group): string {
  return `${name}: ${bars.map((bar) => `${bar.name} ${bar.ratio.toFixed(2)}`).join(', ')}.`;
}
