/** Step 12: servers that leave, one after the other, and clients that lose nothing. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import { type Choices, generatedLater } from '../../../shared/kit/generate.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import type * as Production from '../../../solutions/09-production/production.ts';
import { Close } from '../05-server/core.ts';
import { turns } from '../05-server/sockets.ts';
import { Chat, type Chatter, SlowBus, watch } from './chats.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** Somebody who comes back whenever they are sent away. */
class Regular {
  readonly session: Production.ClientSession;
  readonly shown: string[] = [];
  readonly #user: string;
  #gaps = 0;
  #connection: Chatter | undefined;
  #heard = 0;
  #isOpen = false;

  constructor({ ClientSession }: Lesson, user: string) {
    this.#user = user;
    this.session = new ClientSession('r', user, () => 0);
  }

  get gaps(): number {
    return this.#gaps;
  }

  say(text: string): void {
    this.session.say(text);
  }

  /** Does what there is to do: connects to one of the servers, reads, sends. */
  step(servers: readonly Chat[], pick: (count: number) => number): void {
    this.#connection ??= servers[pick(servers.length)]?.come(this.#user);
    const connection = this.#connection as Chatter;
    if (connection.status === '101' && !this.#isOpen) {
      this.#isOpen = true;
      this.session.opened();
    }
    if (this.#isOpen && connection.closedWith === 'nothing')
      for (const text of this.session.takeOutput()) connection.say(text);
    for (const text of connection.texts.slice(this.#heard)) this.#hear(text);
    this.#heard = connection.texts.length;
    const isOver = connection.closedWith !== 'nothing' || connection.line.destroyed;
    if (isOver || !['', '101'].includes(connection.status)) this.#goesAway(connection);
  }

  #hear(text: string): void {
    this.session.receive(text);
    for (let event = this.session.next(); event; event = this.session.next()) {
      if (event.type === 'message') this.shown.push(event.entry.text);
      if (event.type === 'gap') this.#gaps++;
    }
  }

  #goesAway(connection: Chatter): void {
    const code = Number(/\d{4}$/.exec(connection.closedWith)?.[0] ?? 1006);
    this.session.closed(code);
    if (!connection.line.destroyed) {
      connection.send(fromClient(Close, ''));
      connection.leave();
    }
    this.#connection = undefined;
    this.#isOpen = false;
    this.#heard = 0;
  }

  /** Loses its connection. */
  drop(): void {
    this.#connection?.reset();
  }
}

async function rolls(lesson: Lesson, choose: Choices): Promise<void> {
  const bus = new SlowBus();
  const all: Chat[] = [];
  const start = () => {
    const chat = new Chat(lesson, { settleMs: 600_000 }, bus);
    all.push(chat);
    return chat;
  };
  const servers = [start(), start()];
  const regulars = ['anna', 'bert', 'carl'].map((user) => new Regular(lesson, user));
  const left: ReturnType<typeof watch>[] = [];
  const story: string[] = [];
  const said: string[] = [];
  const run = async (times: number) => {
    for (let i = 0; i < times; i++) {
      for (const regular of regulars) regular.step(servers, (count) => said.length % count);
      await turns(1);
    }
  };
  for (let i = 0; i < 25 && choose.below(25) > 0; i++) {
    const act = choose.below(8);
    const regular = choose.pick(regulars);
    const name = `client ${regulars.indexOf(regular) + 1}`;
    if (act < 4) {
      said.push(`${said.length}`);
      regular.say(`${said.length - 1}`);
      story.push(`${name} says ${said.length - 1}`);
    } else if (act === 4) {
      bus.isSlow = !bus.isSlow;
      if (!bus.isSlow) bus.letOn();
      story.push(`the bus is ${bus.isSlow ? 'slow' : 'fast'}`);
    } else if (act === 5) {
      regular.drop();
      story.push(`${name} is reset`);
    } else if (act === 6 && left.length < 3) {
      const [old] = servers.splice(0, 1, start());
      if (old) left.push(watch(old.server.leave(0)));
      story.push('a server leaves');
    }
    await run(choose.below(4));
  }
  bus.isSlow = false;
  bus.letOn();
  await settled({ said, regulars, left }, run);
  await run(3);
  for (const chat of all) await chat.end();

  judge({ story, said, bus, regulars, left });
}

/** What is left of a story when everything has settled. */
interface Outcome {
  readonly story: readonly string[];
  readonly said: readonly string[];
  readonly bus: SlowBus;
  readonly regulars: readonly Regular[];
  readonly left: readonly { readonly isOver: boolean }[];
}

/** Goes on until everybody has been shown everything, or for long enough. */
async function settled(
  { said, regulars, left }: Pick<Outcome, 'said' | 'regulars' | 'left'>,
  run: (times: number) => Promise<void>,
): Promise<void> {
  const isDone = () =>
    left.every(({ isOver }) => isOver) &&
    regulars.every(
      ({ shown, session }) => shown.length >= said.length && session.unacked.length === 0,
    );
  for (let i = 0; i < 500 && !isDone(); i++) {
    await run(1);
    if (i > 10) await giveWay(2);
  }
}

function judge({ story, said, bus, regulars, left }: Outcome): void {
  const given: Fact[] = story.map((line, i) => [i === 0 ? 'what happened' : '', line]);
  const order = bus.entries.map(({ text }) => text);
  const what = 'What was said is in the history, each once.';
  equal(() => order.toSorted(), said.toSorted(), what, { given, label: 'in the history' });
  for (const [i, { shown, gaps }] of regulars.entries()) {
    equal(
      () => [shown.join(), gaps],
      [order.join(), 0],
      'Every client is shown all of it, in order, each once.',
      {
        given,
        label: `client ${i + 1} was shown, and gaps`,
      },
    );
  }
  equal(
    () => left.filter(({ isOver }) => !isOver).length,
    0,
    'Each server that leaves has left in the end.',
    {
      given,
      label: 'servers that have not',
    },
  );
}

export const ROLLING: Scenarios = [
  {
    what: 'Servers leave, connections break, and nothing is lost or shown twice.',
    rules: [],
    check: (lesson) => generatedLater(12, (choose) => rolls(lesson, choose), 60),
  },
];
