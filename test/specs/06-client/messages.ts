/** Step 8: messages, as a page sends and gets them. */
import { attempt, equal } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { fromServer } from '../../../shared/kit/frames.ts';
import { Host } from '../../../shared/kit/host.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { Opcode } from '../../../shared/protocol.ts';
import type { WebSocketData } from '../../../solutions/06-client/client.ts';
import { closing, SECURE, TOO_MUCH, TRUSTING, text } from './dialling.ts';
import {
  CLEANLY,
  FAILING,
  getsText,
  hears,
  MESSAGE,
  OPENED,
  onPage,
  refuses,
  type Socket,
  visit,
} from './paging.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** How long the other end needs at most to see what was sent, in milliseconds. */
const SOON_MS = 10;
const CUT_OFF =
  'None of it counts any more. For a write that the end of TCP has cut off, Node can call back without an error, too.';

const BYTES = Uint8Array.of(0, 1, 254, 255);

/** A file that is gone by the time when it is read. */
class Unreadable extends Blob {
  static readonly #gone = () => new DOMException('The file is gone.', 'NotReadableError');

  constructor() {
    super(['gone']);
  }
  override arrayBuffer = () => Promise.reject(Unreadable.#gone());
  override text = this.arrayBuffer;
  override bytes = this.arrayBuffer;
  override stream = () =>
    new ReadableStream({
      start: (stream) => stream.error(Unreadable.#gone()),
    });
}

/** Sends something that can be sent. */
function sends(ws: Socket, data: WebSocketData, what: string, told = show(data)): void {
  attempt(() => ws.send(data), what, [['called', `send(${told})`]]);
}

const SENDING: Scenarios = [
  {
    what: '`send` before it is open is an `InvalidStateError`.',
    rules: [168],
    check: (lesson) =>
      Host.run(async (host) => {
        const { ws } = visit(lesson, host.url());
        const what = '`send` before it is open is an `InvalidStateError`.';
        refuses('InvalidStateError', 'send("a")', () => ws.send('a'), what);
        equal(() => ws.bufferedAmount, 0, 'What throws is not counted.', {
          label: '`bufferedAmount`',
        });
      }),
  },
  {
    what: 'Bytes are sent in all their forms, and only those of a view.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        const { buffer } = Uint8Array.of(9, ...BYTES, 9);
        for (const [name, data] of [
          ['an ArrayBuffer', BYTES.slice().buffer],
          ['a Uint8Array within a longer buffer', new Uint8Array(buffer, 1, 4)],
          ['a DataView within a longer buffer', new DataView(buffer, 1, 4)],
          ['a Uint16Array', new Uint16Array(BYTES.slice().buffer)],
          ['a Blob', new Blob([BYTES])],
        ] as const) {
          const what = 'Bytes are sent in all their forms, and only those of a view.';
          sends(ws, data, what, name);
          const { opcode, payload } = await guest.frame(what);
          equal(() => [opcode, Buffer.from(payload)], [Opcode.Binary, BYTES], what, {
            given: [['sent', name]],
            label: 'opcode and payload',
          });
        }
      }),
  },
  {
    what: 'What is neither bytes nor a Blob is sent as a string.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        for (const data of ['', '你好', null, 42, true, {}] as string[]) {
          const what = 'What is neither bytes nor a Blob is sent as a string.';
          sends(ws, data, what);
          await getsText(guest, String(data), what);
        }
      }),
  },
  {
    what: 'Half of a surrogate pair is sent as U+FFFD.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        const what = 'Half of a surrogate pair is sent as U+FFFD.';
        sends(ws, 'a\ud800b', what, '"a\\ud800b"');
        await getsText(guest, 'a\ufffdb', what);
      }),
  },
  {
    what: 'Bytes that are changed after `send` are sent as they were.',
    rules: [149],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        const bytes = BYTES.slice();
        ws.send(bytes);
        ws.send(bytes.buffer);
        // Of a Buffer, `slice` copies nothing.
        ws.send(Buffer.from(bytes.buffer));
        bytes.fill(7);
        for (const name of ['a Uint8Array', 'its ArrayBuffer', 'a Buffer']) {
          const what = 'Bytes that are changed after `send` are sent as they were.';
          const { payload } = await guest.frame(what);
          equal(() => Buffer.from(payload), BYTES, what, {
            given: [['sent', name]],
            label: 'the payload',
          });
        }
      }),
  },
  {
    what: 'A Blob keeps its place among the messages, and before the Close.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        const big = new Uint8Array(300_000);
        ws.send(new Blob([big]));
        ws.send('two');
        ws.send(new Blob([BYTES]));
        ws.send(Uint8Array.of(4));
        ws.close();
        const given = [
          ['sent', 'a Blob of 300,000 bytes, "two", a Blob of 4, 1 byte, and close()'],
        ] as const;
        equal(() => ws.readyState, 2, '`close` leads to CLOSING, though a Blob has to be read.', {
          given,
          label: '`readyState`',
        });
        ws.send('too late');
        const seen: string[] = [];
        const what = 'Messages keep their order, though a Blob has to be read first.';
        while (seen.length < 5 && seen.at(-1) !== 'Close') {
          const { opcode, payload } = await guest.frame(what);
          seen.push(opcode === Opcode.Close ? 'Close' : `${opcode}: ${payload.length}`);
        }
        const expected = ['2: 300000', '1: 3', '2: 4', '2: 1', 'Close'];
        equal(() => seen, expected, what, {
          given,
          label: 'opcodes and lengths',
        });
      }),
  },
  {
    what: 'What is sent while a second Blob is being read keeps its place, too.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        const TEXTS = 20;
        ws.send(new Blob([BYTES]));
        // The more parts a Blob has, the longer it takes to be read.
        ws.send(new Blob(Array.from({ length: 1000 }, () => BYTES)));
        for (let i = 0; i < TEXTS; i++) {
          for (let tick = 0; tick < 10; tick++) await Promise.resolve();
          ws.send('later');
        }
        const what = 'Messages keep their order, though a Blob has to be read first.';
        const seen: string[] = [];
        for (let i = 0; i < TEXTS + 2; i++) {
          const { opcode, payload } = await guest.frame(what);
          seen.push(`${opcode}: ${payload.length}`);
        }
        const expected = ['2: 4', '2: 4000', ...Array.from({ length: TEXTS }, () => '1: 5')];
        equal(() => seen, expected, what, {
          given: [['sent', 'a Blob of 4 bytes, one of 4000, and then 20 texts']],
          label: 'opcodes and lengths',
        });
      }),
  },
  {
    what: 'A Blob that cannot be read fails the connection.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        const what = 'A Blob that cannot be read fails the connection.';
        sends(page.ws, new Unreadable(), what, 'a Blob whose file is gone');
        page.ws.send('behind it');
        const { opcode } = await page.guest.frame(what);
        equal(() => opcode, Opcode.Close, what, { label: 'opcode of the first frame' });
        page.guest.socket.end();
        await hears(page, [OPENED, ...FAILING], what);
      }),
  },
  {
    what: '`bufferedAmount` is the payloads that wait, at once, and 0 when they have been sent.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws, guest }) => {
        ws.send(new Uint8Array(1000));
        ws.send('x'.repeat(500));
        ws.send('€');
        ws.send(new Blob([BYTES]));
        const what = '`bufferedAmount` is the payloads that wait, in bytes.';
        equal(() => ws.bufferedAmount, 1507, what, {
          given: [['sent', '1000 bytes, 500 letters, "€" and a Blob of 4 bytes']],
          label: '`bufferedAmount`',
        });
        for (let i = 0; i < 4; i++) await guest.frame('What is sent arrives.');
        const facts = () => [['`bufferedAmount`', `${ws.bufferedAmount}`]] as const;
        await until(() => ws.bufferedAmount === 0, 'What has been sent does not wait.', facts);
      }),
  },
  {
    what: 'What is sent too late is dropped, and counts for ever.',
    rules: [168],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        const { ws, guest } = page;
        const what = 'What is sent too late is dropped, and counts for ever.';
        const counts = (expected: number, given: string) =>
          equal(() => ws.bufferedAmount, expected, what, {
            given: [['sent', given]],
            label: '`bufferedAmount`',
          });
        ws.close();
        ws.send('12345');
        counts(5, '"12345", in CLOSING');
        ws.send('é');
        counts(7, '"12345" and "é", in CLOSING');
        await guest.frame('Our Close is sent.');
        guest.write(closing());
        guest.socket.end();
        await hears(page, [OPENED, ...CLEANLY], 'The end is heard once.');
        ws.send(new Uint8Array(10));
        counts(17, '10 bytes more, in CLOSED');
        ws.send(new Blob(['abc']));
        await giveWay(SOON_MS);
        counts(20, 'a Blob of 3 bytes more, in CLOSED');
        equal(() => guest.received.length, 0, what, { label: 'bytes behind the Close' });
      }),
  },
  {
    what: 'What had not been sent when the connection was lost counts for ever.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.guest.socket.pause();
        page.ws.send(new Uint8Array(TOO_MUCH));
        await giveWay(SOON_MS);
        page.guest.socket.resetAndDestroy();
        await hears(page, [OPENED, ...FAILING], 'A lost connection is a failure.');
        const { bufferedAmount } = page.ws;
        const what = 'What had not been sent when the connection was lost counts for ever.';
        equal(() => bufferedAmount, TOO_MUCH, what, {
          given: [['sent', '6 MiB, to a server that does not read']],
          label: '`bufferedAmount`',
          cause: () => (bufferedAmount === 0 ? CUT_OFF : undefined),
        });
      }),
  },
];

/** Checks who is said to have sent a message, over TLS. */
function tellsOrigin(lesson: Lesson, what: string): Promise<void> {
  return Host.run(async (host) => {
    const page = visit(lesson, host.url('/chat?room=1'), { options: TRUSTING });
    await host.open(text('Hello'));
    await hears(page, [OPENED, MESSAGE], 'Over TLS, messages are heard as well.');
    const { origin } = page.events[1] as MessageEvent;
    equal(() => origin, host.url().slice(0, -1), what, { given: [page.call], label: '`origin`' });
  }, SECURE);
}

/** The data of the message that an event is of. */
const dataOf = (event: Event | undefined): unknown => (event as MessageEvent | undefined)?.data;

const GETTING: Scenarios = [
  {
    what: 'Over TLS, the `origin` of a message begins with `wss:`.',
    rules: [],
    check: (lesson) => tellsOrigin(lesson, 'Over TLS, the `origin` of a message has `wss:`.'),
  },
  {
    what: 'Text is a string, and bytes are a Blob unless `binaryType` says `arraybuffer`.',
    rules: [169],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        const { ws, guest, events } = page;
        equal(() => ws.binaryType, 'blob', 'Bytes are a Blob at first.', { label: '`binaryType`' });
        guest.write(text('你好'), fromServer(Opcode.Binary, BYTES));
        await hears(page, [OPENED, MESSAGE, MESSAGE], 'Both messages are heard.');
        equal(() => dataOf(events[1]), '你好', 'Text is a string.', { label: '`data`' });
        const blob = dataOf(events[2]);
        equal(() => blob instanceof Blob, true, 'Bytes are a Blob at first.', {
          label: '`data`: a Blob?',
        });
        const read = new Uint8Array(await (blob as Blob).arrayBuffer());
        equal(() => read, BYTES, 'A Blob has the bytes of the message.', { label: 'its bytes' });
        ws.binaryType = 'arraybuffer';
        guest.write(fromServer(Opcode.Binary, BYTES));
        await hears(page, [OPENED, MESSAGE, MESSAGE, MESSAGE], 'The third message is heard.');
        const buffer = dataOf(events[3]);
        const what = 'When `binaryType` says so, bytes are an ArrayBuffer of exactly these.';
        equal(() => buffer instanceof ArrayBuffer, true, what, {
          label: '`data`: an ArrayBuffer?',
        });
        equal(() => new Uint8Array(buffer as ArrayBuffer), BYTES, what, { label: 'its bytes' });
        guest.write(text(''), fromServer(Opcode.Binary));
        const heard = [OPENED, MESSAGE, MESSAGE, MESSAGE, MESSAGE, MESSAGE];
        await hears(page, heard, 'Messages with nothing in them are heard, too.');
        equal(() => dataOf(events[4]), '', 'Text is a string.', { label: '`data`' });
      }),
  },
  {
    what: 'Another `binaryType` than the two changes nothing.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async ({ ws }) => {
        ws.binaryType = 'arraybuffer';
        ws.binaryType = 'foo' as 'blob';
        const what = 'Another `binaryType` than the two changes nothing.';
        equal(() => ws.binaryType, 'arraybuffer', what, {
          given: [['set to', '"arraybuffer", and then to "foo"']],
          label: '`binaryType`',
        });
        ws.binaryType = 'blob';
        equal(() => ws.binaryType, 'blob', '`binaryType` can be set back.', {
          label: '`binaryType`',
        });
      }),
  },
  {
    what: 'A message that comes after our `close` is not heard.',
    rules: [],
    check: (lesson) =>
      onPage(lesson, async (page) => {
        page.ws.close();
        page.guest.write(text('late'), closing());
        page.guest.socket.end();
        await hears(page, [OPENED, ...CLEANLY], 'After our `close`, no message is heard.');
      }),
  },
  {
    what: 'The answer to a message that came together with a Close is sent.',
    rules: [],
    check: (lesson) => {
      const answer = (ws: Socket, event: Event) => {
        if (event.type === 'message') ws.send(`${dataOf(event)}!`);
      };
      return onPage(
        lesson,
        async (page) => {
          page.guest.write(text('last'), closing());
          await getsText(page.guest, 'last!', 'The answer to the last message is sent.');
          const { opcode } = await page.guest.frame('A Close is answered.');
          equal(() => show(opcode), '8', 'The answer to the Close comes behind it.', {
            label: 'its opcode',
          });
        },
        { react: answer },
      );
    },
  },
  {
    what: 'What follows from a message is done before the next is heard.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const seen: string[] = [];
        const react = (_: Socket, event: Event) => {
          if (event.type !== 'message') return;
          seen.push(`${dataOf(event)}`);
          void Promise.resolve().then(() => seen.push(`after ${dataOf(event)}`));
        };
        const page = visit(lesson, host.url(), { react });
        await host.open(text('a'), text('b'));
        await hears(page, [OPENED, MESSAGE, MESSAGE], 'Both messages are heard.');
        const what = 'Each event has a task of its own: promises settle in between.';
        equal(() => seen, ['a', 'after a', 'b', 'after b'].slice(0, seen.length), what, {
          label: 'done',
        });
      }),
  },
];

export const ON_A_PAGE: Scenarios = [...SENDING, ...GETTING];
