/** A client session as a page has it, and what a check looks at. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { callsOf, recorded } from '../../../shared/kit/calls.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import type { Entry, RoomEvent, ServerFrame } from '../../../solutions/09-production/production.ts';
import type { Lesson } from './tools.ts';

/** A message of somebody else. */
export function entryOf(id: string, text = `text of ${id}`): Entry {
  return { id, user: 'ben', cid: `b:${id}`, text };
}

/** What a session tells of a message of somebody else. */
export const shown = (id: string): RoomEvent => ({ type: 'message', entry: entryOf(id) });

export class Tab {
  readonly session: InstanceType<Lesson['ClientSession']>;

  constructor({ ClientSession }: Lesson, name = 'tab', random?: () => number) {
    const session = attempt(
      () => new ClientSession('lobby', name, ...(random ? [random] : [])),
      'A session is made.',
      [['call', `new ClientSession('lobby', '${name}')`]],
    );
    this.session = recorded(session, () => 0);
  }

  /** Makes a session that is welcome at an id, and has sent what it had to. */
  static welcome(lesson: Lesson, last = '5-6', name = 'tab'): Tab {
    const tab = new Tab(lesson, name);
    tab.session.opened();
    tab.session.takeOutput();
    tab.hears({ t: 'welcome', last, gap: false });
    tab.session.takeOutput();
    return tab;
  }

  facts(): Fact[] {
    return callsOf(this.session);
  }

  /** Runs a check. When it fails, the calls so far are told first. */
  #given<T>(check: () => T): T {
    return withGiven(() => this.facts(), check);
  }

  /** The server says something. */
  hears(...frames: readonly ServerFrame[]): void {
    for (const frame of frames) {
      const receive = () => this.session.receive(JSON.stringify(frame));
      this.#given(() => attempt(receive, 'What a server may say is received.'));
    }
  }

  /** The server says what others have said. */
  hearsOf(...ids: readonly string[]): void {
    this.hears(...ids.map((id) => ({ t: 'msg', ...entryOf(id) }) as const));
  }

  /** The connection is lost, and another one opens: the server sees `hello`, and says `welcome`. */
  comesBack(last: string, gap = false, code = 1006): void {
    this.session.closed(code);
    this.session.opened();
    this.session.takeOutput();
    this.hears({ t: 'welcome', last, gap });
  }

  /** Checks what it sends now. */
  expectSends(right: readonly object[], what: string, cause?: string): void {
    const take = () => this.session.takeOutput().map((message) => JSON.parse(message) as unknown);
    this.#given(() => {
      const frames = attempt(take, what);
      if (asText(frames) === asText(right)) return;
      fail(
        what,
        [
          ['it sends', show(frames)],
          ['expected', show(right)],
        ],
        cause,
      );
    });
  }

  /** Checks what it tells, up to the last. */
  expectTells(right: readonly RoomEvent[], what: string, cause?: string): void {
    const told: (RoomEvent | undefined)[] = [];
    this.#given(() => {
      // A few more than there may be, so that what never ends does.
      for (let left = right.length + 5; left > 0; left--) {
        const event = attempt(() => this.session.next(), what);
        if (event === undefined) break;
        told.push(event);
      }
      const about = { label: '`next` told', cause: () => cause };
      equal(() => told, right, what, about);
    });
  }

  /** Checks `last`. */
  expectLast(right: string | undefined, what: string, cause?: string): void {
    const about = { label: '`last` is', cause: () => cause };
    this.#given(() => equal(() => this.session.last, right, what, about));
  }

  /** Checks what has no ack. */
  expectUnacked(right: readonly string[], what: string, cause?: string): void {
    const about = { label: '`unacked` is', cause: () => cause };
    this.#given(() => equal(() => this.session.unacked, right, what, about));
  }
}

/** Frames as JSON, whose fields are in no order. */
function asText(frames: readonly unknown[]): string {
  return JSON.stringify(frames.map((frame) => Object.entries(Object(frame) as object).sort()));
}
