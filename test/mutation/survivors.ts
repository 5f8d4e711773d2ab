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
  /** Is it noticed at times, by chance? Then it may be missing among those that survive. */
  readonly isNoticedAtTimes?: true;
}

const BEYOND = 'What is written beyond the end of a typed array is dropped.';
const IDLE = 'A timer that fires at once finds nothing to do: only the processor would notice.';
const LITTLE = 'What stays is one promise for each address and port, and it has come to its end.';
const PROSE = 'The words and the section of this error are for people: no check reads them.';
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
  {
    lesson: '05',
    line: 'this.#timer = setTimeout(() => this.#onTimer(), Math.max(0, deadline - now()));',
    from: 'Math.max(0, deadline - now())',
    to: 'Math.min(0, deadline - now())',
    why: IDLE,
    isNoticedAtTimes: true,
  },
  {
    lesson: '06',
    line: 'const waitMs = Math.max(0, deadline - now());',
    from: 'Math.max(0, deadline - now())',
    to: 'Math.min(0, deadline - now())',
    why: IDLE,
    isNoticedAtTimes: true,
  },
  {
    lesson: '06',
    line: "this.#closing = new ClosingHandshake('client', this.#limits.closeTimeoutMs, now);",
    from: "'client'",
    to: '""',
    why: 'What is not `server` ends as a client does. No other name gets past the type checker.',
  },
  {
    lesson: '06',
    line: "this.fail(new OpeningError('4.1', 'It was closed before it was open.'));",
    from: "'4.1'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: "this.fail(new OpeningError('4.1', 'It was closed before it was open.'));",
    from: "'It was closed before it was open.'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: "const message = 'The connection was lost.';",
    from: "'The connection was lost.'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: "? new OpeningError('4.1', message, undefined, cause)",
    from: "'4.1'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: 'if (deadline === undefined) return;',
    from: 'deadline === undefined',
    to: 'false',
    why: IDLE,
    isNoticedAtTimes: true,
  },
  {
    lesson: '06',
    line: "this.fail(new OpeningError('4.1', 'The server has not answered in time.'));",
    from: "'4.1'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: "this.fail(new OpeningError('4.1', 'The server has not answered in time.'));",
    from: "'The server has not answered in time.'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: 'const turn = Promise.all([...before, opened]).then(() => {',
    from: '{',
    to: '{}',
    why: LITTLE,
  },
  {
    lesson: '06',
    line: 'for (const place of places) if (lines.get(place) === turn) lines.delete(place);',
    from: 'lines.get(place) === turn',
    to: 'false',
    why: LITTLE,
  },
  {
    lesson: '06',
    line: "ALPNProtocols: ['http/1.1'],",
    from: "['http/1.1']",
    to: '[]',
    why: 'To say it is a choice. A server that is not told speaks HTTP/1.1, too.',
  },
  {
    lesson: '06',
    line: "throw new DOMException('The connection is not open yet.', 'InvalidStateError');",
    from: "'The connection is not open yet.'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: 'if (number !== undefined && number !== 1000 && (number < 3000 || number > 4999)) {',
    from: 'number !== undefined',
    to: 'true',
    why: 'For the type checker: at run time, `undefined` is neither less nor greater than a number.',
  },
  {
    lesson: '06',
    line: `throw new DOMException(\`\${code} is not 1000 or 3000–4999.\`, 'InvalidAccessError');`,
    from: `\`\${code} is not 1000 or 3000–4999.\``,
    to: '``',
    why: PROSE,
  },
  {
    lesson: '06',
    line: "throw invalid('A reason has at most 123 bytes.');",
    from: "'A reason has at most 123 bytes.'",
    to: '""',
    why: PROSE,
  },
  {
    lesson: '06',
    line: 'if (known) this.removeEventListener(type, known);',
    from: 'known',
    to: 'true',
    why: 'For the type checker: to remove `undefined` removes nothing.',
  },
  {
    lesson: '06',
    line: 'const id = ++this.#lastId;',
    from: '++this.#lastId',
    to: '--this.#lastId',
    why: 'The ids are different whole numbers, and a debugger asks for no more.',
  },
  {
    lesson: '07',
    line: 'if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);',
    from: 'this.#takeover',
    to: 'true',
    why: 'A receiver may keep a window that its peer has promised not to use: it is a waste, and not wrong.',
  },
  {
    lesson: '07',
    line: 'if (arrived > this.#memory.length) {',
    from: 'arrived > this.#memory.length',
    to: 'arrived >= this.#memory.length',
    why: 'Memory that is exactly full grows a fragment earlier.',
  },
  {
    lesson: '07',
    line: 'const [, name, value, quoted] = PARAM.exec(text) ?? [];',
    from: '[]',
    to: '["Stryker was here"]',
    why: 'The first element is the whole match, which nobody looks at.',
  },
  {
    lesson: '07',
    line: 'default:',
    from: 'default:',
    to: 'default:',
    why: 'What falls out of the `switch` returns `undefined` as well.',
  },
  {
    lesson: '07',
    line: "function readBits(value = ''): number | undefined {",
    from: "''",
    to: '"Stryker was here!"',
    why: 'Any text will do that is not a number from 8 to 15.',
  },
  {
    lesson: '07',
    line: 'const params = checkDeflate(parseExtensions(lines.join()) ?? [], policy);',
    from: '[]',
    to: '["Stryker was here"]',
    why: 'Any list will do that is not an answer.',
  },
  {
    lesson: '07',
    line: "if (params) return new PerMessageDeflate('client', params);",
    from: "'client'",
    to: '""',
    why: 'What is not `server` compresses as a client does. No other name gets past the type checker.',
  },
  {
    lesson: '08',
    line: 'if (length < WORDS_PAY_BYTES) return NO_WORDS;',
    from: 'length < WORDS_PAY_BYTES',
    to: 'length <= WORDS_PAY_BYTES',
    why: SPEED,
  },
];
