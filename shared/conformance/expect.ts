/** What a case waits for that isn't a script. */
import { CloseCode } from '../protocol.ts';
import type { RawEndpoint } from './endpoint.ts';
import { Failed } from './model.ts';
import type { PeerEvent } from './parser.ts';
import { endingOf, sayUnasked } from './play.ts';
import type { Trial } from './trial.ts';
import {
  close,
  nameEvent,
  nameReplies,
  type Reply,
  sameReplies,
  sameReply,
  text,
  textReply,
} from './vocabulary.ts';

/** Waits for a reply. Throws `Failed`, which names `where`, when something else comes. */
export async function expectReply(endpoint: RawEndpoint, wanted: Reply, where = ''): Promise<void> {
  checkReply(endpoint, await endpoint.next(), wanted, where);
}

/** Waits for several replies. Throws `Failed`, which names `where`, when others come. */
export async function expectReplies(
  endpoint: RawEndpoint,
  wanted: readonly Reply[],
  where = '',
): Promise<void> {
  const came: Reply[] = [];
  for (const last of wanted) {
    const event = await endpoint.next();
    if (!('payload' in event) || event.type === 'close') checkReply(endpoint, event, last, where);
    else came.push(event);
  }
  if (sameReplies(came, wanted)) return;
  const happened = `${where}Instead of ${nameReplies(wanted)} came ${nameReplies(came)}.`;
  throw new Failed(happened, endingOf(endpoint));
}

/** Throws `Failed`, which names `where`, when an event is not the reply that was wanted. */
export function checkReply(
  endpoint: RawEndpoint,
  event: PeerEvent,
  wanted: Reply,
  where = '',
): void {
  if (sameReply(event, wanted)) return;
  const happened = `${where}Instead of ${nameReplies([wanted])} came ${nameEvent(event)}.`;
  const remark = wanted.type === 'pong' ? sayUnasked(endpoint) : '';
  throw new Failed(happened + remark, endingOf(endpoint));
}

/** Proves that the server serves somebody new. Throws `Failed` when it does not. */
export async function expectService(trial: Trial): Promise<void> {
  try {
    const other = await trial.open();
    await other.send([text('still there?')]);
    await expectReply(other, textReply('still there?'));
    await other.send([close(CloseCode.NormalClosure)]);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    throw new Failed(`Afterwards a new client was not served. ${error.message}`);
  }
}
