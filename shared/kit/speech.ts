/** What a peer says after the handshake, drawn from choices, and how it comes in reads. */
import { Opcode } from '../protocol.ts';
import { closeBody, join, utf8 } from './frames.ts';
import type { Choices } from './generate.ts';

/** What something that a peer says means to its receiver. */
export type Meaning =
  | { readonly type: 'event'; readonly event: { readonly type: 'text'; readonly data: string } }
  | {
      readonly type: 'event';
      readonly event: { readonly type: 'binary'; readonly data: Uint8Array };
    }
  | {
      readonly type: 'event';
      readonly event: { readonly type: 'pong'; readonly payload: Uint8Array };
    }
  | { readonly type: 'ping'; readonly payload: Uint8Array }
  /** A legal Close. `code` is `undefined` when it is empty. */
  | { readonly type: 'close'; readonly code: number | undefined; readonly reason: string }
  /** It breaks a rule, for which the connection fails with this code. */
  | { readonly type: 'fault'; readonly code: number };

/** Something that a peer says. */
export interface Spoken<Arrival = Meaning> {
  /** For people: such as `a Ping`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What it means. `undefined`: nothing by itself. */
  readonly arrival: Arrival | undefined;
  /** Comes in one read: whether it is refused earlier or later is left open. */
  readonly isWhole?: boolean;
}

/** Something that breaks a rule, and the code with which the connection fails. */
export type Fault = readonly [name: string, bytes: Uint8Array, code: number];

/** What can be said, as a method of `Speaker`. */
export type Kind = 'text' | 'binary' | 'fragments' | 'pong' | 'ping' | 'close' | 'fault';

/** A peer that says what it likes, in the frames of its role. */
export class Speaker {
  readonly #frame: (opcode: number, payload: string | Uint8Array, fin?: boolean) => Uint8Array;
  readonly #texts: readonly string[];
  readonly #faults: readonly Fault[];

  /** `frame` encodes a frame as such a peer sends it. */
  constructor(
    frame: (opcode: number, payload: string | Uint8Array, fin?: boolean) => Uint8Array,
    texts: readonly string[],
    faults: readonly Fault[],
  ) {
    this.#frame = frame;
    this.#texts = texts;
    this.#faults = faults;
  }

  /** Draws what it says next: up to three things of these kinds, the simplest first. */
  draw(choose: Choices, kinds: readonly Kind[]): Spoken[] {
    const one = () => this[choose.pick(kinds)](choose);
    return [one(), ...choose.list(2, one)].flat();
  }

  text(choose: Choices): Spoken[] {
    const data = choose.pick(this.#texts);
    const bytes = this.#frame(Opcode.Text, data);
    return [{ name: `the Text ${JSON.stringify(data)}`, bytes, arrival: heardText(data) }];
  }

  binary(choose: Choices): Spoken[] {
    const data = choose.bytes(choose.below(4));
    const bytes = this.#frame(Opcode.Binary, data);
    const arrival = { type: 'event', event: { type: 'binary', data } } as const;
    return [{ name: `a Binary of ${data.length} bytes`, bytes, arrival }];
  }

  /** A text in fragments, with a Pong between them or not. */
  fragments(choose: Choices): Spoken[] {
    const data = choose.pick(this.#texts);
    const payload = utf8(data);
    const at = choose.below(payload.length + 1);
    return [
      {
        name: 'the first fragment of a Text',
        bytes: this.#frame(Opcode.Text, payload.subarray(0, at), false),
        arrival: undefined,
      },
      ...(choose.oneIn(2) ? this.pong(choose) : []),
      {
        name: `the last fragment of the Text ${JSON.stringify(data)}`,
        bytes: this.#frame(Opcode.Continuation, payload.subarray(at)),
        arrival: heardText(data),
      },
    ];
  }

  pong(choose: Choices): Spoken[] {
    const payload = choose.bytes(choose.below(3));
    const arrival = { type: 'event', event: { type: 'pong', payload } } as const;
    return [{ name: 'a Pong', bytes: this.#frame(Opcode.Pong, payload), arrival }];
  }

  ping(choose: Choices): Spoken[] {
    const payload = choose.bytes(choose.below(3));
    const bytes = this.#frame(Opcode.Ping, payload);
    return [{ name: 'a Ping', bytes, arrival: { type: 'ping', payload } }];
  }

  close(choose: Choices): Spoken[] {
    const code = choose.pick([1000, undefined, 1001, 4001]);
    const reason = code === undefined ? '' : choose.pick(['', 'bye', '再见']);
    const body = code === undefined ? new Uint8Array(0) : closeBody(code, reason);
    const name = code === undefined ? 'an empty Close' : `a Close with ${code}`;
    const bytes = this.#frame(Opcode.Close, body);
    return [{ name, bytes, arrival: { type: 'close', code, reason } }];
  }

  fault(choose: Choices): Spoken[] {
    const [name, bytes, code] = choose.pick(this.#faults);
    return [{ name, bytes, arrival: { type: 'fault', code }, isWhole: true }];
  }
}

function heardText(data: string): Meaning {
  return { type: 'event', event: { type: 'text', data } };
}

/** What a peer says, and has not arrived yet. */
export class Coming<Arrival> {
  readonly #draw: () => readonly Spoken<Arrival>[];
  readonly #spoken: Spoken<Arrival>[];
  /** So many bytes of the first have arrived. */
  #arrived = 0;

  /** `draw` draws what it says next, whenever all before it has arrived; `first` comes before. */
  constructor(draw: () => readonly Spoken<Arrival>[], first: readonly Spoken<Arrival>[] = []) {
    this.#draw = draw;
    this.#spoken = [...first];
  }

  /** Draws the next read: its bytes, perhaps none, and what has arrived as a whole with them. */
  read(choose: Choices): { readonly chunk: Uint8Array; readonly whole: Spoken<Arrival>[] } {
    if (this.#spoken.length === 0) this.#spoken.push(...this.#draw());
    const count = choose.below(this.#spoken.length + 1);
    const [last] = this.#spoken.slice(count);
    const whole = this.#spoken.splice(0, count);
    const pieces = whole.map(({ bytes }, i) => (i === 0 ? bytes.subarray(this.#arrived) : bytes));
    if (count > 0) this.#arrived = 0;
    const rest = last?.isWhole || !last ? 0 : last.bytes.length - this.#arrived;
    const part = rest > 1 ? choose.below(rest) : 0;
    if (last) pieces.push(last.bytes.subarray(this.#arrived, this.#arrived + part));
    this.#arrived += part;
    return { chunk: join(...pieces), whole };
  }
}

/** Says whether an event has all that is expected of it, byte by byte. */
export function hasAll(event: object, expected: object): boolean {
  const actual = event as Record<string, unknown>;
  return Object.entries(expected).every(([key, value]) =>
    value instanceof Uint8Array
      ? actual[key] instanceof Uint8Array && Buffer.compare(actual[key], value) === 0
      : actual[key] === value,
  );
}
