import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('lessons/02', () => import('./reading.ts'));
