import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('solutions/03', () => import('./sending.ts'));
