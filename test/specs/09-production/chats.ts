/** What the scenarios of a chat server are written with. */
import { attempt, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type * as Production from '../../../solutions/09-production/production.ts';
import { settles, turns } from '../05-server/sockets.ts';
import type { Lesson } from './tools.ts';
import { type Asking, everybody, OPEN, untilOver, Visitor } from './visitors.ts';

/** A bus that remembers everything, and adds messages when it is told to: the obvious way. */
export class SlowBus implements Production.Bus {
  readonly entries: Production.Entry[] = [];
  readonly listeners = new Set<{ readonly deliver: Production.Deliver }>();
  /** What waits for its place. */
  readonly waiting: (() => void)[] = [];
  /** Do messages wait until they are let on? */
  isSlow = false;
  /** Does it fail? */
  isBroken = false;

  async publish(_room: string, said: Production.Said): Promise<string> {
    if (this.isSlow) await new Promise<void>((resolve) => this.waiting.push(resolve));
    if (this.isBroken) throw new Error('The bus is away.');
    const isSame = (entry: Production.Entry) => entry.user === said.user && entry.cid === said.cid;
    const known = this.entries.find(isSame);
    if (known) return known.id;
    const entry = { ...said, id: `1-${this.entries.length + 1}` };
    this.entries.push(entry);
    for (const { deliver } of this.listeners) deliver(entry);
    return entry.id;
  }

  async subscribe(_room: string, deliver: Production.Deliver): Promise<() => void> {
    const listener = { deliver };
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  async after(_room: string, last: string, count: number) {
    const start = Number(last.slice(2));
    return this.entries.slice(start, start + count);
  }

  async tip(): Promise<string> {
    return `1-${this.entries.length}`;
  }

  /** Lets all on that waits. */
  letOn(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** Why a client is not sent what it waits for, by what it was told. */
function causeOfSilence(type: string, told: readonly string[]): string | undefined {
  if (type !== '1012') return undefined;
  return told.some((it) => /^\d/.test(it))
    ? '1012, and no other code, says that nothing is wrong, and that a client can come back.'
    : 'A client whose turn has come is closed as soon as all that it has said has its place: it waits neither for other clients nor for all of `settleMs`.';
}

/** Somebody in a chat. */
export class Chatter extends Visitor {
  /** What the server has said. */
  get frames(): Production.ServerFrame[] {
    return this.texts.map((text) => JSON.parse(text) as Production.ServerFrame);
  }

  /** The types of it in order, and `1012` for a Close with that. */
  get told(): string[] {
    const close = /\d{4}$/.exec(this.closedWith)?.[0];
    return [...this.frames.map(({ t }) => t), ...(close ? [close] : [])];
  }

  tell(frame: Production.ClientFrame): void {
    this.say(JSON.stringify(frame));
  }

  /** Says something, under this name. */
  chat(cid: string, text = cid): void {
    this.tell({ t: 'msg', cid, text });
  }

  /** Waits until the server has said something of this type, or closed. */
  async hears(type: string): Promise<void> {
    await settles(() => this.told.includes(type));
    if (this.told.includes(type)) return;
    const name = /^\d/.test(type) ? `a Close with ${type}` : `\`${type}\``;
    fail(
      `The client is sent ${name}.`,
      [
        ['it was told', this.told.join(', ') || 'nothing'],
        ['expected', `${name} behind it`],
      ],
      causeOfSilence(type, this.told),
    );
  }
}

/** A chat server, and whoever has come to it. */
export class Chat {
  readonly server: Production.ChatServer;
  readonly bus: SlowBus;
  readonly chatters: Chatter[] = [];
  readonly #calls: () => number;
  readonly #over: () => void;

  constructor(
    lesson: Lesson,
    options: Partial<Production.ChatOptions> = {},
    bus: SlowBus = new SlowBus(),
  ) {
    this.bus = bus;
    const { authenticate, calls, end } = untilOver(options.authenticate ?? everybody);
    this.#calls = calls;
    this.#over = end;
    const all = { ...OPEN, bus, ...options, authenticate };
    this.server = attempt(() => new lesson.ChatServer(all), 'Make a chat server.');
  }

  /** Lets somebody come. */
  come(user: string, asking: Asking = {}): Chatter {
    const target = `/?ticket=${user}`;
    const chatter = new Chatter(this.server.gate, { target, ...asking }, this.#calls);
    this.chatters.push(chatter);
    return chatter;
  }

  /** Lets somebody come in, and into the room. */
  async enter(user: string): Promise<Chatter> {
    const chatter = this.come(user);
    await chatter.gets('101', 'Who shows who they are comes in.');
    chatter.tell({ t: 'hello', room: 'r' });
    await chatter.hears('welcome');
    return chatter;
  }

  async end(): Promise<void> {
    this.bus.letOn();
    for (const { line } of this.chatters) line.destroy();
    await turns(1);
    this.#over();
    await turns(1);
  }
}

/** Runs a check with a chat server, and ends everything afterwards. */
export async function inChat(
  lesson: Lesson,
  options: Partial<Production.ChatOptions>,
  check: (chat: Chat) => Promise<void>,
): Promise<void> {
  const chat = new Chat(lesson, options);
  try {
    await check(chat);
  } finally {
    await chat.end();
  }
}

/** What becomes of a promise. */
export function watch(promise: Promise<void>): { isOver: boolean; error?: unknown } {
  const state: { isOver: boolean; error?: unknown } = { isOver: false };
  promise.then(
    () => {
      state.isOver = true;
    },
    (error: unknown) => {
      state.error = error;
    },
  );
  return state;
}

/** Says who was told what. */
export function story(chatters: readonly Chatter[]): Fact[] {
  return chatters.map(
    ({ told }, i): Fact => [`client ${i + 1} was told`, told.join(', ') || 'nothing'],
  );
}
