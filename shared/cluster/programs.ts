/** The real parts: an engine, and proxies. Each has its files in a temporary folder. */

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { UsageError } from '../course/lessons.ts';
import { endChild, spawnKept } from '../process/children.ts';

/** Where Debian has what an administrator starts, whether that is on the `PATH` or not. */
const ELSEWHERE = ['/usr/sbin', '/usr/local/sbin'];

/** How long a program can take to listen, in milliseconds. */
const START_MS = 30_000;

/** How much of what a program complains about is kept, in characters. */
const KEPT_CHARACTERS = 4096;

/** A program is missing, or does not start. Its message is for people. */
export class ProgramError extends UsageError {}

/** The programs that can be asked for, with the packages of Debian that have them. */
const PROGRAMS = {
  valkey: { names: ['valkey-server', 'redis-server'], package: 'redis-server' },
  haproxy: { names: ['haproxy'], package: 'haproxy' },
  nginx: { names: ['nginx'], package: 'nginx' },
} as const;

/** What can be asked for. */
export type ProgramName = keyof typeof PROGRAMS;

/** Those that can be in front of servers. */
export const PROXIES = ['haproxy', 'nginx'] as const satisfies readonly ProgramName[];
export type ProxyName = (typeof PROXIES)[number];

/** Finds the path of a program. Throws `ProgramError` where there is none. */
export function requireProgram(name: ProgramName): string {
  const { names, package: debian } = PROGRAMS[name];
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...ELSEWHERE];
  const paths = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = paths.find(isProgram);
  if (found !== undefined) return found;
  throw new ProgramError(
    `There is no ${names.join(' and no ')} here. On Debian: apt-get install -y ${debian}`,
  );
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const folders = new Set<string>();
process.once('exit', () => folders.forEach(removeFolder));

/** Makes a folder that is gone when this process is. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'websocket-101-cluster-'));
  folders.add(folder);
  return folder;
}

/** Removes a folder before this process ends. */
export function removeFolder(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Finds a port that nobody has. Somebody else could still be faster. */
export async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A program at work, which ends with us. */
export class Program {
  /** It goes when we are killed: then we cannot remove it. */
  readonly #folder: string;
  readonly #path: string;
  readonly #args: readonly string[];
  readonly port: number;
  #child: ChildProcess | undefined;

  /** Is not started yet. With these arguments, the program listens at the port. */
  constructor(path: string, args: readonly string[], port: number, folder: string) {
    this.#folder = folder;
    this.#path = path;
    this.#args = args;
    this.port = port;
  }

  /** Starts it, and waits until it listens. Throws `ProgramError` when it does not. */
  async start(): Promise<void> {
    const child = spawnKept(this.#path, this.#args, this.#folder);
    this.#child = child;
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-KEPT_CHARACTERS);
    });
    let hasEnded = false;
    child.once('close', () => {
      hasEnded = true;
    });
    const startedAt = performance.now();
    while (!(await accepts(this.port))) {
      if (hasEnded || performance.now() - startedAt > START_MS) {
        throw new ProgramError(`${this.#path} does not start. It says: ${said.trim()}`);
      }
      await pause(20);
    }
  }

  /** Kills it, as `kill -9` does. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    // Between us and the program is a process that may end first. This is when both have.
    const gone = once(child, 'close');
    endChild(child);
    await gone;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** Makes an engine, with its log on disk, or one that has forgotten everything when it was killed. */
export function makeEngine(
  path: string,
  folder: string,
  port: number,
  isForgetful: boolean,
): Program {
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    dir: folder,
    save: '',
    appendonly: isForgetful ? 'no' : 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return new Program(path, args, port, folder);
}

/** Makes a proxy in front of these ports, listening at `port`. */
export function makeProxy(
  name: ProxyName,
  path: string,
  folder: string,
  port: number,
  ports: readonly number[],
): Program {
  const file = join(folder, `${name}.conf`);
  if (name === 'haproxy') {
    writeFileSync(file, haproxyConfiguration(port, ports));
    return new Program(path, ['-db', '-f', file], port, folder);
  }
  writeFileSync(file, nginxConfiguration(folder, port, ports));
  return new Program(path, ['-p', folder, '-e', 'stderr', '-c', file], port, folder);
}

/** Writes what haproxy needs to know. `timeout tunnel` is what a WebSocket lives under. */
export function haproxyConfiguration(port: number, ports: readonly number[]): string {
  // Nobody asks whether one is ready that is alone: there is no other to turn to.
  const checks = `
  option httpchk GET /ready
  http-check expect status 200
  default-server check inter 200ms fall 1 rise 1`;
  return `global
  maxconn 4000

defaults
  mode http
  timeout connect 2s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1h
  option redispatch
  retries 3

frontend clients
  bind 127.0.0.1:${port}
  # What a client says of itself is not passed on.
  http-request set-header X-Forwarded-For %[src]
  http-request del-header Forwarded
  default_backend processes

backend processes
  balance leastconn${ports.length > 1 ? checks : ''}
${ports.map((port, i) => `  server process${i + 1} 127.0.0.1:${port}`).join('\n')}
`;
}

/** Writes what nginx needs to know: by itself, it passes no `Upgrade` on. */
export function nginxConfiguration(folder: string, port: number, ports: readonly number[]): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 10000; }

http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/${name};`).join('\n')}

  map $http_upgrade $connection_upgrade {
    default upgrade;
    '' close;
  }

  # By default, whoever has failed is asked only once in a while, until a request to it has ended:
  # a WebSocket ends in hours. So nobody is ever marked, and who refuses is passed over.
  upstream processes {
${ports.map((port) => `    server 127.0.0.1:${port} max_fails=0;`).join('\n')}
  }

  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://processes;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $http_host;
      # What a client says of itself is not passed on.
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Forwarded '';
      # Twice as long as a server of this course is silent, and more.
      proxy_read_timeout 90s;
      proxy_connect_timeout 2s;
      # A process that is about to leave refuses with 503: the next one does not.
      proxy_next_upstream error timeout http_503;
    }
  }
}
`;
}
