/** `npm run bench`: who takes part, what it refuses, and that nothing of it is left. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { Bench, QUICK } from '../../shared/bench/bench.ts';
import type { Load } from '../../shared/bench/messages.ts';
import { type Contestant, listCores } from '../../shared/bench/processes.ts';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { familyOf } from './family.ts';
import { ENV, LAUNCH, outcomeOf, scriptOf, withSandbox } from './sandbox.ts';

const folder = mkdtempSync(join(tmpdir(), 'websocket-101-bench-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The lessons that have a server to measure. */
const SERVERS = LESSONS.map(({ number }) => number).filter((it) => ['05', '08'].includes(it));

describe.concurrent('what it prints', () => {
  test.each([[], ['--text']])('is a table for each load, %j', (...more) =>
    withSandbox(async (sandbox) => {
      const svg = join(mkdtempSync(join(folder, 'chart-')), 'bench.svg');
      const words = ['--solution', '--quick', '--svg', svg, ...more];
      const { code, output } = await sandbox.run('bench', ...words);
      expect(code, output).toBe(0);
      const whose = [...SERVERS.map((it) => `reference ${it}`), 'ws ', 'plain TCP'];
      for (const who of whose) {
        const rows = output.match(new RegExp(`^ +${who}.* [\\d,]+ .* µs  [█▏▎▍▌▋▊▉]+$`, 'gm'));
        expect(rows, who).toHaveLength(7);
        expect(output).toMatch(
          new RegExp(`^ +${who}[\\d. ]* +[\\d.,]+ µs .* KiB .* µs .* µs$`, 'm'),
        );
      }
      expect(output.match(/^ {2}Busy: the server \d+.* %, the load \d+.* %\.$/gm)).toHaveLength(7);
      expect(output).toContain(`\nThe chart is in ${svg}\n`);
      expect(readFileSync(svg, 'utf8').match(/<rect /g)).toHaveLength(7 * whose.length);
      expect(output).toContain(more.length > 0 ? 'Texts (of ASCII)' : 'Binary messages');
      expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }),
  );

  test('is a table with compression', () =>
    withSandbox(async (sandbox) => {
      const { code, output } = await sandbox.run('bench', '--compression', '--solution', '--quick');
      expect(code, output).toBe(0);
      expect(output).toMatch(/^ +reference 07 +[\d,]+ +[\d.,]+ µs +[\d,]+ {2}[█▏▎▍▌▋▊▉]+/m);
      expect(output).toMatch(/^Memory of a busy connection, of the whole process: reference 07 /m);
      expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }));

  test('is a picture of where the time goes', () =>
    withSandbox(async (sandbox) => {
      const { code, output } = await sandbox.run('bench', '--profile', '--solution', '--quick');
      expect(code, output).toBe(0);
      expect(output).toContain(`processor time of reference ${SERVERS.at(-1)} goes:`);
      const [, ...pictures] = output.split(/: [\d.,]+ µs for each message, plain TCP [\d.,]+ µs\n/);
      expect(pictures).toHaveLength(4);
      for (const picture of pictures) {
        const rows = Array.from(picture.matchAll(/^ {2}(\w.*?) +(\d+) % /gm));
        expect(rows.map(([, name]) => name)).toEqual([
          'the kernel',
          'Node, compiled',
          'Node, JavaScript',
          'copying bytes',
          'collecting garbage',
          'our code',
        ]);
        const sum = rows.reduce((sum, [, , share]) => sum + Number(share), 0);
        expect(Math.abs(sum - 100)).toBeLessThanOrEqual(3);
      }
      expect(output).toMatch(/^ {4}\S+, \w+\.ts +\d+ % /m);
    }));
});

test('what it cannot do is one clear message, before anything is measured', () =>
  withSandbox(async (sandbox) => {
    const mine = join(folder, 'mine.svg');
    writeFileSync(mine, '<svg></svg>');
    const refusals: [string[], RegExp][] = [
      [
        [],
        /^✗ Your lesson 05 does not pass yet: npm test lessons\/05\. Meanwhile, add --solution\.$/,
      ],
      [['--with', 'bun,deno'], /^✗ --with knows bun and uws, not "deno"\.$/],
      [['--rounds', '0'], /^✗ --rounds has to be a whole number from 1 to 99, not "0"\.$/],
      [['--rounds', '2.5'], /^✗ --rounds has to be .*, not "2\.5"\.$/],
      [['--svg', mine], /^✗ \S+mine\.svg is there already, and is no chart of ours\. /],
      [['--svg', folder], /^✗ \S+ is not a file\.$/],
      [['--svg', join(folder, 'none/a.svg')], /^✗ There is no folder \S+none\.$/],
      [['--profile', '--svg', 'a.svg'], /^✗ --profile and --svg do not go together\.$/],
      [['--reading', '--text'], /^✗ --reading and --text do not go together\.$/],
    ];
    for (const [words, message] of refusals) {
      const { code, output } = await sandbox.call('bench', ...words);
      expect(output.trim()).toMatch(message);
      expect(code).toBe(2);
    }
    expect(readFileSync(mine, 'utf8')).toBe('<svg></svg>');
  }));

test.skipIf(listCores().length < 2)('servers and load have a core each', async () => {
  const bench = new Bench([{ kind: 'tcp', name: 'plain TCP' }], QUICK);
  try {
    await bench.ready();
    // One of them is the one that lists them, and is gone by now.
    const statuses = familyOf(process.pid).map((pid) => `/proc/${pid}/status`);
    const cores = statuses
      .filter((path) => existsSync(path))
      .map((path) => {
        return /^Cpus_allowed_list:\s+(.*)$/m.exec(readFileSync(path, 'utf8'))?.[1];
      });
    expect(listCores()).toHaveLength(availableParallelism());
    expect(cores).toEqual(expect.arrayContaining(listCores().slice(0, 2).map(String)));
  } finally {
    bench.end();
  }
});

describe('a server that does not send back what it was sent', () => {
  const good = pathToFileURL(join(ROOT, 'solutions/05-server/server.ts')).href;
  const load: Load = { bytes: 64, inFlight: 2, connections: 2 };

  /** Measures a server of lesson 05 that changes what it hears. Returns how many messages came back. */
  async function measure(change: string, more: Partial<Load> = {}): Promise<number> {
    const file = join(folder, `server-${Math.random()}.ts`);
    writeFileSync(
      file,
      `import { WebSocketServer as Good } from ${JSON.stringify(good)};
export class WebSocketServer extends Good {
  constructor(handle) {
    super((connection, event) => handle(connection, 'data' in event ? ${change} : event));
  }
}
`,
    );
    const contestant = { kind: 'lesson', name: 'mine', module: pathToFileURL(file).href } as const;
    const bench = new Bench([contestant], QUICK);
    try {
      await bench.ready();
      const [measured] = await bench.measure({ ...load, ...more }, () => {});
      return measured?.results[0]?.rate ?? 0;
    } finally {
      bench.end();
    }
  }

  test.each([
    [{}],
    [{ isText: true }],
    [{ bytes: 1024 * 1024 }],
    [{ job: 'broadcast', inFlight: 1 } as const],
  ])('is told from one that does: %j', async (more) => {
    expect(await measure('event', more)).toBeGreaterThan(0);
  });

  test.each([
    ['other bytes', '{ ...event, data: event.data.slice().fill(7) }', 'What came back'],
    ['fewer bytes', '{ ...event, data: event.data.slice(1) }', 'What came back'],
    ['text', `{ type: 'text', data: 'x'.repeat(64) }`, 'What came back'],
    ['a Close', '(connection.close(), event)', 'What came back'],
    ['nothing', 'process.exit(3)', 'A message did not come back'],
  ])('but %s is no figure', async (_, change, message) => {
    await expect(measure(change)).rejects.toThrow(`mine cannot be measured. ${message}`);
  });
});

test('a server that does not even start is named, also behind others', async () => {
  const module = 'data:text/javascript,process.exit(3)';
  const contestants = ['tcp', 'lesson'].map((kind) => ({ kind, name: `my ${kind}`, module }));
  const bench = new Bench(contestants as Contestant[], QUICK);
  try {
    await pause(1000);
    const why = 'my lesson cannot be measured. Its process ended with exit code 3.';
    await expect(bench.ready()).rejects.toThrow(why);
  } finally {
    bench.end();
  }
});

describe.skipIf(process.platform === 'win32')('nothing is left', () => {
  /** Starts it with Bun as a guest, from an npm of ours, and with a folder for temporary files. */
  function start(npm: string): {
    readonly outcome: ReturnType<typeof outcomeOf>;
    temporary: string;
  } {
    const temporary = mkdtempSync(join(folder, 'tmp-'));
    const script = join(temporary, '..', `npm-${Math.random()}.cjs`);
    writeFileSync(script, npm);
    const words = [LAUNCH, scriptOf('bench'), '--solution', '--quick', '--with', 'bun'];
    const env = { ...ENV, TMPDIR: temporary, npm_execpath: script };
    const child = spawn(process.execPath, words, { cwd: ROOT, env });
    return { outcome: outcomeOf(child), temporary };
  }

  test('when npm fetches no Bun', async () => {
    const { outcome, temporary } = start(`console.error('No network.'); process.exit(1);`);
    const { code, output } = await outcome;
    expect(output).toMatch(/^✗ npm could not fetch Bun [\d.]+\. It says:\nNo network\.$/m);
    expect(code).toBe(2);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test('when it does not run here', async () => {
    const { outcome, temporary } = start(`
      const { mkdirSync, writeFileSync } = require('node:fs');
      const folder = process.argv[process.argv.indexOf('--prefix') + 1];
      const bin = folder + '/node_modules/@oven/bun-for-another/bin';
      mkdirSync(bin, { recursive: true });
      writeFileSync(bin + '/bun', '#!/bin/sh\\nexit 1\\n', { mode: 0o755 });`);
    const { code, output } = await outcome;
    expect(output).toMatch(/^✗ There is no Bun [\d.]+ for this machine\.$/m);
    expect(code).toBe(2);
    expect(readdirSync(temporary)).toEqual([]);
  });

  test.each(['SIGINT', 'SIGKILL'] as const)('of its processes by %s', async (signal) => {
    const words = [LAUNCH, scriptOf('bench'), '--solution', '--rounds', '9'];
    const child = spawn(process.execPath, words, { cwd: ROOT, env: ENV, stdio: 'ignore' });
    const patience = { timeout: 60_000, interval: 50 };
    await vi.waitFor(() => expect(familyOf(child.pid ?? 0).length).toBeGreaterThan(4), patience);
    const family = familyOf(child.pid ?? 0);
    child.kill(signal);
    await vi.waitFor(() => expect(family.flatMap(familyOf)).toEqual([]), patience);
  });
});
