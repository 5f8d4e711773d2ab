import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/07', () => import('./compression.ts'));
