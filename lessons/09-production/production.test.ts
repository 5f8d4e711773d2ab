import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/09', () => import('./production.ts'));
