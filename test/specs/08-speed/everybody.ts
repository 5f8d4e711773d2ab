/** Step 8: a message for everybody. */
import { createServer, type Socket } from 'node:net';
import { attempt, equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import {
  closeBody,
  fromClient,
  fromServer,
  join,
  splitFrames,
} from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { Listener, request } from '../../../shared/kit/peer.ts';
import { aside, workOf, workOn } from '../../../shared/kit/work.ts';
import { type Extension, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import type { Handler, Options } from '../../../solutions/05-server/server.ts';
import type { Connection, WebSocketServer } from '../../../solutions/08-speed/speed.ts';
import { nameOf, spokenIn } from '../05-server/core.ts';
import { acceptLine, type Line, openAll, PATIENT, turns, writtenTo } from '../05-server/sockets.ts';
import { connected, isExtensible } from './connecting.ts';
import { HOOKS_OF_SERVER } from './hooks.ts';
import { tell } from './texts-out.ts';
import type { Lesson, Scenarios } from './tools.ts';

const { Binary, Close, Ping, Pong, Text } = Opcode;

/** A server with clients on lines, each of which has opened a WebSocket. */
interface Hall {
  readonly server: WebSocketServer;
  readonly lines: readonly Line[];
  /** The connections to them, in the same order. */
  readonly connections: readonly Connection[];
  /** Ends all that is there. */
  readonly end: () => void;
}

/** Opens so many WebSockets. A request of these lines is that of the client with that number. */
function hall(
  { WebSocketServer }: Lesson,
  clients: number,
  handle: Handler = () => {},
  options: Options = {},
  header: (client: number) => readonly string[] = () => [],
): Hall {
  const connections: Connection[] = [];
  const listen: Handler = (connection, event) => {
    if (event.type === 'open') connections.push(connection as Connection);
    handle(connection, event);
  };
  const make = () => new WebSocketServer(listen, { ...PATIENT, ...options });
  const server = attempt(make, 'Make a server.');
  const lines = Array.from({ length: clients }, (_, client) =>
    acceptLine(server, request('/', ...header(client))),
  );
  return {
    server,
    lines,
    connections,
    end: () => {
      for (const line of lines) line.destroy();
    },
  };
}

type Data = string | Uint8Array;

const tellData = (data: Data) =>
  typeof data === 'string' ? tell(data) : count(data.length, 'byte');

/** What was said: in one piece, however it was cut. */
interface Said {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

const said = (data: Data): Said => ({
  opcode: typeof data === 'string' ? Text : Binary,
  payload: Buffer.from(data as string),
});

/** What a client has heard since it opened. */
const heardOn = (line: Line) => spokenIn(writtenTo(line));

const isSame = (one?: Said, other?: Said) =>
  one?.opcode === other?.opcode &&
  Buffer.compare(one?.payload ?? Buffer.alloc(0), other?.payload ?? Buffer.alloc(0)) === 0;

/** Says what somebody heard, or should have. */
const tellSaid = (messages: readonly Said[]) =>
  messages.length === 0 ? 'nothing' : messages.map((message) => nameOf(message)).join(', ');

/** A client that heard something else than it should have. */
interface Difference {
  readonly client: number;
  readonly heard: readonly Said[];
  readonly right: readonly Said[];
}

/** Checks what each client has heard. */
function expectHeard(
  lines: readonly Line[],
  expected: readonly (readonly Said[])[],
  what: string,
  given: readonly Fact[],
  cause?: string | ((difference: Difference) => string | undefined),
): void {
  for (const [client, line] of lines.entries()) {
    const heard = heardOn(line);
    const right = expected[client] ?? [];
    const length = Math.max(heard.length, right.length);
    const at = Array.from({ length }, (_, i) => i).find((i) => !isSame(heard[i], right[i]));
    if (at === undefined) continue;
    const facts: Fact[] = [
      ...given,
      [`client ${client + 1} of ${lines.length}`, `heard ${tellSaid(heard)}`],
      ['expected', tellSaid(right)],
    ];
    if (tellSaid(heard) === tellSaid(right)) {
      facts.push(['its bytes', show(heard[at]?.payload)], ['expected', show(right[at]?.payload)]);
    }
    fail(what, facts, typeof cause === 'function' ? cause({ client, heard, right }) : cause);
  }
}

const TO_ALL = 'A message for everybody reaches everybody.';

/** Says why somebody heard something else. */
function whyOther({ client, heard, right }: Difference): string | undefined {
  if (right.length === 0) return '`except` gets nothing. Go on with the next one.';
  const [mine] = heard;
  if (mine && mine.opcode !== right[0]?.opcode)
    return 'A string goes as text, and bytes as binary.';
  if (mine || client === 0) return undefined;
  return 'Is it one of those behind `except`? Or does somebody before it take the frames out of the array that all of them are handed?';
}

const DATA: readonly Data[] = [
  'to all',
  'TO ALL',
  '',
  'é'.repeat(1000),
  'é'.repeat(10_000),
  'é'.repeat(100_000),
  Uint8Array.of(1, 2, 3),
  new Uint8Array(200_000).fill(7),
];

const REACHING: Scenarios = [
  {
    what: 'The connections of the server are those of this lesson.',
    rules: [],
    check(lesson) {
      const { connections, end } = hall(lesson, 1);
      end();
      equal(() => connections.length, 1, 'The application hears of each connection.', {
        label: '`open` events',
        cause: () => 'Hand `handle` to `super` as it is.',
      });
      equal(
        () => connections.every((connection) => connection instanceof lesson.Connection),
        true,
        'The connections of the server are those of this lesson.',
        {
          label: '`connection instanceof Connection` (yours)',
          cause: () => 'Hand `attach` of this lesson to `super`, as one of the options.',
        },
      );
    },
  },
  {
    what: 'The options are those that the server was made with.',
    rules: [],
    async check(lesson) {
      const { lines, end } = hall(lesson, 1, () => {}, { maxMessageBytes: 4 });
      lines[0]?.emit('data', fromClient(Text, 'Hello'));
      await turns(2);
      const last = () => nameOf(lines.flatMap(heardOn).at(-1));
      end();
      equal(last, 'a Close with 1009', 'The options are those that the server was made with.', {
        given: [
          ['the options', '{ maxMessageBytes: 4 }'],
          ['arrived', 'a Text of 5 bytes'],
        ],
        label: 'went out last',
        cause: () => 'Hand all the options to `super`, and `attach` with them.',
      });
    },
  },
  {
    what: 'A message for everybody reaches everybody but `except`, whatever it is.',
    rules: [],
    async check(lesson) {
      for (const data of DATA) {
        const { server, lines, connections, end } = hall(lesson, 4);
        const given: Fact[] = [['the call', `broadcast(${tellData(data)}, the second of four)`]];
        attempt(() => server.broadcast(data, connections[1]), TO_ALL, given);
        await turns(3);
        const right = lines.map((_, client) => (client === 1 ? [] : [said(data)]));
        end();
        expectHeard(lines, right, TO_ALL, given, whyOther);
      }
    },
  },
  {
    what: 'One that is closing is left out, and keeps nobody from it.',
    rules: [],
    async check(lesson) {
      const { server, lines, connections, end } = hall(lesson, 3);
      attempt(() => connections[0]?.close(1001), TO_ALL);
      attempt(() => server.broadcast('to all'), TO_ALL);
      await turns(3);
      end();
      const close = { opcode: Close, payload: closeBody(1001) };
      const right = lines.map((_, client) => (client === 0 ? [close] : [said('to all')]));
      const given: Fact[] = [['the calls', "close(1001) of the first, then broadcast('to all')"]];
      expectHeard(
        lines,
        right,
        'One that is closing is left out, and keeps nobody from it.',
        given,
      );
    },
  },
  {
    what: 'A long message for everybody goes in fragments, as any other.',
    rules: [],
    async check(lesson) {
      const most = lesson.EARLIER.server.MAX_FRAGMENT_BYTES;
      const { server, lines, end } = hall(lesson, 1);
      server.broadcast('é'.repeat(100_000));
      await turns(3);
      const sizes = lines.flatMap((line) => splitFrames(writtenTo(line)).frames);
      end();
      const longest = Math.max(...sizes.map(({ payload }) => payload.length));
      if (longest <= most) return;
      fail(
        'A long message for everybody goes in fragments, as any other.',
        [
          ['the call', 'broadcast(a text of 200,000 bytes)'],
          ['the longest frame', `${count(longest, 'byte')}, expected at most ${most}`],
        ],
        'A Pong cannot go out inside a frame: it would wait for all of it.',
      );
    },
  },
  {
    what: 'Frames that are sent stay as they are: others may be sent the same ones.',
    rules: [],
    check(lesson) {
      const what = 'Frames that are sent stay as they are: others may be sent the same ones.';
      for (const isHeld of [false, true]) {
        const connection = connected(lesson);
        connection.hold(isHeld);
        const payload = Buffer.from('to all');
        const frames = Object.freeze([Object.freeze({ fin: true, opcode: Text, payload })]);
        const given: Fact[] = [
          ['the calls', `hold(${isHeld}), sendFrames(frames), takeParts()`],
          ['the frames', 'cannot be changed, nor their array'],
        ];
        attempt(() => connection.sendFrames(frames), what, given);
        const out = () => join(...connection.takeParts());
        equal(out, fromServer(Text, 'to all'), what, { given, label: 'went out', frames: true });
      }
    },
  },
  {
    what: 'A server sends to its own clients only.',
    rules: [],
    async check(lesson) {
      const [here, there] = [hall(lesson, 1), hall(lesson, 1)];
      attempt(() => here.server.broadcast('to all'), TO_ALL);
      await turns(3);
      here.end();
      there.end();
      const given: Fact[] = [['two servers', 'of which the first was asked to broadcast']];
      const what = 'A server sends to its own clients only.';
      expectHeard([...here.lines, ...there.lines], [[said('to all')]], what, given);
    },
  },
  {
    what: 'A text that is none reaches nobody.',
    rules: [],
    async check(lesson) {
      const { server, lines, end } = hall(lesson, 2);
      const what = 'Half of a surrogate pair is no character: throw a TypeError.';
      const given: Fact[] = [['the call', `broadcast(${show('\ud83c')})`]];
      throws(TypeError, () => server.broadcast('\ud83c'), what, { given });
      await turns(3);
      end();
      expectHeard(lines, [[], []], 'A text that is refused reaches nobody.', given);
    },
  },
  {
    what: 'A message for everybody waits in line with the others of each client.',
    rules: [],
    async check(lesson) {
      const { server, lines, connections, end } = hall(lesson, 2);
      const long = new Uint8Array(300_000).fill(1);
      lines[0]?.hold();
      connections[0]?.send(long);
      await turns(2);
      attempt(() => server.broadcast('to all'), TO_ALL);
      connections[0]?.send('after it');
      await turns(2);
      lines[0]?.release();
      for (let turn = 0; turn < 20; turn++) {
        lines[0]?.release();
        await turns(1);
      }
      const first = [said(long), said('to all'), said('after it')];
      end();
      const given: Fact[] = [
        ['the first client', 'was sent 300,000 bytes, and took nothing for a while'],
        ['then', "broadcast('to all'), and send('after it') to the first"],
      ];
      const what = 'A message for everybody waits in line with the others of each client.';
      const cause =
        'Each connection has a queue of its own, where `sendFrames` puts a message behind the others at once, whether it is full or not.';
      expectHeard(lines, [first, [said('to all')]], what, given, cause);
    },
  },
  {
    what: 'A client that reads nothing is given up, and keeps nobody from the rest.',
    rules: [],
    async check(lesson) {
      const { server, lines, connections, end } = hall(lesson, 2, () => {}, {
        maxWaitingBytes: 100_000,
      });
      lines[0]?.hold();
      const messages = Array.from({ length: 8 }, (_, i) => new Uint8Array(60_000).fill(i));
      for (const message of messages) {
        attempt(() => server.broadcast(message), TO_ALL);
        await turns(2);
      }
      const { ending } = connections[0] ?? {};
      const given: Fact[] = [
        ['maxWaitingBytes', '100000'],
        ['the first client', 'takes nothing'],
        ['the calls', '8 times broadcast(60,000 bytes)'],
      ];
      const isHeard = lines[1] ? heardOn(lines[1]) : [];
      end();
      const what = 'A client that reads nothing is given up, and keeps nobody from the rest.';
      equal(() => isHeard.length, messages.length, what, {
        given,
        label: 'messages that the second client heard',
      });
      equal(() => ending !== undefined || connections[0]?.send('x') === false, true, what, {
        given,
        label: 'the first one is closing',
        cause: () => 'The limits are those of `sendFrames`: what waits is counted there.',
      });
    },
  },
];

/** How many connections there are where something is counted. */
const MANY = 20;

const ONCE: Scenarios = [
  {
    what: 'A text for everybody is encoded once.',
    rules: [],
    check(lesson) {
      for (const data of DATA.filter((data) => typeof data === 'string')) {
        const { server, end } = hall(lesson, MANY);
        const { encodedTexts } = workOf(() => server.broadcast(data));
        end();
        if (encodedTexts === 1) continue;
        fail(
          'A text for everybody is encoded once.',
          [
            ['the call', `broadcast(${tell(data)}), to ${MANY} connections`],
            ['encoded', count(encodedTexts, 'time')],
          ],
          'A server does not mask: the frames are the same for all. Make them before the loop.',
        );
      }
    },
  },
  {
    what: 'A long message for everybody is cut once.',
    rules: [],
    check(lesson) {
      const data = new Uint8Array(200_000);
      const { server, end } = hall(lesson, MANY);
      const { views, copiedBytes } = workOf(() => server.broadcast(data));
      end();
      if (views < MANY && copiedBytes < data.length) return;
      fail(
        'A long message for everybody is cut once.',
        [
          ['the call', `broadcast(200,000 bytes), to ${MANY} connections`],
          ['views made', `${views}, expected one for each fragment`],
          ['copied', count(copiedBytes, 'byte')],
        ],
        'Make the frames before the loop, and send the same ones on each connection.',
      );
    },
  },
  {
    what: 'A long text for everybody is the same memory for all.',
    rules: [],
    check({ WebSocketServer }) {
      const server = new WebSocketServer(() => {}, PATIENT);
      const sockets: Socket[] = [];
      const accept = (socket: Socket) => {
        sockets.push(socket);
        server.accept(socket);
      };
      return Listener.run(createServer(), 'connection', accept, async (listener) => {
        await openAll(listener, 3);
        const works = sockets.map((socket) => workOn(socket));
        server.broadcast('a'.repeat(20_000));
        await turns(3);
        const [first = [], ...others] = works.map(({ chunks }) =>
          chunks.flatMap((chunk) => (typeof chunk === 'string' ? [] : [chunk.buffer])),
        );
        if (first.some((buffer) => others.every((other) => other.includes(buffer)))) return;
        fail(
          'A long text for everybody is the same memory for all.',
          [
            ['broadcast', 'a text of 20,000 characters, to 3 connections'],
            ['written', 'from another memory for each of them'],
          ],
          'Make the frames once, and send these on each connection.',
        );
      });
    },
  },
];

/** An extension that makes its frames of what it is given, in upper case. */
class Loud implements Extension {
  asked = 0;

  readerFor() {
    return { push() {}, read: () => undefined };
  }

  framesFor(opcode: number, data: Uint8Array) {
    this.asked++;
    const payload = aside(() => Buffer.from(Buffer.from(data).toString().toUpperCase()));
    return [{ fin: true, opcode, payload }];
  }
}

const TURNING: Scenarios = [
  {
    what: 'The extension of a connection makes its own frames, and nobody else gets them.',
    rules: [],
    async check(lesson) {
      if (!isExtensible(lesson)) return;
      const extensions: Loud[] = [];
      const extend: Options['extend'] = (opening, { headers }) => {
        if (!headers.has('sec-websocket-extensions')) return opening;
        const extension = new Loud();
        extensions.push(extension);
        return { ...opening, extension };
      };
      const header = (client: number) =>
        client % 2 === 1 ? ['Sec-WebSocket-Extensions: x-loud'] : [];
      const { server, lines, end } = hall(lesson, 5, () => {}, { extend }, header);
      const what = 'The extension of a connection makes its own frames, and nobody else gets them.';
      const { encodedTexts } = workOf(() => attempt(() => server.broadcast('to all'), what));
      await turns(3);
      end();
      // Without lesson 07, there is nobody who extends.
      if (extensions.length === 0) return;
      const given: Fact[] = [
        ['five clients', 'of which the second and the fourth have an extension'],
        ['the call', "broadcast('to all')"],
        [
          'the extensions',
          `were asked ${extensions.map(({ asked }) => asked).join(' and ')} times`,
        ],
      ];
      const right = lines.map((_, client) => [said(client % 2 === 1 ? 'TO ALL' : 'to all')]);
      const cause =
        'A frame of an extension can depend on all that went to that client before. Where there is one, `send` the message itself.';
      expectHeard(lines, right, what, given, cause);
      equal(
        () => encodedTexts <= 1 + extensions.length,
        true,
        'A text is encoded once for all others.',
        {
          given: [...given, ['encoded', count(encodedTexts, 'time')]],
          label: 'it is',
        },
      );
    },
  },
  {
    what: 'What one client says can go to all the others, though its chunk is used again.',
    rules: [],
    async check(lesson) {
      const handle: Handler = (connection, event) => {
        if (event.type === 'binary') room.server.broadcast(event.data, connection);
      };
      const room = hall(lesson, 3, handle);
      const messages = [10, 3000, 30_000].map((size, i) => new Uint8Array(size).fill(i + 1));
      for (const message of messages) {
        const chunk = Buffer.from(fromClient(Binary, message));
        room.lines[0]?.emit('data', chunk);
        chunk.fill(0xee);
      }
      await turns(5);
      room.end();
      const all = messages.map(said);
      const what = 'What one client says can go to all the others.';
      const given: Fact[] = [
        ['arrived', 'messages of 10, 3000 and 30,000 bytes, on a socket that is no `net.Socket`'],
        ['the application', 'calls broadcast(event.data, connection)'],
        ['after each read', 'the memory of the chunk was used again'],
      ];
      const cause =
        'It is sent when the turn has ended. Only the chunks of a `net.Socket` are ours by then.';
      expectHeard(room.lines, [[], all, all], what, given, cause);
    },
  },
];

/** Something that happens to a server: to the client with that number, or to all. */
interface Step {
  readonly name: 'broadcast' | 'send' | 'ping' | 'turn';
  readonly client: number;
  readonly data: Data;
}

function drawData(choose: Choices): Data {
  const size = choose.below(choose.pick([5, 130, 20_000, 70_000]));
  const letter = choose.pick(['a', 'b', 'c']);
  return choose.oneIn(2) ? Buffer.alloc(size, letter) : letter.repeat(size);
}

const tellStep = ({ name, client, data }: Step) =>
  name === 'turn'
    ? `a Pong arrives from client ${client + 1}`
    : name === 'ping'
      ? `a Ping arrives from client ${client + 1}`
      : name === 'send'
        ? `send(${tellData(data)}) to client ${client + 1}`
        : `broadcast(${tellData(data)}${client < 0 ? '' : `, client ${client + 1}`})`;

/** Does what was drawn, and returns what each client should have heard. */
function play({ server, lines, connections }: Hall, steps: readonly Step[]) {
  const heard = lines.map((): Said[] => []);
  // What waits for a client goes out at its next turn, and a Pong before all of it.
  const waiting = lines.map((): Said[] => []);
  const turn = (client: number) => heard[client]?.push(...(waiting[client]?.splice(0) ?? []));
  for (const { name, client, data } of steps) {
    if (name === 'broadcast') {
      server.broadcast(data, connections[client]);
      for (const [other, own] of waiting.entries()) if (other !== client) own.push(said(data));
    } else if (name === 'send') {
      connections[client]?.send(data);
      waiting[client]?.push(said(data));
    } else {
      lines[client]?.emit('data', fromClient(name === 'ping' ? Ping : Pong, 'here'));
      if (name === 'ping') heard[client]?.push({ opcode: Pong, payload: Buffer.from('here') });
      turn(client);
    }
  }
  for (const client of lines.keys()) {
    lines[client]?.emit('data', fromClient(Pong));
    turn(client);
  }
  return heard;
}

const ANY: Scenarios = [
  {
    what: 'Whatever is sent to one or to all, each client hears it once, and in order.',
    rules: [],
    check(lesson) {
      generated(60, (choose) => {
        const clients = 1 + choose.below(4);
        const steps = choose.list(10, (): Step => {
          const name = choose.pick(['broadcast', 'send', 'turn', 'ping'] as const);
          const client =
            choose.below(clients) - (name === 'broadcast' && choose.oneIn(2) ? clients : 0);
          return { name, client, data: drawData(choose) };
        });
        const room = hall(lesson, clients);
        const what = 'Whatever is sent to one or to all, each client hears it once, and in order.';
        const given = steps.map((step, i): Fact => [i === 0 ? 'what happens' : '', tellStep(step)]);
        try {
          expectHeard(
            room.lines,
            attempt(() => play(room, steps), what, given),
            what,
            given,
          );
        } finally {
          room.end();
        }
      });
    },
  },
];

export const EVERYBODY: Scenarios = [...HOOKS_OF_SERVER, ...REACHING, ...ONCE, ...TURNING, ...ANY];
