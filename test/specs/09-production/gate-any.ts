/** Step 8: any crowd at a gate. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Choices, generatedLater } from '../../../shared/kit/generate.ts';
import { settles, turns } from '../05-server/sockets.ts';
import type { Lesson } from './tools.ts';
import { atGate, Desk, type Entrance, LET_GO, SELDOM, type Visitor } from './visitors.ts';

/** Addresses, and what each is counted under. */
const ADDRESSES = [
  ['192.0.2.1', 'a'],
  ['::ffff:192.0.2.1', 'a'],
  ['2001:db8::1', 'b'],
  ['2001:db8::2', 'b'],
] as const;
const USERS = ['anna', 'bert'] as const;
const [BURST, PER_ADDRESS, PER_USER] = [6, 3, 2];

interface Guest {
  readonly visitor: Visitor;
  readonly key: string;
  readonly user: string;
  /** Its number at the desk. `undefined`: nobody was asked. */
  asked?: number;
  state: 'waiting' | 'open' | 'gone';
}

/** The slow and obvious way: looks at everybody who has ever come. */
class Crowd {
  readonly guests: Guest[] = [];
  readonly requests = new Map<string, number>();
  readonly story: string[] = [];
  isClosed = false;
  asked = 0;

  count(isCounted: (guest: Guest) => boolean): number {
    return this.guests.filter((guest) => guest.state !== 'gone' && isCounted(guest)).length;
  }

  get waiting(): Guest[] {
    return this.guests.filter(({ state }) => state === 'waiting');
  }

  get facts(): Fact[] {
    return [
      ['limits', `${BURST} requests, ${PER_ADDRESS} sockets of an address, ${PER_USER} of a user`],
      ...this.story.map((line, i): Fact => [i === 0 ? 'what happened' : '', line]),
    ];
  }

  /** The status of a new request. Empty: it has to be asked who it is. */
  statusOf(key: string, isGood: boolean): readonly string[] {
    if (this.isClosed) return ['503'];
    const requests = this.requests.get(key) ?? 0;
    this.requests.set(key, requests + 1);
    const isFull = requests >= BURST || this.count((guest) => guest.key === key) >= PER_ADDRESS;
    if (isFull) return isGood ? ['429'] : ['429', '404'];
    return [isGood ? '' : '404'];
  }
}

async function refusedGoes(visitor: Visitor): Promise<void> {
  visitor.leave();
  await visitor.isGone('A refused client that ends TCP is let go.', LET_GO);
}

/** Checks what somebody has been answered, and lets them go if that is no. */
async function answered(crowd: Crowd, visitor: Visitor, expected: readonly string[], what: string) {
  const given = crowd.facts;
  if (expected[0] === '') await turns(2);
  else await settles(() => visitor.status !== '');
  const { status } = visitor;
  if (!expected.includes(status))
    equal(() => status, expected[0], what, {
      given: [...given, ...visitor.facts],
      label: 'status',
      inWords: true,
    });
  if (!['', '101'].includes(status)) await refusedGoes(visitor);
}

async function comes(crowd: Crowd, entrance: Entrance, choose: Choices) {
  const [address, key] = choose.pick(ADDRESSES);
  const user = choose.pick(USERS);
  const isGood = !choose.oneIn(5);
  crowd.story.push(`${user} comes from ${address}${isGood ? '' : ', and asks for another path'}`);
  const expected = crowd.statusOf(key, isGood);
  const target = isGood ? `/?ticket=${user}` : '/there';
  const visitor = entrance.come({ target, address });
  const what = 'Whoever comes is asked who it is, unless there are too many.';
  await answered(crowd, visitor, expected, what);
  if (expected[0] !== '') return;
  const guest: Guest = { visitor, key, user, state: 'waiting', asked: crowd.asked++ };
  crowd.guests.push(guest);
}

const ANSWERS = ['is known', 'is not known', 'cannot be looked up'] as const;

async function isLookedUp(crowd: Crowd, desk: Desk, choose: Choices) {
  const { waiting } = crowd;
  if (waiting.length === 0) return;
  const guest = choose.pick(waiting);
  const answer = choose.pick(ANSWERS);
  const { visitor, user, asked = 0 } = guest;
  crowd.story.push(`number ${asked + 1}, ${user}, ${answer}`);
  const isFull = crowd.count((other) => other.user === user && other.state === 'open') >= PER_USER;
  const status = {
    'is known': crowd.isClosed ? '503' : isFull ? '429' : '101',
    'is not known': '401',
    'cannot be looked up': '503',
  }[answer];
  if (answer === 'cannot be looked up') desk.fail(asked);
  else desk.answer(asked, answer === 'is known' ? { user } : undefined);
  // Who is not known at a gate that has closed meanwhile: either reason is right.
  const either = crowd.isClosed && answer === 'is not known' ? [status, '503'] : [status];
  await answered(
    crowd,
    visitor,
    either,
    'Who is known comes in, unless there are too many of them.',
  );
  guest.state = status === '101' ? 'open' : 'gone';
}

async function goes(crowd: Crowd, choose: Choices) {
  const present = crowd.guests.filter(({ state }) => state !== 'gone');
  if (present.length === 0) return;
  const guest = choose.pick(present);
  crowd.story.push(`number ${(guest.asked ?? 0) + 1}, ${guest.user}, resets`);
  guest.visitor.reset();
  await guest.visitor.isGone('A socket that resets is gone.');
  await turns(1);
  guest.state = 'gone';
}

async function plays(lesson: Lesson, choose: Choices): Promise<void> {
  const desk = new Desk();
  const options = {
    authenticate: desk.authenticate,
    requests: { burst: BURST, perSecond: SELDOM },
    socketsPerAddress: PER_ADDRESS,
    socketsPerUser: PER_USER,
    paths: ['/'],
  };
  await atGate(lesson, options, async (entrance) => {
    const crowd = new Crowd();
    for (let i = 0; i < 20 && choose.below(20) > 0; i++) {
      const act = choose.below(10);
      if (act < 5) await comes(crowd, entrance, choose);
      else if (act < 8) await isLookedUp(crowd, desk, choose);
      else if (act < 9 || crowd.story.length < 8) await goes(crowd, choose);
      else {
        crowd.isClosed = true;
        crowd.story.push('the gate closes');
        entrance.gate.close();
      }
      const open = crowd.guests.filter(({ state }) => state === 'open').map(({ user }) => user);
      const known = () => [...entrance.gate.connections.values()].map(({ user }) => user).sort();
      equal(known, open.sort(), 'The gate knows who is in.', {
        given: crowd.facts,
        label: 'users',
      });
    }
  });
}

export const ANY_GATE: Scenario<Lesson> = {
  what: 'Any crowd: each comes in, or is refused for the right reason.',
  rules: [],
  check: (lesson) => generatedLater(30, (choose) => plays(lesson, choose), 60),
};
