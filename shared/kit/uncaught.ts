/** Errors that code throws where nobody catches them, as in a task of its own. */
import process from 'node:process';

/** The errors that checks expect there, and whether they have come. */
const expected = new Map<unknown, boolean>();

const present: NodeJS.EventEmitter = process;

function capture(error: Error): void {
  if (expected.has(error)) expected.set(error, true);
  // Any other goes where it would have gone.
  else present.emit('uncaughtException', error, 'uncaughtException');
}

/** Runs a check, which can ask whether each of these errors has been thrown there. */
export async function withUncaught(
  errors: readonly Error[],
  check: (isThrown: (error: Error) => boolean) => Promise<void>,
): Promise<void> {
  if (expected.size === 0) process.setUncaughtExceptionCaptureCallback(capture);
  for (const error of errors) expected.set(error, false);
  try {
    await check((error) => expected.get(error) === true);
  } finally {
    for (const error of errors) expected.delete(error);
    if (expected.size === 0) process.setUncaughtExceptionCaptureCallback(null);
  }
}
