/** What the scenarios of connections on sockets are written with. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { closeBody, fromServer } from '../../../shared/kit/frames.ts';
import { type Guest, Host, type Hosting } from '../../../shared/kit/host.ts';
import { type Cause, until } from '../../../shared/kit/peer.ts';
import { Opcode } from '../../../shared/protocol.ts';
import type * as Client from '../../../solutions/06-client/client.ts';
import { AUTHORITY, OF_LOCALHOST } from '../../vectors/certificates.ts';
import type { Lesson } from './tools.ts';

export type Connection = Client.ClientConnection;
export type ClientEvent = Client.ClientEvent;

/** A host that speaks TLS, with a certificate for where it is. */
export const SECURE: Hosting = { tls: OF_LOCALHOST };

/** What a client has to be told to trust that certificate. */
export const TRUSTING: Client.ClientOptions = { ca: AUTHORITY };

/** Limits that the end of a scenario comes before, however slow the machine is. */
export const PATIENT: Client.ClientOptions = { openTimeoutMs: 600_000, closeTimeoutMs: 600_000 };

/** More bytes than lie between two sockets when nobody reads them. */
export const TOO_MUCH = 6 * 2 ** 20;

/** Encodes a Text frame as a server sends it. */
export const text = (data: string) => fromServer(Opcode.Text, data);

/** A Close as a server sends it. */
export const closing = (code = 1000, reason = '') =>
  fromServer(Opcode.Close, closeBody(code, reason));

/** One connection, and what its application has heard. */
export interface Dialled {
  readonly connection: Connection;
  readonly events: ClientEvent[];
  /** How the client was called: the first fact of what goes wrong. */
  readonly call: Fact;
  types(): string[];
}

/** Connects, with an application that remembers what it hears, and then does what it is told. */
export function dial(
  { connect }: Lesson,
  url: string,
  options: Client.ClientOptions = {},
  react: Client.ClientHandler = () => {},
): Dialled {
  const events: ClientEvent[] = [];
  const told = Object.keys(options).length === 0 ? '{}' : `{ ${Object.keys(options).join(', ')} }`;
  const call: Fact = ['called', `connect(${show(url)}, ${told}, handle)`];
  const handle: Client.ClientHandler = (it, event) => {
    events.push(event);
    react(it, event);
  };
  const connection = attempt(
    () => connect(url, { ...PATIENT, ...options }, handle),
    'Connect to a server.',
    [call],
  );
  return { connection, events, call, types: () => events.map(({ type }) => type) };
}

/** How a connection was made, and what has been heard of it. */
export function factsOf({ call, events, types }: Dialled): Fact[] {
  const error = events.find((event) => event.type === 'error');
  const told: Fact = ['the events', types().join(', ') || 'none'];
  if (!error) return [call, told];
  const cause = (error.error as Error | undefined)?.cause;
  const why: Fact[] = cause === undefined ? [] : [['its cause', show(cause)]];
  return [call, told, ['its error', show(error.error)], ...why];
}

/** Waits until a client has come to its server, or has given up. */
export async function comes(host: Host, dialled: Dialled, what: string): Promise<Guest> {
  const isOver = () => host.guests.length > host.taken || dialled.types().includes('close');
  const facts = () => factsOf(dialled);
  const cause = () =>
    host.connections > host.guests.length
      ? 'TCP is connected, and TLS has not come about.'
      : undefined;
  await until(isOver, what, facts, cause);
  if (host.guests.length === host.taken) fail(what, facts(), cause());
  return host.guest();
}

/** Waits for so many events, and checks of which types they are. */
export async function hears(
  dialled: Dialled,
  expected: readonly ClientEvent['type'][],
  what: string,
  cause?: Cause,
): Promise<void> {
  const { events, types } = dialled;
  const isOver = () => events.length >= expected.length || types().includes('close');
  const facts = (): Fact[] => [...factsOf(dialled), ['expected', expected.join(', ')]];
  await until(isOver, what, facts, cause);
  if (`${types()}` !== `${expected}`) fail(what, facts());
}

/** Waits for the end of a connection, and checks what was told of it. */
export async function ends(
  dialled: Dialled,
  expected: Partial<ClientEvent>,
  what: string,
  cause?: Cause,
): Promise<void> {
  await until(
    () => dialled.types().includes('close'),
    what,
    () => factsOf(dialled),
    cause,
  );
  equal(() => dialled.events.at(-1), { type: 'close', ...expected }, what, {
    given: factsOf(dialled),
    label: 'the last event',
  });
}

/** The end of a connection that has failed. */
export const LOST = { code: 1006, wasClean: false } as const;

/** Checks that a connection has failed: it was told as an error, and then as the end. */
export async function fails(dialled: Dialled, what: string, cause?: Cause): Promise<void> {
  await ends(dialled, LOST, what, cause);
  const errors = dialled.types().filter((type) => type === 'error').length;
  equal(() => errors, 1, what, { given: factsOf(dialled), label: '`error` events' });
}

const TLS_FIRST = 'For `wss:`, TLS comes first.';

/** Runs a check with a client and a server that have agreed on a WebSocket. */
export function opened(
  lesson: Lesson,
  check: (both: Dialled & { readonly guest: Guest; readonly host: Host }) => Promise<void>,
  options: Client.ClientOptions = {},
  react?: Client.ClientHandler,
  hosting: Hosting = {},
): Promise<void> {
  return Host.run(async (host) => {
    const trusting = hosting.tls ? { ...TRUSTING, ...options } : options;
    // A name: not every version of Node lets TLS be told an address, and that has a check of its own.
    const url = host.url('/', hosting.tls && 'localhost');
    const dialled = dial(lesson, url, trusting, react);
    const guest = await comes(host, dialled, hosting.tls ? TLS_FIRST : 'Connect to the server.');
    await guest.agree();
    await hears(dialled, ['open'], 'The first event is `open`.');
    await check({ ...dialled, guest, host });
  }, hosting);
}
