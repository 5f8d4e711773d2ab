/**
 * Counts what code does and nobody sees: the memory it takes, the bytes it copies, and what it puts
 * off. What it does that with is replaced for as long as somebody counts. Whoever has a method or a
 * class in a variable of their own, since before that, goes uncounted.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What code has done. */
export interface Work {
  /** How many views of memory it has made, by `subarray` or a constructor. */
  views: number;
  /** How many typed arrays and array buffers with memory of their own. */
  arrays: number;
  /** How many Buffers that are no views, such as by `Buffer.concat`. */
  buffers: number;
  /** How much memory all those have, in bytes. */
  reservedBytes: number;
  /** How many bytes it has copied, but for those of a loop of its own. */
  copiedBytes: number;
  /** How many texts it has encoded. */
  encodedTexts: number;
  /** How many it has decoded. One that is decoded in pieces counts for each of them. */
  decodedTexts: number;
  /** How many functions it has given to `queueMicrotask`. */
  microtasks: number;
  /** How many to `process.nextTick`. */
  ticks: number;
  /** How many promises it has made. One that is waited for makes another. */
  promises: number;
  /** How many immediates it has set, and how many timers. */
  immediates: number;
  timers: number;
}

/** Is JavaScript frozen, as it is for code that nobody trusts? */
const IS_FROZEN = process.execArgv.includes('--frozen-intrinsics');

/** Whose work is done. One for all, so that work that goes on at the same time is kept apart. */
const scope = new AsyncLocalStorage<Work>();
/** How many are counting. */
let users = 0;
let isAside = false;

/** Counts what a function does until it returns. */
export function workOf(run: () => void): Work {
  const work = nothing();
  begin();
  try {
    scope.run(work, run);
  } finally {
    end();
  }
  return work;
}

/**
 * Counts what functions do, one after the other, and what they put off: each is waited for, and then
 * has a turn of the event loop to itself. The waiting does not count.
 */
export async function workOfEach(runs: Iterable<() => void | Promise<void>>): Promise<Work> {
  const work = nothing();
  begin();
  try {
    for (const run of runs) {
      await scope.run(work, run);
      await nextTurn();
    }
  } finally {
    end();
  }
  return work;
}

/** Runs code of a check in the midst of what is counted: until it returns, nothing counts. */
export function aside<T>(run: () => T): T {
  const before = isAside;
  isAside = true;
  try {
    return run();
  } finally {
    isAside = before;
  }
}

/** What has been called on a socket, how often, and what has been written to it. */
export interface SocketWork {
  readonly calls: Readonly<Record<(typeof SOCKET_CALLS)[number], number>>;
  /** The very chunks, in their order. */
  readonly chunks: readonly (string | Uint8Array)[];
}

const SOCKET_CALLS = ['write', 'cork', 'uncork', 'pause', 'resume', 'end', 'destroy'] as const;

/** Counts the calls on a socket from now on. What they do themselves does not count as work. */
export function workOn(socket: Duplex): SocketWork {
  const chunks: (string | Uint8Array)[] = [];
  const calls = { write: 0, cork: 0, uncork: 0, pause: 0, resume: 0, end: 0, destroy: 0 };
  for (const name of SOCKET_CALLS) {
    const method: Method = socket[name];
    const value = (...args: unknown[]) => {
      calls[name]++;
      if (name === 'write') chunks.push(args[0] as string | Uint8Array);
      return aside(() => Reflect.apply(method, socket, args));
    };
    Object.defineProperty(socket, name, { value, configurable: true, writable: true });
  }
  return { calls, chunks };
}

function nothing(): Work {
  return {
    views: 0,
    arrays: 0,
    buffers: 0,
    reservedBytes: 0,
    copiedBytes: 0,
    encodedTexts: 0,
    decodedTexts: 0,
    microtasks: 0,
    ticks: 0,
    promises: 0,
    immediates: 0,
    timers: 0,
  };
}

const PUT_OFF: Readonly<Record<string, keyof Work>> = {
  Microtask: 'microtasks',
  TickObject: 'ticks',
  PROMISE: 'promises',
  Immediate: 'immediates',
  Timeout: 'timers',
};

const hook = createHook({
  init(_, type) {
    const kind = PUT_OFF[type];
    const work = kind && current();
    if (work) work[kind]++;
  },
});

/** What the present code counts for. `undefined`: nothing. */
function current(): Work | undefined {
  return isAside ? undefined : scope.getStore();
}

function begin(): void {
  if (++users > 1) return;
  if (!IS_FROZEN) install();
  hook.enable();
}

function end(): void {
  if (--users > 0) return;
  hook.disable();
  scope.disable();
  if (!IS_FROZEN) uninstall();
}

// biome-ignore lint/suspicious/noExplicitAny: the methods of anything, and what they take and return.
type Anything = any;
type Method = (this: Anything, ...args: Anything[]) => Anything;

/** Notes a call that has been made: what it returned, and what it was called with. */
type Note = (work: Work, result: Anything, args: readonly Anything[]) => void;

const isMemory = (value: unknown) =>
  value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;

const noteView: Note = (work) => {
  work.views++;
};

const noteArray: Note = (work, { byteLength }) => {
  work.arrays++;
  work.reservedBytes += byteLength;
};

const noteBuffer: Note = (work, { byteLength }) => {
  work.buffers++;
  work.reservedBytes += byteLength;
};

const noteText: Note = (work, _, [text]) => {
  if (typeof text === 'string') work.encodedTexts++;
};

const noteDecoding: Note = (work) => {
  work.decodedTexts++;
};

const noteCopy: Note = (work, { byteLength }) => {
  work.copiedBytes += byteLength;
};

const both =
  (one: Note, two: Note): Note =>
  (...call) => {
    one(...call);
    two(...call);
  };

const noteCopiedArray = both(noteArray, noteCopy);
const noteCopiedBuffer = both(noteBuffer, noteCopy);

/** `Buffer.from` shares memory, encodes, or copies. */
const noteFrom: Note = (...call) => {
  const [, , [source]] = call;
  if (isMemory(source)) noteView(...call);
  else if (typeof source === 'string') both(noteBuffer, noteText)(...call);
  else noteCopiedBuffer(...call);
};

/** A constructor of typed arrays shares memory, copies, or does neither. */
const noteConstruction: Note = (...call) => {
  const [, , [source]] = call;
  if (isMemory(source)) noteView(...call);
  else if (typeof source === 'object') noteCopiedArray(...call);
  else noteArray(...call);
};

/** The index that an argument means: a negative one counts from the end. */
const placeIn = (length: number, place = 0) =>
  place < 0 ? Math.max(0, length + place) : Math.min(place, length);

const TypedArray: typeof Uint8Array = Object.getPrototypeOf(Uint8Array);

/** Whoever looks for a mistake prints something: the work of that is not theirs. */
const PRINTING = Object.fromEntries(
  ['log', 'info', 'warn', 'error', 'debug', 'dir', 'table', 'trace'].map((name) => [
    name,
    () => {},
  ]),
);

/** The methods that count, by what has them. */
const METHODS: readonly (readonly [object, Readonly<Record<string, Note>>])[] = [
  [TypedArray, { from: noteCopiedArray }],
  [
    TypedArray.prototype,
    {
      subarray: noteView,
      slice: noteCopiedArray,
      set: (work, _, [source]) => {
        work.copiedBytes += source.byteLength ?? source.length;
      },
      copyWithin: (work, { length, BYTES_PER_ELEMENT }, [target, start, end = length]) => {
        const [to, from, until] = [target, start, end].map((place) => placeIn(length, place));
        const moved = Math.max(0, Math.min(until! - from!, length - to!));
        work.copiedBytes += moved * BYTES_PER_ELEMENT;
      },
    },
  ],
  [ArrayBuffer.prototype, { slice: noteCopiedArray }],
  [
    Buffer,
    {
      alloc: noteBuffer,
      allocUnsafe: noteBuffer,
      allocUnsafeSlow: noteBuffer,
      from: noteFrom,
      concat: noteCopiedBuffer,
      copyBytesFrom: noteCopiedBuffer,
    },
  ],
  [
    Buffer.prototype,
    {
      subarray: noteView,
      slice: noteView,
      copy: (work, copied) => {
        work.copiedBytes += copied;
      },
      write: noteText,
      utf8Write: noteText,
      latin1Write: noteText,
      toString: noteDecoding,
      utf8Slice: noteDecoding,
      latin1Slice: noteDecoding,
      asciiSlice: noteDecoding,
    },
  ],
  [console, PRINTING],
  [TextDecoder.prototype, { decode: noteDecoding }],
  [StringDecoder.prototype, { write: noteDecoding, end: noteDecoding }],
  [TextEncoder.prototype, { encode: both(noteArray, noteText), encodeInto: noteText }],
];

/** The global classes that count when an object of theirs is made. */
const CLASSES: Readonly<Record<string, Note>> = {
  ArrayBuffer: noteArray,
  DataView: noteView,
  ...Object.fromEntries(
    ['Int8', 'Uint8', 'Uint8Clamped', 'Int16', 'Uint16', 'Int32', 'Uint32', 'BigInt64', 'BigUint64']
      .concat(['Float32', 'Float64'])
      .map((name) => [`${name}Array`, noteConstruction]),
  ),
};

function countingMethod(method: Method, note: Note): Method {
  return function (...args) {
    const work = current();
    const call = () => Reflect.apply(method, this, args);
    if (!work) return call();
    const result = aside(call);
    note(work, result, args);
    return result;
  };
}

function countingClass(real: new (...args: Anything[]) => object, note: Note): object {
  const counting: object = new Proxy(real, {
    construct(_, args, asked) {
      const work = current();
      const call = () => Reflect.construct(real, args, asked === counting ? real : asked);
      if (!work) return call();
      const result = aside(call);
      note(work, result, args);
      return result;
    },
  });
  return counting;
}

/** What is replaced while somebody counts, and by what it was. */
const replaced: (readonly [object: object, name: string, was: PropertyDescriptor])[] = [];

function replace(object: object, name: string, by: (value: Anything) => unknown): void {
  const was = Object.getOwnPropertyDescriptor(object, name);
  if (!was) return;
  replaced.push([object, name, was]);
  Object.defineProperty(object, name, { ...was, value: by(was.value) });
}

function install(): void {
  for (const [object, notes] of METHODS) {
    for (const [name, note] of Object.entries(notes)) {
      replace(object, name, (method) => countingMethod(method, note));
    }
  }
  for (const [name, note] of Object.entries(CLASSES)) {
    replace(globalThis, name, (real) => countingClass(real, note));
  }
}

function uninstall(): void {
  for (const [object, name, was] of replaced.splice(0)) Object.defineProperty(object, name, was);
}

// What is frozen cannot be replaced later, and stays so: this module is loaded before Node freezes it.
if (IS_FROZEN) install();
