/** Runs cases against a client: a server that it connects to, once for each case. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterPatience } from '../kit/patience.ts';
import { CloseCode } from '../protocol.ts';
import { attempt, notTried } from './attempt.ts';
import type { Case, Category } from './case.ts';
import { CLIENT_CATEGORIES } from './cases/index.ts';
import { type CaseResult, Failed, worst } from './model.ts';
import type { Subject } from './report.ts';
import { type ConformanceOptions, PATIENCE } from './run.ts';
import { selectCases } from './select.ts';
import { resetNow } from './socket.ts';
import { History, Visit } from './visit.ts';
import { close, text } from './vocabulary.ts';

/** A client that has been started. */
export interface StartedClient {
  /** Resolves when it has ended, with how that was, such as `with code 1`. */
  readonly ended: Promise<string>;
  /** The end of what it has written to its terminal. Empty: it has written nothing. */
  readonly lastWords: string;
  /** Ends it, and all that it has started. */
  stop(): void;
}

/** What to run, and how. */
export interface ClientConformanceOptions extends Omit<ConformanceOptions, 'untilNotOk'> {
  /** How long a client may take until it connects, for the first time and again. */
  readonly idleMs?: number;
}

/** How long a client may take until it connects: many wait 10 s for one thing or another. */
const IDLE_MS = 12_000;
/** How often it may connect until there is another result. */
const MOST_CONNECTIONS = 50;
/** How long it may take after the last one, in milliseconds. */
const LAST_MS = 1_000;
/** After so many cases in a row that a client let us wait for it in vain, it is of no use. */
const USELESS = 10;

type ClientCase = Case<Visit>;
type ClientCategory = Category<Visit>;

/** Describes a client for the report, by what was typed to name it. */
export function clientOf(typed: string): Subject {
  const mark = typed.includes('"') ? "'" : '"';
  const quoted = /\s/.test(typed) ? mark + typed + mark : typed;
  const wordsFor = (id: string) => `-- --client ${quoted} ${id}`;
  return { name: typed, categories: CLIENT_CATEGORIES, wordsFor };
}

/**
 * Runs cases against a client that `start` starts, with the URL to connect to. It has to be one for
 * Autobahn: it asks `/getCaseCount`, then `/runCase?case=1` and so on, and sends back each message
 * of those. One that ends before the last case, or does not go on, is started again for the others.
 *
 * Returns the results in the order of the cases. Throws `UsageError` for a selection that cannot be
 * used.
 */
export async function runClientConformance(
  start: (url: string) => StartedClient,
  options: ClientConformanceOptions = {},
): Promise<CaseResult[]> {
  const { select = [], full = false } = options;
  const isNamed = (id: string) => select.some((name) => name.toUpperCase() === id);
  const categories = selectCases(select, CLIENT_CATEGORIES).map((category) => ({
    ...category,
    cases: category.cases.filter(({ id, long = false }) => !long || full || isNamed(id)),
  }));
  const host = new Host(categories, options);
  try {
    return await host.run(start);
  } finally {
    host.stop();
  }
}

/** The server that a client connects to. */
class Host {
  readonly #cases: readonly (readonly [ClientCase, ClientCategory])[];
  readonly #options: ClientConformanceOptions;
  readonly #server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    this.#sockets.add(socket.on('close', () => this.#sockets.delete(socket)));
    this.#visits++;
    this.#stopWaiting();
    if (++this.#sinceResult > MOST_CONNECTIONS) this.#onQuiet();
    void this.#receive(socket).finally(() => {
      this.#visits--;
      this.#wait();
    });
  });
  readonly #sockets = new Set<Socket>();
  readonly #history = new History();
  readonly #results = new Map<ClientCase, CaseResult>();
  /** What the client that runs now has been told: its case 1, and so on. */
  #turn: readonly (readonly [ClientCase, ClientCategory])[] = [];
  /** Those of them that have begun. */
  readonly #begun = new Set<ClientCase>();
  /** How many connections are under way. */
  #visits = 0;
  /** How many there have been since there was another result. */
  #sinceResult = 0;
  #last: ClientCase | undefined;
  /** Says whether the client knows that there is more than one case. */
  #isLooping = false;
  #useless = 0;
  #stopWaiting = () => {};
  #onQuiet = () => {};

  constructor(categories: readonly ClientCategory[], options: ClientConformanceOptions) {
    this.#cases = categories.flatMap((category) =>
      category.cases.map((testCase) => [testCase, category] as const),
    );
    this.#options = options;
  }

  /** Starts the client, and again as long as that brings results. */
  async run(start: (url: string) => StartedClient): Promise<CaseResult[]> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const url = `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    for (;;) {
      const before = this.#results.size;
      const trouble = await this.#session(start(url));
      if (this.#results.size === this.#cases.length) break;
      if (this.#useless >= USELESS || this.#results.size === before) this.#giveUp(trouble);
    }
    return this.#cases.flatMap(([testCase]) => this.#results.get(testCase) ?? []);
  }

  stop(): void {
    this.#stopWaiting();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** One life of the client. Returns what ended it. */
  async #session(client: StartedClient): Promise<string> {
    this.#turn = this.#cases.filter(([testCase]) => !this.#results.has(testCase));
    this.#begun.clear();
    this.#sinceResult = 0;
    this.#last = undefined;
    this.#isLooping = false;
    const quiet = new Promise<'quiet'>((resolve) => {
      this.#onQuiet = () => resolve('quiet');
    });
    this.#wait();
    const ended = await Promise.race([quiet, client.ended]);
    client.stop();
    this.#stopWaiting();
    // Its connections end with it.
    while (this.#visits > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    const lastWords = client.lastWords && ` Its last words:\n\n${client.lastWords}`;
    if (ended === 'quiet') {
      if (this.#last) this.#blame(this.#last, 'Then it did not go on.');
      const limits = `${this.#idleMs / 1000} s or ${MOST_CONNECTIONS} connections`;
      return `The client did not come to a case within ${limits}.${lastWords}`;
    }
    if (this.#last && this.#isLooping)
      this.#blame(this.#last, `Then it ended ${ended}.${lastWords}`);
    return `The client ended ${ended}, before it had come to a case.${lastWords}`;
  }

  get #idleMs(): number {
    return this.#options.idleMs ?? IDLE_MS;
  }

  /** Calls it quiet when no connection comes any more; after the last case, earlier. */
  #wait(): void {
    this.#stopWaiting();
    if (this.#visits > 0) return;
    const isDone = this.#results.size === this.#cases.length;
    if (this.#useless >= USELESS) this.#onQuiet();
    else this.#stopWaiting = afterPatience(isDone ? LAST_MS : this.#idleMs, () => this.#onQuiet());
  }

  /** Says of the last case what became of the client after it, unless no other was to come. */
  #blame(testCase: ClientCase, what: string): void {
    const result = this.#results.get(testCase);
    if (!result || this.#results.size === this.#cases.length || this.#useless >= USELESS) return;
    const happened = `${result.happened} ${what}`;
    this.#results.set(testCase, {
      ...result,
      verdict: worst(result.verdict, 'NON-STRICT'),
      happened,
    });
  }

  #giveUp(trouble: string): void {
    const obstacle =
      this.#useless >= USELESS
        ? `The client is of no use: in ${USELESS} cases in a row, we waited for it in vain.`
        : trouble;
    for (const [testCase] of this.#turn) {
      if (!this.#results.has(testCase)) this.#add(testCase, notTried(testCase, obstacle));
    }
  }

  #add(testCase: ClientCase, result: CaseResult): void {
    if (!this.#results.has(testCase)) this.#sinceResult = 0;
    this.#results.set(testCase, result);
    this.#options.onResult?.(result, this.#results.size, this.#cases.length);
  }

  /** Does what a connection asks for. */
  async #receive(socket: Socket): Promise<void> {
    const { patience = PATIENCE, full } = this.#options;
    const visit = new Visit(socket, patience, this.#history, full);
    const target = await visit.arrive();
    if (target === undefined) {
      visit.leave();
      return resetNow(socket);
    }
    const { path, query } = splitTarget(target);
    const number = Number(query.get('case') ?? Number.NaN);
    const about = this.#turn[number - 1];
    switch (path) {
      case '/getCaseCount':
        this.#isLooping = true;
        return say(visit, `${this.#turn.length}`);
      case '/getCaseInfo':
        return say(
          visit,
          about && JSON.stringify({ id: about[0].id, description: about[0].title }),
        );
      case '/getCaseStatus':
        return say(visit, about && JSON.stringify({ behavior: this.#verdictOf(about[0]) }));
      case '/updateReports':
      case '/elsewhere':
        return say(visit);
      default:
        return this.#play(
          visit,
          about ?? this.#turn.find(([testCase]) => !this.#begun.has(testCase)),
        );
    }
  }

  #verdictOf(testCase: ClientCase): string {
    return this.#results.get(testCase)?.verdict ?? 'UNIMPLEMENTED';
  }

  async #play(visit: Visit, entry: readonly [ClientCase, ClientCategory] | undefined) {
    if (!entry) return say(visit);
    const [testCase, { patience: factor = 1 }] = entry;
    this.#begun.add(testCase);
    visit.patience = { ...visit.patience, answerMs: visit.patience.answerMs * factor };
    const { result } = await attempt(testCase, visit);
    this.#last = testCase;
    this.#useless = result.verdict === 'FAILED' && result.ending === 'open' ? this.#useless + 1 : 0;
    this.#add(testCase, result);
  }
}

/** Takes the target of a request apart, which is a path or a whole URL. RFC 9112 §3.2 */
function splitTarget(target: string): { path: string; query: URLSearchParams } {
  const [, path = '', query] = /^(?:https?:\/\/[^/?]*)?([^?]*)(?:\?(.*))?$/.exec(target) ?? [];
  return { path, query: new URLSearchParams(query) };
}

/** Opens a WebSocket, says this, and closes it. What comes of that is nobody's verdict. */
async function say(visit: Visit, message?: string): Promise<void> {
  try {
    const endpoint = await visit.open();
    const said = message === undefined ? [] : [text(message)];
    await endpoint.send([...said, close(CloseCode.NormalClosure)]);
    while ((await endpoint.next()).type in { text: 0, binary: 0, pong: 0 });
    await endpoint.untilEnd();
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
  } finally {
    visit.leave();
  }
}
