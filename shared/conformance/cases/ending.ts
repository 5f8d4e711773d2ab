/** Category C: how a connection ends, to the last byte. RFC 6455 §5.5.1, §7 */
import { type Case, type Category, LONG_MS } from '../case.ts';
import type { RawEndpoint } from '../endpoint.ts';
import { expectReply } from '../expect.ts';
import { Failed, type Finding, worst } from '../model.ts';
import { endingOf, judgeEnding } from '../play.ts';
import { closes, fails, scripted } from '../script.ts';
import type { Stage } from '../stage.ts';
import { begin, close, nameEvent, ping, text, textReply } from '../vocabulary.ts';

const ECHOED_CODES = [1000, 1001, 3000, 4999];
/** Codes that were registered after the standard: a peer may know them, or not yet. */
const LATER_CODES = [1012, 1013, 1014];

/** Legal in an answer, but not what was said to the peer. */
const OTHER_CODES = [1000, 1001, undefined];

const HALF_CLOSE: Case = {
  id: 'C.17',
  title: 'We end TCP without a Close',
  section: '7.1.4',
  expected: 'The end of TCP, from the other side as well.',
  run: async (stage): Promise<Finding> => {
    const endpoint = await stage.open();
    await endpoint.send([text('farewell')]);
    await expectReply(endpoint, textReply('farewell'));
    endpoint.socket.halfClose();
    // Without a Close from us there is none to answer; sending one isn't a mistake.
    let event = await endpoint.next();
    if (event.type === 'close') event = { type: await endpoint.untilEnd() };
    if (event.type === 'silence') throw new Failed(`${endpoint.peer} did not end TCP.`, 'open');
    if (event.type !== 'fin' && event.type !== 'reset') {
      throw new Failed(`Instead of the end of TCP came ${nameEvent(event)}.`);
    }
    const verdict = event.type === 'fin' ? 'OK' : 'NON-STRICT';
    const how = event.type === 'fin' ? 'ended' : 'reset';
    return { verdict, ending: 'ours', happened: `${endpoint.peer} ${how} TCP.` };
  },
};

/** How a Close is answered, and what comes after one or after an illegal frame. */
const ANSWERS: Case[] = [
  ...ECHOED_CODES.map((code, i) =>
    scripted([`C.${i + 2}`, `The code ${code} comes back`, '5.5.1'], {
      steps: [close(code)],
      allowed: [
        { verdict: 'OK', replies: [], codes: [code] },
        { verdict: 'NON-STRICT', replies: [], codes: OTHER_CODES },
      ],
    }),
  ),
  closes(['C.6', 'An empty Close', '5.5.1'], [close()]),
  closes(
    ['C.7', 'A reason of 123 bytes, most of them in pairs', '5.5.1'],
    [close(1000, `${'é'.repeat(61)}.`)],
  ),
  closes(
    ['C.8', 'A Close inside a message: its code is not that of the fragment', '5.5.1'],
    [begin('Hello'), close(1001)],
    [1000, 1001],
  ),
  closes(
    ['C.9', 'Text, Ping and another Close after the Close', '5.5.1'],
    [close(1000), text('too late'), ping('too late'), close(1001)],
  ),
  // Who reads that frame before it answers may well refuse it.
  scripted(['C.10', 'An illegal frame after the Close', '5.5.1'], {
    steps: [close(1000), text('too late', { rsv: 7 })],
    allowed: [
      { verdict: 'OK', replies: [], codes: [1000, undefined] },
      { verdict: 'NON-STRICT', replies: [], codes: [1002] },
    ],
  }),
  fails(
    ['C.11', 'Good frames after an illegal one', '7.1.7'],
    [text('illegal', { rsv: 1 }), text('too late'), ping('too late')],
    [1002],
  ),
  fails(
    ['C.12', 'Another illegal frame after an illegal one', '7.1.7'],
    [text('illegal', { rsv: 1 }), { opcode: 3 }, text(Uint8Array.of(0xff))],
    [1002],
  ),
  ...LATER_CODES.map((code, i) =>
    scripted([`C.${i + 13}`, `The code ${code}, which came later`, '7.4.2'], {
      steps: [close(code)],
      allowed: [
        { verdict: 'OK', replies: [], codes: [code, 1000, undefined] },
        { verdict: 'NON-STRICT', replies: [], codes: [1002] },
      ],
    }),
  ),
  fails(['C.16', 'The code 1015, which never travels', '7.4.1'], [close(1015)], [1002]),
  HALF_CLOSE,
];

const CATEGORY = { id: 'C', title: 'Endings' } as const;

export const ENDING: Category = {
  ...CATEGORY,
  cases: [
    closes(
      ['C.1', 'After both Closes the server ends TCP, before we do', '7.1.1'],
      [close(1000, 'done')],
    ),
    ...ANSWERS,
  ],
};

/** How long we hold our FIN back, in milliseconds: as for a server that has more to do. */
const HOLD_MS = 300;

/** Closes, and then does not end TCP for so long. Judges whether the client ends it meanwhile. */
async function holdFin(stage: Stage, ms: number): Promise<{ endpoint: RawEndpoint; type: string }> {
  const endpoint = await stage.open();
  await endpoint.send([close(1000, 'done')]);
  const event = await endpoint.next();
  if (event.type !== 'close') throw new Failed(`Instead of a Close came ${nameEvent(event)}.`);
  endpoint.socket.record.happened('we do not end TCP');
  const { type } = await endpoint.next(ms);
  return { endpoint, type };
}

const WAITS_FOR_US: Case = {
  id: 'C.1',
  title: 'After both Closes the client waits until we end TCP',
  section: '7.1.1',
  expected: 'The end of TCP after ours.',
  run: async (stage) => {
    const { endpoint, type } = await holdFin(stage, HOLD_MS);
    const early = type !== 'silence';
    if (!early) await endpoint.untilEnd();
    const ending = endingOf(endpoint);
    return {
      verdict: worst(judgeEnding(ending), early ? 'NON-STRICT' : 'OK'),
      ending,
      happened: `The client ended TCP ${early ? 'before we did' : 'after we did'}.`,
    };
  },
};

const WAITS_NOT_FOR_EVER: Case = {
  id: 'C.18',
  title: 'After both Closes we never end TCP',
  section: '7.1.1',
  long: true,
  expected: `The end of TCP, within ${LONG_MS / 1000} s.`,
  run: async (stage) => {
    const began = performance.now();
    const { type } = await holdFin(stage, LONG_MS);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (type === 'silence') {
      return {
        verdict: 'NON-STRICT',
        ending: 'open',
        happened: `It still waits after ${seconds} s.`,
      };
    }
    return { verdict: 'OK', ending: 'clean', happened: `The client ended TCP after ${seconds} s.` };
  },
};

export const CLIENT_ENDING: Category = {
  ...CATEGORY,
  cases: [WAITS_FOR_US, ...ANSWERS, WAITS_NOT_FOR_EVER],
};
