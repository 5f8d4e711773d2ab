import { testLesson } from '../../test/harness/vitest.ts';

await testLesson('solutions/05', () => import('./server.ts'));
