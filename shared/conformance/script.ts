/** Cases as data: what we send, and what the server may answer. */
import type { WireFrame } from '../kit/frames.ts';
import { CloseCode, Opcode } from '../protocol.ts';
import type { About, Case } from './case.ts';
import type { RawClient, Sendable, Writes } from './client.ts';
import type { Finding } from './model.ts';
import { type Outcome, play, type Script, type Step } from './play.ts';
import type { Stage } from './stage.ts';
import { type Answer, close, echoOf, sayAnswers } from './vocabulary.ts';

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

/** Closes the connection as it should be, and judges how the server takes part. */
export function finish(client: RawClient): Promise<Finding> {
  const outcomes = [{ verdict: 'OK', answers: [], codes: NORMAL }] as const;
  return play(client, { steps: [close(CloseCode.NormalClosure)], outcomes });
}

function sayExpected({ outcomes: [best], fails }: Script): string {
  const { answers = [], codes = [] } = best ?? {};
  const noReply = fails ? 'no answer, but ' : '';
  const reply = answers.length > 0 ? `${sayAnswers(answers)}, then ` : noReply;
  const code = [...new Set(codes)].filter((code) => code !== undefined).join(' or ');
  const sentence = `${reply}Close ${code} and the end of TCP.`;
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}
