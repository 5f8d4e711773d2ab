/** What the scenarios of lesson 08 share. */
import type { Scenario } from '../../../shared/harness/spec.ts';
import type * as Speed from '../../../solutions/08-speed/speed.ts';

/** What a file for lesson 08 exports. */
export type Lesson = typeof Speed;

/** The scenarios of a step. */
export type Scenarios = readonly Scenario<Lesson>[];
