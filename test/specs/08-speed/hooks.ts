/** What this lesson needs of lesson 05, which an older stub of that did not have. */
import { attempt } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { type Hook, missing } from '../../../shared/kit/hook.ts';
import { request } from '../../../shared/kit/peer.ts';
import type * as Server from '../../../solutions/05-server/server.ts';
import { acceptLine, type Line, turns } from '../05-server/sockets.ts';

const ATTACH: Hook = {
  what: 'The `WebSocketServer` of lesson 05 lets the `attach` of its options make the connection.',
  file: '05-server/server.ts',
  todo: 'Give `Options` one more field, and let the server call it in place of its own `attach`.',
  lines: [
    'readonly attach?: typeof attach;',
    '(this.#options.attach ?? attach)(/* what `attach` was called with */);',
  ],
};

type Attach = typeof Server.attach;
type Call = Parameters<Attach>;

/** A limit that no server has by itself, in bytes. */
const LIMIT = 777;

/** Checks that the server of lesson 05, which `earlier` finds, has the hook of this lesson. */
export function hookOfServer<T>(
  earlier: (lesson: T) => Pick<typeof Server, 'WebSocketServer'>,
): Scenario<T> {
  return {
    what: ATTACH.what,
    rules: [],
    async check(lesson) {
      const calls: Call[] = [];
      const connection = {} as Server.Connection;
      const attach: Attach = (...call) => {
        calls.push(call);
        return connection;
      };
      const heard: unknown[] = [];
      const hear: Server.Handler = (...args) => heard.push(args);
      const { WebSocketServer } = earlier(lesson);
      const options = { attach, maxMessageBytes: LIMIT };
      const server = attempt(() => new WebSocketServer(hear, options), 'Make a server.');
      const line = acceptLine(server, request());
      await turns(5);
      const seen = problemOf(line, calls) ?? deafness(server, connection, calls, heard);
      line.destroy();
      if (seen === undefined) return;
      missing(ATTACH, [
        ['call', `new WebSocketServer(handle, { attach, maxMessageBytes: ${LIMIT} })`],
        ['expected', 'one call of attach(socket, opening, handle, limits)'],
        ['`attach` was', seen],
      ]);
    },
  };
}

/** What is wrong with the calls of `attach`. `undefined`: nothing. */
function problemOf(line: Line, calls: readonly Call[]): string | undefined {
  const [call, more] = calls;
  if (!call) return 'not called';
  if (more) return `called ${calls.length} times`;
  const [socket, opening, handle, limits] = call;
  if (socket !== line) return 'called with another socket';
  if (opening?.accepted !== true) return 'called without what `openingHandshake` returned';
  if (typeof handle !== 'function') return 'called without a function for the events';
  if (limits?.maxMessageBytes !== LIMIT) return 'called without the limits of the options';
  return undefined;
}

/** Says what a server has not noticed of a connection that is open. `undefined`: nothing. */
function deafness(
  { connections }: Server.WebSocketServer,
  connection: Server.Connection,
  [call]: readonly Call[],
  heard: readonly unknown[],
): string | undefined {
  const open = { type: 'open' } as Server.ConnectionEvent;
  call?.[2](connection, open);
  if (show(heard) !== show([[connection, open]])) return 'called, and its `open` was not passed on';
  if (!connections.has(connection)) return 'called, and its connection is not in `connections`';
  return undefined;
}
