/** How `chooseDeflate` is checked, and the slow, obvious way to do what it does. */
import { attempt, equal, fail } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import type { Choices } from '../../../shared/kit/generate.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { quote } from '../../../shared/view/hex.ts';
import type {
  Agreement,
  DeflateParams,
  DeflatePolicy,
  ExtensionItem,
} from '../../../solutions/07-compression/compression.ts';
import { extensionsOf, readExtensions } from './extensions.ts';
import type { Lesson } from './tools.ts';

// ── What was answered ───────────────────────────────────────────────────────────────────────────

/** The parameters of a header with one element, in the order of the alphabet, each with its value. */
export function paramsIn(header: string): string[] {
  const [item] = extensionsOf(header);
  return item!.params
    .map(({ name, value }) => (value === undefined ? name : `${name}=${value}`))
    .sort();
}

/** What a header means that agrees on compression. */
export function agreedIn(header: string): DeflateParams {
  const params = new Map(extensionsOf(header)[0]!.params.map(({ name, value }) => [name, value]));
  return {
    serverNoContextTakeover: params.has('server_no_context_takeover'),
    clientNoContextTakeover: params.has('client_no_context_takeover'),
    serverMaxWindowBits: Number(params.get('server_max_window_bits') ?? 15),
    clientMaxWindowBits: Number(params.get('client_max_window_bits') ?? 15),
  };
}

/** Checks that a header has one element, permessage-deflate, with these parameters in any order. */
export function means(
  header: unknown,
  expected: string,
  what: string,
  cause: (params: readonly string[]) => string | undefined = () => undefined,
): void {
  const items = typeof header === 'string' ? readExtensions(header) : undefined;
  withGiven(
    () => [['you wrote', show(header)]],
    () => {
      if (items?.length !== 1 || items[0]?.name !== 'permessage-deflate') {
        fail(what, [['expected', 'one element, `permessage-deflate` and its parameters']]);
      }
      const params = paramsIn(header as string);
      equal(() => params, paramsIn(expected), what, {
        label: 'its parameters',
        cause: () => cause(params),
      });
    },
  );
}

/** Checks what is chosen among offers: a header in full. `undefined`: nothing. */
export function chooses(
  { chooseDeflate }: Lesson,
  offers: string,
  policy: DeflatePolicy,
  expected: string | undefined,
  what: string,
): void {
  const isDefault = Object.keys(policy).length === 0;
  const items = Object.freeze(readExtensions(offers) ?? []);
  const own = Object.freeze({ ...policy });
  const choose = () => (isDefault ? chooseDeflate(items) : chooseDeflate(items, own));
  const causeOfError = () => {
    // Those that can be changed make the difference.
    chooseDeflate([...items], { ...policy });
    return 'The offers and the policy are readonly: leave them as they are, and work on a copy.';
  };
  const given = (): Fact[] => [
    ['call', isDefault ? 'chooseDeflate(offers)' : `chooseDeflate(offers, ${show(policy)})`],
    ['offers', offers === '' ? '[]' : `parseExtensions(${quote(offers)})`],
  ];
  withGiven(given, () => {
    if (expected === undefined) {
      equal(choose, undefined, what, { causeOfError });
      return;
    }
    const agreement: Partial<Agreement> | undefined = attempt(choose, what, [], {
      expected: `an answer that means ${quote(expected)}`,
      causeOfError,
    });
    if (typeof agreement?.header !== 'string') {
      equal(() => agreement, { header: expected, params: agreedIn(expected) }, what);
      return;
    }
    const { header, params } = agreement;
    means(header, expected, what, (told) => mistakeIn(told, items));
    withGiven(
      () => [['your `header`', quote(header)]],
      () => equal(() => params, agreedIn(expected), what, { label: '`params`, in which' }),
    );
  });
}

/** Names the mistake behind parameters that are wrong. `undefined`: it is plain to see. */
function mistakeIn(params: readonly string[], offers: readonly ExtensionItem[]) {
  const isOffered = offers.some((offer) =>
    offer.params.some(({ name }) => name === 'client_max_window_bits'),
  );
  const bits = params.find((param) => param.startsWith('client_max_window_bits'));
  if (bits === 'client_max_window_bits') {
    return 'Only in an offer is `client_max_window_bits` without a value. An answer says how many.';
  }
  if (bits === 'client_max_window_bits=15' && isOffered) {
    return '15 bits are what the client has anyway: an answer says no more than it has to.';
  }
  return bits !== undefined && !isOffered
    ? 'A client that has not offered `client_max_window_bits` does not understand it, and fails the connection.'
    : undefined;
}

// ── What is to be chosen ────────────────────────────────────────────────────────────────────────

const BITS = ['8', '9', '10', '11', '12', '13', '14', '15'];

/** Which values each parameter of an offer can have. */
const VALUES = new Map<string, readonly (string | undefined)[]>([
  ['server_no_context_takeover', [undefined]],
  ['client_no_context_takeover', [undefined]],
  ['server_max_window_bits', BITS],
  ['client_max_window_bits', [undefined, ...BITS]],
]);

/** Whether an offer can be kept. */
export function canBeKept({ name, params }: ExtensionItem): boolean {
  const names = new Set(params.map((param) => param.name));
  const isGood = params.every((param) => VALUES.get(param.name)?.includes(param.value));
  return name === 'permessage-deflate' && names.size === params.length && isGood;
}

/** Answers the first offer that can be kept. `undefined`: there is none. */
export function slowChoice(
  offers: readonly ExtensionItem[],
  policy: DeflatePolicy,
): string | undefined {
  const offer = offers.find(canBeKept);
  if (!offer) return undefined;
  const offered = new Map(offer.params.map(({ name, value }) => [name, value]));
  const isForgetting = (name: string, wanted = false) => wanted || offered.has(name);
  const least = (name: string, wanted = 15) => Math.min(Number(offered.get(name) ?? 15), wanted);
  let answer = 'permessage-deflate';
  if (isForgetting('server_no_context_takeover', policy.serverNoContextTakeover)) {
    answer += '; server_no_context_takeover';
  }
  if (isForgetting('client_no_context_takeover', policy.clientNoContextTakeover)) {
    answer += '; client_no_context_takeover';
  }
  const serverBits = least('server_max_window_bits', policy.serverMaxWindowBits);
  if (serverBits < 15 || offered.has('server_max_window_bits')) {
    answer += `; server_max_window_bits=${serverBits}`;
  }
  const clientBits = least('client_max_window_bits', policy.clientMaxWindowBits);
  if (clientBits < 15 && offered.has('client_max_window_bits')) {
    answer += `; client_max_window_bits=${clientBits}`;
  }
  return answer;
}

// ── Drawn ───────────────────────────────────────────────────────────────────────────────────────

const EXTENSIONS = ['permessage-deflate', 'x-webkit-deflate-frame', 'Permessage-Deflate'];
const WRONG = ['foo', '__proto__', 'Server_No_Context_Takeover', 'server_no_context_takeover=1'];
const WRONG_BITS = ['7', '16', '010', '1e1', '0', '99', '1'];

/** Draws an element: most often one that can be kept. */
export function drawElement(choose: Choices): string {
  const name = choose.oneIn(6) ? choose.pick(EXTENSIONS) : 'permessage-deflate';
  const bits = () => choose.pick(choose.oneIn(12) ? WRONG_BITS : BITS);
  const drawn = [
    () => 'client_max_window_bits',
    () => `client_max_window_bits=${bits()}`,
    () => `server_max_window_bits=${bits()}`,
    () => 'server_no_context_takeover',
    () => 'client_no_context_takeover',
    () => choose.pick([...WRONG, 'server_max_window_bits']),
  ];
  const params = choose.list(3, () => drawn[choose.below(choose.oneIn(6) ? 6 : 5)]!());
  return [name, ...params].join('; ');
}

/** Draws offers: one, or a few. */
export function drawOffers(choose: Choices): string {
  return [drawElement(choose), ...choose.list(2, () => drawElement(choose))].join(', ');
}

/** Draws a policy: in most of its fields, nothing. */
export function drawPolicy(choose: Choices): DeflatePolicy {
  const maybe = <T>(key: keyof DeflateParams, draw: () => T) =>
    choose.oneIn(3) ? { [key]: draw() } : {};
  const bits = () => Number(choose.pick(BITS));
  return {
    ...maybe('serverNoContextTakeover', () => choose.below(2) === 0),
    ...maybe('clientNoContextTakeover', () => choose.below(2) === 0),
    ...maybe('serverMaxWindowBits', bits),
    ...maybe('clientMaxWindowBits', bits),
  };
}
