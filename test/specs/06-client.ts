/** The checks of lesson 06, step by step. */
import type { Spec } from '../../shared/harness/spec.ts';
import { CHECKING } from './06-client/checking.ts';
import { COMING_BACK } from './06-client/coming-back.ts';
import { CORE } from './06-client/core.ts';
import { DEVTOOLS } from './06-client/devtools.ts';
import { ENDING } from './06-client/ending.ts';
import { REQUESTS } from './06-client/requests.ts';
import { RESPONSES } from './06-client/responses.ts';
import { SOCKETS } from './06-client/sockets.ts';
import type { Lesson } from './06-client/tools.ts';
import { URLS } from './06-client/urls.ts';
import { WEBSOCKET } from './06-client/websocket.ts';

export const spec: Spec<Lesson> = {
  lesson: '06-client',
  steps: [
    { title: 'Where a URL leads', section: '3', scenarios: URLS },
    { title: 'The request', section: '4.1', scenarios: REQUESTS },
    { title: 'A response out of a stream', section: '4.1', scenarios: RESPONSES },
    { title: 'Is this a yes?', section: '4.1', scenarios: CHECKING },
    { title: 'A connection without a socket', section: '5.1', scenarios: CORE },
    { title: 'Its end', section: '7.1', scenarios: ENDING },
    { title: 'On a socket', section: '4.1', scenarios: SOCKETS },
    { title: 'The class that every browser has', section: '7.1', scenarios: WEBSOCKET },
    { title: 'Coming back', section: '7.2.3', scenarios: COMING_BACK },
    { title: 'The remote control of a debugger', section: '6.1', scenarios: DEVTOOLS },
  ],
};
