/** What the scenarios of the class `WebSocket` are written with: a page that has one. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { type Guest, Host } from '../../../shared/kit/host.ts';
import { type Cause, until } from '../../../shared/kit/peer.ts';
import type * as Client from '../../../solutions/06-client/client.ts';
import { PATIENT } from './dialling.ts';
import type { Lesson } from './tools.ts';

export type Socket = Client.WebSocket;
type Options = ConstructorParameters<Lesson['WebSocket']>[2];

const TYPES = ['open', 'message', 'error', 'close'] as const;
const STATES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'];

/** A `readyState` with its name, such as `2, CLOSING`. */
export const stateOf = ({ readyState }: Socket): string =>
  `${readyState}, ${STATES[readyState] ?? 'no state'}`;

/** A `WebSocket`, and what its listeners have heard. */
export interface Page {
  readonly ws: Socket;
  readonly events: Event[];
  /** The events and what `readyState` was then, such as `close in 3, CLOSED`. */
  readonly heard: string[];
  readonly call: Fact;
}

/** How a `WebSocket` is made, where that matters. */
export interface Making {
  readonly protocols?: string | readonly string[];
  readonly options?: Options;
  /** Called with each event. */
  readonly react?: (ws: Socket, event: Event) => void;
}

/** Makes a `WebSocket`, and listens to all that it tells. */
export function visit(
  { WebSocket }: Lesson,
  url: string | URL,
  { protocols, options, react = () => {} }: Making = {},
): Page {
  const args = [`${url}`, ...(protocols === undefined ? [] : [protocols])].map(show).join(', ');
  const call: Fact = ['called', `new WebSocket(${args})`];
  const ws = attempt(
    () => new WebSocket(url, protocols, { ...PATIENT, ...options }),
    'Make a `WebSocket`.',
    [call],
  );
  const events: Event[] = [];
  const heard: string[] = [];
  for (const type of TYPES) {
    ws.addEventListener(type, (event) => {
      events.push(event);
      heard.push(`${type} in ${stateOf(ws)}`);
      react(ws, event);
    });
  }
  return { ws, events, heard, call };
}

/** The end of a connection, as it is heard: clean, or a failure. */
export const CLEANLY = ['close in 3, CLOSED'];
export const FAILING = ['error in 3, CLOSED', 'close in 3, CLOSED'];
export const OPENED = 'open in 1, OPEN';
export const MESSAGE = 'message in 1, OPEN';

/** Waits for so many events, or the end, and checks which have been heard, and in which states. */
export async function hears(
  { heard, call }: Page,
  expected: readonly string[],
  what: string,
  cause?: Cause,
): Promise<void> {
  const facts = (): Fact[] => [call, ['the events', show(heard)], ['expected', show(expected)]];
  const isOver = () => heard.length >= expected.length || heard.at(-1)?.startsWith('close');
  await until(() => isOver() === true, what, facts, cause);
  equal(() => heard, expected, what, { given: [call], label: 'the events' });
}

/** Checks what the `close` event says, which has to have come. */
export function closesWith(page: Page, expected: Partial<Client.CloseEvent>, what: string): void {
  const event = page.events.at(-1) as Client.CloseEvent | undefined;
  const { code, reason, wasClean } = event ?? {};
  const actual = { code, reason, wasClean };
  for (const [key, value] of Object.entries(expected)) {
    equal(() => actual[key as keyof typeof actual], value, what, {
      given: [page.call],
      label: `\`${key}\` of the \`close\` event`,
    });
  }
}

/** Runs a check with a page whose `WebSocket` is open. */
export function onPage(
  lesson: Lesson,
  check: (both: Page & { readonly guest: Guest; readonly host: Host }) => Promise<void>,
  making: Making = {},
): Promise<void> {
  return Host.run(async (host) => {
    const page = visit(lesson, host.url(), making);
    const guest = await host.open();
    await hears(page, [OPENED], 'When the server has agreed, `open` is heard.');
    await check({ ...page, guest, host });
  });
}

/** Checks that a call throws a `DOMException` of this name. */
export function refuses(name: string, call: string, run: () => unknown, what: string): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  if (thrown instanceof DOMException && thrown.name === name) return;
  fail(what, [
    ['called', call],
    ['it threw', thrown === undefined ? 'nothing' : kindOf(thrown)],
    ['expected', `a DOMException named ${name}`],
  ]);
}

function kindOf(error: unknown): string {
  return error instanceof DOMException ? `a DOMException named ${error.name}` : show(error);
}

/** Checks the text of the next frame. */
export async function getsText(guest: Guest, expected: string, what: string): Promise<void> {
  const { opcode, payload } = await guest.frame(what);
  equal(() => [opcode, Buffer.from(payload).toString()], [1, expected], what, {
    label: 'opcode and payload of the frame',
  });
}
