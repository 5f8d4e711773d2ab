/** How the request of a client is called for, read, and told. */
import { attempt, fail, throws, throwsDOMException } from '../../../shared/harness/check.ts';
import type { Fact } from '../../../shared/harness/facts.ts';
import { show } from '../../../shared/harness/show.ts';
import { withGiven } from '../../../shared/kit/given.ts';
import { escapeText } from '../../../shared/view/hex.ts';
import type { RequestOptions, Target } from '../../../solutions/06-client/client.ts';
import { isToken, trimmed } from '../01-handshake/reader.ts';
import { drawHead } from '../01-handshake/requests.ts';
import { otherError } from './targets.ts';
import type { Lesson } from './tools.ts';

/** A call of `openingRequest`. */
export interface Call {
  readonly target: Target;
  readonly key: string;
  readonly options?: RequestOptions;
}

/** A request, read in the obvious way. */
export interface ParsedRequest {
  /** Such as `GET / HTTP/1.1`. */
  readonly line: string;
  /** Lower-case name → value, one character for each byte. */
  readonly headers: ReadonlyMap<string, string>;
  /** All of it. */
  readonly bytes: Uint8Array;
}

/** Tells a call: what of the target matters, and the options. */
export function factsOf({ target, key, options }: Call): Fact[] {
  const { hostHeader, resource } = target;
  return [
    ['call', `openingRequest(target, key${options ? ', options' : ''})`],
    ['target', show({ hostHeader, resource })],
    ['key', key],
    ...(options ? [['options', show(options)] as const] : []),
  ];
}

/** Makes a call that has to succeed, and reads the request. */
export function ask({ openingRequest }: Lesson, call: Call): ParsedRequest {
  const { target, key, options } = call;
  return withGiven(
    () => factsOf(call),
    () =>
      readRequest(
        attempt(
          () => openingRequest(target, key, options),
          'Write the request: nothing in it is wrong.',
        ),
      ),
  );
}

/** What a call is refused with: the error of JavaScript, or the `DOMException` of this name. */
export type Refusal = 'TypeError' | 'SyntaxError';

/** Checks that a call is refused, and draws what was written instead. */
export function refusesToAsk(
  { openingRequest }: Lesson,
  call: Call,
  refusal: Refusal,
  what: string,
): void {
  const about = {
    // Put together when it is told, and not for each of many.
    get given() {
      return factsOf(call);
    },
    causeOfError: otherError,
  };
  const name = refusal === 'TypeError' ? refusal : `DOMException named ${refusal}`;
  const write = () => {
    const sent: unknown = openingRequest(call.target, call.key, call.options);
    if (!(sent instanceof Uint8Array)) return sent;
    return fail(what, [...about.given, drawnOf(sent), ['expected', `a thrown ${name}`]]);
  };
  if (refusal === 'TypeError') throws(TypeError, write, what, about);
  else throwsDOMException(refusal, write, what, about);
}

export function drawnOf(bytes: Uint8Array): Fact {
  return ['you returned', drawHead(bytes).join('\n')];
}

const LINE_ENDS = 'Each line of a head ends with \\r\\n, and neither of the two appears alone.';

/** Reads a request that has to be valid HTTP, with no header twice and nothing behind it. */
function readRequest(bytes: unknown): ParsedRequest {
  if (!(bytes instanceof Uint8Array)) fail('Return bytes.', [['you returned', show(bytes)]]);
  const isHttp = (holds: boolean, what: string, cause?: string) => {
    if (!holds) fail(what, [drawnOf(bytes)], cause);
  };
  const text = Buffer.from(bytes).toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  isHttp(end !== -1 || !/[^\r]\n[\w-]+: /.test(text), LINE_ENDS);
  isHttp(end !== -1, 'A head ends with a blank line: \\r\\n\\r\\n.');
  isHttp(end + 4 === text.length, 'Nothing is behind the blank line: a GET has no body.');
  const [line = '', ...lines] = text.slice(0, end).split('\r\n');
  isHttp(!/[\r\n]/.test(line + lines.join('')), LINE_ENDS);
  isHttp(/^[^ ]+ [^ ]+ [^ ]+$/.test(line), 'The request line is three words, with one space each.');
  const headers = new Map<string, string>();
  for (const header of lines) {
    const [name = ''] = header.split(':', 1);
    const isHeader = header.includes(':') && isToken(name);
    isHttp(isHeader, `This line isn’t a header: ${escapeText(header)}`);
    isHttp(!headers.has(name.toLowerCase()), `${name} appears twice.`);
    headers.set(name.toLowerCase(), trimmed(header.slice(name.length + 1)));
  }
  return { line, headers, bytes };
}

/** The items of a list, such as a Connection. */
export function itemsOf({ headers }: ParsedRequest, name: string): string[] {
  return (headers.get(name) ?? '').split(',').map(trimmed);
}
