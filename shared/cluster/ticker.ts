/** Somebody who counts aloud, so that a page sees at once when a number is missing. */
import { type Address, Client, type ClientSide } from './client.ts';

/** How often a number is said, in milliseconds. */
const TICK_MS = 100;

/** Starts to count, in messages as the page understands them. Returns what ends it. */
export function startTicker(lesson: ClientSide, address: Address): () => void {
  const client = new Client(lesson, address, 'ticker');
  let n = 0;
  const timer = setInterval(() => {
    // What it has said is of no use to itself.
    client.shown.length = 0;
    // Without a connection for long, it would have too much to say at once.
    if (client.unacked < 20) {
      client.say(JSON.stringify({ n, at: Date.now(), text: 'tick' }));
      n++;
    }
  }, TICK_MS);
  return () => {
    clearInterval(timer);
    client.end();
  };
}
