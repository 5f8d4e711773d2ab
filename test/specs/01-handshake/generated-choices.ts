/** Step 6, with policies and requests that nobody thought of. */
import { equal, refusesWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { RFC_UPGRADE } from './requests.ts';

type ChoiceScenario = Scenario<typeof Handshake>;

const PATHS = [
  '/chat',
  '/',
  '/chat/',
  '/Chat',
  '/chat/room',
  '//chat',
  '/chat/.',
  '/%63hat',
  '/[',
  '//[',
];
const QUERIES = ['', '?', '?room=1', '?/chat', '??', '?a=http://h/?b', '?x=/../chat'];
const ORIGINS = ['https://good.example', 'https://GOOD.example', 'HTTPS://good.example'].concat(
  ['https://good.example:443', 'https://good.example/', 'http://good.example', 'null', ''],
  ['https://good.example.', 'https://a.good.example', 'https://good.exampl', ' '],
);
const NAMES = ['chat', 'Chat', 'superchat', 'cha', 'v12.stomp', 'mqtt'];

/** Draws a list without repeats, of some of the items. `undefined`: there is none. */
function drawList(choose: Choices, items: readonly string[]): string[] | undefined {
  if (!choose.oneIn(2)) return undefined;
  return [...new Set(choose.list(4, () => choose.pick(items)))];
}

function drawPolicy(choose: Choices): Handshake.Policy {
  const [paths, origins, protocols] = [
    drawList(choose, PATHS),
    drawList(choose, ORIGINS),
    drawList(choose, NAMES),
  ];
  return { ...(paths && { paths }), ...(origins && { origins }), ...(protocols && { protocols }) };
}

function drawUpgrade(choose: Choices): Handshake.Upgrade {
  return {
    key: RFC_UPGRADE.key,
    resource: choose.pick(PATHS) + choose.pick(QUERIES),
    origin: choose.pick([undefined, ...ORIGINS]),
    protocols: drawList(choose, NAMES) ?? [],
  };
}

/** The slow, obvious way: a status to refuse with, or the subprotocol. */
function decide({ resource, origin, protocols }: Handshake.Upgrade, policy: Handshake.Policy) {
  let path = '';
  for (const character of resource) {
    if (character === '?') break;
    path += character;
  }
  const isIn = (list: readonly string[], wanted: string) => list.some((item) => item === wanted);
  const statuses: number[] = [];
  if (policy.paths && !isIn(policy.paths, path)) statuses.push(404);
  if (policy.origins && origin !== undefined && !isIn(policy.origins, origin)) statuses.push(403);
  return { statuses, protocol: protocols.filter((name) => isIn(policy.protocols ?? [], name))[0] };
}

const ANY_REQUESTS: ChoiceScenario = {
  what: 'Any policy, and any requests one after the other.',
  rules: [42, 46, 48, 49, 50, 147],
  check: ({ negotiate }) => {
    generated(150, (choose) => {
      const policy = drawPolicy(choose);
      const copy = structuredClone(policy);
      for (let i = choose.below(3); i >= 0; i--) {
        const upgrade = drawUpgrade(choose);
        const { statuses, protocol } = decide(upgrade, copy);
        const about = {
          get given(): Fact[] {
            return [
              ['request', show(upgrade)],
              ['policy', show(copy)],
            ];
          },
          causeOfError: (error: unknown) => {
            if (!(error instanceof HandshakeError) || statuses.length === 0) return undefined;
            return statuses[0] === 404
              ? 'It is the path that is not on its list.'
              : 'It is the Origin that is not on its list.';
          },
        };
        // What is told is not what the code has had in its hands.
        const asked = { ...upgrade, protocols: [...upgrade.protocols] };
        const call = () => negotiate(asked, policy);
        const [status] = statuses;
        if (status === undefined) {
          const told =
            'Accept a request that the policy allows, with the first subprotocol that both speak.';
          equal(call, protocol, told, about);
          const again = 'The same request gets the same response again.';
          equal(call, protocol, again, about);
        } else if (statuses.length === 1) {
          const told =
            status === 404
              ? 'Refuse every path that is not on the list, character by character.'
              : 'Refuse every Origin that is not on the list, character by character.';
          refusesWith(status, call, told, about);
        }
      }
    });
  },
};

export const ANY_CHOICES: readonly ChoiceScenario[] = [ANY_REQUESTS];
