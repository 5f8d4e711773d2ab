/** Step 7, sending: texts that are encoded where they stay. */
import { attempt, equal, fail, throws } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { fromServer, join, utf8 } from '../../../shared/kit/frames.ts';
import { type Choices, generated } from '../../../shared/kit/generate.ts';
import { type Work, workOf } from '../../../shared/kit/work.ts';
import { type Extension, Opcode } from '../../../shared/protocol.ts';
import { count } from '../../../shared/view/count.ts';
import { turns } from '../05-server/sockets.ts';
import { allOf, connected, isExtensible } from './connecting.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** Texts with characters of one to four bytes, and with those that are often forgotten. */
export const TEXTS = [
  'Hello',
  '',
  'Grüße',
  '10 €',
  '你好，世界',
  '🎉🎉',
  '\ufeffhi',
  'a\0b',
  '\ufffd',
  '\uffff',
  '\u{10ffff}',
];

/** Says what a text is that is too long to be shown. */
export function tell(text: string): string {
  return text.length <= 60
    ? show(text)
    : `${show(text.slice(0, 20))} and so on (${count(text.length, 'character')})`;
}

const HALVES = [
  '\ud83c',
  '\udf89',
  'a\ud83c',
  '\udf89a',
  '🎉\udf89',
  `${'x'.repeat(20_000)}\ud83c`,
];

/** Compares many bytes in no time, and says no to what are no bytes. */
const isSame = (actual: unknown, right: Uint8Array) =>
  actual instanceof Uint8Array && Buffer.compare(actual, right) === 0;

/** Says why the bytes of a text are not right. `undefined`: not known. */
function whyWrong(actual: unknown, right: Uint8Array): string | undefined {
  if (!(actual instanceof Uint8Array)) return undefined;
  if (actual.length < right.length && isSame(actual, right.subarray(0, actual.length))) {
    return 'Was there room for all of it? `write` of a Buffer stops where the memory ends. Three bytes for each unit of the string are enough.';
  }
  if (actual.length > right.length)
    return 'There is more of the memory in it than has been written.';
  return undefined;
}

/** Encodes texts one after the other, and looks at all of them in the end. */
function expectEncoded({ encodeText }: Lesson, texts: readonly string[], what: string): void {
  const facts = (text: string): Fact[] => [
    ['the text', tell(text)],
    ['encoded in all', count(texts.length, 'text')],
  ];
  const encoded = texts.map((text) => {
    const bytes = attempt(() => encodeText(text), what, facts(text));
    const right = utf8(text);
    if (isSame(bytes, right)) return { text, bytes, right };
    const label = '`encodeText` returned';
    const cause = (actual: unknown) => whyWrong(actual, right);
    return equal(() => bytes, right, what, { given: facts(text), label, cause }) as never;
  });
  for (const { text, bytes, right } of encoded) {
    if (isSame(bytes, right)) continue;
    equal(() => bytes, right, 'A text that was encoded stays what it is.', {
      given: facts(text),
      label: 'its bytes, in the end',
      cause: () =>
        'Memory that was handed out is used again, and somebody may still wait to write it. Go on behind it.',
    });
  }
}

/** How many pieces of memory something has taken. */
const memoriesOf = ({ arrays, buffers }: Work) => arrays + buffers;

const repeated = (text: string, times: number) => Array.from({ length: times }, () => text);

/** Counts what it takes to encode texts. The first one is not counted: it may make ready. */
function workFor({ encodeText }: Lesson, texts: readonly string[]): Work {
  attempt(() => encodeText('Hello'), 'Encode a text.');
  return workOf(() => {
    for (const text of texts) encodeText(text);
  });
}

/** So many short texts may take so many pieces of memory. */
const SHORT_TEXTS = 64;
const FEW = 8;

/** How many texts it takes at most until the memory is about full. */
const MANY = 1000;

/** Encodes short texts until only so many bytes are left of the memory that they share. */
function leave({ encodeText }: Lesson, left: number): void {
  let more = 1;
  for (let i = 0; i < MANY && more > 0; i++) {
    const { buffer, byteOffset, length } = attempt(() => encodeText('x'.repeat(more)), 'Encode.');
    const room = buffer.byteLength - byteOffset - length - left;
    // A third, since three bytes are reserved for a letter.
    more = Math.min(5000, room < 0 ? 5000 : room > 6 ? Math.floor(room / 3) : room);
  }
}

const ENCODING: Scenarios = [
  {
    what: 'Each text becomes its bytes of UTF-8, whatever its characters.',
    rules: [],
    check(lesson) {
      const lengths = [1, 700, 5000, 20_000];
      const texts = TEXTS.flatMap((text) => lengths.map((times) => text.repeat(times)));
      expectEncoded(lesson, texts, 'A text becomes its bytes of UTF-8.');
    },
  },
  {
    what: 'Half of a surrogate pair is refused, and the texts behind it are right.',
    rules: [],
    check(lesson) {
      const what = 'Half of a surrogate pair is no character: throw a TypeError.';
      for (const half of HALVES) {
        throws(TypeError, () => lesson.encodeText(half), what, {
          given: [['the text', tell(half)]],
          cause: () => 'Encoders put U+FFFD in its place. Ask `isWellFormed` first.',
        });
        expectEncoded(lesson, ['Hello'], 'After a text that was refused, the next one is right.');
      }
    },
  },
  {
    what: 'Each text stays what it is, however many are encoded after it.',
    rules: [],
    check(lesson) {
      const more = Array.from({ length: 1000 }, (_, i) =>
        `${i % 7}`.repeat(1 + ((i * 389) % 5000)),
      );
      expectEncoded(lesson, [...TEXTS, ...more], 'A text becomes its bytes of UTF-8.');
    },
  },
  {
    what: 'Each text stays what it is in later turns, too.',
    rules: [],
    async check({ encodeText }) {
      const what = 'A text that was encoded stays what it is.';
      const bytes = attempt(() => encodeText('first'), what);
      await turns(2);
      for (let i = 0; i < 3; i++) attempt(() => encodeText('x'.repeat(1000)), what);
      equal(() => bytes, utf8('first'), what, {
        given: [
          ['the text', show('first')],
          ['two turns later', 'three texts of 1000 letters were encoded'],
        ],
        label: 'its bytes, in the end',
        cause: () =>
          'The turn has ended, and the text may still wait: the client reads when it likes. Never use a byte again.',
      });
    },
  },
  {
    what: 'A text that is about as long as the memory that is left is whole.',
    rules: [],
    check(lesson) {
      const length = 100;
      for (const character of ['é', '€', '🎉']) {
        const text = character.repeat(length);
        for (const less of [1, 2, length, text.length, 1.5 * length]) {
          leave(lesson, utf8(text).length - less);
          expectEncoded(lesson, [text], 'A text is encoded whole, also at the end of the memory.');
        }
      }
    },
  },
  {
    what: 'Short texts share a large piece of memory.',
    rules: [],
    check(lesson) {
      const what = 'Short texts share a large piece of memory.';
      for (const text of ['x'.repeat(10), 'x'.repeat(1000), 'é'.repeat(1000)]) {
        const work = workFor(lesson, repeated(text, SHORT_TEXTS));
        const facts: Fact[] = [
          ['the texts', `${SHORT_TEXTS} times ${tell(text)}`],
          ['memory was taken', `${count(memoriesOf(work), 'time')}, expected at most ${FEW}`],
        ];
        if (memoriesOf(work) > FEW) {
          const cause =
            'Each of them gets memory of its own. Take a large piece once, and write text behind text into it.';
          fail(what, facts, cause);
        }
        if (work.copiedBytes === 0) continue;
        fail(
          'A text is written where it stays, and not copied there.',
          [...facts.slice(0, 1), ['copied', count(work.copiedBytes, 'byte')]],
          '`write` of a Buffer encodes straight into its memory, and returns how many bytes that took.',
        );
      }
    },
  },
  {
    what: 'A short text takes no more of the memory than it has bytes.',
    rules: [],
    check(lesson) {
      const [texts, length] = [3000, 100];
      const { reservedBytes } = workFor(lesson, repeated('x'.repeat(length), texts));
      const most = 2 * texts * length + 2 * lesson.OUTPUT_MEMORY_BYTES;
      if (reservedBytes <= most) return;
      fail(
        'A short text takes no more of the memory than it has bytes.',
        [
          ['the texts', `${texts} of ${length} letters`],
          ['memory taken', `${count(reservedBytes, 'byte')}, expected at most ${most}`],
        ],
        'Three bytes for a unit are only a bound. Go on where the text ends, not where it could have ended.',
      );
    },
  },
  {
    what: 'A long text takes about as much memory as it has bytes.',
    rules: [],
    check(lesson) {
      for (const length of [20_000, 1_000_000]) {
        const { reservedBytes } = workFor(lesson, ['x'.repeat(length)]);
        const most = 2 * length + lesson.OUTPUT_MEMORY_BYTES;
        if (reservedBytes <= most) continue;
        fail(
          'A long text takes about as much memory as it has bytes.',
          [
            ['the text', count(length, 'letter')],
            ['memory taken', `${count(reservedBytes, 'byte')}, expected at most ${most}`],
          ],
          'Three bytes for each unit are cheap to reserve in memory that others use as well, and not here.',
        );
      }
    },
  },
  {
    what: 'A short text keeps no more memory alive than is taken at once.',
    rules: [],
    check({ encodeText, OUTPUT_MEMORY_BYTES }) {
      const { byteLength } = attempt(() => encodeText('Hello'), 'Encode a text.').buffer;
      if (byteLength <= OUTPUT_MEMORY_BYTES) return;
      fail(
        'A short text keeps no more memory alive than is taken at once.',
        [
          ['the text', show('Hello')],
          ['its memory', count(byteLength, 'byte')],
          ['OUTPUT_MEMORY_BYTES', `${OUTPUT_MEMORY_BYTES}`],
        ],
        'As long as one text waits to be written, all of the memory that it is in has to stay.',
      );
    },
  },
];

/** Draws a text: some characters, each of them a number of times. */
function drawText(choose: Choices): string {
  const characters = ['x', 'é', '€', '🎉', '\ufeff', '\0', '\ud83c', '\udf89'];
  const draw = () => {
    const isHalf = choose.oneIn(40);
    const character = choose.pick(isHalf ? characters : characters.slice(0, 6));
    const times = isHalf ? 1 : choose.below(choose.pick([2, 20, 300, 3000]));
    return character.repeat(times);
  };
  return choose.list(4, draw).join('');
}

const ANY_TEXTS: Scenarios = [
  {
    what: 'Any texts become their bytes, and these stay as they are.',
    rules: [],
    check(lesson) {
      generated(100, (choose) => {
        const texts = choose.list(8, () => drawText(choose));
        const what = 'A text becomes its bytes of UTF-8.';
        const good = texts.filter((text) => {
          if (text.isWellFormed()) return true;
          const refusal = 'Half of a surrogate pair is no character: throw a TypeError.';
          const given: Fact[] = [['the text', tell(text)]];
          throws(TypeError, () => lesson.encodeText(text), refusal, { given });
          return false;
        });
        expectEncoded(lesson, good, what);
      });
    },
  },
];

/** What goes out for a text: in fragments where it is long. */
function framesFor(text: string, most: number): Uint8Array {
  const bytes = utf8(text);
  const pieces = Array.from({ length: Math.ceil(bytes.length / most) || 1 }, (_, i) =>
    bytes.subarray(i * most, (i + 1) * most),
  );
  const frames = pieces.map((piece, i) =>
    fromServer(i === 0 ? Opcode.Text : Opcode.Continuation, piece, i === pieces.length - 1),
  );
  return join(...frames);
}

const SENDING: Scenarios = [
  {
    what: 'A text that is sent goes out as it is, and has been encoded once.',
    rules: [],
    check(lesson) {
      const most = lesson.EARLIER.server.MAX_FRAGMENT_BYTES;
      for (const text of [...TEXTS, 'é'.repeat(10_000), 'é'.repeat(100_000)]) {
        const connection = connected(lesson);
        const what = 'A text that is sent goes out as it is.';
        const given: Fact[] = [['the call', `send(${tell(text)})`]];
        const { encodedTexts } = workOf(() => attempt(() => connection.send(text), what, given));
        const label = 'went out';
        const right = framesFor(text, most);
        equal(() => allOf(connection), right, what, { given, label, frames: true });
        if (encodedTexts === 1) continue;
        fail('A text that is sent is encoded once.', [
          ...given,
          ['encoded', count(encodedTexts, 'time')],
        ]);
      }
    },
  },
  {
    what: 'Bytes that are sent go out as they are.',
    rules: [],
    check(lesson) {
      for (const bytes of [utf8(''), utf8('Hello'), Buffer.from('Hello'), Uint8Array.of(0xff, 0)]) {
        const connection = connected(lesson);
        const what = 'Bytes that are sent go out as they are.';
        const given: Fact[] = [['the call', `send(${show(bytes)})`]];
        attempt(() => connection.send(bytes), what, given);
        const right = fromServer(Opcode.Binary, bytes);
        equal(() => allOf(connection), right, what, { given, label: 'went out', frames: true });
      }
    },
  },
  {
    what: 'Short texts that are sent take no memory for each.',
    rules: [],
    check(lesson) {
      const what = 'Short texts that are sent take no memory for each.';
      const connection = connected(lesson);
      const send = (text: string) => {
        connection.send(text);
        connection.takeParts();
      };
      attempt(() => send('Hello'), what);
      const work = workOf(() => {
        for (const text of repeated('x'.repeat(200), SHORT_TEXTS)) send(text);
      });
      if (memoriesOf(work) <= FEW) return;
      fail(
        what,
        [
          ['the calls', `send(text) and takeParts(), ${SHORT_TEXTS} times`],
          ['memory was taken', `${count(memoriesOf(work), 'time')}, expected at most ${FEW}`],
        ],
        'Encode with the `encodeText` of this lesson, not with that of lesson 03 as lesson 05 does, and hand the bytes on as they are.',
      );
    },
  },
  {
    what: 'A long text is not copied on its way out.',
    rules: [],
    check(lesson) {
      const text = 'é'.repeat(100_000);
      const connection = connected(lesson);
      const what = 'A long text is not copied on its way out.';
      const { copiedBytes } = workOf(() => {
        attempt(() => connection.send(text), what);
        connection.takeParts();
      });
      if (copiedBytes <= lesson.LONG_BYTES) return;
      fail(
        what,
        [
          ['the calls', `send(${tell(text)}), then takeParts()`],
          ['copied', `${count(copiedBytes, 'byte')} of 200,000`],
        ],
        'Its fragments are views of what has been encoded, and from LONG_BYTES on, each is a part by itself.',
      );
    },
  },
  {
    what: 'Where there is an extension, it makes the frames of a text, with the options.',
    rules: [],
    check(lesson) {
      if (!isExtensible(lesson)) return;
      const { MAX_FRAGMENT_BYTES } = lesson.EARLIER.server;
      const payload = utf8('packed');
      const asked: unknown[] = [];
      const extension: Extension = {
        readerFor: () => ({ push() {}, read: () => undefined }),
        framesFor(opcode, data, most, options) {
          asked.push({ opcode, text: Buffer.from(data).toString(), most, options });
          return [{ fin: true, rsv1: true, opcode, payload }];
        },
      };
      const options = { compress: false };
      const connection = connected(lesson, extension);
      const what = 'Where there is an extension, it makes the frames of a text.';
      attempt(() => connection.send('Hello', options), what);
      const about = {
        given: [['the call', "send('Hello', { compress: false }), with an extension"]] as Fact[],
        cause: () => '`send` of lesson 05 asks the extension: leave it to that.',
      };
      const call = { opcode: Opcode.Text, text: 'Hello', most: MAX_FRAGMENT_BYTES, options };
      equal(() => asked, [call], what, { ...about, label: '`framesFor` was called with' });
      const frame = join(Uint8Array.of(0xc1, payload.length), payload);
      equal(() => allOf(connection), frame, what, { ...about, label: 'went out', frames: true });
    },
  },
];

export const TEXTS_OUT: Scenarios = [...ENCODING, ...SENDING, ...ANY_TEXTS];
