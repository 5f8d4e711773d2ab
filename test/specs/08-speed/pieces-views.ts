/** Step 4: what is whole in its read is a view of it, whatever arrives before it or behind it. */
import { equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { fromClient } from '../../../shared/kit/frames.ts';
import { type Message, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { binary, own, readAll, readerOf, someBytes } from './reads.ts';
import type { Scenarios } from './tools.ts';

const { Binary } = Opcode;

const JOINED =
  'A join has copied it. Keep the reads that wait in a list, and the bytes of a cut header by themselves.';

/** Checks that a message is a view of this read. */
function expectViewOf(
  chunk: Uint8Array,
  message: Message | undefined,
  what: string,
  given: readonly Fact[],
): void {
  if (message?.type === 'binary' && message.data.buffer === chunk.buffer) return;
  fail(what, [...given, ['its memory', 'is not that of the read']], JOINED);
}

export const VIEWS: Scenarios = [
  {
    what: 'Messages that are whole in reads that wait are views of them.',
    rules: [],
    check(lesson) {
      const what = 'Messages that are whole in reads that wait are views of them.';
      const payloads = [50, 100, 150].map((length) => someBytes(length, length));
      const reader = readerOf(lesson);
      const chunks = payloads.map((payload) => own(reader, fromClient(Binary, payload)));
      const messages = readAll(reader);
      const given: Fact[] = [
        ['the calls', '`own` for each of 3 reads with a message in it, and only then `read`'],
      ];
      equal(() => messages, payloads.map(binary), what, { given, label: 'came out' });
      for (const [i, chunk] of chunks.entries()) {
        expectViewOf(chunk, messages[i], what, [...given, ['message', `${i + 1}`]]);
      }
    },
  },
  {
    what: 'A message of which only the header is cut is a view of the read with its payload.',
    rules: [],
    check(lesson) {
      const what =
        'A message of which only the header is cut is a view of the read with its payload.';
      for (const length of [10, 300, 66_000]) {
        const payload = someBytes(length);
        const bytes = fromClient(Binary, payload);
        const header = bytes.length - length;
        for (let cut = 1; cut <= header; cut++) {
          const given: Fact[] = [
            ['the frame', `a Binary of ${count(length, 'byte')}, with a header of ${header}`],
            ['the reads', `its first ${count(cut, 'byte')}, and the rest`],
          ];
          const reader = readerOf(lesson);
          own(reader, bytes.subarray(0, cut));
          const early = readAll(reader);
          const chunk = own(reader, bytes.subarray(cut));
          const messages = [...early, ...readAll(reader)];
          equal(() => messages, [binary(payload)], what, { given, label: 'came out' });
          expectViewOf(chunk, messages[0], what, given);
        }
      }
    },
  },
];
