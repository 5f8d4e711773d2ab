import type { Spec } from '../../shared/harness/spec.ts';
import { WHILE_ARRIVING } from './02-reading-frames/arriving.ts';
import { FIRST_BYTES } from './02-reading-frames/first-bytes.ts';
import { FRAMES_OF_A_STREAM } from './02-reading-frames/frames.ts';
import {
  ANY_CHECKED,
  ANY_FIRST_BYTES,
  ANY_FRAMES,
  ANY_HEADER,
  ANY_LEGALITY,
  ANY_MASK,
  ANY_MESSAGES,
  ANY_PEEK,
  ANY_SIZES,
  ANY_TEXTS,
} from './02-reading-frames/generated.ts';
import { HEADER_LENGTHS } from './02-reading-frames/headers.ts';
import { ILLEGAL } from './02-reading-frames/illegal-frames.ts';
import { LIMITS } from './02-reading-frames/limits.ts';
import { MESSAGES } from './02-reading-frames/messages.ts';
import type { Lesson } from './02-reading-frames/readers.ts';
import { TEXT } from './02-reading-frames/text.ts';
import { UNMASKING } from './02-reading-frames/unmasking.ts';

export const spec: Spec<Lesson> = {
  lesson: '02-reading-frames',
  steps: [
    { title: 'The first two bytes', section: '5.2', scenarios: [...FIRST_BYTES, ANY_FIRST_BYTES] },
    { title: 'Lengths beyond 125', section: '5.2', scenarios: [...HEADER_LENGTHS, ANY_HEADER] },
    { title: 'Unmasking', section: '5.3', scenarios: [...UNMASKING, ANY_MASK] },
    {
      title: 'A stream has no frames',
      section: '5.2',
      scenarios: [...FRAMES_OF_A_STREAM, ANY_FRAMES],
    },
    {
      title: 'While a frame arrives',
      section: '10.4',
      scenarios: [...WHILE_ARRIVING, ANY_CHECKED],
    },
    { title: 'Illegal frames', section: '5.2', scenarios: [...ILLEGAL, ANY_LEGALITY] },
    { title: 'Messages from fragments', section: '5.4', scenarios: [...MESSAGES, ANY_MESSAGES] },
    { title: 'Text is UTF-8', section: '8.1', scenarios: [...TEXT, ANY_TEXTS, ANY_PEEK] },
    { title: 'Limits', section: '10.4', scenarios: [...LIMITS, ANY_SIZES] },
  ],
};
