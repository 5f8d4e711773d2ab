/** The checks of lesson 08, step by step. */
import type { Spec } from '../../shared/harness/spec.ts';
import { EVERYBODY } from './08-speed/everybody.ts';
import { LONG } from './08-speed/long.ts';
import { MEMORY } from './08-speed/memory.ts';
import { OUTPUT } from './08-speed/output.ts';
import { PIECES } from './08-speed/pieces.ts';
import { SAME } from './08-speed/same.ts';
import { TEXT } from './08-speed/text.ts';
import type { Lesson } from './08-speed/tools.ts';
import { TURNS } from './08-speed/turns.ts';
import { WORDS } from './08-speed/words.ts';

export const spec: Spec<Lesson> = {
  lesson: '08-speed',
  steps: [
    { title: 'One turn is enough', section: '6.2', scenarios: TURNS },
    { title: 'Words, not bytes', section: '5.3', scenarios: WORDS },
    { title: 'Whose memory is it?', section: '6.2', scenarios: MEMORY },
    { title: 'Copy only what is cut', section: '5.4', scenarios: PIECES },
    { title: 'One memory for all answers', section: '6.1', scenarios: OUTPUT },
    { title: 'Long payloads are not copied', section: '6.1', scenarios: LONG },
    { title: 'Text without a detour', section: '8.1', scenarios: TEXT },
    { title: 'Once for everybody', section: '6.1', scenarios: EVERYBODY },
    { title: 'The same checks', section: '7.1.7', scenarios: SAME },
  ],
};
