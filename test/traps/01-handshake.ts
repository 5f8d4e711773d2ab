import type { Trap } from './trap.ts';

export const TRAPS: readonly Trap[] = [
  {
    id: 'guid-typo',
    step: 1,
    story:
      'The last digit of the GUID lost when it was copied. No browser connects, and nothing says why.',
    source: 'michaldziuba03/websockets',
    rules: [57],
    edits: [['key + GUID', "key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B1'"]],
  },
  {
    id: 'guid-made-up',
    step: 1,
    story: 'A GUID that begins right and ends wrong: made up by somebody, and copied by others.',
    source: 'RFC 6455 §1.3',
    rules: [57],
    edits: [['key + GUID', "key + '258EAFA5-E914-47DA-95CA-5AB9A085B11E'"]],
  },
  {
    id: 'key-decoded',
    step: 1,
    story: 'The key decoded from base64 before it is hashed, because it looks as if it had to be.',
    source: 'RFC 6455 §1.3',
    rules: [57],
    edits: [['.update(key + GUID)', ".update(Buffer.from(key, 'base64'))\n    .update(GUID)"]],
  },
  {
    id: 'accept-hex',
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
    step: 1,
    story:
      'A base64 helper that ends what it returns with a line feed. It slips into the head of the response.',
    source: 'pusher/websockets-from-scratch-tutorial',
    rules: [57],
    edits: [[".digest('base64');", ".digest('base64')\n    .concat('\\n');"]],
  },
  {
    id: 'hash-remembered',
    step: 1,
    story:
      'The last hash kept for the next time, and found by the end of the key, which has four values only.',
    source: 'RFC 6455 §4.2.2',
    rules: [57],
    edits: [
      [
        "  return createHash('sha1')",
        "  const known = remembered.get(key.slice(-3));\n  if (known) return known;\n  const accept = createHash('sha1')",
      ],
      [
        ".digest('base64');\n",
        ".digest('base64');\n  remembered.set(key.slice(-3), accept);\n  return accept;\n",
      ],
      ['const TOKEN =', 'const remembered = new Map<string, string>();\nconst TOKEN ='],
    ],
  },
  {
    id: 'case-sensitive-names',
    step: 2,
    story:
      'Header names kept as they were written. It works until a proxy turns them to lower case.',
    source: 'Theldus/wsServer#98',
    rules: [34],
    edits: [['[name.toLowerCase(), value]', '[name, value]']],
  },
  {
    id: 'every-colon',
    step: 2,
    story:
      'A header line split at every colon. `Host: localhost:8080` loses its port, and an Origin all but its scheme.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['trim(line.slice(colon + 1))', "trim(line.split(':')[1] ?? '')"]],
  },
  {
    id: 'spaces-only',
    step: 2,
    story: 'Only spaces trimmed from a value, and no tabs. A key with a tab is hashed with it.',
    source: 'MDN: Writing a WebSocket server in Java',
    rules: [],
    edits: [['/^[ \\t]+|(?<![ \\t])[ \\t]+$/g', '/^ +| +$/g']],
  },
  {
    id: 'last-line-wins',
    step: 2,
    story:
      'A header that comes twice overwrites itself. Nobody can see any more that there were two keys.',
    source: 'RFC 6455 §11.3.1',
    rules: [],
    edits: [['if (values) values.push(value);\n    else ', '']],
  },
  {
    id: 'unknown-header-refused',
    step: 2,
    story:
      'Only the headers of the standard are accepted, although every browser and proxy sends more.',
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
    step: 2,
    story:
      'White space around a name is forgiven. A line that is indented, or `Host :`, then means one thing here and another at the proxy.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['line.slice(0, Math.max(colon, 0));', 'line.slice(0, Math.max(colon, 0)).trim();']],
  },
  {
    id: 'version-left-out',
    step: 2,
    story: 'A request line without its version accepted, as a tutorial shows it.',
    source: 'javascript.info: WebSocket',
    rules: [35],
    edits: [
      ['words.length !== 3', 'words.length > 3'],
      ['const [method, target, version] =', "const [method, target, version = ''] ="],
      ['if (!/^HTTP', 'if (version && !/^HTTP'],
    ],
  },
  {
    id: 'one-read-one-head',
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
    step: 2,
    story:
      'The head is read into 2048 bytes, and what is longer is cut off. It works until somebody has a long cookie.',
    source: 'hoaproject/Websocket#72',
    rules: [],
    edits: [['.subarray(0, maxHeadBytes)', '.subarray(0, 2048)']],
  },
  {
    id: 'whole-buffer',
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
    step: 2,
    story:
      'The bytes after the blank line are counted to the head, and thrown away with it. The first message is lost, but only when it comes early.',
    source: 'oven-sh/bun#43149',
    rules: [],
    edits: [['length: end + 4', 'length: bytes.length']],
  },
  {
    id: 'no-head-limit',
    step: 2,
    story:
      'No limit to the size of a head. An attacker who sends one without end gets all the memory.',
    source: 'ghedipunk/PHP-Websockets#46',
    rules: [],
    edits: [['if (bytes.length < maxHeadBytes) return undefined;', 'return undefined;']],
  },
  {
    id: 'trimmed-by-javascript',
    step: 2,
    story:
      'White space trimmed with `trim`, which takes every kind of it. A vertical tab, a no-break space or a lone carriage return at the end of a value is gone before anybody looks for it.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [["return text.replace(/^[ \\t]+|(?<![ \\t])[ \\t]+$/g, '');", 'return text.trim();']],
  },
  {
    id: 'carriage-return-trimmed',
    step: 2,
    story:
      'A carriage return trimmed with the spaces, so that `X-A: b\\r\\r\\n` passes. Another program may see two line ends there.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['[ \\t]+$/g', '[ \\t\\r]+$/g']],
  },
  {
    id: 'some-control-characters',
    step: 2,
    story:
      'Only NUL and line ends looked for in a value. A bell or a backspace goes on into the log, and moves the reader’s cursor.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['/[\\x00-\\x08\\x0a-\\x1f\\x7f]/', '/[\\x00\\x0a-\\x1f\\x7f]/']],
  },
  {
    id: 'delete-forgotten',
    step: 2,
    story:
      'The control characters below the space looked for in a value, and DEL, the one above all letters, forgotten.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['\\x1f\\x7f]/', '\\x1f]/']],
  },
  {
    id: 'target-without-space',
    step: 2,
    story:
      'A target that may have anything but a space and bytes beyond ASCII. With a tab in it, another program may see four words in the request line.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['/^[!-~]+$/', '/^[^ \\x80-\\xff]+$/']],
  },
  {
    id: 'token-with-comma',
    step: 2,
    story:
      'The characters of a token copied into a pattern as the text has them. `+-.` is a range there, and a comma is in it.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [["/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/", "/^[!#$%&'*+-.^_`|~0-9A-Za-z]+$/"]],
  },
  {
    id: 'names-of-words',
    step: 2,
    story:
      'A header name taken for letters, digits and hyphens. `X.Trace` and `X!` are good names, and the request is refused.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['  if (!TOKEN.test(name)) {\n', '  if (!/^[\\w-]+$/.test(name)) {\n']],
  },
  {
    id: 'head-as-utf8',
    step: 2,
    story:
      'The head decoded as UTF-8. A byte that is none becomes U+FFFD, and behind a letter of two bytes every position is wrong.',
    source: 'RFC 6455 §4.2.1',
    rules: [43],
    edits: [[".toString('latin1')", '.toString()']],
  },
  {
    id: 'version-in-any-case',
    step: 2,
    story:
      '`http/1.1` taken for HTTP. The name of the protocol has one spelling, unlike that of a header.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['\\d\\.\\d$/.test(version)', '\\d\\.\\d$/i.test(version)']],
  },
  {
    id: 'headers-in-one-map',
    step: 2,
    story:
      'One map for the headers of every request, cleared and used again. The first request gets the headers of the second.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [
      ['const TOKEN =', 'const headers = new Map<string, string[]>();\nconst TOKEN ='],
      ['  const headers = new Map<string, string[]>();\n  for', '  headers.clear();\n  for'],
    ],
  },
  {
    id: 'head-limit-on-all-bytes',
    step: 2,
    story:
      'The limit applied to all the bytes that have arrived. A client that sends its first message early is refused.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '  const end = text',
        "  if (bytes.length > maxHeadBytes) throw new HandshakeError(431, '10.4', 'The head is too long.');\n  const end = text",
      ],
    ],
  },
  {
    id: 'head-limit-off-by-one',
    step: 2,
    story: 'A head that fills the limit without an end waited for, though it can only be too long.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['bytes.length < maxHeadBytes', 'bytes.length <= maxHeadBytes']],
  },
  {
    id: 'head-limit-made-up',
    step: 2,
    story:
      'Another limit than the one that is written down, where no limit is given. People who read the constant plan with it.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['maxHeadBytes = MAX_HEAD_BYTES,', 'maxHeadBytes = 20_000,']],
  },
  {
    id: 'last-blank-line',
    step: 2,
    story:
      'The head taken to end at the last blank line that is there. The bytes of a frame can be anything, and a blank line as well.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [["text.indexOf('\\r\\n\\r\\n')", "text.lastIndexOf('\\r\\n\\r\\n')"]],
  },
  {
    id: 'any-character-for-a-dot',
    step: 2,
    story:
      'The dot of the version written into a pattern as it is, where it means any character: `HTTP/1x1` passes.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['\\d\\.\\d$/', '\\d.\\d$/']],
  },
  {
    id: 'target-decoded',
    step: 2,
    story:
      'The target decoded when it is read. `%2F` and `/` are then the same to the code that looks for the path, and they shouldn’t be.',
    source: 'RFC 6455 §4.2.1',
    rules: [36],
    edits: [['return { method, target,', 'return { method, target: decodeURIComponent(target),']],
  },
  {
    id: 'twenty-headers',
    step: 2,
    story:
      'Room for twenty headers, since no browser sends more. With the cookies, traces and addresses that proxies add, some do.',
    source: 'RFC 6455 §4.2.1',
    rules: [43],
    edits: [
      ['headers, length: end + 4', 'headers: new Map([...headers].slice(0, 20)), length: end + 4'],
    ],
  },
  {
    id: 'head-bytes-erased',
    step: 2,
    story:
      'The bytes of the head overwritten when they are read, lest a cookie stay in memory. They belong to the caller, and so does the frame behind them.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['  const end = text', '  bytes.fill(0);\n  const end = text']],
  },
  {
    id: 'names-as-browsers-write',
    step: 3,
    story:
      'The key looked up in the spelling of browsers. Behind a router that writes `Sec-Websocket-Key`, nobody connects.',
    source: 'lihaoyi/SprayWebSockets#6',
    rules: [34],
    edits: [["valuesOf(request, 'sec-websocket-key')", "valuesOf(request, 'Sec-WebSocket-Key')"]],
  },
  {
    id: 'any-method',
    step: 3,
    story: 'The method never looked at: a POST becomes a WebSocket.',
    source: 'OneUptime: WebSocket server from scratch',
    rules: [35, 36],
    edits: [["request.method !== 'GET'", 'false']],
  },
  {
    id: 'get-and-more',
    step: 3,
    story: 'Only the first three letters of the method compared, so that GETX passes.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 36],
    edits: [["request.method !== 'GET'", "request.method.slice(0, 3) !== 'GET'"]],
  },
  {
    id: 'any-http',
    step: 3,
    story: 'The version of HTTP never looked at. HTTP/1.0 knows no upgrade.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [35, 36],
    edits: [["request.version < 'HTTP/1.1'", 'false']],
  },
  {
    id: 'no-whole-uri',
    step: 3,
    story: 'Only a path taken for a target. Some proxies send the whole URI, which is as legal.',
    source: 'RFC 6455 §4.2.1',
    rules: [36],
    edits: [['if (resource === undefined) return undefined;', 'if (resource) return undefined;']],
  },
  {
    id: 'no-host',
    step: 3,
    story: 'A request without Host accepted.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 37],
    edits: [["valuesOf(request, 'host').length !== 1", "valuesOf(request, 'host').length > 1"]],
  },
  {
    id: 'host-first',
    step: 3,
    story: 'Host expected in the first line, where most clients have it. Their order is free.',
    source: 'RFC 6455 §4.2.1',
    rules: [43],
    edits: [
      ["valuesOf(request, 'host').length !== 1", "[...request.headers.keys()][0] !== 'host'"],
    ],
  },
  {
    id: 'any-upgrade',
    step: 3,
    story: 'Upgrade never looked at: every HTTP request with a key becomes a WebSocket.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [35, 38],
    edits: [["!hasToken(request, 'upgrade', 'websocket')", 'false']],
  },
  {
    id: 'items-trimmed-by-javascript',
    step: 3,
    story:
      'The items of a list trimmed with `trim`. A proxy that trims spaces and tabs alone sees a no-break space in the word, and no upgrade.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 38],
    edits: [["split(',').map(trim);", "split(',').map((item) => item.trim());"]],
  },
  {
    id: 'connection-equals',
    step: 3,
    story:
      'Connection compared for equality. It works in Chrome, and fails in Firefox, which sends `keep-alive, Upgrade`.',
    source: 'karlseguin/websocket.zig#4',
    rules: [39],
    edits: [
      [
        "!hasToken(request, 'connection', 'upgrade')",
        "valuesOf(request, 'connection')[0]?.toLowerCase() !== 'upgrade'",
      ],
    ],
  },
  {
    id: 'connection-contains',
    step: 3,
    story: 'Connection searched for the word, so that `not-upgrade-really` passes.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [35, 39],
    edits: [
      [
        "!hasToken(request, 'connection', 'upgrade')",
        "!valuesOf(request, 'connection').join().toLowerCase().includes('upgrade')",
      ],
    ],
  },
  {
    id: 'connection-as-written',
    step: 3,
    story: 'Only `Upgrade` with a capital taken for the token. nginx sends `upgrade`.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [39],
    edits: [
      [
        "!hasToken(request, 'connection', 'upgrade')",
        "!itemsOf(request, 'connection').includes('Upgrade')",
      ],
    ],
  },
  {
    id: 'no-key',
    step: 4,
    story:
      'A request without a key accepted, and the text "undefined" or nothing hashed instead of it.',
    source: 'peakchen90/tiny-websocket',
    rules: [35, 40],
    edits: [['if (!/^[A-Za-z0-9+/]{22}', 'if (key && !/^[A-Za-z0-9+/]{22}']],
  },
  {
    id: 'any-key',
    step: 4,
    story: 'The key not checked to be 16 bytes. A guide even shows one of seven.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [35, 40],
    edits: [['/^[A-Za-z0-9+/]{22}==$/', '/^[A-Za-z0-9+/]+=*$/']],
  },
  {
    id: 'two-keys',
    step: 4,
    story:
      'Two keys accepted. One server hashes the first, the proxy before it the last, and they disagree on what was asked.',
    source: 'RFC 6455 §11.3.1',
    rules: [35, 61],
    edits: [['if (moreKeys.length > 0)', 'if (moreKeys.length > 99)']],
  },
  {
    id: 'any-version',
    step: 4,
    story:
      'The version never compared: a client of an old draft is accepted and sends other frames.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 41, 47],
    edits: [["versions[0] !== '13'", 'versions[0] === undefined']],
  },
  {
    id: 'refused-and-accepted',
    step: 4,
    story:
      'The refusal is made, and the code runs on to the acceptance: a `throw` or `return` is missing.',
    source: 'patryksztuczka/websocket-protocol',
    rules: [35, 41, 47],
    edits: [['throw new HandshakeError(426,', 'new HandshakeError(426,']],
  },
  {
    id: 'version-not-said',
    step: 4,
    story: 'Another version refused without a word about which one is spoken here.',
    source: 'RFC 6455 §4.4',
    rules: [47, 60],
    edits: [["      'Sec-WebSocket-Version': '13',\n", '']],
  },
  {
    id: 'two-versions',
    step: 4,
    story: 'Two version headers accepted, and the second never read.',
    source: 'RFC 6455 §11.3.5',
    rules: [35, 65],
    edits: [['if (versions.length > 1)', 'if (versions.length > 99)']],
  },
  {
    id: 'first-protocol-line',
    step: 4,
    story: 'Only the first line of the offered subprotocols read. Several lines are one list.',
    source: 'RFC 6455 §11.3.4',
    rules: [64],
    edits: [
      [
        "itemsOf(request, 'sec-websocket-protocol');",
        "valuesOf(request, 'sec-websocket-protocol')\n    .slice(0, 1)\n    .flatMap((line) => line.split(',').map(trim));",
      ],
    ],
  },
  {
    id: 'method-in-any-case',
    step: 3,
    story: '`get` taken for GET. The method is one of the few names in HTTP whose case matters.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 36],
    edits: [["request.method !== 'GET'", "request.method.toUpperCase() !== 'GET'"]],
  },
  {
    id: 'version-by-parse-int',
    step: 4,
    story:
      'The version read with `parseInt`, which stops at the first character that isn’t a digit: `13abc` is 13.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 41],
    edits: [["versions[0] !== '13'", "Number.parseInt(versions[0] ?? '', 10) !== 13"]],
  },
  {
    id: 'version-by-number',
    step: 4,
    story:
      'The version read with `Number`, which knows `0x0d`, `1.3e1` and white space: all of them are 13.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 41],
    edits: [["versions[0] !== '13'", 'Number(versions[0]) !== 13']],
  },
  {
    id: 'key-of-word-characters',
    step: 4,
    story: 'The digits of base64 written as `\\w`, which has the underscore, too.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 40],
    edits: [['/^[A-Za-z0-9+/]{22}==$/', '/^[\\w+/]{22}==$/']],
  },
  {
    id: 'key-decoded-and-encoded',
    step: 4,
    story:
      'The key decoded, encoded and compared with itself. A client need not set the four bits that mean nothing to 0, and is then refused.',
    source: 'RFC 6455 §4.1',
    rules: [40],
    edits: [
      [
        '!/^[A-Za-z0-9+/]{22}==$/.test(key)',
        "Buffer.from(key, 'base64').length !== 16 || Buffer.from(key, 'base64').toString('base64') !== key",
      ],
    ],
  },
  {
    id: 'key-decoded-only',
    step: 4,
    story:
      'The key decoded, and the bytes counted. `Buffer.from` skips what is not base64, so a key may have anything in it.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 40],
    edits: [['!/^[A-Za-z0-9+/]{22}==$/.test(key)', "Buffer.from(key, 'base64').length !== 16"]],
  },
  {
    id: 'two-origins-the-same',
    step: 4,
    story:
      'The same Origin twice taken for one. Which of two lines a program reads is its own choice, and so there may not be two.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['origins.length > 1', 'new Set(origins).size > 1']],
  },
  {
    id: 'origin-in-lower-case',
    step: 4,
    story:
      'The Origin turned to lower case when it is read. It is compared character by character, and this is no longer what the browser said.',
    source: 'RFC 6455 §10.2',
    rules: [],
    edits: [['origin: origins[0], protocols', 'origin: origins[0]?.toLowerCase(), protocols']],
  },
  {
    id: 'empty-origin-is-none',
    step: 4,
    story: 'An empty Origin turned into none. The check of step 6 accepts a client that has none.',
    source: 'RFC 6455 §10.2',
    rules: [],
    edits: [['origin: origins[0], protocols', 'origin: origins[0] || undefined, protocols']],
  },
  {
    id: 'any-scheme',
    step: 3,
    story: 'Any scheme accepted in a target. A server that is asked for `ftp://` is the wrong one.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 36],
    edits: [['/^https?:\\/\\/[^/?#]+([^#]*)/i', '/^\\w+:\\/\\/[^/?#]+([^#]*)/i']],
  },
  {
    id: 'query-without-path',
    step: 3,
    story:
      'A whole URI with a query and no path: `http://h?x=1` becomes `?x=1`, which isn’t a resource name, because those begin with a slash.',
    source: 'RFC 6455 §3',
    rules: [36],
    edits: [["resource.startsWith('/') ? resource :", "resource || '/'; //"]],
  },
  {
    id: 'path-by-url',
    step: 3,
    story:
      'A path read with `new URL`, which rewrites it: `/a/../b` becomes `/b`. At `//[` it throws a TypeError, and ends the server.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 36],
    edits: [
      [
        "if (target.startsWith('/')) return target;",
        "if (target.startsWith('/')) {\n    const { pathname, search } = new URL(target, 'http://host');\n    return pathname + search;\n  }",
      ],
    ],
  },
  {
    id: 'whole-uri-by-url',
    step: 3,
    story:
      'A whole URI read with `new URL`, which rewrites the path. At the port 999999 it throws a TypeError, which nobody catches.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 36],
    edits: [
      [
        '  const resource = /^https?',
        '  if (/^https?:\\/\\/[^/?#]/i.test(target)) {\n    const { pathname, search } = new URL(target);\n    return pathname + search;\n  }\n  const resource = /^https?',
      ],
    ],
  },
  {
    id: 'subprotocols-in-lower-case',
    step: 4,
    story:
      'The names of subprotocols turned to lower case, like those of headers. The client doesn’t find its own name in the response.',
    source: 'RFC 6455 §4.2.2',
    rules: [],
    edits: [
      [
        "    throw badRequest('Sec-WebSocket-Protocol has to list different tokens.');\n  }\n",
        "    throw badRequest('Sec-WebSocket-Protocol has to list different tokens.');\n  }\n  protocols.forEach((name, i) => protocols.splice(i, 1, name.toLowerCase()));\n",
      ],
    ],
  },
  {
    id: 'empty-item-kept',
    step: 4,
    story:
      'An empty item of a list kept as a name, such as the one between the commas of `chat,,superchat`. It’s then on offer, and can be chosen.',
    source: 'RFC 6455 §4.1',
    rules: [35],
    edits: [
      ['every((name) => TOKEN.test(name))', "every((name) => name === '' || TOKEN.test(name))"],
    ],
  },
  {
    id: 'scheme-as-written',
    step: 3,
    story: 'The scheme of a whole URI compared with its case. `HTTP://` is the same one.',
    source: 'RFC 6455 §4.2.1',
    rules: [36],
    edits: [['([^#]*)/i.exec', '([^#]*)/.exec']],
  },
  {
    id: 'two-hosts-the-same',
    step: 3,
    story: 'The same Host twice taken for one. HTTP wants a 400 for any request with two.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 37],
    edits: [
      ["valuesOf(request, 'host').length !== 1", "new Set(valuesOf(request, 'host')).size !== 1"],
    ],
  },
  {
    id: 'key-of-any-length',
    step: 4,
    story:
      'A key of 22 digits or more accepted. A pattern that ends with `{22,}` counts from below only.',
    source: 'RFC 6455 §4.2.1',
    rules: [35, 40],
    edits: [['{22}==$/', '{22,}==$/']],
  },
  {
    id: 'subprotocols-alike',
    step: 4,
    story:
      '`chat` and `Chat` taken for the same name. The case of a subprotocol matters, so these are two.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [
      ['new Set(protocols).size', 'new Set(protocols.map((name) => name.toLowerCase())).size'],
    ],
  },
  {
    id: 'header-values-taken-out',
    step: 3,
    story:
      'The values taken out of their list, with `splice` or `shift`. When the request is looked at again, it has changed.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [
      [
        "valuesOf(request, 'host').length !== 1",
        "(valuesOf(request, 'host') as string[]).splice(0).length !== 1",
      ],
    ],
  },
  {
    id: 'no-blank-line',
    step: 5,
    story:
      'The 101 without its blank line. The browser waits for it for ever, and says nothing: a question that many have asked.',
    source: 'Stack Overflow 12295929',
    rules: [53],
    edits: [[".join('')}\\r\\n", ".join('')}"]],
  },
  {
    id: 'line-feeds-only',
    step: 5,
    story:
      'Header lines that end with a line feed only. Lenient clients take them, and others wait.',
    source: 'RFC 6455 §4.2.2',
    rules: [53],
    edits: [['}\\r\\n`;', '}\\n`;']],
  },
  {
    id: 'body-in-the-101',
    step: 5,
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
    step: 5,
    story: 'A 200, as if it were a page. The client takes it for a refusal.',
    source: 'RFC 6455 §4.2.2',
    rules: [54],
    edits: [["'101 Switching Protocols'", "'200 OK'"]],
  },
  {
    id: 'no-upgrade-header',
    step: 5,
    story: 'The 101 does not say to what it switches.',
    source: 'RFC 6455 §4.2.2',
    rules: [55],
    edits: [
      ["    Upgrade: 'websocket',\n    Connection: 'Upgrade',\n", "    Connection: 'Upgrade',\n"],
    ],
  },
  {
    id: 'connection-echoed',
    step: 5,
    story: 'The Connection header of Firefox sent back as it came, with its keep-alive.',
    source: 'RFC 6455 §4.2.2',
    rules: [56],
    edits: [
      ["    Connection: 'Upgrade',\n    'Sec", "    Connection: 'keep-alive, Upgrade',\n    'Sec"],
    ],
  },
  {
    id: 'key-sent-back',
    step: 5,
    story: 'The key itself sent back, as if that proved that it was understood.',
    source: 'RFC 6455 §4.2.2',
    rules: [57],
    edits: [["'Sec-WebSocket-Accept': acceptKey(key)", "'Sec-WebSocket-Accept': key"]],
  },
  {
    id: 'accept-twice',
    step: 5,
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
    step: 5,
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
    step: 5,
    story:
      'A subprotocol chosen and not said. A browser that had offered some closes the TCP connection.',
    source: 'sitegui/nodejs-websocket#29',
    rules: [44],
    edits: [["  if (protocol !== undefined) headers['Sec-WebSocket-Protocol'] = protocol;\n", '']],
  },
  {
    id: 'protocol-twice',
    step: 5,
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
    step: 5,
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
    step: 5,
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
    step: 5,
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
    step: 5,
    story:
      'The number of every refusal 400. The client cannot tell a wrong version from a wrong origin.',
    source: 'RFC 6455 §4.2.2',
    rules: [154],
    edits: [['{error.status} $', '{400} $']],
  },
  {
    id: 'refusal-kept-alive',
    step: 5,
    story: 'A refusal that does not say that this is the end. The client sends its next request.',
    source: 'RFC 6455 §7.2.2',
    rules: [132],
    edits: [["    Connection: 'close',\n    ...error", '    ...error']],
  },
  {
    id: 'character-count',
    step: 5,
    story: 'Content-Length counted in characters. A reason in Chinese arrives cut off.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['Buffer.byteLength(body)', 'body.length']],
  },
  {
    id: 'header-injected',
    step: 5,
    story: 'A header value written without a look at it: a line break in it starts a new header.',
    source: 'ninjasource/Ninja.WebSockets#4',
    rules: [],
    edits: [['if (/[\\r\\n]/.test(name + value))', 'if (/[\\r\\n]/.test(name))']],
  },
  {
    id: 'tokens-of-words',
    step: 5,
    story:
      'A subprotocol taken for letters, digits and hyphens. `v12.stomp` is a token, and its server throws at its own response.',
    source: 'RFC 6455 §4.3',
    rules: [59],
    edits: [
      [
        'protocol !== undefined && !TOKEN.test(protocol)',
        'protocol !== undefined && !/^[\\w-]+$/.test(protocol)',
      ],
    ],
  },
  {
    id: 'injected-by-name',
    step: 5,
    story:
      'Only the values of headers looked at. A line break in a name starts a header just as well.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['test(name + value)', 'test(value)']],
  },
  {
    id: 'lone-line-feed',
    step: 5,
    story:
      'Only the pair `\\r\\n` looked for in a header. Many programs take a lone line feed for a line end.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [['/[\\r\\n]/.test(name + value)', '/\\r\\n/.test(name + value)']],
  },
  {
    id: 'wide-characters-cut',
    step: 5,
    story:
      'A head written with one byte for each character. `Ċ`, U+010A, is cut to 0a, and that is a line feed.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [
      ['return Buffer.from(`HTTP', 'return Buffer.concat([Buffer.from(`HTTP'],
      ["('')}\\r\\n$", "('')}\\r\\n`, 'latin1'), Buffer.from(`$"],
      ['{body}`);', '{body}`)]);'],
    ],
  },
  {
    id: 'responses-in-one-buffer',
    step: 5,
    story:
      'Every response written into the same buffer, to save memory. The second overwrites the first while that still waits in a socket.',
    source: 'RFC 6455 §4.2.2',
    rules: [],
    edits: [
      ['function response(', 'const shared = Buffer.alloc(64 * 1024);\n\nfunction response('],
      ['return Buffer.from(`HTTP', 'const length = shared.write(`HTTP'],
      ['{body}`);', '{body}`);\n  return shared.subarray(0, length);'],
    ],
  },
  {
    id: 'letters-of-unicode',
    step: 5,
    story:
      'The letters of a token matched with the flags `iu`. To them, the long s, U+017F, is an `s`, and the sign for kelvin a `k`.',
    source: 'RFC 6455 §4.3',
    rules: [59],
    edits: [['0-9A-Za-z-]+$/', '0-9a-z-]+$/iu']],
  },
  {
    id: 'any-origin',
    step: 6,
    story:
      'The Origin never compared. Any page that a user opens can use the server with his cookies.',
    source: 'CVE-2025-52882',
    rules: [46, 147],
    edits: [['!policy.origins.includes(upgrade.origin)', "upgrade.origin === ''"]],
  },
  {
    id: 'origin-contains',
    step: 6,
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
    step: 6,
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
    step: 6,
    story: '`null` accepted, for pages from a file. A sandboxed frame of any site has that Origin.',
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
    step: 6,
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
    step: 6,
    story: 'The path never looked at: every path is the same service.',
    source: 'OneUptime: WebSocket server from scratch',
    rules: [48],
    edits: [
      ['if (policy.paths && !policy.paths.includes(path))', "if (policy.paths && path === '')"],
    ],
  },
  {
    id: 'protocol-uninvited',
    step: 6,
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
    step: 6,
    story:
      'No common subprotocol, and an empty one chosen: the first repair of a server that had sent one unasked.',
    source: 'ninjasource/Ninja.WebSockets#4',
    rules: [50],
    edits: [['policy.protocols?.includes(name));', "policy.protocols?.includes(name)) ?? '';"]],
  },
  {
    id: 'offer-ignored',
    step: 6,
    story:
      'The offer never read. A browser that insists on a subprotocol closes the TCP connection.',
    source: 'SWI-Prolog/packages-http#57',
    rules: [],
    edits: [['return upgrade.protocols.find(', 'upgrade.protocols.find(']],
  },
  {
    id: 'origin-in-any-case',
    step: 6,
    story:
      'Origins compared without their case. A browser writes its own in one way, so another spelling was not written by a browser.',
    source: 'RFC 6455 §10.2',
    rules: [46, 147],
    edits: [
      [
        '!policy.origins.includes(upgrade.origin)',
        '!policy.origins.some((origin) => origin.toLowerCase() === upgrade.origin?.toLowerCase())',
      ],
    ],
  },
  {
    id: 'empty-origin-let-in',
    step: 6,
    story:
      'An empty Origin taken for none, since both are falsy. It is on no list, and gets past every one.',
    source: 'RFC 6455 §10.2',
    rules: [46, 147],
    edits: [['upgrade.origin !== undefined &&', 'upgrade.origin &&']],
  },
  {
    id: 'no-paths-is-all-paths',
    step: 6,
    story:
      'An empty list of paths taken for none. When the last path is switched off, all of them open.',
    source: 'RFC 6455 §4.2.2',
    rules: [48],
    edits: [['if (policy.paths && ', 'if (policy.paths?.length && ']],
  },
  {
    id: 'no-origins-is-all-origins',
    step: 6,
    story:
      'An empty list of origins taken for none. A server that no page may call accepts every one.',
    source: 'RFC 6455 §10.2',
    rules: [46, 147],
    edits: [['if (policy.origins && ', 'if (policy.origins?.length && ']],
  },
  {
    id: 'route-by-url',
    step: 6,
    story:
      'The path taken out of the resource with `new URL`. `//[` makes it throw a TypeError, and `/x/../chat` is accepted as `/chat`.',
    source: 'RFC 6455 §4.2.2',
    rules: [48],
    edits: [
      [
        "const path = upgrade.resource.split('?')[0]!;",
        "const path = new URL(upgrade.resource, 'http://host').pathname;",
      ],
    ],
  },
  {
    id: 'path-prefix',
    step: 6,
    story: 'The beginning of the path compared, so that `/chatter` passes for `/chat`.',
    source: 'RFC 6455 §4.2.2',
    rules: [48],
    edits: [
      ['!policy.paths.includes(path)', '!policy.paths.some((known) => path.startsWith(known))'],
    ],
  },
  {
    id: 'offer-used-up',
    step: 6,
    story:
      'The offer read with `shift` until a name fits. It belongs to the request, which offers less the next time.',
    source: 'RFC 6455 §4.2.2',
    rules: [],
    edits: [
      [
        'return upgrade.protocols.find((name) => policy.protocols?.includes(name));',
        'const offer = upgrade.protocols as string[];\n  for (let name = offer.shift(); name; name = offer.shift()) if (policy.protocols?.includes(name)) return name;\n  return undefined;',
      ],
    ],
  },
  {
    id: 'version-in-a-list',
    step: 4,
    story: 'The version is treated like Upgrade, as a list that has to include 13.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [
      ["if (versions[0] !== '13') {", "if (!hasToken(request, 'sec-websocket-version', '13')) {"],
    ],
  },
];
