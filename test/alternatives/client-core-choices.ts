/** What steps 5 and 6 of lesson 06 leave open, and the reference decides. */
import type { Edit } from '../traps/trap.ts';

/** A permitted difference, as a small edit of the client's core. */
interface CoreChoice {
  /** What is different. */
  readonly what: string;
  readonly edits: readonly Edit[];
}

export const CLIENT_CORE: readonly CoreChoice[] = [
  {
    what: 'no Pong after our own Close',
    edits: [
      [
        "if (message.type === 'ping') this.#control(Opcode.Pong, message.payload);",
        `if (message.type === 'ping') {
        if (this.state === 'OPEN') this.#control(Opcode.Pong, message.payload);
      }`,
      ],
    ],
  },
  {
    what: 'messages that wait when the server closes, dropped',
    edits: [
      ['  #bufferedBytes = 0;\n', '  #bufferedBytes = 0;\n  #backlogBytes = 0;\n'],
      [
        '    // Joined again with each read.',
        '    this.#backlogBytes = this.#bufferedBytes;\n    // Joined again with each read.',
      ],
      [
        '    this.#perform(this.#closing.receiveClose(payload));',
        `    if (this.#backlogBytes > 0 && this.state === 'OPEN') this.#queue.dropWaiting();
    this.#perform(this.#closing.receiveClose(payload));`,
      ],
    ],
  },
  {
    what: 'messages that wait when it fails, dropped',
    edits: [
      [
        '    const actions = this.#closing.fail(error);',
        `    if (this.state === 'OPEN') this.#queue.dropWaiting();
    const actions = this.#closing.fail(error);`,
      ],
    ],
  },
  {
    what: 'the bytes of a message copied when it is sent',
    edits: [['encodeText(data) : data;', 'encodeText(data) : data.slice();']],
  },
  {
    what: 'masking keys cut from a larger draw',
    edits: [
      ['  #bufferedBytes = 0;\n', '  #bufferedBytes = 0;\n  #keys = new Uint8Array(0);\n'],
      [
        'return encodeMaskedFrame(frame, this.#random);',
        `return encodeMaskedFrame(frame, () => {
      if (this.#keys.length === 0) this.#keys = new Uint8Array(this.#random(64));
      const key = this.#keys.subarray(0, 4);
      this.#keys = this.#keys.subarray(4);
      return key;
    });`,
      ],
    ],
  },
  {
    what: 'output that is no Buffer',
    edits: [
      [
        'return encodeMaskedFrame(frame, this.#random);',
        'return Uint8Array.from(encodeMaskedFrame(frame, this.#random));',
      ],
    ],
  },
  {
    what: 'other messages, and another section',
    edits: [
      [
        "new OpeningError('4.1', 'It was closed before it was open.')",
        "new OpeningError('7.1.7', 'No.')",
      ],
      [
        "new OpeningError('4.1', 'The server has not answered in time.')",
        "new OpeningError('7.2.1', 'No.')",
      ],
    ],
  },
  {
    what: 'a wake when bytes arrive',
    edits: [
      [
        '    // Joined again with each read.',
        '    this.#wake();\n    // Joined again with each read.',
      ],
    ],
  },
  {
    what: 'a reason that is too long, refused also before it is open',
    edits: [
      [
        `    if (this.#response) {
      this.fail(new OpeningError('4.1', 'It`,
        `    encodeCloseBody(code, reason);
    if (this.#response) {
      this.fail(new OpeningError('4.1', 'It`,
      ],
    ],
  },
];
