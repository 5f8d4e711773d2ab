import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/09', () => import('./production.ts'));
