/**
 * A small engine for checks, in this process: streams as Redis and Valkey have them, and what a bus
 * needs besides. Its clock moves when it is told to, and each command takes one turn.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fail } from '../harness/check.ts';
import type { Fact } from '../harness/facts.ts';
import { show } from '../harness/show.ts';
import { KeySpace, type Reply, type Streams } from './key-space.ts';

/** How many turns a bus may ask for something in each of, without a message or time that passes. */
const MAX_TURNS = 3000;
/** How many lines of what happened are told: the last ones. */
const MAX_TOLD = 14;

/** How the connection to an engine ends a command. */
const LOST = 'The connection to the engine was lost.';

/** How it is told that nobody has carried a command out. */
const AWAY = 'rejected, as the engine is away';

/** The scripts it knows, by their text without line breaks and indentation. */
const SCRIPTS: ReadonlyMap<string, 'publish' | 'tip'> = new Map([
  [
    "local known = redis.call('GET', KEYS[2]) if known then return known end local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[5], '*', 'user', ARGV[1], 'cid', ARGV[2], 'text', ARGV[3]) redis.call('EXPIRE', KEYS[1], ARGV[4]) redis.call('SET', KEYS[2], id, 'EX', ARGV[4]) return id",
    'publish',
  ],
  [
    "local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1] if last then return last[1] end local id = redis.call('XADD', KEYS[1], '*', 'user', '') redis.call('EXPIRE', KEYS[1], ARGV[1]) return id",
    'tip',
  ],
]);

const nameOf = (script: string) => SCRIPTS.get(script.trim().replace(/\s+/g, ' '));

/** A command that has been sent, and has no reply. */
interface Pending {
  readonly words: readonly string[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** A connection that waits for entries. */
interface Blocked {
  readonly streams: Streams;
  readonly count: number;
  /** Until when, on the clock of the engine. `Infinity`: for ever. */
  readonly untilMs: number;
}

/** An engine, and whoever is connected to it. */
export class StreamEngine {
  #keys: KeySpace;
  #ms = 1_700_000_000_000;
  #isUp = true;
  #lastId = 0;
  readonly #connections: EngineConnection[] = [];
  /** What has happened, in the order of telling. */
  readonly #told: string[] = [];
  #commands = 0;
  /** Commands that it has answered with an error. */
  readonly errors: string[] = [];
  /** Commands and scripts that it does not know. */
  readonly refused: string[] = [];

  constructor() {
    this.#keys = new KeySpace(() => this.#ms);
  }

  /** Says whether it can be reached. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** What it remembers. */
  get keys(): KeySpace {
    return this.#keys;
  }

  /** How many commands have been carried out. */
  get commands(): number {
    return this.#commands;
  }

  /** Makes a connection. What the name is, it is called in what is told. */
  connect(name: string): EngineConnection {
    const connection = new EngineConnection(this, name, () => ++this.#lastId);
    this.#connections.push(connection);
    return connection;
  }

  /** Lets time pass: who has waited for long enough gets a reply, and what is too old is gone. */
  passes(ms: number): void {
    this.#ms += ms;
    this.note(`${ms} ms pass`);
    for (const connection of this.#connections) connection.look(this.#ms);
  }

  /** Loses all connections, and cannot be reached. */
  goes(): void {
    this.#isUp = false;
    this.note('the engine goes away, and all connections are lost');
    for (const connection of this.#connections) connection.lose();
  }

  /** Can be reached again, so many milliseconds later, with what it had, or with nothing. */
  comesBack(has: 'everything' | 'nothing', afterMs = 1000): void {
    this.#isUp = true;
    this.#ms += afterMs;
    const clock = `its clock ${Math.abs(afterMs)} ms ${afterMs < 0 ? 'behind' : 'later'}`;
    this.note(`the engine is back, with ${has === 'nothing' ? 'nothing' : 'all'} it had, ${clock}`);
    if (has === 'nothing') {
      this.#keys = new KeySpace(() => this.#ms);
      this.#lastId = 0;
    }
    for (const connection of this.#connections) connection.wake();
  }

  /** Waits until nothing is on its way any more. */
  async settles(): Promise<void> {
    let quiet = 0;
    for (let turn = 0; quiet < 4; turn++) {
      if (turn === MAX_TURNS) {
        fail(
          'Ask the engine when there is something to ask, and wait for an answer.',
          this.facts(),
          'One command follows the other, and nothing comes of it. A read goes on behind what it has had, and waits there with BLOCK; after an error there is a while to wait.',
        );
      }
      await nextTurn();
      quiet = this.#connections.some(({ isBusy }) => isBusy) ? 0 : quiet + 1;
    }
  }

  /** Something has happened that is to be told. */
  note(line: string): void {
    this.#told.push(line);
  }

  /** Tells the last commands, what came of them, and what happened in between. */
  facts(): Fact[] {
    const told = countedRows(this.#told);
    const lines = told.slice(-MAX_TOLD);
    if (lines.length < told.length) lines.unshift('…');
    return lines.map((line, i) => [i === 0 ? 'what happened' : '', line]);
  }

  /** Carries a command out. `Blocked`: its connection has to wait. Throws what the engine says no with. */
  execute({ name, id }: EngineConnection, words: readonly string[]): Reply | Blocked {
    let told = `${name}: ${tell(words)}`;
    this.#commands++;
    // Its line comes before those of whoever it wakes.
    const at = this.#told.push(told) - 1;
    try {
      const reply = this.#execute(id, words);
      told += isBlocked(reply) ? ', and waits' : ` → ${sum(reply)}`;
      return reply;
    } catch (error) {
      told += ` → ${(error as Error).message}`;
      this.errors.push(told);
      throw error;
    } finally {
      this.#told[at] = told;
    }
  }

  #execute(id: number, words: readonly string[]): Reply | Blocked {
    const [command = '', ...rest] = words;
    switch (command.toUpperCase()) {
      case 'CLIENT':
        return this.#client(id, rest);
      case 'EVAL':
        return this.#evaluate(rest);
      case 'XREAD':
        return this.#read(rest);
    }
    const reply = this.#keys.execute(command, rest);
    if (reply === undefined) return this.#refuse(command);
    if (command.toUpperCase() === 'XADD') this.#wakeAll();
    return reply;
  }

  #refuse(what: string): never {
    this.refused.push(what);
    throw new Error(`ERR the engine of the checks does not know ${what}`);
  }

  #wakeAll(): void {
    for (const connection of this.#connections) connection.look(this.#ms);
  }

  #client(id: number, [command = '', other = '']: readonly string[]): Reply {
    switch (command.toUpperCase()) {
      case 'ID':
        return id;
      case 'SETNAME':
        return 'OK';
      case 'UNBLOCK': {
        if (!/^\d+$/.test(other)) throw new Error('ERR value is not an integer or out of range');
        const connection = this.#connections.find((it) => it.id === Number(other));
        return connection?.unblock() ? 1 : 0;
      }
      default:
        return this.#refuse(`CLIENT ${command}`);
    }
  }

  #evaluate([script = '', count = '', ...words]: readonly string[]): Reply {
    const name = nameOf(script);
    if (name === undefined) {
      return this.#refuse('this script: it knows PUBLISH_SCRIPT and TIP_SCRIPT as they are');
    }
    const [keys, args] = [words.slice(0, Number(count)), words.slice(Number(count))];
    const wanted = { publish: [2, 5], tip: [1, 1] }[name];
    if (keys.length !== wanted[0] || args.length !== wanted[1]) {
      throw new Error(`ERR ${name} needs ${wanted[0]} key(s) and ${wanted[1]} argument(s)`);
    }
    return name === 'publish' ? this.#publish(keys, args) : this.#tip(keys, args);
  }

  #publish([stream, said]: readonly string[], args: readonly string[]): Reply {
    const [user, cid, text, life, size] = args as [string, string, string, string, string];
    const call = (...words: string[]) => this.#keys.execute(words[0]!, words.slice(1)) ?? null;
    const known = call('GET', said!);
    if (known !== null) return known;
    const fields = ['user', user, 'cid', cid, 'text', text];
    const id = call('XADD', stream!, 'MAXLEN', '~', size, '*', ...fields);
    call('EXPIRE', stream!, life);
    call('SET', said!, String(id), 'EX', life);
    this.#wakeAll();
    return id;
  }

  #tip([stream]: readonly string[], [life]: readonly string[]): Reply {
    const last = this.#keys.stream(stream!).at(-1);
    if (last) return last[0];
    const id = this.#keys.execute('XADD', [stream!, '*', 'user', '']) ?? null;
    this.#keys.execute('EXPIRE', [stream!, life!]);
    this.#wakeAll();
    return id;
  }

  #read(words: readonly string[]): Reply | Blocked {
    if (words.length < 3) throw new Error("ERR wrong number of arguments for 'xread' command");
    const at = words.findIndex((word) => word.toUpperCase() === 'STREAMS');
    const names = words.slice(at + 1);
    if (at < 0 || names.length === 0 || names.length % 2 !== 0) {
      throw new Error(
        "ERR Unbalanced 'xread' list of streams: for each stream key an ID must be specified.",
      );
    }
    const options = new Map<string, string>();
    for (let i = 0; i < at; i += 2) options.set(words[i]!.toUpperCase(), words[i + 1]!);
    const unknown = [...options.keys()].some((name) => name !== 'BLOCK' && name !== 'COUNT');
    if (unknown) throw new Error('ERR syntax error');
    const half = names.length / 2;
    const streams = names.slice(0, half).map((name, i): [string, string] => {
      const from = names[half + i]!;
      return [name, from === '$' ? this.#keys.lastIdOf(name) : this.#keys.checked(from)];
    });
    const count = Number(options.get('COUNT') ?? Number.POSITIVE_INFINITY);
    const reply = this.#keys.behind(streams, count);
    const block = options.get('BLOCK');
    if (reply !== null || block === undefined) return reply;
    const untilMs = block === '0' ? Number.POSITIVE_INFINITY : this.#ms + Number(block);
    return { streams, count, untilMs };
  }
}

/** Writes lines that follow each other and are the same as one. */
function countedRows(lines: readonly string[]): string[] {
  const rows: { line: string; count: number }[] = [];
  for (const line of lines) {
    const last = rows.at(-1);
    if (last?.line === line) last.count++;
    else rows.push({ line, count: 1 });
  }
  return rows.map(({ line, count }) => (count === 1 ? line : `${line}, ${count} times`));
}

function isBlocked(reply: Reply | Blocked): reply is Blocked {
  return reply !== null && typeof reply === 'object' && 'streams' in reply;
}

/** Writes a command as somebody would type it. */
function tell(words: readonly string[]): string {
  return words
    .map((word) => (word.includes('redis.call') ? (nameOf(word) ?? 'some script') : word))
    .map((word) => (/^[!-~]{1,60}$/.test(word) ? word : show(word.slice(0, 60))))
    .join(' ');
}

/** A reply in a few words: of streams, the ids. */
function sum(reply: unknown): string {
  if (reply === null) return 'nil';
  if (!Array.isArray(reply)) return String(reply);
  const ids = JSON.stringify(reply).match(/\b\d+-\d+\b/g) ?? [];
  return ids.length > 4
    ? `${ids.slice(0, 3).join(' ')} … ${ids.length} in all`
    : ids.join(' ') || 'nothing';
}

/** A connection to an engine, as a client has it: when it was lost, the next command connects again. */
export class EngineConnection {
  readonly name: string;
  readonly #engine: StreamEngine;
  readonly #nextId: () => number;
  #id = 0;
  #sent: Pending[] = [];
  /** The first of `#sent` waits for entries. */
  #blocked: Blocked | undefined;
  /** Replies that are held, each with whoever waits for it. */
  #replies: { readonly pending: Pending; readonly reply: Reply }[] = [];
  #held: 'commands' | 'replies' | undefined;
  #isDue = false;
  #lostReply: string | undefined;
  /** How many commands were sent on it, carried out or not. */
  attempts = 0;
  /** While the engine cannot be reached, commands wait for it, and are not rejected. */
  isPatient = false;

  constructor(engine: StreamEngine, name: string, nextId: () => number) {
    this.#engine = engine;
    this.name = name;
    this.#nextId = nextId;
  }

  /** What the engine calls it. */
  get id(): number {
    return this.#id;
  }

  /** Says whether it waits for entries. */
  get isBlocked(): boolean {
    return this.#blocked !== undefined;
  }

  /** The streams that it waits for, each with the id behind which it does. */
  get awaited(): Streams {
    return this.#blocked?.streams ?? [];
  }

  /** Says whether it has something to do in the next turn. */
  get isBusy(): boolean {
    return this.#isDue;
  }

  /** Sends a command, and resolves with its reply. Rejects when the connection was lost. */
  async sendCommand(words: readonly string[]): Promise<unknown> {
    if (!Array.isArray(words) || !words.every((word) => typeof word === 'string')) {
      throw new TypeError(`A command is a list of texts, and not ${show(words)}`);
    }
    this.attempts++;
    return new Promise<Reply>((resolve, reject) => {
      this.#sent.push({ words: [...words], resolve, reject });
      this.wake();
    });
  }

  /** Lets nothing through in one direction, until it is released. */
  hold(what: 'commands' | 'replies'): void {
    this.#held = what;
  }

  /** Lets everything through again. */
  release(): void {
    this.#held = undefined;
    for (const { pending, reply } of this.#replies.splice(0)) pending.resolve(reply);
    this.wake();
  }

  /** Lets one command through, that waits. */
  releaseOne(): void {
    if (this.#sent.length > 0) this.#carryOut();
  }

  /** Loses the connection, in both directions. What was carried out stays so. */
  cut(): void {
    this.#engine.note(`${this.name} loses its connection`);
    this.lose();
  }

  /** Loses it with those of all others, which is told once. */
  lose(): void {
    const lost = [...this.#replies.map(({ pending }) => pending), ...this.#sent];
    this.#id = 0;
    this.#blocked = undefined;
    this.#replies = [];
    this.#sent = [];
    for (const { reject } of lost) reject(new Error(LOST));
  }

  /** Loses the reply of the next command that begins with a word, and with it the connection. */
  losesReplyTo(word: string): void {
    this.#lostReply = word;
  }

  /** Has a turn soon, if there is something to do. */
  wake(): void {
    if (this.#isDue || this.#sent.length === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#work();
    });
  }

  /** Ends waiting, with no entries. */
  unblock(): boolean {
    if (!this.#blocked) return false;
    this.#reply(null);
    return true;
  }

  /** Looks whether what it waits for is there, or time is over. */
  look(nowMs: number): void {
    if (!this.#blocked) return;
    const reply = this.#engine.keys.behind(this.#blocked.streams, this.#blocked.count);
    if (reply !== null || nowMs >= this.#blocked.untilMs) this.#reply(reply);
  }

  #work(): void {
    while (this.#sent.length > 0 && !this.#blocked && this.#held !== 'commands') {
      if (!this.#engine.isUp && this.isPatient) return;
      if (this.#engine.isUp) this.#carryOut();
      else this.#rejectAll();
    }
  }

  #rejectAll(): void {
    for (const { words } of this.#sent) this.#engine.note(`${this.name}: ${tell(words)} → ${AWAY}`);
    this.lose();
  }

  #carryOut(): void {
    this.#id ||= this.#nextId();
    const { words, reject } = this.#sent[0]!;
    try {
      const reply = this.#engine.execute(this, words);
      if (this.#lostReply === words[0]) {
        this.#lostReply = undefined;
        this.cut();
      } else if (isBlocked(reply)) {
        this.#blocked = reply;
      } else {
        this.#reply(reply);
      }
    } catch (error) {
      this.#sent.shift();
      reject(error as Error);
    }
  }

  #reply(reply: Reply): void {
    if (this.#blocked) this.#engine.note(`${this.name}: its waiting ends with ${sum(reply)}`);
    this.#blocked = undefined;
    const pending = this.#sent.shift()!;
    if (this.#held === 'replies') this.#replies.push({ pending, reply });
    else pending.resolve(reply);
    this.wake();
  }
}
