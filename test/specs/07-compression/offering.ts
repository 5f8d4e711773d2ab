/** Step 9: what a client offers, what it makes of the answer, and a client that compresses. */
import { attempt } from '../../../shared/harness/check.ts';
import { show } from '../../../shared/harness/show.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import type { DeflatePolicy } from '../../../solutions/07-compression/compression.ts';
import { ANSWERS, ANY_ANSWER } from './answers.ts';
import { means, paramsIn } from './chooser.ts';
import { CONNECTING } from './connecting.ts';
import { inFull, readExtensions } from './extensions.ts';
import { HOOKS_OF_CLIENT } from './hooks.ts';
import type { Scenarios } from './tools.ts';

/** A client with this policy offers this, or one of these. */
type Offer = readonly [policy: DeflatePolicy, ...offers: readonly [string, ...string[]]];

function offers(what: string, ...rows: readonly Offer[]): Scenarios[number] {
  return {
    what,
    rules: [140, 143, 144],
    check: ({ offerDeflate }) => {
      for (const [policy, ...free] of rows) {
        const isDefault = Object.keys(policy).length === 0;
        const call = isDefault ? 'offerDeflate()' : `offerDeflate(${show(policy)})`;
        const own = Object.freeze({ ...policy });
        const make = () => (isDefault ? offerDeflate() : offerDeflate(own));
        withGiven(
          () => [['call', call]],
          () => {
            const offer = attempt(make, what);
            const isMade = (one: string) => isSame(offer, inFull(one));
            means(offer, inFull(free.find(isMade) ?? free[0]), what);
          },
        );
      }
    },
  };
}

/** Says whether a header has the same parameters as another. */
function isSame(header: unknown, other: string): boolean {
  const isRead = typeof header === 'string' && readExtensions(header) !== undefined;
  return isRead && `${paramsIn(header)}` === `${paramsIn(other)}`;
}

const WANTED: Scenarios = [
  offers('Without a policy, offer that our window can be limited.', [{}, 'pmd; cmwb']),
  offers(
    'Offer what the policy wants of the server.',
    [{ serverNoContextTakeover: true }, 'pmd; snct; cmwb'],
    [{ serverMaxWindowBits: 10 }, 'pmd; smwb=10; cmwb'],
  ),
  offers(
    'Offer what the policy wants of ourselves.',
    [{ clientNoContextTakeover: true }, 'pmd; cnct; cmwb'],
    [{ clientMaxWindowBits: 9 }, 'pmd; cmwb=9'],
    [{ clientMaxWindowBits: 8 }, 'pmd; cmwb=8'],
  ),
  offers('Offer all of it at once.', [
    {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 8,
      clientMaxWindowBits: 12,
    },
    'pmd; snct; cnct; smwb=8; cmwb=12',
  ]),
  offers(
    'Offer that our window can be limited when it has 15 bits, too, with or without the number.',
    [{ clientMaxWindowBits: 15 }, 'pmd; cmwb', 'pmd; cmwb=15'],
  ),
  offers('Offer 15 bits for the server, or nothing of it: that limits nothing.', [
    { serverMaxWindowBits: 15 },
    'pmd; cmwb',
    'pmd; cmwb; smwb=15',
  ]),
  offers('A window that is kept is not mentioned.', [
    { serverNoContextTakeover: false, clientNoContextTakeover: false },
    'pmd; cmwb',
  ]),
];

export const OFFERING: Scenarios = [
  ...WANTED,
  ...ANSWERS,
  ...HOOKS_OF_CLIENT,
  ...CONNECTING,
  ANY_ANSWER,
];
