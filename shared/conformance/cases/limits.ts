/** Category L: a peer protects itself, and says so. RFC 6455 §10.4 */

import { join } from '../../kit/frames.ts';
import { fromHex } from '../../view/hex.ts';
import type { Caption, Case, Category } from '../case.ts';
import type { Maskable, RawEndpoint, Sendable } from '../endpoint.ts';
import { checkReply, expectService } from '../expect.ts';
import { Failed, type Finding, worst } from '../model.ts';
import type { PeerEvent } from '../parser.ts';
import { endingOf, judgeEnding, listen } from '../play.ts';
import { ERROR_CODES, finish } from '../script.ts';
import type { Stage } from '../stage.ts';
import type { Trial } from '../trial.ts';
import {
  begin,
  close,
  counting,
  echoOf,
  end,
  fragments,
  middle,
  nameClose,
  nameEvent,
  nameReplies,
  type Reply,
  sameReplies,
  sameReply,
  textReply,
} from '../vocabulary.ts';

const PROTOCOL_ERROR = 1002;
const MESSAGE_TOO_BIG = 1009;
/** How long a peer gets to refuse a header before its payload, in milliseconds. */
const AT_ONCE_MS = 1000;
const FRAGMENTS = 100_000;
const MIB = 1024 * 1024;
const MESSAGES = 20;
/** With these a peer refuses what goes beyond a limit of its own. RFC 6455 §7.4.1 */
export const LIMIT_CODES: readonly (number | undefined)[] = [1008, 1009];
/** How many of them go into one write. */
const FRAGMENTS_A_WRITE = 500;

const isEnd = ({ type }: PeerEvent) => type === 'fin' || type === 'reset';

/** The header of a frame, and nothing of its payload. The length is hex, of 8 bytes. */
const announce =
  (first: number, length: string): Maskable =>
  (key) =>
    join(Uint8Array.of(first, key ? 0xff : 0x7f), fromHex(length), key ?? new Uint8Array(0));

/**
 * A case in which a frame is announced that no peer can want. Not to say why the connection
 * ends, or to give another reason, is not strict; to wait for the payload is wrong: nothing
 * stands between the peer and running out of memory.
 */
function tooBig([id, title]: readonly [string, string], send: readonly Sendable[]): Case {
  const run = async (stage: Stage): Promise<Finding> => {
    const endpoint = await stage.open();
    await endpoint.send(send, 'apart');
    const event = await endpoint.next();
    if (event.type === 'silence')
      throw new Failed(`${endpoint.peer} waits for the payload.`, 'open');
    if (isEnd(event))
      return judged(endpoint, 'NON-STRICT', `Came ${nameEvent(event)}, without a Close.`);
    if (event.type !== 'close') throw new Failed(`Came ${nameEvent(event)}.`);
    await endpoint.untilEnd();
    const verdict = event.code === MESSAGE_TOO_BIG ? 'OK' : 'NON-STRICT';
    return judged(
      endpoint,
      verdict,
      `${endpoint.peer} sent ${nameEvent(event)} before the payload.`,
    );
  };
  const expected = 'Close 1009 at the header, before the payload, and the end of TCP.';
  return { id, title, section: '10.4', expected, run };
}

function judged(endpoint: RawEndpoint, verdict: Finding['verdict'], happened: string): Finding {
  const ending = endingOf(endpoint);
  const remark = ending === 'open' ? ' It did not end TCP.' : '';
  return {
    verdict: worst(verdict, judgeEnding(ending, true)),
    ending,
    happened: happened + remark,
  };
}

/** A case in which the header of a control frame is illegal: there is no need for its payload. */
function illegalHeader([id, title, section]: Caption, opcode: number, size: number): Case {
  const run = async (stage: Stage): Promise<Finding> => {
    const endpoint = await stage.open();
    const frame = endpoint.encode({ opcode, payload: new Uint8Array(size) });
    endpoint.write(frame.subarray(0, frame.length - size));
    const early = await endpoint.next(AT_ONCE_MS);
    if (early.type === 'silence') endpoint.write(frame.subarray(-size), 'bytes');
    const event = early.type === 'silence' ? await endpoint.next() : early;
    const isRefusal =
      event.type === 'close' && (event.code === undefined || ERROR_CODES.includes(event.code));
    if (!isRefusal && !isEnd(event)) {
      throw new Failed(`Instead of Close 1002 came ${nameEvent(event)}.`, endingOf(endpoint));
    }
    if (isRefusal) await endpoint.untilEnd();
    const when = event === early ? 'at the header' : 'only after the payload';
    const how = isRefusal ? '' : ', without a Close';
    const isOther = isRefusal && event.code !== undefined && event.code !== PROTOCOL_ERROR;
    const verdict = event === early && !isOther ? 'OK' : 'NON-STRICT';
    return judged(endpoint, verdict, `${endpoint.peer} refused the frame ${when}${how}.`);
  };
  const expected = 'Close 1002 at the header, before the payload, and the end of TCP.';
  return { id, title, section, expected, run };
}

/**
 * A message of very many fragments without payload costs nothing to send. `expectOthers` proves
 * that nobody else suffers from it.
 */
function manyFragments<S extends Stage>(
  expected: string,
  expectOthers: (stage: S) => Promise<string>,
): Case<S> {
  const run = async (stage: S): Promise<Finding> => {
    const endpoint = await stage.open();
    await endpoint.send([begin('a')]);
    const block = join(
      ...Array.from({ length: FRAGMENTS_A_WRITE }, () => endpoint.encode(middle())),
    );
    for (let sent = 0; sent < FRAGMENTS && !endpoint.isOver; sent += FRAGMENTS_A_WRITE) {
      await endpoint.writeInPieces(block, block.length);
    }
    if (!endpoint.isOver) await endpoint.send([end('z'), close(1000)]);
    const replies: Reply[] = [];
    const ended = await listen(endpoint, replies);
    if (ended === 'silence') throw new Failed(`${endpoint.peer} did not end TCP.`, 'open');
    if (replies.length > 0 && !sameReplies(replies, [textReply('az')])) {
      throw new Failed(`Came ${nameReplies(replies)}.`, endingOf(endpoint));
    }
    const others = await expectOthers(stage);
    const goodbye = endpoint.peerClose ? nameClose(endpoint.peerClose) : 'no Close';
    const echo = replies.length > 0 ? 'the echo, and ' : '';
    return judged(endpoint, 'OK', `Came ${echo}${goodbye}${others}.`);
  };
  const title = `A text with ${FRAGMENTS} empty fragments`;
  return { id: 'L.8', title, section: '10.4', expected, run };
}

const OTHERS_ARE_SERVED = manyFragments<Trial>(
  'The echo of the text, or a Close; and others are served.',
  async (trial) => {
    await expectService(trial);
    return '; others are served';
  },
);

/** A limit is one of a message. Together these are more than most take of a single one. */
const ONE_AFTER_ANOTHER: Case = {
  id: 'L.9',
  title: `${MESSAGES} messages of 1 MiB in four fragments, on one connection`,
  section: '10.4',
  expected: `${MESSAGES} times the same message, then Close 1000.`,
  run: async (stage) => {
    const message = counting(MIB);
    const endpoint = await stage.open();
    for (let i = 1; i <= MESSAGES; i++) {
      await endpoint.send(fragments(message, MIB / 4));
      const event = await endpoint.next();
      if (sameReply(event, echoOf(message))) continue;
      if (i > 1 || event.type !== 'close' || !LIMIT_CODES.includes(event.code)) {
        checkReply(endpoint, event, echoOf(message), `Message ${i}, as large as those before: `);
      }
      await endpoint.untilEnd();
      return judged(
        endpoint,
        'NON-STRICT',
        `${endpoint.peer} refused 1 MiB with ${nameEvent(event)}.`,
      );
    }
    return finish(endpoint);
  },
};

const HEADERS: Case[] = [
  tooBig(['L.1', 'A frame of 2^40 bytes'], [announce(0x82, '00 00 01 00 00 00 00 00')]),
  tooBig(['L.2', 'A frame of 2^62 bytes'], [announce(0x82, '40 00 00 00 00 00 00 00')]),
  tooBig(['L.3', 'A frame of 2^63-1 bytes'], [announce(0x81, '7f ff ff ff ff ff ff ff')]),
  tooBig(
    ['L.4', 'A last fragment of 2^40 bytes'],
    [begin('Hel'), announce(0x80, '00 00 01 00 00 00 00 00')],
  ),
  illegalHeader(['L.5', 'A Ping of 126 bytes, its header alone', '5.5'], 9, 126),
  illegalHeader(['L.6', 'A Ping of 65536 bytes, its header alone', '5.5'], 9, 65_536),
  illegalHeader(['L.7', 'A Close of 126 bytes, its header alone', '5.5'], 8, 126),
];

const CATEGORY = { id: 'L', title: 'Limits', serial: true } as const;

export const LIMITS: Category<Trial> = {
  ...CATEGORY,
  cases: [...HEADERS, OTHERS_ARE_SERVED, ONE_AFTER_ANOTHER],
};

export const CLIENT_LIMITS: Category = {
  ...CATEGORY,
  cases: [
    ...HEADERS,
    manyFragments('The echo of the text, or a Close.', async () => ''),
    ONE_AFTER_ANOTHER,
  ],
};
