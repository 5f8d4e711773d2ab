import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/04', () => import('./closing.ts'));
