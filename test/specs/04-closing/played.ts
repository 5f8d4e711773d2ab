/** Lesson 04, steps 4 to 7: one connection of the lesson, and beside it what the table says. */
import { attempt, equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { CloseCode, ProtocolError, type Role } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import { bodyOf, judge, mayTravel, readUtf8, whatFits } from './draw.ts';
import { TRANSITIONS } from './handshake.ts';
import { actionMistake } from './mistakes.ts';
import {
  type Action,
  type CloseResult,
  type ClosingEvent,
  type ClosingHandshake,
  codeBytes,
  type Lesson,
  type State,
} from './tools.ts';

/** What happened so far, on all connections that are played together. */
export interface Log {
  /** The calls, in the order in which they were made, to be told when one goes wrong. */
  readonly calls: (() => string)[];
  /** Those that were made, in their order. */
  readonly made: Played[];
  /** The clock of them all, in milliseconds. */
  now: number;
}

/** How far the lesson is written: what may be called, and looked at. */
export type Until = 4 | 5 | 6 | 7;

const hangUp: Action = { type: 'hangUp' };

/** A connection that is told what happens, and looked at after each call. */
export class Played {
  readonly name: string;
  readonly #role: Role;
  readonly #timeoutMs: number;
  readonly #log: Log;
  readonly #until: Until;
  readonly #tested: ClosingHandshake;
  /** The bodies of Closes that were returned, and what they have to remain. */
  readonly #sent: { readonly body: Uint8Array; readonly expected: Uint8Array }[] = [];
  #state: State = 'OPEN';
  #enteredAt: number;
  /** What the peer has said. `undefined`: nothing. */
  #peer: { readonly code: number | undefined; readonly reason: string } | undefined;

  constructor(
    { ClosingHandshake }: Lesson,
    { name, role, timeoutMs }: { name: string; role: Role; timeoutMs: number },
    log: Log,
    until: Until,
  ) {
    this.name = name;
    this.#role = role;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#until = until;
    this.#enteredAt = log.now;
    log.made.push(this);
    this.#tested = new ClosingHandshake(role, timeoutMs, () => log.now);
  }

  /** When we stop waiting. `undefined`: we wait for nothing. */
  get deadline(): number | undefined {
    const isWaiting = this.#state === 'CLOSE_SENT' || this.#state === 'HANGING_UP';
    return isWaiting ? this.#enteredAt + this.#timeoutMs : undefined;
  }

  /** Makes a call. Tells of it, and of what was before, when something is wrong with it. */
  #call(call: () => string, check: (state: State) => void): void {
    const { calls, now } = this.#log;
    const [state, since, count] = [this.#state, this.#enteredAt, calls.length];
    calls.push(() => `${this.name}.${call()}`);
    const facts = (): Fact[] => [
      ['connections', this.#log.made.map((played) => played.#tell()).join(', ')],
      [`${this.name} is`, `in ${state}`],
      ...(this.#until < 7 ? [] : this.#time(now, since)),
      [
        'before',
        calls
          .slice(0, count)
          .map((tell) => tell())
          .join('; ') || 'nothing',
      ],
      ['now', `${this.name}.${call()}`],
    ];
    withGiven(facts, () => {
      check(state);
      this.#look();
    });
  }

  #tell(): string {
    const time = this.#until < 7 ? '' : `, timeoutMs ${this.#timeoutMs}`;
    return `${this.name} (${this.#role}${time})`;
  }

  #time(now: number, since: number): Fact[] {
    return [['clock', `${now}; in this state since ${since}`]];
  }

  /** Follows the table. Returns whether it has this event. */
  #follow(event: ClosingEvent): boolean {
    const [, , next] = TRANSITIONS.find(([from, on]) => from === this.#state && on === event) ?? [];
    if (next === undefined) return false;
    this.#state = next;
    this.#enteredAt = this.#log.now;
    return true;
  }

  /** Compares a list of actions, and keeps the body of a Close in it. */
  #does(event: ClosingEvent, state: State, act: () => Action[], expected: readonly Action[]): void {
    let actions: Action[] = [];
    const run = () => {
      actions = act();
      return actions;
    };
    equal(run, expected, 'Return what has to be done, and nothing else.', {
      cause: (actual) => actionMistake({ role: this.#role, state, event }, actual, expected),
    });
    const [sent] = expected;
    const [first] = actions;
    if (sent?.type === 'sendClose' && first?.type === 'sendClose') {
      this.#sent.push({ body: first.body, expected: sent.body });
    }
  }

  close(code?: number, reason?: string): void {
    const tell = () => [code, reason && quote(reason)].filter((given) => given !== undefined);
    this.#call(
      () => `close(${tell().join(', ')})`,
      (state) => {
        const act = () => this.#tested.close(code, reason);
        const isLegal = mayTravel(code ?? 1000) && utf8(reason ?? '').length <= 123;
        if (isLegal) {
          const body = bodyOf(code ?? 1000, reason);
          const expected: Action[] = this.#follow('close') ? [{ type: 'sendClose', body }] : [];
          this.#does('close', state, act, expected);
        } else if (state === 'OPEN') {
          throws(RangeError, act, 'Refuse to close with what a Close cannot carry.');
        } else {
          // To refuse it, or to ignore what means nothing any more: both are right.
          this.#does('close', state, () => orRefused(act), []);
        }
      },
    );
  }

  /** Receives a Close whose payload is in this memory, and overwrites it afterwards. */
  receiveClose(payload: Uint8Array): void {
    const body = new Uint8Array(payload);
    this.#call(
      () => `receiveClose(${show(body)})`,
      (state) => {
        const said = judge(body);
        const receive = () => this.#tested.receiveClose(payload);
        if (said.isLegal) {
          const answer: Action = { type: 'sendClose', body: bodyOf(said.code) };
          const expected: Action[] = state === 'OPEN' ? [answer] : [];
          if (this.#follow('receiveClose')) {
            this.#peer = said;
            if (this.#role === 'server') expected.push(hangUp);
          }
          this.#does('receiveClose', state, receive, expected);
        } else if (this.#follow('fail') && state === 'OPEN') {
          this.#refuses(receive, said.codes);
        } else {
          this.#does('fail', state, receive, state === 'CLOSE_SENT' ? [hangUp] : []);
        }
        equal(() => payload, body, 'The payload belongs to the caller: leave it as it was.', {
          label: 'afterwards',
        });
        payload.fill(0x41);
      },
    );
  }

  /** Checks that an illegal Close is answered with one of these codes, and words of any choice. */
  #refuses(receive: () => Action[], codes: readonly number[]): void {
    const what = `Fail at an illegal Close, with ${codes.join(' or ')}.`;
    const actions = attempt(receive, what);
    const [first, second] = Array.isArray(actions) ? actions : [];
    const body = first?.type === 'sendClose' ? first.body : new Uint8Array();
    const hasCode = codes.some((code) => Buffer.compare(codeBytes(code), body.slice(0, 2)) === 0);
    const isBody = hasCode && body.length <= 125 && readUtf8(body.subarray(2)) !== undefined;
    if (isBody && second?.type === 'hangUp' && actions.length === 2) {
      this.#sent.push({ body, expected: new Uint8Array(body) });
      return;
    }
    fail(what, [
      ['you returned', show(actions)],
      ['expected', `sendClose with ${codes.join(' or ')} and a reason, then hangUp`],
    ]);
  }

  fail(error: unknown): void {
    this.#call(
      () => `fail(${show(error)})`,
      (state) => {
        const body =
          error instanceof ProtocolError
            ? bodyOf(error.closeCode, whatFits(error.message))
            : bodyOf(CloseCode.InternalError);
        const expected: Action[] = state === 'OPEN' ? [{ type: 'sendClose', body }] : [];
        if (this.#follow('fail')) expected.push(hangUp);
        this.#does('fail', state, () => this.#tested.fail(error), expected);
      },
    );
  }

  disconnect(): void {
    this.#call(
      () => 'disconnect()',
      () => {
        attempt(() => this.#tested.disconnect(), 'Note that the TCP connection has ended.');
        this.#follow('disconnect');
      },
    );
  }

  checkDeadline(): void {
    this.#call(
      () => 'checkDeadline()',
      (state) => {
        const isOver = this.deadline !== undefined && this.#log.now >= this.deadline;
        const expected: Action[] = isOver && this.#follow('timeout') ? [{ type: 'destroy' }] : [];
        this.#does('timeout', state, () => this.#tested.checkDeadline(), expected);
      },
    );
  }

  /** Looks at it again, when the other one has been told more. */
  lookAgain(): void {
    withGiven(
      () => [['at the end', this.name]],
      () => this.#look(),
    );
  }

  #look(): void {
    equal(() => this.#tested.state, this.#state, 'Follow the table to the next state.', {
      label: 'state is',
    });
    for (const { body, expected } of this.#sent) {
      equal(() => body, expected, 'The body of a Close stays as it is until it has been sent.', {
        label: 'became',
        cause: () =>
          'It is in memory that somebody else writes to: that of the payload, or of all calls.',
      });
    }
    const { deadline } = this;
    if (this.#until >= 5) {
      const listens = this.#state === 'OPEN' || this.#state === 'CLOSE_SENT';
      const what = 'What the peer sends counts in OPEN and CLOSE_SENT only.';
      equal(() => this.#tested.isListening, listens, what, { label: 'isListening is' });
    }
    if (this.#until >= 6) {
      const what = 'Tell at the end what the peer has said.';
      equal(() => this.#tested.result, this.#result(), what, { label: 'result is' });
    }
    if (this.#until >= 7) {
      const what = 'Wait for the whole time in each state that waits, and in no other.';
      equal(() => this.#tested.deadline, deadline, what, {
        label: 'deadline is',
        cause: (actual) => this.#timeMistake(actual),
      });
    }
  }

  #timeMistake(actual: unknown): string | undefined {
    if (this.deadline === undefined || this.#enteredAt === this.#log.now) return undefined;
    return actual === this.#log.now + this.#timeoutMs
      ? 'The time has been started again. Only what changes the state does that.'
      : undefined;
  }

  #result(): CloseResult | undefined {
    if (this.#state !== 'CLOSED') return undefined;
    if (!this.#peer) return { code: CloseCode.AbnormalClosure, reason: '', wasClean: false };
    const { code = CloseCode.NoStatusReceived, reason } = this.#peer;
    return { code, reason, wasClean: true };
  }
}

/** Does it, and takes a refusal for nothing to do. */
function orRefused(act: () => Action[]): Action[] {
  try {
    return act();
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}
