/** One line for the person at the terminal, in the place of a stack trace. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from '../course/lessons.ts';
import { findPlace } from '../course/place.ts';

const ROOT_URL = pathToFileURL(ROOT).href;

/** Says what was thrown and, if it happened in a lesson, where. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return `Your code threw ${String(error)}, which is not an Error.`;
  const text = withoutRoot(error.message).split('\n').slice(0, 2).join(' ');
  const place = findPlace(error);
  const where = place ? ` (${place.file}:${place.line}:${place.column})` : '';
  return `${error.name}: ${text}${where}`;
}

function withoutRoot(text: string): string {
  return text
    .replaceAll(ROOT_URL, '')
    .replaceAll(fileURLToPath(ROOT_URL), '')
    .replaceAll('\\', '/');
}
