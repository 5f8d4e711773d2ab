import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('solutions/01', () => import('./handshake.ts'));
