/** Step 1: a request gets a response, and what came behind it is kept. */
import { attempt, equal, fail, refusesWith, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { fromClient, join, utf8 } from '../../../shared/kit/frames.ts';
import { request } from '../../../shared/kit/peer.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import type { Policy } from '../../../solutions/01-handshake/handshake.ts';
import type { Accepted } from '../../../solutions/05-server/server.ts';
import { RFC_ACCEPT } from '../../vectors/accept.ts';
import { type Lesson, NOTHING, type Scenarios, Text } from './core.ts';

const SAMPLE = request('/chat?room=1', 'Origin: http://example.com', 'X-Unknown: yes');
const OFFER = request('/', 'Sec-WebSocket-Protocol: soap, chat');
const ENDLESS = utf8(`GET / HTTP/1.1\r\nX: ${'x'.repeat(100)}`);

/** The sample request with something else in one place. */
export function sampleWith(found: string, replacement: string): Uint8Array {
  return utf8(Buffer.from(SAMPLE).toString('latin1').replace(found, replacement));
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');

/** Opens with a request that keeps every rule. */
function accepted(
  { openingHandshake }: Lesson,
  what: string,
  bytes = SAMPLE,
  policy?: Policy,
  given: readonly Fact[] = [],
): Accepted {
  const opening = attempt(() => openingHandshake(bytes, policy), what);
  equal(() => opening?.accepted, true, 'Accept a request that keeps every rule.', {
    given: [['arrived', show(textOf(bytes))], ...given],
    label: '`accepted` is',
  });
  return opening as Accepted;
}

/** Opens with a request behind which frames came in the same read. */
function keepsRest(lesson: Lesson, rest: Uint8Array): void {
  const what = 'Accept a request, and keep what came behind it.';
  const given: Fact[] = [['behind the head', show(rest)]];
  const opening = accepted(lesson, what, join(SAMPLE, rest), undefined, given);
  equal(() => opening.rest, rest, what, {
    given,
    label: '`rest` is',
    cause: () =>
      'Not every client waits for the response, and a read can bring more than the head.',
  });
}

/** A request that is refused with a status, and what the policy or the limit has to say. */
function refusal(
  what: string,
  bytes: Uint8Array,
  status: number,
  rules: readonly number[],
  policy?: Policy,
  maxHeadBytes?: number,
): Scenario<Lesson> {
  const title = `Refuse ${what}.`;
  return {
    what: title,
    rules,
    check({ openingHandshake }) {
      let opening: ReturnType<typeof openingHandshake>;
      const isAccepted = () => {
        opening = openingHandshake(bytes, policy, maxHeadBytes);
        return opening?.accepted;
      };
      equal(isAccepted, false, title, {
        given: [
          ['arrived', show(textOf(bytes))],
          ...(policy ? [['policy', show(policy)] as const] : []),
          ...(maxHeadBytes ? [['maxHeadBytes', `${maxHeadBytes}`] as const] : []),
        ],
        label: '`accepted` is',
        cause: (actual) => causeOfAccepting(actual, policy, maxHeadBytes),
        causeOfError: (error) => causeOfAccepting(error, policy, maxHeadBytes),
      });
      if (!opening || opening.accepted) return;
      const { error, answer } = opening;
      const raise = () => {
        throw error;
      };
      refusesWith(status, raise, title);
      if (textOf(answer).startsWith(`HTTP/1.1 ${status} `)) return;
      fail(`Respond with the status of the error, ${status}.`, [['answer', show(textOf(answer))]]);
    },
  };
}

function causeOfAccepting(
  actual: unknown,
  policy: Policy | undefined,
  maxHeadBytes: number | undefined,
): string | undefined {
  if (actual instanceof HandshakeError) {
    return 'A bad request has a response of its own: catch the error.';
  }
  if (actual === true && policy) return 'Does the policy reach `negotiate`?';
  return actual === undefined && maxHeadBytes ? 'Does the limit reach `parseRequest`?' : undefined;
}

export const OPENING: Scenarios = [
  {
    what: 'A head that is not whole is waited for.',
    rules: [],
    check({ openingHandshake }) {
      for (let length = 0; length < SAMPLE.length; length++) {
        const part = SAMPLE.subarray(0, length);
        equal(() => openingHandshake(part), undefined, 'A head that is not whole: wait.', {
          given: [['arrived', `${length} of ${SAMPLE.length} bytes`]],
        });
      }
    },
  },
  {
    what: 'A request that keeps every rule is accepted.',
    rules: [44],
    check(lesson) {
      const opening = accepted(lesson, 'Accept a request, and keep what came behind it.');
      equal(() => opening.rest, NOTHING, 'Accept a request, and keep what came behind it.', {
        given: [['behind the head', show(NOTHING)]],
        label: '`rest` is',
      });
    },
  },
  {
    what: 'What came behind the head is kept.',
    rules: [],
    check: (lesson) => keepsRest(lesson, fromClient(Text, 'Hello')),
  },
  {
    what: 'Say what was asked for.',
    rules: [44],
    check(lesson) {
      const { upgrade } = accepted(lesson, 'Say what was asked for.');
      equal(
        () => upgrade,
        { resource: '/chat?room=1', origin: 'http://example.com', protocols: [] },
        'Say what was asked for.',
        { given: [['arrived', show(textOf(SAMPLE))]], label: '`upgrade` is' },
      );
    },
  },
  {
    what: 'Nobody has offered a subprotocol, so none is chosen.',
    rules: [44],
    check(lesson) {
      const { protocol } = accepted(lesson, 'Nobody has offered a subprotocol.');
      const label = '`protocol` is';
      equal(() => protocol, undefined, 'Nobody has offered a subprotocol.', { label });
    },
  },
  {
    what: 'The response is that of lesson 01.',
    rules: [44],
    check(lesson) {
      const answer = textOf(accepted(lesson, 'The response is that of lesson 01.').answer);
      for (const line of ['HTTP/1.1 101 ', `\r\nSec-WebSocket-Accept: ${RFC_ACCEPT}\r\n`]) {
        if (!answer.includes(line))
          fail('The response is that of lesson 01.', [['answer', answer]]);
      }
    },
  },
  {
    what: 'Choose a subprotocol.',
    rules: [44],
    check({ openingHandshake }) {
      const chosen = () => openingHandshake(OFFER, { protocols: ['chat'] });
      equal(chosen, { accepted: true, protocol: 'chat' }, 'Choose a subprotocol.', {
        given: [
          ['offered', 'soap, chat'],
          ['spoken', 'chat'],
        ],
        cause: (actual) =>
          (actual as Partial<Accepted> | undefined)?.accepted
            ? 'Does the policy reach `negotiate`?'
            : undefined,
      });
    },
  },
  {
    what: 'The response says which subprotocol was chosen.',
    rules: [44],
    check(lesson) {
      const what = 'The response says which subprotocol was chosen.';
      const answer = textOf(accepted(lesson, what, OFFER, { protocols: ['chat'] }).answer);
      if (/\r\nSec-WebSocket-Protocol: *chat\r\n/i.test(answer)) return;
      fail(what, [['answer', show(answer)]], 'Does it reach `acceptResponse`?');
    },
  },
  {
    what: 'A bug of ours is not a bad request: let it out.',
    rules: [],
    check({ openingHandshake }) {
      const bug = {
        get protocols(): never {
          throw new TypeError('a bug of ours');
        },
      };
      const open = () => openingHandshake(OFFER, bug);
      throws(TypeError, open, 'A bug of ours is not a bad request: let it out.', {
        given: [['the policy', 'throws']],
        cause: () => 'Catch what is a `HandshakeError`, and throw everything else on.',
      });
    },
  },
  refusal('another method', sampleWith('GET', 'POST'), 405, [35]),
  refusal('another version', sampleWith('Version: 13', 'Version: 8'), 426, [35]),
  refusal('no key', sampleWith('Sec-WebSocket-Key', 'X-Key'), 400, [35]),
  refusal('something that is not HTTP', utf8('hello there\r\n\r\n'), 400, [35]),
  refusal('an unknown path', SAMPLE, 404, [48], { paths: ['/echo'] }),
  refusal('an origin that is not welcome', SAMPLE, 403, [46], {
    origins: ['https://good.example'],
  }),
  refusal('a head beyond the limit', ENDLESS, 431, [35], {}, 64),
  {
    what: 'A head within the limit may go on.',
    rules: [],
    check({ openingHandshake }) {
      const open = () => openingHandshake(ENDLESS, {}, 1000);
      equal(open, undefined, 'A head within the limit may go on.', {
        given: [
          ['arrived', show(textOf(ENDLESS))],
          ['maxHeadBytes', '1000'],
        ],
      });
    },
  },
];
