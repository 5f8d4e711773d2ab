import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/07', () => import('./compression.ts'));
