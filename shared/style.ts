import chalk, { Chalk } from 'chalk';

/** Colours for the terminal. None when `NO_COLOR` is set, or when nobody would see them. */
export const style = process.env.NO_COLOR ? new Chalk({ level: 0 }) : chalk;
