/** Bytes that arrive at several readers in turn, and what has to come out of each at each read. */
import { CheckFailure, equal, failsWith } from '../../../shared/harness/check.ts';
import type { About, Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { CloseCode, ProtocolError } from '../../../shared/protocol.ts';
import type { Refusal, Script } from './model.ts';
import type { Reader } from './readers.ts';

/** A reader, and what arrives there. */
export interface Party<T> {
  /** What it was made with, such as its role. */
  readonly given: readonly Fact[];
  readonly makeReader: () => Reader<T>;
  readonly script: Script<T>;
  /** Makes scripts that are easier, when so many bytes have arrived. */
  readonly easier?: (arrived: number) => readonly Easier<T>[];
}

/** An easier script, and what it shows when that is read right. */
export interface Easier<T> {
  readonly script: Script<T>;
  readonly cause: string;
}

/** How the memory of a read is used. */
interface Use {
  /** Bytes of something else before and behind those of the read, in the same buffer. */
  readonly around: number;
  readonly isBuffer: boolean;
  /** The caller uses the memory again at once, and not only when there is nothing more to read. */
  readonly isShort: boolean;
  /** The caller writes into what has come out: it is the caller's. */
  readonly isSpent: boolean;
}

/** A read that arrives at one of the parties: its bytes up to `end`, from where it was before. */
interface Arrival extends Use {
  readonly party: number;
  readonly end: number;
}

const PLAIN: Use = { around: 0, isBuffer: false, isShort: false, isSpent: false };

/** Lets bytes arrive at the parties, cut and in turn as it is drawn, and checks what comes out. */
export function play<T extends object>(choose: Choices, parties: readonly Party<T>[]): void {
  const plan = drawPlan(choose, parties);
  let place: Place = { party: 0, arrived: 0 };
  try {
    run(parties, plan, (now) => {
      place = now;
    });
  } catch (error) {
    if (!(error instanceof CheckFailure) || error.cause) throw error;
    // Looked for only when it is told: many cases fail on the way to the simplest.
    throw Object.defineProperty(error, 'cause', { get: () => likelyCause(parties, plan, place) });
  }
}

function drawPlan<T>(choose: Choices, parties: readonly Party<T>[]): Arrival[] {
  const ends = parties.map(({ script: { bytes } }) => {
    const most = choose.pick([bytes.length + 1, 40, 12, 4, 1]);
    return [...choose.cuts(bytes.length, most), bytes.length];
  });
  const plan: Arrival[] = [];
  for (let left = ends.flatMap((own, i) => (own.length > 0 ? [i] : [])); left.length > 0; ) {
    const party = choose.pick(left);
    plan.push({ party, end: ends[party]!.shift()!, ...drawUse(choose) });
    left = left.filter((i) => ends[i]!.length > 0);
  }
  return plan;
}

function drawUse(choose: Choices): Use {
  return {
    around: choose.pick([0, 0, 1, 7]),
    isBuffer: choose.oneIn(2),
    isShort: choose.oneIn(2),
    isSpent: choose.oneIn(3),
  };
}

/** Where a run is: at which party, and how many bytes have arrived there. */
interface Place {
  readonly party: number;
  readonly arrived: number;
}

/** Lets bytes arrive, and says where before each read. */
function run<T extends object>(
  parties: readonly Party<T>[],
  plan: readonly Arrival[],
  announce: (place: Place) => void = () => {},
): void {
  const sides = parties.map((party) => {
    return new Side(
      party,
      parties.filter((other) => other !== party),
    );
  });
  for (const arrival of plan) {
    announce({ party: arrival.party, arrived: arrival.end });
    sides[arrival.party]!.take(arrival);
  }
  for (const [i, side] of sides.entries()) {
    announce({ party: i, arrived: parties[i]!.script.bytes.length });
    side.checkKept();
  }
}

/** Easier uses of the memory of reads, and what it shows when those are read right. */
const EASIER_USES: readonly (readonly [use: Partial<Use>, cause: string])[] = [
  [
    { isSpent: false },
    'It is right until the caller writes into what was returned before. That belongs to the caller: return a copy, or memory that is used for nothing else.',
  ],
  [
    { isShort: false },
    'It is right when the pushed bytes stay as they are until they are read. Copy them in `push`: when it has returned, their memory is used again.',
  ],
  [
    PLAIN,
    'It is right with a Uint8Array that has a memory of its own. A read is often a Buffer, and a view into a larger buffer, with a byteOffset.',
  ],
];

/** Finds out what is behind a wrong reading, by reading again in easier ways. */
function likelyCause<T extends object>(
  parties: readonly Party<T>[],
  plan: readonly Arrival[],
  { party: at, arrived }: Place,
): string | undefined {
  const party = parties[at]!;
  const own = plan.filter((arrival) => arrival.party === at);
  const mine = own.map((arrival) => ({ ...arrival, party: 0 }));
  if (parties.length > 1 && holds([party], mine)) {
    return 'Alone, this reader reads the same bytes right. What it keeps belongs in its own fields: in the module, another reader finds it, too.';
  }
  const use = EASIER_USES.find(([easier]) => {
    return holds(
      [party],
      mine.map((arrival) => ({ ...arrival, ...easier })),
    );
  });
  if (use) return use[1];
  const isReadBytewise = (script: Script<T>) => {
    const { length } = script.bytes;
    const bytewise = Array.from({ length }, (_, i) => ({ ...PLAIN, party: 0, end: i + 1 }));
    return holds([{ ...party, script }], bytewise);
  };
  if (!isReadBytewise(party.script)) {
    const easier = party.easier?.(arrived).find(({ script }) => isReadBytewise(script));
    if (easier) return easier.cause;
  }
  if (mine.length > 1 && holds([party], mine.slice(-1))) {
    return 'The same bytes in one read are read right. Keep what is not complete, and go on from there when more comes.';
  }
  return undefined;
}

function holds<T extends object>(parties: readonly Party<T>[], plan: readonly Arrival[]): boolean {
  try {
    run(parties, plan);
    return true;
  } catch (error) {
    if (error instanceof CheckFailure) return false;
    throw error;
  }
}

const LEFT_ALONE = 'The bytes that are pushed belong to the caller: do not change them.';

const USED_AGAIN =
  'It was right when it was returned. Its memory has been used again since: copy what you return, or never write there again.';

const WENT_ON =
  'The first `read` threw, as it has to. The next one went on behind the header, as if nothing had happened.';

/** A reader while bytes arrive. */
class Side<T extends object> {
  readonly #party: Party<T>;
  readonly #reader: Reader<T>;
  readonly #others: readonly Party<T>[];
  readonly #about: About;
  /** How many bytes have arrived. */
  #arrived = 0;
  readonly #cuts: number[] = [];
  /** How many results have come out. */
  #count = 0;
  #isDone = false;
  /** What has come out and is kept, beside what it has to stay. */
  readonly #kept: [result: T, copy: T][] = [];

  constructor(party: Party<T>, others: readonly Party<T>[]) {
    this.#party = party;
    this.#reader = party.makeReader();
    this.#others = others;
    this.#about = this.#tellOf('you returned');
  }

  take({ end, around, isBuffer, isShort, isSpent }: Arrival): void {
    if (this.#isDone) return;
    if (this.#arrived > 0) this.#cuts.push(this.#arrived);
    const read = this.#party.script.bytes.subarray(this.#arrived, end);
    this.#arrived = end;
    const { buffer } = new Uint8Array(read.length + 2 * around);
    const chunk = isBuffer
      ? Buffer.from(buffer, around, read.length)
      : new Uint8Array(buffer, around, read.length);
    chunk.set(read);
    this.#push(chunk);
    this.#isLeftAlone(chunk, read);
    if (isShort) chunk.fill(0xaa);
    while (this.#readsOne(isSpent));
    if (!isShort) this.#isLeftAlone(chunk, read);
    chunk.fill(0xaa);
  }

  /** Checks that what is kept has stayed as it was. */
  checkKept(): void {
    const about = this.#tellOf('it is now', () => USED_AGAIN);
    for (const [result, copy] of this.#kept) {
      equal(() => result, copy, 'What has been returned stays as it is.', about);
    }
  }

  #push(chunk: Uint8Array): void {
    equal(
      () => {
        this.#reader.push(chunk);
      },
      undefined,
      '`push` only stores bytes: it never throws.',
      this.#about,
    );
  }

  #isLeftAlone(chunk: Uint8Array, read: Uint8Array): void {
    if (Buffer.compare(chunk, read) === 0) return;
    equal(() => chunk, read, LEFT_ALONE, this.#tellOf('they are now'));
  }

  /** Reads once. Returns whether there may be more. */
  #readsOne(isSpent: boolean): boolean {
    const { results, refusal } = this.#party.script;
    const due = results[this.#count];
    if (due && due.end <= this.#arrived) {
      this.#comesOut(due.value, isSpent);
      return true;
    }
    const isNext = due === undefined && refusal !== undefined;
    if (isNext && refusal.at <= this.#arrived) this.#isRefused(refusal);
    else {
      const code = isNext && refusal.from <= this.#arrived ? refusal.code : undefined;
      equal(
        () => this.#readOrRefuse(code),
        undefined,
        'Nothing is returned before it is complete.',
        this.#about,
      );
    }
    return false;
  }

  #comesOut(value: T, isSpent: boolean): void {
    let result: T | undefined;
    equal(
      () => {
        result = this.#reader.read();
        return result;
      },
      value,
      'What is complete is returned by the next `read`, in order.',
      this.#about,
    );
    this.#count++;
    if (isSpent) spend(result!);
    else this.#kept.push([result!, value]);
  }

  /** Reads. With `code`, it is known, and need not be, that the peer has made a mistake. */
  #readOrRefuse(code: CloseCode | undefined): T | undefined {
    try {
      return this.#reader.read();
    } catch (error) {
      if (!(error instanceof ProtocolError) || error.closeCode !== code) throw error;
      this.#isDone = true;
      return undefined;
    }
  }

  #isRefused({ code, why }: Refusal): void {
    this.#isDone = true;
    const given: Fact[] = [...this.#given(), ['not allowed', why]];
    const refuses = 'What a peer may not send is refused as soon as it is seen.';
    failsWith(code, () => this.#reader.read(), refuses, { given });
    if (code === CloseCode.InvalidPayload) return;
    const never =
      'Nothing of a frame that has been refused is returned, not by a later `read` either.';
    equal(() => this.#readAgain(), undefined, never, { given, cause: () => WENT_ON });
  }

  /** Reads when that is of no use any more. It may throw. */
  #readAgain(): T | undefined {
    try {
      return this.#reader.read();
    } catch {
      return undefined;
    }
  }

  /** What to tell. It takes a while to write, and is not looked at when all is well. */
  #tellOf(label: string, cause: () => string | undefined = () => undefined): About {
    const given = () => this.#given();
    return {
      get given() {
        return given();
      },
      cause,
      label,
    };
  }

  #given(): Fact[] {
    const { given, script } = this.#party;
    const bytes = script.bytes.slice(0, this.#arrived);
    const cuts = [...this.#cuts];
    const how = cuts.length === 0 ? 'in one read' : `in ${cuts.length + 1} reads`;
    const busy = this.#others.filter((other) => other.script.bytes.length > 0);
    const others = busy.map((other): Fact => {
      return ['meanwhile, elsewhere', `another reader gets ${show(other.script.bytes)}`];
    });
    return [...given, [`Arrived ${how}`, { bytes, cuts }], ...others];
  }
}

/** Overwrites the bytes of what has come out. */
function spend(result: object): void {
  for (const value of Object.values(result)) if (value instanceof Uint8Array) value.fill(0xbb);
}
