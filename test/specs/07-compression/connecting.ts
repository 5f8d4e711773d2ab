/** Step 9: a client that compresses, with a server that answers what it is told to. */
import { SECTIONS } from '../../../shared/course/sections.ts';
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { utf8 } from '../../../shared/kit/frames.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { Host } from '../../../shared/kit/host.ts';
import { until } from '../../../shared/kit/peer.ts';
import { CloseCode, type Frame, Opcode, OpeningError } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { DeflatePolicy } from '../../../solutions/07-compression/compression.ts';
import { comes, hears, text } from '../06-client/dialling.ts';
import { means } from './chooser.ts';
import {
  agreed,
  compressed,
  dial,
  extensionsLine,
  open,
  sendsCompressed,
  valueIn,
} from './dialling.ts';
import { inFull } from './extensions.ts';
import type { Scenarios } from './tools.ts';

/** "Hello", and after it "Hello" again. RFC 7692 §7.2.3 */
const HELLO = fromHex('f2 48 cd c9 c9 07 00');
const HELLO_AGAIN = fromHex('f2 00 11 00 00');

const LONG = 'Ada: hello, hello, hello. Bob: hello, hello, hello. Ada: hello, hello, hello!';
const OTHER = 'Bob: how do you do? Ada: how do you do? Bob: how do you do? Ada: how do you do?';

/** Nothing in it is there twice. */
const PHRASE = 'The quick brown fox jumps over a lazy dog; 0123456789?';
/** More than 512 bytes that have nothing in common with it, and get shorter. */
const VARIED = Array.from({ length: 300 }, (_, i) => String.fromCharCode(65 + ((i * i) % 23))).join(
  '_',
);

const NO_HOOK =
  'Does `connect` get the `offer` among its options? In lesson 06, `openingRequest` has to write its `header`: a file that was begun before there was a lesson 07 may not do so yet.';

/** Checks that a response with these extensions, a line each, fails the connection. */
function refuses(
  rules: readonly number[],
  answer: string,
  values: readonly string[],
  policy?: DeflatePolicy,
): Scenarios[number] {
  const what = `Fail the connection when the answer has ${answer}.`;
  const lines = values.map(extensionsLine);
  return {
    what,
    rules,
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = dial(lesson, host.url(), policy);
        const guest = await comes(host, dialled, 'Connect to the server.');
        await guest.agree(...lines);
        guest.write(text('Hello'));
        const { call, events, types } = dialled;
        const given: Fact[] = [call, ...lines.map((line): Fact => ['the response has', line])];
        const facts = (): Fact[] => [...given, ['the events', types().join(', ') || 'none']];
        await until(() => types().includes('close') || types().includes('text'), what, facts);
        if (`${types()}` !== 'error,close') fail(what, [...facts(), ['expected', 'error, close']]);
        const [event] = events;
        const error = event?.type === 'error' ? event.error : undefined;
        given.push(['the error', show(error)]);
        if (!(error instanceof OpeningError)) fail('The error is an `OpeningError`.', given);
        saysWhy(error, values, given);
      }),
  };
}

/** The code of a Close. `undefined`: the frame is none, or has no code. */
function codeOf({ opcode, payload }: Frame): number | undefined {
  const hasCode = opcode === Opcode.Close && payload.length >= 2;
  return hasCode ? Buffer.from(payload).readUInt16BE() : undefined;
}

/** Checks that an error has what a response said, and what is wrong with it. */
function saysWhy(
  { status, headers, section, message }: OpeningError,
  values: readonly string[],
  given: readonly Fact[],
): void {
  const cause = () =>
    status === undefined && headers.size === 0
      ? 'It was made without the response, from which it takes the status and the headers.'
      : undefined;
  const what = 'The error has the status of the response, and its headers.';
  equal(() => status, 101, what, { given, label: 'its status', cause });
  const label = 'its Sec-WebSocket-Extensions';
  equal(() => headers.get('sec-websocket-extensions'), values, what, { given, label });
  if (!SECTIONS.has(section)) {
    fail('The error names a section of a standard.', [...given, ['its section', show(section)]]);
  }
  if (message === '') fail('The error says what is wrong.', [...given, ['its message', 'empty']]);
}

const TALKING: Scenarios = [
  {
    what: 'The request has the offer.',
    rules: [107, 145],
    check: (lesson) =>
      Host.run(async (host) => {
        const what = 'The request has the offer.';
        const policy = { serverMaxWindowBits: 12 };
        const options = { protocols: ['chat'], headers: { Cookie: 'a=1' } };
        const dialled = dial(lesson, host.url('/chat'), policy, options);
        const guest = await comes(host, dialled, 'Connect to the server.');
        const request = await guest.asked(what);
        const header = valueIn(request);
        if (header === undefined) {
          fail(what, [dialled.call, ['Sec-WebSocket-Extensions', 'none']], NO_HOOK);
        }
        withGiven(
          () => [dialled.call],
          () => means(header, inFull('pmd; smwb=12; cmwb'), what),
        );
        const protocol = valueIn(request, 'Sec-WebSocket-Protocol');
        const same = 'The URL and the other options are those of `connect`.';
        for (const [label, found, right] of [
          ['the resource', request.split(' ')[1], '/chat'],
          ['Sec-WebSocket-Protocol', protocol, 'chat'],
          ['Cookie', valueIn(request, 'Cookie'), 'a=1'],
        ] as const) {
          equal(() => found, right, same, { given: [dialled.call], label });
        }
      }),
  },
  {
    what: 'Both directions are compressed, when the server agrees.',
    rules: [107, 145],
    check: (lesson) =>
      agreed(lesson, 'permessage-deflate', async (both) => {
        const what = 'What is sent is compressed, once the server has agreed.';
        await sendsCompressed(both, LONG, what);
        await sendsCompressed(both, OTHER, what, { window: LONG });
        await sendsCompressed(both, LONG, what, { window: LONG + OTHER });
        both.guest.write(compressed(HELLO), text('plain'), compressed(HELLO_AGAIN));
        const heard = ['open', 'text', 'text', 'text'] as const;
        await hears(both, heard, 'What arrives is unpacked.');
        equal(
          () => both.events.slice(1).map((event) => event.type === 'text' && event.data),
          ['Hello', 'plain', 'Hello'],
          'What arrives is unpacked.',
          { given: [both.call], label: 'the messages' },
        );
      }),
  },
  {
    what: 'A client that has offered to forget its window does so, although the answer is bare.',
    rules: [177],
    check: (lesson) =>
      agreed(
        lesson,
        'permessage-deflate',
        async (both) => {
          const what =
            'A client that has offered to forget its window does so, whatever the answer.';
          await sendsCompressed(both, LONG, what);
          await sendsCompressed(both, LONG, what, { gone: LONG });
          both.guest.write(compressed(HELLO), compressed(HELLO_AGAIN));
          await hears(both, ['open', 'text', 'text'], 'The server has not forgotten its own.');
        },
        { clientNoContextTakeover: true },
      ),
  },
  {
    what: 'What the server answers is kept to.',
    rules: [140],
    check: (lesson) =>
      agreed(
        lesson,
        inFull('pmd; cnct; snct; smwb="9"'),
        async (both) => {
          const what = 'A client forgets its window when the server has answered that it has to.';
          await sendsCompressed(both, LONG, what);
          await sendsCompressed(both, LONG, what, { gone: LONG });
        },
        { serverNoContextTakeover: true, serverMaxWindowBits: 10 },
      ),
  },
  {
    what: 'A client looks back no further than the server has answered.',
    rules: [162],
    check: (lesson) =>
      agreed(lesson, inFull('pmd; cmwb=9; smwb=12'), async (both) => {
        const what = 'A client looks back no further than the server has answered.';
        const text = `${PHRASE}${VARIED}`;
        await sendsCompressed(both, text, what);
        await sendsCompressed(both, PHRASE + PHRASE, what, {
          window: text.slice(-512),
          gone: text,
        });
      }),
  },
  {
    what: 'Each connection has windows of its own.',
    rules: [],
    check: (lesson) =>
      Host.run(async (host) => {
        const what = 'Each connection has windows of its own.';
        const lines = [extensionsLine('permessage-deflate')];
        const one = await open(lesson, host, lines);
        const other = await open(lesson, host, lines);
        await sendsCompressed(one, LONG, what);
        await sendsCompressed(other, LONG, what, { gone: LONG });
      }),
  },
  {
    what: 'Without an answer, nothing is compressed.',
    rules: [107, 145],
    check: (lesson) =>
      Host.run(async (host) => {
        const what = 'Without an answer, nothing is compressed.';
        const both = await open(lesson, host, []);
        const { connection, guest, call } = both;
        connection.send(LONG);
        const { rsv1, payload } = await guest.frame('A message that is sent arrives.');
        const given: Fact[] = [call, ['the response has', 'no Sec-WebSocket-Extensions']];
        equal(() => rsv1, false, what, { given, label: 'RSV1 of the frame' });
        equal(() => Buffer.from(payload), utf8(LONG), what, { given, label: 'its payload' });
        guest.write(compressed(HELLO));
        const close = await guest.frame('RSV1 without an extension fails the connection.');
        equal(
          () => codeOf(close),
          CloseCode.ProtocolError,
          'RSV1 without an extension fails the connection.',
          {
            given: [...given, ['the server sent', 'a compressed text']],
            label: 'the code of the Close',
          },
        );
      }),
  },
  {
    what: 'The limit for a message is for what comes out of it.',
    rules: [164],
    check: (lesson) =>
      agreed(
        lesson,
        'permessage-deflate',
        async ({ guest, call }) => {
          guest.write(compressed(fromHex('4a 4c 1c 05 a3 60 14 0c 77 00 00')));
          const what = 'A message of more than `maxMessageBytes`, unpacked, is refused with 1009.';
          const { payload } = await guest.frame(what);
          equal(() => Buffer.from(payload).readUInt16BE(), CloseCode.MessageTooBig, what, {
            given: [call, ['arrived', '1000 letters in 11 bytes']],
            label: 'the close code',
          });
        },
        undefined,
        { maxMessageBytes: 999 },
      ),
  },
];

const REFUSING: Scenarios = [
  refuses([163], 'a parameter that nobody knows', ['permessage-deflate; foo']),
  refuses([143, 163], 'compression in capitals', ['PerMessage-Deflate']),
  refuses([163], 'less than what we have asked for', ['permessage-deflate'], {
    serverNoContextTakeover: true,
  }),
  refuses([141], 'a semicolon without a parameter', ['permessage-deflate;']),
  refuses([141], 'an empty list', ['']),
  refuses([62], 'compression twice, on two lines', ['permessage-deflate', 'permessage-deflate']),
  refuses([62, 145], 'a parameter on a line of its own', [
    'permessage-deflate',
    'server_no_context_takeover',
  ]),
];

export const CONNECTING: Scenarios = [...TALKING, ...REFUSING];
