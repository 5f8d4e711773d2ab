import { proveTraps } from './prove.ts';

proveTraps('09');
