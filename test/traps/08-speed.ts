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
      'Each byte made into a character. For ASCII, nothing is faster, and all others are garbled.',
    source: 'ahyatt/emacs-websocket#45',
    rules: [],
    edits: [["bytes.toString('utf8', start, end)", "bytes.toString('latin1', start, end)"]],
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
    id: 'limits-left-behind',
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
    id: 'reserved-opcode-in-a-table',
    step: 9,
    story:
      'A table of the first bytes that are legal, which is faster than to look at each bit, and a byte too many in it.',
    source: 'RFC 6455 §5.2',
    rules: [],
    edits: [['new Set([0x00, 0x01, 0x02, 0x80,', 'new Set([0x00, 0x01, 0x02, 0x03, 0x80,']],
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
