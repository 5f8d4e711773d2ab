/** The server that is part of Bun, as a process. Bun runs this file, and nothing else does. */
import { answer } from './answers.ts';
import type { Job } from './messages.ts';

/** As much of Bun as is used here. */
declare const Bun: {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    fetch(request: Request, server: BunServer): Response | undefined;
    readonly websocket: {
      readonly maxPayloadLength: number;
      open(socket: BunSocket): void;
      message(socket: BunSocket, data: string | Uint8Array): void;
    };
  }): BunServer;
};
interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
  publish(topic: string, data: string | Uint8Array): number;
}
interface BunSocket {
  send(data: string | Uint8Array): number;
  subscribe(topic: string): void;
}

const EVERYBODY = 'everybody';
let job: Job = 'echo';

const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch(request, it) {
    return it.upgrade(request) ? undefined : new Response(null, { status: 426 });
  },
  websocket: {
    maxPayloadLength: 16 * 1024 * 1024,
    open: (socket) => socket.subscribe(EVERYBODY),
    message(socket, data) {
      if (job === 'echo') socket.send(data);
      else server.publish(EVERYBODY, data);
    },
  },
});
answer(server.port, (next) => {
  job = next;
});
