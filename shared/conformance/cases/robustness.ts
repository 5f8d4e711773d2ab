/** Category R: rude clients, and many. Nobody else may notice. RFC 6455 §7.2, §10.7 */
import { wire } from '../../kit/frames.ts';
import type { Case, Category } from '../case.ts';
import { expectReply, expectService } from '../expect.ts';
import { encodeHead, upgradeRequest } from '../http.ts';
import type { Finding } from '../model.ts';
import { listen } from '../play.ts';
import { randomKey, type Trial } from '../trial.ts';
import { begin, binary, close, end, text, textReply } from '../vocabulary.ts';

const VISITORS = 200;
const MIB = 1024 * 1024;

/** A case in which something happens, and afterwards somebody else is served. */
function survives(
  [id, title]: readonly [string, string],
  happen: (trial: Trial) => Promise<unknown>,
): Case<Trial> {
  const run = async (trial: Trial): Promise<Finding> => {
    await happen(trial);
    await expectService(trial);
    return { verdict: 'OK', ending: 'ours', happened: 'Afterwards a new client was served.' };
  };
  const expected = 'Afterwards a new client is served.';
  return { id, title, section: '10.7', expected, run };
}

const requestOf = ({ target }: Trial) => encodeHead(upgradeRequest(target, randomKey()));

/** Two clients whose fragments arrive in turn: each has to get its own message. */
async function interleave(trial: Trial, keys: readonly [string, string]): Promise<void> {
  const [a, b] = [await trial.open({ key: keys[0] }), await trial.open({ key: keys[1] })];
  await a.send([begin('left ')], 'apart');
  await b.send([begin('right ')], 'apart');
  await a.send([end('hand')], 'apart');
  await expectReply(a, textReply('left hand'));
  await b.send([end('side')], 'apart');
  await expectReply(b, textReply('right side'));
  a.socket.destroy();
  await b.send([text('still here')]);
  await expectReply(b, textReply('still here'));
}

export const ROBUSTNESS: Category<Trial> = {
  id: 'R',
  title: 'Robustness',
  serial: true,
  cases: [
    survives(['R.1', 'A reset right after the handshake'], async (trial) => {
      (await trial.open()).socket.reset();
    }),
    survives(['R.2', 'A reset right after the request'], async (trial) => {
      const client = await trial.connect();
      client.write(requestOf(trial));
      client.socket.reset();
    }),
    survives(['R.3', 'A reset inside a frame'], async (trial) => {
      const client = await trial.open();
      await client.writeInPieces(wire(text('Hello')).subarray(0, 9), 9);
      client.socket.reset();
    }),
    survives(['R.4', 'A reset inside a message'], async (trial) => {
      const client = await trial.open();
      await client.send([begin('Hel')], 'apart');
      client.socket.reset();
    }),
    survives(['R.5', 'A reset while the server echoes 4 MiB'], async (trial) => {
      const client = await trial.open();
      await client.send([binary(new Uint8Array(4 * MIB))]);
      client.socket.reset();
    }),
    survives(['R.6', 'The connection closed in the middle of the request'], async (trial) => {
      const client = await trial.connect();
      const request = requestOf(trial);
      await client.writeInPieces(request.subarray(0, 60), 60);
      client.socket.destroy();
    }),
    survives(['R.7', 'The connection closed in the middle of a frame'], async (trial) => {
      const client = await trial.open();
      await client.writeInPieces(wire(text('Hello')).subarray(0, 9), 9);
      client.socket.destroy();
    }),
    survives(['R.8', 'Somebody connects and says nothing'], (trial) => trial.connect()),
    survives(['R.9', 'Somebody stops in the middle of the request'], async (trial) => {
      const client = await trial.connect();
      client.write(requestOf(trial).subarray(0, 60));
    }),
    survives(['R.10', 'Somebody stops in the middle of a frame'], async (trial) => {
      const client = await trial.open();
      client.write(wire(text('Hello')).subarray(0, 9));
    }),
    survives(['R.11', 'Two clients, their fragments in turn'], (trial) =>
      interleave(trial, [randomKey(), randomKey()]),
    ),
    survives(['R.12', 'Two clients with the same key'], (trial) => {
      const key = randomKey();
      return interleave(trial, [key, key]);
    }),
    survives(['R.13', 'The same port of ours again'], async (trial) => {
      const earlier = await trial.open();
      await earlier.send([close(1000)]);
      await listen(earlier, []);
      earlier.socket.destroy();
      const again = await trial.open({ localPort: earlier.socket.localPort });
      await again.send([text('me again')]);
      await expectReply(again, textReply('me again'));
    }),
    survives([`R.14`, `${VISITORS} clients that come and go`], async (trial) => {
      for (let i = 0; i < VISITORS; i++) {
        const client = await trial.open();
        if (i % 2 === 0) client.socket.destroy();
        else client.socket.reset();
      }
    }),
  ],
};
