/** What lesson 06 leaves open, and the reference decides. */
import type { Edit } from '../traps/trap.ts';

/** A permitted difference, as a small edit of the client. */
interface ClientChoice {
  /** What is different. */
  readonly what: string;
  readonly edits: readonly Edit[];
  /** It means something else beside another one, so it is checked by itself. */
  readonly isAlone?: true;
}

/** Those of steps 1 to 4: the opening handshake. */
const OPENING: readonly ClientChoice[] = [
  {
    what: 'the headers of the request in another order',
    edits: [
      ["    'Upgrade: websocket',\n    'Connection: Upgrade',\n", ''],
      [
        "    'Sec-WebSocket-Version: 13',\n",
        "    'Connection: keep-alive, Upgrade',\n    'sec-websocket-version:13',\n    'Upgrade: WebSocket',\n",
      ],
    ],
  },
  {
    what: 'a comma alone between subprotocols',
    edits: [["protocols.join(', ')", 'protocols.join()']],
  },
  {
    what: 'a plain Uint8Array for the request',
    edits: [
      ['  return Buffer.from(`$', '  return new Uint8Array(Buffer.from(`$'],
      ["\\r\\n\\r\\n`, 'latin1');", "\\r\\n\\r\\n`, 'latin1'));"],
    ],
  },
  {
    what: 'more fields in a target than the lesson names',
    edits: [['    url: url.href,\n', '    url: url.href,\n    ...{ path: url.pathname },\n']],
  },
  {
    what: 'more fields in a head than the lesson names, and an order of its own',
    edits: [
      [
        'return { status: Number(status), headers, length: end + 4 };',
        'return { ...{ statusLine }, length: end + 4, headers, status: Number(status) };',
      ],
    ],
  },
  {
    what: 'a blank line before the status line that is skipped',
    edits: [
      [
        '  const end = text.indexOf(',
        '  if (text.startsWith(CRLF)) {\n    const head = parseResponse(bytes.subarray(2), maxHeadBytes - 2);\n    return head && { ...head, length: head.length + 2 };\n  }\n  const end = text.indexOf(',
      ],
      ['/** What the value of a header', "const CRLF = '\\r\\n';\n/** What the value of a header"],
    ],
  },
  {
    what: 'bytes that do not begin like HTTP refused before there is a line of them',
    edits: [
      [
        '  if (end === -1) {\n',
        "  if (!'HTTP/1.'.startsWith(text.slice(0, 7))) throw new OpeningError('4.1', 'Not HTTP.');\n  if (end === -1) {\n",
      ],
    ],
  },
  {
    what: 'a 101 of HTTP/1.0 refused',
    edits: [
      [
        '  const headers = new Map<string, string[]>();\n  for (const line of lines.slice(1)) {',
        "  if (statusLine.startsWith('HTTP/1.0 101')) throw new OpeningError('4.1', 'HTTP/1.0.');\n  const headers = new Map<string, string[]>();\n  for (const line of lines.slice(1)) {",
      ],
    ],
  },
  {
    what: 'errors of a kind of their own',
    edits: [
      ['=> new OpeningError(section', '=> new Refusal(section'],
      ['const TOKEN =', 'class Refusal extends OpeningError {}\nconst TOKEN ='],
    ],
  },
  {
    what: 'other messages, and other sections',
    edits: [
      ["'10.4', `The head is longer than", "'4.1', `Too long:"],
      ["refuse('9.1', 'The server uses", "refuse('4.1', 'It uses"],
      ["'4.1', 'The status line is not", "'10.7', 'No status line:"],
    ],
  },
  {
    what: 'the status looked at last',
    edits: [
      ['  if (head.status !== 101) throw refuse', '  const status = () => refuse'],
      [
        "of ours.');\n  return protocol;",
        "of ours.');\n  if (head.status !== 101) throw status();\n  return protocol;",
      ],
    ],
  },
];

/** Those of steps 5 and 6: the core. */
const CORE: readonly ClientChoice[] = [
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

/** Those of steps 7 and 8: on a socket, and the class. */
const ON_SOCKETS: readonly ClientChoice[] = [
  {
    what: 'tasks that are timers',
    edits: [
      ['#task: NodeJS.Immediate', '#task: NodeJS.Timeout'],
      ['this.#task ??= setImmediate(', 'this.#task ??= setTimeout('],
    ],
  },
  {
    what: 'several whole frames in one write',
    edits: [
      [
        `      const bytes = connection.takeOutput();
      if (bytes === undefined) break;
      socket.write(bytes, (error) => {`,
        `      const all: Uint8Array[] = [];
      for (let it = connection.takeOutput(); it; it = connection.takeOutput()) all.push(it);
      if (all.length === 0) break;
      socket.write(Buffer.concat(all), (error) => {
        for (const _ of all.slice(1)) if (!error && !socket.destroyed) connection.sent();`,
      ],
    ],
  },
  {
    what: '`noDelay` as an option of the socket',
    edits: [
      ['    socket.setNoDelay(true);\n', ''],
      ['    allowHalfOpen: true,\n', '    allowHalfOpen: true,\n    noDelay: true,\n'],
    ],
  },
  {
    what: 'a timer that looks every 20 ms',
    edits: [['    }, waitMs);', '    }, Math.min(20, waitMs));']],
  },
  {
    what: 'TLS that does not say what it is for',
    edits: [["    ALPNProtocols: ['http/1.1'],\n", '']],
  },
  {
    what: 'a line whose next goes a task later',
    edits: [
      [
        'Promise.all([...before, opened]).then(() => {',
        'Promise.all([...before, opened]).then(() => new Promise<void>((go) => setImmediate(go))).then(() => {',
      ],
    ],
  },
  {
    what: 'TCP at once, when the host is an address and nobody is in line',
    isAlone: true,
    edits: [
      [
        '    this.#dial(target, options).catch(',
        `    const place = \`\${target.host} \${target.port}\`;
    const family = isIP(target.host);
    if (family > 0 && !lines.has(place)) {
      void waitInLine([place], this.#opened);
      this.#use(target, [{ address: target.host, family }], options);
      return;
    }
    this.#dial(target, options).catch(`,
      ],
      [
        '    const socket = openSocket(target, addresses, options);',
        `    this.#use(target, addresses, options);
  }

  #use(target: Target, addresses: LookupAddress[], options: ClientOptions): void {
    const socket = openSocket(target, addresses, options);`,
      ],
    ],
  },
  {
    what: 'a class for `close` events',
    edits: [
      [
        "  return Object.assign(new Event('close'), { code, reason, wasClean });",
        `  class CloseEvent extends Event {
    get code() {
      return code;
    }
    get reason() {
      return reason;
    }
    get wasClean() {
      return wasClean;
    }
  }
  return new CloseEvent('close');`,
      ],
    ],
  },
  {
    what: 'constants on the prototype',
    edits: [
      [
        '  readonly CONNECTING = 0;\n  readonly OPEN = 1;\n  readonly CLOSING = 2;\n  readonly CLOSED = 3;\n',
        `  get CONNECTING() {
    return 0;
  }
  get OPEN() {
    return 1;
  }
  get CLOSING() {
    return 2;
  }
  get CLOSED() {
    return 3;
  }
`,
      ],
    ],
  },
  {
    what: 'Blobs that are read one after the other',
    edits: [
      [
        'Promise.all([blob?.arrayBuffer(), this.#done])',
        '(async () => {\n      await this.#done;\n      return [await blob?.arrayBuffer()];\n    })()',
      ],
    ],
  },
];

/** All of them. */
export const CLIENT: readonly ClientChoice[] = [...OPENING, ...CORE, ...ON_SOCKETS];
