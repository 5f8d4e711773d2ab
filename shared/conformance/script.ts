/** Cases as data: what we send, and what the peer may answer. */
import type { WireFrame } from '../kit/frames.ts';
import { CloseCode, Opcode } from '../protocol.ts';
import type { Caption, Case } from './case.ts';
import type { RawEndpoint, Sendable, Writes } from './endpoint.ts';
import type { Finding } from './model.ts';
import { type AllowedReaction, play, type Script, type ScriptStep } from './play.ts';
import type { Stage, Terms } from './stage.ts';
import { close, echoOf, nameReplies, type Reply } from './vocabulary.ts';

const NORMAL: AllowedReaction['codes'] = [CloseCode.NormalClosure, undefined];

/** A case that follows a script. */
export function scripted([id, title, section]: Caption, script: Script): Case {
  const { terms } = script;
  const run = async (stage: Stage) =>
    play(await (terms ? stage.openDeflate(terms) : stage.open()), script);
  return { id, title, section, expected: describeExpected(script), run };
}

/** A case in which the peer has to answer, and then to close as it should. */
export function answers(
  caption: Caption,
  send: readonly ScriptStep[],
  expected: readonly Reply[],
  writes: Writes = 'apart',
): Case {
  const last = expected.at(-1);
  const end = send.at(-1);
  const waits = typeof end === 'object' && 'until' in end;
  const wait = last && !waits ? [{ until: last }] : [];
  const steps = [...send, ...wait, close(CloseCode.NormalClosure)];
  const allowed = [{ verdict: 'OK', replies: expected, codes: NORMAL }] as const;
  return scripted(caption, { steps, writes, allowed });
}

/** A case in which the peer has to echo one message. */
export function echoes(caption: Caption, message: WireFrame, writes?: Writes): Case {
  return answers(caption, [message], [echoOf(message)], writes);
}

/** A case in which the peer has to echo messages, each before the next is sent. */
export function echoesEach(caption: Caption, messages: readonly WireFrame[]): Case {
  const steps = messages.flatMap((message): ScriptStep[] => [message, { until: echoOf(message) }]);
  return answers(caption, steps, messages.map(echoOf));
}

/** The codes that say that something was wrong. Which of them fits is a SHOULD. RFC 6455 §7.1.7 */
export const ERROR_CODES: readonly number[] = [
  CloseCode.ProtocolError,
  CloseCode.UnsupportedData,
  CloseCode.InvalidPayload,
  CloseCode.PolicyViolation,
  CloseCode.MessageTooBig,
  CloseCode.InternalError,
];

/** What a peer may do that should fail the connection, besides just that. */
export interface Leeway {
  /** What it should have answered until then; to answer nothing is NON-STRICT. */
  readonly before?: readonly Reply[];
  /** The answer of a peer that lets it pass, where that is no more than NON-STRICT. */
  readonly passed?: Reply;
  readonly writes?: Writes;
  readonly terms?: Terms;
}

/**
 * A case in which the peer has to fail the connection with one of these codes. Another code of
 * an error, none, or the end of TCP without a Close, is NON-STRICT.
 *
 * A Close follows what is wrong, so that a peer that lets it pass shows itself at once. Where
 * it may let it pass, its answer comes first: who reads the Close at once may lose that.
 */
export function fails(
  caption: Caption,
  send: readonly Sendable[],
  codes: readonly number[],
  leeway: Leeway = {},
): Case {
  const { before = [], passed, writes, terms } = leeway;
  const last = send.at(-1);
  const isClosed = last !== undefined && 'opcode' in last && last.opcode === Opcode.Close;
  const wait = passed ? [{ until: passed }] : [];
  const steps = isClosed ? send : [...send, ...wait, close(CloseCode.NormalClosure)];
  // The empty answer to an empty Close says nothing of a failure.
  const loose = isClosed ? ERROR_CODES : [...ERROR_CODES, undefined];
  const unclosed = true;
  const allowed: AllowedReaction[] = [
    { verdict: 'OK', replies: before, codes, unclosed },
    { verdict: 'NON-STRICT', replies: before, codes: loose },
    { verdict: 'NON-STRICT', replies: [], codes: [...codes, ...loose], unclosed },
    ...(passed ? [{ verdict: 'NON-STRICT', replies: [passed], codes: NORMAL } as const] : []),
  ];
  return scripted(caption, { steps, terms, writes, allowed, fails: true });
}

/** A case in which we close, and the peer has to answer with one of these codes, or none. */
export function closes(
  caption: Caption,
  send: readonly Sendable[],
  codes: readonly number[] = [CloseCode.NormalClosure],
): Case {
  const allowed = [{ verdict: 'OK', replies: [], codes: [...codes, undefined] }] as const;
  return scripted(caption, { steps: send, allowed });
}

/** Closes the connection as it should be, and judges how the peer takes part. */
export function finish(endpoint: RawEndpoint): Promise<Finding> {
  const allowed = [{ verdict: 'OK', replies: [], codes: NORMAL }] as const;
  return play(endpoint, { steps: [close(CloseCode.NormalClosure)], allowed });
}

/** Says what the best reaction to a script is. */
export function describeExpected({ allowed: [best], fails }: Script): string {
  const { replies = [], codes = [] } = best ?? {};
  const noReply = fails ? 'no answer, but ' : '';
  const reply = replies.length > 0 ? `${nameReplies(replies)}, then ` : noReply;
  const code = [...new Set(codes)].filter((code) => code !== undefined).join(' or ');
  const sentence = `${reply}Close ${code} and the end of TCP.`;
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}
