// @ts-check
/**
 * Ends a program whose output cannot be written, without a trace. What it would have said is not
 * said, so it has failed, unless it has set another exit code. Vitest loads it as well.
 */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (/** @type {NodeJS.ErrnoException} */ { code, message }) => {
    // Nobody reads on: `head` has read enough, or the terminal is gone. To complain would fail too.
    if (code !== 'EPIPE') {
      const why = code === 'ENOSPC' ? 'the disk is full' : message;
      console.error(`✗ The output cannot be written: ${why}.`);
    }
    process.exit(process.exitCode ?? 1);
  });
}
