import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/06', () => import('./client.ts'));
