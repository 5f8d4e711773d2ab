import type { Spec } from '../../shared/harness/spec.ts';
import { lengths, shortest } from './03-sending-frames/encoding.ts';
import { anyFrames, maskedFrames, shortFrames } from './03-sending-frames/generated-frames.ts';
import { anyControls, anyFragments, anyTexts } from './03-sending-frames/generated-messages.ts';
import { anyOrder } from './03-sending-frames/generated-order.ts';
import { masking } from './03-sending-frames/masking.ts';
import { controls, fragments, strings } from './03-sending-frames/messages.ts';
import { order } from './03-sending-frames/order.ts';
import type { Lesson } from './03-sending-frames/tools.ts';

export const spec: Spec<Lesson> = {
  lesson: '03-sending-frames',
  steps: [
    { title: 'The shortest text frame', section: '5.2', scenarios: [...shortest, shortFrames] },
    { title: 'Lengths at the boundaries', section: '5.2', scenarios: [...lengths, anyFrames] },
    { title: 'Masking as a client', section: '5.3', scenarios: [...masking, maskedFrames] },
    {
      title: 'Ping, pong, and what to refuse',
      section: '5.5',
      scenarios: [...controls, anyControls],
    },
    { title: 'A message in fragments', section: '5.4', scenarios: [...fragments, ...anyFragments] },
    { title: 'Strings are not bytes', section: '5.6', scenarios: [...strings, anyTexts] },
    { title: 'Keeping order', section: '5.4', scenarios: [...order, anyOrder] },
  ],
};
