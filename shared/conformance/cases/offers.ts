/** Category N: what is offered and answered in the opening handshake. RFC 7692 §5, §7.1 */
import type { Case, Category } from '../case.ts';
import type { RawEndpoint } from '../endpoint.ts';
import { expectReply } from '../expect.ts';
import { EXTENSIONS, readAnswer, readOffers } from '../extensions.ts';
import { Failed, type Finding, Unimplemented, type Verdict, worst } from '../model.ts';
import type { PeerEvent } from '../parser.ts';
import { finish } from '../script.ts';
import type { Trial } from '../trial.ts';
import type { Visit } from '../visit.ts';
import { echoOf, nameEvent, text } from '../vocabulary.ts';
import { USUAL } from './deflated.ts';

/** What to say of a server that agrees, that does without, and that responds with an HTTP error. */
interface Verdicts {
  readonly agreed: Verdict;
  readonly declined: Verdict;
  readonly refused: Verdict;
}

/** What nearly everybody offers. */
const USUAL_OFFER: Verdicts = { agreed: 'OK', declined: 'NON-STRICT', refused: 'FAILED' };
/** A right offer of what not everybody can keep. */
const ANY_OFFER: Verdicts = { agreed: 'OK', declined: 'OK', refused: 'NON-STRICT' };
/** There is a usual offer beside something else. */
const ONE_OF_THEM: Verdicts = { agreed: 'OK', declined: 'NON-STRICT', refused: 'NON-STRICT' };
/** A server MUST decline it, and may go on without. */
const BAD_OFFER: Verdicts = { agreed: 'FAILED', declined: 'OK', refused: 'NON-STRICT' };
/** Who gets what breaks the grammar MUST fail the connection. RFC 6455 §9.1 */
const NO_LIST: Verdicts = { agreed: 'FAILED', declined: 'FAILED', refused: 'OK' };

const PMD = 'permessage-deflate';

/** What is offered, each in a header line of its own, and what to say of a server. */
type OfferRow = readonly [verdicts: Verdicts, section: string, ...lines: readonly string[]];

const OFFERS: readonly OfferRow[] = [
  [USUAL_OFFER, '7.1', PMD],
  [USUAL_OFFER, '7.1', `${PMD}; client_max_window_bits`],
  [USUAL_OFFER, '7.1', `${PMD}; client_no_context_takeover; client_max_window_bits`],
  [ANY_OFFER, '7.1.1.1', `${PMD}; server_no_context_takeover`],
  [ANY_OFFER, '7.1.1.2', `${PMD}; client_no_context_takeover; server_no_context_takeover`],
  ...['15', '12', '"12"', '"1\\2"', '9', '8'].map(
    (bits) => [ANY_OFFER, '7.1.2.2', `${PMD}; client_max_window_bits=${bits}`] as const,
  ),
  [ANY_OFFER, '7.1.2.2', `${PMD} ;\tclient_max_window_bits = 12`],
  ...['15', '12', '9', '8'].map(
    (bits) => [ANY_OFFER, '7.1.2.1', `${PMD}; server_max_window_bits=${bits}`] as const,
  ),
  [
    ANY_OFFER,
    '7.1',
    `${PMD}; server_no_context_takeover; client_no_context_takeover; client_max_window_bits; server_max_window_bits=10`,
  ],
  [ONE_OF_THEM, '5', `x-unknown, ${PMD}`],
  [ONE_OF_THEM, '5', `x-unknown; parameter="value", ${PMD}; client_max_window_bits`],
  [ONE_OF_THEM, '5', 'x-webkit-deflate-frame', `${PMD}; client_max_window_bits`],
  [ONE_OF_THEM, '5', `${PMD}; server_max_window_bits=7, ${PMD}; client_max_window_bits`],
  [ONE_OF_THEM, '5', `${PMD}; x-unknown`, PMD],
  [ONE_OF_THEM, '5', `${PMD}; server_max_window_bits=10, ${PMD}`],
  [ONE_OF_THEM, '5', `${PMD}, `],
  [ONE_OF_THEM, '5', `, ${PMD}`],
  ...['7', '16', '010', '1e1', '0xA', '-9'].map(
    (bits) => [BAD_OFFER, '7.1.2.2', `${PMD}; client_max_window_bits=${bits}`] as const,
  ),
  [BAD_OFFER, '7.1.2.1', `${PMD}; server_max_window_bits`],
  ...['0', '7', '16', '09'].map(
    (bits) => [BAD_OFFER, '7.1.2.1', `${PMD}; server_max_window_bits=${bits}`] as const,
  ),
  [BAD_OFFER, '7.1.1.1', `${PMD}; server_no_context_takeover=true`],
  [BAD_OFFER, '7.1.1.2', `${PMD}; client_no_context_takeover=1`],
  [BAD_OFFER, '7.1', `${PMD}; server_no_context_takeover; server_no_context_takeover`],
  [BAD_OFFER, '7.1', `${PMD}; client_max_window_bits; client_max_window_bits=10`],
  ...['x-unknown', 'x-unknown=1', 'toString', '__proto__', 'Client_Max_Window_Bits'].map(
    (parameter) => [BAD_OFFER, '7.1', `${PMD}; ${parameter}`] as const,
  ),
  ...['x-webkit-deflate-frame', 'permessage-bzip2; level=9', 'PerMessage-Deflate', 'toString'].map(
    (name) => [BAD_OFFER, '7', name] as const,
  ),
  ...[
    `${PMD};`,
    `${PMD}; =10`,
    `${PMD} client_max_window_bits`,
    `${PMD}; client_max_window_bits=`,
    `${PMD}; client_max_window_bits=""`,
    `${PMD}; client_max_window_bits="10`,
    `x-unknown; x="a,b", ${PMD}`,
  ].map((value) => [NO_LIST, '9.1', value] as const),
  [NO_LIST, '9.1', PMD, `${PMD};`],
];

/** Sends a message a few times, compressed, so that the second could refer to the first. */
async function exchange(endpoint: RawEndpoint): Promise<Finding> {
  const message = text('Hello, is it me you refer to? Hello, is it me?');
  for (let i = 1; i <= 3; i++) {
    await endpoint.send(await endpoint.pack(message));
    await expectReply(endpoint, echoOf(message), `Message ${i}: `);
  }
  return finish(endpoint);
}

const sectionOf = (section: string) => (section === '9.1' ? section : `RFC 7692 §${section}`);

function offered(id: string, [verdicts, section, ...lines]: OfferRow): Case<Trial> {
  const run = async (trial: Trial): Promise<Finding> => {
    // Whether it is about compression at all.
    (await trial.openDeflate(USUAL)).socket.leave();
    const { line, webSocket } = await trial.offer(lines);
    if (!webSocket) {
      const verdict = /^\S+ 5/.test(line) ? 'FAILED' : verdicts.refused;
      return { verdict, ending: 'refused', happened: `The server responded with ${line}.` };
    }
    if (webSocket.agreed && verdicts.agreed === 'FAILED') {
      throw new Failed('The server has agreed on it.');
    }
    const { verdict, ending, happened } = webSocket.agreed
      ? await exchange(webSocket)
      : await finish(webSocket);
    const did = webSocket.agreed ? 'agreed on it' : 'opened a WebSocket without compression';
    return {
      verdict: worst(verdict, webSocket.agreed ? verdicts.agreed : verdicts.declined),
      ending,
      happened: `The server ${did}.${verdict === 'OK' ? '' : ` Then: ${happened}`}`,
    };
  };
  const title = lines.map((line) => line.replaceAll('\t', ' ')).join(' · ');
  const expected = EXPECTED.get(verdicts)!;
  return { id, title, section: sectionOf(section), expected, run };
}

const EXPECTED = new Map([
  [USUAL_OFFER, 'A WebSocket with compression, and each message again.'],
  [ANY_OFFER, 'A WebSocket, with compression as it was offered, or without.'],
  [ONE_OF_THEM, 'A WebSocket with compression, as in the offer that can be kept.'],
  [BAD_OFFER, 'A WebSocket without compression.'],
  [NO_LIST, 'An HTTP error, such as 400.'],
]);

export const OFFERED: Category<Trial> = {
  id: 'N',
  title: 'Compression: offers',
  cases: OFFERS.map((row, i) => offered(`N.${i + 1}`, row)),
};

/** Answers to whatever a client has offered. Whether one fits is found out then. */
const ANSWERS: readonly (readonly [section: string, ...lines: readonly string[]])[] = [
  ['7.1', PMD],
  ['7.1.1.1', `${PMD}; server_no_context_takeover`],
  ['7.1.1.2', `${PMD}; client_no_context_takeover`],
  ...['15', '12', '8', '"10"', '"\\10"'].map(
    (bits) => ['7.1.2.1', `${PMD}; server_max_window_bits=${bits}`] as const,
  ),
  ...['15', '10', '8', '"10"'].map(
    (bits) => ['7.1.2.2', `${PMD}; client_max_window_bits=${bits}`] as const,
  ),
  ['7.1.2.1', `${PMD} ;server_max_window_bits = 10`],
  ['9.1', `, ${PMD}`],
  ['9.1', `${PMD},`],
  ['7.1.2.2', `${PMD}; client_max_window_bits`],
  ...['7', '16', '010', '+10'].map(
    (bits) => ['7.1.2.2', `${PMD}; client_max_window_bits=${bits}`] as const,
  ),
  ['7.1.2.1', `${PMD}; server_max_window_bits`],
  ...['0', '7', '16', '08'].map(
    (bits) => ['7.1.2.1', `${PMD}; server_max_window_bits=${bits}`] as const,
  ),
  ['7.1.1.1', `${PMD}; server_no_context_takeover=true`],
  ['7.1.1.1', `${PMD}; server_no_context_takeover=""`],
  ['7.1', `${PMD}; server_no_context_takeover; server_no_context_takeover`],
  ['7.1', `${PMD}; x-unknown`],
  ['7.1', `${PMD}; x-unknown=1`],
  ['5', `${PMD}, ${PMD}`],
  ['5', PMD, PMD],
  ['9.1', `${PMD}, x-unasked`],
  ['9.1', 'x-webkit-deflate-frame'],
  ['9.1', 'PerMessage-Deflate'],
  ['9.1', `${PMD};`],
  ['9.1', `${PMD};;server_no_context_takeover`],
];

function answered(id: string, [section, ...lines]: (typeof ANSWERS)[number]): Case<Visit> {
  const run = async (visit: Visit): Promise<Finding> => {
    const offers = readOffers(visit.offered);
    if (offers.length === 0) throw new Unimplemented('The client does not offer compression.');
    const problem = readAnswer(lines, offers);
    const endpoint = await visit.openWith(lines);
    return typeof problem === 'string' ? expectNo(endpoint, problem) : expectYes(endpoint, lines);
  };
  const expected = 'Each message again, if it fits the offer, and the end of TCP otherwise.';
  return { id, title: lines.join(' · '), section: sectionOf(section), expected, run };
}

/** The answer fits the offer. */
async function expectYes(endpoint: RawEndpoint, [answer]: readonly string[]): Promise<Finding> {
  await endpoint.send(await endpoint.pack(text('')));
  const event = await endpoint.next();
  if (event.type === 'text' && event.payload.length === 0) return exchange(endpoint);
  if (!isRefusal(event)) {
    throw new Failed(`Instead of the echo of an empty text came ${nameEvent(event)}.`);
  }
  await leave(endpoint, event);
  // What it cannot do, a client has to refuse; the answer without parameters it has offered.
  const verdict = answer === PMD ? 'FAILED' : 'NON-STRICT';
  const happened = `It fits the offer, and the client refused it: came ${nameEvent(event)}.`;
  return { verdict, ending: 'refused', happened };
}

/** The answer does not fit, for this reason: the client has to fail the connection. */
async function expectNo(endpoint: RawEndpoint, problem: string): Promise<Finding> {
  await endpoint.send([text('Hello')]);
  const event = await firstEvent(endpoint);
  if (event?.type === 'silence') {
    throw new Failed('The client did not take it for a yes, and did not end TCP either.', 'open');
  }
  if (!event || !isRefusal(event)) {
    throw new Failed(`The client took it for a yes, but ${problem}.`);
  }
  await leave(endpoint, event);
  return { verdict: 'OK', ending: 'refused', happened: `The client refused it: ${problem}.` };
}

/** `undefined`: a compressed message, which is illegal where nothing was agreed on. */
async function firstEvent(endpoint: RawEndpoint): Promise<PeerEvent | undefined> {
  try {
    return await endpoint.next();
  } catch (error) {
    if (error instanceof Failed) return undefined;
    throw error;
  }
}

const isRefusal = ({ type }: PeerEvent) => type === 'fin' || type === 'reset' || type === 'close';

async function leave(endpoint: RawEndpoint, { type }: PeerEvent): Promise<void> {
  if (type === 'close') await endpoint.untilEnd();
}

const NO_ANSWER: Case<Visit> = {
  id: `N.${ANSWERS.length + 1}`,
  title: `No ${EXTENSIONS}`,
  section: 'RFC 7692 §5',
  expected: 'The echo of a text, without compression, then Close 1000.',
  run: async (visit) => {
    if (readOffers(visit.offered).length === 0) {
      throw new Unimplemented('The client does not offer compression.');
    }
    const endpoint = await visit.open();
    const message = text('Hello, hello, hello, hello, hello, hello, hello, hello!');
    await endpoint.send([message]);
    await expectReply(endpoint, echoOf(message));
    return finish(endpoint);
  },
};

export const ANSWERED: Category<Visit> = {
  id: 'N',
  title: 'Compression: answers',
  cases: [...ANSWERS.map((row, i) => answered(`N.${i + 1}`, row)), NO_ANSWER],
};
