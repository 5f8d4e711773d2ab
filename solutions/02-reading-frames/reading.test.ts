import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('solutions/02', () => import('./reading.ts'));
