/** The checks of lesson 05, step by step. */
import type { Spec } from '../../shared/harness/spec.ts';
import { ATTACHED } from './05-server/attached.ts';
import { BACKPRESSURE } from './05-server/backpressure.ts';
import { BRAKES, ON_A_NETWORK } from './05-server/brakes.ts';
import { BYTES_IN } from './05-server/bytes-in.ts';
import { BYTES_OUT } from './05-server/bytes-out.ts';
import type { Lesson } from './05-server/core.ts';
import { CLOSING, FAILING } from './05-server/ending.ts';
import { EVERYBODY } from './05-server/everybody.ts';
import { ANY_ENDS, ANY_LOADS, ANY_READS, ANY_TALK, ANY_TIMES } from './05-server/generated.ts';
import { ON_HTTP } from './05-server/http.ts';
import { LEAVING, LEAVING_AT_SHUTDOWN } from './05-server/leaving.ts';
import { MANY } from './05-server/many.ts';
import { OPENING } from './05-server/opening.ts';
import { ANY_OPENING } from './05-server/openings.ts';
import { SLOW_READERS } from './05-server/slow.ts';
import { SUITE } from './05-server/suite.ts';
import { SURVIVING } from './05-server/surviving.ts';
import { TIME } from './05-server/time.ts';

export const spec: Spec<Lesson> = {
  lesson: '05-server',
  steps: [
    { title: 'The opening handshake', section: '4.2', scenarios: [...OPENING, ANY_OPENING] },
    { title: 'Bytes in, events out', section: '6.2', scenarios: [...BYTES_IN, ANY_READS] },
    { title: 'Messages in, bytes out', section: '6.1', scenarios: [...BYTES_OUT, ANY_TALK] },
    {
      title: 'The end of a connection',
      section: '7.1',
      scenarios: [...CLOSING, ...FAILING, ...ANY_ENDS],
    },
    { title: 'Time', section: '7.1.1', scenarios: [...TIME, ANY_TIMES] },
    { title: 'On a socket', section: '7.1.1', scenarios: ATTACHED },
    { title: 'When things go wrong', section: '7.2', scenarios: SURVIVING },
    {
      title: 'The brakes',
      section: '10.4',
      scenarios: [...BRAKES, ...SLOW_READERS, ...ON_A_NETWORK],
    },
    { title: 'Too much to send', section: '10.4', scenarios: [...BACKPRESSURE, ...ANY_LOADS] },
    { title: 'Many connections', section: '4.2', scenarios: [...MANY, ...LEAVING] },
    {
      title: 'Everybody at once',
      section: '7.4.1',
      scenarios: [...EVERYBODY, ...LEAVING_AT_SHUTDOWN],
    },
    { title: 'A suite of cases', section: '7.1.7', scenarios: SUITE },
    { title: 'Beside a web page', section: '4.2.2', scenarios: ON_HTTP },
  ],
};
