/** How `parseUrl` is checked. */
import { equal, throwsDOMException } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { quote } from '../../../shared/view/hex.ts';
import type { Target } from '../../../solutions/06-client/client.ts';
import type { Lesson } from './tools.ts';

/** The target of a URL that is in its usual form, unlike what can be seen there if need be. */
export function to(url: string, unlike: Partial<Target> = {}): Target {
  const [, scheme, hostHeader = '', resource = ''] = /^(wss?):\/\/([^/]*)(.*)$/.exec(url) ?? [];
  const secure = scheme === 'wss';
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(hostHeader) ?? [];
  return {
    url,
    secure,
    host,
    port: Number(port ?? (secure ? 443 : 80)),
    hostHeader,
    resource,
    ...unlike,
  };
}

/** Checks where a URL leads. */
export function leadsTo(
  { parseUrl }: Lesson,
  text: string,
  expected: Partial<Target>,
  what: string,
): void {
  equal(() => parseUrl(text), expected, what, {
    given: callOf(text),
    cause: (returned) => mistakeIn(returned, expected),
    causeOfError: notRefused,
  });
}

/** Checks that a URL is refused. */
export function refusesUrl({ parseUrl }: Lesson, text: string, what: string): void {
  throwsDOMException('SyntaxError', () => parseUrl(text), what, {
    given: callOf(text),
    cause: () => (/#$/.test(text) ? EMPTY_FRAGMENT : undefined),
    causeOfError: otherError,
  });
}

function callOf(text: string): Fact[] {
  return [['call', `parseUrl(${quote(text)})`]];
}

const EMPTY_FRAGMENT =
  'Of a `#` with nothing behind it, the `hash` of a URL is empty. It is still there in the `href`.';

/** Says whose error it is that was thrown in the place of the right one. `undefined`: not known. */
export function otherError(error: unknown): string | undefined {
  if (error instanceof SyntaxError) {
    return "This is the SyntaxError of JavaScript. That of a WebSocket is `new DOMException(message, 'SyntaxError')`.";
  }
  return isOfUrl(error)
    ? 'This is the error of `new URL`. That of a WebSocket is a DOMException named SyntaxError.'
    : undefined;
}

function isOfUrl(error: unknown): boolean {
  return error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL';
}

function notRefused(error: unknown): string | undefined {
  return isOfUrl(error) ? '`new URL` has been given another text than this one.' : undefined;
}

/** Names the mistake behind a field that is wrong. `undefined`: it is plain to see. */
function mistakeIn(returned: unknown, expected: Partial<Target>): string | undefined {
  if (returned === null || typeof returned !== 'object') return undefined;
  const { host, port, hostHeader, resource } = { ...expected, ...(returned as Partial<Target>) };
  if (host === `[${expected.host}]`) {
    return 'The brackets are for the URL and for the Host header. An address to connect to has none.';
  }
  if (port !== expected.port && (!port || String(port) !== `${Number(port)}`)) {
    return 'Of the port that is the usual one of the scheme, the `port` of a URL is empty text.';
  }
  if (typeof port === 'string') return '`port` is text. A port is a number.';
  if (
    hostHeader !== expected.hostHeader &&
    hostHeader === expected.hostHeader?.replace(/[[\]]/g, '')
  ) {
    return 'In the Host header, brackets are around an IPv6 address: without them, nobody could tell where the port begins.';
  }
  if (hostHeader !== expected.hostHeader && hostHeader === `${expected.hostHeader}:${port}`) {
    return 'This port is the usual one of the scheme, so the Host header leaves it out.';
  }
  if (hostHeader !== expected.hostHeader && expected.hostHeader === `${hostHeader}:${port}`) {
    return 'The Host header lacks the port. Of a URL, `hostname` is the name alone, and `host` has the port.';
  }
  if (resource !== expected.resource && expected.resource?.startsWith(`${resource}?`)) {
    return 'The query is missing. Of a URL, `pathname` is without it: it is in `search`.';
  }
  if (resource === expected.resource?.slice(1) && !resource?.startsWith('/')) {
    return 'Without a path, the resource is a slash, and behind it the query.';
  }
  if (resource === `${expected.resource}?`) {
    return 'A query that is empty is none: `search` leaves out a `?` with nothing behind it.';
  }
  return /%/.test(expected.resource ?? '') && resource === decodeURI(expected.resource ?? '')
    ? 'What was escaped has been decoded. A request carries it as it is in the URL.'
    : undefined;
}
