/** What the two ends have agreed on about compression, as the response to a handshake says it. */
import { decodeHead } from '../view/head.ts';
import type { Direction } from './steps.ts';

/** How one side compresses. */
interface Side {
  /** Can a message refer to those before it? */
  readonly keepsWindow: boolean;
  /** How far back it can refer, in bytes. */
  readonly windowBytes: number;
}

/** What is agreed on, for each direction. */
export type Agreement = Readonly<Record<Direction, Side>>;

/** Reads the head of a response. `undefined`: nothing is compressed. */
export function agreementIn(head: Uint8Array): Agreement | undefined {
  const [, params] =
    decodeHead(head)
      .lines.map(({ text }) => EXTENSION.exec(text))
      .find((found) => found !== null) ?? [];
  if (params === undefined) return undefined;
  const sideOf = (name: string): Side => ({
    keepsWindow: !params.includes(`${name}_no_context_takeover`),
    windowBytes:
      2 ** Number(new RegExp(`${name}_max_window_bits="?(\\d+)`).exec(params)?.[1] ?? 15),
  });
  return { in: sideOf('client'), out: sideOf('server') };
}

const EXTENSION = /^sec-websocket-extensions:[ \t]*permessage-deflate(.*)/i;

/** Says in one line what is agreed on. */
export function sayAgreement(agreement: Agreement | undefined): string {
  if (agreement === undefined) return 'No compression: the response does not agree on any.';
  const [browser, server] = [saySide(agreement.in), saySide(agreement.out)];
  if (browser === server) return `Compression: both sides can refer back ${browser}.`;
  return `Compression: the browser can refer back ${browser}, and the server ${server}.`;
}

function saySide({ keepsWindow, windowBytes }: Side): string {
  const size = windowBytes < 1024 ? `${windowBytes} bytes` : `${windowBytes / 1024} KiB`;
  return keepsWindow ? `${size}, into earlier messages too` : `${size}, within one message`;
}
