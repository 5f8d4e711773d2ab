/** An echo client on the library `ws`, which goes through all cases at the URL that it is given. */
import { WebSocket } from 'ws';

const [, , url = ''] = process.argv;

/** Connects, and sends back whatever comes. Returns the last message, when that has ended. */
function echo(path: string): Promise<string> {
  const socket = new WebSocket(url + path, { perMessageDeflate: false });
  let last = '';
  socket.on('message', (data, binary) => {
    last = data.toString();
    socket.send(data, { binary });
  });
  socket.on('error', () => {});
  return new Promise((resolve) => socket.on('close', () => resolve(last)));
}

const count = Number(await echo('/getCaseCount'));
for (let number = 1; number <= count; number++) await echo(`/runCase?case=${number}&agent=ws`);
await echo('/updateReports?agent=ws');
