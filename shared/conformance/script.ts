/** Cases as data: what we send, and what the server may answer. */

import type { WireFrame } from '../kit/frames.ts';
import { CloseCode, Opcode } from '../protocol.ts';
import type { About, Case } from './case.ts';
import type { RawClient, Sendable, Writes } from './client.ts';
import { type Ending, Failed, type Finding, type Verdict, worst } from './model.ts';
import type { Heard } from './parser.ts';
import type { Stage } from './stage.ts';
import {
  type Answer,
  close,
  echoOf,
  sameAnswer,
  sayAnswers,
  sayClose,
  sayHeard,
  text,
  texted,
} from './vocabulary.ts';

/** Something to send, or an answer to wait for. */
export type Step = Sendable | { readonly until: Answer };

/** One way in which a server may react. */
export interface Outcome {
  readonly verdict: 'OK' | 'NON-STRICT';
  /** In this order, and none besides. */
  readonly answers: readonly Answer[];
  /** The codes that its Close may have; `undefined`: it may be empty. */
  readonly codes: readonly (number | undefined)[];
}

/** A conversation on one client. */
export interface Script {
  readonly steps: readonly Step[];
  /** How the frames between two waits are written. */
  readonly writes?: Writes;
  /** What the server may do; the best is the first. */
  readonly outcomes: readonly Outcome[];
  /** The server has to fail the connection: there is no closing handshake to take part in. */
  readonly fails?: boolean;
}

const NORMAL: Outcome['codes'] = [CloseCode.NormalClosure, undefined];

/** A case that follows a script. */
export function scripted([id, title, section]: About, script: Script): Case {
  const run = async (stage: Stage) => play(await stage.open(), script);
  return { id, title, section, expected: sayExpected(script), run };
}

/** A case in which the server has to answer, and then to close as it should. */
export function answers(
  about: About,
  send: readonly Step[],
  expected: readonly Answer[],
  writes: Writes = 'apart',
): Case {
  const last = expected.at(-1);
  const waits = send.length > 0 && 'until' in send.at(-1)!;
  const wait = last && !waits ? [{ until: last }] : [];
  const steps = [...send, ...wait, close(CloseCode.NormalClosure)];
  const outcomes = [{ verdict: 'OK', answers: expected, codes: NORMAL }] as const;
  return scripted(about, { steps, writes, outcomes });
}

/** A case in which the server has to echo one message. */
export function echoes(about: About, message: WireFrame, writes?: Writes): Case {
  return answers(about, [message], [echoOf(message)], writes);
}

/** A case in which the server has to echo messages, each before the next is sent. */
export function echoesEach(about: About, messages: readonly WireFrame[]): Case {
  const steps = messages.flatMap((message): Step[] => [message, { until: echoOf(message) }]);
  return answers(about, steps, messages.map(echoOf));
}

/** What a server may do that should fail the connection, besides just that. */
export interface Leeway {
  /** What it should have answered until then; to answer nothing is NON-STRICT. */
  readonly before?: readonly Answer[];
  /** Codes that are NON-STRICT. */
  readonly codes?: readonly number[];
  /** The answer of a server that lets it pass, where that is no more than NON-STRICT. */
  readonly passed?: Answer;
  readonly writes?: Writes;
}

/**
 * A case in which the server has to fail the connection with one of these codes. Not to give a
 * code is NON-STRICT.
 *
 * A Close follows what is wrong, so that a server that lets it pass shows itself at once.
 */
export function fails(
  about: About,
  send: readonly Sendable[],
  codes: readonly number[],
  leeway: Leeway = {},
): Case {
  const { before = [], codes: others = [], passed, writes } = leeway;
  const last = send.at(-1);
  const isClosed = last !== undefined && 'opcode' in last && last.opcode === Opcode.Close;
  const steps = isClosed ? send : [...send, close(CloseCode.NormalClosure)];
  // The empty answer to an empty Close says nothing of a failure.
  const loose = isClosed ? others : [...others, undefined];
  const outcomes: Outcome[] = [
    { verdict: 'OK', answers: before, codes },
    { verdict: 'NON-STRICT', answers: before, codes: loose },
    { verdict: 'NON-STRICT', answers: [], codes: [...codes, ...loose] },
    ...(passed ? [{ verdict: 'NON-STRICT', answers: [passed], codes: NORMAL } as const] : []),
  ];
  return scripted(about, { steps, writes, outcomes, fails: true });
}

/** A case in which we close, and the server has to answer with one of these codes, or none. */
export function closes(
  about: About,
  send: readonly Sendable[],
  codes: readonly number[] = [CloseCode.NormalClosure],
): Case {
  const outcome = { verdict: 'OK', answers: [], codes: [...codes, undefined] } as const;
  return scripted(about, { steps: send, outcomes: [outcome] });
}

/** What came from the server, and how the connection ended. */
interface Reaction {
  readonly answers: Answer[];
  readonly ended: 'fin' | 'reset' | 'silence';
}

/** Plays a script on an open client. Throws `Failed` for what a server must not send. */
export async function play(client: RawClient, script: Script): Promise<Finding> {
  const answers: Answer[] = [];
  const over = await perform(client, script, answers);
  const ended = over ?? (await listen(client, answers));
  return judge(client, script, { answers, ended });
}

/** Sends what there is to send. Returns how the connection ended, if it did meanwhile. */
async function perform(
  client: RawClient,
  { steps, writes }: Script,
  answers: Answer[],
): Promise<Reaction['ended'] | undefined> {
  let frames: Sendable[] = [];
  for (const step of steps) {
    if (!('until' in step)) {
      frames.push(step);
      continue;
    }
    await client.send(frames, writes);
    frames = [];
    const over = await listen(client, answers, step.until);
    if (over) return over;
  }
  await client.send(frames, writes);
  return undefined;
}

async function listen(client: RawClient, answers: Answer[]): Promise<Reaction['ended']>;
async function listen(
  client: RawClient,
  answers: Answer[],
  until: Answer,
): Promise<Reaction['ended'] | undefined>;
/** Takes answers, until a certain one has come or the connection has ended. */
async function listen(client: RawClient, answers: Answer[], until?: Answer) {
  for (;;) {
    const heard = await client.next();
    switch (heard.type) {
      case 'close':
        return client.untilEnd();
      case 'fin':
      case 'reset':
      case 'silence':
        return heard.type;
      default:
        answers.push(heard);
        if (until && sameAnswer(heard, until)) return undefined;
    }
  }
}

/**
 * Judges a conversation: the worse of two verdicts counts.
 *
 * - What the server said. Answers and Close have to be those of one outcome, and that has the
 *   verdict. Of none: FAILED.
 * - How the connection ended. See `judgeEnding`.
 *
 * Throws `Lost` when there was a reset and no Close: see there.
 */
function judge(client: RawClient, script: Script, reaction: Reaction): Finding {
  const { serverClose } = client;
  const happened = sayHappened(reaction, client);
  if (reaction.ended === 'reset' && !serverClose) throw new Lost(happened, 'dropped');
  const outcome = script.outcomes.find(
    ({ answers, codes }) => matches(reaction.answers, answers) && codes.includes(serverClose?.code),
  );
  const ending = endingOf(client);
  const verdict = worst(outcome?.verdict ?? 'FAILED', judgeEnding(ending, script.fails));
  return { verdict, ending, happened };
}

/**
 * Judges how a connection ended. A Close and then the end of TCP is OK. A reset after the Close
 * is NON-STRICT, as §7.1.1 has a SHOULD; with `fails`, where the server has to fail the
 * connection, it is OK: there may be bytes of ours that it does not read any more. No Close, or
 * no end of TCP, is FAILED.
 */
export function judgeEnding(ending: Ending, fails = false): Verdict {
  if (ending === 'clean') return 'OK';
  if (ending === 'reset') return fails ? 'OK' : 'NON-STRICT';
  return 'FAILED';
}

/** Names how a connection ended. */
export function endingOf({ serverClose, socket: { ended } }: RawClient): Ending {
  if (ended === undefined) return 'open';
  if (!serverClose) return 'dropped';
  return ended === 'fin' ? 'clean' : 'reset';
}

/**
 * The connection was reset, and no Close had come. Perhaps the server sent one: a write of ours
 * that meets a reset costs us what we have not read. So the case is played again; a server that
 * sends none will not send one then either.
 */
export class Lost extends Failed {}

/**
 * Compares what came with what was wanted. Messages come in order. Pongs do, too, but one may be
 * left out when one for a later Ping comes, §5.5.3, and one may overtake messages: a server
 * answers Pings at once, while it works on a message.
 */
function matches(came: readonly Answer[], wanted: readonly Answer[]): boolean {
  const [messages, wantedMessages] = [came, wanted].map((all) => all.filter(isMessage));
  if (messages?.length !== wantedMessages?.length) return false;
  if (!messages?.every((one, i) => sameAnswer(one, wantedMessages![i]!))) return false;

  const pongs = pongsOf(wanted);
  let at = 0;
  for (const { pong, after } of pongsOf(came)) {
    while (at < pongs.length && !sameAnswer(pong, pongs[at]!.pong)) at++;
    const next = pongs[at++];
    if (!next || after > next.after) return false;
  }
  return at === pongs.length;
}

const isMessage = ({ type }: Answer) => type !== 'pong';

/** The Pongs among answers, and how many messages come before each. */
function pongsOf(all: readonly Answer[]): { pong: Answer; after: number }[] {
  return all.flatMap((one, i) =>
    isMessage(one) ? [] : [{ pong: one, after: all.slice(0, i).filter(isMessage).length }],
  );
}

/** Waits for an answer. Throws `Failed`, which names `where`, when something else comes. */
export async function hear(client: RawClient, wanted: Answer, where = ''): Promise<void> {
  expectSame(client, await client.next(), wanted, where);
}

/** Waits for several answers. Throws `Failed`, which names `where`, when others come. */
export async function hearAll(
  client: RawClient,
  wanted: readonly Answer[],
  where = '',
): Promise<void> {
  const came: Answer[] = [];
  for (const last of wanted) {
    const heard = await client.next();
    if (!('payload' in heard) || heard.type === 'close') expectSame(client, heard, last, where);
    else came.push(heard);
  }
  if (matches(came, wanted)) return;
  const instead = `${where}Instead of ${sayAnswers(wanted)} came ${sayAnswers(came)}.`;
  throw new Failed(instead, endingOf(client));
}

/** Throws `Failed`, which names `where`, when what was heard is not what was wanted. */
export function expectSame(client: RawClient, heard: Heard, wanted: Answer, where = ''): void {
  if (sameAnswer(heard, wanted)) return;
  const instead = `${where}Instead of ${sayAnswers([wanted])} came ${sayHeard(heard)}.`;
  throw new Failed(instead, endingOf(client));
}

/** Closes the connection as it should be, and judges how the server takes part. */
export function finish(client: RawClient): Promise<Finding> {
  const outcomes = [{ verdict: 'OK', answers: [], codes: NORMAL }] as const;
  return play(client, { steps: [close(CloseCode.NormalClosure)], outcomes });
}

/** Proves that the server serves somebody new. Throws `Failed` when it does not. */
export async function expectService(stage: Stage): Promise<void> {
  try {
    const other = await stage.open();
    await other.send([text('still there?')]);
    await hear(other, texted('still there?'));
    await other.send([close(CloseCode.NormalClosure)]);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    throw new Failed(`Afterwards a new client was not served. ${error.message}`);
  }
}

function sayExpected({ outcomes: [best], fails }: Script): string {
  const { answers = [], codes = [] } = best ?? {};
  const so = answers.length > 0 ? `${sayAnswers(answers)}, then ` : fails ? 'no answer, but ' : '';
  const which = [...new Set(codes)].filter((code) => code !== undefined).join(' or ');
  const sentence = `${so}Close ${which} and the end of TCP.`;
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

function sayHappened({ answers, ended }: Reaction, client: RawClient): string {
  const { serverClose, isInsideMessage } = client;
  const said = [
    ...(answers.length > 0 ? [sayAnswers(answers)] : []),
    ...(serverClose ? [sayClose(serverClose)] : []),
  ];
  const how = serverClose ? HOW_IT_ENDED[ended].closed : HOW_IT_ENDED[ended].unclosed;
  const where = isInsideMessage ? ', inside a message' : '';
  return `The server ${said.length > 0 ? `sent ${said.join(', then ')}, and ` : ''}${how}${where}.`;
}

const HOW_IT_ENDED = {
  fin: { closed: 'ended TCP', unclosed: 'ended TCP without a Close' },
  reset: { closed: 'reset TCP', unclosed: 'reset TCP without a Close' },
  silence: { closed: 'did not end TCP', unclosed: 'said no more, not even a Close' },
} as const;
