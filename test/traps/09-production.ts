/** Mistakes of servers in production. */
import type { Trap } from './trap.ts';

/** Step 1: how often, and how many */
const LIMITS: readonly Trap[] = [
  {
    id: 'limit-starved-by-trying',
    step: 1,
    story:
      'The time of the last refill moved on with each call, and only whole tokens added. Whoever tries often enough never gets one: the bucket was never filled again, and its own tests did not see it, since they asked for the count.',
    source: 'svix/diom#115',
    rules: [179],
    edits: [
      [
        'this.#tokens + seconds * this.#rate.perSecond',
        'this.#tokens + Math.floor(seconds * this.#rate.perSecond)',
      ],
    ],
  },
  {
    id: 'limit-that-never-fits',
    step: 1,
    story:
      'A wait computed for more than the bucket can ever hold. A packet longer than the burst paused its connection again and again, for ever.',
    source: 'emqx/emqx#2508',
    rules: [],
    edits: [['    if (count > this.#rate.burst) return Number.POSITIVE_INFINITY;\n', '']],
  },
  {
    id: 'limit-without-end',
    step: 1,
    story:
      "Time added to the tokens without looking at the burst. Somebody who was away for a night can send a night's worth at once.",
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'Math.min(this.#rate.burst, this.#tokens + seconds * this.#rate.perSecond)',
        'this.#tokens + seconds * this.#rate.perSecond',
      ],
    ],
  },
  {
    id: 'limit-remembers-everybody',
    step: 1,
    story:
      'A bucket for each address, and none of them ever removed. A scan with many addresses takes the memory of the server, which is what the limit was for.',
    source: 'chmonitor/chmonitor#2467',
    rules: [180],
    edits: [['    if (this.#buckets.size >= this.#sweepSize) this.#sweep(now);\n', '']],
  },
  {
    id: 'limit-forgets-the-guilty',
    step: 1,
    story:
      'The oldest bucket removed when there are too many, full or not. Somebody with a thousand addresses frees the first one with the last.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '      if (bucket.isFull(now)) this.#buckets.delete(key);',
        '      if (this.#buckets.size > FEW_BUCKETS / 2) this.#buckets.delete(key);',
      ],
    ],
  },
  {
    id: 'limit-looks-at-everybody',
    step: 1,
    story:
      'All buckets looked at for each new address, once there are a thousand. What protects from a flood is what is slow in it.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '    this.#sweepSize = Math.max(FEW_BUCKETS, 2 * this.#buckets.size);\n  }\n}\n\n/**\n * Step 1 · How many',
        '    this.#sweepSize = FEW_BUCKETS;\n  }\n}\n\n/**\n * Step 1 · How many',
      ],
    ],
  },
  {
    id: 'slot-of-the-refused',
    step: 1,
    story:
      'The counter of an address up for each request, and down when a connection ends. What never became one stayed counted: after thirty refusals, a boat was locked out of its own server.',
    source: 'SignalK/signalk-server#2781',
    rules: [],
    edits: [
      [
        '    if (taken >= this.#most) return undefined;\n    this.#taken.set(key, taken + 1);\n',
        '    this.#taken.set(key, taken + 1);\n    if (taken >= this.#most) return undefined;\n',
      ],
    ],
  },
  {
    id: 'slot-given-back-twice',
    step: 1,
    story:
      'A slot given back by `error` and by `close`, for the same socket. The second time, it was the slot of another one, so there is room for one more each time.',
    source: 'RFC 6455 §10.4',
    rules: [181],
    edits: [
      [
        '      if (isTaken) this.#giveBack(key);',
        '      if (isTaken || this.#taken.has(key)) this.#giveBack(key);',
      ],
    ],
  },
];

/** Step 2: who is it? */
const ADDRESSES: readonly Trap[] = [
  {
    id: 'address-mapped',
    step: 2,
    story:
      '`::ffff:192.0.2.1` counted as IPv6. On a server that listens to both, all clients of IPv4 share one /64, and one of them uses up what there is for all.',
    source: 'raullenchai/Rapid-MLX#589',
    rules: [],
    edits: [['  if (!mapped) return short;\n', '  if (!mapped || mapped) return short;\n']],
  },
  {
    id: 'address-of-2-to-the-64',
    step: 2,
    story:
      'IPv6 counted by the whole address. Everybody has at least 2⁶⁴ of them, and with a new one for each connection there is no limit.',
    source: 'block/buzz#3784',
    rules: [183],
    edits: [
      ["  if (!address.includes(':')) return address;\n", '  if (address) return address;\n'],
    ],
  },
  {
    id: 'address-hidden-zeros',
    step: 2,
    story:
      'The first four parts of the text taken for the first 64 bits. With zeros hidden in `::`, some of them are from the other end, so that each address is a network of its own.',
    source: 'zulip/zulip#21544',
    rules: [],
    edits: [['[...head, ...zeros, ...tail].slice(0, 4)', "address.split(':').slice(0, 4)"]],
  },
  {
    id: 'address-on-the-left',
    step: 2,
    story:
      "The first entry of X-Forwarded-For taken for the client. That is what the client sent itself: a new one with each request passes any limit, and somebody else's locks them out.",
    source: 'migadu/alps#18',
    rules: [],
    edits: [['  for (const hop of hops.reverse()) {', '  for (const hop of hops) {']],
  },
  {
    id: 'address-in-the-first-line',
    step: 2,
    story:
      'Only the first line of the header read. haproxy leaves that of the client as it is, and adds a second one with the truth.',
    source: 'folbricht/routedns#549',
    rules: [],
    edits: [
      [
        '  const lines = headers.get(proxies.header) ?? [];',
        '  const lines = headers.get(proxies.header)?.slice(0, 1) ?? [];',
      ],
    ],
  },
  {
    id: 'address-from-anybody',
    step: 2,
    story:
      'The header believed without a look at who sent it. Whoever reaches the server past its proxy is whoever they like.',
    source: 'martini-contrib/secure#11',
    rules: [],
    edits: [
      [
        '    if (client === undefined || !proxies.trusts(client)) break;\n    const next = parseAddress(hop);\n    if (next === undefined) break;\n    client = next;\n',
        '    const next = parseAddress(hop);\n    if (next === undefined) break;\n    client = next;\n    if (!proxies.trusts(client)) break;\n',
      ],
    ],
  },
  {
    id: 'address-behind-unknown',
    step: 2,
    story:
      'An entry that is no address skipped. What is left of it was written by nobody that we know, and that is the client.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['    if (next === undefined) break;\n', '    if (next === undefined) continue;\n']],
  },
  {
    id: 'address-in-quotes',
    step: 2,
    story:
      'Forwarded split at each comma, also in quotes. The proxy had put the name of a host there that the client made up, with a whole element in it.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'function forwardedFor(line: string): string[] {\n',
        "function forwardedFor(line: string): string[] {\n  if (line) {\n    return line.split(',').map((element) => /(?:^|;)\\s*for=\"?([^;\"]*)/i.exec(element)?.[1]?.trim() ?? '');\n  }\n",
      ],
    ],
  },
];

/** Step 3: what a proxy says first */
const PROXY_HEADER: readonly Trap[] = [
  {
    id: 'proxy-line-in-pieces',
    step: 3,
    story:
      'What has arrived so far taken for all of it. A header that comes in two pieces is refused, on some networks only, and seldom.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '  const size = Math.min(bytes.length, start.length);\n  return bytes.subarray(0, size).equals(start.subarray(0, size));',
        '  return bytes.subarray(0, start.length).equals(start);',
      ],
    ],
  },
  {
    id: 'proxy-local-address',
    step: 3,
    story:
      'The command not looked at. A proxy that only looks whether the server is well sends LOCAL, and whatever is in it became the address of a client.',
    source: 'vectordotdev/vector#25908',
    rules: [],
    edits: [
      [
        'const isLocal = command === 0x20; // A check by the proxy itself.',
        'const isLocal = false;',
      ],
    ],
  },
  {
    id: 'proxy-local-length',
    step: 3,
    story:
      'With LOCAL, nothing expected behind the first 16 bytes. A load balancer puts addresses there all the same, and they came before the request.',
    source: 'pires/go-proxyproto#12',
    rules: [],
    edits: [
      [
        '  const length = 16 + bytes.readUInt16BE(14);',
        '  const length = command === 0x20 ? 16 : 16 + bytes.readUInt16BE(14);',
      ],
    ],
  },
  {
    id: 'proxy-says-no-more',
    step: 3,
    story:
      'A length that is more than that of the addresses refused. As soon as the proxy says something of TLS as well, every connection is dropped.',
    source: 'SChernykh/p2pool#399',
    rules: [],
    edits: [
      [
        '  if (length < 16 + 2 * size + 4) throw badProxyHeader();',
        '  if (length !== 16 + 2 * size + 4) throw badProxyHeader();',
      ],
    ],
  },
  {
    id: 'proxy-waits-for-ever',
    step: 3,
    story:
      'A line waited for however long it gets. Somebody sends `PROXY ` and then anything but CR LF, and all of that is kept.',
    source: 'minekube/gate#936',
    rules: [],
    edits: [
      [
        "  const end = bytes.subarray(0, MAX_V1_BYTES).indexOf('\\r\\n');\n  if (end < 0 && bytes.length < MAX_V1_BYTES) return undefined;",
        "  const end = bytes.indexOf('\\r\\n');\n  if (end < 0) return undefined;",
      ],
    ],
  },
  {
    id: 'proxy-header-if-any',
    step: 3,
    story:
      'A connection without a header let through as a direct one. Whether a header is expected has to be known before: if it is only looked for, anybody can send one.',
    source: 'armon/go-proxyproto#9',
    rules: [],
    edits: [
      [
        '  throw badProxyHeader();\n}\n\n/** Says whether bytes begin with others',
        '  return { length: 0, address: undefined };\n}\n\n/** Says whether bytes begin with others',
      ],
    ],
  },
  {
    id: 'proxy-reads-past-itself',
    step: 3,
    story:
      'The addresses read without a look at the length. A header that is too short for them made one proxy crash. Here, they are made of what the client sent behind it.',
    source: 'kzemek/go-mmproxy#36',
    rules: [],
    edits: [['  if (length < 16 + 2 * size + 4) throw badProxyHeader();\n', '']],
  },
];

/** Step 4: what a page can send */
const LOGIN: readonly Trap[] = [
  {
    id: 'ticket-kept',
    step: 4,
    story:
      'A ticket found, and not removed. It was to be good for once: whoever reads it in a log within half a minute is that user.',
    source: 'Astro-Han/pawwork#987',
    rules: [185],
    edits: [['    this.#issued.delete(ticket);\n    return user;', '    return user;']],
  },
  {
    id: 'ticket-that-never-ends',
    step: 4,
    story:
      'Tickets that only go when they are used. Those in an old log that nobody used are still good, and their number grows.',
    source: 'RFC 6455 §10.5',
    rules: [],
    edits: [
      ['    this.#forgetOld(now);\n    const ticket = ', '    const ticket = '],
      ['    this.#forgetOld(now);\n    const user = ', '    const user = '],
    ],
  },
  {
    id: 'ticket-from-math-random',
    step: 4,
    story: '`Math.random` as the source. Whoever gets a few tickets can compute the next ones.',
    source: 'RFC 6455 §10.5',
    rules: [],
    edits: [
      [
        'random: (size: number) => Uint8Array = randomBytes',
        'random: (size: number) => Uint8Array = (size) =>\n      Uint8Array.from({ length: size }, () => Math.random() * 256)',
      ],
    ],
  },
  {
    id: 'token-as-it-is',
    step: 4,
    story:
      'The token taken as it is in the header, and sent as it is. A subprotocol cannot have `=` or `/`, so it has to be encoded on one end and decoded on the other.',
    source: 'cryostatio/cryostat-web#37',
    rules: [],
    edits: [
      [
        "Buffer.from(protocol.slice(TOKEN_PREFIX.length), 'base64url').toString()",
        'protocol.slice(TOKEN_PREFIX.length)',
      ],
    ],
  },
  {
    id: 'token-in-plain-base64',
    step: 4,
    story:
      'base64 where base64url is needed. It works for all tokens that happen to have no `+`, `/` or `=` in it, and for the others it throws.',
    source: 'kubevirt/vm-console-proxy#303',
    rules: [],
    edits: [
      [
        "Buffer.from(protocol.slice(TOKEN_PREFIX.length), 'base64url').toString()",
        'atob(protocol.slice(TOKEN_PREFIX.length))',
      ],
    ],
  },
  {
    id: 'cookie-of-somebody-else',
    step: 4,
    story:
      'Of two cookies with the same name, the first one taken. Whoever runs another part of the site can set one for all of it, and users are logged in as somebody else.',
    source: 'RFC 6455 §10.5',
    rules: [],
    edits: [
      [
        '  return value && others.length === 0 ? { kind, value } : undefined;',
        '  return value ? { kind, value } : undefined;',
      ],
    ],
  },
  {
    id: 'cookie-cut-at-its-end',
    step: 4,
    story: 'A cookie split at each `=`. Values in base64 lose their end, about two in three.',
    source: 'RFC 6455 §10.5',
    rules: [],
    edits: [
      [
        '    .map((pair) => pair.slice(COOKIE.length + 1));',
        "    .map((pair) => pair.split('=')[1] ?? '');",
      ],
    ],
  },
  {
    id: 'query-cut-in-two',
    step: 4,
    story:
      'The target split at each question mark. With another one in the query, the ticket behind it is gone.',
    source: 'RFC 6455 §3',
    rules: [],
    edits: [
      [
        "new URLSearchParams(target.replace(/[^?]*/, ''))",
        "new URLSearchParams(target.split('?')[1])",
      ],
    ],
  },
];

/** Step 5: a history */
const HISTORY: readonly Trap[] = [
  {
    id: 'id-as-text',
    step: 5,
    story: 'Ids compared as text: from the tenth message on, each one counts as seen already.',
    source: 'RFC 6455 §7.2.3',
    rules: [186],
    edits: [
      ['  return Number(a1 - b1) || Number(a2 - b2);', '  return a < b ? -1 : Number(a > b);'],
    ],
  },
  {
    id: 'id-cut-short',
    step: 5,
    story:
      'The two last characters of an id taken for its second number: it fails under load, when that has two digits.',
    source: 'profunktor/redis4cats#342',
    rules: [],
    edits: [
      [
        "  return id.split('-').map(BigInt) as [bigint, bigint];",
        '  return [BigInt(id.slice(0, -2)), BigInt(id.slice(-1))];',
      ],
    ],
  },
  {
    id: 'id-plus-one',
    step: 5,
    story:
      'One added to the id before the history is asked, which returns what is behind it: each time, one message is skipped for good.',
    source: 'near/queryapi#558',
    rules: [],
    edits: [
      [
        'this.#entries.slice(start, start + count)',
        'this.#entries.slice(start + 1, start + 1 + count)',
      ],
    ],
  },
  {
    id: 'rest-for-all',
    step: 5,
    story:
      'What is left of the history given to somebody who needs more: they take it for everything.',
    source: 'bytedance/deer-flow#4426',
    rules: [187],
    edits: [
      [' && start >= 0 && start <=', ' && start <='],
      [
        '    const start = number - this.#forgotten;',
        '    const from = number - this.#forgotten;\n    const start = Math.max(0, from);',
      ],
    ],
  },
  {
    id: 'number-of-before',
    step: 5,
    story:
      'Only the second number looked at. After a restart, whoever had seen 945 messages of the old history waits for number 946 of the new one.',
    source: 'danny-avila/LibreChat#13117',
    rules: [],
    edits: [['const isOurs = last === this.#idOf(number) && start', 'const isOurs = start']],
  },
  {
    id: 'cid-of-anybody',
    step: 5,
    story:
      'The `cid` alone taken for a name: what a second user says under the same one is never heard.',
    source: 'RFC 6455 §10.7',
    rules: [190],
    edits: [['  return JSON.stringify([user, cid]);', '  return cid || user;']],
  },
];

/** Step 6: a client in its room */
const SERVER_SESSION: readonly Trap[] = [
  {
    id: 'half-a-name',
    step: 6,
    story:
      'Any text taken for the name of a room. Two names that end in the half of an emoji are two in memory, and one in the UTF-8 of the engine.',
    source: 'RFC 6455 §8.1',
    rules: [],
    edits: [[' || !value.isWellFormed()', '']],
  },
  {
    id: 'last-into-the-bus',
    step: 6,
    story: 'Whatever a client calls its last id handed to the bus, which takes `$` for now.',
    source: 'RFC 6455 §10.7',
    rules: [],
    edits: [[' && /^\\d{1,20}-\\d{1,20}$/.test(value);', ' && value.length > 0;']],
  },
  {
    id: 'listen-after-replay',
    step: 6,
    story:
      'The room subscribed to when the replay is over. What is said while a page is awaited is in no page, and nobody hears of it.',
    source: 'upstash/realtime#23',
    rules: [188],
    edits: [
      [
        '      this.#leave = await this.#bus.subscribe(room, (entry) => this.#arrived(entry));\n      if (this.#isOver) return this.#leave();\n      await this.#welcome(room, last);\n      this.#try(() => this.#catchUp());',
        '      await this.#welcome(room, last);\n      await this.#catchUp();\n      this.#leave = await this.#bus.subscribe(room, (entry) => this.#arrived(entry));',
      ],
    ],
  },
  {
    id: 'deaf-while-reading',
    step: 6,
    story: 'What arrives while a page is awaited dropped, as if each page had everything.',
    source: 'pingdotgg/t3code#3174',
    rules: [],
    edits: [
      [
        '    else if (this.#isCatchingUp || this.#isFull) this.#hasMore = true;',
        '    else if (this.#isCatchingUp || this.#isFull) return;',
      ],
    ],
  },
  {
    id: 'replay-without-ids',
    step: 6,
    story:
      'Messages of a replay sent without their ids. A client that is lost twice in a row gets the same ones again.',
    source: 'socketio/socket.io-redis-streams-adapter#39',
    rules: [],
    edits: [
      [
        '      for (const entry of page ?? []) if (!this.#isFull) this.#deliver(entry);',
        "      for (const entry of page ?? []) {\n        this.#cursor = entry.id;\n        this.#send({ t: 'msg', ...entry, id: '' });\n      }",
      ],
    ],
  },
  {
    id: 'mark-from-before',
    step: 6,
    story:
      'The greater one of two ids believed, when a history has begun again with smaller ones: what is said next counts as seen.',
    source: 'danny-avila/LibreChat#13117',
    rules: [189],
    edits: [
      [
        "    this.#cursor = last;\n    this.#send({ t: 'gap', last });",
        "    if (compareIds(last, this.#cursor!) > 0) this.#cursor = last;\n    this.#send({ t: 'gap', last });",
      ],
    ],
  },
  {
    id: 'slow-in-memory',
    step: 6,
    story:
      'Everything kept in a list for each client that does not read. Some of them never do, and the list has no end.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '    else if (this.#isCatchingUp || this.#isFull) this.#hasMore = true;',
        '    else if (this.#isFull) this.#kept.push(entry);\n    else if (this.#isCatchingUp) this.#hasMore = true;',
      ],
      [
        '    this.#isFull = false;\n    this.#try(() => this.#catchUp());',
        '    this.#isFull = false;\n    for (const entry of this.#kept.splice(0)) this.#deliver(entry);',
      ],
      ['  #hasFailed = false;\n', '  #hasFailed = false;\n  readonly #kept: Entry[] = [];\n'],
    ],
  },
  {
    id: 'two-catch-ups',
    step: 6,
    story: 'A second catch-up begun at each `drain`. Both send the same page.',
    source: 'RFC 6455 §7.2.3',
    rules: [],
    edits: [
      ['    if (this.#isCatchingUp) return;\n', ''],
      [
        '    if (compareIds(entry.id, this.#cursor!) <= 0) return;\n    this.#cursor = entry.id;\n    this.#send',
        '    this.#cursor = entry.id;\n    this.#send',
      ],
    ],
  },
  {
    id: 'publish-at-once',
    step: 6,
    story:
      'Messages published without waiting for the one before: what was said first can come second.',
    source: 'RFC 6455 §7.2.3',
    rules: [],
    edits: [
      [
        '    this.#published = this.#published.then(() =>\n      this.#try(async () => {',
        '    const before = this.#published;\n    this.#published = (() =>\n      this.#try(async () => {',
      ],
      [
        "        this.#send({ t: 'ack', cid, id });\n      }),\n    );",
        "        this.#send({ t: 'ack', cid, id });\n        await before;\n      }))();",
      ],
    ],
  },
  {
    id: 'room-of-the-gone',
    step: 6,
    story:
      'A connection that ends while its subscription is on the way: the bus goes on telling it for ever.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [['      if (this.#isOver) return this.#leave();\n', '']],
  },
];

/** Step 7: a room that survives its connections */
const CLIENT_SESSION: readonly Trap[] = [
  {
    id: 'sent-is-done',
    step: 7,
    story:
      'A message forgotten when it has been sent. What was on its way when the line broke is lost.',
    source: 'meawoppl/agent-portal#1236',
    rules: [191],
    edits: [
      [
        "      this.#output.push({ t: 'msg', cid, text: this.#unacked.get(cid)! });",
        "      this.#output.push({ t: 'msg', cid, text: this.#unacked.get(cid)! });\n      this.#unacked.delete(cid);",
      ],
    ],
  },
  {
    id: 'resent-by-two',
    step: 7,
    story:
      'Two lists sent on a new connection: what was said meanwhile, and what has no ack. Some are in both.',
    source: 'lichess-org/mobile#3387',
    rules: [],
    edits: [
      [
        '    this.#unsent = [...this.#unacked.keys()];',
        '    this.#unsent.push(...this.#unacked.keys());',
      ],
    ],
  },
  {
    id: 'no-id-yet',
    step: 7,
    story:
      'An id known only from the first message on. Who loses the connection before that has none to come back with.',
    source: 'socketio/socket.io#4888',
    rules: [],
    edits: [
      ['  #byeMs = 0;\n\n', '  #byeMs = 0;\n  #hasSeen = false;\n\n'],
      [
        '    const last = this.#last;\n',
        '    const last = this.#hasSeen ? this.#last : undefined;\n',
      ],
      [
        "    this.#last = id;\n    this.#events.push({ type: 'message'",
        "    this.#last = id;\n    this.#hasSeen = true;\n    this.#events.push({ type: 'message'",
      ],
    ],
  },
  {
    id: 'greatest-id-wins',
    step: 7,
    story:
      'The greatest id so far kept as a high-water mark. When the server began again, `seq=0, expected=945` was the end of it.',
    source: 'danny-avila/LibreChat#13117',
    rules: [],
    edits: [
      [
        '    if (gap) this.#miss(last);\n    this.#last = last;\n',
        '    if (gap) this.#miss(last);\n    else this.#last = last;\n',
      ],
      [
        '  #miss(last: string): void {\n    this.#last = last;\n',
        '  #miss(last: string): void {\n    if (compareIds(last, this.#last ?? last) >= 0) this.#last = last;\n',
      ],
    ],
  },
  {
    id: 'all-it-ever-said',
    step: 7,
    story:
      'All that was said in a tunnel sent at once. The server closes with 1008, which is final, and it is lost.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['      if (this.#unacked.size - this.#unsent.length === MAX_UNACKED) break;\n', '']],
  },
  {
    id: 'shown-twice',
    step: 7,
    story:
      'What arrives is shown, whatever its id is. After each return, the last messages are there a second time.',
    source: 'socketio/socket.io-redis-streams-adapter#39',
    rules: [192],
    edits: [
      [
        '    if (compareIds(id, this.#last!) <= 0) return;\n    this.#last = id;\n    this.#events',
        '    this.#last = id;\n    this.#events',
      ],
    ],
  },
  {
    id: 'count-from-open',
    step: 7,
    story:
      'The count of attempts begun again too early. While a server is in trouble, all its clients keep to the shortest delays.',
    source: 'elastic/elastic-agent#13874',
    rules: [133, 173],
    edits: [['  opened(): void {\n', '  opened(): void {\n    this.#attempt = 0;\n']],
  },
  {
    id: 'ladder-without-chance',
    step: 7,
    story:
      'The same ladder of delays for everybody: after a restart, all clients come back in lockstep.',
    source: 'NousResearch/hermes-agent#77654',
    rules: [133],
    edits: [['    return byeMs + this.#random() * longest;', '    return byeMs + longest;']],
  },
];

/** Step 8: the gate */
const GATE: readonly Trap[] = [
  {
    id: 'gate-without-origins',
    step: 8,
    story:
      'A login by cookie, and the page that asks is not looked at: any page may call, with the user’s cookies.',
    source: 'gravitational/teleport#67616',
    rules: [193],
    edits: [
      [
        `    negotiate(checkUpgrade(requestHead), this.#options);
`,
        `    checkUpgrade(requestHead);
`,
      ],
    ],
  },
  {
    id: 'gate-deaf-while-asking',
    step: 8,
    story:
      'The socket flows while the login is looked up, and nobody listens. The first message is lost.',
    source: 'forinda/kick-js#688',
    rules: [194],
    edits: [
      [
        `    socket.on('error', ignore); // While`,
        `    socket.resume();
    socket.on('error', ignore); // While`,
      ],
    ],
  },
  {
    id: 'gate-queue-without-end',
    step: 8,
    story:
      'So that no message is lost, all are collected while the login is looked up. Somebody without a login fills the memory.',
    source: 'rse/hapi-plugin-websocket#21',
    rules: [],
    edits: [
      [
        `    socket.on('error', ignore); // While`,
        `    const chunks = [head];
    const collect = (chunk: Uint8Array) => chunks.push(chunk);
    socket.on('data', collect);
    socket.on('error', ignore); // While`,
      ],
      [
        `    this.#server.upgrade(request, socket, head);`,
        `    socket.off('data', collect);
    this.#server.upgrade(request, socket, Buffer.concat(chunks));`,
      ],
    ],
  },
  {
    id: 'gate-slot-of-nobody',
    step: 8,
    story:
      'Sockets counted when they come, and counted off when their WebSocket closes. One that was refused never had any: after a few of them, an address is locked out.',
    source: 'SignalK/signalk-server#2781',
    rules: [],
    edits: [
      [
        `    hold(socket, this.#addresses.take(key));`,
        `    const slot = this.#addresses.take(key);
    if (!slot) throw tooMany(5_000);
    this.#slots.set(socket, slot);`,
      ],
      [
        `        this.#connections.delete(connection);
`,
        `        this.#connections.delete(connection);
        this.#slots.get(socket)?.();
`,
      ],
      [
        `  readonly #logins = new WeakMap<Duplex, Login>();
`,
        `  readonly #logins = new WeakMap<Duplex, Login>();
  readonly #slots = new WeakMap<Duplex, () => void>();
`,
      ],
    ],
  },
  {
    id: 'gate-locks-out-who-was-away',
    step: 8,
    story:
      'A client closed with 1008 for one message too many. Whoever was offline for an hour says all they have kept within moments, and 1008 is final: they never come back.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '    if (this.#early.length <= messages.burst && size <= bytes.burst) return;',
        '    if (this.#early.length === 0) return;',
      ],
    ],
  },
  {
    id: 'gate-waits-once',
    step: 8,
    story:
      'When the first that waits is due, all that wait are handled. One pause, and the limit is as high as somebody likes.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '      this.#handleDue();\n    } catch',
        '      for (const { event } of this.#early.splice(0)) this.#handle(event);\n    } catch',
      ],
    ],
  },
  {
    id: 'gate-never-hears-goodbye',
    step: 8,
    story:
      'A socket that was paused because too much came, and not read again when it was closed for that. The Close of the client is never seen.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [['    this.#early = [];\n    this.#socket.resume();\n', '    this.#early = [];\n']],
  },
  {
    id: 'gate-forgets-late-errors',
    step: 8,
    story:
      'An error of the application is caught in the timer, so that it ends nothing, and nobody hears of it. The client waits for an answer that never comes.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [['      this.#connection.fail(error);\n', '      void error;\n']],
  },
  {
    id: 'gate-ipv6-one-by-one',
    step: 8,
    story: 'Addresses of IPv6 counted one by one. Everybody has 2⁶⁴ of them, and no limit.',
    source: 'block/buzz#3784',
    rules: [],
    edits: [[`const key = addressKey(address ?? '');`, `const key = address ?? '';`]],
  },
  {
    id: 'gate-leftmost-address',
    step: 8,
    story:
      'The first address of `X-Forwarded-For` taken for the client’s. That one, the client has written.',
    source: 'migadu/alps#18',
    rules: [182],
    edits: [
      [
        `const address = clientAddress(peer, requestHead.headers, this.#options.proxies);`,
        `const forwarded = requestHead.headers.get('x-forwarded-for')?.[0]?.split(',')[0];
    const address = parseAddress(forwarded ?? peer ?? '');`,
      ],
    ],
  },
  {
    id: 'gate-refused-and-held',
    step: 8,
    story:
      'Who is refused is waited for, however long they stay. A crowd of them takes all sockets.',
    source: 'super-productivity/super-productivity#9885',
    rules: [],
    edits: [
      [
        `    const timer = setTimeout(() => socket.destroy(), this.#options.loginTimeoutMs);
    socket.on('close', () => clearTimeout(timer));
`,
        ``,
      ],
    ],
  },
  {
    id: 'gate-login-outlived',
    step: 8,
    story:
      'Whether a login is good is asked once, at the handshake. The socket goes on when it has ended.',
    source: 'websockets/ws#1653',
    rules: [195],
    edits: [
      [
        `        if (login.until !== undefined) cancel = at(login.until, () => logOut(connection));
`,
        ``,
      ],
    ],
  },
];

/** Step 9: tLS, and a proxy in front */
const FRONT: readonly Trap[] = [
  {
    id: 'tls-silent-client',
    step: 9,
    story:
      '`handshakeTimeout` set, and nobody listens when it is over. Node only says so: silent clients stay, 60,000 of them in the end.',
    source: 'nodejs/node-v0.x-archive#4383',
    rules: [196],
    edits: [
      [
        `  return server.on('tlsClientError', (_error, socket) => socket.destroy());`,
        `  return server;`,
      ],
    ],
  },
  {
    id: 'tls-error-only-logged',
    step: 9,
    story: 'At `tlsClientError`, the error is written down, and the socket stays.',
    source: 'fastify/fastify#3251',
    rules: [],
    edits: [
      [`(_error, socket) => socket.destroy()`, `(error) => server.emit('log', error.message)`],
    ],
  },
  {
    id: 'tls-http2-agreed',
    step: 9,
    story:
      'A server that says it speaks HTTP/2, because browsers like that. There, nobody can ask for an `Upgrade`.',
    source: 'RFC 6455 §4.1',
    rules: [],
    edits: [[`ALPNProtocols: ['http/1.1'], ...`, `ALPNProtocols: ['h2', 'http/1.1'], ...`]],
  },
  {
    id: 'proxied-by-anybody',
    step: 9,
    story:
      'The header of the PROXY protocol read from whoever sends one. Everybody can choose an address.',
    source: 'minekube/gate#936',
    rules: [184],
    edits: [[`  if (peer === undefined || !trusts(peer)) {`, `  if (peer === undefined) {`]],
  },
  {
    id: 'proxied-if-it-looks-so',
    step: 9,
    story:
      'Where no header comes, the connection is taken as it is: somebody who reaches us past the proxy comes in as the proxy.',
    source: 'armon/go-proxyproto#9',
    rules: [],
    edits: [
      [
        `    } catch {
      socket.destroy();
      return undefined;
`,
        `    } catch {
      return { length: 0, address: undefined };
`,
      ],
    ],
  },
];

/** Step 10: one process */
const MEMORY_BUS: readonly Trap[] = [
  {
    id: 'rooms-begin-at-nought',
    step: 10,
    story:
      'Ids that begin at 0 with each process. After a restart, the client’s old high-water mark lies above everything that is new, or in the middle of it, and it sees nothing, or half.',
    source: 'danny-avila/LibreChat#13117',
    rules: [197],
    edits: [
      [
        '    const history = new History(this.#now(), this.#size);',
        '    const history = new History(0, this.#size);',
      ],
    ],
  },
  {
    id: 'rooms-for-ever',
    step: 10,
    story:
      'Rooms that are made when somebody asks for them, and never forgotten. The names come from clients, and the memory fills up.',
    source: 'multica-ai/multica#7226',
    rules: [],
    edits: [['    if (this.#rooms.size >= this.#sweepSize) this.#sweep();\n    // A', '    // A']],
  },
  {
    id: 'quiet-room-forgotten',
    step: 10,
    story:
      'Rooms forgotten by their age alone. Somebody sits in one without a word for an hour, and never hears anything again: what is said goes into a new room of the same name.',
    source: 'RFC 6455 §7.2.3',
    rules: [],
    edits: [
      [
        '      if (isOld && listeners.size === 0) this.#rooms.delete(name);',
        '      if (isOld) this.#rooms.delete(name);',
      ],
    ],
  },
  {
    id: 'repeat-is-delivered',
    step: 10,
    story:
      'What is said again under the same `cid` has the same id, and is delivered again all the same. Each lost `ack` becomes a double on every screen.',
    source: 'meawoppl/agent-portal#1236',
    rules: [],
    edits: [
      [
        '    if (isNew) for (const { deliver } of listeners) deliver(entry);',
        '    for (const { deliver } of listeners) deliver(entry);',
      ],
    ],
  },
  {
    id: 'answer-before-question',
    step: 10,
    story:
      'A message delivered inside the call that publishes it. A bot answers while it is told, and those behind it in the list hear the answer first; then they drop the question, whose id is smaller.',
    source: 'RFC 6455 §7.2.3',
    rules: [],
    edits: [
      [
        '    // Not at once: others would hear an answer that a listener gives to it before they hear it.\n    await undefined;\n',
        '',
      ],
    ],
  },
  {
    id: 'room-goes-with-the-last',
    step: 10,
    story:
      'A room deleted when the last client leaves it. That client has only lost its connection, is back in a second, and is told of a gap.',
    source: 'RFC 6455 §7.2.3',
    rules: [],
    edits: [
      [
        '      if (room.listeners.delete(listener)) room.usedAt = this.#now();',
        '      room.listeners.delete(listener);\n      if (room.listeners.size === 0 && this.#rooms.get(name) === room) this.#rooms.delete(name);',
      ],
    ],
  },
];

/** Step 11: many processes */
const STREAM_BUS: readonly Trap[] = [
  {
    id: 'dollar-on-every-read',
    step: 11,
    story:
      '`$` on every read: only what is added while it waits. What is added between two reads is lost, now and then, and never on the machine of who looks for it.',
    source: 'prwnr/laravel-streamer#54',
    rules: [198],
    edits: [
      ['      ...positions.map(({ position }) => position),', "      ...positions.map(() => '$'),"],
    ],
  },
  {
    id: 'stream-id-plus-one',
    step: 11,
    story:
      'The next read begins at the id of the last entry plus one, but reads what is behind it. The second message of a millisecond is lost.',
    source: 'near/queryapi#558',
    rules: [],
    edits: [
      [
        '      followed.position = entry[0];',
        '      followed.position = entry[0].replace(/\\d+$/, (number) => String(Number(number) + 1));',
      ],
    ],
  },
  {
    id: 'waits-on-the-shared-connection',
    step: 11,
    story:
      'XREAD BLOCK on the connection that everything else uses. Whoever publishes waits for up to a second, until the read is over.',
    source: 'redis/ioredis#1136',
    rules: [],
    edits: [['    this.#reader = reader;', '    this.#reader = commands;']],
  },
  {
    id: 'old-mark-after-restart',
    step: 11,
    story:
      'A bus that goes on from its old id when the engine is back with nothing. Nobody is told that something is lost, and with a clock that is behind nothing is heard any more.',
    source: 'danny-avila/LibreChat#13117',
    rules: [200],
    edits: [['    for (const room of this.#rooms.keys()) await this.#checkPosition(room);\n', '']],
  },
  {
    id: 'trimmed-without-a-word',
    step: 11,
    story:
      'A reader that stood still for longer than the stream remembers. XREAD goes on with the oldest entry that is left, and nobody learns that others came before it.',
    source: 'fazer-ai/chatwoot#572',
    rules: [],
    edits: [
      [
        '      if (entries.length >= Math.min(READ_SIZE, this.#size)) await this.#checkPosition(room);\n',
        '',
      ],
    ],
  },
  {
    id: 'told-before-it-knows-where',
    step: 11,
    story:
      'Everybody is told that some may be lost, and only then the bus finds out where it goes on. They have asked the history by then: what is said in between is neither there nor delivered.',
    source: 'upstash/realtime#23',
    rules: [],
    edits: [
      [
        `    followed.position = await this.tip(room);
    for (const { deliver } of followed.listeners) deliver(undefined);
`,
        `    for (const { deliver } of followed.listeners) deliver(undefined);
    followed.position = await this.tip(room);
`,
      ],
    ],
  },
  {
    id: 'newcomer-moves-the-mark',
    step: 11,
    story:
      'Whoever enters a room sets its position to where they begin. What the others have not been told yet is skipped for them.',
    source: 'RFC 6455 §7.2.3',
    rules: [],
    edits: [['      followed.position ??= tip;', '      followed.position = tip;']],
  },
  {
    id: 'retry-adds-again',
    step: 11,
    story:
      'A plain XADD. Its reply is lost, the client says it again, and the message is there twice.',
    source: 'lichess-org/mobile#3387',
    rules: [199],
    edits: [
      [
        '    return this.#evaluate(PUBLISH_SCRIPT, keys, user, cid, text, LIFE_SECONDS, String(this.#size));',
        "    const fields = ['user', user, 'cid', cid, 'text', text];\n    const command = ['XADD', keys[0]!, 'MAXLEN', '~', String(this.#size), '*', ...fields];\n    return String(await this.#commands.sendCommand(command));",
      ],
    ],
  },
  {
    id: 'life-in-milliseconds',
    step: 11,
    story:
      'EXPIRE with milliseconds. Streams live for 41 days instead of an hour, and fill the memory of the engine.',
    source: 'multica-ai/multica#7226',
    rules: [],
    edits: [['String(ROOM_LIFE_MS / 1000)', 'String(ROOM_LIFE_MS)']],
  },
  {
    id: 'woken-under-its-old-name',
    step: 11,
    story:
      'The id of the reader’s connection asked for once. After it was lost, nobody wakes the reader any more, and who enters a room is deaf there for up to a second.',
    source: 'RFC 6455 §7.2.3',
    rules: [],
    edits: [['    this.#readerId = String(await', '    this.#readerId ||= String(await']],
  },
];

/** Step 12: a server that can leave */
const LEAVING: readonly Trap[] = [
  {
    id: 'leaves-all-at-once',
    step: 12,
    story: 'All clients closed in one moment. They come back in one moment, too.',
    source: 'ParabolInc/parabol#8903',
    rules: [],
    edits: [
      [
        `      await delay((i / sessions.length) * spreadMs);
`,
        `      await delay(0 * i);
`,
      ],
    ],
  },
  {
    id: 'leaves-when-tabs-close',
    step: 12,
    story:
      'A server that leaves waits until its clients go. A page that is open stays, and the process is killed with all of them.',
    source: 'eneskirca/nodeterm#162',
    rules: [],
    edits: [
      [
        `      connection.close(CloseCode.ServiceRestart, 'Please come back.');
`,
        ``,
      ],
      [
        `    await this.#gate.shutdown();
`,
        `    while (this.#gate.connections.size > 0) await delay(10);
`,
      ],
    ],
  },
  {
    id: 'leaves-without-acks',
    step: 12,
    story:
      'Clients closed while their messages are on the way. Nobody tells them which of these are in the history.',
    source: 'meawoppl/agent-portal#1236',
    rules: [201],
    edits: [
      [
        `      await within(this.#settleMs, session.leaves(0)).catch(ignore);
`,
        `      void session.leaves(0);
`,
      ],
    ],
  },
  {
    id: 'leaves-ghosts',
    step: 12,
    story: 'Clients that are gone stay in their rooms, for ever.',
    source: 'actionhero/keryx#129',
    rules: [],
    edits: [
      [
        `          this.#sessions.get(connection)!.ended();
`,
        ``,
      ],
    ],
  },
  {
    id: 'leaves-as-if-done',
    step: 12,
    story:
      'Clients closed with 1000 when a server restarts. That says that all is done, and none of them comes back.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [[`CloseCode.ServiceRestart`, `CloseCode.NormalClosure`]],
  },
];

export const TRAPS: readonly Trap[] = [
  ...LIMITS,
  ...ADDRESSES,
  ...PROXY_HEADER,
  ...LOGIN,
  ...HISTORY,
  ...SERVER_SESSION,
  ...CLIENT_SESSION,
  ...GATE,
  ...FRONT,
  ...MEMORY_BUS,
  ...STREAM_BUS,
  ...LEAVING,
];
