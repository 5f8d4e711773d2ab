/** Where in a lesson or its solution an error was thrown. */

/** A place in a file, such as `lessons/05-server/server.ts`. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A line of a stack that is in a lesson or solution: its file, line and column. */
const OWN = /((?:lessons|solutions)[\\/][^\s\\/]+[\\/][\w.-]+\.ts)[^\s:]*:(\d+):(\d+)/;

/** A line of a stack that is in Node, in JavaScript itself, or in what counts in its place. */
const BUILT_IN = /\bnode:|\(native\)|\(<anonymous>\)|[\\/]kit[\\/]work\./;

function stackOf(error: unknown): string[] {
  return error instanceof Error ? String(error.stack).split('\n') : [];
}

/** Lists the places of a stack that are in a lesson or solution, that of the throw first. */
function findPlaces(error: unknown): Place[] {
  return stackOf(error).flatMap((line) => {
    const [, path, row, column] = OWN.exec(line) ?? [];
    if (path === undefined) return [];
    return { file: path.replaceAll('\\', '/'), line: Number(row), column: Number(column) };
  });
}

/** Returns the first place of a stack that is in a lesson or solution. `undefined`: there is none. */
export function findPlace(error: unknown): Place | undefined {
  return findPlaces(error)[0];
}

/** Writes the places of a stack that are in a lesson or solution, such as `…/reading.ts:42`. */
export function placesOf(error: unknown): string[] {
  return [...new Set(findPlaces(error).map(({ file, line }) => `${file}:${line}`))];
}

/** Writes the first place of a stack that is in a lesson or solution. */
export function placeOf(error: unknown): string | undefined {
  return placesOf(error)[0];
}

/**
 * Names the function or method that the first place of a stack is in, such as `FrameReader.read`.
 * `undefined`: it has no name, or there is no such place.
 */
export function functionOf(error: unknown): string | undefined {
  const found = stackOf(error).find((line) => OWN.test(line)) ?? '';
  const [, called = '<anonymous>'] =
    /^ +at (?:async |new )?(.+?)(?: \[as .+\])? \(/.exec(found) ?? [];
  // A function of a module is called on whatever the module is in: that isn't one of its names.
  const name = called.replace(/^(Proxy|Object|Module|Function)\./, '').replace(/\b[gs]et /, '');
  return name === '<anonymous>' ? undefined : name;
}

/** Whether an error was thrown by a check, with what the code had returned, and not by the code. */
export function isOfCheck(error: unknown): boolean {
  const first = stackOf(error).find((line) => /^ +at /.test(line) && !BUILT_IN.test(line)) ?? '';
  return /[\\/](shared|test)[\\/].+\.ts/.test(first) && !OWN.test(first);
}

/** Whether a line of the stack of an error is there twice: a function has called itself. */
export function isRepeated(error: unknown): boolean {
  const lines = stackOf(error).slice(1);
  return new Set(lines).size < lines.length;
}
