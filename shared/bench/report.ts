/** What the benchmark prints. */
import { style } from '../view/style.ts';
import { KINDS, type Rates } from './bench.ts';
import type { Kind, Load } from './messages.ts';

/** How long the longest bar is. */
const BAR = 30;

/** Writes a load, such as `1 KiB, 16 in flight`. */
export function describe({ bytes, inFlight }: Load): string {
  return `${sizeOf(bytes)}, ${inFlight} in flight`;
}

function sizeOf(bytes: number): string {
  if (bytes >= 1024 * 1024) return `${bytes / 1024 / 1024} MiB`;
  return bytes >= 1024 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

/** Writes what each server did under a load, as bars beside each other. */
export function renderLoad(load: Load, rates: Rates, names: Record<Kind, string>): string[] {
  const most = Math.max(...Object.values(rates));
  const width = Math.max(...Object.values(names).map(({ length }) => length));
  const lines = KINDS.map((kind) => {
    const bar = '█'.repeat(Math.max(1, Math.round((rates[kind] / most) * BAR)));
    const rate = Math.round(rates[kind]).toLocaleString('en').padStart(11);
    const line = `  ${names[kind].padEnd(width)} ${rate} /s  ${bar}`;
    return kind === 'lesson' ? style.bold(line) : line;
  });
  const [toWs, ofTcp] = [rates.lesson / rates.ws, rates.lesson / rates.tcp];
  const ratio = `${toWs.toFixed(2)} × ws, ${Math.round(ofTcp * 100)} % of plain TCP`;
  return [`${describe(load)}: ${ratio}`, ...lines, ''];
}

/** Writes what an idle connection takes on each server. */
export function renderIdle(bytes: Record<Kind, number>, names: Record<Kind, string>): string {
  const each = KINDS.map((kind) => `${names[kind]} ${(bytes[kind] / 1024).toFixed(1)} KiB`);
  return `Memory of an idle connection, objects and buffers: ${each.join(', ')}`;
}
