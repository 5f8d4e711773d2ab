/** A bus whose answers a check gives by hand, one after the other, and what it tells of them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Bus, Deliver, Entry, Said } from '../../../solutions/09-production/production.ts';

/** How many lines of a story are told: the last ones. */
const MAX_TOLD = 20;

/** So many answers are enough for anything that a check has to say. */
const MAX_ANSWERS = 500;

/** The room that everything happens in, unless a check says otherwise. */
export const LOBBY = 'lobby';

/**
 * When a bus looks at what it has: when it is asked, or when it answers. A real one does either, and
 * what is said in between is in its answer, or is not.
 */
export const LOOKS = ['asked', 'answered'] as const;
export type Look = (typeof LOOKS)[number];

/** Something that a bus was asked for. */
interface Call {
  readonly name: keyof Bus;
  readonly room: string;
  readonly args: readonly unknown[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Somebody who is told what is said, and what they have not been told yet. */
interface Listener {
  readonly deliver: Deliver;
  readonly waiting: (Entry | undefined)[];
}

/** A room of the bus: all that was ever said in it, and how much of that is still known. */
export class HandRoom {
  readonly all: Entry[] = [];
  readonly listeners = new Set<Listener>();
  /** How many of the first are forgotten. */
  from = 0;
  /** Whoever has seen so many, or fewer, cannot be told what they miss. */
  lost = -1;
  /** Ids → how many were said up to there. */
  readonly positions = new Map<string, number>();
  /** User and `cid` → where in `all` they are. */
  readonly #places = new Map<string, number>();
  #epoch = 0;
  #number = 0;
  /** The id of what is right before the first that is still known. */
  #base = '';

  constructor() {
    this.begin(5, 6);
    this.lost = -1;
  }

  /** Goes on with the ids of another epoch, and forgets all that was said. */
  begin(epoch: number, number = 0): void {
    this.#epoch = epoch;
    this.#number = number;
    this.from = this.all.length;
    this.lost = this.from;
    this.#base = `${epoch}-${number}`;
    this.positions.set(this.#base, this.from);
  }

  /** Forgets so many of the oldest messages. */
  forget(count: number): void {
    this.from = Math.min(this.from + count, this.all.length);
    this.lost = Math.max(this.lost, this.from - 1);
    this.#base = this.all[this.from - 1]?.id ?? this.#base;
  }

  get tip(): string {
    return this.all.length > this.from ? this.all.at(-1)!.id : this.#base;
  }

  /** Adds a message, unless this user has said it under the same `cid`. Returns its id. */
  add(said: Said): string {
    const key = JSON.stringify([said.user, said.cid]);
    const known = this.#places.get(key) ?? -1;
    if (known >= this.from) return this.all[known]!.id;
    this.#places.set(key, this.all.length);
    const id = `${this.#epoch}-${++this.#number}`;
    const entry = Object.freeze({ ...said, id });
    this.all.push(entry);
    this.positions.set(id, this.all.length);
    for (const { waiting } of this.listeners) waiting.push(entry);
    return id;
  }

  after(last: string, count: number): Entry[] | undefined {
    const at = last === this.#base ? this.from : (this.positions.get(last) ?? -1);
    // Whatever has that position may be of a history before this one.
    const isKnown = at > this.from || last === this.#base;
    return isKnown ? this.all.slice(at, at + count) : undefined;
  }
}

export class HandBus implements Bus {
  /** What has happened, in the order of telling. */
  readonly story: string[] = [];
  /** All that it was asked for. */
  readonly calls: Call[] = [];
  /** Does it deliver only when it is told to? */
  isLate = false;
  readonly #look: Look;
  readonly #rooms = new Map<string, HandRoom>();
  #pending: Call[] = [];
  #said = 0;

  constructor(look: Look = 'answered') {
    this.#look = look;
  }

  /** A room, by its name. */
  room(name = LOBBY): HandRoom {
    const room = this.#rooms.get(name) ?? new HandRoom();
    this.#rooms.set(name, room);
    return room;
  }

  publish(room: string, said: Said): Promise<string> {
    const { user, cid, text } = { ...said };
    return this.#ask('publish', room, [{ user, cid, text }], () => {
      const id = this.room(room).add({ user, cid, text });
      this.#spread(room);
      return id;
    });
  }

  subscribe(room: string, deliver: Deliver): Promise<() => void> {
    const listener: Listener = { deliver, waiting: [] };
    const { listeners } = this.room(room);
    // From when it has resolved, whatever it looks at before.
    const enter = () => listeners.add(listener);
    const leave = () => {
      this.story.push(`bus: the subscription to '${room}' has ended`);
      listeners.delete(listener);
    };
    return this.#ask('subscribe', room, [], () => leave, enter);
  }

  after(room: string, last: string, count: number): Promise<Entry[] | undefined> {
    return this.#ask('after', room, [last, count], () => this.room(room).after(last, count));
  }

  tip(room: string): Promise<string> {
    return this.#ask('tip', room, [], () => this.room(room).tip);
  }

  #ask<T>(
    name: keyof Bus,
    room: string,
    args: readonly unknown[],
    look: () => T,
    then = () => {},
  ): Promise<T> {
    const asked = `${name}(${[room, ...args].map(show).join(', ')})`;
    this.story.push(`bus: ${asked} is asked`);
    const seen = this.#look === 'asked' ? { value: look() } : undefined;
    return new Promise<T>((resolve, reject) => {
      const call: Call = {
        name,
        room,
        args,
        resolve: () => {
          const { value } = seen ?? { value: look() };
          this.story.push(`bus: ${name} resolves with ${tell(value)}`);
          then();
          resolve(value);
        },
        reject: (error) => {
          this.story.push(`bus: ${name} rejects`);
          reject(error);
        },
      };
      this.calls.push(call);
      this.#pending.push(call);
    });
  }

  /** What it has been asked for, and has not answered. */
  get pending(): readonly Call[] {
    return this.#pending;
  }

  /** How often it was asked for something. */
  count(name: keyof Bus): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  /** Answers the oldest question, and `then` something happens before anybody has heard of it. */
  async answer(then = () => {}): Promise<void> {
    this.#pending.shift()?.resolve();
    then();
    await nextTurn();
  }

  /** Answers the oldest question of this kind. */
  async answerTo(name: keyof Bus): Promise<void> {
    await nextTurn(); // It may be about to be asked.
    this.#take(name)?.resolve();
    await nextTurn();
  }

  /** Says that the oldest question, or that of this kind, failed. */
  async reject(name?: keyof Bus): Promise<void> {
    await nextTurn();
    const call = name ? this.#take(name) : this.#pending.shift();
    call?.reject(new Error('The bus has broken down.'));
    await nextTurn();
  }

  #take(name: keyof Bus): Call | undefined {
    const call = this.#pending.find((call) => call.name === name);
    this.#pending = this.#pending.filter((other) => other !== call);
    return call;
  }

  /** Answers until nobody asks any more. */
  async answerAll(): Promise<void> {
    await nextTurn();
    for (let left = MAX_ANSWERS + this.pending.length; this.#pending.length > 0; left--) {
      if (left === 0) {
        const cause = 'It asks when nothing is left, or from the same place again and again.';
        fail('A session asks until it has everything, and then no more.', this.facts(), cause);
      }
      await this.answer();
    }
  }

  /** Somebody else says something. */
  say(text = `m${++this.#said}`, name = LOBBY): void {
    const id = this.#add(text, name);
    this.story.push(`somebody says ${show(text)}: ${id}`);
    this.#spread(name);
  }

  #add(text: string, name: string): string {
    return this.room(name).add({ user: 'ben', cid: `b:${text}`, text });
  }

  /** Somebody else says so many things, one after the other. */
  sayMany(count: number): void {
    if (count === 0) return;
    const ids = Array.from({ length: count }, () => this.#add(`m${++this.#said}`, LOBBY));
    const to = count > 1 ? ` to ${ids.at(-1)}` : '';
    this.story.push(`somebody says ${count} thing${count > 1 ? 's' : ''}: ${ids[0]}${to}`);
    this.#spread(LOBBY);
  }

  #spread(name: string): void {
    if (!this.isLate) this.deliver(name);
  }

  /** Tells everybody in the room what they have not been told yet. */
  deliver(name = LOBBY): void {
    for (const { deliver, waiting } of this.room(name).listeners) {
      for (const entry of waiting.splice(0)) {
        if (this.isLate) this.story.push(`bus: ${entry?.id} is delivered`);
        deliver(entry);
      }
    }
  }

  /** What has not been delivered is lost, and everybody in the room is told so. */
  lose(): void {
    this.story.push('bus: deliver(undefined), as some may have been lost');
    for (const { deliver, waiting } of this.room().listeners) {
      waiting.length = 0;
      deliver(undefined);
    }
  }

  /** So many of the oldest messages are forgotten. */
  forget(count: number): void {
    this.room().forget(count);
    this.story.push(
      `the history forgets its oldest, up to ${this.room().all[this.room().from - 1]?.id}`,
    );
  }

  /** The history is empty again, with ids of another epoch. */
  restart(epoch: number): void {
    this.room().begin(epoch);
    this.story.push(`the history is lost, and another one begins with ${this.room().tip}`);
  }

  /** What has happened, to be told when something is wrong: all of it, or so many lines. */
  facts(length = this.story.length): Fact[] {
    const told = lastLines(this.story.slice(0, length), MAX_TOLD);
    return told.map((line, i) => [i === 0 ? 'what happened' : '', line]);
  }
}

/** A line that says that somebody with room was sent a message: who, and its id. */
const SENT = /^(.* is sent msg )(\d+)-(\d+)$/;

/**
 * Returns the last lines of a story, so many of them. Messages that were sent to the same one after
 * the other, with ids in a row, are one line.
 */
function lastLines(story: readonly string[], most: number): string[] {
  const lines: string[] = [];
  let [row, first, end] = ['', 0, ''];
  for (const line of story.toReversed()) {
    const [, to = '', epoch = '', number = ''] = SENT.exec(line) ?? [];
    const isInRow = to !== '' && row === to + epoch && Number(number) === first - 1;
    if (!isInRow && lines.length === most) return ['…', ...lines];
    if (isInRow) lines[0] = `${line} to ${end}`;
    else {
      lines.unshift(line);
      [row, end] = [to + epoch, `${epoch}-${number}`];
    }
    first = Number(number);
  }
  return lines;
}

/** Says what a bus has answered: of a page, its ids. */
function tell(value: unknown): string {
  if (typeof value === 'function') return 'what ends it';
  if (!Array.isArray(value)) return show(value);
  const ids = (value as Entry[]).map(({ id }) => id);
  return ids.length > 4 ? `${ids[0]} to ${ids.at(-1)}` : `[${ids.join(', ')}]`;
}
