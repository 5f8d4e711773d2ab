import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('lessons/01', () => import('./handshake.ts'));
