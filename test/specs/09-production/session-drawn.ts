/** Step 6: sessions that nobody thought of, beside all that was said in their room. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Choices, generatedLater } from '../../../shared/kit/generate.ts';
import { Guest } from './guest.ts';
import { HandBus, LOOKS } from './hand-bus.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** A bus, its clients, and what they have said. */
class Party {
  readonly bus: HandBus;
  readonly #choose: Choices;
  readonly #guests: Guest[];
  readonly #said: string[][];
  #restarts = 0;

  constructor(lesson: Lesson, choose: Choices, guests: number) {
    this.#choose = choose;
    this.bus = new HandBus(choose.pick(LOOKS));
    this.bus.sayMany(1 + choose.pick([0, 3, 12, 250]));
    this.bus.isLate = choose.oneIn(2);
    const names = ['ann', 'eve'].slice(0, guests);
    this.#guests = names.map((name) => new Guest(lesson, this.bus, name, name));
    this.#said = names.map(() => []);
  }

  async enter(): Promise<void> {
    const { all } = this.bus.room();
    for (const guest of this.#guests) {
      const place = this.#choose.below(all.length + 3);
      const last = ['5-6', undefined, '4-9'][place] ?? all[place - 3]?.id;
      await guest.hello(last);
    }
  }

  async step(): Promise<void> {
    const { bus } = this;
    const who = this.#choose.below(this.#guests.length);
    const guest = this.#guests[who]!;
    switch (this.#choose.pick(ACTS)) {
      case 'answer':
        return bus.answer();
      case 'say':
        return bus.say();
      case 'deliver':
        return bus.deliver();
      case 'answer and say':
        return bus.answer(() => bus.say());
      case 'lose':
        return bus.lose();
      case 'forget':
        return bus.forget(1 + this.#choose.below(5));
      case 'restart':
        return bus.restart(6 + this.#restarts++);
      case 'full':
        return guest.isFull();
      case 'drain':
        return guest.drains();
      case 'talk': {
        const said = this.#said[who]!;
        const cid = `c${said.length}`;
        said.push(cid);
        return guest.says({ t: 'msg', cid, text: 'hi' });
      }
    }
  }

  /** All is answered, delivered and read, and everybody has heard what was to be heard. */
  async end(): Promise<void> {
    const { bus } = this;
    for (const guest of this.#guests) await guest.drains();
    // What was forgotten meanwhile, nobody has noticed yet.
    bus.isLate = false;
    bus.deliver();
    bus.lose();
    await bus.answerAll();
    await nextTurn();
    for (const [i, guest] of this.#guests.entries()) {
      guest.expectWhole('Whatever happens, a client hears all, once and in order, or of a gap.');
      const acks = this.#said[i]!.map((cid) => [cid, this.#idOf(guest, cid)] as const);
      guest.expectAcks(acks, 'What a client says gets its acks, in order.');
    }
  }

  #idOf(guest: Guest, cid: string): string {
    const user = this.#guests.indexOf(guest) === 0 ? 'ann' : 'eve';
    return this.bus.room().all.find((entry) => entry.user === user && entry.cid === cid)?.id ?? '';
  }
}

const ACTS = [
  'answer',
  'say',
  'answer',
  'deliver',
  'answer and say',
  'answer',
  'full',
  'drain',
  'talk',
  'lose',
  'forget',
  'restart',
] as const;

const party = (lesson: Lesson, cases: number, guests: number) =>
  generatedLater(cases, async (choose) => {
    const it = new Party(lesson, choose, guests);
    await it.enter();
    for (const act of choose.list(20, () => () => it.step())) await act();
    await it.end();
  });

export const ANY_SESSION: Scenarios = [
  {
    what: 'Whatever happens, a client hears all, once and in order, or of a gap.',
    rules: [],
    check: (lesson) => party(lesson, 60, 1),
  },
  {
    what: 'Two clients in a room do not get in each other’s way.',
    rules: [],
    check: (lesson) => party(lesson, 25, 2),
  },
];
