import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('lessons/03', () => import('./sending.ts'));
