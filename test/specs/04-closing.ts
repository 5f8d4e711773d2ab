import type { Spec } from '../../shared/harness/spec.ts';
import { bodies, codes, reasons } from './04-closing/body.ts';
import { results, timeouts } from './04-closing/ending.ts';
import { failing } from './04-closing/failing.ts';
import { anyBodies, anyCodes, anyReasons } from './04-closing/generated-body.ts';
import { anyConversation, anyFailure, anyResult, anyTime } from './04-closing/generated-events.ts';
import { handshake } from './04-closing/handshake.ts';
import type { Lesson } from './04-closing/tools.ts';

export const spec: Spec<Lesson> = {
  lesson: '04-closing',
  steps: [
    { title: 'The close body', section: '5.5.1', scenarios: [...bodies, ...anyBodies] },
    { title: 'Codes that may travel', section: '7.4', scenarios: [...codes, anyCodes] },
    { title: 'A reason that fits', section: '5.5.1', scenarios: [...reasons, anyReasons] },
    {
      title: 'The closing handshake',
      section: '7.1.2',
      scenarios: [...handshake, anyConversation],
    },
    { title: 'Failing a connection', section: '7.1.7', scenarios: [...failing, ...anyFailure] },
    { title: 'Codes that never travel', section: '7.1.5', scenarios: [...results, anyResult] },
    { title: 'A peer that never answers', section: '7.1.1', scenarios: [...timeouts, anyTime] },
  ],
};
