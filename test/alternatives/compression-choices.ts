/** What lesson 07 leaves open, and the reference decides. */
import type { Edit } from '../traps/trap.ts';

/** A permitted difference, as a small edit of the lesson. */
interface CompressionChoice {
  /** What is different. */
  readonly what: string;
  readonly edits: readonly Edit[];
}

/** Those of steps 1, 2 and 9: what is agreed on. */
const AGREEING: readonly CompressionChoice[] = [
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
    what: 'another section for an answer that was not on offer',
    edits: [["throw new OpeningError('9.1', 'The", "throw new OpeningError('RFC 7692 §5', 'The"]],
  },
];

export const COMPRESSION: readonly CompressionChoice[] = [...AGREEING];
