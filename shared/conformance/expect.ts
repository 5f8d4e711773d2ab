/** What a case waits for that is no script. */
import { CloseCode } from '../protocol.ts';
import type { RawClient } from './client.ts';
import { Failed } from './model.ts';
import type { Heard } from './parser.ts';
import { endingOf } from './play.ts';
import type { Stage } from './stage.ts';
import {
  type Answer,
  close,
  matches,
  sameAnswer,
  sayAnswers,
  sayHeard,
  text,
  texted,
} from './vocabulary.ts';

/** Waits for an answer. Throws `Failed`, which names `where`, when something else comes. */
export async function hear(client: RawClient, wanted: Answer, where = ''): Promise<void> {
  expectSame(client, await client.next(), wanted, where);
}

/** Waits for several answers. Throws `Failed`, which names `where`, when others come. */
export async function hearAll(
  client: RawClient,
  wanted: readonly Answer[],
  where = '',
): Promise<void> {
  const came: Answer[] = [];
  for (const last of wanted) {
    const heard = await client.next();
    if (!('payload' in heard) || heard.type === 'close') expectSame(client, heard, last, where);
    else came.push(heard);
  }
  if (matches(came, wanted)) return;
  const instead = `${where}Instead of ${sayAnswers(wanted)} came ${sayAnswers(came)}.`;
  throw new Failed(instead, endingOf(client));
}

/** Throws `Failed`, which names `where`, when what was heard is not what was wanted. */
export function expectSame(client: RawClient, heard: Heard, wanted: Answer, where = ''): void {
  if (sameAnswer(heard, wanted)) return;
  const instead = `${where}Instead of ${sayAnswers([wanted])} came ${sayHeard(heard)}.`;
  throw new Failed(instead, endingOf(client));
}

/** Proves that the server serves somebody new. Throws `Failed` when it does not. */
export async function expectService(stage: Stage): Promise<void> {
  try {
    const other = await stage.open();
    await other.send([text('still there?')]);
    await hear(other, texted('still there?'));
    await other.send([close(CloseCode.NormalClosure)]);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    throw new Failed(`Afterwards a new client was not served. ${error.message}`);
  }
}
