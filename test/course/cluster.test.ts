/** `npm run cluster`: that it loses nothing, sees when something is lost, and leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { BusDesk, DistantBus } from '../../shared/cluster/distant-bus.ts';
import { type ProgramName, requireProgram } from '../../shared/cluster/programs.ts';
import { compareWithSaid, compareWithStream } from '../../shared/cluster/proof.ts';
import { LESSONS, ROOT } from '../../shared/course/lessons.ts';
import { findBrowser } from '../../shared/drive/chromium.ts';
import { MemoryBus } from '../../solutions/09-production/production.ts';
import { Browser } from './browser.ts';
import { familyOf } from './family.ts';
import { ENV, LAUNCH, outcomeOf, type Sandbox, scriptOf, withSandbox } from './sandbox.ts';

/** How long anything may take before we say that it hangs, in milliseconds. */
const PATIENCE = { timeout: 60_000, interval: 50 };

/** A small trial. */
const SMALL = ['--clients', '3', '--messages', '30', '--for', '3'];

const RIGHT = /\n\nmissing: 0, twice: 0, out of order: 0\n$/;

const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

function cluster(words: readonly string[], env = ENV, cwd = ROOT): ChildProcess {
  const child = spawn(process.execPath, [LAUNCH, scriptOf('cluster'), ...words], {
    cwd,
    env,
  });
  started.add(child);
  return child.once('close', () => started.delete(child));
}

/** Starts to show the page. Resolves with its URL. */
async function show(
  words: readonly string[] = [],
  env = ENV,
  cwd = ROOT,
): Promise<{ child: ChildProcess; url: string }> {
  const child = cluster(['--solution', '--port', '0', ...words], env, cwd);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const url = await vi.waitFor(() => {
    const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? [];
    expect(found, output).toBeDefined();
    return found!;
  }, PATIENCE);
  return { child, url };
}

function isThere(name: ProgramName): boolean {
  try {
    return requireProgram(name) !== '';
  } catch {
    return false;
  }
}

describe('what is compared', () => {
  const entry = (n: number, user = 'a') => ({ id: `7-${n}`, user, cid: `${n}`, text: `text ${n}` });
  const [one, two, three, other] = [entry(1), entry(2), entry(3), entry(4, 'b')] as const;
  const all = [one, two, three, other];
  const right = { missing: 0, twice: 0, outOfOrder: 0 };

  test('is right when all is there, in order', () => {
    expect(compareWithSaid(all, all)).toEqual(right);
    // Nobody has promised an order of what two have said.
    expect(compareWithSaid(all, [other, one, two, three])).toEqual(right);
    expect(compareWithStream(all, all)).toEqual(right);
  });

  test.each([
    ['missing', [one, three, other], { ...right, missing: 1 }],
    ['there twice', [one, two, two, three, other], { ...right, twice: 1 }],
    ['there twice, later', [one, two, three, other, one], { ...right, twice: 1 }],
    ['in another order', [two, one, three, other], { ...right, outOfOrder: 1 }],
  ])('sees a message that is %s', (_, list, faults) => {
    expect(compareWithSaid(all, list)).toEqual(faults);
    expect(compareWithStream(all, list)).toEqual(faults);
  });

  test('sees that a client was shown another text under the same id', () => {
    const shown = [one, { ...two, text: 'text 3' }, three, other];
    expect(compareWithStream(all, shown).missing).toBe(1);
  });
});

describe('the bus of the parent', () => {
  test('is the same for a child, and a message goes there once', async () => {
    const bus = new MemoryBus();
    let deliveries = 0;
    const child: DistantBus = new DistantBus((message) => {
      if (message.type === 'question') void desk.answer(message.number, message.question);
    });
    const desk = new BusDesk(bus, (message) => {
      if (message.type === 'delivery') deliveries++;
      child.receive(JSON.parse(JSON.stringify(message)));
    });
    const tip = await child.tip('r');
    const heard: string[] = [];
    const leave = await child.subscribe('r', (entry) => heard.push(`1 ${entry?.text}`));
    const leaveToo = await child.subscribe('r', (entry) => heard.push(`2 ${entry?.text}`));
    const id = await child.publish('r', { user: 'u', cid: 'c', text: 'Hello' });
    expect([heard, deliveries]).toEqual([['1 Hello', '2 Hello'], 1]);
    expect(await child.after('r', tip, 9)).toEqual([{ user: 'u', cid: 'c', text: 'Hello', id }]);
    expect(await child.after('r', '1-1', 9)).toBeUndefined();
    leave();
    leaveToo();
    await new Promise(setImmediate); // The parent hears of it a little later.
    await child.publish('r', { user: 'u', cid: 'd', text: 'Nobody' });
    expect(deliveries).toBe(1);
    // Again: somebody comes when the last one has just gone.
    await child.subscribe('r', (entry) => heard.push(`3 ${entry?.text}`));
    await child.publish('r', { user: 'u', cid: 'e', text: 'Back' });
    expect(heard.at(-1)).toBe('3 Back');
  });

  test('says why when it fails', async () => {
    const desk = new BusDesk(
      { ...new MemoryBus(), tip: () => Promise.reject(new Error('No.')) } as never,
      (message) => child.receive(message),
    );
    const child: DistantBus = new DistantBus((message) => {
      if (message.type === 'question') void desk.answer(message.number, message.question);
    });
    await expect(child.tip('r')).rejects.toThrow('No.');
  });
});

describe.concurrent('npm run cluster', () => {
  test('loses nothing while processes are replaced and killed', async () => {
    const { code, output } = await outcomeOf(cluster(['--solution', ...SMALL]));
    expect(output).toMatch(RIGHT);
    expect(output).toMatch(/^in the history {3}30 messages;/m);
    expect(output).toMatch(/^shown {12}90 messages to 3 clients$/m);
    expect(output.match(/^Every process was replaced, one after the other\.$/gm)).toHaveLength(2);
    expect(output).toMatch(/^Process [ABC] was killed\.$/m);
    expect(code).toBe(0);
  });

  test.runIf(isThere('valkey'))('loses nothing when its engine is killed, too', async () => {
    const { code, output } = await outcomeOf(cluster(['--solution', '--valkey', ...SMALL]));
    expect(output).toMatch(RIGHT);
    expect(output).toMatch(/^The engine was killed\.$/m);
    expect(code).toBe(0);
  });

  test.runIf(isThere('valkey'))(
    'tells everybody of a gap when its engine has forgotten',
    async () => {
      const words = ['--solution', '--valkey', '--forgetful', ...SMALL];
      const { output } = await outcomeOf(cluster(words));
      expect(output).toMatch(/^in the history {3}forgotten$/m);
      expect(output).toMatch(/^gaps told {8}[1-9]\d*; .* not told: 0$/m);
    },
  );

  for (const name of ['haproxy', 'nginx'] as const) {
    test.runIf(isThere(name))(`loses nothing behind ${name}`, async () => {
      const { code, output } = await outcomeOf(cluster(['--solution', `--${name}`, ...SMALL]));
      expect(output).toMatch(RIGHT);
      expect(code).toBe(0);
    });
  }

  test('sees that a client was not shown what it has missed', () =>
    withSandbox(async (sandbox) => {
      forget(sandbox);
      const { code, output } = await sandbox.run('cluster', '--solution', ...SMALL);
      expect(output).toMatch(/\n\nmissing: [1-9]\d*, twice: 0, out of order: 0\n$/);
      expect(code).toBe(1);
    }));

  test('has your lesson at work when it passes', () =>
    withSandbox(async (sandbox) => {
      sandbox.solve(...LESSONS.map(({ number }) => number));
      const path = 'lessons/09-production/production.ts';
      sandbox.write(path, `${sandbox.read(path)}\nconsole.log('The ninth is mine.');\n`);
      const { code, output } = await sandbox.run('cluster', ...SMALL);
      expect(output).toContain('Three processes with your lesson 09 are ready.');
      expect(output).toContain('The ninth is mine.');
      expect(code, output).toBe(0);
    }));

  test('says in one line what it cannot do', async () => {
    for (const [words, message] of [
      ['--clients 3 --every 20', '--clients and --every do not go together.'],
      ['--port 1 --for 3', '--for and --port do not go together.'],
      ['--forgetful', '--forgetful is about an engine. Add --valkey.'],
      ['--haproxy --nginx', '--haproxy and --nginx do not go together.'],
      ['--clients 0', '--clients has to be a whole number from 1 to 1000, not "0".'],
      ['--messages x', '--messages has to be a whole number from 1 to 1000000, not "x".'],
      ['--for 1.5', '--for has to be a whole number from 1 to 3600, not "1.5".'],
      ['--every 1', '--every has to be a whole number from 5 to 3600, not "1".'],
      ['--port 65536', '--port has to be a whole number from 0 to 65535, not "65536".'],
    ] as const) {
      const { code, output } = await outcomeOf(cluster(['--solution', ...words.split(' ')]));
      expect([code, output]).toEqual([2, `✗ ${message}\n`]);
    }
  });

  test('says in one line which program is missing', async () => {
    const words = ['--solution', '--valkey', ...SMALL];
    const { code, output } = await outcomeOf(cluster(words, { ...ENV, PATH: '/nowhere' }));
    expect(output).toBe(
      '✗ There is no valkey-server and no redis-server here. On Debian: apt-get install -y redis-server\n',
    );
    expect(code).toBe(1);
  });

  test('does what its own page asks for, and nobody else', async () => {
    const { child, url } = await show();
    const ask = (headers: Record<string, string>, method = 'POST', path = '/kill') =>
      new Promise<number | undefined>((resolve, reject) => {
        request(`${url}${path}`, { method, headers }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });
    const pids = async () => {
      const { members } = (await (await fetch(`${url}/state`)).json()) as {
        members: { pid: number; state: string }[];
      };
      return members.map(({ pid }) => pid);
    };
    const before = await pids();
    expect(before).toHaveLength(3);
    expect(await ask({})).toBe(403);
    expect(await ask({ origin: 'http://example.com' })).toBe(403);
    expect(await ask({ origin: url, host: 'example.com' })).toBe(421);
    expect(await ask({ origin: url }, 'POST', '/toString')).toBe(405);
    expect(await ask({}, 'GET', '/../package.json')).toBe(404);
    expect(await pids()).toEqual(before);
    expect(await ask({ origin: url })).toBe(202);
    await vi.waitFor(async () => expect(await pids()).not.toEqual(before), PATIENCE);
    child.kill('SIGTERM');
  });

  test.runIf(findBrowser())('shows a client that comes back, and a flood that waits', async () => {
    const { child, url } = await show();
    const browser = await Browser.start(findBrowser()!);
    try {
      const page = await browser.open(url);
      const text = (id: string) => `document.querySelector('#${id}').textContent`;
      await page.until(`Number(${text('shown')}) > 3`);
      await page.click('#drop');
      expect(await page.until(`/resumed.*/.exec(${text('resumed')})?.[0]`)).toMatch(
        /^resumed, \d+ replayed$/,
      );
      expect(await page.evaluate(text('reconnects'))).toBe('1');
      await page.until(`/^[ABC], process \\d+$/.test(${text('process')})`);
      await page.type('#text', 'I am back.');
      await page.press('Enter');
      await page.until(`${text('messages')}.includes('I am back.')`);
      await page.click('#flood');
      await page.until(`${text('messages')}.includes('flood 300 of 300') || ${text('final')}`);
      expect(await page.evaluate(text('final'))).toBe('');
      expect(await page.evaluate(`${text('missing')} + ${text('wrong')}`)).toBe('00');
      expect(page.complaints).toEqual([]);
    } finally {
      await browser.close();
      child.kill('SIGTERM');
    }
  });

  test.runIf(findBrowser())('shows that something is missing', () =>
    withSandbox(async (sandbox) => {
      forget(sandbox);
      const { child, url } = await show([], ENV, sandbox.folder);
      const browser = await Browser.start(findBrowser()!);
      try {
        const page = await browser.open(url);
        await page.until(`Number(document.querySelector('#shown').textContent) > 3`);
        await page.click('#drop');
        await page.until(`Number(document.querySelector('#missing').textContent) > 0`);
      } finally {
        await browser.close();
        child.kill('SIGTERM');
      }
    }),
  );
});

/** Leaves out of the reference what sends a client the messages that it has missed. */
function forget(sandbox: Sandbox): void {
  const path = 'solutions/09-production/production.ts';
  const replay = 'for (const entry of page ?? []) if (!this.#isFull) this.#deliver(entry);';
  expect(sandbox.read(path)).toContain(replay);
  const nothing = 'for (const entry of page ?? []) this.#cursor = entry.id;';
  sandbox.write(path, sandbox.read(path).replace(replay, nothing));
}

describe.skipIf(process.platform === 'win32')('of npm run cluster, nothing is left', () => {
  const real = (['valkey', 'haproxy', 'nginx'] as const).filter(isThere);
  const proxies = real.includes('haproxy') ? ['haproxy'] : [];
  const parts = [[], real.filter((name) => name === 'valkey' || proxies.includes(name))];

  test.each(
    parts.flatMap((names) =>
      (['SIGINT', 'SIGTERM', 'SIGKILL'] as const).map((signal) => [names, signal] as const),
    ),
  )('with %j, by %s', async (names, signal) => {
    const folder = mkdtempSync(join(tmpdir(), 'websocket-101-left-'));
    const words = names.map((name) => `--${name}`);
    const { child } = await show(words, { ...ENV, TMPDIR: folder });
    const family = familyOf(child.pid as number);
    expect(family.length).toBeGreaterThan(3 + names.length);
    child.kill(signal);
    const left = () => family.flatMap(familyOf);
    try {
      await vi.waitFor(() => expect(left()).toEqual([]), PATIENCE);
      await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]), PATIENCE);
    } finally {
      for (const pid of left()) process.kill(pid, 'SIGKILL');
      rmSync(folder, { recursive: true });
    }
  });
});
