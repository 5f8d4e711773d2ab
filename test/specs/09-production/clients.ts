/** Step 2: a connection, what its request says of where it comes from, and who it is. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
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

/** The first 64 bits of an IPv6 address, or an IPv4 address itself. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [before = '', after = ''] = address.split('::');
  const [head, tail] = [before, after].map((part) => part.split(':').filter((it) => it !== ''));
  const hidden = Array.from({ length: 8 - head!.length - tail!.length }, () => '0');
  return [...head!, ...hidden, ...tail!].slice(0, 4).join(':');
}

/** Checks that two addresses have the same key when they have the same first 64 bits, or two. */
export function expectKeys(
  { addressKey }: Lesson,
  addresses: readonly [string, string],
  what: string,
  cause?: string,
): void {
  const keys = addresses.map((address) => {
    const given: Fact[] = [['the address', address]];
    return attempt(() => addressKey(address), 'Any address has a key.', given);
  });
  const right = addresses.map((address) => {
    const network = networkOf(address);
    return show(network === address ? network : `${network}::/64`);
  });
  const isSame = right[0] === right[1];
  if (keys.every((key) => typeof key === 'string') && (keys[0] === keys[1]) === isSame) return;
  const wanted = isSame
    ? `the same for both, such as ${right[0]}`
    : `such as ${right.join(' and ')}`;
  fail(
    what,
    [
      ...addresses.map((address, i): Fact => [`of ${address}`, show(keys[i])]),
      ['expected', wanted],
    ],
    cause,
  );
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
