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

function requestFor(kind: Kind): string {
  const lines = isCompressing(kind) ? [...REQUEST, OFFER] : REQUEST;
  return [...lines, '\r\n'].join('\r\n');
}

/**
 * Connects to a server, and opens a WebSocket where it is not plain TCP. There, the server greets:
 * the system connects before the server has heard of it.
 */
export async function openClient(kind: Kind, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  if (kind !== 'tcp') socket.write(requestFor(kind));
  await once(socket, 'data');
  return socket;
}

/** Where the reads of all receivers go, one after the other. */
const memory = Buffer.allocUnsafeSlow(256 * 1024);

/**
 * Does the same for one that only wants to know what arrives: nothing is allocated for a read.
 * `receive` gets the bytes of each, whose memory is used again for the next one.
 */
export function openReceiver(
  kind: Kind,
  port: number,
  receive: (memory: Buffer, length: number) => void,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    let isOpen = false;
    const callback = (length: number) => {
      if (isOpen) receive(memory, length);
      else resolve(socket);
      isOpen = true;
      return true;
    };
    const onread = { buffer: memory, callback };
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread }, () => {
      if (kind !== 'tcp') socket.write(requestFor(kind));
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('It closed a connection.')));
  });
}
