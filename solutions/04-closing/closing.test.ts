import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('solutions/04', () => import('./closing.ts'));
