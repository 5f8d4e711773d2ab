/** Step 1, with URLs that nobody thought of, put together from parts whose meaning is known. */

import { utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import type { Target } from '../../../solutions/06-client/client.ts';
import { leadsTo, refusesUrl } from './targets.ts';
import type { Scenarios } from './tools.ts';

/** A part of a URL, and what it means. `undefined`: the URL is refused. */
type Part = readonly [text: string, meaning: string | undefined];

const SCHEMES: readonly Part[] = [
  ['ws', 'ws'],
  ['wss', 'wss'],
  ['WS', 'ws'],
  ['wSs', 'wss'],
  ['http', 'ws'],
  ['HTTPS', 'wss'],
  ['ftp', undefined],
  ['w', undefined],
  ['wss2', undefined],
];
const SLASHES = ['//', '', '/', '///', '\\\\', '/\\'];
const USERS: readonly Part[] = [
  ['', ''],
  ['user@', 'user@'],
  ['user:pass@', 'user:pass@'],
  ['a%40b:@', 'a%40b@'],
  [':@', ''],
];
const HOSTS: readonly Part[] = [
  ['h', 'h'],
  ['EXAMPLE.com', 'example.com'],
  ['h.', 'h.'],
  ['a_b', 'a_b'],
  ['[::1]', '[::1]'],
  ['[2001:DB8:0:0::1]', '[2001:db8::1]'],
  ['127.1', '127.0.0.1'],
  ['%61b', 'ab'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['a b', undefined],
  ['a<b', undefined],
  ['::1', undefined],
  ['[::1', undefined],
];
const PORTS: readonly Part[] = [
  ['', ''],
  [':', ''],
  [':80', '80'],
  [':443', '443'],
  [':8080', '8080'],
  [':00443', '443'],
  [':0', '0'],
  [':65535', '65535'],
  [':65536', undefined],
  [':-1', undefined],
  [':8a', undefined],
];
const PATH_PIECES = ['/', 'a', '.', '..', '%2e', '\\', 'B', '%41', '%zz', ' ', '"', '{', 'é', '😀'];
const QUERY_PIECES = ['x=1', '&', '?', '/', '..', '%23', '%zz', ' ', "'", '"', '`', '{', 'é', '\\'];
/** What is taken out of a URL wherever it is. */
const INVISIBLE = ['\t', '\n', '\r\n'];

/** A URL, and what it means. */
interface Drawn {
  readonly text: string;
  /** Where it leads. `undefined`: nowhere. */
  readonly target: Target | undefined;
}

/** Draws a URL, right or wrong. */
export function drawUrl(choose: Choices): Drawn {
  const [scheme, user, host, port] = [SCHEMES, USERS, HOSTS, PORTS].map((parts) =>
    choose.pick(parts),
  ) as [Part, Part, Part, Part];
  const pieces = choose.list(6, () => choose.pick(PATH_PIECES)).join('');
  const path = pieces === '' ? '' : `/${pieces}`;
  const query = choose.oneIn(2)
    ? choose.list(4, () => choose.pick(QUERY_PIECES)).join('')
    : undefined;
  const fragment = choose.oneIn(8) ? choose.pick(['', 'a', '?x', '#']) : undefined;
  const authority = user[0] + host[0] + port[0];
  const rest = path + (query === undefined ? '' : `?${query}`);
  const text = `${scheme[0]}:${choose.pick(SLASHES)}${authority}${rest}`;
  const [secure, name, number] = [scheme[1] === 'wss', host[1], port[1]];
  if (
    scheme[1] === undefined ||
    name === undefined ||
    number === undefined ||
    fragment !== undefined
  ) {
    return { text: fragment === undefined ? text : `${text}#${fragment}`, target: undefined };
  }
  const usual = secure ? '443' : '80';
  const hostHeader = number === '' || number === usual ? name : `${name}:${number}`;
  // At the end of a URL, spaces are no part of it.
  const [pathEnd, queryEnd] = [query === undefined ? path.trimEnd() : path, query?.trimEnd()];
  const before = `${scheme[1]}://${user[1]}${hostHeader}${normalPath(pathEnd)}`;
  const search = queryEnd ? `?${encoded(queryEnd, ' "#<>\'')}` : '';
  return {
    text,
    target: {
      url: before + (queryEnd === '' ? '?' : search),
      secure,
      host: name.replaceAll(/[[\]]/g, ''),
      port: Number(number === '' ? usual : number),
      hostHeader,
      resource: normalPath(pathEnd) + search,
    },
  };
}

/** Writes a path the usual way: with slashes, without dots, and encoded. */
function normalPath(path: string): string {
  const names = path.replaceAll('\\', '/').split('/').slice(1);
  const kept: string[] = [];
  for (const [i, name] of names.entries()) {
    const dots = name.replaceAll('%2e', '.');
    if (dots === '..') kept.pop();
    if (dots !== '..' && dots !== '.') kept.push(encoded(name, ' "#<>?`{}'));
    else if (i === names.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** Writes these characters, and all that isn't ASCII, with a % and two digits for each byte. */
function encoded(text: string, characters: string): string {
  const encode = (character: string) =>
    Array.from(utf8(character), (byte) => `%${byte.toString(16).toUpperCase()}`).join('');
  return Array.from(text, (it) => (it > '~' || characters.includes(it) ? encode(it) : it)).join('');
}

/** Puts what is taken out again into a URL. */
function hideIn(choose: Choices, text: string): string {
  const characters = Array.from(text);
  const at = choose.below(characters.length);
  return (
    choose.pick(['', ' ', '  ']) + characters.toSpliced(at, 0, choose.pick(INVISIBLE)).join('')
  );
}

export const ANY_URL: Scenarios[number] = {
  what: 'Any URL, right or wrong.',
  rules: [1, 2, 3, 4, 6],
  check: (lesson) => {
    generated(150, (choose) => {
      const { text, target } = drawUrl(choose);
      const noisy = choose.oneIn(4) ? hideIn(choose, text) : text;
      if (target) leadsTo(lesson, noisy, target, 'Any URL leads where its parts say.');
      else refusesUrl(lesson, noisy, 'Refuse any URL that has a part which cannot be.');
    });
  },
};
