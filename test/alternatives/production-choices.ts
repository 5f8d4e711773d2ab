/** What lesson 09 leaves open, and the reference decides. */
import type { LessonChoice } from './compression-choices.ts';

/** Those of steps 1 to 4: how often, who, and with what. */
const ASKING: readonly LessonChoice[] = [
  {
    what: 'what cannot ever be had refused before anything is counted',
    edits: [
      [
        '    this.#fill(now);\n    const missing',
        '    if (count > this.#rate.burst) return Infinity;\n    this.#fill(now);\n    const missing',
      ],
    ],
  },
  {
    what: 'a bucket that is asked whether it is full, and notes nothing',
    edits: [
      [
        '    this.#fill(now);\n    return this.#tokens === this.#rate.burst;',
        '    const seconds = (now - this.#at) / 1000;\n    return this.#tokens + seconds * this.#rate.perSecond >= this.#rate.burst;',
      ],
    ],
  },
  {
    what: 'buckets and rooms looked through from 64 on',
    edits: [['const FEW_BUCKETS = 1000;', 'const FEW_BUCKETS = 64;']],
  },
  {
    what: 'buckets looked through also for one that is known',
    edits: [
      [
        '    const bucket = this.#buckets.get(key) ?? this.#add(key, now);',
        '    if (this.#buckets.size >= this.#sweepSize) this.#sweep(now);\n    const bucket = this.#buckets.get(key) ?? this.#add(key, now);',
      ],
    ],
  },
  {
    what: 'a slot that says whether it was given back',
    edits: [
      [
        '      if (isTaken) this.#giveBack(key);\n      isTaken = false;\n',
        '      const wasTaken = isTaken;\n      isTaken = false;\n      if (wasTaken) this.#giveBack(key);\n      return wasTaken;\n',
      ],
    ],
  },
  {
    what: 'ports that are numbers of up to five digits, or begin with `_`',
    edits: [
      ['(?::[\\w.-]+)?$|', '(?::(?:\\d{1,5}|_[\\w.-]+))?$|'],
      ['^([\\d.]+):[\\w.-]+$/', '^([\\d.]+):(?:\\d{1,5}|_[\\w.-]+)$/'],
    ],
  },
  {
    what: 'no tabs for spaces in `X-Forwarded-For`, and all lines as one',
    edits: [
      [
        "lines.flatMap(proxies.header === 'forwarded' ? forwardedFor : forwardedForOld)",
        "proxies.header === 'forwarded' ? lines.flatMap(forwardedFor) : forwardedForOld(lines.join())",
      ],
    ],
  },
  {
    what: 'the first of two `for` in an element',
    edits: [['hops[hops.length - 1] = value;', 'hops[hops.length - 1] ||= value;']],
  },
  {
    what: 'nothing of a line that cannot be read',
    edits: [["hops : [...hops, ''];", "hops : [''];"]],
  },
  {
    what: 'proxies that are asked about before there is a header',
    edits: [
      [
        '  const lines = headers.get(proxies.header) ?? [];',
        '  if (client === undefined || !proxies.trusts(client)) return client;\n  const lines = headers.get(proxies.header) ?? [];',
      ],
    ],
  },
  {
    what: 'a version of PROXY refused before its length is there',
    edits: [
      [
        '  if (bytes.length < 16) return undefined;\n',
        '  if (bytes.length > 12 && bytes[12]! >> 1 !== 0x10) throw badProxyHeader();\n  if (bytes.length < 16) return undefined;\n',
      ],
    ],
  },
  {
    what: 'a line of PROXY refused as soon as its family is wrong',
    edits: [
      [
        '  if (end < 0 && bytes.length',
        "  const kinds = ['PROXY TCP4 ', 'PROXY TCP6 ', 'PROXY UNKNOWN'].map((kind) => Buffer.from(kind));\n  if (!kinds.some((kind) => startsLike(bytes, kind))) throw badProxyHeader();\n  if (end < 0 && bytes.length",
      ],
    ],
  },
  {
    what: 'addresses that do not fit refused before they arrive',
    edits: [
      ['  if (bytes.length < length) return undefined;\n', ''],
      [
        '  if (size === 0) return { length, address: undefined };\n  if (length < 16 + 2 * size + 4) throw badProxyHeader();\n',
        '  if (size > 0 && length < 16 + 2 * size + 4) throw badProxyHeader();\n  if (bytes.length < length) return undefined;\n  if (size === 0) return { length, address: undefined };\n',
      ],
    ],
  },
  {
    what: 'headers of PROXY with more in them, frozen, and other errors',
    edits: [
      [
        '  return { length: end + 2, address: parseAddress(source) };',
        '  return Object.freeze({ family, address: parseAddress(source), length: end + 2 });',
      ],
      ["new HandshakeError(400, '4.2.1', 'That is no", "new HandshakeError(400, '10.4', 'No"],
    ],
  },
  {
    what: 'a ticket looked for without `URLSearchParams`',
    edits: [
      [
        "queryOf(head.target).getAll('ticket')",
        "new URL(head.target.replace(/^[^?]*/, ''), 'ws://host/').searchParams.getAll('ticket')",
      ],
      [
        "\nfunction queryOf(target: string): URLSearchParams {\n  return new URLSearchParams(target.replace(/[^?]*/, ''));\n}\n",
        '',
      ],
    ],
  },
  {
    what: 'a credential that says where it was',
    edits: [
      [
        '{ kind, value } : undefined',
        "Object.freeze({ value, kind, isHeader: kind !== 'ticket' }) : undefined",
      ],
    ],
  },
  {
    what: 'a ticket that is too old found out when it is shown',
    edits: [
      [
        '    this.#forgetOld(now);\n    const user = this.#issued.get(ticket)?.user;\n    this.#issued.delete(ticket);\n    return user;',
        '    const issued = this.#issued.get(ticket);\n    this.#issued.delete(ticket);\n    return issued && now < issued.until ? issued.user : undefined;',
      ],
    ],
  },
];

/** Those of steps 5 to 7: a history, and both ends of a conversation. */
const TALKING: readonly LessonChoice[] = [
  {
    what: 'ids compared to -1, 0 or 1',
    edits: [
      [
        'return Number(a1 - b1) || Number(a2 - b2);',
        'if (a1 === b1) return a2 === b2 ? 0 : a2 < b2 ? -1 : 1;\n  return a1 < b1 ? -1 : 1;',
      ],
    ],
  },
  {
    what: 'entries that nobody can change, with their fields in another order',
    edits: [
      [
        'this.#entries.push({ ...said, id });',
        'const { text, cid, user } = said;\n    this.#entries.push(Object.freeze({ text, cid, user, id }));',
      ],
    ],
  },
  {
    what: 'more in the answer of `append`',
    edits: [['return { id, isNew: true };', 'return { isNew: true, id, ...{ at: 0 } };']],
  },
  {
    what: 'another key of user and `cid`',
    edits: [['return JSON.stringify([user, cid]);', "return [user.length, user, cid].join(':');"]],
  },
  {
    what: 'names counted in characters that people see as one, and other errors',
    edits: [
      [
        'value.length > 0 && value.length <= MAX_NAME',
        'value.length > 0 && [...value].length <= MAX_NAME',
      ],
      [
        "new ProtocolError(CloseCode.PolicyViolation, '7.4.1', message)",
        "new ProtocolError(CloseCode.PolicyViolation, '10.4', 'No: ' + message)",
      ],
    ],
  },
  {
    what: 'frames that are frozen',
    edits: [['return { t, cid, text };\n', 'return Object.freeze({ text, cid, t });\n']],
  },
  {
    what: 'pages of seven',
    edits: [['this.#cursor!, PAGE_SIZE)', 'this.#cursor!, 7)']],
  },
  {
    what: 'a page asked for in a turn of its own',
    edits: [
      [
        '      const page = await this.#bus.after(this.#room!',
        '      await Promise.resolve();\n      const page = await this.#bus.after(this.#room!',
      ],
    ],
  },
  {
    what: 'more asked for at the welcome than one',
    edits: [['this.#bus.after(room, last, 1)', 'this.#bus.after(room, last, PAGE_SIZE)']],
  },
  {
    what: 'both questions of the welcome at once',
    edits: [
      [
        '    const isKnown = last !== undefined && (await this.#bus.after(room, last, 1)) !== undefined;\n    const cursor = isKnown ? last : await this.#bus.tip(room);\n',
        '    const page = last === undefined ? undefined : this.#bus.after(room, last, 1);\n    const [known, tip] = await Promise.all([page, this.#bus.tip(room)]);\n    const isKnown = known !== undefined;\n    const cursor = isKnown ? last! : tip;\n',
      ],
    ],
  },
  {
    what: 'frames of the server with their fields in another order',
    edits: [
      [
        'this.#peer.send(JSON.stringify(frame))',
        'this.#peer.send(\n      JSON.stringify(Object.fromEntries(Object.entries(frame).reverse()), null, 1),\n    )',
      ],
    ],
  },
  {
    what: 'a `drained` that asks, full or not',
    edits: [['    if (!this.#isFull) return;\n', '    if (this.#cursor === undefined) return;\n']],
  },
  {
    what: 'a session that catches up after each of its own messages',
    edits: [
      [
        "        this.#send({ t: 'ack', cid, id });",
        "        this.#send({ t: 'ack', cid, id });\n        this.#try(() => this.#catchUp());",
      ],
    ],
  },
  {
    what: 'a subscription that ends when the bus fails, and another reason',
    edits: [
      [
        "      this.#peer.close(CloseCode.TryAgainLater, 'The messages are out of reach.');",
        '      this.#leave();\n      if (!this.#isOver) this.#peer.close(CloseCode.TryAgainLater);\n      this.#isOver = true;',
      ],
      [
        '    if (!this.#peer.send(JSON',
        '    if (this.#isOver) return;\n    if (!this.#peer.send(JSON',
      ],
    ],
  },
  {
    what: 'a hello with `last` before the room',
    edits: [
      [
        "[{ t: 'hello', room: this.#room, ...(last !== undefined && { last }) }]",
        "[{ ...(last !== undefined && { last }), room: this.#room, t: 'hello' }]",
      ],
    ],
  },
  {
    what: 'events that are frozen, and have more in them',
    edits: [
      [
        "this.#events.push({ type: 'sent', cid, id });",
        "this.#events.push(Object.freeze({ type: 'sent', id, cid, ...{ isOurs: true } }));",
      ],
    ],
  },
  {
    what: 'an attempt that counts also after a code that is final',
    edits: [
      ['    if (FINAL_CODES.has(code)) return undefined;\n', ''],
      [
        'return byeMs + this.#random() * longest;',
        'const delayMs = byeMs + this.#random() * longest;\n    return FINAL_CODES.has(code) ? undefined : delayMs;',
      ],
    ],
  },
  {
    what: 'a message without a `welcome` that is not shown',
    edits: [
      ['compareIds(id, this.#last!) <= 0', '!this.#isWelcome || compareIds(id, this.#last!) <= 0'],
    ],
  },
];

/** Those of steps 8 and 9: the gate, and what is in front of it. */
const ADMITTING: readonly LessonChoice[] = [
  {
    what: 'other messages of refusals, and other sections',
    edits: [
      [
        "new HandshakeError(429, '10.4', 'Too many requests.'",
        "new HandshakeError(429, '4.2.2', 'Later.'",
      ],
      ["new HandshakeError(401, '10.5', 'Nobody", "new HandshakeError(401, '4.2.2', 'Nobody"],
    ],
  },
  {
    what: 'a realm, and a refusal that nobody keeps',
    edits: [
      [
        "'WWW-Authenticate': 'Bearer',",
        "'WWW-Authenticate': 'Bearer realm=\"chat\"',\n      'Cache-Control': 'no-store',",
      ],
    ],
  },
  {
    what: 'other reasons in a Close',
    edits: [
      ["'Too many messages.'", "'Slower.'"],
      [
        "connection.close(NOT_LOGGED_IN, 'You are not logged in any more.')",
        'connection.close(NOT_LOGGED_IN)',
      ],
    ],
  },
  {
    what: 'a socket that is read on while messages wait',
    edits: [['        this.#socket.pause();\n', '']],
  },
  {
    what: 'the application told before the list of lesson 05',
    edits: [
      [
        '        handle(connection, event); // That of lesson 05, for its list.\n        this.#handle(connection, event, login);\n',
        '        this.#handle(connection, event, login);\n        handle(connection, event);\n',
      ],
    ],
  },
  {
    what: 'a refusal in two writes, a little later',
    edits: [
      [
        '    socket.end(refusal(why));',
        '    socket.write(refusal(why));\n    setImmediate(() => socket.end());',
      ],
    ],
  },
  {
    what: 'a login that is asked for a turn later',
    edits: [
      [
        'credential && (await within(loginTimeoutMs, authenticate(credential)))',
        'credential &&\n      (await within(loginTimeoutMs, Promise.resolve().then(() => authenticate(credential))))',
      ],
    ],
  },
  {
    what: 'a login that is looked at each second',
    edits: [['const MAX_TIMER_MS = 2 ** 31 - 1;', 'const MAX_TIMER_MS = 1_000;']],
  },
  {
    what: 'the address of the socket, not of the request, and a listener for one `close`',
    edits: [
      [
        'const peer = request.socket.remoteAddress;',
        'const peer = (socket as Socket).remoteAddress;',
      ],
      ["  else socket.on('close', giveBack);", "  else socket.once('close', giveBack);"],
    ],
  },
  {
    what: 'a list of connections that is a copy',
    edits: [
      [
        'get connections(): ReadonlyMap<Connection, Login> {\n    return this.#connections;',
        'get connections(): ReadonlyMap<Connection, Login> {\n    return new Map(this.#connections);',
      ],
    ],
  },
  {
    what: 'ALPN in bytes, and sockets accepted a turn later',
    edits: [
      [
        "ALPNProtocols: ['http/1.1'], ...options },\n    accept,\n",
        "ALPNProtocols: Buffer.from('\\x08http/1.1'), ...options },\n    (socket) => queueMicrotask(() => accept(socket)),\n",
      ],
    ],
  },
  {
    what: 'a getter for the address of the client',
    edits: [
      [
        '{ value: header.address ?? peer }',
        '{\n      get: () => header.address ?? peer,\n      configurable: true,\n    }',
      ],
    ],
  },
  {
    what: 'nothing given back to a socket when nothing is left',
    edits: [
      [
        '    socket.unshift(received.subarray(header.length));',
        '    if (received.length > header.length) socket.unshift(received.subarray(header.length));',
      ],
    ],
  },
];

/** Those of steps 10 to 12: one process, many, and leaving. */
const CARRYING: readonly LessonChoice[] = [
  {
    what: 'a message delivered a turn later',
    edits: [['    await undefined;\n', '    await new Promise(setImmediate);\n']],
  },
  {
    what: 'a message of its own for each listener',
    edits: [
      [
        'for (const { deliver } of listeners) deliver(entry);\n    return id;',
        'for (const { deliver } of listeners) deliver({ ...entry });\n    return id;',
      ],
    ],
  },
  {
    what: 'what is known answered at once',
    edits: [
      [
        '    const entry = { ...said, id };\n',
        '    if (!isNew) return id;\n    const entry = { ...said, id };\n',
      ],
    ],
  },
  {
    what: 'other keys in the engine',
    edits: [
      ['return `room:$', 'return `{chat}/$'],
      ["stream.slice('room:'.length)", "stream.slice('{chat}/'.length)"],
      ['`said:$', '`{chat}#$'],
    ],
  },
  {
    what: 'words for the engine in lower case',
    edits: [
      ["['XRANGE', streamOf(room)", "['xrange', streamOf(room)"],
      ["['CLIENT', 'ID']", "['client', 'id']"],
    ],
  },
  {
    what: 'another order of options, fewer entries at once, and a shorter wait',
    edits: [
      ['const READ_SIZE = 500;', 'const READ_SIZE = 3;'],
      [
        "'XREAD', 'BLOCK', String(BLOCK_MS), 'COUNT', String(READ_SIZE), 'STREAMS'",
        "'XREAD', 'COUNT', String(READ_SIZE), 'BLOCK', String(BLOCK_MS / 2), 'STREAMS'",
      ],
    ],
  },
  {
    what: 'another pause behind a lost connection',
    edits: [['const RETRY_MS = 100;', 'const RETRY_MS = 25;']],
  },
  {
    what: 'all places asked for at once',
    edits: [
      [
        'for (const room of this.#rooms.keys()) await this.#checkPosition(room);',
        'const checks = [...this.#rooms.keys()].map((room) => this.#checkPosition(room));\n    await Promise.all(checks);',
      ],
    ],
  },
  {
    what: 'a reader that asks what it is called before each read',
    edits: [
      [
        '        await this.#readOnce();',
        "        this.#readerId = String(await this.#reader.sendCommand(['CLIENT', 'ID']));\n        if (this.#positions().length > 0) await this.#readOnce();",
      ],
    ],
  },
  {
    what: 'a `bye` that asks for some time, and no reason in the Close',
    edits: [
      ['leaves(0)', 'leaves(500)'],
      ["close(CloseCode.ServiceRestart, 'Please come back.')", 'close(CloseCode.ServiceRestart)'],
    ],
  },
  {
    what: 'those who came last sent away first',
    edits: [
      ['const sessions = [...this.#sessions];', 'const sessions = [...this.#sessions].reverse();'],
    ],
  },
];

export const PRODUCTION: readonly LessonChoice[] = [
  ...ASKING,
  ...TALKING,
  ...ADMITTING,
  ...CARRYING,
];
