/**
 * Real mistakes, each as a small edit of a solution. Every one has to be caught by the spec of
 * its lesson, at the step that teaches what it gets wrong.
 */

/** A text that stands once in the solution, and what the mistake makes of it. */
export type Edit = readonly [find: string, replacement: string];

/** One mistake. */
export interface Trap {
  readonly id: string;
  /** Two digits, such as `02`. */
  readonly lesson: string;
  /** The step that has to go red first. */
  readonly step: number;
  /** What the mistake is, and who made it. */
  readonly story: string;
  readonly edits: readonly Edit[];
}

export const TRAPS: readonly Trap[] = [
  {
    id: 'guid-typo',
    lesson: '01',
    step: 1,
    story: 'A GUID that is off by one character, as several published servers have it.',
    edits: [['key + GUID', "key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B12'"]],
  },
  {
    id: 'accept-hex',
    lesson: '01',
    step: 1,
    story: 'Base64 of the hex digest: in PHP, sha1() returns hex (swoole-src#195).',
    edits: [[".digest('base64')", ".digest('hex')"]],
  },
  {
    id: 'case-sensitive-names',
    lesson: '01',
    step: 2,
    story: 'Header names compared as written: breaks behind proxies that lower-case them.',
    edits: [['[name.toLowerCase(), value]', '[name, value]']],
  },
  {
    id: 'every-colon',
    lesson: '01',
    step: 2,
    story: 'A header line split at its last colon: Host: localhost:8080 loses its name.',
    edits: [["line.indexOf(':')", "line.lastIndexOf(':')"]],
  },
  {
    id: 'spaces-only',
    lesson: '01',
    step: 2,
    story: 'Only spaces trimmed from a value, not tabs.',
    edits: [['/^[ \\t]+|[ \\t]+$/g', '/^ +| +$/g']],
  },
  {
    id: 'last-line-wins',
    lesson: '01',
    step: 2,
    story: 'Repeated headers overwrite each other, so two keys pass for one.',
    edits: [['if (values) values.push(value);\n    else ', '']],
  },
  {
    id: 'head-and-all',
    lesson: '01',
    step: 2,
    story:
      'The bytes after the blank line thrown away: the first frame is lost (oven-sh/bun#43149).',
    edits: [['length: end + 4', 'length: bytes.length']],
  },
  {
    id: 'no-head-limit',
    lesson: '01',
    step: 2,
    story: 'No limit to the size of a head: memory for whoever sends it (PHP-Websockets#46).',
    edits: [['if (bytes.length < maxHeadBytes) return undefined;', 'return undefined;']],
  },
  {
    id: 'connection-equals',
    lesson: '01',
    step: 3,
    story: 'Connection compared for equality: fails with Firefox, which sends keep-alive, Upgrade.',
    edits: [
      [
        "!hasToken(request, 'connection', 'upgrade')",
        "values(request, 'connection')[0]?.toLowerCase() !== 'upgrade'",
      ],
    ],
  },
  {
    id: 'connection-contains',
    lesson: '01',
    step: 3,
    story: 'Connection searched for the word: not-upgrade-really passes.',
    edits: [['item.toLowerCase() === token', 'item.toLowerCase().includes(token)']],
  },
  {
    id: 'any-key',
    lesson: '01',
    step: 3,
    story: 'The key not checked to be 16 bytes.',
    edits: [['/^[A-Za-z0-9+/]{22}==$/', '/^[A-Za-z0-9+/]+=*$/']],
  },
  {
    id: 'two-keys',
    lesson: '01',
    step: 3,
    story: 'Two Sec-WebSocket-Key headers accepted: one server hashes the first, another the last.',
    edits: [['if (moreKeys.length > 0)', 'if (moreKeys.length > 99)']],
  },
  {
    id: 'any-version',
    lesson: '01',
    step: 3,
    story: 'Sec-WebSocket-Version never looked at.',
    edits: [["versions[0] !== '13'", 'versions[0] === undefined']],
  },
  {
    id: 'no-blank-line',
    lesson: '01',
    step: 4,
    story: 'The 101 without its blank line: the browser waits for ever (Stack Overflow 12295929).',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a piece of source.
    edits: [["${lines.join('')}\\r\\n${body}", "${lines.join('')}${body}"]],
  },
  {
    id: 'empty-protocol',
    lesson: '01',
    step: 4,
    story: 'An empty Sec-WebSocket-Protocol in the answer: Chrome refuses it (websocketd#7).',
    edits: [
      [
        "if (protocol !== undefined) headers['Sec-WebSocket-Protocol'] = protocol;",
        "headers['Sec-WebSocket-Protocol'] = protocol ?? '';",
      ],
    ],
  },
  {
    id: 'claimed-extension',
    lesson: '01',
    step: 4,
    story: 'permessage-deflate claimed by a server that cannot do it (crossws#18).',
    edits: [
      [
        "Connection: 'Upgrade',",
        "Connection: 'Upgrade',\n    'Sec-WebSocket-Extensions': 'permessage-deflate',",
      ],
    ],
  },
  {
    id: 'character-count',
    lesson: '01',
    step: 4,
    story: 'Content-Length counted in characters.',
    edits: [['Buffer.byteLength(body)', 'body.length']],
  },
  {
    id: 'origin-prefix',
    lesson: '01',
    step: 5,
    story: 'Origin checked by its beginning: good.example.evil.test passes (play-java#57).',
    edits: [
      [
        '!policy.origins.includes(upgrade.origin)',
        '!policy.origins.some((origin) => upgrade.origin?.startsWith(origin))',
      ],
    ],
  },
  {
    id: 'protocol-uninvited',
    lesson: '01',
    step: 5,
    story: 'A subprotocol chosen that the client never offered.',
    edits: [
      [
        'upgrade.protocols.find((name) => policy.protocols?.includes(name))',
        'policy.protocols?.[0]',
      ],
    ],
  },
  {
    id: 'subtract-128',
    lesson: '02',
    step: 1,
    story: 'The MASK bit taken for granted: length = byte - 128 (MDN, Java and C#).',
    edits: [['second & 0x7f', 'second - 128']],
  },
  {
    id: 'length-126-as-is',
    lesson: '02',
    step: 2,
    story: 'A 7-bit length of 126 read as 126 bytes.',
    edits: [['length7 === 126 ? 2 : 0', '0']],
  },
  {
    id: 'little-endian',
    lesson: '02',
    step: 2,
    story: 'The 16-bit length read in reverse.',
    edits: [['length * 256 + bytes[offset + i]!', 'length * 256 + bytes[offset + size - 1 - i]!']],
  },
  {
    id: 'length-32-bit',
    lesson: '02',
    step: 2,
    story: 'Put together with shifts, which keep only 32 of the 64 bits.',
    edits: [['length * 256 + bytes[offset + i]!', '((length << 8) | bytes[offset + i]!) >>> 0']],
  },
  {
    id: 'longer-form-16',
    lesson: '02',
    step: 2,
    story: 'A length of 125 accepted in 16 bits: `>` for `>=` at the border.',
    edits: [['size === 2 ? 126 : 65536', 'size === 2 ? 125 : 65536']],
  },
  {
    id: 'longer-form-64',
    lesson: '02',
    step: 2,
    story: 'A length of 65535 accepted in 64 bits: `>` for `>=` at the border.',
    edits: [['size === 2 ? 126 : 65536', 'size === 2 ? 126 : 65535']],
  },
  {
    id: 'top-bit',
    lesson: '02',
    step: 2,
    story: 'The most significant bit of a 64-bit length ignored (nopoll#84, libhv#864).',
    edits: [['size === 8 && bytes[offset]! >= 0x80', 'false']],
  },
  {
    id: 'key-restarts',
    lesson: '02',
    step: 3,
    story: 'The key starts anew with every chunk (beast#1061, poco#4838, cowboy#552).',
    edits: [['const { length } = bytes;', 'position = 0;\n  const { length } = bytes;']],
  },
  {
    id: 'pushed-chunk-kept',
    lesson: '02',
    step: 4,
    story:
      'The chunk itself kept as the buffer: its memory is reused before the frame is read (mongoose#145).',
    edits: [
      [
        'if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
        'if (this.length === 0) {\n      this.#memory = this.#written = chunk as never;\n      return;\n    }\n    if (this.#written.length + chunk.length > this.#memory.length) this.#grow(chunk.length);',
      ],
    ],
  },
  {
    id: 'memory-used-again',
    lesson: '02',
    step: 4,
    story: 'Memory that was given out is used again for what comes later: old payloads change.',
    edits: [
      [
        'this.#memory = this.#written = NO_BYTES; // An idle connection holds no memory.',
        'this.#written = this.#memory.subarray(0, 0);',
      ],
    ],
  },
  {
    id: 'moved-to-the-front',
    lesson: '02',
    step: 4,
    story: 'Waiting bytes moved to the front of the memory, over payloads that were given out.',
    edits: [
      [
        'const waiting = this.peek();\n',
        'const waiting = this.peek();\n    if (waiting.length + by <= this.#memory.length) {\n      this.#memory.set(waiting);\n      this.#written = this.#memory.subarray(0, waiting.length);\n      this.#start = 0;\n      return;\n    }\n',
      ],
    ],
  },
  {
    id: 'declared-allocation',
    lesson: '02',
    step: 4,
    story: 'Memory reserved for a length that was only announced (Java-WebSocket#1507, CWIST#119).',
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
    id: 'unmasked-accepted',
    lesson: '02',
    step: 5,
    story: 'Unmasked frames of a client accepted (WebSocket-Node#226, websockify#164).',
    edits: [["role === 'server' && !header.maskingKey", 'false']],
  },
  {
    id: 'rsv-ignored',
    lesson: '02',
    step: 5,
    story: 'RSV bits ignored, as MDN says they can be.',
    edits: [['header.rsv !== 0', 'false']],
  },
  {
    id: 'opcode-ignored',
    lesson: '02',
    step: 5,
    story: 'Reserved opcodes passed on as if they were text.',
    edits: [['!KNOWN_OPCODES.has(header.opcode)', 'false']],
  },
  {
    id: 'control-126',
    lesson: '02',
    step: 5,
    story: 'Control frames of more than 125 bytes accepted (ws#1708, fastwebsockets#142).',
    edits: [['header.payloadLength > MAX_CONTROL_PAYLOAD', 'false']],
  },
  {
    id: 'recursion-per-fragment',
    lesson: '02',
    step: 6,
    story: 'A call inside a call for each fragment: enough of them end the process.',
    edits: [['if (message) return message;\n    }', 'return message ?? this.read();\n    }']],
  },
  {
    id: 'fragments-in-a-list',
    lesson: '02',
    step: 6,
    story: 'Every fragment kept in a list, the empty ones too: a peer may send millions.',
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
    id: 'control-ends-message',
    lesson: '02',
    step: 6,
    story:
      'A control frame ends the message around it: a ping between two fragments loses the first.',
    edits: [
      [
        'const message = isControl(frame.opcode)',
        'if (isControl(frame.opcode)) this.#opcode = undefined;\n      const message = isControl(frame.opcode)',
      ],
    ],
  },
  {
    id: 'continuation-of-nothing',
    lesson: '02',
    step: 6,
    story: 'A continuation with nothing to continue accepted.',
    edits: [['continues && this.#opcode === undefined', 'false']],
  },
  {
    id: 'message-in-message',
    lesson: '02',
    step: 6,
    story: 'A new message inside an open one accepted: "A" and "B" become "AB".',
    edits: [['!continues && this.#opcode !== undefined', 'false']],
  },
  {
    id: 'first-fragment-lost',
    lesson: '02',
    step: 6,
    story: 'Only the last fragment kept.',
    edits: [['else if (!isWhole) this', 'else if (!isWhole && fin) this']],
  },
  {
    id: 'text-goes-on',
    lesson: '02',
    step: 6,
    story: 'A text begins with the one before it: what was decoded is not put away.',
    edits: [["    this.#text = '';\n", '']],
  },
  {
    id: 'decoded-twice',
    lesson: '02',
    step: 6,
    story: 'What was decoded when it arrived is decoded again when its frame is complete.',
    edits: [['payload.subarray(this.#seen)', 'payload']],
  },
  {
    id: 'cut-character',
    lesson: '02',
    step: 7,
    story: 'Each piece of a text decoded by itself: a character that is cut is refused.',
    edits: [['{ stream: !isLast }', '{ stream: false }']],
  },
  {
    id: 'ping-in-the-text',
    lesson: '02',
    step: 7,
    story: 'A ping that is still arriving taken for a part of the text around it.',
    edits: [[' && !isControl(header.opcode);', ';']],
  },
  {
    id: 'replacement-characters',
    lesson: '02',
    step: 7,
    story: 'A decoder that replaces wrong bytes by U+FFFD instead of refusing them.',
    edits: [['fatal: true, ignoreBOM: true', 'fatal: false, ignoreBOM: true']],
  },
  {
    id: 'bom-swallowed',
    lesson: '02',
    step: 7,
    story: 'A decoder that drops a U+FEFF at the start of a text.',
    edits: [['fatal: true, ignoreBOM: true', 'fatal: true']],
  },
  {
    id: 'slow-to-fail',
    lesson: '02',
    step: 7,
    story: 'Text checked only when the message has ended.',
    edits: [['if (this.#isText) {\n      const', 'if (Number.isNaN(0)) {\n      const']],
  },
  {
    id: 'limit-per-frame',
    lesson: '02',
    step: 8,
    story: 'The limit holds for frames, not for what they add up to.',
    edits: [['this.#messageBytes + header.payloadLength', 'header.payloadLength']],
  },
  {
    id: 'limit-off-by-one',
    lesson: '02',
    step: 8,
    story: '`>=` for `>` at the limit.',
    edits: [
      [
        'header.payloadLength > this.#maxMessageBytes',
        'header.payloadLength >= this.#maxMessageBytes',
      ],
    ],
  },
  {
    id: 'server-masks',
    lesson: '03',
    step: 1,
    story: 'A server that sets MASK: Chrome closes at once.',
    edits: [['writeHeader(bytes, at, frame, 0)', 'writeHeader(bytes, at, frame, 0x80)']],
  },
  {
    id: 'first-byte-0x81',
    lesson: '03',
    step: 1,
    story: 'The first byte always 81, whatever the frame is.',
    edits: [['(fin ? 0x80 : 0) | opcode', '0x81']],
  },
  {
    id: 'frames-overlap',
    lesson: '03',
    step: 1,
    story: 'Frames written over each other: the place is not moved on behind the payload.',
    edits: [['    at += frame.payload.length;\n', '']],
  },
  {
    id: 'last-frame-only',
    lesson: '03',
    step: 1,
    story: 'All frames written to the start of the buffer: only the last one is left.',
    edits: [['at = writeHeader(bytes, at, frame, 0);', 'at = writeHeader(bytes, 0, frame, 0);']],
  },
  {
    id: 'buffer-used-again',
    lesson: '03',
    step: 1,
    story: 'One buffer for all calls, to save memory: what still waits to be written changes.',
    edits: [
      ['const bytes = Buffer.allocUnsafe(size);', 'const bytes = MEMORY.subarray(0, size);'],
      [
        '/** Size of a header without',
        'const MEMORY = Buffer.alloc(200_000);\n\n/** Size of a header without',
      ],
    ],
  },
  {
    id: 'all-headers-alike',
    lesson: '03',
    step: 2,
    story: 'The room for several frames counted with the header of the first.',
    edits: [['size += headerSize(payload) +', 'size += headerSize(frames[0]!.payload) +']],
  },
  {
    id: 'border-125',
    lesson: '03',
    step: 2,
    story: '`>` for `>=` at 126: a length of 126 in seven bits (or 125 refused).',
    edits: [
      ['length > 125 ? 4', 'length > 126 ? 4'],
      ['length <= 125', 'length <= 126'],
    ],
  },
  {
    id: 'border-125-early',
    lesson: '03',
    step: 2,
    story: 'A length of 125 written in 16 bits: `>=` for `>`.',
    edits: [
      ['length > 125 ? 4', 'length >= 125 ? 4'],
      ['length <= 125', 'length < 125'],
    ],
  },
  {
    id: 'border-65535',
    lesson: '03',
    step: 2,
    story: 'The border between 16 and 64 bits off by one (OvenMediaEngine#2315).',
    edits: [
      ['length > 65535 ? 10', 'length > 65536 ? 10'],
      ['length <= 65535', 'length <= 65536'],
    ],
  },
  {
    id: 'border-65535-early',
    lesson: '03',
    step: 2,
    story: '65535 written in 64 bits.',
    edits: [
      ['length > 65535 ? 10', 'length >= 65535 ? 10'],
      ['length <= 65535', 'length < 65535'],
    ],
  },
  {
    id: 'shift-32',
    lesson: '03',
    step: 2,
    story: '`length >> 32` is `length >> 0` in JavaScript (Stack Overflow 8125507).',
    edits: [
      [
        'return bytes.writeBigUInt64BE(BigInt(length), at + 2);',
        'bytes.writeInt32BE(length >> 32, at + 2);\n  return bytes.writeInt32BE(length, at + 6);',
      ],
    ],
  },
  {
    id: 'masked-in-place',
    lesson: '03',
    step: 3,
    story: 'The caller’s own buffer masked: sent twice, the second is garbage.',
    edits: [['payload[i]! ^ maskingKey[i & 3]!', '(payload[i]! ^= maskingKey[i & 3]!)']],
  },
  {
    id: 'guessable-key',
    lesson: '03',
    step: 3,
    story: 'Keys from Math.random: two frames are enough to predict the next (okhttp#9624).',
    edits: [
      [
        'Uint8Array = randomBytes,',
        'Uint8Array = (size) => Uint8Array.from({ length: size }, () => Math.random() * 256),',
      ],
    ],
  },
  {
    id: 'constant-key',
    lesson: '03',
    step: 3,
    story: 'One key for all frames, a "temporary solution".',
    edits: [
      ['const maskingKey = random(4);', 'const maskingKey = Uint8Array.of(171, 133, 102, 17);'],
    ],
  },
  {
    id: 'long-ping',
    lesson: '03',
    step: 4,
    story: 'A ping of 126 bytes sent (oven-sh/bun#35030).',
    edits: [['payload.length > MAX_CONTROL_PAYLOAD', 'payload.length > MAX_CONTROL_PAYLOAD + 1']],
  },
  {
    id: 'empty-pong',
    lesson: '03',
    step: 4,
    story: 'A pong without the payload of its ping.',
    edits: [['controlFrame(Opcode.Pong, ping.payload)', 'controlFrame(Opcode.Pong)']],
  },
  {
    id: 'opcode-repeated',
    lesson: '03',
    step: 5,
    story: 'Every fragment has the opcode of the message.',
    edits: [['start === 0 ? opcode : Opcode.Continuation', 'opcode']],
  },
  {
    id: 'never-fin',
    lesson: '03',
    step: 5,
    story: 'FIN cleared on all fragments: the receiver waits for ever.',
    edits: [['fin: start + maxPayload >= data.length,', 'fin: false,']],
  },
  {
    id: 'one-byte-a-char',
    lesson: '03',
    step: 6,
    story: 'One byte for each char of the string.',
    edits: [['Buffer.from(text)', "Buffer.from(text, 'latin1')"]],
  },
  {
    id: 'lone-surrogate',
    lesson: '03',
    step: 6,
    story: 'Half a surrogate pair sent as U+FFFD, without a word.',
    edits: [['!text.isWellFormed()', 'false']],
  },
  {
    id: 'after-the-close',
    lesson: '03',
    step: 7,
    story: 'Messages accepted after the Close (tungstenite-rs#74, wsproto#168).',
    edits: [['this.#closed = true;', '']],
  },
  {
    id: 'control-waits',
    lesson: '03',
    step: 7,
    story: 'A ping waits behind a long message, and the peer gives up.',
    edits: [['this.#controls.push(frame);', 'this.#append(frame);']],
  },
  {
    id: 'half-a-code',
    lesson: '04',
    step: 1,
    story: 'A close body of one byte read as if it had two.',
    edits: [['if (body.length === 1)', 'if (body.length === 99)']],
  },
  {
    id: 'reason-replaced',
    lesson: '04',
    step: 1,
    story: 'A reason that is not UTF-8 accepted (autobahn-python#29).',
    edits: [['fatal: true', 'fatal: false']],
  },
  {
    id: '1005-on-the-wire',
    lesson: '04',
    step: 2,
    story: '1005 accepted on the wire (Kitura#36, aspnet/WebSockets#18).',
    edits: [['(code < 1004 || code > 1006)', '(code < 1004 || code > 1006 || code === 1005)']],
  },
  {
    id: 'only-listed-codes',
    lesson: '04',
    step: 2,
    story: 'The codes of applications, 3000 to 4999, refused.',
    edits: [['code >= 3000 && code <= 4999', 'false']],
  },
  {
    id: 'reason-in-characters',
    lesson: '04',
    step: 3,
    story: 'The reason cut after 123 characters, not bytes (phoenix#7711).',
    edits: [['reason.slice(0, read)', 'reason.slice(0, MAX_REASON_BYTES)']],
  },
  {
    id: 'reason-cut-inside',
    lesson: '04',
    step: 3,
    story: 'The reason cut after 123 bytes, inside a character.',
    edits: [
      [
        'return reason.slice(0, read);',
        'return new TextDecoder().decode(new TextEncoder().encode(reason).subarray(0, 123));',
      ],
    ],
  },
  {
    id: 'close-not-answered',
    lesson: '04',
    step: 4,
    story: 'A Close not answered: the browser reports 1006 (mongoose#1502).',
    edits: [
      ["if (answer) actions.push({ type: 'sendClose', body: encodeCloseBody(body?.code) });", ''],
    ],
  },
  {
    id: 'close-answered-twice',
    lesson: '04',
    step: 4,
    story: 'A Close answered although our own is out.',
    edits: [["const answer = this.#state === 'OPEN';", 'const answer = true;']],
  },
  {
    id: 'never-hangs-up',
    lesson: '04',
    step: 4,
    story: 'The server never ends the TCP connection.',
    edits: [
      ["if (this.#role === 'server') actions.push", "if (this.#role === 'client') actions.push"],
    ],
  },
  {
    id: 'code-zero',
    lesson: '04',
    step: 4,
    story: 'The code of a Close left at 0.',
    edits: [['code: number = CloseCode.NormalClosure', 'code: number = 0']],
  },
  {
    id: 'everything-1002',
    lesson: '04',
    step: 5,
    story: 'The same code for every error.',
    edits: [['error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError', '1002']],
  },
  {
    id: 'parses-on',
    lesson: '04',
    step: 5,
    story: 'What comes after the failure is still processed.',
    edits: [
      [
        "return this.#state === 'OPEN' || this.#state === 'CLOSE_SENT';",
        "return this.#state !== 'CLOSED';",
      ],
    ],
  },
  {
    id: 'slice-of-a-buffer',
    lesson: '04',
    step: 6,
    story: 'The payload kept with `slice`, which copies nothing when it is a Node Buffer.',
    edits: [['new Uint8Array(payload);', 'payload.slice();']],
  },
  {
    id: 'always-clean',
    lesson: '04',
    step: 6,
    story: 'A broken connection reported as a normal closure.',
    edits: [['code: CloseCode.AbnormalClosure', 'code: CloseCode.NormalClosure']],
  },
  {
    id: 'waits-for-ever',
    lesson: '04',
    step: 7,
    story: 'No end to the waiting for the peer’s Close.',
    edits: [["const waits = this.#state === 'CLOSE_SENT' || ", 'const waits = ']],
  },
  {
    id: 'policy-forgotten',
    lesson: '05',
    step: 1,
    story:
      "Origins and paths configured and never asked: any page may call, with the user's cookies.",
    edits: [['negotiate(upgrade, policy)', 'negotiate(upgrade, {})']],
  },
  {
    id: 'head-limit-forgotten',
    lesson: '05',
    step: 1,
    story: 'A limit for heads that the server never hands on.',
    edits: [['parseRequest(received, maxHeadBytes)', 'parseRequest(received)']],
  },
  {
    id: 'refusal-thrown',
    lesson: '05',
    step: 1,
    story:
      'A bad request throws in the server instead of being answered: one client ends them all.',
    edits: [
      [
        `  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    return refused(error);
  }`,
        `  } catch (error) {
    throw error;
  }`,
      ],
    ],
  },
  {
    id: 'first-frame-lost',
    lesson: '05',
    step: 1,
    story: 'What came together with the request is thrown away (oven-sh/bun#43149).',
    edits: [['received.subarray(request.length), policy', 'new Uint8Array(0), policy']],
  },
  {
    id: 'state-shared',
    lesson: '05',
    step: 2,
    story: 'One reader for all clients: state kept outside of the connection.',
    edits: [
      [
        "    this.#reader = new MessageReader('server', limits.maxMessageBytes);",
        '    this.#reader = SHARED;',
      ],
      [
        'const MESSAGE_COST_BYTES = 128;',
        `const MESSAGE_COST_BYTES = 128;
const SHARED = new MessageReader('server');`,
      ],
    ],
  },
  {
    id: 'one-event-a-read',
    lesson: '05',
    step: 2,
    story: 'One message for each read: the second of two waits for the third.',
    edits: [
      [
        `  receive(chunk: Uint8Array): void {
`,
        `  receive(chunk: Uint8Array): void {
    this.#fresh = true;
`,
      ],
      [
        `  next(): ConnectionEvent | undefined {
`,
        `  next(): ConnectionEvent | undefined {
    if (!this.#fresh) return this.#events.shift();
    this.#fresh = false;
`,
      ],
      [
        `  #waitingBytes = 0;
`,
        `  #waitingBytes = 0;
  #fresh = false;
`,
      ],
    ],
  },
  {
    id: 'reads-as-client',
    lesson: '05',
    step: 2,
    story: 'The reader is made for the other side, and refuses every masked frame.',
    edits: [["new MessageReader('server'", "new MessageReader('client'"]],
  },
  {
    id: 'one-frame-a-write',
    lesson: '05',
    step: 3,
    story: 'A write for each frame: sixteen answers cost sixteen calls of the system.',
    edits: [
      ['size < MAX_OUTPUT_BYTES; )', 'size < 1; )'],
      ['      size += frame.payload.length;', '      size += frame.payload.length + 1;'],
    ],
  },
  {
    id: 'all-in-one-write',
    lesson: '05',
    step: 3,
    story: 'A large message handed to the socket whole: a Pong waits behind all of it.',
    edits: [['size < MAX_OUTPUT_BYTES; )', 'size < Number.POSITIVE_INFINITY; )']],
  },
  {
    id: 'nobody-wakes',
    lesson: '05',
    step: 3,
    story: 'A message is put into the queue, and nobody comes to take it.',
    edits: [
      [
        `    this.#owesDrain ||= this.#waitingBytes >= HIGH_WATER_BYTES;
    this.#wake();`,
        '    this.#owesDrain ||= this.#waitingBytes >= HIGH_WATER_BYTES;',
      ],
    ],
  },
  {
    id: 'ping-unanswered',
    lesson: '05',
    step: 3,
    story: 'Pings are dropped: the client takes the server for dead.',
    edits: [
      [
        `        this.#queue.addControl(controlFrame(Opcode.Pong, message.payload));
`,
        '',
      ],
    ],
  },
  {
    id: 'pong-without-payload',
    lesson: '05',
    step: 3,
    story: 'A Pong without the payload of its Ping.',
    edits: [['controlFrame(Opcode.Pong, message.payload)', 'controlFrame(Opcode.Pong)']],
  },
  {
    id: 'close-first',
    lesson: '05',
    step: 4,
    story:
      'All frames of a read are handled before the application has answered the first: its answer comes after the Close, and is lost.',
    edits: [
      [
        '    if (this.#closing.isListening) this.#reader.push(chunk);',
        `    if (this.#closing.isListening) this.#reader.push(chunk);
    const early: ConnectionEvent[] = [];
    for (let event = this.next(); event; event = this.next()) early.push(event);
    this.#events.push(...early);`,
      ],
    ],
  },
  {
    id: 'message-limit-forgotten',
    lesson: '05',
    step: 4,
    story: 'A limit for messages that the server never hands on.',
    edits: [["new MessageReader('server', limits.maxMessageBytes)", "new MessageReader('server')"]],
  },
  {
    id: 'sends-when-closing',
    lesson: '05',
    step: 4,
    story: 'A message sent to a client that is closing throws, in the middle of a broadcast.',
    edits: [
      [
        `    if (this.#closing.state !== 'OPEN') return false;
`,
        '',
      ],
    ],
  },
  {
    id: 'ending-forgotten',
    lesson: '05',
    step: 4,
    story: 'Both have said Close, and the server keeps the TCP connection.',
    edits: [['        this.#ending = action.type;', '        this.#ending = undefined;']],
  },
  {
    id: 'error-kept-secret',
    lesson: '05',
    step: 4,
    story: 'The connection fails, and the application never hears why.',
    edits: [
      [
        `    if (actions.length > 0) this.#events.push({ type: 'error', error });
`,
        '',
      ],
    ],
  },
  {
    id: 'never-asks',
    lesson: '05',
    step: 5,
    story:
      'No sign of life is asked for: a client whose cable was pulled stays for hours (ws#686).',
    edits: [
      [
        `      this.#askedAt = this.#now();
      this.ping();`,
        '      this.#askedAt = this.#now();',
      ],
    ],
  },
  {
    id: 'answer-not-heard',
    lesson: '05',
    step: 5,
    story: 'The answer to a Ping does not count, and everybody is dropped after a minute.',
    edits: [
      [
        `    this.#askedAt = undefined;
    if`,
        '    if',
      ],
    ],
  },
  {
    id: 'close-without-clock',
    lesson: '05',
    step: 5,
    story: 'A client that does not answer our Close is waited for without end.',
    edits: [
      [
        `    this.#do(this.#closing.checkDeadline());
`,
        '',
      ],
    ],
  },
  {
    id: 'rest-forgotten',
    lesson: '05',
    step: 6,
    story: 'The frames behind the request are kept, and never read.',
    edits: [
      [
        `    if (rest.length > 0) this.connection.receive(rest);
`,
        '',
      ],
    ],
  },
  {
    id: 'write-for-each-event',
    lesson: '05',
    step: 6,
    story: 'The output is taken after each event instead of after each read.',
    edits: [
      [
        'event = connection.next()) this.#tell(event);',
        `event = connection.next()) {
      this.#tell(event);
      this.#flush();
    }`,
      ],
    ],
  },
  {
    id: 'tcp-left-open',
    lesson: '05',
    step: 6,
    story: 'The server says Close and waits for the client to end TCP, which waits for the server.',
    edits: [
      [
        `    if (connection.ending === 'hangUp') socket.end();
`,
        '',
      ],
    ],
  },
  {
    id: 'timer-set-once',
    lesson: '05',
    step: 6,
    story: 'A timer is set, and not set anew when the deadline comes nearer.',
    edits: [['deadline >= this.#timerAt', 'this.#timerAt < Number.POSITIVE_INFINITY']],
  },
  {
    id: 'end-not-told',
    lesson: '05',
    step: 6,
    story: 'The end of a socket is not noticed: the application goes on with a dead client.',
    edits: [
      [
        `    this.connection.disconnect();
    this.#turn();
`,
        `    this.#turn();
`,
      ],
    ],
  },
  {
    id: 'never-forgotten',
    lesson: '05',
    step: 7,
    story: 'Connections are added and never removed: a set that only grows (hxa-connect#174).',
    edits: [
      [
        `        if (event.type === 'close') this.#connections.delete(connection);
`,
        '',
      ],
    ],
  },
  {
    id: 'one-read-one-request',
    lesson: '05',
    step: 7,
    story:
      'One read is taken for one request: a head that comes in two is refused, or never answered.',
    edits: [['      received = Buffer.concat([received, chunk]);', '      received = chunk;']],
  },
  {
    id: 'head-without-end',
    lesson: '05',
    step: 7,
    story: 'A client that never ends its request is waited for without end.',
    edits: [
      [
        '    }, this.#options.headTimeoutMs);',
        `    }, 600_000);
    timer.unref();`,
      ],
    ],
  },
  {
    id: 'refused-and-kept',
    lesson: '05',
    step: 7,
    story: 'A refused client is answered, and its connection left open.',
    edits: [['    socket.end(answer);', '    socket.write(answer);']],
  },
  {
    id: 'waits-without-limit',
    lesson: '05',
    step: 8,
    story:
      'Whatever the application sends waits for a client that does not read, until the memory is full.',
    edits: [
      [
        'this.#waitingBytes > this.#limits.maxWaitingBytes',
        'this.#waitingBytes > Number.POSITIVE_INFINITY',
      ],
    ],
  },
  {
    id: 'never-drained',
    lesson: '05',
    step: 8,
    story: 'The application is told to wait, and never told to go on.',
    edits: [
      [
        `    this.#events.push({ type: 'drain' });
`,
        '',
      ],
    ],
  },
  {
    id: 'reads-from-who-does-not-read',
    lesson: '05',
    step: 8,
    story: 'The answers for a client that does not read pile up in memory.',
    edits: [
      [
        `      socket.pause(); // Who does not read is not read from.
`,
        '',
      ],
    ],
  },
  {
    id: 'echo-to-oneself',
    lesson: '05',
    step: 9,
    story: 'A broadcast comes back to the one who sent it.',
    edits: [['if (connection !== except) connection.send(data);', 'connection.send(data);']],
  },
  {
    id: 'leaves-with-1000',
    lesson: '05',
    step: 9,
    story: 'A server that is shut down says 1000, as if the work were done.',
    edits: [['connection.close(CloseCode.GoingAway)', 'connection.close()']],
  },
  {
    id: 'leaves-at-once',
    lesson: '05',
    step: 9,
    story: 'The promise of a shutdown does not wait: the process ends before the Closes are out.',
    edits: [['if (this.#connections.size === 0) resolve();', 'resolve();']],
  },
  {
    id: 'head-forgotten',
    lesson: '05',
    step: 11,
    story:
      'What Node has read behind the request is in `head`, and nobody looks there (oven-sh/bun#43149).',
    edits: [
      [
        'accept(requestHead, head, this.#options)',
        'accept(requestHead, new Uint8Array(0), this.#options)',
      ],
    ],
  },
  {
    id: 'origin-not-checked',
    lesson: '05',
    step: 11,
    story:
      'The upgrade of an HTTP server does not look at the Origin: any page can use the socket (CVE-2025-52882).',
    edits: [['accept(requestHead, head, this.#options)', 'accept(requestHead, head, {})']],
  },
  {
    id: 'half-open',
    lesson: '05',
    step: 11,
    story: 'A socket of an HTTP server stays open when the client ends its side: nobody ends ours.',
    edits: [
      [
        `    socket.on('end', () => socket.end());
`,
        '',
      ],
    ],
  },
  {
    id: 'one-host-of-two',
    lesson: '05',
    step: 11,
    story:
      'Headers as `headers` has them: of two Host lines one is gone, and nobody sees that there were two.',
    edits: [
      ['Object.entries(headersDistinct).map(', 'Object.entries(request.headers).map('],
      [
        '([name, values]) => [name, values ?? []] as const',
        '([name, value]) => [name, [value ?? []].flat()] as const',
      ],
    ],
  },
];
