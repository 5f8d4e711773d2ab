/** Step 2: who is it? */
import { equal } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { ANY_ADDRESS, ANY_FORWARDED, ANY_KEY } from './addresses-drawn.ts';
import { type Came, expectClient, expectKeys } from './clients.ts';
import type { Scenarios } from './tools.ts';

type AddressScenario = Scenarios[number];

/** Each text is this address. `undefined`: it is none. */
function parse(
  what: string,
  rows: readonly (readonly [text: string, expected: string | undefined])[],
  cause?: string,
): AddressScenario {
  return {
    what,
    rules: [],
    check: ({ parseAddress }) => {
      for (const [text, expected] of rows) {
        equal(() => parseAddress(text), expected, what, {
          given: [['the text', show(text)]],
          cause: () => cause,
        });
      }
    },
  };
}

const MAPPED =
  'A socket that listens to both kinds of addresses writes those of IPv4 like this. They are the same clients.';

const PARSING: readonly AddressScenario[] = [
  parse('Read an IPv4 address.', [
    ['203.0.113.7', '203.0.113.7'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
  ]),
  parse('An IPv4 address can have a port.', [
    ['203.0.113.7:4711', '203.0.113.7'],
    ['203.0.113.7:80', '203.0.113.7'],
  ]),
  parse('Read an IPv6 address.', [
    ['2001:db8::1', '2001:db8::1'],
    ['::1', '::1'],
    ['::', '::'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['2001:db8::1:4711', '2001:db8::1:4711'],
  ]),
  parse('In brackets, an IPv6 address can have a port.', [
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['[::1]:80', '::1'],
  ]),
  parse(
    'A port can also be a name that begins with `_`.',
    [
      ['203.0.113.7:_web', '203.0.113.7'],
      ['[2001:db8::1]:_web', '2001:db8::1'],
      ['[2001:db8::1]:_a-B.c_9', '2001:db8::1'],
    ],
    'In Forwarded, a proxy can hide the number behind a name, which may have dots and hyphens in it.',
  ),
  parse(
    'An IPv6 address is short and in lower case, however it was written.',
    [
      ['2001:DB8::1', '2001:db8::1'],
      ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
      ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
      ['[2001:0DB8:0::0:1]:4711', '2001:db8::1'],
      ['0:0:0:0:0:0:0:0', '::'],
      ['2001:db8:0:1:0:0:0:1', '2001:db8:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:db8::2:3:4:5:6', '2001:db8:0:2:3:4:5:6'],
      ['2001:db8:1:2:3:4::', '2001:db8:1:2:3:4::'],
      ['FE80::ABCD', 'fe80::abcd'],
    ],
    'Two ways to write one address would be two clients. The longest row of zeros becomes `::`.',
  ),
  parse(
    'A zone is no part of an address.',
    [
      ['fe80::1%eth0', 'fe80::1'],
      ['fe80::1%1', 'fe80::1'],
      ['[fe80::1%eth0]:4711', 'fe80::1'],
    ],
    'What is behind a `%` is which network card it came in by.',
  ),
  parse(
    'An IPv4 address that was mapped into IPv6 is an IPv4 address.',
    [
      ['::ffff:203.0.113.7', '203.0.113.7'],
      ['::FFFF:203.0.113.7', '203.0.113.7'],
      ['::ffff:cb00:7107', '203.0.113.7'],
      ['0:0:0:0:0:ffff:203.0.113.7', '203.0.113.7'],
      ['0000:0000:0000:0000:0000:ffff:cb00:7107', '203.0.113.7'],
      ['[::ffff:203.0.113.7]:4711', '203.0.113.7'],
      ['::ffff:127.0.0.1', '127.0.0.1'],
      ['::ffff:1.0.2.0', '1.0.2.0'],
      ['::ffff:0.0.0.0', '0.0.0.0'],
      ['::ffff:0.0.0.9', '0.0.0.9'],
    ],
    MAPPED,
  ),
  parse('Other addresses that look like mapped ones are not.', [
    ['2001:db8::ffff:cb00:7107', '2001:db8::ffff:cb00:7107'],
    ['::fffe:cb00:7107', '::fffe:cb00:7107'],
    ['::ffff:0:cb00:7107', '::ffff:0:cb00:7107'],
    ['ffff::cb00:7107', 'ffff::cb00:7107'],
    ['::ffff', '::ffff'],
    ['::ffff:1:cb00:7107', '::ffff:1:cb00:7107'],
  ]),
  parse(
    'What is no address is none, though a browser would read some of it as one.',
    [
      ...['', 'unknown', '_hidden', 'example.com', 'localhost', '127.1', '0x7f000001'],
      ...['2130706433', '203.0.113', '203.0.113.256', '203.0.113.7.1', '203.0.113.7,6.6.6.6'],
      ...['1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', '2001:db8::g', ':::', '12345::'],
      ...['[2001:db8::1', '2001:db8::1]', '[]', '[unknown]:80', '_hidden:80', ':80', '/a/b'],
      ...['http://203.0.113.7/', '203.0.113.7/24', 'user@203.0.113.7', '203.0.113.7\r\nX: 1'],
      ...['[203.0.113.7]', '[203.0.113.7]:80', 'x[::1]', 'x[::1]:80'],
      ...['__proto__', '%', '[%]', 'é', '203.0.113.7#', '203.0.113.7?', '[::1]@6.6.6.6'],
    ].map((text) => [text, undefined] as const),
    'Only what is written as an IP address is one. `isIPv4` and `isIPv6` of `node:net` know.',
  ),
];

/** IPv6 addresses as `parseAddress` returns them, in the same 64 bits, row by row. */
const NETWORKS = [
  ['2001:db8:1:2::', '2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::1'],
  ['2001:db8:1:3::', '2001:db8:1:3::1'],
  ['2001:db8::', '2001:db8::1', '2001:db8::2', '2001:db8::1:2:3', '2001:db8:0:0:1:2:3:4'],
  ['2001:db8:0:2::1', '2001:db8:0:2:3:4:5:6', '2001:db8:0:2:3::'],
  ['2001:db8:2::1', '2001:db8:2:0:3:4:5:6', '2001:db8:2::'],
  ['2001:db8:2:1::1', '2001:db8:2:1:0:1::'],
  ['::', '::1', '::1:2', '::1:2:3:4'],
  ['0:1::', '0:1::1', '0:1:0:0:1::'],
  ['::1:2:3:4:5', '0:0:0:1::', '::1:0:0:0:0'],
  ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '1:2:3:4::8', '1:2:3:4:5::'],
  ['1::', '1::8', '1::5:6:7:8'],
  ['1::2:3:4:5:6', '1:0:0:2::'],
  ['1::9:3:4:5:6', '1:0:0:9::'],
  ['1:2:3::', '1:2:3:0:5:6:7:8'],
  ['1:23::', '1:23::8'],
  ['12:3::', '12:3::8'],
  ['fe80::', 'fe80::1:2:3:4'],
] as const;

const TOGETHER = 'A provider gives each customer at least 64 bits. Zeros may be hidden in a `::`.';

const KEYS: readonly AddressScenario[] = [
  {
    what: 'An IPv4 address is counted under itself.',
    rules: [],
    check: ({ addressKey }) => {
      for (const address of ['203.0.113.7', '203.0.113.8', '0.0.0.0', '1.2.3.4']) {
        equal(() => addressKey(address), address, 'An IPv4 address is counted under itself.', {
          given: [['the address', address]],
        });
      }
    },
  },
  {
    what: 'IPv6 addresses with the same first 64 bits are counted together.',
    rules: [183],
    check: (lesson) => {
      const what = 'IPv6 addresses with the same first 64 bits are counted together.';
      for (const [first, ...others] of NETWORKS) {
        for (const other of others) expectKeys(lesson, [first, other], what, TOGETHER);
      }
    },
  },
  {
    what: 'IPv6 addresses that differ in the first 64 bits are counted apart.',
    rules: [],
    check: (lesson) => {
      const what = 'IPv6 addresses that differ in the first 64 bits are counted apart.';
      for (const [i, row] of NETWORKS.entries()) {
        for (const [other] of NETWORKS.slice(i + 1)) {
          for (const one of row) expectKeys(lesson, [one, other], what);
        }
      }
      for (const [one] of NETWORKS) expectKeys(lesson, [one, '203.0.113.7'], what);
    },
  },
];

/** Who it is, for each of these. */
function clients(what: string, cames: readonly Came[], cause?: string): AddressScenario {
  return {
    what,
    rules: [],
    check: (lesson) => {
      for (const came of cames) expectClient(lesson, came, what, cause);
    },
  };
}

const [PROXY, SECOND, CLIENT, FORGED] = ['10.0.0.1', '10.0.0.2', '203.0.113.7', '6.6.6.6'];

const DIRECT: readonly AddressScenario[] = [
  clients(
    'Without proxies, it is the peer of the TCP connection, whatever headers say.',
    [
      { peer: CLIENT, lines: {}, proxies: undefined, is: CLIENT },
      {
        peer: `::ffff:${CLIENT}`,
        lines: { 'x-forwarded-for': [FORGED], forwarded: [`for=${FORGED}`] },
        proxies: undefined,
        is: CLIENT,
      },
      { peer: '2001:DB8:0::1', lines: {}, proxies: undefined, is: '2001:db8::1' },
    ],
    'Without a proxy of ours, every header is the client’s.',
  ),
  clients(
    'A peer that is no proxy of ours can write what it likes.',
    [
      { peer: CLIENT, lines: { 'x-forwarded-for': [FORGED] }, is: CLIENT },
      { peer: CLIENT, lines: { 'x-forwarded-for': [`${FORGED}, ${PROXY}`] }, is: CLIENT },
      { peer: CLIENT, lines: { forwarded: [`for=${FORGED}`] }, proxies: 'forwarded', is: CLIENT },
    ],
    'Ask `trusts` for the peer first.',
  ),
  clients('A peer that is gone has no address.', [
    { peer: undefined, lines: {}, is: undefined },
    { peer: undefined, lines: { 'x-forwarded-for': [FORGED] }, is: undefined },
    { peer: undefined, lines: {}, proxies: undefined, is: undefined },
  ]),
  clients('A proxy that has written nothing is the client itself.', [
    { peer: PROXY, lines: {}, is: PROXY },
    { peer: PROXY, lines: {}, proxies: 'forwarded', is: PROXY },
    { peer: PROXY, lines: { 'x-forwarded-for': [''] }, is: PROXY },
  ]),
];

const OLD: readonly AddressScenario[] = [
  clients('Our proxy has written who it is.', [
    { peer: PROXY, lines: { 'x-forwarded-for': [CLIENT] }, is: CLIENT },
    { peer: `::ffff:${PROXY}`, lines: { 'x-forwarded-for': [`${CLIENT}:4711`] }, is: CLIENT },
    { peer: PROXY, lines: { 'x-forwarded-for': ['[2001:DB8::1]:80'] }, is: '2001:db8::1' },
  ]),
  clients(
    'What the client has written itself is on the left, and counts for nothing.',
    [
      { peer: PROXY, lines: { 'x-forwarded-for': [`${FORGED},${CLIENT}`] }, is: CLIENT },
      { peer: PROXY, lines: { 'x-forwarded-for': [`x,,${FORGED},${CLIENT}`] }, is: CLIENT },
      { peer: PROXY, lines: { 'x-forwarded-for': [`${PROXY},${FORGED},${CLIENT}`] }, is: CLIENT },
    ],
    'Our proxy writes behind what is there already. Read from right to left.',
  ),
  clients(
    'White space around an address is no part of it.',
    [
      { peer: PROXY, lines: { 'x-forwarded-for': [`${FORGED}, ${CLIENT}`] }, is: CLIENT },
      { peer: PROXY, lines: { 'x-forwarded-for': [`${FORGED} ,\t ${CLIENT}`] }, is: CLIENT },
    ],
    'Most proxies put a space behind a comma.',
  ),
  clients(
    'A proxy may write a line of its own. The last one is the last.',
    [
      { peer: PROXY, lines: { 'x-forwarded-for': [FORGED, CLIENT] }, is: CLIENT },
      { peer: PROXY, lines: { 'x-forwarded-for': [`1.1.1.1, ${FORGED}`, CLIENT] }, is: CLIENT },
    ],
    'haproxy leaves the line of the client as it is, and adds one. Together, they are one list.',
  ),
  clients(
    'Behind several of our proxies, it is the first address that is not one of theirs.',
    [
      {
        peer: PROXY,
        lines: { 'x-forwarded-for': [`${FORGED}, ${CLIENT}, ${SECOND}`] },
        is: CLIENT,
      },
      { peer: PROXY, lines: { 'x-forwarded-for': [`${FORGED}, ${CLIENT}`, SECOND] }, is: CLIENT },
      { peer: PROXY, lines: { 'x-forwarded-for': [FORGED, CLIENT, SECOND] }, is: CLIENT },
      { peer: PROXY, lines: { 'x-forwarded-for': [`${CLIENT} , ${SECOND}`] }, is: CLIENT },
      {
        peer: PROXY,
        lines: { 'x-forwarded-for': [`${CLIENT}, ::ffff:${SECOND}, 10.0.0.3:80`] },
        is: CLIENT,
      },
    ],
    'Ask `trusts` for each, as `parseAddress` returns it, from right to left.',
  ),
  clients('When all are proxies of ours, it is the one on the left.', [
    { peer: PROXY, lines: { 'x-forwarded-for': [`10.0.0.3, ${SECOND}`] }, is: '10.0.0.3' },
  ]),
  clients(
    'Stop at what is no address: nobody knows who wrote what is left of it.',
    [
      { peer: PROXY, lines: { 'x-forwarded-for': [`${FORGED}, unknown`] }, is: PROXY },
      { peer: PROXY, lines: { 'x-forwarded-for': [`${FORGED}, unknown, ${SECOND}`] }, is: SECOND },
      { peer: PROXY, lines: { 'x-forwarded-for': [`${FORGED}, , ${SECOND}`] }, is: SECOND },
      { peer: PROXY, lines: { 'x-forwarded-for': [FORGED, ''] }, is: PROXY },
    ],
    'It is not skipped. The last one that was an address is who we know.',
  ),
];

/** What our proxy appends, with a name of a host that the client has chosen. */
const hosted = (host: string) => `for=${CLIENT};host="${host}"`;

const NEW: readonly AddressScenario[] = [
  clients(
    'Read the header that our proxies write, and not the other one.',
    [
      {
        peer: PROXY,
        lines: { 'x-forwarded-for': [CLIENT], forwarded: [`for=${FORGED}`] },
        is: CLIENT,
      },
      {
        peer: PROXY,
        lines: { 'x-forwarded-for': [FORGED], forwarded: [`for=${CLIENT}`] },
        proxies: 'forwarded',
        is: CLIENT,
      },
      { peer: PROXY, lines: { forwarded: [`for=${FORGED}`] }, is: PROXY },
      { peer: PROXY, lines: { forwarded: [FORGED] }, is: PROXY },
      { peer: PROXY, lines: { 'x-forwarded-for': [FORGED] }, proxies: 'forwarded', is: PROXY },
      {
        peer: PROXY,
        lines: { 'x-forwarded-for': [`for=${FORGED}`] },
        proxies: 'forwarded',
        is: PROXY,
      },
    ],
    'The header that our proxy does not write comes from the client as it is.',
  ),
  ...(
    [
      [
        'In Forwarded, it is the `for` of an element, among other pairs, in any case.',
        [
          `for=${CLIENT}`,
          `For=${CLIENT}`,
          `FOR="${CLIENT}"`,
          `for=${CLIENT};proto=https;by=${PROXY}`,
          `by=${PROXY};for=${CLIENT}`,
          `x-for=${FORGED};for=${CLIENT};fort=${FORGED}`,
          `fort=${FORGED};for=${CLIENT};x-for=${FORGED}`,
          `for=${CLIENT};x.y=1`,
        ],
      ],
      [
        'Elements of Forwarded are separated by commas. The last one is that of our proxy.',
        [
          `for=${FORGED},for=${CLIENT}`,
          `for=${FORGED},for=${CLIENT};proto=http`,
          `for=${FORGED};proto=http;x.y=1,for=${CLIENT}`,
          `for="[2001:db8::1]:80",for=${CLIENT}`,
          `for=${FORGED},for=${CLIENT},for=${SECOND}`,
        ],
      ],
      [
        'White space around commas and semicolons is no part of Forwarded.',
        [
          `for=${FORGED}, for=${CLIENT}`,
          `for=${FORGED} ,\t for=${CLIENT}`,
          `proto=https; for=${CLIENT}`,
          `for=${CLIENT} ;proto=https`,
          `for="${CLIENT}" ; proto=https`,
        ],
        'It can be before a comma or a semicolon as well as behind it.',
      ],
    ] as const
  ).map(([what, lines, cause]) =>
    clients(
      what,
      lines.map((line) => ({
        peer: PROXY,
        lines: { forwarded: [line] },
        proxies: 'forwarded' as const,
        is: CLIENT,
      })),
      cause,
    ),
  ),
  clients('Lines of Forwarded are one list, too.', [
    {
      peer: PROXY,
      lines: { forwarded: [`for=${FORGED}`, `for=${CLIENT}`] },
      proxies: 'forwarded',
      is: CLIENT,
    },
    {
      peer: PROXY,
      lines: { forwarded: [`for=${CLIENT}`, `for=${SECOND}`] },
      proxies: 'forwarded',
      is: CLIENT,
    },
  ]),
  clients('In quotes, a `for` can have colons, brackets and a port.', [
    {
      peer: PROXY,
      lines: { forwarded: ['for="[2001:DB8:cafe::17]:4711"'] },
      proxies: 'forwarded',
      is: '2001:db8:cafe::17',
    },
    {
      peer: PROXY,
      lines: { forwarded: [`for="${CLIENT}:4711";by=_x`] },
      proxies: 'forwarded',
      is: CLIENT,
    },
  ]),
  clients(
    'Stop at an element of Forwarded without an address.',
    [
      [`for=${FORGED}, for=unknown`, PROXY],
      [`for=${FORGED}, for=_hidden, for=${SECOND}`, SECOND],
      [`for=${FORGED}, proto=http`, PROXY],
      [`for=${FORGED}, by=${CLIENT};proto=http, for=${SECOND}`, SECOND],
    ].map(([line, is]) => ({
      peer: PROXY,
      lines: { forwarded: [line!] },
      proxies: 'forwarded' as const,
      is,
    })),
    'It is not skipped: what is left of it was written by nobody that we know.',
  ),
  clients(
    'In quotes, a comma is a comma, and a semicolon a semicolon.',
    [
      hosted(`a,for=${FORGED}`),
      hosted(`a,for=${FORGED};x=`),
      hosted(`a;for=${FORGED}`),
      hosted(`a;for=${FORGED};x=`),
      hosted(`a\\",for=${FORGED};x=\\"`),
      hosted(`\\\\`),
      hosted(`a\\", for=${FORGED}, x=\\"b`),
    ].map((line) => ({
      peer: PROXY,
      lines: { forwarded: [line] },
      proxies: 'forwarded' as const,
      is: CLIENT,
    })),
    'A proxy puts into quotes what the client has sent, such as the name of a host.',
  ),
];

const ESCAPED = clients(
  'In quotes, a backslash is no part of the text, and what follows it is.',
  [
    {
      peer: PROXY,
      lines: { forwarded: ['for="203\\.0.113.\\7"'] },
      proxies: 'forwarded',
      is: CLIENT,
    },
  ],
  'HTTP permits it before any character, even where it is of no use.',
);

/** What a client sends so that the rest, which our proxy appends, is in quotes, or unreadable. */
const OPEN_QUOTES = [
  `for=${FORGED};x="`,
  `for="${FORGED}`,
  `for=${FORGED};x="\\`,
  `for=${FORGED};x`,
  `for=${FORGED};"`,
  `for=${FORGED}, "`,
  `"for=${FORGED}`,
];

/** What our proxy appends of the client's: the name of its host. The first ends that quote. */
const CLOSED_BY_HOST = [
  `x=", for=${CLIENT};host=",for=${FORGED}"`,
  `x=", for=${CLIENT};host=",for=${FORGED};y="`,
  `for=${FORGED};x=", for=${CLIENT};host=";y="`,
];

const UNSAFE: readonly AddressScenario[] = [
  {
    what: 'A quote that the client has left open hides nothing.',
    rules: [],
    check: (lesson) => {
      const what = 'A quote that the client has left open hides nothing.';
      const cause =
        'What our proxy has written is behind it: either that, or nobody but the proxy. A line that cannot be read to its end is not left out either.';
      for (const line of CLOSED_BY_HOST) {
        const came = { peer: PROXY, lines: { forwarded: [line] }, proxies: 'forwarded' } as const;
        expectClient(lesson, { ...came, is: CLIENT, or: PROXY }, what, cause);
      }
      for (const start of OPEN_QUOTES) {
        for (const lines of [
          [`${start}, for=${CLIENT}`],
          [start, `for=${CLIENT}`],
          [`for=${FORGED}`, `${start}, for=${CLIENT}`],
        ]) {
          const came = { peer: PROXY, lines: { forwarded: lines }, proxies: 'forwarded' } as const;
          expectClient(lesson, { ...came, is: CLIENT, or: PROXY }, what, cause);
        }
        // An unreadable line is no reason to go on with what is before it.
        const forged = [`for=${FORGED}`, `${start}, for=${CLIENT}`];
        const behind = { peer: PROXY, lines: { forwarded: forged }, proxies: 'forwarded' } as const;
        expectClient(lesson, { ...behind, is: CLIENT, or: PROXY }, what, cause);
        const quoted = [`${start}, for="[2001:db8::1]:80"`];
        const came = { peer: PROXY, lines: { forwarded: quoted }, proxies: 'forwarded' } as const;
        expectClient(lesson, { ...came, is: '2001:db8::1', or: PROXY }, what, cause);
      }
    },
  },
];

export const ADDRESSES: Scenarios = [
  ...PARSING,
  ANY_ADDRESS,
  ...KEYS,
  ANY_KEY,
  ...DIRECT,
  ...OLD,
  ...NEW,
  ESCAPED,
  ...UNSAFE,
  ANY_FORWARDED,
];
