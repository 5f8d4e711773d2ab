/** What `checkResponse` has to make of a response, told in the slow, obvious way. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { ResponseHead } from '../../../solutions/06-client/client.ts';
import { trimmed } from '../01-handshake/reader.ts';
import { drawHead } from '../01-handshake/requests.ts';
import { bytesOf, headOf, refusesOpening } from './response.ts';
import type { Lesson } from './tools.ts';

/** A response to check, and what the request had. */
export interface Answer {
  /** Its status line, then a header a line. */
  readonly lines: readonly string[];
  readonly key: string;
  /** The accept value of the key. */
  readonly accept: string;
  /** The subprotocols on offer. `undefined`: nothing is said about them. */
  readonly protocols?: readonly string[];
}

/** Tells what was called, and the response. */
function factsOf({ lines, key, protocols }: Answer): Fact[] {
  const parameters = ['head', 'key', ...(protocols ? [show(protocols)] : [])];
  return [
    ['call', `checkResponse(${parameters.join(', ')})`],
    ['the head', drawHead(bytesOf(lines)).join('\n')],
    ['the key', key],
  ];
}

/** What surrounds the check of an answer. */
interface Trial {
  /** Says why what should pass is refused, by trying something else. `undefined`: not known. */
  readonly causeOfRefusing?: (lesson: Lesson) => string | undefined;
  /** Says why what should be refused passes. */
  readonly causeOfAccepting?: string | undefined;
}

/** Checks that an answer is a yes, with this subprotocol. */
export function accepts(
  lesson: Lesson,
  answer: Answer,
  protocol: string | undefined,
  what: string,
  { causeOfRefusing }: Trial = {},
): void {
  equal(() => call(lesson, answer), protocol, what, {
    get given() {
      return factsOf(answer);
    },
    causeOfError: () => namesAsWritten(lesson, answer) ?? causeOfRefusing?.(lesson),
  });
}

/** Checks an answer with a head of its own, which has to stay as it is. */
function call(
  { checkResponse }: Lesson,
  { lines, key, protocols }: Answer,
  right = headOf(lines),
): string | undefined {
  const values = Array.from(right.headers, ([name, values]) => [name, [...values]] as const);
  const head = { ...right, headers: new Map(values) };
  try {
    return protocols ? checkResponse(head, key, protocols) : checkResponse(head, key);
  } finally {
    const left = 'Leave the head as it is: the error, or somebody else, still needs it.';
    equal(() => head, right, left, { label: 'the head afterwards' });
  }
}

/** Whether an answer is accepted. */
export function isAccepted(lesson: Lesson, answer: Answer): boolean {
  try {
    call(lesson, answer);
    return true;
  } catch {
    return false;
  }
}

/** Says so when the code finds the headers under the names that the response writes. */
function namesAsWritten({ checkResponse }: Lesson, { lines, key, protocols }: Answer) {
  const head = headOf(lines);
  const headers = new Map(head.headers);
  for (const [name = ''] of lines.slice(1).map((line) => line.split(':'))) {
    headers.set(name, head.headers.get(name.toLowerCase()) ?? []);
  }
  try {
    checkResponse({ ...head, headers }, key, protocols);
  } catch {
    return undefined;
  }
  return 'With the names as the response writes them, it is accepted. In `headers` they are in lower case, such as `sec-websocket-accept`.';
}

/** Checks that an answer is refused, and that the error has its status and its headers. */
export function refuses(
  lesson: Lesson,
  answer: Answer,
  what: string,
  { causeOfAccepting }: Trial = {},
): void {
  const about = {
    get given() {
      return factsOf(answer);
    },
    cause: () => causeOfAccepting,
  };
  const head = headOf(answer.lines);
  const { status, headers } = head;
  const error = refusesOpening(() => call(lesson, answer, head), what, about);
  if (error.status !== status) {
    fail('The error has the status of the response.', [
      ...about.given,
      ['its status', show(error.status)],
    ]);
  }
  if (same(error.headers, headers) && error.headers.size === headers.size) return;
  fail('The error has the headers of the response.', [
    ...about.given,
    ['its headers', show(error.headers)],
  ]);
}

/** Says which rule a response breaks. `undefined`: it is a yes. */
export function judge({ status, headers }: ResponseHead, answer: Answer): string | undefined {
  const lines = (name: string) => headers.get(name) ?? [];
  const { accept, protocols = [] } = answer;
  const [upgrade = '', ...upgrades] = lines('upgrade');
  const connection = lines('connection').flatMap((line) => line.split(',').map(trimmed));
  const [found, ...accepts] = lines('sec-websocket-accept');
  const [chosen, ...others] = lines('sec-websocket-protocol');
  if (status !== 101) return 'Refuse any status but 101.';
  if (upgrade.toLowerCase() !== 'websocket' || upgrades.length > 0) {
    return 'Refuse an Upgrade that is not `websocket` alone.';
  }
  if (!connection.some((item) => item.toLowerCase() === 'upgrade')) {
    return 'Refuse a Connection without the item `Upgrade`.';
  }
  if (found !== accept || accepts.length > 0) {
    return 'Refuse a response without the one right Sec-WebSocket-Accept.';
  }
  if (headers.has('sec-websocket-extensions')) return 'Refuse an extension that was not offered.';
  if (others.length > 0) return 'Refuse more than one subprotocol.';
  if (chosen === undefined && protocols.length > 0) {
    return 'Refuse a response that chooses none of the subprotocols.';
  }
  if (chosen !== undefined && !protocols.includes(chosen)) {
    return 'Refuse a subprotocol that was not offered.';
  }
  return undefined;
}

/** Compares what the code makes of an answer with what the judge does. */
export function compare(lesson: Lesson, answer: Answer): void {
  const head = headOf(answer.lines);
  const problem = judge(head, answer);
  const [protocol] = head.headers.get('sec-websocket-protocol') ?? [];
  if (problem !== undefined) refuses(lesson, answer, problem);
  else accepts(lesson, answer, protocol, 'Accept any response that keeps the rules.');
}
