/** Categories 1–5 and 10: messages, pings, reserved bits, opcodes and fragments. */
import type { WireFrame } from '../../kit/frames.ts';
import type { Case, Category } from '../case.ts';
import type { Writes } from '../endpoint.ts';
import type { ScriptStep } from '../play.ts';
import { answers, echoes, fails } from '../script.ts';
import {
  begin,
  binary,
  echoOf,
  end,
  fragments,
  middle,
  ping,
  pong,
  pongReply,
  type Reply,
  text,
  textReply,
} from '../vocabulary.ts';

const PROTOCOL_ERROR = [1002];
const HELLO = 'Hello, world!';
const SIZES = [0, 125, 126, 127, 128, 65_535, 65_536] as const;

const stars = (size: number) => text('*'.repeat(size));
const bytesFe = (size: number) => binary(new Uint8Array(size).fill(0xfe));

/** The sizes around which the length takes another form, and the last in pieces. */
function sizes(category: string, kind: string, message: (size: number) => WireFrame): Case[] {
  return [
    ...SIZES.map((size, i) =>
      echoes([`${category}.${i + 1}`, `${kind} of ${size} bytes`, '5.2'], message(size)),
    ),
    echoes(
      [`${category}.8`, `${kind} of 65536 bytes, in writes of 997 bytes`, '5.2'],
      message(65_536),
      997,
    ),
  ];
}

const MESSAGES: Category = {
  id: '1',
  title: 'Text and binary messages',
  cases: [...sizes('1.1', 'A text message', stars), ...sizes('1.2', 'A binary message', bytesFe)],
};

const TEN = Array.from({ length: 10 }, (_, i) => `payload-${i}`);
const BYTES = Uint8Array.of(0x00, 0xff, 0xfe, 0xfd, 0xfc, 0xfb, 0x00, 0xff);
const LONGEST = new Uint8Array(125).fill(0xfe);
const tenPings = (id: string, title: string, writes: Writes) =>
  answers(
    [id, title, '5.5.2'],
    TEN.map((payload) => ping(payload)),
    TEN.map((payload) => pongReply(payload)),
    writes,
  );

const PINGS: Category = {
  id: '2',
  title: 'Pings and Pongs',
  cases: [
    answers(['2.1', 'A Ping without payload', '5.5.2'], [ping()], [pongReply()]),
    answers(['2.2', 'A Ping with text', '5.5.2'], [ping(HELLO)], [pongReply(HELLO)]),
    answers(
      ['2.3', 'A Ping with bytes that are not text', '5.5.2'],
      [ping(BYTES)],
      [pongReply(BYTES)],
    ),
    answers(['2.4', 'A Ping of 125 bytes', '5.5'], [ping(LONGEST)], [pongReply(LONGEST)]),
    fails(
      ['2.5', 'A Ping of 126 bytes', '5.5'],
      [ping(new Uint8Array(126).fill(0xfe))],
      PROTOCOL_ERROR,
    ),
    answers(
      ['2.6', 'A Ping of 125 bytes, byte by byte', '5.5'],
      [ping(LONGEST)],
      [pongReply(LONGEST)],
      1,
    ),
    answers(['2.7', 'A Pong that nobody asked for', '5.5.3'], [pong()], []),
    answers(
      ['2.8', 'A Pong with payload that nobody asked for', '5.5.3'],
      [pong('unsolicited pong payload')],
      [],
    ),
    answers(
      ['2.9', 'A Pong that nobody asked for, then a Ping', '5.5.3'],
      [pong('unsolicited pong payload'), ping('ping payload')],
      [pongReply('ping payload')],
    ),
    tenPings('2.10', 'Ten Pings in one write', 'together'),
    tenPings('2.11', 'Ten Pings, byte by byte', 1),
  ],
};

const HELLO_REPLY = { before: [textReply(HELLO)] };

/** A good message, then an illegal frame, then a Ping: in one write, frame by frame, by bytes. */
function afterHello(caption: [string, string, string], illegal: WireFrame, writes: Writes): Case {
  return fails(caption, [text(HELLO), illegal, ping()], PROTOCOL_ERROR, { ...HELLO_REPLY, writes });
}

const RESERVED_BITS: Category = {
  id: '3',
  title: 'Reserved bits',
  cases: [
    fails(['3.1', 'A text with RSV 1', '5.2'], [text(HELLO, { rsv: 1 })], PROTOCOL_ERROR),
    afterHello(['3.2', 'A good text, one with RSV 2', '5.2'], text(HELLO, { rsv: 2 }), 'together'),
    afterHello(
      ['3.3', 'A good text, one with RSV 3, in a write each', '5.2'],
      text(HELLO, { rsv: 3 }),
      'apart',
    ),
    afterHello(
      ['3.4', 'A good text, one with RSV 4, byte by byte', '5.2'],
      text(HELLO, { rsv: 4 }),
      1,
    ),
    fails(
      ['3.5', 'A binary message with RSV 5', '5.2'],
      [binary(BYTES, { rsv: 5 })],
      PROTOCOL_ERROR,
    ),
    fails(
      ['3.6', 'A binary message of text with RSV 6', '5.2'],
      [binary(HELLO, { rsv: 6 })],
      PROTOCOL_ERROR,
    ),
    fails(
      ['3.7', 'A Close with RSV 7', '5.2'],
      [
        { opcode: 8, rsv: 7 },
        { opcode: 8, payload: Uint8Array.of(3, 232) },
      ],
      PROTOCOL_ERROR,
    ),
  ],
};

/** The reserved opcodes of one half: 3–7 are data, 11–15 control. */
function reservedOpcodes(category: string, first: number): Case[] {
  const sends = ['', 'reserved opcode payload', '', HELLO, HELLO];
  return sends.map((payload, i) => {
    const opcode = first + i;
    const illegal: WireFrame = { opcode, payload };
    const size = payload === '' ? 'without payload' : 'with payload';
    const title = `Opcode ${opcode} ${size}`;
    const id = `${category}.${i + 1}`;
    if (i < 2) return fails([id, title, '5.2'], [illegal], PROTOCOL_ERROR);
    const writes = i === 2 ? 'together' : i === 3 ? 'apart' : 1;
    const how = { together: '', apart: ', in a write of its own', 1: ', byte by byte' }[writes];
    return afterHello([id, `${title}, after a good text${how}`, '5.2'], illegal, writes);
  });
}

const OPCODES: Category = {
  id: '4',
  title: 'Reserved opcodes',
  cases: [...reservedOpcodes('4.1', 3), ...reservedOpcodes('4.2', 11)],
};

/** The three ways in which a row of frames is written, from an id on. */
function threeWays(
  first: number,
  title: string,
  make: (caption: [string, string, string], writes: Writes) => Case,
): Case[] {
  const ways = [
    ['together', ', in one write'],
    ['apart', ', in a write each'],
    [1, ', byte by byte'],
  ] as const;
  return ways.map(([writes, how], i) => make([`5.${first + i}`, title + how, '5.4'], writes));
}

const TWO = [begin('fragment1'), end('fragment2')];
const TWO_ECHO = textReply('fragment1fragment2');
const PING_INSIDE = [begin('fragment1'), ping('ping payload'), end('fragment2')];
const STRAY = 'non-continuation payload';

/** A message may take its time: nothing says when the next fragment has to come. */
const FIVE: ScriptStep[] = [
  begin('fragment1'),
  middle('fragment2'),
  ping('pongme 1!'),
  { until: pongReply('pongme 1!') },
  'pause',
  middle('fragment3'),
  middle('fragment4'),
  ping('pongme 2!'),
  end('fragment5'),
];
const FIVE_REPLIES: Reply[] = [
  pongReply('pongme 1!'),
  pongReply('pongme 2!'),
  textReply('fragment1fragment2fragment3fragment4fragment5'),
];
/** A message that begins while nothing or another one is open. */
const MUDDLE = (first: WireFrame) => [first, begin('fragment2'), end('fragment3')];

const FRAGMENTS: Category = {
  id: '5',
  title: 'Fragments',
  cases: [
    fails(
      ['5.1', 'A Ping in two fragments', '5.5'],
      [ping('fragment1', { fin: false }), end('fragment2')],
      PROTOCOL_ERROR,
    ),
    fails(
      ['5.2', 'A Pong in two fragments', '5.5'],
      [pong('fragment1', { fin: false }), end('fragment2')],
      PROTOCOL_ERROR,
    ),
    ...threeWays(3, 'A text in two fragments', (caption, writes) =>
      answers(caption, TWO, [TWO_ECHO], writes),
    ),
    ...threeWays(6, 'A Ping between two fragments', (caption, writes) =>
      answers(caption, PING_INSIDE, [pongReply('ping payload'), TWO_ECHO], writes),
    ),
    ...threeWays(9, 'A last fragment of no message', (caption, writes) =>
      fails(caption, [end(STRAY), text(HELLO)], PROTOCOL_ERROR, { writes }),
    ),
    ...threeWays(12, 'A fragment of no message', (caption, writes) =>
      fails(caption, [middle(STRAY), text(HELLO)], PROTOCOL_ERROR, { writes }),
    ),
    fails(
      ['5.15', 'A message in two fragments, then a fragment of none', '5.4'],
      [...TWO, middle('fragment3'), text('fragment4')],
      PROTOCOL_ERROR,
      { before: [TWO_ECHO] },
    ),
    fails(
      ['5.16', 'A fragment of no message before each message', '5.4'],
      [...MUDDLE(middle('fragment1')), ...MUDDLE(middle('fragment1'))],
      PROTOCOL_ERROR,
    ),
    fails(
      ['5.17', 'A last fragment of no message before each message', '5.4'],
      [...MUDDLE(end('fragment1')), ...MUDDLE(end('fragment1'))],
      PROTOCOL_ERROR,
    ),
    fails(
      ['5.18', 'A new message before the last fragment of another', '5.4'],
      [begin('fragment1'), text('fragment2')],
      PROTOCOL_ERROR,
    ),
    answers(
      ['5.19', 'A text in five fragments, two Pings between them', '5.4'],
      FIVE,
      FIVE_REPLIES,
      'together',
    ),
    answers(
      ['5.20', 'A text in five fragments, two Pings between them, in a write each', '5.4'],
      FIVE,
      FIVE_REPLIES,
      'apart',
    ),
  ],
};

const IN_PIECES: Category = {
  id: '10',
  title: 'A message in many fragments',
  cases: [
    answers(
      ['10.1.1', 'A text of 65536 bytes in fragments of 1300', '5.4'],
      fragments(stars(65_536), 1300),
      [echoOf(stars(65_536))],
    ),
  ],
};

export const MESSAGE_CATEGORIES = [MESSAGES, PINGS, RESERVED_BITS, OPCODES, FRAGMENTS];
export const FRAGMENTED = IN_PIECES;
