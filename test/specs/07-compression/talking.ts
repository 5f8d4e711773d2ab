/** Step 8: whole conversations, drawn at random, with a client that compresses by the zlib of Node. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { utf8, wire } from '../../../shared/kit/frames.ts';
import { Choices } from '../../../shared/kit/generate.ts';
import type { Peer } from '../../../shared/kit/peer.ts';
import { SEED } from '../../../shared/kit/seed.ts';
import { type Frame, Opcode } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import type { DeflatePolicy } from '../../../solutions/07-compression/compression.ts';
import { notMessage } from './far.ts';
import { packed, unpacked } from './zlib.ts';

const MESSAGES = 15;
const WORDS = [
  'Hello',
  ', ',
  'hello again',
  'κόσμε',
  '{"text":"',
  '"}',
  'a'.repeat(60),
  '0123456789',
];

/** What a client asks for, and what the server's policy is: in each, windows of other sizes. */
export const TALKS: readonly (readonly [offer: string, policy: DeflatePolicy])[] = [
  ['permessage-deflate; client_max_window_bits', {}],
  ['permessage-deflate; server_max_window_bits=9', {}],
  ['permessage-deflate; client_max_window_bits=9; server_no_context_takeover', {}],
  [
    'permessage-deflate; client_max_window_bits',
    { clientMaxWindowBits: 8, serverMaxWindowBits: 8 },
  ],
  ['permessage-deflate', { clientNoContextTakeover: true, serverMaxWindowBits: 10 }],
];

/** What one side has sent so far, as far back as the other side remembers. */
class Memory {
  readonly bits: number;
  readonly #bytes: number;
  #window: Uint8Array = new Uint8Array(0);

  /** Makes that of the `server` or the `client`, from what the response says. */
  constructor(side: 'server' | 'client', response: string) {
    const [, bits = 15] =
      new RegExp(`${side}_max_window_bits[ \\t]*=[ \\t]*"?(\\d+)`).exec(response) ?? [];
    this.bits = Number(bits);
    this.#bytes = response.includes(`${side}_no_context_takeover`) ? 0 : 2 ** this.bits;
  }

  get window(): Uint8Array {
    return this.#window;
  }

  /** Remembers a message that was sent compressed. */
  add(plain: Uint8Array): void {
    const all = Buffer.concat([this.#window, plain]);
    this.#window = new Uint8Array(all.subarray(Math.max(all.length - this.#bytes, 0)));
  }
}

/** Encodes a message of a client in one to three fragments. */
function fragments(choose: Choices, payload: Uint8Array, isCompressed: boolean): Uint8Array[] {
  const cuts = Array.from({ length: choose.below(3) }, () => choose.below(payload.length + 1));
  const places = [0, ...cuts.sort((a, b) => a - b), payload.length];
  return places.slice(1).map((end, i) =>
    wire({
      fin: i === places.length - 2,
      rsv: isCompressed && i === 0 ? 4 : 0,
      opcode: i === 0 ? Opcode.Text : Opcode.Continuation,
      payload: payload.subarray(places[i], end),
    }),
  );
}

/** What a frame of the server says to somebody with this window. */
function textOf(frame: Frame, { window }: Memory): string {
  const { opcode, rsv1, payload } = frame;
  if (opcode !== Opcode.Text) return notMessage(frame);
  try {
    return Buffer.from(rsv1 ? unpacked(payload, window) : payload).toString();
  } catch {
    return 'cannot be inflated with the window that was agreed on';
  }
}

/** Has messages echoed by a server whose response is known, and checks each. */
export async function talk(client: Peer, offer: string, response: string, policy: DeflatePolicy) {
  const choose = Choices.random(SEED);
  const [ours, theirs] = [new Memory('client', response), new Memory('server', response)];
  for (let sent = 1; sent <= MESSAGES; sent++) {
    const text = Array.from({ length: choose.below(60) }, () => choose.pick(WORDS)).join('');
    const plain = utf8(text);
    const isCompressed = !choose.oneIn(5);
    const payload = isCompressed ? packed(plain, ours.window, ours.bits) : plain;
    if (isCompressed) ours.add(plain);
    client.write(...fragments(choose, payload, isCompressed));

    const what = 'Whatever was agreed on, each message comes back as it was.';
    const frame = await client.frame(what);
    const given: Fact[] = [
      ['the offer', quote(offer)],
      ['policy', show(policy)],
      ['the response', quote(/sec-websocket-extensions:.*/i.exec(response)?.[0] ?? '')],
      ['message', `${sent}, ${isCompressed ? 'compressed' : 'as it is'}`],
      ['found with', `SEED=${SEED}`],
    ];
    equal(() => textOf(frame, theirs), text, what, { given, label: 'came back' });
    if (frame.rsv1) theirs.add(plain);
  }
}
