/** What an engine for checks remembers: texts and streams, each for as long as it lives. */

/** A reply as RESP2 has it. `null`: there is nothing. */
export type Reply = string | number | null | readonly Reply[];

/** An entry of a stream: its id, then names and values in turn. */
export type StreamEntry = readonly [id: string, fields: readonly string[]];

/** Names of streams, each with the id behind which somebody reads. */
export type Streams = readonly (readonly [name: string, from: string])[];

/** The greatest id: both numbers have 64 bits. */
export const MAX_ID = '18446744073709551615-18446744073709551615';

/** With `~`, an engine forgets entries by the hundred, and keeps no fewer than it was told. */
const BLOCK_SIZE = 100;

interface Stored {
  value: string | StreamEntry[];
  /** Until when, in milliseconds. `Infinity`: for ever. */
  untilMs: number;
}

/** Keys and their values. */
export class KeySpace {
  readonly #now: () => number;
  readonly #stored = new Map<string, Stored>();

  /** Makes one without keys. `now` returns the time in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** The keys that still live. */
  get names(): string[] {
    return [...this.#stored.keys()].filter((key) => this.#find(key));
  }

  /** The entries of a stream, the oldest first. None: there is no such stream. */
  stream(name: string): StreamEntry[] {
    const value = this.#find(name)?.value ?? [];
    if (typeof value === 'string') throw wrongType();
    return value;
  }

  /** The id of the last entry of a stream, or `0-0`. */
  lastIdOf(name: string): string {
    return this.stream(name).at(-1)?.[0] ?? '0-0';
  }

  /** Finds what is behind these ids, in each stream `count` of it at most. `null`: nothing. */
  behind(streams: Streams, count: number): Reply {
    const found = streams.flatMap(([name, from]): Reply[] => {
      const entries = tail(this.stream(name), (id) => isBehind(id, from));
      return entries.length === 0 ? [] : [[name, entries.slice(0, count)]];
    });
    return found.length === 0 ? null : found;
  }

  /** Returns an id in full. Throws for what is none. */
  checked(id: string): string {
    return checked(id, 0n);
  }

  /** Carries a command out that is about keys. `undefined`: it does not know that command. */
  execute(command: string, words: readonly string[]): Reply | undefined {
    const [key = '', ...rest] = words;
    switch (command.toUpperCase()) {
      case 'PING':
        return 'PONG';
      case 'GET':
        return this.#get(key);
      case 'SET':
        return this.#set(key, rest);
      case 'DEL':
        return words.filter((name) => this.#find(name) && this.#stored.delete(name)).length;
      case 'EXISTS':
        return words.filter((name) => this.#find(name)).length;
      case 'EXPIRE':
        return this.#expire(key, rest[0] ?? '');
      case 'XLEN':
        return this.stream(key).length;
      case 'XADD':
        return this.#add(key, rest);
      case 'XRANGE':
        return this.#range(key, rest[0], rest[1], rest.slice(2));
      case 'XREVRANGE':
        return this.#range(key, rest[1], rest[0], rest.slice(2), true);
      default:
        return undefined;
    }
  }

  #find(key: string): Stored | undefined {
    const stored = this.#stored.get(key);
    if (stored && this.#now() < stored.untilMs) return stored;
    this.#stored.delete(key);
    return undefined;
  }

  #get(key: string): Reply {
    const value = this.#find(key)?.value ?? null;
    if (typeof value === 'object' && value !== null) throw wrongType();
    return value;
  }

  #set(key: string, [value = '', ...options]: readonly string[]): Reply {
    const words = options.map((word) => word.toUpperCase());
    if (words.includes('NX') && this.#find(key)) return null;
    const at = words.indexOf('EX');
    const untilMs = at < 0 ? Number.POSITIVE_INFINITY : this.#now() + seconds(options[at + 1]);
    this.#stored.set(key, { value, untilMs });
    return 'OK';
  }

  #expire(key: string, life: string): Reply {
    const ms = seconds(life);
    const stored = this.#find(key);
    if (!stored) return 0;
    stored.untilMs = this.#now() + ms;
    return 1;
  }

  #add(key: string, words: readonly string[]): Reply {
    let at = 0;
    let most = Number.POSITIVE_INFINITY;
    let isRough = false;
    if (words[0]?.toUpperCase() === 'MAXLEN') {
      isRough = words[1] === '~';
      at = isRough || words[1] === '=' ? 3 : 2;
      most = integer(words[at - 1]);
    }
    const [id = '', ...fields] = words.slice(at);
    if (fields.length === 0 || fields.length % 2 !== 0) {
      throw new Error("ERR wrong number of arguments for 'xadd' command");
    }
    const entries = this.stream(key);
    const added = this.#idFor(id, entries.at(-1)?.[0] ?? '0-0');
    entries.push([added, fields]);
    if (!this.#find(key))
      this.#stored.set(key, { value: entries, untilMs: Number.POSITIVE_INFINITY });
    const step = isRough ? BLOCK_SIZE : 1;
    while (entries.length - step >= most) entries.splice(0, step);
    return added;
  }

  #idFor(id: string, last: string): string {
    if (id !== '*') {
      const own = checked(id, 0n);
      if (isBehind(own, last)) return own;
      throw new Error(
        'ERR The ID specified in XADD is equal or smaller than the target stream top item',
      );
    }
    const [ms, number] = numbersOf(last);
    const now = BigInt(this.#now());
    return now > ms ? `${now}-0` : `${ms}-${number + 1n}`;
  }

  #range(
    key: string,
    start = '',
    end = '',
    options: readonly string[] = [],
    isBackwards = false,
  ): Reply {
    const [from, to] = [bound(start, 0n), bound(end, 2n ** 64n - 1n)];
    const behind = tail(this.stream(key), (id) => !isBehind(from, id));
    const found = to === MAX_ID ? behind : behind.filter(([id]) => !isBehind(id, to));
    if (isBackwards) found.reverse();
    return options[0]?.toUpperCase() === 'COUNT' ? found.slice(0, integer(options[1])) : found;
  }
}

/** The last entries whose ids are late enough. Few of many: so it looks from the end. */
function tail(entries: readonly StreamEntry[], isLate: (id: string) => boolean): StreamEntry[] {
  return entries.slice(entries.findLastIndex(([id]) => !isLate(id)) + 1);
}

function bound(id: string, rest: bigint): string {
  if (id === '-') return '0-0';
  return id === '+' ? MAX_ID : checked(id, rest);
}

function checked(id: string, rest: bigint): string {
  const [, first, second] = /^(\d+)(?:-(\d+))?$/.exec(id) ?? [];
  const numbers =
    first === undefined ? [] : [BigInt(first), second === undefined ? rest : BigInt(second)];
  if (numbers.length === 0 || numbers.some((number) => number >= 2n ** 64n)) {
    throw new Error('ERR Invalid stream ID specified as stream command argument');
  }
  return numbers.join('-');
}

function numbersOf(id: string): [bigint, bigint] {
  const [first = '', second = ''] = id.split('-');
  return [BigInt(first), BigInt(second)];
}

/** Says whether an id comes after another. */
function isBehind(id: string, other: string): boolean {
  const [[a1, a2], [b1, b2]] = [numbersOf(id), numbersOf(other)];
  return a1 > b1 || (a1 === b1 && a2 > b2);
}

function integer(word = ''): number {
  if (!/^-?\d+$/.test(word)) throw new Error('ERR value is not an integer or out of range');
  return Number(word);
}

function seconds(word: string | undefined): number {
  const number = integer(word);
  if (number <= 0) throw new Error('ERR invalid expire time');
  return number * 1000;
}

function wrongType(): Error {
  return new Error('WRONGTYPE Operation against a key holding the wrong kind of value');
}
