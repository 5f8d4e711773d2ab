import chalk, { Chalk } from 'chalk';

/** Colours for the terminal. None when `NO_COLOR` is set, or when nobody would see them. */
export const style = process.env.NO_COLOR ? new Chalk({ level: 0 }) : chalk;

/** How many columns a line may have: those of the terminal, at most 80, and 80 where there is none. */
export function columns(): number {
  return Math.max(40, Math.min(80, process.stdout.columns || 80));
}
