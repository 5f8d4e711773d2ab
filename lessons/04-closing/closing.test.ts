import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('lessons/04', () => import('./closing.ts'));
