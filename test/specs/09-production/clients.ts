/** Step 2: a connection, what its request says of where it comes from, and who it is. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Proxies } from '../../../solutions/09-production/production.ts';
import type { Lesson } from './tools.ts';

/** A header that says where a request comes from. */
export type Header = Proxies['header'];

/** A connection, and who it is. */
export interface Came {
  /** The peer of the TCP connection. */
  readonly peer: string | undefined;
  /** The lines of headers, the first one first. */
  readonly lines: Readonly<Partial<Record<Header, readonly string[]>>>;
  /** The header that our proxies write. `undefined`: there are none. Absent: X-Forwarded-For. */
  readonly proxies?: Header | undefined;
  readonly is: string | undefined;
  /** Who it may be as well. */
  readonly or?: string;
}

/** Says whether an address is that of a proxy of ours, as it is when `parseAddress` returns it. */
export function isOurs(address: string): boolean {
  return /^10\.0\.0\.\d+$/.test(address) || address === 'fd00::1';
}

/** Checks who it is. */
export function expectClient(lesson: Lesson, came: Came, what: string, cause?: string): void {
  const { peer, lines, is, or } = came;
  const header = 'proxies' in came ? came.proxies : 'x-forwarded-for';
  const headers = new Map(Object.entries(lines).map(([name, values]) => [name, [...values]]));
  const asked: unknown[] = [];
  const trusts = (address: string) => {
    asked.push(address);
    return isOurs(address);
  };
  const proxies = header && { header, trusts };
  const told = Object.entries(lines).flatMap(([name, values]) =>
    values.map((value): Fact => ['a header', `${name}: ${value}`]),
  );
  const given: Fact[] = [
    ['the peer', show(peer)],
    ...told,
    ['our proxies', header ? `10.0.0.x and fd00::1, with ${header}` : 'none'],
  ];
  const call = () => {
    const client = lesson.clientAddress(peer, headers, proxies);
    return or !== undefined && client === or ? is : client;
  };
  equal(call, is, what, { given, cause: () => cause });
  equal(() => asked.includes(undefined), false, 'Only an address can be that of a proxy.', {
    given,
    label: '`trusts` was called with `undefined`',
  });
  // Not changed, whoever reads it next.
  const after = Object.fromEntries(headers);
  equal(() => after, lines, 'The headers stay as they are.', { given, label: 'then they were' });
}
