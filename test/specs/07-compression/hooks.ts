/** What this lesson needs of the earlier ones, which an older stub of theirs did not have. */
import { attempt, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { KEY, wire } from '../../../shared/kit/frames.ts';
import { type Hook, missing } from '../../../shared/kit/hook.ts';
import { Host } from '../../../shared/kit/host.ts';
import { request } from '../../../shared/kit/peer.ts';
import { type Extension, type Message, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import {
  type Connection,
  LIMITS,
  type Options as ServerOptions,
} from '../../../solutions/05-server/server.ts';
import type { ClientConnection, Offer } from '../../../solutions/06-client/client.ts';
import { acceptLine, turns } from '../05-server/sockets.ts';
import { agree, TARGET } from '../06-client/connections.ts';
import { HELLO } from './packed-messages.ts';
import type { Lesson, Scenarios } from './tools.ts';

const [READING, SENDING, SERVER, CLIENT] = [
  '02-reading-frames/reading.ts',
  '03-sending-frames/sending.ts',
  '05-server/server.ts',
  '06-client/client.ts',
] as const;

/** All of them, by names of ours. */
const HOOKS = {
  frames: {
    what: 'The `MessageReader` of lesson 02 gets its frames from where it is told to.',
    file: READING,
    todo: 'Give the constructor of `MessageReader` a third parameter, and make `#frames` with it there.',
    lines: [
      "makeFrames = (check: (header: FrameHeader) => void): Pick<FrameReader, 'push' | 'read' | 'peek'> => new FrameReader(check)",
      'this.#frames = makeFrames(/* what the FrameReader was made with */);',
    ],
  },
  rsv1: {
    what: 'The encoders of lesson 03 write RSV1 of a frame that has `rsv1`.',
    file: SENDING,
    todo: 'Where the first byte of a header is written, add a bit to it.',
    lines: ['const rsv1Bit = frame.rsv1 ? 0x40 : 0;', 'bytes[at] = finBit | rsv1Bit | opcode;'],
  },
  queue: {
    what: 'The `SendQueue` of lesson 03 hands out frames with the `rsv1` that they had.',
    file: SENDING,
    todo: 'Where `SendQueue` makes a frame of its own out of another, take `rsv1` over as well.',
    lines: [
      'const { fin, rsv1, opcode, payload } = frame;',
      'return { fin, rsv1, opcode, payload };',
    ],
  },
  extend: {
    what: 'What `openingHandshake` of lesson 05 has accepted goes through `extend`.',
    file: SERVER,
    todo: 'Give `Options` one more field, and let `openingHandshake` call it.',
    lines: [
      'readonly extend?: (opening: Accepted, request: RequestHead) => Accepted;',
      'return policy.extend?.(opening, request) ?? opening;',
    ],
  },
  serverReader: {
    what: 'A `Connection` of lesson 05 with an extension reads with its reader.',
    file: SERVER,
    todo: 'Give the constructor of `Connection` a fourth parameter, and keep it in a field.',
    lines: [
      'constructor(limits: Limits, now: () => number, wake: () => void, extension?: Extension)',
      "this.#reader = extension?.readerFor(limits.maxMessageBytes) ?? new MessageReader('server', limits.maxMessageBytes);",
    ],
  },
  serverFrames: {
    what: 'A `Connection` of lesson 05 with an extension sends the frames that this makes.',
    file: SERVER,
    todo: 'Give `send` a second parameter, and ask the extension first.',
    lines: [
      'send(data: string | Uint8Array, options?: SendOptions): boolean',
      'const frames = this.#extension?.framesFor(opcode, payload, MAX_FRAGMENT_BYTES, options) ?? fragment(opcode, payload, MAX_FRAGMENT_BYTES);',
    ],
  },
  serverCount: {
    what: 'What waits in a `Connection` of lesson 05 is as many bytes as its frames have.',
    file: SERVER,
    todo: 'In `send`, count the payloads of the frames, and not the message: they can be shorter.',
    lines: [
      'const size = frames.reduce((sum, frame) => sum + frame.payload.length, 0);',
      'this.#waitingBytes += size + MESSAGE_COST_BYTES;',
    ],
  },
  attached: {
    what: 'The `WebSocketServer` of lesson 05 hands `extend` on, and what that has agreed on.',
    file: SERVER,
    todo: 'Hand all of the options on to `openingHandshake`, and the extension to `Connection`.',
    lines: [
      'openingHandshake(received, this.#options, this.#options.maxHeadBytes)',
      'new Connection(limits, now, wake, opening.extension)',
    ],
  },
  request: {
    what: 'The request of lesson 06 has what is on offer.',
    file: CLIENT,
    todo: 'Give `RequestOptions` one more field, and `openingRequest` one more line.',
    lines: [
      'readonly offer?: { readonly header: string; agree(response: ResponseHead): Extension | undefined };',
      "...(offer ? ['Sec-WebSocket-Extensions: ' + offer.header] : []),",
    ],
  },
  agree: {
    what: 'The client of lesson 06 lets the `agree` of an offer look at the response.',
    file: CLIENT,
    todo: 'Keep the offer in a field. Refuse Sec-WebSocket-Extensions only where there is none, and call `agree` next.',
    lines: [
      "if (!hasOffered && valuesOf('sec-websocket-extensions').length > 0) {",
      'this.#extension = this.#offer?.agree(head);',
    ],
  },
  clientReader: {
    what: 'The client of lesson 06 with an extension reads with its reader, from the first byte.',
    file: CLIENT,
    todo: 'When `agree` has returned an extension, take its reader before you push what is behind the head.',
    lines: [
      'const reader = this.#extension?.readerFor(this.#limits.maxMessageBytes);',
      'if (reader) this.#reader = reader;',
    ],
  },
  clientFrames: {
    what: 'The client of lesson 06 with an extension sends the frames that this makes.',
    file: CLIENT,
    todo: 'Give `send` a second parameter, and ask the extension first.',
    lines: [
      'send(data: string | Uint8Array, options?: SendOptions): boolean',
      'const frames = this.#extension?.framesFor(opcode, payload, Number.MAX_SAFE_INTEGER, options) ?? [{ fin: true, opcode, payload }];',
    ],
  },
  clientCount: {
    what: 'In lesson 06, `bufferedBytes` counts a message as it was handed over, until it is sent.',
    file: CLIENT,
    todo: 'Keep the size of each message that waits, in order. When its frame is taken, that is what `sent` subtracts later.',
    lines: [
      'this.#waiting.push(payload.length);',
      'this.#onTheirWay.push(isControl(frame.opcode) ? 0 : (this.#waiting.shift() ?? 0));',
    ],
  },
  connect: {
    what: 'The `connect` of lesson 06 hands the offer on.',
    file: CLIENT,
    todo: 'Hand all of the options on to `ClientConnection`.',
    lines: ['const target = parseUrl(url);', 'new ClientConnection(target, options, now, wake)'],
  },
} as const satisfies Readonly<Record<string, Hook>>;

/** An extension that does nothing but show that it has been asked. */
class Mark implements Extension {
  readonly asked: unknown[][] = [];
  /** How many bytes have been pushed to its reader. */
  pushed = 0;

  readerFor(maxMessageBytes: number) {
    this.asked.push(['readerFor', maxMessageBytes]);
    let message: Message | undefined = { type: 'text', data: 'of the extension' };
    return {
      push: (chunk: Uint8Array) => {
        this.pushed += chunk.length;
      },
      read: () => {
        const next = message;
        message = undefined;
        return next;
      },
    };
  }

  framesFor(...args: Parameters<Extension['framesFor']>) {
    this.asked.push(['framesFor', ...args]);
    return [{ fin: true, rsv1: true, opcode: args[0], payload: HELLO }];
  }

  /** Which frames it has been asked for: the opcode, how many bytes, `maxPayload` and the options. */
  get framed(): unknown[][] {
    return this.asked
      .filter(([name]) => name === 'framesFor')
      .map(([, opcode, data, most, options]) => [
        opcode,
        (data as Uint8Array).length,
        most,
        options,
      ]);
  }

  /** Has it been asked for this, with these arguments first? */
  has(name: string, ...args: readonly unknown[]): boolean {
    return this.asked.some(
      (call) => show(call.slice(0, args.length + 1)) === show([name, ...args]),
    );
  }
}

const OPTIONS = { compress: false };
/** What is sent to see which frames are made of it: a text, and so many bytes. */
const MUCH = new Uint8Array(100_000);

/** Sends a text and bytes. */
function sendBoth(connection: Pick<Connection, 'send'>): void {
  connection.send('Hello', OPTIONS);
  connection.send(MUCH, OPTIONS);
}

/** Has an extension been asked for the frames of both, and of as many bytes each as `isRoom` says? */
const isAskedForBoth = ({ framed }: Mark, isRoom: (maxPayload: number) => boolean) =>
  show(framed.map(([opcode, size, , options]) => [opcode, size, options])) ===
    show([
      [Opcode.Text, 5, OPTIONS],
      [Opcode.Binary, MUCH.length, OPTIONS],
    ]) && framed.every(([, , most]) => isRoom(Number(most)));

/** What they were, and what is expected. */
function toldOfBoth({ framed }: Mark, maxPayload: string, output: Uint8Array): Fact[] {
  const calls = framed.map(
    ([opcode, size, most, options]) =>
      `framesFor(${opcode}, ${count(Number(size), 'byte')}, ${most}, ${show(options)})`,
  );
  return [
    [
      'the calls',
      `send('Hello', { compress: false }), then send(100,000 bytes, { compress: false })`,
    ],
    ['expected', `framesFor(1, 5 bytes, ${maxPayload}, { compress: false }) of the extension`],
    ['', `framesFor(2, 100,000 bytes, ${maxPayload}, { compress: false })`],
    ['asked for', calls[0] ?? 'nothing'],
    ...calls.slice(1).map((call): Fact => ['', call]),
    ['to send', show(output)],
  ];
}

/** A frame of eleven bytes, as a client sends it. */
const FRAME = wire({ opcode: Opcode.Text, payload: 'Hello' });

/** Where messages get their frames from: for step 6. */
export const HOOKS_OF_READING: Scenarios = [
  {
    what: HOOKS.frames.what,
    rules: [],
    check({ EARLIER: { MessageReader } }) {
      let isAsked = false;
      const nothing = { push() {}, read: () => undefined, peek: () => new Uint8Array(0) };
      const makeFrames = () => {
        isAsked = true;
        return nothing;
      };
      new MessageReader('server', 1000, makeFrames);
      if (isAsked) return;
      missing(HOOKS.frames, [
        ['call', "new MessageReader('server', 1000, makeFrames)"],
        ['expected', 'a call of `makeFrames`, and there was none'],
      ]);
    },
  },
];

/** RSV1 on a frame: for step 7. */
export const HOOKS_OF_SENDING: Scenarios = [
  {
    what: HOOKS.rsv1.what,
    rules: [],
    check({ EARLIER: { encodeFrames, encodeMaskedFrame } }) {
      const frame = { fin: true, rsv1: true, opcode: Opcode.Text, payload: HELLO };
      const encoders = [
        ['encodeFrames([frame])', () => encodeFrames([frame])],
        ['encodeMaskedFrame(frame)', () => encodeMaskedFrame(frame, () => KEY)],
      ] as const;
      for (const [call, encode] of encoders) {
        const bytes = encode();
        if (bytes[0] === 0xc1) continue;
        missing(HOOKS.rsv1, [
          ['call', call],
          ['frame', show(frame)],
          ['you returned', show(bytes)],
          ['expected', 'c1 as the first byte: FIN, RSV1, opcode 1'],
        ]);
      }
    },
  },
  {
    what: HOOKS.queue.what,
    rules: [],
    check({ EARLIER: { SendQueue } }) {
      const frame = { fin: true, rsv1: true, opcode: Opcode.Text, payload: HELLO };
      const queue = new SendQueue();
      queue.addMessage([frame]);
      const next = queue.next();
      if (next?.rsv1) return;
      missing(HOOKS.queue, [
        ['the calls', 'addMessage([frame]), then next()'],
        ['frame', show(frame)],
        ['you returned', show(next)],
      ]);
    },
  },
];

/** Makes a connection of lesson 05 with an extension. */
function served({ EARLIER }: Lesson, mark: Mark, limits = {}): Connection {
  const make = () =>
    new EARLIER.Connection(
      { ...LIMITS, ...limits },
      () => 0,
      () => {},
      mark,
    );
  return attempt(make, 'Make a connection.');
}

/** An extension in a server: for step 8. */
export const HOOKS_OF_SERVER: Scenarios = [
  {
    what: HOOKS.extend.what,
    rules: [],
    check({ EARLIER: { openingHandshake } }) {
      const mark = new Mark();
      const heard: unknown[] = [];
      const extend: ServerOptions['extend'] = (opening, { headers }) => {
        heard.push(opening.accepted, headers.get('sec-websocket-extensions'));
        return { ...opening, extension: mark };
      };
      const received = request('/', 'Sec-WebSocket-Extensions: x-test');
      const opening = attempt(() => openingHandshake(received, { extend }), HOOKS.extend.what);
      const isHeard = show(heard) === show([true, ['x-test']]);
      if (isHeard && opening?.accepted && opening.extension === mark) return;
      missing(HOOKS.extend, [
        ['call', 'openingHandshake(received, { extend })'],
        ['expected', 'what `extend(opening, request)` returns'],
        ['`extend` was', heard.length === 0 ? 'not called' : 'called'],
      ]);
    },
  },
  {
    what: HOOKS.serverReader.what,
    rules: [],
    check(lesson) {
      const mark = new Mark();
      const connection = served(lesson, mark, { maxMessageBytes: 777 });
      connection.receive(FRAME);
      const event = connection.next();
      if (mark.has('readerFor', 777) && mark.pushed === FRAME.length) {
        if (event?.type === 'text' && event.data === 'of the extension') return;
      }
      missing(HOOKS.serverReader, [
        ['call', 'new Connection(limits, now, wake, extension)'],
        ['expected', 'a call of extension.readerFor(limits.maxMessageBytes), and what that reads'],
        ['`next` gave', show(event)],
      ]);
    },
  },
  {
    what: HOOKS.serverFrames.what,
    rules: [],
    check(lesson) {
      const mark = new Mark();
      const connection = served(lesson, mark);
      sendBoth(connection);
      const isAsked = isAskedForBoth(mark, (maxPayload) => maxPayload < MUCH.length);
      const output = connection.takeOutput();
      if (isAsked && output[0] === 0xc1) return;
      missing(HOOKS.serverFrames, toldOfBoth(mark, 'MAX_FRAGMENT_BYTES', output));
    },
  },
  {
    what: HOOKS.serverCount.what,
    rules: [],
    check(lesson) {
      const connection = served(lesson, new Mark(), { maxWaitingBytes: 10_000 });
      const data = new Uint8Array(1000);
      let taken = 0;
      for (; taken < 100 && connection.send(data); taken++) connection.takeOutput();
      if (taken === 100) return;
      missing(HOOKS.serverCount, [
        ['maxWaitingBytes', '10000'],
        ['the calls', 'send(1000 bytes), then takeOutput(), again and again'],
        ['sent', 'each in a frame of 7 bytes, which the extension has made'],
        ['`send` gave', `false, the ${taken + 1}th time`],
        ['expected', 'true each time, since nothing waits'],
      ]);
    },
  },
  {
    what: HOOKS.attached.what,
    rules: [],
    async check({ EARLIER: { WebSocketServer } }) {
      const mark = new Mark();
      let isCalled = false;
      const extend: ServerOptions['extend'] = (opening) => {
        isCalled = true;
        return { ...opening, extension: mark };
      };
      const server = new WebSocketServer(() => {}, { extend });
      const line = acceptLine(server, request());
      await turns(5);
      line.destroy();
      if (isCalled && mark.has('readerFor')) return;
      missing(HOOKS.attached, [
        ['call', 'new WebSocketServer(handle, { extend })'],
        ['`extend` was', isCalled ? 'called' : 'not called'],
        ['its extension', mark.has('readerFor') ? 'was used' : 'was not used'],
      ]);
    },
  },
];

/** What is on offer in the hooks of lesson 06. */
const HEADER = 'x-test; a=1';

/** Makes a client with something on offer, and lets the server agree, with this behind its head. */
function dialled({ EARLIER }: Lesson, mark: Mark, behind = new Uint8Array(0)) {
  const heard: unknown[] = [];
  const offer: Offer = {
    header: HEADER,
    agree: ({ headers }) => {
      heard.push(headers.get('sec-websocket-extensions'));
      return mark;
    },
  };
  const options = { offer, maxMessageBytes: 777 };
  const make = () =>
    new EARLIER.ClientConnection(
      TARGET,
      options,
      () => 0,
      () => {},
    );
  const connection: ClientConnection = attempt(make, 'Make a connection.');
  const yes = agree(connection, 'Sec-WebSocket-Extensions: x-test');
  connection.sent();
  connection.receive(Buffer.concat([yes, behind]));
  return { connection, event: connection.next(), heard };
}

const OFFERED: Fact = ['made with', `new ClientConnection(target, { offer }, now, wake)`];
const AGREED: Fact = ['the response', 'has Sec-WebSocket-Extensions: x-test'];

const UNASKED = 'The client of lesson 06 that offers nothing refuses any extension, as before.';

/** An extension in a client: for step 9. */
export const HOOKS_OF_CLIENT: Scenarios = [
  {
    what: HOOKS.request.what,
    rules: [],
    check({ EARLIER: { ClientConnection } }) {
      const offer: Offer = { header: HEADER, agree: () => undefined };
      const connection = new ClientConnection(
        TARGET,
        { offer },
        () => 0,
        () => {},
      );
      const head = Buffer.from(connection.takeOutput() ?? []).toString('latin1');
      const lines = head.split('\r\n').filter((line) => /^sec-websocket-extensions:/i.test(line));
      if (lines.length === 1 && lines[0]?.endsWith(HEADER)) return;
      missing(HOOKS.request, [
        OFFERED,
        ['offer.header', show(HEADER)],
        ['expected', `a line with Sec-WebSocket-Extensions: ${HEADER}`],
        ['the request', show(head)],
      ]);
    },
  },
  {
    what: HOOKS.agree.what,
    rules: [],
    check(lesson) {
      const { event, heard } = dialled(lesson, new Mark());
      if (event?.type === 'open' && show(heard) === show([['x-test']])) return;
      missing(HOOKS.agree, [
        OFFERED,
        AGREED,
        ['expected', 'a call of offer.agree(response), and then `open`'],
        ['`next` gave', show(event)],
        ['`agree` was', heard.length === 0 ? 'not called' : 'called'],
      ]);
    },
  },
  {
    what: UNASKED,
    rules: [62],
    check({ EARLIER: { ClientConnection } }) {
      const connection = new ClientConnection(
        TARGET,
        {},
        () => 0,
        () => {},
      );
      connection.receive(agree(connection, 'Sec-WebSocket-Extensions: x-test'));
      const event = connection.next();
      if (event?.type === 'error') return;
      fail(UNASKED, [
        ['made with', 'new ClientConnection(target, {}, now, wake)'],
        AGREED,
        ['`next` gave', show(event)],
        ['expected', 'an error'],
        ['the file', `lessons/${CLIENT}`],
        ['what to do', 'Tell `checkResponse` whether there is an offer.'],
        ['in code', 'checkResponse(head, this.#key, this.#protocols, this.#offer !== undefined)'],
      ]);
    },
  },
  {
    what: HOOKS.clientReader.what,
    rules: [],
    check(lesson) {
      const mark = new Mark();
      const { connection } = dialled(lesson, mark, FRAME);
      connection.receive(FRAME);
      const event = connection.next();
      if (mark.has('readerFor', 777) && mark.pushed === 2 * FRAME.length) {
        if (event?.type === 'text' && event.data === 'of the extension') return;
      }
      missing(HOOKS.clientReader, [
        OFFERED,
        AGREED,
        ['expected', 'a call of extension.readerFor(maxMessageBytes), and what that reads'],
        ['arrived', `${FRAME.length} bytes behind the response, and ${FRAME.length} more`],
        ['its reader got', `${mark.pushed} bytes`],
        ['`next` gave', show(event)],
      ]);
    },
  },
  {
    what: HOOKS.clientFrames.what,
    rules: [],
    check(lesson) {
      const mark = new Mark();
      const { connection } = dialled(lesson, mark);
      sendBoth(connection);
      const isAsked = isAskedForBoth(mark, (maxPayload) => maxPayload >= MUCH.length);
      const output = connection.takeOutput();
      if (isAsked && output?.[0] === 0xc1) return;
      const told = toldOfBoth(mark, 'Number.MAX_SAFE_INTEGER', output ?? new Uint8Array(0));
      missing(HOOKS.clientFrames, [OFFERED, AGREED, ...told]);
    },
  },
  {
    what: HOOKS.clientCount.what,
    rules: [],
    check(lesson) {
      const { connection } = dialled(lesson, new Mark());
      const sizes: number[] = [];
      for (const size of [1000, 50]) {
        connection.send(new Uint8Array(size));
        sizes.push(connection.bufferedBytes);
      }
      connection.ping();
      for (const _ of [1, 2, 3]) {
        connection.takeOutput();
        connection.sent();
        sizes.push(connection.bufferedBytes);
      }
      const right = [1000, 1050, 1050, 50, 0];
      if (show(sizes) === show(right)) return;
      missing(HOOKS.clientCount, [
        OFFERED,
        [
          'the calls',
          'send(1000 bytes), send(50 bytes), ping(), then takeOutput() and sent(), 3 times',
        ],
        ['sent', 'the Ping, then each message in a frame of 7 bytes that the extension has made'],
        ['bufferedBytes', sizes.join(', ')],
        ['expected', right.join(', ')],
      ]);
    },
  },
  {
    what: HOOKS.connect.what,
    rules: [],
    check: ({ EARLIER }) =>
      Host.run(async (host) => {
        const offer: Offer = { header: HEADER, agree: () => undefined };
        EARLIER.connect(host.url(), { offer }, () => {});
        const head = await (await host.guest()).asked('The client sends its request.');
        if (head.includes(HEADER)) return;
        missing(HOOKS.connect, [
          ['call', 'connect(url, { offer }, handle)'],
          ['offer.header', show(HEADER)],
          ['the request', show(head)],
        ]);
      }),
  },
];
