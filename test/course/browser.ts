/** A real Chromium without a window, driven over its DevTools protocol. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { BROWSER_FLAGS, BROWSER_FOLDER } from '../../shared/drive/chromium.ts';
import { withTimeout } from '../../shared/kit/patience.ts';

/** How long anything may take before we say that it hangs. */
const HANG_MS = 30_000;

/** How long a browser may take to end before it is killed. */
const END_MS = 5_000;

type Params = Record<string, unknown>;

/** What the browser says: the answer to a command, or an event of a page. */
interface Said {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Params;
  readonly result?: Params;
  readonly error?: { readonly message: string };
}

/** A browser of our own, with a profile of its own. */
export class Browser {
  readonly #process: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (said: Said) => void>();
  readonly #pages = new Map<string, Page>();
  /** Tabs that nobody looks at. To open one takes as long as most of what is done there. */
  readonly #idle: Page[] = [];
  #lastId = 0;

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.on('message', (data) => this.#hear(JSON.parse(String(data)) as Said));
    socket.on('close', () => {
      for (const answer of this.#waiting.values()) answer({ error: { message: 'no browser' } });
    });
  }

  /** Starts the browser at `path`. */
  static async start(path: string): Promise<Browser> {
    const profile = mkdtempSync(join(BROWSER_FOLDER, 'websocket-101-browser-'));
    const child = spawn(path, [...BROWSER_FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
      env: { ...process.env, TMPDIR: BROWSER_FOLDER },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      const socket = new WebSocket(await orHang('Starting the browser', address(child)));
      await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
      return new Browser(child, profile, socket);
    } catch (error) {
      await end(child, profile);
      throw error;
    }
  }

  /** Sends a command, to a page if `sessionId` names one. Rejects with what it complains about. */
  send(method: string, params: Params = {}, sessionId?: string): Promise<Params> {
    const id = ++this.#lastId;
    const answer = new Promise<Params>((resolve, reject) => {
      this.#waiting.set(id, ({ error, result = {} }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
    });
    this.#socket.send(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }));
    return orHang(method, answer);
  }

  #hear(said: Said): void {
    if (said.id === undefined) {
      this.#pages.get(said.sessionId ?? '')?.hear(said.method ?? '', said.params ?? {});
      return;
    }
    this.#waiting.get(said.id)?.(said);
    this.#waiting.delete(said.id);
  }

  /** Opens a page in a tab. What goes wrong in it is in its `complaints`. */
  async open(url: string): Promise<Page> {
    const page = this.#idle.pop() ?? (await this.#openTab());
    page.complaints.splice(0);
    await page.load(url);
    return page;
  }

  /** Leaves a page, with its connections, and lends its tab to the next one. */
  async leave(page: Page): Promise<void> {
    await page.send('Emulation.clearDeviceMetricsOverride');
    await page.send('Emulation.setEmulatedMedia', { features: [] });
    await page.load('about:blank');
    this.#idle.push(page);
  }

  async #openTab(): Promise<Page> {
    const { targetId } = await this.send('Target.createTarget', { url: 'about:blank' });
    const attached = await this.send('Target.attachToTarget', { targetId, flatten: true });
    const sessionId = attached.sessionId as string;
    const page = new Page((method, params) => this.send(method, params, sessionId));
    this.#pages.set(sessionId, page);
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await page.send(`${domain}.enable`);
    return page;
  }

  /** Ends the browser, and removes its profile. */
  async close(): Promise<void> {
    // Asked, it ends all its processes. It need not find the time to answer.
    this.send('Browser.close').catch(() => {});
    await end(this.#process, this.#profile, END_MS);
  }
}

/** A tab. */
export class Page {
  /** Errors and warnings of the console, exceptions, and what the content policy has blocked. */
  readonly complaints: string[] = [];
  readonly send: (method: string, params?: Params) => Promise<Params>;
  readonly #events = new Map<string, () => void>();

  constructor(send: Page['send']) {
    this.send = send;
  }

  /** Takes in an event. */
  hear(method: string, params: Params): void {
    this.#events.get(method)?.();
    if (method === 'Runtime.exceptionThrown') this.complaints.push(JSON.stringify(params));
    const { level } = (params.entry ?? {}) as { level?: string };
    const isBad = ['error', 'warning', 'assert'].includes(level ?? String(params.type));
    const isConsole = method === 'Log.entryAdded' || method === 'Runtime.consoleAPICalled';
    if (isConsole && isBad) this.complaints.push(JSON.stringify(params.entry ?? params.args));
  }

  /** Loads a URL, and waits for its scripts. */
  async load(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => {
      this.#events.set('Page.loadEventFired', resolve);
    });
    await this.send('Page.navigate', { url });
    await orHang(`Loading ${url}`, loaded);
  }

  /**
   * Evaluates an expression, as the console does, and waits for it when it is a promise. Throws
   * what it throws.
   */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      replMode: true,
      userGesture: true,
    });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value;
  }

  /** Waits until an expression is true, and returns what it is then. */
  async until<T>(expression: string): Promise<T> {
    const started = Date.now();
    for (;;) {
      const value = await this.evaluate<T>(expression);
      if (value) return value;
      if (Date.now() - started > HANG_MS) {
        const text = await this.evaluate<string>('document.body.innerText');
        throw new Error(`Never came true: ${expression}\nThe page says:\n${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Clicks where the element is, as a mouse does. */
  async click(selector: string): Promise<void> {
    const [x, y] = await this.evaluate<[number, number]>(`{
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: 'center' });
      const { left, top, width, height } = element.getBoundingClientRect();
      [left + width / 2, top + height / 2];
    }`);
    const at = { x, y, button: 'left', clickCount: 1 };
    await this.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...at });
    await this.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...at });
  }

  /** Puts text in the place of what a field has, as typing does. */
  async type(selector: string, text: string): Promise<void> {
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).select()`);
    await this.evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`);
    if (text === '') await this.press('Delete');
    else await this.send('Input.insertText', { text });
  }

  /** Presses a key, such as `Tab` or `Enter`. */
  async press(key: 'Tab' | 'Enter' | 'Delete'): Promise<void> {
    const code = { Tab: 9, Enter: 13, Delete: 46 }[key];
    const common = { key, code: key, windowsVirtualKeyCode: code };
    const text = key === 'Enter' ? '\r' : undefined;
    await this.send('Input.dispatchKeyEvent', {
      type: 'keyDown',
      ...common,
      ...(text && { text }),
    });
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', ...common });
  }

  /** Shows the page as it is on a screen of this size, in CSS pixels. */
  async resize(width: number, height: number): Promise<void> {
    const mobile = width < 600;
    const metrics = { width, height, deviceScaleFactor: 1, mobile };
    await this.send('Emulation.setDeviceMetricsOverride', metrics);
  }

  /** Shows the page to somebody who prefers light or dark colours. */
  async prefer(scheme: 'light' | 'dark'): Promise<void> {
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await this.send('Emulation.setEmulatedMedia', { features });
  }

  /** Takes a picture of what is seen, as PNG. */
  async picture(): Promise<Buffer> {
    await this.send('Page.bringToFront');
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' });
    return Buffer.from(data as string, 'base64');
  }
}

/** Reads where a browser that is starting listens. */
function address(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The browser ended with ${code}: ${said}`)));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4096);
      const url = /^DevTools listening on (ws:\S+)/m.exec(said)?.[1];
      if (url) resolve(url);
    });
  });
}

/** Waits for a browser to end, but not for ever, and removes its profile. */
async function end(child: ChildProcess, profile: string, patienceMs = 0): Promise<void> {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await new Promise((resolve) => child.once('exit', resolve));
    clearTimeout(timer);
  }
  rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** Waits for something, and rejects when it seems to hang. */
function orHang<T>(what: string, promise: Promise<T>): Promise<T> {
  return withTimeout(promise, HANG_MS, () => {
    throw new Error(`${what} hangs.`);
  });
}
