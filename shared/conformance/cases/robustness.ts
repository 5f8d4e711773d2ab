/** Category R: rude clients, and many. Nobody else may notice. RFC 6455 §7.2, §10.7 */
import { wire } from '../../kit/frames.ts';
import type { Case, Category } from '../case.ts';
import { expectService, hear } from '../expect.ts';
import { encodeRequest, upgradeRequest } from '../http.ts';
import type { Finding } from '../model.ts';
import { randomKey, type Stage } from '../stage.ts';
import { begin, binary, close, end, text, texted } from '../vocabulary.ts';

const VISITORS = 200;
const MIB = 1024 * 1024;

/** A case in which something happens, and afterwards somebody else is served. */
function survives(
  [id, title]: readonly [string, string],
  happen: (stage: Stage) => Promise<unknown>,
): Case {
  const run = async (stage: Stage): Promise<Finding> => {
    await happen(stage);
    await expectService(stage);
    return { verdict: 'OK', ending: 'ours', happened: 'Afterwards a new client was served.' };
  };
  const expected = 'Afterwards a new client is served.';
  return { id, title, section: '10.7', expected, run };
}

const requestOf = ({ target }: Stage) => encodeRequest(upgradeRequest(target, randomKey()));

/** Two clients whose fragments arrive in turn: each has to get its own message. */
async function interleave(stage: Stage, keys: readonly [string, string]): Promise<void> {
  const [a, b] = [await stage.open({ key: keys[0] }), await stage.open({ key: keys[1] })];
  await a.send([begin('left ')], 'apart');
  await b.send([begin('right ')], 'apart');
  await a.send([end('hand')], 'apart');
  await hear(a, texted('left hand'));
  await b.send([end('side')], 'apart');
  await hear(b, texted('right side'));
  a.socket.destroy();
  await b.send([text('still here')]);
  await hear(b, texted('still here'));
}

export const ROBUSTNESS: Category = {
  id: 'R',
  title: 'Robustness',
  serial: true,
  cases: [
    survives(['R.1', 'A reset right after the handshake'], async (stage) => {
      (await stage.open()).socket.reset();
    }),
    survives(['R.2', 'A reset right after the request'], async (stage) => {
      const client = await stage.connect();
      client.write(requestOf(stage));
      client.socket.reset();
    }),
    survives(['R.3', 'A reset inside a frame'], async (stage) => {
      const client = await stage.open();
      await client.writeInPieces(wire(text('Hello')).subarray(0, 9), 9);
      client.socket.reset();
    }),
    survives(['R.4', 'A reset inside a message'], async (stage) => {
      const client = await stage.open();
      await client.send([begin('Hel')], 'apart');
      client.socket.reset();
    }),
    survives(['R.5', 'A reset while the server echoes 4 MiB'], async (stage) => {
      const client = await stage.open();
      await client.send([binary(new Uint8Array(4 * MIB))]);
      client.socket.reset();
    }),
    survives(['R.6', 'A hang-up in the middle of the request'], async (stage) => {
      const client = await stage.connect();
      const request = requestOf(stage);
      await client.writeInPieces(request.subarray(0, 60), 60);
      client.socket.destroy();
    }),
    survives(['R.7', 'A hang-up in the middle of a frame'], async (stage) => {
      const client = await stage.open();
      await client.writeInPieces(wire(text('Hello')).subarray(0, 9), 9);
      client.socket.destroy();
    }),
    survives(['R.8', 'Somebody connects and says nothing'], (stage) => stage.connect()),
    survives(['R.9', 'Somebody stops in the middle of the request'], async (stage) => {
      const client = await stage.connect();
      client.write(requestOf(stage).subarray(0, 60));
    }),
    survives(['R.10', 'Somebody stops in the middle of a frame'], async (stage) => {
      const client = await stage.open();
      client.write(wire(text('Hello')).subarray(0, 9));
    }),
    survives(['R.11', 'Two clients, their fragments in turn'], (stage) =>
      interleave(stage, [randomKey(), randomKey()]),
    ),
    survives(['R.12', 'Two clients with the same key'], (stage) => {
      const key = randomKey();
      return interleave(stage, [key, key]);
    }),
    survives(['R.13', 'The same port of ours again'], async (stage) => {
      const earlier = await stage.open();
      await earlier.send([close(1000)]);
      await earlier.next();
      await earlier.untilEnd();
      earlier.socket.destroy();
      const again = await stage.open({ localPort: earlier.socket.localPort });
      await again.send([text('me again')]);
      await hear(again, texted('me again'));
    }),
    survives([`R.14`, `${VISITORS} clients that come and go`], async (stage) => {
      for (let i = 0; i < VISITORS; i++) {
        const client = await stage.open();
        if (i % 2 === 0) client.socket.destroy();
        else client.socket.reset();
      }
    }),
  ],
};
