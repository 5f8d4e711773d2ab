import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { isCompressing, type Kind } from './messages.ts';

const REQUEST = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate';

/** Connects to a server, and opens a WebSocket where it is not plain TCP. */
export async function openClient(kind: Kind, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  if (kind === 'tcp') return socket;
  const lines = isCompressing(kind) ? [...REQUEST, OFFER] : REQUEST;
  socket.write([...lines, '\r\n'].join('\r\n'));
  await once(socket, 'data');
  return socket;
}
