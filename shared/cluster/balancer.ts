/** A balancer for TCP: each new connection goes to the next process that is ready. */
import { get } from 'node:http';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';

/** How often each process is asked whether it is ready, in milliseconds. */
const CHECK_MS = 200;

/** How long it can take to answer, or to accept a connection, in milliseconds. */
const PATIENCE_MS = 2_000;

/** Passes connections on to some ports of this machine, in turn. */
export class Balancer {
  readonly #ports: readonly number[];
  readonly #ready = new Set<number>();
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  #timer: NodeJS.Timeout | undefined;
  #turn = 0;

  /** Makes a balancer in front of these ports. */
  constructor(ports: readonly number[]) {
    this.#ports = ports;
  }

  /** Listens at a port; 0 is any free one. Resolves with the port, or rejects with the system's error. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(port, '127.0.0.1', 1024, resolve);
    });
    const check = () => Promise.all(this.#ports.map((port) => this.#check(port)));
    await check();
    this.#timer = setInterval(check, CHECK_MS);
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all connections, and listens no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #check(port: number): Promise<void> {
    if (await isReady(port)) this.#ready.add(port);
    else this.#ready.delete(port);
  }

  #accept(client: Socket): void {
    this.#remember(client);
    const start = this.#turn++;
    const inTurn = this.#ports.map((_, i) => this.#ports[(start + i) % this.#ports.length]!);
    this.#tryNext(
      client,
      inTurn.filter((port) => this.#ready.has(port)),
    );
  }

  /** Connects to the first of these ports that accepts. When none does, the client is cut off. */
  #tryNext(client: Socket, [port, ...others]: readonly number[]): void {
    if (port === undefined || client.destroyed) {
      client.destroy();
      return;
    }
    const backend = createConnection({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#remember(backend);
    const timer = setTimeout(() => backend.destroy(), PATIENCE_MS);
    const failed = () => this.#tryNext(client, others);
    backend.once('close', failed).once('connect', () => {
      clearTimeout(timer);
      backend.off('close', failed);
      join(client, backend);
    });
    backend.once('close', () => clearTimeout(timer));
  }

  #remember(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay().on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

/** Passes on what each of them sends, and how it ends: with a FIN, or with a reset. */
function join(a: Socket, b: Socket): void {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    if (from.destroyed) to.destroy();
    from.pipe(to);
    from.on('close', (hadError) => (hadError ? to.resetAndDestroy() : to.end()));
  }
}

/** Asks a process whether it wants clients. Never rejects. */
export function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ port, host: '127.0.0.1', path: '/ready', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.setTimeout(PATIENCE_MS, () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}
