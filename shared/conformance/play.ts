/** Plays a script on a connection, and judges what the server did. */
import type { RawClient, Sendable, Writes } from './client.ts';
import { type Ending, Failed, type Finding, type Verdict, worst } from './model.ts';
import { type Answer, matches, sameAnswer, sayAnswers, sayClose } from './vocabulary.ts';

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

/** What came from the server, and how the connection ended. */
interface Reaction {
  readonly answers: Answer[];
  readonly ended: 'fin' | 'reset' | 'silence';
}

/** Plays a script on an open client. Throws `Failed` for what a server must not send. */
export async function play(client: RawClient, script: Script): Promise<Finding> {
  const answers: Answer[] = [];
  const early = await perform(client, script, answers);
  const ended = early ?? (await listen(client, answers));
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
    const ended = await listen(client, answers, step.until);
    if (ended) return ended;
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

function sayHappened({ answers, ended }: Reaction, client: RawClient): string {
  const { serverClose, isInsideMessage } = client;
  const said = [
    ...(answers.length > 0 ? [sayAnswers(answers)] : []),
    ...(serverClose ? [sayClose(serverClose)] : []),
  ];
  const sent = said.length > 0 ? `sent ${said.join(', then ')}, and ` : '';
  const ending = HOW_IT_ENDED[ended][serverClose ? 'closed' : 'unclosed'];
  const place = isInsideMessage ? ', inside a message' : '';
  return `The server ${sent}${ending}${place}.`;
}

const HOW_IT_ENDED = {
  fin: { closed: 'ended TCP', unclosed: 'ended TCP without a Close' },
  reset: { closed: 'reset TCP', unclosed: 'reset TCP without a Close' },
  silence: { closed: 'did not end TCP', unclosed: 'said no more, not even a Close' },
} as const;
