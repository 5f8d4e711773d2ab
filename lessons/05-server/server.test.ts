import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('lessons/05', () => import('./server.ts'));
