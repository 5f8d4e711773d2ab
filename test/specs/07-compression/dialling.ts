/** What the scenarios of a client that compresses are written with. */
import { attempt, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { utf8, wire } from '../../../shared/kit/frames.ts';
import { type Guest, Host } from '../../../shared/kit/host.ts';
import { Opcode } from '../../../shared/protocol.ts';
import type { ClientEvent, ClientOptions } from '../../../solutions/06-client/client.ts';
import type { DeflatePolicy } from '../../../solutions/07-compression/compression.ts';
import { comes, type Dialled, hears, PATIENT } from '../06-client/dialling.ts';
import type { Lesson } from './tools.ts';
import { unpackedOrError } from './zlib.ts';

/** The name of the header. */
const EXTENSIONS = 'Sec-WebSocket-Extensions';

/** Makes a line of a head. */
export const extensionsLine = (value: string) => `${EXTENSIONS}: ${value}`;

/** The value of a header in a request. `undefined`: it has none. */
export function valueIn(request: string, name = EXTENSIONS): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\\r$`, 'im').exec(request)?.[1];
}

/** A Text frame of a server, with RSV1. */
export function compressed(payload: Uint8Array): Uint8Array {
  return wire({ opcode: Opcode.Text, rsv: 4, payload, key: null });
}

/** Connects, with an application that remembers what it hears. */
export function dial(
  { connectCompressing }: Lesson,
  url: string,
  policy?: DeflatePolicy,
  options: ClientOptions = {},
): Dialled {
  const events: ClientEvent[] = [];
  const call: Fact = [
    'call',
    `connectCompressing(${show(url)}, ${show(options)}, handle${policy ? `, ${show(policy)}` : ''})`,
  ];
  const connection = attempt(
    () =>
      connectCompressing(
        url,
        Object.freeze({ ...PATIENT, ...options }),
        (_, event) => {
          events.push(event);
        },
        policy,
      ),
    'Connect to a server.',
    [call],
  );
  if (typeof connection?.send !== 'function') {
    const what = '`connectCompressing` returns the connection that `connect` makes.';
    fail(what, [call, ['you returned', show(connection)]]);
  }
  return { connection, events, call, types: () => events.map(({ type }) => type) };
}

/** A connection, and the server's end of it. */
export type Both = Dialled & { readonly guest: Guest };

/** Opens a connection with these lines in the response. */
export async function open(
  lesson: Lesson,
  host: Host,
  lines: readonly string[],
  policy?: DeflatePolicy,
  options?: ClientOptions,
): Promise<Both> {
  const dialled = dial(lesson, host.url(), policy, options);
  const guest = await comes(host, dialled, 'Connect to the server.');
  await guest.agree(...lines);
  await hears(dialled, ['open'], 'A response that keeps to the offer opens the connection.');
  return { ...dialled, guest };
}

/** Runs a check with a connection whose server has agreed to compress, in these words. */
export function agreed(
  lesson: Lesson,
  answer: string,
  check: (both: Both) => Promise<void>,
  policy?: DeflatePolicy,
  options?: ClientOptions,
): Promise<void> {
  return Host.run(async (host) => {
    await check(await open(lesson, host, [extensionsLine(answer)], policy, options));
  });
}

/**
 * Sends a text that gets much shorter, and checks that it arrives compressed. It may refer back to
 * `window`, what the server still has of the texts before it. `gone` are all of them.
 */
export async function sendsCompressed(
  { connection, guest, call }: Both,
  text: string,
  what: string,
  { window = '', gone = '' } = {},
): Promise<void> {
  connection.send(text);
  const { rsv1, payload } = await guest.frame('A message that is sent arrives.');
  const arrived = unpack(payload, window);
  if (rsv1 && arrived === text) return;
  const given: Fact[] = [
    call,
    ['sent', show(text)],
    ['RSV1', rsv1 ? '1' : '0'],
    ['the payload', show(new Uint8Array(payload))],
  ];
  if (!rsv1) fail(what, given);
  const remembers = gone !== '' && unpack(payload, gone) === text;
  fail(
    what,
    [...given, ['unpacked', arrived instanceof Error ? arrived.message : show(arrived)]],
    remembers ? 'It refers back to what the server does not have any more.' : undefined,
  );
}

/** Decompresses a payload that may refer back to `window`. */
function unpack(payload: Uint8Array, window: string): string | Error {
  const plain = unpackedOrError(payload, utf8(window));
  return plain instanceof Error ? plain : Buffer.from(plain).toString();
}
