/** Whoever began an earlier lesson with an older stub is told what a later one needs of it. */
import { expect, test } from 'vitest';
import { findTarget } from '../../shared/course/lessons.ts';
import { makePartial, makeStub } from '../../shared/course/stub.ts';
import { CheckFailure } from '../../shared/harness/check.ts';
import type { Fact } from '../../shared/harness/facts.ts';
import { runStep } from '../../shared/harness/run.ts';
import { type AnySpec, loadSpec } from '../../shared/harness/spec.ts';
import type * as Server from '../../solutions/05-server/server.ts';
import { hookOfServer } from '../specs/08-speed/hooks.ts';
import { loadVariant, sourceOf } from '../traps/load-variant.ts';
import { spring } from '../traps/spring.ts';
import type { Edit } from '../traps/trap.ts';

/** What is missed, and how the two lines that are told for it are put in. */
type Hook = readonly [what: string, edit: (one: string, two: string) => readonly Edit[]];

/** A lesson that was finished before its hooks were there. */
interface Older {
  readonly lesson: string;
  /** The lesson that needs its hooks. Absent: lesson 07. */
  readonly by?: string;
  /** The step of that lesson that needs them. */
  readonly step: number;
  /** What makes the file that it was, out of that of today. */
  readonly old: readonly Edit[];
  /** Its hooks, in the order in which they are missed. */
  readonly hooks: readonly Hook[];
}

const WATCH = '(header) => {\n      this.#check(header);\n      this.#header = header;\n    }';

const READING: Older = {
  lesson: '02',
  step: 6,
  old: [
    ['readonly #frames: FrameSource;', `readonly #frames = new FrameReader(${WATCH});`],
    [
      `,\n    makeFrames: (check: (header: FrameHeader) => void) => FrameSource = (check) =>\n      new FrameReader(check),\n  ) {`,
      ') {',
    ],
    [`    this.#frames = makeFrames(${WATCH});\n`, ''],
  ],
  hooks: [
    [
      'The `MessageReader` of lesson 02 gets its frames from where it is told to.',
      (one, two) => [
        [
          `readonly #frames = new FrameReader(${WATCH});`,
          "readonly #frames: Pick<FrameReader, 'push' | 'read' | 'peek'>;",
        ],
        [
          'maxMessageBytes = MAX_MESSAGE_BYTES) {',
          `maxMessageBytes = MAX_MESSAGE_BYTES, ${one}) {`,
        ],
        [
          'this.#maxMessageBytes = maxMessageBytes;',
          `this.#maxMessageBytes = maxMessageBytes;\n${two.replace(/\/\*.*\*\//, WATCH)}`,
        ],
      ],
    ],
  ],
};

const SENDING: Older = {
  lesson: '03',
  step: 7,
  old: [
    ['{ fin, rsv1, opcode, payload', '{ fin, opcode, payload'],
    [' | (rsv1 ? 0x40 : 0) | ', ' | '],
  ],
  hooks: [
    [
      'The encoders of lesson 03 write RSV1 of a frame that has `rsv1`.',
      (one, two) => [
        ['{ fin, opcode, payload: { length } }: Frame', 'frame: Frame'],
        [
          'bytes[at] = (fin ? 0x80 : 0) | opcode;',
          `const { fin, opcode, payload: { length } } = frame;\nconst finBit = fin ? 0x80 : 0;\n${one}\n${two}`,
        ],
      ],
    ],
  ],
};

/** Makes one method of `send` and `sendFrames`. */
const UNDIVIDED_SEND: Edit = [
  'return this.sendFrames(\n      this.#extension\n        ? this.#extension.framesFor(opcode, payload, MAX_FRAGMENT_BYTES, options)\n        : fragment(opcode, payload, MAX_FRAGMENT_BYTES),\n    );\n  }\n\n  /** Step 3 · Sends a message that is cut into frames already, and returns what `send` returns. */\n  sendFrames(frames: readonly Frame[]): boolean {\n',
  'const frames = fragment(opcode, payload, MAX_FRAGMENT_BYTES);\n',
];

/** A queue that makes frames of its own. */
const COPYING: Older = {
  lesson: '03',
  step: 7,
  old: [
    [
      '    const frame = this.#messages.take();\n    this.#begun',
      '    const frame = copyOf(this.#messages.take());\n    this.#begun',
    ],
    [
      '/** Frames, first in, first out.',
      'function copyOf(frame: Frame | undefined): Frame | undefined {\n  if (!frame) return undefined;\n  const { fin, opcode, payload } = frame;\n  return { fin, opcode, payload };\n}\n\n/** Frames, first in, first out.',
    ],
  ],
  hooks: [
    [
      'The `SendQueue` of lesson 03 hands out frames with the `rsv1` that they had.',
      (one, two) => [
        ['const { fin, opcode, payload } = frame;', one],
        ['return { fin, opcode, payload };', two],
      ],
    ],
  ],
};

const SERVER: Older = {
  lesson: '05',
  step: 8,
  old: [
    ['return policy.extend?.(opening, request) ?? opening;', 'return opening;'],
    ['wake: () => void, extension?: Extension) {', 'wake: () => void) {'],
    ['    this.#extension = extension;\n', ''],
    [
      'extension\n      ? extension.readerFor(limits.maxMessageBytes)\n      : new MessageReader(',
      'new MessageReader(',
    ],
    [
      'send(data: string | Uint8Array, options?: SendOptions): boolean {',
      'send(data: string | Uint8Array): boolean {',
    ],
    UNDIVIDED_SEND,
    [
      'for (const frame of frames) this.#waitingBytes += frame.payload.length;\n    this.#waitingBytes += MESSAGE_COST_BYTES;',
      'this.#waitingBytes += payload.length + MESSAGE_COST_BYTES;',
    ],
    ['() => this.#wake(), extension)', '() => this.#wake())'],
  ],
  hooks: [
    [
      'What `openingHandshake` of lesson 05 has accepted goes through `extend`.',
      (_, two) => [['return opening;', two]],
    ],
    [
      'A `Connection` of lesson 05 with an extension reads with its reader.',
      (one, two) => [
        [
          'constructor(limits: Limits, now: () => number, wake: () => void) {',
          `${one} {\n    this.#extension = extension;`,
        ],
        ["this.#reader = new MessageReader('server', limits.maxMessageBytes);", two],
      ],
    ],
    [
      'A `Connection` of lesson 05 with an extension sends the frames that this makes.',
      (one, two) => [
        ['send(data: string | Uint8Array): boolean', one],
        ['const frames = fragment(opcode, payload, MAX_FRAGMENT_BYTES);', two],
      ],
    ],
    [
      'What waits in a `Connection` of lesson 05 is as many bytes as its frames have.',
      (one, two) => [
        ['this.#waitingBytes += payload.length + MESSAGE_COST_BYTES;', `${one}\n${two}`],
      ],
    ],
    [
      'The `WebSocketServer` of lesson 05 hands `extend` on, and what that has agreed on.',
      () => [['() => this.#wake())', '() => this.#wake(), opening.extension)']],
    ],
  ],
};

const CLIENT: Older = {
  lesson: '06',
  step: 9,
  old: [
    [`    ...(offer ? [\`Sec-WebSocket-Extensions: \${offer.header}\`] : []),\n`, ''],
    ["if (!hasOffered && valuesOf('sec-", "if (valuesOf('sec-"],
    [', this.#offer !== undefined);', ');'],
    ['    this.#extension = this.#offer?.agree(head);\n', ''],
    [
      '    if (this.#extension) {\n      this.#reader = this.#extension.readerFor(this.#limits.maxMessageBytes);\n    }\n',
      '',
    ],
    [
      'send(data: string | Uint8Array, options?: SendOptions): boolean',
      'send(data: string | Uint8Array): boolean',
    ],
    [
      '    const frames = this.#extension?.framesFor(opcode, payload, Number.MAX_SAFE_INTEGER, options);\n    this.#queue.addMessage(frames ?? [{ fin: true, opcode, payload }]);\n    this.#waiting.push(payload.length);\n',
      '    this.#queue.addMessage([{ fin: true, opcode, payload }]);\n',
    ],
    ['? 0 : (this.#waiting.shift() ?? 0));', '? 0 : frame.payload.length);'],
  ],
  hooks: [
    [
      'The request of lesson 06 has what is on offer.',
      (_, two) => [
        ["    'Sec-WebSocket-Version: 13',\n", `    'Sec-WebSocket-Version: 13',\n    ${two}\n`],
      ],
    ],
    [
      'The client of lesson 06 lets the `agree` of an offer look at the response.',
      (one, two) => [
        ["if (valuesOf('sec-websocket-extensions').length > 0) {", one],
        [
          'checkResponse(head, this.#key, this.#protocols);',
          `checkResponse(head, this.#key, this.#protocols, this.#offer !== undefined);\n    ${two}`,
        ],
      ],
    ],
    [
      'The client of lesson 06 with an extension reads with its reader, from the first byte.',
      (one, two) => [
        [
          '    this.#response = undefined;\n    this.#reader.push(rest);',
          `    this.#response = undefined;\n${one}\n${two}\n    this.#reader.push(rest);`,
        ],
      ],
    ],
    [
      'The client of lesson 06 with an extension sends the frames that this makes.',
      (one, two) => [
        ['send(data: string | Uint8Array): boolean', one],
        [
          'this.#queue.addMessage([{ fin: true, opcode, payload }]);',
          `${two}\n    this.#queue.addMessage(frames);`,
        ],
      ],
    ],
    [
      'In lesson 06, `bufferedBytes` counts a message as it was handed over, until it is sent.',
      (one, two) => [
        ['    this.#queue.addMessage(frames);', `    this.#queue.addMessage(frames);\n    ${one}`],
        ['this.#onTheirWay.push(isControl(frame.opcode) ? 0 : frame.payload.length);', two],
      ],
    ],
  ],
};

/** What lesson 08 asks of the `Connection` of lesson 05. */
const CONNECTION: Older = {
  lesson: '05',
  by: '08',
  step: 3,
  old: [
    ['wake: () => void, extension?: Extension) {', 'wake: () => void) {'],
    ['    this.#extension = extension;\n', ''],
    [
      'extension\n      ? extension.readerFor(limits.maxMessageBytes)\n      : new MessageReader(',
      'new MessageReader(',
    ],
    UNDIVIDED_SEND,
  ],
  hooks: [
    [
      'A `Connection` of lesson 05 with an extension reads with its reader.',
      (one, two) => [
        ['constructor(limits: Limits, now: () => number, wake: () => void) {', `${one} {`],
        ["this.#reader = new MessageReader('server', limits.maxMessageBytes);", two],
      ],
    ],
    [
      'A `Connection` of lesson 05 sends frames that are made already, and `send` does so, too.',
      (one, two) => [
        [
          '    const frames = fragment(opcode, payload, MAX_FRAGMENT_BYTES);\n',
          `    const frames = fragment(opcode, payload, MAX_FRAGMENT_BYTES);\n${two}\n}\n\n${beginningOf(one)}`,
        ],
      ],
    ],
  ],
};

/** What it asks of its output. */
const OUTPUT: Older = {
  lesson: '05',
  by: '08',
  step: 5,
  old: [
    [
      'return encodeFrames(this.takeFrames());\n  }\n\n  /** Step 3 · Takes out the frames that `takeOutput` writes next. Empty: nothing waits. */\n  takeFrames(): Frame[] {\n',
      '',
    ],
    ['    return frames;\n', '    return encodeFrames(frames);\n'],
  ],
  hooks: [
    [
      'A `Connection` of lesson 05 gives the frames that it would encode next.',
      (one, two) => [
        [
          'takeOutput(): Uint8Array {\n',
          `takeOutput(): Uint8Array {\n${two}\n}\n\n${beginningOf(one)}`,
        ],
        ['return encodeFrames(frames);', 'return frames;'],
      ],
    ],
  ],
};

/** What it asks of the server. */
const ATTACH: Older = {
  lesson: '05',
  by: '08',
  step: 8,
  old: [
    ['  /** What puts an accepted connection on its socket. Absent: `attach`. */\n', ''],
    ['  readonly attach?: typeof attach;\n', ''],
    ['    (this.#options.attach ?? attach)(\n', '    attach(\n'],
  ],
  hooks: [
    [
      'The `WebSocketServer` of lesson 05 lets the `attach` of its options make the connection.',
      (one, two) => [
        ['  readonly extend?: Extend;\n', `  readonly extend?: Extend;\n  ${one}\n`],
        ['    attach(\n', `    ${two.replace(/\/\*.*$/, '')}\n`],
      ],
    ],
  ],
};

/** A method that is told as `name() { … }`, up to where its body begins. */
const beginningOf = (method: string) => method.replace(/\/\*.*$/, '\n');

const { lesson: speed } = findTarget('08');

/** Makes a later lesson, or a part of it, on an earlier one of this source. */
async function builtOn(
  number: string,
  source: string,
  by = '07',
  part = (whole: string) => whole,
): Promise<object> {
  const { lesson } = findTarget(number);
  const module = await loadVariant(lesson, () => source);
  return loadVariant(findTarget(by).lesson, part, { lesson, module });
}

/** Loads the checks of a lesson, but for its last step, where that only makes those of others again. */
async function specOf(number: string): Promise<AnySpec> {
  const spec = await loadSpec(findTarget(number).lesson.name);
  return number === '08' ? { ...spec, steps: spec.steps.slice(0, -1) } : spec;
}

test.for([READING, SENDING, COPYING, SERVER, CLIENT, CONNECTION, OUTPUT, ATTACH])(
  'an older file of lesson $lesson becomes one of today, hook by hook',
  async ({ lesson, by = '07', step, old, hooks }) => {
    const spec = await specOf(by);
    let source = spring(sourceOf(findTarget(lesson).lesson), old);
    for (const [missed, edit] of hooks) {
      const failure = await runStep(spec, step, await builtOn(lesson, source, by));
      const { what, facts = [] } = failure ?? {};
      expect(what, facts.join('\n')).toBe(missed);
      const [one = '', two = ''] = facts.slice(-2).map(([, value]) => `${value}`);
      source = spring(source, edit(one, two));
    }
    const module = await builtOn(lesson, source, by);
    for (let next = step; next <= spec.steps.length; next++) {
      expect(await runStep(spec, next, module), `step ${next}`).toBeUndefined();
    }
  },
);

/** Asks a variant of lesson 05 for the hook of lesson 08. Returns what is told if it is missing. */
async function missedIn(source: string): Promise<CheckFailure | undefined> {
  const { check } = hookOfServer((server: typeof Server) => server);
  try {
    await check((await loadVariant(findTarget('05').lesson, () => source)) as typeof Server);
    return undefined;
  } catch (error) {
    if (error instanceof CheckFailure) return error;
    throw error;
  }
}

const HOOK = '    (this.#options.attach ?? attach)(\n';

/** A `Connection` of step 1, which does nothing of its own. */
const UNCHANGED: readonly Edit[] = [
  ["extension);\n    throw new Todo('08.3');\n", 'extension);\n'],
];

test.for([CONNECTION, OUTPUT, ATTACH])(
  'who has not begun step $step of lesson 08 hears of that, and not of a hook',
  async ({ lesson, step, old }) => {
    const source = spring(sourceOf(findTarget(lesson).lesson), old);
    const stub = (whole: string) => makeStub(whole, speed.number);
    const parts = [
      stub,
      (whole: string) => spring(stub(whole), UNCHANGED),
      (whole: string) => makePartial(whole, speed.number, step - 1),
    ];
    for (const part of parts) {
      const module = await builtOn(lesson, source, '08', part);
      const failure = await runStep(await specOf('08'), step, module);
      expect(failure?.what).toMatch(/^Lesson 08, step \d is yours to write\.$/);
    }
  },
);

test.for([
  ['not called', HOOK, '    attach(\n'],
  ['called 2 times', HOOK, `    this.#options.attach?.(socket, opening, this.#handle);\n${HOOK}`],
  ['called with another socket', `${HOOK}      socket,`, `${HOOK}      Object.create(socket),`],
  [
    'called without what `openingHandshake` returned',
    `${HOOK}      socket,\n      opening,`,
    `${HOOK}      socket,\n      {} as Accepted,`,
  ],
  [
    'called without a function for the events',
    `${HOOK}      socket,\n      opening,\n`,
    `${HOOK}      socket,\n      opening,\n      undefined as never, this.#options);\n    attach(\n      socket,\n      opening,\n`,
  ],
  ['called without the limits of the options', '      },\n      this.#options,\n', '      },\n'],
  ['called, and its `open` was not passed on', '        this.#handle(connection, event);\n', ''],
  [
    'called, and its connection is not in `connections`',
    "if (event.type === 'open') this.#connections.add(connection);",
    '',
  ],
] as const)('the hook of lesson 08: `attach` is %s', async ([seen, find, replacement]) => {
  const edits: Edit[] = [[find, replacement]];
  const failure = await missedIn(spring(sourceOf(findTarget('05').lesson), edits));
  expect(failure?.facts).toContainEqual(['`attach` was', seen]);
});

/** What is wrong with the other hooks of lesson 08, each with an edit of lesson 05 that makes it so. */
const LACKING: readonly (readonly [step: number, fact: Fact, edit: Edit])[] = [
  [
    3,
    ['new Mine(…).takeOutput', 'is that of `Connection`'],
    [
      '  takeOutput(): Uint8Array {\n    return encodeFrames(this.takeFrames());\n  }',
      '  takeOutput = () => encodeFrames(this.takeFrames());',
    ],
  ],
  [
    3,
    ['new Mine(…).receive', 'is that of `Connection`'],
    [
      '    this.#heardAt = now();\n  }',
      '    this.#heardAt = now();\n    Object.assign(this, { receive: () => {} });\n  }',
    ],
  ],
  [
    3,
    ['`next` gave', '{ type: "text", data: "Hello" }'],
    [
      '      ? extension.readerFor(limits.maxMessageBytes)\n',
      "      ? new MessageReader('server', 99)\n",
    ],
  ],
  [
    3,
    ['`sendFrames` was', 'not called by `send`'],
    [
      'return this.sendFrames(\n      this.#extension',
      'return Connection.prototype.sendFrames.call(this,\n      this.#extension',
    ],
  ],
  [3, ['`sendFrames` was', 'called, and did not return `true`'], ['return !this.#owesDrain;', '']],
  [
    3,
    ['`sendFrames` was', 'called, and the frame did not go out'],
    ['    this.#queue.addMessage(frames);\n', ''],
  ],
  [
    3,
    ['`sendFrames` was', 'called with HIGH_WATER_BYTES, and did not return `false`'],
    ['return !this.#owesDrain;', 'return true;'],
  ],
  [
    3,
    ['`sendFrames` was', 'called after close(), and did not return `false`'],
    [
      "if (this.#closing.state !== 'OPEN') return false;\n    if (this.#waitingBytes",
      "if (this.#closing.state !== 'OPEN') return true;\n    if (this.#waitingBytes",
    ],
  ],
  [
    5,
    ['`takeFrames` was', 'called, and `takeOutput` returned the frame again'],
    [
      '    return frames;\n',
      '    if (frames[0]) this.#queue.addMessage([frames[0]]);\n    return frames;\n',
    ],
  ],
  [
    5,
    ['`takeFrames` was', 'called until it was empty, and then there was no `drain`'],
    ['if (!isControl(frame.opcode)) this.#waitingBytes -= frame.payload.length;', ''],
  ],
  [
    8,
    ['new Mine(…).broadcast', 'is that of `WebSocketServer`'],
    [
      '  broadcast(data: string | Uint8Array, except?: Connection): void {\n    for (const connection of this.#connections) {\n      if (connection !== except) connection.send(data);\n    }\n  }',
      '  broadcast = () => {};',
    ],
  ],
];

test.for(LACKING)('step %i of lesson 08: %j', async ([step, fact, edit]) => {
  const source = spring(sourceOf(findTarget('05').lesson), [edit]);
  const failure = await runStep(await specOf('08'), step, await builtOn('05', source, '08'));
  expect(failure?.facts).toContainEqual(fact);
});
