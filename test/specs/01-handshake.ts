import type { Spec } from '../../shared/harness/spec.ts';
import type * as Handshake from '../../solutions/01-handshake/handshake.ts';
import { ACCEPT_KEY } from './01-handshake/accept-key.ts';
import { CHOICES } from './01-handshake/choices.ts';
import { ANY_CHOICES } from './01-handshake/generated-choices.ts';
import { ANY_HEADS } from './01-handshake/generated-heads.ts';
import { ANY_RESPONSES } from './01-handshake/generated-responses.ts';
import { ANY_UPGRADES } from './01-handshake/generated-upgrades.ts';
import { ANY_WEBSOCKET_HEADERS } from './01-handshake/generated-websocket-headers.ts';
import { PARSING } from './01-handshake/parsing.ts';
import { RESPONSES } from './01-handshake/responses.ts';
import { UPGRADE } from './01-handshake/upgrade.ts';
import { WEBSOCKET_HEADERS } from './01-handshake/websocket-headers.ts';

export const spec: Spec<typeof Handshake> = {
  lesson: '01-handshake',
  steps: [
    { title: 'The accept key', section: '4.2.2', scenarios: ACCEPT_KEY },
    { title: 'A request out of a stream', section: '4.2.1', scenarios: [...PARSING, ...ANY_HEADS] },
    {
      title: 'Is this a WebSocket request?',
      section: '4.2.1',
      scenarios: [...UPGRADE, ...ANY_UPGRADES],
    },
    {
      title: 'The headers of WebSocket',
      section: '4.2.1',
      scenarios: [...WEBSOCKET_HEADERS, ...ANY_WEBSOCKET_HEADERS],
    },
    {
      title: 'Saying yes, saying no',
      section: '4.2.2',
      scenarios: [...RESPONSES, ...ANY_RESPONSES],
    },
    { title: 'What the server chooses', section: '4.2.2', scenarios: [...CHOICES, ...ANY_CHOICES] },
  ],
};
