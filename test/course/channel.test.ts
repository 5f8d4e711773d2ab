/** What comes from a process that nobody trusts is only read: none of it throws, and none of it is too long. */
import type { ChildProcess } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { encode, pipesOf } from '../../shared/harness/channel.ts';
import type { Signed } from '../../shared/harness/messages.ts';

/** What is heard of these chunks. */
async function heardOf(...chunks: readonly Uint8Array[]): Promise<(Signed | undefined)[]> {
  const [input, pipe] = [new PassThrough(), new PassThrough()];
  const heard: (Signed | undefined)[] = [];
  const channel = pipesOf({
    stdin: input,
    stdio: [input, null, null, pipe],
  } as never as ChildProcess);
  channel.listen((message) => heard.push(message));
  for (const chunk of chunks) pipe.write(chunk);
  pipe.end();
  await channel.closed();
  await nextTurn();
  return heard;
}

const ONE: Signed = { type: 'started', number: 1, scenario: 'It is.', secret: 's' };
const TWO: Signed = { type: 'done', secret: 's' };
const both = Buffer.concat([encode(ONE), encode(TWO)]);

test('messages come as they were sent, however the pipe cuts them', async () => {
  expect(await heardOf(both)).toEqual([ONE, TWO]);
  expect(await heardOf(...Array.from(both, (byte) => Uint8Array.of(byte)))).toEqual([ONE, TWO]);
});

test.each([
  ['no serialized value', [0, 0, 0, 3, 1, 2, 3]],
  ['no object', [0, 0, 0, 4, 0xff, 0x0f, 0x49, 2]],
  ['nothing', [0, 0, 0, 0]],
  ['a length beyond all bounds', [255, 255, 255, 255]],
])('%s is no message', async (_, bytes) => {
  expect((await heardOf(Uint8Array.from(bytes)))[0]).toBeUndefined();
  expect(await heardOf(Uint8Array.from(bytes))).toHaveLength(1);
});
