/** What a lesson leaves open, and the reference decides: other decisions are as right. */
import type { Edit } from '../traps/trap.ts';
import { CLIENT } from './client-choices.ts';
import { COMPRESSION } from './compression-choices.ts';
import { PRODUCTION } from './production-choices.ts';

/** A permitted difference, as a small edit of a solution. */
export interface Choice {
  /** What is different. */
  readonly what: string;
  /** Two digits, such as `02`. */
  readonly lesson: string;
  readonly edits: readonly Edit[];
  /** It means something else beside another one, so it is checked by itself. */
  readonly isAlone?: true;
}

const HANDSHAKE: readonly Omit<Choice, 'lesson'>[] = [
  {
    what: 'the headers of the answer in another order',
    edits: [
      [
        "    Upgrade: 'websocket',\n    Connection: 'Upgrade',\n    'Sec-WebSocket-Accept': acceptKey(key),",
        "    'Sec-WebSocket-Accept': acceptKey(key),\n    Connection: 'Upgrade',\n    Upgrade: 'websocket',",
      ],
    ],
  },
  {
    what: 'the names of headers in lower case',
    edits: [
      ['([name, value]) => {', '([camel, value]) => {\n    const name = camel.toLowerCase();'],
    ],
  },
  {
    what: 'no space after the colon of a header',
    edits: [['{name}: $', '{name}:$']],
  },
  {
    what: 'one phrase for every status',
    edits: [["REASON_PHRASES[error.status] ?? 'Refused'", "'Refused'"]],
  },
  {
    what: 'the message of an error as the body, and no line feed',
    edits: [['{error.message}\\n', '{error.message}']],
  },
  {
    what: 'a Date in a refusal',
    edits: [
      [
        "    Connection: 'close',\n",
        "    Connection: 'close',\n    Date: new Date().toUTCString(),\n",
      ],
    ],
  },
  {
    what: 'answers that are no Buffers',
    edits: [['return Buffer.from(`HTTP/1.1 ', 'return new TextEncoder().encode(`HTTP/1.1 ']],
  },
  {
    what: 'other messages, and another section',
    edits: [["new HandshakeError(400, '4.2.1', message)", "new HandshakeError(400, '4.2', 'No.')"]],
  },
  {
    what: 'errors of a kind of their own',
    edits: [
      ['GUID, HandshakeError }', 'GUID, HandshakeError as Base }'],
      [
        '/**\n * The head of an HTTP',
        'class HandshakeError extends Base {\n  readonly at = 0;\n}\n/**\n * The head of an HTTP',
      ],
    ],
  },
  {
    what: 'the version that we speak in each refusal',
    edits: [
      ["(400, '4.2.1', message)", "(400, '4.2.1', message, { 'Sec-WebSocket-Version': '13' })"],
    ],
  },
  {
    what: 'a request that is frozen, with more in it, and a Map of another kind',
    edits: [
      [
        'return { method, target, version, headers, length: end + 4 };',
        'return Object.freeze({ method, target, version, headers, length: end + 4, text });',
      ],
      ['new Map<string, string[]>()', 'new (class Headers extends Map<string, string[]> {})()'],
      ['headers.set(name, [value])', 'headers.set(name, Object.assign([value], { name }))'],
    ],
  },
  {
    what: 'the version checked after all the rest',
    edits: [
      [
        "  if (versions[0] !== '13') {",
        "  const checkVersion = () => {\n    if (versions[0] === '13') return;",
      ],
      [
        "      'Sec-WebSocket-Version': '13',\n    });\n  }\n",
        "      'Sec-WebSocket-Version': '13',\n    });\n  };\n",
      ],
      [
        '  return { key, resource, origin: origins[0], protocols };',
        '  checkVersion();\n  return { key, resource, origin: origins[0], protocols };',
      ],
    ],
  },
  {
    what: 'more headers with a 405',
    edits: [["{ Allow: 'GET' }", "{ Allow: 'GET', 'Cache-Control': 'no-store' }"]],
  },
  {
    what: 'the site judged before the path',
    edits: [
      [
        '  if (policy.paths &&',
        "  const checkPath = () => {\n    if (!policy.paths || policy.paths.includes(path)) return;\n    throw new HandshakeError(404, '4.2.2', 'No.');\n  };\n  if (policy.paths && path === '' &&",
      ],
      ['  return upgrade.protocols.find', '  checkPath();\n  return upgrade.protocols.find'],
    ],
  },
  {
    what: 'a request whose fields are getters',
    edits: [
      [
        '  return { method, target, version, headers, length: end + 4 };',
        '  return new (class {\n    get method() { return method; }\n    get target() { return target; }\n    get version() { return version; }\n    get headers() { return headers; }\n    get length() { return end + 4; }\n  })();',
      ],
    ],
  },
  {
    what: 'a target with a fragment refused',
    edits: [
      [
        "  if (target.startsWith('/')) return target;",
        "  if (target.includes('#')) return undefined;\n  if (target.startsWith('/')) return target;",
      ],
    ],
  },
  {
    what: 'no `origin` where there is none',
    edits: [
      [
        'origin: origins[0], protocols };',
        '...(origins.length > 0 && { origin: origins[0] }), protocols } as Upgrade;',
      ],
    ],
  },
];

const SUBCLASS_OF_PROTOCOL_ERROR = 'class ProtocolError extends Base {\n  readonly at = 0;\n}\n';

const READING: readonly Omit<Choice, 'lesson'>[] = [
  {
    what: 'a masking key that is a view of the bytes',
    edits: [['masked ? fourBytes(bytes, keyAt)', 'masked ? bytes.subarray(keyAt, keyAt + 4)']],
  },
  {
    what: 'payloads that are copies, and Buffers',
    edits: [
      [
        '    const payload = this.#received.take(payloadLength);',
        '    const payload = Buffer.from(this.#received.take(payloadLength));',
      ],
    ],
  },
  {
    what: 'frames and messages that are frozen, with more in them',
    edits: [
      [
        '    return { fin, opcode, payload };',
        '    return Object.freeze({ fin, opcode, payload, length: payloadLength });',
      ],
      [
        "{ type: 'text', data: this.#text.take() }",
        "Object.freeze({ type: 'text', data: this.#text.take(), fin })",
      ],
      [
        "    return { type: 'binary', data };",
        "    return Object.freeze({ type: 'binary', data, fin });",
      ],
    ],
  },
  {
    what: 'errors of a kind of their own',
    edits: [
      ['  ProtocolError,\n  type Role,', '  ProtocolError as Base,\n  type Role,'],
      ['/** The first two bytes of', `${SUBCLASS_OF_PROTOCOL_ERROR}/** The first two bytes of`],
    ],
  },
  {
    what: 'the size of a message checked before its place',
    edits: [
      [
        '    this.#checkOrder(header);\n    this.#checkSize(header);',
        '    this.#checkSize(header);\n    this.#checkOrder(header);',
      ],
    ],
  },
  {
    what: 'the size of a message checked before all else',
    edits: [
      [
        '    checkHeader(header, this.#role);\n    if',
        '    if (!isControl(header.opcode)) this.#checkSize(header);\n    checkHeader(header, this.#role);\n    if',
      ],
      [
        '    this.#checkOrder(header);\n    this.#checkSize(header);',
        '    this.#checkOrder(header);',
      ],
    ],
  },
  {
    what: 'frames whose fields are getters',
    edits: [
      [
        '    return { fin, opcode, payload };',
        '    return new (class {\n      get fin() { return fin; }\n      get opcode() { return opcode; }\n      get payload() { return payload; }\n    })();',
      ],
    ],
  },
  {
    what: 'text that is joined more often',
    edits: [['const MAX_PIECES = 1000;', 'const MAX_PIECES = 300;']],
  },
  {
    what: 'a header that is frozen, with more in it',
    edits: [
      [
        'return { fin, rsv, opcode, maskingKey, payloadLength, headerLength };',
        'return Object.freeze({ fin, rsv, opcode, maskingKey, payloadLength, headerLength, offset });',
      ],
    ],
  },
  {
    what: 'memory that grows by half',
    edits: [['waiting.length * 2)', 'waiting.length + (waiting.length >> 1))']],
  },
  {
    what: 'a reader that gives the same error again',
    edits: [
      ['export class MessageReader {\n', 'export class MessageReader {\n  #error: unknown;\n'],
      [
        '  read(): Message | undefined {\n    for',
        '  read(): Message | undefined {\n    if (this.#error) throw this.#error;\n    try {\n      return this.#read();\n    } catch (error) {\n      this.#error = error;\n      throw error;\n    }\n  }\n  #read(): Message | undefined {\n    for',
      ],
    ],
  },
  {
    what: 'a reader that says nothing more after an error',
    edits: [
      ['export class MessageReader {\n', 'export class MessageReader {\n  #isBroken = false;\n'],
      [
        '  read(): Message | undefined {\n    for',
        '  read(): Message | undefined {\n    if (this.#isBroken) return undefined;\n    this.#isBroken = true;\n    const message = this.#read();\n    this.#isBroken = false;\n    return message;\n  }\n  #read(): Message | undefined {\n    for',
      ],
    ],
  },
  {
    what: 'other messages, and other sections',
    edits: [
      [' is reserved.`', ' means nothing.`'],
      ["      '10.4',\n", "      '7.4.1',\n"],
      ["'8.1', 'A text that is not valid UTF-8.'", "'5.6', 'No.'"],
    ],
  },
];

const SENDING: readonly Omit<Choice, 'lesson'>[] = [
  {
    what: 'bytes that are no Buffer',
    edits: [
      [
        '    at += frame.payload.length;\n  }\n  return bytes;',
        '    at += frame.payload.length;\n  }\n  return new Uint8Array(bytes);',
      ],
    ],
  },
  {
    what: 'text encoded by a `TextEncoder`',
    edits: [['return Buffer.from(text);', 'return new TextEncoder().encode(text);']],
  },
  {
    what: 'a control frame with a copy of the payload, frozen',
    edits: [
      [
        '  return { fin: true, opcode, payload };',
        '  return Object.freeze({ fin: true, opcode, payload: payload.slice() });',
      ],
    ],
  },
  {
    what: 'fragments that are frozen, with more in them',
    edits: [
      [
        '    frames.push({\n      fin:',
        '    frames.push({\n      ...{ start, rsv: 0 },\n      fin:',
      ],
      ['  return frames;\n}', '  return Object.freeze(frames.map(Object.freeze)) as Frame[];\n}'],
    ],
  },
  {
    what: 'a queue that gives out copies',
    edits: [
      [
        '    if (control) return control;\n    const frame = this.#messages.take();',
        '    if (control) return { ...control };\n    const taken = this.#messages.take();\n    const frame = taken && { ...taken };',
      ],
    ],
  },
  {
    what: 'errors of narrower kinds',
    edits: [
      ["new Error('A Close is sent once.')", "new TypeError('Once.')"],
      [
        "new Error('No message may follow a Close.')",
        "new (class QueueError extends Error {})('No.')",
      ],
      [
        "new RangeError('The frame is not a control frame.')",
        "new (class FrameError extends RangeError {})('No.')",
      ],
    ],
  },
  {
    what: 'frames checked before the Close is',
    edits: [
      ["    if (this.#closed) throw new Error('No message may follow a Close.');\n", ''],
      [
        '    for (const frame of frames) this.#messages.push(frame);\n  }\n\n  /**\n   * Adds',
        "    if (this.#closed) throw new Error('No message may follow a Close.');\n    for (const frame of frames) this.#messages.push(frame);\n  }\n\n  /**\n   * Adds",
      ],
    ],
  },
  {
    what: 'a queue that is as strict with a control frame as `controlFrame`',
    edits: [
      [
        "    if (!isControl(frame.opcode)) throw new RangeError('The frame is not a control frame.');",
        '    controlFrame(frame.opcode, frame.payload);',
      ],
    ],
  },
  {
    what: 'a Close that stays in line when messages are dropped',
    edits: [
      [
        '    for (const frame of frames.slice(0, end)) this.#messages.push(frame);',
        '    for (const [i, frame] of frames.entries()) {\n      if (i < end || isControl(frame.opcode)) this.#messages.push(frame);\n    }',
      ],
    ],
  },
];

const CLOSING: readonly Omit<Choice, 'lesson'>[] = [
  {
    what: 'bodies that are Buffers',
    edits: [
      [
        'const body = new Uint8Array(2 + utf8.length);',
        'const body = Buffer.from(new ArrayBuffer(2 + utf8.length));',
      ],
    ],
  },
  {
    what: 'the reason judged before the code',
    edits: [
      [
        '  if (code === undefined) {\n    if (reason',
        "  if (Buffer.byteLength(reason) > 123) throw new RangeError('Too long.');\n  if (code === undefined) {\n    if (reason",
      ],
    ],
  },
  {
    what: 'a second close that looks at nothing',
    edits: [
      [
        '    if (!isWireCode(code)) throw new RangeError(',
        "    if (this.#state !== 'OPEN') return [];\n    if (!isWireCode(code)) throw new RangeError(",
      ],
    ],
  },
  {
    what: 'a result that is frozen, with more in it',
    edits: [
      [
        '    return { code, reason, wasClean: true };',
        '    return Object.freeze({ code, reason, wasClean: true, by: this.#role });',
      ],
    ],
  },
  {
    what: 'actions with more in them, and one empty list for all',
    edits: [
      [
        "return isOver && this.#transition('timeout') ? [{ type: 'destroy' }] : [];",
        "return isOver && this.#transition('timeout') ? [{ type: 'destroy' }] : (NONE as Action[]);",
      ],
      [
        "    return this.#transition('close') ? [{ type: 'sendClose', body }] : [];",
        "    const action = { type: 'sendClose', body, code } as const;\n    return this.#transition('close') ? [action] : (NONE as Action[]);",
      ],
      [
        'export class ClosingHandshake {',
        'const NONE = Object.freeze([] as Action[]);\nexport class ClosingHandshake {',
      ],
    ],
  },
  {
    what: 'errors of a kind of their own',
    edits: [
      [
        'MAX_CONTROL_PAYLOAD, ProtocolError, type',
        'MAX_CONTROL_PAYLOAD, ProtocolError as Base, type',
      ],
      [
        '/** What a Close frame says. */',
        `${SUBCLASS_OF_PROTOCOL_ERROR}/** What a Close frame says. */`,
      ],
      ['return error instanceof ProtocolError', 'return error instanceof Base'],
      ['reason = error instanceof ProtocolError', 'reason = error instanceof Base'],
      [
        'throw new RangeError(`A reason has',
        'throw new (class LengthError extends RangeError {})(`A reason has',
      ],
    ],
  },
  {
    what: 'other messages, and other sections',
    edits: [
      ["'5.5.1', 'A Close with half a code.'", "'7.1.5', 'Half.'"],
      ["CloseCode.ProtocolError, '7.4', message", "CloseCode.ProtocolError, '7.4.2', 'No.'"],
      ["CloseCode.InvalidPayload, '8.1', message", "CloseCode.InvalidPayload, '5.5.1', 'No.'"],
    ],
  },
  {
    what: 'a clock that is read for a transition only',
    edits: [
      ['  #enteredAt: number;', '  #enteredAt = 0;'],
      ['    this.#enteredAt = now();\n', ''],
    ],
  },
];

const SERVER: readonly Omit<Choice, 'lesson'>[] = [
  {
    what: 'writes of 16 KiB',
    edits: [['MAX_OUTPUT_BYTES = 64 * 1024', 'MAX_OUTPUT_BYTES = 16 * 1024']],
  },
  {
    what: 'writes of 200 KiB',
    edits: [['MAX_OUTPUT_BYTES = 64 * 1024', 'MAX_OUTPUT_BYTES = 200 * 1024']],
  },
  {
    what: 'a high water of 64 KiB',
    edits: [['HIGH_WATER_BYTES = 256 * 1024', 'HIGH_WATER_BYTES = 64 * 1024']],
  },
  {
    what: 'a high water of 1 MiB',
    edits: [['HIGH_WATER_BYTES = 256 * 1024', 'HIGH_WATER_BYTES = 1024 * 1024']],
  },
  {
    what: 'other limits',
    edits: [
      ['headTimeoutMs: 10_000', 'headTimeoutMs: 5_000'],
      ['maxWaitingBytes: 16 * 1024 * 1024', 'maxWaitingBytes: 8 * 1024 * 1024'],
      ['pingIntervalMs: 30_000', 'pingIntervalMs: 20_000'],
      ['closeTimeoutMs: 5_000', 'closeTimeoutMs: 2_000'],
    ],
  },
  {
    what: 'an answer that is a copy, as is the rest',
    edits: [
      ['received.subarray(request.length)', 'Uint8Array.from(received.subarray(request.length))'],
    ],
  },
  {
    what: 'a silent peer that has broken a policy',
    edits: [
      [
        "new Error('The peer does not answer a Ping.')",
        "new ProtocolError(CloseCode.PolicyViolation, '5.5.2', 'Silence.')",
      ],
    ],
  },
  {
    what: 'a turn in the next tick',
    edits: [['queueMicrotask(() => {', 'process.nextTick(() => {']],
  },
  { what: 'a turn a little later', edits: [['queueMicrotask(() => {', 'setImmediate(() => {']] },
  {
    what: '`open` before the rest is looked at',
    edits: [
      ['    this.connection.receive(rest);\n', ''],
      [
        'protocol });\n  }\n',
        'protocol });\n    this.connection.receive(rest);\n    this.#turn();\n  }\n',
      ],
    ],
  },
  {
    what: 'a rest of no bytes is not received',
    edits: [
      [
        '    this.connection.receive(rest);',
        '    if (rest.length > 0) this.connection.receive(rest);',
      ],
    ],
  },
  {
    what: 'timers that keep no process alive',
    edits: [
      [
        'this.#onTimer(), Math.max(0, deadline - now()));',
        'this.#onTimer(), Math.max(0, deadline - now())).unref();',
      ],
    ],
  },
  {
    what: 'other messages, and other sections',
    edits: [
      ["'10.4', 'The request took too long.'", "'4.2.1', 'Slow.'"],
      ["'4.2.2', 'The server is shutting down.'", "'4.2', 'Later.'"],
      ["'10.4', 'You read too slowly.'", "'7.4.1', 'Read!'"],
    ],
  },
  {
    what: 'events that are frozen, with more in them',
    edits: [
      [
        "this.#events.push({ type: 'close', ...result })",
        "this.#events.push(Object.freeze({ type: 'close', ...result, at: 0 }))",
      ],
      [
        "this.#events.push({ type: 'drain' })",
        "this.#events.push(Object.freeze({ type: 'drain' }))",
      ],
    ],
  },
  {
    what: 'a wake more than is needed',
    edits: [
      [
        'message.payload));\n        return undefined;',
        'message.payload));\n        this.#wake();\n        return undefined;',
      ],
    ],
  },
  {
    what: '`send` that goes by what waits now',
    isAlone: true,
    edits: [['    return !this.#owesDrain;', '    return this.#waitingBytes < HIGH_WATER_BYTES;']],
  },
  {
    what: 'a message that costs more',
    edits: [['const MESSAGE_COST_BYTES = ', 'const MESSAGE_COST_BYTES = 3 * ']],
  },
  {
    what: 'a 503 before the request has come',
    edits: [
      [
        '    socket.setNoDelay(true);\n',
        "    socket.setNoDelay(true);\n    if (this.#shutdown) {\n      this.#refuse(socket, refusedFor(new HandshakeError(503, '4.2', 'No.')));\n      return;\n    }\n",
      ],
    ],
  },
  {
    what: 'a shutdown that is told of a little later',
    edits: [['this.#whenEmpty = resolve;', 'this.#whenEmpty = () => setImmediate(resolve);']],
  },
  {
    what: '`open` after `attach` has returned',
    edits: [
      [
        '    this.connection.receive(rest);\n',
        '    queueMicrotask(() => {\n      this.connection.receive(rest);\n',
      ],
      ['protocol });\n  }\n', 'protocol });\n    });\n  }\n'],
    ],
  },
  {
    what: 'room again while a `drain` is still owed',
    edits: [['    return !this.#owesDrain;', '    return this.#waitingBytes < HIGH_WATER_BYTES;']],
  },
  {
    what: 'messages that are copied',
    edits: [
      [
        'fragment(opcode, payload, MAX_FRAGMENT_BYTES)',
        'fragment(opcode, payload.slice(), MAX_FRAGMENT_BYTES)',
      ],
    ],
  },
  {
    what: 'a silent peer that counts as gone at once',
    edits: [
      [
        "      this.#perform([{ type: 'destroy' }]);",
        "      this.#closing.disconnect();\n      this.#perform([{ type: 'destroy' }]);",
      ],
    ],
  },
  {
    what: 'a timer that looks every 50 ms',
    edits: [['Math.max(0, deadline - now())', 'Math.min(Math.max(0, deadline - now()), 50)']],
  },
  {
    what: 'a refusal in two writes',
    edits: [['    socket.end(answer);', '    socket.write(answer);\n    socket.end();']],
  },
];

const IN_LESSONS = {
  '01': HANDSHAKE,
  '02': READING,
  '03': SENDING,
  '04': CLOSING,
  '05': SERVER,
  '06': CLIENT,
  '07': COMPRESSION,
  '09': PRODUCTION,
};

/** Every permitted difference. */
export const CHOICES: readonly Choice[] = Object.entries(IN_LESSONS).flatMap(([lesson, choices]) =>
  choices.map((choice) => ({ lesson, ...choice })),
);
