/** A small echo client that keeps every rule, and breaks one when told to: what a suite is for. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { StartedClient } from '../../shared/conformance/client-run.ts';
import type { Agreed } from '../../shared/conformance/deflate.ts';
import {
  agreedOn,
  EXTENSIONS,
  readAnswer,
  readOffers,
} from '../../shared/conformance/extensions.ts';
import {
  acceptFor,
  encodeHead,
  type HttpHeaders,
  type HttpResponse,
  headEnd,
  parseResponse,
  tokensOf,
  upgradeRequest,
  valuesOf,
} from '../../shared/conformance/http.ts';
import { PeerFrames } from '../../shared/conformance/parser.ts';
import { utf8, wire } from '../../shared/kit/frames.ts';
import { Opcode } from '../../shared/protocol.ts';
import { type DeflateFault, Deflating, isDeflateFault } from './deflating.ts';
import { EchoEndpoint, type Fault } from './echo-endpoint.ts';

/** A mistake that clients make while they open a connection. */
export type OpeningFault =
  | 'posts'
  /** The query of the URL is left out. */
  | 'no-query'
  /** The Host header has no port. */
  | 'no-port'
  | 'no-upgrade'
  | 'no-connection'
  /** The key has 15 bytes. */
  | 'short-key'
  /** Every request has the same key. */
  | 'one-key'
  /** The key is made of letters. */
  | 'letters'
  | 'version-8'
  | 'bad-header'
  /** A subprotocol is there twice. */
  | 'protocol-twice'
  | 'bad-extensions'
  | 'announces-body'
  /** A frame does not wait for the answer. */
  | 'early-frame'
  /** Two connections open at a time. */
  | 'two-at-once'
  /** Of the answer, the status alone is looked at. */
  | 'status-only'
  /** The status is not looked at. */
  | 'any-status'
  /** Upgrade is compared letter by letter. */
  | 'upgrade-by-letter'
  /** Connection is compared as a whole. */
  | 'connection-as-a-whole'
  /** Upgrade may be anywhere in Connection. */
  | 'connection-by-part'
  | 'accept-unchecked'
  /** Sec-WebSocket-Accept is compared without looking at capitals. */
  | 'accept-in-any-case'
  /** White space behind a value belongs to it. */
  | 'untrimmed'
  /** More may follow the right value of Sec-WebSocket-Accept. */
  | 'accept-by-start'
  /** Whether an answer is a yes, is looked for in the text of its head. */
  | 'words-in-head'
  /** Interim responses do not count towards the length of the head. */
  | 'endless-interim'
  | 'takes-any-protocol'
  | 'takes-any-extension'
  /** The first read has to bring all of the head. */
  | 'head-is-read'
  /** What comes in the same read as the head is thrown away. */
  | 'drops-behind-head'
  /** An interim response is taken for the answer. */
  | 'no-interim'
  /** A head may be of any length. */
  | 'endless-head'
  /** After an answer that is no yes, TCP stays open. */
  | 'holds-on';

/** A mistake about the run itself. */
export type RunFault =
  /** It ends after each case, and knows nothing of others. */
  | 'once'
  /** It does not go on after the tenth connection. */
  | 'stops-at-10'
  /** It ends after the tenth connection. */
  | 'crashes-at-10'
  /** It ends before it has connected. */
  | 'no-start'
  /** It never connects. */
  | 'asleep'
  /** It asks again and again how many cases there are. */
  | 'asks-for-ever'
  /** It runs the first case again and again. */
  | 'begins-for-ever';

export type ClientFault = Fault | OpeningFault | RunFault;

const MAX_HEAD_BYTES = 16_384;
const OFFER = 'permessage-deflate; client_max_window_bits';

/** A client that runs in this process. Without a fault it is right in every case. */
export function startClient(url: string, fault?: ClientFault): StartedClient {
  const client = new EchoClient(url, fault);
  return { ended: client.run(), lastWords: '', stop: () => client.stop() };
}

class EchoClient {
  readonly #url: URL;
  readonly #fault: ClientFault | undefined;
  readonly #sockets = new Set<Socket>();
  #connections = 0;
  #isStopped = false;

  constructor(url: string, fault: ClientFault | undefined) {
    this.#url = new URL(url);
    this.#fault = fault;
  }

  /** Goes through all cases. Resolves with how it has ended. */
  async run(): Promise<string> {
    if (this.#fault === 'no-start') return 'with code 3';
    if (this.#fault === 'asleep') return new Promise(() => {});
    if (this.#fault === 'asks-for-ever') await this.#repeat('/getCaseCount');
    if (this.#fault === 'begins-for-ever') await this.#repeat('/runCase?case=1');
    if (this.#fault === 'once') await this.#visit('/');
    else {
      const count = Number(await this.#visit('/getCaseCount'));
      for (let number = 1; number <= count && !this.#isStopped; number++) {
        await this.#visit(`/runCase?case=${number}&agent=test`);
      }
      await this.#visit('/updateReports?agent=test');
    }
    return this.#fault === 'crashes-at-10' && this.#connections > 10
      ? 'with code 1'
      : 'with code 0';
  }

  async #repeat(path: string): Promise<void> {
    while (!this.#isStopped) await this.#visit(path);
  }

  stop(): void {
    this.#isStopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Opens a connection, and waits for its end. Returns what the suite has answered, if that was a question. */
  async #visit(path: string): Promise<string> {
    if (++this.#connections > 10 && this.#fault === 'stops-at-10') await new Promise(() => {});
    if (this.#connections > 10 && this.#fault === 'crashes-at-10') this.#isStopped = true;
    if (this.#isStopped) return '';
    const socket = connect({ port: this.#port, host: '127.0.0.1', allowHalfOpen: true });
    this.#sockets.add(socket.setNoDelay(true));
    return new Promise((resolve) => {
      const opening = new Opening(socket, this.#fault, this.#url.host, path);
      const another = this.#fault === 'two-at-once' ? connect(this.#port, '127.0.0.1') : undefined;
      another?.on('error', () => {});
      socket.on('data', (chunk: Buffer) => opening.push(chunk));
      socket.on('error', () => {});
      socket.on('end', () => {
        if (this.#fault !== 'never-ends-tcp') socket.end();
      });
      socket.on('close', () => {
        this.#sockets.delete(socket);
        another?.destroy();
        resolve(opening.answer);
      });
    });
  }

  get #port(): number {
    return Number(this.#url.port);
  }
}

const ONE_KEY = randomBytes(16).toString('base64');

/** The request of a client, and what it makes of the answer. */
class Opening {
  readonly #socket: Socket;
  readonly #fault: ClientFault | undefined;
  readonly #key: string;
  #head: Buffer = Buffer.alloc(0);
  /** How long the heads of interim responses were. */
  #interimBytes = 0;
  #endpoint: EchoEndpoint | undefined;
  /** Says whether this is no case, but a question to the suite. */
  readonly #isAsking: boolean;
  readonly #frames = new PeerFrames('server');
  /** What the suite has answered to the question. */
  answer = '';

  constructor(socket: Socket, fault: ClientFault | undefined, authority: string, path: string) {
    this.#socket = socket;
    this.#fault = fault;
    this.#isAsking = path === '/getCaseCount';
    this.#key = keyWith(fault);
    const request = upgradeRequest({ host: '', port: 0, path, authority }, this.#key);
    socket.write(
      encodeHead({
        line: lineWith(request.line, fault),
        headers: [
          ...headersWith(request.headers, fault),
          ...(isDeflateFault(fault) ? [[EXTENSIONS, OFFER] as const] : []),
        ],
      }),
    );
    if (fault === 'early-frame')
      socket.write(wire({ opcode: Opcode.Pong, payload: utf8('early') }));
  }

  push(chunk: Buffer): void {
    if (this.#endpoint) {
      this.#listen(chunk);
      return;
    }
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = headEnd(this.#head);
    if (end === undefined) {
      const isTooLong = this.#head.length > MAX_HEAD_BYTES && this.#fault !== 'endless-head';
      if (isTooLong || this.#fault === 'head-is-read') this.#refuse();
      return;
    }
    const rest = this.#head.subarray(end);
    const answer = parseResponse(this.#head.subarray(0, end));
    if (this.#isInterim(answer)) {
      this.#interimBytes += end;
      this.#head = Buffer.alloc(0);
      this.push(rest);
    } else if (typeof answer === 'string' || !this.#isYes(answer.status, answer.headers))
      this.#refuse();
    else {
      const fault = this.#fault as Fault;
      const agreed = this.#agree(answer.headers);
      const deflating = agreed && new Deflating(agreed, fault as DeflateFault);
      this.#endpoint = new EchoEndpoint(this.#socket, 'client', fault, deflating);
      if (this.#fault !== 'drops-behind-head') this.#listen(rest);
    }
  }

  #isInterim(answer: HttpResponse | string): boolean {
    if (typeof answer === 'string' || this.#fault === 'no-interim') return false;
    const isTooLong = this.#interimBytes > MAX_HEAD_BYTES && this.#fault !== 'endless-interim';
    return answer.status < 200 && answer.status !== 101 && !isTooLong;
  }

  #listen(bytes: Buffer): void {
    this.#endpoint?.push(bytes);
    if (!this.#isAsking) return;
    this.#frames.push(bytes);
    for (let message = this.#frames.read(); message; message = this.#frames.read()) {
      if (message.type === 'text') this.answer = Buffer.from(message.payload).toString();
    }
  }

  #refuse(): void {
    if (this.#fault !== 'holds-on') this.#socket.end();
  }

  #isYes(status: number, headers: HttpHeaders): boolean {
    const fault = this.#fault;
    if (fault === 'words-in-head') return this.#hasWords();
    if (status !== 101 && fault !== 'any-status') return false;
    if (fault === 'status-only') return true;
    const value = (name: string) => valuesOf(headers, name).join();
    const upgrade = value('Upgrade');
    const isUpgrade = fault === 'upgrade-by-letter' ? upgrade : upgrade.toLowerCase();
    const has = (name: string) => valuesOf(headers, name).length > 0;
    return (
      isUpgrade === 'websocket' &&
      this.#isConnection(headers) &&
      this.#isAccept(value('Sec-WebSocket-Accept')) &&
      (!has('Sec-WebSocket-Protocol') || fault === 'takes-any-protocol') &&
      (!has(EXTENSIONS) || fault === 'takes-any-extension' || this.#agree(headers) !== undefined)
    );
  }

  /** What the answer agrees on about compression. `undefined`: nothing that was offered. */
  #agree(headers: HttpHeaders): Agreed | undefined {
    const values = valuesOf(headers, EXTENSIONS);
    if (!isDeflateFault(this.#fault) || values.length === 0) return undefined;
    const offers = readOffers([OFFER]);
    const answer = readAnswer(values, offers);
    if (typeof answer === 'string' && this.#fault !== 'takes-any-answer') return undefined;
    const { client, server } = agreedOn(typeof answer === 'string' ? {} : answer, offers);
    return { ours: client, theirs: server };
  }

  #hasWords(): boolean {
    const head = this.#head.toString('latin1');
    const words = [' 101 ', 'upgrade: websocket', acceptFor(this.#key)];
    return words.every((it) => head.toLowerCase().includes(it.toLowerCase()));
  }

  #isConnection(headers: HttpHeaders): boolean {
    const whole = valuesOf(headers, 'Connection').join().toLowerCase();
    if (this.#fault === 'connection-as-a-whole') return whole === 'upgrade';
    if (this.#fault === 'connection-by-part') return whole.includes('upgrade');
    return tokensOf(headers, 'Connection').some((token) => token.toLowerCase() === 'upgrade');
  }

  #isAccept(value: string): boolean {
    const right = acceptFor(this.#key);
    switch (this.#fault) {
      case 'accept-unchecked':
        return true;
      case 'accept-in-any-case':
        return value.toLowerCase() === right.toLowerCase();
      case 'accept-by-start':
        return value.startsWith(right);
      case 'untrimmed':
        return /accept:\s*(\S*)\r\n/i.exec(this.#head.toString('latin1'))?.[1] === right;
      default:
        return value === right;
    }
  }
}

function keyWith(fault: ClientFault | undefined): string {
  if (fault === 'one-key') return ONE_KEY;
  if (fault === 'short-key') return randomBytes(15).toString('base64');
  if (fault === 'letters') return Buffer.from(randomBytes(8).toString('hex')).toString('base64');
  return randomBytes(16).toString('base64');
}

function lineWith(line: string, fault: ClientFault | undefined): string {
  if (fault === 'no-query') return line.replace(/\?\S*/, '');
  return fault === 'posts' ? line.replace('GET', 'POST') : line;
}

/** The headers that a fault takes away, changes or adds. */
function headersWith(headers: HttpHeaders, fault: ClientFault | undefined): HttpHeaders {
  const change: Partial<Record<ClientFault, readonly [name: string, value: string | undefined]>> = {
    'no-port': ['Host', '127.0.0.1'],
    'no-upgrade': ['Upgrade', undefined],
    'no-connection': ['Connection', 'keep-alive'],
    'version-8': ['Sec-WebSocket-Version', '8'],
    'bad-header': ['X Bad', '1'],
    'protocol-twice': ['Sec-WebSocket-Protocol', 'chat, chat'],
    'bad-extensions': ['Sec-WebSocket-Extensions', 'one two'],
    'announces-body': ['Content-Length', '0'],
  };
  const [name, value] = (fault && change[fault]) ?? [];
  if (name === undefined) return headers;
  const others = headers.filter(([other]) => other !== name);
  return value === undefined ? others : [...others, [name, value]];
}
