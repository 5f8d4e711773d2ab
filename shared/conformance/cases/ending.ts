/** Category C: how a connection ends, to the last byte. RFC 6455 §5.5.1, §7 */
import type { Case, Category } from '../case.ts';
import { expectReply } from '../expect.ts';
import { Failed, type Finding } from '../model.ts';
import { closes, fails, scripted } from '../script.ts';
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
