import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/05', () => import('./server.ts'));
