/** Whoever began an earlier lesson with an older stub is told what a later one needs of it. */
import { expect, test } from 'vitest';
import { findTarget } from '../../shared/course/lessons.ts';
import { CheckFailure } from '../../shared/harness/check.ts';
import { runStep } from '../../shared/harness/run.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
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
  /** The step of lesson 07 that needs its hooks. */
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
    [
      'return this.sendFrames(\n      this.#extension\n        ? this.#extension.framesFor(opcode, payload, MAX_FRAGMENT_BYTES, options)\n        : fragment(opcode, payload, MAX_FRAGMENT_BYTES),\n    );',
      'const frames = fragment(opcode, payload, MAX_FRAGMENT_BYTES);\n    return this.sendFrames(frames, payload);',
    ],
    [
      'sendFrames(frames: readonly Frame[])',
      'sendFrames(frames: readonly Frame[], payload: Uint8Array)',
    ],
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

const { lesson: compression } = findTarget('07');
const spec = await loadSpec(compression.name);

/** Makes lesson 07 on an earlier lesson of this source. */
async function builtOn(number: string, source: string): Promise<object> {
  const { lesson } = findTarget(number);
  const module = await loadVariant(lesson, () => source);
  return loadVariant(compression, (same) => same, { lesson, module });
}

test.for([READING, SENDING, COPYING, SERVER, CLIENT])(
  'an older file of lesson $lesson becomes one of today, hook by hook',
  async ({ lesson, step, old, hooks }) => {
    let source = spring(sourceOf(findTarget(lesson).lesson), old);
    for (const [missed, edit] of hooks) {
      const failure = await runStep(spec, step, await builtOn(lesson, source));
      const { what, facts = [] } = failure ?? {};
      expect(what, facts.join('\n')).toBe(missed);
      const [one = '', two = ''] = facts.slice(-2).map(([, value]) => `${value}`);
      source = spring(source, edit(one, two));
    }
    const module = await builtOn(lesson, source);
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

test('a server without `attach` in its options gets it by the two lines that are told', async () => {
  const today = sourceOf(findTarget('05').lesson);
  const old = spring(today, [
    ['  /** What puts an accepted connection on its socket. Absent: `attach`. */\n', ''],
    ['  readonly attach?: typeof attach;\n', ''],
    [HOOK, '    attach(\n'],
  ]);
  const failure = await missedIn(old);
  expect(failure?.message).toMatch(/^The `WebSocketServer` of lesson 05 lets/);
  const [field = '', call = ''] = failure?.facts.slice(-2).map(([, value]) => `${value}`) ?? [];
  const mended = spring(old, [
    ['  readonly extend?: Extend;\n', `  readonly extend?: Extend;\n  ${field}\n`],
    ['    attach(\n', `    ${call.replace(/\/\*.*$/, '')}\n`],
  ]);
  expect(await missedIn(mended)).toBeUndefined();
});

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
