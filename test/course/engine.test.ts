/** The small engine that the checks of lesson 09 have: it does what a real one does. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type EngineConnection, StreamEngine } from '../../shared/kit/engine.ts';
import { MAX_ID } from '../../shared/kit/key-space.ts';
import { PUBLISH_SCRIPT, TIP_SCRIPT } from '../../solutions/09-production/production.ts';

/** Sends a command as somebody types it. */
const ask = (connection: EngineConnection, line: string) => connection.sendCommand(line.split(' '));

function start() {
  const engine = new StreamEngine();
  return { engine, a: engine.connect('a'), b: engine.connect('b') };
}

const publish = (connection: EngineConnection, cid: string, size = '1000') =>
  connection.sendCommand([
    'EVAL',
    PUBLISH_SCRIPT,
    '2',
    's',
    `said:${cid}`,
    'ann',
    cid,
    'Hello',
    '60',
    size,
  ] as const);

describe('streams', () => {
  test('ids go up, also within a millisecond, and when the clock is put back', async () => {
    const { engine, a } = start();
    const first = String(await ask(a, 'XADD s * n 1'));
    const [ms] = first.split('-');
    expect(first).toBe(`${ms}-0`);
    for (let i = 1; i <= 10; i++) expect(await ask(a, 'XADD s * n 1')).toBe(`${ms}-${i}`);
    engine.passes(-5000);
    expect(await ask(a, 'XADD s * n 1')).toBe(`${ms}-11`);
    engine.passes(5001);
    expect(await ask(a, 'XADD s * n 1')).toBe(`${Number(ms) + 1}-0`);
    await expect(ask(a, `XADD s ${first} n 1`)).rejects.toThrow('equal or smaller');
  });

  test('XRANGE and XREVRANGE have both ends, and as many as they are asked for', async () => {
    const { a } = start();
    for (const id of ['1-1', '1-9', '1-10', '2-0']) await ask(a, `XADD s ${id} n 1`);
    const ids = async (line: string) => ((await ask(a, line)) as [string][]).map(([id]) => id);
    expect(await ids('XRANGE s - +')).toEqual(['1-1', '1-9', '1-10', '2-0']);
    expect(await ids('XRANGE s 1-9 + COUNT 2')).toEqual(['1-9', '1-10']);
    expect(await ids('XRANGE s 1-2 1')).toEqual(['1-9', '1-10']);
    expect(await ids('XREVRANGE s + - COUNT 1')).toEqual(['2-0']);
    expect(await ids('XRANGE nobody - +')).toEqual([]);
    expect(await ask(a, 'XRANGE s 2-0 2-0')).toEqual([['2-0', ['n', '1']]]);
    expect(await ids(`XRANGE s ${MAX_ID} +`)).toEqual([]);
    for (const id of ['x', '1-', '18446744073709551616-0', '1-18446744073709551616']) {
      await expect(ask(a, `XRANGE s ${id} +`)).rejects.toThrow('Invalid stream ID');
    }
  });

  test('MAXLEN forgets all but so many; with ~ by the hundred', async () => {
    const { a } = start();
    for (let i = 0; i < 1050; i++) await ask(a, 'XADD rough MAXLEN ~ 100 * n 1');
    expect(await ask(a, 'XLEN rough')).toBe(150);
    for (let i = 0; i < 20; i++) await ask(a, 'XADD exact MAXLEN 7 * n 1');
    expect(await ask(a, 'XLEN exact')).toBe(7);
  });

  test('XREAD reads behind an id, and of `$` only what comes', async () => {
    const { a } = start();
    for (const id of ['1-1', '1-9', '1-10']) await ask(a, `XADD s ${id} n 1`);
    expect(await ask(a, 'XREAD COUNT 1 STREAMS s 1-1')).toEqual([['s', [['1-9', ['n', '1']]]]]);
    expect(await ask(a, 'XREAD STREAMS s t 1-10 0')).toBeNull();
    expect(await ask(a, 'XREAD STREAMS s $')).toBeNull();
    await expect(ask(a, 'XREAD STREAMS s t 0')).rejects.toThrow('Unbalanced');
  });
});

describe('waiting', () => {
  test('XREAD BLOCK ends with an entry, when time is over, or when it is unblocked', async () => {
    const { engine, a, b } = start();
    const id = await ask(a, 'CLIENT ID');
    const first = ask(a, 'XREAD BLOCK 1000 STREAMS s t 0 0');
    await engine.settles();
    expect(a.isBlocked).toBe(true);
    expect(a.awaited).toEqual([
      ['s', '0-0'],
      ['t', '0-0'],
    ]);
    await ask(b, 'XADD t 1-1 n 1');
    expect(await first).toEqual([['t', [['1-1', ['n', '1']]]]]);
    const second = ask(a, 'XREAD BLOCK 1000 STREAMS s 0');
    await engine.settles();
    engine.passes(999);
    expect(a.isBlocked).toBe(true);
    engine.passes(1);
    expect(await second).toBeNull();
    const third = ask(a, 'XREAD BLOCK 0 STREAMS s 0');
    await engine.settles();
    engine.passes(1e9);
    expect(await ask(b, `CLIENT UNBLOCK ${id}`)).toBe(1);
    expect(await third).toBeNull();
    expect(await ask(b, `CLIENT UNBLOCK ${id}`)).toBe(0);
    await expect(ask(b, 'CLIENT UNBLOCK x')).rejects.toThrow('not an integer');
  });

  test('a connection that waits does nothing else, and another does', async () => {
    const { engine, a, b } = start();
    const read = ask(a, 'XREAD BLOCK 0 STREAMS s 0');
    let isDone = false;
    const ping = ask(a, 'PING').then(() => {
      isDone = true;
    });
    expect(await ask(b, 'PING')).toBe('PONG');
    await engine.settles();
    expect(isDone).toBe(false);
    await ask(b, 'XADD s * n 1');
    await Promise.all([read, ping]);
  });
});

describe('keys', () => {
  test('are forgotten in time', async () => {
    const { engine, a } = start();
    await ask(a, 'SET k v EX 10');
    await ask(a, 'XADD s * n 1');
    expect(await ask(a, 'EXPIRE s 20')).toBe(1);
    expect(await ask(a, 'EXPIRE nothing 20')).toBe(0);
    expect(await ask(a, 'SET k w NX')).toBeNull();
    engine.passes(9999);
    expect(await ask(a, 'GET k')).toBe('v');
    engine.passes(1);
    expect(await ask(a, 'GET k')).toBeNull();
    expect(engine.keys.names).toEqual(['s']);
    engine.passes(10_000);
    expect(engine.keys.names).toEqual([]);
    await ask(a, 'SET k v');
    await expect(ask(a, 'XADD k * n 1')).rejects.toThrow('WRONGTYPE');
    await expect(ask(a, 'EXPIRE k -1')).rejects.toThrow('expire');
    expect(await ask(a, 'DEL k nothing')).toBe(1);
  });
});

describe('scripts', () => {
  test('the two of lesson 09 are known, by their text', async () => {
    const { engine, a } = start();
    const tip = await a.sendCommand(['EVAL', TIP_SCRIPT, '1', 's', '60']);
    expect(await ask(a, 'XRANGE s - +')).toEqual([[tip, ['user', '']]]);
    const id = await publish(a, 'c');
    expect(await publish(a, 'c')).toBe(id);
    expect(await a.sendCommand(['EVAL', TIP_SCRIPT, '1', 's', '60'])).toBe(id);
    expect(await ask(a, 'XLEN s')).toBe(2);
    expect(await ask(a, `XRANGE s ${id} +`)).toEqual([
      [id, ['user', 'ann', 'cid', 'c', 'text', 'Hello']],
    ]);
    engine.passes(60_000);
    expect(engine.keys.names).toEqual([]);
    for (let i = 0; i < 250; i++) await publish(a, `c${i}`, '100');
    expect(await ask(a, 'XLEN s')).toBe(150);
  });

  test('any other is refused, and any other command', async () => {
    const { engine, a } = start();
    const other = ['EVAL', "return redis.call('GET', KEYS[1])", '1', 'k'];
    await expect(a.sendCommand(other)).rejects.toThrow('PUBLISH_SCRIPT and TIP_SCRIPT');
    await expect(ask(a, 'HSET k f v')).rejects.toThrow('does not know HSET');
    await expect(a.sendCommand(['EVAL', TIP_SCRIPT, '0', 's', '60'])).rejects.toThrow('1 key(s)');
    expect(engine.refused).toHaveLength(2);
    expect(engine.errors).toHaveLength(3);
    await expect(a.sendCommand(['SET', 'k', 1 as never])).rejects.toThrow(TypeError);
  });
});

describe('a connection', () => {
  test('that is cut rejects what it has sent, and comes back as another', async () => {
    const { engine, a, b } = start();
    const id = await ask(a, 'CLIENT ID');
    const read = ask(a, 'XREAD BLOCK 0 STREAMS s 0').catch(String);
    const add = ask(a, 'XADD s * n 1').catch(String);
    await engine.settles();
    a.cut();
    expect([await read, await add]).toEqual(Array(2).fill(expect.stringContaining('was lost')));
    expect(await ask(b, 'XLEN s')).toBe(0);
    expect(await ask(a, 'CLIENT ID')).not.toBe(id);
  });

  test('can lose a reply to what was carried out', async () => {
    const { a } = start();
    a.losesReplyTo('EVAL');
    await expect(publish(a, 'c')).rejects.toThrow('was lost');
    expect(await ask(a, 'XLEN s')).toBe(1);
    await publish(a, 'c');
    expect(await ask(a, 'XLEN s')).toBe(1);
  });

  test('can be held, in either direction', async () => {
    const { engine, a, b } = start();
    a.hold('commands');
    const adds = [ask(a, 'XADD s * n 1'), ask(a, 'XADD s * n 2')];
    await engine.settles();
    expect(await ask(b, 'XLEN s')).toBe(0);
    a.releaseOne();
    await adds[0];
    expect(await ask(b, 'XLEN s')).toBe(1);
    a.release();
    await adds[1];
    a.hold('replies');
    let isDone = false;
    const add = ask(a, 'XADD s * n 3').then(() => {
      isDone = true;
    });
    await engine.settles();
    expect([isDone, await ask(b, 'XLEN s')]).toEqual([false, 3]);
    a.release();
    await add;
    a.hold('replies');
    const lost = ask(a, 'XADD s * n 4').catch(String);
    await engine.settles();
    a.cut();
    expect(await lost).toContain('was lost');
    expect(await ask(b, 'XLEN s')).toBe(4);
  });
});

describe('an engine', () => {
  test('that goes rejects, and comes back with everything or with nothing', async () => {
    const { engine, a, b } = start();
    await ask(b, 'SET k v');
    b.isPatient = true;
    engine.goes();
    expect(engine.isUp).toBe(false);
    await expect(ask(a, 'PING')).rejects.toThrow('was lost');
    const get = ask(b, 'GET k');
    await nextTurn();
    engine.comesBack('everything');
    expect(await get).toBe('v');
    engine.goes();
    engine.comesBack('nothing');
    expect(await ask(a, 'GET k')).toBeNull();
    expect(await ask(a, 'CLIENT ID')).toBe(1);
  });

  test('tells what it was asked', async () => {
    const { engine, a } = start();
    const id = await publish(a, 'c');
    await ask(a, 'XRANGE s - +');
    await ask(a, 'GET nothing');
    expect(engine.facts().map(([, line]) => line)).toEqual([
      `a: EVAL publish 2 s said:c ann c Hello 60 1000 → ${id}`,
      `a: XRANGE s - + → ${id}`,
      'a: GET nothing → nil',
    ]);
    expect(engine.commands).toBe(3);
  });

  test('tells what happened between the commands, and the same line once', async () => {
    const { engine, a } = start();
    await publish(a, 'c');
    const waits = ask(a, 'XREAD BLOCK 1000 STREAMS s $');
    await nextTurn();
    engine.passes(1000);
    expect(await waits).toBeNull();
    engine.goes();
    await expect(ask(a, 'GET k')).rejects.toThrow('lost');
    await expect(ask(a, 'GET k')).rejects.toThrow('lost');
    engine.comesBack('nothing', 60_000);
    a.cut();
    expect(engine.facts().map(([, line]) => line)).toEqual([
      expect.stringMatching(/^a: EVAL publish/),
      'a: XREAD BLOCK 1000 STREAMS s $, and waits',
      '1000 ms pass',
      'a: its waiting ends with nil',
      'the engine goes away, and all connections are lost',
      'a: GET k → rejected, as the engine is away, 2 times',
      'the engine is back, with nothing it had, its clock 60000 ms later',
      'a loses its connection',
    ]);
  });

  test('complains of somebody who asks without end', async () => {
    const { engine, a } = start();
    let isOver = false;
    const loop = (async () => {
      while (!isOver) await ask(a, 'PING');
    })();
    await expect(engine.settles()).rejects.toThrow('when there is something to ask');
    isOver = true;
    await loop;
  });
});
