/** How `checkUpgrade` is checked, in steps 3 and 4. */
import { equal, fail, refusesWith } from '../../../shared/harness/check.ts';
import type { About } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import type { HandshakeError } from '../../../shared/protocol.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { type Change, drawRequest, headOf, RFC_REQUEST } from './requests.ts';

export type UpgradeScenario = Scenario<typeof Handshake>;

/** The changed request is accepted, and asks for this. */
export function accepts(
  rules: readonly number[],
  request: string,
  change: Change,
  expected: Partial<Handshake.Upgrade>,
): UpgradeScenario {
  const what = `Accept ${request}.`;
  return {
    what,
    rules,
    check: ({ checkUpgrade }) => {
      const lines = change(RFC_REQUEST);
      equal(() => checkUpgrade(headOf(lines)), expected, what, {
        given: [drawRequest(lines)],
        causeOfError: () => namesAsWritten(checkUpgrade, lines),
      });
    },
  };
}

/** Says so when the code finds the headers under the names that the request writes. */
function namesAsWritten(
  checkUpgrade: (typeof Handshake)['checkUpgrade'],
  lines: readonly string[],
): string {
  const head = headOf(lines);
  const headers = new Map(head.headers);
  for (const [name = ''] of lines.slice(1).map((line) => line.split(':'))) {
    headers.set(name, head.headers.get(name.toLowerCase()) ?? []);
  }
  checkUpgrade({ ...head, headers });
  return 'With the names as the request writes them, it is accepted. In `headers` they are in lower case, such as `sec-websocket-key`.';
}

/**
 * The changed request is refused with this status, and the headers that go with it. `accepting` is
 * why it would be accepted.
 */
export function refuses(
  status: number,
  rules: readonly number[],
  request: string,
  change: Change,
  accepting?: string,
): UpgradeScenario {
  const what = `Refuse ${request}.`;
  return {
    what,
    rules,
    check: ({ checkUpgrade }) => {
      const lines = change(RFC_REQUEST);
      const about = { given: [drawRequest(lines)], cause: () => accepting };
      const refuse = () => checkUpgrade(headOf(lines));
      saysWhatIsRight(refusesWith(status, refuse, what, about), about);
    },
  };
}

/** The headers that a status has to have, by HTTP. */
const NEEDED: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  405: { Allow: 'GET' },
  426: {
    'Sec-WebSocket-Version': '13',
    Upgrade: 'websocket',
    Connection: 'close, Upgrade',
  },
};

/** Checks that a refusal has the headers that its status has to have. */
export function saysWhatIsRight({ status, headers }: HandshakeError, about: About): void {
  const needed = NEEDED[status] ?? {};
  const missing = Object.entries(needed).filter(([name]) => {
    const items = itemsOf(headers, name);
    return !itemsOf(needed, name).every((item) => items.includes(item));
  });
  if (missing.length === 0) return;
  fail(`A ${status} has to say what would be right.`, [
    ...(about.given ?? []),
    ['its headers', show(headers)],
    ['missing', missing.map(([name, value]) => `${name}: ${value}`).join('\n')],
  ]);
}

/** The items of a header, in lower case. */
function itemsOf(headers: HandshakeError['headers'], name: string): string[] {
  return Object.entries(headers)
    .filter(([key]) => key.toLowerCase() === name.toLowerCase())
    .flatMap(([, value]) => String(value).toLowerCase().trim().split(/ *, */));
}
