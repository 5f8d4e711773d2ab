/** Cases about the opening handshake: how they ask, and how they look at the response. */
import type { Caption, Case } from './case.ts';
import { type Complaint, loose, quoted, wrong } from './complaint.ts';
import {
  acceptFor,
  encodeHead,
  type HttpHead,
  type HttpResponse,
  type TargetServer,
  tokensOf,
  upgradeRequest,
  valuesOf,
} from './http.ts';
import type { HttpClient } from './http-client.ts';
import { type Finding, type Verdict, worst } from './model.ts';
import { randomKey, type Trial } from './trial.ts';

/** What a client asked for, as far as the response has to fit it. */
interface Offer {
  readonly key: string;
  readonly protocols: readonly string[];
  /** Names of extensions. */
  readonly extensions: readonly string[];
}

/** Looks at one side of a 101. `undefined`: nothing to complain about. */
type ResponseRule = (response: HttpResponse, offer: Offer) => Complaint | undefined;

/** The status line is that of a 101, in HTTP/1.1. RFC 6455 §4.2.2 */
export const statusLineRule: ResponseRule = ({ line }) =>
  line.startsWith('HTTP/1.1 101 ')
    ? undefined
    : wrong(`the status line is ${JSON.stringify(line)}`);

/** Upgrade is `websocket`, in any case. RFC 6455 §4.2.2 */
export const upgradeRule: ResponseRule = ({ headers }) => {
  const values = valuesOf(headers, 'Upgrade');
  if (values.length === 1 && values[0]?.toLowerCase() === 'websocket') return undefined;
  return wrong(`Upgrade is ${quoted(values)}, not "websocket"`);
};

/** Connection is `Upgrade`; more tokens are not strict. RFC 6455 §4.2.2 */
export const connectionRule: ResponseRule = ({ headers }) => {
  const values = valuesOf(headers, 'Connection');
  const tokens = tokensOf(headers, 'Connection').map((token) => token.toLowerCase());
  if (!tokens.includes('upgrade')) return wrong(`Connection is ${quoted(values)}, not "Upgrade"`);
  return tokens.length > 1 ? loose(`Connection is ${quoted(values)}, not just Upgrade`) : undefined;
};

/** Sec-WebSocket-Accept fits the key. RFC 6455 §4.2.2 */
export const acceptRule: ResponseRule = ({ headers }, { key }) => {
  const values = valuesOf(headers, 'Sec-WebSocket-Accept');
  const right = acceptFor(key);
  if (values.length === 1 && values[0] === right) return undefined;
  return wrong(`Sec-WebSocket-Accept is ${quoted(values)}; for the key ${key} it is "${right}"`);
};

/** No extension that was not offered. RFC 6455 §9.1 */
export const extensionsRule: ResponseRule = ({ headers }, offer) => {
  const name = 'Sec-WebSocket-Extensions';
  const names = tokensOf(headers, name).map((token) => token.split(';')[0]?.trim() ?? '');
  if (valuesOf(headers, name).length > 1) return wrong(`${name} is there twice`);
  const extra = names.filter((extension) => !offer.extensions.includes(extension));
  return extra.length > 0 ? wrong(`the extension ${quoted(extra)} was not offered`) : undefined;
};

/** No subprotocol, or one of those offered. RFC 6455 §4.2.2 */
export const subprotocolRule: ResponseRule = ({ headers }, { protocols }) => {
  const values = valuesOf(headers, 'Sec-WebSocket-Protocol');
  if (values.length === 0) return undefined;
  const isOffered = values.length === 1 && protocols.includes(values[0] ?? '');
  return isOffered
    ? undefined
    : wrong(`Sec-WebSocket-Protocol is ${quoted(values)}, not one of those offered`);
};

/** Nothing twice that may be there once. RFC 6455 §11.3 */
export const onceRule: ResponseRule = ({ headers }) => {
  const names = ['Upgrade', 'Sec-WebSocket-Accept'];
  const twice = names.find((name) => valuesOf(headers, name).length > 1);
  return twice ? wrong(`${twice} is there more than once`) : undefined;
};

/** A 101 has no body, so nothing may say how long it is. RFC 9110 §8.6 */
export const noBodyRule: ResponseRule = ({ headers }) => {
  const names = ['Content-Length', 'Transfer-Encoding'];
  const extra = names.find((name) => valuesOf(headers, name).length > 0);
  return extra ? loose(`a 101 has no ${extra}`) : undefined;
};

/** Without any of these there is no WebSocket, whatever the client asked for besides. */
const ESSENTIAL = [statusLineRule, upgradeRule, acceptRule];
/** All that a 101 has to fulfil. */
export const EVERYTHING = [
  ...ESSENTIAL,
  connectionRule,
  extensionsRule,
  subprotocolRule,
  onceRule,
  noBodyRule,
];

/** How a request becomes another. */
export type RequestEdit = (request: HttpHead, target: TargetServer) => HttpHead;

/** How a request with a WebSocket in mind is written. */
export interface Manner {
  /** What the 101 has to fulfil; `ESSENTIAL` unless told otherwise. */
  readonly rules?: readonly ResponseRule[];
  /** Random unless told otherwise. */
  readonly keys?: readonly string[];
  readonly protocols?: readonly string[];
  readonly extensions?: readonly string[];
  /** Puts the request on the wire; in one write unless told otherwise. */
  readonly write?: (client: HttpClient, bytes: Uint8Array) => Promise<void> | void;
  /** To refuse the request is legal, and not what one expects. */
  readonly refusal?: 'NON-STRICT' | 'OK';
}

/** Puts a request on the wire as it is. */
const inOneWrite = (client: HttpClient, bytes: Uint8Array) => client.write(bytes);

/** A case in which the request is right, and has to be accepted. */
export function accepts(
  [id, title, section]: Caption,
  edit: RequestEdit = (request) => request,
  manner: Manner = {},
): Case<Trial> {
  const { keys = [randomKey()], refusal } = manner;
  const run = async (trial: Trial): Promise<Finding> => {
    const findings: Finding[] = [];
    for (const key of keys) findings.push(await openWith(trial, key, edit, manner));
    const bad = findings.find(({ verdict }) => verdict !== 'OK');
    return bad ?? findings[0]!;
  };
  const alternative = refusal === 'OK' ? ', or an honest HTTP error' : '';
  const expected = `A 101 that opens a WebSocket${alternative}.`;
  return { id, title, section, expected, run };
}

/** Opens a WebSocket with this key, and judges the response. */
export async function openWith(
  trial: Trial,
  key: string,
  edit: RequestEdit,
  manner: Manner,
): Promise<Finding> {
  const { rules = ESSENTIAL, protocols = [], extensions: offered = [], refusal } = manner;
  const client = await trial.connect();
  const request = edit(upgradeRequest(trial.target, key), trial.target);
  await (manner.write ?? inOneWrite)(client, encodeHead(request));
  const response = await client.response();
  if (response.status !== 101) {
    const verdict = refusal ?? 'FAILED';
    return { verdict, ending: 'refused', happened: `The server responded with ${response.line}.` };
  }
  const offer = { key, protocols, extensions: offered };
  const complaints = rules.flatMap((rule) => rule(response, offer) ?? []);
  if (complaints.length > 0) {
    const happened = `In the 101, ${complaints.map(({ text }) => text).join('; ')}.`;
    return {
      verdict: worst(...complaints.map(({ verdict }) => verdict)),
      ending: 'ours',
      happened,
    };
  }
  return { verdict: 'OK', ending: 'ours', happened: 'The server opened a WebSocket.' };
}

/** What a refusal may look like besides 4xx. */
interface Leniency {
  /** Other statuses that fit. */
  readonly statuses?: readonly number[];
  /** The request is good HTTP that asks for no WebSocket: any response but 101 is right. */
  readonly plain?: boolean;
  /** To let it pass is not strict, rather than wrong. */
  readonly passes?: Verdict;
  /** What else the response has to fulfil. */
  readonly rule?: (response: HttpResponse) => Complaint | undefined;
}

/** A case in which the request has to be refused, with an HTTP error. RFC 6455 §4.2.1, §4.4 */
export function refuses(
  [id, title, section]: Caption,
  edit: RequestEdit,
  leniency: Leniency = {},
): Case<Trial> {
  const run = async (trial: Trial): Promise<Finding> => {
    const client = await trial.connect();
    const request = edit(upgradeRequest(trial.target, randomKey()), trial.target);
    client.write(encodeHead(request));
    const response = await client.response();
    if (response.status === 101) {
      const happened = 'The server accepted it with 101.';
      return { verdict: leniency.passes ?? 'FAILED', ending: 'ours', happened };
    }
    const complaints = [
      judgeStatus(response.status, leniency),
      leniency.rule?.(response),
      await judgeBody(client, response),
    ].flatMap((complaint) => complaint ?? []);
    const objections = complaints.map(({ text }) => `, but ${text}`).join('');
    return {
      verdict: worst(...complaints.map(({ verdict }) => verdict)),
      ending: 'refused',
      happened: `The server responded with ${response.line}${objections}.`,
    };
  };
  const expected = leniency.plain ? 'Anything but a 101.' : 'An HTTP error, such as 400.';
  return { id, title, section, expected, run };
}

function judgeStatus(status: number, { statuses = [], plain }: Leniency): Complaint | undefined {
  if ((status >= 400 && status < 500) || statuses.includes(status) || plain) return undefined;
  return loose(`${status} does not say that the request is wrong`);
}

/** A client has to know where the body ends: by Content-Length, its last chunk, or the end of TCP. */
async function judgeBody(
  client: HttpClient,
  { status, headers }: HttpResponse,
): Promise<Complaint | undefined> {
  if (status === 204 || status === 304) return undefined;
  const codings = valuesOf(headers, 'Transfer-Encoding').join().toLowerCase();
  const isChunked = codings.includes('chunked');
  const [length] = valuesOf(headers, 'Content-Length').map(Number);
  const hasLastChunk = (bytes: Uint8Array) =>
    Buffer.from(bytes).toString('latin1').endsWith('0\r\n\r\n');
  const { body, open } = await client.body((bytes) =>
    isChunked ? hasLastChunk(bytes) : length !== undefined && bytes.length >= length,
  );
  if (isChunked) return hasLastChunk(body) ? undefined : wrong('its chunks do not end');
  if (length === undefined) {
    return open ? wrong('neither Content-Length nor the end of TCP says where it ends') : undefined;
  }
  if (body.length === length) return undefined;
  return wrong(`its Content-Length is ${length}, and its body has ${body.length} bytes`);
}

/** A version refused has to come with those that are spoken. RFC 6455 §4.4 */
export const listsVersion13 = ({ headers }: HttpResponse): Complaint | undefined => {
  const name = 'Sec-WebSocket-Version';
  if (tokensOf(headers, name).includes('13')) return undefined;
  return loose(`${name} is ${quoted(valuesOf(headers, name))}; it has to list 13`);
};
