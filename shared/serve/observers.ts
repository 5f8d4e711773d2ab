/** The pages that watch the wire of their own connection, and ask for what they want to see. */
import type { Connection, ConnectionEvent } from '../../solutions/05-server/server.ts';
import type { SendOptions } from '../protocol.ts';
import type { Part } from './parts.ts';
import type { WireEvent } from './wire-event.ts';

/** What the server writes into the Pings that a page asks for. */
const PING = new TextEncoder().encode('Are you there?');

/** A page at the other end of its link. */
export class Observer {
  readonly #link: Connection;
  #hasRoom = true;
  #dropped = 0;
  /** The connection that it watches. */
  #watched: Connection | undefined;
  /** Is a Ping to leave between two fragments of the next long message? */
  #wantsPingBetween = false;
  /** Does the page want what it sends to arrive in reads of one byte? */
  wantsCutReads = false;
  /** Does the page want what the server sends to be compressed, where that is agreed on? */
  #wantsCompression = true;

  /** Starts with the connection through which the page hears of another. */
  constructor(link: Connection) {
    this.#link = link;
  }

  /** Sends an event. While the page is slow, it's dropped and counted. */
  send(event: WireEvent): void {
    if (this.#hasRoom) this.#hasRoom = this.#link.send(JSON.stringify(event));
    else this.#dropped++;
  }

  /** Takes up sending again, as there is room. */
  drained(): void {
    this.#hasRoom = true;
    if (this.#dropped > 0) this.send({ kind: 'gap', time: Date.now(), count: this.#dropped });
    this.#dropped = 0;
  }

  /** Watches another connection from now on. */
  watch(connection: Connection): void {
    this.#watched = connection;
  }

  /** Does what the page asks for. */
  ask(wish: string): void {
    if (wish === 'ping') this.#watched?.ping(PING);
    if (wish === 'ping between fragments') {
      this.#wantsPingBetween = true;
      this.send({ kind: 'ping waits', time: Date.now() });
    }
    if (wish === 'reads of one byte') this.#cutReads(true);
    if (wish === 'reads as they arrive') this.#cutReads(false);
    if (wish === 'messages as they are') this.#compress(false);
    if (wish === 'compressed messages') this.#compress(true);
  }

  #compress(isOn: boolean): void {
    this.#wantsCompression = isOn;
    this.send({ kind: 'compressing', time: Date.now(), isOn });
  }

  /** How messages are to be sent to the connection that it watches. */
  get sendOptions(): SendOptions {
    // A long message has to stay one, or there are no fragments to put a Ping between.
    return { compress: this.#wantsCompression && !this.#wantsPingBetween };
  }

  #cutReads(areCut: boolean): void {
    this.wantsCutReads = areCut;
    this.send({ kind: 'reads', time: Date.now(), areCut });
  }

  /** A fragment that isn't the last one is about to leave. */
  fragmentLeaves(): void {
    if (this.#wantsPingBetween) this.#watched?.ping(PING);
    this.#wantsPingBetween = false;
  }
}

/** Knows who observes what. A page makes up an ID that nobody guesses, and uses it twice. */
export class Observers {
  readonly #byId = new Map<string, Observer>();
  readonly #ids = new Map<Connection, string>();
  readonly #byWatched = new WeakMap<Connection, Observer>();
  #parts: readonly Part[];

  /** Begins without a page. `parts` is what each of them hears first. */
  constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** Tells every page what is new about the lessons. */
  tell(parts: readonly Part[]): void {
    this.#parts = parts;
    for (const observer of this.#byId.values()) observer.send(this.#lessons());
  }

  #lessons(): WireEvent {
    return { kind: 'lessons', time: Date.now(), parts: this.#parts };
  }

  /** Handles the connections to `/wire?tap=ID`. */
  readonly handle = (connection: Connection, event: ConnectionEvent): void => {
    if (event.type === 'open') this.#add(connection, tapOf(event.upgrade.resource));
    const id = this.#ids.get(connection);
    const observer = this.#byId.get(id ?? '');
    if (id === undefined || observer === undefined) return;
    if (event.type === 'drain') observer.drained();
    if (event.type === 'text') observer.ask(event.data);
    if (event.type === 'close') {
      this.#byId.delete(id);
      this.#ids.delete(connection);
    }
  };

  #add(connection: Connection, id: string | undefined): void {
    if (id === undefined || this.#byId.has(id)) {
      connection.close(1008, 'A tap needs an ID of its own.');
      return;
    }
    const observer = new Observer(connection);
    this.#byId.set(id, observer);
    this.#ids.set(connection, id);
    observer.send(this.#lessons());
  }

  /** Lets the page that observes a connection know it: it may ask for a Ping. */
  watch(connection: Connection, resource: string): void {
    const observer = this.find(resource);
    if (!observer) return;
    observer.watch(connection);
    this.#byWatched.set(connection, observer);
  }

  /** How a page wants messages to be sent on the connection that it observes. */
  readonly sendOptionsFor = (connection: Connection): SendOptions =>
    this.#byWatched.get(connection)?.sendOptions ?? {};

  /**
   * Returns who observes a connection that asks for `resource`, such as `/echo?tap=ID`.
   * `undefined`: nobody does.
   */
  find(resource: string): Observer | undefined {
    return this.#byId.get(tapOf(resource) ?? '');
  }
}

const TAP = /[?&]tap=([\w-]{32,64})(?=&|$)/;
const COMPRESSION = /[?&]compression=(on|off)(?=&|$)/;

/** The ID in a path with query. `undefined`: it has none that is long enough to be a secret. */
function tapOf(resource: string): string | undefined {
  return TAP.exec(resource)?.[1];
}

/** Does a path with query ask for a connection with compression? `undefined`: it doesn't say. */
export function wantsCompression(resource: string): boolean | undefined {
  const wish = COMPRESSION.exec(resource)?.[1];
  return wish === undefined ? undefined : wish === 'on';
}

/** Takes out of a path with query what is an arrangement of ours, and not what one types. */
export function withoutTap(resource: string): string {
  return resource
    .replace(TAP, '')
    .replace(COMPRESSION, '')
    .replace(/^([^?&]*)&/, '$1?');
}
