import { proveTraps } from './prove.ts';

proveTraps('08');
