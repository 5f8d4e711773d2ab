/** What the scenarios of lesson 06 share. */
import type { Scenario } from '../../../shared/harness/spec.ts';
import type * as Client from '../../../solutions/06-client/client.ts';

/** What a file for lesson 06 exports. */
export type Lesson = typeof Client;

/** The scenarios of a step. */
export type Scenarios = readonly Scenario<Lesson>[];
