/**
 * Real mistakes, each as a small edit of a solution. Every one has to be caught by the spec of
 * its lesson, at the step that teaches what it gets wrong. The pages in `test/traps/` show them
 * all, with what a learner is told.
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
  /** What the mistake is, and what it did to whom. */
  readonly story: string;
  /**
   * Where it was made: an issue such as `swoole/swoole-src#195`, a repository, or one of
   * `DOCUMENTS`. A section such as `RFC 6455 §5.3`: where one reads how it would have been right.
   */
  readonly source: string;
  /** The rules that it breaks, by their numbers in `test/requirements.ts`. Its step checks them. */
  readonly rules: readonly number[];
  readonly edits: readonly Edit[];
}

/** Sources that are no repository: what they are called, and where they are. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  'MDN: Writing WebSocket servers':
    'https://developer.mozilla.org/en-US/docs/Web/API/WebSockets_API/Writing_WebSocket_servers',
  'MDN: Writing a WebSocket server in C#':
    'https://developer.mozilla.org/en-US/docs/Web/API/WebSockets_API/Writing_WebSocket_server',
  'MDN: Writing a WebSocket server in Java':
    'https://developer.mozilla.org/en-US/docs/Web/API/WebSockets_API/Writing_a_WebSocket_server_in_Java',
  'javascript.info: WebSocket': 'https://javascript.info/websocket',
  'cookie.engineer: Implementers Guide to WebSockets':
    'https://cookie.engineer/weblog/articles/implementers-guide-to-websockets.html',
  'OneUptime: WebSocket server from scratch':
    'https://oneuptime.com/blog/post/2026-02-02-websocket-server-scratch',
  'syscraft906: Node.js and WebSockets':
    'https://syscraft906.github.io/blog-nodejs-08-websockets.html',
};

export const TRAPS: readonly Trap[] = [
  {
    id: 'guid-typo',
    lesson: '01',
    step: 1,
    story:
      'The last digit of the GUID lost when it was copied. No browser connects, and nothing says why.',
    source: 'michaldziuba03/websockets',
    rules: [57],
    edits: [['key + GUID', "key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B1'"]],
  },
  {
    id: 'guid-made-up',
    lesson: '01',
    step: 1,
    story: 'A GUID that begins right and ends wrong: made up by somebody, and copied by others.',
    source: 'RFC 6455 §1.3',
    rules: [57],
    edits: [['key + GUID', "key + '258EAFA5-E914-47DA-95CA-5AB9A085B11E'"]],
  },
  {
    id: 'key-decoded',
    lesson: '01',
    step: 1,
    story: 'The key decoded from base64 before it is hashed, because it looks as if it had to be.',
    source: 'RFC 6455 §1.3',
    rules: [57],
    edits: [['.update(key + GUID)', ".update(Buffer.from(key, 'base64'))\n    .update(GUID)"]],
  },
  {
    id: 'accept-hex',
    lesson: '01',
    step: 1,
    story:
      'Base64 of the hex digest, because `sha1()` of PHP returns hex. The value is twice as long as it should be.',
    source: 'swoole/swoole-src#195',
    rules: [57],
    edits: [
      ['return createHash', 'return Buffer.from(createHash'],
      [".digest('base64')", ".digest('hex'))\n    .toString('base64')"],
    ],
  },
  {
    id: 'accept-without-hash',
    lesson: '01',
    step: 1,
    story: 'Key and GUID turned to base64, and never hashed.',
    source: 'Stack Overflow 50296974',
    rules: [57],
    edits: [
      [
        "return createHash('sha1')\n    .update(key + GUID)\n    .digest('base64');",
        "return Buffer.from(key + GUID).toString('base64');",
      ],
    ],
  },
  {
    id: 'accept-with-line-end',
    lesson: '01',
    step: 1,
    story:
      'A base64 helper that ends what it returns with a line feed. It slips into the head of the answer.',
    source: 'pusher/websockets-from-scratch-tutorial',
    rules: [57],
    edits: [[".digest('base64');", ".digest('base64')\n    .concat('\\n');"]],
  },
  {
    id: 'case-sensitive-names',
    lesson: '01',
    step: 2,
    story:
      'Header names kept as they were written. It works until a proxy turns them to lower case.',
    source: 'Theldus/wsServer#98',
    rules: [34],
    edits: [['[name.toLowerCase(), value]', '[name, value]']],
  },
  {
    id: 'every-colon',
    lesson: '01',
    step: 2,
    story:
      'A header line split at every colon. `Host: localhost:8080` loses its port, and an Origin all but its scheme.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['trim(line.slice(colon + 1))', "trim(line.split(':')[1] ?? '')"]],
  },
  {
    id: 'spaces-only',
    lesson: '01',
    step: 2,
    story: 'Only spaces trimmed from a value, and no tabs. A key with a tab is hashed with it.',
    source: 'MDN: Writing a WebSocket server in Java',
    rules: [],
    edits: [['/^[ \\t]+|[ \\t]+$/g', '/^ +| +$/g']],
  },
  {
    id: 'last-line-wins',
    lesson: '01',
    step: 2,
    story:
      'A header that comes twice overwrites itself. Nobody can see any more that there were two keys.',
    source: 'RFC 6455 §11.3.1',
    rules: [],
    edits: [['if (values) values.push(value);\n    else ', '']],
  },
  {
    id: 'unknown-header-refused',
    lesson: '01',
    step: 2,
    story: 'Only the headers of the standard are let in. Every browser and proxy sends more.',
    source: 'RFC 6455 §4.2.1',
    rules: [43],
    edits: [
      [
        'if (!TOKEN.test(name)) {',
        'if (!/^(host|upgrade|connection|origin|sec-websocket-.*)$/i.test(name)) {',
      ],
    ],
  },
  {
    id: 'names-trimmed',
    lesson: '01',
    step: 2,
    story:
      'White space around a name is forgiven. A line that is indented, or `Host :`, then means one thing here and another at the proxy.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['line.slice(0, Math.max(colon, 0));', 'line.slice(0, Math.max(colon, 0)).trim();']],
  },
  {
    id: 'version-left-out',
    lesson: '01',
    step: 2,
    story: 'A request line without its version accepted, as a tutorial shows it.',
    source: 'javascript.info: WebSocket',
    rules: [35],
    edits: [['if (!/^HTTP', 'if (version && !/^HTTP']],
  },
  {
    id: 'one-read-one-head',
    lesson: '01',
    step: 2,
    story:
      'One read is taken for the whole request. When TCP cuts it inside the key, half a key is hashed, and the handshake fails now and then.',
    source: 'Pithikos/python-websocket-server#26',
    rules: [],
    edits: [
      [
        'if (bytes.length < maxHeadBytes) return undefined;',
        "if (bytes.length < maxHeadBytes) return parseRequest(Buffer.concat([bytes, Buffer.from('\\r\\n\\r\\n')]));",
      ],
    ],
  },
  {
    id: 'small-buffer',
    lesson: '01',
    step: 2,
    story:
      'The head is read into 2048 bytes, and what is longer is cut off. It works until somebody has a long cookie.',
    source: 'hoaproject/Websocket#72',
    rules: [],
    edits: [['.subarray(0, maxHeadBytes)', '.subarray(0, 2048)']],
  },
  {
    id: 'whole-buffer',
    lesson: '01',
    step: 2,
    story:
      'The memory around the bytes is read with them: how many there are was returned, and ignored.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [
      [
        'Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)',
        'Buffer.from(bytes.buffer)',
      ],
    ],
  },
  {
    id: 'last-four-bytes',
    lesson: '01',
    step: 2,
    story:
      'The end of the head is looked for in the last four bytes only. When a frame comes right behind it, it is never found.',
    source: 'AlexanderEllis/websocket-from-scratch',
    rules: [],
    edits: [
      ["text.indexOf('\\r\\n\\r\\n');", "text.endsWith('\\r\\n\\r\\n') ? text.length - 4 : -1;"],
    ],
  },
  {
    id: 'head-and-all',
    lesson: '01',
    step: 2,
    story:
      'The bytes after the blank line are counted to the head, and thrown away with it. The first message is lost, but only when it comes early.',
    source: 'oven-sh/bun#43149',
    rules: [],
    edits: [['length: end + 4', 'length: bytes.length']],
  },
  {
    id: 'no-head-limit',
    lesson: '01',
    step: 2,
    story: 'No limit to the size of a head. Whoever sends one without end gets all the memory.',
    source: 'ghedipunk/PHP-Websockets#46',
    rules: [],
    edits: [['if (bytes.length < maxHeadBytes) return undefined;', 'return undefined;']],
  },
  {
    id: 'names-as-browsers-write',
    lesson: '01',
    step: 3,
    story:
      'The key looked up in the spelling of browsers. Behind a router that writes `Sec-Websocket-Key`, nobody connects.',
    source: 'lihaoyi/SprayWebSockets#6',
    rules: [34],
    edits: [["values(request, 'sec-websocket-key')", "values(request, 'Sec-WebSocket-Key')"]],
  },
  {
    id: 'any-method',
    lesson: '01',
    step: 3,
    story: 'The method never looked at: a POST becomes a WebSocket.',
    source: 'OneUptime: WebSocket server from scratch',
    rules: [35, 36],
    edits: [["request.method !== 'GET'", 'false']],
  },
  {
    id: 'get-and-more',
    lesson: '01',
    step: 3,
    story: 'Only the first three letters of the method compared, so that GETX passes.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 36],
    edits: [["request.method !== 'GET'", "request.method.slice(0, 3) !== 'GET'"]],
  },
  {
    id: 'any-http',
    lesson: '01',
    step: 3,
    story: 'The version of HTTP never looked at. HTTP/1.0 knows no upgrade.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [35, 36],
    edits: [["request.version < 'HTTP/1.1'", 'false']],
  },
  {
    id: 'no-whole-uri',
    lesson: '01',
    step: 3,
    story: 'Only a path taken for a target. Some proxies send the whole URI, which is as legal.',
    source: 'RFC 6455 §4.2.1',
    rules: [36],
    edits: [['if (absolute === undefined) return undefined;', 'if (absolute) return undefined;']],
  },
  {
    id: 'no-host',
    lesson: '01',
    step: 3,
    story: 'A request without Host accepted.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 37],
    edits: [["values(request, 'host').length !== 1", "values(request, 'host').length > 1"]],
  },
  {
    id: 'host-first',
    lesson: '01',
    step: 3,
    story: 'Host expected in the first line, where most clients have it. Their order is free.',
    source: 'RFC 6455 §4.2.1',
    rules: [43],
    edits: [["values(request, 'host').length !== 1", "[...request.headers.keys()][0] !== 'host'"]],
  },
  {
    id: 'any-upgrade',
    lesson: '01',
    step: 3,
    story: 'Upgrade never looked at: every HTTP request with a key becomes a WebSocket.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [35, 38],
    edits: [["!hasToken(request, 'upgrade', 'websocket')", 'false']],
  },
  {
    id: 'connection-equals',
    lesson: '01',
    step: 3,
    story:
      'Connection compared for equality. It works in Chrome, and fails in Firefox, which sends `keep-alive, Upgrade`.',
    source: 'karlseguin/websocket.zig#4',
    rules: [39],
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
    story: 'Connection searched for the word, so that `not-upgrade-really` passes.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [35, 39],
    edits: [
      [
        "!hasToken(request, 'connection', 'upgrade')",
        "!values(request, 'connection').join().toLowerCase().includes('upgrade')",
      ],
    ],
  },
  {
    id: 'connection-as-written',
    lesson: '01',
    step: 3,
    story: 'Only `Upgrade` with a capital taken for the token. nginx sends `upgrade`.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [39],
    edits: [
      [
        "!hasToken(request, 'connection', 'upgrade')",
        "!listed(request, 'connection').includes('Upgrade')",
      ],
    ],
  },
  {
    id: 'no-key',
    lesson: '01',
    step: 3,
    story:
      'A request without a key accepted, and the text "undefined" or nothing hashed instead of it.',
    source: 'peakchen90/tiny-websocket',
    rules: [35, 40],
    edits: [['if (!/^[A-Za-z0-9+/]{22}', 'if (key && !/^[A-Za-z0-9+/]{22}']],
  },
  {
    id: 'any-key',
    lesson: '01',
    step: 3,
    story: 'The key not checked to be 16 bytes. A guide even shows one of seven.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [35, 40],
    edits: [['/^[A-Za-z0-9+/]{22}==$/', '/^[A-Za-z0-9+/]+=*$/']],
  },
  {
    id: 'two-keys',
    lesson: '01',
    step: 3,
    story:
      'Two keys accepted. One server hashes the first, the proxy before it the last, and they disagree on what was asked.',
    source: 'RFC 6455 §11.3.1',
    rules: [35, 61],
    edits: [['if (moreKeys.length > 0)', 'if (moreKeys.length > 99)']],
  },
  {
    id: 'any-version',
    lesson: '01',
    step: 3,
    story: 'The version never compared: a client of an old draft is let in and sends other frames.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 41, 47],
    edits: [["versions[0] !== '13'", 'versions[0] === undefined']],
  },
  {
    id: 'refused-and-accepted',
    lesson: '01',
    step: 3,
    story:
      'The refusal is made, and the code runs on to the acceptance: a `throw` or `return` is missing.',
    source: 'patryksztuczka/websocket-protocol',
    rules: [35, 41, 47],
    edits: [['throw new HandshakeError(426,', 'new HandshakeError(426,']],
  },
  {
    id: 'version-not-said',
    lesson: '01',
    step: 3,
    story: 'Another version refused without a word about which one is spoken here.',
    source: 'RFC 6455 §4.4',
    rules: [47, 60],
    edits: [["      'Sec-WebSocket-Version': '13',\n", '']],
  },
  {
    id: 'two-versions',
    lesson: '01',
    step: 3,
    story: 'Two version headers accepted, and the second never read.',
    source: 'RFC 6455 §11.3.5',
    rules: [35, 65],
    edits: [['if (versions.length > 1)', 'if (versions.length > 99)']],
  },
  {
    id: 'first-protocol-line',
    lesson: '01',
    step: 3,
    story: 'Only the first line of the offered subprotocols read. Several lines are one list.',
    source: 'RFC 6455 §11.3.4',
    rules: [64],
    edits: [
      [
        "listed(request, 'sec-websocket-protocol');",
        "values(request, 'sec-websocket-protocol')\n    .slice(0, 1)\n    .flatMap((line) => line.split(',').map(trim));",
      ],
    ],
  },
  {
    id: 'no-blank-line',
    lesson: '01',
    step: 4,
    story:
      'The 101 without its blank line. The browser waits for it for ever, and says nothing: a question that many have asked.',
    source: 'Stack Overflow 12295929',
    rules: [53],
    edits: [[".join('')}\\r\\n", ".join('')}"]],
  },
  {
    id: 'line-feeds-only',
    lesson: '01',
    step: 4,
    story:
      'Header lines that end with a line feed only. Lenient clients take them, and others wait.',
    source: 'RFC 6455 §4.2.2',
    rules: [53],
    edits: [['}\\r\\n`;', '}\\n`;']],
  },
  {
    id: 'body-in-the-101',
    lesson: '01',
    step: 4,
    story:
      'A text behind the blank line of the 101. The browser reads it as a frame: `48 54 54 50` has RSV1 set.',
    source: 'RFC 6455 §4.2.2',
    rules: [53],
    edits: [
      [
        "return response('101 Switching Protocols', headers);",
        "return response('101 Switching Protocols', headers, 'HTTP upgraded\\n');",
      ],
    ],
  },
  {
    id: 'status-200',
    lesson: '01',
    step: 4,
    story: 'A 200, as if it were a page. The client takes it for a refusal.',
    source: 'RFC 6455 §4.2.2',
    rules: [54],
    edits: [["'101 Switching Protocols'", "'200 OK'"]],
  },
  {
    id: 'no-upgrade-header',
    lesson: '01',
    step: 4,
    story: 'The 101 does not say to what it switches.',
    source: 'RFC 6455 §4.2.2',
    rules: [55],
    edits: [
      ["    Upgrade: 'websocket',\n    Connection: 'Upgrade',\n", "    Connection: 'Upgrade',\n"],
    ],
  },
  {
    id: 'connection-echoed',
    lesson: '01',
    step: 4,
    story: 'The Connection header of Firefox sent back as it came, with its keep-alive.',
    source: 'RFC 6455 §4.2.2',
    rules: [56],
    edits: [
      ["    Connection: 'Upgrade',\n    'Sec", "    Connection: 'keep-alive, Upgrade',\n    'Sec"],
    ],
  },
  {
    id: 'key-sent-back',
    lesson: '01',
    step: 4,
    story: 'The key itself sent back, as if that proved that it was understood.',
    source: 'RFC 6455 §4.2.2',
    rules: [57],
    edits: [["'Sec-WebSocket-Accept': acceptKey(key)", "'Sec-WebSocket-Accept': key"]],
  },
  {
    id: 'accept-twice',
    lesson: '01',
    step: 4,
    story: 'The accept value set in two spellings, by two layers that do not know each other.',
    source: 'RFC 6455 §11.3.3',
    rules: [63],
    edits: [
      [
        "'Sec-WebSocket-Accept': acceptKey(key),",
        "'Sec-WebSocket-Accept': acceptKey(key),\n    'sec-websocket-accept': acceptKey(key),",
      ],
    ],
  },
  {
    id: 'empty-protocol',
    lesson: '01',
    step: 4,
    story: 'An empty Sec-WebSocket-Protocol when none was chosen. Chrome refuses the connection.',
    source: 'joewalnes/websocketd#7',
    rules: [50],
    edits: [
      [
        "if (protocol !== undefined) headers['Sec-WebSocket-Protocol'] = protocol;",
        "headers['Sec-WebSocket-Protocol'] = protocol ?? '';",
      ],
    ],
  },
  {
    id: 'protocol-not-said',
    lesson: '01',
    step: 4,
    story: 'A subprotocol chosen and not said. A browser that had offered some hangs up.',
    source: 'sitegui/nodejs-websocket#29',
    rules: [44],
    edits: [["  if (protocol !== undefined) headers['Sec-WebSocket-Protocol'] = protocol;\n", '']],
  },
  {
    id: 'protocol-twice',
    lesson: '01',
    step: 4,
    story: 'The subprotocol set by the handshake, and once more by the application.',
    source: 'RFC 6455 §11.3.4',
    rules: [64],
    edits: [
      [
        "headers['Sec-WebSocket-Protocol'] = protocol;",
        "{\n    headers['Sec-WebSocket-Protocol'] = protocol;\n    headers['sec-websocket-protocol'] = protocol;\n  }",
      ],
    ],
  },
  {
    id: 'protocol-injected',
    lesson: '01',
    step: 4,
    story:
      'A subprotocol sent back as it came. With a line break in it, the client writes headers of ours.',
    source: 'ninjasource/Ninja.WebSockets#4',
    rules: [59],
    edits: [
      ['if (protocol !== undefined && !TOKEN.test(protocol)) {', "if (protocol === '') {"],
      ['if (/[\\r\\n]/.test(name + value))', 'if (/[\\r\\n]/.test(name))'],
    ],
  },
  {
    id: 'claimed-extension',
    lesson: '01',
    step: 4,
    story:
      'permessage-deflate claimed by a server that cannot do it. The next message comes compressed.',
    source: 'h3js/crossws#18',
    rules: [44, 52, 139],
    edits: [
      [
        "Connection: 'Upgrade',\n    'Sec",
        "Connection: 'Upgrade',\n    'Sec-WebSocket-Extensions': 'permessage-deflate',\n    'Sec",
      ],
    ],
  },
  {
    id: 'refusal-not-http',
    lesson: '01',
    step: 4,
    story: 'A refusal that is a line of text and no HTTP. The client shows an error of its parser.',
    source: 'minaorangina/websockets-from-scratch-node',
    rules: [154],
    edits: [
      ['return response(`', 'return Buffer.from(`HTTP/1.1 '],
      ['`, headers, body);', '`);'],
    ],
  },
  {
    id: 'always-400',
    lesson: '01',
    step: 4,
    story:
      'The number of every refusal 400. The client cannot tell a wrong version from a wrong origin.',
    source: 'RFC 6455 §4.2.2',
    rules: [154],
    edits: [['{error.status} $', '{400} $']],
  },
  {
    id: 'refusal-kept-alive',
    lesson: '01',
    step: 4,
    story: 'A refusal that does not say that this is the end. The client sends its next request.',
    source: 'RFC 6455 §7.2.2',
    rules: [132],
    edits: [["    Connection: 'close',\n    ...error", '    ...error']],
  },
  {
    id: 'character-count',
    lesson: '01',
    step: 4,
    story: 'Content-Length counted in characters. A reason in Chinese arrives cut off.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['Buffer.byteLength(body)', 'body.length']],
  },
  {
    id: 'header-injected',
    lesson: '01',
    step: 4,
    story: 'A header value written without a look at it: a line break in it starts a new header.',
    source: 'ninjasource/Ninja.WebSockets#4',
    rules: [],
    edits: [['if (/[\\r\\n]/.test(name + value))', 'if (/[\\r\\n]/.test(name))']],
  },
  {
    id: 'any-origin',
    lesson: '01',
    step: 5,
    story:
      'The Origin never compared. Any page that a user opens can use the server with his cookies.',
    source: 'CVE-2025-52882',
    rules: [46, 147],
    edits: [['!policy.origins.includes(upgrade.origin)', "upgrade.origin === ''"]],
  },
  {
    id: 'origin-contains',
    lesson: '01',
    step: 5,
    story: 'The Origin searched for the own one, so that `good.example.evil.test` passes.',
    source: 'playframework/play-java-websocket-example#57',
    rules: [46, 147],
    edits: [
      [
        '!policy.origins.includes(upgrade.origin)',
        '!policy.origins.some((origin) => upgrade.origin?.includes(origin))',
      ],
    ],
  },
  {
    id: 'origin-suffix',
    lesson: '01',
    step: 5,
    story: 'The end of the Origin compared, so that `evil-good.example` passes.',
    source: 'Red5/red5-server#470',
    rules: [46, 147],
    edits: [
      [
        '!policy.origins.includes(upgrade.origin)',
        "!policy.origins.some((origin) => upgrade.origin?.endsWith(origin.replace('https://', '')))",
      ],
    ],
  },
  {
    id: 'null-origin',
    lesson: '01',
    step: 5,
    story: '`null` let in, for pages from a file. A sandboxed frame of any site has that Origin.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [46, 147],
    edits: [
      [
        '!policy.origins.includes(upgrade.origin)',
        "![...policy.origins, 'null'].includes(upgrade.origin)",
      ],
    ],
  },
  {
    id: 'no-origin-refused',
    lesson: '01',
    step: 5,
    story: 'Who sends no Origin refused. No program but a browser sends one.',
    source: 'RFC 6455 §4.2.1',
    rules: [42],
    edits: [
      [
        'upgrade.origin !== undefined && !policy.origins.includes(upgrade.origin)',
        "!policy.origins.includes(upgrade.origin ?? '')",
      ],
    ],
  },
  {
    id: 'any-path',
    lesson: '01',
    step: 5,
    story: 'The path never looked at: every path is the same service.',
    source: 'OneUptime: WebSocket server from scratch',
    rules: [48],
    edits: [
      ['if (policy.paths && !policy.paths.includes(path))', "if (policy.paths && path === '')"],
    ],
  },
  {
    id: 'protocol-uninvited',
    lesson: '01',
    step: 5,
    story: 'A subprotocol chosen that the client never offered. Chrome refuses the connection.',
    source: 'nicokaiser/php-websocket#1',
    rules: [49],
    edits: [
      [
        'upgrade.protocols.find((name) => policy.protocols?.includes(name))',
        'policy.protocols?.[0]',
      ],
    ],
  },
  {
    id: 'protocol-empty',
    lesson: '01',
    step: 5,
    story:
      'No common subprotocol, and an empty one chosen: the first mend of a server that had sent one unasked.',
    source: 'ninjasource/Ninja.WebSockets#4',
    rules: [50],
    edits: [['policy.protocols?.includes(name));', "policy.protocols?.includes(name)) ?? '';"]],
  },
  {
    id: 'offer-ignored',
    lesson: '01',
    step: 5,
    story: 'The offer never read. A browser that insists on a subprotocol hangs up.',
    source: 'SWI-Prolog/packages-http#57',
    rules: [],
    edits: [['return upgrade.protocols.find(', 'upgrade.protocols.find(']],
  },
  {
    id: 'subtract-128',
    lesson: '02',
    step: 1,
    story:
      'The MASK bit taken for granted: the length is the byte minus 128. It is negative for a frame without a mask, and the server waits for ever.',
    source: 'MDN: Writing a WebSocket server in C#',
    rules: [116],
    edits: [['second & 0x7f', 'second - 128']],
  },
  {
    id: 'everything-is-text',
    lesson: '02',
    step: 1,
    story:
      'The opcode never read: everything is text. A Close arrives as a message of two strange characters.',
    source: 'pusher/websockets-from-scratch-tutorial',
    rules: [118],
    edits: [['opcode: first & 0x0f', 'opcode: 1']],
  },
  {
    id: 'length-126-as-is',
    lesson: '02',
    step: 2,
    story:
      'A 7-bit length of 126 read as 126 bytes. A message of 200 bytes is swallowed, and what follows is garbage.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [['length7 === 126 ? 2 : 0', '0']],
  },
  {
    id: 'length-127-ignored',
    lesson: '02',
    step: 2,
    story: 'The eight bytes after 127 skipped, and 127 taken for the length.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [['lengthBytes === 0 ? length7 :', 'lengthBytes !== 2 ? length7 :']],
  },
  {
    id: 'no-64-bits',
    lesson: '02',
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
    lesson: '02',
    step: 2,
    story: 'Seven of the eight bytes of a length read: 65536 becomes 256.',
    source: 'AlexanderEllis/websocket-from-scratch',
    rules: [76],
    edits: [['i < size; i++) length', 'i < Math.min(size, 7); i++) length']],
  },
  {
    id: 'little-endian',
    lesson: '02',
    step: 2,
    story:
      'The bytes of a length read in the order of the processor, which is the wrong way round.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['length * 256 + bytes[offset + i]!', 'length * 256 + bytes[offset + size - 1 - i]!']],
  },
  {
    id: 'length-32-bit',
    lesson: '02',
    step: 2,
    story: 'The length put together with shifts, which keep only 32 of its 64 bits.',
    source: 'RFC 6455 §5.2',
    rules: [76],
    edits: [['length * 256 + bytes[offset + i]!', '((length << 8) | bytes[offset + i]!) >>> 0']],
  },
  {
    id: 'key-not-waited-for',
    lesson: '02',
    step: 2,
    story:
      'A masked frame whose key has not come yet read as one without a mask. The key comes out as a message.',
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
    lesson: '02',
    step: 2,
    story:
      'The rest of the header expected to be there with its first two bytes. When TCP cuts it there, the length is nonsense.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [76],
    edits: [['  if (available < headerLength) return undefined;\n', '']],
  },
  {
    id: 'longer-form-16',
    lesson: '02',
    step: 2,
    story: 'A length of 125 accepted in 16 bits: the border is off by one.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['size === 2 ? 126 : 65536', 'size === 2 ? 125 : 65536']],
  },
  {
    id: 'longer-form-64',
    lesson: '02',
    step: 2,
    story: 'A length of 65535 accepted in 64 bits: the border is off by one.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['size === 2 ? 126 : 65536', 'size === 2 ? 126 : 65535']],
  },
  {
    id: 'top-bit',
    lesson: '02',
    step: 2,
    story:
      'The highest bit of a 64-bit length never looked at. Read as a signed number, the length was negative, and bytes were written beside the buffer.',
    source: 'ASPLes/nopoll#84',
    rules: [74],
    edits: [['size === 8 && bytes[offset]! >= 0x80', 'false']],
  },
  {
    id: 'key-restarts',
    lesson: '02',
    step: 3,
    story:
      'The key begins anew with each chunk. Tests with short messages pass, and long ones arrive broken.',
    source: 'boostorg/beast#1061',
    rules: [82],
    edits: [['const start = bytes.length', 'position = 0;\n  const start = bytes.length']],
  },
  {
    id: 'unmasked-copy',
    lesson: '02',
    step: 3,
    story: 'A copy unmasked, and the original read.',
    source: 'RFC 6455 §5.3',
    rules: [120],
    edits: [['const start = bytes.length', 'bytes = bytes.slice();\n  const start = bytes.length']],
  },
  {
    id: 'one-frame-a-read',
    lesson: '02',
    step: 4,
    story:
      'One read taken for one frame: what comes behind it is dropped. Whoever sends fast loses every second message.',
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
    lesson: '02',
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
    lesson: '02',
    step: 4,
    story:
      'The payload taken up to the end of the buffer instead of by its length. Two frames in one read become one wrong text.',
    source: 'MDN: Writing WebSocket servers',
    rules: [116, 119],
    edits: [['.take(payloadLength)', '.take(this.#received.length)']],
  },
  {
    id: 'pushed-chunk-kept',
    lesson: '02',
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
    lesson: '02',
    step: 4,
    story: 'Memory that was given out is used again for what comes later: old messages change.',
    source: 'cesanta/mongoose#145',
    rules: [],
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
    lesson: '02',
    step: 4,
    story:
      'The buffer joined anew with each read. A large message in small reads takes minutes instead of milliseconds.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['Math.max(waiting.length + by, waiting.length * 2)', 'waiting.length + by']],
  },
  {
    id: 'declared-allocation',
    lesson: '02',
    step: 4,
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
    id: 'unmasked-accepted',
    lesson: '02',
    step: 5,
    story: 'Frames of a client accepted without a mask, which keeps proxies safe.',
    source: 'novnc/websockify#164',
    rules: [67, 153],
    edits: [["role === 'server' && !header.maskingKey", 'false']],
  },
  {
    id: 'masked-accepted',
    lesson: '02',
    step: 5,
    story: 'A client that accepts masked frames of a server.',
    source: 'RFC 6455 §5.1',
    rules: [69, 153],
    edits: [["role === 'client' && header.maskingKey", 'false']],
  },
  {
    id: 'rsv-ignored',
    lesson: '02',
    step: 5,
    story: 'RSV bits ignored, as a guide says they can be. What is compressed is shown as text.',
    source: 'MDN: Writing WebSocket servers',
    rules: [72, 153],
    edits: [['header.rsv !== 0', 'false']],
  },
  {
    id: 'opcode-ignored',
    lesson: '02',
    step: 5,
    story: 'Reserved opcodes passed on as if they were messages.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [73, 153],
    edits: [['!KNOWN_OPCODES.has(header.opcode)', 'false']],
  },
  {
    id: 'control-without-fin',
    lesson: '02',
    step: 5,
    story: 'A Ping without FIN accepted. Nobody can say what would continue it.',
    source: 'RFC 6455 §5.5',
    rules: [84, 93, 153],
    edits: [['isControl(header.opcode) && !header.fin', 'false']],
  },
  {
    id: 'control-126',
    lesson: '02',
    step: 5,
    story:
      'Control frames of more than 125 bytes accepted. The answer to such a Ping is one that a browser refuses.',
    source: 'denoland/fastwebsockets#142',
    rules: [92, 153],
    edits: [['header.payloadLength > MAX_CONTROL_PAYLOAD', 'false']],
  },
  {
    id: 'first-fragment-lost',
    lesson: '02',
    step: 6,
    story: 'Only the last fragment kept: of a message in two, the first half is lost.',
    source: 'RFC 6455 §5.4',
    rules: [88],
    edits: [['else if (!isWhole) this', 'else if (!isWhole && fin) this']],
  },
  {
    id: 'pieces-out-of-order',
    lesson: '02',
    step: 6,
    story: 'The last piece of a text written before those that still wait: "loHel".',
    source: 'RFC 6455 §5.4',
    rules: [85],
    edits: [
      [
        "    this.#text += this.#pieces.splice(0).join('');\n    if (isLast) this.#text += text;",
        "    if (isLast) this.#text += text;\n    this.#text += this.#pieces.splice(0).join('');",
      ],
    ],
  },
  {
    id: 'type-of-the-last',
    lesson: '02',
    step: 6,
    story:
      'The type of a message taken from the fragment that came last, which says only that it continues.',
    source: 'peakchen90/tiny-websocket',
    rules: [90, 118],
    edits: [['this.#opcode ??= opcode;', 'this.#opcode = opcode;']],
  },
  {
    id: 'message-never-ends',
    lesson: '02',
    step: 6,
    story: 'The message stays open after its last fragment, and the next one is refused.',
    source: 'RFC 6455 §6.2',
    rules: [83, 119],
    edits: [['    this.#opcode = undefined;\n    this.#messageBytes', '    this.#messageBytes']],
  },
  {
    id: 'empty-message-dropped',
    lesson: '02',
    step: 6,
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
    lesson: '02',
    step: 6,
    story: 'Every text parsed as JSON where frames are read: "hello" ends the connection.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [],
    edits: [["return { type: 'text', data };", "return { type: 'text', data: JSON.parse(data) };"]],
  },
  {
    id: 'control-as-data',
    lesson: '02',
    step: 6,
    story: 'Control frames handled like data: a Close is shown as text, and a Ping is echoed.',
    source: 'WernerLDev/ts-websocket-server-protocol',
    rules: [87, 117],
    edits: [['isControl(frame.opcode) ? controlMessage(frame) : this', 'this']],
  },
  {
    id: 'control-ends-message',
    lesson: '02',
    step: 6,
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
    lesson: '02',
    step: 6,
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
    lesson: '02',
    step: 6,
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
    lesson: '02',
    step: 6,
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
    lesson: '02',
    step: 6,
    story: 'A continuation with nothing to continue accepted.',
    source: 'RFC 6455 §5.4',
    rules: [83],
    edits: [['continues && this.#opcode === undefined', 'false']],
  },
  {
    id: 'message-in-message',
    lesson: '02',
    step: 6,
    story: 'A new message inside an open one accepted: "A" and "B" become "AB".',
    source: 'peakchen90/tiny-websocket',
    rules: [86],
    edits: [['!continues && this.#opcode !== undefined', 'false']],
  },
  {
    id: 'unexpected-is-1003',
    lesson: '02',
    step: 6,
    story:
      'A continuation of nothing refused with 1003, as if it were the kind of data that is not wanted.',
    source: 'michaldziuba03/websockets',
    rules: [],
    edits: [
      ["ProtocolError(1002, '5.4', 'A continuation", "ProtocolError(1003, '5.4', 'A continuation"],
    ],
  },
  {
    id: 'recursion-per-fragment',
    lesson: '02',
    step: 6,
    story: 'A call inside a call for each fragment. Enough of them end the process.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['if (message) return message;\n    }', 'return message ?? this.read();\n    }']],
  },
  {
    id: 'fragments-in-a-list',
    lesson: '02',
    step: 6,
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
    lesson: '02',
    step: 6,
    story: 'A text begins with the one before it: what was decoded is not put away.',
    source: 'RFC 6455 §6.2',
    rules: [119],
    edits: [["    this.#text = '';\n", '']],
  },
  {
    id: 'decoded-twice',
    lesson: '02',
    step: 6,
    story: 'What was decoded when it arrived is decoded again when its frame is complete.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['payload.subarray(this.#seen)', 'payload']],
  },
  {
    id: 'cut-character',
    lesson: '02',
    step: 7,
    story:
      'Each piece of a text decoded by itself. A character that is cut is refused, and only people who write more than ASCII notice.',
    source: 'RFC 6455 §5.6',
    rules: [106],
    edits: [['{ stream: !isLast }', '{ stream: false }']],
  },
  {
    id: 'decoder-not-flushed',
    lesson: '02',
    step: 7,
    story:
      'The decoder never told that this was the end: a text that stops inside a character passes.',
    source: 'RFC 6455 §8.1',
    rules: [106, 138],
    edits: [['{ stream: !isLast }', '{ stream: true }']],
  },
  {
    id: 'byte-per-character',
    lesson: '02',
    step: 7,
    story: 'Each byte turned into one character. English works, and an é becomes two letters.',
    source: 'karlpokus/websockets-raw',
    rules: [106],
    edits: [['this.#utf8.decode(piece, { stream: !isLast })', 'String.fromCharCode(...piece)']],
  },
  {
    id: 'ping-in-the-text',
    lesson: '02',
    step: 7,
    story: 'A Ping that is still arriving taken for a part of the text around it.',
    source: 'prettydiff/share-file-systems',
    rules: [],
    edits: [[' && !isControl(header.opcode);', ';']],
  },
  {
    id: 'replacement-characters',
    lesson: '02',
    step: 7,
    story:
      'Wrong bytes replaced by U+FFFD instead of refused. Data is changed, and nobody is told.',
    source: 'freeunitorg/freeunit#378',
    rules: [106, 138],
    edits: [['fatal: true, ignoreBOM: true', 'fatal: false, ignoreBOM: true']],
  },
  {
    id: 'bom-swallowed',
    lesson: '02',
    step: 7,
    story: 'A U+FEFF at the start of a text dropped by the decoder, which takes it for a mark.',
    source: 'RFC 6455 §8.1',
    rules: [],
    edits: [['fatal: true, ignoreBOM: true', 'fatal: true']],
  },
  {
    id: 'unmasked-twice',
    lesson: '02',
    step: 7,
    story:
      'To look at what has arrived of a payload, the waiting bytes are unmasked in place. When the rest is there, they are unmasked again, and masked.',
    source: 'RFC 6455 §5.3',
    rules: [],
    edits: [['this.#received.peek().slice(from)', 'this.#received.peek().subarray(from)']],
  },
  {
    id: 'slow-to-fail',
    lesson: '02',
    step: 7,
    story: 'Text checked only when the message has ended, however long that takes.',
    source: 'RFC 6455 §8.1',
    rules: [138],
    edits: [['if (this.#isText) {\n      const', 'if (Number.isNaN(0)) {\n      const']],
  },
  {
    id: 'no-message-limit',
    lesson: '02',
    step: 8,
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
    lesson: '02',
    step: 8,
    story: 'The limit holds for each frame. Fragments without number pass it together.',
    source: 'c4punks/CWIST#161',
    rules: [150, 151],
    edits: [['this.#messageBytes + header.payloadLength', 'header.payloadLength']],
  },
  {
    id: 'limit-afterwards',
    lesson: '02',
    step: 8,
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
    lesson: '02',
    step: 8,
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
    lesson: '02',
    step: 8,
    story:
      'Every piece of a text kept by itself until the end. A peer that sends byte by byte takes many times the memory of its text.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['this.#pieces.push(text) < MAX_PIECES', 'this.#pieces.push(text) > 0']],
  },
  {
    id: 'idle-keeps-memory',
    lesson: '02',
    step: 8,
    story:
      'An empty view kept of the memory that is done with. It keeps all of it, for each connection that is idle.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'this.#written = NO_BYTES; // An idle connection holds no memory.',
        'this.#written = this.#memory.subarray(this.#memory.length);',
      ],
    ],
  },
  {
    id: 'server-masks',
    lesson: '03',
    step: 1,
    story: 'A server that masks what it sends. Chrome says that it must not, and closes.',
    source: 'Molorius/esp32-websocket#2',
    rules: [68],
    edits: [['writeHeader(bytes, at, frame, 0)', 'writeHeader(bytes, at, frame, 0x80)']],
  },
  {
    id: 'first-byte-0x81',
    lesson: '03',
    step: 1,
    story: 'The first byte always 81, whatever the frame is: bytes arrive as text.',
    source: 'syscraft906: Node.js and WebSockets',
    rules: [112],
    edits: [['(fin ? 0x80 : 0) | opcode', '0x81']],
  },
  {
    id: 'fin-forgotten',
    lesson: '03',
    step: 1,
    story:
      'FIN never set. The browser waits for the rest, and takes the next message for a mistake.',
    source: 'michaldziuba03/websockets',
    rules: [113],
    edits: [['(fin ? 0x80 : 0) | opcode', 'opcode']],
  },
  {
    id: 'rsv1-set',
    lesson: '03',
    step: 1,
    story: 'RSV1 set on every message, as if it were compressed. Nobody has agreed to that.',
    source: 'RFC 6455 §5.2',
    rules: [71],
    edits: [['(fin ? 0x80 : 0) | opcode', '(fin ? 0xc0 : 0) | opcode']],
  },
  {
    id: 'bytes-too-many',
    lesson: '03',
    step: 1,
    story: 'A buffer that is too large sent as it is. The peer reads the rest as another frame.',
    source: 'dhbaird/easywsclient#21',
    rules: [111],
    edits: [['Buffer.allocUnsafe(size);', 'Buffer.alloc(size + 4);']],
  },
  {
    id: 'frames-overlap',
    lesson: '03',
    step: 1,
    story: 'Frames written over each other: the place is not moved on behind the payload.',
    source: 'RFC 6455 §6.1',
    rules: [111],
    edits: [['    at += frame.payload.length;\n', '']],
  },
  {
    id: 'last-frame-only',
    lesson: '03',
    step: 1,
    story: 'All frames written to the start of the buffer: only the last one is left.',
    source: 'RFC 6455 §6.1',
    rules: [111],
    edits: [['at = writeHeader(bytes, at, frame, 0);', 'at = writeHeader(bytes, 0, frame, 0);']],
  },
  {
    id: 'buffer-used-again',
    lesson: '03',
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
    id: 'one-length-byte',
    lesson: '03',
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
    lesson: '03',
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
    lesson: '03',
    step: 2,
    story: 'The room for several frames counted with the header of the first.',
    source: 'RFC 6455 §5.2',
    rules: [],
    edits: [['size += headerSize(payload) +', 'size += headerSize(frames[0]!.payload) +']],
  },
  {
    id: 'border-125',
    lesson: '03',
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
    id: 'border-125-early',
    lesson: '03',
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
    id: 'border-65535',
    lesson: '03',
    step: 2,
    story:
      'The border set to 65536, which 16 bits do not hold. That one size ends in an exception.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [75],
    edits: [
      ['length > 65535 ? 10', 'length > 65536 ? 10'],
      ['length <= 65535', 'length <= 65536'],
    ],
  },
  {
    id: 'border-65535-early',
    lesson: '03',
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
    lesson: '03',
    step: 2,
    story: 'A 16-bit length written in the order of the processor: 256 arrives as 1.',
    source: 'RFC 6455 §5.2',
    rules: [75],
    edits: [['bytes.writeUInt16BE', 'bytes.writeUInt16LE']],
  },
  {
    id: 'shift-32',
    lesson: '03',
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
    lesson: '03',
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
    lesson: '03',
    step: 3,
    story: 'Key and masked payload there, and the MASK bit not set: the key is read as payload.',
    source: 'RFC 6455 §5.3',
    rules: [66, 78],
    edits: [['writeHeader(bytes, 0, frame, 0x80)', 'writeHeader(bytes, 0, frame, 0)']],
  },
  {
    id: 'client-length-byte',
    lesson: '03',
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
    lesson: '03',
    step: 3,
    story: 'The key counted from the start of the frame, not of the payload.',
    source: 'RFC 6455 §5.3',
    rules: [82],
    edits: [['maskingKey[i & 3]', 'maskingKey[(keyAt + i) & 3]']],
  },
  {
    id: 'masked-in-place',
    lesson: '03',
    step: 3,
    story: 'The caller’s own buffer masked. Sent to a second peer, it is garbage.',
    source: 'peakchen90/tiny-websocket',
    rules: [],
    edits: [['payload[i]! ^ maskingKey[i & 3]!', '(payload[i]! ^= maskingKey[i & 3]!)']],
  },
  {
    id: 'guessable-key',
    lesson: '03',
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
    lesson: '03',
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
    lesson: '03',
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
    lesson: '03',
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
    id: 'long-ping',
    lesson: '03',
    step: 4,
    story: 'A Ping of 126 bytes sent. The peer closes with 1002.',
    source: 'oven-sh/bun#35030',
    rules: [92],
    edits: [['payload.length > MAX_CONTROL_PAYLOAD', 'payload.length > MAX_CONTROL_PAYLOAD + 1']],
  },
  {
    id: 'control-unfinished',
    lesson: '03',
    step: 4,
    story: 'A Close sent without FIN, as if more of it came. The browser reports 1006.',
    source: 'michaldziuba03/websockets',
    rules: [84, 93],
    edits: [['return { fin: true, opcode, payload };', 'return { fin: false, opcode, payload };']],
  },
  {
    id: 'ping-for-ping',
    lesson: '03',
    step: 4,
    story: 'A Ping answered with a Ping. Two such peers never stop.',
    source: 'RFC 6455 §5.5.2',
    rules: [103],
    edits: [['controlFrame(Opcode.Pong, ping.payload)', 'controlFrame(Opcode.Ping, ping.payload)']],
  },
  {
    id: 'empty-pong',
    lesson: '03',
    step: 4,
    story: 'A Pong without the payload of its Ping. Who compares the two takes us for dead.',
    source: 'RFC 6455 §5.5.3',
    rules: [104],
    edits: [['controlFrame(Opcode.Pong, ping.payload)', 'controlFrame(Opcode.Pong)']],
  },
  {
    id: 'opcode-repeated',
    lesson: '03',
    step: 5,
    story: 'Every fragment has the opcode of the message: a new message inside the open one.',
    source: 'RFC 6455 §5.4',
    rules: [83, 90],
    edits: [['start === 0 ? opcode : Opcode.Continuation', 'opcode']],
  },
  {
    id: 'always-text',
    lesson: '03',
    step: 5,
    story: 'The first fragment always a text: bytes are refused, because they are not UTF-8.',
    source: 'RFC 6455 §6.1',
    rules: [112],
    edits: [['opcode: start === 0 ? opcode', 'opcode: start === 0 ? Opcode.Text']],
  },
  {
    id: 'never-fin',
    lesson: '03',
    step: 5,
    story: 'FIN cleared on all fragments: the receiver waits for ever.',
    source: 'RFC 6455 §5.4',
    rules: [83, 113],
    edits: [['fin: start + maxPayload >= data.length,', 'fin: false,']],
  },
  {
    id: 'end-for-length',
    lesson: '03',
    step: 5,
    story:
      'Start and length given to a function that wants start and end: all but the first are empty.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [111],
    edits: [['data.subarray(start, start + maxPayload)', 'data.subarray(start, maxPayload)']],
  },
  {
    id: 'fragments-backwards',
    lesson: '03',
    step: 5,
    story: 'Each fragment put before those that were cut already.',
    source: 'RFC 6455 §5.4',
    rules: [83, 85],
    edits: [['frames.push({', 'frames.unshift({']],
  },
  {
    id: 'one-byte-a-char',
    lesson: '03',
    step: 6,
    story: 'One byte for each char of the string. The browser could not decode it, and closed.',
    source: 'karlpokus/websockets-raw',
    rules: [106],
    edits: [['Buffer.from(text)', "Buffer.from(text, 'latin1')"]],
  },
  {
    id: 'length-in-chars',
    lesson: '03',
    step: 6,
    story:
      'The bytes counted with `length` of the string: the payload is cut, in the middle of a character.',
    source: 'igrigorik/em-websocket#86',
    rules: [106],
    edits: [['Buffer.from(text)', 'Buffer.from(text).subarray(0, text.length)']],
  },
  {
    id: 'lone-surrogate',
    lesson: '03',
    step: 6,
    story: 'Half a surrogate pair sent as U+FFFD: the text is changed without a word.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [['!text.isWellFormed()', 'false']],
  },
  {
    id: 'messages-mixed',
    lesson: '03',
    step: 7,
    story:
      'Each message begins at once, and its rest waits. When two are sent at a time, their fragments mix.',
    source: 'python-websockets/websockets#542',
    rules: [85, 86],
    edits: [
      [
        'for (const frame of frames) this.#append(frame);',
        'for (const frame of frames) {\n      if (frame === frames[0]) this.#controls.push(frame);\n      else this.#append(frame);\n    }',
      ],
    ],
  },
  {
    id: 'control-waits',
    lesson: '03',
    step: 7,
    story: 'A Ping waits behind a long message, and the peer gives up.',
    source: 'RFC 6455 §5.4',
    rules: [87],
    edits: [['this.#controls.push(frame);', 'this.#append(frame);']],
  },
  {
    id: 'one-control-waits',
    lesson: '03',
    step: 7,
    story: 'Room for one control frame: a Pong takes the place of the Ping that waited there.',
    source: 'RFC 6455 §6.1',
    rules: [115],
    edits: [['this.#controls.push(frame);', 'this.#controls[0] = frame;']],
  },
  {
    id: 'after-the-close',
    lesson: '03',
    step: 7,
    story:
      'Messages sent after the Close. The peer may have stopped to read, or calls it an error.',
    source: 'snapview/tungstenite-rs#74',
    rules: [70, 97, 108, 109],
    edits: [['    this.#closed = true;\n', '']],
  },
  {
    id: 'closes-twice',
    lesson: '03',
    step: 7,
    story: 'A second Close sent, because two parts of the program want to end the connection.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [["    if (this.#closed) throw new Error('A Close is sent once.');\n", '']],
  },
  {
    id: 'close-is-urgent',
    lesson: '03',
    step: 7,
    story:
      'A Close overtakes the messages before it, like a Ping. They are data after the own Close.',
    source: 'coder/websocket#213',
    rules: [70, 97],
    edits: [
      [
        '    this.#closed = true;\n    this.#append(frame);',
        '    this.#closed = true;\n    this.#controls.push(frame);',
      ],
    ],
  },
  {
    id: 'nothing-dropped',
    lesson: '03',
    step: 7,
    story: 'Everything that waits is sent before a Close is answered. The peer gives up meanwhile.',
    source: 'RFC 6455 §6.1',
    rules: [110],
    edits: [['  dropWaiting(): void {\n', '  dropWaiting(): void {\n    return;\n']],
  },
  {
    id: 'begun-dropped',
    lesson: '03',
    step: 7,
    story: 'A message dropped of which a part has gone: the peer waits for its end.',
    source: 'RFC 6455 §5.4',
    rules: [115],
    edits: [['let end = this.#begun ? this.#first : undefined;', 'let end: Waiting | undefined;']],
  },
  {
    id: 'short-message-overtakes',
    lesson: '03',
    step: 7,
    story:
      'A message of one frame sent at once, between the fragments of the one before it. The peer closes.',
    source: 'espressif/esp-protocols#687',
    rules: [86],
    edits: [
      [
        'for (const frame of frames) this.#append(frame);',
        'if (frames.length === 1) this.#controls.push(...frames);\n    else for (const frame of frames) this.#append(frame);',
      ],
    ],
  },
  {
    id: 'half-a-code',
    lesson: '04',
    step: 1,
    story: 'A close body of one byte read as if it had two.',
    source: 'RFC 6455 §5.5.1',
    rules: [94],
    edits: [['if (body.length === 1)', 'if (body.length === 99)']],
  },
  {
    id: 'empty-close-crashes',
    lesson: '04',
    step: 1,
    story: 'A code read from every Close. An empty one, which is legal, ends the process.',
    source: 'peakchen90/tiny-websocket',
    rules: [94],
    edits: [['  if (body.length === 0) return undefined;\n', '']],
  },
  {
    id: 'empty-close-refused',
    lesson: '04',
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
    lesson: '04',
    step: 1,
    story: 'The code written with its lowest byte first: 1000 arrives as 59395.',
    source: 'RFC 6455 §5.5.1',
    rules: [94],
    edits: [['setUint16(0, code)', 'setUint16(0, code, true)']],
  },
  {
    id: 'view-from-its-buffer',
    lesson: '04',
    step: 1,
    story: 'The code read from the start of the memory, and not from where the body begins in it.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [['new DataView(body.buffer, body.byteOffset)', 'new DataView(body.buffer)']],
  },
  {
    id: 'reason-replaced',
    lesson: '04',
    step: 1,
    story: 'A reason that is not UTF-8 accepted, with U+FFFD where it is wrong.',
    source: 'crossbario/autobahn-python#29',
    rules: [94, 138],
    edits: [['fatal: true', 'fatal: false']],
  },
  {
    id: '1005-on-the-wire',
    lesson: '04',
    step: 2,
    story: '1005 accepted on the wire, and sent back: the peer calls that an error.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [134],
    edits: [['(code < 1004 || code > 1006)', '(code < 1004 || code > 1006 || code === 1005)']],
  },
  {
    id: '1006-on-the-wire',
    lesson: '04',
    step: 2,
    story: '1006 let into a Close like any other code. It says that there was none.',
    source: 'netty/netty#10846',
    rules: [135],
    edits: [['(code < 1004 || code > 1006)', '(code < 1004 || code >= 1006)']],
  },
  {
    id: '1015-on-the-wire',
    lesson: '04',
    step: 2,
    story: '1015 on the list of codes that a server may send. It says that TLS has failed.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [136],
    edits: [['code <= 1014', 'code <= 1015']],
  },
  {
    id: 'codes-to-2999',
    lesson: '04',
    step: 2,
    story: 'Every code of the standard’s range accepted, although most of them mean nothing yet.',
    source: 'aspnet/WebSockets#18',
    rules: [136, 137],
    edits: [['code <= 1014', 'code <= 2999']],
  },
  {
    id: 'codes-without-end',
    lesson: '04',
    step: 2,
    story: 'Codes from 5000 up handed to the application: the border above was forgotten.',
    source: 'aio-libs/aiohttp#12895',
    rules: [137],
    edits: [['code >= 3000 && code <= 4999', 'code >= 3000']],
  },
  {
    id: 'only-listed-codes',
    lesson: '04',
    step: 2,
    story: 'The codes of applications, 3000 to 4999, refused: only those of the RFC were listed.',
    source: 'actor-framework/actor-framework#1498',
    rules: [137],
    edits: [['code >= 3000 && code <= 4999', 'false']],
  },
  {
    id: 'reason-in-characters',
    lesson: '04',
    step: 3,
    story:
      'The reason cut after 123 characters, not bytes. With other letters than ASCII, no Close is sent.',
    source: 'kamp-us/phoenix#7711',
    rules: [92],
    edits: [['reason.slice(0, read)', 'reason.slice(0, MAX_REASON_BYTES)']],
  },
  {
    id: 'reason-cut-inside',
    lesson: '04',
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
    lesson: '04',
    step: 3,
    story:
      'The limit compared with `length` of the string: 62 times "é" make a frame of 126 bytes.',
    source: 'kamp-us/phoenix#7711',
    rules: [92],
    edits: [['if (text.length > MAX_REASON_BYTES)', 'if (reason.length > MAX_REASON_BYTES)']],
  },
  {
    id: 'close-not-answered',
    lesson: '04',
    step: 4,
    story: 'A Close not answered: the page has closed properly, and its browser reports 1006.',
    source: 'cesanta/mongoose#1502',
    rules: [98],
    edits: [
      [
        "    if (answer) actions.push({ type: 'sendClose', body: encodeCloseBody(body?.code) });\n",
        '',
      ],
    ],
  },
  {
    id: 'close-answered-twice',
    lesson: '04',
    step: 4,
    story: 'A Close answered although our own is out: two servers of this kind never stop.',
    source: 'RFC 6455 §5.5.1',
    rules: [98],
    edits: [["const answer = this.#state === 'OPEN';", 'const answer = true;']],
  },
  {
    id: 'always-answers-1000',
    lesson: '04',
    step: 4,
    story: 'Every Close answered with 1000, whatever it said.',
    source: 'patryksztuczka/websocket-protocol',
    rules: [99],
    edits: [['encodeCloseBody(body?.code)', 'encodeCloseBody(CloseCode.NormalClosure)']],
  },
  {
    id: 'answers-1005',
    lesson: '04',
    step: 4,
    story: 'An empty Close answered with 1005, which is only how we call it among ourselves.',
    source: 'palantir/python-language-server#151',
    rules: [134],
    edits: [['encodeCloseBody(body?.code)', 'encodeCloseBody(body?.code ?? 1005)']],
  },
  {
    id: 'never-hangs-up',
    lesson: '04',
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
    lesson: '04',
    step: 4,
    story: 'The client ends TCP first, and its ports stay taken for minutes.',
    source: 'RFC 6455 §7.1.1',
    rules: [102, 121],
    edits: [["if (this.#role === 'server') actions.push", 'actions.push']],
  },
  {
    id: 'hangs-up-at-once',
    lesson: '04',
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
    lesson: '04',
    step: 4,
    story: 'To close, the TCP connection is just ended, and no Close is sent.',
    source: 'RFC 6455 §7.1.2',
    rules: [122],
    edits: [["[{ type: 'sendClose', body }] : []", "[{ type: 'hangUp' }] : []"]],
  },
  {
    id: 'open-after-the-close',
    lesson: '04',
    step: 4,
    story: 'The connection counts as open after the own Close, and messages go on.',
    source: 'python-hyper/wsproto#168',
    rules: [109, 124],
    edits: [["close: 'CLOSE_SENT',", "close: 'OPEN',"]],
  },
  {
    id: 'closed-too-soon',
    lesson: '04',
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
    lesson: '04',
    step: 4,
    story: 'Whatever code the application has is sent, 1006 too. The peer answers with 1002.',
    source: 'theturtle32/WebSocket-Node#254',
    rules: [134, 135, 136, 137],
    edits: [['if (!isWireCode(code))', 'if (Number.isNaN(code))']],
  },
  {
    id: 'code-zero',
    lesson: '04',
    step: 4,
    story: 'The code of a Close never filled in: 0 travels.',
    source: 'michaldziuba03/websockets',
    rules: [137],
    edits: [['code: number = CloseCode.NormalClosure', 'code: number = 0']],
  },
  {
    id: 'everything-1002',
    lesson: '04',
    step: 5,
    story: 'The same code for every error, so that the peer looks in the wrong place.',
    source: 'RFC 6455 §7.4.1',
    rules: [128, 154],
    edits: [['error instanceof ProtocolError ? error.closeCode : CloseCode.InternalError', '1002']],
  },
  {
    id: 'fails-without-a-word',
    lesson: '04',
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
    lesson: '04',
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
    lesson: '04',
    step: 5,
    story:
      'A client that waits for the server to hang up, although it is the server that is broken.',
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
    lesson: '04',
    step: 5,
    story:
      'The message of an error used as the reason, however long. It does not fit, and no Close is sent.',
    source: 'kamp-us/phoenix#7711',
    rules: [128],
    edits: [['truncateReason(error.message)', 'error.message']],
  },
  {
    id: 'parses-on',
    lesson: '04',
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
    id: 'illegal-close-ignored',
    lesson: '04',
    step: 5,
    story: 'A Close with a reason that is no UTF-8 ignored: the connection stays as it is.',
    source: 'RFC 6455 §8.1',
    rules: [127, 128, 138, 154],
    edits: [['return this.fail(error);', 'return [];']],
  },
  {
    id: 'illegal-code-taken',
    lesson: '04',
    step: 5,
    story: 'A Close with the code 1005 taken for good, and sent back.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [128, 154],
    edits: [['if (body && !isWireCode(body.code))', 'if (body && Number.isNaN(body.code))']],
  },
  {
    id: 'slice-of-a-buffer',
    lesson: '04',
    step: 6,
    story: 'The payload kept with `slice`, which copies nothing when it is a Node Buffer.',
    source: 'peakchen90/tiny-websocket',
    rules: [],
    edits: [['new Uint8Array(payload);', 'payload.slice();']],
  },
  {
    id: 'always-clean',
    lesson: '04',
    step: 6,
    story: 'A broken connection reported as 1000. The application does not connect again.',
    source: 'RFC 6455 §7.1.5',
    rules: [125],
    edits: [['code: CloseCode.AbnormalClosure', 'code: CloseCode.NormalClosure']],
  },
  {
    id: 'no-code-is-1000',
    lesson: '04',
    step: 6,
    story: 'An empty Close reported as 1000, as a well-known library once had it.',
    source: 'websockets/ws#1257',
    rules: [125],
    edits: [['code: CloseCode.NoStatusReceived', 'code: CloseCode.NormalClosure']],
  },
  {
    id: 'no-code-is-unclean',
    lesson: '04',
    step: 6,
    story: 'A Close without a code counted as a broken connection, so that clients come back.',
    source: 'lukeed/sockette#3',
    rules: [124],
    edits: [
      [
        'return { code, reason, wasClean: true };',
        'return { code, reason, wasClean: code !== 1005 };',
      ],
    ],
  },
  {
    id: 'last-close-counts',
    lesson: '04',
    step: 6,
    story: 'The last Close counts, and not the first.',
    source: 'RFC 6455 §7.1.5',
    rules: [125],
    edits: [
      [
        "if (!this.#enter('receiveClose')) return [];\n    this.#peerClose = new Uint8Array(payload);",
        "this.#peerClose = new Uint8Array(payload);\n    if (!this.#enter('receiveClose')) return [];",
      ],
    ],
  },
  {
    id: 'waits-for-ever',
    lesson: '04',
    step: 7,
    story:
      'No end to the waiting for the peer’s Close. When the network is gone, it takes minutes.',
    source: 'RFC 6455 §7.1.1',
    rules: [102],
    edits: [["const waits = this.#state === 'CLOSE_SENT' || ", 'const waits = ']],
  },
  {
    id: 'never-given-up',
    lesson: '04',
    step: 7,
    story: 'After both Closes, the end of TCP is waited for without a limit.',
    source: 'RFC 6455 §7.1.1',
    rules: [102],
    edits: [[" || this.#state === 'HANGING_UP';", ';']],
  },
  {
    id: 'clock-of-the-connection',
    lesson: '04',
    step: 7,
    story: 'The time counted from the start of the connection: an old one is dropped at its Close.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [['    this.#state = next;\n    this.#since = this.#now();', '    this.#state = next;']],
  },
  {
    id: 'policy-forgotten',
    lesson: '05',
    step: 1,
    story:
      'Origins and paths configured and never asked: any page may call, with the user’s cookies.',
    source: 'CVE-2025-52882',
    rules: [44, 46, 48],
    edits: [['negotiate(upgrade, policy)', 'negotiate(upgrade, {})']],
  },
  {
    id: 'head-limit-forgotten',
    lesson: '05',
    step: 1,
    story: 'A limit for heads that the server never hands on.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['parseRequest(received, maxHeadBytes)', 'parseRequest(received)']],
  },
  {
    id: 'refusal-thrown',
    lesson: '05',
    step: 1,
    story:
      'A bad request throws in the server instead of being answered: one client ends them all.',
    source: 'syscraft906: Node.js and WebSockets',
    rules: [35],
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
    story: 'What came together with the request is thrown away: the first message is lost.',
    source: 'hodfords-solutions/nestjs-api-gateway#36',
    rules: [],
    edits: [['received.subarray(request.length), policy', 'new Uint8Array(0), policy']],
  },
  {
    id: 'chosen-and-not-said',
    lesson: '05',
    step: 1,
    story: 'The subprotocol chosen, and left out of the answer. The browser hangs up.',
    source: 'websockets-rs/rust-websocket#41',
    rules: [44],
    edits: [['acceptResponse(upgrade.key, protocol)', 'acceptResponse(upgrade.key)']],
  },
  {
    id: 'state-shared',
    lesson: '05',
    step: 2,
    story: 'One reader for all clients: what they send is mixed.',
    source: 'RFC 6455 §6.2',
    rules: [116],
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
    story:
      'One message for each read: of two that come together, the second waits until a third comes.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [91],
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
    source: 'RFC 6455 §5.1',
    rules: [116],
    edits: [["new MessageReader('server'", "new MessageReader('client'"]],
  },
  {
    id: 'pong-answered',
    lesson: '05',
    step: 2,
    story: 'A Pong answered with a Pong. Two such peers never stop.',
    source: 'RFC 6455 §5.5.3',
    rules: [117],
    edits: [["      case 'ping':\n", "      case 'ping':\n      case 'pong':\n"]],
  },
  {
    id: 'one-frame-a-write',
    lesson: '05',
    step: 3,
    story: 'A write for each frame: sixteen answers cost sixteen calls of the system.',
    source: 'RFC 6455 §6.1',
    rules: [],
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
    source: 'RFC 6455 §5.4',
    rules: [87],
    edits: [['size < MAX_OUTPUT_BYTES; )', 'size < Number.POSITIVE_INFINITY; )']],
  },
  {
    id: 'large-in-one-frame',
    lesson: '05',
    step: 3,
    story: 'A large message sent in one frame: no Pong can slip in before its end.',
    source: 'RFC 6455 §5.4',
    rules: [87],
    edits: [
      ['fragment(opcode, payload, MAX_FRAGMENT_BYTES)', 'fragment(opcode, payload, 2 ** 30)'],
    ],
  },
  {
    id: 'nobody-wakes',
    lesson: '05',
    step: 3,
    story: 'A message is put into the queue, and nobody comes to take it.',
    source: 'RFC 6455 §6.1',
    rules: [115],
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
    story: 'Pings dropped. A proxy takes the server for dead, and cuts it off after a minute.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [103],
    edits: [
      [
        `        this.#queue.addControl(controlFrame(Opcode.Pong, message.payload));
`,
        '',
      ],
    ],
  },
  {
    id: 'ping-refused',
    lesson: '05',
    step: 3,
    story: 'A Ping answered with Close 1003, "no ping or pong here". No peer that asks can stay.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [103],
    edits: [
      [
        'this.#queue.addControl(controlFrame(Opcode.Pong, message.payload));',
        "this.fail(new ProtocolError(1003, '5.5.2', 'No Ping or Pong here.'));",
      ],
    ],
  },
  {
    id: 'pong-without-payload',
    lesson: '05',
    step: 3,
    story: 'A Pong without the payload of its Ping.',
    source: 'RFC 6455 §5.5.3',
    rules: [104],
    edits: [['controlFrame(Opcode.Pong, message.payload)', 'controlFrame(Opcode.Pong)']],
  },
  {
    id: 'close-as-event',
    lesson: '05',
    step: 4,
    story: 'A Close handed to the application like a message, and never answered.',
    source: 'espressif/esp-idf#9600',
    rules: [98, 100],
    edits: [
      [
        `      case 'close':
        this.#do(this.#closing.receiveClose(message.payload));
        return undefined;
      default:
        return message;`,
        `      default:
        return message as ConnectionEvent;`,
      ],
    ],
  },
  {
    id: 'close-first',
    lesson: '05',
    step: 4,
    story:
      'All frames of a read are handled before the application has answered the first. Its answer comes after the Close, and is lost.',
    source: 'RFC 6455 §5.5.1',
    rules: [109],
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
    source: 'RFC 6455 §10.4',
    rules: [150, 153],
    edits: [["new MessageReader('server', limits.maxMessageBytes)", "new MessageReader('server')"]],
  },
  {
    id: 'sends-when-closing',
    lesson: '05',
    step: 4,
    story: 'A message sent to a client that is closing throws, in the middle of a broadcast.',
    source: 'minaorangina/websockets-from-scratch-node',
    rules: [109],
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
    source: 'minaorangina/websockets-from-scratch-node',
    rules: [100],
    edits: [['        this.#ending = action.type;', '        this.#ending = undefined;']],
  },
  {
    id: 'fault-logged',
    lesson: '05',
    step: 4,
    story:
      'A frame that breaks the rules is logged, and the connection goes on with the next bytes.',
    source: 'michaldziuba03/websockets',
    rules: [127, 128, 129, 154],
    edits: [
      [
        `      } catch (error) {
        this.fail(error);
      }`,
        `      } catch (error) {
        return { type: 'error', error };
      }`,
      ],
    ],
  },
  {
    id: 'fault-drops-tcp',
    lesson: '05',
    step: 4,
    story: 'At a frame that breaks the rules, TCP is dropped. The peer sees 1006, and no reason.',
    source: 'RFC 6455 §7.1.7',
    rules: [128, 154],
    edits: [
      [
        `      } catch (error) {
        this.fail(error);
      }`,
        `      } catch (error) {
        this.#events.push({ type: 'error', error });
        this.#do([{ type: 'destroy' }]);
      }`,
      ],
    ],
  },
  {
    id: 'hoards-after-the-end',
    lesson: '05',
    step: 4,
    story: 'What comes after a failure is still put into the reader, where nobody reads it.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      ['if (this.#closing.isListening) this.#reader.push(chunk);', 'this.#reader.push(chunk);'],
    ],
  },
  {
    id: 'error-kept-secret',
    lesson: '05',
    step: 4,
    story: 'The connection fails, and the application never hears why.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
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
    story: 'No sign of life is asked for: a client whose cable was pulled stays for hours.',
    source: 'websockets/ws#686',
    rules: [],
    edits: [
      [
        `      this.#askedAt = this.#now();
      this.ping();`,
        '      this.#askedAt = this.#now();',
      ],
    ],
  },
  {
    id: 'asks-and-forgets',
    lesson: '05',
    step: 5,
    story: 'Pings sent, and nobody looks whether an answer comes.',
    source: 'zotero/stream-server#13',
    rules: [],
    edits: [['if (this.#askedAt === undefined) {', 'if (this.#heardAt > 0) {']],
  },
  {
    id: 'answer-not-heard',
    lesson: '05',
    step: 5,
    story: 'The answer to a Ping does not count, and everybody is dropped after a minute.',
    source: 'RFC 6455 §5.5.2',
    rules: [],
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
    source: 'RFC 6455 §7.1.1',
    rules: [100],
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
    source: 'websockets/ws#167',
    rules: [],
    edits: [
      [
        `    this.connection.receive(rest);
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
    source: 'RFC 6455 §6.1',
    rules: [],
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
    id: 'frame-in-two-writes',
    lesson: '05',
    step: 6,
    story:
      'Header and payload written one after the other. It costs twice, and something may come in between.',
    source: 'lalinsky/dusty#121',
    rules: [],
    edits: [
      [
        '      socket.write(bytes);',
        '      socket.write(bytes.subarray(0, 2));\n      socket.write(bytes.subarray(2));',
      ],
    ],
  },
  {
    id: 'socket-destroyed',
    lesson: '05',
    step: 6,
    story:
      'The socket destroyed where it had to be ended: with unread bytes in it, that is a reset, and the Close gets lost.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [
      [
        "if (connection.ending === 'hangUp') socket.end();",
        'if (connection.ending) socket.destroy();',
      ],
    ],
  },
  {
    id: 'tcp-left-open',
    lesson: '05',
    step: 6,
    story:
      'After both Closes, the server leaves it to the client to end TCP, which waits for the server.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [101, 121],
    edits: [
      [
        `    if (connection.ending === 'hangUp') socket.end();
`,
        '',
      ],
      [
        `    if (connection.ending === 'destroy') socket.destroy();
`,
        '',
      ],
    ],
  },
  {
    id: 'timer-set-once',
    lesson: '05',
    step: 6,
    story: 'A timer is set once, and not anew when the deadline has moved.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [['deadline >= this.#timerAt', 'this.#timerAt < NEVER']],
  },
  {
    id: 'end-not-told',
    lesson: '05',
    step: 6,
    story: 'The end of a socket is not noticed: the application goes on with a dead client.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
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
    id: 'bug-swallowed',
    lesson: '05',
    step: 6,
    story:
      'An error of the application is swallowed, and its connection hangs with the answer due.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [],
    edits: [['      this.connection.fail(error);\n', '']],
  },
  {
    id: 'reset-ends-the-server',
    lesson: '05',
    step: 6,
    story:
      'Nobody listens to the `error` of a socket. One client that resets its connection ends the process, for all of them.',
    source: 'WernerLDev/ts-websocket-server-protocol',
    rules: [],
    edits: [
      [
        `    socket.on('end', () => socket.end());
    socket.on('error', ignore);
`,
        `    socket.on('end', () => socket.end());
`,
      ],
    ],
  },
  {
    id: 'never-forgotten',
    lesson: '05',
    step: 7,
    story: 'Connections added and never removed: 1472 in the set, and 26 clients there.',
    source: 'coco-xyz/hxa-connect#174',
    rules: [],
    edits: [
      [
        `        if (event.type === 'close') this.#connections.delete(connection);
`,
        '',
      ],
    ],
  },
  {
    id: 'key-as-identity',
    lesson: '05',
    step: 7,
    story: 'Connections told apart by the key of their request, which the client chooses.',
    source: 'prettydiff/share-file-systems',
    rules: [],
    edits: [
      [
        "if (event.type === 'open') this.#connections.add(connection);",
        `if (event.type === 'open') {
          this.#connections.add(connection);
          this.#connections.delete(this.#byKey.get(event.upgrade.key)!);
          this.#byKey.set(event.upgrade.key, connection);
        }`,
      ],
      [
        'readonly #connections = new Set<Connection>();',
        'readonly #connections = new Set<Connection>();\n  readonly #byKey = new Map<string, Connection>();',
      ],
    ],
  },
  {
    id: 'address-as-identity',
    lesson: '05',
    step: 7,
    story:
      'What has arrived is kept under the address of the client. Behind one router, all have the same.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        'let received: Uint8Array = new Uint8Array(0);',
        'const client = String(socket.remoteAddress);',
      ],
      [
        'received = Buffer.concat([received, chunk]);',
        'const received = Buffer.concat([RECEIVED.get(client) ?? new Uint8Array(0), chunk]);\n      RECEIVED.set(client, received);',
      ],
      [
        'const now = () => performance.now();',
        'const RECEIVED = new Map<string, Uint8Array>();\nconst now = () => performance.now();',
      ],
    ],
  },
  {
    id: 'one-at-a-time',
    lesson: '05',
    step: 7,
    story: 'The next client is looked at when the first is done: a second tab never connects.',
    source: 'MDN: Writing a WebSocket server in C#',
    rules: [],
    edits: [
      [
        '    // Small answers leave at once',
        '    if (this.#strangers.size + this.#connections.size > 0) return;\n    // Small answers leave at once',
      ],
    ],
  },
  {
    id: 'one-read-one-request',
    lesson: '05',
    step: 7,
    story:
      'One read is taken for one request: a head that comes in two is refused, or never answered.',
    source: 'Pithikos/python-websocket-server#26',
    rules: [],
    edits: [['      received = Buffer.concat([received, chunk]);', '      received = chunk;']],
  },
  {
    id: 'head-without-end',
    lesson: '05',
    step: 7,
    story: 'A client that never ends its request is waited for without end.',
    source: 'ghedipunk/PHP-Websockets#46',
    rules: [],
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
    story: 'A refused client is answered, and its connection left open for as long as it likes.',
    source: 'RFC 6455 §7.2.2',
    rules: [132],
    edits: [
      ['    socket.end(answer);', '    socket.write(answer);'],
      ['const timer = setTimeout(() => socket.destroy(), ', 'const timer = setTimeout(() => {}, '],
    ],
  },
  {
    id: 'refused-in-silence',
    lesson: '05',
    step: 7,
    story: 'A refused client is hung up on, without an answer. The browser cannot say why.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['    socket.end(answer);', '    socket.end();']],
  },
  {
    id: 'reset-before-the-request',
    lesson: '05',
    step: 7,
    story:
      'Nobody listens to the `error` of a socket whose request is still arriving. One client that resets there ends the process.',
    source: 'socketio/engine.io#598',
    rules: [],
    edits: [
      [
        `    socket.on('error', ignore);
    socket.on('close', forget);
`,
        `    socket.on('close', forget);
`,
      ],
    ],
  },
  {
    id: 'small-answers-wait',
    lesson: '05',
    step: 7,
    story: 'TCP left to wait for more to send: an answer that is ready goes out 40 ms later.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        `    socket.setNoDelay(true);
`,
        '',
      ],
    ],
  },
  {
    id: 'refused-with-a-reset',
    lesson: '05',
    step: 7,
    story:
      'The connection destroyed right behind the refusal: bytes that were not read reset it away.',
    source: 'RFC 6455 §7.2.2',
    rules: [35],
    edits: [
      [
        '    socket.resume();\n    socket.end(answer);',
        '    socket.end(answer, () => socket.destroy());',
      ],
    ],
  },
  {
    id: 'waits-without-limit',
    lesson: '05',
    step: 8,
    story:
      'Whatever the application sends waits for a client that does not read, until the memory is full.',
    source: 'websockets/ws#1218',
    rules: [150],
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
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        `    this.#events.push({ type: 'drain' });
`,
        '',
      ],
    ],
  },
  {
    id: 'write-result-ignored',
    lesson: '05',
    step: 8,
    story:
      'What `write` says about the socket is ignored: the system’s buffer is full, and ours grows.',
    source: 'nodejs/node#9254',
    rules: [150],
    edits: [
      [
        'return this.#socket.writableLength >= this.#socket.writableHighWaterMark;',
        'return this.#socket.destroyed;',
      ],
    ],
  },
  {
    id: 'reads-from-who-does-not-read',
    lesson: '05',
    step: 8,
    story: 'The answers for a client that does not read pile up in memory.',
    source: 'websockets/ws#1620',
    rules: [150],
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
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['if (connection !== except) connection.send(data);', 'connection.send(data);']],
  },
  {
    id: 'leaves-without-a-word',
    lesson: '05',
    step: 9,
    story: 'A server that is shut down just ends: its clients see 1006, and all come back at once.',
    source: 'RFC 6455 §7.1.2',
    rules: [122],
    edits: [['connection.close(CloseCode.GoingAway)', 'connection.disconnect()']],
  },
  {
    id: 'leaves-with-1000',
    lesson: '05',
    step: 9,
    story: 'A server that is shut down says 1000, as if the work were done.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [['connection.close(CloseCode.GoingAway)', 'connection.close()']],
  },
  {
    id: 'leaves-at-once',
    lesson: '05',
    step: 9,
    story: 'The promise of a shutdown does not wait: the process ends before the Closes are out.',
    source: 'RFC 6455 §7.1.2',
    rules: [],
    edits: [['if (this.#connections.size === 0) resolve();', 'resolve();']],
  },
  {
    id: 'head-forgotten',
    lesson: '05',
    step: 11,
    story: 'What Node has read behind the request is in `head`, and nobody looks there.',
    source: 'oven-sh/bun#43153',
    rules: [],
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
      'The upgrade of an HTTP server does not look at the Origin: any page can use the socket.',
    source: 'CVE-2025-52882',
    rules: [44, 46],
    edits: [['accept(requestHead, head, this.#options)', 'accept(requestHead, head, {})']],
  },
  {
    id: 'half-open',
    lesson: '05',
    step: 11,
    story: 'A socket of an HTTP server stays open when the client ends its side: nobody ends ours.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [],
    edits: [
      [
        `    socket.on('end', () => socket.end());
`,
        '',
      ],
    ],
  },
  {
    id: 'refused-and-reset',
    lesson: '05',
    step: 11,
    story:
      'A refused socket that nobody listens to: ask for an upgrade that nobody wants, reset, and the server is gone.',
    source: 'socketio/socket.io#3564',
    rules: [],
    edits: [
      [
        `    socket.on('error', ignore);
    socket.on('close', () => {
      clearTimeout(timer);`,
        `    socket.on('close', () => {
      clearTimeout(timer);`,
      ],
    ],
  },
  {
    id: 'one-host-of-two',
    lesson: '05',
    step: 11,
    story:
      'Headers as `headers` has them: of two Host lines one is gone, and nobody sees that there were two.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [
      ['Object.entries(headersDistinct).map(', 'Object.entries(request.headers).map('],
      [
        '([name, values]) => [name, values ?? []] as const',
        '([name, value]) => [name, [value ?? []].flat()] as const',
      ],
    ],
  },
];
