import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/02', () => import('./reading.ts'));
