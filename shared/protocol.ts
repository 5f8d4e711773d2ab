/** The words of RFC 6455 that every lesson uses. */

/** The constant a server joins to the client's key. RFC 6455 §1.3 */
export const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** What a frame is. 3–7 and 11–15 are reserved. RFC 6455 §5.2 */
export const Opcode = {
  Continuation: 0x0,
  Text: 0x1,
  Binary: 0x2,
  Close: 0x8,
  Ping: 0x9,
  Pong: 0xa,
} as const;

/** Why a connection ended. RFC 6455 §7.4.1, and 1012–1014 from the IANA registry. */
export const CloseCode = {
  NormalClosure: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  UnsupportedData: 1003,
  /** Never travels: the Close frame had no code. */
  NoStatusReceived: 1005,
  /** Never travels: there was no Close frame. */
  AbnormalClosure: 1006,
  InvalidPayload: 1007,
  PolicyViolation: 1008,
  MessageTooBig: 1009,
  MandatoryExtension: 1010,
  InternalError: 1011,
  ServiceRestart: 1012,
  TryAgainLater: 1013,
  BadGateway: 1014,
  /** Never travels: TLS failed before there was a WebSocket. */
  TlsHandshake: 1015,
} as const;
export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];

/** The longest payload of a Close, Ping or Pong, in bytes. RFC 6455 §5.5 */
export const MAX_CONTROL_PAYLOAD = 125;

/** Which end of the connection we are. Clients mask their frames, servers do not. */
export type Role = 'client' | 'server';

/** One frame, without the wire's business: masks and lengths are gone. RFC 6455 §5.2 */
export interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Uint8Array;
  /** RSV1, which says that an extension has changed the payload. Absent: it is 0. */
  readonly rsv1?: boolean;
}

/** What a peer said: a whole message, or a control frame. */
export type Message =
  | { readonly type: 'text'; readonly data: string }
  | { readonly type: 'binary'; readonly data: Uint8Array }
  | { readonly type: 'close'; readonly payload: Uint8Array }
  | { readonly type: 'ping'; readonly payload: Uint8Array }
  | { readonly type: 'pong'; readonly payload: Uint8Array };

/** How one message is to be sent. */
export interface SendOptions {
  /** `false`: an extension leaves it as it is. */
  readonly compress?: boolean;
}

/** What an extension does that both ends have agreed on, for one connection. RFC 6455 §9 */
export interface Extension {
  /** Makes the reader of messages, of up to `maxMessageBytes` each. */
  readerFor(maxMessageBytes: number): {
    push(chunk: Uint8Array): void;
    read(): Message | undefined;
  };
  /** Makes the frames of a message, each with a payload of at most `maxPayload` bytes. */
  framesFor(opcode: number, data: Uint8Array, maxPayload: number, options?: SendOptions): Frame[];
}

/** Says whether an opcode is that of a control frame: 8 to 15, reserved ones too. RFC 6455 §5.5 */
export function isControl(opcode: number): boolean {
  return opcode >= 0x8;
}

/** The peer broke a rule after the handshake. RFC 6455 §7.1.7 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** The code to put in our Close frame; the three that never travel are not allowed. */
  readonly closeCode: Exclude<CloseCode, 1005 | 1006 | 1015>;
  /** The section that has the rule: `5.2` of RFC 6455, or `RFC 7692 §6.2`. */
  readonly section: string;

  constructor(closeCode: ProtocolError['closeCode'], section: string, message: string) {
    super(message);
    this.closeCode = closeCode;
    this.section = section;
  }
}

/** The request is not one we can turn into a WebSocket. RFC 6455 §4.2 */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  /** The HTTP status of the response, 400–599. */
  readonly status: number;
  /** The section of RFC 6455 that has the rule, such as `4.2.1`. */
  readonly section: string;
  /** Headers that the response needs besides, such as `Allow`. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    section: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.section = section;
    this.headers = headers;
  }
}

/** The response is not one that opens a WebSocket, or none has come. RFC 6455 §4.1 */
export class OpeningError extends Error {
  override readonly name = 'OpeningError';
  /** The section of RFC 6455 that has the rule, such as `4.1`. */
  readonly section: string;
  /** The HTTP status of the response. `undefined`: there was none that could be read. */
  readonly status: number | undefined;
  /** The headers of the response: lower-case name → its values. Empty: there was none. */
  readonly headers: ReadonlyMap<string, readonly string[]>;

  constructor(
    section: string,
    message: string,
    response?: { readonly status: number; readonly headers: OpeningError['headers'] },
    cause?: unknown,
  ) {
    super(message, { cause });
    this.section = section;
    this.status = response?.status;
    this.headers = response?.headers ?? new Map();
  }
}
