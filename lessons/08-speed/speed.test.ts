import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/08', () => import('./speed.ts'));
