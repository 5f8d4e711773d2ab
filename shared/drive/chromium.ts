/** A Chromium: where it is, and how it is started so that it can be driven. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Debuggee } from './debuggee.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/**
 * Where a browser has its files. The path of its socket can have 103 bytes on every system, and
 * 46 are its own.
 */
export const BROWSER_FOLDER = tmpdir().length > 57 ? '/tmp' : tmpdir();

/** Without a window, without a look at the network, and with a debugger at a free port. */
export const BROWSER_FLAGS: readonly string[] = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
];

/** Where Chrome is on systems that do not put it on the `PATH`. */
const ELSEWHERE = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Finds a Chromium: `CHROME_PATH`, or one that is installed. `undefined`: there is none. */
export function findBrowser(): string | undefined {
  const { CHROME_PATH, PATH = '' } = process.env;
  if (CHROME_PATH) return CHROME_PATH;
  const onPath = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...onPath, ...ELSEWHERE].find((path) => existsSync(path));
}

/** A Chromium with a profile of its own, and a tab. */
export class Chromium {
  readonly #debuggee: Debuggee;
  readonly #forget: () => void;

  private constructor(debuggee: Debuggee, forget: () => void) {
    this.#debuggee = debuggee;
    this.#forget = forget;
  }

  /** Starts the Chromium at a path. Rejects when it does not come up. */
  static async start(path: string): Promise<Chromium> {
    const profile = mkdtempSync(join(BROWSER_FOLDER, 'websocket-101-drive-'));
    const remove = () => {
      // What it has just been writing may still come.
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    };
    process.once('exit', remove);
    const forget = () => {
      process.off('exit', remove);
      remove();
    };
    try {
      const args = [...BROWSER_FLAGS, `--user-data-dir=${profile}`, 'about:blank'];
      return new Chromium(await Debuggee.start(path, args), forget);
    } catch (error) {
      forget();
      throw error;
    }
  }

  /** Opens a page in a tab. Returns where the debugger of that tab is. */
  async open(url: string): Promise<string> {
    const { host } = new URL(this.#debuggee.url);
    const response = await fetch(`http://${host}/json/new?${encodeURI(url)}`, { method: 'PUT' });
    const { webSocketDebuggerUrl } = (await response.json()) as { webSocketDebuggerUrl: string };
    return webSocketDebuggerUrl;
  }

  /** Ends the browser, and removes its profile. */
  async end(): Promise<void> {
    await this.#debuggee.end();
    this.#forget();
  }
}
