/** Step 7: over TLS. */
import { equal, fail } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { Host, nameToldBy } from '../../../shared/kit/host.ts';
import { until } from '../../../shared/kit/peer.ts';
import {
  AUTHORITY,
  type Certificate,
  OF_ANOTHER,
  SIGNED_BY_ITSELF,
} from '../../vectors/certificates.ts';
import {
  comes,
  type Dialled,
  dial,
  factsOf,
  fails,
  opened,
  SECURE,
  TRUSTING,
  text,
} from './dialling.ts';
import type { Lesson, Scenarios } from './tools.ts';

/** The error that was told of a connection. */
function errorOf({ events }: Dialled): Error | undefined {
  const event = events.find(({ type }) => type === 'error');
  return event?.type === 'error' ? (event.error as Error) : undefined;
}

/** Checks that a client has nothing to say to a server with this certificate. */
function distrusts(lesson: Lesson, tls: Certificate, options: object, what: string) {
  return Host.run(
    async (host) => {
      const dialled = dial(lesson, host.url(), options);
      const said = () => host.guests.some(({ received }) => received.length > 0);
      await until(
        () => said() || dialled.types().includes('close'),
        what,
        () => [dialled.call],
      );
      if (!said()) {
        const connected = 'A client connects before it can see a certificate.';
        const given = [dialled.call];
        equal(() => host.connections > 0, true, connected, { given, label: 'has it connected?' });
        await fails(dialled, what);
        const error = errorOf(dialled);
        equal(() => error?.cause instanceof Error, true, 'The error of TLS is the `cause`.', {
          given: factsOf(dialled),
          label: 'is it an error?',
        });
        return;
      }
      const [line = ''] = `${host.guests[0]?.received}`.split('\r\n');
      fail(
        what,
        [dialled.call, ['the server got', show(line)]],
        'The request was sent, so the certificate was not checked, or not before.',
      );
    },
    { tls },
  );
}

/** Checks which name TLS is told. */
function tellsName(lesson: Lesson, host: string, expected: string | undefined, what: string) {
  return Host.run(async (server) => {
    const dialled = dial(lesson, server.url('/', host), TRUSTING);
    const guest = await comes(server, dialled, what);
    equal(() => nameToldBy(guest), expected, what, { given: [dialled.call], label: 'the name' });
    await guest.asked('The request travels inside TLS.');
  }, SECURE);
}

export const OVER_TLS: Scenarios = [
  {
    what: 'For `wss:`, TLS comes first, and all the rest travels inside it.',
    rules: [11, 152],
    check: (lesson) =>
      opened(
        lesson,
        async ({ guest, connection }) => {
          guest.write(text('Hello'));
          connection.send('Hello');
          const what = 'All that follows the response travels inside TLS, too.';
          const { payload } = await guest.frame(what);
          equal(() => Buffer.from(payload).toString(), 'Hello', what, { label: 'the server got' });
        },
        // The one that is right is not the first.
        { ca: [SIGNED_BY_ITSELF.cert, AUTHORITY] },
        undefined,
        SECURE,
      ),
  },
  {
    what: 'TLS is told the name of the host.',
    rules: [12],
    check: (lesson) =>
      tellsName(lesson, 'localhost', 'localhost', 'TLS is told the name of the host.'),
  },
  {
    what: 'An address is not a name: TLS is told none.',
    rules: [],
    check: (lesson) =>
      tellsName(lesson, '127.0.0.1', undefined, 'An address is not a name: TLS is told none.'),
  },
  {
    what: 'A certificate by an authority that nobody trusts ends the attempt, before the request.',
    rules: [11],
    check: (lesson) =>
      distrusts(
        lesson,
        SIGNED_BY_ITSELF,
        {},
        'A certificate that is signed by itself ends the attempt, before the request.',
      ),
  },
  {
    what: 'A certificate for another name ends the attempt, before the request.',
    rules: [11],
    check: (lesson) =>
      distrusts(
        lesson,
        OF_ANOTHER,
        TRUSTING,
        'A certificate for another name ends the attempt, before the request.',
      ),
  },
];
