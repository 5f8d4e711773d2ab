/** Category D: compressed messages, beyond what Autobahn asks. RFC 7692 §6, §7.2 */
import { constants, deflateRawSync, deflateSync, type ZlibOptions } from 'node:zlib';
import { join, utf8, type WireFrame } from '../../kit/frames.ts';
import { type Walk, walkDeflate } from '../../view/deflate.ts';
import { fromHex } from '../../view/hex.ts';
import type { Case, Category } from '../case.ts';
import type { RawEndpoint } from '../endpoint.ts';
import { expectReplies, expectReply } from '../expect.ts';
import type { DeflateParams } from '../extensions.ts';
import { Failed } from '../model.ts';
import { RSV1 } from '../parser.ts';
import type { Script } from '../play.ts';
import { ERROR_CODES, fails, finish, scripted } from '../script.ts';
import type { Stage, Terms } from '../stage.ts';
import type { Trial } from '../trial.ts';
import {
  begin,
  binary,
  binaryReply,
  close,
  counting,
  echoOf,
  end,
  fragments,
  middle,
  nameReplies,
  ping,
  pong,
  pongReply,
  type Reply,
  text,
  textReply,
} from '../vocabulary.ts';
import { CORPORA, Dice, slice } from './corpora.ts';
import { FarReference } from './far.ts';

/** What nearly every client offers, and the answer that every client understands. */
export const USUAL: Terms = {
  offer: 'permessage-deflate; client_max_window_bits',
  answers: [{}],
};
const TAKEOVER: Terms = { ...USUAL, takeover: true };

/** The codes for what cannot be unpacked: the standard names none. */
const BROKEN = [1007, 1002];
const PROTOCOL_ERROR = [1002];

const packed = { rsv: RSV1 };
const HELLO = fromHex('f2 48 cd c9 c9 07 00');
const HELLO_AGAIN = fromHex('f2 00 11 00 00');
const HELLO_FINAL = fromHex('f3 48 cd c9 c9 07 00 00');
const FF = fromHex('fa 0f 00');
const hello = textReply('Hello');

type Captioned = readonly [title: string, section: string];

/** Cases get their ids by their place in the list. */
type Numbered = (id: string) => Case;

/** A case that is no script. */
const runs =
  (
    [title, section]: Captioned,
    expected: string,
    terms: Terms,
    talk: (endpoint: RawEndpoint) => Promise<void>,
  ): Numbered =>
  (id) => ({
    id,
    title,
    section: `RFC 7692 §${section}`,
    expected: `${expected}, then Close 1000.`,
    run: async (stage: Stage) => {
      const endpoint = await stage.openDeflate(terms);
      await talk(endpoint);
      return finish(endpoint);
    },
  });

/** What we send compressed, byte by byte as it is here, and the replies. */
const sends = (
  caption: Captioned,
  frames: readonly WireFrame[],
  replies: readonly Reply[],
  terms = USUAL,
): Numbered =>
  runs(caption, sentence(nameReplies(replies)), terms, async (endpoint) => {
    await endpoint.send(frames, 'apart');
    await expectReplies(endpoint, replies);
  });

const sentence = (words: string) => words.slice(0, 1).toUpperCase() + words.slice(1);

/** What the peer has to refuse. */
const refused =
  ([title, section]: Captioned, frames: readonly WireFrame[], codes: readonly number[]): Numbered =>
  (id) =>
    fails([id, title, `RFC 7692 §${section}`], frames, codes, { terms: USUAL });

/** Compresses a message that stands alone. */
function alone(plain: Uint8Array, options: ZlibOptions = {}): Uint8Array {
  const whole = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH, ...options });
  return whole.subarray(0, -4);
}

/** Cuts a compressed message into fragments of so many bytes. */
const cut = (message: WireFrame, size: number) =>
  fragments(message, size).map((frame, i) => (i === 0 ? { ...frame, ...packed } : frame));

const { Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE } = constants;
const KINDS: readonly ZlibOptions[] = [
  { level: 0 },
  { level: 1 },
  { level: 9 },
  { strategy: Z_FIXED },
  { strategy: Z_HUFFMAN_ONLY },
  { strategy: Z_RLE },
];

const VECTORS: readonly Numbered[] = [
  sends(['"Hello"', '7.2.3.1'], [text(HELLO, packed)], [hello]),
  sends(
    ['"Hello" in two frames', '7.2.3.1'],
    [text(HELLO.subarray(0, 3), { ...packed, fin: false }), end(HELLO.subarray(3))],
    [hello],
  ),
  sends(
    ['"Hello" twice: the second refers to the first', '7.2.3.2'],
    [text(HELLO, packed), text(HELLO_AGAIN, packed)],
    [hello, hello],
    TAKEOVER,
  ),
  sends(
    ['A block without compression', '7.2.3.3'],
    [text(fromHex('00 05 00 fa ff 48 65 6c 6c 6f 00'), packed)],
    [hello],
  ),
  sends(['A block with BFINAL', '7.2.3.4'], [text(HELLO_FINAL, packed)], [hello]),
  sends(
    ['Two blocks', '7.2.3.5'],
    [text(fromHex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00'), packed)],
    [hello],
  ),
  sends(
    ['Empty messages: the byte 00', '7.2.3.6'],
    [text(fromHex('00'), packed), binary(fromHex('00'), packed), text(fromHex('00'), packed)],
    [textReply(), binaryReply(), textReply()],
  ),
  sends(
    ['Two blocks with BFINAL', '7.2.1'],
    [text(join(HELLO_FINAL.subarray(0, -1), HELLO_FINAL), packed)],
    [textReply('HelloHello')],
  ),
  sends(
    ['A message after one with BFINAL', '7.2.1'],
    [text(HELLO_FINAL, packed), text(HELLO, packed)],
    [hello, hello],
  ),
  // Some forget what was before a last block, and say so when it is referred to.
  (id) =>
    scripted([id, 'A reference to a message with BFINAL', 'RFC 7692 §7.2.1'], {
      terms: TAKEOVER,
      steps: [
        text(HELLO_FINAL, packed),
        { until: hello },
        text(HELLO_AGAIN, packed),
        { until: hello },
        close(1000),
      ],
      allowed: [
        { verdict: 'OK', replies: [hello, hello], codes: [1000, undefined] },
        { verdict: 'NON-STRICT', replies: [hello], codes: ERROR_CODES, unclosed: true },
      ],
    }),
];

const FRAGMENTED: readonly Numbered[] = [
  sends(
    ['An empty first fragment', '6.1'],
    [text('', { ...packed, fin: false }), end(HELLO)],
    [hello],
  ),
  sends(
    ['An empty last fragment', '6.1'],
    [text(HELLO, { ...packed, fin: false }), end()],
    [hello],
  ),
  sends(
    ['A flush before the last fragment', '7.2.1'],
    [text(join(HELLO, fromHex('00 00 ff ff')), { ...packed, fin: false }), end(fromHex('00'))],
    [hello],
  ),
  sends(
    ['A Ping and a Pong between compressed fragments', '6'],
    [
      text(HELLO.subarray(0, 3), { ...packed, fin: false }),
      ping('between'),
      pong('unasked'),
      end(HELLO.subarray(3)),
    ],
    [pongReply('between'), hello],
  ),
  sends(
    ['Characters of many bytes, each compressed byte in a fragment of its own', '6.1'],
    cut(text(alone(utf8('κόσμε 你好 🙂 κόσμε'))), 1),
    [textReply('κόσμε 你好 🙂 κόσμε')],
  ),
];

const MIXED: readonly Numbered[] = [
  sends(
    ['A plain message between compressed ones', '6.1'],
    [text(HELLO, packed), text('plain, and in no window'), text(HELLO_AGAIN, packed)],
    [hello, textReply('plain, and in no window'), hello],
    TAKEOVER,
  ),
  sends(
    ['Plain messages: a text, an empty one, one in fragments, bytes', '6.1'],
    [text('Hel'), text(), begin('frag'), middle('men'), end('ted'), binary(fromHex('f2 48'))],
    [textReply('Hel'), textReply(), textReply('fragmented'), binaryReply(fromHex('f2 48'))],
  ),
  sends(
    ['Bytes that are not UTF-8, compressed', '6.2'],
    [binary(FF, packed)],
    [binaryReply(fromHex('ff'))],
  ),
  runs(['Every kind of block', '7.2.1'], 'Each message again', USUAL, async (endpoint) => {
    const message = text(slice(CORPORA.json(), 0, 3000));
    for (const options of KINDS) {
      await endpoint.send([text(alone(utf8(message.payload as string), options), packed)]);
      await expectReply(endpoint, echoOf(message), `With ${JSON.stringify(options)}: `);
    }
  }),
];

const REFUSED: readonly Numbered[] = [
  refused(['Text that is not UTF-8, compressed', '6.2'], [text(FF, packed)], [1007]),
  refused(
    ['RSV1 on a continuation', '6.1'],
    [text(HELLO.subarray(0, 3), { ...packed, fin: false }), end(HELLO.subarray(3), packed)],
    PROTOCOL_ERROR,
  ),
  refused(
    ['RSV1 on a continuation of a plain message', '6.1'],
    [begin('Hel'), end('lo', packed)],
    PROTOCOL_ERROR,
  ),
  refused(['RSV1 on a Ping', '6.1'], [ping('marked', packed), text('plain')], PROTOCOL_ERROR),
  refused(['RSV1 on a Pong', '6.1'], [pong('marked', packed), text('plain')], PROTOCOL_ERROR),
  refused(['RSV1 on a Close', '6.1'], [{ ...close(1000), ...packed }, close(1000)], PROTOCOL_ERROR),
  refused(['RSV1 and RSV2', '6'], [text(HELLO, { rsv: 6 })], PROTOCOL_ERROR),
  refused(['RSV2, and not RSV1', '6'], [text('Hello', { rsv: 2 })], PROTOCOL_ERROR),
  refused(['RSV3, and not RSV1', '6'], [text('Hello', { rsv: 1 })], PROTOCOL_ERROR),
  refused(
    ['A compressed message inside another', '6.1'],
    [text(HELLO.subarray(0, 3), { ...packed, fin: false }), text(HELLO, packed)],
    PROTOCOL_ERROR,
  ),
  refused(['Bytes that are not DEFLATE', '7.2.2'], [text(fromHex('ff ff ff ff'), packed)], BROKEN),
  refused(
    ['A header of zlib before the DEFLATE', '7.2.2'],
    [text(deflateSync('Hello'), packed)],
    BROKEN,
  ),
  refused(
    ['A block whose two lengths do not fit', '7.2.2'],
    [text(fromHex('00 05 00 00 00 48 65 6c 6c 6f 00'), packed)],
    BROKEN,
  ),
  refused(
    ['A reference to before the first message', '7.2.2'],
    [text(HELLO_AGAIN, packed)],
    BROKEN,
  ),
  (id) =>
    scripted([id, 'A reference to a plain message', 'RFC 7692 §7.2.2'], {
      terms: USUAL,
      steps: [text('Hello'), { until: hello }, text(HELLO_AGAIN, packed), close(1000)],
      allowed: [
        { verdict: 'OK', replies: [hello], codes: BROKEN, unclosed: true },
        { verdict: 'NON-STRICT', replies: [hello], codes: ERROR_CODES },
      ],
      fails: true,
    }),
  // That nobody needs to see: a flush comes behind it.
  (id) =>
    scripted([id, 'A message that is cut off', 'RFC 7692 §7.2.2'], {
      terms: USUAL,
      steps: [text(HELLO.subarray(0, 3), packed), { until: textReply('Heh') }, close(1000)],
      allowed: [
        { verdict: 'OK', replies: [], codes: ERROR_CODES, unclosed: true },
        { verdict: 'OK', replies: [textReply('Heh')], codes: [1000, undefined] },
      ],
      fails: true,
    }),
];

/** Around the size of the parts in which zlib writes. */
const PART_SIZES = Array.from({ length: 12 }, (_, i) => 16_368 + i);
const KIB = 1024;
const MANY = 200;

/** Sends messages of all kinds, as they come. */
async function sendMany(endpoint: RawEndpoint): Promise<void> {
  const dice = new Dice(7);
  const corpora = Object.values(CORPORA);
  for (let i = 1; i <= MANY; i++) {
    const part = slice(
      dice.pick(corpora)(),
      dice.roll(200_000),
      dice.roll(dice.pick([40, 2000, 70_000])),
    );
    const message = typeof part === 'string' ? text(part) : binary(part);
    const size = dice.pick([0, 0, 100, 5000]);
    const frames: WireFrame[] = dice.roll(4) === 0 ? [message] : await endpoint.pack(message, size);
    const replies = [echoOf(message)];
    if (dice.roll(5) === 0) {
      frames.splice(1, 0, ping(`${i}`));
      replies.push(pongReply(`${i}`));
    }
    await endpoint.send(frames);
    await expectReplies(endpoint, replies, `Message ${i}: `);
  }
}

/** Sends text that a long window would make use of, and looks how far the peer has referred back. */
async function measureWindow(endpoint: RawEndpoint): Promise<void> {
  const { bits } = endpoint.agreed!.theirs;
  const json = CORPORA.json();
  // Again and again the same, at all distances around the size of the window.
  const sizes = [0.4, 0.9, 0.95, 1.1, 1.3, 2.5].map((part) => Math.round(2 ** bits * part));
  for (const size of sizes) {
    for (const message of [text(json.slice(0, size)), text(json.slice(size, size + 300))]) {
      await endpoint.send(await endpoint.pack(message));
      await expectReply(endpoint, echoOf(message));
    }
  }
  const distances = endpoint.packed.map((payload) => walkDeflate(payload).largestDistance);
  const far = Math.max(0, ...distances);
  if (far <= 2 ** bits) return;
  const happened = `${endpoint.peer} has agreed on a window of ${2 ** bits} bytes, and refers back ${far}.`;
  throw new Failed(happened);
}

/** How a message must not end. */
const ENDS: Record<Exclude<Walk['end'], 'flushed'>, string> = {
  final: 'ends with a block with BFINAL, and has no empty one behind it',
  whole: 'has no empty block at its end',
  cut: 'ends within a block',
  wrong: 'is not DEFLATE',
};

const windowOf = (bits: number): Numbered => {
  const params: DeflateParams = { client_max_window_bits: bits };
  const { offer } = USUAL;
  return runs(
    [`The peer keeps to a window of ${2 ** bits} bytes`, '7.2.1'],
    'Each message again, with no reference that goes back further',
    { offer: `${offer}; server_max_window_bits=${bits}`, answers: [params] },
    measureWindow,
  );
};

/** Asks the peer to forget what it sends, and refers back ourselves. */
const ONE_FORGETS: Terms = {
  offer: 'permessage-deflate; server_no_context_takeover; client_max_window_bits',
  answers: [{ client_no_context_takeover: true }],
  takeover: true,
};

const WINDOWS: readonly Numbered[] = [
  runs(
    ['The peer forgets what it has sent', '7.1.1'],
    'Each message again, and each stands alone',
    ONE_FORGETS,
    async (endpoint) => {
      for (let i = 1; i <= 3; i++) {
        await endpoint.send([text(i === 1 ? HELLO : HELLO_AGAIN, packed)]);
        await expectReply(endpoint, hello, `Message ${i}: `);
      }
      for (let i = 4; i <= 6; i++) {
        const message = text(slice(CORPORA.json(), 0, 2000));
        await endpoint.send(await endpoint.pack(message));
        await expectReply(endpoint, echoOf(message), `Message ${i}: `);
      }
    },
  ),
  ...[8, 9, 10, 12, 15].map(windowOf),
  runs(
    ['A reference to the first byte of the window', '7.2.1'],
    'Both messages again',
    TAKEOVER,
    async (endpoint) => {
      const { first, second, plain } = new FarReference(2 ** endpoint.agreed!.ours.bits);
      await endpoint.send([binary(first, packed)]);
      await expectReply(endpoint, binaryReply(plain), 'The message that fills the window: ');
      await endpoint.send([binary(second, packed)]);
      await expectReply(endpoint, binaryReply(plain.subarray(0, 8)), 'Its first 8 bytes again: ');
    },
  ),
  runs(
    ['Each message of the peer ends with a flush', '7.2.1'],
    'Each message again, with an empty block without compression at its end',
    USUAL,
    async (endpoint) => {
      for (const data of Object.values(CORPORA)) {
        const part = slice<string | Uint8Array>(data(), 0, 900);
        const message = typeof part === 'string' ? text(part) : binary(part);
        await endpoint.send(await endpoint.pack(message));
        await expectReply(endpoint, echoOf(message));
      }
      const ends = endpoint.packed.map((payload) => walkDeflate(payload).end);
      const other = ends.find((end) => end !== 'flushed');
      if (other) throw new Failed(`${endpoint.peer} sent a message that ${ENDS[other]}.`);
    },
  ),
  runs(['Empty messages, from both', '7.2.3.6'], 'Each message again', USUAL, async (endpoint) => {
    for (const message of [text(), text('not empty'), text(), binary(), text('not empty')]) {
      await endpoint.send(await endpoint.pack(message));
      await expectReply(endpoint, echoOf(message));
    }
  }),
  runs(
    [`Messages of ${PART_SIZES[0]} to ${PART_SIZES.at(-1)} bytes that do not get shorter`, '7.2.1'],
    'Each message again',
    USUAL,
    async (endpoint) => {
      for (const [i, size] of PART_SIZES.entries()) {
        const message = binary(slice(CORPORA.noise(), 512 + i * 4096, 3584 * 5).slice(0, size));
        await endpoint.send(await endpoint.pack(message));
        await expectReply(endpoint, echoOf(message), `${size} bytes: `);
      }
    },
  ),
  runs(
    ['A message after 64 KiB of others', '7.2.1'],
    'Each message again',
    USUAL,
    async (endpoint) => {
      for (let i = 0; i < 66; i++) {
        const message = i % 6 === 5 ? text('seldom') : counting(KIB + i);
        await endpoint.send(await endpoint.pack(message));
        await expectReply(endpoint, echoOf(message), `Message ${i + 1}: `);
      }
    },
  ),
  runs(
    [`${MANY} messages of all kinds, with plain ones and Pings between them`, '7.2'],
    'Each message again',
    USUAL,
    sendMany,
  ),
];

const FINALS = 150;

const MORE: readonly Numbered[] = [
  sends(
    ['A text that starts with a byte order mark', '6.2'],
    [text(alone(utf8('\ufeffhi')), packed)],
    [textReply('\ufeffhi')],
  ),
  refused(
    ['Text that ends inside a character, compressed', '6.2'],
    [text(alone(fromHex('48 c3')), packed), text('\u0080')],
    [1007],
  ),
  sends(
    [`${FINALS} messages with BFINAL`, '7.2.1'],
    new Array(FINALS).fill(text(HELLO_FINAL, packed)),
    new Array(FINALS).fill(hello),
  ),
  runs(
    ['A message of 400 KiB that does not get much shorter', '6.1'],
    'The same message',
    USUAL,
    async (endpoint) => {
      const message = binary(join(CORPORA.noise(), CORPORA.bitmap()));
      await endpoint.send(await endpoint.pack(message, 100_000));
      await expectReply(endpoint, echoOf(message));
    },
  ),
  runs(
    ['Large and small messages in one write, compressed and plain', '7.2'],
    'Each message again, in their order',
    USUAL,
    async (endpoint) => {
      const messages = [60_000, 3, 20_000, 2, 1, 40_000, 5].map((size, i) =>
        text(slice(CORPORA.html(), i * 999, size)),
      );
      const frames: WireFrame[] = [];
      for (const [i, message] of messages.entries()) {
        frames.push(...(i % 3 === 1 ? [message] : await endpoint.pack(message)));
      }
      await endpoint.send(frames);
      await expectReplies(endpoint, messages.map(echoOf));
    },
  ),
  // As with plain ones, a Close may overtake: the peer need not finish what it is at.
  (id) => {
    const large = binary(new Uint8Array(300_000));
    const script: Script = {
      terms: USUAL,
      steps: [{ ...large, ...packed, payload: alone(large.payload as Uint8Array) }, close(1000)],
      allowed: [
        { verdict: 'OK', replies: [echoOf(large)], codes: [1000, undefined] },
        { verdict: 'NON-STRICT', replies: [], codes: [1000, undefined] },
      ],
    };
    return scripted([id, 'A Close right behind a compressed message', 'RFC 7692 §6'], script);
  },
];

const SHARED = [...VECTORS, ...FRAGMENTED, ...MIXED, ...REFUSED, ...WINDOWS, ...MORE].map(
  (make, i) => make(`D.${i + 1}`),
);

/** Each connection has windows of its own. */
const TWO_CONNECTIONS: Case<Trial> = {
  id: `D.${SHARED.length + 1}`,
  title: 'Two connections in turn, with different messages',
  section: 'RFC 7692 §7.2.1',
  expected: 'Each message again on its connection, then Close 1000.',
  run: async (trial) => {
    const [one, two] = [await trial.openDeflate(USUAL), await trial.openDeflate(USUAL)];
    for (let i = 0; i < 8; i++) {
      for (const [endpoint, data] of [
        [one, CORPORA.json()],
        [two, CORPORA.html()],
      ] as const) {
        const message = text(slice(data, i * 400, 500));
        await endpoint.send(await endpoint.pack(message));
        await expectReply(endpoint, echoOf(message), `Message ${i + 1}: `);
      }
    }
    await finish(one);
    return finish(two);
  },
};

const CATEGORY = { id: 'D', title: 'Compression: messages', patience: 2 } as const;

export const DEFLATED: Category<Trial> = { ...CATEGORY, cases: [...SHARED, TWO_CONNECTIONS] };
export const CLIENT_DEFLATED: Category = { ...CATEGORY, cases: SHARED };
