/** Step 1: a read is one turn. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { frame, fromServer, join, wire } from '../../../shared/kit/frames.ts';
import { type SocketWork, workOfEach, workOn } from '../../../shared/kit/work.ts';
import { count } from '../../../shared/view/count.ts';
import type { Connection, Handler } from '../../../solutions/05-server/server.ts';
import { Binary, NOTHING, Ping, Pong, Text } from '../05-server/core.ts';
import { countCalls, Line, quietly, settles, turns, writtenTo } from '../05-server/sockets.ts';
import { attachTo } from './lines.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** A masking key that changes nothing: unmasking comes in step 2, and foreign memory in step 3. */
const NO_KEY = new Uint8Array(4);

const fromClient = (opcode: number, payload: Uint8Array | string) =>
  wire({ opcode, payload, key: NO_KEY });

/** One read, and what an application that echoes makes of it. */
interface Read {
  readonly what: string;
  readonly bytes: Uint8Array;
  readonly answer: Uint8Array;
  /** How many events it has for the application. */
  readonly events: number;
}

const TEXTS = Array.from({ length: 16 }, (_, i) => `message ${i}`);
const CUT = fromClient(Text, 'in two reads');

const READS: readonly Read[] = [
  {
    what: 'a message',
    bytes: fromClient(Text, 'Hello'),
    answer: fromServer(Text, 'Hello'),
    events: 1,
  },
  {
    what: '16 messages',
    bytes: join(...TEXTS.map((text) => fromClient(Text, text))),
    answer: join(...TEXTS.map((text) => fromServer(Text, text))),
    events: 16,
  },
  { what: 'the first bytes of a header', bytes: CUT.slice(0, 3), answer: NOTHING, events: 0 },
  {
    what: 'the rest of that frame',
    bytes: CUT.slice(3),
    answer: fromServer(Text, 'in two reads'),
    events: 1,
  },
  { what: 'a Ping', bytes: fromClient(Ping, 'x'), answer: fromServer(Pong, 'x'), events: 0 },
  { what: 'a Pong', bytes: fromClient(Pong, 'x'), answer: NOTHING, events: 1 },
];

/** Sends a message as a frame: what makes frames of a message is for a later step. */
function send(connection: Pick<Connection, 'sendFrames'>, data: string | Uint8Array): void {
  const isText = typeof data === 'string';
  connection.sendFrames([frame(isText ? Text : Binary, data)]);
}

const echo: Handler = (connection, event) => {
  if (event.type === 'text' || event.type === 'binary') send(connection, event.data);
};

/** Attaches an application to a new line, and lets it come to rest. */
async function atRest(lesson: Lesson, handle = echo) {
  const line = new Line();
  const connection = attachTo(lesson, line, handle);
  await turns(2);
  return { line, connection, work: workOn(line) };
}

/** Runs something, waits until that has written something, and returns that. */
async function written(work: SocketWork, run: () => void): Promise<Uint8Array[]> {
  const { chunks } = work;
  const before = chunks.length;
  run();
  await settles(() => chunks.length > before);
  await turns(1);
  return (chunks.slice(before) as Uint8Array[]).filter(({ length }) => length > 0);
}

/** What is to leave in one write, and why it may not. */
interface Told {
  readonly what: string;
  readonly given: readonly Fact[];
  /** Nothing has been written. */
  readonly nothing: string;
  /** It has been written, but in more than one write. */
  readonly many: string;
}

/** Checks that something has left, and in one write. */
function leftInOne(writes: readonly Uint8Array[], expected: Uint8Array, told: Told): void {
  const { what, nothing, many } = told;
  const given: Fact[] = [...told.given, ['written', count(writes.length, 'time')]];
  equal(() => join(...writes), expected, what, {
    given,
    label: 'in all',
    frames: true,
    cause: (bytes) => {
      if (writes.length === 0) return nothing;
      const isEarly = bytes instanceof Uint8Array && bytes.length < expected.length;
      return isEarly
        ? 'Something is missing: ask for events until `next` returns none.'
        : undefined;
    },
  });
  if (writes.length > 1) fail(what, [...given, ['expected', '1 time']], many);
}

const LATER = 'A turn ends with its last line. Does `wake` know that it is over?';
const AT_ONCE =
  'Whatever is sent calls `wake`. Let it only schedule a turn, with `queueMicrotask`, and all of it leaves in one write.';

export const TURNS: Scenarios = [
  {
    what: 'What a read makes is written when the read has been handled, and in one write.',
    rules: [],
    async check(lesson) {
      const { line, work } = await atRest(lesson);
      for (const { what: arrived, bytes, answer } of READS) {
        const before = work.chunks.length;
        line.emit('data', bytes);
        const writes = work.chunks.slice(before) as Uint8Array[];
        leftInOne(writes, answer, {
          what: 'What a read makes is written when the read has been handled, and in one write.',
          given: [['arrived', `${arrived}, to be echoed`]],
          nothing: 'It is not there when the listener of `data` returns. Who would write it later?',
          many: 'Handle all the events of the read first. At the end of the turn, write what that has made.',
        });
      }
      line.destroy();
    },
  },
  {
    what: 'A read puts nothing off.',
    rules: [],
    async check(lesson) {
      const { line } = await atRest(lesson);
      for (const { what: arrived, bytes } of READS) {
        const { microtasks, ticks, promises, immediates } = await workOfEach([
          () => void line.emit('data', bytes),
        ]);
        const put = { microtasks, ticks, promises, immediates };
        if (Object.values(put).every((number) => number === 0)) continue;
        const told = Object.entries(put).filter(([, number]) => number > 0);
        fail(
          'A read puts nothing off.',
          [
            ['arrived', `${arrived}, to be echoed`],
            ['put off', told.map(([kind, number]) => `${kind}: ${number}`).join(', ')],
          ],
          'What is sent in a turn leaves at its end. `wake` need begin another turn only when none is on.',
        );
      }
      line.destroy();
    },
  },
  {
    what: 'A read asks for events until there is none, and not again.',
    rules: [],
    async check(lesson) {
      const { line, connection } = await atRest(lesson);
      const calls = countCalls(connection, 'next');
      for (const { what: arrived, bytes, events } of READS) {
        const before = calls();
        line.emit('data', bytes);
        await turns(1);
        const asked = calls() - before;
        if (asked <= events + 1) continue;
        fail(
          'A read asks for events until there is none, and not again.',
          [
            ['arrived', arrived],
            ['`next` was called', count(asked, 'time')],
            ['expected', `at most ${count(events + 1, 'time')}`],
          ],
          'That is a second turn, with nothing to do in it. Who begins it?',
        );
      }
      line.destroy();
    },
  },
  {
    what: 'A read does not resume a socket that was never paused.',
    rules: [],
    async check(lesson) {
      const { line, work } = await atRest(lesson);
      for (const { bytes } of READS) line.emit('data', bytes);
      await turns(1);
      line.destroy();
      if (work.calls.resume === 0 && work.calls.pause === 0) return;
      fail(
        'A read does not resume a socket that was never paused.',
        [
          [`in ${READS.length} reads`, `${count(work.calls.resume, 'call')} of \`resume\``],
          ['', `${count(work.calls.pause, 'call')} of \`pause\``],
        ],
        'Keep in a field whether you have paused it, and call `resume` only then.',
      );
    },
  },
  {
    what: 'A read that makes nothing writes nothing.',
    rules: [],
    async check(lesson) {
      const { line, work } = await atRest(lesson);
      for (const { what: arrived, bytes, answer } of READS) {
        const before = work.calls.write;
        line.emit('data', bytes);
        await turns(1);
        if (answer !== NOTHING || work.calls.write === before) continue;
        equal(() => work.calls.write - before, 0, 'A read that makes nothing writes nothing.', {
          given: [['arrived', arrived]],
          label: 'calls of `write`',
          cause: () => 'Even a write of no bytes takes its time. Is there any output?',
        });
      }
      line.destroy();
    },
  },
  {
    what: 'An event comes when the handler of the one before has returned.',
    rules: [],
    async check(lesson) {
      let isOn = false;
      let nested = 0;
      const { line } = await atRest(lesson, (connection, event) => {
        if (isOn) nested++;
        isOn = true;
        echo(connection, event);
        isOn = false;
      });
      for (const { bytes } of READS) line.emit('data', bytes);
      line.destroy();
      equal(() => nested, 0, 'An event comes when the handler of the one before has returned.', {
        given: [['the application', 'echoes in its handler']],
        label: 'events within a handler',
        cause: () =>
          'Does `wake` run a turn itself? What is sent calls it, in the midst of the handler.',
      });
    },
  },
  {
    what: 'What is sent after a read leaves by itself, and in one write.',
    rules: [],
    async check(lesson) {
      const { line, connection, work } = await atRest(lesson);
      const texts = ['a', 'b', 'c'];
      for (const when of ['before any read', 'after one read', 'after two reads']) {
        const writes = await written(work, () => {
          for (const text of texts) send(connection, text);
        });
        leftInOne(writes, join(...texts.map((text) => fromServer(Text, text))), {
          what: 'What is sent after a read leaves by itself, and in one write.',
          given: [
            ['when', when],
            ['sent', '"a", "b" and "c", one after the other'],
          ],
          nothing: LATER,
          many: AT_ONCE,
        });
        line.emit('data', fromClient(Text, 'Hello'));
      }
      line.destroy();
    },
  },
  {
    what: 'What is sent in one go begins one turn, however much it is.',
    rules: [],
    async check(lesson) {
      const { line, connection } = await atRest(lesson);
      const { microtasks, ticks, promises, immediates, timers } = await workOfEach([
        () => {
          for (let i = 0; i < 20; i++) send(connection, 'x');
        },
      ]);
      line.destroy();
      const putOff = microtasks + ticks + promises + immediates + timers;
      // A promise that is waited for makes another one.
      if (putOff <= 3) return;
      fail(
        'What is sent in one go begins one turn, however much it is.',
        [
          ['sent', '20 messages, one after the other'],
          ['put off', `${putOff} functions`],
        ],
        'The first one schedules a turn, and the others leave with it. Remember that it is on its way.',
      );
    },
  },
  {
    what: 'What a handler sends later, when its turn is over, leaves as well.',
    rules: [],
    async check(lesson) {
      const { line, work } = await atRest(lesson, (connection, event) => {
        if (event.type === 'text') void Promise.resolve().then(() => send(connection, 'later'));
      });
      const writes = await written(work, () => void line.emit('data', fromClient(Text, 'Hello')));
      line.destroy();
      leftInOne(writes, fromServer(Text, 'later'), {
        what: 'What a handler sends later, when its turn is over, leaves as well.',
        given: [['the handler', 'waits for a promise, and sends a text then']],
        nothing: LATER,
        many: AT_ONCE,
      });
    },
  },
  {
    what: 'What is sent ahead of a read leaves with its answer, and what follows leaves by itself.',
    rules: [],
    async check(lesson) {
      const { line, connection } = await atRest(lesson);
      send(connection, 'a');
      line.emit('data', fromClient(Text, 'b'));
      send(connection, 'c');
      await settles(() => writtenTo(line).length === 9);
      line.destroy();
      equal(
        () => writtenTo(line),
        join(...['a', 'b', 'c'].map((text) => fromServer(Text, text))),
        'What is sent around a read leaves, in its order.',
        {
          given: [['sent', '"a", then the echo of a read with "b", then "c"']],
          label: 'written',
          frames: true,
          cause: (bytes) =>
            bytes instanceof Uint8Array && bytes.length === 9
              ? 'A read is a turn, also while another one is on its way.'
              : 'The turn that was on its way for "a" has nothing to do any more. "c" needs one of its own.',
        },
      );
    },
  },
  {
    what: 'What a handler sends on another connection leaves as well.',
    rules: [],
    async check(lesson) {
      const other = await atRest(lesson);
      const { line } = await atRest(lesson, (_, event) => {
        if (event.type === 'text') send(other.connection, event.data);
      });
      for (const text of ['a', 'b']) {
        const writes = await written(other.work, () => {
          line.emit('data', fromClient(Text, text));
        });
        leftInOne(writes, fromServer(Text, text), {
          what: 'What a handler sends on another connection leaves as well.',
          given: [['arrived', `"${text}", and the handler sends it on another connection`]],
          nothing: 'A turn is on, but not one of that connection: each has to know of its own.',
          many: AT_ONCE,
        });
      }
      for (const each of [line, other.line]) each.destroy();
    },
  },
  {
    what: 'What is sent at `open` leaves behind the response.',
    rules: [],
    async check(lesson) {
      const line = new Line();
      attachTo(lesson, line, (connection, event) => {
        if (event.type === 'open') send(connection, 'welcome');
      });
      await settles(() => writtenTo(line).length > 0);
      line.destroy();
      equal(() => writtenTo(line), fromServer(Text, 'welcome'), 'What is sent at `open` leaves.', {
        given: [['the handler', 'sends "welcome" at `open`']],
        label: 'behind the response',
        frames: true,
        cause: (bytes) =>
          bytes instanceof Uint8Array && bytes.length === 0
            ? '`open` is an event like the others: a turn has to follow it.'
            : undefined,
      });
    },
  },
  {
    what: 'What is sent while the socket takes a write leaves as well.',
    rules: [],
    async check(lesson) {
      const { line, connection } = await atRest(lesson);
      const before = writtenTo(line).length;
      const expected = join(fromServer(Text, 'Hello'), fromServer(Text, 'while it writes'));
      const write = line._write.bind(line);
      line._write = (...call) => {
        line._write = write;
        send(connection, 'while it writes');
        write(...call);
      };
      line.emit('data', fromClient(Text, 'Hello'));
      await settles(() => writtenTo(line).length >= before + expected.length);
      line.destroy();
      // As the other end has it: what becomes of the memory later is looked at in step 5.
      const bytes = writtenTo(line).slice(before);
      equal(() => bytes, expected, 'What is sent during a write leaves.', {
        given: [['the other end', 'in the same process: it reads at once, and lets us send more']],
        label: 'written',
        frames: true,
        cause: () =>
          'It was sent after the output was taken. Take output until there is none, or have another turn.',
      });
    },
  },
  {
    what: 'What comes after an event whose handler throws comes in a turn of its own.',
    rules: [],
    async check(lesson) {
      const heard: string[] = [];
      const bug = new Error('a bug in the handler');
      const { line } = await atRest(lesson, (connection, event) => {
        heard.push(event.type);
        if (event.type !== 'text') return;
        connection.fail(new Error('not for us'));
        throw bug;
      });
      quietly(() => void line.emit('data', fromClient(Text, 'Hello')));
      await settles(() => heard.includes('error'));
      line.destroy();
      equal(() => heard.slice(0, 3), ['open', 'text', 'error'], 'No event is lost.', {
        given: [['the handler of `text`', 'fails the connection, and throws an error itself']],
        label: 'it has heard',
        cause: () =>
          'That error ends the turn, and is thrown on. Is there another turn for the events that are left?',
      });
    },
  },
  {
    what: 'A socket that was paused before it was attached is read.',
    rules: [],
    async check(lesson) {
      const line = new Line();
      line.pause();
      attachTo(lesson, line, echo);
      await turns(2);
      line.push(fromClient(Text, 'Hello'));
      await settles(() => writtenTo(line).length > 0);
      line.destroy();
      equal(() => writtenTo(line), fromServer(Text, 'Hello'), 'A socket that was paused is read.', {
        given: [['the socket', 'was paused while somebody looked up who the client is']],
        label: 'went out',
        frames: true,
        cause: () =>
          'A listener of `data` starts no socket that has been paused. Resume it once, at the start.',
      });
    },
  },
  {
    what: 'A socket that you have paused is resumed once, when there is room.',
    rules: [],
    async check(lesson) {
      const { line, work } = await atRest(lesson);
      const what = 'A socket that you have paused is resumed once, when there is room.';
      for (let round = 1; round <= 3; round++) {
        line.hold();
        for (let i = 0; i < 3; i++) line.emit('data', fromClient(Binary, new Uint8Array(4000)));
        const given = [['round', `${round}: the client reads nothing for a while`]] as const;
        const pauses = () => line.isPaused();
        equal(pauses, true, 'Reading stops when the socket takes nothing.', {
          given,
          label: 'the socket is paused',
          cause: () =>
            'What is read would make answers that nobody takes: they would pile up here.',
        });
        line.release();
        await settles(() => !line.isPaused());
        equal(pauses, false, what, {
          given,
          label: 'the socket is paused',
          cause: () => 'You have paused it, so nobody else resumes it.',
        });
        for (const { bytes } of READS) line.emit('data', bytes);
        equal(() => work.calls.resume, round, what, {
          given,
          label: 'calls of `resume` so far',
          cause: () => 'Forget that you have paused it when you resume it.',
        });
      }
      line.destroy();
    },
  },
];
