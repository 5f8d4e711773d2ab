/**
 * Clients that mean harm, at the chat of lesson 09: others are served meanwhile, and when it is over,
 * no socket of it is left, and no memory. `STRESS=1` makes it ten times as much, and prints the
 * figures.
 */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { endChild, forkChild } from '../../shared/process/children.ts';
import {
  GATE_LIMITS,
  MAX_UNACKED,
  type ServerFrame,
} from '../../solutions/09-production/production.ts';
import type { Standing } from './attacked-server.ts';
import type { Outcome } from './attacker.ts';

const SCALE = process.env.STRESS ? 10 : 1;
/** How long a client can take for its head, for the handshake of TLS, and to leave. In milliseconds. */
const TIMEOUT_MS = 500 * SCALE;
/** For how long others are watched before. In milliseconds. */
const WATCHED_MS = 500 * SCALE;
/** Against hanging, on a busy machine too. */
const GUARD_MS = 120_000;
/** Far above what a right server keeps, far below what a wrong one would. In MiB. */
const BOUND_MIB = 20;

/** How many others there are, and how often each of them says something: less often than it may. */
const GUESTS = 4;
const PERIOD_MS = 60;

/** What is done, and how much of it. */
interface Attack {
  readonly name: 'flood' | 'heads' | 'silence' | 'handshakes';
  readonly what: string;
  readonly size: number;
  /** Whether all are at the door with TLS. */
  readonly isSecret?: boolean;
}

const ATTACKS: readonly Attack[] = [
  { name: 'flood', what: 'messages as fast as TCP takes them', size: 2000 + 300 * SCALE },
  { name: 'heads', what: 'slow heads, and halves of one', size: 100 * SCALE },
  { name: 'silence', what: 'clients of TLS that are silent', size: 100 * SCALE, isSecret: true },
  { name: 'handshakes', what: 'many handshakes from one address', size: 1000 * SCALE },
];

/** Somebody else, from another address, in a room with others of its kind. */
class Guest {
  readonly #socket: WebSocket;
  readonly #name: string;
  /** What it has said, and when. */
  readonly #saidAt = new Map<string, number>();
  readonly heard: string[] = [];
  /** How long it took until it heard what it had said itself, in milliseconds. */
  readonly delays: number[] = [];
  /** The code that it was closed with. */
  code: number | undefined;
  isWelcome = false;

  constructor(url: string, name: string) {
    this.#name = name;
    this.#socket = new WebSocket(`${url}/?ticket=${name}`, { rejectUnauthorized: false });
    this.#socket.on('open', () => this.#send({ t: 'hello', room: 'quiet' }));
    this.#socket.on('message', (data) => this.#hear(JSON.parse(String(data)) as ServerFrame));
    this.#socket.on('error', () => {});
    this.#socket.on('close', (code) => {
      this.code = code;
    });
  }

  get said(): readonly string[] {
    return [...this.#saidAt.keys()];
  }

  say(): void {
    const text = `${this.#name}: ${this.#saidAt.size}`;
    this.#saidAt.set(text, performance.now());
    this.#send({ t: 'msg', cid: text, text });
  }

  #send(frame: object): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #hear(frame: ServerFrame): void {
    if (frame.t === 'welcome') this.isWelcome = true;
    if (frame.t !== 'msg') return;
    this.heard.push(frame.text);
    const saidAt = this.#saidAt.get(frame.text);
    if (saidAt !== undefined) this.delays.push(performance.now() - saidAt);
  }

  leave(): void {
    this.#socket.terminate();
  }
}

/** Waits until something is so. */
async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > GUARD_MS) throw new Error(`It never came to this: ${what}`);
    await pause(20);
  }
}

type Question = 'with garbage' | 'without garbage';

async function standing(server: ChildProcess, question: Question): Promise<Standing> {
  const answer = once(server, 'message') as Promise<[Standing]>;
  server.send(question);
  const [now] = await answer;
  return now;
}

/** Lets guests talk in turns. Returns what ends that, and waits until they have heard it all. */
function talk(guests: readonly Guest[]): () => Promise<void> {
  let turn = 0;
  const timer = setInterval(() => guests[turn++ % guests.length]!.say(), PERIOD_MS / guests.length);
  return async () => {
    clearInterval(timer);
    const count = () => guests.reduce((sum, { said }) => sum + said.length, 0);
    const isOver = () => guests.every(({ heard, code }) => code || heard.length >= count());
    await until(isOver, 'Others hear all that they say.');
  };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** What there was before, and is again; what came of it; and how long others waited. */
interface Seen {
  readonly before: Standing;
  readonly after: Standing;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly quietMs: number;
  readonly attackedMs: number;
}

/** Attacks a server on which guests talk, until nothing of the attack is left. */
async function suffer(
  server: ChildProcess,
  { port, tlsPort }: Standing,
  guests: readonly Guest[],
  { name, size, isSecret }: Attack,
): Promise<Seen> {
  const finish = talk(guests);
  await pause(WATCHED_MS);
  const quietMs = median(guests.flatMap(({ delays }) => delays));
  const before = await standing(server, 'without garbage');
  const startedAt = performance.now();
  const counts = guests.map(({ delays }) => delays.length);
  const args = [name, String(isSecret ? tlsPort : port), String(size)];
  const attacker = forkChild(new URL('attacker.ts', import.meta.url), args);
  try {
    const broken = once(attacker, 'exit').then(() => Promise.reject(new Error('It broke.')));
    const [outcome] = (await Promise.race([once(attacker, 'message'), broken])) as [Outcome];
    const isGone = async () => {
      const { accepted, sockets } = await standing(server, 'with garbage');
      return accepted >= before.accepted + outcome.made && sockets <= before.sockets;
    };
    await until(isGone, 'No socket of the attack is left.');
    const seconds = (performance.now() - startedAt) / 1000;
    const attackedMs = median(guests.flatMap(({ delays }, i) => delays.slice(counts[i])));
    await finish();
    return {
      before,
      after: await standing(server, 'without garbage'),
      outcome,
      seconds,
      quietMs,
      attackedMs,
    };
  } finally {
    endChild(attacker);
  }
}

function report(
  { what }: Attack,
  { before, after, outcome, seconds, quietMs, attackedMs }: Seen,
): void {
  if (!process.env.STRESS) return;
  const { made, admitted, sent } = outcome;
  const { loud = 0, deaf = 0, quiet } = after.published;
  const [was, highest, is] = [before.memoryMiB, after.highestMiB, after.memoryMiB].map(Math.round);
  const used = (after.usedMiB - before.usedMiB).toFixed(1);
  console.log(
    `${what}: ${made} connections, ${admitted} let in, ${sent} messages sent, ${loud} and ${deaf} published, ${seconds.toFixed(1)} s; ` +
      `others heard ${quiet}, after ${quietMs.toFixed(1)} ms before and ${attackedMs.toFixed(1)} ms meanwhile; ` +
      `${was} MiB before, ${highest} at most, ${is} after, ${used} more in use; ${before.sockets} and ${after.sockets} sockets`,
  );
}

/** Everybody has heard the same, and each thing that was said once. */
function expectServed(guests: readonly Guest[]): void {
  const [first] = guests;
  const said = guests.flatMap((guest) => guest.said);
  expect(first!.heard.toSorted()).toEqual(said.toSorted());
  for (const { heard, code } of guests) {
    expect(heard).toEqual(first!.heard);
    expect(code).toBeUndefined();
  }
}

/** The attack got no more than it may, and right clients that only have too much to say were not closed. */
function expectLimited({ after, outcome, seconds }: Seen): void {
  const { requests, messages } = GATE_LIMITS;
  const { loud = 0, deaf = 0 } = after.published;
  expect(outcome.admitted).toBeLessThanOrEqual(requests.burst + seconds * requests.perSecond);
  // What a right client has on its way can be owed. Of one that reads nothing, no more is taken.
  const most = messages.burst + MAX_UNACKED + seconds * messages.perSecond;
  expect(loud).toBeLessThanOrEqual(outcome.talkers * most);
  expect(deaf).toBeLessThanOrEqual(outcome.admitted * MAX_UNACKED);
  expect(outcome.expelled).toBe(0);
}

// An address of its own for the attacker is there on Linux alone.
test.skipIf(process.platform !== 'linux').each(ATTACKS)(
  '$what: others are served',
  async (attack) => {
    const url = new URL('attacked-server.ts', import.meta.url);
    const server = forkChild(url, [String(TIMEOUT_MS)], ['--expose-gc']);
    const guests: Guest[] = [];
    try {
      const [start] = (await once(server, 'message')) as [Standing];
      const door = attack.isSecret
        ? `wss://127.0.0.1:${start.tlsPort}`
        : `ws://127.0.0.1:${start.port}`;
      for (let i = 0; i < GUESTS; i++) guests.push(new Guest(door, `guest ${i}`));
      await until(() => guests.every(({ isWelcome }) => isWelcome), 'Others come in.');
      const seen = await suffer(server, start, guests, attack);
      const { before, after } = seen;
      report(attack, seen);
      expectServed(guests);
      expect(after.sockets).toBe(before.sockets);
      expect(after.usedMiB - before.usedMiB).toBeLessThan(BOUND_MIB);
      expectLimited(seen);
    } finally {
      for (const guest of guests) guest.leave();
      endChild(server);
    }
  },
);
