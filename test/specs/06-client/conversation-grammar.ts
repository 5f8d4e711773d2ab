/** What a server may say, legal or not: drawn from choices. */
import { closeBody, fromServer, join, wire } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import {
  type Fault,
  type Kind,
  type Meaning,
  Speaker,
  type Spoken,
} from '../../../shared/kit/speech.ts';
import { Binary, Close, Continuation, type Event, Ping, respond, Text } from './connections.ts';

/** What something that a server says means to the client. */
export type Arrival =
  | Meaning
  | { readonly type: 'event'; readonly event: Extract<Event, { readonly type: 'open' }> }
  /** A response that is not a yes. `status` is `undefined` when it is no response at all. */
  | { readonly type: 'refusal'; readonly status: number | undefined };

/** How much a server says. */
export interface Range {
  /** With `everything`, it also refuses, closes and breaks rules. */
  readonly says: 'messages' | 'everything';
}

const TEXTS = ['a', '', 'Hello', '你好，世界', '\ufeffBOM'];

const FAULTS: readonly Fault[] = [
  ['a masked Text', wire({ opcode: Text, payload: 'Hello' }), 1002],
  ['a masked Ping', wire({ opcode: Ping, payload: 'Hello' }), 1002],
  ['a continuation of nothing', fromServer(Continuation, 'x'), 1002],
  ['a reserved opcode', fromServer(3, 'x'), 1002],
  ['RSV1', wire({ opcode: Text, payload: 'x', rsv: 4, key: null }), 1002],
  ['a Ping in fragments', fromServer(Ping, 'x', false), 1002],
  [
    'a length in too many bytes',
    wire({ opcode: Text, payload: 'x', key: null, lengthBytes: 2 }),
    1002,
  ],
  ['a Text that is not UTF-8', fromServer(Text, Uint8Array.of(0xff)), 1007],
  ['a Binary of 101 bytes', fromServer(Binary, new Uint8Array(101)), 1009],
  ['a Close with half a code', fromServer(Close, Uint8Array.of(3)), 1002],
  ['a Close with 1005', fromServer(Close, closeBody(1005)), 1002],
  ['a Close with 5000', fromServer(Close, closeBody(5000)), 1002],
  [
    'a Close whose reason is not UTF-8',
    fromServer(Close, join(closeBody(1000), Uint8Array.of(0xff))),
    1007,
  ],
];

const REFUSALS: readonly (readonly [
  name: string,
  bytes: Uint8Array,
  status: number | undefined,
])[] = [
  ['403', respond('403 Forbidden'), 403],
  ['200', respond('200 OK', 'Content-Length: 0'), 200],
  ['302', respond('302 Found', 'Location: ws://example.com/'), 302],
  ['101 without a proof', respond('101 Yes', 'Upgrade: websocket', 'Connection: Upgrade'), 101],
  ['a frame', fromServer(Text, '\r\n\r\n'), undefined],
];

const INTERIM = ['100 Continue', '103 Early Hints', '199 Wait'];

/** Draws how a server responds to a request: `agreement` is its yes. */
export function drawResponse(
  choose: Choices,
  { says }: Range,
  agreement: Uint8Array,
): Spoken<Arrival>[] {
  const interim = choose.list(2, () => {
    const status = choose.pick(INTERIM);
    return { name: status, bytes: respond(status), arrival: undefined };
  });
  if (says === 'everything' && choose.oneIn(5)) {
    const [name, bytes, status] = choose.pick(REFUSALS);
    return [...interim, { name, bytes, arrival: { type: 'refusal', status }, isWhole: true }];
  }
  const event = { type: 'open', protocol: undefined } as const;
  return [...interim, { name: 'its yes', bytes: agreement, arrival: { type: 'event', event } }];
}

const SERVER = new Speaker(fromServer, TEXTS, FAULTS);

/** Draws what a server says next, up to three things. */
export function drawArrivals(choose: Choices, { says }: Range): Spoken<Arrival>[] {
  const kinds: Kind[] = ['text', 'binary', 'fragments', 'pong', 'ping'];
  if (says === 'everything') kinds.push('close', 'fault');
  return SERVER.draw(choose, kinds);
}
