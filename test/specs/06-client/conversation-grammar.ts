/** What a server may say, legal or not: drawn from choices. */
import { join, utf8, wire } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import {
  Binary,
  Close,
  Continuation,
  closeBody,
  type Event,
  fromServer,
  NOTHING,
  Ping,
  Pong,
  respond,
  Text,
} from './connections.ts';

/** What something that a server says means to the client. */
export type Arrival =
  | { readonly type: 'event'; readonly event: Partial<Event> }
  | { readonly type: 'ping'; readonly payload: Uint8Array }
  /** A legal Close. `code` is `undefined` when it is empty. */
  | { readonly type: 'close'; readonly code: number | undefined; readonly reason: string }
  /** It breaks a rule, for which the connection fails with this code. */
  | { readonly type: 'fault'; readonly code: number }
  /** A response that is not a yes. `status` is `undefined` when it is no response at all. */
  | { readonly type: 'refusal'; readonly status: number | undefined };

/** Something that a server says. */
export interface Spoken {
  /** For people: such as `a Ping`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `undefined`: nothing by itself. */
  readonly arrival: Arrival | undefined;
  /** Comes in one read: whether it is refused earlier or later is left open. */
  readonly isWhole?: boolean;
}

/** How much a server says. */
export interface Range {
  /** With `everything`, it also refuses, closes and breaks rules. */
  readonly says: 'messages' | 'everything';
}

const TEXTS = ['a', '', 'Hello', '你好，世界', '\ufeffBOM'];

const FAULTS: readonly (readonly [name: string, bytes: Uint8Array, code: number])[] = [
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
export function drawResponse(choose: Choices, { says }: Range, agreement: Uint8Array): Spoken[] {
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

/** Draws what a server says next, up to three things. */
export function drawArrivals(choose: Choices, { says }: Range): Spoken[] {
  const kinds = [text, binary, fragments, pong, ping];
  if (says === 'everything') kinds.push(close, fault);
  return [choose.pick(kinds)(choose), ...choose.list(2, () => choose.pick(kinds)(choose))].flat();
}

function text(choose: Choices): Spoken[] {
  const data = choose.pick(TEXTS);
  const arrival = { type: 'event', event: { type: 'text', data } } as const;
  return [{ name: `the Text ${JSON.stringify(data)}`, bytes: fromServer(Text, data), arrival }];
}

function binary(choose: Choices): Spoken[] {
  const data = choose.bytes(choose.below(4));
  const arrival = { type: 'event', event: { type: 'binary', data } } as const;
  const name = `a Binary of ${data.length} bytes`;
  return [{ name, bytes: fromServer(Binary, data), arrival }];
}

/** A text in fragments, with a Pong between them or not. */
function fragments(choose: Choices): Spoken[] {
  const data = choose.pick(TEXTS);
  const payload = utf8(data);
  const at = choose.below(payload.length + 1);
  return [
    {
      name: 'the first fragment of a Text',
      bytes: fromServer(Text, payload.subarray(0, at), false),
      arrival: undefined,
    },
    ...(choose.oneIn(2) ? pong(choose) : []),
    {
      name: `the last fragment of the Text ${JSON.stringify(data)}`,
      bytes: fromServer(Continuation, payload.subarray(at)),
      arrival: { type: 'event', event: { type: 'text', data } },
    },
  ];
}

function pong(choose: Choices): Spoken[] {
  const payload = choose.bytes(choose.below(3));
  const arrival = { type: 'event', event: { type: 'pong', payload } } as const;
  return [{ name: 'a Pong', bytes: fromServer(Pong, payload), arrival }];
}

function ping(choose: Choices): Spoken[] {
  const payload = choose.bytes(choose.below(3));
  return [{ name: 'a Ping', bytes: fromServer(Ping, payload), arrival: { type: 'ping', payload } }];
}

function close(choose: Choices): Spoken[] {
  const code = choose.pick([1000, undefined, 1001, 4001]);
  const reason = code === undefined ? '' : choose.pick(['', 'bye', '再见']);
  const body = code === undefined ? NOTHING : closeBody(code, reason);
  const name = code === undefined ? 'an empty Close' : `a Close with ${code}`;
  return [{ name, bytes: fromServer(Close, body), arrival: { type: 'close', code, reason } }];
}

function fault(choose: Choices): Spoken[] {
  const [name, bytes, code] = choose.pick(FAULTS);
  return [{ name, bytes, arrival: { type: 'fault', code }, isWhole: true }];
}
