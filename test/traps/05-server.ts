import type { Trap } from './trap.ts';

export const TRAPS: readonly Trap[] = [
  {
    id: 'policy-forgotten',
    step: 1,
    story:
      'Origins and paths configured and never asked: any page may call, with the user’s cookies.',
    source: 'CVE-2025-52882',
    rules: [44, 46, 48],
    edits: [['negotiate(upgrade, policy)', 'negotiate(upgrade, {})']],
  },
  {
    id: 'head-limit-forgotten',
    step: 1,
    story: 'A limit for heads that the server never hands on.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['parseRequest(received, maxHeadBytes)', 'parseRequest(received)']],
  },
  {
    id: 'refusal-thrown',
    step: 1,
    story:
      'A bad request throws in the server instead of being answered: one client ends them all.',
    source: 'syscraft906: Node.js and WebSockets',
    rules: [35],
    edits: [
      [
        `  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    return refusedFor(error);
  }`,
        `  } catch (error) {
    throw error;
  }`,
      ],
    ],
  },
  {
    id: 'first-frame-lost',
    step: 1,
    story: 'What came together with the request is thrown away: the first message is lost.',
    source: 'hodfords-solutions/nestjs-api-gateway#36',
    rules: [],
    edits: [['received.subarray(request.length), policy', 'new Uint8Array(0), policy']],
  },
  {
    id: 'chosen-and-not-said',
    step: 1,
    story:
      'The subprotocol chosen, and left out of the response. The browser closes the connection.',
    source: 'websockets-rs/rust-websocket#41',
    rules: [44],
    edits: [['acceptResponse(upgrade.key, protocol)', 'acceptResponse(upgrade.key)']],
  },
  {
    id: 'rest-cut',
    step: 1,
    story:
      'A buffer of 1 KiB for what came behind the head: of a client that says much at once, the rest is lost.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        'received.subarray(request.length), policy',
        'received.subarray(request.length, request.length + 1024), policy',
      ],
    ],
  },
  {
    id: 'url-that-is-none',
    step: 1,
    story:
      'Targets go through `new URL`, which throws at `//[`: a TypeError that nobody expects. One request ends the server.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        '  const upgrade = checkUpgrade(request);',
        "  new URL(request.target, 'http://localhost');\n  const upgrade = checkUpgrade(request);",
      ],
    ],
  },
  {
    id: 'state-shared',
    step: 2,
    story: 'One reader for all clients: what they send is mixed.',
    source: 'RFC 6455 §6.2',
    rules: [116],
    edits: [
      ["      : new MessageReader('server', limits.maxMessageBytes);", '      : SHARED;'],
      [
        'const MESSAGE_COST_BYTES = 128;',
        `const MESSAGE_COST_BYTES = 128;
const SHARED = new MessageReader('server');`,
      ],
    ],
  },
  {
    id: 'one-event-a-read',
    step: 2,
    story:
      'One message for each read: of two that come together, the second waits until a third comes.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [91],
    edits: [
      [
        `  receive(chunk: Uint8Array): void {
`,
        `  receive(chunk: Uint8Array): void {
    this.#fresh = true;
`,
      ],
      [
        `  next(): ConnectionEvent | undefined {
`,
        `  next(): ConnectionEvent | undefined {
    if (!this.#fresh) return this.#events.shift();
    this.#fresh = false;
`,
      ],
      [
        `  #waitingBytes = 0;
`,
        `  #waitingBytes = 0;
  #fresh = false;
`,
      ],
    ],
  },
  {
    id: 'reads-as-client',
    step: 2,
    story: 'The reader is made for the other side, and refuses every masked frame.',
    source: 'RFC 6455 §5.1',
    rules: [116],
    edits: [["new MessageReader('server'", "new MessageReader('client'"]],
  },
  {
    id: 'pong-answered',
    step: 2,
    story: 'A Pong answered with a Pong. Two such peers never stop.',
    source: 'RFC 6455 §5.5.3',
    rules: [117],
    edits: [["      case 'ping':\n", "      case 'ping':\n      case 'pong':\n"]],
  },
  {
    id: 'one-frame-a-write',
    step: 3,
    story: 'A write for each frame: sixteen answers cost sixteen calls of the system.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      ['size < MAX_OUTPUT_BYTES)', 'size < 1)'],
      ['      size += frame.payload.length;', '      size += frame.payload.length + 1;'],
    ],
  },
  {
    id: 'all-in-one-write',
    step: 3,
    story: 'A large message handed to the socket whole: a Pong waits behind all of it.',
    source: 'RFC 6455 §5.4',
    rules: [87],
    edits: [['size < MAX_OUTPUT_BYTES)', 'size < Number.POSITIVE_INFINITY)']],
  },
  {
    id: 'large-in-one-frame',
    step: 3,
    story: 'A large message sent in one frame: no Pong can slip in before its end.',
    source: 'RFC 6455 §5.4',
    rules: [87],
    edits: [
      ['fragment(opcode, payload, MAX_FRAGMENT_BYTES)', 'fragment(opcode, payload, 2 ** 30)'],
    ],
  },
  {
    id: 'nobody-wakes',
    step: 3,
    story: 'A message is put into the queue, and nobody comes to take it.',
    source: 'RFC 6455 §6.1',
    rules: [115],
    edits: [
      [
        `    this.#owesDrain ||= this.#waitingBytes >= HIGH_WATER_BYTES;
    this.#wake();`,
        '    this.#owesDrain ||= this.#waitingBytes >= HIGH_WATER_BYTES;',
      ],
    ],
  },
  {
    id: 'ping-unanswered',
    step: 3,
    story: 'Pings dropped. A proxy takes the server for dead, and cuts it off after a minute.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [103],
    edits: [
      [
        `        this.#queue.addControl(controlFrame(Opcode.Pong, message.payload));
`,
        '',
      ],
    ],
  },
  {
    id: 'ping-refused',
    step: 3,
    story: 'A Ping answered with Close 1003, "no ping or pong here". No peer that asks can stay.',
    source: 'AhmedOmani/Building-Websocket-Protocol',
    rules: [103],
    edits: [
      [
        'this.#queue.addControl(controlFrame(Opcode.Pong, message.payload));',
        "this.fail(new ProtocolError(1003, '5.5.2', 'No Ping or Pong here.'));",
      ],
    ],
  },
  {
    id: 'pong-without-payload',
    step: 3,
    story: 'A Pong without the payload of its Ping.',
    source: 'RFC 6455 §5.5.3',
    rules: [104],
    edits: [['controlFrame(Opcode.Pong, message.payload)', 'controlFrame(Opcode.Pong)']],
  },
  {
    id: 'characters-counted',
    step: 3,
    story: 'What waits is counted in characters, and Chinese has three bytes for each of them.',
    source: 'RFC 6455 §5.6',
    rules: [],
    edits: [
      [
        `for (const frame of frames) this.#waitingBytes += frame.payload.length;
    this.#waitingBytes += MESSAGE_COST_BYTES;`,
        'this.#waitingBytes += data.length + MESSAGE_COST_BYTES;',
      ],
    ],
  },
  {
    id: 'close-as-event',
    step: 4,
    story: 'A Close handed to the application like a message, and never answered.',
    source: 'espressif/esp-idf#9600',
    rules: [98, 100],
    edits: [
      [
        `      case 'close':
        this.#answerClose(message.payload);
        return undefined;
      default:
        return message;`,
        `      default:
        return message as ConnectionEvent;`,
      ],
    ],
  },
  {
    id: 'close-first',
    step: 4,
    story:
      'All frames of a read are handled before the application has answered the first. Its answer comes after the Close, and is lost.',
    source: 'RFC 6455 §5.5.1',
    rules: [109],
    edits: [
      [
        '    if (this.#closing.isListening) this.#reader.push(chunk);',
        `    if (this.#closing.isListening) this.#reader.push(chunk);
    const early: ConnectionEvent[] = [];
    for (let event = this.next(); event; event = this.next()) early.push(event);
    this.#events.push(...early);`,
      ],
    ],
  },
  {
    id: 'message-limit-forgotten',
    step: 4,
    story: 'A limit for messages that the server never hands on.',
    source: 'RFC 6455 §10.4',
    rules: [150, 153],
    edits: [["new MessageReader('server', limits.maxMessageBytes)", "new MessageReader('server')"]],
  },
  {
    id: 'sends-when-closing',
    step: 4,
    story: 'A message sent to a client that is closing throws, in the middle of a broadcast.',
    source: 'minaorangina/websockets-from-scratch-node',
    rules: [109],
    edits: [
      [
        `    if (this.#closing.state !== 'OPEN') return false;
`,
        '',
      ],
    ],
  },
  {
    id: 'ending-forgotten',
    step: 4,
    story: 'Both have said Close, and the server keeps the TCP connection.',
    source: 'minaorangina/websockets-from-scratch-node',
    rules: [100],
    edits: [['        this.#ending = action.type;', '        this.#ending = undefined;']],
  },
  {
    id: 'fault-logged',
    step: 4,
    story:
      'A frame that breaks the rules is logged, and the connection goes on with the next bytes.',
    source: 'michaldziuba03/websockets',
    rules: [127, 128, 129, 154],
    edits: [
      [
        `      } catch (error) {
        this.fail(error);
      }`,
        `      } catch (error) {
        return { type: 'error', error };
      }`,
      ],
    ],
  },
  {
    id: 'fault-drops-tcp',
    step: 4,
    story: 'At a frame that breaks the rules, TCP is dropped. The peer sees 1006, and no reason.',
    source: 'RFC 6455 §7.1.7',
    rules: [128, 154],
    edits: [
      [
        `      } catch (error) {
        this.fail(error);
      }`,
        `      } catch (error) {
        this.#events.push({ type: 'error', error });
        this.#perform([{ type: 'destroy' }]);
      }`,
      ],
    ],
  },
  {
    id: 'hoards-after-the-end',
    step: 4,
    story: 'What comes after a failure is still put into the reader, where nobody reads it.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      ['if (this.#closing.isListening) this.#reader.push(chunk);', 'this.#reader.push(chunk);'],
    ],
  },
  {
    id: 'error-kept-secret',
    step: 4,
    story: 'The connection fails, and the application never hears why.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      [
        `    if (actions.length > 0) this.#events.push({ type: 'error', error });
`,
        '',
      ],
    ],
  },
  {
    id: 'illegal-close-kept-secret',
    step: 4,
    story:
      'An illegal Close is answered with 1002, and the application never learns why the client is gone.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [['    checkCloseBody(payload);\n', '']],
  },
  {
    id: 'close-behind-the-queue',
    step: 4,
    story:
      'The answer to a Close goes behind everything that waits: a peer that has said goodbye is sent a gigabyte first.',
    source: 'jetty/jetty.project#3666',
    rules: [],
    edits: [
      [
        "    if (this.#backlogBytes > 0 && this.#closing.state === 'OPEN') this.#queue.dropWaiting();\n",
        '',
      ],
    ],
  },
  {
    id: 'answers-dropped',
    step: 4,
    story:
      'Whatever waits is dropped at a Close, and with it the answer to the message that came just before.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [['if (this.#backlogBytes > 0 && this.#closing', 'if (this.#closing']],
  },
  {
    id: 'backlog-remembered',
    step: 4,
    story: 'What waited once counts for ever: each later answer in front of a Close is dropped.',
    source: 'RFC 6455 §5.5.1',
    rules: [98],
    edits: [
      ['this.#backlogBytes = this.#waitingBytes;', 'this.#backlogBytes ||= this.#waitingBytes;'],
    ],
  },
  {
    id: 'events-shared',
    step: 4,
    story: 'The list of events is in the module: what happened to one client is told of another.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      ['readonly #events: ConnectionEvent[] = [];', 'readonly #events = EVENTS;'],
      [
        'const MESSAGE_COST_BYTES = 128;',
        'const MESSAGE_COST_BYTES = 128;\nconst EVENTS: ConnectionEvent[] = [];',
      ],
    ],
  },
  {
    id: 'never-asks',
    step: 5,
    story: 'No sign of life is asked for: a client whose cable was pulled stays for hours.',
    source: 'websockets/ws#686',
    rules: [],
    edits: [
      [
        `      this.#askedAt = this.#now();
      this.ping();`,
        '      this.#askedAt = this.#now();',
      ],
    ],
  },
  {
    id: 'asks-and-forgets',
    step: 5,
    story: 'Pings sent, and nobody looks whether an answer comes.',
    source: 'zotero/stream-server#13',
    rules: [],
    edits: [['if (this.#askedAt === undefined) {', 'if (this.#heardAt > 0) {']],
  },
  {
    id: 'answer-not-heard',
    step: 5,
    story: 'The answer to a Ping does not count, and everybody is dropped after a minute.',
    source: 'RFC 6455 §5.5.2',
    rules: [],
    edits: [
      [
        `    this.#askedAt = undefined;
    this.#backlogBytes`,
        '    this.#backlogBytes',
      ],
    ],
  },
  {
    id: 'close-without-clock',
    step: 5,
    story: 'A client that does not answer our Close is waited for without end.',
    source: 'RFC 6455 §7.1.1',
    rules: [100],
    edits: [
      [
        `    this.#perform(this.#closing.checkDeadline());
`,
        '',
      ],
    ],
  },
  {
    id: 'timeout-without-close',
    step: 5,
    story:
      'Whether the application has been told of the end is read off the state. After a timeout that is CLOSED already, and the application never hears of the end.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      [
        '    this.#closing.disconnect();\n',
        "    if (this.#closing.state === 'CLOSED') return;\n    this.#closing.disconnect();\n",
      ],
    ],
  },
  {
    id: 'rest-forgotten',
    step: 6,
    story: 'The frames behind the request are kept, and never read.',
    source: 'websockets/ws#167',
    rules: [],
    edits: [
      [
        `    this.connection.receive(rest);
`,
        '',
      ],
    ],
  },
  {
    id: 'write-for-each-event',
    step: 6,
    story: 'The output is taken after each event instead of after each read.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      ['        this.#emit(event);\n', '        this.#emit(event);\n        this.#flush();\n'],
    ],
  },
  {
    id: 'frame-in-two-writes',
    step: 6,
    story:
      'Header and payload written one after the other. It costs twice, and something may come in between.',
    source: 'lalinsky/dusty#121',
    rules: [],
    edits: [
      [
        '      socket.write(bytes);',
        '      socket.write(bytes.subarray(0, 2));\n      socket.write(bytes.subarray(2));',
      ],
    ],
  },
  {
    id: 'socket-destroyed',
    step: 6,
    story:
      'The socket destroyed where it had to be ended: with unread bytes in it, that is a reset, and the Close gets lost.',
    source: 'RFC 6455 §7.1.1',
    rules: [121],
    edits: [
      [
        "if (connection.ending === 'hangUp') socket.end();",
        'if (connection.ending) socket.destroy();',
      ],
    ],
  },
  {
    id: 'tcp-left-open',
    step: 6,
    story:
      'After both Closes, the server leaves it to the client to end TCP, which waits for the server.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [101, 121],
    edits: [
      [
        `    if (connection.ending === 'hangUp') socket.end();
`,
        '',
      ],
      [
        `    if (connection.ending === 'destroy') socket.destroy();
`,
        '',
      ],
    ],
  },
  {
    id: 'timer-set-once',
    step: 7,
    story: 'A timer is set once, and not again when the deadline has moved.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [['deadline >= this.#timerAt', 'this.#timerAt < NEVER || deadline === NEVER']],
  },
  {
    id: 'end-not-told',
    step: 6,
    story: 'The end of a socket is not noticed: the application goes on with a dead client.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      [
        `    this.connection.disconnect();
    this.#turn();
`,
        `    this.#turn();
`,
      ],
    ],
  },
  {
    id: 'bug-swallowed',
    step: 7,
    story:
      'An error of the application is swallowed, and its connection hangs with the answer due.',
    source: 'ErickWendel/websockets-with-nodejs-from-scratch',
    rules: [],
    edits: [['      this.connection.fail(error);\n', '']],
  },
  {
    id: 'last-bug-swallowed',
    step: 7,
    story:
      'An error of the application at the `close` event fails a connection that is closed: nobody ever hears of it.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [["event.type === 'close' || this.connection.ending", "event.type === 'error'"]],
  },
  {
    id: 'turn-broken-off',
    step: 7,
    story:
      'An error of the application breaks the turn off: the Close stays in the queue, no timer runs, and the client waits.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      ['    try {\n      for (let event', '    {\n      for (let event'],
      ['    } finally {\n      this.#turnsAhead', '      this.#turnsAhead'],
    ],
  },
  {
    id: 'reset-ends-the-server',
    step: 6,
    story:
      'Nobody listens to the `error` of a socket. One client that resets its connection ends the process, for all of them.',
    source: 'WernerLDev/ts-websocket-server-protocol',
    rules: [],
    edits: [
      [
        `    socket.on('end', () => socket.end());
    socket.on('error', ignore);
`,
        `    socket.on('end', () => socket.end());
`,
      ],
    ],
  },
  {
    id: 'bug-not-told',
    step: 7,
    story:
      'After an error of the application, the client is told 1011, and the application nothing.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [['      this.connection.fail(error);\n', '      this.connection.close(1011);\n']],
  },
  {
    id: 'bug-at-open',
    step: 7,
    story:
      'An error of the application at `open` is caught by nobody: a bug in the welcome ends the process, for all.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        "    this.#turn({ type: 'open', upgrade, protocol });",
        "    handle(this.connection, { type: 'open', upgrade, protocol });\n    this.#turn();",
      ],
    ],
  },
  {
    id: 'interval-for-each-read',
    step: 7,
    story:
      'Each read starts a clock of its own, and none is stopped: after an hour, thousands ring for each client.',
    source: 'RFC 6455 §5.5.2',
    rules: [],
    edits: [
      [
        '    this.connection.receive(chunk);\n    this.#turn();',
        '    this.connection.receive(chunk);\n    setInterval(() => this.#onTimer(), 1000).unref();\n    this.#turn();',
      ],
    ],
  },
  {
    id: 'clock-not-stopped',
    step: 7,
    story:
      'A timer that runs on when the connection is gone: `unref` lets the process end, and the memory is kept all the same.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        '  #close(): void {\n    clearTimeout(this.#timer);\n',
        '  #close(): void {\n    this.#timer?.unref();\n',
      ],
    ],
  },
  {
    id: 'old-clock-kept',
    step: 7,
    story: 'A timer is set again, and the old one not stopped.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        '    clearTimeout(this.#timer);\n    this.#timerAt = deadline;',
        '    this.#timerAt = deadline;',
      ],
    ],
  },
  {
    id: 'half-closed-for-ever',
    step: 7,
    story:
      'A socket that has ended is not writable, and so not looked at: one whose peer never ends its side is never dropped.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        "    if (connection.ending === 'destroy') socket.destroy();\n    if (!socket.writable) return;\n",
        "    if (!socket.writable) return;\n    if (connection.ending === 'destroy') socket.destroy();\n",
      ],
    ],
  },
  {
    id: 'ended-at-a-drain-only',
    step: 6,
    story:
      'The socket is ended when it has nothing left to write. If it has a little, no `drain` comes, and nobody ends it.',
    source: 'RFC 6455 §7.1.1',
    rules: [101],
    edits: [
      [
        "if (connection.ending === 'hangUp') socket.end();",
        "if (connection.ending === 'hangUp' && socket.writableLength === 0) socket.end();",
      ],
    ],
  },
  {
    id: 'usual-limits',
    step: 6,
    story: 'The limits that `attach` is given are put aside, and the usual ones taken.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      [
        'new Connection(limits, now, () => this.#wake(), extension)',
        'new Connection({ ...LIMITS, pingIntervalMs: limits.pingIntervalMs, closeTimeoutMs: limits.closeTimeoutMs }, now, () => this.#wake(), extension)',
      ],
    ],
  },
  {
    id: 'never-forgotten',
    step: 10,
    story: 'Connections added and never removed: 1472 in the set, and 26 clients there.',
    source: 'coco-xyz/hxa-connect#174',
    rules: [],
    edits: [
      [
        `        if (event.type === 'close') this.#remove(connection);
`,
        '',
      ],
    ],
  },
  {
    id: 'key-as-identity',
    step: 10,
    story: 'Connections told apart by the key of their request, which the client chooses.',
    source: 'prettydiff/share-file-systems',
    rules: [],
    edits: [
      [
        "if (event.type === 'open') this.#connections.add(connection);",
        `if (event.type === 'open') {
          this.#connections.add(connection);
          this.#connections.delete(this.#byKey.get(event.upgrade.key)!);
          this.#byKey.set(event.upgrade.key, connection);
        }`,
      ],
      [
        'readonly #connections = new Set<Connection>();',
        'readonly #connections = new Set<Connection>();\n  readonly #byKey = new Map<string, Connection>();',
      ],
    ],
  },
  {
    id: 'address-as-identity',
    step: 10,
    story:
      'What has arrived is kept under the address of the client. Behind one router, all have the same.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        'let received: Uint8Array = new Uint8Array(0);',
        'const client = String(socket.remoteAddress);',
      ],
      [
        'received = Buffer.concat([received, chunk]);',
        'const received = Buffer.concat([RECEIVED.get(client) ?? new Uint8Array(0), chunk]);\n      RECEIVED.set(client, received);',
      ],
      [
        'const now = () => performance.now();',
        'const RECEIVED = new Map<string, Uint8Array>();\nconst now = () => performance.now();',
      ],
    ],
  },
  {
    id: 'one-at-a-time',
    step: 10,
    story: 'The next client is looked at when the first is done: a second tab never connects.',
    source: 'MDN: Writing a WebSocket server in C#',
    rules: [],
    edits: [
      [
        '    // Small messages leave at once',
        '    if (this.#pending.size + this.#connections.size > 0) return;\n    // Small messages leave at once',
      ],
    ],
  },
  {
    id: 'one-read-one-request',
    step: 10,
    story:
      'One read is taken for one request: a head that arrives in two is refused, or never gets a response.',
    source: 'Pithikos/python-websocket-server#26',
    rules: [],
    edits: [['      received = Buffer.concat([received, chunk]);', '      received = chunk;']],
  },
  {
    id: 'head-without-end',
    step: 10,
    story: 'A client that never ends its request is waited for without end.',
    source: 'ghedipunk/PHP-Websockets#46',
    rules: [],
    edits: [
      ['this.#options.headTimeoutMs, () => {', '600_000, () => {'],
      ['setTimeout(onTimeout, ms);', 'setTimeout(onTimeout, ms).unref();'],
    ],
  },
  {
    id: 'refused-and-kept',
    step: 10,
    story: 'A refused client is answered, and its connection left open for as long as it likes.',
    source: 'RFC 6455 §7.2.2',
    rules: [132],
    edits: [
      ['    socket.end(answer);', '    socket.write(answer);'],
      ['closeTimeoutMs, () => socket.destroy()', 'closeTimeoutMs, () => {}'],
    ],
  },
  {
    id: 'refused-in-silence',
    step: 10,
    story: 'A refused client gets no response, only the end of TCP. The browser cannot say why.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['    socket.end(answer);', '    socket.end();']],
  },
  {
    id: 'reset-before-the-request',
    step: 10,
    story:
      'Nobody listens to the `error` of a socket whose request is still arriving. One client that resets there ends the process.',
    source: 'socketio/engine.io#598',
    rules: [],
    edits: [
      [
        `    socket.on('error', ignore);
    socket.on('close', forget);
`,
        `    socket.on('close', forget);
`,
      ],
      ['    socket.end(answer);', "    socket.on('error', ignore);\n    socket.end(answer);"],
    ],
  },
  {
    id: 'small-answers-wait',
    step: 10,
    story: 'TCP left to wait for more to send: an answer that is ready goes out 40 ms later.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        `    socket.setNoDelay(true);
`,
        '',
      ],
    ],
  },
  {
    id: 'refused-with-a-reset',
    step: 10,
    story:
      'The connection destroyed right behind the refusal: bytes that were not read reset it away.',
    source: 'RFC 6455 §7.2.2',
    rules: [35],
    edits: [
      [
        '    socket.resume();\n    socket.end(answer);',
        '    socket.end(answer, () => socket.destroy());',
      ],
    ],
  },
  {
    id: 'kept-after-a-bug',
    step: 10,
    story:
      'A connection is taken out after the application has heard of its end, which throws: it is never taken out.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      [
        "        if (event.type === 'close') this.#remove(connection);\n        if (event.type === 'open') this.#connections.add(connection);\n        this.#handle(connection, event);",
        "        if (event.type === 'open') this.#connections.add(connection);\n        this.#handle(connection, event);\n        if (event.type === 'close') this.#remove(connection);",
      ],
    ],
  },
  {
    id: 'added-after-a-bug',
    step: 10,
    story:
      'A connection is added after the application has heard of it, which throws: it is never added.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        "        if (event.type === 'open') this.#connections.add(connection);\n        this.#handle(connection, event);",
        "        this.#handle(connection, event);\n        if (event.type === 'open') this.#connections.add(connection);",
      ],
    ],
  },
  {
    id: 'a-byte-a-minute',
    step: 10,
    story:
      'Each byte of a request starts the time for it again: a client that sends one a second is waited for without end.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '      received = Buffer.concat([received, chunk]);',
        '      received = Buffer.concat([received, chunk]);\n      this.#timer.refresh();',
      ],
      [
        '    const timer = setTimeout(onTimeout, ms);',
        '    const timer = setTimeout(onTimeout, ms);\n    this.#timer = timer;',
      ],
      [
        '  /** Called when the last connection is gone. */',
        '  #timer!: NodeJS.Timeout;\n  /** Called when the last connection is gone. */',
      ],
    ],
  },
  {
    id: 'options-half-way',
    step: 10,
    story: 'Options that the handshake knows, and the connections behind it do not.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        `        this.#handle(connection, event);
      },
      this.#options,
    );`,
        `        this.#handle(connection, event);
      },
      { ...LIMITS, closeTimeoutMs: this.#options.closeTimeoutMs },
    );`,
      ],
    ],
  },
  {
    id: 'one-buffer-for-a-request',
    step: 10,
    story:
      'A request is cut at the longest head: what a client sends behind it in the same read is lost.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        'received = Buffer.concat([received, chunk]);',
        'received = Buffer.concat([received, chunk]).subarray(0, this.#options.maxHeadBytes);',
      ],
    ],
  },
  {
    id: 'clock-behind-the-bug',
    step: 10,
    story:
      'The timer is stopped behind the last event. When its handler throws, that line is never reached.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [
      [
        '    clearTimeout(this.#timer);\n    this.connection.disconnect();\n    this.#turn();',
        '    this.connection.disconnect();\n    this.#turn();\n    clearTimeout(this.#timer);',
      ],
    ],
  },
  {
    id: 'refused-kept-in-a-list',
    step: 10,
    story:
      'A refused socket stays in the list of those that are on their way, for as long as the server lives.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '      clearTimeout(timer);\n      this.#pending.delete(socket);\n    };',
        '      clearTimeout(timer);\n    };',
      ],
    ],
  },
  {
    id: 'request-answered-again',
    step: 10,
    story:
      'The listener that collects the request stays: with each message, the request gets another response.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [["      socket.off('data', read);\n", '']],
  },
  {
    id: 'request-collected-for-ever',
    step: 10,
    story: 'The listener that collects the request stays, and keeps everything that is ever sent.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      ["      socket.off('data', read);\n", ''],
      [
        '      const opening = openingHandshake(received,',
        '      if (!this.#pending.has(socket)) return;\n      const opening = openingHandshake(received,',
      ],
    ],
  },
  {
    id: 'zero-is-unset',
    step: 10,
    story: 'Options by `||`: a limit of 0 is taken for none, and the usual one applies.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        'this.#options = { ...LIMITS, ...options };',
        'this.#options = {\n      ...LIMITS,\n      ...options,\n      maxMessageBytes: options.maxMessageBytes || LIMITS.maxMessageBytes,\n    };',
      ],
    ],
  },
  {
    id: 'wrong-clock-for-the-refused',
    step: 10,
    story: 'A refused client has the time of a request, instead of that for closing.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        'this.#remember(socket, this.#options.closeTimeoutMs',
        'this.#remember(socket, this.#options.headTimeoutMs',
      ],
    ],
  },
  {
    id: 'half-ended-request',
    step: 10,
    story:
      'At the end of a client that never ended its request, its timer is stopped, and nobody ends the socket.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        "    socket.on('data', read);\n",
        "    socket.on('data', read);\n    socket.on('end', forget);\n",
      ],
    ],
  },
  {
    id: 'given-up-in-silence',
    step: 9,
    story: 'A client that does not read is closed, not failed: the application never hears of it.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      [
        "this.fail(new ProtocolError(CloseCode.PolicyViolation, '10.4', 'You read too slowly.'));",
        'this.close(CloseCode.PolicyViolation);',
      ],
    ],
  },
  {
    id: 'waits-without-limit',
    step: 9,
    story:
      'Whatever the application sends waits for a client that does not read, until the memory is full.',
    source: 'websockets/ws#1218',
    rules: [150],
    edits: [
      [
        'this.#waitingBytes > this.#limits.maxWaitingBytes',
        'this.#waitingBytes > Number.POSITIVE_INFINITY',
      ],
    ],
  },
  {
    id: 'never-drained',
    step: 9,
    story: 'The application is told to wait, and never told to go on.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        `    this.#events.push({ type: 'drain' });
`,
        '',
      ],
    ],
  },
  {
    id: 'drained-too-early',
    step: 9,
    story: 'A `drain` while messages still wait.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['this.#waitingBytes > 0) return;', 'this.#waitingBytes > 200_000) return;']],
  },
  {
    id: 'drained-in-a-microtask',
    step: 9,
    story: 'A `drain` at once: an application that sends more at each of them starves all others.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['setImmediate(() => this.#drain())', 'queueMicrotask(() => this.#drain())']],
  },
  {
    id: 'write-result-ignored',
    step: 8,
    story:
      'What `write` says about the socket is ignored: the system’s buffer is full, and ours grows.',
    source: 'nodejs/node#9254',
    rules: [150],
    edits: [['return this.#socket.writableNeedDrain;', 'return this.#socket.destroyed;']],
  },
  {
    id: 'reads-from-who-does-not-read',
    step: 8,
    story: 'The answers for a client that does not read pile up in memory.',
    source: 'websockets/ws#1620',
    rules: [150],
    edits: [
      [
        `      socket.pause();
`,
        '',
      ],
    ],
  },
  {
    id: 'ended-before-the-output',
    step: 8,
    story:
      'The socket ended as soon as the connection is over: what still waits for a slow client is lost, and the Close with it.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      ["    if (connection.ending === 'hangUp') socket.end();\n", ''],
      [
        '    if (this.#isBehind) {\n      // Reading',
        "    if (connection.ending === 'hangUp') socket.end();\n    if (this.#isBehind) {\n      // Reading",
      ],
    ],
  },
  {
    id: 'brake-for-messages-only',
    step: 8,
    story:
      'The brake is pulled when messages wait, and a Pong is none: a flood of Pings fills the memory.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [['      socket.pause();', '      if (connection.owesDrain) socket.pause();']],
  },
  {
    id: 'waiting-limit-forgotten',
    step: 10,
    story: 'The limit of what may wait is a constant, whatever the options say.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      [
        'this.#options = { ...LIMITS, ...options };',
        'this.#options = { ...LIMITS, ...options, maxWaitingBytes: LIMITS.maxWaitingBytes };',
      ],
    ],
  },
  {
    id: 'echo-to-oneself',
    step: 11,
    story: 'A broadcast comes back to the one who sent it.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [['if (connection !== except) connection.send(data);', 'connection.send(data);']],
  },
  {
    id: 'leaves-without-a-word',
    step: 11,
    story: 'A server that is shut down just ends: its clients see 1006, and all come back at once.',
    source: 'RFC 6455 §7.1.2',
    rules: [122],
    edits: [['connection.close(CloseCode.GoingAway)', 'connection.disconnect()']],
  },
  {
    id: 'leaves-with-1000',
    step: 11,
    story: 'A server that is shut down says 1000, as if the work were done.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [['connection.close(CloseCode.GoingAway)', 'connection.close()']],
  },
  {
    id: 'leaves-at-once',
    step: 11,
    story: 'The promise of a shutdown does not wait: the process ends before the Closes are out.',
    source: 'RFC 6455 §7.1.2',
    rules: [],
    edits: [['if (this.#connections.size === 0) resolve();', 'resolve();']],
  },
  {
    id: 'waits-for-the-dead',
    step: 11,
    story:
      'The last connection ends with an error, the line that says so to the shutdown is skipped, and the server stays for ever.',
    source: 'sirn-se/websocket-php#156',
    rules: [],
    edits: [
      [
        `        this.#handle(connection, event);
      },`,
        `        this.#handle(connection, event);
        if (event.type === 'close' && this.#connections.size === 0) this.#whenEmpty();
      },`,
      ],
      ['    if (this.#connections.size === 0) this.#whenEmpty();\n', ''],
    ],
  },
  {
    id: 'a-promise-for-each-call',
    step: 11,
    story:
      'The end of a shutdown in an `async` method: each call returns another promise, and a caller that compares them takes the second shutdown for a new one.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [['  shutdown(): Promise<void> {', '  async shutdown(): Promise<void> {']],
  },
  {
    id: 'open-again',
    step: 11,
    story:
      'A shutdown is forgotten as soon as the last client has gone: the next one is let in, and nobody tells it to leave.',
    source: 'oven-sh/bun#43441',
    rules: [],
    edits: [
      [
        'if (this.#connections.size === 0) resolve();\n    });',
        'if (this.#connections.size === 0) resolve();\n    });\n    this.#shutdown.then(() => {\n      this.#shutdown = undefined;\n    });',
      ],
    ],
  },
  {
    id: 'drain-left-out',
    step: 11,
    story: 'A broadcast leaves out who reads slowly: they miss messages, and nobody tells them.',
    source: 'RFC 6455 §6.1',
    rules: [],
    edits: [
      [
        'if (connection !== except) connection.send(data);',
        'if (connection !== except && !connection.owesDrain) connection.send(data);',
      ],
    ],
  },
  {
    id: 'refuses-while-leaving',
    step: 11,
    story: '503 as long as clients are there, and 101 when the last has gone.',
    source: 'oven-sh/bun#43441',
    rules: [],
    edits: [
      ['    if (this.#shutdown) {', '    if (this.#shutdown && this.#connections.size > 0) {'],
    ],
  },
  {
    id: 'head-forgotten',
    step: 13,
    story: 'What Node has read behind the request is in `head`, and nobody looks there.',
    source: 'oven-sh/bun#43153',
    rules: [],
    edits: [
      [
        'acceptRequest(requestHead, head, this.#options)',
        'acceptRequest(requestHead, new Uint8Array(0), this.#options)',
      ],
    ],
  },
  {
    id: 'origin-not-checked',
    step: 13,
    story:
      'The upgrade of an HTTP server does not look at the Origin: any page can use the socket.',
    source: 'CVE-2025-52882',
    rules: [44, 46],
    edits: [
      ['acceptRequest(requestHead, head, this.#options)', 'acceptRequest(requestHead, head, {})'],
    ],
  },
  {
    id: 'opens-after-the-end',
    step: 13,
    story:
      'A server that has been shut down still turns upgrades into connections: nobody will ever close them.',
    source: 'oven-sh/bun#43441',
    rules: [],
    edits: [
      [
        `    this.#open(socket, opening);
  }
}`,
        `    const shutdown = this.#shutdown;
    this.#shutdown = undefined;
    this.#open(socket, opening);
    this.#shutdown = shutdown;
  }
}`,
      ],
    ],
  },
  {
    id: 'opens-while-leaving',
    step: 13,
    story: 'An upgrade during a shutdown is accepted.',
    source: 'oven-sh/bun#43441',
    rules: [],
    edits: [
      [
        '  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {',
        '  upgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {\n    if (this.#connections.size > 0) this.#shutdown = undefined;',
      ],
    ],
  },
  {
    id: 'head-cut-short',
    step: 13,
    story: 'Only the first KiB of `head` is handed on: more than one frame may be in it.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        'acceptRequest(requestHead, head, this.#options)',
        'acceptRequest(requestHead, head.subarray(0, 1024), this.#options)',
      ],
    ],
  },
  {
    id: 'upgrade-of-no-url',
    step: 13,
    story:
      'The target of an upgrade goes through `new URL`, which throws at `//[`: one request ends the server.',
    source: 'RFC 6455 §4.2',
    rules: [],
    edits: [
      [
        '    const headers = Object.entries(headersDistinct)',
        "    new URL(url, 'http://localhost');\n    const headers = Object.entries(headersDistinct)",
      ],
    ],
  },
  {
    id: 'close-to-nobody',
    step: 5,
    story:
      'A peer that has not answered a Ping is sent a Close, and has as long again to answer that.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      [
        `      this.#events.push({ type: 'error', error: new Error('The peer does not answer a Ping.') });
      this.#perform([{ type: 'destroy' }]);`,
        "      this.fail(new Error('The peer does not answer a Ping.'));",
      ],
    ],
  },
  {
    id: 'one-call-for-all',
    step: 6,
    story:
      'The output is taken out by one call, and the socket ended: of a large answer, only the start arrives.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      ['    while (!this.#isBehind) {', '    if (!this.#isBehind) {'],
      [
        `      if (bytes.length === 0) break;
      socket.write(bytes);`,
        '      if (bytes.length > 0) socket.write(bytes);',
      ],
    ],
  },
  {
    id: 'half-open',
    step: 6,
    story: 'A socket of an HTTP server stays open when the client ends its side: nobody ends ours.',
    source: 'cookie.engineer: Implementers Guide to WebSockets',
    rules: [],
    edits: [
      [
        `    socket.on('end', () => socket.end());
`,
        '',
      ],
    ],
  },
  {
    id: 'refused-and-reset',
    step: 13,
    story:
      'A refused socket that nobody listens to: ask for an upgrade that nobody wants, reset, and the server is gone.',
    source: 'socketio/socket.io#3564',
    rules: [],
    edits: [
      [
        `    socket.on('error', ignore);
    socket.on('close', forget);
`,
        `    socket.on('close', forget);
`,
      ],
      [
        "    socket.on('data', read);",
        "    socket.on('error', ignore);\n    socket.on('data', read);",
      ],
    ],
  },
  {
    id: 'one-host-of-two',
    step: 13,
    story:
      'Headers as `headers` has them: of two Host lines one is gone, and nobody sees that there were two.',
    source: 'RFC 6455 §4.2.1',
    rules: [],
    edits: [
      ['Object.entries(headersDistinct).map(', 'Object.entries(request.headers).map('],
      [
        '([name, values]) => [name, values ?? []] as const',
        '([name, value]) => [name, [value ?? []].flat()] as const',
      ],
    ],
  },
  {
    id: 'asked-at-zero',
    step: 5,
    story:
      "Whether the peer was asked is read off the moment's truth. When the clock said 0 then, the question is forgotten, and asked again for ever.",
    source: 'RFC 6455 §5.5.2',
    rules: [],
    edits: [
      ['return (this.#askedAt ?? this.#heardAt)', 'return (this.#askedAt || this.#heardAt)'],
      ['    if (this.#askedAt === undefined) {', '    if (!this.#askedAt) {'],
    ],
  },
  {
    id: 'cost-of-each-fragment',
    step: 9,
    story:
      'What a message costs is added once and taken off with each fragment. With large messages the count falls below zero, and the limit is never reached.',
    source: 'RFC 6455 §10.4',
    rules: [150],
    edits: [
      [
        '      if (frame.fin && !isControl(frame.opcode)) this.#waitingBytes',
        '      if (!isControl(frame.opcode)) this.#waitingBytes',
      ],
    ],
  },
  {
    id: 'drain-debt-forgotten',
    step: 9,
    story:
      '`=` instead of `||=`. When less waits at the next send, the debt is forgotten, and the `drain` event never comes.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['this.#owesDrain ||= this.#waitingBytes', 'this.#owesDrain = this.#waitingBytes']],
  },
  {
    id: 'listens-for-one-drain',
    step: 8,
    story:
      '`once` for the `drain` of a socket: when the client is behind for the second time, everything stops.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [["socket.on('drain', () => {", "socket.once('drain', () => {"]],
  },
  {
    id: 'all-into-the-socket',
    step: 8,
    story:
      'The output is written, however much of it the socket keeps already: no Pong can overtake it.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [['    while (!this.#isBehind) {', '    while (true) {']],
  },
  {
    id: 'one-array-for-all-writes',
    step: 8,
    story:
      'The output goes through one array. What a socket still keeps is overwritten by the next write.',
    source: 'RFC 6455 §5.4',
    rules: [],
    edits: [
      [
        '      socket.write(bytes);\n    }',
        '      shared.set(bytes);\n      socket.write(shared.subarray(0, bytes.length));\n    }',
      ],
      ['const now = () =>', 'const shared = new Uint8Array(1024 * 1024);\nconst now = () =>'],
    ],
  },
  {
    id: 'brake-before-the-drop',
    step: 8,
    story:
      'A client that is behind is looked at no further: with output waiting, it is never dropped.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        "    if (connection.ending === 'destroy') socket.destroy();\n",
        "    if (this.#isBehind && !socket.writableEnded) return;\n    if (connection.ending === 'destroy') socket.destroy();\n",
      ],
    ],
  },
  {
    id: 'a-listener-for-each-write',
    step: 8,
    story:
      'A listener for `drain` with each turn: they pile up while a server sends to a stalled client.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        "    socket.on('drain', () => {\n      this.connection.heard();\n      socket.resume();\n      this.#turn();\n    });\n",
        '',
      ],
      [
        '      socket.pause();\n      return;',
        "      socket.pause();\n      socket.once('drain', () => {\n        connection.heard();\n        socket.resume();\n        this.#turn();\n      });\n      return;",
      ],
    ],
  },
  {
    id: 'drain-of-the-dropped',
    step: 9,
    story:
      'The count is set to 0 when messages are dropped for the Close of the peer: the application hears of room.',
    source: 'RFC 6455 §5.5.1',
    rules: [],
    edits: [
      [
        "if (this.#backlogBytes > 0 && this.#closing.state === 'OPEN') this.#queue.dropWaiting();",
        "if (this.#backlogBytes > 0 && this.#closing.state === 'OPEN') {\n      this.#queue.dropWaiting();\n      this.#waitingBytes = 0;\n    }",
      ],
      ['if (!this.owesDrain ||', 'if (!this.#owesDrain ||'],
    ],
  },
  {
    id: 'drain-after-a-close',
    step: 9,
    story:
      'When what waits has gone, there is a `drain`, also after our own Close, and even after the `close` event, which is to be the last.',
    source: 'RFC 6455 §7.1.2',
    rules: [],
    edits: [['if (!this.owesDrain ||', 'if (!this.#owesDrain ||']],
  },
  {
    id: 'turns-for-ever',
    step: 9,
    story:
      'After our own Close, a `drain` stays owed that is never told: each turn brings on the next, until the client responds.',
    source: 'RFC 6455 §7.1.2',
    rules: [],
    edits: [
      ["return this.#owesDrain && this.#closing.state === 'OPEN';", 'return this.#owesDrain;'],
      ['if (!this.owesDrain ||', "if (!this.owesDrain || this.#closing.state !== 'OPEN' ||"],
    ],
  },
  {
    id: 'slow-is-not-gone',
    step: 8,
    story:
      'A client that reads slowly and steadily is dropped, because its Pongs cannot be heard while its socket is paused.',
    source: 'RFC 6455 §5.5.2',
    rules: [],
    edits: [['      this.connection.heard();\n', '']],
  },
  {
    id: 'upgrade-of-the-gone',
    step: 13,
    story:
      'A client leaves while a login is looked up. Its socket has emitted `close` before `upgrade` is called: the connection is counted for ever, and `shutdown` never resolves.',
    source: 'RFC 6455 §7.1.4',
    rules: [],
    edits: [['if (socket.destroyed) return; ', '']],
  },
  {
    id: 'drained-into-a-full-socket',
    step: 9,
    story: '`drain` comes when the core is empty, although the socket is full of what was in it.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '    if (this.#isBehind) {\n      // Reading',
        '    if (connection.owesDrain) setImmediate(() => this.#drain());\n    if (this.#isBehind) {\n      // Reading',
      ],
    ],
  },
  {
    id: 'second-error-swallowed',
    step: 7,
    story:
      'An error of the handler is thrown on at `error` and `close` events only. When the connection has failed already, by `fail` in the same handler, nobody hears of it.',
    source: 'RFC 6455 §7.1.7',
    rules: [],
    edits: [
      [
        "if (event.type === 'close' || this.connection.ending) {",
        "if (event.type === 'close' || event.type === 'error') {",
      ],
    ],
  },
  {
    id: 'only-errors-count',
    step: 7,
    story: 'The `catch` looks whether an Error was thrown. Of a string, nobody hears anything.',
    source: 'RFC 6455 §7.4.1',
    rules: [],
    edits: [
      [
        "      if (event.type === 'close' || this.connection.ending) {\n",
        "      if (!(error instanceof Error)) return;\n      if (event.type === 'close' || this.connection.ending) {\n",
      ],
    ],
  },
  {
    id: 'destroyed-at-its-end',
    step: 7,
    story:
      'A client that ends its side is destroyed, with the answers to what it asked still waiting.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [["socket.on('end', () => socket.end());", "socket.on('end', () => socket.destroy());"]],
  },
  {
    id: 'talks-for-ever',
    step: 7,
    story:
      'Each read winds the clock of the closing handshake up again: a client that goes on talking never ends.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [
      [
        '    this.connection.receive(chunk);\n    this.#turn();',
        '    this.connection.receive(chunk);\n    if (this.connection.ending) {\n      clearTimeout(this.#timer);\n      this.#timer = setTimeout(() => this.#onTimer(), 5_000);\n    }\n    this.#turn();',
      ],
    ],
  },
  {
    id: 'version-of-its-own',
    step: 13,
    story:
      '`upgrade` writes HTTP/1.1 into the request head instead of the version that came. A request of HTTP/1.0 is let in.',
    source: 'RFC 6455 §4.2.1',
    rules: [35],
    edits: [['{httpVersion}`,', '{1.1}`,']],
  },
  {
    id: 'usual-limits-for-upgrade',
    step: 13,
    story: 'A client that comes by `upgrade` has the usual limits, whatever the options say.',
    source: 'RFC 6455 §10.4',
    rules: [],
    edits: [
      [
        '        this.#handle(connection, event);\n      },\n      this.#options,',
        "        this.#handle(connection, event);\n      },\n      'head' in socket ? LIMITS : this.#options,",
      ],
      [
        '    // A request has a method and a URL.',
        '    Object.assign(socket, { head });\n    // A request has a method and a URL.',
      ],
    ],
  },
  {
    id: 'refused-and-not-read',
    step: 13,
    story: 'A refused socket of `node:http` is not read on: it never sees the end of the client.',
    source: 'RFC 6455 §7.1.1',
    rules: [],
    edits: [['    socket.resume();\n    socket.end(answer);', '    socket.end(answer);']],
  },
];
