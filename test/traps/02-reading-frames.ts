import type { Trap } from './trap.ts';

export const TRAPS: readonly Trap[] = [
  {
    id: 'subtract-128',
    step: 1,
    story:
      'The MASK bit taken for granted: the length is the byte minus 128. It is negative for a frame without a mask, and the server waits for ever.',
    source: 'MDN: Writing a WebSocket server in C#',
    rules: [116],
    edits: [['second & 0x7f', 'second - 128']],
  },
  {
    id: 'everything-is-text',
    step: 1,
    story:
      'The opcode never read: everything is text. A Close arrives as a message of two strange characters.',
    source: 'pusher/websockets-from-scratch-tutorial',
    rules: [118],
    edits: [['opcode: first & 0x0f', 'opcode: 1']],
  },
  {
    id: 'length-126-as-is',
    step: 2,
    story:
      'A 7-bit length of 126 read as 126 bytes. A message of 200 bytes is swallowed, and what follows is garbage.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [['length7 === 126 ? 2 : 0', '0']],
  },
  {
    id: 'length-127-ignored',
    step: 2,
    story: 'The eight bytes after 127 skipped, and 127 taken for the length.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [['lengthBytes === 0 ? length7 :', 'lengthBytes !== 2 ? length7 :']],
  },
  {
    id: 'no-64-bits',
    step: 2,
    story:
      'Lengths in 64 bits not supported: an exception. In some tutorials, a message of 70,000 bytes ends the process.',
    source: 'WernerLDev/ts-websocket-server-protocol',
    rules: [76],
    edits: [
      [
        '  const lengthBytes =',
        "  if (length7 === 127) throw new Error('Large payloads are not supported.');\n  const lengthBytes =",
      ],
    ],
  },
  {
    id: 'seven-of-eight-bytes',
    step: 2,
    story: 'Seven of the eight bytes of a length read: 65536 becomes 256.',
    source: 'AlexanderEllis/websocket-from-scratch',
    rules: [76],
    edits: [['i < size; i++) length', 'i < Math.min(size, 7); i++) length']],
  },
  {
    id: 'little-endian',
    step: 2,
    story:
      'The bytes of a length read in the order of the processor, which is the wrong way round.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['length * 256 + bytes[offset + i]!', 'length * 256 + bytes[offset + size - 1 - i]!']],
  },
  {
    id: 'length-32-bit',
    step: 2,
    story: 'The length put together with shifts, which keep only 32 of its 64 bits.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [['length * 256 + bytes[offset + i]!', '((length << 8) | bytes[offset + i]!) >>> 0']],
  },
  {
    id: 'key-not-waited-for',
    step: 2,
    story:
      'A masked frame whose key has not come yet read as one without a mask. The key arrives as a message.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [],
    edits: [
      ['if (available < headerLength)', 'if (available < 2 + lengthBytes)'],
      [
        'masked ? fourBytes(bytes, keyAt)',
        'masked && bytes.length >= keyAt + 4 ? fourBytes(bytes, keyAt)',
      ],
    ],
  },
  {
    id: 'header-not-waited-for',
    step: 2,
    story:
      'The rest of the header expected to be there with its first two bytes. When TCP cuts it there, the length is nonsense.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [76],
    edits: [['  if (available < headerLength) return undefined;\n', '']],
  },
  {
    id: 'beyond-2-to-53-refused',
    step: 2,
    story:
      'Every length that a number cannot represent exactly refused with 1002. The peer is told that it broke the protocol, when its message is only too large.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [['if (length < (size', 'if (length > Number.MAX_SAFE_INTEGER || length < (size']],
  },
  {
    id: 'length-as-bigint',
    step: 2,
    story: 'A length in 64 bits handed on as the BigInt that a DataView reads it as.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [
      [
        '  return length;\n}',
        '  return size === 8 ? (BigInt(length) as unknown as number) : length;\n}',
      ],
    ],
  },
  {
    id: 'longer-form-16',
    step: 2,
    story: 'A length of 125 accepted in 16 bits: the boundary is off by one.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['size === 2 ? 126 : 65536', 'size === 2 ? 125 : 65536']],
  },
  {
    id: 'longer-form-64',
    step: 2,
    story: 'A length of 65535 accepted in 64 bits: the boundary is off by one.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['size === 2 ? 126 : 65536', 'size === 2 ? 126 : 65535']],
  },
  {
    id: 'top-bit',
    step: 2,
    story:
      'The highest bit of a 64-bit length never looked at. Read as a signed number, the length was negative, and bytes were written beside the buffer.',
    source: 'ASPLes/nopoll#84',
    rules: [74],
    edits: [['size === 8 && bytes[offset]! >= 0x80', 'false']],
  },
  {
    id: 'key-restarts',
    step: 3,
    story:
      'The key starts over with each chunk. Tests with short messages pass, and long ones arrive broken.',
    source: 'boostorg/beast#1061',
    rules: [82],
    edits: [['const start = bytes.length', 'position = 0;\n  const start = bytes.length']],
  },
  {
    id: 'key-of-the-buffer',
    step: 3,
    story:
      'The key read from the start of the buffer that it is a view into, and not from where it is.',
    source: 'RFC 6455 §5.3',
    rules: [82],
    edits: [
      [
        'const start = bytes.length',
        'maskingKey = new Uint8Array(maskingKey.buffer, 0, 4);\n  const start = bytes.length',
      ],
    ],
  },
  {
    id: 'unmasked-copy',
    step: 3,
    story: 'A copy unmasked, and the original read.',
    source: 'RFC 6455 §5.3',
    rules: [120],
    edits: [['const start = bytes.length', 'bytes = bytes.slice();\n  const start = bytes.length']],
  },
  {
    id: 'one-frame-a-read',
    step: 4,
    story:
      'One read taken for one frame: what follows it is dropped. A client that sends fast loses every second message.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [91, 119],
    edits: [
      [
        '    this.#header = undefined;\n    return',
        '    this.#header = undefined;\n    this.#received.skip(this.#received.length);\n    return',
      ],
    ],
  },
  {
    id: 'part-of-a-frame-dropped',
    step: 4,
    story:
      'A part of a frame not kept until the rest comes. It works on localhost, and fails on a network.',
    source: 'espressif/esp-idf#14704',
    rules: [91],
    edits: [
      [
        'this.#received.push(chunk);',
        'this.#received.skip(this.#received.length);\n    this.#received.push(chunk);',
      ],
    ],
  },
  {
    id: 'payload-to-the-end',
    step: 4,
    story:
      'The payload taken up to the end of the buffer instead of by its length. Two frames in one read become one wrong text.',
    source: 'MDN: Writing WebSocket servers',
    rules: [116, 119],
    edits: [['.take(payloadLength)', '.take(this.#received.length)']],
  },
  {
    id: 'pushed-chunk-kept',
    step: 4,
    story:
      'The chunk itself kept as the buffer. Its memory is used for the next read before the frame is complete.',
    source: 'cesanta/mongoose#145',
    rules: [],
    edits: [
      [
        'if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
        'if (this.length === 0) {\n      this.#memory = this.#written = chunk as never;\n      return;\n    }\n    if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
      ],
    ],
  },
  {
    id: 'memory-used-again',
    step: 4,
    story: 'Memory that was returned is used again for what arrives later: old messages change.',
    source: 'cesanta/mongoose#145',
    rules: [],
    edits: [
      [
        'this.#memory = this.#written = NO_BYTES; // An idle connection keeps no memory.',
        'this.#written = this.#memory.subarray(0, 0);',
      ],
    ],
  },
  {
    id: 'moved-to-the-front',
    step: 4,
    story:
      'The rest of a read moved to the front of the buffer, over what was not used yet. Of two messages in one read, the first is garbage.',
    source: 'cesanta/mongoose#165',
    rules: [],
    edits: [
      [
        'const waiting = this.peek();\n',
        'const waiting = this.peek();\n    if (waiting.length + by <= this.#memory.length) {\n      this.#memory.set(waiting);\n      this.#written = this.#memory.subarray(0, waiting.length);\n      this.#start = 0;\n      return;\n    }\n',
      ],
    ],
  },
  {
    id: 'joined-each-time',
    step: 5,
    story:
      'The whole buffer joined again with each read. A large message in small reads takes minutes instead of milliseconds.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['Math.max(waiting.length + by, waiting.length * 2)', 'waiting.length + by']],
  },
  {
    id: 'key-in-used-memory',
    step: 5,
    story:
      'The masking key kept as a view into a buffer whose front is used again. While the payload arrives, other bytes are moved there, and one frame in a thousand is unmasked with them.',
    source: 'RFC 6455 §5.3',
    rules: [91],
    edits: [
      [
        'masked ? fourBytes(bytes, keyAt) : undefined',
        'masked ? bytes.subarray(keyAt, keyAt + 4) : undefined',
      ],
      [
        'const size = Math.max(waiting.length + by, waiting.length * 2);',
        'const size = Math.max(waiting.length + by, waiting.length * 2, 1024);',
      ],
      [
        'const { buffer, byteOffset } = Buffer.allocUnsafe(size);',
        'const isThere = size <= this.#memory.length;\n    const { buffer, byteOffset } = isThere ? this.#memory : Buffer.allocUnsafe(size);',
      ],
      [
        'const taken = this.#written.subarray(this.#start, this.#start + count);',
        'const taken = this.#written.slice(this.#start, this.#start + count);',
      ],
    ],
  },
  {
    id: 'rest-moved-each-time',
    step: 5,
    story:
      'The bytes behind a frame are moved to the front as soon as it is out. A read of 256 KiB with a ping in every six bytes keeps the processor busy for seconds.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'if (this.#start < this.#written.length) return;',
        'if (this.#start < this.#written.length) {\n      this.#memory = this.#written = this.#written.slice(this.#start);\n      this.#start = 0;\n      return;\n    }',
      ],
    ],
  },
  {
    id: 'declared-allocation',
    step: 5,
    story:
      'Memory reserved for a length that was only announced. A header of ten bytes ends the server.',
    source: 'TooTallNate/Java-WebSocket#1507',
    rules: [],
    edits: [
      [
        'if (this.#received.length < payloadLength) return undefined;',
        'this.reserved ??= new Uint8Array(payloadLength);\n    if (this.#received.length < payloadLength) return undefined;',
      ],
      [
        'readonly #received = new ByteQueue();',
        'readonly #received = new ByteQueue();\n  reserved: unknown;',
      ],
    ],
  },
  {
    id: 'small-allocation',
    step: 5,
    story:
      'Memory for the first 64 KiB of an announced payload reserved at once. It looks like a bound, and thousands of connections that send nothing take gigabytes.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'if (this.#received.length < payloadLength) return undefined;',
        'this.reserved ??= new Uint8Array(Math.min(payloadLength, 65536));\n    if (this.#received.length < payloadLength) return undefined;',
      ],
      [
        'readonly #received = new ByteQueue();',
        'readonly #received = new ByteQueue();\n  reserved: unknown;',
      ],
    ],
  },
  {
    id: 'checked-when-complete',
    step: 5,
    story:
      'The header checked when the whole frame is there. A ping that announces a megabyte is waited for, and stored, before it is refused.',
    source: 'python-websockets/websockets',
    rules: [],
    edits: [
      ['this.#check(header);\n    this.#received.skip', 'this.#received.skip'],
      [
        'const payload = this.#received.take(payloadLength);',
        'this.#check(this.#header);\n    const payload = this.#received.take(payloadLength);',
      ],
    ],
  },
  {
    id: 'refused-then-read',
    step: 5,
    story:
      'The header kept before it is checked. `check` throws, and the next `read` finds a header, waits for its payload, and hands the refused frame out.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      [
        '    this.#check(header);\n    this.#received.skip(header.headerLength);\n',
        '    this.#received.skip(header.headerLength);\n    this.#header = header;\n    this.#check(header);\n',
      ],
    ],
  },
  {
    id: 'one-queue-for-all',
    step: 4,
    story:
      'The bytes that wait kept in the module. With one client it works, and with two, each gets the frames of the other.',
    source: 'RFC 6455 §6.2',
    rules: [91],
    edits: [
      ['readonly #received = new ByteQueue();', 'readonly #received = RECEIVED;'],
      [
        '/**\n * Steps 4 and 5 · A stream of frames.',
        'const RECEIVED = new ByteQueue();\n\n/**\n * Steps 4 and 5 · A stream of frames.',
      ],
    ],
  },
  {
    id: 'waits-for-the-next',
    step: 4,
    story:
      'A frame returned only when there is a byte behind it: `<=` for `<`. The last message of every conversation never arrives.',
    source: 'RFC 6455 §6.2',
    rules: [116],
    edits: [['this.#received.length < payloadLength', 'this.#received.length <= payloadLength']],
  },
  {
    id: 'unmasked-accepted',
    step: 6,
    story: 'Frames of a client accepted without a mask, which keeps proxies safe.',
    source: 'novnc/websockify#164',
    rules: [67, 153],
    edits: [["role === 'server' && !header.maskingKey", 'false']],
  },
  {
    id: 'masked-accepted',
    step: 6,
    story: 'A client that accepts masked frames of a server.',
    source: 'RFC 6455 §5.1',
    rules: [69, 153],
    edits: [["role === 'client' && header.maskingKey", 'false']],
  },
  {
    id: 'rsv-ignored',
    step: 6,
    story: 'RSV bits ignored, as a guide says they can be. What is compressed is shown as text.',
    source: 'MDN: Writing WebSocket servers',
    rules: [72, 153],
    edits: [['header.rsv !== 0', 'false']],
  },
  {
    id: 'rsv-of-continuations',
    step: 6,
    story: 'RSV bits checked where a message begins, and ignored in its continuations.',
    source: 'RFC 6455 §5.2',
    rules: [72, 153],
    edits: [['header.rsv !== 0', 'header.rsv !== 0 && header.opcode !== Opcode.Continuation']],
  },
  {
    id: 'unmasked-empty-accepted',
    step: 6,
    story: 'A frame without payload accepted without a mask, as if there were nothing to mask.',
    source: 'RFC 6455 §5.1',
    rules: [67, 153],
    edits: [
      [
        "role === 'server' && !header.maskingKey",
        "role === 'server' && !header.maskingKey && header.payloadLength > 0",
      ],
    ],
  },
  {
    id: 'opcode-ignored',
    step: 6,
    story: 'Reserved opcodes passed on as if they were messages.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [73, 153],
    edits: [['!KNOWN_OPCODES.has(header.opcode)', 'false']],
  },
  {
    id: 'control-without-fin',
    step: 6,
    story: 'A Ping without FIN accepted. Nobody can say what would continue it.',
    source: 'RFC 6455 §5.5',
    rules: [84, 93, 153],
    edits: [['isControl(header.opcode) && !header.fin', 'false']],
  },
  {
    id: 'control-126',
    step: 6,
    story:
      'Control frames of more than 125 bytes accepted. The answer to such a Ping is one that a browser refuses.',
    source: 'denoland/fastwebsockets#142',
    rules: [92, 153],
    edits: [['header.payloadLength > MAX_CONTROL_PAYLOAD', 'false']],
  },
  {
    id: 'first-fragment-lost',
    step: 7,
    story: 'Only the last fragment kept: of a message in two, the first half is lost.',
    source: 'RFC 6455 §5.4',
    rules: [88],
    edits: [['else if (!isWhole) this', 'else if (!isWhole && fin) this']],
  },
  {
    id: 'pieces-out-of-order',
    step: 7,
    story: 'The last piece of a text written before those that still wait: "loHel".',
    source: 'RFC 6455 §5.4',
    rules: [85],
    edits: [
      [
        "    this.#text += this.#pieces.splice(0).join('');\n    if (isLast) this.#text += piece;",
        "    if (isLast) this.#text += piece;\n    this.#text += this.#pieces.splice(0).join('');",
      ],
    ],
  },
  {
    id: 'type-of-the-last',
    step: 7,
    story:
      'The type of a message taken from the fragment that came last, which says only that it continues.',
    source: 'peakchen90/tiny-websocket',
    rules: [90, 118],
    edits: [['this.#opcode ??= opcode;', 'this.#opcode = opcode;']],
  },
  {
    id: 'message-never-ends',
    step: 7,
    story: 'The message stays open after its last fragment, and the next one is refused.',
    source: 'RFC 6455 §6.2',
    rules: [83, 119],
    edits: [['    this.#opcode = undefined;\n    this.#messageBytes', '    this.#messageBytes']],
  },
  {
    id: 'empty-message-dropped',
    step: 7,
    story: 'An empty payload taken for no message at all, so that empty messages get lost.',
    source: 'MDN: Writing a WebSocket server in C#',
    rules: [],
    edits: [
      [
        'const message = isControl(frame.opcode)',
        'if (frame.payload.length === 0) continue;\n      const message = isControl(frame.opcode)',
      ],
    ],
  },
  {
    id: 'json-in-the-reader',
    step: 7,
    story: 'Every text parsed as JSON where frames are read: "hello" ends the connection.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [],
    edits: [['data: this.#text.take()', 'data: JSON.parse(this.#text.take())']],
  },
  {
    id: 'fin-ignored',
    step: 7,
    story: 'FIN never looked at: every fragment is handed out as a message of its own.',
    source: 'RFC 6455 §5.4',
    rules: [83],
    edits: [
      [
        'const { fin, opcode, payload } = frame;\n    const isText',
        'const { opcode, payload } = frame;\n    const fin = true;\n    const isText',
      ],
      ['continues && this.#opcode === undefined', 'false'],
    ],
  },
  {
    id: 'control-as-data',
    step: 7,
    story: 'Control frames handled like data: a Close is shown as text, and a Ping is echoed.',
    source: 'WernerLDev/ts-websocket-server-protocol',
    rules: [87, 117],
    edits: [['isControl(frame.opcode) ? controlMessage(frame) : this', 'this']],
  },
  {
    id: 'control-ends-message',
    step: 7,
    story:
      'A control frame overwrites the opcode that was kept: after a Ping between two fragments, the message never arrives.',
    source: 'peakchen90/tiny-websocket',
    rules: [87],
    edits: [
      [
        'const message = isControl(frame.opcode)',
        'if (isControl(frame.opcode)) this.#opcode = undefined;\n      const message = isControl(frame.opcode)',
      ],
    ],
  },
  {
    id: 'control-joins-message',
    step: 7,
    story: 'The payload of a Ping put with the fragments around it, and into the message.',
    source: 'prettydiff/share-file-systems',
    rules: [87],
    edits: [
      [
        'const message = isControl(frame.opcode)',
        'if (this.#opcode === Opcode.Binary && isControl(frame.opcode)) this.#fragments.push(frame.payload);\n      const message = isControl(frame.opcode)',
      ],
    ],
  },
  {
    id: 'close-from-a-fragment',
    step: 7,
    story:
      'The code of a Close read from the first fragment of the message around it: the answer has the code 0x4865, "He".',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [87, 117],
    edits: [
      [
        'readonly #fragments = new ByteQueue();',
        'readonly #fragments = new ByteQueue();\n  #first: Frame | undefined;',
      ],
      [
        'const message = isControl(frame.opcode) ? controlMessage(frame)',
        'if (!frame.fin) this.#first ??= frame;\n      const { payload } = (frame.opcode === Opcode.Close && this.#first) || frame;\n      const message = isControl(frame.opcode) ? controlMessage({ ...frame, payload })',
      ],
    ],
  },
  {
    id: 'pong-refused',
    step: 7,
    story: 'A Pong that nobody asked for taken for a mistake of the client.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [105],
    edits: [
      [
        '  if (opcode === Opcode.Close) return',
        "  if (opcode === Opcode.Pong) throw new ProtocolError(1002, '5.5.3', 'Nobody has asked.');\n  if (opcode === Opcode.Close) return",
      ],
    ],
  },
  {
    id: 'continuation-of-nothing',
    step: 7,
    story: 'A continuation with nothing to continue accepted.',
    source: 'RFC 6455 §5.4',
    rules: [83],
    edits: [['continues && this.#opcode === undefined', 'false']],
  },
  {
    id: 'message-in-message',
    step: 7,
    story: 'A new message inside an open one accepted: "A" and "B" become "AB".',
    source: 'peakchen90/tiny-websocket',
    rules: [86],
    edits: [['!continues && this.#opcode !== undefined', 'false']],
  },
  {
    id: 'unexpected-is-1003',
    step: 7,
    story:
      'A continuation of nothing refused with 1003, as if it were the kind of data that is not wanted.',
    source: 'michaldziuba03/websockets',
    rules: [],
    edits: [
      [
        "CloseCode.ProtocolError,\n        '5.4',\n        'A continuation",
        "CloseCode.UnsupportedData,\n        '5.4',\n        'A continuation",
      ],
    ],
  },
  {
    id: 'recursion-per-fragment',
    step: 7,
    story: 'A call inside a call for each fragment. Enough of them end the process.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['if (message) return message;\n    }', 'return message ?? this.read();\n    }']],
  },
  {
    id: 'fragments-in-a-list',
    step: 7,
    story: 'Every fragment kept in a list, the empty ones too. A peer may send millions of them.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'readonly #fragments = new ByteQueue();',
        'readonly #fragments = new ByteQueue();\n  all: unknown[] = [];',
      ],
      [
        'else if (!isWhole) this.#fragments.push(payload);',
        'else if (!isWhole) {\n      this.all.push(payload);\n      this.#fragments.push(payload);\n    }',
      ],
    ],
  },
  {
    id: 'text-goes-on',
    step: 7,
    story: 'A text begins with the one before it: what was decoded is not put away.',
    source: 'RFC 6455 §6.2',
    rules: [119],
    edits: [["    this.#text = '';\n", '']],
  },
  {
    id: 'decoded-twice',
    step: 7,
    story: 'What was decoded when it arrived is decoded again when its frame is complete.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['payload.subarray(this.#seen)', 'payload']],
  },
  {
    id: 'ping-in-the-text',
    step: 7,
    story: 'A Ping that is still arriving taken for a part of the text around it.',
    source: 'prettydiff/share-file-systems',
    rules: [],
    edits: [[' && !isControl(opcode);', ';']],
  },
  {
    id: 'cut-character',
    step: 8,
    story:
      'Each piece of a text decoded by itself. A character that is cut is refused, and only people who write more than ASCII notice.',
    source: 'RFC 6455 §5.6',
    rules: [106],
    edits: [['{ stream: !isLast }', '{ stream: false }']],
  },
  {
    id: 'decoder-not-flushed',
    step: 8,
    story:
      'The decoder never told that this was the end: a text that stops inside a character passes.',
    source: 'RFC 6455 §8.1',
    rules: [106, 138],
    edits: [['{ stream: !isLast }', '{ stream: true }']],
  },
  {
    id: 'byte-per-character',
    step: 8,
    story: 'Each byte turned into one character. English works, and an é becomes two letters.',
    source: 'karlpokus/websockets-raw',
    rules: [106],
    edits: [['this.#utf8.decode(bytes, { stream: !isLast })', 'String.fromCharCode(...bytes)']],
  },
  {
    id: 'one-decoder-for-all',
    step: 8,
    story:
      'One decoder in the module, which remembers the first half of a character. The second half is taken from the text that is read next, at any reader.',
    source: 'RFC 6455 §8.1',
    rules: [106],
    edits: [
      [
        "this.#utf8 ??= new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });",
        'this.#utf8 ??= UTF8;',
      ],
      [
        '/** A text on its way:',
        "const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });\n\n/** A text on its way:",
      ],
    ],
  },
  {
    id: 'replacement-characters',
    step: 8,
    story:
      'Wrong bytes replaced by U+FFFD instead of refused. Data is changed, and nobody is told.',
    source: 'freeunitorg/freeunit#378',
    rules: [106, 138],
    edits: [['fatal: true, ignoreBOM: true', 'fatal: false, ignoreBOM: true']],
  },
  {
    id: 'bom-swallowed',
    step: 8,
    story: 'A U+FEFF at the start of a text dropped by the decoder, which takes it for a mark.',
    source: 'RFC 6455 §8.1',
    rules: [],
    edits: [['fatal: true, ignoreBOM: true', 'fatal: true']],
  },
  {
    id: 'unmasked-twice',
    step: 8,
    story:
      'To look at what has arrived of a payload, the waiting bytes are unmasked in place. When the rest is there, they are unmasked again, and masked.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [['this.#received.peek().slice(from)', 'this.#received.peek().subarray(from)']],
  },
  {
    id: 'slow-to-fail',
    step: 8,
    story: 'Text checked only when the message has ended, however long that takes.',
    source: 'RFC 6455 §8.1',
    rules: [138],
    edits: [['if (this.#header && this.#isText(this.#header))', 'if (Number.isNaN(0))']],
  },
  {
    id: 'no-message-limit',
    step: 9,
    story: 'No limit at all: the server keeps whatever comes, until its memory is full.',
    source: 'websockets/ws#104',
    rules: [150, 151],
    edits: [
      [
        'this.#messageBytes + header.payloadLength > this.#maxMessageBytes',
        'Number.isNaN(this.#maxMessageBytes)',
      ],
    ],
  },
  {
    id: 'limit-per-frame',
    step: 9,
    story: 'The limit applies to each frame. Fragments without number pass it together.',
    source: 'c4punks/CWIST#161',
    rules: [150, 151],
    edits: [['this.#messageBytes + header.payloadLength', 'header.payloadLength']],
  },
  {
    id: 'limit-of-neighbours',
    step: 9,
    story:
      'The limit looked at for a fragment and the one before it. Fragments of half the limit go on for ever.',
    source: 'RFC 6455 §10.4',
    rules: [150, 151],
    edits: [['this.#messageBytes += payload.length', 'this.#messageBytes = payload.length']],
  },
  {
    id: 'limit-of-characters',
    step: 9,
    story:
      'The characters of a text counted, and not its bytes. In most scripts, that is a limit three times as large.',
    source: 'RFC 6455 §10.4',
    rules: [150, 151],
    edits: [
      [
        'this.#messageBytes += payload.length',
        'this.#messageBytes += isText ? new TextDecoder().decode(payload).length : payload.length',
      ],
    ],
  },
  {
    id: 'limit-0-is-none',
    step: 9,
    story: 'A limit of 0 taken for none given: `||` for a default parameter.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      [
        'this.#maxMessageBytes = maxMessageBytes;',
        'this.#maxMessageBytes = maxMessageBytes || MAX_MESSAGE_BYTES;',
      ],
    ],
  },
  {
    id: 'limit-afterwards',
    step: 9,
    story: 'The limit looked at when the payload is there: it has been exceeded by then.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      [
        'this.#messageBytes + header.payloadLength > this.#maxMessageBytes',
        'this.#messageBytes > this.#maxMessageBytes',
      ],
    ],
  },
  {
    id: 'limit-off-by-one',
    step: 9,
    story: 'A message of exactly the limit refused: `>=` for `>`.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'header.payloadLength > this.#maxMessageBytes',
        'header.payloadLength >= this.#maxMessageBytes',
      ],
    ],
  },
  {
    id: 'pieces-never-joined',
    step: 9,
    story:
      'Every piece of a text kept by itself until the end. A peer that sends byte by byte takes many times the memory of its text.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['this.#pieces.push(piece) !== MAX_PIECES', 'this.#pieces.push(piece) > 0']],
  },
  {
    id: 'list-of-small-fragments',
    step: 9,
    story:
      'The payloads of fragments kept in a list until the last one. 300,000 fragments of one byte took 65 MB.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      ['readonly #fragments = new ByteQueue();', 'readonly #fragments: Uint8Array[] = [];'],
      ['else if (!isWhole) this', 'else if (!isWhole && payload.length > 0) this'],
      [
        'this.#fragments.take(this.#fragments.length)',
        'new Uint8Array(Buffer.concat(this.#fragments.splice(0)))',
      ],
    ],
  },
  {
    id: 'idle-keeps-memory',
    step: 9,
    story:
      'An empty view kept of the memory that is done with. It keeps all of it, for each connection that is idle.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'this.#written = NO_BYTES; // An idle connection keeps no memory.',
        'this.#written = this.#memory.subarray(this.#memory.length);',
      ],
    ],
  },
  {
    id: 'begun-inside-an-empty-one',
    step: 7,
    story:
      'Whether a message is open is read off its bytes. While its fragments are empty, another message may begin in it.',
    source: 'RFC 6455 §5.4',
    rules: [86],
    edits: [
      [
        '    if (!continues && this.#opcode !== undefined) {',
        '    if (!continues && this.#opcode !== undefined && this.#messageBytes > 0) {',
      ],
    ],
  },
  {
    id: 'last-fragment-not-flushed',
    step: 8,
    story:
      'Empty fragments are not given to the decoder. When the last one is empty, half a character at the end is not noticed, and appears before the next text.',
    source: 'RFC 6455 §8.1',
    rules: [106, 138],
    edits: [
      [
        '      piece = this.#utf8.decode(bytes, { stream: !isLast });',
        "      piece = bytes.length === 0 ? '' : this.#utf8.decode(bytes, { stream: !isLast });",
      ],
    ],
  },
  {
    id: 'count-kept-after-a-text',
    step: 9,
    story:
      'The count of the message starts again after a binary message only. The second text in fragments is refused.',
    source: 'RFC 6455 §10.4',
    rules: [150, 151],
    edits: [
      [
        '    this.#opcode = undefined;\n    this.#messageBytes = 0;\n    if (isText) return',
        '    this.#opcode = undefined;\n    if (isText) return',
      ],
      [
        '    const data = isWhole ? payload',
        '    this.#messageBytes = 0;\n    const data = isWhole ? payload',
      ],
    ],
  },
  {
    id: 'front-never-used-again',
    step: 9,
    story:
      'The buffer doubles whenever its end is reached, although its front is free. It is empty between two messages and starts afresh then, but a busy connection never is, and takes more and more memory.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'Math.max(waiting.length + by, waiting.length * 2)',
        'Math.max(waiting.length + by, this.#memory.length * 2)',
      ],
    ],
  },
];
