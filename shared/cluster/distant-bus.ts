/** The bus of a process, as its children use it: each question and each answer is a message. */
import type { Bus, Deliver, Entry, Said } from '../../solutions/09-production/production.ts';
import type { FromMember, Question, ToMember } from './messages.ts';

/** Somebody who waits for an answer. */
interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A room that somebody in this process is in. */
interface Followed {
  readonly listeners: Set<{ readonly deliver: Deliver }>;
  /** The number of the question, and when it is answered. */
  readonly subscription: number;
  readonly isSubscribed: Promise<unknown>;
}

/** The bus of the parent. Each message is sent once to a process, however many are in the room. */
export class DistantBus implements Bus {
  readonly #post: (message: FromMember) => void;
  readonly #pending = new Map<number, Pending>();
  readonly #rooms = new Map<string, Followed>();
  readonly #subscriptions = new Map<number, Followed>();
  #asked = 0;

  /** Makes a bus that asks with `post`. */
  constructor(post: (message: FromMember) => void) {
    this.#post = post;
  }

  /** Is told what the parent says. */
  receive(message: ToMember): void {
    if (message.type === 'delivery') {
      const { listeners } = this.#subscriptions.get(message.subscription) ?? {};
      for (const { deliver } of listeners ?? []) deliver(message.entry);
    }
    if (message.type !== 'answer' && message.type !== 'failure') return;
    const pending = this.#pending.get(message.number);
    this.#pending.delete(message.number);
    if (message.type === 'answer') pending?.resolve(message.value);
    else pending?.reject(new Error(message.message));
  }

  publish(room: string, said: Said): Promise<string> {
    return this.#ask({ ask: 'publish', room, said }) as Promise<string>;
  }

  after(room: string, last: string, count: number): Promise<Entry[] | undefined> {
    return this.#ask({ ask: 'after', room, last, count }) as Promise<Entry[] | undefined>;
  }

  tip(room: string): Promise<string> {
    return this.#ask({ ask: 'tip', room }) as Promise<string>;
  }

  async subscribe(room: string, deliver: Deliver): Promise<() => void> {
    const followed = this.#rooms.get(room) ?? this.#follow(room);
    const listener = { deliver };
    followed.listeners.add(listener);
    const leave = () => {
      const wasThere = followed.listeners.delete(listener);
      if (wasThere && followed.listeners.size === 0) this.#unfollow(room, followed);
    };
    try {
      await followed.isSubscribed;
    } catch (error) {
      leave();
      throw error;
    }
    return leave;
  }

  #follow(room: string): Followed {
    const isSubscribed = this.#ask({ ask: 'subscribe', room });
    const followed = { listeners: new Set<never>(), subscription: this.#asked, isSubscribed };
    this.#rooms.set(room, followed);
    this.#subscriptions.set(followed.subscription, followed);
    return followed;
  }

  #unfollow(room: string, { subscription }: Followed): void {
    this.#rooms.delete(room);
    this.#subscriptions.delete(subscription);
    this.#ask({ ask: 'unsubscribe', subscription }).catch(() => {});
  }

  #ask(question: Question): Promise<unknown> {
    const number = ++this.#asked;
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject });
      this.#post({ type: 'question', number, question });
    });
  }
}

/** Answers what a child asks of a bus. */
export class BusDesk {
  readonly #bus: Bus;
  readonly #post: (message: ToMember) => void;
  readonly #subscriptions = new Map<number, Promise<() => void>>();

  /** Makes a desk that answers with `post`. */
  constructor(bus: Bus, post: (message: ToMember) => void) {
    this.#bus = bus;
    this.#post = post;
  }

  /** Answers a question, sooner or later. Never rejects. */
  async answer(number: number, question: Question): Promise<void> {
    try {
      this.#post({ type: 'answer', number, value: await this.#valueOf(number, question) });
    } catch (error) {
      this.#post({ type: 'failure', number, message: String(error) });
    }
  }

  /** Delivers nothing any more: the child is gone. */
  close(): void {
    for (const number of this.#subscriptions.keys()) void this.#unsubscribe(number);
  }

  async #valueOf(number: number, question: Question): Promise<unknown> {
    switch (question.ask) {
      case 'publish':
        return this.#bus.publish(question.room, question.said);
      case 'after':
        return this.#bus.after(question.room, question.last, question.count);
      case 'tip':
        return this.#bus.tip(question.room);
      case 'subscribe':
        return this.#subscribe(number, question.room);
      case 'unsubscribe':
        return this.#unsubscribe(question.subscription);
    }
  }

  async #subscribe(number: number, room: string): Promise<void> {
    const leaving = this.#bus.subscribe(room, (entry) =>
      this.#post({ type: 'delivery', subscription: number, ...(entry && { entry }) }),
    );
    this.#subscriptions.set(number, leaving);
    await leaving;
  }

  async #unsubscribe(number: number): Promise<void> {
    const leaving = this.#subscriptions.get(number);
    this.#subscriptions.delete(number);
    const leave = await leaving?.catch(() => undefined);
    leave?.();
  }
}
