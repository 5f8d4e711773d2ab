import type { Trap } from './trap.ts';

/** Steps 1 to 4: the opening handshake. */
const OPENING: readonly Trap[] = [
  {
    id: 'host-without-port',
    step: 1,
    story:
      'The Host header made of the name alone. A server that looks for its port answers 400: that of the Autobahn suite does.',
    source: 'Textalk/websocket-php#14',
    rules: [17],
    edits: [['hostHeader: url.host,', 'hostHeader: url.hostname,']],
  },
  {
    id: 'usual-port-in-host',
    step: 1,
    story:
      'The port in every Host header, also where it is the usual one. AWS IoT signs the Host, and answers 403.',
    source: 'yhirose/cpp-httplib#2480',
    rules: [17],
    edits: [
      [
        'hostHeader: url.host,',
        "hostHeader: url.hostname + ':' + (url.port || (secure ? 443 : 80)),",
      ],
    ],
  },
  {
    id: 'ipv6-host-bare',
    step: 1,
    story:
      'An IPv6 address in the Host header without its brackets: nobody can tell where the port begins.',
    source: 'python-websockets/websockets#802',
    rules: [17],
    edits: [['hostHeader: url.host,', "hostHeader: url.host.replace(/[[\\]]/g, ''),"]],
  },
  {
    id: 'ipv6-connect-brackets',
    step: 1,
    story: 'The brackets of the URL handed on to the socket, which looks for a host of that name.',
    source: 'theturtle32/WebSocket-Node#303',
    rules: [17],
    edits: [["host: url.hostname.replace(/[[\\]]/g, ''),", 'host: url.hostname,']],
  },
  {
    id: 'user-in-host',
    step: 1,
    story: 'The part of the URL before its path taken as the Host: a password goes with it.',
    source: 'websockets/ws#1831',
    rules: [17],
    edits: [['hostHeader: url.host,', "hostHeader: url.href.split('/')[2]!,"]],
  },
  {
    id: 'query-dropped',
    step: 1,
    story: 'The query left out of the request. With it goes the token, and the server answers 401.',
    source: 'yhirose/cpp-httplib#2468',
    rules: [3],
    edits: [['resource: url.pathname + url.search,', 'resource: url.pathname,']],
  },
  {
    id: 'query-without-slash',
    step: 1,
    story: 'A URL without a path asked for as `GET ?x=1`. The server hangs up.',
    source: 'netty/netty#10095',
    rules: [3],
    edits: [
      [
        'resource: url.pathname + url.search,',
        "resource: (url.search && url.pathname === '/' ? '' : url.pathname) + url.search,",
      ],
    ],
  },
  {
    id: 'lone-question-mark',
    step: 1,
    story: 'The resource cut out of the whole URL: a `?` with nothing behind it goes along.',
    source: 'nodejs/undici',
    rules: [3],
    edits: [
      [
        'resource: url.pathname + url.search,',
        "resource: url.href.slice(url.href.indexOf('/', url.protocol.length + 2)),",
      ],
    ],
  },
  {
    id: 'resource-decoded',
    step: 1,
    story:
      'The resource decoded before it is sent. %0d%0a becomes a line break, and what follows is a header.',
    source: 'circuits/circuits#251',
    rules: [2],
    edits: [
      [
        'resource: url.pathname + url.search,',
        'resource: (url.pathname + url.search).replace(/%(23|0d|0a|20)/g, unescape),',
      ],
    ],
  },
  {
    id: 'resource-not-ascii',
    step: 1,
    story:
      'The resource decoded for people to read it. What was encoded goes out as bytes of some other encoding.',
    source: 'RFC 6455 §11.1',
    rules: [4],
    edits: [
      [
        'resource: url.pathname + url.search,',
        'resource: (url.pathname + url.search).replace(/(%[89A-F].)+/g, decodeURI),',
      ],
    ],
  },
  {
    id: 'empty-fragment',
    step: 1,
    story: 'A fragment looked for in `hash`, which is empty for a `#` with nothing behind it.',
    source: 'websockets/ws',
    rules: [1, 6],
    edits: [["url.href.includes('#')", "url.hash !== ''"]],
  },
  {
    id: 'fragment-cut',
    step: 1,
    story:
      'A fragment cut off in silence, as in the URL of a page. Nobody hears that a part of it was lost.',
    source: 'RFC 6455 §3',
    rules: [1, 6],
    edits: [
      [
        "  if (url.href.includes('#')) throw invalid('A WebSocket URL has no fragment.');\n",
        "  url.hash = '';\n",
      ],
    ],
  },
  {
    id: 'error-of-javascript',
    step: 1,
    story:
      'The SyntaxError of JavaScript thrown for a URL, as `ws` does. Code that was written for a browser looks for the `code` 12 of a DOMException.',
    source: 'websockets/ws',
    rules: [6],
    edits: [["new DOMException(message, 'SyntaxError')", 'new SyntaxError(message)']],
  },
  {
    id: 'relative-url',
    step: 1,
    story: 'What isn’t a URL by itself read as a path on this machine, instead of being refused.',
    source: 'RFC 6455 §4.1',
    rules: [6],
    edits: [['new URL(text);', "new URL(text, 'ws://localhost');"]],
  },
  {
    id: 'port-zero',
    step: 1,
    story:
      '`Number(url.port) || 80`: port 0 becomes another one, and the Host header names the first.',
    source: 'RFC 6455 §3',
    rules: [3],
    edits: [['Number(url.port || (secure ? 443 : 80))', 'Number(url.port) || (secure ? 443 : 80)']],
  },
  {
    id: 'wss-on-80',
    step: 1,
    story: 'The port of wss taken from ws. The TLS handshake meets a server that speaks HTTP.',
    source: 'RFC 6455 §3',
    rules: [3],
    edits: [['(secure ? 443 : 80)', '80']],
  },
  {
    id: 'key-of-hex',
    step: 2,
    story: 'Sixteen hex digits instead of 16 bytes: half of the key is known before it is made.',
    source: 'RFC 6455 §4.1',
    rules: [20],
    edits: [
      [
        'Buffer.from(random(16)).toString',
        "Buffer.from(Buffer.from(random(16)).toString('hex').slice(16)).toString",
      ],
    ],
  },
  {
    id: 'key-by-math-random',
    step: 2,
    story:
      'Math.random where there is no better source at hand. Its numbers can be computed from those before.',
    source: 'nodejs/undici#3204',
    rules: [20],
    edits: [
      [
        'random: (size: number) => Uint8Array = randomBytes): string {',
        'random = (size: number) => Uint8Array.from({ length: size }, () => Math.random() * 256)): string {',
      ],
    ],
  },
  {
    id: 'key-made-once',
    step: 2,
    story:
      'One key for the whole program. A response that was stored somewhere is right for every connection.',
    source: 'RFC 6455 §4.1',
    rules: [21],
    edits: [
      [
        "  return Buffer.from(random(16)).toString('base64');\n",
        "  lastKey ??= Buffer.from(random(16)).toString('base64');\n  return lastKey;\n",
      ],
      ['const TOKEN =', 'let lastKey: string | undefined;\nconst TOKEN ='],
    ],
  },
  {
    id: 'get-in-http-1-0',
    step: 2,
    story: 'A request of HTTP/1.0, which has no upgrades.',
    source: 'RFC 6455 §4.1',
    rules: [15],
    edits: [[' HTTP/1.1`,', ' HTTP/1.0`,']],
  },
  {
    id: 'resource-encoded-again',
    step: 2,
    story:
      'The resource encoded once more, although it was. %20 becomes %2520, and the token is a wrong one.',
    source: 'RFC 6455 §4.1',
    rules: [16],
    edits: [['{target.resource} HTTP', '{encodeURI(target.resource)} HTTP']],
  },
  {
    id: 'host-to-connect-to',
    step: 2,
    story: 'What one connects to sent as the Host: no port, and no brackets.',
    source: 'uNetworking/uWebSockets#623',
    rules: [17],
    edits: [['target.hostHeader', 'target.host']],
  },
  {
    id: 'upgrade-left-out',
    step: 2,
    story: 'The request of any HTTP client. The server answers with its page.',
    source: 'RFC 6455 §4.1',
    rules: [18],
    edits: [["    'Upgrade: websocket',\n", '']],
  },
  {
    id: 'connection-keep-alive',
    step: 2,
    story:
      'The Connection of any HTTP client. A proxy takes an Upgrade away that nobody has named there.',
    source: 'RFC 6455 §4.1',
    rules: [19],
    edits: [["'Connection: Upgrade'", "'Connection: keep-alive'"]],
  },
  {
    id: 'version-of-a-draft',
    step: 2,
    story: 'The version of a draft, which was current when the code was copied.',
    source: 'RFC 6455 §4.1',
    rules: [23],
    edits: [["'Sec-WebSocket-Version: 13'", "'Sec-WebSocket-Version: 8'"]],
  },
  {
    id: 'origin-made-up',
    step: 2,
    story:
      'An Origin that nobody has asked for. The debugger of Chromium knows it for a page, and answers 403.',
    source: 'websockets/ws#494',
    rules: [],
    edits: [
      [
        "    'Upgrade: websocket',\n",
        "    'Upgrade: websocket',\n    'Origin: http://' + target.hostHeader,\n",
      ],
    ],
  },
  {
    id: 'subprotocol-unchecked',
    step: 2,
    story:
      'Subprotocols written as they come. One with a line break in it brings headers of its own.',
    source: '7etsuo/tetsuo-pulse#3489',
    rules: [24],
    edits: [['if (!protocols.every((name) => TOKEN.test(name)) || new Set', 'if (new Set']],
  },
  {
    id: 'subprotocol-in-any-case',
    step: 2,
    story: '`chat` and `CHAT` taken for the same subprotocol, as with the names of headers.',
    source: 'nodejs/undici',
    rules: [24],
    edits: [
      ['new Set(protocols).size', 'new Set(protocols.map((name) => name.toLowerCase())).size'],
    ],
  },
  {
    id: 'header-unchecked',
    step: 2,
    story:
      'Headers written as they come. A value with a line break is two headers, or the end of the head.',
    source: 'circuits/circuits#251',
    rules: [14],
    edits: [
      [
        ' || !HEADER_VALUE.test(value)) {\n      throw new TypeError',
        ') {\n      throw new TypeError',
      ],
    ],
  },
  {
    id: 'header-again',
    step: 2,
    story:
      'Headers of the application beside those of the protocol. There are two keys, and nobody knows which one counts.',
    source: 'RFC 6455 §11.3.1',
    rules: [61, 65],
    edits: [['upgrade|connection|sec-websocket-.*)$/i', 'upgrade|connection)$/i']],
  },
  {
    id: 'header-as-utf8',
    step: 2,
    story: 'The request written as UTF-8. A value in latin1 has bytes that nobody meant.',
    source: 'RFC 6455 §4.1',
    rules: [14],
    edits: [["\\r\\n\\r\\n`, 'latin1')", "\\r\\n\\r\\n`, 'utf8')"]],
  },
  {
    id: 'buffer-of-1536',
    step: 3,
    story:
      'A buffer of 1536 bytes for the response. That of a server in front of many others has 2400, so it fails there, and only there.',
    source: 'boostorg/beast#1460',
    rules: [150],
    edits: [
      [
        '  maxHeadBytes = MAX_HEAD_BYTES,\n): ResponseHead',
        '  maxHeadBytes = 1536,\n): ResponseHead',
      ],
    ],
  },
  {
    id: 'endless-head',
    step: 3,
    story: 'No limit for the head. A server can fill the memory of its clients with one line.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      [
        'if (bytes.length < maxHeadBytes) return undefined;',
        'if (bytes.length < Number.POSITIVE_INFINITY) return undefined;',
      ],
    ],
  },
  {
    id: 'head-in-one-read',
    step: 3,
    story:
      'The response expected in one read. Over a slow line it comes in two, and the connection fails.',
    source: 'Devristo/phpws#46',
    rules: [],
    edits: [['if (bytes.length < maxHeadBytes) return undefined;', '']],
  },
  {
    id: 'frame-behind-head-lost',
    step: 3,
    story:
      'All that has arrived taken for the head. A message that comes along with it is lost, under load only.',
    source: 'netty/netty#2179',
    rules: [],
    edits: [['headers, length: end + 4 };', 'headers, length: bytes.length };']],
  },
  {
    id: 'response-names-as-written',
    step: 3,
    story:
      'Header names kept as they were written. Behind a proxy that turns them to lower case, nothing is found.',
    source: 'RFC 6455 §4.1',
    rules: [34],
    edits: [['return [name.toLowerCase(), value];', 'return [name, value];']],
  },
  {
    id: 'space-behind-value',
    step: 3,
    story: 'White space taken off the front of a value only. The accept value is then another one.',
    source: 'nodejs/undici',
    rules: [],
    edits: [['/^[ \\t]+|(?<![ \\t])[ \\t]+$/g', '/^[ \\t]+/g']],
  },
  {
    id: 'status-0101',
    step: 3,
    story: 'A status of any number of digits: 0101 is the number 101.',
    source: 'nodejs/node',
    rules: [33],
    edits: [['(\\d{3})(?: .*)?$/s', '(\\d+)(?: .*)?$/s']],
  },
  {
    id: 'http-in-any-case',
    step: 3,
    story: 'Any version of HTTP, in any case. What answers may not speak HTTP at all.',
    source: 'RFC 6455 §4.1',
    rules: [33, 153],
    edits: [['/^HTTP\\/1\\.[01] (\\d{3})', '/^HTTP\\/[\\d.]+ (\\d{3})']],
  },
  {
    id: 'folded-lines',
    step: 3,
    story:
      'A header that goes on in the next line joined to one. A proxy that does not do so has seen another header.',
    source: 'nodejs/node',
    rules: [33],
    edits: [
      ['text.slice(0, end).split(', "text.slice(0, end).replace(/\\r\\n[ \\t]+/g, ' ').split("],
    ],
  },
  {
    id: 'control-in-value',
    step: 3,
    story: 'The values of headers taken as they come: with a NUL in them, or half of a line break.',
    source: 'RFC 6455 §10.7',
    rules: [33, 153],
    edits: [
      [
        '  if (!HEADER_VALUE.test(value)) {\n    throw new OpeningError',
        '  if (value === undefined) {\n    throw new OpeningError',
      ],
    ],
  },
  {
    id: 'status-alone',
    step: 4,
    story:
      'A 101 is enough, whatever else is in the response. Any server that switches to anything has opened a WebSocket.',
    source: 'awslabs/aws-c-http#410',
    rules: [26, 28, 29, 30],
    edits: [
      [
        'and not 101.`);\n',
        "and not 101.`);\n  if (head.status === 101) return valuesOf('sec-websocket-protocol')[0];\n",
      ],
    ],
  },
  {
    id: 'any-2xx',
    step: 4,
    story: 'Any status below 300 taken for a yes.',
    source: 'RFC 6455 §4.1',
    rules: [27],
    edits: [['if (head.status !== 101) throw', 'if (head.status > 299) throw']],
  },
  {
    id: 'redirect-as-yes',
    step: 4,
    story:
      'A redirect taken for a step on the way, with the headers of the request. Followed, it hands cookies to another host.',
    source: 'snapview/tungstenite-rs#551',
    rules: [27, 175],
    edits: [
      ['if (head.status !== 101) throw', 'if (head.status !== 101 && head.status !== 307) throw'],
    ],
  },
  {
    id: 'refusal-without-status',
    step: 4,
    story:
      'A refusal that does not say with which status. Nobody can tell a wrong password from a server that is down.',
    source: 'RFC 6455 §4.1',
    rules: [27],
    edits: [['new OpeningError(section, message, head);', 'new OpeningError(section, message);']],
  },
  {
    id: 'upgrade-with-case',
    step: 4,
    story: 'Upgrade compared letter by letter. Chromium’s own debugger answers `WebSocket`.',
    source: 'helidon-io/helidon#10104',
    rules: [28],
    edits: [["valuesOf('upgrade').join().toLowerCase()", "valuesOf('upgrade').join()"]],
  },
  {
    id: 'upgrade-unchecked',
    step: 4,
    story:
      'Upgrade not looked at, because the accept value proves it all. A cache can have stored that.',
    source: 'nodejs/node-inspect#93',
    rules: [28],
    edits: [
      [
        "  if (valuesOf('upgrade').join().toLowerCase() !== 'websocket') {",
        "  if (valuesOf('upgrade').length > 1) {",
      ],
    ],
  },
  {
    id: 'connection-as-a-whole',
    step: 4,
    story:
      'Connection compared as a whole. Behind a proxy it says `keep-alive, Upgrade`, and the client gives up.',
    source: 'nodejs/undici',
    rules: [29],
    edits: [[".toLowerCase().split(',').map(trim);", ".toLowerCase().split('\\n');"]],
  },
  {
    id: 'connection-has-upgrade-in-it',
    step: 4,
    story: '`upgrade` looked for anywhere in Connection: it is in `not-upgrade`, too.',
    source: 'RFC 6455 §4.1',
    rules: [29],
    edits: [[".toLowerCase().split(',').map(trim);", '.toLowerCase();']],
  },
  {
    id: 'accept-unchecked',
    step: 4,
    story:
      'The accept value not compared. A server that echoes what it gets has opened a WebSocket.',
    source: 'awslabs/aws-c-http#410',
    rules: [30],
    edits: [
      [
        "valuesOf('sec-websocket-accept').join() !== acceptKey(key)",
        "valuesOf('sec-websocket-accept').length === 0",
      ],
    ],
  },
  {
    id: 'accept-in-any-case',
    step: 4,
    story: 'The accept value compared in any case, as that of Upgrade is.',
    source: 'RFC 6455 §4.1',
    rules: [30],
    edits: [
      [
        "valuesOf('sec-websocket-accept').join() !== acceptKey(key)",
        "valuesOf('sec-websocket-accept').join().toLowerCase() !== acceptKey(key).toLowerCase()",
      ],
    ],
  },
  {
    id: 'first-accept-counts',
    step: 4,
    story:
      'Of two accept values, the first one counts. Somebody on the way has added the other, or that one.',
    source: 'RFC 6455 §11.3.3',
    rules: [30, 33],
    edits: [
      [
        "valuesOf('sec-websocket-accept').join() !== acceptKey(key)",
        "valuesOf('sec-websocket-accept')[0] !== acceptKey(key)",
      ],
    ],
  },
  {
    id: 'extension-unchecked',
    step: 4,
    story:
      'An extension in the response not looked at. Compressed frames follow, which the client takes for broken ones.',
    source: 'RFC 6455 §4.1',
    rules: [31],
    edits: [
      [
        "if (!hasOffered && valuesOf('sec-websocket-extensions').length > 0)",
        "if (!hasOffered && valuesOf('sec-websocket-extensions').length > 1)",
      ],
    ],
  },
  {
    id: 'compression-accepted',
    step: 4,
    story:
      '`permessage-deflate` accepted with whatever follows it. A parameter that nobody had looked at ended the process.',
    source: 'apollographql/graphql-testing-library#173',
    rules: [31],
    edits: [
      [
        "if (!hasOffered && valuesOf('sec-websocket-extensions').length > 0)",
        "if (valuesOf('sec-websocket-extensions').some((it) => !it.startsWith('permessage-deflate')))",
      ],
    ],
  },
  {
    id: 'subprotocol-unasked',
    step: 4,
    story:
      'A subprotocol that was never offered accepted: the two sides speak different languages.',
    source: 'RFC 6455 §4.1',
    rules: [32],
    edits: [
      [
        'protocol === undefined ? protocols.length === 0 : protocols.includes(protocol)',
        'protocol !== undefined || protocols.length === 0',
      ],
    ],
  },
  {
    id: 'response-subprotocol-in-any-case',
    step: 4,
    story: '`CHAT` taken for `chat`.',
    source: 'RFC 6455 §4.1',
    rules: [32],
    edits: [
      [
        'protocols.includes(protocol);',
        'protocols.some((name) => name.toLowerCase() === protocol.toLowerCase());',
      ],
    ],
  },
  {
    id: 'no-subprotocol-is-fine',
    step: 4,
    story:
      'A response without any of the subprotocols on offer accepted. In a browser, the same server does not work.',
    source: 'RFC 6455 §4.1',
    rules: [169],
    edits: [
      [
        'protocol === undefined ? protocols.length === 0 : protocols',
        'protocol === undefined ? true : protocols',
      ],
    ],
  },
  {
    id: 'subprotocol-twice',
    step: 4,
    story: 'Of two lines with a subprotocol, the first one counts.',
    source: 'RFC 6455 §11.3.4',
    rules: [33],
    edits: [
      ['  if (!isOurs || others.length > 0) throw', '  if (!isOurs || others.length > 9) throw'],
    ],
  },

  {
    id: 'scheme-out-of-the-text',
    step: 1,
    story:
      '`http` turned into `ws` in the text, before it is read. A pasted URL with a space before it is refused.',
    source: 'RFC 6455 §3',
    rules: [],
    edits: [
      [
        `  const url = readUrl(text);
  if (url.protocol === 'http:') url.protocol = 'ws:';
  if (url.protocol === 'https:') url.protocol = 'wss:';`,
        "  const url = readUrl(text.replace(/^http/i, 'ws'));",
      ],
    ],
  },
  {
    id: 'prefix-needs-a-name',
    step: 2,
    story: 'All headers that begin with Sec-WebSocket- are refused, but for that itself.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [['sec-websocket-.*)$/i', 'sec-websocket-.+)$/i']],
  },
  {
    id: 'value-trimmed-as-text',
    step: 2,
    story:
      'The values of headers trimmed by `trim`, which takes the no-break space for a space, too. A token that ends with that byte is another one then.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [
      [
        'Object.entries(headers).map(([name, value]) =>',
        'Object.entries(headers).map(([name, text]) => [name, text.trim()]).map(([name, value]) =>',
      ],
    ],
  },
  {
    id: 'status-up-to-599',
    step: 3,
    story:
      'Only the statuses that one has heard of, 100 to 599. Somebody’s 600 is a broken response then, without a status.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [['(\\d{3})(?: .*)?$/s', '([1-5]\\d\\d)(?: .*)?$/s']],
  },

  {
    id: 'fragment-behind-a-space',
    step: 1,
    story: 'An empty fragment looked for at the end of the text, where there can be a space.',
    source: 'RFC 6455 §3',
    rules: [1],
    edits: [["if (url.href.includes('#'))", "if (url.hash || text.endsWith('#'))"]],
  },
];

/** Steps 5 and 6: a connection without a socket. */
const CORE: readonly Trap[] = [
  {
    id: 'frame-behind-the-answer-lost',
    step: 5,
    story:
      'What comes in the same read as the answer is thrown away. A server that greets at once is not heard, and only sometimes.',
    source: 'netty/netty#2179',
    rules: [],
    edits: [['    this.#reader.push(rest);\n', '']],
  },
  {
    id: 'answer-in-a-fixed-buffer',
    step: 5,
    story:
      'A buffer of 1536 bytes for the answer. A network between the two adds 2400 bytes of headers.',
    source: 'boostorg/beast#1460',
    rules: [],
    edits: [
      [
        'parseResponse(response, maxHeadBytes',
        'parseResponse(response.subarray(0, 1536), maxHeadBytes',
      ],
    ],
  },
  {
    id: 'talks-before-the-answer',
    step: 5,
    story:
      'Frames go out right behind the request, to somebody who may not speak WebSocket at all.',
    source: 'RFC 6455 §4.1',
    rules: [5, 25, 109],
    edits: [
      [
        "if (this.state !== 'OPEN') return false;",
        "if (this.#closing.state !== 'OPEN') return false;",
      ],
      [
        `    if (this.#response) {
      const request`,
        `    if (this.#request) {
      const request`,
      ],
    ],
  },
  {
    id: 'interim-response-refused',
    step: 5,
    story: '100 Continue taken for the answer: refused, although the yes is right behind it.',
    source: 'nodejs/undici',
    rules: [],
    edits: [['if (head.status < 200 && head.status !== 101) {', 'if (head.status === 103) {']],
  },
  {
    id: 'interim-response-alone',
    step: 5,
    story:
      'After an interim response the rest of the read waits for the next one, which never comes.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [['      return this.#open(rest);', '      return undefined;']],
  },
  {
    id: 'one-key-for-all-connections',
    step: 5,
    story:
      'One Sec-WebSocket-Key for all connections: an answer that a cache has kept looks fresh.',
    source: 'RFC 6455 §4.1',
    rules: [21],
    edits: [
      ['this.#key = newKey(random);', 'this.#key = KEY;'],
      ['const TOKEN =', 'const KEY = newKey();\nconst TOKEN ='],
    ],
  },
  {
    id: 'pong-not-masked',
    step: 5,
    story: 'Messages are masked, Pongs are not: at the first Ping, the server ends the connection.',
    source: 'vapor/websocket-kit#24',
    rules: [66, 78, 114],
    edits: [
      [
        'return encodeMaskedFrame(frame, this.#random);',
        'return frame.opcode === Opcode.Pong ? encodeFrame(frame) : encodeMaskedFrame(frame, this.#random);',
      ],
      ['  encodeMaskedFrame,\n', '  encodeFrame,\n  encodeMaskedFrame,\n'],
    ],
  },
  {
    id: 'ping-not-answered',
    step: 5,
    story:
      'Pings are left to the application, which knows nothing of them. Most servers then hang up.',
    source: 'RFC 6455 §5.5.2',
    rules: [103],
    edits: [['this.#control(Opcode.Pong, message.payload);', 'continue;']],
  },
  {
    id: 'pong-without-its-payload',
    step: 5,
    story: 'Every Pong is empty. A server that numbers its Pings takes it for the answer to none.',
    source: 'RFC 6455 §5.5.3',
    rules: [104],
    edits: [
      [
        'this.#control(Opcode.Pong, message.payload);',
        'this.#control(Opcode.Pong, new Uint8Array(0));',
      ],
    ],
  },
  {
    id: 'mask-made-once',
    step: 5,
    story:
      'One masking key for the whole connection: who has seen one frame can read and write all others.',
    source: 'RFC 6455 §5.3',
    rules: [79, 81],
    edits: [
      [
        'return encodeMaskedFrame(frame, this.#random);',
        'return encodeMaskedFrame(frame, () => this.#mask);',
      ],
      ['  #bufferedBytes = 0;\n', '  #bufferedBytes = 0;\n  #mask = randomBytes(4);\n'],
    ],
  },
  {
    id: 'keys-of-math-random',
    step: 5,
    story: '`Math.random` where no better source is found: a page can work out the next key.',
    source: 'nodejs/undici#3204',
    rules: [80, 148],
    edits: [
      [
        `    wake: () => void,
    random: (size: number) => Uint8Array = randomBytes,`,
        `    wake: () => void,
    random = (size: number) => Uint8Array.from({ length: size }, () => Math.random() * 256),`,
      ],
    ],
  },
  {
    id: 'client-masks-in-place',
    step: 5,
    story:
      'The mask goes over the bytes of the application, which finds them garbled, or sends them again.',
    source: 'faye/websocket-driver-node#17',
    rules: [],
    edits: [
      [
        'return encodeMaskedFrame(frame, this.#random);',
        `const output = encodeMaskedFrame(frame, this.#random);
    frame.payload.set(output.subarray(output.length - frame.payload.length));
    return output;`,
      ],
    ],
  },
  {
    id: 'one-buffer-for-all-output',
    step: 5,
    story:
      'Every frame is written into the same memory, also while the one before is still on its way.',
    source: 'RFC 6455 §10.3',
    rules: [149],
    edits: [
      [
        'return encodeMaskedFrame(frame, this.#random);',
        `const output = encodeMaskedFrame(frame, this.#random);
    if (output.length > OUTPUT.length) return output;
    OUTPUT.set(output);
    return OUTPUT.subarray(0, output.length);`,
      ],
      ['const TOKEN =', 'const OUTPUT = new Uint8Array(4096);\nconst TOKEN ='],
    ],
  },
  {
    id: 'frame-in-two-outputs',
    step: 5,
    story:
      'Header and payload leave in two writes. The debugger of Node 20 and 22 crashes when they arrive apart.',
    source: 'nodejs/node#64618',
    rules: [],
    edits: [
      [
        `    const frame = this.#queue.next();
    if (frame === undefined) return undefined;
    this.#onTheirWay`,
        `    if (this.#payload) {
      const payload = this.#payload;
      this.#payload = undefined;
      return payload;
    }
    const frame = this.#queue.next();
    if (frame === undefined) return undefined;
    this.#onTheirWay`,
      ],
      [
        'return encodeMaskedFrame(frame, this.#random);',
        `const output = encodeMaskedFrame(frame, this.#random);
    const header = output.length - frame.payload.length;
    if (frame.payload.length > 0) this.#payload = output.subarray(header);
    return output.subarray(0, header);`,
      ],
      ['  #bufferedBytes = 0;\n', '  #bufferedBytes = 0;\n  #payload: Uint8Array | undefined;\n'],
    ],
  },
  {
    id: 'message-in-fragments',
    step: 5,
    story:
      'Long messages cut into fragments, as the server of lesson 05 does. Node’s debugger hangs up at the first.',
    source: 'ChromeDevTools/devtools-protocol#24',
    rules: [],
    edits: [
      [
        'this.#queue.addMessage(frames ?? [{ fin: true, opcode, payload }]);',
        'this.#queue.addMessage(fragment(opcode, payload, 65_536));',
      ],
      ['  encodeText,\n', '  encodeText,\n  fragment,\n'],
    ],
  },
  {
    id: 'nothing-is-buffered',
    step: 5,
    story:
      '`bufferedAmount` forgets what was handed to the socket: nobody knows when to stop sending.',
    source: 'oven-sh/bun#31761',
    rules: [],
    edits: [
      [
        'this.#onTheirWay.push(isControl(frame.opcode) ? 0 : (this.#waiting.shift() ?? 0));',
        `if (!isControl(frame.opcode)) this.#bufferedBytes -= frame.payload.length;
    this.#onTheirWay.push(0);`,
      ],
    ],
  },
  {
    id: 'extensions-always-on-offer',
    step: 6,
    story:
      'The response checked as if an extension had been offered, whatever the request said. From then on, a server may compress, and nobody here unpacks it.',
    source: 'RFC 6455 §4.1',
    rules: [31],
    edits: [['this.#protocols, this.#offer !== undefined);', 'this.#protocols, true);']],
  },
  {
    id: 'refusal-not-told',
    step: 6,
    story:
      'At a 403 there is no event, and the state stays CONNECTING: who waits to come back waits for ever.',
    source: 'nodejs/undici#3546',
    rules: [26, 130],
    edits: [
      [
        "if (actions.length > 0) this.#events.push({ type: 'error', error });",
        "if (actions.length > 0 && !this.#response) this.#events.push({ type: 'error', error });",
      ],
    ],
  },
  {
    id: 'close-frame-for-an-http-server',
    step: 6,
    story:
      'A server that has refused gets a Close frame: bytes that its HTTP parser makes a 400 of.',
    source: 'RFC 6455 §7.1.7',
    rules: [25, 126],
    edits: [
      ["this.#perform(hasAgreed ? actions : [{ type: 'destroy' }]);", 'this.#perform(actions);'],
    ],
  },
  {
    id: 'opening-timer-lost',
    step: 6,
    story:
      'The timer ends when TCP connects. A server that accepts and says nothing is waited for without end.',
    source: 'oven-sh/bun#35167',
    rules: [130],
    edits: [['return this.#response ? this.#openUntil', 'return this.#request ? this.#openUntil']],
  },
  {
    id: 'opening-timer-renewed',
    step: 6,
    story:
      'Each byte starts the timer again: a server that sends one every 9 seconds is never given up.',
    source: 'RFC 6455 §10.7',
    rules: [130],
    edits: [
      ['  readonly #openUntil: number;', '  #openUntil: number;'],
      [
        '    // Joined again with each read.',
        '    this.#openUntil = this.#now() + this.#limits.openTimeoutMs;\n    // Joined again with each read.',
      ],
    ],
  },
  {
    id: 'interim-responses-without-end',
    step: 6,
    story: 'Each interim response is small enough, and nobody counts them.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [['      this.#interimBytes += head.length;\n', '']],
  },
  {
    id: 'yes-after-giving-up',
    step: 6,
    story:
      '`close()` while it is still being opened does nothing, and a moment later there is a connection.',
    source: 'websockets/ws#956',
    rules: [126],
    edits: [
      [
        `    if (this.#response) {
      this.fail(new OpeningError('4.1', 'It was closed before it was open.'));
      return;
    }
`,
        `    if (this.#response) return;
`,
      ],
    ],
  },
  {
    id: 'client-hangs-up-first',
    step: 6,
    story:
      'The client ends TCP at once, and with it the waiting: its port stays in TIME_WAIT, for the server’s sake.',
    source: 'websockets/ws',
    rules: [102, 121],
    edits: [["new ClosingHandshake('client', ", "new ClosingHandshake('server', "]],
  },
  {
    id: 'no-timer-for-the-end',
    step: 6,
    story: 'Both have said Close, the server leaves TCP open, and nothing ever ends.',
    source: 'oven-sh/bun#43048',
    rules: [102],
    edits: [
      [
        'this.#openUntil : this.#closing.deadline;',
        "this.#openUntil : this.state === 'CLOSE_SENT' ? this.#closing.deadline : undefined;",
      ],
    ],
  },
  {
    id: 'data-renews-the-close-timer',
    step: 6,
    story: 'While the client waits for a Close, each message gives the server all its time again.',
    source: 'aio-libs/aiohttp#1002',
    rules: [102],
    edits: [
      [
        '    else if (this.#closing.isListening) this.#reader.push(chunk);',
        '    else if (this.#closing.isListening) this.#reader.push(chunk);\n    this.#heardAt = this.#now();',
      ],
      [
        'return this.#response ? this.#openUntil : this.#closing.deadline;',
        `const { deadline } = this.#closing;
    if (this.#response || deadline === undefined) return deadline ?? this.#openUntil;
    return Math.max(deadline, this.#heardAt + this.#limits.closeTimeoutMs);`,
      ],
      ['  #bufferedBytes = 0;\n', '  #bufferedBytes = 0;\n  #heardAt = 0;\n'],
    ],
  },
  {
    id: 'end-not-told-when-time-is-over',
    step: 6,
    story: 'After a timeout, the end of TCP is no news any more: `close` is never told.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      ['    if (this.#isOver) return;\n', "    if (this.#closing.state === 'CLOSED') return;\n"],
    ],
  },
  {
    id: 'masked-control-frames-accepted',
    step: 6,
    story:
      'Masked data frames are refused, masked control frames are not: the key is read as a close code.',
    source: 'oven-sh/bun#35526',
    rules: [69],
    edits: [
      [
        'this.#closing.isListening) this.#reader.push(chunk);',
        `this.#closing.isListening) {
      const [first = 0, second = 0] = chunk;
      const isControl = first >= 0x88 && second > 0x80 && chunk.length === second - 0x80 + 6;
      this.#reader.push(chunk.map((byte, i) => (isControl && i === 1 ? byte & 0x7f : byte)));
    }`,
      ],
    ],
  },
  {
    id: 'last-messages-lost',
    step: 6,
    story: 'Our Close overtakes the messages before it: what was sent last never arrives.',
    source: 'websocket-client/websocket-client#192',
    rules: [],
    edits: [
      [
        '    const body = encodeCloseBody(code, reason);\n',
        '    const body = encodeCloseBody(code, reason);\n    this.#queue.dropWaiting();\n',
      ],
    ],
  },
  {
    id: 'close-not-masked',
    step: 6,
    story:
      'All is masked but the Close: the server answers it with 1002, and the log blames the network.',
    source: 'vapor/websocket-kit#26',
    rules: [66, 96],
    edits: [
      [
        'return encodeMaskedFrame(frame, this.#random);',
        'return frame.opcode === Opcode.Close ? encodeFrame(frame) : encodeMaskedFrame(frame, this.#random);',
      ],
      ['  encodeMaskedFrame,\n', '  encodeFrame,\n  encodeMaskedFrame,\n'],
    ],
  },
  {
    id: 'client-fails-without-a-word',
    step: 6,
    story: 'A server that breaks a rule is not told which: the connection just ends.',
    source: 'nodejs/undici',
    rules: [128],
    edits: [
      ['hasAgreed ? actions :', "hasAgreed ? actions.filter(({ type }) => type !== 'sendClose') :"],
    ],
  },
  {
    id: 'bad-text-skipped',
    step: 6,
    story: 'A text that is not UTF-8 is left out in silence, and the connection goes on.',
    source: 'RFC 6455 §8.1',
    rules: [138, 153],
    edits: [
      [
        `    } catch (error) {
      this.fail(error);`,
        `    } catch (error) {
      if (error instanceof ProtocolError && error.closeCode === 1007) return undefined;
      this.fail(error);`,
      ],
    ],
  },
  {
    id: 'client-forgets-the-limit',
    step: 6,
    story: 'A limit for messages that the reader never hears of.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      ["new MessageReader('client', this.#limits.maxMessageBytes)", "new MessageReader('client')"],
    ],
  },
  {
    id: 'listens-after-a-failure',
    step: 6,
    story:
      'What a server sends after it has broken a rule is kept, though nobody will ever read it.',
    source: 'RFC 6455 §7.1.7',
    rules: [129],
    edits: [['    else if (this.#closing.isListening) this.#reader', '    else this.#reader']],
  },
  {
    id: 'lost-without-an-error',
    step: 6,
    story: 'TCP ends in the middle of everything, and nothing says that this was not meant to be.',
    source: 'chromium/chromium',
    rules: [131],
    edits: [
      [
        '    if (this.#closing.isListening) {\n      const message',
        '    if (this.#response) {\n      const message',
      ],
    ],
  },
  {
    id: 'no-route-not-told',
    step: 6,
    story:
      'TCP cannot connect, and only a `close` is told: nobody learns that the port was refused.',
    source: 'denoland/deno#7604',
    rules: [10, 131],
    edits: [
      [
        '    if (this.#closing.isListening) {\n      const message',
        '    if (this.#closing.isListening && !this.#response) {\n      const message',
      ],
    ],
  },
  {
    id: 'last-words-thrown-away',
    step: 6,
    story:
      'When TCP has ended, what had arrived before is no longer read: the last message is lost.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      [
        'const event = this.#response ? this.#open(this.#response) : this.#read();',
        `const read = () => (this.#response ? this.#open(this.#response) : this.#read());
      const event = this.#lost ? undefined : read();`,
      ],
    ],
  },
  {
    id: 'illegal-close-kept-quiet',
    step: 6,
    story: 'A Close with 999 ends the connection, and the application hears of no error.',
    source: 'RFC 6455 §7.4',
    rules: [130, 153],
    edits: [['if (body && !isWireCode(body.code)) {', 'if (body && body.code < 0) {']],
  },
  {
    id: 'closes-when-idle',
    step: 6,
    story: 'After an hour without a word, the client closes by itself. Nobody has asked it to.',
    source: 'RFC 6455 §7.3',
    rules: [172],
    edits: [
      [
        '    if (!this.#response) this.#perform(',
        "    if (this.state === 'OPEN' && this.#now() > this.#openUntil + 3_600_000) this.close(1001);\n    if (!this.#response) this.#perform(",
      ],
    ],
  },
  {
    id: 'answers-after-the-close',
    step: 6,
    story:
      'A whole read is answered at once, its Close as well: the application has no chance to reply.',
    source: 'chromium/chromium',
    rules: [],
    edits: [
      [
        `      else return message;
    }
    return undefined;`,
        `      else this.#events.push(message);
    }
    return this.#events.shift();`,
      ],
    ],
  },

  {
    id: 'close-counts-as-message',
    step: 6,
    story:
      'Pings and Pongs were left out of what waits, and the Close forgotten: in the end, less than nothing waits.',
    source: 'RFC 6455 §5.5',
    rules: [],
    edits: [
      [
        'isControl(frame.opcode) ? 0 : (this.#waiting.shift() ?? 0)',
        'frame.opcode === Opcode.Ping || frame.opcode === Opcode.Pong ? 0 : (this.#waiting.shift() ?? frame.payload.length)',
      ],
    ],
  },
  {
    id: 'reset-after-both-closes',
    step: 6,
    story:
      'A server that has said Close ends TCP with a reset, as many do, and the application hears of an error.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      [
        'if (this.#closing.isListening) {\n      const message',
        'if (this.#closing.isListening || cause !== undefined) {\n      const message',
      ],
    ],
  },
  {
    id: 'nothing-thrown',
    step: 6,
    story:
      'Whether there is an error asked of its value. A promise that is rejected with nothing ends the connection, and nobody hears why.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [['if (actions.length > 0) this', 'if (actions.length > 0 && error) this']],
  },

  {
    id: 'limit-for-all-of-the-read',
    step: 5,
    story:
      'The limit of the head asked of all that has come: a long message right behind the yes is refused as a long head.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [
      [
        '    const head = parseResponse(response, maxHeadBytes - this.#interimBytes);\n',
        `    if (response.length > maxHeadBytes) throw new OpeningError('10.4', 'Too long.');
    const head = parseResponse(response, maxHeadBytes - this.#interimBytes);
`,
      ],
    ],
  },
  {
    id: 'protocols-in-lower-case',
    step: 5,
    story:
      'The subprotocols kept in lower case, to compare them with the answer: who offers `Chat` is never open.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [
      [
        'this.#protocols = options.protocols ?? [];',
        'this.#protocols = options.protocols?.map((name) => name.toLowerCase()) ?? [];',
      ],
    ],
  },
];

/** Steps 7 and 8: on a socket, and the class. */
const CLASS: readonly Trap[] = [
  {
    id: 'no-server-name',
    step: 7,
    story:
      'TLS is not told which server is meant: a machine with many names shows the certificate of another.',
    source: 'dotnet/corefx#23731',
    rules: [12],
    edits: [['    ...(isIP(host) === 0 && { servername: host }),\n', '']],
  },
  {
    id: 'address-as-server-name',
    step: 7,
    story: 'TLS is told an address as a name. Some servers end the connection at that.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [['...(isIP(host) === 0 && { servername: host })', 'servername: host']],
  },
  {
    id: 'name-of-certificate-unchecked',
    step: 7,
    story:
      'The certificate is a good one, and of somebody else: any owner of one can be in the middle.',
    source: 'TakahikoKawasaki/nv-websocket-client#107',
    rules: [11],
    edits: [
      [
        '    rejectUnauthorized: true,',
        '    rejectUnauthorized: true,\n    checkServerIdentity: () => undefined,',
      ],
    ],
  },
  {
    id: 'any-certificate',
    step: 7,
    story:
      'A test server had a certificate of its own, so the check was switched off, and stayed off.',
    source: 'eclipse-ee4j/tyrus#516',
    rules: [11],
    edits: [['rejectUnauthorized: true', 'rejectUnauthorized: false']],
  },
  {
    id: 'tls-forgotten',
    step: 7,
    story: '`wss:` leads to port 443, and to a connection that anybody can read.',
    source: 'RFC 6455 §4.1',
    rules: [11, 152],
    edits: [
      [
        '  if (!secure) return connectTcp(where);',
        '  if (!secure || port > 0) return connectTcp(where);',
      ],
    ],
  },
  {
    id: 'opening-timer-ends-with-tcp',
    step: 7,
    story:
      'The timer of the opening is stopped when TCP is connected. A server that says nothing then is waited for without end.',
    source: 'oven-sh/bun#35167',
    rules: [],
    edits: [
      [
        '    if (deadline === undefined) return;\n    const waitMs',
        "    if (deadline === undefined || (this.#ready && this.connection.state === 'CONNECTING')) return;\n    const waitMs",
      ],
    ],
  },
  {
    id: 'no-timer-after-opening',
    step: 7,
    story:
      'Once it is open, no timer runs: a server that never answers a Close, or never ends TCP, keeps the socket for ever.',
    source: 'hummingbird-project/hummingbird-websocket#46',
    rules: [],
    edits: [
      [
        '    if (deadline === undefined) return;\n    const waitMs',
        "    if (deadline === undefined || this.connection.state !== 'CONNECTING') return;\n    const waitMs",
      ],
    ],
  },
  {
    id: 'any-data-renews-the-timer',
    step: 7,
    story:
      'The time for closing counts from the last bytes that came. A server that goes on sending is never dropped.',
    source: 'aio-libs/aiohttp#1002',
    rules: [],
    edits: [
      ['    }, waitMs);', "    }, this.connection.state === 'HANGING_UP' ? 30_000 : waitMs);"],
      [
        '      socket.pause();\n      this.connection.receive(chunk);',
        '      socket.pause();\n      this.#setTimer();\n      this.connection.receive(chunk);',
      ],
    ],
  },
  {
    id: 'timers-left',
    step: 7,
    story: 'Timers that nobody stops: after the end of its connections, the program runs on.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        '    clearTimeout(this.#timer);\n    const { deadline }',
        '    if (this.#timer) return;\n    const { deadline }',
      ],
    ],
  },
  {
    id: 'refusal-of-tcp-unheard',
    step: 7,
    story:
      'Nobody listens at the port, and neither an error nor an end is told: nothing ever comes back.',
    source: 'denoland/deno#7604',
    rules: [10],
    edits: [
      [
        "socket.on('close', () => this.connection.disconnect(this.#error));",
        "socket.on('close', () => this.#ready && this.connection.disconnect(this.#error));",
      ],
    ],
  },
  {
    id: 'waits-for-the-server-to-speak',
    step: 7,
    story:
      'The request is written when something happens, and nothing does: the server waits for the client.',
    source: 'RFC 6455 §4.1',
    rules: [13],
    edits: [
      ['      this.#ready = socket;\n      this.#schedule();', '      this.#ready = socket;'],
    ],
  },
  {
    id: 'brackets-to-dns',
    step: 7,
    story: 'An IPv6 address is looked up with its brackets, like a name: nobody is called so.',
    source: 'theturtle32/WebSocket-Node#303',
    rules: [],
    edits: [
      ['await lookup(target.host, {', "await lookup(target.hostHeader.replace(/:\\d*$/, ''), {"],
    ],
  },
  {
    id: 'one-family-only',
    step: 7,
    story:
      'The first address of `localhost` is ::1, and the server is on 127.0.0.1: refused, though `curl` gets through.',
    source: 'websockets/ws#2078',
    rules: [],
    edits: [
      ['lookup(target.host, { all: true })', 'lookup(target.host, { all: true, family: 6 })'],
    ],
  },
  {
    id: 'openings-at-once',
    step: 7,
    story: 'A thousand connections at once to one server: nobody stands in line.',
    source: 'nodejs/undici',
    rules: [7, 8],
    edits: [['  await Promise.all(before);\n', '']],
  },
  {
    id: 'line-by-name',
    step: 7,
    story:
      'The line is that of a name: by another name for it, the server is asked at the same time.',
    source: 'RFC 6455 §4.1',
    rules: [7],
    edits: [
      ['addresses.map(({ address }) =>', 'addresses.map((_, __, ___, address = target.host) =>'],
    ],
  },
  {
    id: 'line-by-address-alone',
    step: 7,
    story:
      'The line is that of a machine: one server that does not answer holds up all others there.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [
      [
        'await waitInLine(places, this.#opened);',
        "await waitInLine(places.map((place) => place.split(' ')[0] ?? ''), this.#opened);",
      ],
    ],
  },
  {
    id: 'line-stands-still',
    step: 7,
    story:
      'Only an open connection lets the next one through. After one refusal, all others wait for ever.',
    source: 'RFC 6455 §4.1',
    rules: [8],
    edits: [
      [
        "    if (connection.state !== 'CONNECTING') this.#leaveLine();",
        "    if (connection.state === 'OPEN') this.#leaveLine();",
      ],
    ],
  },
  {
    id: 'events-in-one-task',
    step: 7,
    story:
      'All events of a read are told in one go: what an application awaits after a message comes after the next one.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['      if (event) this.#schedule();\n', '      if (event) this.#turn();\n']],
  },
  {
    id: 'never-paused',
    step: 7,
    story: 'What comes is read at once, however slow the application is, until memory is full.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['      socket.pause();\n', '']],
  },
  {
    id: 'outputs-cut-in-two',
    step: 7,
    story:
      'Header and payload are written one after the other. A debugger that read in between broke down.',
    source: 'nodejs/node#64618',
    rules: [],
    edits: [
      [
        '      socket.write(bytes, (error) => {',
        '      socket.write(bytes.subarray(0, 2));\n      socket.write(bytes.subarray(2), (error) => {',
      ],
    ],
  },
  {
    id: 'small-messages-kept-back',
    step: 7,
    story:
      'TCP keeps a small message back until the one before has been confirmed: 40 ms late, each.',
    source: 'RFC 6455 §1.1',
    rules: [],
    edits: [['    socket.setNoDelay(true);\n', '']],
  },
  {
    id: 'bug-of-handler-swallowed',
    step: 7,
    story:
      'An error of the application is caught and forgotten. The connection stays, in whatever state.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [['throw error;\n      this.connection.fail(error);', 'throw error;']],
  },
  {
    id: 'client-ends-tcp-first',
    step: 7,
    story: 'The client does not wait for the server to end TCP, and has the port in TIME_WAIT.',
    source: 'websockets/ws',
    rules: [],
    edits: [
      [
        "connection.ending === 'hangUp' || socket.readableEnded",
        "connection.ending === 'hangUp' || connection.state === 'HANGING_UP'",
      ],
    ],
  },
  {
    id: 'waits-for-who-is-gone',
    step: 7,
    story:
      'The server has ended its side without a Close and reads nothing more. What was sent waits, and the end is never told.',
    source: 'RFC 6455 §7.2.1',
    rules: [],
    edits: [
      [
        "    if (socket?.readableEnded && this.connection.state !== 'HANGING_UP') socket.destroy();",
        "    if (socket?.readableEnded && this.connection.state !== 'HANGING_UP') socket.end();",
      ],
    ],
  },
  {
    id: 'answer-cut-off',
    step: 7,
    story: 'A server that has said Close and ended its side gets half of the answer, and no Close.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [['    allowHalfOpen: true,\n', '']],
  },
  {
    id: 'dropped-at-failure',
    step: 7,
    story: 'A server that breaks a rule is cut off, before the Close that says which has left.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [["if (connection.ending === 'destroy') {", 'if (connection.ending !== undefined) {']],
  },
  {
    id: 'no-way-on-when-full',
    step: 7,
    story:
      'The socket is full once, and nobody asks when it has room again: what waits is never sent.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [["    socket.on('drain', () => this.#flush());\n", '']],
  },
  {
    id: 'no-close-after-refusal',
    step: 8,
    story:
      'A refusal is an `error`, and no `close` follows. Whatever reconnects at `close` never does.',
    source: 'nodejs/undici#3546',
    rules: [],
    edits: [
      [
        '        this.dispatchEvent(closeEvent(event));\n',
        '        if (!this.#hasFailed || this.#wasOpen) this.dispatchEvent(closeEvent(event));\n',
      ],
      [
        "        this.#protocol = event.protocol ?? '';",
        "        this.#wasOpen = true;\n        this.#protocol = event.protocol ?? '';",
      ],
      [
        '  #hasFailed = false;\n  /** The bytes',
        '  #hasFailed = false;\n  #wasOpen = false;\n  /** The bytes',
      ],
    ],
  },
  {
    id: 'events-inside-close',
    step: 8,
    story:
      '`close` before the opening has ended tells `error` and `close` before it returns, and then sets the state back: CLOSING for ever.',
    source: 'nodejs/undici#4742',
    rules: [],
    edits: [
      [
        '    this.#isClosing = true;\n    const wireCode',
        `    if (this.readyState === WebSocket.CONNECTING) {
      this.#hear({ type: 'error', error: undefined });
      this.#hear({ type: 'close', code: 1006, reason: '', wasClean: false });
      this.#isClosed = false;
    }
    this.#isClosing = true;
    const wireCode`,
      ],
    ],
  },
  {
    id: 'error-at-once',
    step: 8,
    story:
      '`error` is told when a rule is broken, and `close` seconds later: between them, a page has a socket that is neither.',
    source: 'websockets/ws#505',
    rules: [],
    edits: [
      [
        '        this.#hasFailed = true;\n        break;',
        "        this.dispatchEvent(new Event('error'));\n        break;",
      ],
    ],
  },
  {
    id: 'error-says-why',
    step: 8,
    story:
      'The `error` event has the reason in it, and a page can find out which machines there are.',
    source: 'websockets/ws',
    rules: [],
    edits: [
      [
        "this.dispatchEvent(new Event('error'))",
        "this.dispatchEvent(Object.assign(new Event('error'), { message: 'refused' }))",
      ],
    ],
  },
  {
    id: 'clean-close-is-an-error',
    step: 8,
    story: 'Each end is an `error` too, a clean one as well. Pages show it to people.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      [
        "if (this.#hasFailed) this.dispatchEvent(new Event('error'));",
        "this.dispatchEvent(new Event('error'));",
      ],
    ],
  },
  {
    id: 'close-before-state',
    step: 8,
    story: '`close` is told while `readyState` is still CLOSING.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      ['        this.#isClosed = true;\n        if', '        if'],
      [
        '        this.dispatchEvent(closeEvent(event));\n',
        '        this.dispatchEvent(closeEvent(event));\n        this.#isClosed = true;\n',
      ],
    ],
  },
  {
    id: 'blob-overtaken',
    step: 8,
    story:
      'A Blob has to be read first, and the text behind it leaves before: messages arrive in another order.',
    source: 'denoland/deno#24074',
    rules: [],
    edits: [
      [
        '    this.#done = Promise.all(',
        '    if (!blob) {\n      act();\n      return;\n    }\n    this.#done = Promise.all(',
      ],
    ],
  },
  {
    id: 'blobs-overtake-each-other',
    step: 8,
    story: 'Each Blob is sent as soon as it has been read: a short one overtakes a long one.',
    source: 'h3js/crossws#198',
    rules: [],
    edits: [
      [
        'Promise.all([blob?.arrayBuffer(), this.#done])',
        'Promise.all([blob?.arrayBuffer(), blob ? undefined : this.#done])',
      ],
    ],
  },
  {
    id: 'close-overtakes-blob',
    step: 8,
    story: '`close` right after `send`, and the Blob that was still being read is lost.',
    source: 'websocket-client/websocket-client#192',
    rules: [],
    edits: [
      [
        'this.#inOrder(undefined, () => this.#connection.close(wireCode, text));',
        'this.#connection.close(wireCode, text);',
      ],
    ],
  },
  {
    id: 'buffered-amount-zero',
    step: 8,
    story:
      '`bufferedAmount` is always 0. Who waits until it is small never waits, and fills the memory.',
    source: 'oven-sh/bun#31761',
    rules: [],
    edits: [['return this.#connection.bufferedBytes + this.#keptBytes;', 'return 0;']],
  },
  {
    id: 'buffered-amount-of-the-lost',
    step: 8,
    story: 'What is sent too late is not counted: a page believes that it has been sent.',
    source: 'oven-sh/bun#36113',
    rules: [168],
    edits: [
      [
        '    this.#keptBytes += size;\n',
        '    if (this.readyState !== WebSocket.OPEN) return;\n    this.#keptBytes += size;\n',
      ],
    ],
  },
  {
    id: 'buffered-amount-in-characters',
    step: 8,
    story: '`bufferedAmount` counts letters, and not their bytes.',
    source: 'RFC 6455 §5.6',
    rules: [168],
    edits: [['message.size : Buffer.byteLength(message);', 'message.size : message.length;']],
  },
  {
    id: 'lost-writes-are-sent',
    step: 8,
    story:
      'A write that has failed counts as one that is done: after the loss, `bufferedAmount` is 0.',
    source: 'oven-sh/bun#36113',
    rules: [],
    edits: [
      ['        if (!error && !socket.destroyed) connection.sent();', '        connection.sent();'],
    ],
  },
  {
    id: 'late-messages-told',
    step: 8,
    story: 'Messages are told after `close` was called, to a page that has put its things away.',
    source: 'websockets/ws',
    rules: [],
    edits: [
      [
        '    if (this.readyState !== WebSocket.OPEN) return;\n    this.dispatchEvent',
        '    this.dispatchEvent',
      ],
    ],
  },
  {
    id: 'early-send-dropped',
    step: 8,
    story: 'What is sent before the opening has ended is dropped without a word.',
    source: 'RFC 6455 §6.1',
    rules: [168],
    edits: [
      [
        "throw new DOMException('The connection is not open yet.', 'InvalidStateError');",
        'return;',
      ],
    ],
  },
  {
    id: 'every-code-may-be-said',
    step: 8,
    story:
      'A page may say 1001 or 1011, and the server believes that a proxy or a server goes away.',
    source: 'websockets/ws',
    rules: [168],
    edits: [['(number < 3000 || number > 4999)', '(number < 1000 || number > 4999)']],
  },
  {
    id: 'code-wraps',
    step: 8,
    story:
      'A code of more than 16 bits loses the upper ones: 66,536 becomes 1000, and a bug a normal closure.',
    source: 'RFC 6455 §7.4.1',
    rules: [168],
    edits: [
      [
        '  return Math.round(Math.min(Math.max(Number(code) || 0, 0), 65_535));',
        '  return Number(code) & 65_535;',
      ],
    ],
  },
  {
    id: 'reason-counted-in-letters',
    step: 8,
    story: 'A reason of 123 letters that are no ASCII is too long for its frame.',
    source: 'RFC 6455 §5.5',
    rules: [168],
    edits: [
      [
        'if (Buffer.byteLength(text) > MAX_CONTROL_PAYLOAD - 2)',
        'if (text.length > MAX_CONTROL_PAYLOAD - 2)',
      ],
    ],
  },
  {
    id: 'reason-alone-dropped',
    step: 8,
    story: '`close(undefined, "why")` says nothing of why.',
    source: 'nodejs/undici',
    rules: [],
    edits: [
      [
        "    const wireCode = number ?? (text === '' ? undefined : CloseCode.NormalClosure);",
        '    const wireCode = number;',
      ],
      [
        'this.#connection.close(wireCode, text)',
        "this.#connection.close(wireCode, wireCode ? text : '')",
      ],
    ],
  },
  {
    id: 'empty-close-gets-a-code',
    step: 8,
    story: '`close()` says 1000, which the page has not said.',
    source: 'RFC 6455 §7.1.5',
    rules: [],
    edits: [
      [
        "number ?? (text === '' ? undefined : CloseCode.NormalClosure)",
        'number ?? CloseCode.NormalClosure',
      ],
    ],
  },
  {
    id: 'half-pair-throws',
    step: 8,
    story:
      'Text from a keyboard can end in half of a surrogate pair. `send` throws, and the page breaks.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [['return String(data).toWellFormed();', 'return String(data);']],
  },
  {
    id: 'page-changes-what-travels',
    step: 8,
    story:
      'Bytes are not copied, and a page that uses its buffer again changes what has not left yet.',
    source: 'RFC 6455 §10.3',
    rules: [149],
    edits: [
      [
        '  return new Uint8Array(buffer.slice(byteOffset, byteOffset + byteLength));',
        '  return new Uint8Array(buffer, byteOffset, byteLength);',
      ],
    ],
  },
  {
    id: 'whole-buffer-sent',
    step: 8,
    story: 'Of a view, the whole buffer is sent: what else was in it leaks.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [['buffer.slice(byteOffset, byteOffset + byteLength)', 'buffer.slice(0)']],
  },
  {
    id: 'null-is-empty',
    step: 8,
    story: '`send(null)` is an empty binary message, and not the text that a browser sends.',
    source: 'websockets/ws',
    rules: [],
    edits: [
      [
        '  if (data instanceof ArrayBuffer) return',
        '  if (data === null) return new Uint8Array(0);\n  if (data instanceof ArrayBuffer) return',
      ],
    ],
  },
  {
    id: 'binary-type-ignored',
    step: 8,
    story: 'Bytes are always an ArrayBuffer: what is written for a browser waits for a Blob.',
    source: 'RFC 6455 §5.6',
    rules: [169],
    edits: [["this.#binaryType === 'blob' ? new Blob([bytes]) : bytes.buffer", 'bytes.buffer']],
  },
  {
    id: 'binary-type-falls-back',
    step: 8,
    story: 'A `binaryType` that does not exist sets it back to `blob`.',
    source: 'nodejs/undici',
    rules: [],
    edits: [
      [
        "if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type;",
        "this.#binaryType = type === 'arraybuffer' ? type : 'blob';",
      ],
    ],
  },
  {
    id: 'protocols-not-offered',
    step: 8,
    story: 'The subprotocols of the constructor are checked, and never sent.',
    source: 'RFC 6455 §4.1',
    rules: [169],
    edits: [['{ ...options, protocols: offered }', '{ ...options, protocols: [] }']],
  },
  {
    id: 'message-from-nowhere',
    step: 8,
    story: 'Messages have no `origin`, so a page that has several sockets cannot ask for it.',
    source: 'websockets/ws',
    rules: [],
    edits: [['{ data, origin: new URL(this.#url).origin }', '{ data }']],
  },
  {
    id: 'handlers-pile-up',
    step: 8,
    story: '`onmessage` is set again, and the old handler is still called.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [['      } else if (known) {\n        known.handler = handler;\n', '']],
  },

  {
    id: 'fin-instead-of-an-answer',
    step: 7,
    story:
      'A server that ends TCP is gone while the connection is open, and waited for once we have said Close: the end comes 5 seconds late.',
    source: 'RFC 6455 §7.2.1',
    rules: [],
    edits: [
      [
        "if (socket?.readableEnded && this.connection.state !== 'HANGING_UP') socket",
        'if (socket?.readableEnded && /CONNECTING|OPEN/.test(this.connection.state)) socket',
      ],
      [
        "connection.ending === 'hangUp' || socket.readableEnded",
        "connection.ending === 'hangUp' || (connection.state === 'HANGING_UP' && socket.readableEnded)",
      ],
    ],
  },
  {
    id: 'hangs-up-before-the-close',
    step: 7,
    story:
      '`hangUp` ends the socket at once, also when it has no room: the Close that says why is never written.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [['    if (socket.writableNeedDrain) return;\n', '']],
  },
  {
    id: 'fin-is-the-end',
    step: 7,
    story:
      'The end of what the server says taken for the end of TCP: what it still waits for is cut off.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        "socket.on('end', () => this.#schedule());",
        "socket.on('end', () => this.connection.disconnect());",
      ],
    ],
  },
  {
    id: 'unknown-name-untold',
    step: 7,
    story: 'Why a name was not found is dropped. All that one is told is that something was lost.',
    source: 'RFC 6455 §4.1',
    rules: [10],
    edits: [
      [
        '.catch((error) => this.connection.disconnect(error));',
        '.catch(() => this.connection.disconnect());',
      ],
    ],
  },
  {
    id: 'first-authority-alone',
    step: 7,
    story: 'Of the authorities to trust, only the first. On the day of a new one, nobody connects.',
    source: 'RFC 6455 §4.1',
    rules: [152],
    edits: [['ca: [ca].flat()', 'ca: [ca].flat()[0]']],
  },
  {
    id: 'whole-of-a-buffer',
    step: 8,
    story:
      'Bytes copied by `slice`. A Buffer has a `slice` of its own, which copies nothing: what is written to it later is sent.',
    source: 'RFC 6455 §10.3',
    rules: [149],
    edits: [
      [
        '  const { buffer, byteOffset, byteLength } = data;\n',
        '  if (data instanceof Uint8Array) return data.slice();\n  const { buffer, byteOffset, byteLength } = data;\n',
      ],
    ],
  },
  {
    id: 'line-forgotten-too-early',
    step: 8,
    story:
      'When one Blob has been read, none is waited for any more, though another is being read: a text overtakes it.',
    source: 'h3js/crossws#198',
    rules: [],
    edits: [
      [
        '      .catch((error) => this.#connection.fail(error));\n',
        `      .catch((error) => this.#connection.fail(error));
    void this.#done.then(() => {
      this.#done = Promise.resolve();
    });
`,
      ],
    ],
  },
  {
    id: 'one-handler-for-all',
    step: 8,
    story:
      'What `onmessage` is set to kept with the property, which all objects share: the second connection takes the messages of the first.',
    source: 'RFC 6455 §7.1',
    rules: [],
    edits: [
      [
        'const handlers = new WeakMap<WebSocket, HandlerListener>();',
        `let one: HandlerListener | undefined;
  const handlers = {
    get: (_: WebSocket) => one,
    set: (_: WebSocket, listener?: HandlerListener) => {
      one = listener;
    },
    delete: (ws: WebSocket) => handlers.set(ws, undefined),
  };`,
      ],
    ],
  },
  {
    id: 'origin-without-tls',
    step: 8,
    story:
      'The `origin` of a message put together with `ws:`, also over TLS. Who compares it drops all.',
    source: 'RFC 6455 §10.2',
    rules: [],
    edits: [['new URL(this.#url).origin', "'ws://' + new URL(this.#url).host"]],
  },
  {
    id: 'late-answer-is-an-error',
    step: 8,
    story:
      'Each end that is not clean told as an `error`, also when the server has only not answered our Close in time.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [['if (this.#hasFailed) this.dispatch', 'if (!event.wasClean) this.dispatch']],
  },
  {
    id: 'thousand-is-no-code',
    step: 8,
    story: '1000 is what one says without a reason to, so `close(1000)` says nothing.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [
      [
        "const wireCode = number ?? (text === '' ? undefined : CloseCode.NormalClosure);",
        "const wireCode = text === '' && number === 1000 ? undefined : (number ?? (text === '' ? undefined : 1000));",
      ],
    ],
  },
  {
    id: 'empty-message-unheard',
    step: 8,
    story:
      'Whether there is a message asked of its data. An empty text is one, and is never heard.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [
      [
        '  #receive(data: string | Blob | ArrayBuffer): void {\n',
        '  #receive(data: string | Blob | ArrayBuffer): void {\n    if (!data) return;\n',
      ],
    ],
  },

  {
    id: 'line-forgets-who-came-later',
    step: 7,
    story:
      'When one leaves the line, its place is free, though others wait there: who comes next connects at once.',
    source: 'RFC 6455 §4.1',
    rules: [7],
    edits: [['if (lines.get(place) === turn) lines.delete', 'lines.delete']],
  },
  {
    id: 'certificate-error-dropped',
    step: 7,
    story:
      'What is wrong with a certificate is dropped. All that one is told is that TCP was lost.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [
      [
        '      this.#error = error;\n    });',
        '      if (!target.secure) this.#error = error;\n    });',
      ],
    ],
  },
  {
    id: 'protocol-set-after-open',
    step: 8,
    story: '`open` is told first, and `protocol` set then: a page that asks in `onopen` sees none.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [
      [
        `        this.#protocol = event.protocol ?? '';
        this.dispatchEvent(new Event('open'));`,
        `        this.dispatchEvent(new Event('open'));
        this.#protocol = event.protocol ?? '';`,
      ],
    ],
  },
  {
    id: 'origin-is-the-url',
    step: 8,
    story: 'The `origin` of a message is the URL without its last slash: with a path, it is wrong.',
    source: 'RFC 6455 §10.2',
    rules: [],
    edits: [['new URL(this.#url).origin', "this.#url.replace(/\\/$/, '')"]],
  },
  {
    id: 'close-with-a-code-too-early',
    step: 8,
    story:
      '`close` with a code does nothing before it is open: there is no Close that could have it.',
    source: 'RFC 6455 §7.1.2',
    rules: [],
    edits: [
      [
        '    this.#isClosing = true;\n    const wireCode',
        `    if (this.readyState === WebSocket.CONNECTING && code !== undefined) return;
    this.#isClosing = true;
    const wireCode`,
      ],
    ],
  },
];

/** Steps 9 and 10: coming back, and the debugger. */
const LASTING: readonly Trap[] = [
  {
    id: 'retry-at-once',
    step: 9,
    story:
      'A client that comes back without a delay: 2,401 sockets in two minutes, from one player.',
    source: 'openfrontio/OpenFrontIO#5268',
    rules: [133],
    edits: [['  return random() * longest;', '  return 0 * random() * longest;']],
  },
  {
    id: 'same-delay-for-all',
    step: 9,
    story:
      'Delays that grow and are the same for everybody: when the server is back, all are there at once.',
    source: 'django/channels#568',
    rules: [133],
    edits: [['  return random() * longest;', '  return Math.max(random(), 1) * longest;']],
  },
  {
    id: 'some-jitter',
    step: 9,
    story: 'A fixed second and a little chance on top: the clients still come in one heap.',
    source: 'RFC 6455 §7.2.3',
    rules: [133],
    edits: [['  return random() * longest;', '  return 1000 + random() * 200;']],
  },
  {
    id: 'delay-drawn-once',
    step: 9,
    story: 'The random share is drawn when the module is loaded, and is the same ever after.',
    source: 'pladaria/reconnecting-websocket',
    rules: [133],
    edits: [
      [
        'random: () => number = Math.random): number {',
        'random: () => number = () => SHARE): number {',
      ],
      [
        'export const FIRST_DELAY_MS = 5_000;',
        'export const FIRST_DELAY_MS = 5_000;\nconst SHARE = Math.random();',
      ],
    ],
  },
  {
    id: 'back-off-without-limit',
    step: 9,
    story:
      'The delay doubles for ever: after a night without a network, nobody waits for it to end.',
    source: 'RFC 6455 §7.2.3',
    rules: [173],
    edits: [['Math.min(1000 * 2 ** attempt, MAX_DELAY_MS)', '1000 * 2 ** attempt']],
  },
  {
    id: 'back-off-wraps',
    step: 9,
    story:
      'Doubling with `<<`: the 22nd attempt has a negative delay, and the 32nd begins at a second again.',
    source: 'RFC 6455 §7.2.3',
    rules: [173],
    edits: [
      ['Math.min(1000 * 2 ** attempt, MAX_DELAY_MS)', 'Math.min(1000 << attempt, MAX_DELAY_MS)'],
    ],
  },
  {
    id: 'retries-whatever-happened',
    step: 9,
    story:
      'Any end is followed by another connection, also the one that was meant: a loop of logins.',
    source: 'pladaria/reconnecting-websocket',
    rules: [172],
    edits: [
      [
        '  return code === 1001 || code === 1005 || code === 1006 || (code >= 1011 && code <= 1014);',
        '  return code !== 1000;',
      ],
    ],
  },
  {
    id: 'refused-for-ever',
    step: 9,
    story: 'A 401 looks like any other loss, and the client knocks until somebody bans it.',
    source: 'RFC 6455 §4.1',
    rules: [172],
    edits: [
      [
        '  if (error instanceof OpeningError && error.status !== undefined) return error.status >= 500;\n',
        '',
      ],
    ],
  },
  {
    id: 'only-1006',
    step: 9,
    story:
      'The client comes back after 1006 alone: a server that says 1012, restarting, is never seen again.',
    source: 'RFC 6455 §7.4.1',
    rules: [133],
    edits: [
      [
        '  return code === 1001 || code === 1005 || code === 1006 || (code >= 1011 && code <= 1014);',
        '  return code === 1006;',
      ],
    ],
  },
  {
    id: 'count-reset-by-open',
    step: 9,
    story:
      '`open` starts the count again: a server that accepts and falls is asked without a pause, until the heap is full.',
    source: 'starknet-io/starknet.js#1650',
    rules: [173],
    edits: [
      [
        "      if (event.type === 'open') openedAt = this.#timing.now();",
        "      if (event.type === 'open') this.#attempt = 0;",
      ],
    ],
  },
  {
    id: 'count-never-reset',
    step: 9,
    story:
      'After a bad day, every short loss costs half a minute for weeks: the count is never started again.',
    source: 'RFC 6455 §7.2.3',
    rules: [133],
    edits: [['    if (timing.now() - openedAt >= GOOD_LIFE_MS) this.#attempt = 0;\n', '']],
  },
  {
    id: 'life-from-the-first-try',
    step: 9,
    story:
      'The life of a connection is measured from the call, so one that takes long to fail looks healthy.',
    source: 'RFC 6455 §7.2.3',
    rules: [173],
    edits: [
      ['    let openedAt = Number.POSITIVE_INFINITY;', '    let openedAt = this.#timing.now();'],
    ],
  },
  {
    id: 'two-sockets',
    step: 9,
    story:
      'The end of an old connection is told late and starts another client: two sockets, every message twice.',
    source: 'daggerhashimoto/openclaw-nerve#87',
    rules: [],
    edits: [['      if (hasEnded) return;\n', '']],
  },
  {
    id: 'back-after-close',
    step: 9,
    story: '`close` closes the connection, its end is heard, and the client comes back.',
    source: 'lukeed/sockette#49',
    rules: [172],
    edits: [['    this.#isOver = true;\n    this.#cancel();', '    this.#cancel();']],
  },
  {
    id: 'delay-not-cancelled',
    step: 9,
    story: '`close` between two connections is forgotten when the delay is over.',
    source: 'RFC 6455 §7.2.1',
    rules: [172],
    edits: [['    this.#isOver = true;\n    this.#cancel();', '    this.#isOver = true;']],
  },
  {
    id: 'handler-stops-the-return',
    step: 9,
    story: 'A bug in the handler of `close`, and the client is gone for good.',
    source: 'RFC 6455 §7.2.3',
    rules: [133],
    edits: [
      [
        `      try {
        this.#handle(connection, event);
      } finally {
        if (event.type === 'close') this.#comeBack(event, error, openedAt);
      }`,
        `      this.#handle(connection, event);
      if (event.type === 'close') this.#comeBack(event, error, openedAt);`,
      ],
    ],
  },
  {
    id: 'retry-after-as-date',
    step: 9,
    story: 'A Retry-After that is a date becomes NaN, and a timer with NaN fires at once.',
    source: 'RFC 6455 §7.2.3',
    rules: [133],
    edits: [
      [
        '  return /^\\d+$/.test(seconds) ? Math.min(Number(seconds), 3600) * 1000 : 0;',
        '  return Math.min(Number(seconds), 3600) * 1000;',
      ],
    ],
  },
  {
    id: 'retry-after-together',
    step: 9,
    story: 'Everybody obeys Retry-After to the second, and so everybody is there in that second.',
    source: 'RFC 6455 §7.2.3',
    rules: [133],
    edits: [
      [
        'retryAfterMs(error) + nextDelayMs(this.#attempt, timing.random)',
        'retryAfterMs(error) || nextDelayMs(this.#attempt, timing.random)',
      ],
    ],
  },
  {
    id: 'debugger-pinged',
    step: 10,
    story:
      'Pings to see whether the other side is there: the inspector hangs up, and pyppeteer was dead after 20 seconds.',
    source: 'miyakogi/pyppeteer#159',
    rules: [],
    edits: [
      [
        'of this.#unsent.splice(0)) this.#connection.send(text);',
        'of this.#unsent.splice(0)) this.#connection.send(text);\n        this.#connection.ping();',
      ],
    ],
  },
  {
    id: 'picture-too-big',
    step: 10,
    story: 'The usual limit for messages: a picture of a page ends the connection with 1009.',
    source: 'puppeteer/puppeteer#4571',
    rules: [],
    edits: [
      [
        'const options = { maxMessageBytes: MAX_DEVTOOLS_MESSAGE_BYTES };',
        'const options = { maxMessageBytes: 512 * 1024 };',
      ],
    ],
  },
  {
    id: 'limit-of-a-server',
    step: 10,
    story:
      'The limit that protects a server, 16 MiB, for the debugger that one has started oneself: a heap snapshot is lost.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      ['const options = { maxMessageBytes: MAX_DEVTOOLS_MESSAGE_BYTES };', 'const options = {};'],
    ],
  },
  {
    id: 'requests-as-binary',
    step: 10,
    story: 'JSON as bytes: the inspector of Node ends TCP, and says nothing.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [
      [
        'else if (!this.#connection.send(text))',
        'else if (!this.#connection.send(Buffer.from(text)))',
      ],
    ],
  },
  {
    id: 'first-come-first-served',
    step: 10,
    story:
      'Responses are taken in the order of the requests. One that takes longer gets that of another.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        '    const waiting = this.#waiting.get(id);\n    this.#waiting.delete(id);',
        '    const [[first, waiting] = []] = this.#waiting;\n    this.#waiting.delete(first ?? id);',
      ],
    ],
  },
  {
    id: 'sent-too-early',
    step: 10,
    story:
      'What is asked before the connection is open is sent at once, that is never: the first command hangs.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [
      [
        "if (this.#connection.state === 'CONNECTING') this.#unsent.push(text);",
        "if (this.#connection.state === 'CONNECTING') this.#connection.send(text);",
      ],
    ],
  },
  {
    id: 'pending-for-ever',
    step: 10,
    story: 'The browser crashes, and whoever waits for its response waits for ever.',
    source: 'RFC 6455 §7.2.1',
    rules: [131],
    edits: [
      ['        for (const { reject } of this.#waiting.values()) reject(this.#lost());\n', ''],
    ],
  },
  {
    id: 'refusals-as-results',
    step: 10,
    story: 'An error in the response is not looked at: the request resolves with `undefined`.',
    source: 'RFC 6455 §6.2',
    rules: [],
    edits: [
      [
        '    if (error) waiting?.reject(new Error(error.message, { cause: error.code }));\n    else waiting?.resolve(result);',
        '    waiting?.resolve(result);',
      ],
    ],
  },
  {
    id: 'cut-near-its-end',
    step: 10,
    story:
      'Of a long frame, a few bytes are left for the next read, and the program under the debugger crashes: one request in a hundred, if they are long.',
    source: 'nodejs/node#64618',
    rules: [],
    edits: [
      ['padded(JSON.stringify({ id, method, params }))', 'JSON.stringify({ id, method, params })'],
    ],
  },
  {
    id: 'deaf-for-nonsense',
    step: 10,
    story:
      'What is not JSON is dropped, and with it the response: whoever waits for it waits for ever.',
    source: 'RFC 6455 §10.7',
    rules: [153],
    edits: [
      [
        '        this.#receive(JSON.parse(event.data));',
        '        try {\n          this.#receive(JSON.parse(event.data));\n        } catch {}',
      ],
    ],
  },

  {
    id: 'first-delay-cancelled-alone',
    step: 9,
    story: '`close` knows the timer of the first delay. During a later one, it ends nothing.',
    source: 'RFC 6455 §7.2.3',
    rules: [172],
    edits: [
      [
        '    this.#cancel = timing.after(delayMs, () => {',
        '    const cancel = timing.after(delayMs, () => {',
      ],
      [
        '      this.#connection = this.#start();\n    });\n  }\n}',
        '      this.#connection = this.#start();\n    });\n    if (this.#attempt === 1) this.#cancel = cancel;\n  }\n}',
      ],
    ],
  },
  {
    id: 'one-share-for-all-delays',
    step: 9,
    story:
      'The random number drawn once, and each delay made of it: who was early is always early.',
    source: 'pladaria/reconnecting-websocket',
    rules: [133],
    edits: [
      [
        'nextDelayMs(this.#attempt, timing.random)',
        'nextDelayMs(this.#attempt, () => (this.#share ??= timing.random()))',
      ],
      [
        '  #cancel = () => {};\n\n  /** Step 9 · Makes',
        '  #cancel = () => {};\n  #share: number | undefined;\n\n  /** Step 9 · Makes',
      ],
    ],
  },
  {
    id: 'one-map-for-all-debuggers',
    step: 10,
    story:
      'Who waits for a response kept for all connections together, each of which counts from 1: one gets the answer of another.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        "  readonly #waiting = new Map<number, Record<'resolve' | 'reject', (value: unknown) => void>>();",
        '  readonly #waiting = WAITING;',
      ],
      [
        'export class DevTools {',
        "const WAITING = new Map<number, Record<'resolve' | 'reject', (value: unknown) => void>>();\nexport class DevTools {",
      ],
    ],
  },
  {
    id: 'origin-for-a-debugger',
    step: 10,
    story: 'An Origin made up, to look like a page. Chromium’s debugger answers 403.',
    source: 'kklisura/chrome-devtools-java-client#98',
    rules: [],
    edits: [
      [
        'const options = { maxMessageBytes: MAX_DEVTOOLS_MESSAGE_BYTES };',
        "const options = {\n      maxMessageBytes: MAX_DEVTOOLS_MESSAGE_BYTES,\n      headers: { Origin: 'http://localhost' },\n    };",
      ],
    ],
  },
];

export const TRAPS: readonly Trap[] = [...OPENING, ...CORE, ...CLASS, ...LASTING];
