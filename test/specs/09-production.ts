/** The checks of lesson 09, step by step. */
import type { Spec } from '../../shared/harness/spec.ts';
import { ADDRESSES } from './09-production/addresses.ts';
import { CLIENT_SESSION } from './09-production/client-session.ts';
import { FRONT } from './09-production/front.ts';
import { GATE } from './09-production/gate.ts';
import { HISTORY } from './09-production/history.ts';
import { LEAVING } from './09-production/leaving.ts';
import { LIMITS } from './09-production/limits.ts';
import { LOGIN } from './09-production/login.ts';
import { MEMORY_BUS } from './09-production/memory-bus.ts';
import { PROXY_HEADER } from './09-production/proxy-header.ts';
import { SERVER_SESSION } from './09-production/server-session.ts';
import { STREAM_BUS } from './09-production/stream-bus.ts';
import type { Lesson } from './09-production/tools.ts';

export const spec: Spec<Lesson> = {
  lesson: '09-production',
  steps: [
    { title: 'How often, and how many', section: '10.4', scenarios: LIMITS },
    { title: 'Who is it?', section: '10.4', scenarios: ADDRESSES },
    { title: 'What a proxy says first', section: '10.4', scenarios: PROXY_HEADER },
    { title: 'What a page can send', section: '10.5', scenarios: LOGIN },
    { title: 'A history', section: '7.2.3', scenarios: HISTORY },
    { title: 'A client in its room', section: '7.2.3', scenarios: SERVER_SESSION },
    { title: 'A room that outlives connections', section: '7.2.3', scenarios: CLIENT_SESSION },
    { title: 'The gate', section: '4.2.2', scenarios: GATE },
    { title: 'TLS, and a proxy in front', section: '10.6', scenarios: FRONT },
    { title: 'One process', section: '7.2.3', scenarios: MEMORY_BUS },
    { title: 'Many processes', section: '7.2.3', scenarios: STREAM_BUS },
    { title: 'A server that can leave', section: '7.4.1', scenarios: LEAVING },
  ],
};
