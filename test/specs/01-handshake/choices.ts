/** Step 6: what the server chooses. */
import { equal, refusesWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { RFC_UPGRADE } from './requests.ts';

type ChoiceScenario = Scenario<typeof Handshake>;

/** What the server is asked for, where that is not what the request of the standard asks for. */
type Wish = Partial<Handshake.Upgrade>;

/** A call of `negotiate` with objects that no other call has seen, and how it is told. */
function prepare({ negotiate }: typeof Handshake, policy: Handshake.Policy, wish: Wish) {
  const request = structuredClone({ ...RFC_UPGRADE, ...wish });
  const allowed = structuredClone(policy);
  const given: Fact[] = [
    ['request', show(request)],
    ['policy', show(allowed)],
  ];
  const choose = () => negotiate(request, allowed);
  return { choose, about: { given } };
}

/** The request is accepted, with this subprotocol or none. */
function chooses(
  rules: readonly number[],
  what: string,
  expected: string | undefined,
  policy: Handshake.Policy,
  wish: Wish = {},
): ChoiceScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      const { choose, about } = prepare(lesson, policy, wish);
      equal(choose, expected, what, about);
    },
  };
}

/** The request is refused with this status. */
function refuses(
  rules: readonly number[],
  what: string,
  status: number,
  policy: Handshake.Policy,
  wish: Wish,
): ChoiceScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      const { choose, about } = prepare(lesson, policy, wish);
      refusesWith(status, choose, what, about);
    },
  };
}

const SUBPROTOCOLS: readonly ChoiceScenario[] = [
  chooses([49], 'Choose what both speak.', 'superchat', { protocols: ['superchat'] }),
  chooses([49, 50], 'No common subprotocol, so none.', undefined, { protocols: ['mqtt'] }),
  chooses([49], 'The client’s first choice wins.', 'chat', { protocols: ['superchat', 'chat'] }),
  chooses([50], 'The server speaks none.', undefined, {}),
  chooses([49, 50], 'None was offered.', undefined, { protocols: ['chat'] }, { protocols: [] }),
  chooses([49], 'Case matters in names.', undefined, { protocols: ['Chat'] }),
];

const SITE: Handshake.Policy = { origins: ['https://good.example'] };

const ORIGINS: readonly ChoiceScenario[] = [
  chooses([147], 'Its own page may call.', undefined, SITE, { origin: 'https://good.example' }),
  chooses([42], 'Accept a client that sends no Origin: it isn’t a browser.', undefined, SITE, {
    origin: undefined,
  }),
  chooses(
    [],
    'Without a list, every page may call.',
    undefined,
    {},
    { origin: 'https://a.example' },
  ),
  ...[
    'https://evil.example',
    'https://good.example.evil.test',
    'https://evil-good.example',
    'http://good.example',
    'https://good.example:8443',
    'null',
  ].map((origin) =>
    refuses([46, 147], `Origin ${origin} is not on the list, so it may not call.`, 403, SITE, {
      origin,
    }),
  ),
  refuses([46, 147], 'Case matters in an Origin: `https://GOOD.example` is another.', 403, SITE, {
    origin: 'https://GOOD.example',
  }),
  refuses([46, 147], 'An empty Origin is an Origin, and not on the list.', 403, SITE, {
    origin: '',
  }),
  refuses([46, 147], 'With an empty list, no page may call.', 403, { origins: [] }, {}),
];

const CHAT: Handshake.Policy = { paths: ['/chat'] };

const PATHS: readonly ChoiceScenario[] = [
  chooses([48], 'The path exists.', undefined, CHAT),
  chooses([48], 'The query isn’t part of the path.', undefined, CHAT, { resource: '/chat?room=1' }),
  refuses([48], 'There is no path `/chatter`.', 404, CHAT, { resource: '/chatter' }),
  refuses([48], 'There is no path `/`.', 404, CHAT, { resource: '/' }),
  refuses([48], 'There is no path `/chat/`.', 404, CHAT, { resource: '/chat/' }),
  refuses([48], 'There is no path `/%63hat`: nothing is decoded.', 404, CHAT, {
    resource: '/%63hat',
  }),
  refuses([48], 'With an empty list, there is no path at all.', 404, { paths: [] }, {}),
];

export const CHOICES: readonly ChoiceScenario[] = [...SUBPROTOCOLS, ...ORIGINS, ...PATHS];
