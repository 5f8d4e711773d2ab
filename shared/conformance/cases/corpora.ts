/**
 * What is sent to be compressed: the kinds of data that the Autobahn test suite has in files, made by
 * generators, which give the same each time.
 */
import { utf8 } from '../../kit/frames.ts';

/** Numbers that look random, and are the same each time. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A number from 0 to `below` - 1. */
  roll(below: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % below;
  }

  /** One of some things. */
  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)]!;
  }
}

/** How large each of them is, in characters or bytes: no multiple of the length of a message. */
const SIZE = 200_003;

const WORDS =
  'the of and a to in is was he for it with as his on be at by had not are but from or have an they which one you were all her she there would their we him been has when who will no more if out so said what up its about into than them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years much where your way down should because long each just those people too how little state good very make world still own see work men day get here between both life being under three never know same last another while us might great old year come since against go came right used take'.split(
    ' ',
  );
const NAMES = ['ana', 'björn', 'chloé', 'dmitri', 'eşref', '小明', 'Ζωή'];

/** Joins what is made, one after the other, until there is enough of it. */
function grow(seed: number, make: (dice: Dice) => string): string {
  const dice = new Dice(seed);
  const parts: string[] = [];
  for (let size = 0; size < SIZE; size += parts.at(-1)!.length) parts.push(make(dice));
  return parts.join('').slice(0, SIZE);
}

const sentence = (dice: Dice) => {
  const words = Array.from({ length: 4 + dice.roll(12) }, () => dice.pick(WORDS)).join(' ');
  return `${words[0]!.toUpperCase()}${words.slice(1)}${dice.pick(['.', '.', ',', '!', '?'])} `;
};

const logLine = (dice: Dice) =>
  `{"time":"2026-11-${10 + dice.roll(20)}T${10 + dice.roll(14)}:${10 + dice.roll(50)}:07Z","level":"${dice.pick(['info', 'info', 'warn', 'error'])}","user":"${dice.pick(NAMES)}","bytes":${dice.roll(100_000)},"path":"/${dice.pick(WORDS)}/${dice.pick(WORDS)}"}\n`;

const element = (dice: Dice) => {
  const tag = dice.pick(['p', 'li', 'td', 'div', 'span']);
  return `  <${tag} class="${dice.pick(['row', 'cell', 'note'])}" id="n${dice.roll(10_000)}">${sentence(dice)}</${tag}>\n`;
};

/** A picture with 512 pixels in a row: a gradient, and some noise on it. */
function bitmap(): Uint8Array {
  const dice = new Dice(31);
  return new Uint8Array(SIZE).map((_, i) => ((i % 512) >> 2) + ((i >> 9) & 63) + dice.roll(9));
}

/** Something like a document with pictures in it: for the most part, it cannot be made shorter. */
function noise(): Uint8Array {
  const dice = new Dice(41);
  return new Uint8Array(SIZE).map((_, i) => (i % 4096 < 512 ? i & 15 : dice.roll(256)));
}

/** Makes something when it is needed, and once. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The kinds of data, each a long text, or bytes. */
export const CORPORA = {
  json: once(() => grow(11, logLine)),
  bitmap: once(bitmap),
  prose: once(() => utf8(grow(21, sentence))),
  html: once(() => `<!doctype html>\n<html>\n${grow(51, element)}`.slice(0, SIZE)),
  noise: once(noise),
};

/** Returns so many characters of a text, or so many bytes, from a place on; behind the end is the start. */
export function slice<T extends string | Uint8Array>(from: T, at: number, size: number): T {
  const start = at % from.length;
  const whole = from.slice(start, start + size) as T;
  if (whole.length === size) return whole;
  const rest = slice(from, 0, size - whole.length);
  return (
    typeof whole === 'string' ? whole + rest : Buffer.concat([whole, rest as Uint8Array])
  ) as T;
}
