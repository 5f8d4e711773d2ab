/** Plays a script on a connection, and judges what the peer did. */
import type { RawEndpoint, Sendable, Writes } from './endpoint.ts';
import { type Ending, Failed, type Finding, type Verdict, worst } from './model.ts';
import type { Terms } from './stage.ts';
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

/** One way in which a peer may react. */
export interface AllowedReaction {
  readonly verdict: 'OK' | 'NON-STRICT';
  /** In this order, and none besides. */
  readonly replies: readonly Reply[];
  /** The codes that its Close may have; `undefined`: it may be empty. */
  readonly codes: readonly (number | undefined)[];
  /** TCP may end without a Close, too: NON-STRICT, as §7.1.7 has a SHOULD. */
  readonly unclosed?: boolean;
}

/** A conversation on one connection. */
export interface Script {
  readonly steps: readonly ScriptStep[];
  /** The connection has compression. Absent: it has none. */
  readonly terms?: Terms;
  /** How the frames between two waits are written. */
  readonly writes?: Writes;
  /** What the peer may do; the best is the first. */
  readonly allowed: readonly AllowedReaction[];
  /** The peer has to fail the connection: there is no closing handshake to take part in. */
  readonly fails?: boolean;
}

/** What came from the peer, and how the connection ended. */
interface Reaction {
  readonly replies: Reply[];
  readonly ended: 'fin' | 'reset' | 'silence';
}

/** Plays a script on an open connection. Throws `Failed` for what the peer must not send. */
export async function play(endpoint: RawEndpoint, script: Script): Promise<Finding> {
  const replies: Reply[] = [];
  const early = await perform(endpoint, script, replies);
  const ended = early ?? (await listen(endpoint, replies));
  return judge(endpoint, script, { replies, ended });
}

/** Sends what there is to send. Returns how the connection ended, if it did meanwhile. */
async function perform(
  endpoint: RawEndpoint,
  { steps, writes }: Script,
  replies: Reply[],
): Promise<Reaction['ended'] | undefined> {
  let frames: Sendable[] = [];
  for (const step of steps) {
    if (step !== 'pause' && !('until' in step)) {
      frames.push(step);
      continue;
    }
    await endpoint.send(frames, writes);
    frames = [];
    if (step === 'pause') {
      await endpoint.pause();
      continue;
    }
    const ended = await listen(endpoint, replies, step.until);
    if (ended) return ended;
  }
  await endpoint.send(frames, writes);
  return undefined;
}

export async function listen(endpoint: RawEndpoint, replies: Reply[]): Promise<Reaction['ended']>;
export async function listen(
  endpoint: RawEndpoint,
  replies: Reply[],
  until: Reply,
): Promise<Reaction['ended'] | undefined>;
/** Takes replies, until a certain one has come or the connection has ended. */
export async function listen(endpoint: RawEndpoint, replies: Reply[], until?: Reply) {
  for (;;) {
    const event = await endpoint.next();
    switch (event.type) {
      case 'close':
        return endpoint.untilEnd();
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
 * - What the peer said. Replies and Close have to be those of one allowed reaction, and that
 *   has the verdict. Of none: FAILED.
 * - How the connection ended. See `judgeEnding`.
 *
 * Throws `Lost` when there was a reset and no Close: see there.
 */
function judge(endpoint: RawEndpoint, script: Script, reaction: Reaction): Finding {
  const { peerClose } = endpoint;
  const match = script.allowed.find(
    ({ replies, codes, unclosed = false }) =>
      sameReplies(reaction.replies, replies) &&
      (peerClose ? codes.includes(peerClose.code) : unclosed),
  );
  const ending = endingOf(endpoint);
  const verdict = worst(match?.verdict ?? 'FAILED', judgeEnding(ending, script.fails));
  const isForPong = script.allowed.some(({ replies }) => replies.some(isPong));
  const remark = isForPong && verdict === 'FAILED' ? sayUnasked(endpoint) : '';
  const finding = { verdict, ending, happened: describeReaction(reaction, endpoint) + remark };
  if (reaction.ended === 'reset' && !peerClose) throw new Lost(finding);
  return finding;
}

/**
 * Judges how a connection ended. A Close and then the end of TCP is OK. With `fails`, the peer
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
export function endingOf({ peerClose, socket: { ended } }: RawEndpoint): Ending {
  if (ended === undefined) return 'open';
  if (!peerClose) return 'dropped';
  return ended === 'fin' ? 'clean' : 'reset';
}

/**
 * The connection was reset, and no Close had come. Perhaps the peer sent one: a write of ours
 * that meets a reset costs us what we have not read. So the case is played again; a peer that
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

function describeReaction({ replies, ended }: Reaction, endpoint: RawEndpoint): string {
  const { peerClose, isInsideMessage } = endpoint;
  const said = [
    ...(replies.length > 0 ? [nameReplies(replies)] : []),
    ...(peerClose ? [nameClose(peerClose)] : []),
  ];
  const sent = said.length > 0 ? `sent ${said.join(', then ')}, and ` : '';
  const ending = HOW_IT_ENDED[ended][peerClose ? 'closed' : 'unclosed'];
  const place = isInsideMessage ? ', inside a message' : '';
  return `${endpoint.peer} ${sent}${ending}${place}.`;
}

const isPong = ({ type }: Reply) => type === 'pong';

/** A remark when a Pong is awaited: one arrived, and it was another one. */
export function sayUnasked({ unaskedPong }: RawEndpoint): string {
  if (!unaskedPong) return '';
  return ` Passed over: ${nameReplies([pongReply(unaskedPong)])}, which answers no Ping of ours.`;
}

const HOW_IT_ENDED = {
  fin: { closed: 'ended TCP', unclosed: 'ended TCP without a Close' },
  reset: { closed: 'reset TCP', unclosed: 'reset TCP without a Close' },
  silence: { closed: 'did not end TCP', unclosed: 'said no more, not even a Close' },
} as const;
