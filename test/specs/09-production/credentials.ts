/** Step 4: who shows what, in a request. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import type { Credential } from '../../../solutions/09-production/production.ts';
import type { Lesson, Scenarios } from './tools.ts';

type LoginScenario = Scenarios[number];

/** What a request has that may show who is asking. */
interface Shown {
  readonly target?: string;
  /** The lines of Sec-WebSocket-Protocol. */
  readonly protocols?: readonly string[];
  /** The lines of Cookie. */
  readonly cookies?: readonly string[];
}

/** What is shown, written with the names that a file has for it, and what it comes to. */
type Row = (
  names: Pick<Lesson, 'COOKIE' | 'TOKEN_PREFIX'>,
) => readonly [shown: Shown, expected: Credential | undefined];

function expectCredential(
  { credentialOf }: Lesson,
  shown: Shown,
  expected: Credential | undefined,
  what: string,
  cause?: string,
): void {
  const { target = '/chat', protocols = [], cookies = [] } = shown;
  const headers = new Map<string, string[]>([['host', ['example.com']]]);
  if (protocols.length > 0) headers.set('sec-websocket-protocol', [...protocols]);
  if (cookies.length > 0) headers.set('cookie', [...cookies]);
  const given: Fact[] = [
    ['the target', target],
    ...protocols.map((line): Fact => ['a header', `Sec-WebSocket-Protocol: ${line}`]),
    ...cookies.map((line): Fact => ['a header', `Cookie: ${line}`]),
  ];
  const why = () => cause;
  equal(() => credentialOf({ target, headers }), expected, what, {
    given,
    cause: why,
    causeOfError: why,
  });
}

/** Each of these shows that. */
function shows(what: string, rows: readonly Row[], cause?: string): LoginScenario {
  return {
    what,
    rules: [],
    check: (lesson) => {
      for (const row of rows) {
        const [shown, expected] = row(lesson);
        expectCredential(lesson, shown, expected, what, cause);
      }
    },
  };
}

/** Encodes the value of a token. */
const inBase64 = (text: string) => Buffer.from(text).toString('base64url');

const ticket = (value: string): Credential => ({ kind: 'ticket', value });
const token = (value: string): Credential => ({ kind: 'token', value });
const cookie = (value: string): Credential => ({ kind: 'cookie', value });

const OF_TICKETS: readonly LoginScenario[] = [
  shows('Without any of it, nobody shows who they are.', [
    () => [{}, undefined],
    () => [{ target: '/chat?room=lobby', protocols: ['chat'], cookies: ['a=b'] }, undefined],
  ]),
  shows('A ticket is in the query of the target.', [
    () => [{ target: '/chat?ticket=abc-_1' }, ticket('abc-_1')],
    () => [{ target: '/chat?room=lobby&ticket=abc&x' }, ticket('abc')],
    () => [{ target: '/?ticket=abc' }, ticket('abc')],
    () => [{ target: 'http://example.com/chat?ticket=abc' }, ticket('abc')],
  ]),
  shows(
    'A ticket is decoded as everything in a query is.',
    [() => [{ target: '/chat?ticket=a%62c%2Fd' }, ticket('abc/d')]],
    '`URLSearchParams` knows how.',
  ),
  shows(
    'A query can have a question mark in it.',
    [
      () => [{ target: '/chat?from=/a?b&ticket=abc' }, ticket('abc')],
      () => [{ target: '/chat?ticket=abc&from=/a?ticket=x' }, ticket('abc')],
    ],
    'The query begins at the first `?`, and ends where the target does.',
  ),
  shows('What is called otherwise, or is not in the query, is no ticket.', [
    () => [{ target: '/ticket=abc' }, undefined],
    () => [{ target: '/ticket=abc?room=lobby' }, undefined],
    () => [{ target: '/chat?myticket=abc&ticket2=abc&room=ticket=abc' }, undefined],
  ]),
  shows(
    'A query that nobody can decode does no harm.',
    [
      () => [{ target: '/chat?room=%zz&ticket=abc' }, ticket('abc')],
      () => [{ target: '/chat?room=%e4&ticket=abc' }, ticket('abc')],
      () => [{ target: '//?%' }, undefined],
    ],
    'A client can write what it likes. Nothing is thrown for that.',
  ),
];

const OF_TOKENS: readonly LoginScenario[] = [
  shows(
    'A token is a subprotocol with a prefix, and base64url behind it.',
    [({ TOKEN_PREFIX }) => [{ protocols: [`${TOKEN_PREFIX}c2VjcmV0`] }, token('secret')]],
    'A subprotocol cannot have every character that a token has. It is decoded again here.',
  ),
  shows(
    'A token is one of many subprotocols.',
    [
      ({ TOKEN_PREFIX }) => [{ protocols: [`chat, ${TOKEN_PREFIX}c2VjcmV0`] }, token('secret')],
      ({ TOKEN_PREFIX }) => [
        { protocols: [`${TOKEN_PREFIX}c2VjcmV0,chat,superchat`] },
        token('secret'),
      ],
      ({ TOKEN_PREFIX }) => [
        { protocols: ['chat', `superchat, ${TOKEN_PREFIX}c2VjcmV0`] },
        token('secret'),
      ],
    ],
    'A page offers it beside those that it wants to speak. They are separated by commas, and may be in several lines.',
  ),
  shows(
    'A token can be any text.',
    ['a', 'ab', 'abc', 'eyJhbGciOi.eyJzdWIi.c2ln', '???>>>~~~', 'grüße 😀'].map(
      (text): Row =>
        ({ TOKEN_PREFIX }) => [{ protocols: [TOKEN_PREFIX + inBase64(text)] }, token(text)],
    ),
    'It is UTF-8 in base64url, which has `-` and `_` for `+` and `/`, and no `=` at the end.',
  ),
  shows('What begins otherwise is no token.', [
    ({ TOKEN_PREFIX }) => [{ protocols: [`x${TOKEN_PREFIX}c2VjcmV0`] }, undefined],
    ({ TOKEN_PREFIX }) => [{ protocols: [`${TOKEN_PREFIX.toUpperCase()}c2VjcmV0`] }, undefined],
    ({ TOKEN_PREFIX }) => [{ protocols: [TOKEN_PREFIX.slice(0, -1)] }, undefined],
  ]),
];

const OF_COOKIES: readonly LoginScenario[] = [
  shows(
    'A cookie is one of those in the header.',
    [
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=abc`] }, cookie('abc')],
      ({ COOKIE }) => [{ cookies: [`a=b; ${COOKIE}=abc; theme=dark`] }, cookie('abc')],
      ({ COOKIE }) => [{ cookies: [`a=b;${COOKIE}=abc;theme=dark`] }, cookie('abc')],
      ({ COOKIE }) => [{ cookies: ['a=b', `c=d; ${COOKIE}=abc`] }, cookie('abc')],
    ],
    'They are separated by semicolons, and may be in several lines.',
  ),
  shows(
    'A cookie is all behind the first `=`.',
    [
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=abc==`] }, cookie('abc==')],
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=a=b&c=d; x=y`] }, cookie('a=b&c=d')],
    ],
    'Base64 ends with `=`, for example.',
  ),
  shows(
    'The value of a cookie is as it is.',
    [
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=a%62c+d`] }, cookie('a%62c+d')],
      ({ COOKIE }) => [{ cookies: [`a=b; ${COOKIE}="abc"; c=d`] }, cookie('"abc"')],
    ],
    'Quotes and `%` mean what they meant to whoever has set the cookie. Nobody else decodes them.',
  ),
  shows('What is called otherwise is another cookie.', [
    ({ COOKIE }) => [{ cookies: [`my${COOKIE}=abc; ${COOKIE}2=abc`] }, undefined],
    ({ COOKIE }) => [{ cookies: [`${COOKIE.toUpperCase()}=abc`] }, undefined],
    ({ COOKIE }) => [{ cookies: [`a=${COOKIE}=abc`] }, undefined],
    ({ COOKIE }) => [{ cookies: [COOKIE] }, undefined],
    ({ COOKIE }) => [
      { cookies: [`x${COOKIE}=evil; ${COOKIE}=abc; ${COOKIE}x=evil`] },
      cookie('abc'),
    ],
  ]),
  shows(
    'Cookies that nobody can decode do no harm.',
    [
      ({ COOKIE }) => [{ cookies: [`a=%zz; ${COOKIE}=abc`] }, cookie('abc')],
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=%zz`] }, cookie('%zz')],
      ({ COOKIE }) => [{ cookies: [`=; ;; %; ${COOKIE}=abc; =;`] }, cookie('abc')],
      ({ COOKIE }) => [{ cookies: [`__proto__=a; constructor=b; ${COOKIE}=abc`] }, cookie('abc')],
    ],
    'A client can write what it likes. Nothing is thrown for that.',
  ),
];

const TOGETHER: readonly LoginScenario[] = [
  shows(
    'A ticket comes before a token, and a token before a cookie.',
    [
      ({ TOKEN_PREFIX, COOKIE }) => [
        {
          target: '/chat?ticket=abc',
          protocols: [TOKEN_PREFIX + inBase64('def')],
          cookies: [`${COOKIE}=ghi`],
        },
        ticket('abc'),
      ],
      ({ TOKEN_PREFIX, COOKIE }) => [
        { protocols: [TOKEN_PREFIX + inBase64('def')], cookies: [`${COOKIE}=ghi`] },
        token('def'),
      ],
      ({ COOKIE }) => [{ target: '/chat?ticket=abc', cookies: [`${COOKIE}=ghi`] }, ticket('abc')],
    ],
    'A browser sends a cookie unasked. A ticket is what the page wants to show.',
  ),
  shows(
    'With two values, none of them counts.',
    [
      () => [{ target: '/chat?ticket=abc&ticket=def' }, undefined],
      ({ TOKEN_PREFIX }) => [
        { protocols: [`${TOKEN_PREFIX}${inBase64('a')}, ${TOKEN_PREFIX}${inBase64('b')}`] },
        undefined,
      ],
      ({ TOKEN_PREFIX }) => [
        { protocols: [TOKEN_PREFIX + inBase64('a'), TOKEN_PREFIX + inBase64('b')] },
        undefined,
      ],
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=abc; ${COOKIE}=def`] }, undefined],
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=abc`, `${COOKIE}=def`] }, undefined],
    ],
    'Nobody knows which one is right. Somebody else may have added theirs, such as a cookie for a part of a site.',
  ),
  shows(
    'The same value twice is one value.',
    [
      () => [{ target: '/chat?ticket=abc&ticket=abc' }, ticket('abc')],
      ({ TOKEN_PREFIX }) => [
        { protocols: [TOKEN_PREFIX + inBase64('a'), TOKEN_PREFIX + inBase64('a')] },
        token('a'),
      ],
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=abc; ${COOKIE}=abc`] }, cookie('abc')],
    ],
    'A browser sends a cookie twice that was set for two paths.',
  ),
  shows(
    'An empty value counts for none.',
    [
      () => [{ target: '/chat?ticket' }, undefined],
      () => [{ target: '/chat?ticket=' }, undefined],
      ({ TOKEN_PREFIX }) => [{ protocols: [TOKEN_PREFIX] }, undefined],
      ({ COOKIE }) => [{ cookies: [`${COOKIE}=; a=b`] }, undefined],
      ({ TOKEN_PREFIX, COOKIE }) => [
        { target: '/chat?ticket=', protocols: [TOKEN_PREFIX], cookies: [`${COOKIE}=abc`] },
        cookie('abc'),
      ],
    ],
    'Whoever writes a name with nothing behind it has shown nothing. The next kind is looked for.',
  ),
  shows(
    'What counts for none leaves the next kind to be looked for.',
    [
      ({ COOKIE }) => [
        { target: '/chat?ticket=abc&ticket=def', cookies: [`${COOKIE}=ghi`] },
        cookie('ghi'),
      ],
      ({ TOKEN_PREFIX, COOKIE }) => [
        {
          protocols: [TOKEN_PREFIX + inBase64('a'), TOKEN_PREFIX + inBase64('b')],
          cookies: [`${COOKIE}=ghi`],
        },
        cookie('ghi'),
      ],
    ],
    'It is as if it was not there.',
  ),
  shows(
    'A token that nobody can decode does no harm.',
    [
      ({ TOKEN_PREFIX, COOKIE }) => [
        { protocols: [`${TOKEN_PREFIX}!!!`], cookies: [`${COOKIE}=abc`] },
        cookie('abc'),
      ],
    ],
    'A client can write what it likes. Nothing is thrown for that.',
  ),
];

/** Values that are the same in a query, as a cookie, and decoded. */
const VALUES = ['abc', 'd-e_f', 'x', '0'];

/** Draws pairs of names and values: one name is ours, the others are nearly that. */
function drawPairs(choose: Choices, ours: string): (readonly [name: string, value: string])[] {
  const names = [ours, 'a', `x${ours}`, ours.toUpperCase(), ours.slice(0, -1)];
  return choose.list(4, () => [choose.pick(names), choose.pick(VALUES)] as const);
}

function only(
  kind: Credential['kind'],
  pairs: readonly (readonly [name: string, value: string])[],
  ours: string,
): Credential | undefined {
  const [[, value] = [], ...others] = pairs.filter(([name]) => name === ours);
  if (value === undefined || others.some(([, other]) => other !== value)) return undefined;
  return { kind, value };
}

/** Draws how lines are broken between items. */
function drawLines(choose: Choices, items: readonly string[], separator: string): string[] {
  const lines: string[] = [];
  for (const item of items) {
    if (lines.length === 0 || choose.oneIn(3)) lines.push(item);
    else lines.push(lines.pop() + separator + item);
  }
  return lines;
}

const ANY: LoginScenario = {
  what: 'Any request shows what is in it.',
  rules: [],
  check: (lesson) =>
    generated(150, (choose) => {
      const { COOKIE, TOKEN_PREFIX } = lesson;
      const tickets = drawPairs(choose, 'ticket');
      const tokens = drawPairs(choose, TOKEN_PREFIX);
      const cookies = drawPairs(choose, COOKIE);
      const query = tickets.map(([name, value]) => `${name}=${value}`).join('&');
      const offered = tokens.map(([name, value]) => name + inBase64(value));
      const pairs = cookies.map(([name, value]) => `${name}=${value}`);
      const shown = {
        target: choose.pick(['/', '/chat', '/a/ticket=x']) + (query && `?${query}`),
        protocols: drawLines(choose, offered, choose.pick([', ', ','])),
        cookies: drawLines(choose, pairs, choose.pick(['; ', ';'])),
      };
      const expected =
        only('ticket', tickets, 'ticket') ??
        only('token', tokens, TOKEN_PREFIX) ??
        only('cookie', cookies, COOKIE);
      expectCredential(lesson, shown, expected, 'Any request shows what is in it.');
    }),
};

const UNCHANGED: LoginScenario = {
  what: 'A request stays as it is.',
  rules: [],
  check: ({ credentialOf, COOKIE }) => {
    const protocols = ['chat', 'superchat'];
    const cookies = ['a=b', `${COOKIE}=c`];
    const headers = new Map([
      ['sec-websocket-protocol', protocols],
      ['cookie', cookies],
    ]);
    const head = Object.freeze({ target: '/chat?ticket=', headers });
    const call = () => {
      credentialOf(head);
      return [headers.size, protocols, cookies];
    };
    const expected = [2, [...protocols], [...cookies]];
    equal(call, expected, 'A request stays as it is.', { label: 'then it had' });
  },
};

export const CREDENTIALS: readonly LoginScenario[] = [
  ...OF_TICKETS,
  ...OF_TOKENS,
  ...OF_COOKIES,
  ...TOGETHER,
  UNCHANGED,
  ANY,
];
