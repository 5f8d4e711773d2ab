import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/08', () => import('./speed.ts'));
