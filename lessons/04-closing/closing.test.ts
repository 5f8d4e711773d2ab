import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/04', () => import('./closing.ts'));
