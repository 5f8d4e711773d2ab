/** Category H for clients: the request that opens a WebSocket. RFC 6455 §4.1 */
import { setTimeout as pause } from 'node:timers/promises';
import { preview } from '../../view/say.ts';
import { type Caption, type Case, type Category, LONG_MS } from '../case.ts';
import { type Complaint, loose, quoted, wrong } from '../complaint.ts';
import { tokensOf, valuesOf } from '../http.ts';
import { Failed, type Finding, worst } from '../model.ts';
import { finish } from '../script.ts';
import type { Visit } from '../visit.ts';

/** How long we say nothing where a client has to wait for us, in milliseconds. */
const SILENCE_MS = 300;

const TOKEN = "[\\w!#$%&'*+.^`|~-]+";
const TOKENS = new RegExp(`^${TOKEN}$`);
/** A list of extensions. RFC 6455 §9.1 */
const PARAMETER = `\\s*;\\s*${TOKEN}(?:\\s*=\\s*(?:${TOKEN}|"${TOKEN}"))?`;
const EXTENSION = `\\s*${TOKEN}(?:${PARAMETER})*\\s*`;
const EXTENSIONS = new RegExp(`^${EXTENSION}(?:,${EXTENSION})*$`);

/** Looks at one side of a request. `undefined`: nothing to complain about. */
type RequestRule = (visit: Visit) => Complaint | undefined;

const valuesIn = ({ headers }: Visit, name: string) => valuesOf(headers, name);

/** A method, a target with its query and without a fragment, and a version. */
const requestLine: RequestRule = ({ line }) => {
  const isRight = /^GET (?:\/|https?:\/\/)[^\s#]* HTTP\/1\.1$/.test(line);
  const hasQuery = !line.includes('/runCase') || line.includes('?case=');
  return isRight && hasQuery ? undefined : wrong(`the line is ${JSON.stringify(line)}`);
};

/** The address as it was given, with a port that is not the one of `ws:`. */
const host: RequestRule = (visit) => {
  const values = valuesIn(visit, 'Host');
  if (values.length === 1 && values[0] === visit.socket.localAuthority) return undefined;
  return wrong(`Host is ${quoted(values)}, and we are at "${visit.socket.localAuthority}"`);
};

/** A header that is a list with a certain token in it. */
const lists =
  (name: string, token: string): RequestRule =>
  (visit) => {
    const tokens = tokensOf(visit.headers, name).map((it) => it.toLowerCase());
    if (tokens.includes(token.toLowerCase())) return undefined;
    return wrong(`${name} is ${quoted(valuesIn(visit, name))}, without ${token}`);
  };

/** 16 bytes in base64. */
const key: RequestRule = (visit) => {
  const values = valuesIn(visit, 'Sec-WebSocket-Key');
  const isKey = values.length === 1 && /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(values[0] ?? '');
  return isKey
    ? undefined
    : wrong(`Sec-WebSocket-Key is ${quoted(values)}, not 16 bytes in base64`);
};

const version: RequestRule = (visit) => {
  const values = valuesIn(visit, 'Sec-WebSocket-Version');
  if (values.length === 1 && values[0] === '13') return undefined;
  return wrong(`Sec-WebSocket-Version is ${quoted(values)}, not "13"`);
};

const grammar: RequestRule = ({ problem }) => (problem ? wrong(problem) : undefined);

/** Tokens, each of them once. */
const subprotocols: RequestRule = (visit) => {
  const name = 'Sec-WebSocket-Protocol';
  const values = valuesIn(visit, name);
  const tokens = tokensOf(visit.headers, name);
  const isGood = tokens.every((it) => TOKENS.test(it)) && new Set(tokens).size === tokens.length;
  return isGood ? undefined : wrong(`${name} is ${quoted(values)}: not tokens, each of them once`);
};

const extensions: RequestRule = (visit) => {
  const name = 'Sec-WebSocket-Extensions';
  const values = valuesIn(visit, name);
  if (values.every((value) => EXTENSIONS.test(value))) return undefined;
  return wrong(`${name} is ${quoted(values)}, not a list of extensions`);
};

const noBody: RequestRule = (visit) => {
  const names = ['Content-Length', 'Transfer-Encoding'];
  const extra = names.find((name) => valuesIn(visit, name).length > 0);
  return extra ? loose(`${extra} announces a body, and a GET has none`) : undefined;
};

/** Another one each time. */
const freshKey: RequestRule = ({ key, history }) => {
  const count = history.requestKeys.filter((other) => other === key).length;
  return count > 1 ? wrong(`Sec-WebSocket-Key is one that was sent before: ${key}`) : undefined;
};

/** With so many keys, a bit that is always the same is hardly chance. */
const ENOUGH_KEYS = 12;
/** So many bits may be, with that few keys. */
const CHANCE_BITS = 4;

/** Random bytes: no bit of the 128 is the same in all keys. */
const randomKeys: RequestRule = ({ history }) => {
  const keys = history.requestKeys.map((it) => Buffer.from(it, 'base64'));
  if (keys.length < ENOUGH_KEYS) return undefined;
  const fixed = keys.reduce(
    (sum, it) => sum.map((bits, i) => bits & ~(it[i]! ^ keys[0]![i]!)),
    ONES,
  );
  const count = fixed.reduce((sum, bits) => sum + bits.toString(2).replaceAll('0', '').length, 0);
  if (count <= CHANCE_BITS) return undefined;
  return wrong(`of the 128 bits of a key, ${count} are the same in all ${keys.length} requests`);
};
const ONES: readonly number[] = new Array(16).fill(255);

/** A case that looks at the request, and then opens a WebSocket and closes it. */
function asks([id, title, section]: Caption, expected: string, rule: RequestRule): Case<Visit> {
  const run = async (visit: Visit): Promise<Finding> => {
    visit.noteRequest(true);
    const complaint = rule(visit);
    if (complaint) {
      const happened = `In the request, ${complaint.text}.`;
      return { verdict: complaint.verdict, ending: 'ours', happened };
    }
    return finish(await visit.open());
  };
  return { id, title, section, expected: `${expected} Then Close 1000 and the end of TCP.`, run };
}

const SILENCE: Case<Visit> = {
  id: 'H.12',
  title: `We say nothing for ${SILENCE_MS} ms`,
  section: '4.1',
  expected: 'Nothing behind the request until we have answered.',
  run: async (visit) => {
    visit.noteRequest(true);
    await pause(SILENCE_MS);
    const { early } = visit;
    if (early.length === 0) return finish(await visit.open());
    visit.socket.record.received('bytes', early);
    throw new Failed(`Before we had answered, the client sent ${preview(early, 24)}.`);
  },
};

/** A client that waits in line for a server would wait for ever for one that never answers. */
const ONE_AT_A_TIME: Case<Visit> = {
  id: 'H.13',
  title: `No other connection while we have not answered, for ${SILENCE_MS} ms`,
  section: '4.1',
  expected: 'One connection at a time to one address, until it is open.',
  run: async (visit) => {
    visit.noteRequest(false);
    const { history } = visit;
    const before = history.connections + 1 - history.opening;
    await pause(SILENCE_MS);
    const others = history.connections - before;
    const finding = await finish(await visit.open());
    if (others === 0) return finding;
    const happened = `Before we had answered, there were other connections: ${others}.`;
    return { ...finding, verdict: worst(finding.verdict, 'NON-STRICT'), happened };
  },
};

const NO_ANSWER: Case<Visit> = {
  id: 'H.15',
  title: 'We never answer',
  section: '4.1',
  long: true,
  expected: `The end of TCP, within ${LONG_MS / 1000} s.`,
  run: async (visit) => {
    visit.noteRequest(true);
    const began = performance.now();
    const hasEnded = await visit.socket.activity(LONG_MS);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (!hasEnded) {
      return {
        verdict: 'NON-STRICT',
        ending: 'open',
        happened: `It still waits after ${seconds} s.`,
      };
    }
    if (visit.early.length > 0) throw new Failed('The client sent something that is no request.');
    return { verdict: 'OK', ending: 'refused', happened: `The client gave up after ${seconds} s.` };
  },
};

export const REQUEST: Category<Visit> = {
  id: 'H',
  title: 'Opening handshake: the request',
  cases: [
    asks(['H.1', 'The request line', '4.1'], 'GET, what the URL names, and HTTP/1.1.', requestLine),
    asks(['H.2', 'Host', '4.1'], 'The address of the URL, with its port.', host),
    asks(['H.3', 'Upgrade', '4.1'], 'Among its values, websocket.', lists('Upgrade', 'websocket')),
    asks(
      ['H.4', 'Connection', '4.1'],
      'Among its values, Upgrade.',
      lists('Connection', 'Upgrade'),
    ),
    asks(['H.5', 'Sec-WebSocket-Key', '4.1'], '16 bytes in base64.', key),
    asks(['H.6', 'Sec-WebSocket-Version', '4.1'], 'The number 13.', version),
    asks(['H.7', 'Header lines', '4.1'], 'Names that are tokens, a colon, and values.', grammar),
    asks(['H.8', 'Subprotocols', '4.1'], 'None, or tokens that differ.', subprotocols),
    asks(['H.9', 'Extensions', '9.1'], 'None, or a list of them.', extensions),
    asks(['H.10', 'No body', '4.1'], 'No header that announces one.', noBody),
    asks(['H.11', 'Another key than before', '4.1'], 'A key that is new.', freshKey),
    SILENCE,
    ONE_AT_A_TIME,
    asks(['H.14', 'Keys of random bytes', '4.1'], 'No bit that is the same in all.', randomKeys),
    NO_ANSWER,
  ],
};
