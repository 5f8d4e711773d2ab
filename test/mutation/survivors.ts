/**
 * Changes of the solutions that no step notices, and why none has to. If you find one that a
 * learner could make by mistake, and regret, you've found a check that is missing.
 */

/** A change, named by the line that it is in. */
export interface Survivor {
  /** Two digits, such as `02`. */
  readonly lesson: string;
  /** The whole line, without indentation. */
  readonly line: string;
  /** What is changed, and into what. */
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

const BEYOND = 'What is written beyond the end of a typed array is dropped.';
const ROUGHLY = 'About as much is as good: nothing depends on the last byte of this limit.';
const SPEED = 'The same result, and slower.';
const UNSEEN = 'Nobody sees the section of this error: what is sent is its message.';

export const SURVIVORS: readonly Survivor[] = [
  {
    lesson: '01',
    line: "const [key = '', ...moreKeys] = valuesOf(request, 'sec-websocket-key');",
    from: "''",
    to: '"Stryker was here!"',
    why: 'A request without a key is refused either way: this is not 16 bytes in base64.',
  },
  {
    lesson: '01',
    line: 'if (protocol !== undefined && !TOKEN.test(protocol)) {',
    from: 'protocol !== undefined',
    to: 'true',
    why: 'For the type checker: at run time, the word `undefined` is a token.',
  },
  {
    lesson: '01',
    line: 'const REASON_PHRASES: Record<number, string> = {',
    from: '{',
    to: '{}',
    why: 'Every refusal is then `Refused`, and no program reads the phrase.',
  },
  {
    lesson: '02',
    line: 'if (available < 2) return undefined;',
    from: 'available < 2',
    to: 'false',
    why: 'A header has two bytes at least, so the next check finds it too. This one says it plainly.',
  },
  {
    lesson: '02',
    line: 'const start = bytes.length < 48 ? 0 : unmaskWords(bytes, maskingKey, position);',
    from: 'bytes.length < 48',
    to: 'bytes.length <= 48',
    why: SPEED,
  },
  {
    lesson: '02',
    line: 'const start = bytes.length < 48 ? 0 : unmaskWords(bytes, maskingKey, position);',
    from: 'bytes.length < 48',
    to: 'true',
    why: SPEED,
  },
  {
    lesson: '02',
    line: 'for (let i = 0; i < words.length; i++) words[i]! ^= key;',
    from: 'i < words.length',
    to: 'i <= words.length',
    why: BEYOND,
  },
  {
    lesson: '02',
    line: 'if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
    from: 'this.#written.length + chunk.length > this.#memory.length',
    to: 'this.#written.length + chunk.length >= this.#memory.length',
    why: 'The memory grows before it has to: the same result.',
  },
  {
    lesson: '02',
    line: 'const isWhole = fin && this.#opcode === undefined;',
    from: 'fin && this.#opcode === undefined',
    to: 'false',
    why: 'A message in one frame is copied like one in many: the same result, and slower.',
  },
  {
    lesson: '03',
    line: 'for (let i = 0; i < payload.length; i++) bytes[keyAt + 4 + i] = payload[i]! ^ maskingKey[i & 3]!;',
    from: 'i < payload.length',
    to: 'i <= payload.length',
    why: BEYOND,
  },
  {
    lesson: '03',
    line: 'if (data.length <= maxPayload) return [{ fin: true, opcode, payload: data }];',
    from: 'data.length <= maxPayload',
    to: 'data.length < maxPayload',
    why: 'For a message of exactly one fragment, the loop makes the same frame.',
  },
  {
    lesson: '04',
    line: 'const isOver = this.deadline !== undefined && this.#now() >= this.deadline;',
    from: 'this.deadline !== undefined',
    to: 'true',
    why: 'For the type checker: nothing is greater than `undefined`.',
  },
  {
    lesson: '04',
    line: "throw new ProtocolError(CloseCode.ProtocolError, '7.4', message);",
    from: "'7.4'",
    to: '""',
    why: UNSEEN,
  },
  {
    lesson: '05',
    line: 'if (this.#waitingBytes > this.#limits.maxWaitingBytes) {',
    from: 'this.#waitingBytes > this.#limits.maxWaitingBytes',
    to: 'this.#waitingBytes >= this.#limits.maxWaitingBytes',
    why: ROUGHLY,
  },
  {
    lesson: '05',
    line: 'this.#owesDrain ||= this.#waitingBytes >= HIGH_WATER_BYTES;',
    from: 'this.#waitingBytes >= HIGH_WATER_BYTES',
    to: 'this.#waitingBytes > HIGH_WATER_BYTES',
    why: ROUGHLY,
  },
  {
    lesson: '05',
    line: 'while (size < MAX_OUTPUT_BYTES) {',
    from: 'size < MAX_OUTPUT_BYTES',
    to: 'size <= MAX_OUTPUT_BYTES',
    why: ROUGHLY,
  },
  {
    lesson: '05',
    line: "finish(refusedFor(new HandshakeError(408, '10.4', 'The request took too long.')));",
    from: "'10.4'",
    to: '""',
    why: UNSEEN,
  },
  {
    lesson: '05',
    line: "const error = new HandshakeError(503, '4.2.2', 'The server is shutting down.');",
    from: "'4.2.2'",
    to: '""',
    why: UNSEEN,
  },
];
