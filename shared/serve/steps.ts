/** Which step of which lesson is about what crosses the wire. */

/** From the browser to the server, or back. */
export type Direction = 'in' | 'out';

/** The step of a lesson that teaches something, such as `02.3`. */
export type Step = `0${1 | 2 | 3 | 4 | 7}.${number}`;

/** What a frame's field is, for `frameStep`. */
export interface FieldPlace {
  readonly direction: Direction;
  /** The name that the wire viewer gives it, such as `masking key`. */
  readonly name: string;
  /** The opcode of its frame. */
  readonly opcode: number;
  /** Is it the last frame of its message? */
  readonly fin: boolean;
  /** The seven bits of the second byte. `undefined`: it has not arrived. */
  readonly length7: number | undefined;
  /** Does a compressed message begin with its frame? Absent: no. */
  readonly isCompressed?: boolean;
}

/** The steps for a frame that is read by the server, and for one that it sends. */
const FIELDS: Record<string, Record<Direction, Step>> = {
  'first byte': { in: '02.1', out: '03.1' },
  'second byte': { in: '02.1', out: '03.1' },
  length: { in: '02.2', out: '03.2' },
  'masking key': { in: '02.3', out: '03.3' },
};

/** The steps for the payload of each opcode: continuation, text, binary, Close, Ping, Pong. */
const PAYLOADS: Record<number, Record<Direction, Step>> = {
  0: { in: '02.7', out: '03.5' },
  1: { in: '02.8', out: '03.6' },
  2: { in: '02.4', out: '03.1' },
  8: { in: '04.1', out: '04.1' },
  9: { in: '02.7', out: '03.4' },
  10: { in: '02.7', out: '03.4' },
};

/** The steps for the fields that another lesson is about, if the message is compressed. */
const COMPRESSED: Record<string, Record<Direction, Step>> = {
  'first byte': { in: '07.6', out: '07.7' },
  payload: { in: '07.4', out: '07.3' },
};

const FRAGMENTS: Record<Direction, Step> = { in: '02.7', out: '03.5' };
const ILLEGAL: Record<Direction, Step> = { in: '02.6', out: '03.4' };

/** The step about a field of a frame, where the reading or the sending of it is taught. */
export function frameStep(place: FieldPlace): Step {
  const { direction, name, opcode, fin, length7 = 0, isCompressed } = place;
  const compressed = isCompressed ? COMPRESSED[name] : undefined;
  if (compressed) return compressed[direction];
  const isFragment = opcode === 0 || (!fin && opcode < 8);
  if (name === 'first byte' && isFragment) return FRAGMENTS[direction];
  // 126 and 127 aren't lengths, but say which of the longer forms follows.
  const field = name === 'second byte' && length7 > 125 ? 'length' : name;
  const steps = field === 'payload' ? PAYLOADS[opcode] : FIELDS[field];
  return (steps ?? ILLEGAL)[direction];
}

const HEADERS: Record<string, Step> = {
  host: '01.3',
  upgrade: '01.3',
  connection: '01.3',
  'sec-websocket-version': '01.4',
  'sec-websocket-key': '01.1',
  'sec-websocket-accept': '01.1',
  'sec-websocket-protocol': '01.6',
  'sec-websocket-extensions': '01.4',
  origin: '01.6',
};

/** The step about a line of the handshake. `undefined`: the line has nothing to do with it. */
export function headStep(direction: Direction, line: string, index: number): Step | undefined {
  if (index === 0) return direction === 'in' ? '01.2' : '01.5';
  const name = line.slice(0, line.indexOf(':')).trim().toLowerCase();
  if (direction === 'out' && /^(upgrade|connection)$/.test(name)) return '01.5';
  if (direction === 'out' && name === 'sec-websocket-extensions') return '07.2';
  return HEADERS[name];
}
