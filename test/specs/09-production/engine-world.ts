/** Processes on one engine, for the checks of step 11. */
import { fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { type EngineConnection, StreamEngine } from '../../../shared/kit/engine.ts';
import { giveWay, withTimeout } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import type { Bus, StreamBus } from '../../../solutions/09-production/production.ts';
import { type Ear, says, type World } from './bus.ts';
import type { Lesson } from './tools.ts';

/** How long a bus may take to be back after a lost connection, in milliseconds. */
const PATIENCE_MS = 3000;

/** How long something may take for which nobody has to wait, in milliseconds. */
const SHORT_MS = 300;

/** A process: its bus, and the two connections that it has. */
export interface Process {
  readonly bus: Bus & Pick<StreamBus, 'stop'>;
  readonly commands: EngineConnection;
  readonly reader: EngineConnection;
}

/** An engine, and processes that have their rooms on it. */
export class EngineWorld implements World {
  readonly engine = new StreamEngine();
  readonly #lesson: Lesson;
  readonly #processes: Process[] = [];
  /** A process that is only there to say something, whatever becomes of the others. */
  #speaker: Bus | undefined;

  constructor(lesson: Lesson) {
    this.#lesson = lesson;
  }

  /** Starts a process. */
  start(size?: number): Process {
    const number = this.#processes.length + 1;
    const [commands, reader] = ['commands', 'reader'].map((name) =>
      this.engine.connect(`${name} ${number}`),
    ) as [EngineConnection, EngineConnection];
    const bus = this.#timely(new this.#lesson.StreamBus(commands, reader, size));
    const process = { bus, commands, reader };
    this.#processes.push(process);
    return process;
  }

  /** Makes sure that a bus is done with what it is asked while no time passes for the engine. */
  #timely(bus: StreamBus): Process['bus'] {
    const timely = <T>(call: string, promise: Promise<T>) =>
      withTimeout(promise, SHORT_MS, () =>
        fail(
          `\`${call}\` is done as soon as the engine has answered.`,
          this.facts(),
          'It waits for something else. Is it a reply to a command on the connection that waits for entries?',
        ),
      );
    return {
      publish: (room, said) => timely('publish', bus.publish(room, said)),
      subscribe: (room, deliver) => timely('subscribe', bus.subscribe(room, deliver)),
      after: (room, last, count) => timely('after', bus.after(room, last, count)),
      tip: (room) => timely('tip', bus.tip(room)),
      stop: () => bus.stop(),
    };
  }

  readonly bus = (size?: number): Bus => this.start(size).bus;

  /** Waits until a condition holds, without any time that passes for the engine. */
  readonly comes = async (holds: () => boolean) => {
    await this.engine.settles();
    for (let ms = 0; ms < SHORT_MS && !holds(); ms += 10) await giveWay(10);
  };

  readonly settles = () => this.engine.settles();

  readonly facts = (): Fact[] => this.engine.facts();

  /** Lets a process that none of the others is speak, and waits until it has. */
  async say(room: string, ...texts: readonly string[]): Promise<string[]> {
    this.#speaker ??= new this.#lesson.StreamBus(
      this.engine.connect('another process'),
      this.engine.connect('its reader'),
    );
    const ids: string[] = [];
    for (const text of texts) {
      ids.push(await this.#speaker.publish(room, says(text, `${room} ${text}`)));
    }
    return ids;
  }

  /** Checks that a promise is resolved while no time passes for the engine. */
  async soon<T>(promise: Promise<T>, what: string, cause?: string): Promise<T> {
    promise.catch(() => {});
    await this.engine.settles();
    return withTimeout(promise, SHORT_MS, () =>
      fail(what, [...this.facts(), ['what it returned', 'is not resolved']], cause),
    );
  }

  /** Waits until the reader of a process waits for what comes in all of these rooms. */
  async waitsFor(process: Process, ...rooms: readonly string[]): Promise<void> {
    const what = `A reader waits for what comes: in ${rooms.join(' and ')}.`;
    await this.until(() => {
      const awaited = process.reader.awaited.map(([stream]) => stream);
      return process.reader.isBlocked && awaited.length >= rooms.length;
    }, what);
  }

  /** Waits until a condition holds, for as long as a bus may take to be back. */
  async until(holds: () => boolean, what: string, cause?: string): Promise<void> {
    await until(holds, what, this.facts, cause, PATIENCE_MS);
  }

  /** Checks that somebody hears these texts, for as long as a bus may take to be back. */
  async hearsAfterLoss(
    ear: Ear,
    texts: readonly string[],
    what: string,
    cause?: string,
  ): Promise<void> {
    for (let ms = 0; ms < PATIENCE_MS && ear.heard.length < texts.length; ms += 10) {
      await giveWay(10);
    }
    await ear.hears(texts, what, cause);
  }
}

/** Runs a check in a world of its own. What the engine has refused is told first. */
export async function inWorld(
  lesson: Lesson,
  check: (world: EngineWorld) => Promise<void>,
): Promise<void> {
  const world = new EngineWorld(lesson);
  try {
    await check(world);
  } catch (error) {
    const [refused] = world.engine.refused;
    if (refused === undefined) throw error;
    fail(
      'A bus asks the engine for what the checks know.',
      [...world.facts(), ['it does not know', refused]],
      'The engine of the checks is a small one. It knows CLIENT, EVAL of the two scripts of this file, EXPIRE, GET, SET, XADD, XLEN, XRANGE, XREAD and XREVRANGE.',
    );
  }
}
