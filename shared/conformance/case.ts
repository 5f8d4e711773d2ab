/** What the conformance suite is made of: cases, and categories of them. */
import type { Finding } from './model.ts';
import type { Trial } from './trial.ts';

/** What a case says about itself. */
export type Caption = readonly [id: string, title: string, section: string];

/** One thing that a server has to do, and how to see whether it does. */
export interface Case {
  /** Such as `6.4.2` or `H.3`. */
  readonly id: string;
  readonly title: string;
  /** The section of RFC 6455 that has the rule, such as `5.2`. */
  readonly section: string;
  /** What the server should do, in one or two sentences. */
  readonly expected: string;
  /** Talks to the server. Throws `Failed` as soon as the verdict is clear and bad. */
  readonly run: (trial: Trial) => Promise<Finding>;
}

/** Cases that belong together. */
export interface Category {
  /** What the ids of its cases start with, such as `6` or `H`. */
  readonly id: string;
  readonly title: string;
  readonly cases: readonly Case[];
  /** Its cases weigh on the whole server: they run one after the other, and alone. */
  readonly serial?: boolean;
  /** How many times as long as elsewhere a server may take: so much is its work. */
  readonly patience?: number;
}
