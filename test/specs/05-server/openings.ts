/** Requests that nobody wrote: step 1 responds to each, and throws at none. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { join } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import type { Lesson } from './core.ts';

/** Targets that a client may ask for. `new URL` throws at the last ones. */
const TARGETS = ['/', '/chat?room=1', '/%41', '/a?b=%', '//', '//[', '//x:y/'];
const LINES = ['X-Any: a, b', 'Accept-Language: zh', 'Cookie: a=b; c=d'];
const HANDSHAKE = [
  'Host: server.example.com',
  'Upgrade: websocket',
  'Connection: keep-alive, Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];
const REST_SIZES = [0, 1, 7, 125, 1024, 1025, 4096, 40_000];
const REST = Uint8Array.from({ length: 40_000 }, (_, i) => i % 251);

interface Head {
  readonly text: string;
  readonly target: string;
  /** Does it keep every rule? */
  readonly isLegal: boolean;
}

function drawHead(choose: Choices): Head {
  const target = choose.pick(TARGETS);
  const more = choose.list(3, () => choose.pick(LINES));
  // One line is missing, or none is.
  const missing = choose.below(HANDSHAKE.length * 2) - HANDSHAKE.length;
  const lines = HANDSHAKE.filter((_, i) => i !== missing);
  const at = choose.below(lines.length + 1);
  const head = [`GET ${target} HTTP/1.1`, ...lines.toSpliced(at, 0, ...more), '', ''];
  return { text: head.join('\r\n'), target, isLegal: missing < 0 };
}

/** Opens with a drawn request that has arrived in part, or with more behind it. */
function opens({ openingHandshake }: Lesson, choose: Choices): void {
  const { text, target, isLegal } = drawHead(choose);
  const head = Buffer.from(text, 'latin1');
  const size = choose.pick(REST_SIZES);
  const rest = REST.subarray(0, size);
  const given: Fact[] = [['the head', show(text)]];

  const cut = choose.below(head.length);
  const part = head.subarray(0, cut);
  equal(() => openingHandshake(part), undefined, 'A head that is not whole: wait.', {
    given: [...given, ['arrived', `${cut} of ${head.length} bytes`]],
  });
  const call = () => openingHandshake(join(head, rest));
  const opening = attempt(call, 'Nothing is thrown for what came from the network.', given);
  given.push(['behind it', `${size} bytes`]);
  equal(() => opening?.accepted, isLegal, 'Accept what keeps every rule, only.', {
    given,
    label: '`accepted` is',
  });
  if (!opening?.accepted) return;
  const label = '`upgrade.resource` is';
  equal(() => opening.upgrade.resource, target, 'Say what was asked for.', { given, label });
  if (Buffer.compare(opening.rest, rest) === 0) return;
  const facts = [...given, ['`rest` has', `${opening.rest.length} bytes`] as const];
  fail('All that came behind the head is kept.', facts);
}

/** Step 1. */
export const ANY_OPENING: Scenario<Lesson> = {
  what: 'Any request gets a response, whatever arrives behind it.',
  rules: [35, 44],
  check: (lesson) => generated(30, (choose) => opens(lesson, choose)),
};
