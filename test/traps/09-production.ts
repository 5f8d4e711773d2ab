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
    rules: [],
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
    rules: [],
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
    rules: [],
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
    edits: [
      [
        '  if (high === undefined || low === undefined) return short;\n',
        '  if (high === undefined || low === undefined || true) return short;\n',
      ],
    ],
  },
  {
    id: 'address-of-2-to-the-64',
    step: 2,
    story:
      'IPv6 counted by the whole address. Everybody has at least 2⁶⁴ of them, and with a new one for each connection there is no limit.',
    source: 'block/buzz#3784',
    rules: [],
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
    edits: [
      [
        "${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64",
        "${address.split(':').slice(0, 4).join(':')}::/64",
      ],
    ],
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
    source: 'haproxy/haproxy#44',
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
      'The addresses read without a look at the length. In a header that is too short for them, they are made of what the client sent behind it.',
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
    rules: [],
    edits: [['    this.#issued.delete(ticket);\n    return user;', '    return user;']],
  },
  {
    id: 'ticket-that-never-ends',
    step: 4,
    story:
      'Tickets that only go when they are used. Those in an old log that nobody used are still good, and their number grows.',
    source: 'not-sekiun/PyIris#61',
    rules: [],
    edits: [['      if (now < until) break;', '      if (now < until || now >= until) break;']],
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
      'The token taken as it is in the header. It was base64url there, because `=` and `/` cannot be in a subprotocol, and nobody knew it.',
    source: 'openshift/origin#14716',
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
      'base64 decoded where base64url was sent. It works for all tokens that happen to have no `-` and no `_`, and for the others it throws.',
    source: 'cryostatio/cryostat-web#37',
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
        "new URLSearchParams(target.replace(/^[^?]*/, ''))",
        "new URLSearchParams(target.split('?')[1])",
      ],
    ],
  },
];

/** Step 5: a history */
const HISTORY: readonly Trap[] = [];

/** Step 6: a client in its room */
const SERVER_SESSION: readonly Trap[] = [];

/** Step 7: a room that survives its connections */
const CLIENT_SESSION: readonly Trap[] = [];

/** Step 8: the gate */
const GATE: readonly Trap[] = [];

/** Step 9: tLS, and a proxy in front */
const FRONT: readonly Trap[] = [];

/** Step 10: one process */
const MEMORY_BUS: readonly Trap[] = [];

/** Step 11: many processes */
const STREAM_BUS: readonly Trap[] = [];

/** Step 12: a server that can leave */
const LEAVING: readonly Trap[] = [];

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
