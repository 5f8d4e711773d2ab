/** Which processes are there. */
import { execFileSync } from 'node:child_process';

/** Lists a process and all that it has started, by their numbers. */
export function familyOf(pid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/) as [string, string, string])
    // One that has ended, and that nobody has asked after yet, does not count.
    .filter(([, , state]) => !state.startsWith('Z'))
    .map(([child, parent]) => [Number(child), Number(parent)] as const);
  const below = (number: number): number[] => [
    ...table.filter(([child]) => child === number).map(([child]) => child),
    ...table.filter(([, parent]) => parent === number).flatMap(([child]) => below(child)),
  ];
  return below(pid);
}
