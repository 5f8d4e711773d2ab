import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/03', () => import('./sending.ts'));
