/** The conformance suite through a real haproxy and nginx: what differs is what lesson 09 says. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startInFront } from '../../shared/cluster/in-front.ts';
import { PROXIES, type ProxyName, requireProgram } from '../../shared/cluster/programs.ts';
import { CATEGORIES } from '../../shared/conformance/cases/index.ts';
import type { CaseResult } from '../../shared/conformance/model.ts';
import { HABITS } from '../../shared/conformance/proxies.ts';
import { runCase, runConformance } from '../../shared/conformance/run.ts';
import { selectCases } from '../../shared/conformance/select.ts';
import { parseTarget } from '../../shared/conformance/target.ts';
import { ROOT } from '../../shared/course/lessons.ts';
import { WebSocketServer } from '../../solutions/05-server/server.ts';
import { startServer } from './broken.ts';
import type { Fault } from './echo-endpoint.ts';
import { familyOf } from './family.ts';
import { ENV, LAUNCH, outcomeOf, scriptOf, withSandbox } from './sandbox.ts';

/** How long anything may take before we say that it hangs, in milliseconds. */
const PATIENCE = { timeout: 60_000, interval: 20 };

const TEXT = readFileSync(join(ROOT, 'lessons/09-production/README.md'), 'utf8');

const THERE = PROXIES.filter((name) => {
  try {
    return requireProgram(name) !== '';
  } catch {
    console.log(`There is no ${name} here: its tests are skipped.`);
    return false;
  }
});

/** Those that the text is about: another version may do something else. */
const MEASURED = THERE.filter((name) => {
  const { stdout, stderr } = spawnSync(requireProgram(name), ['-v'], { encoding: 'utf8' });
  const [version] = /\d+\.\d+/.exec(stdout + stderr) ?? [];
  const { version: measured } = HABITS[name]!;
  if (version === measured) return true;
  console.log(`This is ${name} ${version}, not ${measured}: what it does is not compared.`);
  return false;
});

/** The rows below the head of a table of the text, each as its cells. */
function rowsOf(head: string): string[][] {
  const [, table = ''] = TEXT.split(`\n${head}\n`);
  const [, ...rows] = /^(?:\|.*\n)+/.exec(table)?.[0].trimEnd().split('\n') ?? [];
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The cases that are not OK, those that are not strict with a `~`. */
function notOk(results: readonly CaseResult[]): string[] {
  return results
    .filter(({ verdict }) => verdict !== 'OK')
    .map(({ id, verdict }) => (verdict === 'FAILED' ? id : `${id}~`));
}

const conformance = (words: readonly string[], env = ENV): ChildProcess =>
  spawn(process.execPath, [LAUNCH, scriptOf('conformance'), ...words], { cwd: ROOT, env });

/** A server that is right, and what of each connection to it has been read. */
let server: Server;
let heard: string[][] = [];
let port = 0;
beforeAll(async () => {
  const echo = new WebSocketServer((connection, event) => {
    if (event.type === 'text' || event.type === 'binary') connection.send(event.data);
  });
  server = createServer((socket) => {
    const reads: string[] = [];
    heard.push(reads);
    socket.on('data', (bytes) => reads.push(bytes.toString('latin1')));
    echo.accept(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());

/** Connects. Returns what came of it. */
const knock = (to: number) =>
  new Promise<string | undefined>((resolve) => {
    const socket = connect(to, '127.0.0.1');
    socket.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code));
    socket.on('connect', () => resolve('connected')).on('connect', () => socket.destroy());
  });

/** Plays cases, one after the other. Returns what came of each, and the requests that reached the server. */
async function play(select: readonly string[], at = port) {
  const target = parseTarget(`ws://127.0.0.1:${at}/`);
  const played: { id: string; result: CaseResult; requests: string[][] }[] = [];
  for (const testCase of selectCases(select, CATEGORIES).flatMap(({ cases }) => cases)) {
    heard = [];
    const result = await runCase(target, testCase);
    played.push({ id: testCase.id, result, requests: heard.filter((reads) => reads.length > 0) });
  }
  return played;
}

describe('the table of what a proxy does itself', () => {
  const rows = rowsOf('| case | the request | haproxy | nginx |');

  test.each(PROXIES)('says what the command knows of %s', (name) => {
    const { answered, repaired } = HABITS[name]!;
    const told = (what: string) =>
      rows
        .filter((row) => row[2 + PROXIES.indexOf(name)] === what)
        .flatMap(([ids = '']) => ids.split(', '));
    expect(told('answered').sort()).toEqual([...answered].sort());
    expect(told('repaired').sort()).toEqual([...repaired].sort());
    expect(told('passed on').length + answered.length + repaired.length).toBe(
      rows.flatMap(([ids = '']) => ids.split(', ')).length,
    );
  });
});

describe.each(MEASURED)('through %s', (name) => {
  const { answered, repaired } = HABITS[name]!;
  let front: Awaited<ReturnType<typeof startInFront>>;
  beforeAll(async () => {
    front = await startInFront(name, port);
  });
  afterAll(() => front.stop());

  test('nobody listens any more once it was stopped', async () => {
    const another = await startInFront(name, port);
    await another.stop();
    expect(await knock(another.port)).toBe('ECONNREFUSED');
  });

  test('the verdicts differ that the text names', async () => {
    const verdicts = async (at: number) =>
      notOk((await play(['4', 'H', 'S', 'C'], at)).map(({ result }) => result));
    expect(await verdicts(port)).toEqual([]);
    const refused = name === 'nginx' ? ['H.26~'] : [];
    expect(await verdicts(front.port)).toEqual([...refused, ...repaired]);
  });

  test('the server sees nothing of what is answered, and all the rest', async () => {
    const unseen = async (at: number) =>
      (await play(['H'], at)).filter(({ requests }) => requests.length === 0).map(({ id }) => id);
    expect(await unseen(port)).toEqual([]);
    expect(await unseen(front.port)).toEqual(answered);
  });

  test.runIf(repaired.length > 0)(
    'the server sees a good request for what is repaired',
    async () => {
      for (const { requests } of await play(repaired, front.port)) {
        expect(requests).toEqual([[expect.stringMatching(/^GET \/ HTTP\/1\.1\r\n/)]]);
        expect(requests[0]?.[0]).toContain('\r\nConnection: upgrade\r\n');
      }
    },
  );

  test('a request in slices arrives in one, and frames behind it after the 101', async () => {
    const heads = async (at: number) =>
      (await play(['H.23', 'S.1', 'S.2'], at)).map(({ requests }) => requests[0]?.[0]);
    const isHead = (read = '') => read.startsWith('GET ') && read.endsWith('\r\n\r\n');
    expect((await heads(port)).map(isHead)).toEqual([false, false, false]);
    expect((await heads(front.port)).map(isHead)).toEqual([true, true, true]);
  });
});

describe('the table of what a proxy hides', () => {
  const FAULTS: readonly (readonly [Fault, readonly string[]])[] = [
    ['drops-glued', ['S.1', 'S.2', 'S.3']],
    ['resets-tcp', ['7.3.1', 'C.1']],
    ['dies-of-reset', ['R.1']],
    ['takes-any-key', ['H.42', 'H.43', 'H.44', 'H.45']],
  ];
  const rows = rowsOf('| a server that | without a proxy | haproxy | nginx |');
  const patience = { answerMs: 2_000, endMs: 2_000, pauseMs: 0 };

  test('has a row for each fault', () => expect(rows).toHaveLength(FAULTS.length));

  for (const [i, [fault, select]] of FAULTS.entries()) {
    for (const name of [undefined, ...MEASURED]) {
      test(`is right about ${fault}, ${name ?? 'directly'}`, async () => {
        const { url, stop } = await startServer(fault);
        const front = name && (await startInFront(name, Number(new URL(url).port)));
        try {
          const at = front ? `ws://127.0.0.1:${front.port}/` : url;
          const bad = notOk(await runConformance(at, { select, patience }));
          const said = rows[i]?.[name ? 2 + PROXIES.indexOf(name) : 1];
          expect(bad.join(', ') || 'nothing').toBe(said);
        } finally {
          await front?.stop();
          await stop();
        }
      });
    }
  }
});

describe.concurrent('npm run conformance -- --through', () => {
  beforeAll(() => {
    heard = [];
  });

  test.each(THERE)('%s says so, and what it is known to do', async (name) => {
    const { code, output } = await outcomeOf(
      conformance(['solutions/05', 'H.52', 'H.1', '--through', name]),
    );
    expect(output).toMatch(new RegExp(`^\nConformance of solutions/05 through ${name}\n`));
    const { version } = HABITS[name]!;
    expect(output).toContain(
      `\n${name} ${version} is known to answer H.52 without asking the server.\n`,
    );
    expect(output).toMatch(/\n2 OK, 0 NON-STRICT, 0 FAILED\n$/);
    expect(code).toBe(0);
  });

  test.each(THERE)('%s is in the JSON as well, and in front of a URL', async (name) => {
    const url = `ws://localhost:${port}/`;
    const { code, output } = await outcomeOf(
      conformance([url, 'S.1', 'H.1', '--json', '--through', name]),
    );
    expect(JSON.parse(output)).toMatchObject({ url, through: name, counts: { OK: 2 } });
    expect(code).toBe(0);
    // Each writes it in its own way.
    const mark = { haproxy: 'x-forwarded-for', nginx: 'X-Forwarded-For' }[name];
    expect(heard.flat().join('')).toContain(`\r\n${mark}: 127.0.0.1\r\n`);
  });

  test.runIf(THERE.includes('nginx'))('repeats it in a command to type', async () => {
    const { code, output } = await outcomeOf(
      conformance(['solutions/05', 'H', '--through', 'nginx']),
    );
    expect(output).toMatch(/npm run conformance solutions\/05 H\.39 -- --through nginx$/m);
    expect(output.replaceAll('\n', ' ')).toContain(
      `answer ${HABITS.nginx!.answered.join(' ')} without asking the server, ` +
        `and to repair ${HABITS.nginx!.repaired.join(' ')} before the server sees them.`,
    );
    expect(code).toBe(1);
  });

  const local = 'ws://127.0.0.1:1/';
  test.each([
    [
      ['--client', 'solutions/06', '--through', 'nginx'],
      '--client and --through do not go together.',
    ],
    [[local, '--through', 'apache'], '--through has to be haproxy or nginx, not "apache".'],
    [[local, '--through', ''], '--through has to be haproxy or nginx, not "".'],
  ])('%j is one clear line', async (words, message) => {
    const { code, output } = await outcomeOf(conformance(words));
    expect([code, output]).toEqual([2, `✗ ${message}\n`]);
  });

  test.runIf(THERE.length > 0).each([
    [
      'ws://192.0.2.1:80/',
      /^✗ --through is for a server at 127\.0\.0\.1, not at 192\.0\.2\.1\.\n$/,
    ],
    [local, /^✗ Nobody listens at 127\.0\.0\.1:1 .*\n$/],
    ['wss://127.0.0.1/', /^✗ The suite speaks ws:\/\/ only, .*\n$/],
  ])('%s is one clear line', async (url, message) => {
    const { code, output } = await outcomeOf(
      conformance([url, '--through', THERE[0] as ProxyName]),
    );
    expect(output).toMatch(message);
    expect(code).toBe(2);
  });

  test.each(PROXIES)('says in one line that there is no %s', (name) =>
    withSandbox(async (sandbox) => {
      const path = 'shared/cluster/programs.ts';
      const programs = sandbox.read(path);
      expect(programs).toContain(`names: ['${name}']`);
      sandbox.write(path, programs.replace(`names: ['${name}']`, `names: ['no-${name}']`));
      const { code, output } = await sandbox.run('conformance', local, '--through', name);
      expect(output).toBe(`✗ There is no no-${name} here. On Debian: apt-get install -y ${name}\n`);
      expect(code).toBe(2);
    }),
  );
});

describe.skipIf(process.platform === 'win32').each(THERE)('of a run through %s', (name) => {
  test.each(['SIGINT', 'SIGTERM', 'SIGKILL', 'its own end'] as const)(
    'nothing is left, by %s',
    async (end) => {
      const folder = mkdtempSync(join(tmpdir(), 'websocket-101-left-'));
      const cases = end === 'its own end' ? ['R', 'S'] : ['9'];
      const child = conformance(['solutions/05', ...cases, '--through', name], {
        ...ENV,
        TMPDIR: folder,
      });
      const ended = outcomeOf(child);
      // The command, the server, what keeps the proxy, and that: nginx has two processes.
      const size = name === 'nginx' ? 5 : 4;
      let family: number[] = [];
      const left = () => family.flatMap(familyOf);
      try {
        await vi.waitFor(() => {
          family = familyOf(child.pid as number);
          expect(family.length).toBeGreaterThanOrEqual(size);
        }, PATIENCE);
        if (end !== 'its own end') child.kill(end);
        const { code } = await ended;
        if (end === 'its own end') expect(code).toBe(0);
        await vi.waitFor(() => expect(left()).toEqual([]), PATIENCE);
        await vi.waitFor(() => expect(readdirSync(folder)).toEqual([]), PATIENCE);
      } finally {
        for (const pid of left()) process.kill(pid, 'SIGKILL');
        rmSync(folder, { recursive: true });
      }
    },
  );
});
