import type { Trap } from './trap.ts';

/** Steps 1, 2 and 9: what is agreed on. */
const AGREEING: readonly Trap[] = [
  {
    id: 'quotes-kept',
    step: 1,
    story:
      'A value taken with its quotes. "10" in quotes is no number then, and a good offer is declined.',
    source: 'RFC 6455 §9.1',
    rules: [58, 142],
    edits: [
      [
        "value: value ?? quoted?.replaceAll('\\\\', '')",
        "value: value ?? (quoted && '\"' + quoted.replaceAll('\\\\', '') + '\"')",
      ],
    ],
  },
  {
    id: 'backslashes-kept',
    step: 1,
    story: 'The quotes taken from a value, and not the backslashes within them.',
    source: 'RFC 6455 §9.1',
    rules: [58, 142],
    edits: [["value ?? quoted?.replaceAll('\\\\', '')", 'value ?? quoted']],
  },
  {
    id: 'quotes-around-nothing',
    step: 1,
    story:
      'Quotes with nothing between them taken as a value. An empty text is no token, so it can be none.',
    source: 'RFC 6455 §9.1',
    rules: [58, 142],
    edits: [['})+)"', '})*)"']],
  },
  {
    id: 'separator-in-quotes',
    step: 1,
    story:
      'Split at every comma, and whatever is not well formed passed over. The value in quotes of some other extension becomes an offer of compression that nobody has made.',
    source: 'bisq-network/bisq2#4932',
    rules: [58, 141, 142],
    edits: [
      [
        'if (first === undefined || first.value !== undefined) return undefined;\n    if (!params.every((param) => param !== undefined)) return undefined;',
        'if (first === undefined || first.value !== undefined) continue;\n    if (!params.every((param) => param !== undefined)) continue;',
      ],
    ],
  },
  {
    id: 'no-space-around-equals',
    step: 1,
    story: 'No spaces allowed around the `=`, and a good request answered with 400.',
    source: 'websockets/ws',
    rules: [141],
    edits: [['[ \\\\t]*(?:=[ \\\\t]*(?:', '[ \\\\t]*(?:=(?:']],
  },
  {
    id: 'empty-element-refused',
    step: 1,
    story:
      'A comma at the beginning or the end of the list answered with 400, although empty elements are allowed in every list of HTTP.',
    source: 'websockets/ws',
    rules: [141],
    edits: [['    if (/^[ \\t]*$/.test(text)) continue;\n', '']],
  },
  {
    id: 'empty-parameter-skipped',
    step: 1,
    story:
      'Empty parameters skipped as if they were empty elements: `permessage-deflate;` opens a connection.',
    source: 'nodejs/undici',
    rules: [141],
    edits: [
      [
        "text.split(';').map(parseParam)",
        "text.split(';').filter((param) => param.trim() !== '').map(parseParam)",
      ],
    ],
  },
  {
    id: 'value-may-be-missing',
    step: 1,
    story: 'An `=` with nothing behind it read as a parameter without a value.',
    source: 'RFC 6455 §9.1',
    rules: [141],
    edits: [['")[ \\\\t]*)?$`', '")?[ \\\\t]*)?$`']],
  },
  {
    id: 'no-break-space-trimmed',
    step: 1,
    story:
      'White space taken away with `trim`, which also takes a no-break space and thirty others. HTTP has two.',
    source: 'RFC 6455 §9.1',
    rules: [141],
    edits: [['PARAM.exec(text)', 'PARAM.exec(text.trim())']],
  },
  {
    id: 'names-in-lower-case',
    step: 1,
    story:
      'Names turned to lower case, as those of headers are. Extensions and parameters differ then.',
    source: 'http-kit/http-kit#617',
    rules: [143],
    edits: [['items.push({ name: first.name,', 'items.push({ name: first.name.toLowerCase(),']],
  },
  {
    id: 'parameters-in-an-object',
    step: 1,
    story:
      'Parameters collected by their names: the second replaces the first, and nobody sees any more that one has come twice.',
    source: 'bisq-network/bisq2#4932',
    rules: [161],
    edits: [
      [
        'items.push({ name: first.name, params });',
        'const byName = new Map(params.map((param) => [param.name, param]));\n    items.push({ name: first.name, params: [...byName.values()] });',
      ],
    ],
  },
  {
    id: 'header-costs-its-square',
    step: 1,
    story:
      'A header split where there are spaces and a semicolon, by a regular expression. From each space of a long run it reads to the end of the run: one request of 16 KiB costs a tenth of a second. `ws` had this with commas.',
    source: 'websockets/ws',
    rules: [],
    edits: [["text.split(';')", 'text.split(/[ \\t]*;[ \\t]*/)']],
  },
  {
    id: 'limit-without-number',
    step: 2,
    story:
      'The offer sent back as it came. In an answer, `client_max_window_bits` needs a value, and Chrome refuses the connection: "must have value".',
    source: 'Robert-112/Bauglir-WebSocket-2#2',
    rules: [161],
    edits: [
      [
        'client_max_window_bits: clientMaxWindowBits < 15 ? clientMaxWindowBits : undefined,',
        'client_max_window_bits: theirBits,',
      ],
    ],
  },
  {
    id: 'limit-nobody-offered',
    step: 2,
    story:
      'A limit answered to a client that has not offered one. It does not know the parameter, and the connection fails.',
    source: 'coder/websocket#443',
    rules: [161],
    edits: [
      [
        'limit === undefined ? 15 : Math.min(limit, policy.clientMaxWindowBits ?? 15)',
        'Math.min(limit ?? 15, policy.clientMaxWindowBits ?? 15)',
      ],
    ],
  },
  {
    id: 'limit-above-the-offer',
    step: 2,
    story:
      'The server’s own limit answered, although the client has named a smaller one. It cannot do more than that, and the connection fails.',
    source: 'websockets/ws#2327',
    rules: [161],
    edits: [
      [
        'Math.min(limit, policy.clientMaxWindowBits ?? 15)',
        '(policy.clientMaxWindowBits ?? limit)',
      ],
    ],
  },
  {
    id: 'bad-offer-refused',
    step: 2,
    story:
      'An offer that cannot be kept answered with an error, instead of a connection without compression. With a bad number in one header, the whole handshake ended with 500.',
    source: 'apache/tomcat#1019',
    rules: [161],
    edits: [
      [
        '    if (asked) return answerTo(asked, policy);\n',
        "    if (asked) return answerTo(asked, policy);\n    if (offer.name === DEFLATE) throw new HandshakeError(400, '9.1', 'A bad parameter.');\n",
      ],
    ],
  },
  {
    id: 'first-offer-only',
    step: 2,
    story:
      'Only the first offer looked at. The others are there for a server that cannot keep the first.',
    source: 'capnproto/capnproto#1505',
    rules: [161],
    edits: [
      [
        '    if (asked) return answerTo(asked, policy);\n',
        '    return asked && answerTo(asked, policy);\n',
      ],
    ],
  },
  {
    id: 'last-offer-wins',
    step: 2,
    story: 'The last of several offers taken. The client has put first what it wants most.',
    source: 'RFC 7692 §5',
    rules: [161],
    edits: [['for (const offer of offers) {', 'for (const offer of offers.toReversed()) {']],
  },
  {
    id: 'bare-offer-declined',
    step: 2,
    story:
      'No compression without `client_max_window_bits` in the offer. Firefox and Safari never send it, and got none.',
    source: 'python-websockets/websockets#1109',
    rules: [140],
    edits: [
      [
        '    if (asked) return answerTo(asked, policy);\n',
        '    if (asked?.client_max_window_bits) return answerTo(asked, policy);\n',
      ],
    ],
  },
  {
    id: 'value-of-limit-declined',
    step: 2,
    story:
      'An offer of `client_max_window_bits` with a value declined, since an early draft of the standard had it without.',
    source: 'crossbario/autobahn-python#276',
    rules: [161],
    edits: [
      [
        'return value === undefined && isOffer ? true : readBits(value);',
        'return value === undefined && isOffer ? true : isOffer ? undefined : readBits(value);',
      ],
    ],
  },
  {
    id: 'needless-limit-answered',
    step: 2,
    story:
      'Both windows in every answer, also where they are 15 bits, as large as without a word. Some peers know no such parameters, and refuse the connection.',
    source: 'RFC 7692 §7.1.2',
    rules: [161],
    edits: [
      [
        'ownBits !== undefined || serverMaxWindowBits < 15 ? serverMaxWindowBits : undefined,',
        'serverMaxWindowBits,',
      ],
    ],
  },
  {
    id: 'needless-client-limit-answered',
    step: 2,
    story:
      'A limit of 15 bits answered to everyone who can be limited, although it limits nothing.',
    source: 'websockets/ws',
    rules: [161],
    edits: [
      [
        'client_max_window_bits: clientMaxWindowBits < 15 ? clientMaxWindowBits : undefined,',
        'client_max_window_bits: limit === undefined ? undefined : clientMaxWindowBits,',
      ],
    ],
  },
  {
    id: 'server-and-client-swapped',
    step: 2,
    story:
      'The parameters of the server taken for those of the client. As long as both forget, or neither does, nobody notices.',
    source: 'netty/netty#8395',
    rules: [161, 176],
    edits: [
      [
        'asked.server_no_context_takeover ?? policy.serverNoContextTakeover ?? false',
        'asked.client_no_context_takeover ?? policy.serverNoContextTakeover ?? false',
      ],
      [
        'asked.client_no_context_takeover ?? policy.clientNoContextTakeover ?? false',
        'asked.server_no_context_takeover ?? policy.clientNoContextTakeover ?? false',
      ],
    ],
  },
  {
    id: 'takeover-not-answered',
    step: 2,
    story:
      'An offered `server_no_context_takeover` kept, but not answered. The client keeps a window for nothing, or refuses the connection.',
    source: 'RFC 7692 §7.1.1.1',
    rules: [176],
    edits: [
      [
        'server_no_context_takeover: params.serverNoContextTakeover,',
        'server_no_context_takeover: policy.serverNoContextTakeover,',
      ],
    ],
  },
  {
    id: 'bits-by-number',
    step: 2,
    story:
      'Window bits read with `Number`, which also knows 010, 1e1 and 0xA. Another program on the way reads something else in them.',
    source: 'websockets/ws',
    rules: [140, 161],
    edits: [
      [
        'return /^([89]|1[0-5])$/.test(value) ? Number(value) : undefined;',
        "const bits = Number(value);\n  return value !== '' && bits >= 8 && bits <= 15 ? bits : undefined;",
      ],
    ],
  },
  {
    id: 'bits-from-nine',
    step: 2,
    story:
      'Window bits from 9, as zlib has them. 8 is a good value, and what zlib makes of 9 fits into it.',
    source: 'netty/netty#8702',
    rules: [140, 161],
    edits: [['/^([89]|1[0-5])$/', '/^(9|1[0-5])$/']],
  },
  {
    id: 'bits-out-of-range',
    step: 2,
    story:
      'Window bits that are any number. With 16, the compressor throws, and the client gets a 500.',
    source: 'apache/tomcat#1019',
    rules: [140, 161],
    edits: [['/^([89]|1[0-5])$/', '/^[1-9][0-9]?$/']],
  },
  {
    id: 'value-of-hint-ignored',
    step: 2,
    story: 'A value accepted for parameters that have none: `server_no_context_takeover=true`.',
    source: 'bisq-network/bisq2#4932',
    rules: [140, 161],
    edits: [['return value === undefined ? true : undefined;', 'return true;']],
  },
  {
    id: 'server-limit-without-number',
    step: 2,
    story:
      '`server_max_window_bits` accepted without a value, as the parameter of the client can be.',
    source: 'RFC 7692 §7.1.2.1',
    rules: [140, 161],
    edits: [["readBits(value = '')", "readBits(value = '15')"]],
  },
  {
    id: 'repeated-parameter',
    step: 2,
    story: 'A parameter accepted twice. Which of the two values counts is anybody’s guess.',
    source: 'bisq-network/bisq2#4932',
    rules: [161],
    edits: [['read === undefined || Object.hasOwn(asked, name)', 'read === undefined']],
  },
  {
    id: 'unknown-parameter-ignored',
    step: 2,
    story:
      'Unknown parameters passed over, as headers are. But a parameter changes what the bytes mean, so a server that does not know it cannot agree.',
    source: 'RFC 7692 §7',
    rules: [144, 161],
    edits: [
      [
        'if (read === undefined ||',
        "if (!/_/.test(name) || name === '__proto__') continue;\n    if (read === undefined ||",
      ],
    ],
  },
  {
    id: 'inherited-parameter',
    step: 2,
    story:
      'Known parameters looked up in an object, which also knows `toString` and `constructor`.',
    source: 'RFC 7692 §7',
    rules: [144, 161],
    edits: [
      [
        '    default:\n      return undefined;',
        '    default:\n      return name in {} ? true : undefined;',
      ],
    ],
  },
  {
    id: 'extension-in-any-case',
    step: 2,
    story: 'The name of the extension compared in any case. Chromium, ws and websockets do not.',
    source: 'RFC 6455 §9.1',
    rules: [51, 143],
    edits: [['offer.name === DEFLATE ?', 'offer.name.toLowerCase() === DEFLATE ?']],
  },
  {
    id: 'another-extension-accepted',
    step: 2,
    story:
      'Any extension with known parameters taken for permessage-deflate: older Safari offered x-webkit-deflate-frame, which compresses each frame.',
    source: 'RFC 6455 §9.1',
    rules: [51, 143],
    edits: [
      ['offer.name === DEFLATE ? readParams(offer, true) : undefined', 'readParams(offer, true)'],
    ],
  },
  {
    id: 'more-than-was-answered',
    step: 2,
    story:
      'A window of 10 bits answered, and a larger one used. Most peers do not notice; one that keeps no more than it has to reads garbage.',
    source: 'python-websockets/websockets#945',
    rules: [162],
    edits: [
      [
        'return { params, header };',
        'return { params: { ...params, serverMaxWindowBits: policy.serverMaxWindowBits ?? 15 }, header };',
      ],
    ],
  },
  {
    id: 'needless-limit-offered',
    step: 9,
    story:
      'A limit of 15 bits offered, which is none. Strict servers and gateways refuse an offer that has such a parameter.',
    source: 'machinezone/IXWebSocket#599',
    rules: [140],
    edits: [
      [
        'client_max_window_bits: policy.clientMaxWindowBits ?? true,',
        'client_max_window_bits: policy.clientMaxWindowBits ?? 15,',
      ],
    ],
  },
  {
    id: 'needless-server-limit-offered',
    step: 9,
    story:
      'A window of 15 bits asked of the server, which is as large as without a word. One day a server no longer knew that parameter, and answered with 400.',
    source: 'boostorg/beast#2671',
    rules: [140],
    edits: [
      [
        'server_max_window_bits: policy.serverMaxWindowBits,',
        'server_max_window_bits: policy.serverMaxWindowBits ?? 15,',
      ],
    ],
  },
  {
    id: 'smaller-window-refused',
    step: 9,
    story:
      'A connection refused because the server has limited its own window, unasked. It may, and costs the client nothing.',
    source: 'netty/netty#11394',
    rules: [140],
    edits: [
      [
        'params.serverMaxWindowBits <= (policy.serverMaxWindowBits ?? 15)',
        'params.serverMaxWindowBits === (policy.serverMaxWindowBits ?? 15)',
      ],
    ],
  },
  {
    id: 'unasked-forgetting-refused',
    step: 9,
    story: 'A connection refused because the server forgets its window, unasked. It may.',
    source: 'netty/netty#11413',
    rules: [140],
    edits: [
      [
        '(params.serverNoContextTakeover || !policy.serverNoContextTakeover)',
        'params.serverNoContextTakeover === (policy.serverNoContextTakeover ?? false)',
      ],
    ],
  },
  {
    id: 'told-to-forget-refused',
    step: 9,
    story:
      'A connection refused because the server wants our window forgotten. It may ask for that.',
    source: 'netty/netty#10191',
    rules: [140],
    edits: [
      [
        '  return isKept ? params : undefined;',
        '  if (told.client_no_context_takeover && !policy.clientNoContextTakeover) return undefined;\n  return isKept ? params : undefined;',
      ],
    ],
  },
  {
    id: 'promise-not-kept',
    step: 9,
    story:
      'A client that has offered to forget its window, and keeps it, because the answer does not repeat that. A server that relies on the offer cannot read the second message.',
    source: 'zaphoyd/websocketpp#1193',
    rules: [177],
    edits: [
      [
        'told.client_no_context_takeover ?? policy.clientNoContextTakeover ?? false,',
        'told.client_no_context_takeover ?? false,',
      ],
    ],
  },
  {
    id: 'offered-limit-not-kept',
    step: 9,
    story: 'The same with a limit: offered, not repeated, and not kept.',
    source: 'RFC 7692 §7.1.2.2',
    rules: [140],
    edits: [
      [
        'Number(told.client_max_window_bits ?? policy.clientMaxWindowBits ?? 15)',
        'Number(told.client_max_window_bits ?? 15)',
      ],
    ],
  },
  {
    id: 'answered-bits-unchecked',
    step: 9,
    story:
      'The bits of an answer handed to zlib as they came. With 16, it throws where nobody catches that, and the process ends.',
    source: 'apollographql/graphql-testing-library#173',
    rules: [140, 163],
    edits: [
      [
        "    case 'server_max_window_bits':\n      return readBits(value);",
        "    case 'server_max_window_bits':\n      return isOffer ? readBits(value) : Number(value);",
      ],
      [
        'params.serverMaxWindowBits <= (policy.serverMaxWindowBits ?? 15)',
        '!(params.serverMaxWindowBits > (policy.serverMaxWindowBits ?? 99))',
      ],
    ],
  },
  {
    id: 'answered-limit-without-number',
    step: 9,
    story: 'A limit without a number accepted in an answer, as if it were an offer.',
    source: 'nodejs/undici',
    rules: [163],
    edits: [['return value === undefined && isOffer ?', 'return value === undefined ?']],
  },
  {
    id: 'unknown-answer-ignored',
    step: 9,
    story:
      'Parameters of an answer that nobody knows passed over. Whatever the server does now, it is not what was offered.',
    source: 'nodejs/undici',
    rules: [144, 163],
    edits: [
      [
        'if (read === undefined ||',
        'if (read === undefined && value === undefined && !isOffer) continue;\n    if (read === undefined ||',
      ],
    ],
  },
  {
    id: 'agreed-twice',
    step: 9,
    story: 'The first element of an answer looked at, and no other.',
    source: 'websockets/ws',
    rules: [62, 163],
    edits: [['item?.name !== DEFLATE || others.length > 0', 'item?.name !== DEFLATE']],
  },
  {
    id: 'first-line-only',
    step: 9,
    story:
      'The first of two lines of an answer read. The second agrees to an extension that was not on offer.',
    source: 'RFC 6455 §11.3.2',
    rules: [62, 145],
    edits: [
      [
        'checkDeflate(parseExtensions(lines.join()) ?? [], policy)',
        "checkDeflate(parseExtensions(lines[0] ?? '') ?? [], policy)",
      ],
    ],
  },
  {
    id: 'asked-and-not-answered',
    step: 9,
    story:
      'A server that does not say that it forgets its window, though asked to, believed to do so all the same. Its second message cannot be read.',
    source: 'RFC 7692 §7.1.1.1',
    rules: [163],
    edits: [['(params.serverNoContextTakeover || !policy.serverNoContextTakeover) &&\n', '']],
  },
  {
    id: 'larger-window-accepted',
    step: 9,
    story: 'A server accepted that looks back further than it was asked to.',
    source: 'RFC 7692 §7.1.2.1',
    rules: [163],
    edits: [['params.serverMaxWindowBits <= (policy.serverMaxWindowBits ?? 15) &&\n', '']],
  },
  {
    id: 'larger-limit-accepted',
    step: 9,
    story: 'A limit for our window accepted above the one that we have offered.',
    source: 'websockets/ws#2336',
    rules: [163],
    edits: [['&&\n    params.clientMaxWindowBits <= (policy.clientMaxWindowBits ?? 15);', ';']],
  },
  {
    id: 'compressed-though-declined',
    step: 9,
    story:
      'Compression used because it was offered, whatever the answer. The server sees RSV1 where nobody has agreed on it.',
    source: 'gorilla/websocket#731',
    rules: [107, 145],
    edits: [
      [
        'if (lines === undefined) return undefined;\n  const params = checkDeflate(',
        "if (lines === undefined) return new PerMessageDeflate('client', checkDeflate([{ name: DEFLATE, params: [] }])!);\n  const params = checkDeflate(",
      ],
    ],
  },
  {
    id: 'broken-answer-ignored',
    step: 9,
    story:
      'An answer that breaks the grammar taken for none. The server compresses, and the client cannot read the first message.',
    source: 'RFC 6455 §9.1',
    rules: [141],
    edits: [
      [
        'const params = checkDeflate(parseExtensions(lines.join()) ?? [], policy);',
        'const answer = parseExtensions(lines.join());\n  if (answer === undefined) return undefined;\n  const params = checkDeflate(answer, policy);',
      ],
    ],
  },
  {
    id: 'one-object-for-all-answers',
    step: 9,
    story:
      'One object for what was agreed on, and filled in anew for each connection. Whoever has kept it for the first has the windows of the second.',
    source: 'RFC 7692 §7.1',
    rules: [],
    edits: [
      [
        'const params: DeflateParams = {\n    serverNoContextTakeover: told.server',
        'const params: DeflateParams = Object.assign(agreedOn, {\n    serverNoContextTakeover: told.server',
      ],
      [
        'policy.clientMaxWindowBits ?? 15),\n  };\n  const isKept',
        'policy.clientMaxWindowBits ?? 15),\n  });\n  const isKept',
      ],
      ['function agreedWith(', 'const agreedOn = {} as DeflateParams;\n\nfunction agreedWith('],
    ],
  },
  {
    id: 'client-as-server',
    step: 9,
    story:
      'The windows of a client set up like those of a server: it compresses as the server has promised to.',
    source: 'netty/netty#8395',
    rules: [107],
    edits: [["new PerMessageDeflate('client', params)", "new PerMessageDeflate('server', params)"]],
  },
];

/** Steps 3 to 5: messages and their window. */
const PACKING: readonly Trap[] = [
  {
    id: 'stream-ended',
    step: 3,
    story:
      '`deflateRawSync` without options, as on a file: the last block has BFINAL. The next message is a new stream for the sender, and the peer waits for more of the old one.',
    source: 'websockets/ws#2294',
    rules: [157],
    edits: [
      [
        '    finishFlush: constants.Z_SYNC_FLUSH,\n    dictionary: window,\n',
        '    dictionary: window,\n',
      ],
    ],
  },
  {
    id: 'tail-kept',
    step: 3,
    story:
      'The four bytes 00 00 ff ff left at the end of each message. Tomcat did that, and Netty failed where they came in a frame of their own.',
    source: 'netty/netty#9770',
    rules: [157],
    edits: [['new Uint8Array(packed.subarray(0, -TAIL.length))', 'new Uint8Array(packed)']],
  },
  {
    id: 'first-marker-cut',
    step: 3,
    story:
      'Cut where 00 00 ff ff is found first. It can be in the middle, too: messages of some sizes arrived broken, once in a while.',
    source: 'faye/permessage-deflate-node#4',
    rules: [157],
    edits: [
      ['packed.subarray(0, -TAIL.length)', 'packed.subarray(0, packed.indexOf(Buffer.from(TAIL)))'],
    ],
  },
  {
    id: 'header-of-zlib',
    step: 3,
    story:
      '`deflateSync` taken for DEFLATE. What it makes has two bytes of zlib in front, and the peer reads them as a block.',
    source: 'RFC 7692 §7.2.1',
    rules: [157],
    edits: [
      [
        'import { constants, deflateRawSync, inflateRawSync }',
        'import { constants, deflateSync as deflateRawSync, inflateRawSync }',
      ],
    ],
  },
  {
    id: 'empty-becomes-nothing',
    step: 3,
    story:
      'An empty message sent as a frame without a byte, marked as compressed. Python answered “invalid stored block lengths” and hung up.',
    source: 'machinezone/IXWebSocket#167',
    rules: [157, 158],
    edits: [
      [
        '  // zlib returns a part of 16 KiB, which would be kept as long',
        '  if (plain.length === 0) return NO_BYTES;\n  // zlib returns a part of 16 KiB, which would be kept as long',
      ],
    ],
  },
  {
    id: 'four-less-than-nothing',
    step: 3,
    story:
      'No output expected of an empty message, and its end cut off all the same: the length became a huge number, and the server went down with bad_alloc.',
    source: 'mattgodbolt/seasocks#125',
    rules: [157, 158],
    edits: [
      [
        'new Uint8Array(packed.subarray(0, -TAIL.length))',
        'new Uint8Array(plain.length === 0 ? -TAIL.length : packed.subarray(0, -TAIL.length))',
      ],
    ],
  },
  {
    id: 'window-not-given',
    step: 3,
    story:
      'The window kept, and never given to zlib. Everything works, and compresses as if there were no message before.',
    source: 'paritytech/soketto#107',
    rules: [159],
    edits: [['    dictionary: window,\n', '']],
  },
  {
    id: 'largest-window-always',
    step: 3,
    story:
      'A compressor that looks back 32 KiB whatever was agreed. Most peers keep as much and notice nothing; one that kept its word said “invalid distance too far back”.',
    source: 'dotnet/runtime#50235',
    rules: [162],
    edits: [['    windowBits: Math.max(bits, 9),\n', '']],
  },
  {
    id: 'eight-bits-crash',
    step: 3,
    story:
      'The agreed 8 bits refused as zlib for Python and C refuses them: the connection breaks with the first message.',
    source: 'python-websockets/websockets#410',
    rules: [162],
    edits: [
      [
        '  const packed = deflateRawSync(plain, {',
        "  if (bits < 9) throw new RangeError('windowBits');\n  const packed = deflateRawSync(plain, {",
      ],
    ],
  },
  {
    id: 'packed-as-view',
    step: 3,
    story:
      'The result of zlib handed on as it is: seven bytes that hold 16 KiB, for as long as the message waits. With slow peers, compression fills the memory that it was to save.',
    source: 'RFC 7692 §7.2.1',
    rules: [],
    edits: [
      ['new Uint8Array(packed.subarray(0, -TAIL.length))', 'packed.subarray(0, -TAIL.length)'],
    ],
  },
  {
    id: 'packed-in-parts',
    step: 3,
    story:
      'A large message compressed in parts, with the four bytes cut from each of them and not from the last one alone. Short ones are right.',
    source: 'RFC 7692 §7.2.1',
    rules: [157],
    edits: [
      [
        '  const packed = deflateRawSync(plain, {',
        '  const parts = [plain.subarray(0, 65_536), plain.subarray(65_536)] as const;\n  if (parts[1].length > 0) {\n    const [start, end] = [deflateMessage(parts[0], window, bits), deflateMessage(parts[1])];\n    return new Uint8Array(Buffer.concat([start, end]));\n  }\n  const packed = deflateRawSync(plain, {',
      ],
    ],
  },
  {
    id: 'tail-not-put-back',
    step: 4,
    story:
      'A message unpacked as it came, without the four bytes and a sync flush: “unexpected end of file”. Its author took the four bytes for a mistake of the other side.',
    source: 'websockets/ws#2293',
    rules: [157],
    edits: [
      ['Buffer.concat([payload, TAIL])', 'payload'],
      ['      finishFlush: constants.Z_SYNC_FLUSH,\n      dictionary,\n', '      dictionary,\n'],
    ],
  },
  {
    id: 'tail-left-off',
    step: 4,
    story:
      'A message unpacked with a sync flush, but without the four bytes. Whatever is right comes out all the same. What breaks off is handed on as if it were whole.',
    source: 'RFC 7692 §7.2.2',
    rules: [157],
    edits: [['let rest: Uint8Array = Buffer.concat([payload, TAIL]);', 'let rest = payload;']],
  },
  {
    id: 'header-of-zlib-expected',
    step: 4,
    story:
      'zlib left to look for its own header, which a message does not have: none could be unpacked.',
    source: 'zwopple/PocketSocket#42',
    rules: [157],
    edits: [
      [
        'import { constants, deflateRawSync, inflateRawSync }',
        'import { constants, deflateRawSync, inflateSync as inflateRawSync }',
      ],
    ],
  },
  {
    id: 'bfinal-refused',
    step: 4,
    story:
      'A block with BFINAL taken for an error, because nobody sends one. The RFC has an example of it.',
    source: 'boostorg/beast#923',
    rules: [158],
    edits: [
      [
        '    rest = rest.subarray(read);\n',
        "    rest = rest.subarray(read);\n    if (rest.length > 0) throw new ProtocolError(CloseCode.InvalidPayload, 'RFC 7692 §7.2.1', 'BFINAL');\n",
      ],
    ],
  },
  {
    id: 'rest-after-bfinal-lost',
    step: 4,
    story:
      'Unpacked up to the first BFINAL: what follows in the same message is dropped, and nothing says so.',
    source: 'websockets/ws',
    rules: [158],
    edits: [['    rest = rest.subarray(read);\n', '    break;\n']],
  },
  {
    id: 'nothing-before-bfinal',
    step: 4,
    story:
      'A new stream after BFINAL without what came out before it, in the same message: it can refer back to that.',
    source: 'RFC 7692 §7.2.1',
    rules: [158],
    edits: [
      ['    dictionary = Buffer.concat([dictionary, plain]).subarray(-MAX_WINDOW_BYTES);\n', ''],
    ],
  },
  {
    id: 'nothing-is-an-error',
    step: 4,
    story:
      'A message of which nothing comes out taken for a bad one. `ws.send("")` in a browser broke the connection.',
    source: 'netty/netty#9429',
    rules: [158],
    edits: [
      [
        '    if (plain.length > room) throw tooBig',
        "    if (plain.length === 0) throw new Error('cannot read uncompressed buffer');\n    if (plain.length > room) throw tooBig",
      ],
    ],
  },
  {
    id: 'packed-bytes-limited',
    step: 4,
    story:
      'The limit compared with the compressed bytes alone: 22 of them became 4096 where 128 were allowed, and a megabyte of zeros has a thousand.',
    source: 'crossbario/autobahn-python#1909',
    rules: [164],
    edits: [
      ["    if (plain.length > room) throw tooBig('More than the limit comes out.');\n", ''],
      ['      maxOutputLength: Math.min(Math.max(room, 1), kMaxLength),\n', ''],
      [
        '  const pieces: Uint8Array[] = [];\n',
        "  const pieces: Uint8Array[] = [];\n  if (payload.length > maxBytes) throw tooBig('It is too long.');\n",
      ],
    ],
  },
  {
    id: 'packed-bytes-limited-too',
    step: 4,
    story:
      'The limit compared with the compressed bytes as well. What cannot be compressed gets longer by a few bytes, and a message of just the limit is refused.',
    source: 'websockets/ws',
    rules: [164],
    edits: [
      [
        '  const pieces: Uint8Array[] = [];\n',
        "  const pieces: Uint8Array[] = [];\n  if (payload.length > maxBytes) throw tooBig('It is too long.');\n",
      ],
    ],
  },
  {
    id: 'limit-when-unpacked',
    step: 4,
    story: 'The limit looked at when all has come out. It is refused, and the memory was taken.',
    source: 'zaphoyd/websocketpp#1191',
    rules: [164],
    edits: [['      maxOutputLength: Math.min(Math.max(room, 1), kMaxLength),\n', '']],
  },
  {
    id: 'no-limit-refused',
    step: 4,
    story:
      'A limit of Infinity passed on to zlib, which refuses it with an error of its own. The peer is told that its message is not DEFLATE.',
    source: 'RFC 6455 §10.4',
    rules: [164],
    edits: [['Math.min(Math.max(room, 1), kMaxLength)', 'Math.max(room, 1)']],
  },
  {
    id: 'cut-at-the-limit',
    step: 4,
    story:
      'One byte more than the limit cut off instead of refused: the application got a message that nobody had sent.',
    source: 'python-websockets/websockets#1715',
    rules: [164],
    edits: [
      [
        "    if (plain.length > room) throw tooBig('More than the limit comes out.');\n    return { plain, read: engine.bytesWritten };",
        '    return { plain: plain.subarray(0, room), read: engine.bytesWritten };',
      ],
      ['Math.max(room, 1)', 'room + 1'],
    ],
  },
  {
    id: 'limit-for-each-stream',
    step: 4,
    story:
      'The limit counted anew after each BFINAL. A hundred blocks, and a hundred times the limit comes out.',
    source: 'RFC 6455 §10.4',
    rules: [164],
    edits: [
      [
        'inflateStream(rest, maxBytes - size, dictionary)',
        'inflateStream(rest, maxBytes, dictionary)',
      ],
    ],
  },
  {
    id: 'limit-added-up-too-late',
    step: 4,
    story:
      'All that has come out compared with the limit in the end. Until then, each BFINAL gives a peer as much again.',
    source: 'RFC 6455 §10.4',
    rules: [164],
    edits: [
      [
        'inflateStream(rest, maxBytes - size, dictionary)',
        'inflateStream(rest, maxBytes, dictionary)',
      ],
      [
        '  const message = new Uint8Array(size);',
        "  if (size > maxBytes) throw tooBig('More than the limit has come out.');\n  const message = new Uint8Array(size);",
      ],
    ],
  },
  {
    id: 'limit-less-the-last-piece',
    step: 4,
    story:
      'The room that is left counted from the piece before, and not from all of them. With three pieces, it is too much.',
    source: 'RFC 6455 §10.4',
    rules: [164],
    edits: [
      [
        'inflateStream(rest, maxBytes - size, dictionary)',
        'inflateStream(rest, maxBytes - (pieces.at(-1)?.length ?? 0), dictionary)',
      ],
    ],
  },
  {
    id: 'blocks-of-any-kind-counted',
    step: 4,
    story:
      'Every flushed block counted as if it had BFINAL. A peer that flushes after each line of a log is cut off at the hundredth.',
    source: 'RFC 7692 §7.2.1',
    rules: [158],
    edits: [
      [
        '  let size = 0;\n  let rest: Uint8Array = Buffer.concat([payload, TAIL]);',
        "  let size = 0;\n  let rest: Uint8Array = Buffer.concat([payload, TAIL]);\n  const parts = Buffer.from(rest).toString('latin1').split('\\0\\0\\xff\\xff');\n  if (parts.length > MAX_FINAL_BLOCKS) throw tooBig('Too many blocks.');",
      ],
    ],
  },
  {
    id: 'done-at-the-limit',
    step: 4,
    story:
      'No more looked for when exactly the limit has come out with BFINAL. What follows is lost, and nobody is told.',
    source: 'python-websockets/websockets#1715',
    rules: [164],
    edits: [
      [
        '    if (rest.length === 0) break;',
        '    if (rest.length === 0 || size === maxBytes) break;',
      ],
    ],
  },
  {
    id: 'error-of-zlib',
    step: 4,
    story:
      'The error of zlib passed on as it is. Nobody above knew what to do with it, and one message took the server down.',
    source: 'websockets/ws#1848',
    rules: [164],
    edits: [
      [
        "    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooBig('More than the limit comes out.');\n",
        "    if (code === 'ERR_BUFFER_TOO_LARGE') throw error;\n",
      ],
    ],
  },
  {
    id: 'garbage-is-empty',
    step: 4,
    story: 'What cannot be unpacked handed on as an empty message, instead of closing with 1007.',
    source: 'RFC 7692 §7.2.2',
    rules: [157],
    edits: [
      [
        "    throw new ProtocolError(CloseCode.InvalidPayload, 'RFC 7692 §7.2.2', message);",
        '    return { plain: NO_BYTES, read: message.length + bytes.length };',
      ],
    ],
  },
  {
    id: 'any-number-of-bfinals',
    step: 4,
    story:
      'As many BFINALs as a peer likes, and a new zlib for each. 64 KiB of 03 00 keep the process busy for half a second, and 16 MiB for minutes.',
    source: 'RFC 6455 §10.4',
    rules: [164],
    edits: [['streams > MAX_FINAL_BLOCKS', 'streams > 2 ** 30']],
  },
  {
    id: 'everything-in-the-window',
    step: 4,
    story:
      'All that has come out kept as the window within a message. With 16 MiB of zeros before a hundred empty blocks with BFINAL, which are 16 KiB on the wire, it is copied a hundred times.',
    source: 'RFC 6455 §10.4',
    rules: [164],
    edits: [
      [
        'dictionary = Buffer.concat([dictionary, plain]).subarray(-MAX_WINDOW_BYTES);',
        'dictionary = Buffer.concat([dictionary, plain]);',
      ],
    ],
  },
  {
    id: 'unpacked-as-view',
    step: 4,
    story: 'What zlib returns handed on as it is: a message of five bytes that holds 16 KiB.',
    source: 'RFC 7692 §7.2.2',
    rules: [],
    edits: [
      [
        '  const message = new Uint8Array(size);',
        '  if (pieces.length === 1) return pieces[0]!;\n  const message = new Uint8Array(size);',
      ],
    ],
  },
  {
    id: 'slide-minus-zero',
    step: 5,
    story:
      '`subarray(-kept)` for the last bytes of the old window. When none is to be kept, that is `subarray(-0)`, which is all of it.',
    source: 'RFC 7692 §7.2.1',
    rules: [159],
    edits: [['kept === 0 ? NO_BYTES : window.subarray(-kept)', 'window.subarray(-kept)']],
  },
  {
    id: 'window-of-the-last-message',
    step: 5,
    story:
      'A window that is the last message alone. The peer refers back over several, and the third one fails.',
    source: 'RFC 7692 §7.2.2',
    rules: [159],
    edits: [
      [
        'this.#window = slide(this.#window, plain, this.#bits);\n    return plain;',
        'this.#window = slide(NO_BYTES, plain, this.#bits);\n    return plain;',
      ],
    ],
  },
  {
    id: 'window-as-zlib-looks-back',
    step: 5,
    story:
      'A window of 262 bytes less, since zlib never looks back further than that. Another compressor does.',
    source: 'RFC 7692 §7.2.1',
    rules: [159],
    edits: [
      ['  const size = 2 ** bits;\n  const kept', '  const size = 2 ** bits - 262;\n  const kept'],
    ],
  },
  {
    id: 'window-is-a-view',
    step: 5,
    story:
      'The end of a message kept as the window, as a view. All of the last message stays in memory while nothing else is sent: with a thousand connections, gigabytes.',
    source: 'jetty/jetty.project#13029',
    rules: [],
    edits: [
      [
        '  const slid = new Uint8Array(old.length + Math.min(plain.length, size));\n',
        '  if (plain.length >= size) return plain.subarray(-size);\n  const slid = new Uint8Array(old.length + Math.min(plain.length, size));\n',
      ],
    ],
  },
  {
    id: 'window-dropped',
    step: 5,
    story:
      'Each message unpacked by itself, though the peer was allowed to refer back. The first arrives, and the second kills the connection.',
    source: 'oven-sh/bun#33003',
    rules: [159],
    edits: [
      [
        '    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n    return plain;',
        '    return plain;',
      ],
    ],
  },
  {
    id: 'sent-as-it-is-in-the-window',
    step: 5,
    story:
      'A message that does not get shorter goes out as it is, but has entered the window of the compressor. The peer does not have it there, and from then on both disagree: the text is wrong, or the connection breaks.',
    source: 'sockudo/sockudo-ws#14',
    rules: [160],
    edits: [
      [
        '    if (packed.length >= limit) return undefined;\n    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n',
        '    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n    if (packed.length >= limit) return undefined;\n',
      ],
    ],
  },
  {
    id: 'large-one-not-in-the-window',
    step: 5,
    story:
      'The window left as it is after a message that is much larger, to save a copy. Of that, the peer refers to the end.',
    source: 'RFC 7692 §7.2.2',
    rules: [159],
    edits: [
      [
        '    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n    return plain;',
        '    const isSmall = plain.length < 65_536;\n    if (this.#takeover && isSmall) this.#window = slide(this.#window, plain, this.#bits);\n    return plain;',
      ],
    ],
  },
  {
    id: 'longer-one-not-in-the-window',
    step: 5,
    story:
      'A message that got a little longer sent compressed all the same, but left out of the window, as if it had been sent as it is. The peer has unpacked it, and counts on from there.',
    source: 'RFC 7692 §7.2.1',
    rules: [159],
    edits: [
      [
        '    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n    return packed;',
        '    const isShorter = packed.length < plain.length;\n    if (this.#takeover && isShorter) this.#window = slide(this.#window, plain, this.#bits);\n    return packed;',
      ],
    ],
  },
  {
    id: 'worth-it-without-the-window',
    step: 5,
    story:
      'Whether compressing is worth it tried out without the window. What was sent before, and is hard to compress, is sent again as it is.',
    source: 'RFC 7692 §7.2.1',
    rules: [],
    edits: [
      [
        '    const packed = deflateMessage(plain, this.#window, this.#bits);',
        '    const isWorthIt = deflateMessage(plain).length < plain.length + STORED_BYTES;\n    if (!isWorthIt) return undefined;\n    const packed = deflateMessage(plain, this.#window, this.#bits);',
      ],
    ],
  },
  {
    id: 'more-kept-than-was-promised',
    step: 5,
    story:
      'The largest window kept for every peer, whatever it has promised. That costs 32 KiB for each, and a peer that looks back too far is not noticed: it fails elsewhere.',
    source: 'RFC 7692 §7.2.2',
    rules: [],
    edits: [
      [
        '    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n    return plain;',
        '    if (this.#takeover) this.#window = slide(this.#window, plain, Math.max(this.#bits, 15));\n    return plain;',
      ],
    ],
  },
  {
    id: 'silent-after-bfinal',
    step: 5,
    story:
      'A decompressor used again after BFINAL. It is done, returns nothing, and reports no error: every message from there on arrives empty.',
    source: 'oven-sh/bun#34105',
    rules: [158, 159],
    edits: [
      [
        '  inflate(payload: Uint8Array, maxBytes = MAX_MESSAGE_BYTES): Uint8Array {\n',
        '  inflate(payload: Uint8Array, maxBytes = MAX_MESSAGE_BYTES): Uint8Array {\n    if (this.#isOver) return NO_BYTES;\n    this.#isOver = (payload[0]! & 1) === 1;\n',
      ],
      ['export class Inflater {\n', 'export class Inflater {\n  #isOver = false;\n'],
    ],
  },
  {
    id: 'takeover-without-leave',
    step: 5,
    story:
      'A server that agrees to forget its window, and uses it. The client has kept none, and cannot read the second message.',
    source: 'RFC 7692 §7.1.1.1',
    rules: [159, 176],
    edits: [
      [
        '    if (this.#takeover) this.#window = slide(this.#window, plain, this.#bits);\n    return packed;',
        '    this.#window = slide(this.#window, plain, this.#bits);\n    return packed;',
      ],
    ],
  },
  {
    id: 'agreed-bits-not-passed-on',
    step: 5,
    story:
      'A smaller window agreed on, and the compressor made without it. It refers back further than the peer has said it would remember.',
    source: 'RFC 7692 §7.2.1',
    rules: [162],
    edits: [
      ['deflateMessage(plain, this.#window, this.#bits)', 'deflateMessage(plain, this.#window)'],
    ],
  },
  {
    id: 'one-deflater-for-all',
    step: 5,
    story:
      'One compressor for all connections, so that a message to a thousand of them is compressed once. Each peer has heard something else before, and most cannot read it.',
    source: 'ninenines/cowboy#1659',
    rules: [159],
    edits: [
      [
        'export class Deflater {\n  readonly #bits: number;\n  readonly #takeover: boolean;\n  #window: Uint8Array = NO_BYTES;\n',
        'let ofAll: Uint8Array = NO_BYTES;\n\nexport class Deflater {\n  readonly #bits: number;\n  readonly #takeover: boolean;\n  get #window() {\n    return ofAll;\n  }\n  set #window(window: Uint8Array) {\n    ofAll = window;\n  }\n',
      ],
    ],
  },
  {
    id: 'caller-writes-in-the-window',
    step: 5,
    story:
      'The bytes of the caller kept, and no copy of them. They had changed when they were looked at again, and the peer could not unpack what came of that.',
    source: 'websockets/ws#594',
    rules: [159],
    edits: [
      [
        'this.#window = slide(this.#window, plain, this.#bits);\n    return packed;',
        'this.#window = this.#window.length === 0 && plain.length <= 2 ** this.#bits ? plain : slide(this.#window, plain, this.#bits);\n    return packed;',
      ],
    ],
  },
];

/** Steps 6 and 7: RSV1. */
const MARKING: readonly Trap[] = [
  {
    id: 'rsv1-on-continuation-taken',
    step: 6,
    story:
      'RSV1 on a continuation taken without a word. Whoever sends it has understood the bit in another way, and what it means by it is a guess.',
    source: 'python-websockets/websockets#1720',
    rules: [156],
    edits: [
      [
        '    checkHeader(header, this.#role);\n    const continues',
        '    checkHeader({ ...header, rsv: header.rsv & ~RSV1 }, this.#role);\n    const continues',
      ],
    ],
  },
  {
    id: 'rsv1-on-ping-taken',
    step: 6,
    story:
      'RSV1 allowed on every frame, once compression was agreed on. A Ping with it was answered, and marked the next message as compressed.',
    source: 'oven-sh/bun#33001',
    rules: [156],
    edits: [
      [
        'if (isControl(opcode)) this.#check(header);',
        'if (isControl(opcode)) this.#check({ ...header, rsv: rsv & ~RSV1 });',
      ],
    ],
  },
  {
    id: 'other-rsv-bits-taken',
    step: 6,
    story:
      'All three reserved bits taken for RSV1: a compressed message with RSV2, of which nobody knows the meaning, is read as if it had none.',
    source: 'RFC 7692 §6',
    rules: [156],
    edits: [
      ['const first = { ...header, rsv: rsv & ~RSV1 };', 'const first = { ...header, rsv: 0 };'],
    ],
  },
  {
    id: 'ping-ends-compression',
    step: 6,
    story:
      'One flag for “this frame is compressed”, which a Ping between two fragments clears. The rest of the message is given out as it came.',
    source: 'python-hyper/wsproto#205',
    rules: [155],
    edits: [
      [
        'if (this.#packed === undefined || isControl(frame.opcode)) return frame;',
        'if (isControl(frame.opcode)) this.#packed = undefined;\n      if (this.#packed === undefined) return frame;',
      ],
    ],
  },
  {
    id: 'ping-joins-the-message',
    step: 6,
    story:
      'A Ping between the fragments of a compressed message joined with them. With a payload it breaks the DEFLATE, and it is never answered.',
    source: 'warmcat/libwebsockets#1470',
    rules: [155],
    edits: [
      [
        'if (this.#packed === undefined || isControl(frame.opcode)) return frame;',
        'if (this.#packed === undefined) return frame;',
      ],
    ],
  },
  {
    id: 'everything-inflated',
    step: 6,
    story:
      'With compression agreed on, every message inflated. One that the peer has sent as it is, because it was short, ends the connection.',
    source: 'TooTallNate/Java-WebSocket#1093',
    rules: [160],
    edits: [['else if (begins && (rsv & RSV1) !== 0) {', 'else if (begins) {']],
  },
  {
    id: 'continuation-is-plain',
    step: 6,
    story:
      'Each frame asked for its own RSV1. Continuations have none, so they are handed out as they came, still compressed.',
    source: 'tornadoweb/tornado#1497',
    rules: [155],
    edits: [
      [
        'if (this.#packed === undefined || isControl(frame.opcode)) return frame;',
        'if (this.#packed === undefined || isControl(frame.opcode)) return frame;\n      if (frame.opcode === Opcode.Continuation) return frame;',
      ],
    ],
  },
  {
    id: 'utf8-before-inflating',
    step: 6,
    story:
      'The text decoded as its bytes arrive, while they are still compressed. Where they are not UTF-8 by chance, the connection ends with 1007.',
    source: 'zaproxy/zaproxy#3324',
    rules: [],
    edits: [
      [
        'return this.#packed ? NO_BYTES : this.#frames.peek(from);',
        'return this.#frames.peek(from);',
      ],
    ],
  },
  {
    id: 'peek-always-empty',
    step: 6,
    story:
      'Nothing shown of what is arriving, compressed or not. A text that cannot become one any more is read to its end, however long that is.',
    source: 'RFC 6455 §8.1',
    rules: [160],
    edits: [
      [
        'return this.#packed ? NO_BYTES : this.#frames.peek(from);',
        'return this.#packed ? NO_BYTES : this.#frames.peek(from).subarray(0, 0);',
      ],
    ],
  },
  {
    id: 'limit-on-the-wire-only',
    step: 6,
    story:
      'The limit asked of the bytes on the wire only. A few kilobytes of zeros, compressed, take a gigabyte when they are read.',
    source: 'CVE-2026-1526',
    rules: [164],
    edits: [
      ['this.#inflater.inflate(packed, this.#maxMessageBytes);', 'this.#inflater.inflate(packed);'],
    ],
  },
  {
    id: 'fragments-not-added-up',
    step: 6,
    story:
      'The limit asked of each fragment by itself. A thousand of them, each within it, are kept until the last one comes, and it need not come.',
    source: 'centrifugal/centrifugo#1162',
    rules: [],
    edits: [
      ['message.announced += header.payloadLength;', 'message.announced = header.payloadLength;'],
    ],
  },
  {
    id: 'message-inside-a-compressed-one',
    step: 6,
    story:
      'The order of frames left to whoever checks the headers. To them, the compressed message is one frame, and a new one inside it goes unseen.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        'if (this.#isPlainOpen || continues !== (this.#packed !== undefined)) {',
        'if (this.#isPlainOpen) {',
      ],
    ],
  },
  {
    id: 'compressed-inside-a-plain-one',
    step: 6,
    story:
      'The order of frames asked of compressed messages alone. One that begins inside a message that is not compressed comes out before it.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        'if (this.#isPlainOpen || continues !== (this.#packed !== undefined)) {',
        'if (continues !== (this.#packed !== undefined)) {',
      ],
      ['      this.#isPlainOpen = !fin;', '      this.#isPlainOpen = !fin && this.#isPlainOpen;'],
    ],
  },
  {
    id: 'open-from-its-first-byte',
    step: 6,
    story:
      'A message without RSV1 taken as open when its first byte is there. Its first frame can be empty, and then a compressed one gets into it.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        'this.#isPlainOpen = !fin;',
        'this.#isPlainOpen = !fin && (this.#isPlainOpen || header.payloadLength > 0);',
      ],
    ],
  },
  {
    id: 'ping-counted-with-the-message',
    step: 6,
    story:
      'What a control frame announces added to the message around it. A peer that pings often during a long upload is told that it is too long.',
    source: 'RFC 6455 §5.5',
    rules: [],
    edits: [
      [
        '    if (isControl(opcode)) this.#check(header);\n',
        '    if (this.#packed && isControl(opcode)) this.#packed.announced += header.payloadLength;\n    if (isControl(opcode)) this.#check(header);\n',
      ],
    ],
  },
  {
    id: 'memory-for-a-promise',
    step: 6,
    story:
      'Memory taken at the header, for all that it announces, so that nothing has to be copied later. Ten bytes from a stranger, and 16 MiB are gone.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '    this.header = header;\n  }',
        '    this.header = header;\n    this.#memory = new Uint8Array(Math.min(header.payloadLength, MAX_MESSAGE_BYTES));\n  }',
      ],
    ],
  },
  {
    id: 'only-first-fragments-masked',
    step: 6,
    story:
      'The header of a continuation not checked, since the message has been found legal at its first frame. A client that stops masking is not noticed.',
    source: 'RFC 6455 §5.1',
    rules: [156],
    edits: [
      [
        '    checkHeader(header, this.#role);\n    const continues',
        '    if (!this.#packed) checkHeader(header, this.#role);\n    const continues',
      ],
    ],
  },
  {
    id: 'fragments-kept-in-a-list',
    step: 6,
    story:
      'Each fragment kept as an object until the message ends. Empty ones cost the peer two bytes, and the server a hundred.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '  #arrived = 0;\n\n  constructor(header',
        '  #arrived = 0;\n  readonly #list: Uint8Array[] = [];\n\n  constructor(header',
      ],
      [
        '    const arrived = this.#arrived + payload.length;',
        '    this.#list.push(payload);\n    const arrived = this.#arrived + payload.length;',
      ],
    ],
  },
  {
    id: 'joined-with-each-fragment',
    step: 6,
    story:
      'All fragments so far joined again with each new one. Small fragments without number keep the server busy for minutes.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['Math.max(arrived, 2 * this.#memory.length)', 'arrived']],
  },
  {
    id: 'rsv1-on-every-fragment',
    step: 7,
    story:
      'RSV1 set on every frame of a compressed message. Peers end the connection at the second one, which only long messages have.',
    source: 'websockets/ws#2292',
    rules: [155],
    edits: [
      [
        'return [{ ...first!, rsv1: true }, ...others];',
        'return [first!, ...others].map((frame) => ({ ...frame, rsv1: true }));',
      ],
    ],
  },
  {
    id: 'rsv1-forgotten',
    step: 7,
    story: 'The message compressed, and not marked. The peer hands its bytes out as they are.',
    source: 'RFC 7692 §6.1',
    rules: [155],
    edits: [['return [{ ...first!, rsv1: true }, ...others];', 'return [first!, ...others];']],
  },
  {
    id: 'rsv1-on-what-is-plain',
    step: 7,
    story:
      'RSV1 set whenever compression is on, also on a message that was left as it is. The peer inflates what is not DEFLATE.',
    source: 'RFC 7692 §6.1',
    rules: [155],
    edits: [
      [
        'if (packed === undefined) return plain;',
        'if (packed === undefined) return plain.map((frame, i) => ({ ...frame, rsv1: i === 0 }));',
      ],
    ],
  },
  {
    id: 'each-fragment-compressed',
    step: 7,
    story:
      'The message cut first, and each fragment compressed by itself. Together they are blocks with pieces missing in between.',
    source: 'RFC 7692 §6.1',
    rules: [155],
    edits: [
      [
        '  const [first, ...others] = fragment(opcode, packed, maxPayload);',
        '  const [first, ...others] =\n    plain.length > 1\n      ? plain.map((frame) => ({ ...frame, payload: deflateMessage(frame.payload) }))\n      : fragment(opcode, packed, maxPayload);',
      ],
    ],
  },
  {
    id: 'empty-message-with-rsv1',
    step: 7,
    story:
      'An empty message sent as no bytes with RSV1. There is not even a block in them, and receivers call it an error.',
    source: 'machinezone/IXWebSocket#167',
    rules: [155],
    edits: [
      [
        'const packed = compress ? deflater.deflate(data) : undefined;',
        'const packed = compress && data.length > 0 ? deflater.deflate(data) : data.length > 0 ? undefined : data;',
      ],
    ],
  },
  {
    id: 'compressed-and-not-sent',
    step: 7,
    story:
      'A message that was asked not to be compressed, compressed all the same, and only sent as it is. Our window has it, the peer’s has not, and the next message comes out as garbage.',
    source: 'sockudo/sockudo-ws#14',
    rules: [160],
    edits: [
      [
        'const packed = compress ? deflater.deflate(data) : undefined;',
        'const deflated = deflater.deflate(data);\n  const packed = compress ? deflated : undefined;',
      ],
    ],
  },
  {
    id: 'longer-sent-as-it-is',
    step: 7,
    story:
      'A message that got a little longer sent as it is after all, and nobody told the compressor. What comes after it refers to bytes that the peer has not unpacked.',
    source: 'sockudo/sockudo-ws#14',
    rules: [159],
    edits: [
      [
        '  if (packed === undefined) return plain;',
        '  if (packed === undefined || packed.length >= data.length) return plain;',
      ],
    ],
  },
  {
    id: 'compressed-and-refused',
    step: 7,
    story:
      'The message compressed before it was asked whether it can be sent. It is refused, and stays in our window alone.',
    source: 'RFC 7692 §7.2.1',
    rules: [],
    edits: [
      [
        '  const plain = fragment(opcode, data, maxPayload);\n  const packed = compress ? deflater.deflate(data) : undefined;',
        '  const packed = compress ? deflater.deflate(data) : undefined;\n  const plain = fragment(opcode, data, maxPayload);',
      ],
    ],
  },
  {
    id: 'sides-swapped',
    step: 7,
    story:
      'The two sides taken for each other: a server that has agreed to forget its window keeps it, and forgets the client’s instead.',
    source: 'netty/netty#8395',
    rules: [159, 162, 176],
    edits: [
      [
        "this.#deflater = new Deflater(...(role === 'server' ? server : client));",
        "this.#deflater = new Deflater(...(role === 'server' ? client : server));",
      ],
      [
        "this.#inflater = new Inflater(...(role === 'server' ? client : server));",
        "this.#inflater = new Inflater(...(role === 'server' ? server : client));",
      ],
    ],
  },
  {
    id: 'one-window-for-both-ways',
    step: 7,
    story:
      'The parameters of the server used for both ways. As long as nothing is limited, or the same on both sides, nobody notices.',
    source: 'RFC 7692 §7.1.1',
    rules: [159],
    edits: [
      [
        "this.#inflater = new Inflater(...(role === 'server' ? client : server));",
        'this.#inflater = new Inflater(...server);',
      ],
    ],
  },
  {
    id: 'window-bits-not-kept',
    step: 7,
    story:
      'The smaller window agreed on, and not told to the compressor. It refers further back than the peer remembers.',
    source: 'python-websockets/websockets#945',
    rules: [162],
    edits: [
      [
        "this.#deflater = new Deflater(...(role === 'server' ? server : client));",
        "this.#deflater = new Deflater(15, (role === 'server' ? server : client)[1]);",
      ],
    ],
  },
  {
    id: 'one-compressor-for-all',
    step: 7,
    story:
      'One compressor for all connections. Each message refers back to what was sent to somebody else.',
    source: 'ninenines/cowboy#1659',
    rules: [159],
    edits: [
      [
        '/** RSV1 among the three reserved',
        'const compressor = new Deflater();\n\n/** RSV1 among the three reserved',
      ],
      [
        "this.#deflater = new Deflater(...(role === 'server' ? server : client));",
        "this.#deflater = server[1] && client[1] && server[0] + client[0] === 30 ? compressor : new Deflater(...(role === 'server' ? server : client));",
      ],
    ],
  },
  {
    id: 'reader-without-its-limit',
    step: 7,
    story:
      'The limit told to the reader of messages, and not to the one below it, which inflates with a limit of its own.',
    source: 'crossbario/autobahn-python#1909',
    rules: [164],
    edits: [
      [
        'new InflatingReader(this.#role, check, this.#inflater, maxMessageBytes)',
        'new InflatingReader(this.#role, check, this.#inflater)',
      ],
    ],
  },
  {
    id: 'reader-with-another-window',
    step: 7,
    story:
      'An Inflater made anew for the reader, with the largest window, and not the one of the connection. It works with every peer, and keeps what was to be forgotten.',
    source: 'RFC 7692 §7.2.2',
    rules: [],
    edits: [
      [
        'new InflatingReader(this.#role, check, this.#inflater, maxMessageBytes)',
        'new InflatingReader(this.#role, check, new Inflater(), maxMessageBytes)',
      ],
    ],
  },
  {
    id: 'as-it-is-from-now-on',
    step: 7,
    story:
      'The options of one message kept for those that come without. After the first picture, nothing is compressed any more.',
    source: 'RFC 7692 §6.1',
    rules: [],
    edits: [
      [
        '  readonly #inflater: Inflater;\n\n  /** Makes it from',
        '  readonly #inflater: Inflater;\n  #options: SendOptions = {};\n\n  /** Makes it from',
      ],
      [
        '    return deflatedFrames(this.#deflater, opcode, data, maxPayload, options);',
        '    this.#options = options ?? this.#options;\n    return deflatedFrames(this.#deflater, opcode, data, maxPayload, this.#options);',
      ],
    ],
  },
  {
    id: 'reader-of-one-role',
    step: 7,
    story: 'The reader made for a server, on both sides. A client refuses what its server sends.',
    source: 'RFC 6455 §5.1',
    rules: [155],
    edits: [
      ['new MessageReader(\n      this.#role,', "new MessageReader(\n      'server',"],
      ['new InflatingReader(this.#role, check', "new InflatingReader('server', check"],
    ],
  },
  {
    id: 'secret-compressed-after-all',
    step: 7,
    story:
      'The options of `send` not handed on. The one message that must not be compressed with others is, and its length tells what is in it.',
    source: 'dotnet/runtime#49304',
    rules: [160],
    edits: [
      [
        'return deflatedFrames(this.#deflater, opcode, data, maxPayload, options);',
        'return deflatedFrames(this.#deflater, opcode, data, maxPayload);',
      ],
    ],
  },
];

/** Steps 8 and 10: in the server, and when not. */
const SERVING: readonly Trap[] = [
  {
    id: 'first-line-of-offers',
    step: 8,
    story:
      'Only the first Sec-WebSocket-Extensions read. A proxy that adds a line of its own, or splits one, takes compression away.',
    source: 'RFC 6455 §9.1',
    rules: [51, 107],
    edits: [
      [
        'const offers = parseExtensions(lines.join());',
        'const offers = parseExtensions(lines[0]!);',
      ],
    ],
  },
  {
    id: 'lines-joined-without-comma',
    step: 8,
    story: 'Several lines joined with nothing between them: two offers become one that is neither.',
    source: 'RFC 6455 §9.1',
    rules: [107],
    edits: [
      [
        'const offers = parseExtensions(lines.join());',
        "const offers = parseExtensions(lines.join(''));",
      ],
    ],
  },
  {
    id: 'each-line-by-itself',
    step: 8,
    story:
      'Each line read by itself, and an empty one refused. The lines are one list, in which an element can be empty, and a good request gets a 400.',
    source: 'RFC 6455 §9.1',
    rules: [107, 141],
    edits: [
      [
        'parseExtensions(lines.join());\n  if (offers === undefined)',
        'lines.flatMap((line) => parseExtensions(line) ?? [undefined]);\n  if (!offers.every((offer) => offer !== undefined))',
      ],
    ],
  },
  {
    id: 'header-in-lower-case',
    step: 8,
    story:
      'The header read in lower case, as one does with others. The name of an extension is compared as it is, and nobody has offered this one.',
    source: 'RFC 6455 §9.1',
    rules: [51, 107],
    edits: [
      [
        'parseExtensions(lines.join());\n  if (offers',
        'parseExtensions(lines.join().toLowerCase());\n  if (offers',
      ],
    ],
  },
  {
    id: 'offer-declined-with-400',
    step: 8,
    story:
      'An offer that cannot be kept refused like a broken handshake. The client could have done without compression, and has no connection at all.',
    source: 'apache/tomcat#1019',
    rules: [161],
    edits: [
      [
        '  if (agreement === undefined) return opening;\n',
        "  if (agreement === undefined) throw new HandshakeError(400, '9.1', 'A bad offer.');\n",
      ],
    ],
  },
  {
    id: 'broken-grammar-passed-over',
    step: 8,
    story: 'A header that is no list of extensions taken for one without an offer.',
    source: 'RFC 6455 §9.1',
    rules: [141],
    edits: [
      [
        "    throw new HandshakeError(400, '9.1', 'Sec-WebSocket-Extensions is not a list of extensions.');\n",
        '    return opening;\n',
      ],
    ],
  },
  {
    id: 'line-behind-the-head',
    step: 8,
    story:
      'The line written behind the empty one. For the client that is where frames begin, and the first of them is an `S`.',
    source: 'RFC 6455 §4.2.2',
    rules: [107],
    edits: [['opening.answer.subarray(0, -2)', 'opening.answer']],
  },
  {
    id: 'agreed-as-the-client',
    step: 8,
    story:
      'The parameters of the other side taken: a server that compresses as its client has promised to.',
    source: 'netty/netty#8395',
    rules: [107, 159],
    edits: [
      ["new PerMessageDeflate('server', agreement", "new PerMessageDeflate('client', agreement"],
    ],
  },
  {
    id: 'one-window-for-all',
    step: 8,
    story:
      'One extension for all connections, so that a broadcast is compressed only once. Each client has another window, and cannot read what refers to that of somebody else.',
    source: 'ninenines/cowboy#1659',
    rules: [159],
    edits: [
      [
        "extension: new PerMessageDeflate('server', agreement.params) };",
        "extension: (shared ??= new PerMessageDeflate('server', agreement.params)) };",
      ],
      ['const TOKEN = ', 'let shared: PerMessageDeflate | undefined;\nconst TOKEN = '],
    ],
  },
  {
    id: 'agreed-and-not-used',
    step: 8,
    story:
      'The header answered, and the frames read as ever: the first message with RSV1 ends the connection. Proxies do it that pass the header on.',
    source: 'eclipse-vertx/vertx-http-proxy#41',
    rules: [107, 155],
    edits: [
      [
        "return { ...opening, answer, extension: new PerMessageDeflate('server', agreement.params) };",
        'return { ...opening, answer };',
      ],
    ],
  },
  {
    id: 'used-and-not-agreed',
    step: 8,
    story:
      'Compressed without a line in the response. The client knows nothing of RSV1, and fails the connection.',
    source: 'gorilla/websocket#731',
    rules: [107],
    edits: [['return { ...opening, answer, extension', 'return { ...opening, extension']],
  },
  {
    id: 'compresses-unasked',
    step: 8,
    story: 'Compression for whoever connects, on offer or not.',
    source: 'wandenberg/nginx-push-stream-module#295',
    rules: [51, 107],
    edits: [
      [
        "  const lines = headers.get('sec-websocket-extensions');\n  if (lines === undefined) return opening;\n  const offers",
        "  const lines = headers.get('sec-websocket-extensions') ?? [DEFLATE];\n  const offers",
      ],
    ],
  },
  {
    id: 'name-in-capitals',
    step: 8,
    story: 'The header looked for as it is written on the wire. Its name is in lower case here.',
    source: 'RFC 6455 §4.2.1',
    rules: [107],
    edits: [
      [
        "  const lines = headers.get('sec-websocket-extensions');\n  if (lines === undefined) return opening;\n  const offers",
        "  const lines = headers.get('Sec-WebSocket-Extensions');\n  if (lines === undefined) return opening;\n  const offers",
      ],
    ],
  },
  {
    id: 'other-lines-lost',
    step: 8,
    story:
      'The response made anew for the extension, without the subprotocol that it had. The client fails the connection, or talks as nobody has agreed.',
    source: 'RFC 6455 §4.2.2',
    rules: [107],
    edits: [
      [
        '    opening.answer.subarray(0, -2),\n',
        '    acceptResponse(opening.upgrade.key).subarray(0, -2),\n',
      ],
      ['import type { RequestHead } from', 'import { acceptResponse, type RequestHead } from'],
    ],
  },
  {
    id: 'policy-of-nobody',
    step: 8,
    story: 'The policy taken by the server, and not handed on: windows stay at 32 KiB each.',
    source: 'RFC 7692 §7.1',
    rules: [107],
    edits: [
      [
        'agreeOnDeflate(options.extend?.(opening, request) ?? opening, request, policy),',
        'agreeOnDeflate(options.extend?.(opening, request) ?? opening, request),',
      ],
    ],
  },
  {
    id: 'extend-of-the-application-lost',
    step: 8,
    story:
      'An `extend` of the application replaced by that of the compression. What the application does there is never done, and nobody is told.',
    source: 'RFC 6455 §9.1',
    rules: [],
    edits: [
      [
        'agreeOnDeflate(options.extend?.(opening, request) ?? opening, request, policy),',
        'agreeOnDeflate(opening, request, policy),',
      ],
    ],
  },
  {
    id: 'limits-left-behind',
    step: 8,
    story:
      'The options replaced by the extension. 16 MiB come out where 1,000 bytes were the limit, and any site may connect.',
    source: 'RFC 6455 §10.4',
    rules: [164],
    edits: [
      [
        '  return new WebSocketServer(handle, {\n    ...options,\n',
        '  return new WebSocketServer(handle, {\n',
      ],
    ],
  },
  {
    id: 'first-of-the-shortest',
    step: 10,
    story:
      'Of guesses that are equally short, the first one taken. Compressed bytes come in whole numbers, so that a wrong guess is often as short.',
    source: 'RFC 7692 §8',
    rules: [178],
    edits: [
      [
        'guesses = longer.filter((_, at) => lengths[at] === least);',
        'guesses = [longer[lengths.indexOf(least)]!];',
      ],
      [
        '    if (guesses.length === longer.length) return undefined;\n',
        '    if (Math.max(...lengths) === least) return undefined;\n',
      ],
    ],
  },
  {
    id: 'something-is-always-shortest',
    step: 10,
    story:
      'The first guess returned when all are equally long: a secret that is none. Whoever tests a cure with that finds it useless.',
    source: 'RFC 7692 §8',
    rules: [178],
    edits: [
      [
        '    if (guesses.length === longer.length) return undefined;\n',
        '    if (guesses.length === longer.length) guesses = [longer[0]!];\n',
      ],
    ],
  },
  {
    id: 'longer-than-before',
    step: 10,
    story:
      'Given up when the shortest message is longer than the one before. Each character is a few bits more, and now and then that takes another byte.',
    source: 'RFC 7692 §8',
    rules: [178],
    edits: [
      ['let guesses = [known];', 'let guesses = [known];\n  let before = lengthOf(known);'],
      [
        'const least = Math.min(...lengths);',
        'const least = Math.min(...lengths);\n    if (least > before) return undefined;\n    before = least;',
      ],
    ],
  },
  {
    id: 'as-many-as-the-alphabet',
    step: 10,
    story:
      'Given up when as many guesses are left as the alphabet has characters. They need not be all: there were more when two went on from the character before.',
    source: 'RFC 7692 §8',
    rules: [178],
    edits: [['if (guesses.length === longer.length)', 'if (guesses.length === alphabet.length)']],
  },
  {
    id: 'every-combination',
    step: 10,
    story:
      'All combinations tried, as if it were a password. Six digits of 16 are 16 million messages. One after the other, they are 96.',
    source: 'RFC 7692 §8',
    rules: [178],
    edits: [
      [
        '    guesses = longer.filter((_, at) => lengths[at] === least);\n    if (guesses.length === longer.length) return undefined;\n',
        '    guesses = i < count - 1 ? longer : longer.filter((_, at) => lengths[at] === least);\n',
      ],
    ],
  },
  {
    id: 'never-gives-up',
    step: 10,
    story:
      'Guesses that are all equally long all go on. With each character, there are 16 times as many.',
    source: 'RFC 7692 §8',
    rules: [178],
    edits: [['    if (guesses.length === longer.length) return undefined;\n', '']],
  },
  {
    id: 'known-part-left-out',
    step: 10,
    story:
      'Characters asked for by themselves, without what goes before them. A reference has three bytes at least.',
    source: 'RFC 7692 §8',
    rules: [178],
    edits: [
      [
        'const lengths = longer.map(lengthOf);',
        'const lengths = longer.map((it) => lengthOf(it.slice(known.length)));',
      ],
    ],
  },
];

export const TRAPS: readonly Trap[] = [...AGREEING, ...PACKING, ...MARKING, ...SERVING];
