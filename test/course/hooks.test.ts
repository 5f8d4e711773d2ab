/** Whoever began an earlier lesson with an older stub is told what lesson 07 needs of it. */
import { expect, test } from 'vitest';
import { findTarget } from '../../shared/course/lessons.ts';
import { runStep } from '../../shared/harness/run.ts';
import { loadSpec } from '../../shared/harness/spec.ts';
import { HOOKS } from '../specs/07-compression/hooks.ts';
import { loadVariant, sourceOf } from '../traps/load-variant.ts';
import { spring } from '../traps/spring.ts';
import type { Edit } from '../traps/trap.ts';

type Name = keyof typeof HOOKS;

/** A lesson that was finished before its hooks were there. */
interface Older {
  readonly lesson: string;
  /** The step of lesson 07 that needs its hooks. */
  readonly step: number;
  /** What makes the file that it was, out of that of today. */
  readonly old: readonly Edit[];
  /** Its hooks, in the order in which they are missed, and how each is put in: as it is told. */
  readonly hooks: readonly (readonly [name: Name, edits: readonly Edit[]])[];
}

/** A line of code that is told. */
const line = (name: Name, number: 0 | 1) => HOOKS[name].lines[number];

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
      'frames',
      [
        [
          `readonly #frames = new FrameReader(${WATCH});`,
          "readonly #frames: Pick<FrameReader, 'push' | 'read' | 'peek'>;",
        ],
        [
          'maxMessageBytes = MAX_MESSAGE_BYTES) {',
          `maxMessageBytes = MAX_MESSAGE_BYTES, ${line('frames', 0)}) {`,
        ],
        [
          'this.#maxMessageBytes = maxMessageBytes;',
          `this.#maxMessageBytes = maxMessageBytes;\n${line('frames', 1).replace(/\/\*.*\*\//, WATCH)}`,
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
      'rsv1',
      [
        ['{ fin, opcode, payload: { length } }: Frame', 'frame: Frame'],
        [
          'bytes[at] = (fin ? 0x80 : 0) | opcode;',
          `const { fin, opcode, payload: { length } } = frame;\nconst finBit = fin ? 0x80 : 0;\n${line('rsv1', 0)}\n${line('rsv1', 1)}`,
        ],
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
      'const frames = this.#extension\n      ? this.#extension.framesFor(opcode, payload, MAX_FRAGMENT_BYTES, options)\n      : fragment(',
      'const frames = fragment(',
    ],
    [
      'for (const frame of frames) this.#waitingBytes += frame.payload.length;\n    this.#waitingBytes += MESSAGE_COST_BYTES;',
      'this.#waitingBytes += payload.length + MESSAGE_COST_BYTES;',
    ],
    ['() => this.#scheduleTurn(), extension)', '() => this.#scheduleTurn())'],
  ],
  hooks: [
    ['extend', [['return opening;', line('extend', 1)]]],
    [
      'serverReader',
      [
        [
          'constructor(limits: Limits, now: () => number, wake: () => void) {',
          `${line('serverReader', 0)} {\n    this.#extension = extension;`,
        ],
        [
          "this.#reader = new MessageReader('server', limits.maxMessageBytes);",
          line('serverReader', 1),
        ],
      ],
    ],
    [
      'serverFrames',
      [
        ['send(data: string | Uint8Array): boolean', line('serverFrames', 0)],
        ['const frames = fragment(opcode, payload, MAX_FRAGMENT_BYTES);', line('serverFrames', 1)],
      ],
    ],
    [
      'serverCount',
      [
        [
          'this.#waitingBytes += payload.length + MESSAGE_COST_BYTES;',
          `${line('serverCount', 0)}\n${line('serverCount', 1)}`,
        ],
      ],
    ],
    [
      'attached',
      [['() => this.#scheduleTurn())', '() => this.#scheduleTurn(), opening.extension)']],
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
      'request',
      [
        [
          "    'Sec-WebSocket-Version: 13',\n",
          `    'Sec-WebSocket-Version: 13',\n    ${line('request', 1)}\n`,
        ],
      ],
    ],
    [
      'agree',
      [
        ["if (valuesOf('sec-websocket-extensions').length > 0) {", line('agree', 0)],
        [
          'checkResponse(head, this.#key, this.#protocols);',
          `checkResponse(head, this.#key, this.#protocols, this.#offer !== undefined);\n    ${line('agree', 1)}`,
        ],
      ],
    ],
    [
      'clientReader',
      [
        [
          '    this.#response = undefined;\n    this.#reader.push(rest);',
          `    this.#response = undefined;\n${line('clientReader', 0)}\n${line('clientReader', 1)}\n    this.#reader.push(rest);`,
        ],
      ],
    ],
    [
      'clientFrames',
      [
        ['send(data: string | Uint8Array): boolean', line('clientFrames', 0)],
        [
          'this.#queue.addMessage([{ fin: true, opcode, payload }]);',
          `${line('clientFrames', 1)}\n    this.#queue.addMessage(frames);`,
        ],
      ],
    ],
    [
      'clientCount',
      [
        [
          '    this.#queue.addMessage(frames);',
          `    this.#queue.addMessage(frames);\n    ${line('clientCount', 0)}`,
        ],
        [
          'this.#onTheirWay.push(isControl(frame.opcode) ? 0 : frame.payload.length);',
          line('clientCount', 1),
        ],
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

test.for([READING, SENDING, SERVER, CLIENT])(
  'an older file of lesson $lesson becomes one of today, hook by hook',
  async ({ lesson, step, old, hooks }) => {
    let source = spring(sourceOf(findTarget(lesson).lesson), old);
    for (const [name, edits] of hooks) {
      const failure = await runStep(spec, step, await builtOn(lesson, source));
      const { what, facts = [] } = failure ?? {};
      expect(what, facts.join('\n')).toBe(HOOKS[name].what);
      expect(facts.slice(-2).map(([, value]) => value)).toEqual(HOOKS[name].lines);
      source = spring(source, edits);
    }
    const module = await builtOn(lesson, source);
    for (let next = step; next <= spec.steps.length; next++) {
      expect(await runStep(spec, next, module), `step ${next}`).toBeUndefined();
    }
  },
);
