/** Category 6: text is UTF-8, and what is not is refused at once. */
import { isUtf8 } from 'node:buffer';
import { join, utf8 } from '../../kit/frames.ts';
import { fromHex, toHex } from '../../view/hex.ts';
import type { Caption, Case, Category } from '../case.ts';
import type { RawEndpoint } from '../endpoint.ts';
import { expectReply } from '../expect.ts';
import { Failed, type Finding, worst } from '../model.ts';
import type { PeerEvent } from '../parser.ts';
import { endingOf, judgeEnding } from '../play.ts';
import { answers, ERROR_CODES, echoes, fails } from '../script.ts';
import type { Stage } from '../stage.ts';
import {
  begin,
  close,
  end,
  fragments,
  middle,
  nameClose,
  nameEvent,
  ping,
  pongReply,
  text,
  textReply,
} from '../vocabulary.ts';

const INVALID_PAYLOAD = [1007];
/** How long a peer gets to refuse bytes inside a frame, in milliseconds. */
const FAIL_FAST_MS = 1000;

const KOSME = fromHex('ce ba e1 bd b9 cf 83 ce bc ce b5');
const SURROGATE = fromHex('ed a0 80');
const TOO_LARGE = fromHex('f4 90 80 80');
const GREETING = 'Hello-µ@ßöäüàá-UTF-8!!';
const HALVES = ['Hello-µ@ßöä', 'üàá-UTF-8!!'] as const;
const WITH_SURROGATE = join(KOSME, SURROGATE, utf8('edited'));

/** A message of one byte a fragment, and an empty last one. */
const byteByByte = (payload: Uint8Array) => [
  ...fragments(text(payload), 1).map((fragment) => ({ ...fragment, fin: false })),
  end(),
];

const WHOLE: Case[] = [
  echoes(['6.1.1', 'An empty text', '5.6'], text()),
  answers(['6.1.2', 'Three empty fragments', '5.4'], [begin(), middle(), end()], [textReply()]),
  answers(
    ['6.1.3', 'Text between two empty fragments', '5.4'],
    [begin(), middle('middle frame payload'), end()],
    [textReply('middle frame payload')],
  ),
  echoes(['6.2.1', 'Text beyond ASCII', '5.6'], text(GREETING)),
  answers(
    ['6.2.2', 'Text in two fragments, cut between characters', '5.6'],
    [begin(HALVES[0]), end(HALVES[1])],
    [textReply(GREETING)],
  ),
  answers(['6.2.3', 'Text of one byte a fragment', '5.6'], byteByByte(utf8(GREETING)), [
    textReply(GREETING),
  ]),
  answers(['6.2.4', 'Greek text of one byte a fragment', '5.6'], byteByByte(KOSME), [
    textReply(KOSME),
  ]),
  fails(['6.3.1', 'A surrogate inside a text', '8.1'], [text(WITH_SURROGATE)], INVALID_PAYLOAD),
  fails(
    ['6.3.2', 'A surrogate inside a text of one byte a fragment', '8.1'],
    byteByByte(WITH_SURROGATE),
    INVALID_PAYLOAD,
  ),
];

/** Where a text is cut: what is good, what makes it bad, and the rest. */
type Cuts = readonly [good: Uint8Array, bad: Uint8Array, rest: Uint8Array];

const BETWEEN_CHARACTERS: Cuts = [KOSME, TOO_LARGE, utf8('edited')];
const INSIDE_A_CHARACTER: Cuts = [
  join(KOSME, TOO_LARGE.subarray(0, 1)),
  TOO_LARGE.subarray(1, 2),
  join(TOO_LARGE.subarray(2), utf8('edited')),
];

/** Cases in which the bad bytes come early, and much could follow them. */
const FAIL_FAST: Case[] = [
  failFast(['6.4.1', 'A bad character in the second of three fragments', '8.1'], (endpoint) =>
    inFragments(endpoint, BETWEEN_CHARACTERS),
  ),
  failFast(['6.4.2', 'A bad byte in the second of three fragments', '8.1'], (endpoint) =>
    inFragments(endpoint, INSIDE_A_CHARACTER),
  ),
  failFast(['6.4.3', 'A bad character in the middle of a frame', '8.1'], (endpoint) =>
    inOneFrame(endpoint, BETWEEN_CHARACTERS),
  ),
  failFast(['6.4.4', 'A bad byte in the middle of a frame', '8.1'], (endpoint) =>
    inOneFrame(endpoint, INSIDE_A_CHARACTER),
  ),
];

/** `send` returns whether the peer refused the text before all of it was sent. */
function failFast(
  [id, title, section]: Caption,
  send: (endpoint: RawEndpoint) => Promise<boolean>,
): Case {
  const run = async (stage: Stage): Promise<Finding> => {
    const endpoint = await stage.open();
    const early = await send(endpoint);
    if (!early) requireRefusal(await endpoint.next());
    if (endpoint.peerClose) await endpoint.untilEnd();
    const ending = endingOf(endpoint);
    const code = endpoint.peerClose?.code;
    const fits = code === undefined || INVALID_PAYLOAD.includes(code);
    const when = early ? 'at once' : 'only when it was whole';
    const how = endpoint.peerClose ? `with ${nameClose(endpoint.peerClose)}` : 'without a Close';
    return {
      verdict: worst(judgeEnding(ending, true), early && fits ? 'OK' : 'NON-STRICT'),
      ending,
      happened: `${endpoint.peer} refused the text ${when}, ${how}.`,
    };
  };
  const expected = 'Close 1007 as soon as the bad bytes are there, before the message is whole.';
  return { id, title, section, expected, run };
}

/** A Ping behind the bad fragment: who answers it has let that fragment pass. */
async function inFragments(endpoint: RawEndpoint, [good, bad, rest]: Cuts): Promise<boolean> {
  await endpoint.send([begin(good), ping('so far good')]);
  await expectReply(endpoint, pongReply('so far good'));
  await endpoint.pause();
  await endpoint.send([middle(bad), ping('not any more')]);
  const event = await endpoint.next();
  if (event.type !== 'pong') {
    requireRefusal(event);
    return true;
  }
  await endpoint.send([end(rest), close(1000)]);
  return false;
}

/** Inside a frame there is no place for a Ping: only time can tell. */
async function inOneFrame(endpoint: RawEndpoint, [good, bad, rest]: Cuts): Promise<boolean> {
  const frame = endpoint.encode(begin(join(good, bad, rest)));
  const cut = frame.length - rest.length;
  await endpoint.writeInPieces(frame.subarray(0, cut), cut - bad.length);
  const event = await endpoint.next(FAIL_FAST_MS);
  if (event.type !== 'silence') {
    requireRefusal(event);
    return true;
  }
  endpoint.write(frame.subarray(cut), 'bytes');
  await endpoint.send([end(), close(1000)]);
  return false;
}

/** Throws `Failed` unless the peer refused the text: with the Close of an error, an empty one, or none. */
function requireRefusal(event: PeerEvent): void {
  if (event.type === 'fin' || event.type === 'reset') return;
  if (event.type === 'close' && (event.code === undefined || ERROR_CODES.includes(event.code))) {
    return;
  }
  throw new Failed(`Instead of Close 1007 came ${nameEvent(event)}.`);
}

const hexes = (list: string) => list.trim().split(/\s+/).map(fromHex);
const times = (count: number) => Array.from({ length: count }, (_, i) => i);
/** A code point, in three bytes, even if it is a surrogate that UTF-8 does not have. */
const threeBytes = (point: number) =>
  Uint8Array.of(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
/** Start bytes from one to before another, each with a space behind it. */
const lonely = (from: number, to: number) =>
  Uint8Array.from(times(to - from).flatMap((i) => [from + i, 0x20]));

const HIGH = [0xd800, 0xdb7f, 0xdb80, 0xdbff];
const LOW = [0xdc00, 0xdf80, 0xdfff];
const LAST_MISSING = hexes('c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf');

/** One text a case, from 6.5 on. Whether it is valid, Node's own check says. */
const FAMILIES: readonly (readonly [what: string, texts: readonly Uint8Array[]])[] = [
  [
    'Characters of one to four bytes',
    [...['$', '¢', '€', '𤭢'].map((sign) => utf8(`hello${sign}world`)), KOSME],
  ],
  ['The beginning of a Greek text', times(11).map((i) => KOSME.subarray(0, i + 1))],
  ['The first character of its length', hexes('00 c280 e0a080 f0908080')],
  ['A form of five or six bytes', hexes('f888808080 fc8480808080')],
  ['The last character of its length', hexes('7f dfbf efbfbf f48fbfbf')],
  ['Beyond the last character', hexes('f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf')],
  ['A boundary of what is allowed', hexes('ed9fbf ee8080 efbfbd f48fbfbf f4908080')],
  [
    'Continuation bytes of nothing',
    [
      ...hexes('80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf'),
      Uint8Array.from(times(63), (i) => 0x80 + i),
    ],
  ],
  [
    'Start bytes, each before a space',
    [
      lonely(0xc0, 0xdf),
      lonely(0xe0, 0xef),
      lonely(0xf0, 0xf7),
      lonely(0xf8, 0xfb),
      lonely(0xfc, 0xfd),
    ],
  ],
  ['The last byte is missing', LAST_MISSING],
  ['All those without their last byte', [join(...LAST_MISSING)]],
  ['Bytes that UTF-8 does not have', hexes('fe ff fefeffff')],
  ['A slash, longer than it needs', hexes('c0af e080af f08080af f8808080af fc80808080af')],
  ['The last overlong form', hexes('c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf')],
  ['NUL, longer than it needs', hexes('c080 e08080 f0808080 f880808080 fc8080808080')],
  ['A surrogate', [...HIGH, ...LOW].map(threeBytes)],
  [
    'A pair of surrogates',
    HIGH.flatMap((high) => [0xdc00, 0xdfff].map((low) => join(threeBytes(high), threeBytes(low)))),
  ],
  [
    'A non-character, which is valid',
    times(17).flatMap((plane) =>
      [0xfffe, 0xffff].map((point) => utf8(String.fromCodePoint(plane * 0x10000 + point))),
    ),
  ],
  ['A special character', times(7).map((i) => utf8(String.fromCodePoint(0xfff9 + i)))],
];

/** The texts of the families, with their ids. */
export const UTF8_TEXTS = FAMILIES.flatMap(([what, texts], family) =>
  texts.map((payload, i) => ({ id: `6.${family + 5}.${i + 1}`, what, payload })),
);

const SINGLE: Case[] = UTF8_TEXTS.map(({ id, what, payload }) => {
  const title = `${what}: ${toHex(payload, 8)}`;
  return isUtf8(payload)
    ? echoes([id, title, '5.6'], text(payload))
    : fails([id, title, '8.1'], [text(payload)], INVALID_PAYLOAD);
});

/** 7.5.1: the same bad text as the reason of a Close. */
export const BAD_REASON = close(1000, WITH_SURROGATE);

export const UTF8: Category = {
  id: '6',
  title: 'UTF-8',
  cases: [...WHOLE, ...FAIL_FAST, ...SINGLE],
};
