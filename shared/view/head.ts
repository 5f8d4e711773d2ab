/** The head of an HTTP request or response: bytes → lines as data, right or wrong, whole or cut. */

/** A line of a head. */
export interface HeadLine {
  readonly name: 'start line' | 'header' | 'blank line';
  /** One character for each byte, with its line end if that has arrived. */
  readonly text: string;
  /** The rule that it breaks, no matter who sent it. */
  readonly problem: string | undefined;
}

/** A head, or as much of it as there is. */
export interface DecodedHead {
  readonly lines: readonly HeadLine[];
  /** How long it is, in bytes. */
  readonly size: number;
  /** Says whether its blank line has arrived. */
  readonly isWhole: boolean;
  readonly kind: 'request' | 'response';
  /** The status of a response, such as 101. `undefined`: there is none. */
  readonly status: number | undefined;
  /** What follows the blank line. */
  readonly rest: Uint8Array;
}

/** Takes a head apart: its lines up to the blank one, and what follows. */
export function decodeHead(bytes: Uint8Array): DecodedHead {
  const all: string[] =
    Buffer.from(bytes)
      .toString('latin1')
      .match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const blank = all.indexOf('\r\n');
  const texts = blank === -1 ? all : all.slice(0, blank + 1);
  const [startLine = ''] = texts;
  const [, status] = /^HTTP\/\S+ (\d+)/i.exec(startLine) ?? [];
  const size = texts.join('').length;
  return {
    lines: texts.map(decodeLine),
    size,
    isWhole: blank !== -1,
    kind: /^HTTP/i.test(startLine) ? 'response' : 'request',
    status: status === undefined ? undefined : Number(status),
    rest: bytes.subarray(size),
  };
}

function decodeLine(text: string, index: number): HeadLine {
  const name = index === 0 ? 'start line' : text === '\r\n' ? 'blank line' : 'header';
  const problem = text.endsWith('\r\n') ? undefined : 'the line does not end with \\r\\n';
  return { name, text, problem };
}
