/** A small echo server that keeps every rule, and breaks one when told to: what a suite is for. */
import { createServer, type Socket } from 'node:net';
import { EXTENSIONS } from '../../shared/conformance/extensions.ts';
import {
  acceptFor,
  headEnd,
  parseHeaders,
  splitHead,
  tokensOf,
  valuesOf,
} from '../../shared/conformance/http.ts';
import { answerOffers, type DeflateFault, Deflating, isDeflateFault } from './deflating.ts';
import { EchoEndpoint, type Fault } from './echo-endpoint.ts';

/** A server that listens. */
export interface Running {
  readonly url: string;
  /** Ends it, and all of its connections. */
  stop(): Promise<void>;
}

const MAX_HEAD_BYTES = 16_384;
/** With this connection a server goes away, if that is its fault. */
const LAST_CONNECTION = 20;

/** Starts an echo server at a free port of 127.0.0.1. Without a fault it is right in every case. */
export function startServer(fault?: Fault): Promise<Running> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const hangUp = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    if (fault === 'goes-away' && ++connections === LAST_CONNECTION) {
      server.close();
      hangUp();
    }
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {
      if (fault !== 'dies-of-reset') return;
      server.close();
      hangUp();
    });
    socket.on('end', () => socket.end());
    greet(socket, fault);
  });
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      hangUp();
    });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      resolve({ url: `ws://127.0.0.1:${port}/`, stop });
    });
  });
}

/** Answers the request, and hands the socket on when that opens a WebSocket. */
function greet(socket: Socket, fault: Fault | undefined): void {
  let head = Buffer.alloc(0);
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = headEnd(head);
    if (end === undefined && head.length <= MAX_HEAD_BYTES) return;
    socket.off('data', onData);
    const { response, deflating } =
      end === undefined || (fault === 'refuses-early-frames' && head.length > end)
        ? { response: refusal(end === undefined ? 431 : 400), deflating: undefined }
        : respond(head.subarray(0, end), fault);
    if (!response.startsWith('HTTP/1.1 101')) {
      // What else comes is read and forgotten: closing with unread bytes would be a reset.
      socket.resume().end(response);
      return;
    }
    socket.write(response);
    const endpoint = new EchoEndpoint(socket, 'server', fault, deflating);
    socket.on('data', (bytes) => endpoint.push(bytes));
    if (fault !== 'drops-glued' && head.length > end!) endpoint.push(head.subarray(end));
  };
  socket.on('data', onData);
}

function refusal(status: number, header = ''): string {
  return `HTTP/1.1 ${status} Refused\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`;
}

/** A response, and the compression that it agrees on. */
interface Response {
  readonly response: string;
  readonly deflating: Deflating | undefined;
}

function respond(head: Buffer, fault: Fault | undefined): Response {
  const headers = parseHeaders(splitHead(head).fields);
  const offered = typeof headers === 'string' ? [] : valuesOf(headers, EXTENSIONS);
  const reply = isDeflateFault(fault) ? answerOffers(offered, fault) : { answer: '' };
  if (!reply) return { response: refusal(400), deflating: undefined };
  const { answer, agreed } = reply;
  const line = answer && `${EXTENSIONS}: ${answer}\r\n`;
  const deflating = agreed && new Deflating(agreed, fault as DeflateFault);
  return { response: opening(head, fault).replace(/\r\n$/, `${line}\r\n`), deflating };
}

function opening(head: Buffer, fault: Fault | undefined): string {
  const { line, fields } = splitHead(head);
  const headers = parseHeaders(fields);
  if (typeof headers === 'string') return refusal(400);
  const lists = (name: string, token: string) =>
    tokensOf(headers, name).some((other) => other.toLowerCase() === token);
  const [key = '', ...otherKeys] = valuesOf(headers, 'Sec-WebSocket-Key');
  const hasHost = valuesOf(headers, 'Host').length > 0;
  if (!/^GET \S+ HTTP\/1\.1$/.test(line) || !hasHost) return refusal(400);
  if (!lists('Upgrade', 'websocket') || !lists('Connection', 'upgrade')) return refusal(400);
  const isKey = fault === 'takes-any-key' ? key !== '' : /^[A-Za-z0-9+/]{22}==$/.test(key);
  if (!isKey || otherKeys.length > 0) return refusal(400);
  if (valuesOf(headers, 'Sec-WebSocket-Version').join() !== '13') {
    return refusal(426, 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n');
  }
  const accept = acceptFor(fault === 'wrong-accept' ? key.toLowerCase() : key);
  return [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    '\r\n',
  ].join('\r\n');
}
