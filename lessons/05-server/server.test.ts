import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('lessons/05', () => import('./server.ts'));
