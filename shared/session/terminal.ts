import { Keyboard, MARK_PASTES } from './keys.ts';

// A screen of our own, without a cursor.
const ENTER = `\u001b[?1049h\u001b[?25l${MARK_PASTES.on}`;
const LEAVE = `${MARK_PASTES.off}\u001b[?25h\u001b[?1049l`;

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
    const keyboard = new Keyboard();
    const onData = (data: Buffer) => {
      for (const key of keyboard.read(data.toString())) press(key);
    };
    const restore = () => stdout.write(LEAVE);
    stdout.write(ENTER);
    stdin.setRawMode(true);
    stdin.resume().on('data', onData);
    stdout.on('resize', resized);
    process.on('exit', restore);
    this.#close = () => {
      stdin.off('data', onData).setRawMode(false);
      stdin.pause();
      stdout.off('resize', resized);
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
