/** A process that makes load: it sends messages, and another for each that comes back. */
import { setTimeout as pause } from 'node:timers/promises';
import { wire } from '../kit/frames.ts';
import { endWithParent } from '../process/parent.ts';
import { Opcode } from '../protocol.ts';
import { openClient } from './client.ts';
import { MessageCounter, PieceCounter } from './counters.ts';
import { isCompressing, type Measure, type Order } from './messages.ts';
import { framesOf } from './samples.ts';

/** What one connection sends: the bytes of so many messages more. */
type Sending = (count: number) => Uint8Array;

/** Makes what each connection sends. */
function sendings({ kind, bytes, inFlight, sample }: Order): () => Sending {
  if (sample) {
    const frames = framesOf(sample, isCompressing(kind));
    return () => {
      let sent = 0;
      return (count) => Buffer.concat(Array.from({ length: count }, () => frames(sent++)));
    };
  }
  const frame = wire({ opcode: Opcode.Binary, payload: Buffer.alloc(bytes, 'x') });
  const all = Buffer.concat(Array.from({ length: inFlight }, () => frame));
  return () => (count) => all.subarray(0, count * frame.length);
}

/** Makes the load. Returns what came back. */
async function run(order: Order): Promise<Measure> {
  const { kind, port, inFlight, connections, warmUpMs, countMs } = order;
  const sendingOf = sendings(order);
  const sockets = await Promise.all(
    Array.from({ length: connections }, () => openClient(kind, port)),
  );
  let messages = 0;
  let bytes = 0;
  for (const socket of sockets) {
    const sending = sendingOf();
    const first = sending(inFlight);
    const counter =
      kind === 'tcp' ? new PieceCounter(first.length / inFlight) : new MessageCounter();
    socket.on('data', (chunk: Buffer) => {
      const back = counter.count(chunk);
      messages += back;
      bytes += chunk.length;
      if (back > 0) socket.write(sending(back));
    });
    socket.write(first);
  }
  await pause(warmUpMs);
  const [start, before, bytesBefore] = [performance.now(), messages, bytes];
  await pause(countMs);
  const rate = ((messages - before) * 1000) / (performance.now() - start);
  const bytesBack = (bytes - bytesBefore) / Math.max(messages - before, 1);
  for (const socket of sockets) socket.destroy();
  return { rate, bytesBack, messages };
}

process.on('message', async (order: Order) => process.send?.(await run(order)));
endWithParent();
