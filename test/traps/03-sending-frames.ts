import type { Trap } from './trap.ts';

export const TRAPS: readonly Trap[] = [
  {
    id: 'server-masks',
    step: 1,
    story: 'A server that masks what it sends. Chrome says that it must not, and closes.',
    source: 'Molorius/esp32-websocket#2',
    rules: [68],
    edits: [['writeHeader(bytes, at, frame, 0)', 'writeHeader(bytes, at, frame, 0x80)']],
  },
  {
    id: 'first-byte-0x81',
    step: 1,
    story: 'The first byte always 81, whatever the frame is: bytes arrive as text.',
    source: 'syscraft906: Node.js and WebSockets',
    rules: [112],
    edits: [['(fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode', '0x81']],
  },
  {
    id: 'fin-forgotten',
    step: 1,
    story:
      'FIN never set. The browser waits for the rest, and takes the next message for a mistake.',
    source: 'michaldziuba03/websockets',
    rules: [113],
    edits: [['(fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode', 'opcode']],
  },
  {
    id: 'rsv1-set',
    step: 1,
    story: 'RSV1 set on every message, as if it were compressed. Nobody has agreed to that.',
    source: 'RFC 6455 §5.2',
    rules: [71],
    edits: [['(fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0)', '(fin ? 0xc0 : 0)']],
  },
  {
    id: 'bytes-too-many',
    step: 1,
    story: 'A buffer that is too large sent as it is. The peer reads the rest as another frame.',
    source: 'dhbaird/easywsclient#21',
    rules: [111],
    edits: [['Buffer.allocUnsafe(size);', 'Buffer.alloc(size + 4);']],
  },
  {
    id: 'frames-overlap',
    step: 1,
    story: 'Frames written over each other: the place is not moved on behind the payload.',
    source: 'RFC 6455 §6.1',
    rules: [111],
    edits: [['    at += frame.payload.length;\n', '']],
  },
  {
    id: 'last-frame-only',
    step: 1,
    story: 'All frames written to the start of the buffer: only the last one is left.',
    source: 'RFC 6455 §6.1',
    rules: [111],
    edits: [['at = writeHeader(bytes, at, frame, 0);', 'at = writeHeader(bytes, 0, frame, 0);']],
  },
  {
    id: 'buffer-used-again',
    step: 1,
    story: 'One buffer for all calls, to save memory: what still waits to be written changes.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      ['const bytes = Buffer.allocUnsafe(size);', 'const bytes = MEMORY.subarray(0, size);'],
      [
        '/** Size of a header without',
        'const MEMORY = Buffer.alloc(200_000);\n\n/** Size of a header without',
      ],
    ],
  },
  {
    id: 'one-frame-from-its-buffer',
    step: 1,
    story:
      'The payload of a single frame read from the start of its memory, and not from where it begins.',
    source: 'RFC 6455 §5.2',
    rules: [111],
    edits: [
      [
        '  return encodeFrames([frame]);',
        '  const payload = new Uint8Array(frame.payload.buffer, 0, frame.payload.length);\n  return encodeFrames([{ ...frame, payload }]);',
      ],
    ],
  },
  {
    id: 'one-length-byte',
    step: 2,
    story: 'The length written into one byte, whatever it is. 200 sets the MASK bit, and says 72.',
    source: 'WernerLDev/ts-websocket-server-protocol',
    rules: [75],
    edits: [
      ['length > 65535 ? 10 : length > 125 ? 4 : 2', '2'],
      ['if (length <= 125) {', 'if (length >= 0) {'],
    ],
  },
  {
    id: 'nothing-longer',
    step: 2,
    story: 'Messages of 125 bytes and more refused, because longer lengths seemed too much work.',
    source: 'RFC 6455 §5.2',
    rules: [],
    edits: [
      [
        '  if (length <= 125) {',
        "  if (length >= 125) throw new RangeError('Too long.');\n  if (length <= 125) {",
      ],
    ],
  },
  {
    id: 'all-headers-alike',
    step: 2,
    story: 'The room for several frames counted with the header of the first.',
    source: 'RFC 6455 §5.2',
    rules: [],
    edits: [['size += headerSize(payload) +', 'size += headerSize(frames[0]!.payload) +']],
  },
  {
    id: 'boundary-125',
    step: 2,
    story: 'A length of 126 written into seven bits, where 126 means something else.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [
      ['length > 125 ? 4', 'length > 126 ? 4'],
      ['length <= 125', 'length <= 126'],
    ],
  },
  {
    id: 'boundary-125-early',
    step: 2,
    story:
      'A length of 125 written in 16 bits. One message of exactly that size, and Chrome closes.',
    source: 'OvenMediaLabs/OvenMediaEngine#2315',
    rules: [75],
    edits: [
      ['length > 125 ? 4', 'length >= 125 ? 4'],
      ['length <= 125', 'length < 125'],
    ],
  },
  {
    id: 'boundary-65535',
    step: 2,
    story:
      'The boundary set to 65536, which 16 bits have no room for. That one size ends in an exception.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [75],
    edits: [
      ['length > 65535 ? 10', 'length > 65536 ? 10'],
      ['length <= 65535', 'length <= 65536'],
    ],
  },
  {
    id: 'boundary-65535-early',
    step: 2,
    story: 'A length of 65535 written in 64 bits, which a strict peer refuses.',
    source: 'OvenMediaLabs/OvenMediaEngine#2315',
    rules: [75],
    edits: [
      ['length > 65535 ? 10', 'length >= 65535 ? 10'],
      ['length <= 65535', 'length < 65535'],
    ],
  },
  {
    id: 'lowest-byte-first',
    step: 2,
    story: 'A 16-bit length written in the order of the processor: 256 arrives as 1.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['bytes.writeUInt16BE', 'bytes.writeUInt16LE']],
  },
  {
    id: 'shift-32',
    step: 2,
    story:
      '`length >> 32` is `length >> 0` in JavaScript. 65536 arrives as a length of many terabytes, and the browser waits.',
    source: 'Stack Overflow 8125507',
    rules: [75],
    edits: [
      [
        'return bytes.writeBigUInt64BE(BigInt(length), at + 2);',
        'bytes.writeInt32BE(length >> 32, at + 2);\n  return bytes.writeInt32BE(length, at + 6);',
      ],
    ],
  },
  {
    id: 'client-without-mask',
    step: 3,
    story: 'A client that does not mask. Servers that keep the rules close with 1002.',
    source: 'websockets/ws#1194',
    rules: [66, 78],
    edits: [
      [
        '  const { payload } = frame;\n  const bytes',
        '  if (random) return encodeFrame(frame);\n  const { payload } = frame;\n  const bytes',
      ],
    ],
  },
  {
    id: 'mask-bit-forgotten',
    step: 3,
    story: 'Key and masked payload there, and the MASK bit not set: the key is read as payload.',
    source: 'RFC 6455 §5.3',
    rules: [66, 78],
    edits: [['writeHeader(bytes, 0, frame, 0x80)', 'writeHeader(bytes, 0, frame, 0)']],
  },
  {
    id: 'client-length-byte',
    step: 3,
    story: 'A client that knows only lengths up to 125: its longer messages arrive broken.',
    source: 'OneUptime: WebSocket server from scratch',
    rules: [],
    edits: [
      [
        'const keyAt = writeHeader(bytes, 0, frame, 0x80);',
        'const keyAt = 2;\n  bytes.set([(frame.fin ? 0x80 : 0) | frame.opcode, 0x80 | payload.length]);',
      ],
    ],
  },
  {
    id: 'key-place-of-the-frame',
    step: 3,
    story: 'The key counted from the start of the frame, not of the payload.',
    source: 'RFC 6455 §5.3',
    rules: [82],
    edits: [['maskingKey[i & 3]', 'maskingKey[(keyAt + i) & 3]']],
  },
  {
    id: 'masked-in-place',
    step: 3,
    story: 'The caller’s own buffer masked. Sent to a second peer, it is garbage.',
    source: 'peakchen90/tiny-websocket',
    rules: [],
    edits: [['payload[i]! ^ maskingKey[i & 3]!', '(payload[i]! ^= maskingKey[i & 3]!)']],
  },
  {
    id: 'guessable-key',
    step: 3,
    story: 'Keys from a plain random generator: two frames are enough to predict the next.',
    source: 'square/okhttp#9624',
    rules: [80, 81, 148],
    edits: [
      [
        'Uint8Array = randomBytes,',
        'Uint8Array = (size) => Uint8Array.from({ length: size }, () => Math.random() * 256),',
      ],
    ],
  },
  {
    id: 'constant-key',
    step: 3,
    story: 'One key for all frames, a "temporary solution". It works, so nobody notices.',
    source: 'karlpokus/websockets-raw',
    rules: [79, 80, 81, 148],
    edits: [
      ['const maskingKey = random(4);', 'const maskingKey = Uint8Array.of(171, 133, 102, 17);'],
    ],
  },
  {
    id: 'counted-key',
    step: 3,
    story: 'Keys from a counter: each is another one, and everybody knows the next.',
    source: 'RFC 6455 §10.3',
    rules: [80, 81, 148],
    edits: [
      [
        'const maskingKey = random(4);',
        'const maskingKey = random === randomBytes ? Uint8Array.of(1, 2, 3, KEYS++ & 255) : random(4);',
      ],
      ['/** Size of a header without', 'let KEYS = 0;\n\n/** Size of a header without'],
    ],
  },
  {
    id: 'key-kept',
    step: 3,
    story: 'A good key, made once and used for every frame.',
    source: 'websockets/ws#636',
    rules: [79],
    edits: [
      ['const maskingKey = random(4);', 'KEY ??= random(4);\n  const maskingKey = KEY;'],
      [
        '/** Size of a header without',
        'let KEY: Uint8Array | undefined;\n\n/** Size of a header without',
      ],
    ],
  },
  {
    id: 'key-in-hex-digits',
    step: 3,
    story: 'Two random bytes written as four hex digits: 65536 keys, and no key that is not text.',
    source: 'RFC 6455 §10.3',
    rules: [80, 81, 148],
    edits: [
      [
        'Uint8Array = randomBytes,',
        "Uint8Array = () => Buffer.from(randomBytes(2).toString('hex')),",
      ],
    ],
  },
  {
    id: 'thousand-keys',
    step: 3,
    story: 'A thousand good keys made beforehand, and used again and again.',
    source: 'RFC 6455 §5.3',
    rules: [79, 80, 81, 148],
    edits: [
      [
        'const maskingKey = random(4);',
        'const maskingKey = random === randomBytes ? KEYS[NEXT++ % 1000]! : random(4);',
      ],
      [
        '/** Size of a header without',
        'const KEYS = Array.from({ length: 1000 }, () => randomBytes(4));\nlet NEXT = 0;\n\n/** Size of a header without',
      ],
    ],
  },
  {
    id: 'keys-without-a-zero',
    step: 3,
    story: 'A byte that is 0 made another one, because it would leave the payload as it is.',
    source: 'RFC 6455 §5.3',
    rules: [80, 81, 148],
    edits: [
      [
        'Uint8Array = randomBytes,',
        'Uint8Array = (size) => randomBytes(size).map((byte) => byte || 1),',
      ],
    ],
  },
  {
    id: 'masked-from-its-buffer',
    step: 3,
    story: 'The start of the memory masked, and not the part of it that the payload is.',
    source: 'RFC 6455 §5.3',
    rules: [82],
    edits: [
      [
        '  const { payload } = frame;\n',
        '  const payload = new Uint8Array(frame.payload.buffer, 0, frame.payload.length);\n',
      ],
    ],
  },
  {
    id: 'slice-masked-in-place',
    step: 3,
    story:
      'A `slice` of the payload masked, which is not a copy when the payload is a Node Buffer.',
    source: 'peakchen90/tiny-websocket',
    rules: [],
    edits: [
      ['  const { payload } = frame;\n', '  const payload = frame.payload.slice();\n'],
      ['payload[i]! ^ maskingKey[i & 3]!', '(payload[i]! ^= maskingKey[i & 3]!)'],
    ],
  },
  {
    id: 'client-uses-its-buffer-again',
    step: 3,
    story: 'One buffer for all masked frames: what still waits to be written changes.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        'const bytes = Buffer.allocUnsafe(headerSize(payload) + 4 + payload.length);',
        'const bytes = MEMORY.subarray(0, headerSize(payload) + 4 + payload.length);',
      ],
      [
        '/** Size of a header without',
        'const MEMORY = Buffer.alloc(200_000);\n\n/** Size of a header without',
      ],
    ],
  },
  {
    id: 'long-ping',
    step: 4,
    story: 'A Ping of 126 bytes sent. The peer closes with 1002.',
    source: 'oven-sh/bun#35030',
    rules: [92],
    edits: [['payload.length > MAX_CONTROL_PAYLOAD', 'payload.length > MAX_CONTROL_PAYLOAD + 1']],
  },
  {
    id: 'control-unfinished',
    step: 4,
    story: 'A Close sent without FIN, as if more of it came. The browser reports 1006.',
    source: 'michaldziuba03/websockets',
    rules: [84, 93],
    edits: [['return { fin: true, opcode, payload };', 'return { fin: false, opcode, payload };']],
  },
  {
    id: 'ping-for-ping',
    step: 4,
    story: 'A Ping answered with a Ping. Two such peers never stop.',
    source: 'RFC 6455 §5.5.2',
    rules: [103],
    edits: [['controlFrame(Opcode.Pong, ping.payload)', 'controlFrame(Opcode.Ping, ping.payload)']],
  },
  {
    id: 'empty-pong',
    step: 4,
    story: 'A Pong without the payload of its Ping. Who compares the two takes us for dead.',
    source: 'RFC 6455 §5.5.3',
    rules: [104],
    edits: [['controlFrame(Opcode.Pong, ping.payload)', 'controlFrame(Opcode.Pong)']],
  },
  {
    id: 'ping-made-a-pong',
    step: 4,
    story: 'The opcode of the Ping itself changed. A program that logs it afterwards sees a Pong.',
    source: 'RFC 6455 §5.5.3',
    rules: [],
    edits: [
      [
        'return controlFrame(Opcode.Pong, ping.payload);',
        'return Object.assign(ping, { opcode: Opcode.Pong });',
      ],
    ],
  },
  {
    id: 'opcode-repeated',
    step: 5,
    story: 'Every fragment has the opcode of the message: a new message inside the open one.',
    source: 'RFC 6455 §5.4',
    rules: [83, 90],
    edits: [['start === 0 ? opcode : Opcode.Continuation', 'opcode']],
  },
  {
    id: 'always-text',
    step: 5,
    story: 'The first fragment always a text: bytes are refused, because they are not UTF-8.',
    source: 'RFC 6455 §6.1',
    rules: [112],
    edits: [['opcode: start === 0 ? opcode', 'opcode: start === 0 ? Opcode.Text']],
  },
  {
    id: 'never-fin',
    step: 5,
    story: 'FIN cleared on all fragments: the receiver waits for ever.',
    source: 'RFC 6455 §5.4',
    rules: [83, 113],
    edits: [['fin: start + maxPayload >= data.length,', 'fin: false,']],
  },
  {
    id: 'end-for-length',
    step: 5,
    story:
      'Start and length given to a function that wants start and end: all but the first are empty.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [111],
    edits: [['data.subarray(start, start + maxPayload)', 'data.subarray(start, maxPayload)']],
  },
  {
    id: 'fragments-backwards',
    step: 5,
    story: 'Each fragment put before those that were cut already.',
    source: 'RFC 6455 §5.4',
    rules: [83, 85],
    edits: [['frames.push({', 'frames.unshift({']],
  },
  {
    id: 'fragments-copied',
    step: 5,
    story: 'Each fragment a copy: a message of a gigabyte needs a second one.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [['data.subarray(start, start + maxPayload)', 'data.slice(start, start + maxPayload)']],
  },
  {
    id: 'fragments-from-the-buffer',
    step: 5,
    story: 'Views into the memory of the data, which does not begin where the data does.',
    source: 'RFC 6455 §5.4',
    rules: [111],
    edits: [
      [
        'data.subarray(start, start + maxPayload)',
        'new Uint8Array(data.buffer, start, Math.min(maxPayload, data.length - start))',
      ],
    ],
  },
  {
    id: 'size-in-32-bits',
    step: 5,
    story: 'The size looked at in 32 bits: 4294967296 is 0 there, and is refused.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        '  if (data.length <= maxPayload) return',
        "  if ((maxPayload | 0) < 1) throw new RangeError('A fragment has at least 1 byte.');\n  if (data.length <= maxPayload) return",
      ],
    ],
  },
  {
    id: 'list-used-again',
    step: 5,
    story: 'One list for the fragments of all messages: what was cut before is gone.',
    source: 'RFC 6455 §5.4',
    rules: [111],
    edits: [
      ['const frames: Frame[] = [];', 'const frames = FRAMES;\n  frames.length = 0;'],
      [
        '/** Size of a header without',
        'const FRAMES: Frame[] = [];\n\n/** Size of a header without',
      ],
    ],
  },
  {
    id: 'one-byte-a-char',
    step: 6,
    story: 'One byte for each char of the string. The browser could not decode it, and closed.',
    source: 'karlpokus/websockets-raw',
    rules: [106],
    edits: [['Buffer.from(text)', "Buffer.from(text, 'latin1')"]],
  },
  {
    id: 'length-in-chars',
    step: 6,
    story:
      'The bytes counted with `length` of the string: the payload is cut, in the middle of a character.',
    source: 'igrigorik/em-websocket#86',
    rules: [106],
    edits: [['Buffer.from(text)', 'Buffer.from(text).subarray(0, text.length)']],
  },
  {
    id: 'lone-surrogate',
    step: 6,
    story: 'Half a surrogate pair sent as U+FFFD: the text is changed without a word.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [['!text.isWellFormed()', 'false']],
  },
  {
    id: 'text-normalized',
    step: 6,
    story: 'The text put into its normal form first: it looks the same, and is another one.',
    source: 'RFC 6455 §5.6',
    rules: [106],
    edits: [['Buffer.from(text)', 'Buffer.from(text.normalize())']],
  },
  {
    id: 'replacement-in-text-refused',
    step: 6,
    story:
      'Half of a surrogate pair looked for by the U+FFFD that replaces it: a text that has one is refused.',
    source: 'RFC 6455 §5.6',
    rules: [106],
    edits: [['!text.isWellFormed()', "Buffer.from(text).includes('\\ufffd')"]],
  },
  {
    id: 'text-of-64-kib',
    step: 6,
    story:
      'Text encoded into memory of a fixed size. What does not fit is left out without a word.',
    source: 'RFC 6455 §5.6',
    rules: [106],
    edits: [
      [
        'return Buffer.from(text);',
        'const bytes = new Uint8Array(65536);\n  return bytes.subarray(0, new TextEncoder().encodeInto(text, bytes).written);',
      ],
    ],
  },
  {
    id: 'messages-mixed',
    step: 7,
    story:
      'Each message begins at once, and its rest waits. When two are sent at a time, their fragments mix.',
    source: 'python-websockets/websockets#542',
    rules: [85, 86],
    edits: [
      [
        'for (const frame of frames) this.#messages.push(frame);',
        'for (const frame of frames) {\n      if (frame === frames[0]) this.#controls.push(frame);\n      else this.#messages.push(frame);\n    }',
      ],
    ],
  },
  {
    id: 'control-waits',
    step: 7,
    story: 'A Ping waits behind a long message, and the peer gives up.',
    source: 'RFC 6455 §5.4',
    rules: [87],
    edits: [['this.#controls.push(frame);', 'this.#messages.push(frame);']],
  },
  {
    id: 'one-control-waits',
    step: 7,
    story: 'Room for one control frame: a Pong takes the place of the Ping that waited there.',
    source: 'RFC 6455 §6.1',
    rules: [115],
    edits: [
      [
        'this.#controls.push(frame);',
        'this.#controls.takeAll();\n      this.#controls.push(frame);',
      ],
    ],
  },
  {
    id: 'after-the-close',
    step: 7,
    story:
      'Messages sent after the Close. The peer may have stopped to read, or calls it an error.',
    source: 'snapview/tungstenite-rs#74',
    rules: [70, 97, 108, 109],
    edits: [['    this.#closed = true;\n', '']],
  },
  {
    id: 'closes-twice',
    step: 7,
    story: 'A second Close sent, because two parts of the program want to end the connection.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [["    if (this.#closed) throw new Error('A Close is sent once.');\n", '']],
  },
  {
    id: 'close-is-urgent',
    step: 7,
    story:
      'A Close overtakes the messages before it, like a Ping. They are data after the own Close.',
    source: 'coder/websocket#213',
    rules: [70, 97],
    edits: [
      [
        '    this.#closed = true;\n    this.#messages.push(frame);',
        '    this.#closed = true;\n    this.#controls.push(frame);',
      ],
    ],
  },
  {
    id: 'nothing-dropped',
    step: 7,
    story: 'Everything that waits is sent before a Close is answered. The peer gives up meanwhile.',
    source: 'RFC 6455 §6.1',
    rules: [110],
    edits: [['  dropWaiting(): void {\n', '  dropWaiting(): void {\n    return;\n']],
  },
  {
    id: 'begun-dropped',
    step: 7,
    story: 'A message dropped of which a part has gone: the peer waits for its end.',
    source: 'RFC 6455 §5.4',
    rules: [115],
    edits: [['this.#begun ? frames.findIndex(({ fin }) => fin) + 1 : 0', '0']],
  },
  {
    id: 'short-message-overtakes',
    step: 7,
    story:
      'A message of one frame sent at once, between the fragments of the one before it. The peer closes.',
    source: 'espressif/esp-protocols#687',
    rules: [86],
    edits: [
      [
        'for (const frame of frames) this.#messages.push(frame);',
        'const queue = frames.length === 1 ? this.#controls : this.#messages;\n    for (const frame of frames) queue.push(frame);',
      ],
    ],
  },
  {
    id: 'too-many-arguments',
    step: 7,
    story: 'All frames of a message pushed by one call, which has no room for so many arguments.',
    source: 'RFC 6455 §5.4',
    rules: [115],
    edits: [
      [
        'for (const frame of frames) this.#messages.push(frame);',
        'this.#messages.push(...frames);',
      ],
      [
        '  push(frame: Frame): void {\n    this.#added.push(frame);',
        '  push(...frames: Frame[]): void {\n    this.#added.push(...frames);',
      ],
    ],
  },
  {
    id: 'refused-message-waits',
    step: 7,
    story: 'Frames added first and looked at then: those of a message that was refused go out.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        "    if (frames.length === 0 || !whole) {\n      throw new RangeError('The frames are not one whole message.');\n    }\n    for (const frame of frames) this.#messages.push(frame);",
        "    for (const frame of frames) this.#messages.push(frame);\n    if (frames.length === 0 || !whole) {\n      throw new RangeError('The frames are not one whole message.');\n    }",
      ],
    ],
  },
  {
    id: 'refused-control-waits',
    step: 7,
    story:
      'A frame added first and looked at then: a text that was refused goes before everything.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        "    if (!isControl(frame.opcode)) throw new RangeError('The frame is not a control frame.');\n    if (frame.opcode !== Opcode.Close) {\n      this.#controls.push(frame);",
        "    if (frame.opcode !== Opcode.Close) {\n      this.#controls.push(frame);\n      if (!isControl(frame.opcode)) throw new RangeError('The frame is not a control frame.');",
      ],
    ],
  },
  {
    id: 'dropping-reopens',
    step: 7,
    story: 'A queue that dropWaiting makes as good as new: messages follow the Close.',
    source: 'RFC 6455 §5.5.1',
    rules: [70, 97],
    edits: [
      [
        '    const frames = this.#messages.takeAll();\n',
        '    const frames = this.#messages.takeAll();\n    this.#closed = false;\n',
      ],
    ],
  },
  {
    id: 'refusing-drops',
    step: 7,
    story: 'A message that is refused takes along those that waited before it.',
    source: 'RFC 6455 §6.1',
    rules: [115],
    edits: [
      [
        "      throw new RangeError('The frames are not one whole message.');",
        "      this.#messages.takeAll();\n      throw new RangeError('The frames are not one whole message.');",
      ],
    ],
  },
  {
    id: 'ping-ends-the-message',
    step: 7,
    story:
      'After a ping between two fragments, dropWaiting takes the message for one that has not begun.',
    source: 'RFC 6455 §5.4',
    rules: [115],
    edits: [
      [
        '    if (control) return control;',
        '    if (control) this.#begun = false;\n    if (control) return control;',
      ],
    ],
  },
  {
    id: 'list-of-the-caller-kept',
    step: 7,
    story:
      "When nothing waits, the queue takes the caller's array for its own instead of copying the frames. What is added later lands in the caller's array: in a broadcast, one client's Close is sent to all.",
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        '    for (const frame of frames) this.#messages.push(frame);\n  }\n\n  /**\n   * Adds a Close',
        '    this.#messages.pushAll(frames as Frame[]);\n  }\n\n  /**\n   * Adds a Close',
      ],
      [
        '  take(): Frame | undefined {',
        '  pushAll(frames: Frame[]): void {\n    if (this.#added.length === 0) this.#added = frames;\n    else this.#added.push(...frames);\n  }\n\n  take(): Frame | undefined {',
      ],
    ],
  },
  {
    id: 'frame-sent-twice',
    step: 7,
    story:
      'Every thousand frames, what has been taken is cut off, but one frame too few: it is given out twice.',
    source: 'RFC 6455 §5.4',
    rules: [115],
    edits: [
      ['  #added: Frame[] = [];', '  #added: Frame[] = [];\n  #taken = 0;'],
      [
        '    if (this.#next.length === 0) {\n      this.#next = this.#added.reverse();\n      this.#added = [];\n    }\n    return this.#next.pop();',
        '    const frame = this.#added[this.#taken];\n    if (frame && ++this.#taken > 1000) {\n      this.#added.splice(0, 1000);\n      this.#taken = 0;\n    }\n    return frame;',
      ],
      [
        '[...this.#next.reverse(), ...this.#added];',
        'this.#added.slice(this.#taken);\n    this.#taken = 0;',
      ],
    ],
  },
  {
    id: 'list-of-the-caller-used-later',
    step: 7,
    story:
      "The caller's array is kept, and its frames are fetched from it when their turn comes. A caller that fills the same array with the next message sends that one twice, and the first one never.",
    source: 'RFC 6455 §6.1',
    rules: [115],
    edits: [
      [
        'for (const frame of frames) this.#messages.push(frame);',
        'frames.forEach((_, i) => this.#messages.push(() => frames[i]!));',
      ],
      ['  push(frame: Frame): void {', '  push(frame: any): void {'],
      [
        'return this.#next.pop();',
        "const frame: any = this.#next.pop();\n    return typeof frame === 'function' ? frame() : frame;",
      ],
      [
        'const frames = [...this.#next.reverse(), ...this.#added];',
        "const frames = [...this.#next.reverse(), ...this.#added].map((frame: any) => typeof frame === 'function' ? frame() : frame);",
      ],
    ],
  },
];
