/** A connection on a line, for what can only be seen there. */
import type { Handler } from '../../../solutions/05-server/server.ts';
import { onLine } from '../05-server/sockets.ts';
import type { Lesson } from './tools.ts';

const echo: Handler = (connection, event) => {
  if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
};

/** Attaches a connection to a new line. By default, its application echoes. */
export function attached(lesson: Lesson, handle = echo) {
  const { attach, EARLIER } = lesson;
  return onLine({ ...EARLIER.server, attach: attach as typeof EARLIER.server.attach }, handle);
}
