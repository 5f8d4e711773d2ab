import type { Trap } from './trap.ts';

/** Steps 1, 2 and 9: what is agreed on. */
const AGREEING: readonly Trap[] = [];

/** Steps 3 to 5: messages and their window. */
const PACKING: readonly Trap[] = [];

/** Steps 6 and 7: RSV1. */
const MARKING: readonly Trap[] = [];

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
        'extend: (opening, request) => agreeOnDeflate(opening, request, policy),',
        'extend: (opening, request) => agreeOnDeflate(opening, request),',
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
