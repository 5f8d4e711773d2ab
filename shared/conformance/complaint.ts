/** What is not as it should be in a request or a response. */
import type { Verdict } from './model.ts';

/** One thing that is not as it should be. */
export interface Complaint {
  readonly verdict: Verdict;
  readonly text: string;
}

/** A MUST is broken. */
export const wrong = (text: string): Complaint => ({ verdict: 'FAILED', text });
/** A SHOULD is broken, or it is legal and still not what one expects. */
export const loose = (text: string): Complaint => ({ verdict: 'NON-STRICT', text });

/** Names the values of a header. */
export const quoted = (values: readonly string[]) =>
  values.length === 0 ? 'missing' : values.map((value) => JSON.stringify(value)).join(' and ');
