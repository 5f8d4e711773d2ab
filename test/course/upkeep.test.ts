/** The commands that no other test runs do run. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ENV, LAUNCH, outcomeOf, scriptOf, withSandbox } from './sandbox.ts';

test.each([
  ['test', '01'],
  ['test', '--quick'],
])('npm run %s %s fails without a word when nobody reads what it says', (command, word) =>
  withSandbox(async ({ folder }) => {
    const child = spawn(process.execPath, [LAUNCH, scriptOf(command), word], {
      cwd: folder,
      env: ENV,
    });
    child.stdout.destroy();
    expect(await outcomeOf(child)).toEqual({ code: 1, output: '' });
  }),
);

describe.concurrent('a command runs', () => {
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
