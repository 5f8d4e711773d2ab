import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/02', () => import('./reading.ts'));
