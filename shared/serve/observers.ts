/** The pages that watch the wire of their own connection. */
import type { Connection, ConnectionEvent } from '../../solutions/05-server/server.ts';
import type { WireEvent } from './wire-event.ts';

/** Sends events to a page. While the page is slow, it drops and counts them. */
class Observer {
  readonly #connection: Connection;
  #hasRoom = true;
  #dropped = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  send(event: WireEvent): void {
    if (this.#hasRoom) this.#hasRoom = this.#connection.send(JSON.stringify(event));
    else this.#dropped++;
  }

  /** Takes up sending again, as there is room. */
  drained(): void {
    this.#hasRoom = true;
    if (this.#dropped > 0) this.send({ kind: 'gap', time: Date.now(), count: this.#dropped });
    this.#dropped = 0;
  }
}

/** Knows who observes what. A page makes up an ID that nobody guesses, and uses it twice. */
export class Observers {
  readonly #byId = new Map<string, Observer>();
  readonly #ids = new Map<Connection, string>();

  /** Handles the connections to `/wire?tap=ID`. */
  readonly handle = (connection: Connection, event: ConnectionEvent): void => {
    const id = this.#ids.get(connection);
    if (event.type === 'open') this.#add(connection, tapOf(event.upgrade.resource));
    if (id === undefined) return;
    if (event.type === 'drain') this.#byId.get(id)?.drained();
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
    this.#byId.set(id, new Observer(connection));
    this.#ids.set(connection, id);
  }

  /**
   * Returns where to send the events of a connection that asks for `resource`, such as
   * `/echo?tap=ID`. `undefined`: nobody observes it.
   */
  find(resource: string): ((event: WireEvent) => void) | undefined {
    const observer = this.#byId.get(tapOf(resource) ?? '');
    return observer && ((event) => observer.send(event));
  }
}

/** The ID in a path with query. `undefined`: it has none that is long enough to be a secret. */
function tapOf(resource: string): string | undefined {
  return /[?&]tap=([\w-]{32,64})(?:&|$)/.exec(resource)?.[1];
}
