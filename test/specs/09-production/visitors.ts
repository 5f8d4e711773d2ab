/** Clients that come to a gate: each is a socket whose other end is the scenario. */
import type { IncomingMessage } from 'node:http';
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient, join } from '../../../shared/kit/frames.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { Timers } from '../../../shared/kit/timers.ts';
import type { ConnectionEvent } from '../../../solutions/05-server/server.ts';
import type * as Production from '../../../solutions/09-production/production.ts';
import { Close, nameOf, spokenIn, Text } from '../05-server/core.ts';
import { Line, PATIENT, turns, writtenTo } from '../05-server/sockets.ts';
import type { Lesson } from './tools.ts';

/** So many that nobody comes to the end of it. */
const PLENTY = { burst: 1e9, perSecond: 1e9 };

/** Limits that no scenario reaches, unless it sets them. */
export const OPEN = {
  ...PATIENT,
  socketsPerAddress: 1e6,
  socketsPerUser: 1e6,
  requests: PLENTY,
  messages: PLENTY,
  bytes: PLENTY,
  loginTimeoutMs: 600_000,
};

/** So seldom that a busy machine makes no difference. */
export const SELDOM = 0.001;

/** So often, and then not for a quarter of an hour. */
export const times = (burst: number) => ({ burst, perSecond: SELDOM });

/** Knows everybody by the name in their credential. */
export const everybody: Production.Authenticate = async ({ value }) => ({ user: value });

/** Counts who is looked up, and answers whoever still waits when it is over: none does for ever. */
export function untilOver(authenticate: Production.Authenticate): {
  readonly authenticate: Production.Authenticate;
  readonly calls: () => number;
  readonly end: () => void;
} {
  let calls = 0;
  let end = () => {};
  const over = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
  });
  return {
    authenticate: (credential) => {
      calls++;
      return Promise.race([authenticate(credential), over]);
    },
    calls: () => calls,
    end: () => end(),
  };
}

/** What a client asks for, where that matters. */
export interface Asking {
  readonly target?: string;
  /** Lines of the head in addition, or in the place of the usual ones. */
  readonly lines?: readonly (readonly [name: string, value: string])[];
  /** A line that is missing. */
  readonly without?: string;
  readonly version?: string;
  readonly address?: string;
  /** What has been read behind the request. */
  readonly head?: Uint8Array;
}

const HANDSHAKE: readonly (readonly [string, string])[] = [
  ['Host', 'server.example.com'],
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
  ['Sec-WebSocket-Version', '13'],
];

/** A request as `node:http` hands it out. */
function incoming(socket: Line, asking: Asking): IncomingMessage {
  const { target = '/?ticket=anna', lines = [], without, version = '1.1' } = asking;
  const usual = HANDSHAKE.filter(
    ([name]) => name !== without && !lines.some(([other]) => other === name),
  );
  const all = [...usual, ...lines];
  const headersDistinct: Record<string, string[]> = {};
  for (const [name, value] of all) {
    const values = headersDistinct[name.toLowerCase()] ?? [];
    headersDistinct[name.toLowerCase()] = [...values, value];
  }
  const headers = Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values]) => [name, values.join(', ')]),
  );
  const rawHeaders = all.flat();
  const request = { method: 'GET', url: target, httpVersion: version, headers, headersDistinct };
  return { ...request, rawHeaders, socket } as unknown as IncomingMessage;
}

/** Why a refused client may not be let go. */
export const LET_GO =
  'Whatever the refusal is for, also when a login was looked up for too long: `end` the socket with it, and read on until the client has ended its side, too.';

/** The other end of a socket that has come to a gate. */
export class Visitor {
  readonly line: Line;
  readonly #what: string;
  readonly #calls: (() => number) | undefined;

  /** Comes, from an address of its own if none is given. `calls`: how often somebody was looked up. */
  constructor(
    gate: Pick<Production.Gate, 'upgrade'>,
    asking: Asking = {},
    calls: (() => number) | undefined = undefined,
  ) {
    this.#calls = calls;
    const { target = '/?ticket=anna', lines = [], address = '192.0.2.1', head } = asking;
    this.line = Object.assign(new Line(), { remoteAddress: address });
    this.#what = [`GET ${target}`, ...lines.map((line) => line.join(': '))].join(', ');
    const request = incoming(this.line, asking);
    const upgrade = () => gate.upgrade(request, this.line, head ?? new Uint8Array(0));
    // What it rejects with is looked at in one scenario.
    Promise.resolve(attempt(upgrade, 'Let a client come.', this.facts)).catch(() => {});
  }

  /** What it has asked for, and from where. */
  get facts(): Fact[] {
    const { remoteAddress } = this.line as Line & { remoteAddress: string };
    return [['the request', `${this.#what}, from ${remoteAddress}`]];
  }

  /** The head of the response. Empty: there is none yet. */
  get response(): string {
    const text = Buffer.from(this.line.written).toString('latin1');
    return text.slice(0, text.indexOf('\r\n\r\n') + 2);
  }

  /** Its status. Empty: there is none yet. */
  get status(): string {
    return this.response.slice(9, 12);
  }

  /** The value of a header of the response. */
  header(name: string): string | undefined {
    return new RegExp(`^${name}: *(.*?)\r$`, 'im').exec(this.response)?.[1];
  }

  /** What it has been sent behind the response. */
  get heard() {
    return this.status === '101' ? spokenIn(writtenTo(this.line)) : [];
  }

  /** The texts among them. */
  get texts(): string[] {
    return this.heard
      .filter(({ opcode }) => opcode === Text)
      .map(({ payload }) => Buffer.from(payload).toString());
  }

  /** The code of the Close that it has been sent, as text. */
  get closedWith(): string {
    const close = this.heard.find(({ opcode }) => opcode === Close);
    return close ? nameOf(close) : 'nothing';
  }

  /** Sends bytes. */
  send(...bytes: readonly Uint8Array[]): void {
    this.line.push(join(...bytes));
  }

  /** Sends texts, together. */
  say(...texts: readonly string[]): void {
    this.send(...texts.map((text) => fromClient(Text, text)));
  }

  /** Ends its side of TCP. */
  leave(): void {
    this.line.push(null);
  }

  /** Resets TCP. */
  reset(): void {
    this.line.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }

  /** Waits for a response, and checks its status. */
  async gets(status: string, what: string, cause?: string, given: readonly Fact[] = []) {
    const facts = [...given, ...this.facts];
    // A gate that waits for an answer looks as if it hung.
    const calls = (): Fact[] =>
      this.#calls ? [['calls of `authenticate`', `${this.#calls()}, for all who have come`]] : [];
    await until(
      () => this.status !== '' || this.line.destroyed,
      what,
      () => [...facts, ...calls(), ['came back', 'nothing'], ['expected', `the status ${status}`]],
      cause,
    );
    equal(() => this.status || 'none: the socket is gone', status, what, {
      given: facts,
      label: 'status',
      inWords: true,
      cause: () => cause,
    });
  }

  /** Waits until its socket is closed. */
  async isGone(what: string, cause?: string): Promise<void> {
    const state = () => (this.line.destroyed ? 'destroyed' : 'open');
    await until(
      () => this.line.closed,
      what,
      () => [...this.facts, ['the socket', state()]],
      cause,
    );
  }
}

/** What a gate has told its application. */
export interface Heard {
  readonly connection: Production.Peer;
  readonly event: ConnectionEvent;
  readonly login: Production.Login | undefined;
}

/** A gate that remembers what it tells, and whoever has come to it. */
export class Entrance {
  readonly gate: Production.Gate;
  readonly heard: Heard[] = [];
  readonly #visitors: Visitor[] = [];
  readonly #calls: () => number;
  readonly #over: () => void;

  constructor(
    lesson: Lesson,
    options: Partial<Production.GateOptions> = {},
    react: Production.UserHandler = () => {},
  ) {
    const handle: Production.UserHandler = (connection, event, login) => {
      this.heard.push({ connection, event, login });
      react(connection, event, login);
    };
    const { authenticate, calls, end } = untilOver(options.authenticate ?? everybody);
    this.#calls = calls;
    this.#over = end;
    const make = () => new lesson.Gate(handle, { ...OPEN, ...options, authenticate });
    this.gate = attempt(make, 'Make a gate.');
  }

  /** Lets somebody come. */
  come(asking: Asking = {}): Visitor {
    const visitor = new Visitor(this.gate, asking, this.#calls);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Lets somebody come in. */
  async open(asking: Asking = {}): Promise<Visitor> {
    const visitor = this.come(asking);
    await visitor.gets('101', 'Who shows who they are comes in.');
    return visitor;
  }

  /** Events of one type. */
  events(type: ConnectionEvent['type']): readonly Heard[] {
    return this.heard.filter(({ event }) => event.type === type);
  }

  /** The texts that the application has heard. */
  get texts(): string[] {
    return this.heard.flatMap(({ event }) => (event.type === 'text' ? [event.data] : []));
  }

  /** Ends all that is there. */
  async end(): Promise<void> {
    for (const { line } of this.#visitors) line.destroy();
    await turns(1);
    this.#over();
    await turns(1);
  }
}

/** Runs a check with a gate, and ends everything afterwards. */
export async function atGate(
  lesson: Lesson,
  options: Partial<Production.GateOptions>,
  check: (entrance: Entrance) => Promise<void>,
  react?: Production.UserHandler,
): Promise<void> {
  const entrance = new Entrance(lesson, options, react);
  try {
    await check(entrance);
  } finally {
    await entrance.end();
  }
}

/** Checks that what code has started sets no timers again and again while nothing happens. */
export async function expectIdle(
  start: () => Promise<unknown>,
  what: string,
  given: readonly Fact[],
): Promise<void> {
  const timers = new Timers();
  await timers.run(start);
  const before = timers.started;
  for (let i = 0; i < 20; i++) await giveWay(1);
  const set = timers.started - before;
  timers.stop();
  if (set < 5) return;
  fail(
    what,
    [...given, ['timers set in 20 ms', `${set}`], ['expected', 'one at most']],
    'A timer of Node for more than 2³¹ − 1 ms, for `Infinity` or for `NaN` fires at once, again and again.',
  );
}

/** A desk where whoever asks waits for an answer of the scenario. */
export class Desk {
  readonly asked: Production.Credential[] = [];
  readonly #answers: {
    readonly resolve: (login: Production.Login | undefined) => void;
    readonly reject: (error: Error) => void;
  }[] = [];

  readonly authenticate: Production.Authenticate = (credential) => {
    this.asked.push(credential);
    return new Promise((resolve, reject) => {
      this.#answers.push({ resolve, reject });
    });
  };

  /** Waits until so many have been asked for. */
  async hasAsked(count: number, what: string): Promise<void> {
    await until(
      () => this.asked.length >= count,
      what,
      () => [
        ['`authenticate` was called', `${this.asked.length} times`],
        ['expected', `${count} times`],
      ],
    );
  }

  /** Answers the one that came as number `index`. */
  answer(index: number, login: Production.Login | undefined): void {
    this.#answers[index]?.resolve(login);
  }

  /** Fails for the one that came as number `index`. */
  fail(index: number): void {
    this.#answers[index]?.reject(new Error('The database is away.'));
  }
}
