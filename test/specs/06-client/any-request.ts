/** Step 2, with targets, subprotocols and headers that nobody thought of. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { RFC_KEY } from '../../vectors/accept.ts';
import { CHARACTERS, isToken, trimmed } from '../01-handshake/reader.ts';
import { drawUrl } from './any-url.ts';
import { ask, type Call, drawnOf, factsOf, itemsOf, refusesToAsk } from './request.ts';
import { to } from './targets.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** The lower eight bits of the first two are a line end; a pattern with `iu` takes the others for letters. */
const WIDE = ['\u010d', '\u010a', '\u017f', '\u212a', '€'];
/** What a control character is to HTTP, apart from the tab. */
const CONTROLS = new Set(CHARACTERS.filter((it) => (it < ' ' && it !== '\t') || it === '\x7f'));

const isValue = (text: string) => [...text].every((it) => it <= '\xff' && !CONTROLS.has(it));
const isOurs = (name: string) =>
  ['host', 'upgrade', 'connection'].includes(name.toLowerCase()) ||
  name.toLowerCase().startsWith('sec-websocket-');

const OFFERS = 'Offer any subprotocols that are tokens, and no two the same.';
const REFUSES_OFFER = 'Refuse any subprotocols that are not tokens, or not all different.';
const REFUSES_HEADER = 'Refuse any header that cannot be sent.';
const SENDS = 'Send any headers that can be sent, as they are.';

/** Compares what the code makes of a call with what has to be. */
function compare(lesson: Lesson, call: Call): void {
  const { protocols = [], headers = {} } = call.options ?? {};
  const isOffer = protocols.every(isToken) && new Set(protocols).size === protocols.length;
  const areHeaders = Object.entries(headers).every(
    ([name, value]) => isToken(name) && !isOurs(name) && isValue(value),
  );
  // With both of them wrong, either may be found first.
  if (!isOffer && !areHeaders) return;
  if (!isOffer) refusesToAsk(lesson, call, 'SyntaxError', REFUSES_OFFER);
  else if (!areHeaders) refusesToAsk(lesson, call, 'TypeError', REFUSES_HEADER);
  else readsBack(lesson, call);
}

/** Checks that what a call was given is in its request. */
function readsBack(lesson: Lesson, call: Call): void {
  const { target, options = {} } = call;
  const { protocols = [], headers = {} } = options;
  const request = ask(lesson, call);
  const about = {
    get given() {
      return [...factsOf(call), drawnOf(request.bytes)];
    },
    label: 'in the request',
  };
  const isThere = request.headers.has('sec-websocket-protocol');
  equal(
    () => (isThere ? itemsOf(request, 'sec-websocket-protocol') : []),
    protocols,
    OFFERS,
    about,
  );
  const sent = Object.entries(headers).map(
    ([name, value]) => [name.toLowerCase(), trimmed(value)] as const,
  );
  equal(() => request.headers, new Map(sent), SENDS, about);
  const parts = { line: request.line, host: request.headers.get('host') };
  const right = { line: `GET ${target.resource} HTTP/1.1`, host: target.hostHeader };
  equal(() => parts, right, 'Ask any target for its resource, and name its host.', about);
}

const TARGET = to('ws://example.com/');

const INSIDE = [...CHARACTERS.slice(0, 128), '\x85', '\xa0', '\xe9', ...WIDE];

/** Each character of ASCII and some others, in the middle of a text and at its ends. */
function* placed(): Generator<string> {
  for (const character of INSIDE) yield `a${character}b`;
  for (const character of [...'\0\t\n\r a-,(\x7f\xa0\xe9']) {
    yield `${character}ab`;
    yield `ab${character}`;
  }
}

/** Each character at a place where the options have text. */
function eachCharacter(
  rules: readonly number[],
  what: string,
  optionsOf: (text: string) => NonNullable<Call['options']>,
): Scenarios[number] {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const text of placed()) {
        compare(lesson, { target: TARGET, key: RFC_KEY, options: optionsOf(text) });
      }
    },
  };
}

const TOKENS = ['chat', 'a', 'A', "!#$%&'*+-.^_`|~", 'x1', '0', '__proto__', 'constructor'];
const BAD_PROTOCOLS = ['', ' a', 'a ', 'a,b', 'a b', '"a"', 'ä', 'a\n', 'a=b'];
const NAMES = ['X-A', 'Cookie', 'origin', 'Authorization', 'x-upgrade', '0', 'hosts', '__proto__'];
const BAD_NAMES = ['Host', 'HOST', 'connection', 'uPgrade', 'Sec-WebSocket-Key', 'X:', ' X', 'ä'];
const MORE_BAD_NAMES = [
  'sec-websocket-protocol',
  'Sec-WebSocket-Foo',
  'Sec-WebSocket-Extensions',
  '',
  'X\r\nY',
];
const VALUES = ['1', '', 'a=b; c=d', 'a, b', 'a\tb', ' a ', 'é', 'ÿ', '"', ':'];
const BAD_VALUES = ['a\r\nb: c', '\n', 'a\0', '\x7f', '太', '\u010a'];

function drawCall(choose: Choices): Call {
  let { target } = drawUrl(choose);
  target ??= TARGET;
  const protocols = [...new Set(choose.list(8, () => choose.pick(TOKENS)))];
  const headers = choose.list(4, () => [choose.pick(NAMES), choose.pick(VALUES)]);
  const form = choose.below(8);
  const at = choose.below(4);
  if (form === 5) protocols.splice(at, 0, choose.pick([...BAD_PROTOCOLS, ...protocols]));
  if (form === 6) headers.splice(at, 0, [choose.pick([...BAD_NAMES, ...MORE_BAD_NAMES]), '1']);
  if (form === 7) headers.splice(at, 0, ['X-B', choose.pick(BAD_VALUES)]);
  const key = Buffer.from(choose.bytes(16)).toString('base64');
  return { target, key, options: { protocols, headers: Object.fromEntries(headers) } };
}

export const ANY_REQUESTS: Scenarios = [
  eachCharacter([24], 'Each character in a subprotocol.', (text) => ({ protocols: ['x', text] })),
  eachCharacter([14], 'Each character in the name of a header.', (text) => ({
    headers: { [text]: '1' },
  })),
  eachCharacter([14], 'Each character in the value of a header.', (text) => ({
    headers: { 'X-A': text },
  })),
  {
    what: 'Any request, with any subprotocols and headers.',
    rules: [14, 15, 16, 17, 24],
    check: (lesson) => {
      generated(70, (choose) => compare(lesson, drawCall(choose)));
    },
  },
  {
    what: 'Any two requests: each has bytes of its own, and what was given stays as it is.',
    rules: [],
    check: (lesson) => {
      generated(20, (choose) => {
        const [call, other] = [drawCall(choose), drawCall(choose)];
        const before = show(call);
        const bytes = written(lesson, call);
        const copy = new Uint8Array(bytes);
        written(lesson, other);
        const given = [...factsOf(call), drawnOf(copy)];
        const what = 'A request stays as it is, when the next one is written.';
        if (Buffer.compare(bytes, copy) !== 0) fail(what, [...given, ['now', show(bytes)]]);
        if (show(call) === before) return;
        fail('What was given stays as it is.', [...given, ['before', before], ['now', show(call)]]);
      });
    },
  },
];

/** Writes a request. No bytes: it is refused. */
function written({ openingRequest }: Lesson, { target, key, options }: Call): Uint8Array {
  try {
    return openingRequest(target, key, options);
  } catch {
    return new Uint8Array(0);
  }
}
