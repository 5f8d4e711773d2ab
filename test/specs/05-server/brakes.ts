/** Step 8: clients that send, and do not read. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, join, splitFrames } from '../../../shared/kit/frames.ts';
import { until } from '../../../shared/kit/peer.ts';
import { count } from '../../../shared/view/count.ts';
import { Binary, type Lesson, Ping, type Scenarios, Text } from './core.ts';
import {
  type Attached,
  application,
  onLine,
  onSocket,
  settles,
  turns,
  writtenTo,
} from './sockets.ts';

/** So few that no read brings more than `HIGH_WATER_BYTES`: a `drain` is another step. */
const MESSAGE_BYTES = 10_000;
/** How many of them a client sends at most, if nobody stops it. */
const MAX_MESSAGES = 10_000;
const BRAKE = 'A client that does not read is not read from.';
const BRAKE_CAUSE = 'Pause the socket when the peer is behind, and go on at `drain`.';

/** Lets a client send without reading until the server reads no more. Returns what it has sent. */
async function stalled({ client, socket }: Attached): Promise<number> {
  client.socket.pause();
  const message = fromClient(Binary, new Uint8Array(MESSAGE_BYTES));
  let sent = 0;
  const sendSome = () => {
    for (let i = 0; i < 40 && sent < MAX_MESSAGES; i++, sent++) client.write(message);
    return socket.isPaused() || sent === MAX_MESSAGES;
  };
  const facts = (): Fact[] => [
    ['the client sent', `${sent} messages of ${MESSAGE_BYTES} bytes, and reads nothing`],
    ['not yet taken', `${count(socket.writableLength, 'byte')} of the answers`],
    ['the socket is', socket.isPaused() ? 'paused' : 'not paused'],
  ];
  await until(sendSome, BRAKE, facts, BRAKE_CAUSE);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  if (!socket.isPaused()) fail(BRAKE, facts(), BRAKE_CAUSE);
  return sent;
}

/** What a client sends over and over again without reading, and what that is called. */
const FLOODS = [
  ['Pings', fromClient(Ping, 'x'.repeat(125))],
  ['Texts', fromClient(Text, 'x'.repeat(125))],
  ['Texts in fragments', join(fromClient(Text, 'x'.repeat(99), false), fromClient(0, 'x'))],
  ['Binaries', fromClient(Binary, new Uint8Array(125))],
  ['empty Pings', fromClient(Ping)],
  ['empty Texts', fromClient(Text)],
] as const;

/** How much a flood brings with each read, in bytes. */
const READ_BYTES = 3_000;

/** A client floods, and does not read; then it does. */
function standsFlood([name, frames]: (typeof FLOODS)[number]): Scenario<Lesson> {
  const what = `A flood of ${name} is not read on while the client does not read.`;
  return {
    what,
    rules: [150],
    async check(lesson) {
      const app = application();
      const { line } = onLine(lesson, app.handle);
      const count = Math.floor(READ_BYTES / frames.length);
      const read = join(...Array.from({ length: count }, () => frames));
      line.hold();
      let reads = 0;
      for (; reads < 64 && !line.isPaused(); reads++) {
        line.push(read);
        await turns(2);
      }
      const given: Fact[] = [
        ['arrived', `${reads} × ${count} ${name}, and the client read no answer`],
      ];
      const cause = () => BRAKE_CAUSE;
      equal(() => line.isPaused(), true, what, { given, label: 'the socket is paused', cause });
      line.release();
      // An answer may come in fragments, too: the last one counts.
      const answers = () => splitFrames(writtenTo(line)).frames.filter(({ fin }) => fin).length;
      await settles(() => answers() === reads * count);
      equal(answers, reads * count, 'When the client reads on, every frame is answered.', {
        given,
        label: 'answers',
      });
      line.destroy();
    },
  };
}

export const BRAKES: Scenarios = FLOODS.map(standsFlood);

/** How often a socket has no room depends on the network: what can be told apart without comes first. */
export const ON_A_NETWORK: Scenarios = [
  {
    what: 'A client that does not read is not read from, until it reads again.',
    rules: [150],
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
];
