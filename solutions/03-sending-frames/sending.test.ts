import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/03', () => import('./sending.ts'));
