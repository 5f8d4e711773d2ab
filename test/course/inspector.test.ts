/**
 * The debugger of Node gets requests of every size, and answers each: no frame of ours is cut where
 * it cannot take it. `STRESS=1` makes it a thousand evaluations, and prints the figures. `NODES` has
 * other versions of Node to drive, separated as in `PATH`.
 */
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Debuggee } from '../../shared/drive/debuggee.ts';
import { Choices } from '../../shared/kit/generate.ts';
import { SEED } from '../../shared/kit/seed.ts';
import { CUT_BYTES, DevTools, READ_BYTES } from '../../solutions/06-client/client.ts';

const EVALUATIONS = process.env.STRESS ? 1000 : 40;
const NODES = process.env.NODES?.split(delimiter) ?? [process.execPath];
const MIB = 1024 * 1024;
const SHOP = fileURLToPath(new URL('../../shared/drive/shop.mjs', import.meta.url));

/** What a request has around its expression, in bytes, in its frame with a long length. */
const AROUND =
  '{"id":1000,"method":"Runtime.evaluate","params":{"expression":"``.length"}}'.length + 14;

/** Sizes of all kinds: every other one ends near where a debugger stops reading. */
function sizes(): number[] {
  const choices = Choices.random(SEED);
  const drawn = Array.from({ length: EVALUATIONS - 2 }, (_, i) =>
    i % 2 === 0
      ? choices.below(MIB)
      : READ_BYTES * (1 + choices.below(15)) + choices.below(2 * CUT_BYTES) - AROUND,
  );
  return [0, MIB, ...drawn];
}

describe.each(NODES)('%s', (node) => {
  test(`answers ${EVALUATIONS} evaluations of up to 1 MiB`, async () => {
    const debuggee = await Debuggee.start(node, ['--inspect=127.0.0.1:0', SHOP]);
    const devtools = new DevTools(debuggee.url);
    const started = performance.now();
    try {
      const { result } = await devtools.request('Runtime.evaluate', {
        expression: 'process.version',
      });
      for (const size of sizes()) {
        const expression = `\`${'x'.repeat(size)}\`.length`;
        const answer = await devtools.request('Runtime.evaluate', { expression });
        expect(answer.result?.value, `${size} letters`).toBe(size);
      }
      if (!process.env.STRESS) return;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`Node ${result.value}: ${EVALUATIONS} evaluations, none lost, in ${seconds} s`);
    } finally {
      await devtools.close();
      await debuggee.end();
    }
  });
});
