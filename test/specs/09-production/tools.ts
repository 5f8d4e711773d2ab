/** What the scenarios of lesson 09 share. */
import type { Scenario } from '../../../shared/harness/spec.ts';
import type * as Production from '../../../solutions/09-production/production.ts';

/** What a file for lesson 09 exports. */
export type Lesson = typeof Production;

/** The scenarios of a step. */
export type Scenarios = readonly Scenario<Lesson>[];
