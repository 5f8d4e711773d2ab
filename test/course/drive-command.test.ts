/** `npm run drive`, as it is called: what it shows, and that nothing is left of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { fileOf, findTarget, ROOT } from '../../shared/course/lessons.ts';
import { BROWSER_FOLDER, findBrowser } from '../../shared/drive/chromium.ts';
import { widthOf } from '../../shared/view/width.ts';
import { familyOf } from './family.ts';
import { ENV, LAUNCH, outcomeOf, scriptOf, withSandbox } from './sandbox.ts';

/** How long anything may take before we say that it hangs, in milliseconds. */
const PATIENCE = { timeout: 60_000, interval: 50 };

function drive(words: readonly string[], env: NodeJS.ProcessEnv = ENV): ChildProcess {
  return spawn(process.execPath, [LAUNCH, scriptOf('drive'), ...words], { cwd: ROOT, env });
}

describe('npm run drive', () => {
  test('shows what travels, and what comes of it, in 80 columns and without colour', async () => {
    const { code, output } = await outcomeOf(drive(['--solution']));
    expect(code, output).toBe(0);
    const lines = output.split('\n');
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
    expect(output).not.toContain('\u001b');
    const outcomes = lines.flatMap((line) => /^ {3}✓ (.*)$/.exec(line)?.[1] ?? []);
    expect(outcomes).toEqual([
      '6 * 7 is 42.',
      'An apple has cost 3, and now it is 99.',
      'The promise has resolved with "later".',
      'An event: console.log has said 你好',
      expect.stringMatching(/^It knows \d+ scripts\. The program stopped in \w+, and went on\.$/),
      'Most of its time goes to addUpBill.',
      expect.stringMatching(/^\d+,\d+ objects, told in \d+ frames\.$/),
      'The connection has ended.',
    ]);
    expect(output).toMatch(/^ {3}→ GET \/\S+ HTTP\/1\.1\\r\\n$/m);
    expect(output).toMatch(/^ {3}← HTTP\/1\.1 101 Switching Protocols\\r\\n$/m);
    expect(output).toMatch(/^ {3}→ 81 .*\n.*┬─ ┬─.*\n.*\n.* masking key\n.* MASK=1 length=\d+$/m);
    expect(output).toContain('{"id":2,"method":"Runtime.evaluate","params":{"expression":"price.');
    expect(output).toMatch(/… and \d+ more frames, [\d,]+ bytes/);
    expect(output).toMatch(/^ {3}→ 88 82 .* close, masked, 8 bytes$/m);
  });

  test('is made of what passes, and says what the reference stands in for', () =>
    withSandbox(async (sandbox) => {
      sandbox.solve('01', '02', '03', '04');
      const { lesson } = findTarget('lessons/03');
      const mine = fileOf({ side: 'lessons', lesson });
      // Seen only by what sends frames: what the page of a lesson would never do.
      sandbox.write(mine, `${sandbox.read(mine)}\nconsole.log('The third lesson is mine.');\n`);
      const { code, output } = await sandbox.run('drive');
      expect(code, output).toBe(0);
      expect(output).toMatch(/^ {2}04 {2}Closing +yours$/m);
      expect(output).toMatch(/^ {2}06 {2}The client +reference until step \d+ passes$/m);
      expect(output).toContain('The third lesson is mine.');
      expect(output).toContain('✓ 6 * 7 is 42.');
    }));

  test('says in one line why it cannot go on', () =>
    withSandbox(async (sandbox) => {
      // A program that ends while it is looked at.
      const shop = 'shared/drive/shop.mjs';
      const end = "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 50);";
      sandbox.write(shop, sandbox.read(shop) + end);
      const { code, output } = await sandbox.run('drive', '--solution');
      expect(code, output).toBe(1);
      expect(output).toMatch(/\n\n✗ .+\n$/);
    }));

  test('says in one line that there is no Chromium, or none that starts', async () => {
    for (const [env, message] of [
      [
        { PATH: '/nowhere', CHROME_PATH: '' },
        '✗ There is no Chromium here. Set CHROME_PATH to one, or drive Node: npm run drive\n',
      ],
      [{ CHROME_PATH: '/nowhere/chromium' }, /^✗ The browser does not start\. .*ENOENT\n$/],
    ] as const) {
      const child = drive(['--solution', '--chromium'], { ...ENV, ...env });
      const { code, output } = await outcomeOf(child);
      expect(output).toMatch(message);
      expect(code).toBe(2);
    }
  });

  test.runIf(findBrowser())('uses a browser, and takes a picture of it', async () => {
    const folder = mkdtempSync(join(BROWSER_FOLDER, 'websocket-101-picture-'));
    try {
      const path = join(folder, 'page.png');
      const child = drive(['--solution', '--chromium', '--picture', path]);
      const { code, output } = await outcomeOf(child);
      expect(code, output).toBe(0);
      expect(output).toContain('✓ The page is there, and says: No hands: a debugger drives this');
      expect(output).toContain('✓ The page says OPEN.');
      expect(output).toContain('✓ The echo is on the page: 你好，世界');
      const picture = readFileSync(path);
      expect(picture.subarray(1, 4).toString()).toBe('PNG');
      expect(picture.readUInt32BE(16)).toBe(1280);
      expect(output).toContain(path);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(process.platform === 'win32')('of npm run drive, no process is left', () => {
  const tours = [
    ['--solution', '3  It waits for a promise'],
    ...(findBrowser() ? [['--solution --chromium', '2  It clicks on Connect']] : []),
  ] as const;

  test.each(
    tours.flatMap(([words, scene]) =>
      (['SIGINT', 'SIGTERM', 'SIGKILL'] as const).map((signal) => [words, signal, scene] as const),
    ),
  )('%s, by %s', async (words, signal, scene) => {
    // Who is killed cannot remove the profile of a browser.
    const folder = mkdtempSync(join(BROWSER_FOLDER, 'websocket-101-left-'));
    const child = drive((words ?? '').split(' '), { ...ENV, TMPDIR: folder });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await vi.waitFor(() => expect(output).toContain(scene), PATIENCE);
    const family = familyOf(child.pid as number);
    expect(family.length).toBeGreaterThan(2);
    child.kill(signal);
    const left = () => family.flatMap(familyOf);
    try {
      await vi.waitFor(() => expect(left()).toEqual([]), PATIENCE);
    } finally {
      for (const pid of left()) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true, maxRetries: 20, retryDelay: 100 });
    }
  });
});
