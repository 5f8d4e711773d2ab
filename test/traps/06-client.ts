import type { Trap } from './trap.ts';

/** Steps 1 to 4: the opening handshake. */
const OPENING: readonly Trap[] = [];

/** Steps 5 and 6: a connection without a socket. */
const CORE: readonly Trap[] = [];

/** Steps 7 and 8: on a socket, and the class. */
const CLASS: readonly Trap[] = [];

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
    edits: [
      [
        '    if (openedAt !== undefined && timing.now() - openedAt >= GOOD_LIFE_MS) this.#attempt = 0;\n',
        '',
      ],
    ],
  },
  {
    id: 'life-from-the-first-try',
    step: 9,
    story:
      'The life of a connection is measured from the call, so one that takes long to fail looks healthy.',
    source: 'RFC 6455 §7.2.3',
    rules: [173],
    edits: [
      [
        '    let openedAt: number | undefined;',
        '    let openedAt: number | undefined = this.#timing.now();',
      ],
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
    edits: [
      ['    this.#isOver = true;\n    this.#cancel();', '    this.#cancel();'],
      ['  #isOver = false;\n', '  readonly #isOver = false;\n'],
    ],
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
        '        this.#unsent = [];\n        break;',
        '        this.#unsent = [];\n        this.#connection.ping();\n        break;',
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
    edits: [['this.#connection.send(text)) {', 'this.#connection.send(Buffer.from(text))) {']],
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
        '      if (isWaiting) this.#unsent.push(text);',
        '      if (isWaiting) this.#connection.send(text);',
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
];

export const TRAPS: readonly Trap[] = [...OPENING, ...CORE, ...CLASS, ...LASTING];
