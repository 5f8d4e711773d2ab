/** Where in a lesson or its solution an error was thrown. */

/** A place in a file, such as `lessons/05-server/server.ts`. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Returns the first place of a stack that is in a lesson or solution. `undefined`: there is none. */
export function findPlace(error: unknown): Place | undefined {
  const stack = error instanceof Error ? String(error.stack) : '';
  const frame = /((?:lessons|solutions)[\\/][^\s\\/]+[\\/][\w.-]+\.ts)[^\s:]*:(\d+):(\d+)/;
  const [, path, line, column] = frame.exec(stack) ?? [];
  return path === undefined
    ? undefined
    : { file: path.replaceAll('\\', '/'), line: Number(line), column: Number(column) };
}

/** Writes the first place of a stack that is in a lesson or solution, such as `…/reading.ts:42`. */
export function placeOf(error: unknown): string | undefined {
  const place = findPlace(error);
  return place && `${place.file}:${place.line}`;
}
