/** Category B: compressed messages that are small on the wire, and cost a lot. RFC 6455 §10.4 */
import { constants, deflateRawSync } from 'node:zlib';
import { fromHex } from '../../view/hex.ts';
import type { Case, Category } from '../case.ts';
import type { RawEndpoint } from '../endpoint.ts';
import { expectReply, expectService } from '../expect.ts';
import { Failed, type Finding, worst } from '../model.ts';
import { type PeerEvent, RSV1 } from '../parser.ts';
import { endingOf, judgeEnding } from '../play.ts';
import { ERROR_CODES, finish } from '../script.ts';
import type { Stage } from '../stage.ts';
import type { Trial } from '../trial.ts';
import { binary, echoOf, nameEvent } from '../vocabulary.ts';
import { USUAL } from './deflated.ts';
import { LIMIT_CODES } from './limits.ts';

const KIB = 1024;
const MIB = KIB * KIB;
const GIB = KIB * MIB;
/** A block with BFINAL and nothing in it. */
const EMPTY_BLOCK = fromHex('03 00');

/** What may happen to a message that is too much: nobody else suffers from it. */
type ExpectOthers<S> = (stage: S) => Promise<string>;

/** Zeros, compressed. A part that ends with a flush can be repeated. */
function zeros(size: number): Uint8Array {
  const part = Math.min(size, 16 * MIB);
  const packed = (length: number) =>
    deflateRawSync(new Uint8Array(length), { finishFlush: constants.Z_SYNC_FLUSH });
  const parts = new Array(Math.floor(size / part)).fill(packed(part));
  const rest = size % part;
  return Buffer.concat(rest > 0 ? [...parts, packed(rest)] : parts).subarray(0, -4);
}

/** How a message that was sent is answered: with all of it again, or with a refusal that says so. */
function judge(endpoint: RawEndpoint, event: PeerEvent, size: number): 'echo' | 'refused' {
  if (
    event.type === 'binary' &&
    event.payload.length === size &&
    event.payload.every((it) => it === 0)
  ) {
    return 'echo';
  }
  if (event.type === 'close' && (event.code === undefined || ERROR_CODES.includes(event.code))) {
    return 'refused';
  }
  if (event.type === 'silence') {
    throw new Failed(`${endpoint.peer} was still at it when we gave up.`, 'open');
  }
  const came = event.type === 'binary' ? `${event.payload.length} bytes` : nameEvent(event);
  throw new Failed(`Instead of ${size} bytes or a refusal came ${came}.`, endingOf(endpoint));
}

/** A case with a message that is `size` bytes when it is unpacked. */
function costly<S extends Stage>(
  id: string,
  title: string,
  { size, packed, isTooMuch }: Costly,
  expectOthers: ExpectOthers<S>,
): Case<S> {
  const run = async (stage: S): Promise<Finding> => {
    const endpoint = await stage.openDeflate(USUAL);
    const began = performance.now();
    await endpoint.send([binary(packed(), { rsv: RSV1 })]);
    const event = await endpoint.next();
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const outcome = judge(endpoint, event, size);
    if (outcome === 'echo') {
      const others = await expectOthers(stage);
      const finding = await finish(endpoint);
      return {
        ...finding,
        happened: `Came the echo, after ${seconds} s${others}. ${finding.happened}`,
      };
    }
    await endpoint.untilEnd();
    const ending = endingOf(endpoint);
    const isNamed = event.type === 'close' && LIMIT_CODES.includes(event.code);
    const others = await expectOthers(stage);
    return {
      verdict: worst(isNamed ? 'OK' : 'NON-STRICT', judgeEnding(ending, true)),
      ending,
      happened: `${endpoint.peer} refused it with ${nameEvent(event)}, after ${seconds} s${others}.`,
    };
  };
  const best = isTooMuch ? 'Close 1009' : 'The same message, or Close 1009';
  return { id, title, section: '10.4', expected: `${best}, and the end of TCP.`, run };
}

/** A message that is no more than so many bytes on the wire. */
interface Costly {
  /** How long it is when it is unpacked. */
  readonly size: number;
  readonly packed: () => Uint8Array;
  /** Nobody can want it. */
  readonly isTooMuch?: boolean;
}

const MESSAGES: readonly (readonly [title: string, message: Costly])[] = [
  ['1 GiB of zeros, in 1 MiB', { size: GIB, packed: () => zeros(GIB), isTooMuch: true }],
  ...[1, 16].flatMap((mib) =>
    [mib * MIB, mib * MIB + 1].map((size) => {
      const title = `${mib} MiB of zeros${size > mib * MIB ? ' and one more byte' : ''}`;
      return [title, { size, packed: () => zeros(size) }] as const;
    }),
  ),
  ...[64 * KIB, 4 * MIB].map((bytes) => {
    const packed = () => Buffer.alloc(bytes, EMPTY_BLOCK);
    return [`${bytes / 2} blocks with BFINAL and nothing in them`, { size: 0, packed }] as const;
  }),
];

const REPEATED = 20;

/** A limit is one of a message. Together these are more than most take of a single one. */
const ONE_AFTER_ANOTHER: Case = {
  id: `B.${MESSAGES.length + 1}`,
  title: `${REPEATED} messages of 1 MiB of zeros, on one connection`,
  section: '10.4',
  expected: `${REPEATED} times the same message, then Close 1000.`,
  run: async (stage) => {
    const endpoint = await stage.openDeflate(USUAL);
    const message = binary(new Uint8Array(MIB));
    const packed = binary(zeros(MIB), { rsv: RSV1 });
    for (let i = 1; i <= REPEATED; i++) {
      await endpoint.send([packed]);
      await expectReply(endpoint, echoOf(message), `Message ${i}, as large as those before: `);
    }
    return finish(endpoint);
  },
};

const casesWith = <S extends Stage>(expectOthers: ExpectOthers<S>): Case<S>[] => [
  ...MESSAGES.map(([title, message], i) => costly(`B.${i + 1}`, title, message, expectOthers)),
  ONE_AFTER_ANOTHER,
];

const CATEGORY = { id: 'B', title: 'Compression: limits', serial: true } as const;

export const BOMBS: Category<Trial> = {
  ...CATEGORY,
  cases: casesWith(async (trial: Trial) => {
    await expectService(trial);
    return '; others are served';
  }),
};
export const CLIENT_BOMBS: Category = { ...CATEGORY, cases: casesWith(async () => '') };
