/**
 * A process of a cluster: a chat server of lesson 09 behind a port. It answers `GET /ready` with 200,
 * or with 503 while it leaves, and first of all tells each client its name.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as Server from '../../solutions/05-server/server.ts';
import type * as Production from '../../solutions/09-production/production.ts';
import { RespConnection } from '../kit/resp.ts';
import { endWithParent } from '../process/parent.ts';
import { DistantBus } from './distant-bus.ts';
import type { FromMember, Settings, ToMember } from './messages.ts';

const settings = JSON.parse(process.argv[2] ?? '') as Settings;
const { ChatServer, StreamBus } = (await import(settings.production)) as typeof Production;
const { attach } = (await import(settings.server)) as typeof Server;

const post = (message: FromMember) => process.send?.(message, () => {});
const distantBus = new DistantBus(post);

function makeBus({ engine, historySize }: Settings): Production.Bus {
  if (engine === undefined) return distantBus;
  return new StreamBus(new RespConnection(engine), new RespConnection(engine), historySize);
}

/** What a page shows, and a client of the course need not know: which process has accepted it. */
const greeting = JSON.stringify({ t: 'process', name: settings.name, pid: process.pid });

const greet: typeof attach = (socket, opening, handle, limits) => {
  const handler: typeof handle = (connection, event) => {
    if (event.type === 'open') connection.send(greeting);
    handle(connection, event);
  };
  return attach(socket, opening, handler, limits);
};

const chat = new ChatServer({
  ...settings.limits,
  bus: makeBus(settings),
  // Everybody is who they say they are: logging in is what step 4 is about.
  authenticate: async ({ value }) => ({ user: value }),
  attach: greet,
  ...(settings.origins && { origins: settings.origins }),
  ...(settings.isProxied && {
    proxies: { header: 'x-forwarded-for', trusts: (address) => address === '127.0.0.1' },
  }),
});

const http = createServer(({ url }, response) => {
  // A request that has lost its `Upgrade` on the way arrives here, too. RFC 9110 §15.5.22
  const status = url !== '/ready' ? 426 : chat.isReady ? 200 : 503;
  const headers = { 'Content-Length': 0, Connection: 'close', Upgrade: 'websocket' };
  response.writeHead(status, headers).end();
});
http.on('upgrade', (request, socket, head) => void chat.gate.upgrade(request, socket, head));

process.on('message', async (message: ToMember) => {
  if (message.type !== 'leave') {
    distantBus.receive(message);
    return;
  }
  await chat.leave(message.spreadMs);
  process.exit(0);
});

http.listen(settings.port, '127.0.0.1', 1024, () => {
  post({ type: 'listening', port: (http.address() as AddressInfo).port });
});
endWithParent();
