import { CTRL_C, keysOf } from './keys.ts';

const ENTER = '\u001b[?1049h\u001b[?25l'; // a screen of our own, no cursor
const LEAVE = '\u001b[?25h\u001b[?1049l';

/** A screen to draw on, and keys. */
export interface Terminal {
  readonly rows: number;
  /** Takes over: `press` gets each key, `resized` is called when the size has changed. */
  open(press: (key: string) => void, resized: () => void): void;
  /** Draws a screenful of lines. */
  draw(lines: readonly string[]): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

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
    const quit = () => press(CTRL_C);
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
