/** What a client may say, legal or not: drawn from choices. */
import { closeBody, fromClient, fromServer, join } from '../../../shared/kit/frames.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { type Fault, type Kind, Speaker, type Spoken } from '../../../shared/kit/speech.ts';
import { Binary, Close, Continuation, Ping, Text } from './core.ts';

const TEXTS = ['a', '', 'Hello', '你好，世界'];

const FAULTS: readonly Fault[] = [
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

const CLIENT = new Speaker(fromClient, TEXTS, FAULTS);

/** Draws what a peer says next, up to three things. */
export function drawArrivals(
  choose: Choices,
  { says }: { readonly says: 'messages' | 'pings' | 'anything' },
): Spoken[] {
  const kinds: Kind[] = ['text', 'binary', 'fragments', 'pong'];
  if (says !== 'messages') kinds.push('ping');
  if (says === 'anything') kinds.push('close', 'fault');
  return CLIENT.draw(choose, kinds);
}
