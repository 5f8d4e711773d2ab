/** Category S: TCP is a stream of bytes. It knows no frames, and cuts and joins as it likes. */
import { type WireFrame, wire } from '../../kit/frames.ts';
import type { Caption, Case, Category } from '../case.ts';
import type { RawEndpoint, Sendable } from '../endpoint.ts';
import { checkReply, expectReplies } from '../expect.ts';
import { encodeHead, upgradeRequest } from '../http.ts';
import type { HttpClient } from '../http-client.ts';
import { Failed, type Finding, worst } from '../model.ts';
import type { PeerEvent } from '../parser.ts';
import { endingOf, judgeEnding, play, type Script } from '../play.ts';
import { answers, describeExpected, ERROR_CODES, finish, scripted } from '../script.ts';
import type { Stage } from '../stage.ts';
import { randomKey, type Trial } from '../trial.ts';
import type { Visit } from '../visit.ts';
import {
  begin,
  binary,
  close,
  counting,
  echoOf,
  end,
  middle,
  nameEvent,
  ping,
  pongReply,
  sameReply,
  text,
  textReply,
} from '../vocabulary.ts';

const HUNDRED = Array.from({ length: 100 }, (_, i) => `message ${i}`);
const THOUSAND = Array.from({ length: 1000 }, (_, i) => `message ${i}`);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

const PROBE = 'after the 101';

/**
 * A case in which the first frames do not wait for the 101, as a client must, §4.1. So a server
 * may refuse them, or lose them: that is NON-STRICT. `rest` is written behind the 101.
 */
function early(
  caption: Caption,
  frames: readonly Sendable[],
  wanted: readonly string[],
  rest = new Uint8Array(0),
): Case<Trial> {
  const run = async (trial: Trial): Promise<Finding> => {
    const http = await trial.connect();
    const refusal = await askEarly(http, trial, frames);
    const endpoint = http.webSocket;
    if (!endpoint) return { verdict: 'NON-STRICT', ending: 'refused', happened: refusal };
    if (rest.length > 0) endpoint.write(rest, 'bytes');
    await endpoint.send([text(PROBE)]);
    for (const payload of [...wanted, PROBE]) {
      const event = await endpoint.next();
      const other = sameReply(event, textReply(payload)) ? undefined : await judge(endpoint, event);
      if (other) return other;
      checkReply(endpoint, event, textReply(payload), 'After the 101: ');
    }
    return finish(endpoint);
  };
  return withRun(caption, 'The echo after the 101, then Close 1000.', run);
}

/** Asks for a WebSocket, with frames right behind. Returns what came of it. */
async function askEarly(http: HttpClient, { target }: Trial, frames: readonly Sendable[]) {
  try {
    const request = encodeHead(upgradeRequest(target, randomKey()));
    const { line } = await http.upgrade(request, frames);
    return `The server responded with ${line}. It may: a client has to wait for the 101 (§4.1).`;
  } catch (error) {
    if (!(error instanceof Failed) || error.ending !== 'dropped') throw error;
    return `${error.message} It may: a client has to wait for the 101 (§4.1).`;
  }
}

/** Judges what came in place of an echo. `undefined`: it has no excuse. */
async function judge(endpoint: RawEndpoint, event: PeerEvent): Promise<Finding | undefined> {
  const isLost = sameReply(event, textReply(PROBE));
  if (event.type === 'close') await endpoint.untilEnd();
  else if (!isLost && event.type !== 'fin' && event.type !== 'reset') return undefined;
  const what = isLost
    ? 'The server lost what had come before its 101.'
    : `After the 101 came ${nameEvent(event)}.`;
  const ending = isLost ? 'ours' : endingOf(endpoint);
  return {
    verdict: isLost ? 'NON-STRICT' : worst('NON-STRICT', judgeEnding(ending, true)),
    ending,
    happened: `${what} It may: a client has to wait for the 101 (§4.1).`,
  };
}

/**
 * A case in which a frame is sent again and again, cut before another byte each time. A Ping
 * right behind it shows whether the peer still knows where frames begin.
 */
function cut(caption: Caption, frame: WireFrame, cuts: readonly number[]): Case {
  const run = async (stage: Stage): Promise<Finding> => {
    const endpoint = await stage.open();
    const { length } = endpoint.encode(frame);
    for (const at of cuts.filter((place) => place < length)) {
      await endpoint.sendCut(frame, at, ping(`cut ${at}`));
      const where = `Cut before byte ${at} of ${length}: `;
      await expectReplies(endpoint, [echoOf(frame), pongReply(`cut ${at}`)], where);
    }
    return finish(endpoint);
  };
  return withRun(caption, 'The echo and the Pong wherever the frame is cut, then Close 1000.', run);
}

function withRun<S>(
  [id, title, section]: Caption,
  expected: string,
  run: (stage: S) => Promise<Finding>,
): Case<S> {
  return { id, title, section, expected, run };
}

/** A frame that begins behind the request, and ends after the 101. */
const HALVES = wire(text('in two halves'));

const TEXT = text('Grüße');
/** The header of a 64-bit length, all four places of a key, and the last bytes. */
const FAR = [...upTo(20), 1000, 65_535, 65_536, 65_548, 65_549];

/** The first frames of a client, before it may send any. */
const EARLY: Case<Trial>[] = [
  early(['S.1', 'A text in the same write as the request', '6.2'], [text('early')], ['early']),
  early(
    ['S.2', 'Three texts in the same write as the request', '6.2'],
    ['one', 'two', 'three'].map((payload) => text(payload)),
    ['one', 'two', 'three'],
  ),
  early(
    ['S.3', 'Half a frame in the same write as the request', '6.2'],
    [HALVES.subarray(0, 9)],
    ['in two halves'],
    HALVES.subarray(9),
  ),
];

/** What comes in pieces, and all at once. */
export const PIECES: Case[] = [
  answers(
    ['S.4', 'Two texts in one write', '6.2'],
    [text('one'), text('two')],
    [textReply('one'), textReply('two')],
    'together',
  ),
  answers(
    ['S.5', 'A hundred texts in one write', '6.2'],
    HUNDRED.map((payload) => text(payload)),
    HUNDRED.map((payload) => textReply(payload)),
    'together',
  ),
  cut(['S.6', 'A text, cut at every place', '6.2'], TEXT, upTo(wire(TEXT).length - 1)),
  cut(
    ['S.7', 'A frame with a length of 16 bits, cut at every place', '6.2'],
    counting(126),
    upTo(133),
  ),
  cut(
    ['S.8', 'A frame with a length of 64 bits, cut at many places', '6.2'],
    counting(65_536),
    FAR,
  ),
  answers(
    ['S.9', 'Text, Ping, binary message and fragments, byte by byte', '6.2'],
    [text('one'), ping('two'), binary('three'), begin('fo'), middle(), end('ur')],
    [textReply('one'), pongReply('two'), echoOf(binary('three')), textReply('four')],
    1,
  ),
  // What has not been echoed when the Close is read is the peer's choice, as in 7.1.6.
  scripted(['S.10', 'A text and Close in one write', '5.5.1'], {
    steps: [text('last words'), close(1000)],
    allowed: [
      { verdict: 'OK', replies: [textReply('last words')], codes: [1000, undefined] },
      { verdict: 'NON-STRICT', replies: [], codes: [1000, undefined] },
    ],
  }),
  answers(
    ['S.11', 'Fragments with a Ping between them, in one write', '5.4'],
    [begin('frag'), ping('between'), middle('men'), end('ts')],
    [pongReply('between'), textReply('fragments')],
    'together',
  ),
  answers(
    ['S.12', 'A thousand texts at once, in order', '6.1'],
    THOUSAND.map((payload) => text(payload)),
    THOUSAND.map((payload) => textReply(payload)),
    'together',
  ),
  answers(
    ['S.13', 'A large message between two small ones, in one write', '6.2'],
    [text('before'), counting(200_000), text('after')],
    [textReply('before'), echoOf(counting(200_000)), textReply('after')],
    'together',
  ),
];

export const STREAM: Category<Trial> = {
  id: 'S',
  title: 'A stream of bytes',
  cases: [...EARLY, ...PIECES],
};

/** A case in which frames come in the same write as the 101. `rest` is written behind it. */
function glued(
  caption: Caption,
  frames: readonly Sendable[],
  wanted: readonly string[],
  rest = new Uint8Array(0),
): Case<Visit> {
  const run = async (visit: Visit): Promise<Finding> => {
    const endpoint = await visit.open(frames);
    if (rest.length > 0) endpoint.write(rest, 'bytes');
    await expectReplies(
      endpoint,
      wanted.map((payload) => textReply(payload)),
    );
    return finish(endpoint);
  };
  return withRun(caption, 'The echo of each of them, then Close 1000.', run);
}

/** A case in which what is behind the 101 decides over the connection. */
function gluedEnd(
  [id, title, section]: Caption,
  frames: readonly Sendable[],
  script: Omit<Script, 'steps'>,
): Case<Visit> {
  const full = { steps: [], ...script };
  return {
    id,
    title,
    section,
    expected: describeExpected(full),
    run: async (visit) => play(await visit.open(frames), full),
  };
}

/** Read as a frame, it has an RSV bit, and a payload of 84 bytes, all of which are there. */
const SECOND_RESPONSE = Buffer.from(
  `HTTP/1.1 400 Bad Request\r\nContent-Length: 60\r\n\r\n${'A'.repeat(60)}`,
);

const UNMASKED_HALVES = wire({ ...text('in two halves'), key: null });

const BEHIND_THE_101: Case<Visit>[] = [
  glued(['S.1', 'A text in the same write as the 101', '4.1'], [text('early')], ['early']),
  glued(
    ['S.2', 'Three texts in the same write as the 101', '4.1'],
    ['one', 'two', 'three'].map((payload) => text(payload)),
    ['one', 'two', 'three'],
  ),
  glued(
    ['S.3', 'Half a frame in the same write as the 101', '4.1'],
    [UNMASKED_HALVES.subarray(0, 5)],
    ['in two halves'],
    UNMASKED_HALVES.subarray(5),
  ),
];

/** What decides over a connection that has just opened. */
const ENDS_BEHIND_THE_101: Case<Visit>[] = [
  gluedEnd(
    ['S.14', 'A text and a Close in the same write as the 101', '4.1'],
    [text('last'), close(1000)],
    {
      allowed: [
        { verdict: 'OK', replies: [textReply('last')], codes: [1000, undefined] },
        { verdict: 'NON-STRICT', replies: [], codes: [1000, undefined] },
      ],
    },
  ),
  gluedEnd(['S.15', 'Another response right behind the 101', '5.2'], [SECOND_RESPONSE], {
    allowed: [
      { verdict: 'OK', replies: [], codes: [1002], unclosed: true },
      { verdict: 'NON-STRICT', replies: [], codes: [...ERROR_CODES, undefined] },
    ],
    fails: true,
  }),
];

export const CLIENT_STREAM: Category<Visit> = {
  id: 'S',
  title: 'A stream of bytes',
  cases: [...BEHIND_THE_101, ...PIECES, ...ENDS_BEHIND_THE_101],
};
