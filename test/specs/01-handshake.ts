import type { Spec } from '../../shared/harness/spec.ts';
import type * as Handshake from '../../solutions/01-handshake/handshake.ts';
import { ACCEPT_KEY } from './01-handshake/accept-key.ts';
import { CHOICES } from './01-handshake/choices.ts';
import { PARSING } from './01-handshake/parsing.ts';
import { RESPONSES } from './01-handshake/responses.ts';
import { UPGRADE } from './01-handshake/upgrade.ts';

export const spec: Spec<typeof Handshake> = {
  lesson: '01-handshake',
  steps: [
    { title: 'The accept key', section: '4.2.2', scenarios: ACCEPT_KEY },
    { title: 'A request out of a stream', section: '4.2.1', scenarios: PARSING },
    { title: 'Is this a WebSocket request?', section: '4.2.1', scenarios: UPGRADE },
    { title: 'Saying yes, saying no', section: '4.2.2', scenarios: RESPONSES },
    { title: 'What the server chooses', section: '4.2.2', scenarios: CHOICES },
  ],
};
