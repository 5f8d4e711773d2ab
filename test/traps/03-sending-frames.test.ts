import { proveTraps } from '../harness/prove-traps.ts';

proveTraps('03');
