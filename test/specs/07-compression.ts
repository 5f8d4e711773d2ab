/** The checks of lesson 07, step by step. */
import type { Spec } from '../../shared/harness/spec.ts';
import { CHOOSING } from './07-compression/choosing.ts';
import { LEAKING } from './07-compression/leaking.ts';
import { MARKED } from './07-compression/marked.ts';
import { MARKING } from './07-compression/marking.ts';
import { OFFERING } from './07-compression/offering.ts';
import { OFFERS } from './07-compression/offers.ts';
import { PACKING } from './07-compression/packing.ts';
import { SERVING } from './07-compression/serving.ts';
import type { Lesson } from './07-compression/tools.ts';
import { UNPACKING } from './07-compression/unpacking.ts';
import { WINDOWS } from './07-compression/windows.ts';

export const spec: Spec<Lesson> = {
  lesson: '07-compression',
  steps: [
    { title: 'What is on offer', section: '9.1', scenarios: OFFERS },
    { title: 'What the server chooses', section: 'RFC 7692 §7.1', scenarios: CHOOSING },
    { title: 'A message, packed', section: 'RFC 7692 §7.2.1', scenarios: PACKING },
    { title: 'A message, unpacked', section: 'RFC 7692 §7.2.2', scenarios: UNPACKING },
    { title: 'The window', section: 'RFC 7692 §7.2.1', scenarios: WINDOWS },
    { title: 'RSV1, received', section: 'RFC 7692 §6.2', scenarios: MARKED },
    { title: 'RSV1, sent', section: 'RFC 7692 §6.1', scenarios: MARKING },
    { title: 'In the server', section: 'RFC 7692 §5', scenarios: SERVING },
    { title: 'In the client', section: 'RFC 7692 §7.1', scenarios: OFFERING },
    { title: 'When compression is a mistake', section: 'RFC 7692 §8', scenarios: LEAKING },
  ],
};
