/** Mistakes of servers that are fast. */
import type { Trap } from './trap.ts';

/** Step 1: a read is one turn. */
const TURNS: readonly Trap[] = [
  {
    id: 'turn-for-nothing',
    step: 1,
    story:
      'A turn scheduled by each message that is sent, also in the turn that sends it anyway. Every read is followed by an empty turn, and small messages take a third longer.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['    if (this.#turnsAhead === 0) this.#scheduleTurn();', '    this.#scheduleTurn();']],
  },
  {
    id: 'turn-in-the-send',
    step: 1,
    story:
      'A turn run at once by whatever is sent, to save the microtask. Each message leaves in a write of its own.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        '    if (this.#turnsAhead === 0) this.#scheduleTurn();',
        '    if (this.#turnsAhead === 0) this.#turn();',
      ],
    ],
  },
  {
    id: 'awake-for-ever',
    step: 1,
    story:
      'The turns that are on counted up, and never down again. The server answers, and says nothing by itself any more.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['      this.#turnsAhead--;\n      this.#flush();', '      this.#flush();']],
  },
  {
    id: 'one-turn-for-all',
    step: 1,
    story:
      'The turns that are on counted once for all connections. A chat in which what one client says waits until the others speak themselves.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      ['  #turnsAhead = 0;', '  static #turnsAhead = 0;'],
      ['    if (this.#turnsAhead === 0)', '    if (Attachment.#turnsAhead === 0)'],
      [
        '    this.#turnsAhead++;\n    queueMicrotask(() => {\n      this.#turnsAhead--;',
        '    Attachment.#turnsAhead++;\n    queueMicrotask(() => {\n      Attachment.#turnsAhead--;',
      ],
      ['    this.#turnsAhead++;\n    try {', '    Attachment.#turnsAhead++;\n    try {'],
      [
        '      this.#turnsAhead--;\n      this.#flush();',
        '      Attachment.#turnsAhead--;\n      this.#flush();',
      ],
    ],
  },
  {
    id: 'read-during-a-scheduled-turn',
    step: 1,
    story:
      'A read that leaves its events to the turn that is on its way already. It is handled after what the application sends next, so answers come in the wrong order.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        '    else this.connection.receive(chunk);\n    this.#turn();',
        '    else this.connection.receive(chunk);\n    if (this.#turnsAhead === 0) this.#turn();',
      ],
    ],
  },
  {
    id: 'empty-turn-was-needed',
    step: 1,
    story:
      'The second turn dropped, because it never had anything to do. It had: it brought the events behind one whose handler threw.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      ['        this.#scheduleTurn(); // This one ends here, and there may be more events.\n', ''],
    ],
  },
  {
    id: 'flush-per-event',
    step: 1,
    story: 'What is sent written after each event, and not after the read: 16 messages, 16 writes.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        '        this.#emit(event);\n      }',
        '        this.#emit(event);\n        this.#flush();\n      }',
      ],
    ],
  },
  {
    id: 'resume-for-safety',
    step: 1,
    story:
      '`resume` called at the end of each turn, paused or not. It looks like nothing, and schedules a tick.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      [
        '    if (isHeld === this.#isHeld) return;',
        '    if (isHeld === this.#isHeld) {\n      if (!isHeld) this.#socket.resume();\n      return;\n    }',
      ],
    ],
  },
  {
    id: 'never-started',
    step: 1,
    story:
      '`resume` left out at the start as well, since a listener of `data` starts a socket. Not one that was paused while somebody looked up who the client is.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['    socket.resume(); // Somebody may have paused it until now.\n', '']],
  },
  {
    id: 'paused-for-ever',
    step: 1,
    story:
      'The field that says whether the socket is paused never taken back. From the first slow moment on, each read resumes it again.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      [
        '    if (isHeld === this.#isHeld) return;\n    this.#isHeld = isHeld;',
        '    if (!isHeld && !this.#isHeld) return;\n    this.#isHeld ||= isHeld;',
      ],
    ],
  },
];

/** Step 2: unmasking in words. */
const WORDS: readonly Trap[] = [
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
    id: 'still-byte-by-byte',
    step: 2,
    story: 'Words prepared, and a condition that never lets anything come to them.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [
      [
        'if (length < WORDS_PAY_BYTES) return NO_WORDS;',
        'if (length > -WORDS_PAY_BYTES) return NO_WORDS;',
      ],
    ],
  },
  {
    id: 'words-where-aligned',
    step: 2,
    story:
      'Words only for a payload that begins at a multiple of eight. Behind a header of 6, 8 or 14 bytes, hardly any does.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [
      [
        'if (length < WORDS_PAY_BYTES) return NO_WORDS;',
        'if (length < WORDS_PAY_BYTES || byteOffset % 8 !== 0) return NO_WORDS;',
      ],
    ],
  },
  {
    id: 'words-from-anywhere',
    step: 2,
    story:
      'Words laid over the payload wherever it begins. A debug build stopped at it, and a release build crashed.',
    source: 'zaphoyd/websocketpp#516',
    rules: [],
    edits: [['const first = -byteOffset & 7;', 'const first = 0;']],
  },
  {
    id: 'offset-of-the-view-forgotten',
    step: 2,
    story:
      'Words laid over the memory from its beginning, and not from where the bytes begin in it. Right in each test with an array of its own.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [['buffer, byteOffset + first, (length', 'buffer, first, (length']],
  },
  {
    id: 'signed-shift',
    step: 2,
    story:
      'The key turned with `>>`. When its last byte is above 7F, ones come in from the left, so half of all keys are right.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [['return (key >>> bits)', 'return (key >> bits)']],
  },
  {
    id: 'position-not-counted',
    step: 2,
    story:
      'Each piece of a payload begun with the first byte of the key: wrong after a piece with an odd number of bytes.',
    source: 'pocoproject/poco#4838',
    rules: [],
    edits: [
      [
        'unmaskPart(bytes, wordsOf(bytes), 0, bytes.length, keyOf(maskingKey, 0), position);',
        'unmaskPart(bytes, wordsOf(bytes), 0, bytes.length, keyOf(maskingKey, 0), 0);',
      ],
    ],
  },
  {
    id: 'word-kept-for-the-next-time',
    step: 2,
    story:
      'How far a key is turned kept as long as the key is the same. The next piece begins elsewhere, and needs it turned in another way.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [
      [
        '  const bits = (position & 3) * 8;',
        '  if (key !== lastKey) lastBits = (position & 3) * 8;\n  lastKey = key;\n  const bits = lastBits;',
      ],
      [
        '/** Turns a key so',
        'let lastKey: number | undefined;\nlet lastBits = 0;\n\n/** Turns a key so',
      ],
    ],
  },
  {
    id: 'rest-of-the-loop-forgotten',
    step: 2,
    story: 'The loop that takes four words at a time, without one for those that it leaves over.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [['  for (; i < to; i++) words[i]! ^= word;\n', '']],
  },
  {
    id: 'copied-to-be-aligned',
    step: 2,
    story:
      'A payload copied to where words can begin, and back again. Two copies cost more than the few bytes at its edges.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [
      [
        '  unmaskPart(bytes, wordsOf(bytes), 0, bytes.length, keyOf(maskingKey, 0), position);',
        '  const aligned = bytes.slice();\n  const key = keyOf(maskingKey, 0);\n  unmaskPart(aligned, wordsOf(aligned), 0, bytes.length, key, position);\n  bytes.set(aligned);',
      ],
    ],
  },
];

/** Step 3: whose memory it is. */
const MEMORY: readonly Trap[] = [
  {
    id: 'memory-of-others',
    step: 3,
    story:
      'Bytes changed in place that somebody else has as well. There, it was what an application had handed over to be sent: after that, it held noise.',
    source: 'faye/websocket-driver-node#17',
    rules: [],
    edits: [
      [
        '    if (isOurs(this.#socket)) this.connection.receiveOwn(chunk);\n    else this.connection.receive(chunk);',
        '    this.connection.receiveOwn(chunk);',
      ],
    ],
  },
  {
    id: 'push-takes-over',
    step: 3,
    story:
      '`push` without a copy, and unmasked in place. A sender that looked at its bytes afterwards found others.',
    source: 'warmcat/libwebsockets#1548',
    rules: [],
    edits: [['    this.own(Buffer.from(chunk));', '    this.own(chunk);']],
  },
  {
    id: 'slice-of-a-chunk',
    step: 3,
    story:
      '`slice` taken for a copy. That of a Uint8Array is one; that of a Buffer is a view, and every chunk of a socket is a Buffer.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['    this.own(Buffer.from(chunk));', '    this.own(chunk.slice());']],
  },
  {
    id: 'one-memory-for-all-reads',
    step: 3,
    story:
      'Reads copied into one memory that is used again for the next. What an application keeps of a message changes before its eyes.',
    source: 'uNetworking/uWebSockets.js#77',
    rules: [],
    edits: [
      [
        '    this.own(Buffer.from(chunk));',
        '    reads.set(chunk);\n    this.own(reads.subarray(0, chunk.length));',
      ],
      [
        '/** The longest header there is',
        'const reads = Buffer.alloc(1024 * 1024);\n\n/** The longest header there is',
      ],
    ],
  },
  {
    id: 'memory-of-the-view-taken-whole',
    step: 3,
    story:
      'A chunk made a Buffer by its `buffer` alone. It begins where that memory begins, and that is with somebody else’s bytes.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      [
        'const bytes = Buffer.isBuffer(chunk) ? chunk : asBuffer(chunk);',
        'const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer);',
      ],
    ],
  },
  {
    id: 'unmasked-beyond-the-payload',
    step: 3,
    story:
      'All of a read unmasked with the key of its first frame. Whoever sends two messages at once is cut off.',
    source: 'cesanta/mongoose#165',
    rules: [],
    edits: [
      [
        'unmaskPart(this.#chunk, this.#words, start, end, this.#key, 0);',
        'unmaskPart(this.#chunk, this.#words, start, this.#chunk.length, this.#key, 0);',
      ],
    ],
  },
  {
    id: 'rounded-down-to-a-word',
    step: 3,
    story:
      'The first word begun before the first byte. The end of the message in front of it in the same read is XORed as well.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [
      [
        'const from = (start - offset + 7) >>> 3;',
        'const from = Math.max(0, start - offset) >>> 3;',
      ],
    ],
  },
  {
    id: 'control-frames-left-masked',
    step: 3,
    story: 'Messages unmasked, and control frames not: the code of a Close is garbage.',
    source: 'Moddable-OpenSource/moddable#1695',
    rules: [],
    edits: [['    if (isWhole) {\n      this.#unmask(start, end);', '    if (isWhole) {']],
  },
  {
    id: 'view-without-an-end',
    step: 3,
    story: 'A message that goes on to the end of its read, with the messages behind it.',
    source: 'RFC 6455 §5.2',
    rules: [],
    edits: [
      [
        "{ type: 'binary', data: viewOf(this.#chunk, start, end) }",
        "{ type: 'binary', data: this.#chunk.subarray(start) }",
      ],
    ],
  },
  {
    id: 'messages-that-are-buffers',
    step: 3,
    story:
      'Messages returned as the Buffers that the reads are. Whoever keeps a copy by `slice` keeps a view, and the read with it.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      [
        '  return new Uint8Array(buffer, byteOffset + start, end - start);',
        '  return Buffer.from(buffer, byteOffset + start, end - start);',
      ],
    ],
  },
  {
    id: 'last-read-kept',
    step: 3,
    story:
      'The last read kept until the next one comes. Each of the many clients that say nothing at the moment holds one.',
    source: 'faye/websocket-driver-node#6',
    rules: [],
    edits: [['    this.#begin(NO_BYTES);\n', '']],
  },
  {
    id: 'list-not-emptied',
    step: 3,
    story:
      'Reads that waited passed over in their list, and left in it. The list is used up, and all it ever held is still there.',
    source: 'theturtle32/WebSocket-Node#223',
    rules: [],
    edits: [
      ['this.#waiting[this.#next++] = NO_BYTES;', 'this.#next++;'],
      ['    if (this.#next > 0) this.#waiting = [];\n    this.#next = 0;\n', ''],
    ],
  },
  {
    id: 'cut-header-as-a-view',
    step: 3,
    story:
      'The first bytes of a header kept as a view until the rest comes. One byte that a client sends too early keeps 64 KiB.',
    source: 'websockets/ws#153',
    rules: [],
    edits: [
      [
        'this.#cutHeader = new Uint8Array(this.#chunk.subarray(this.#at));',
        'this.#cutHeader = this.#chunk.subarray(this.#at);',
      ],
    ],
  },
  {
    id: 'socket-by-its-looks',
    step: 3,
    story:
      'A `net.Socket` known by its methods. The streams of other libraries have them too, so that they can stand in for one.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      ['!(socket instanceof Socket)) return false;', "!('setNoDelay' in socket)) return false;"],
    ],
  },
  {
    id: 'listeners-forgotten',
    step: 3,
    story:
      'Unmasked in place while others listen. The log that should show what went wrong shows bytes that were never on the wire.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      [
        "return socket.listenerCount('data') === 1 && socket.listenerCount('readable') === 0;",
        'return true;',
      ],
    ],
  },
  {
    id: 'loop-over-the-socket',
    step: 3,
    story:
      'Only those counted that listen to `data`. A loop over the socket, or who asks it at `readable`, is given the same memory.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [[" && socket.listenerCount('readable') === 0;", ';']],
  },
  {
    id: 'listeners-counted-once',
    step: 3,
    story:
      'Whether anybody else listens asked when the connection is made, and never again. A debugger listens later.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      ['isOurs(this.#socket)) this', '(this.#isOurs ??= isOurs(this.#socket))) this'],
      ['  #turnsAhead = 0;', '  #turnsAhead = 0;\n  #isOurs: boolean | undefined;'],
    ],
  },
  {
    id: 'rest-of-the-request-taken-over',
    step: 3,
    story:
      'What came behind the request taken over like a read. It is a part of memory that others have read the request from.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['this.connection.receive(rest);', 'this.connection.receiveOwn(rest);']],
  },
  {
    id: 'reader-of-the-extension-replaced',
    step: 3,
    story:
      'The fast reader used for every connection. What an extension was agreed on for is refused at its first RSV bit.',
    source: 'RFC 6455 §9.1',
    rules: [],
    edits: [['super(limits, now, wake, extension ?? OURS);', 'super(limits, now, wake, OURS);']],
  },
  {
    id: 'slow-client-keeps-reads',
    step: 3,
    story:
      'A view of a few bytes left in the queue of a client that does not read. What it keeps is the whole read, of whoever has sent it: memory grew for ever.',
    source: 'Totodore/socketioxide#448',
    rules: [],
    edits: [['this.#isHeld ? frames.map(withoutRead) : frames', 'frames']],
  },
  {
    id: 'slice-of-what-waits',
    step: 3,
    story:
      'What has to wait copied by `slice`. An application that sends a Buffer gets a view, and a slow client keeps its read all the same.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['payload: new Uint8Array(frame.payload) };', 'payload: frame.payload.slice() };']],
  },
  {
    id: 'socket-tells-nobody',
    step: 3,
    story:
      'A connection that copies what has to wait, and a socket that never tells it. Nothing is copied, and all tests of the connection pass.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['    this.connection.hold(isHeld);\n', '']],
  },
  {
    id: 'copied-in-any-case',
    step: 3,
    story: 'Every short message copied before it is sent, also for a client that takes it at once.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['this.#isHeld ? frames.map(withoutRead) : frames', 'frames.map(withoutRead)']],
  },
  {
    id: 'frames-of-others-changed',
    step: 3,
    story:
      'The payload of a frame replaced in the frame itself. Others are sent the same frames, and the one that sent them still looks at them.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        'return { ...frame, payload: new Uint8Array(frame.payload) };',
        'return Object.assign(frame, { payload: new Uint8Array(frame.payload) });',
      ],
    ],
  },
  {
    id: 'reserved-opcode-in-a-table',
    step: 3,
    story:
      'A table of the first bytes that are legal, which is faster than to look at each bit, and a byte too many in it.',
    source: 'RFC 6455 §5.2',
    rules: [],
    edits: [['new Set([0x00, 0x01, 0x02, 0x80,', 'new Set([0x00, 0x01, 0x02, 0x03, 0x80,']],
  },
];

export const TRAPS: readonly Trap[] = [
  ...TURNS,
  ...WORDS,
  ...MEMORY,
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
    id: 'reserved-before-anything-is-said',
    step: 4,
    story:
      'At least 64 KiB reserved for each message that has begun, as busy connections need it. With a thousand connections that are not, it is the memory of the server.',
    source: 'snapview/tungstenite-rs#482',
    rules: [],
    edits: [
      [
        'Math.max(length, trusted, this.#memory.length * 2)',
        'Math.max(length, trusted, this.#memory.length * 2, 64 * 1024)',
      ],
    ],
  },
  {
    id: 'grown-by-what-arrives',
    step: 4,
    story:
      'Memory that grows by each piece, and all that came before copied into it again, although the header has said how much there will be. The receiver was busy with copies.',
    source: 'websockets/ws#564',
    rules: [],
    edits: [
      [
        '      const trusted = Math.min(announced, length * TRUST);\n      this.#grow(Math.max(length, trusted, this.#memory.length * 2));\n',
        '      this.#grow(length);\n',
      ],
    ],
  },
  {
    id: 'an-object-for-each-piece',
    step: 4,
    story:
      'The pieces of a payload kept in a list until it is complete. Limits count the bytes, and each piece of one byte is an object of more than a hundred.',
    source: 'websockets/ws#2332',
    rules: [],
    edits: [
      [
        '      const trusted = Math.min(announced, length * TRUST);\n      this.#grow(Math.max(length, trusted, this.#memory.length * 2));\n    }\n    this.#memory.set(bytes, this.#length);',
        '      this.#memory = { length: Math.max(announced, length), subarray: (start: number, end: number) => new Uint8Array(Buffer.concat(this.#pieces)).subarray(start, end) } as never;\n    }\n    this.#pieces.push(bytes);',
      ],
      [
        '  #memory: Uint8Array = NO_BYTES;\n',
        '  #pieces: Uint8Array[] = [];\n  #memory: Uint8Array = NO_BYTES;\n',
      ],
      [
        '    const memory = this.#memory;\n    unmaskPart(memory, wordsOf(memory), start, this.#length, key, position);',
        '    const memory = this.#pieces.at(-1)!;\n    unmaskPart(memory, wordsOf(memory), 0, this.#length - start, key, position);',
      ],
      [
        '    this.#memory = NO_BYTES;\n    this.#length = 0;\n    return bytes;',
        '    this.#memory = NO_BYTES;\n    this.#pieces = [];\n    this.#length = 0;\n    return bytes;',
      ],
    ],
  },
  {
    id: 'a-few-bytes-keep-their-read',
    step: 4,
    story:
      'The first piece of a payload kept where it is, and copied only when the next one arrives. As long as somebody has a part of a read, none of it can be used again: one byte keeps 64 KiB.',
    source: 'loldevs/lol-observer#2',
    rules: [],
    edits: [
      [
        '    if (length > this.#memory.length) {\n',
        '    if (this.#length === 0) {\n      this.#memory = bytes;\n      this.#length = length;\n      return;\n    }\n    if (length > this.#memory.length) {\n',
      ],
    ],
  },
  {
    id: 'key-from-its-start-for-each-piece',
    step: 4,
    story:
      'Each piece of a payload unmasked from the first byte of the key. It shows only when a read ends after a number of bytes that is no multiple of four.',
    source: 'pocoproject/poco#4838',
    rules: [],
    edits: [
      [
        'gathering.unmask(before, this.#key, this.#position)',
        'gathering.unmask(before, this.#key, 0)',
      ],
    ],
  },
  {
    id: 'key-counted-through-the-message',
    step: 4,
    story:
      'The place in the message taken for the place in the payload. A continuation frame has a key of its own, which begins with its first byte.',
    source: 'rawpython/remi#483',
    rules: [],
    edits: [
      [
        'gathering.unmask(before, this.#key, this.#position)',
        'gathering.unmask(before, this.#key, before)',
      ],
    ],
  },
  {
    id: 'one-place-for-everything-cut',
    step: 4,
    story:
      'A Ping that arrived in pieces put where the open message is. Its Pong carried the bytes of that message as well.',
    source: 'userver-framework/userver#1308',
    rules: [],
    edits: [
      ['this.#control ??= new Gathering();', 'this.#control ??= this.#message ?? new Gathering();'],
    ],
  },
  {
    id: 'rest-of-a-control-frame-is-a-header',
    step: 4,
    story:
      'A control frame taken for complete when its first piece had arrived, since so few bytes always come together. When they once did not, the others were read as the next header.',
    source: 'oven-sh/bun#26944',
    rules: [],
    edits: [['      if (this.#missing > 0) return undefined;\n', '']],
  },
  {
    id: 'reads-that-stay',
    step: 4,
    story:
      'A list of reads that wait, and that is never cleared once they have been read. From then on it grows with each read, and each looks at all of it: a server that gets slower by the day.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['    if (this.#next > 0) this.#waiting = [];\n', '']],
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
  {
    id: 'half-a-frame-left-behind',
    step: 5,
    story:
      'A payload that cannot be copied throws when its header has been written already. The next connection takes that header with its own frames, and its client can make nothing of it.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        '    OUTPUT.take(); // An error may have left something there, of another connection.\n',
        '',
      ],
    ],
  },
  {
    id: 'half-a-frame-sent',
    step: 5,
    story:
      'An error of the output caught, so that one bad message ends nothing. The header that it had written already goes out, and all that is sent afterwards is taken for its payload.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        '    for (const frame of this.takeFrames()) OUTPUT.add(frame);\n    return OUTPUT.take();',
        '    try {\n      for (const frame of this.takeFrames()) OUTPUT.add(frame);\n    } catch {\n      // One bad message is no reason to end.\n    }\n    return OUTPUT.take();',
      ],
    ],
  },
  {
    id: 'memory-for-each-connection',
    step: 5,
    story:
      'An output of its own for each connection, for as long as that lives, although it is needed only while a message is being written.',
    source: 'gorilla/websocket#9',
    rules: [],
    edits: [
      [
        '    for (const frame of this.takeFrames()) OUTPUT.add(frame);\n    return OUTPUT.take();',
        '    for (const frame of this.takeFrames()) this.output.add(frame);\n    return this.output.take();',
      ],
      [
        '  readonly isExtended: boolean;\n',
        '  readonly isExtended: boolean;\n  readonly output = new Output();\n',
      ],
    ],
  },
  {
    id: 'memory-before-the-first-word',
    step: 5,
    story:
      'An output of its own for each connection, which takes its memory as it is made. A hundred connections that say nothing have 6.5 MB of it.',
    source: 'gorilla/websocket#9',
    rules: [],
    edits: [
      [
        '  #memory = Buffer.alloc(0);\n  /** Where in it',
        '  #memory = Buffer.allocUnsafeSlow(OUTPUT_MEMORY_BYTES);\n  /** Where in it',
      ],
      [
        '    for (const frame of this.takeFrames()) OUTPUT.add(frame);\n    return OUTPUT.take();',
        '    for (const frame of this.takeFrames()) this.output.add(frame);\n    return this.output.take();',
      ],
      [
        '  readonly isExtended: boolean;\n',
        '  readonly isExtended: boolean;\n  readonly output = new Output();\n',
      ],
    ],
  },
  {
    id: 'two-write-in-turn',
    step: 5,
    story:
      'Where the next byte goes kept for all outputs together. Two that were used in turn wrote into the messages of each other.',
    source: 'Atmosphere/atmosphere#1961',
    rules: [],
    edits: [
      [
        '  #memory = Buffer.alloc(0);\n',
        '  get #memory() {\n    return SHARED.memory;\n  }\n  set #memory(memory) {\n    SHARED.memory = memory;\n  }\n',
      ],
      [
        '  #start = 0;\n  #end = 0;\n',
        '  get #start() {\n    return SHARED.start;\n  }\n  set #start(at) {\n    SHARED.start = at;\n  }\n  get #end() {\n    return SHARED.end;\n  }\n  set #end(at) {\n    SHARED.end = at;\n  }\n',
      ],
      [
        'export class Output {',
        'const SHARED = { memory: Buffer.alloc(0), start: 0, end: 0 };\nexport class Output {',
      ],
    ],
  },
  {
    id: 'room-for-a-short-header',
    step: 5,
    story:
      'Room asked for a header of two bytes, as most have. At the end of a memory, a longer one left too little for its payload.',
    source: 'RFC 6455 §5.2',
    rules: [],
    edits: [['const MAX_PLAIN_HEADER_BYTES = 10;', 'const MAX_PLAIN_HEADER_BYTES = 2;']],
  },
  {
    id: 'full-memory-kept',
    step: 5,
    story:
      'Memory that has been written and taken, and is still referred to from a list. It grew for as long as the server ran.',
    source: 'aspnet/KestrelHttpServer#699',
    rules: [],
    edits: [
      [
        '  #parts: Uint8Array[] = [];\n',
        '  #parts: Uint8Array[] = [];\n  readonly #memories: Buffer[] = [];\n',
      ],
      [
        '    this.#start = this.#end = 0;\n  }',
        '    this.#start = this.#end = 0;\n    this.#memories.push(this.#memory);\n  }',
      ],
    ],
  },
  {
    id: 'short-payload-by-itself',
    step: 5,
    story:
      'No payload copied, however short. Header and payload were two parts then, and to write two costs more than to copy a few bytes.',
    source: 'websockets/ws#2163',
    rules: [],
    edits: [['const isLong = length >= LONG_BYTES;\n', 'const isLong = length > 0;\n']],
  },
  {
    id: 'joined-for-the-write',
    step: 6,
    story:
      'All parts joined into one, as a write takes one. A third of what the sender did was this copy.',
    source: 'websockets/ws#564',
    rules: [],
    edits: [
      ['  if (parts.length === 1 || !(socket instanceof Socket)) {', '  if (parts.length > 0) {'],
    ],
  },
  {
    id: 'header-in-a-call-of-its-own',
    step: 6,
    story:
      'Header and payload written one after the other, without `cork`. Each was a call of the system, and a packet.',
    source: 'nodejs/undici#1982',
    rules: [],
    edits: [
      ['  socket.cork();\n', ''],
      ['  socket.uncork();\n', ''],
    ],
  },
  {
    id: 'cork-where-nothing-is-joined',
    step: 6,
    story:
      'Any socket corked. Where a stream has no `_writev`, `cork` and `uncork` only put off the writes, and each is made by itself.',
    source: 'nodejs/node#910',
    rules: [],
    edits: [
      ['  if (parts.length === 1 || !(socket instanceof Socket)) {', '  if (parts.length === 1) {'],
    ],
  },
  {
    id: 'view-of-all-the-memory',
    step: 6,
    story:
      'The memory of a payload handed on in place of the payload, which is a part of it. What is before it and behind it went out as well.',
    source: 'feross/buffer#23',
    rules: [],
    edits: [
      [
        'this.#parts.push(frame.payload);',
        'this.#parts.push(new Uint8Array(frame.payload.buffer));',
      ],
    ],
  },
  {
    id: 'nothing-copied-so-all-at-once',
    step: 6,
    story:
      'A long message written as a whole, because it need not be copied. A Ping had to wait for ten megabytes, and by then nobody believed in the connection any more.',
    source: 'theturtle32/WebSocket-Node#229',
    rules: [],
    edits: [
      [
        '    while (!isBehind(socket)) {\n      const parts = connection.takeParts();',
        '    while (!isBehind(socket)) {\n      const parts: Uint8Array[] = [];\n      for (let more = connection.takeParts(); more.length > 0; more = connection.takeParts()) {\n        parts.push(...more);\n      }',
      ],
    ],
  },
  {
    id: 'socket-not-asked',
    step: 6,
    story:
      'Written for as long as there was anything, whatever `write` returned. What slow clients had not taken filled eight gigabytes.',
    source: 'nodejs/node#9254',
    rules: [],
    edits: [['    while (!isBehind(socket)) {\n', '    while (socket.writable) {\n']],
  },
  {
    id: 'texts-written-over',
    step: 7,
    story:
      'One piece of memory for all texts, and begun anew when it is full. Of two that are sent at about the same time, one client gets a part of the other.',
    source: 'Atmosphere/atmosphere#1961',
    rules: [],
    edits: [
      [
        'textMemory = Buffer.allocUnsafeSlow(OUTPUT_MEMORY_BYTES);',
        'if (textMemory.length === 0) textMemory = Buffer.allocUnsafeSlow(OUTPUT_MEMORY_BYTES);',
      ],
    ],
  },
  {
    id: 'length-of-the-string',
    step: 7,
    story:
      'As many bytes reserved as the string has units. While it is ASCII that is right, and in the middle of the memory nobody sees the difference: only at its end, characters are missing.',
    source: 'igrigorik/em-websocket#86',
    rules: [],
    edits: [['const most = text.length * 3;', 'const most = text.length;']],
  },
  {
    id: 'room-kept',
    step: 7,
    story:
      'Three bytes reserved for each unit, and what was too much not used for the next text. Of each piece of memory, two thirds stay empty.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [
      [
        '  textsEnd += textMemory.write(text, start);\n  return textMemory.subarray(start, textsEnd);',
        '  textsEnd += most;\n  return textMemory.subarray(start, start + textMemory.write(text, start));',
      ],
    ],
  },
  {
    id: 'half-a-pair-sent',
    step: 7,
    story:
      'Half of a surrogate pair left to the encoder, which sends U+FFFD without a word. The client gets another text than the one that was sent.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [
      [
        "  if (!text.isWellFormed()) throw new TypeError('The text has half of a surrogate pair in it.');\n  const most",
        '  const most',
      ],
    ],
  },
  {
    id: 'sent-the-old-way',
    step: 7,
    story:
      'Texts encoded well, and nobody uses that: `send` of the class before goes on with its own encoder.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        'return this.isExtended ? super.send(data, options) : this.sendFrames(framesOf(data));',
        'return super.send(data, options);',
      ],
    ],
  },
  {
    id: 'byte-by-byte-into-characters',
    step: 7,
    story:
      'Each byte of a long text made into a character. For ASCII, nothing is faster, and all others are garbled.',
    source: 'ahyatt/emacs-websocket#45',
    rules: [],
    edits: [
      [
        "bytes.toString('utf8', start, end)",
        "bytes.toString(end - start < LONG_BYTES ? 'utf8' : 'latin1', start, end)",
      ],
    ],
  },
  {
    id: 'wrong-bytes-replaced',
    step: 7,
    story:
      'U+FFFD put in place of bytes that are not UTF-8, as decoders do unless they are told not to. The message arrives, and it is not the one that was sent.',
    source: 'googlearchive/pywebsocket#20',
    rules: [],
    edits: [
      [
        "  if (text.includes('\\uFFFD') && !isUtf8(viewOf(bytes, start, end))) throw invalidText();\n",
        '',
      ],
    ],
  },
  {
    id: 'real-replacement-character',
    step: 7,
    story:
      'Whatever has a U+FFFD in it refused. Somebody who sends one on purpose, or passes on what another program has made of wrong bytes, is thrown out.',
    source: 'RFC 6455 §8.1',
    rules: [],
    edits: [
      [
        "  if (text.includes('\\uFFFD') && !isUtf8(viewOf(bytes, start, end))) throw invalidText();\n",
        "  if (text.includes('\\uFFFD')) throw invalidText();\n",
      ],
    ],
  },
  {
    id: 'pieces-are-texts',
    step: 7,
    story:
      'Each piece checked as if it were a text of its own. When a read ends inside a character, a good message is refused.',
    source: 'dotnet/corefx#29834',
    rules: [],
    edits: [
      ['isComplete ? text.length : text.length - cutCharacter(text.since(checked))', 'text.length'],
    ],
  },
  {
    id: 'checked-in-the-end',
    step: 7,
    story:
      'A text checked when all of it is there. Whoever announces a long one can send anything for as long as they like, and is told far too late.',
    source: 'ballerina-platform/ballerina-lang#12696',
    rules: [],
    edits: [
      [
        '  if (!isUtf8(text.since(checked, end)) || !canGoOn(begun)) throw invalidText();\n',
        '  if (isComplete && !isUtf8(text.since(0))) throw invalidText();\n  begun.at(0);\n',
      ],
    ],
  },
  {
    id: 'begun-character-believed',
    step: 7,
    story:
      'What is left at the end of a piece taken for a character that goes on. Some second bytes fit no first one: that text is wrong already.',
    source: 'RFC 6455 §8.1',
    rules: [],
    edits: [[' || !canGoOn(begun)', '']],
  },
  {
    id: 'checked-from-the-start',
    step: 7,
    story:
      'All that has arrived checked again with each piece. A long text in small fragments keeps the server busy for minutes, and nobody else gets an answer.',
    source: 'RFC 6455 §8.1',
    rules: [],
    edits: [
      [
        'if (isText) this.#checked = checkText(message, this.#checked, isComplete);',
        'if (isText) checkText(message, 0, isComplete);',
      ],
    ],
  },
  {
    id: 'next-text-half-checked',
    step: 7,
    story:
      'How far the last text was checked, kept for the next one: its first bytes are not looked at.',
    source: 'RFC 6455 §8.1',
    rules: [],
    edits: [['    this.#checked = 0;\n    const data', '    const data']],
  },
  {
    id: 'encoded-for-each',
    step: 8,
    story:
      'The same text encoded once for each client. With a thousand of them, that is a thousand times.',
    source: 'javaee/grizzly#1462',
    rules: [],
    edits: [
      [
        '      else connection.sendFrames(frames);\n',
        '      else connection.sendFrames(framesOf(data));\n',
      ],
    ],
  },
  {
    id: 'copied-for-each',
    step: 8,
    story:
      'A copy of the same message for each client. With enough of them, memory and the collection of garbage are all that the server is busy with.',
    source: 'TooTallNate/Java-WebSocket#537',
    rules: [],
    edits: [
      [
        '      else connection.sendFrames(frames);\n',
        '      else connection.sendFrames(frames.map(withoutRead).map((frame) => ({ ...frame, payload: frame.payload.slice() })));\n',
      ],
    ],
  },
  {
    id: 'one-closes-for-all',
    step: 8,
    story:
      'The loop left at the first client that takes nothing any more. Those behind it hear nothing.',
    source: 'TooTallNate/Java-WebSocket#552',
    rules: [],
    edits: [
      [
        '      else connection.sendFrames(frames);\n',
        '      else if (!connection.sendFrames(frames)) break;\n',
      ],
    ],
  },
  {
    id: 'past-the-extension',
    step: 8,
    story:
      'The frames of all the others sent to a client with whom an extension has been agreed on. What that has kept of earlier messages no longer fits.',
    source: 'RFC 7692 §7.2.1',
    rules: [],
    edits: [
      [
        '      if (isExtended) connection.send(data);\n      else connection.sendFrames(frames);\n',
        '      connection.sendFrames(frames);\n',
      ],
      [
        '      // An extension makes its own frames for each connection.\n      const isExtended = connection instanceof Connection && connection.isExtended;\n',
        '',
      ],
    ],
  },
  {
    id: 'limits-of-somebody-else',
    step: 8,
    story:
      'A constructor that hands on what is new, and drops what it was given. The limits of the server are the usual ones again.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['super(handle, { ...options, attach });', 'super(handle, { attach });']],
  },
  {
    id: 'one-frame-for-all',
    step: 8,
    story:
      'A message for everybody in one frame, because no cutting is faster still. A Pong waits until all of it has gone.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        '    const frames = framesOf(data);\n',
        "    const isText = typeof data === 'string';\n    const payload = isText ? encodeText(data) : data;\n    const frames = [{ fin: true, opcode: isText ? Opcode.Text : Opcode.Binary, payload }];\n",
      ],
    ],
  },
  {
    id: 'limit-of-a-frame',
    step: 9,
    story:
      'The limit compared with each frame, and not with the message that they make. A client sends fragments until the memory is full.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['(this.#message?.length ?? 0) + length > this', 'length > this']],
  },
  {
    id: 'only-the-first-part',
    step: 9,
    story: 'What goes out taken in parts, and only the first one handed to who asks for all of it.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['return Buffer.concat(this.takeParts());', 'return this.takeParts()[0] ?? NO_BYTES;']],
  },
];
