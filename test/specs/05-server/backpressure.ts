/** Step 8: peers that do not read, and applications that do not stop. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { until } from '../../../shared/kit/peer.ts';
import { toHex } from '../../../shared/view/hex.ts';
import {
  Binary,
  type Connection,
  closeBody,
  connect,
  expectEnding,
  expectNext,
  fromClient,
  type Lesson,
  pull,
  raise,
  type Scenarios,
  takeAll,
} from './core.ts';
import { type Attached, onSocket } from './sockets.ts';

/** Makes a connection to which an application has sent more than enough. */
function flooded(lesson: Lesson): Connection {
  const connection = connect(lesson);
  for (let i = 0; i < 5; i++) connection.send(new Uint8Array(lesson.HIGH_WATER_BYTES / 4));
  return connection;
}

const TOO_MUCH: readonly Fact[] = [
  ['sent', '50 pings, which have gone; then three messages of 600 bytes'],
  ['maxWaitingBytes', '1000'],
];

/** Sends more to a client that does not read than may wait for it. Control frames do not count. */
function givenUp(lesson: Lesson): { connection: Connection; sent: boolean[] } {
  const connection = connect(lesson, { maxWaitingBytes: 1000 });
  for (let i = 0; i < 50; i++) connection.ping(new Uint8Array(125));
  connection.takeOutput();
  const sent = Array.from({ length: 3 }, () => connection.send(new Uint8Array(600)));
  return { connection, sent };
}

const MESSAGE_BYTES = 100_000;
const BRAKE = 'Who does not read is not read from.';
const BRAKE_CAUSE = 'Pause the socket when the peer is behind, and go on at `drain`.';

/** Lets a client send without reading until the server reads no more. Returns what it has sent. */
async function stalled({ client, socket }: Attached): Promise<number> {
  client.socket.pause();
  const message = fromClient(Binary, new Uint8Array(MESSAGE_BYTES));
  let sent = 0;
  const sendSome = () => {
    for (let i = 0; i < 4 && sent < 1000; i++, sent++) client.write(message);
    return socket.isPaused() || sent === 1000;
  };
  await until(sendSome, BRAKE, () => howMuch(sent), BRAKE_CAUSE);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  if (!socket.isPaused()) fail(BRAKE, howMuch(sent), BRAKE_CAUSE);
  return sent;
}

const howMuch = (sent: number) => [['sent', `${sent} messages of ${MESSAGE_BYTES} bytes`]] as const;

export const BACKPRESSURE: Scenarios = [
  {
    what: 'There is no room while messages wait.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      connection.drained();
      expectNext(connection, undefined, 'There is no room while messages wait.');
    },
  },
  {
    what: 'There is room again when everything has gone.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      takeAll(connection);
      connection.drained();
      expectNext(connection, { type: 'drain' }, 'There is room again.');
      const label = '`owesDrain` is';
      equal(() => connection.owesDrain, false, 'Nobody waits any more.', { label });
    },
  },
  {
    what: 'Who did not ask is not told.',
    rules: [],
    check(lesson) {
      const connection = connect(lesson);
      connection.drained();
      expectNext(connection, undefined, 'Who did not ask is not told.');
    },
  },
  {
    what: 'Who has been told is not told again.',
    rules: [],
    check(lesson) {
      const connection = flooded(lesson);
      takeAll(connection);
      connection.drained();
      connection.next();
      connection.drained();
      expectNext(connection, undefined, 'Who did not ask is not told.');
    },
  },
  {
    what: 'A client that does not read is given up, with 1008.',
    rules: [150],
    check(lesson) {
      const { connection } = givenUp(lesson);
      const event = pull(connection, 'A client that does not read is given up.');
      equal(() => event, { type: 'error' }, 'A client that does not read is given up.', {
        given: TOO_MUCH,
        label: '`next` gave',
        cause: () =>
          'Without a limit, it costs us whatever the application sends. Count the messages that wait, and no control frames.',
      });
      const what = 'A client that does not read is given up, with 1008.';
      failsWith(1008, () => raise(event), what);
      expectEnding(connection, 'hangUp', 'A client that does not read is given up.');
    },
  },
  {
    what: 'A message that is not sent is `false`.',
    rules: [150],
    check(lesson) {
      const { sent } = givenUp(lesson);
      const what = 'A message that is not sent is `false`.';
      // Whether the limit counts the new message is left open.
      equal(() => sent, [true, sent[1], false], what, { given: TOO_MUCH, label: '`send` gave' });
    },
  },
  {
    what: 'What waited is dropped; the Close says 1008.',
    rules: [150],
    check(lesson) {
      const output = givenUp(lesson).connection.takeOutput();
      const what = 'What waited is dropped; the Close says 1008.';
      const given = [['went out', toHex(output, 12)]] as const;
      equal(() => output.subarray(2, 4), closeBody(1008), what, { given });
    },
  },
  {
    what: BRAKE,
    rules: [150],
    check: (lesson) =>
      onSocket(lesson, async (attached) => {
        await stalled(attached);
      }),
  },
  {
    what: 'When it reads again, everything goes on.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async (attached) => {
        const { client, app } = attached;
        const sent = await stalled(attached);
        client.socket.resume();
        const heard = () => app.count('binary');
        while (heard() < sent) {
          const before = heard();
          const facts = () => [['messages', `${before} of ${sent}`]] as const;
          const what = 'When it reads again, everything goes on.';
          await until(() => heard() > before, what, facts, BRAKE_CAUSE);
        }
      }),
  },
  {
    what: 'When everything has gone, there is a `drain` event.',
    rules: [],
    check: (lesson) =>
      onSocket(lesson, async ({ client, connection, app }) => {
        client.socket.resume();
        const piece = new Uint8Array(lesson.HIGH_WATER_BYTES / 4);
        for (let round = 1; round <= 3; round++) {
          for (let i = 0; i < 1000 && connection.send(piece); i++);
          equal(() => connection.owesDrain, true, 'When enough waits, `send` says so.');
          await until(
            () => app.count('drain') === round,
            'When everything has gone, there is a `drain` event.',
            () => [['the events', app.types().join(', ')]],
            'After the last write, call `drained`, and let the application have the event.',
          );
        }
      }),
  },
];
