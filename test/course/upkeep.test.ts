/** The commands that no other test runs do run. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Sandbox } from './sandbox.ts';

let sandbox: Sandbox;
beforeAll(() => {
  sandbox = new Sandbox();
});
afterAll(() => sandbox.remove());

describe.concurrent('a command runs', () => {
  test('npm run bench -- --solution', async () => {
    const { code, output } = await sandbox.run('bench', '--solution', '--quick');
    expect(code, output).toBe(0);
    for (const who of ['reference', 'ws ', 'plain TCP']) {
      expect(output).toMatch(new RegExp(`^ +${who}.* [\\d,]+ /s`, 'm'));
    }
  });

  test('npm run coverage, and fails when no step claims a rule', async () => {
    const own = new Sandbox();
    expect((await own.run('coverage')).code).toBe(0);
    const spec = 'test/specs/04-closing/failing.ts';
    own.write(spec, own.read(spec).replace('rules: [129]', 'rules: []'));
    const { code, output } = await own.run('coverage');
    own.remove();
    expect(code).toBe(1);
    expect(output).toMatch(/^✗ 129 .*\n +No step claims it\.$/m);
  });

  test('npm run seal', async () => {
    const path = 'test/vectors/accept.ts';
    const text = `${sandbox.read(path)}// A new one.\n`;
    sandbox.write(path, text);
    expect(await sandbox.run('seal')).toEqual({ code: 0, output: '' });
    const hash = createHash('sha256').update(text).digest('hex');
    expect(JSON.parse(sandbox.read('shared/course/seal.json'))).toMatchObject({ [path]: hash });
  });
});
