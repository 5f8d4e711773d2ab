/** The two applications behind the page: an echo, and chat rooms. */
import type { Connection, ConnectionEvent } from '../../solutions/05-server/server.ts';
import type { SendOptions } from '../protocol.ts';

/** The paths there are. */
export const PATHS = ['/echo', '/chat'];

const MAX_NAME_CHARACTERS = 24;
const MAX_ROOM_CHARACTERS = 40;

/** Somebody in a room. */
interface Guest {
  readonly name: string;
  readonly room: string;
}

/**
 * Answers on `/echo` with what it hears. On `/chat?room=…&name=…` it tells everybody in the room,
 * in plain text: `Ada: hello`, and `· Ada has joined` for what the room itself has to say.
 */
export class Rooms {
  readonly #rooms = new Map<string, Set<Connection>>();
  readonly #guests = new Map<Connection, Guest>();
  #count = 0;
  readonly #optionsFor: (connection: Connection) => SendOptions;

  /** Begins without anybody. `optionsFor` says how messages are to be sent on a connection. */
  constructor(optionsFor: (connection: Connection) => SendOptions = () => ({})) {
    this.#optionsFor = optionsFor;
  }

  /** Handles the events of every connection. */
  readonly handle = (connection: Connection, event: ConnectionEvent): void => {
    const guest = this.#guests.get(connection);
    switch (event.type) {
      case 'open':
        this.#welcome(connection, event.upgrade.resource);
        break;
      case 'text':
        if (guest) this.#say(guest.room, `${guest.name}: ${event.data}`);
        else this.#send(connection, event.data);
        break;
      case 'binary':
        if (guest) this.#say(guest.room, `· ${guest.name} sent ${event.data.length} bytes`);
        else this.#send(connection, event.data);
        break;
      case 'close':
        if (guest) this.#leave(connection, guest);
        break;
    }
  };

  #welcome(connection: Connection, resource: string): void {
    // Not by `new URL`, which throws at some targets, such as `//[`.
    const [path, query] = resource.split(/\?(.*)/s);
    if (path !== '/chat') return;
    const searchParams = new URLSearchParams(query);
    const room = plain(searchParams.get('room'), MAX_ROOM_CHARACTERS) || 'lobby';
    const name = plain(searchParams.get('name'), MAX_NAME_CHARACTERS) || `guest ${++this.#count}`;
    this.#guests.set(connection, { name, room });
    const members = this.#rooms.get(room) ?? new Set();
    this.#rooms.set(room, members.add(connection));
    this.#say(room, `· ${name} has joined “${room}”, ${members.size} here`);
  }

  #leave(connection: Connection, { name, room }: Guest): void {
    this.#guests.delete(connection);
    const members = this.#rooms.get(room);
    members?.delete(connection);
    if (members?.size === 0) this.#rooms.delete(room);
    this.#say(room, `· ${name} has left, ${members?.size ?? 0} here`);
  }

  #say(room: string, text: string): void {
    for (const member of this.#rooms.get(room) ?? []) this.#send(member, text);
  }

  #send(connection: Connection, data: string | Uint8Array): void {
    connection.send(data, this.#optionsFor(connection));
  }
}

/** Makes a name of what somebody typed: nothing invisible, nothing to pass for another's words. */
function plain(text: string | null, maxCharacters: number): string {
  const visible = (text ?? '').replace(/[\p{C}\p{Z}:·]+/gu, ' ').trim();
  return [...visible].slice(0, maxCharacters).join('');
}
