/** What is said about compression in the opening handshake. RFC 7692 §7.1 */
import type { Agreed } from './deflate.ts';

/** One element of a Sec-WebSocket-Extensions. */
interface Element {
  readonly name: string;
  readonly params: readonly (readonly [name: string, value: string | undefined])[];
}

/** The parameters of permessage-deflate; absent are those that were not there. */
export interface DeflateParams {
  readonly server_no_context_takeover?: true;
  readonly client_no_context_takeover?: true;
  readonly server_max_window_bits?: number;
  /** `true`: without a value, which only an offer may have. */
  readonly client_max_window_bits?: number | true;
}

/** The name of the header. */
export const EXTENSIONS = 'Sec-WebSocket-Extensions';
/** The name of the extension. */
export const DEFLATE = 'permessage-deflate';

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const PARAMETER = new RegExp(
  `^[ \\t]*(${TOKEN})[ \\t]*(?:=[ \\t]*(?:(${TOKEN})|"((?:\\\\?[\\w!#$%&'*+.^\`|~-])+)")[ \\t]*)?$`,
);

/** Reads a list of extensions. `undefined`: it breaks the grammar. RFC 6455 §9.1 */
export function parseList(value: string): Element[] | undefined {
  const elements: Element[] = [];
  for (const text of value.split(',')) {
    if (text.trim() === '') continue;
    const params: (readonly [string, string | undefined])[] = [];
    for (const part of text.split(';')) {
      const [, name, token, quoted] = PARAMETER.exec(part) ?? [];
      if (name === undefined) return undefined;
      params.push([name, token ?? quoted?.replaceAll('\\', '')]);
    }
    const [first, ...others] = params;
    if (first === undefined || first[1] !== undefined) return undefined;
    elements.push({ name: first[0], params: others });
  }
  return elements.length === 0 ? undefined : elements;
}

/** Reads the parameters of an element. Returns the rule that one breaks, if one does. */
function readParams({ params }: Element, isOffer: boolean): DeflateParams | string {
  const read: Record<string, number | true> = {};
  for (const [name, value] of params) {
    const said = value === undefined ? name : `${name}=${value}`;
    if (!/^(server|client)_(no_context_takeover|max_window_bits)$/.test(name)) {
      return `there is no parameter ${name} (RFC 7692 §7.1)`;
    }
    if (name in read) return `${name} is there twice (RFC 7692 §7.1)`;
    const isHint = isOffer && name === 'client_max_window_bits' && value === undefined;
    const hasBits = name.endsWith('bits') && !isHint;
    const isRight = hasBits ? /^([89]|1[0-5])$/.test(value ?? '') : value === undefined;
    if (!isRight) return `the value of ${said} cannot be (RFC 7692 §7.1)`;
    read[name] = hasBits ? Number(value) : true;
  }
  return read;
}

/** The elements of an offer that are right ones for permessage-deflate, the most wanted first. */
export function readOffers(values: readonly string[]): DeflateParams[] {
  const elements = parseList(values.join()) ?? [];
  return elements
    .filter(({ name }) => name === DEFLATE)
    .map((element) => readParams(element, true))
    .filter((params) => typeof params !== 'string');
}

/** Reads the answer to offers. Returns the rule that it breaks, if it breaks one. */
export function readAnswer(
  values: readonly string[],
  offers: readonly DeflateParams[],
): DeflateParams | string {
  const elements = parseList(values.join());
  if (!elements) return 'it is not a list of extensions (RFC 6455 §9.1)';
  const [element, ...others] = elements;
  if (others.length > 0) return 'it has more than one element (RFC 6455 §9.1)';
  if (element?.name !== DEFLATE) return `the extension "${element?.name}" was not offered (§9.1)`;
  const answer = readParams(element, false);
  if (typeof answer === 'string') return answer;
  const misfits = offers.map((offer) => misfit(answer, offer));
  return misfits.includes(undefined)
    ? answer
    : (misfits[0] ?? 'no offer is one that can be agreed on (RFC 7692 §7.1)');
}

/** Names what an answer must not be to an offer. `undefined`: it fits. RFC 7692 §7.1 */
function misfit(answer: DeflateParams, offer: DeflateParams): string | undefined {
  if (offer.server_no_context_takeover && !answer.server_no_context_takeover) {
    return 'server_no_context_takeover was offered, and is not in it (RFC 7692 §7.1.1.1)';
  }
  const { server_max_window_bits: own = 15 } = answer;
  if (own > (offer.server_max_window_bits ?? 15)) {
    return `server_max_window_bits=${offer.server_max_window_bits} was offered, and it does not keep to it (RFC 7692 §7.1.2.1)`;
  }
  const { client_max_window_bits: bits } = answer;
  if (bits === undefined) return undefined;
  if (offer.client_max_window_bits === undefined) {
    return 'client_max_window_bits was not offered (RFC 7692 §7.1.2.2)';
  }
  return Number(bits) > bitsOf(offer.client_max_window_bits)
    ? 'client_max_window_bits is more than was offered (RFC 7692 §7.1.2.2)'
    : undefined;
}

const bitsOf = (bits: number | true = 15) => (bits === true ? 15 : bits);

/** Says what a client does, and what a server, after this answer to these offers. */
export function agreedOn(
  answer: DeflateParams,
  offers: readonly DeflateParams[],
): { readonly client: Agreed['ours']; readonly server: Agreed['ours'] } {
  // Who offers to forget its window does so, whatever the answer. RFC 7692 §7.1.1.2
  const isPromised = offers.some((offer) => offer.client_no_context_takeover);
  return {
    client: {
      takeover: !answer.client_no_context_takeover && !isPromised,
      bits: bitsOf(answer.client_max_window_bits),
    },
    server: {
      takeover: !answer.server_no_context_takeover,
      bits: answer.server_max_window_bits ?? 15,
    },
  };
}

/** Writes an answer that fits an offer, and has these parameters besides. */
export function answerTo(offer: DeflateParams, wanted: DeflateParams): string {
  const { server_max_window_bits: most } = offer;
  const { server_max_window_bits: bits = most } = wanted;
  const params = {
    ...wanted,
    ...(offer.server_no_context_takeover && { server_no_context_takeover: true }),
    ...(bits !== undefined && { server_max_window_bits: Math.min(bits, most ?? 15) }),
  };
  const texts = Object.entries(params).map(([name, value]) =>
    value === true ? `; ${name}` : `; ${name}=${value}`,
  );
  return DEFLATE + texts.join('');
}
