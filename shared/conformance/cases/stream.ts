/** Category S: TCP is a stream of bytes. It knows no frames, and cuts and joins as it likes. */
import { type WireFrame, wire } from '../../kit/frames.ts';
import type { Caption, Case, Category } from '../case.ts';
import { expectReplies, expectReply } from '../expect.ts';
import type { Finding } from '../model.ts';
import { answers, finish, scripted } from '../script.ts';
import type { Trial } from '../trial.ts';
import {
  begin,
  binary,
  close,
  counting,
  echoOf,
  end,
  middle,
  ping,
  pongReply,
  text,
  textReply,
} from '../vocabulary.ts';

const HUNDRED = Array.from({ length: 100 }, (_, i) => `message ${i}`);
const THOUSAND = Array.from({ length: 1000 }, (_, i) => `message ${i}`);
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i + 1);

/** A case with frames in the same write as the request. */
function glued(caption: Caption, frames: readonly WireFrame[], wanted: readonly string[]): Case {
  const run = async (trial: Trial): Promise<Finding> => {
    const client = await trial.open({ glued: frames });
    for (const payload of wanted) await expectReply(client, textReply(payload), 'After the 101: ');
    return finish(client);
  };
  return withRun(caption, 'The echo after the 101, then Close 1000.', run);
}

/**
 * A case in which a frame is sent again and again, cut before another byte each time. A Ping
 * right behind it shows whether the server still knows where frames begin.
 */
function cut(caption: Caption, frame: WireFrame, cuts: readonly number[]): Case {
  const run = async (trial: Trial): Promise<Finding> => {
    const client = await trial.open();
    for (const at of cuts) {
      await client.sendCut(frame, at, ping(`cut ${at}`));
      const where = `Cut before byte ${at} of ${wire(frame).length}: `;
      await expectReplies(client, [echoOf(frame), pongReply(`cut ${at}`)], where);
    }
    return finish(client);
  };
  return withRun(caption, 'The echo and the Pong wherever the frame is cut, then Close 1000.', run);
}

function withRun(
  [id, title, section]: Caption,
  expected: string,
  run: (trial: Trial) => Promise<Finding>,
): Case {
  return { id, title, section, expected, run };
}

/** A frame that begins behind the request, and ends after the 101. */
const half: Case = withRun(
  ['S.3', 'Half a frame in the same write as the request', '6.2'],
  'The echo once the other half has come, then Close 1000.',
  async (trial) => {
    const frame = wire(text('in two halves'));
    const client = await trial.open({ glued: [frame.subarray(0, 9)] });
    client.write(frame.subarray(9), 'bytes');
    await expectReply(client, textReply('in two halves'));
    return finish(client);
  },
);

const TEXT = text('Grüße');
/** The header of a 64-bit length, all four places of the key, and the last bytes. */
const FAR = [...upTo(20), 1000, 65_535, 65_536, 65_548, 65_549];

export const STREAM: Category = {
  id: 'S',
  title: 'A stream of bytes',
  cases: [
    glued(['S.1', 'A text in the same write as the request', '6.2'], [text('early')], ['early']),
    glued(
      ['S.2', 'Three texts in the same write as the request', '6.2'],
      ['one', 'two', 'three'].map((payload) => text(payload)),
      ['one', 'two', 'three'],
    ),
    half,
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
    scripted(['S.10', 'A text and Close in one write', '5.5.1'], {
      steps: [text('last words'), close(1000)],
      allowed: [{ verdict: 'OK', replies: [textReply('last words')], codes: [1000, undefined] }],
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
  ],
};
