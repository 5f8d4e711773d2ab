/**
 * An echo client on a lesson 06 or 07, whose name is the first argument. It asks the server at the second
 * one how many cases there are, and runs them one after the other, as clients for Autobahn do.
 */
import type * as Client from '../../solutions/06-client/client.ts';
import type * as Compression from '../../solutions/07-compression/compression.ts';
import { fileOf, findTarget, importTarget } from '../course/lessons.ts';
import { endWithParent } from '../process/parent.ts';

endWithParent();
const [, , name = '', url = ''] = process.argv;
const target = findTarget(name);

// Of the places that an error came by, those in the lesson say more than ours.
process.on('uncaughtException', (error) => {
  const lines = `${error?.stack ?? error}`.split('\n');
  const isOurs = (line: string) => /^ +at /.test(line) && !line.includes(fileOf(target));
  console.error(lines.filter((line) => !isOurs(line)).join('\n'));
  process.exit(1);
});

const lesson: unknown = await importTarget(target);
const connect =
  target.lesson.number === '07'
    ? (lesson as typeof Compression).connectCompressing
    : (lesson as typeof Client).connect;

/** Connects, and sends back whatever comes. Returns the last message, when that has ended. */
function echo(resource: string): Promise<string | Uint8Array> {
  return new Promise((resolve) => {
    let last: string | Uint8Array = '';
    connect(`${url}${resource}`, {}, (connection, event) => {
      if (event.type === 'text' || event.type === 'binary') {
        last = event.data;
        connection.send(event.data);
      } else if (event.type === 'close') resolve(last);
    });
  });
}

const count = Number(await echo('/getCaseCount'));
for (let number = 1; number <= count; number++) {
  await echo(`/runCase?case=${number}&agent=websocket-101`);
}
await echo('/updateReports?agent=websocket-101');
process.exit(0);
