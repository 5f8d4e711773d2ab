/**
 * Compressed messages that mean harm: the server of lesson 07 ends the connection with the code that
 * says why, soon, and takes no more memory than a right message. `STRESS=1` prints what it saw.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { join, wire } from '../../shared/kit/frames.ts';
import { Choices } from '../../shared/kit/generate.ts';
import { Peer, request } from '../../shared/kit/peer.ts';
import { endChild, forkChild } from '../../shared/process/children.ts';
import { CloseCode, Opcode } from '../../shared/protocol.ts';
import { fromHex } from '../../shared/view/hex.ts';
import { MAX_MESSAGE_BYTES } from '../../solutions/02-reading-frames/reading.ts';
import type { Highest } from './packing-server.ts';

const MIB = 1024 * 1024;
const RSV1 = 0b100;
/** A guard against hanging, on a busy machine too. In milliseconds. */
const GUARD_MS = 60_000;
/** Far above what a message of 16 MiB takes, garbage included, far below what 1 GiB would. In MiB. */
const BOUND_MIB = 250;

const OFFER = 'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits';
const FORGETFUL = 'Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover';

function pack(plain: Uint8Array, dictionary?: Uint8Array): Uint8Array {
  const options = { finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary && { dictionary }) };
  return deflateRawSync(plain, options).subarray(0, -4);
}

/** So many zeros, packed. A part that ends with a flush can come again. */
function zeros(parts: number, more = 0): Uint8Array {
  const part = join(pack(new Uint8Array(MIB)), fromHex('00 00 ff ff'));
  return join(...new Array<Uint8Array>(parts).fill(part), pack(new Uint8Array(more)));
}

const message = (payload: Uint8Array, opcode: number = Opcode.Binary) =>
  wire({ opcode, payload, rsv: RSV1 });

const NOISE = Choices.random(7).bytes(2000);
const HELLO = pack(Buffer.from('Hello'));

/** What a client sends after its opening, and the code that it is told. */
type Row = readonly [what: string, code: number, frames: readonly Uint8Array[], offer?: string];

const BOMBS: readonly Row[] = [
  ['64 KiB of `03 00`', CloseCode.MessageTooBig, [message(Buffer.alloc(65_536, '\x03\x00'))]],
  ['the limit and a byte', CloseCode.MessageTooBig, [message(zeros(MAX_MESSAGE_BYTES / MIB, 1))]],
  ['1 GiB out of 1 MiB', CloseCode.MessageTooBig, [message(zeros(1024))]],
];

const MISPLACED: readonly Row[] = [
  ['RSV1 on a Ping', CloseCode.ProtocolError, [message(HELLO, Opcode.Ping)]],
  [
    'RSV1 on a continuation',
    CloseCode.ProtocolError,
    [
      wire({ opcode: Opcode.Text, payload: HELLO.subarray(0, 3), rsv: RSV1, fin: false }),
      message(HELLO.subarray(3), Opcode.Continuation),
    ],
  ],
  [
    'RSV1 on the continuation of a plain message',
    CloseCode.ProtocolError,
    [
      wire({ opcode: Opcode.Text, payload: 'Hello', fin: false }),
      message(HELLO, Opcode.Continuation),
    ],
  ],
  ['RSV1 without an agreement', CloseCode.ProtocolError, [message(HELLO, Opcode.Text)], ''],
  ['RSV2 beside RSV1', CloseCode.ProtocolError, [wire({ opcode: Opcode.Text, rsv: 0b110 })]],
];

const BEYOND: readonly Row[] = [
  [
    'a reference 2,000 bytes back, with 10 bits',
    CloseCode.InvalidPayload,
    [message(pack(NOISE)), message(pack(NOISE.subarray(0, 100), NOISE))],
  ],
  [
    'a reference into the message before, without takeover',
    CloseCode.InvalidPayload,
    [message(pack(NOISE)), message(pack(NOISE, NOISE))],
    FORGETFUL,
  ],
  ['what is not DEFLATE', CloseCode.InvalidPayload, [message(fromHex('07 07'))]],
];

/** Sends a row to a server, and waits for its end. Returns the code that came, and how long it took. */
async function suffer(port: number, [, , frames, offer = OFFER]: Row) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  const peer = new Peer(socket, GUARD_MS);
  peer.write(request('/', ...(offer ? [offer] : [])));
  await peer.head('The server answers.');
  const began = performance.now();
  peer.write(...frames);
  let frame = await peer.frame('The server says something.');
  // What was right is sent back.
  while (frame.opcode !== Opcode.Close) frame = await peer.frame('The server says why it ends.');
  const ms = performance.now() - began;
  peer.write(wire({ opcode: Opcode.Close, payload: frame.payload }));
  await peer.sees('end', 'The server ends TCP.');
  socket.destroy();
  return { code: Buffer.from(frame.payload).readUInt16BE(), ms };
}

test.each([
  ['take much', BOMBS],
  ['have a bit where it must not be', MISPLACED],
  ['refer to what is not there', BEYOND],
])('messages that %s end their connection, and nothing else', async (_, rows) => {
  const server = forkChild(new URL('packing-server.ts', import.meta.url), []);
  try {
    const [{ port, memoryMiB: before }] = (await once(server, 'message')) as [Highest];
    for (const row of rows) {
      const { code, ms } = await suffer(port, row);
      const answer = once(server, 'message') as Promise<[Highest]>;
      server.send('how are you?');
      const grownMiB = (await answer)[0].memoryMiB - before;
      if (process.env.STRESS) {
        console.log(`${row[0]}: ${code}, ${ms.toFixed(0)} ms, ${grownMiB.toFixed(0)} MiB at most`);
      }
      expect(code, row[0]).toBe(row[1]);
      expect(grownMiB, row[0]).toBeLessThan(BOUND_MIB);
    }
  } finally {
    endChild(server);
  }
});
