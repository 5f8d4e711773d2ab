/** What `checkUpgrade` has to make of a request, told in the slow, obvious way. */
import { equal, refusesWith } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { quote } from '../../../shared/view/hex.ts';
import type * as Handshake from '../../../solutions/01-handshake/handshake.ts';
import { saysWhatIsRight, type UpgradeScenario } from './check-upgrade.ts';
import { BASE64_DIGITS, consistsOf, isToken, trimmed } from './reader.ts';
import { type Change, drawRequest, headOf, RFC_REQUEST } from './requests.ts';

/** The status for a request that breaks a rule, and how the rule is told. */
type Breach = readonly [status: number, told: string];

/** What is to be made of a request. */
interface Judgement {
  readonly breaches: readonly Breach[];
  /** What it asks for, where it breaks no rule. */
  readonly upgrade: Handshake.Upgrade;
  /** Nothing says which of two answers is the right one. */
  readonly isOpen: boolean;
}

/** Judges a request. */
export function judge({ method, version, target, headers }: Handshake.RequestHead): Judgement {
  const lines = (name: string) => headers.get(name) ?? [];
  const items = (name: string) =>
    lines(name).flatMap((line) => line.split(',').map((item) => trimmed(item)));
  const lists = (name: string, wanted: string) =>
    items(name).some((item) => item.toLowerCase() === wanted);

  const [protocolVersion, ...moreVersions] = lines('sec-websocket-version');
  const [key = '', ...moreKeys] = lines('sec-websocket-key');
  const [origin, ...moreOrigins] = lines('origin');
  const protocols = items('sec-websocket-protocol');
  const resource = resourceOf(target);
  const breaches: readonly (Breach | false)[] = [
    method !== 'GET' && [405, 'Refuse a method that is not `GET`, in capitals.'],
    ['HTTP/0.9', 'HTTP/1.0'].includes(version) && [400, 'Refuse HTTP before 1.1.'],
    resource === undefined && [400, 'Refuse a target that is neither a path nor an http URI.'],
    lines('host').length !== 1 && [400, 'Refuse a request that has not one Host.'],
    !lists('upgrade', 'websocket') && [400, 'Refuse an Upgrade that does not list `websocket`.'],
    !lists('connection', 'upgrade') && [400, 'Refuse a Connection that does not list `Upgrade`.'],
    moreVersions.length > 0 && [400, 'Refuse two versions of WebSocket.'],
    moreVersions.length === 0 &&
      protocolVersion !== '13' && [
        426,
        'Refuse a Sec-WebSocket-Version that is not `13`, character by character.',
      ],
    moreKeys.length > 0 && [400, 'Refuse two keys, even if they are the same.'],
    !isKey(key) && [400, 'Refuse a key that is not 22 base64 digits and `==`.'],
    moreOrigins.length > 0 && [400, 'Refuse two Origins, even if they are the same.'],
    protocols.some((name) => name !== '' && !isToken(name)) && [
      400,
      'Refuse a subprotocol that is not a token.',
    ],
    new Set(protocols).size < protocols.length && [
      400,
      'Refuse a subprotocol that is there twice.',
    ],
  ];
  return {
    breaches: breaches.filter((breach) => breach !== false),
    upgrade: { key, resource: resource ?? '', origin, protocols },
    // Is `13, 8` one version or two? An empty item may be skipped, or refused.
    isOpen: protocolVersion?.includes(',') === true || protocols.includes(''),
  };
}

function isKey(text: string): boolean {
  return text.length === 24 && consistsOf(text.slice(0, 22), BASE64_DIGITS) && text.endsWith('==');
}

/** The resource name of a target. `undefined`: it is neither a path nor an http URI. */
function resourceOf(target: string): string | undefined {
  if (target.startsWith('/')) return target;
  const scheme = ['http://', 'https://'].find((start) => target.toLowerCase().startsWith(start));
  if (scheme === undefined) return undefined;
  const rest = target.slice(scheme.length);
  let end = 0;
  while (end < rest.length && !'/?'.includes(rest.charAt(end))) end++;
  if (end === 0) return undefined;
  return rest.charAt(end) === '/' ? rest.slice(end) : `/${rest.slice(end)}`;
}

const ACCEPTS = 'Accept any request that keeps the rules, and read what it asks for as it is.';

/** What a step looks at in what an accepted request asks for. */
type Part = (upgrade: Handshake.Upgrade) => Partial<Handshake.Upgrade>;

/** Step 3 looks at the resource alone. */
export const RESOURCE: Part = ({ resource }) => ({ resource });

/** Step 4 looks at everything. */
export const EVERYTHING: Part = (upgrade) => upgrade;

/** Compares what the code makes of a request with what the judge does. */
export function compare(
  { checkUpgrade }: typeof Handshake,
  lines: readonly string[],
  part: Part,
): void {
  const head = headOf(lines);
  const { breaches, upgrade, isOpen } = judge(head);
  const [breach] = breaches;
  // With two rules broken, either may be found first.
  if (isOpen || breaches.some(([status]) => status !== breach?.[0])) return;
  const call = () => checkUpgrade(head);
  const about = {
    get given(): Fact[] {
      return [drawRequest(lines)];
    },
    cause: (returned: unknown) =>
      breach ? causeOfAccepting(returned, upgrade) : causeOf(returned, upgrade),
  };
  if (breach) {
    const [status, told] = breach;
    saysWhatIsRight(refusesWith(status, call, told, about), about);
  } else {
    equal(call, part(upgrade), ACCEPTS, about);
  }
}

/** Names what should not have been accepted. `undefined`: it is plain to see. */
function causeOfAccepting(returned: unknown, { key, protocols }: Handshake.Upgrade) {
  const digit = [...key.slice(0, 22)].find((character) => !BASE64_DIGITS.has(character));
  if (digit) return `${quote(digit)} is none of the 64 digits: A to Z, a to z, 0 to 9, + and /.`;
  const { protocols: mine = undefined } = (returned ?? {}) as Partial<Handshake.Upgrade>;
  const isTrimmed = String(mine) === String(protocols.map((name) => name.trim()));
  return isTrimmed && String(mine) !== String(protocols)
    ? 'A byte of the name is gone. White space in HTTP is spaces and tabs; the `trim` of JavaScript takes more, such as a0.'
    : undefined;
}

/** Names what is another text than that of the request. `undefined`: nothing, or all of it. */
function causeOf(returned: unknown, upgrade: Handshake.Upgrade): string | undefined {
  if (returned === null || typeof returned !== 'object') return undefined;
  const { resource, origin, protocols } = { ...upgrade, ...returned };
  if (resource !== upgrade.resource) {
    return 'The resource is path and query as they came: nothing is decoded, shortened or left out, and all that is added is a slash where there is no path.';
  }
  if (origin !== upgrade.origin) {
    return 'The Origin is what the header says, character by character, even if that is nothing. It is `undefined` where there is no such header.';
  }
  if (String(protocols) !== String(upgrade.protocols)) {
    return 'The subprotocols are the names as they came, in their order, and with their case.';
  }
  return undefined;
}

/** Tries each of these texts in one place of a request. */
export function eachOf(
  what: string,
  rules: readonly number[],
  part: Part,
  texts: readonly string[],
  change: (text: string) => Change,
): UpgradeScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const text of texts) compare(lesson, change(text)(RFC_REQUEST), part);
    },
  };
}
