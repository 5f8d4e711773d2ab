/** What this lesson needs of the earlier ones, which an older stub of theirs did not have. */
import { fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { KEY } from '../../../shared/kit/frames.ts';
import { Opcode } from '../../../shared/protocol.ts';
import { HELLO } from './packed-messages.ts';
import type { Scenarios } from './tools.ts';

/** Something that an earlier lesson has to have now. */
interface Hook {
  readonly what: string;
  /** The file, from the folder of the lessons. */
  readonly file: string;
  /** Where in the file. */
  readonly at: string;
  /** Two lines of code. */
  readonly lines: readonly [string, string];
}

/** Fails: the hook is not there. */
function missing({ what, file, at, lines }: Hook, seen: readonly Fact[]): never {
  const facts: Fact[] = [
    ...seen,
    ['file', `lessons/${file}`],
    ['add', `${at}:`],
    ['', lines[0]],
    ['and', lines[1]],
  ];
  fail(what, facts, 'This lesson needs it of an earlier one, and an older stub did not have it.');
}

const FRAMES_FROM_OUTSIDE: Hook = {
  what: 'The `MessageReader` of lesson 02 takes its frames from what it is given.',
  file: '02-reading-frames/reading.ts',
  at: 'to the constructor of `MessageReader`, and take `readonly` from `#frames`',
  lines: [
    "makeFrames?: (check: (header: FrameHeader) => void) => Pick<FrameReader, 'push' | 'read' | 'peek'>",
    'if (makeFrames) this.#frames = makeFrames(…the check that its FrameReader is made with…);',
  ],
};

const RSV1_IN_HEADERS: Hook = {
  what: 'The encoders of lesson 03 write RSV1 of a frame that has `rsv1`.',
  file: '03-sending-frames/sending.ts',
  at: 'where the first byte of a frame is written, after FIN',
  lines: ['const rsv1Bit = frame.rsv1 ? 0x40 : 0;', 'first byte: … | rsv1Bit'],
};

/** Where messages get their frames from: for step 6. */
export const HOOKS_OF_READING: Scenarios = [
  {
    what: FRAMES_FROM_OUTSIDE.what,
    rules: [],
    check({ EARLIER: { MessageReader } }) {
      let isAsked = false;
      const nothing = { push() {}, read: () => undefined, peek: () => new Uint8Array(0) };
      const makeFrames = () => {
        isAsked = true;
        return nothing;
      };
      new MessageReader('server', 1000, makeFrames);
      if (isAsked) return;
      missing(FRAMES_FROM_OUTSIDE, [
        ['the call', "new MessageReader('server', 1000, makeFrames)"],
        ['expected', 'a call of `makeFrames`, and there was none'],
      ]);
    },
  },
];

/** RSV1 on a frame: for step 7. */
export const HOOKS_OF_SENDING: Scenarios = [
  {
    what: RSV1_IN_HEADERS.what,
    rules: [],
    check({ EARLIER: { encodeFrames, encodeMaskedFrame } }) {
      const frame = { fin: true, rsv1: true, opcode: Opcode.Text, payload: HELLO };
      const encoders = [
        ['encodeFrames([frame])', () => encodeFrames([frame])],
        ['encodeMaskedFrame(frame)', () => encodeMaskedFrame(frame, () => KEY)],
      ] as const;
      for (const [call, encode] of encoders) {
        const bytes = encode();
        if (bytes[0] === 0xc1) continue;
        missing(RSV1_IN_HEADERS, [
          ['the call', call],
          ['frame', show(frame)],
          ['you returned', show(bytes)],
          ['expected', 'c1 as the first byte: FIN, RSV1, opcode 1'],
        ]);
      }
    },
  },
];
