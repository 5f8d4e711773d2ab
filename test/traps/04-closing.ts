import type { Trap } from './trap.ts';

export const TRAPS: readonly Trap[] = [
  {
    id: 'half-a-code',
    step: 1,
    story: 'A close body of one byte read as if it had two.',
    source: 'RFC 6455 §5.5.1',
    rules: [94],
    edits: [['if (body.length === 1)', 'if (body.length === 99)']],
  },
  {
    id: 'empty-close-crashes',
    step: 1,
    story: 'A code read from every Close. An empty one, which is legal, ends the process.',
    source: 'peakchen90/tiny-websocket',
    rules: [94],
    edits: [['  if (body.length === 0) return undefined;\n', '']],
  },
  {
    id: 'empty-close-refused',
    step: 1,
    story: 'An empty Close taken for a mistake: "set the status code".',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [94],
    edits: [
      ['  if (body.length === 0) return undefined;\n', ''],
      ['if (body.length === 1)', 'if (body.length < 2)'],
    ],
  },
  {
    id: 'code-in-reverse',
    step: 1,
    story: 'The code written with its lowest byte first: 1000 arrives as 59395.',
    source: 'RFC 6455 §5.5.1',
    rules: [94],
    edits: [['setUint16(0, code)', 'setUint16(0, code, true)']],
  },
  {
    id: 'view-from-its-buffer',
    step: 1,
    story: 'The code read from the start of the memory, and not from where the body begins in it.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [['new DataView(body.buffer, body.byteOffset)', 'new DataView(body.buffer)']],
  },
  {
    id: 'reason-replaced',
    step: 1,
    story: 'A reason that is not UTF-8 accepted, with U+FFFD where it is wrong.',
    source: 'crossbario/autobahn-python#29',
    rules: [94, 138],
    edits: [['fatal: true', 'fatal: false']],
  },
  {
    id: 'replacement-in-reason-refused',
    step: 1,
    story: 'Wrong UTF-8 looked for by the U+FFFD in its place: a reason that has one fails.',
    source: 'RFC 6455 §8.1',
    rules: [94],
    edits: [
      ['fatal: true', 'fatal: false'],
      [
        '    return { code, reason: decoder.decode(body.subarray(2)) };\n',
        "    const reason = decoder.decode(body.subarray(2));\n    if (reason.includes('\\ufffd')) throw new TypeError('Not UTF-8.');\n    return { code, reason };\n",
      ],
    ],
  },
  {
    id: 'body-used-again',
    step: 1,
    story: 'One piece of memory for all bodies: what still waits to be sent changes.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [
      [
        'const body = new Uint8Array(2 + utf8.length);',
        'const body = BODY.subarray(0, 2 + utf8.length);',
      ],
      ['const NEXT_STATE:', 'const BODY = new Uint8Array(125);\n\nconst NEXT_STATE:'],
    ],
  },
  {
    id: '1005-on-the-wire',
    step: 2,
    story: '1005 accepted on the wire, and sent back: the peer calls that an error.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [134],
    edits: [['(code < 1004 || code > 1006)', '(code < 1004 || code > 1006 || code === 1005)']],
  },
  {
    id: '1006-on-the-wire',
    step: 2,
    story: '1006 let into a Close like any other code. It says that there was none.',
    source: 'netty/netty#10846',
    rules: [135],
    edits: [['(code < 1004 || code > 1006)', '(code < 1004 || code >= 1006)']],
  },
  {
    id: '1015-on-the-wire',
    step: 2,
    story: '1015 on the list of codes that a server may send. It says that TLS has failed.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [136],
    edits: [['code <= 1014', 'code <= 1015']],
  },
  {
    id: 'codes-to-2999',
    step: 2,
    story: 'Every code of the standard’s range accepted, although most of them mean nothing yet.',
    source: 'aspnet/WebSockets#18',
    rules: [136, 137],
    edits: [['code <= 1014', 'code <= 2999']],
  },
  {
    id: 'codes-without-end',
    step: 2,
    story: 'Codes from 5000 up handed to the application: the upper boundary was forgotten.',
    source: 'aio-libs/aiohttp#12895',
    rules: [137],
    edits: [['code >= 3000 && code <= 4999', 'code >= 3000']],
  },
  {
    id: 'only-listed-codes',
    step: 2,
    story: 'The codes of applications, 3000 to 4999, refused: only those of the RFC were listed.',
    source: 'actor-framework/actor-framework#1498',
    rules: [137],
    edits: [['code >= 3000 && code <= 4999', 'false']],
  },
  {
    id: 'half-codes',
    step: 2,
    story: 'Codes that are not whole numbers let through: the half is lost on the way.',
    source: 'RFC 6455 §7.4',
    rules: [137],
    edits: [['  if (!Number.isInteger(code)) return false;\n', '']],
  },
  {
    id: 'reason-in-characters',
    step: 3,
    story:
      'The reason cut after 123 characters, not bytes. With other letters than ASCII, no Close is sent.',
    source: 'kamp-us/phoenix#7711',
    rules: [92],
    edits: [['reason.slice(0, read)', 'reason.slice(0, MAX_REASON_BYTES)']],
  },
  {
    id: 'reason-cut-inside',
    step: 3,
    story: 'The reason cut after 123 bytes, inside a character.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [
      [
        'return reason.slice(0, read);',
        'return new TextDecoder().decode(new TextEncoder().encode(reason).subarray(0, 123));',
      ],
    ],
  },
  {
    id: 'reason-measured-in-chars',
    step: 3,
    story:
      'The limit compared with `length` of the string: 62 times "é" make a frame of 126 bytes.',
    source: 'kamp-us/phoenix#7711',
    rules: [92],
    edits: [['if (utf8.length > MAX_REASON_BYTES)', 'if (reason.length > MAX_REASON_BYTES)']],
  },
  {
    id: 'replacement-cut-off',
    step: 3,
    story:
      'Every U+FFFD at the end taken for half a character, and dropped: also one that was there.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [
      [
        'return reason.slice(0, read);',
        "const bytes = new TextEncoder().encode(reason).subarray(0, 123);\n  return new TextDecoder().decode(bytes).replace(/\\ufffd+$/, '');",
      ],
    ],
  },
  {
    id: 'close-not-answered',
    step: 4,
    story: 'A Close not answered: the page has closed properly, and its browser reports 1006.',
    source: 'cesanta/mongoose#1502',
    rules: [98],
    edits: [
      [
        "    if (wasOpen) actions.push({ type: 'sendClose', body: encodeCloseBody(body?.code) });\n",
        '',
      ],
    ],
  },
  {
    id: 'close-answered-twice',
    step: 4,
    story: 'A Close answered although our own is out: two servers of this kind never stop.',
    source: 'RFC 6455 §5.5.1',
    rules: [98],
    edits: [['if (wasOpen) actions.push', 'actions.push']],
  },
  {
    id: 'always-answers-1000',
    step: 4,
    story: 'Every Close answered with 1000, whatever it said.',
    source: 'patryksztuczka/websocket-protocol',
    rules: [99],
    edits: [['encodeCloseBody(body?.code)', 'encodeCloseBody(CloseCode.NormalClosure)']],
  },
  {
    id: 'answers-1005',
    step: 4,
    story: 'An empty Close answered with 1005, which is only how we call it among ourselves.',
    source: 'palantir/python-language-server#151',
    rules: [134],
    edits: [
      ['encodeCloseBody(body?.code)', 'encodeCloseBody(body?.code ?? CloseCode.NoStatusReceived)'],
    ],
  },
  {
    id: 'never-hangs-up',
    step: 4,
    story: 'The server never ends the TCP connection. Sockets leak, and the browser stays CLOSING.',
    source: 'minaorangina/websockets-from-scratch-node',
    rules: [100, 101, 123],
    edits: [
      ["if (this.#role === 'server') actions.push", "if (this.#role === 'client') actions.push"],
    ],
  },
  {
    id: 'client-hangs-up',
    step: 4,
    story: 'The client ends TCP first, and its ports stay taken for minutes.',
    source: 'RFC 6455 §7.1.1',
    rules: [102, 121],
    edits: [["if (this.#role === 'server') actions.push", 'actions.push']],
  },
  {
    id: 'hangs-up-at-once',
    step: 4,
    story:
      'TCP ended right behind the own Close. The answer of the peer hits a reset, and it reports 1006.',
    source: 'OneUptime: WebSocket server from scratch',
    rules: [121],
    edits: [
      [
        "[{ type: 'sendClose', body }] : []",
        "[{ type: 'sendClose', body }, { type: 'hangUp' }] : []",
      ],
    ],
  },
  {
    id: 'hangs-up-without-a-word',
    step: 4,
    story: 'To close, the TCP connection is just ended, and no Close is sent.',
    source: 'RFC 6455 §7.1.2',
    rules: [122],
    edits: [["[{ type: 'sendClose', body }] : []", "[{ type: 'hangUp' }] : []"]],
  },
  {
    id: 'open-after-the-close',
    step: 4,
    story: 'The connection counts as open after the own Close, and messages go on.',
    source: 'python-hyper/wsproto#168',
    rules: [109, 124],
    edits: [["close: 'CLOSE_SENT',", "close: 'OPEN',"]],
  },
  {
    id: 'closed-too-soon',
    step: 4,
    story: 'CLOSED as soon as a Close has come. Nobody waits for the end of TCP any more.',
    source: 'RFC 6455 §7.1.4',
    rules: [124],
    edits: [
      [
        "    receiveClose: 'HANGING_UP',\n    fail: 'HANGING_UP',\n    timeout",
        "    receiveClose: 'CLOSED',\n    fail: 'HANGING_UP',\n    timeout",
      ],
    ],
  },
  {
    id: 'any-code-sent',
    step: 4,
    story: 'Whatever code the application has is sent, 1006 too. The peer answers with 1002.',
    source: 'theturtle32/WebSocket-Node#254',
    rules: [134, 135, 136, 137],
    edits: [['if (!isWireCode(code))', 'if (Number.isNaN(code))']],
  },
  {
    id: 'answer-is-a-view',
    step: 4,
    story:
      'The answer cut out of the payload of the peer’s Close. That memory is used again before it is sent.',
    source: 'RFC 6455 §5.5.1',
    rules: [98, 99],
    edits: [['encodeCloseBody(body?.code)', 'payload.subarray(0, 2)']],
  },
  {
    id: 'hangs-up-again',
    step: 4,
    story: 'A second Close of the peer handled like the first: the end begins once more.',
    source: 'RFC 6455 §7.1.2',
    rules: [],
    edits: [
      [
        "if (!this.#transition('receiveClose')) return [];",
        "if (!this.#transition('receiveClose') && this.#state === 'CLOSED') return [];",
      ],
    ],
  },
  {
    id: 'refused-and-closing',
    step: 4,
    story: 'The state changed before the reason is looked at: what is refused closes all the same.',
    source: 'RFC 6455 §7.1.2',
    rules: [],
    edits: [
      [
        "    const body = encodeCloseBody(code, reason);\n    return this.#transition('close') ?",
        "    const isNew = this.#transition('close');\n    const body = encodeCloseBody(code, reason);\n    return isNew ?",
      ],
    ],
  },
  {
    id: 'role-of-the-last',
    step: 4,
    story:
      'The role kept beside the class: a client that was made last keeps all servers from closing TCP.',
    source: 'RFC 6455 §7.1.1',
    rules: [101, 102, 121],
    edits: [
      ['    this.#role = role;', '    ROLE = role;'],
      ["if (this.#role === 'server')", "if (ROLE === 'server')"],
      ['const NEXT_STATE:', 'let ROLE: Role;\n\nconst NEXT_STATE:'],
    ],
  },
  {
    id: 'state-of-the-last',
    step: 4,
    story:
      'The state kept in a variable of the module, and set to OPEN for each new connection: while clients arrive, no end is ever reached.',
    source: 'RFC 6455 §7.1',
    rules: [124],
    edits: [
      [
        "  #state: State = 'OPEN';",
        '  get #state() {\n    return STATE;\n  }\n\n  set #state(state) {\n    STATE = state;\n  }',
      ],
      ['    this.#role = role;', "    this.#role = role;\n    this.#state = 'OPEN';"],
      ['const NEXT_STATE:', 'let STATE: State;\n\nconst NEXT_STATE:'],
    ],
  },
  {
    id: 'code-zero',
    step: 4,
    story: 'The code of a Close never filled in: 0 travels.',
    source: 'michaldziuba03/websockets',
    rules: [137],
    edits: [['code: number = CloseCode.NormalClosure', 'code: number = 0']],
  },
  {
    id: 'everything-1002',
    step: 5,
    story: 'The same code for every error, so that the peer looks in the wrong place.',
    source: 'RFC 6455 §7.4.1',
    rules: [128, 154],
    edits: [
      [
        'error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError',
        'CloseCode.ProtocolError',
      ],
    ],
  },
  {
    id: 'fails-without-a-word',
    step: 5,
    story: 'An error ends TCP, and no Close says why. The peer sees 1006.',
    source: 'RFC 6455 §7.1.7',
    rules: [128, 154],
    edits: [
      ["return [{ type: 'sendClose', body }, { type: 'hangUp' }];", "return [{ type: 'hangUp' }];"],
    ],
  },
  {
    id: 'told-and-kept',
    step: 5,
    story: 'A peer that breaks the rules is told so, and its connection is kept.',
    source: 'RFC 6455 §7.1.7',
    rules: [126, 127],
    edits: [
      [
        "return [{ type: 'sendClose', body }, { type: 'hangUp' }];",
        "return [{ type: 'sendClose', body }];",
      ],
    ],
  },
  {
    id: 'client-does-not-hang-up',
    step: 5,
    story:
      'A client that waits for the server to close TCP, although it is the server that is broken.',
    source: 'RFC 6455 §7.1.7',
    rules: [126],
    edits: [
      [
        "return [{ type: 'sendClose', body }, { type: 'hangUp' }];",
        "const told: Action[] = [{ type: 'sendClose', body }];\n    return this.#role === 'client' ? told : [...told, { type: 'hangUp' }];",
      ],
    ],
  },
  {
    id: 'reason-too-long',
    step: 5,
    story:
      'The message of an error used as the reason, however long. It does not fit, and no Close is sent.',
    source: 'kamp-us/phoenix#7711',
    rules: [128],
    edits: [['truncateReason(error.message)', 'error.message']],
  },
  {
    id: 'parses-on',
    step: 5,
    story: 'What comes after the failure is still processed. The peer gets answers to garbage.',
    source: 'michaldziuba03/websockets',
    rules: [129],
    edits: [
      [
        "return this.#state === 'OPEN' || this.#state === 'CLOSE_SENT';",
        "return this.#state !== 'CLOSED';",
      ],
    ],
  },
  {
    id: 'fails-as-it-is-told',
    step: 5,
    story: 'Whatever has a close code taken for a ProtocolError, a plain object too.',
    source: 'RFC 6455 §7.4.1',
    rules: [128],
    edits: [
      [
        'return error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError;',
        'return (error as Partial<ProtocolError> | undefined)?.closeCode ?? CloseCode.InternalError;',
      ],
    ],
  },
  {
    id: 'illegal-close-ignored',
    step: 5,
    story: 'A Close with a reason that is not UTF-8 ignored: the connection stays as it is.',
    source: 'RFC 6455 §8.1',
    rules: [127, 128, 138, 154],
    edits: [['return this.fail(error);', 'return [];']],
  },
  {
    id: 'illegal-code-taken',
    step: 5,
    story: 'A Close with the code 1005 taken for good, and sent back.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [128, 154],
    edits: [['if (body && !isWireCode(body.code))', 'if (body && Number.isNaN(body.code))']],
  },
  {
    id: 'illegal-close-as-an-answer',
    step: 5,
    story: 'After the own Close, whatever Close arrives is taken for the answer, with any code.',
    source: 'RFC 6455 §7.4.1',
    rules: [126, 127],
    edits: [
      [
        'body = decodeLegalCloseBody(payload);',
        'body = wasOpen ? decodeLegalCloseBody(payload) : decodeCloseBody(payload);',
      ],
    ],
  },
  {
    id: 'slice-of-a-buffer',
    step: 6,
    story: 'The payload kept with `slice`, which copies nothing when it is a Node Buffer.',
    source: 'peakchen90/tiny-websocket',
    rules: [],
    edits: [['new Uint8Array(payload);', 'payload.slice();']],
  },
  {
    id: 'always-clean',
    step: 6,
    story: 'A broken connection reported as 1000. The application does not connect again.',
    source: 'RFC 6455 §7.1.5',
    rules: [125],
    edits: [['code: CloseCode.AbnormalClosure', 'code: CloseCode.NormalClosure']],
  },
  {
    id: 'no-code-is-1000',
    step: 6,
    story: 'An empty Close reported as 1000, as a well-known library once had it.',
    source: 'websockets/ws#1257',
    rules: [125],
    edits: [['code: CloseCode.NoStatusReceived', 'code: CloseCode.NormalClosure']],
  },
  {
    id: 'no-code-is-unclean',
    step: 6,
    story: 'A Close without a code counted as a broken connection, so that clients come back.',
    source: 'lukeed/sockette#3',
    rules: [124],
    edits: [
      [
        'return { code, reason, wasClean: true };',
        'return { code, reason, wasClean: code !== CloseCode.NoStatusReceived };',
      ],
    ],
  },
  {
    id: 'last-close-counts',
    step: 6,
    story: 'The last Close counts, and not the first.',
    source: 'RFC 6455 §7.1.5',
    rules: [125],
    edits: [
      [
        "if (!this.#transition('receiveClose')) return [];\n    this.#peerClose = new Uint8Array(payload);",
        "this.#peerClose = new Uint8Array(payload);\n    if (!this.#transition('receiveClose')) return [];",
      ],
    ],
  },
  {
    id: 'one-end-for-all',
    step: 6,
    story:
      'The peer’s Close kept in a variable of the module: every connection ends with that of the last.',
    source: 'RFC 6455 §7.1.5',
    rules: [125],
    edits: [
      [
        '  #peerClose: Uint8Array | undefined;',
        '  get #peerClose() {\n    return PEER_CLOSE;\n  }\n\n  set #peerClose(body) {\n    PEER_CLOSE = body;\n  }',
      ],
      ['const NEXT_STATE:', 'let PEER_CLOSE: Uint8Array | undefined;\n\nconst NEXT_STATE:'],
    ],
  },
  {
    id: 'waits-for-ever',
    step: 7,
    story:
      'No end to the waiting for the peer’s Close. When the network has failed, it takes minutes.',
    source: 'RFC 6455 §7.1.1',
    rules: [102],
    edits: [["const isWaiting = this.#state === 'CLOSE_SENT' || ", 'const isWaiting = ']],
  },
  {
    id: 'never-given-up',
    step: 7,
    story: 'After both Closes, the end of TCP is waited for without a limit.',
    source: 'RFC 6455 §7.1.1',
    rules: [102],
    edits: [[" || this.#state === 'HANGING_UP';", ';']],
  },
  {
    id: 'clock-of-the-connection',
    step: 7,
    story: 'The time counted from the start of the connection: an old one is dropped at its Close.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [
      ['    this.#state = next;\n    this.#enteredAt = this.#now();', '    this.#state = next;'],
    ],
  },
  {
    id: 'no-deadline-at-zero',
    step: 7,
    story: 'The time of a state taken for none when it is 0: a peer is waited for without end.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [['return isWaiting ?', 'return isWaiting && this.#enteredAt ?']],
  },
  {
    id: 'deadline-at-zero',
    step: 7,
    story: 'A deadline at 0 taken for none: nobody gives up.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [['this.deadline !== undefined &&', 'this.deadline &&']],
  },
  {
    id: 'late-by-a-tick',
    step: 7,
    story:
      'At the deadline itself the time is not up yet. A timer that rings then rings for nothing.',
    source: 'RFC 6455 §7.1.1',
    rules: [102],
    edits: [['this.#now() >= this.deadline', 'this.#now() > this.deadline']],
  },
  {
    id: 'clock-of-the-last',
    step: 7,
    story:
      'The time of a state kept in a variable of the module: with each new client, all that are leaving have the whole time again.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [
      [
        '  #enteredAt: number;',
        '  get #enteredAt() {\n    return ENTERED_AT;\n  }\n\n  set #enteredAt(ms) {\n    ENTERED_AT = ms;\n  }',
      ],
      ['const NEXT_STATE:', 'let ENTERED_AT: number;\n\nconst NEXT_STATE:'],
    ],
  },
  {
    id: 'time-begins-again',
    step: 7,
    story:
      'The time started again by whatever happens: who sends a Close every second is waited for without end.',
    source: 'RFC 6455 §7.1.1',
    rules: [102, 121],
    edits: [
      [
        '    if (next === undefined) return false;\n    this.#state = next;\n    this.#enteredAt = this.#now();\n',
        '    this.#enteredAt = this.#now();\n    if (next === undefined) return false;\n    this.#state = next;\n',
      ],
    ],
  },
  {
    id: 'timeout-of-zero',
    step: 7,
    story:
      'The timeout is taken with `||`. A timeout of 0, not to wait at all, becomes five seconds.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [['    this.#timeoutMs = timeoutMs;', '    this.#timeoutMs = timeoutMs || 5000;']],
  },
];
