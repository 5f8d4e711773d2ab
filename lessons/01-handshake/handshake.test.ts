import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/01', () => import('./handshake.ts'));
