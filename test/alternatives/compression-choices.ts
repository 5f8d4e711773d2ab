/** What lesson 07 leaves open, and the reference decides. */
import type { Edit } from '../traps/trap.ts';

/** A permitted difference, as a small edit of a lesson. */
export interface LessonChoice {
  /** What is different. */
  readonly what: string;
  readonly edits: readonly Edit[];
}

/** Those of steps 1, 2 and 9: what is agreed on. */
const AGREEING: readonly LessonChoice[] = [
  {
    what: 'parameters in another order, without spaces, and their values in quotes',
    edits: [
      [
        "return DEFLATE + texts.join('');",
        "const text = texts.reverse().join('').replaceAll(' ', '');\n  return DEFLATE + text.replace(/=(.*?)(?=;|$)/g, '=\"$1\"');",
      ],
    ],
  },
  {
    what: 'lists that nobody can change',
    edits: [
      [
        'items.push({ name: first.name, params });',
        'items.push(Object.freeze({ params: Object.freeze(params), name: first.name }));',
      ],
    ],
  },
  {
    what: 'more fields in an agreement than the lesson names',
    edits: [['return { params, header };', 'return { ...{ name: DEFLATE }, header, params };']],
  },
  {
    what: 'a limit of 15 bits that is not offered, since it is none',
    edits: [
      [
        'server_max_window_bits: policy.serverMaxWindowBits,',
        'server_max_window_bits:\n      policy.serverMaxWindowBits === 15 ? undefined : policy.serverMaxWindowBits,',
      ],
      [
        'client_max_window_bits: policy.clientMaxWindowBits ?? true,',
        'client_max_window_bits:\n      policy.clientMaxWindowBits === 15 ? true : (policy.clientMaxWindowBits ?? true),',
      ],
    ],
  },
  {
    what: 'a limit of 15 bits that has to be answered, since it was offered',
    edits: [
      [
        'params.serverMaxWindowBits <= (policy.serverMaxWindowBits ?? 15)',
        '(told.server_max_window_bits ?? 16) <= (policy.serverMaxWindowBits ?? 16)',
      ],
    ],
  },
  {
    what: 'another section for an answer that was not on offer, and for a list that is none',
    edits: [
      ["throw new OpeningError('9.1', 'The", "throw new OpeningError('RFC 7692 §5', 'The"],
      ["throw new HandshakeError(400, '9.1',", "throw new HandshakeError(400, '4.2.1',"],
    ],
  },
];

/** Those of steps 3 to 5: messages and their window. */
const PACKING: readonly LessonChoice[] = [
  {
    what: 'a compressor that takes its time, in parts of another size',
    edits: [
      [
        '    windowBits: Math.max(bits, 9),\n',
        '    windowBits: Math.max(bits, 9),\n    level: 9,\n    memLevel: 9,\n    chunkSize: 64,\n',
      ],
    ],
  },
  {
    what: 'a compressor in a hurry, with fixed codes alone, and 8 bits left to zlib',
    edits: [
      [
        '    windowBits: Math.max(bits, 9),\n',
        '    windowBits: bits,\n    level: 1,\n    strategy: constants.Z_FIXED,\n',
      ],
    ],
  },
  {
    what: 'a full flush, and the end of the window for a dictionary',
    edits: [
      [
        '    finishFlush: constants.Z_SYNC_FLUSH,\n    dictionary: window,\n',
        '    finishFlush: constants.Z_FULL_FLUSH,\n    dictionary: window.subarray(-(2 ** bits)),\n',
      ],
    ],
  },
  {
    what: 'an empty message known by heart, and left alone',
    edits: [
      [
        '  const packed = deflateRawSync(plain, {',
        '  if (plain.length === 0) return Uint8Array.of(0);\n  const packed = deflateRawSync(plain, {',
      ],
      [
        '    const packed = deflateMessage(plain, this.#window, this.#bits);',
        '    if (plain.length === 0) return undefined;\n    const packed = deflateMessage(plain, this.#window, this.#bits);',
      ],
    ],
  },
  {
    what: 'parts of another size, and a byte more than the limit, out of zlib',
    edits: [
      [
        '      maxOutputLength: Math.min(Math.max(room, 1), kMaxLength),\n',
        '      maxOutputLength: Math.min(room + 1, kMaxLength),\n      chunkSize: 1024,\n',
      ],
    ],
  },
  {
    what: 'messages that are Buffers',
    edits: [['  return message;\n', '  return Buffer.from(message.buffer);\n']],
  },
  {
    what: 'a window kept of a peer that will not refer back to it',
    edits: [
      [
        '    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n    return plain;',
        '    this.#window = slide(this.#window, plain, this.#bits);\n    return plain;',
      ],
    ],
  },
  {
    what: 'other messages of errors, and other sections',
    edits: [
      [
        "new ProtocolError(CloseCode.InvalidPayload, 'RFC 7692 §7.2.2', message)",
        "new ProtocolError(CloseCode.InvalidPayload, 'RFC 7692 §7.2', 'No.')",
      ],
      [
        "new ProtocolError(CloseCode.MessageTooBig, '10.4', message)",
        "new ProtocolError(CloseCode.MessageTooBig, '7.4.1', message + '!')",
      ],
    ],
  },
];

export const COMPRESSION: readonly LessonChoice[] = [...AGREEING, ...PACKING];
