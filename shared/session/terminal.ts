import type { Terminal } from './session.ts';

const ENTER = '\u001b[?1049h\u001b[?25l'; // a screen of our own, no cursor
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** The terminal that this process was started in. It is given back however the process ends. */
export class RealTerminal implements Terminal {
  #close = () => {};

  get rows(): number {
    return process.stdout.rows || 24;
  }

  open(press: (key: string) => void, resized: () => void): void {
    const { stdin, stdout } = process;
    const onData = (data: Buffer) => {
      for (const key of keysOf(data.toString())) press(key);
    };
    const quit = () => press('\u0003');
    const restore = () => stdout.write(LEAVE);
    stdout.write(ENTER);
    stdin.setRawMode(true);
    stdin.resume().on('data', onData);
    stdout.on('resize', resized);
    process.on('SIGTERM', quit).on('SIGHUP', quit).on('SIGINT', quit);
    process.on('exit', restore);
    this.#close = () => {
      stdin.off('data', onData).setRawMode(false);
      stdin.pause();
      stdout.off('resize', resized);
      process.off('SIGTERM', quit).off('SIGHUP', quit).off('SIGINT', quit);
      process.off('exit', restore);
      restore();
    };
  }

  draw(lines: readonly string[]): void {
    process.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\r\n')}\u001b[J`);
  }

  close(): void {
    this.#close();
    this.#close = () => {};
  }
}

/** Takes what was typed apart: an arrow is three characters and one key. */
function keysOf(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keys are control characters.
  return text.match(/\u001b\[[0-9;]*[A-Za-z~]|[\s\S]/g) ?? [];
}
