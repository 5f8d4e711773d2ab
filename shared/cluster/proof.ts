/** What was said, what the history has, and what each client was shown: do they agree? */
import type { Bus, Entry } from '../../solutions/09-production/production.ts';

/** A message, as far as it matters here: what somebody says first is before what they say next. */
export interface Message {
  readonly user: string;
  readonly text: string;
}

/** What is wrong with a list of messages. */
export interface Faults {
  readonly missing: number;
  readonly twice: number;
  readonly outOfOrder: number;
}

/** How many messages to ask the history for at once. */
const PAGE = 1_000;

/** Reads all messages of a room behind `start`. `undefined`: the history has forgotten some. */
export async function readAll(bus: Bus, room: string, start: string): Promise<Entry[] | undefined> {
  const entries: Entry[] = [];
  for (;;) {
    const page = await bus.after(room, entries.at(-1)?.id ?? start, PAGE);
    if (page === undefined) return undefined;
    if (page.length === 0) return entries;
    entries.push(...page);
  }
}

/** Compares the history with what was said: each user's messages have to be there, in their order. */
export function compareWithSaid(said: readonly Message[], stream: readonly Message[]): Faults {
  const found = new Set(stream.map(keyOf));
  const places = new Map(said.map((message, i) => [keyOf(message), i]));
  const last = new Map<string, number>();
  let outOfOrder = 0;
  // The first of each: one that comes again is twice there, and not out of order.
  for (const message of new Map(stream.map((message) => [keyOf(message), message])).values()) {
    const place = places.get(keyOf(message)) ?? -1;
    if (place < (last.get(message.user) ?? 0)) outOfOrder++;
    last.set(message.user, place);
  }
  const missing = said.filter((message) => !found.has(keyOf(message))).length;
  return { missing, twice: stream.length - found.size, outOfOrder };
}

/** Compares what a client was shown with the history: it has to be the same list. */
export function compareWithStream(stream: readonly Entry[], shown: readonly Entry[]): Faults {
  const places = new Map(stream.map((entry, i) => [entryKeyOf(entry), i]));
  const found = new Set(shown.map(entryKeyOf));
  let last = -1;
  let outOfOrder = 0;
  for (const key of found) {
    const place = places.get(key) ?? -1;
    if (place < last) outOfOrder++;
    last = place;
  }
  const missing = stream.filter((entry) => !found.has(entryKeyOf(entry))).length;
  return { missing, twice: shown.length - found.size, outOfOrder };
}

/** Adds up what is wrong with several lists. */
export function sum(faults: readonly Faults[]): Faults {
  const total = (name: keyof Faults) => faults.reduce((so, one) => so + one[name], 0);
  return {
    missing: total('missing'),
    twice: total('twice'),
    outOfOrder: total('outOfOrder'),
  };
}

const keyOf = ({ user, text }: Message) => JSON.stringify([user, text]);
const entryKeyOf = ({ id, user, text }: Entry) => JSON.stringify([id, user, text]);
