/** Step 1: the accept key. */
import { createHash } from 'node:crypto';
import { equal } from '../../../shared/harness/check.ts';
import type { Scenario } from '../../../shared/harness/spec.ts';
import { generated } from '../../../shared/kit/generate.ts';
import { GUID } from '../../../shared/protocol.ts';
import { quote } from '../../../shared/view/hex.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { ACCEPT_VECTORS, type AcceptVector, FINGERPRINTS } from '../../vectors/accept.ts';

const ANY_KEYS: Scenario<typeof Handshake> = {
  what: 'The accept value of any key, one after the other.',
  rules: [57],
  check: ({ acceptKey }) => {
    generated(20, (choose) => {
      const key = Buffer.from(choose.bytes(16)).toString('base64');
      const accept = createHash('sha1').update(`${key}${GUID}`).digest('base64');
      equal(() => acceptKey(key), accept, ANY_KEYS.what, { given: [['key', quote(key)]] });
    });
  },
};

export const ACCEPT_KEY: readonly Scenario<typeof Handshake>[] = [
  ...ACCEPT_VECTORS.map(accepts),
  ANY_KEYS,
];

function accepts({ source, key, accept }: AcceptVector): Scenario<typeof Handshake> {
  const what = `The accept value for this key is known: ${source}.`;
  return {
    what,
    rules: [57],
    check: ({ acceptKey }) => {
      equal(() => acceptKey(key), accept, what, { given: [['key', quote(key)]], cause: causeOf });
    },
  };
}

/** Names the mistake that leads to a wrong accept value. `undefined`: not known. */
function causeOf(actual: unknown): string | undefined {
  if (typeof actual !== 'string') return 'The accept value is a string.';
  const fingerprint = FINGERPRINTS[actual];
  if (fingerprint) return fingerprint;
  const other = ACCEPT_VECTORS.find(({ accept }) => accept === actual);
  if (other) return `That is the accept value of another key, ${quote(other.key)}.`;
  if (/\s/.test(actual)) return 'There is white space in it: a base64 helper may have wrapped it.';
  return actual.length === 28
    ? 'It has the right length, so it is the SHA-1 of something else: compare what you hash with the key and GUID, character by character.'
    : `It has ${actual.length} characters. The base64 of a SHA-1 has 28.`;
}
