/** Plays a script on a connection, and judges what the server did. */
import type { RawClient, Sendable, Writes } from './client.ts';
import { type Ending, Failed, type Finding, type Verdict, worst } from './model.ts';
import {
  nameClose,
  nameReplies,
  pongReply,
  type Reply,
  sameReplies,
  sameReply,
} from './vocabulary.ts';

/** Something to send, a reply to wait for, or a moment in which we say nothing. */
export type ScriptStep = Sendable | { readonly until: Reply } | 'pause';

/** One way in which a server may react. */
export interface AllowedReaction {
  readonly verdict: 'OK' | 'NON-STRICT';
  /** In this order, and none besides. */
  readonly replies: readonly Reply[];
  /** The codes that its Close may have; `undefined`: it may be empty. */
  readonly codes: readonly (number | undefined)[];
  /** TCP may end without a Close, too: NON-STRICT, as §7.1.7 has a SHOULD. */
  readonly unclosed?: boolean;
}

/** A conversation on one client. */
export interface Script {
  readonly steps: readonly ScriptStep[];
  /** How the frames between two waits are written. */
  readonly writes?: Writes;
  /** What the server may do; the best is the first. */
  readonly allowed: readonly AllowedReaction[];
  /** The server has to fail the connection: there is no closing handshake to take part in. */
  readonly fails?: boolean;
}

/** What came from the server, and how the connection ended. */
interface Reaction {
  readonly replies: Reply[];
  readonly ended: 'fin' | 'reset' | 'silence';
}

/** Plays a script on an open client. Throws `Failed` for what a server must not send. */
export async function play(client: RawClient, script: Script): Promise<Finding> {
  const replies: Reply[] = [];
  const early = await perform(client, script, replies);
  const ended = early ?? (await listen(client, replies));
  return judge(client, script, { replies, ended });
}

/** Sends what there is to send. Returns how the connection ended, if it did meanwhile. */
async function perform(
  client: RawClient,
  { steps, writes }: Script,
  replies: Reply[],
): Promise<Reaction['ended'] | undefined> {
  let frames: Sendable[] = [];
  for (const step of steps) {
    if (step !== 'pause' && !('until' in step)) {
      frames.push(step);
      continue;
    }
    await client.send(frames, writes);
    frames = [];
    if (step === 'pause') {
      await client.pause();
      continue;
    }
    const ended = await listen(client, replies, step.until);
    if (ended) return ended;
  }
  await client.send(frames, writes);
  return undefined;
}

export async function listen(client: RawClient, replies: Reply[]): Promise<Reaction['ended']>;
export async function listen(
  client: RawClient,
  replies: Reply[],
  until: Reply,
): Promise<Reaction['ended'] | undefined>;
/** Takes replies, until a certain one has come or the connection has ended. */
export async function listen(client: RawClient, replies: Reply[], until?: Reply) {
  for (;;) {
    const event = await client.next();
    switch (event.type) {
      case 'close':
        return client.untilEnd();
      case 'fin':
      case 'reset':
      case 'silence':
        return event.type;
      default:
        replies.push(event);
        if (until && sameReply(event, until)) return undefined;
    }
  }
}

/**
 * Judges a conversation: the worse of two verdicts counts.
 *
 * - What the server said. Replies and Close have to be those of one allowed reaction, and that
 *   has the verdict. Of none: FAILED.
 * - How the connection ended. See `judgeEnding`.
 *
 * Throws `Lost` when there was a reset and no Close: see there.
 */
function judge(client: RawClient, script: Script, reaction: Reaction): Finding {
  const { serverClose } = client;
  const match = script.allowed.find(
    ({ replies, codes, unclosed = false }) =>
      sameReplies(reaction.replies, replies) &&
      (serverClose ? codes.includes(serverClose.code) : unclosed),
  );
  const ending = endingOf(client);
  const verdict = worst(match?.verdict ?? 'FAILED', judgeEnding(ending, script.fails));
  const isForPong = script.allowed.some(({ replies }) => replies.some(isPong));
  const remark = isForPong && verdict === 'FAILED' ? sayUnasked(client) : '';
  const finding = { verdict, ending, happened: describeReaction(reaction, client) + remark };
  if (reaction.ended === 'reset' && !serverClose) throw new Lost(finding);
  return finding;
}

/**
 * Judges how a connection ended. A Close and then the end of TCP is OK. With `fails`, the server
 * has to fail the connection: no Close is NON-STRICT then, as §7.1.7 has a SHOULD, and a reset
 * after the Close is OK, as there may be bytes of ours that it does not read any more. Without,
 * a reset after the Close is NON-STRICT, as §7.1.1 has a SHOULD, and no Close is FAILED. No end
 * of TCP is always FAILED.
 */
export function judgeEnding(ending: Ending, fails = false): Verdict {
  if (ending === 'clean') return 'OK';
  if (ending === 'reset') return fails ? 'OK' : 'NON-STRICT';
  return ending === 'dropped' && fails ? 'NON-STRICT' : 'FAILED';
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
export class Lost extends Failed {
  /** What it comes to when that happens every time. */
  readonly finding: Finding;

  constructor(finding: Finding) {
    super(finding.happened, finding.ending);
    this.finding = finding;
  }
}

function describeReaction({ replies, ended }: Reaction, client: RawClient): string {
  const { serverClose, isInsideMessage } = client;
  const said = [
    ...(replies.length > 0 ? [nameReplies(replies)] : []),
    ...(serverClose ? [nameClose(serverClose)] : []),
  ];
  const sent = said.length > 0 ? `sent ${said.join(', then ')}, and ` : '';
  const ending = HOW_IT_ENDED[ended][serverClose ? 'closed' : 'unclosed'];
  const place = isInsideMessage ? ', inside a message' : '';
  return `The server ${sent}${ending}${place}.`;
}

const isPong = ({ type }: Reply) => type === 'pong';

/** A remark when a Pong is awaited: one arrived, and it was another one. */
export function sayUnasked({ unaskedPong }: RawClient): string {
  if (!unaskedPong) return '';
  return ` Passed over: ${nameReplies([pongReply(unaskedPong)])}, which answers no Ping of ours.`;
}

const HOW_IT_ENDED = {
  fin: { closed: 'ended TCP', unclosed: 'ended TCP without a Close' },
  reset: { closed: 'reset TCP', unclosed: 'reset TCP without a Close' },
  silence: { closed: 'did not end TCP', unclosed: 'said no more, not even a Close' },
} as const;
