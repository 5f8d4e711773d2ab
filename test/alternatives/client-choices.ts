/** What lesson 06 leaves open, and the reference decides. */
import type { Edit } from '../traps/trap.ts';

/** A permitted difference, as a small edit of the client. */
interface ClientChoice {
  /** What is different. */
  readonly what: string;
  readonly edits: readonly Edit[];
}

/** Those of steps 1 to 4: the opening handshake. */
const OPENING: readonly ClientChoice[] = [
  {
    what: 'the headers of the request in another order',
    edits: [
      ["    'Upgrade: websocket',\n    'Connection: Upgrade',\n", ''],
      [
        "    'Sec-WebSocket-Version: 13',\n",
        "    'Connection: keep-alive, Upgrade',\n    'sec-websocket-version:13',\n    'Upgrade: WebSocket',\n",
      ],
    ],
  },
  {
    what: 'a comma alone between subprotocols',
    edits: [["protocols.join(', ')", 'protocols.join()']],
  },
  {
    what: 'a plain Uint8Array for the request',
    edits: [
      ['  return Buffer.from(`$', '  return new Uint8Array(Buffer.from(`$'],
      ["\\r\\n\\r\\n`, 'latin1');", "\\r\\n\\r\\n`, 'latin1'));"],
    ],
  },
  {
    what: 'more fields in a target than the lesson names',
    edits: [['    url: url.href,\n', '    url: url.href,\n    ...{ path: url.pathname },\n']],
  },
  {
    what: 'more fields in a head than the lesson names, and an order of its own',
    edits: [
      [
        'return { status: Number(status), headers, length: end + 4 };',
        'return { ...{ statusLine }, length: end + 4, headers, status: Number(status) };',
      ],
    ],
  },
  {
    what: 'a blank line before the status line that is skipped',
    edits: [
      [
        '  const end = text.indexOf(',
        '  if (text.startsWith(CRLF)) {\n    const head = parseResponse(bytes.subarray(2), maxHeadBytes - 2);\n    return head && { ...head, length: head.length + 2 };\n  }\n  const end = text.indexOf(',
      ],
      ['/** What the value of a header', "const CRLF = '\\r\\n';\n/** What the value of a header"],
    ],
  },
  {
    what: 'bytes that do not begin like HTTP refused before there is a line of them',
    edits: [
      [
        '  if (end === -1) {\n',
        "  if (!'HTTP/1.'.startsWith(text.slice(0, 7))) throw new OpeningError('4.1', 'Not HTTP.');\n  if (end === -1) {\n",
      ],
    ],
  },
  {
    what: 'a 101 of HTTP/1.0 refused',
    edits: [
      [
        '  const headers = new Map<string, string[]>();\n  for (const line of lines.slice(1)) {',
        "  if (statusLine.startsWith('HTTP/1.0 101')) throw new OpeningError('4.1', 'HTTP/1.0.');\n  const headers = new Map<string, string[]>();\n  for (const line of lines.slice(1)) {",
      ],
    ],
  },
  {
    what: 'errors of a kind of their own',
    edits: [
      ['=> new OpeningError(section', '=> new Refusal(section'],
      ['const TOKEN =', 'class Refusal extends OpeningError {}\nconst TOKEN ='],
    ],
  },
  {
    what: 'other messages, and other sections',
    edits: [
      ["'10.4', `The head is longer than", "'4.1', `Too long:"],
      ["refuse('9.1', 'The server uses", "refuse('4.1', 'It uses"],
      ["'4.1', 'The status line is not", "'10.7', 'No status line:"],
    ],
  },
  {
    what: 'the status looked at last',
    edits: [
      ['  if (head.status !== 101) throw refuse', '  const status = () => refuse'],
      [
        "of ours.');\n  return protocol;",
        "of ours.');\n  if (head.status !== 101) throw status();\n  return protocol;",
      ],
    ],
  },
];

export const CLIENT: readonly ClientChoice[] = [...OPENING];
