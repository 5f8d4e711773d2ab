/** The commands that no other test runs do run. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { withSandbox } from './sandbox.ts';

describe.concurrent('a command runs', () => {
  test('npm run bench -- --solution', () =>
    withSandbox(async (sandbox) => {
      const { code, output } = await sandbox.run('bench', '--solution', '--quick');
      expect(code, output).toBe(0);
      for (const who of ['reference', 'ws ', 'plain TCP']) {
        expect(output).toMatch(new RegExp(`^ +${who}.* [\\d,]+ /s`, 'm'));
      }
    }));

  test('npm run coverage, and fails when no step claims a rule', () =>
    withSandbox(async (sandbox) => {
      expect((await sandbox.run('coverage')).code).toBe(0);
      const spec = 'test/specs/05-server/everybody.ts';
      sandbox.write(spec, sandbox.read(spec).replace('rules: [122]', 'rules: []'));
      const { code, output } = await sandbox.run('coverage');
      expect(code).toBe(1);
      expect(output).toMatch(/^✗ 122 [^✓✗·]*No step claims it\.$/m);
    }));

  test('npm run seal', () =>
    withSandbox(async (sandbox) => {
      const path = 'test/vectors/accept.ts';
      const text = `${sandbox.read(path)}// A new one.\n`;
      sandbox.write(path, text);
      sandbox.write('shared/course/seal.json', '{}');
      expect(await sandbox.run('seal')).toEqual({ code: 0, output: '' });
      const hash = createHash('sha256').update(text).digest('hex');
      expect(JSON.parse(sandbox.read('shared/course/seal.json'))).toMatchObject({ [path]: hash });
    }));
});
