/** Mistakes of servers that are fast. */
import type { Trap } from './trap.ts';

export const TRAPS: readonly Trap[] = [
  {
    id: 'words-with-the-key-of-the-first-byte',
    step: 2,
    story:
      'The bytes before the first whole word unmasked one by one, and the words then with the key as it began. As long as the bytes happen to begin where a word does, all is well.',
    source: 'websockets/bufferutil#57',
    rules: [],
    edits: [['turn(key, position + first - start)', 'turn(key, position)']],
  },
  {
    id: 'key-turned-backwards',
    step: 2,
    story:
      'The key turned in the wrong direction for the rest of a payload. It goes unnoticed while what came before is a multiple of four bytes, or of two.',
    source: 'boostorg/beast#1061',
    rules: [],
    edits: [
      [
        'return (key >>> bits) | (key << (32 - bits));',
        'return (key << bits) | (key >>> (32 - bits));',
      ],
    ],
  },
  {
    id: 'memory-of-others',
    step: 3,
    story:
      'Bytes changed in place that somebody else has as well. There, it was what an application had handed over to be sent: after that, it held noise.',
    source: 'faye/websocket-driver-node#17',
    rules: [],
    edits: [
      [
        "const isOurs = this.#socket instanceof Socket && this.#socket.listenerCount('data') === 1;",
        'const isOurs = true;',
      ],
    ],
  },
  {
    id: 'announced-is-reserved',
    step: 4,
    story:
      'Memory taken for the length in the header, before a byte of the payload is there. A few clients that send ten bytes each, and wait, are enough.',
    source: 'faye/faye-websocket-node#26',
    rules: [],
    edits: [['Math.min(announced, length * TRUST)', 'announced']],
  },
  {
    id: 'output-used-again',
    step: 5,
    story:
      'Memory that was handed out, and used again for the next message. Whoever still has it reads something else, sooner or later.',
    source: 'uNetworking/uWebSockets.js#77',
    rules: [],
    edits: [
      [
        'this.#memory.subarray(this.#start, this.#end));\n    this.#start = this.#end;',
        'this.#memory.subarray(this.#start, this.#end));\n    this.#start = this.#end = 0;',
      ],
    ],
  },
];
