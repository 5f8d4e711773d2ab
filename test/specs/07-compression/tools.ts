/** What the scenarios of lesson 07 share. */
import type { Scenario } from '../../../shared/harness/spec.ts';
import type * as Compression from '../../../solutions/07-compression/compression.ts';

/** What a file for lesson 07 exports. */
export type Lesson = typeof Compression;

/** The scenarios of a step. */
export type Scenarios = readonly Scenario<Lesson>[];
