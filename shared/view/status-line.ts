/** Says what is going on, on a line that the next one replaces. Empty: clears it. Only at a terminal. */
export function statusLine(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`);
}
