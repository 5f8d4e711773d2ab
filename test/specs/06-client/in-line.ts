/** Step 7: one opening at a time. */
import { equal } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { Host } from '../../../shared/kit/host.ts';
import { giveWay } from '../../../shared/kit/patience.ts';
import { until } from '../../../shared/kit/peer.ts';
import { type Dialled, dial, fails, hears } from './dialling.ts';
import type { Scenarios } from './tools.ts';

const ONE = 'To one address and port, one connection at a time is being opened.';
const NEXT = 'When one is open or has ended, the next is opened.';

/** How long somebody who does not wait needs at most to connect, in milliseconds. */
const HASTE_MS = 10;

const callsOf = (dialled: readonly Dialled[]): Fact[] =>
  dialled.map(({ call: [label, value] }, i) => [i === 0 ? label : 'and then', value]);

/** Checks that so many have connected, and no more. */
async function countsOnly(host: Host, expected: number, dialled: readonly Dialled[], what: string) {
  const given = callsOf(dialled);
  const facts = (): Fact[] => [...given, ['connections', `${host.connections}`]];
  await until(() => host.connections >= expected, NEXT, facts);
  await giveWay(HASTE_MS);
  equal(() => host.connections, expected, what, { given, label: 'connections' });
}

/** Waits until somebody asks for a resource, and agrees. Others may have been there before. */
async function opensFor(resource: string, host: Host, dialled: readonly Dialled[], what: string) {
  const asked = () => host.guests.find(({ received }) => received.includes(`GET ${resource} `));
  await until(
    () => asked() !== undefined,
    what,
    () => callsOf(dialled),
  );
  await asked()?.agree();
}

export const IN_LINE: Scenarios = [
  {
    what: 'To one address and port, one connection at a time is being opened.',
    rules: [7, 8],
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = ['/1', '/2', '/3'].map((resource) => dial(lesson, host.url(resource)));
        for (let i = 1; i <= dialled.length; i++) {
          await countsOnly(host, i, dialled, ONE);
          // Who comes later waits as well, also when the line has become shorter.
          if (i === 2) dialled.push(dial(lesson, host.url('/4')));
          if (i === 2) await countsOnly(host, i, dialled, ONE);
          await host.open();
        }
        for (const one of dialled) await hears(one, ['open'], 'In the end, all of them are open.');
      }),
  },
  {
    what: 'One that comes when the second is being opened waits for that one.',
    rules: [7, 8],
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = ['/1', '/2'].map((resource) => dial(lesson, host.url(resource)));
        await host.open();
        await countsOnly(host, 2, dialled, ONE);
        dialled.push(dial(lesson, host.url('/3')));
        await countsOnly(host, 2, dialled, ONE);
        await host.open();
        await opensFor('/3', host, dialled, NEXT);
      }),
  },
  {
    what: 'A connection that was refused does not hold up the next.',
    rules: [8],
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = [dial(lesson, host.url('/1')), dial(lesson, host.url('/2'))];
        const first = await host.guest();
        await countsOnly(host, 1, dialled, ONE);
        first.write(Buffer.from('HTTP/1.1 403 Forbidden\r\n\r\n'));
        first.socket.end();
        await opensFor(
          '/2',
          host,
          dialled,
          'A connection that was refused does not hold up the next.',
        );
      }),
  },
  {
    what: 'A connection that is closed in line leaves it.',
    rules: [8],
    check: (lesson) =>
      Host.run(async (host) => {
        const [first, second, third] = ['/1', '/2', '/3'].map((resource) =>
          dial(lesson, host.url(resource)),
        ) as [Dialled, Dialled, Dialled];
        const guest = await host.guest();
        second.connection.close();
        await fails(second, 'A connection that is closed in line has failed.');
        await countsOnly(host, 1, [first, second, third], ONE);
        await guest.agree();
        await opensFor('/3', host, [first, second, third], 'The one behind it has its turn.');
        await hears(third, ['open'], 'The one behind it has its turn.');
        const what = 'A connection that was closed in line does not connect any more.';
        await countsOnly(host, 2, [first, second, third], what);
      }),
  },
  {
    what: 'A connection that is closed at once does not hold up the next.',
    rules: [8],
    check: (lesson) =>
      Host.run(async (host) => {
        // A name has to be looked up: that takes longer than to close.
        const first = dial(lesson, host.url('/1', 'localhost'));
        first.connection.close();
        const second = dial(lesson, host.url('/2', 'localhost'));
        await fails(first, 'A connection that is closed before it is open has failed.');
        const what = 'A connection that was closed at once does not hold up the next.';
        await opensFor('/2', host, [first, second], what);
        await hears(second, ['open'], what);
      }),
  },
  {
    what: 'Two ports do not wait for each other.',
    rules: [],
    check: (lesson) =>
      Host.run((silent) =>
        Host.run(async (host) => {
          const dialled = [dial(lesson, silent.url())];
          await silent.guest();
          dialled.push(dial(lesson, host.url()));
          const what = 'Two ports do not wait for each other.';
          await until(
            () => host.connections > 0,
            what,
            () => callsOf(dialled),
          );
        }),
      ),
  },
  {
    what: '`localhost` and 127.0.0.1 are one address.',
    rules: [7],
    check: (lesson) =>
      Host.run(async (host) => {
        const dialled = [dial(lesson, host.url('/', 'localhost'))];
        const guest = await host.guest('`localhost` leads to a server on 127.0.0.1.');
        dialled.push(dial(lesson, host.url()));
        await countsOnly(host, 1, dialled, 'Whatever it is called, one address is one place.');
        await guest.agree();
        await host.open();
      }),
  },
  {
    what: 'When the first is never answered, the next has its turn once the first has given up.',
    rules: [8],
    waits: true,
    check: (lesson) =>
      Host.run(async (host) => {
        const first = dial(lesson, host.url('/1'), { openTimeoutMs: 60 });
        const second = dial(lesson, host.url('/2'));
        await fails(first, 'A server that does not answer is given up.');
        await opensFor('/2', host, [first, second], NEXT);
        await hears(second, ['open'], NEXT);
      }),
  },
];
