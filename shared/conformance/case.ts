/** What the conformance suite is made of: cases, and categories of them. */
import type { Finding } from './model.ts';
import type { Stage } from './stage.ts';

/** How long a case waits for a peer that no rule gives a time, in milliseconds. */
export const LONG_MS = 330_000;

/** What a case says about itself. */
export type Caption = readonly [id: string, title: string, section: string];

/** One thing that a server or a client has to do, and how to see whether it does. */
export interface Case<S = Stage> {
  /** Such as `6.4.2` or `H.3`. */
  readonly id: string;
  readonly title: string;
  /** The section of RFC 6455 that has the rule, such as `5.2`. */
  readonly section: string;
  /** What the peer should do, in one or two sentences. */
  readonly expected: string;
  /** Talks to the peer. Throws `Failed` as soon as the verdict is clear and bad. */
  readonly run: (stage: S) => Promise<Finding>;
  /** It waits for minutes, so that it runs only when somebody asks for it. */
  readonly long?: boolean;
}

/** Cases that belong together. Those that need nothing but a `Stage` are for servers and clients. */
export interface Category<S = Stage> {
  /** What the ids of its cases start with, such as `6` or `H`. */
  readonly id: string;
  readonly title: string;
  readonly cases: readonly Case<S>[];
  /** Its cases weigh on the whole peer: they run one after the other, and alone. */
  readonly serial?: boolean;
  /** How many times as long as elsewhere a peer may take: so much is its work. */
  readonly patience?: number;
}
