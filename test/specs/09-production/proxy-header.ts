/** Step 3: what a proxy says first. */
import { attempt, equal, refusesWith } from '../../../shared/harness/check.ts';
import { same } from '../../../shared/harness/difference.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { Lesson, Scenarios } from './tools.ts';

type HeaderScenario = Scenarios[number];

/** What the client has sent behind the header. It has all that a header might end with. */
const REQUEST = utf8('GET /chat HTTP/1.1\r\nHost: example.com\r\n\r\n');

/** A header, and whom it names. */
interface Header {
  readonly bytes: Uint8Array;
  readonly address: string | undefined;
}

/** Tells bytes: text of version 1, or hex. */
function given(bytes: Uint8Array): Fact {
  const text = Buffer.from(bytes).toString('latin1');
  return ['arrived', show(/^[\r\n -~]*$/.test(text) ? text : bytes)];
}

/** Puts bytes somewhere into memory that has others before and behind them. */
function inMemory(bytes: Uint8Array): Uint8Array {
  const memory = new Uint8Array(bytes.length + 20).fill(0x31);
  memory.set(bytes, 7);
  return memory.subarray(7, 7 + bytes.length);
}

/** Finds out whether it is the memory that the bytes are in, or what they are. */
function causeIn(lesson: Lesson, arrived: Uint8Array, expected: object): string | undefined {
  const reads = (bytes: Uint8Array) => {
    try {
      return same(lesson.parseProxyHeader(bytes), expected);
    } catch {
      return false;
    }
  };
  const { buffer, byteOffset, length } = arrived;
  if (reads(Uint8Array.from(arrived))) {
    return 'What arrived is a part of a larger memory. It begins at its `byteOffset`.';
  }
  if (reads(Buffer.from(buffer, byteOffset, length))) {
    return 'What arrived is a Uint8Array, and that need not be a Buffer.';
  }
  return undefined;
}

/** Checks what is read from a header, with nothing behind it and with a request. */
function expectHeader(lesson: Lesson, header: Header, what: string, cause?: string): void {
  const { bytes, address } = header;
  for (const behind of [new Uint8Array(), REQUEST]) {
    const arrived = inMemory(join(bytes, behind));
    const expected = { length: bytes.length, address };
    const why = () => causeIn(lesson, arrived, expected) ?? cause;
    const about = {
      given: [given(arrived)],
      cause: (returned: unknown) =>
        returned === undefined ? 'The header is complete: no more bytes are needed.' : why(),
      causeOfError: why,
    };
    equal(() => lesson.parseProxyHeader(arrived), expected, what, about);
  }
}

/** Checks that nothing is read from a part of a header, however long it is. */
function expectNothingYet(lesson: Lesson, bytes: Uint8Array, what: string): void {
  for (let size = 0; size < bytes.length; size++) {
    const arrived = inMemory(bytes.subarray(0, size));
    const facts: Fact[] = [given(arrived), ['of', given(bytes)[1]]];
    equal(() => lesson.parseProxyHeader(arrived), undefined, what, {
      given: facts,
      cause: () => 'Not all of it has arrived.',
      causeOfError: () => 'A header can arrive in pieces. This may be the beginning of one.',
    });
  }
}

function expectRefusal(lesson: Lesson, bytes: Uint8Array, what: string, cause?: string): void {
  const arrived = inMemory(bytes);
  const about = {
    given: [given(arrived)],
    cause: (returned: unknown) =>
      returned === undefined ? 'More bytes would not make it a header.' : cause,
    causeOfError: () => cause,
  };
  refusesWith(400, () => lesson.parseProxyHeader(arrived), what, about);
}

/** Each of these headers names this address. */
function reads(what: string, headers: readonly Header[], cause?: string): HeaderScenario {
  return {
    what,
    rules: [],
    check: (lesson) => {
      for (const header of headers) expectHeader(lesson, header, what, cause);
    },
  };
}

/** Each of these is no header, however much has arrived. */
function refuses(what: string, all: readonly Uint8Array[], cause?: string): HeaderScenario {
  return {
    what,
    rules: [],
    check: (lesson) => {
      for (const bytes of all) expectRefusal(lesson, bytes, what, cause);
    },
  };
}

function line(text: string): Uint8Array {
  return utf8(`${text}\r\n`);
}

const LONG_IPV6 = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

const TCP4 = line('PROXY TCP4 203.0.113.7 10.0.0.1 41162 8203');
const TCP6 = line('PROXY TCP6 2001:db8::1 fd00::1 41162 443');
const LONGEST = line(`PROXY UNKNOWN ${LONG_IPV6} ${LONG_IPV6} 65535 65535`);

const VERSION_1: readonly HeaderScenario[] = [
  reads(
    'Read version 1: a line, and in it the address of the client, then ours.',
    [
      { bytes: TCP4, address: '203.0.113.7' },
      { bytes: TCP6, address: '2001:db8::1' },
      { bytes: line('PROXY TCP4 1.2.3.4 5.6.7.8 0 65535'), address: '1.2.3.4' },
    ],
    'PROXY, TCP4 or TCP6, both addresses, both ports, CR and LF. All of that counts for `length`.',
  ),
  reads(
    'The address is as `parseAddress` returns it.',
    [
      {
        bytes: line('PROXY TCP6 2001:DB8:0:0:0:0:0:1 fd00::1 41162 443'),
        address: '2001:db8::1',
      },
      {
        bytes: line('PROXY TCP6 ::FFFF:203.0.113.7 ::ffff:10.0.0.1 41162 443'),
        address: '203.0.113.7',
      },
    ],
    'There is one text for all ways to write an address.',
  ),
  reads(
    'After UNKNOWN, nobody knows, whatever else is in the line.',
    [
      { bytes: line('PROXY UNKNOWN'), address: undefined },
      { bytes: line('PROXY UNKNOWN 203.0.113.7 10.0.0.1 41162 8203'), address: undefined },
    ],
    'Only where the line ends counts then.',
  ),
  reads(
    'The longest line has 107 bytes.',
    [{ bytes: LONGEST, address: undefined }],
    'That is with UNKNOWN, two long addresses, two long ports, and CR and LF.',
  ),
  {
    what: 'While a line has no end, more bytes are needed.',
    rules: [],
    check: (lesson) => {
      for (const bytes of [TCP4, TCP6, LONGEST]) {
        expectNothingYet(lesson, bytes, 'While a line has no end, more bytes are needed.');
      }
    },
  },
  refuses('Refuse a line that is no header of version 1.', [
    ...[
      'PROXY TCP4 203.0.113.7 10.0.0.1 41162',
      'PROXY TCP4 203.0.113.7 10.0.0.1',
      'PROXY TCP4 203.0.113.7',
      'PROXY TCP4',
      'PROXY ',
      'PROXY TCP5 203.0.113.7 10.0.0.1 41162 8203',
      'PROXY TCP5 2001:db8::1 fd00::1 41162 8203',
      'PROXY UDP4 203.0.113.7 10.0.0.1 41162 8203',
      'PROXY UNKNOWNS',
      'PROXY TCP4 203.0.113.7 10.0.0.1 41162 8203 x',
      'PROXY TCP4 203.0.113.7 10.0.0.1 41162 http',
      'PROXY TCP4 203.0.113.7 10.0.0.1 -1 8203',
      'PROXY TCP4 client proxy 41162 8203',
      'PROXY TCP4 203.0.113.256 10.0.0.1 41162 8203',
      'PROXY TCP4 unknown 10.0.0.1 41162 8203',
      'PROXY TCP4 203.0.113.7 unknown 41162 8203',
    ].map((text) => join(line(text), REQUEST)),
  ]),
  refuses(
    'Refuse an address of the other family.',
    [
      'PROXY TCP4 2001:db8::1 10.0.0.1 41162 8203',
      'PROXY TCP6 203.0.113.7 fd00::1 41162 8203',
      'PROXY TCP4 ::ffff:203.0.113.7 ::ffff:10.0.0.1 41162 8203',
    ].map((text) => join(line(text), REQUEST)),
  ),
  refuses(
    'Refuse a line that is longer than any header.',
    [
      utf8(`PROXY UNKNOWN ${'x'.repeat(93)}`),
      utf8(`PROXY UNKNOWN ${'x'.repeat(500)}`),
      line(`PROXY UNKNOWN ${'x'.repeat(500)}`),
      utf8(`PROXY TCP4 ${'1'.repeat(5000)}`),
    ],
    'It has 107 bytes at most, CR LF counted. Without a limit, whoever sends no CR LF would be waited for without end.',
  ),
  refuses('A line ends with CR and LF, and not with one of them.', [
    join(utf8('PROXY TCP4 203.0.113.7 10.0.0.1 41162 8203\n'), REQUEST),
    join(utf8('PROXY TCP4 203.0.113.7 10.0.0.1 41162 8203\r'), REQUEST),
    join(utf8('PROXY UNKNOWN\n'), REQUEST),
  ]),
];

const SIGNATURE = '0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a';
const FROM_4 = 'cb 00 71 07 0a 00 00 01 a0 ca 20 0b';
const FROM_6 = `20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01
  fd 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 a0 ca 01 bb`;

/** A header of version 2: signature, these bytes, then whatever is in it, with its length in front. */
function version2(first: string, inside: string | Uint8Array): Uint8Array {
  const bytes = typeof inside === 'string' ? fromHex(inside) : inside;
  const length = [bytes.length >> 8, bytes.length & 255];
  return join(fromHex(`${SIGNATURE} ${first}`), Uint8Array.from(length), bytes);
}

/** More that a proxy can say: type, length, value. Here, 300 bytes of nothing. */
const MORE = join(fromHex('04 01 2c'), new Uint8Array(300));

const FIRST_BYTES =
  'Signature (12 bytes), version and command, family, length (2 bytes, the high one first), then address of the client, ours, both ports.';

const VERSION_2: readonly HeaderScenario[] = [
  reads(
    'Read version 2, with IPv4 addresses.',
    [
      { bytes: version2('21 11', FROM_4), address: '203.0.113.7' },
      { bytes: version2('21 11', '00 01 80 ff 0a 00 00 01 00 00 00 00'), address: '0.1.128.255' },
    ],
    FIRST_BYTES,
  ),
  reads(
    'Read version 2, with IPv6 addresses.',
    [
      { bytes: version2('21 21', FROM_6), address: '2001:db8::1' },
      {
        bytes: version2(
          '21 21',
          FROM_6.replace(/^.*/, 'fe 80 00 0a 0b 0c 00 01 10 00 ff 00 00 00 00 02'),
        ),
        address: 'fe80:a:b0c:1:1000:ff00:0:2',
      },
      {
        bytes: version2(
          '21 21',
          FROM_6.replace(/^.*/, '00 00 00 00 00 00 00 00 00 00 ff ff cb 00 71 07'),
        ),
        address: '203.0.113.7',
      },
    ],
    `${FIRST_BYTES} The address is as \`parseAddress\` returns it.`,
  ),
  reads(
    'A proxy can say more behind the addresses.',
    [
      { bytes: version2('21 11', join(fromHex(FROM_4), MORE)), address: '203.0.113.7' },
      { bytes: version2('21 21', join(fromHex(FROM_6), MORE)), address: '2001:db8::1' },
      {
        bytes: version2('21 11', join(fromHex(FROM_4), new Uint8Array(65_523))),
        address: '203.0.113.7',
      },
    ],
    'The two bytes of length tell where the header ends, whatever the family.',
  ),
  reads(
    'With LOCAL, it is the proxy itself that looks whether we are well.',
    [
      { bytes: version2('20 00', ''), address: undefined },
      { bytes: version2('20 11', FROM_4), address: undefined },
      { bytes: version2('20 21', FROM_6), address: undefined },
      { bytes: version2('20 11', '01 02'), address: undefined },
    ],
    'Command 0 is LOCAL. Addresses in it are to be ignored.',
  ),
  reads(
    'With another family than TCP over IPv4 or IPv6, nobody knows.',
    [
      { bytes: version2('21 00', ''), address: undefined },
      { bytes: version2('21 00', FROM_4), address: undefined },
      { bytes: version2('21 12', FROM_4), address: undefined },
      { bytes: version2('21 22', FROM_6), address: undefined },
      { bytes: version2('21 31', new Uint8Array(216).fill(0x61)), address: undefined },
    ],
    'All of the byte counts: 11 is TCP over IPv4, 21 TCP over IPv6. What is in others is skipped.',
  ),
  {
    what: 'While a header of version 2 is not complete, more bytes are needed.',
    rules: [],
    check: (lesson) => {
      const what = 'While a header of version 2 is not complete, more bytes are needed.';
      for (const bytes of [
        version2('21 11', FROM_4),
        version2('21 21', FROM_6),
        version2('20 00', ''),
        version2('20 11', FROM_4),
        version2('21 00', MORE),
        version2('21 11', join(fromHex(FROM_4), MORE)),
      ]) {
        expectNothingYet(lesson, bytes, what);
      }
    },
  },
  refuses(
    'Refuse another version, and another command.',
    ['11 11', '31 11', '01 11', 'f1 11', '22 11', '2f 11', '2a 11'].flatMap((first) => [
      join(version2(first, FROM_4), REQUEST),
      version2(first, FROM_4).subarray(0, 16),
    ]),
    'The upper half of the 13th byte is the version, 2. The lower one is 0 for LOCAL, or 1 for PROXY.',
  ),
  refuses(
    'Refuse a header that is too short for the addresses it should have.',
    [
      version2('21 11', fromHex(FROM_4).subarray(0, 11)),
      version2('21 11', ''),
      version2('21 21', fromHex(FROM_6).subarray(0, 35)),
      version2('21 21', FROM_4),
    ].map((bytes) => join(bytes, REQUEST)),
    'What is behind the header is the client’s.',
  ),
];

/** The beginning of a TLS handshake, and then some. */
const TLS = join(fromHex('16 03 01 02 00 01 00 01 fc 03 03'), new Uint8Array(200).fill(7));

const OTHERS: readonly HeaderScenario[] = [
  refuses(
    'Refuse what is no header at all.',
    [
      REQUEST,
      REQUEST.subarray(0, 3),
      utf8(`POST /PROXY HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(100)}\r\n\r\n`),
      utf8(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'x'.repeat(100)}`),
      join(utf8('proxy TCP4 203.0.113.7 10.0.0.1 41162 8203\r\n'), REQUEST, REQUEST),
      join(utf8('xPROXY TCP4 203.0.113.7 10.0.0.1 41162 8203\r\n'), REQUEST, REQUEST),
      line(`PROXY x ${Buffer.from(TCP4).toString().trim()}`),
      line('PROXY x PROXY UNKNOWN'),
      join(utf8('PROXYTCP4 203.0.113.7 10.0.0.1 41162 8203\r\n'), REQUEST, REQUEST),
      join(REQUEST, TCP4, REQUEST),
      join(utf8('\r\n'), TCP4, REQUEST),
      join(utf8('\r\n\r\n'), REQUEST, REQUEST),
      TLS,
    ],
    'Whoever our proxies are, all of them begin with a header.',
  ),
  {
    what: 'Every byte of the signature counts.',
    rules: [],
    check: (lesson) => {
      const what = 'Every byte of the signature counts.';
      for (let i = 0; i < 12; i++) {
        const bytes = join(version2('21 11', FROM_4), REQUEST, REQUEST, REQUEST);
        bytes[i]! ^= 0x20;
        expectRefusal(lesson, bytes, what);
      }
    },
  },
  {
    what: 'What has arrived stays as it is.',
    rules: [],
    check: ({ parseProxyHeader }) => {
      const what = 'What has arrived stays as it is.';
      for (const bytes of [TCP4, version2('21 11', FROM_4), version2('21 21', FROM_6)]) {
        const arrived = join(bytes, REQUEST);
        attempt(() => parseProxyHeader(arrived), what, [given(bytes)]);
        const label = 'then it was';
        equal(() => arrived, join(bytes, REQUEST), what, { given: [given(bytes)], label });
      }
    },
  },
];

/** Draws a header of either version. */
function drawHeader(choose: Choices): Header {
  const isIPv6 = choose.oneIn(2);
  const size = isIPv6 ? 16 : 4;
  const source = choose.bytes(size);
  if (isIPv6) source[0] = 0x20; // No mapped one, and nothing to be shortened:
  for (let i = 0; isIPv6 && i < size; i += 2) source[i]! |= 0x10;
  const address = isIPv6 ? inHex(source) : source.join('.');
  if (choose.oneIn(2)) {
    const ports = `${choose.below(65_536)} ${choose.below(65_536)}`;
    const ours = isIPv6 ? 'fd00::1' : '10.0.0.1';
    return { bytes: line(`PROXY TCP${isIPv6 ? 6 : 4} ${address} ${ours} ${ports}`), address };
  }
  const rest = join(choose.bytes(size + 4), new Uint8Array(choose.below(600)).fill(0x0a));
  const isLocal = choose.oneIn(4);
  const first = `${isLocal ? '20' : '21'} ${isIPv6 ? '21' : '11'}`;
  return { bytes: version2(first, join(source, rest)), address: isLocal ? undefined : address };
}

/** Writes an IPv6 address that has no parts with zeros in front. */
function inHex(bytes: Uint8Array): string {
  const parts = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  return parts.map((part) => part.toString(16)).join(':');
}

const ANY: HeaderScenario = {
  what: 'Any header, with anything behind it, and any part of one.',
  rules: [],
  check: (lesson) =>
    generated(150, (choose) => {
      const { bytes, address } = drawHeader(choose);
      const behind = choose.oneIn(2) ? REQUEST : choose.bytes(choose.below(20));
      const arrived = inMemory(join(bytes, behind));
      const whole = () => lesson.parseProxyHeader(arrived);
      const expected = { length: bytes.length, address };
      equal(whole, expected, 'Any header is read, whatever is behind it.', {
        given: [given(arrived)],
      });
      const part = inMemory(bytes.subarray(0, choose.below(bytes.length)));
      const what = 'Any part of a header is not enough.';
      equal(() => lesson.parseProxyHeader(part), undefined, what, { given: [given(part)] });
    }),
};

export const PROXY_HEADER: Scenarios = [...VERSION_1, ...VERSION_2, ...OTHERS, ANY];
