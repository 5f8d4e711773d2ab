/** Step 2, with addresses and lists that nobody thought of, made from what they mean. */
import { equal } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Choices, generated, mutate } from '../../../shared/kit/generate.ts';
import { type Came, expectClient, expectKeys, isOurs, networkOf } from './clients.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** An address, in some way to write it, and in the usual one. */
interface Written {
  readonly text: string;
  readonly address: string;
}

const PARTS = [0, 1, 0, 0xffff, 0, 0xdb8, 0x10, 0xa0, 0xabc, 0x8000];

function drawIPv4(choose: Choices): string {
  return Array.from({ length: 4 }, () => choose.pick([0, 1, 9, 10, 127, 203, 255])).join('.');
}

/** Draws an IPv6 address, and a way to write it: long, in capitals, with any row of zeros left out. */
function drawIPv6(choose: Choices): Written {
  const parts = Array.from({ length: 8 }, () => choose.pick(PARTS));
  if (isMapped(parts)) parts[0] = 1;
  const isLong = choose.oneIn(3);
  const texts = parts.map((part) => part.toString(16).padStart(isLong ? 4 : 1, '0'));
  const rows = rowsOfZeros(parts);
  const row = rows.length > 0 && !choose.oneIn(3) ? choose.pick(rows) : undefined;
  const text = row ? withoutRow(texts, row) : texts.join(':');
  return { text: choose.oneIn(3) ? text.toUpperCase() : text, address: usual(parts) };
}

function isMapped(parts: readonly number[]): boolean {
  return parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff;
}

/** A row of parts that are 0. */
type Row = readonly [start: number, end: number];

/** All rows of zeros, also those inside others. */
function rowsOfZeros(parts: readonly number[]): Row[] {
  return parts.flatMap((_, start) =>
    parts.flatMap((_, last): Row[] =>
      last >= start && parts.slice(start, last + 1).every((part) => part === 0)
        ? [[start, last + 1]]
        : [],
    ),
  );
}

function withoutRow(texts: readonly string[], [start, end]: Row): string {
  return `${texts.slice(0, start).join(':')}::${texts.slice(end).join(':')}`;
}

/** RFC 5952 §4.2: the first of the longest rows of zeros is left out, but not a single one. */
function usual(parts: readonly number[]): string {
  const texts = parts.map((part) => part.toString(16));
  const rows = rowsOfZeros(parts).filter(([start, end]) => end - start > 1);
  const longest = Math.max(...rows.map(([start, end]) => end - start));
  const row = rows.find(([start, end]) => end - start === longest);
  return row ? withoutRow(texts, row) : texts.join(':');
}

/** Draws an address, with brackets, a port and a zone as proxies write them. */
function drawAddress(choose: Choices): Written {
  const port = choose.pick(['', ':80', ':65535', ':_web']);
  if (!choose.oneIn(2)) {
    const address = drawIPv4(choose);
    if (!choose.oneIn(3)) return { text: address + port, address };
    const mapped = choose.pick(['::ffff:', '::FFFF:', '0:0:0:0:0:ffff:']) + address;
    return { text: choose.oneIn(2) ? `[${mapped}]${port}` : mapped, address };
  }
  const { text, address } = drawIPv6(choose);
  const zoned = text + choose.pick(['', '', '%eth0', '%2']);
  return { text: choose.oneIn(2) ? `[${zoned}]${port}` : zoned, address };
}

/** An address can only lose what is needed, and get what is none of it. */
const INTRUDERS = [' ', 'g', '%', '[', ']', ',', '/', 'é', '\u0000', '"'];

export const ANY_ADDRESS: Scenarios[number] = {
  what: 'Any address, however it is written, and what is nearly one.',
  rules: [],
  check: ({ parseAddress }: Lesson) =>
    generated(300, (choose) => {
      const { text, address } = drawAddress(choose);
      const given = [['the text', show(text)]] as const;
      equal(
        () => parseAddress(text),
        address,
        'Any address has one text for all ways to write it.',
        {
          given,
        },
      );
      // Whether it is one is not looked at here, but nothing may come of it that is not usual.
      const wrong = mutate(choose, text, INTRUDERS);
      const what = 'What `parseAddress` returns is an address, or `undefined`.';
      const again = () => {
        const result = parseAddress(wrong);
        return result === undefined || parseAddress(result) === result;
      };
      const about = {
        given: [['the text', show(wrong)] as const],
        label: 'it was one',
        inWords: true,
      };
      equal(again, true, what, about);
    }),
};

export const ANY_KEY: Scenarios[number] = {
  what: 'Any two addresses with the same first 64 bits have the same key.',
  rules: [],
  check: (lesson) =>
    generated(100, (choose) => {
      const { address } = drawAddress(choose);
      const other = choose.oneIn(2) ? drawAddress(choose).address : neighbourOf(choose, address);
      const what =
        networkOf(address) === networkOf(other)
          ? 'Any two addresses with the same first 64 bits have the same key.'
          : 'Any two addresses that differ in the first 64 bits have different keys.';
      expectKeys(lesson, [address, other], what);
    }),
};

/** Draws an address with the same first 64 bits. */
function neighbourOf(choose: Choices, address: string): string {
  if (!address.includes(':')) return address;
  const network = networkOf(address)
    .split(':')
    .map((part) => Number.parseInt(part, 16));
  const rest = Array.from({ length: 4 }, () => choose.pick(PARTS));
  const parts = [...network, ...rest];
  return isMapped(parts) ? address : usual(parts);
}

/** What a proxy may write for a hop, and who that is. `undefined`: nobody knows. */
function drawHop(choose: Choices): { readonly text: string; readonly address: string | undefined } {
  const kind = choose.below(6);
  if (kind < 3) {
    const ours = choose.pick(['10.0.0.1', '10.0.0.2:80', '::ffff:10.0.0.3', '[fd00:0::1]:80']);
    return { text: ours, address: ours.includes('fd00') ? 'fd00::1' : /10[\d.]+/.exec(ours)![0] };
  }
  if (kind === 3)
    return { text: choose.pick(['unknown', '_x', 'example.com']), address: undefined };
  return drawAddress(choose);
}

/** Names of pairs, and values, that are not for us. */
const OTHERS = [
  'proto=https',
  'by=10.0.0.9',
  'host="a,for=6.6.6.6"',
  'x="\\";for=6.6.6.6"',
  'x.y=1',
];

/** Writes a hop as an element of Forwarded: what is no token is in quotes. */
function drawElement(choose: Choices, text: string): string {
  const isToken = /^[\w.]+$/.test(text) && !choose.oneIn(3);
  const pair = `${choose.pick(['for', 'For'])}=${isToken ? text : `"${text}"`}`;
  const pairs = choose.list(2, () => choose.pick(OTHERS));
  return pairs.toSpliced(choose.below(pairs.length + 1), 0, pair).join(choose.pick([';', '; ']));
}

export const ANY_FORWARDED: Scenarios[number] = {
  what: 'Any list of hops, in one line or several.',
  rules: [],
  check: (lesson) =>
    generated(150, (choose) => {
      const header = choose.pick(['x-forwarded-for', 'forwarded'] as const);
      const drawn = drawHop(choose);
      const peer = drawn.address === undefined ? undefined : drawn.text;
      const hops = choose.list(5, () => drawHop(choose));
      const lines: string[] = [];
      for (const { text } of hops) {
        const written = header === 'forwarded' ? drawElement(choose, text) : text;
        if (lines.length === 0 || choose.oneIn(3)) lines.push(written);
        else lines.push(lines.pop() + choose.pick([', ', ',', ' ,\t']) + written);
      }
      let is = drawn.address;
      for (const { address } of hops.toReversed()) {
        if (is === undefined || !isOurs(is) || address === undefined) break;
        is = address;
      }
      const came: Came = { peer, lines: { [header]: lines }, proxies: header, is };
      expectClient(lesson, came, 'Any list is read from right to left, over proxies of ours.');
    }),
};
