/** One line for the person at the terminal, in the place of a stack trace. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ROOT } from '../course/lessons.ts';
import { Todo } from '../todo.ts';

const ROOT_URL = pathToFileURL(ROOT).href;

/** Says what was thrown and, if it happened in a lesson, where. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return `Your code threw ${String(error)}, which is no Error.`;
  if (error instanceof Todo) return error.message;
  const place = placeOf(error);
  const text = withoutRoot(error.message).split('\n').slice(0, 2).join(' ');
  return `${error.name}: ${text}${place ? ` (${place})` : ''}`;
}

/** The first line of the stack that is in a lesson, such as `lessons/05-server/server.ts:12:3`. */
function placeOf({ stack = '' }: Error): string | undefined {
  return /(?:lessons|solutions)\/\d\d-[\w-]+\/[\w-]+\.ts:\d+:\d+/.exec(withoutRoot(stack))?.[0];
}

function withoutRoot(text: string): string {
  return text
    .replaceAll(ROOT_URL, '')
    .replaceAll(fileURLToPath(ROOT_URL), '')
    .replaceAll('\\', '/');
}
