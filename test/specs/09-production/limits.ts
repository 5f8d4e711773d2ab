/** Step 1: how often, and how many */
import type { Scenarios } from './tools.ts';

export const LIMITS: Scenarios = [];
