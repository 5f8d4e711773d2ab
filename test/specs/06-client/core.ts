/** Step 5: a connection without a socket, while nothing goes wrong. */
import { equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { withRandom } from '../../../shared/harness/random.ts';
import { show } from '../../../shared/harness/show.ts';
import { fromServer, join } from '../../../shared/kit/frames.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { type Delivery, deliveries } from '../../../shared/kit/replay.ts';
import type { OpeningError } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { decodeFrame, decodeHeader } from '../../../shared/view/frame.ts';
import { renderHead } from '../../../shared/view/wire.ts';
import {
  agree,
  Binary,
  type Connection,
  Continuation,
  chance,
  dial,
  type Event,
  expectFrame,
  expectIs,
  expectNext,
  expectSilence,
  expectUnsent,
  NOTHING,
  open,
  Ping,
  Pong,
  pullAll,
  received,
  respond,
  story,
  TARGET,
  Text,
  take,
} from './connections.ts';
import { ANY_TALK } from './generated-conversations.ts';
import type { Lesson, Scenarios } from './tools.ts';

const HELLO = fromServer(Text, 'Hello');
const OPEN_THEN_HELLO = [{ type: 'open' }, { type: 'text', data: 'Hello' }];
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
const REST = 'What is behind the head belongs to the WebSocket: give it to the reader.';
const HINTS = respond('103 Early Hints');

/** Lets what the server says arrive in every way, and compares what is told. */
function hears(
  lesson: Lesson,
  serverSays: (agreement: Uint8Array) => Uint8Array,
  expected: readonly object[],
  what: string,
  causeOf: (events: readonly Event[]) => string | undefined,
): void {
  const size = serverSays(agree(dial(lesson))).length;
  for (const way of deliveries(new Uint8Array(size))) {
    const connection = dial(lesson);
    const bytes = serverSays(agree(connection));
    const events = deliverTo(connection, bytes, way, what);
    const arrived = (): Fact[] => [
      ['arrived', renderHead(bytes).join('\n')],
      ['', way.how],
    ];
    const about = { label: 'the events', cause: () => causeOf(events) };
    withGiven(arrived, () => equal(() => events, expected, what, about));
  }
}

/** Delivers bytes as others of their number were delivered. */
function deliverTo(connection: Connection, bytes: Uint8Array, { reads }: Delivery, what: string) {
  const events: Event[] = [];
  let at = 0;
  for (const { length } of reads) {
    // The memory of a read is used again for the next.
    const chunk = bytes.slice(at, at + length);
    at += length;
    connection.receive(chunk);
    events.push(...pullAll(connection, what));
    chunk.fill(0xff);
  }
  return events;
}

const causeOfLost = (events: readonly Event[]) =>
  events.length === 1 && events[0]?.type === 'open' ? REST : undefined;

const OPENING: Scenarios = [
  {
    what: 'The request goes out first, and once.',
    rules: [5, 25],
    check(lesson) {
      const what = 'The request goes out first, and once.';
      const options = { protocols: ['chat'], headers: { Cookie: 'id=1' } };
      const { random } = chance();
      const key = Buffer.from(chance().random(16)).toString('base64');
      const connection = dial(lesson, { options, random });
      const output = take(connection, what);
      const text = output instanceof Uint8Array ? latin1(output) : show(output);
      const keyLine = /Sec-WebSocket-Key:.*/i;
      const expected = latin1(lesson.openingRequest(TARGET, key, options));
      equal(() => text, expected, what, {
        given: [['expected is', `openingRequest(target, ${show(key)}, options)`]],
        label: 'went out',
        cause: () =>
          text.replace(keyLine, '') === expected.replace(keyLine, '')
            ? 'Only the key is another: it has to be made here, of the `random` of this connection.'
            : undefined,
      });
      expectSilence(connection, what, 'It has been taken: there is no second one.');
    },
  },
  {
    what: 'Each connection has a key of its own.',
    rules: [21],
    check(lesson) {
      const { random } = chance();
      const [one, two] = [dial(lesson, { random }), dial(lesson, { random })].map((connection) =>
        latin1(connection.takeOutput() ?? NOTHING),
      );
      if (one !== two) return;
      const facts: Fact[] = [['both sent', show(one)]];
      fail('Each connection has a key of its own.', facts, 'Make the key in the constructor.');
    },
  },
  {
    what: 'Before the server has answered, nothing but the request goes out.',
    rules: [5, 25, 109],
    check(lesson) {
      const what = 'Before the server has answered, nothing but the request goes out.';
      const connection = dial(lesson);
      const yes = agree(connection);
      for (const chunk of [NOTHING, yes.subarray(0, 60), yes.subarray(60, -1)]) {
        connection.receive(chunk);
        expectNext(connection, undefined, 'Without its blank line, a response is not there yet.');
        expectIs(connection, 'state', 'CONNECTING', 'It is not open yet.');
        expectUnsent(connection, what);
        connection.ping();
        expectSilence(connection, what);
      }
      connection.receive(yes.subarray(-1));
      expectNext(connection, { type: 'open' }, 'After the server’s yes, it is open.');
      expectSilence(connection, 'What could not be sent is not kept for later.');
    },
  },
  {
    what: 'The server’s yes opens it, in one read or byte by byte.',
    rules: [26],
    check(lesson) {
      const what = 'The server’s yes opens it, in one read or byte by byte.';
      for (const size of [1, 1000]) {
        const connection = dial(lesson);
        const yes = agree(connection);
        for (let at = 0; at < yes.length; at += size) {
          if (at > 0) expectNext(connection, undefined, 'Without its end, it is not a yes.');
          connection.receive(yes.subarray(at, at + size));
        }
        expectNext(connection, { type: 'open', protocol: undefined }, what);
      }
    },
  },
  {
    what: 'Once open, it says so.',
    rules: [],
    check: (lesson) => expectIs(open(lesson), 'state', 'OPEN', 'Once open, it says so.'),
  },
  {
    what: 'The `open` event names the subprotocol that the server has chosen.',
    rules: [],
    check(lesson) {
      const connection = dial(lesson, { options: { protocols: ['soap', 'Chat'] } });
      connection.receive(agree(connection, 'Sec-WebSocket-Protocol: Chat'));
      const what = 'The `open` event names the subprotocol that the server has chosen.';
      expectNext(connection, { type: 'open', protocol: 'Chat' }, what);
    },
  },
  {
    what: 'A message that comes right behind the yes is heard, however it is cut.',
    rules: [153],
    check(lesson) {
      const what = 'A message that comes right behind the yes is heard, however it is cut.';
      hears(lesson, (yes) => join(yes, HELLO), OPEN_THEN_HELLO, what, causeOfLost);
    },
  },
  {
    what: 'A message right behind the yes can be longer than a head.',
    rules: [],
    check(lesson) {
      const what = 'A message right behind the yes can be longer than a head.';
      const connection = dial(lesson);
      const data = 'x'.repeat(lesson.CLIENT_LIMITS.maxHeadBytes + 1);
      connection.receive(join(agree(connection), fromServer(Text, data)));
      const cause = (event: object | undefined) =>
        event && 'error' in event ? 'What is behind the head is no part of it.' : undefined;
      expectNext(connection, { type: 'open' }, what, cause);
      expectNext(connection, { type: 'text', data }, what);
    },
  },
  {
    what: 'An interim response is skipped, however it is cut.',
    rules: [],
    check(lesson) {
      const what = 'An interim response is skipped, however it is cut.';
      const says = (yes: Uint8Array) => join(HINTS, yes, HELLO);
      hears(lesson, says, OPEN_THEN_HELLO, what, causeOfInterim);
    },
  },
  {
    what: 'Several interim responses are skipped.',
    rules: [],
    check(lesson) {
      const connection = dial(lesson);
      const yes = agree(connection);
      connection.receive(join(respond('100 Continue'), HINTS, HINTS, respond('199 Wait'), yes));
      const what = 'Several interim responses are skipped.';
      expectNext(connection, { type: 'open' }, what, (event) =>
        event === undefined ? 'One may come behind another, in the same read.' : undefined,
      );
    },
  },
  {
    what: 'A long head opens it as well.',
    rules: [],
    check(lesson) {
      const connection = dial(lesson);
      connection.receive(agree(connection, `X-Trace: ${'x'.repeat(15_000)}`));
      const what = 'A long head opens it as well.';
      const cause = 'Up to `maxHeadBytes`, a head can be as long as it likes.';
      expectNext(connection, { type: 'open' }, what, cause);
    },
  },
];

const causeOfInterim = (events: readonly Event[]) =>
  events[0]?.type === 'error' && (events[0].error as OpeningError).status === 103
    ? 'A status from 100 to 199, other than 101, is not the answer. That comes behind it.'
    : causeOfLost(events);

const LISTENING: Scenarios = [
  {
    what: 'Messages are told one at a time, in order.',
    rules: [153],
    check(lesson) {
      const connection = received(
        lesson,
        fromServer(Text, '你好'),
        fromServer(Binary, Uint8Array.of(0, 255)),
        fromServer(Pong, 'p'),
        fromServer(Text),
      );
      const what = 'Messages are told one at a time, in order.';
      expectNext(connection, { type: 'text', data: '你好' }, what);
      expectNext(connection, { type: 'binary', data: Uint8Array.of(0, 255) }, what);
      expectNext(connection, { type: 'pong', payload: Uint8Array.of(0x70) }, what);
      expectNext(connection, { type: 'text', data: '' }, what);
      expectNext(connection, undefined, 'When all has been told, `next` returns `undefined`.');
    },
  },
  {
    what: 'A Ping is answered with a Pong of the same payload, masked.',
    rules: [66, 78, 103, 104, 114],
    check(lesson) {
      const connection = received(lesson, fromServer(Ping, 'are you there?'));
      const what = 'A Ping is answered with a Pong of the same payload, masked.';
      expectNext(connection, undefined, 'A Ping is no event: it is answered.');
      expectFrame(connection, Pong, 'are you there?', what);
      expectSilence(connection, 'One Ping, one Pong.');
    },
  },
  {
    what: 'A Ping right behind the yes is answered, too.',
    rules: [103],
    check(lesson) {
      const connection = dial(lesson);
      connection.receive(join(agree(connection), fromServer(Ping, 'p')));
      const what = 'A Ping right behind the yes is answered, too.';
      expectNext(connection, { type: 'open' }, what);
      expectNext(connection, undefined, what);
      expectFrame(connection, Pong, 'p', what);
    },
  },
  {
    what: 'A message in fragments is one message, whatever comes between them.',
    rules: [],
    check(lesson) {
      const connection = received(
        lesson,
        fromServer(Text, 'Hel', false),
        fromServer(Ping, 'p'),
        fromServer(Continuation, 'lo'),
      );
      const what = 'A message in fragments is one message, whatever comes between them.';
      expectNext(connection, { type: 'text', data: 'Hello' }, what);
      expectFrame(connection, Pong, 'p', 'Each Ping is answered with a Pong.');
    },
  },
  {
    what: 'A message of `maxMessageBytes` is not too long.',
    rules: [150],
    check(lesson) {
      const connection = open(lesson, { options: { maxMessageBytes: 200 } });
      const data = new Uint8Array(200).fill(7);
      connection.receive(fromServer(Binary, data));
      const what = 'A message of `maxMessageBytes` is not too long.';
      expectNext(connection, { type: 'binary', data }, what);
    },
  },
  {
    what: 'What an event has told does not change later.',
    rules: [],
    check(lesson) {
      const what = 'What an event has told does not change later.';
      const connection = open(lesson);
      const read = fromServer(Binary, 'Hello');
      connection.receive(read);
      const event = connection.next();
      read.fill(0);
      connection.receive(fromServer(Binary, 'other'));
      connection.next();
      const data = event?.type === 'binary' ? event.data : event;
      const expected = Uint8Array.from(Buffer.from('Hello'));
      equal(() => data, expected, what, { given: story(connection), label: 'its data' });
    },
  },
];

const SIZES = [0, 1, 125, 126, 65_535, 65_536];

const TALKING: Scenarios = [
  {
    what: 'Text and bytes go out, each in a masked frame of its own.',
    rules: [66, 78, 114],
    check(lesson) {
      const what = 'Text and bytes go out, each in a masked frame of its own.';
      const connection = open(lesson);
      connection.send('你好');
      connection.send(Uint8Array.of(0, 255));
      expectFrame(connection, Text, '你好', what);
      expectFrame(connection, Binary, Uint8Array.of(0, 255), what);
      expectSilence(connection, 'When all has been taken, nothing is left.');
    },
  },
  {
    what: 'What is handed over is not changed.',
    rules: [],
    check(lesson) {
      const what = 'What is handed over is not changed.';
      const connection = open(lesson);
      const [data, payload] = [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6, 7)];
      connection.send(data);
      connection.ping(payload);
      while (connection.takeOutput());
      equal(() => [data, payload], [Uint8Array.of(1, 2, 3, 4, 5), Uint8Array.of(6, 7)], what, {
        given: story(connection),
        label: 'the caller’s bytes now',
        cause: () => 'Mask a copy. Those bytes are the application’s, which may send them again.',
      });
    },
  },
  {
    what: 'A frame goes out whole, however large it is.',
    rules: [66, 114],
    check(lesson) {
      const connection = open(lesson);
      for (const size of SIZES) {
        const data = Uint8Array.from({ length: size }, (_, i) => i % 251);
        equal(() => connection.send(data), true, '`send` says that it will be sent.', {
          given: [['the call', `send(${show(data)})`]],
          label: '`send` gave',
        });
        const what = 'A frame goes out whole, however large it is.';
        expectFrame(connection, Binary, data, what);
      }
    },
  },
  {
    what: 'A message is not cut into fragments.',
    rules: [],
    check(lesson) {
      const what = 'A message is not cut into fragments.';
      const connection = open(lesson);
      const size = 200_000;
      connection.send(new Uint8Array(size));
      const output = take(connection, what) ?? NOTHING;
      const { fin, headerBytes } = decodeHeader(output);
      if (fin && output.length === headerBytes + size) return;
      const facts: Fact[] = [
        ...story(connection),
        ['went out', `${count(output.length, 'byte')}, with FIN=${Number(fin)}`],
        ['expected', `a header with FIN=1, and the ${size} bytes`],
      ];
      const cause = 'Some servers take no fragments, however large a message is.';
      fail(what, facts, fin ? undefined : cause);
    },
  },
  {
    what: 'Each frame has a key of its own, out of `random`.',
    rules: [79, 80, 81, 148],
    check: keysAreFresh,
  },
  {
    what: 'By default, keys come from where nobody can guess them.',
    rules: [80, 81, 148],
    check: keysAreStrong,
  },
  {
    what: 'A frame that was taken can no longer be changed.',
    rules: [149],
    check(lesson) {
      const what = 'A frame that was taken can no longer be changed.';
      const connection = open(lesson);
      const data = new Uint8Array(300).fill(1);
      connection.send(data);
      const taken = connection.takeOutput() ?? NOTHING;
      const before = Uint8Array.from(taken);
      data.fill(0);
      for (const text of ['other', 'x'.repeat(300)]) {
        connection.send(text);
        connection.takeOutput();
      }
      equal(() => taken, before, what, {
        given: [...story(connection), ['then', 'the application changed its 300 bytes']],
        label: 'the first one now',
      });
    },
  },
  {
    what: 'Refuse half of a surrogate pair.',
    rules: [],
    check(lesson) {
      const connection = open(lesson);
      const what = 'Refuse half of a surrogate pair.';
      throws(TypeError, () => connection.send('a\ud800b'), what, { given: story(connection) });
      expectSilence(connection, 'What was refused is not sent.');
      expectIs(connection, 'bufferedBytes', 0, 'What was refused is not counted.');
    },
  },
  {
    what: 'A Ping asks the server for a Pong.',
    rules: [66, 114],
    check(lesson) {
      const connection = open(lesson);
      connection.ping();
      expectFrame(connection, Ping, '', 'Without a payload, a Ping is empty.');
      connection.ping(Uint8Array.of(1, 2));
      expectFrame(connection, Ping, Uint8Array.of(1, 2), 'A Ping asks the server for a Pong.');
    },
  },
  {
    what: 'Refuse a Ping of 126 bytes.',
    rules: [],
    check(lesson) {
      const connection = open(lesson);
      connection.ping(new Uint8Array(125));
      expectFrame(connection, Ping, new Uint8Array(125), 'A Ping of 125 bytes is legal.');
      const what = 'Refuse a Ping of 126 bytes.';
      throws(RangeError, () => connection.ping(new Uint8Array(126)), what, {
        given: story(connection),
      });
      expectSilence(connection, 'What was refused is not sent.');
    },
  },
  {
    what: 'Connections share nothing.',
    rules: [],
    check(lesson) {
      const what = 'Connections share nothing.';
      const [one, two] = [open(lesson), open(lesson)];
      one.send('one');
      one.receive(HELLO.subarray(0, 4));
      one.next();
      expectSilence(two, what, 'What belongs to one connection is kept in its fields.');
      expectIs(two, 'bufferedBytes', 0, what);
      two.receive(HELLO);
      expectNext(two, { type: 'text', data: 'Hello' }, what);
    },
  },
];

/** Lets a connection talk, and looks for the keys of its frames in what `random` has returned. */
function keysAreFresh(lesson: Lesson): void {
  const what = 'Each frame has a key of its own, out of `random`.';
  const { random, find } = chance();
  const connection = open(lesson, { random });
  const taken = new Map<number, string>();
  for (let i = 0; i < 8; i++) {
    if (i % 4 === 3) connection.ping();
    else connection.send(`number ${i}`);
    const { key } = decodeFrame(connection.takeOutput() ?? NOTHING);
    const place = key ? find(key) : -1;
    const before = [...taken.keys()].find((other) => Math.abs(other - place) < 4);
    if (key && place >= 0 && before === undefined) {
      taken.set(place, show(key));
      continue;
    }
    const facts: Fact[] = [
      ...story(connection),
      ['its key', show(key)],
      ['keys before', [...taken.values()].join(', ') || 'none'],
    ];
    const cause = place < 0 ? 'It is not out of `random`.' : 'Ask `random` for each frame.';
    fail(what, facts, key && cause);
  }
}

function keysAreStrong(lesson: Lesson): void {
  const what = 'By default, keys come from where nobody can guess them.';
  let asked = 0;
  const random = () => {
    asked++;
    return 0.5;
  };
  const outputs = withRandom(random, () => {
    const connection = new lesson.ClientConnection(
      TARGET,
      {},
      () => 0,
      () => {},
    );
    connection.receive(agree(connection));
    connection.next();
    for (let i = 0; i < 20; i++) connection.send('the same');
    return Array.from({ length: 20 }, () => show(connection.takeOutput()));
  });
  if (asked > 0) {
    const cause =
      'Whoever has seen some of its numbers can tell the next. `randomBytes` is strong.';
    fail(what, [['`Math.random`', `was asked ${asked} times`]], cause);
  }
  const different = new Set(outputs).size;
  if (different >= 19) return;
  fail('By default, each frame has a key of its own.', [
    ['went out', `the same text 20 times, and ${different} of the frames were different`],
  ]);
}

const COUNTING: Scenarios = [
  {
    what: 'Messages are counted until they have been sent, by their payloads.',
    rules: [],
    check(lesson) {
      const connection = open(lesson);
      const counts = (expected: number, what: string, cause?: string) =>
        expectIs(connection, 'bufferedBytes', expected, what, cause);
      counts(0, 'At first, nothing is buffered.');
      connection.send('€');
      counts(3, 'Text counts by its bytes in UTF-8.');
      connection.send(new Uint8Array(1000));
      counts(1003, 'A message counts as soon as `send` has it.');
      connection.takeOutput();
      counts(1003, 'What was taken and has not been sent still counts.');
      connection.takeOutput();
      connection.sent();
      counts(1000, 'What has been sent counts no longer.');
      connection.sent();
      counts(0, 'What has been sent counts no longer.');
    },
  },
  {
    what: 'Request, Pings and Pongs are taken and sent as well, and do not count.',
    rules: [],
    check(lesson) {
      const connection = dial(lesson);
      connection.receive(join(agree(connection), fromServer(Ping, 'ping')));
      pullAll(connection, 'After the server’s yes, it is open.');
      connection.ping(new Uint8Array(10));
      connection.send('Hello');
      const outputs = Array.from({ length: 3 }, () =>
        decodeFrame(connection.takeOutput() ?? NOTHING),
      );
      const at = outputs.findIndex(({ opcode }) => opcode === Text);
      // The request is reported first: it was taken first.
      for (let i = 0; i <= at; i++) connection.sent();
      const cause = 'Each output that was taken is reported: the request, Pings and Pongs, too.';
      expectIs(connection, 'bufferedBytes', 5, 'Only messages count.', cause);
      connection.sent();
      expectIs(connection, 'bufferedBytes', 0, 'What has been sent counts no longer.', cause);
    },
  },
  {
    what: '`send` and `ping` call `wake`.',
    rules: [],
    check(lesson) {
      let wakes = 0;
      const wake = () => {
        wakes++;
      };
      const connection = open(lesson, { wake });
      for (const act of [() => connection.send('x'), () => connection.ping()]) {
        wakes = 0;
        act();
        if (wakes > 0) continue;
        const cause = 'Nobody takes the output: whoever has the socket does not know of it.';
        fail('`send` and `ping` call `wake`.', story(connection), cause);
      }
    },
  },
  {
    what: '`next` does not call `wake` when there is nothing new.',
    rules: [],
    check(lesson) {
      const what = '`next` does not call `wake` when there is nothing new.';
      let wakes = 0;
      const connection = open(lesson, { wake: () => wakes++ });
      connection.next();
      wakes = 0;
      expectNext(connection, undefined, 'Nothing has arrived.');
      if (wakes === 0) return;
      const cause = 'Whoever is woken calls `next`. So this would go on for ever.';
      fail(what, [...story(connection), ['`wake`', 'was called']], cause);
    },
  },
];

export const CORE: Scenarios = [...OPENING, ...LISTENING, ...TALKING, ...COUNTING, ANY_TALK];
