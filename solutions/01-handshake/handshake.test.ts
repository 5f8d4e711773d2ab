import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/01', () => import('./handshake.ts'));
