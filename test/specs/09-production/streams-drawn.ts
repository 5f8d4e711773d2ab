/** Step 11: lives of two processes that nobody thought of, beside lists of what was said. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { Choices } from '../../../shared/kit/generate.ts';
import { SEED } from '../../../shared/kit/seed.ts';
import { Ear, says, told } from './bus.ts';
import { EngineWorld, type Process } from './engine-world.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** Somebody in a room, and what has been said there when they came, and when they left. */
interface Follower {
  readonly process: number;
  readonly room: string;
  readonly ear: Ear;
  readonly from: number;
  to: number | undefined;
}

const ROOMS = ['tea', 'ink'] as const;

class Life {
  readonly #lesson: Lesson;
  readonly #choose: Choices;
  readonly #world: EngineWorld;
  readonly #processes: Process[];
  readonly #said = new Map<string, string[]>(ROOMS.map((room) => [room, []]));
  readonly #followers: Follower[] = [];
  readonly #done: string[] = [];
  readonly #hasLosses: boolean;
  #count = 0;

  constructor(lesson: Lesson, seed: number, hasLosses: boolean) {
    this.#lesson = lesson;
    this.#choose = Choices.random(seed);
    this.#world = new EngineWorld(lesson);
    this.#processes = [this.#world.start(), this.#world.start()];
    this.#hasLosses = hasLosses;
  }

  facts(): Fact[] {
    const lines = this.#done.slice(-14);
    return lines.map((line, i): Fact => [i === 0 ? 'what happened' : '', line]);
  }

  async step(): Promise<void> {
    const room = this.#choose.pick(ROOMS);
    const process = this.#choose.below(2);
    const act = this.#choose.below(this.#hasLosses ? 9 : 7);
    if (act <= 1) await this.#publish(process, room);
    else if (act === 2) await this.#enter(process, room);
    else if (act === 3) this.#leave();
    else if (act === 4) this.#hold(process);
    else if (act === 5) this.#release(process);
    else if (act === 6) this.#pass();
    else if (act === 7) this.#cut(process);
    else this.#restart();
    if (this.#choose.below(3) > 0) await this.#world.settles();
  }

  /** Publishes, again and again under the same `cid` until it has an id. */
  async #publish(number: number, room: string): Promise<void> {
    const text = `${++this.#count}`;
    this.#done.push(`process ${number + 1} says ${text} in ${room}`);
    const { bus, commands } = this.#processes[number]!;
    if (this.#hasLosses && this.#choose.oneIn(4)) {
      commands.losesReplyTo('EVAL');
      this.#done.push('  and loses the reply');
    }
    await this.#insist(() => bus.publish(room, says(text)));
    this.#said.get(room)!.push(text);
  }

  async #enter(process: number, room: string): Promise<void> {
    this.#done.push(`somebody enters ${room} in process ${process + 1}`);
    const ear = new Ear(this.#world);
    await this.#insist(() => ear.enters(this.#processes[process]!.bus, room));
    const from = this.#said.get(room)!.length;
    this.#followers.push({ process, room, ear, from, to: undefined });
  }

  async #insist<T>(act: () => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#world.soon(act(), 'A bus resolves when the engine can be reached.');
      } catch (error) {
        if (attempt === 3 || !this.#hasLosses) throw error;
      }
    }
  }

  #leave(): void {
    const present = this.#followers.filter(({ to }) => to === undefined);
    if (present.length === 0) return;
    const follower = this.#choose.pick(present);
    this.#done.push(`somebody leaves ${follower.room} in process ${follower.process + 1}`);
    follower.ear.leave();
    follower.to = this.#said.get(follower.room)!.length;
  }

  #hold(process: number): void {
    const what = this.#choose.pick(['commands', 'replies'] as const);
    this.#done.push(`${what} of reader ${process + 1} are held`);
    this.#processes[process]!.reader.hold(what);
  }

  #release(process: number): void {
    this.#done.push(`reader ${process + 1} is let through`);
    this.#processes[process]!.reader.release();
  }

  #pass(): void {
    this.#done.push('a second passes');
    this.#world.engine.passes(this.#lesson.BLOCK_MS);
  }

  #cut(process: number): void {
    this.#done.push(`reader ${process + 1} loses its connection`);
    this.#processes[process]!.reader.cut();
  }

  #restart(): void {
    this.#done.push('the engine is away for a moment');
    this.#world.engine.goes();
    this.#world.engine.comesBack('everything');
  }

  async check(): Promise<void> {
    for (const process of this.#processes) process.reader.release();
    for (const follower of this.#followers) {
      const all = this.#said.get(follower.room)!;
      const last = all.at(-1);
      const isBehind = () => all.length > follower.from && follower.ear.texts.at(-1) !== last;
      if (follower.to === undefined) await this.#catchesUp(() => !isBehind());
      this.#compare(follower, all);
    }
  }

  async #catchesUp(holds: () => boolean): Promise<void> {
    if (this.#hasLosses) {
      await this.#world.until(holds, 'After a lost connection, a bus goes on where it was.');
    } else {
      await this.#world.comes(holds);
    }
  }

  /** Who entered later may hear what others in their process have not heard yet, and no gaps. */
  #compare({ ear, room, from, to, process }: Follower, all: readonly string[]): void {
    const { texts } = ear;
    const first = texts.length === 0 ? from : Math.min(all.indexOf(texts[0]!), from);
    const who = `somebody in ${room}, process ${process + 1}, entered after ${from} messages`;
    const given: Fact[] = [['who', to === undefined ? who : `${who} and left after ${to}`]];
    const what = 'Everybody hears what is said while they are in the room, in order, once.';
    if (to === undefined) {
      equal(() => texts, all.slice(first), what, { given, label: 'they heard' });
      return;
    }
    const isPart = texts.join() === all.slice(first, first + texts.length).join();
    if (first >= 0 && isPart && first + texts.length <= Math.max(to, first)) return;
    const heard: Fact = ['they heard', show(texts)];
    fail(what, [
      ...given,
      heard,
      ['expected', `a part of ${show(all.slice(Math.max(first, 0), to))}`],
    ]);
  }
}

/** Lives one life; the first ones are short, so that one that fails is told in a few lines. */
function live(lesson: Lesson, i: number, hasLosses: boolean): Promise<void> {
  const life = new Life(lesson, SEED + i, hasLosses);
  return told(
    () => [...life.facts(), ['found with', `SEED=${SEED + i}`]],
    async () => {
      for (let step = 0; step < 3 + i / 2; step++) await life.step();
      await life.check();
    },
  );
}

const [LIVES, HARD_LIVES] = [40, 24];

export const GENERATED_STREAMS: Scenarios = [
  {
    what: 'Whatever happens in two processes, everybody hears what is said, in order, once.',
    rules: [],
    check: async (lesson) => {
      for (let i = 0; i < LIVES; i++) await live(lesson, i, false);
    },
  },
  {
    what: 'Whatever is lost between two processes and their engine, nothing is lost in a room.',
    rules: [],
    waits: true,
    check: async (lesson) => {
      const lives = Array.from({ length: HARD_LIVES }, (_, i) => live(lesson, i, true));
      const [first] = (await Promise.allSettled(lives)).filter(
        ({ status }) => status === 'rejected',
      );
      if (first?.status === 'rejected') throw first.reason;
    },
  },
];
