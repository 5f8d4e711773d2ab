/**
 * A process of clients that mean harm, all from one address. It tells what it has done when that is
 * done, and keeps what the server has not ended until it is ended itself.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { fromClient, join } from '../../shared/kit/frames.ts';
import { request } from '../../shared/kit/peer.ts';
import { endWithParent } from '../../shared/process/parent.ts';
import { Opcode } from '../../shared/protocol.ts';
import { ClientSession, MAX_UNACKED } from '../../solutions/09-production/production.ts';

/** Where it comes from. On Linux, all of 127.0.0.0/8 is this machine. */
const ADDRESS = '127.0.0.2';

/** How many clients flood, in each of two ways. */
const FLOODERS = 3;
/** How many handshakes are made at once. */
const BATCH = 500;

/** What came of an attack. */
export interface Outcome {
  /** How many TCP connections it has made. */
  readonly made: number;
  /** How many of them the server has let in. */
  readonly admitted: number;
  /** How many messages it has sent, as far as TCP took them. */
  readonly sent: number;
  /** How many are right clients that only have too much to say, and how many the server has closed. */
  readonly talkers: number;
  readonly expelled: number;
}

/** What attacks, with a port to go to, how many, or for how many milliseconds. */
type Attack = (port: number, size: number) => Promise<void>;

let [made, admitted, sent, talkers, expelled] = [0, 0, 0, 0, 0];

/** Connects, and never ends its own side. */
async function call(port: number): Promise<Socket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    localAddress: ADDRESS,
    allowHalfOpen: true,
    noDelay: true,
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  made++;
  return socket;
}

/** Asks for a WebSocket as one of many users. Says whether it has got one. */
async function knock(socket: Socket): Promise<boolean> {
  socket.write(request(`/?ticket=user${made}`));
  const isIn = await new Promise<boolean>((resolve) => {
    socket.once('data', (chunk) => resolve(chunk.toString('latin1').startsWith('HTTP/1.1 101')));
    socket.once('close', () => resolve(false));
  });
  if (isIn) admitted++;
  return isIn;
}

const text = (frame: object) => fromClient(Opcode.Text, JSON.stringify(frame));

/** Says as much as TCP takes, and reads nothing, again and again. */
async function pour(port: number, until: number): Promise<void> {
  const messages = Array.from({ length: 1000 }, (_, i) =>
    text({ t: 'msg', cid: `deaf:${i}`, text: 'I am here!' }),
  );
  const batch = join(...messages);
  while (performance.now() < until) {
    const socket = await call(port);
    if (await knock(socket)) {
      socket.pause();
      socket.write(text({ t: 'hello', room: 'deaf' }));
      while (performance.now() < until && !socket.destroyed) {
        if (!socket.write(batch))
          await Promise.race([once(socket, 'drain').catch(() => {}), pause(100)]);
      }
    }
    const taken = socket.bytesWritten - socket.writableLength;
    sent += Math.floor((taken / batch.length) * messages.length);
    socket.destroy();
    await pause(20);
  }
}

/** A right client whose application says as much as it can, without end. */
async function chatter(port: number, until: number): Promise<void> {
  const session = new ClientSession('loud', `tab${made}`);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?ticket=loud`, { localAddress: ADDRESS });
  made++;
  talkers++;
  const flush = () => {
    while (session.unacked.length < MAX_UNACKED) session.say('I am here!');
    for (const message of session.takeOutput()) {
      socket.send(message);
      sent++;
    }
  };
  socket.on('error', () => {});
  socket.on('open', () => {
    admitted++;
    session.opened();
    flush();
  });
  socket.on('message', (data) => {
    session.receive(String(data));
    while (session.next());
    if (performance.now() < until) flush();
  });
  await pause(until - performance.now());
  if (socket.readyState !== WebSocket.OPEN) expelled++;
  socket.terminate();
}

const flood: Attack = async (port, ms) => {
  const until = performance.now() + ms;
  const flooders = Array.from({ length: FLOODERS }, () => [
    chatter(port, until),
    pour(port, until),
  ]);
  await Promise.all(flooders.flat());
};

/** Half of them send a head byte by byte, and half of them the half of one. */
const heads: Attack = async (port, count) => {
  const head = request('/?ticket=slow');
  const slow: Socket[] = [];
  for (let i = 0; i < count; i++) {
    const socket = await call(port);
    if (i % 2 === 0) slow.push(socket);
    else socket.write(head.subarray(0, head.length / 2));
  }
  let at = 0;
  setInterval(() => {
    for (const socket of slow) socket.write(head.subarray(at, at + 1));
    at++;
  }, 1000);
};

/** The beginning of a handshake of TLS: a record of 512 bytes, with a ClientHello of 508 in it. */
const HELLO = Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03);

/** Half of them say nothing, and half of them begin the handshake of TLS. */
const silence: Attack = async (port, count) => {
  for (let i = 0; i < count; i++) {
    const socket = await call(port);
    if (i % 2 === 0) socket.write(HELLO);
  }
};

/** All of them right, and too many. */
const handshakes: Attack = async (port, count) => {
  const inside: Socket[] = [];
  for (let i = 0; i < count; i += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - i) }, async () => {
      const socket = await call(port);
      if (await knock(socket)) inside.push(socket);
    });
    await Promise.all(batch);
  }
  for (const socket of inside) socket.destroy();
};

const ATTACKS: Readonly<Record<string, Attack>> = { flood, heads, silence, handshakes };

endWithParent();
const [name = '', port, size] = process.argv.slice(2);
await ATTACKS[name]!(Number(port), Number(size));
const outcome: Outcome = { made, admitted, sent, talkers, expelled };
process.send?.(outcome);
process.channel?.ref(); // Sockets that wait for nothing let a process end.
