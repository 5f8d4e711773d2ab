/** What the scenarios of coming back are written with: a server that goes away, and a clock to turn. */
import { attempt, CheckFailure, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { OpeningError } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type {
  ClientConnection,
  ClientEvent,
  ClientHandler,
  Reconnecting,
  Timing,
} from '../../../solutions/06-client/client.ts';
import type { Lesson } from './tools.ts';

/** How far the clock is turned to see that nothing more happens, in milliseconds. */
const FOR_EVER_MS = 10 * 3_600_000;

/** A timer of Node fires at once when it is told to wait longer than this, or for less than 1 ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is to happen, and when. */
interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock that is turned by hand, timers like those of Node, and random numbers as they are told. As
 * with those of `SYSTEM_TIMING`, its functions need no `this`.
 */
export class FakeTiming implements Timing {
  readonly random: () => number;
  readonly now = () => this.#now;
  readonly after = (ms: number, callback: () => void) => this.#set(ms, callback);
  #timers: Timer[] = [];
  #now = 1_000_000;

  constructor(random: () => number) {
    this.random = random;
  }

  #set(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + (ms >= 1 && ms <= MAX_TIMER_MS ? ms : 1), callback };
    const place = this.#timers.findIndex(({ at }) => at > timer.at);
    this.#timers.splice(place === -1 ? this.#timers.length : place, 0, timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Turns the clock to a time, over all timers up to then, or until something `holds`. */
  turnTo(time: number, holds = () => false): void {
    while (!holds()) {
      const [next] = this.#timers;
      if (!next || next.at > time) break;
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    if (!holds()) this.#now = Math.max(this.#now, time);
  }
}

/** What `open` returns: of a connection, only what comes of being told something. */
class FakeConnection {
  readonly handle: ClientHandler;
  /** What `close` was called with. */
  readonly closes: unknown[][] = [];
  state = 'CONNECTING';

  constructor(handle: ClientHandler) {
    this.handle = handle;
  }

  close(...args: unknown[]): void {
    this.closes.push(args);
  }
}

/** The end of a connection. */
export function closeEvent(code: number): Extract<ClientEvent, { type: 'close' }> {
  return { type: 'close', code, reason: '', wasClean: code !== 1006 };
}

/** The refusal of a request by a server. */
export function refusal(status: number, retryAfter?: string): OpeningError {
  const headers = new Map(retryAfter === undefined ? [] : [['retry-after', [retryAfter]]]);
  return new OpeningError('4.1', `The server says ${status}, and not 101.`, { status, headers });
}

const ERROR = new Error('The connection was lost.');

function sayEvent(event: ClientEvent): string {
  if (event.type === 'close') return `event close ${event.code}`;
  if (event.type !== 'error') return `event ${event.type}`;
  if (!(event.error instanceof OpeningError)) return 'event error';
  const [retryAfter] = event.error.headers.get('retry-after') ?? [];
  const header = retryAfter === undefined ? '' : `, Retry-After: ${retryAfter}`;
  return `event error: status ${event.error.status}${header}`;
}

/** A client that comes back, its connections, and all that has happened. */
export class Visitor {
  readonly timing: FakeTiming;
  readonly connections: FakeConnection[] = [];
  /** The types of events that the application was told, each with the number of its connection. */
  readonly told: string[] = [];
  readonly reconnecting: Reconnecting;
  /** What happened, and when. Written down only for a failure. */
  readonly #story: (readonly [at: number, say: () => string])[] = [];
  readonly #share: number | undefined;
  readonly #start: number;

  /**
   * `share` is what each random number is, unless `random` makes them. `react` is what the
   * application does at an event.
   */
  constructor(
    { Reconnecting }: Lesson,
    {
      share = 0.5,
      random,
      react = () => {},
    }: {
      readonly share?: number;
      readonly random?: () => number;
      readonly react?: (event: ClientEvent, visitor: Visitor) => void;
    } = {},
  ) {
    this.timing = new FakeTiming(random ?? (() => share));
    this.#share = random ? undefined : share;
    this.#start = this.timing.now();
    const open = (handle: ClientHandler) => {
      const connection = new FakeConnection(handle);
      this.connections.push(connection);
      const number = this.connections.length;
      this.#note(() => `open is called: connection ${number}`);
      return connection as unknown as ClientConnection;
    };
    const handle: ClientHandler = (connection, event) => {
      const number = this.connections.indexOf(connection as unknown as FakeConnection) + 1;
      this.told.push(`${number} ${event.type}`);
      react(event, this);
    };
    this.reconnecting = attempt(
      () => new Reconnecting(open, handle, this.timing),
      'A `Reconnecting` is made.',
      [['call', 'new Reconnecting(open, handle, timing)']],
    );
  }

  #note(say: () => string): void {
    this.#story.push([this.timing.now() - this.#start, say]);
  }

  /** The last connection that was made. */
  get last(): FakeConnection {
    const last = this.connections.at(-1);
    if (last) return last;
    return fail('The first connection is made at once.', [
      ['call', 'new Reconnecting(open, handle, timing)'],
      ['calls of open', '0'],
      ['expected', '1'],
    ]);
  }

  /** A connection tells its handler something. By default, it is the last one. */
  tells(events: readonly ClientEvent[], from: FakeConnection = this.last): void {
    const number = this.connections.indexOf(from) + 1;
    for (const event of events) {
      if (event.type === 'open') from.state = 'OPEN';
      if (event.type === 'close') from.state = 'CLOSED';
      this.#note(() => `connection ${number}: ${sayEvent(event)}`);
      from.handle(from as unknown as ClientConnection, event);
    }
  }

  /** The server agrees. */
  opens(): void {
    this.tells([{ type: 'open', protocol: undefined }]);
  }

  /** The connection is lost. */
  isLost(): void {
    this.tells([{ type: 'error', error: ERROR }, closeEvent(1006)]);
  }

  /** The server refuses. */
  isRefused(status: number, retryAfter?: string): void {
    this.tells([{ type: 'error', error: refusal(status, retryAfter) }, closeEvent(1006)]);
  }

  /** The application closes it. */
  closes(...args: [code?: number, reason?: string]): void {
    this.#note(() => `close(${args.map(show).join(', ')}) is called`);
    this.reconnecting.close(...args);
  }

  /** Time goes by. */
  waits(ms: number): void {
    this.timing.turnTo(this.timing.now() + ms);
  }

  /** Turns the clock until there is another connection. Returns the milliseconds; `Infinity`: never. */
  comesBackAfter(): number {
    const { length } = this.connections;
    const from = this.timing.now();
    this.timing.turnTo(from + FOR_EVER_MS, () => this.connections.length > length);
    return this.connections.length > length ? this.timing.now() - from : Number.POSITIVE_INFINITY;
  }

  /** What has happened so far, or up to some length of the story. */
  facts(length = this.#story.length): Fact[] {
    const random: Fact[] = this.#share === undefined ? [] : [['each random()', `${this.#share}`]];
    const lines = this.#story
      .slice(Math.max(0, length - 16), length)
      .map(([at, say]) => `${Math.round(at)} ms  ${say()}`);
    if (length > 16) lines.unshift('…');
    return [...random, ['what happened', lines.join('\n')]];
  }

  /** Checks after how long there is another connection, give or take a millisecond. */
  expectReturn(ms: number, what: string, cause?: (after: number) => string | undefined): void {
    const { length } = this.#story;
    const made = this.connections.length;
    const after = this.comesBackAfter();
    if (after === ms || Math.abs(after - ms) <= 1) {
      const wanted = ms === Number.POSITIVE_INFINITY ? 0 : 1;
      equal(() => this.connections.length - made, wanted, 'One end makes one connection.', {
        given: this.facts(),
        label: 'then calls of open',
      });
      return;
    }
    throw new CheckFailure(
      what,
      [...this.facts(length), ['then open is called', sayAfter(after)], ['expected', sayAfter(ms)]],
      cause?.(after),
    );
  }

  /** Checks that there is no other connection, ever, and that no timer is left. */
  expectNoReturn(what: string, cause?: string): void {
    this.expectReturn(Number.POSITIVE_INFINITY, what, () => cause);
    equal(() => this.timing.pending, 0, what, { given: this.facts(), label: 'timers left' });
  }
}

function sayAfter(ms: number): string {
  return ms === Number.POSITIVE_INFINITY
    ? 'never'
    : `after ${count(Math.round(ms), 'millisecond')}`;
}
