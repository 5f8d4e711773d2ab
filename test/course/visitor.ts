/** What a visitor of `npm run serve` does without a browser. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';

/** Opens a WebSocket as `ws` does, with the `Origin` of a page if there is one. */
export async function open(url: string, origin?: string): Promise<WebSocket> {
  const socket = new WebSocket(url.replace('http', 'ws'), origin ? { origin } : {});
  await once(socket, 'open');
  return socket;
}

/** The status of the answer to a request to switch. */
export async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
  const socket = new WebSocket(url.replace('http', 'ws'), { headers });
  socket.on('error', () => {});
  const answer = await Promise.race([
    once(socket, 'unexpected-response').then(([, { statusCode }]) => statusCode as number),
    once(socket, 'open').then(() => 101),
  ]);
  socket.terminate();
  return answer;
}

/** Asks for a file, as no browser would. */
export async function ask(
  url: string,
  method = 'GET',
  headers = {},
): Promise<[IncomingMessage, string]> {
  const sent = request(url, { method, headers, agent: false }).end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return [answer, text];
}
