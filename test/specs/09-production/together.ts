/** Step 7: clients and their servers together, on connections that break. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Choices, generatedLater } from '../../../shared/kit/generate.ts';
import { HandBus, LOOKS } from './hand-bus.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** What a connection loses when it breaks: all that is on its way. */
interface Line {
  readonly server: InstanceType<Lesson['ServerSession']>;
  readonly toServer: string[];
  readonly toClient: string[];
  /** With which code the server has closed it. */
  closedWith?: number;
}

/** A client that comes back whenever its connection breaks. */
class Member {
  readonly session: InstanceType<Lesson['ClientSession']>;
  readonly name: string;
  readonly said: string[] = [];
  readonly shown: string[] = [];
  gaps = 0;
  readonly #lesson: Lesson;
  readonly #bus: HandBus;
  #line: Line | undefined;

  constructor(lesson: Lesson, bus: HandBus, name: string) {
    this.#lesson = lesson;
    this.#bus = bus;
    this.name = name;
    this.session = new lesson.ClientSession('lobby', name, () => 0);
  }

  #note(line: string): void {
    this.#bus.story.push(`${this.name}: ${line}`);
  }

  connect(): void {
    if (this.#line) return;
    this.#note('connects');
    const peer = {
      send: (data: string | Uint8Array) => line.toClient.push(String(data)) > 0,
      close: (code?: number) => {
        line.closedWith ??= code ?? 1005;
      },
    };
    const server = new this.#lesson.ServerSession(peer, this.#bus, this.name);
    const line: Line = { server, toServer: [], toClient: [] };
    this.#line = line;
    this.session.opened();
    this.#flush();
  }

  #flush(): void {
    const messages = this.session.takeOutput();
    this.#line?.toServer.push(...messages);
  }

  /** Its connection breaks, and what is on its way is lost. */
  breaks(code = 1006): void {
    if (!this.#line) return;
    this.#note(`its connection ends with ${code}`);
    this.#line.server.ended();
    this.#line = undefined;
    this.session.closed(code);
  }

  says(): void {
    const text = `${this.name} ${this.said.length + 1}`;
    this.#note(`says ${show(text)}`);
    this.said.push(text);
    this.session.say(text);
    this.#flush();
  }

  /** Its server gets what it has said. */
  reaches(): void {
    const line = this.#line;
    for (const message of line?.toServer.splice(0) ?? []) {
      this.#note(`sends ${message}`);
      line?.server.receive(message);
    }
  }

  /** It gets so much of what its server has said. */
  hears(most = Number.POSITIVE_INFINITY): void {
    const line = this.#line;
    for (const message of line?.toClient.splice(0, most) ?? []) {
      this.#note(`receives ${message}`);
      this.session.receive(message);
      for (let event = this.session.next(); event; event = this.session.next()) {
        if (event.type === 'message') this.shown.push(event.entry.text);
        if (event.type === 'gap') this.gaps++;
      }
    }
    this.#flush();
    if (line?.closedWith !== undefined && line.toClient.length === 0) this.breaks(line.closedWith);
  }

  get isQuiet(): boolean {
    return this.#line?.toServer.length === 0 && this.#line.toClient.length === 0;
  }
}

/** What happens in a room, until all is quiet. */
async function play(lesson: Lesson, choose: Choices): Promise<void> {
  const bus = new HandBus(choose.pick(LOOKS));
  bus.sayMany(2);
  const members = ['ann', 'eve'].map((name) => new Member(lesson, bus, name));
  for (const member of members) {
    member.connect();
    await quiet(bus, members);
  }
  const before = bus.room().all.length;
  for (const act of choose.list(30, () => () => step(bus, choose, choose.pick(members))))
    await act();
  await quiet(bus, members);
  const texts = bus.room().all.map(({ text }) => text);
  for (const member of members) {
    const own = texts.filter((text) => member.said.includes(text));
    compare(bus, own, member.said, 'What is said is in the history once, in the order of saying.');
    const what = 'Whatever breaks, what is said is shown to everybody, once and in order.';
    compare(bus, member.shown, texts.slice(before), what);
    if (member.gaps > 0) fail('Where nothing is forgotten, there is no gap.', bus.facts());
  }
}

const ACTS = [
  'say',
  'answer',
  'reach',
  'hear',
  'break',
  'connect',
  'hear one',
  'lose',
  'fail',
] as const;

async function step(bus: HandBus, choose: Choices, member: Member): Promise<void> {
  switch (choose.pick(ACTS)) {
    case 'say':
      return member.says();
    case 'answer':
      return bus.answer();
    case 'reach':
      member.reaches();
      return nextTurn();
    case 'hear':
      return member.hears();
    case 'hear one':
      return member.hears(1);
    case 'break':
      return member.breaks();
    case 'connect':
      return member.connect();
    case 'lose':
      return bus.lose();
    case 'fail':
      return bus.reject();
  }
}

/** Until everybody is connected, and nothing is on its way. */
async function quiet(bus: HandBus, members: readonly Member[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    for (const member of members) {
      member.connect();
      member.reaches();
    }
    await bus.answerAll();
    for (const member of members) member.hears();
    if (members.every(({ isQuiet }) => isQuiet) && bus.pending.length === 0) return;
  }
  fail('In the end, all is said and shown.', bus.facts());
}

function compare(bus: HandBus, mine: readonly string[], right: readonly string[], what: string) {
  if (mine.join() === right.join()) return;
  fail(what, [...bus.facts(), ['there is', show(mine)], ['expected', show(right)]]);
}

export const TOGETHER: Scenarios = [
  {
    what: 'Whatever breaks, what is said is shown to everybody, once and in order.',
    rules: [],
    check: (lesson) => generatedLater(60, (choose) => play(lesson, choose)),
  },
];
