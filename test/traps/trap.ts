/**
 * Real mistakes, each as a small edit of a solution. Every one has to be caught by the spec of
 * its lesson, at the step that teaches what it gets wrong. The pages in `test/traps/` show them
 * all, with what a learner is told.
 */

/** A text that appears once in the solution, and what the mistake makes of it. */
export type Edit = readonly [find: string, replacement: string];

/** One mistake. */
export interface Trap {
  readonly id: string;
  /** The step that has to go red first. */
  readonly step: number;
  /** What the mistake is, and what it did to whom. */
  readonly story: string;
  /**
   * Where it was made: an issue such as `swoole/swoole-src#195`, a repository, or one of
   * `DOCUMENTS`. A section such as `RFC 6455 §5.3`: where one reads how it would have been right.
   */
  readonly source: string;
  /** The rules that it breaks, by their numbers in `test/rules/requirements.ts`. Its step checks them. */
  readonly rules: readonly number[];
  readonly edits: readonly Edit[];
}

/** Sources that aren't a repository: what they are called, and where they are. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  'MDN: Writing WebSocket servers':
    'https://developer.mozilla.org/en-US/docs/Web/API/WebSockets_API/Writing_WebSocket_servers',
  'MDN: Writing a WebSocket server in C#':
    'https://developer.mozilla.org/en-US/docs/Web/API/WebSockets_API/Writing_WebSocket_server',
  'MDN: Writing a WebSocket server in Java':
    'https://developer.mozilla.org/en-US/docs/Web/API/WebSockets_API/Writing_a_WebSocket_server_in_Java',
  'javascript.info: WebSocket': 'https://javascript.info/websocket',
  'cookie.engineer: Implementers Guide to WebSockets':
    'https://cookie.engineer/weblog/articles/implementers-guide-to-websockets.html',
  'OneUptime: WebSocket server from scratch':
    'https://oneuptime.com/blog/post/2026-02-02-websocket-server-scratch',
  'syscraft906: Node.js and WebSockets':
    'https://syscraft906.github.io/blog-nodejs-08-websockets.html',
};
