import { testLesson } from '../../shared/harness/vitest.ts';

await testLesson('solutions/06', () => import('./client.ts'));
