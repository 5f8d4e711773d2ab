/** What a client may say, legal or not: drawn from choices. */
import { join, utf8 } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import {
  Binary,
  Close,
  Continuation,
  closeBody,
  fromClient,
  fromServer,
  Ping,
  Pong,
  Text,
} from './core.ts';
import type { Arrival } from './model.ts';

/** A frame that a client sends, and what it means to its receiver. */
export interface Spoken {
  /** For people: such as `a Ping`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `undefined`: nothing by itself. */
  readonly arrival: Arrival | undefined;
  /** Comes in one read: when it is refused, earlier or later, is left open. */
  readonly isWhole?: boolean;
}

const TEXTS = ['a', '', 'Hello', '你好，世界'];

const FAULTS: readonly (readonly [name: string, bytes: Uint8Array, code: number])[] = [
  ['a Text that is not masked', fromServer(Text, 'Hello'), 1002],
  ['a continuation of nothing', fromClient(Continuation, 'x'), 1002],
  ['a reserved opcode', fromClient(3, 'x'), 1002],
  ['a Ping in fragments', fromClient(Ping, 'x', false), 1002],
  ['a Text that is not UTF-8', fromClient(Text, Uint8Array.of(0xff)), 1007],
  ['a Binary of 101 bytes', fromClient(Binary, new Uint8Array(101)), 1009],
  ['a Close with half a code', fromClient(Close, Uint8Array.of(3)), 1002],
  ['a Close with 1005', fromClient(Close, closeBody(1005)), 1002],
  [
    'a Close whose reason is not UTF-8',
    fromClient(Close, join(closeBody(1000), Uint8Array.of(0xff))),
    1007,
  ],
];

/** Draws what a peer says next, up to three things. */
export function drawArrivals(
  choose: Choices,
  { says }: { readonly says: 'messages' | 'pings' | 'anything' },
): Spoken[] {
  const kinds = [text, binary, fragments, pong];
  if (says !== 'messages') kinds.push(ping);
  if (says === 'anything') kinds.push(close, fault);
  return [choose.pick(kinds)(choose), ...choose.list(2, () => choose.pick(kinds)(choose))].flat();
}

function text(choose: Choices): Spoken[] {
  const data = choose.pick(TEXTS);
  const arrival = { type: 'event', event: { type: 'text', data } } as const;
  return [{ name: `the Text ${JSON.stringify(data)}`, bytes: fromClient(Text, data), arrival }];
}

function binary(choose: Choices): Spoken[] {
  const data = choose.bytes(choose.below(4));
  const arrival = { type: 'event', event: { type: 'binary', data } } as const;
  const name = `a Binary of ${data.length} bytes`;
  return [{ name, bytes: fromClient(Binary, data), arrival }];
}

/** A text in fragments, with a Pong between them or not. */
function fragments(choose: Choices): Spoken[] {
  const data = choose.pick(TEXTS);
  const payload = utf8(data);
  const at = choose.below(payload.length + 1);
  const arrival = { type: 'event', event: { type: 'text', data } } as const;
  return [
    {
      name: 'the first fragment of a Text',
      bytes: fromClient(Text, payload.subarray(0, at), false),
      arrival: undefined,
    },
    ...(choose.oneIn(2) ? pong(choose) : []),
    {
      name: `the last fragment of the Text ${JSON.stringify(data)}`,
      bytes: fromClient(Continuation, payload.subarray(at)),
      arrival,
    },
  ];
}

function pong(choose: Choices): Spoken[] {
  const payload = choose.bytes(choose.below(3));
  const arrival = { type: 'event', event: { type: 'pong', payload } } as const;
  return [{ name: 'a Pong', bytes: fromClient(Pong, payload), arrival }];
}

function ping(choose: Choices): Spoken[] {
  const payload = choose.bytes(choose.below(3));
  return [{ name: 'a Ping', bytes: fromClient(Ping, payload), arrival: { type: 'ping', payload } }];
}

function close(choose: Choices): Spoken[] {
  const code = choose.pick([1000, undefined, 1001, 4001]);
  const reason = code === undefined ? '' : choose.pick(['', 'bye', '再见']);
  const body = code === undefined ? new Uint8Array(0) : closeBody(code, reason);
  const name = code === undefined ? 'an empty Close' : `a Close with ${code}`;
  return [{ name, bytes: fromClient(Close, body), arrival: { type: 'close', code, reason } }];
}

function fault(choose: Choices): Spoken[] {
  const [name, bytes, code] = choose.pick(FAULTS);
  return [{ name, bytes, arrival: { type: 'fault', code }, isWhole: true }];
}
