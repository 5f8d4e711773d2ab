/** Step 6 · Illegal frames. */
import { attempt, equal, fail, failsWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, join, type WireFrame, wire } from '../../../shared/kit/frames.ts';
import { CloseCode, Opcode, type Role } from '../../../shared/protocol.ts';
import { fromHex } from '../../../shared/view/hex.ts';
import type { FrameHeader } from '../../../solutions/02-reading-frames/reading.ts';
import { ILLEGAL_FRAMES, RFC_FRAMES } from '../../vectors/frames.ts';
import { arrived, type Lesson } from './readers.ts';

const { Binary, Close, Continuation, Ping, Pong, Text } = Opcode;

const HELLO = fromHex(RFC_FRAMES[1]!.wire);

/** Why an illegal frame is illegal, by the first word of its id, and which rules it breaks. */
const WHY: Readonly<Record<string, { readonly cause: string; readonly rules: readonly number[] }>> =
  {
    unmasked: {
      cause: 'A client masks every frame, and a server refuses one that is not masked.',
      rules: [67, 153],
    },
    rsv: {
      cause: 'No extension was agreed on, so nobody knows what the bit means. Do not guess.',
      rules: [72, 153],
    },
    opcode: {
      cause: 'Opcodes 3 to 7 and 11 to 15 have no meaning yet. What has none cannot be handled.',
      rules: [73, 153],
    },
    fragmented: {
      cause: 'A control frame is one frame: FIN is always set.',
      rules: [84, 93, 153],
    },
    ping: {
      cause: 'A control frame has at most 125 bytes, so that it fits between any two fragments.',
      rules: [92, 153],
    },
  };

const whyOf = (id: string) => WHY[/^[a-z]+/.exec(id)?.[0] ?? ''];

/** The header of a frame, as the code of step 2 decodes it. */
function headerOf({ decodeHeader }: Lesson, bytes: Uint8Array): FrameHeader {
  return decodeHeader(bytes) ?? fail('Step 2 has to pass before this one.', arrived(bytes));
}

function givenOf(header: FrameHeader, role: Role): Fact[] {
  return [
    ['header', show(header)],
    ['we are', `the ${role}`],
  ];
}

/** Checks that a header of such a frame is accepted. */
function accepts(lesson: Lesson, sent: WireFrame, what: string, role: Role = 'server'): void {
  const header = headerOf(lesson, wire(sent));
  attempt(() => lesson.checkHeader(header, role), what, givenOf(header, role));
}

/** Checks that a header of such a frame is refused, by the rule in that section. */
function refuses(
  lesson: Lesson,
  sent: WireFrame,
  what: string,
  section: string,
  role: Role = 'server',
): void {
  const header = headerOf(lesson, wire(sent));
  const check = () => lesson.checkHeader(header, role);
  failsWith(CloseCode.ProtocolError, check, what, { given: givenOf(header, role), section });
}

const ANY_HEADER: readonly Scenario<Lesson>[] = [
  {
    what: 'Accept a fragment: data may go on.',
    rules: [],
    check(lesson) {
      for (const opcode of [Continuation, Text, Binary]) {
        accepts(lesson, { opcode, fin: false }, 'Accept a fragment: data may go on.');
      }
    },
  },
  {
    what: 'Accept every opcode that has a meaning.',
    rules: [],
    check(lesson) {
      for (const opcode of Object.values(Opcode)) {
        accepts(lesson, { opcode }, `Accept opcode ${opcode}.`);
      }
    },
  },
  {
    what: 'Accept a masking key of four zeros: it is a key.',
    rules: [],
    check(lesson) {
      const key = new Uint8Array(4);
      const what = 'Accept a masking key of four zeros: it is a key.';
      accepts(lesson, { opcode: Text, payload: 'Hello', key }, what);
    },
  },
  {
    what: 'Refuse every reserved opcode.',
    rules: [73, 153],
    check(lesson) {
      for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
        refuses(lesson, { opcode }, `Refuse the reserved opcode ${opcode}.`, '5.2');
      }
    },
  },
  {
    what: 'Refuse every set of RSV bits, in every frame.',
    rules: [72, 153],
    check(lesson) {
      for (const opcode of Object.values(Opcode)) {
        for (let rsv = 1; rsv < 8; rsv++) {
          const bits = rsv.toString(2).padStart(3, '0');
          const what = `Refuse the RSV bits ${bits} in a frame with opcode ${opcode}.`;
          refuses(lesson, { opcode, rsv }, what, '5.2');
          if (opcode < 8) refuses(lesson, { opcode, rsv, fin: false }, what, '5.2');
        }
      }
    },
  },
  {
    what: 'Refuse an unmasked frame without payload: the mask is in the header.',
    rules: [67, 153],
    check(lesson) {
      for (const opcode of Object.values(Opcode)) {
        const what = `Refuse an unmasked frame with opcode ${opcode} and no payload.`;
        refuses(lesson, { opcode, key: null }, what, '5.1');
      }
    },
  },
];

const CONTROL_FRAMES: readonly Scenario<Lesson>[] = [
  {
    what: 'Accept a control frame of 125 bytes.',
    rules: [92],
    check(lesson) {
      for (const opcode of [Close, Ping, Pong]) {
        const payload = new Uint8Array(125);
        accepts(lesson, { opcode, payload }, 'Accept a control frame of 125 bytes.');
      }
    },
  },
  {
    what: 'Refuse a control frame of more than 125 bytes.',
    rules: [92, 153],
    check(lesson) {
      for (const opcode of [Close, Ping, Pong]) {
        for (const length of [126, 127, 65536]) {
          const payload = new Uint8Array(length);
          refuses(lesson, { opcode, payload }, `Refuse a control frame of ${length} bytes.`, '5.5');
        }
      }
    },
  },
  {
    what: 'Refuse a control frame without FIN.',
    rules: [84, 93, 153],
    check(lesson) {
      for (const opcode of [Close, Ping, Pong]) {
        refuses(lesson, { opcode, fin: false }, 'Refuse a control frame without FIN.', '5.5');
      }
    },
  },
];

const AS_A_CLIENT: readonly Scenario<Lesson>[] = [
  {
    what: 'As a client, accept an unmasked frame.',
    rules: [69],
    check(lesson) {
      const what = 'As a client, accept an unmasked frame.';
      for (const payload of ['', 'Hello']) {
        accepts(lesson, { opcode: Text, payload, key: null }, what, 'client');
      }
    },
  },
  {
    what: 'As a client, refuse a masked frame: a server never masks.',
    rules: [69, 153],
    check(lesson) {
      const what = 'As a client, refuse a masked frame: a server never masks.';
      for (const payload of ['Hello', '']) {
        refuses(lesson, { opcode: Text, payload }, what, '5.1', 'client');
      }
    },
  },
];

export const ILLEGAL: readonly Scenario<Lesson>[] = [
  ...ILLEGAL_FRAMES.map(({ id, what, source, wire: hex, expected }): Scenario<Lesson> => {
    const { cause, rules = [] } = whyOf(id) ?? {};
    return {
      what: `Refuse ${what}.`,
      rules,
      check(lesson) {
        const bytes = fromHex(hex);
        const header = headerOf(lesson, bytes);
        failsWith(expected, () => lesson.checkHeader(header), `Refuse ${what}.`, {
          given: [...arrived(bytes), ...givenOf(header, 'server')],
          section: source.split('§')[1] ?? '5.2',
          cause: () => cause,
        });
      },
    };
  }),
  ...ANY_HEADER,
  ...CONTROL_FRAMES,
  ...AS_A_CLIENT,
  ...ILLEGAL_FRAMES.map(({ id, what, source, wire: hex, expected }): Scenario<Lesson> => {
    return {
      what: `Refuse ${what} at its header, after a good frame.`,
      rules: whyOf(id)?.rules ?? [],
      check(lesson) {
        const reader = new lesson.FrameReader();
        const bytes = fromHex(hex);
        const header = bytes.slice(0, headerOf(lesson, bytes).headerLength);
        const both = join(HELLO, header);
        const given = arrived(both, 'a good frame, then a bad header without payload');
        reader.push(both);
        const good = `Return the good frame before ${what}.`;
        equal(() => reader.read(), frame(Text, 'Hello'), good, { given });
        const refuse = `Refuse ${what} at its header; do not wait for its payload.`;
        const section = source.split('§')[1] ?? '5.2';
        failsWith(expected, () => reader.read(), refuse, { given, section });
      },
    };
  }),
];
