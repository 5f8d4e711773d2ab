/** What this lesson needs of lesson 05, which an older stub of that did not have. */
import { attempt } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { frame, fromClient, fromServer } from '../../../shared/kit/frames.ts';
import { type Hook, missing } from '../../../shared/kit/hook.ts';
import { request } from '../../../shared/kit/peer.ts';
import { type Extension, type Message, Opcode } from '../../../shared/protocol.ts';
import { Todo } from '../../../shared/todo.ts';
import type * as Server from '../../../solutions/05-server/server.ts';
import { acceptLine, type Line, turns } from '../05-server/sockets.ts';
import { connected } from './connecting.ts';
import type { Lesson, Scenarios } from './tools.ts';

const file = '05-server/server.ts';

/** All of them, by names of ours. */
const HOOKS = {
  connection: {
    what: 'What a class that extends `Connection` of lesson 05 replaces is what counts.',
    file,
    todo: 'Let `Connection` be a class that has its methods itself. What its constructor returns, or sets on `this`, hides those of a class that extends it.',
    lines: ['export class Connection {', 'takeOutput(): Uint8Array { /* … */ }'],
  },
  reader: {
    what: 'A `Connection` of lesson 05 with an extension reads with its reader.',
    file,
    todo: 'Give the constructor of `Connection` a fourth parameter.',
    lines: [
      'constructor(limits: Limits, now: () => number, wake: () => void, extension?: Extension)',
      "this.#reader = extension?.readerFor(limits.maxMessageBytes) ?? new MessageReader('server', limits.maxMessageBytes);",
    ],
  },
  sendFrames: {
    what: 'A `Connection` of lesson 05 sends frames that are made already, and `send` does so, too.',
    file,
    todo: 'Divide `send`: what it does once it has made its frames becomes a method of its own.',
    lines: [
      'sendFrames(frames: readonly Frame[]): boolean { /* from here on, all that `send` did */ }',
      'return this.sendFrames(frames);',
    ],
  },
  takeFrames: {
    what: 'A `Connection` of lesson 05 gives the frames that it would encode next.',
    file,
    todo: 'Divide `takeOutput`: all but the encoding becomes a method of its own.',
    lines: [
      'takeFrames(): Frame[] { /* what `takeOutput` did until it had its frames */ }',
      'return encodeFrames(this.takeFrames());',
    ],
  },
  server: {
    what: 'What a class that extends `WebSocketServer` of lesson 05 replaces is what counts.',
    file,
    todo: 'Let `WebSocketServer` be a class that has its methods itself. What its constructor returns, or sets on `this`, hides those of a class that extends it.',
    lines: [
      'export class WebSocketServer {',
      'broadcast(data: string | Uint8Array, except?: Connection): void { /* … */ }',
    ],
  },
  attach: {
    what: 'The `WebSocketServer` of lesson 05 lets the `attach` of its options make the connection.',
    file,
    todo: 'Give `Options` one more field, and let the server call it in place of its own `attach`.',
    lines: [
      'readonly attach?: typeof attach;',
      '(this.#options.attach ?? attach)(/* what `attach` was called with */);',
    ],
  },
} as const satisfies Readonly<Record<string, Hook>>;

/** A lesson of which nobody knows what it has. */
// biome-ignore lint/suspicious/noExplicitAny: an older file lacks what is looked for.
type Anything = any;

/**
 * Makes the check of a hook. `lacks` says what is seen of it when it is missing, and `tell` tells that.
 * Before the code of this lesson that needs it is written, there is nothing to say: `use` calls it.
 */
function hook(
  asked: Hook,
  use: (lesson: Lesson) => void,
  lacks: (server: Anything) => string | undefined,
  tell: (seen: string) => readonly Fact[],
): Scenario<Lesson> {
  return onceWritten(use, {
    what: asked.what,
    rules: [],
    check({ EARLIER }) {
      const seen = attempt(() => lacks(EARLIER.server), asked.what);
      if (seen !== undefined) missing(asked, tell(seen));
    },
  });
}

/** Leaves a check out as long as code that it is about is not written. */
function onceWritten(use: (lesson: Lesson) => void, scenario: Scenario<Lesson>): Scenario<Lesson> {
  const isWritten = (lesson: Lesson) => {
    try {
      use(lesson);
    } catch (error) {
      // Without the hook, it can throw anything.
      return !(error instanceof Todo);
    }
    return true;
  };
  return {
    ...scenario,
    check: (lesson) => (isWritten(lesson) ? scenario.check(lesson) : undefined),
  };
}

/** Makes a connection of lesson 05. */
function connect({ Connection, LIMITS }: typeof Server, extension?: Extension): Anything {
  return new Connection(
    LIMITS,
    () => 0,
    () => {},
    extension,
  );
}

/** What of a class is not that of a class that extends it. `undefined`: all is. */
function hidden(base: Anything, names: readonly string[], ...args: unknown[]): string | undefined {
  class Extending extends (base as new (...args: unknown[]) => object) {}
  const replaced = () => {};
  for (const name of names)
    Object.defineProperty(Extending.prototype, name, { value: replaced, writable: true });
  const made = new Extending(...args) as unknown as Record<string, unknown>;
  return names.find((name) => made[name] !== replaced);
}

const tellHidden = (of: string, method: string): Fact[] => [
  ['class Mine', `extends ${of} { ${method}() {} }`],
  [`new Mine(…).${method}`, `is that of \`${of}\``],
];

/** What `sendFrames` and `send` do not do. `undefined`: they do all of it. */
function unsent(server: typeof Server): string | undefined {
  const [connection, closing] = [connect(server), connect(server)];
  if (typeof connection.sendFrames !== 'function') return 'no method of `Connection`';
  const hello = frame(Opcode.Text, 'Hello');
  if (connection.sendFrames([hello]) !== true) return 'called, and did not return `true`';
  const output = Buffer.from(connection.takeOutput());
  if (!output.equals(fromServer(Opcode.Text, 'Hello')))
    return 'called, and the frame did not go out';
  const much = frame(Opcode.Binary, new Uint8Array(server.HIGH_WATER_BYTES));
  if (connection.sendFrames([much]) !== false) {
    return 'called with HIGH_WATER_BYTES, and did not return `false`';
  }
  closing.close();
  if (closing.sendFrames([hello]) !== false)
    return 'called after close(), and did not return `false`';
  let isUsed = false;
  class Listening extends (server.Connection as Anything) {
    sendFrames(): boolean {
      isUsed = true;
      return true;
    }
  }
  connect({ ...server, Connection: Listening as Anything }).send('Hello');
  return isUsed ? undefined : 'not called by `send`';
}

/** What `takeFrames` does not do. `undefined`: it does all of it. */
function untaken(server: typeof Server): string | undefined {
  const connection = connect(server);
  if (typeof connection.takeFrames !== 'function') return 'no method of `Connection`';
  connection.send('Hello');
  const frames = connection.takeFrames();
  const hello = [frame(Opcode.Text, 'Hello')];
  if (show(frames) !== show(hello))
    return `called after send('Hello'), and returned ${show(frames)}`;
  if (connection.takeOutput().length > 0)
    return 'called, and `takeOutput` returned the frame again';
  connection.send(new Uint8Array(server.HIGH_WATER_BYTES));
  for (let times = 0; times < 1000 && connection.takeFrames().length > 0; times++);
  connection.drained();
  const event = connection.next()?.type;
  return event === 'drain' ? undefined : 'called until it was empty, and then there was no `drain`';
}

/** Does a connection read with the reader of its extension? Says what came out of it. */
function unread(server: typeof Server): string | undefined {
  let isPushed = false;
  const message: Message = { type: 'text', data: 'of the extension' };
  const extension: Extension = {
    readerFor: () => ({
      push() {
        isPushed = true;
      },
      read: () => (isPushed ? message : undefined),
    }),
    framesFor: (opcode, payload) => [{ fin: true, opcode, payload }],
  };
  const connection = connect(server, extension);
  connection.receive(fromClient(Opcode.Text, 'Hello'));
  const event = connection.next();
  return isPushed && event === message ? undefined : show(event);
}

const nothing = () => {};

/** Uses what step 3 asks for. A `Connection` that does nothing of its own may be there since step 1. */
function takeOver(lesson: Lesson): void {
  new lesson.MessageReader();
  const connection = connected(lesson);
  connection.receiveOwn(new Uint8Array(0));
  connection.hold(false);
}

/** What is asked of the `Connection` of lesson 05: for step 3. */
export const HOOKS_OF_CONNECTION: Scenarios = [
  hook(
    HOOKS.connection,
    takeOver,
    ({ Connection, LIMITS }) => {
      const methods = ['receive', 'send', 'sendFrames', 'takeOutput'];
      return hidden(Connection, methods, LIMITS, () => 0, nothing);
    },
    (method) => tellHidden('Connection', method),
  ),
  hook(HOOKS.reader, takeOver, unread, (event) => [
    ['call', 'new Connection(limits, now, wake, extension)'],
    ['expected', 'a call of extension.readerFor(limits.maxMessageBytes), and what that reads'],
    ['`next` gave', event],
  ]),
  hook(HOOKS.sendFrames, takeOver, unsent, (seen) => [['`sendFrames` was', seen]]),
];

/** For step 5. */
export const HOOKS_OF_OUTPUT: Scenarios = [
  hook(
    HOOKS.takeFrames,
    (lesson) => connected(lesson).takeParts(),
    untaken,
    (seen) => [['`takeFrames` was', seen]],
  ),
];

type Attach = typeof Server.attach;
type Call = Parameters<Attach>;

/** A limit that no server has by itself, in bytes. */
const LIMIT = 777;

/** Checks that the server of lesson 05, which `earlier` finds, has the hook of this lesson. */
export function hookOfServer<T>(
  earlier: (lesson: T) => Pick<typeof Server, 'WebSocketServer'>,
): Scenario<T> {
  return {
    what: HOOKS.attach.what,
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
      missing(HOOKS.attach, [
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

const serve = ({ WebSocketServer }: Lesson) => new WebSocketServer(() => {}).broadcast('');

/** What is asked of the `WebSocketServer` of lesson 05: for step 8. */
export const HOOKS_OF_SERVER: Scenarios = [
  hook(
    HOOKS.server,
    serve,
    ({ WebSocketServer }) => hidden(WebSocketServer, ['broadcast'], nothing),
    (method) => tellHidden('WebSocketServer', method),
  ),
  onceWritten(
    serve,
    hookOfServer(({ EARLIER }) => EARLIER.server),
  ),
];
