/** Sec-WebSocket-Extensions headers: read the slow, obvious way, and written in short. */
import type {
  ExtensionItem,
  ExtensionParam,
} from '../../../solutions/07-compression/compression.ts';
import { isToken, trimmed } from '../01-handshake/reader.ts';

/** Reads a header. `undefined`: it breaks the grammar, or has no element. */
export function readExtensions(header: string): ExtensionItem[] | undefined {
  const elements = splitAt(',', header).filter((text) => trimmed(text) !== '');
  const items = elements.map(readElement);
  return items.length === 0 || items.includes(undefined) ? undefined : (items as ExtensionItem[]);
}

/** Reads a header that is known to be good. */
export function extensionsOf(header: string): ExtensionItem[] {
  return readExtensions(header)!;
}

function readElement(text: string): ExtensionItem | undefined {
  const [name = '', ...rest] = splitAt(';', text);
  const params = rest.map(readParam);
  if (!isToken(trimmed(name)) || params.includes(undefined)) return undefined;
  return { name: trimmed(name), params: params as ExtensionParam[] };
}

function readParam(text: string): ExtensionParam | undefined {
  const [name = '', ...values] = splitAt('=', text).map(trimmed);
  if (!isToken(name) || values.length > 1) return undefined;
  const [written] = values;
  if (written === undefined) return { name, value: undefined };
  const value = written.startsWith('"') ? withoutQuotes(written) : written;
  return isToken(value) ? { name, value } : undefined;
}

/** Splits a text at a character, but not within quotes. */
function splitAt(separator: string, text: string): string[] {
  const parts = [''];
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') isQuoted = !isQuoted;
    if (character === separator && !isQuoted) parts.push('');
    else parts[parts.length - 1] += character;
    // Whatever follows a backslash in quotes has no other meaning.
    if (character === '\\' && isQuoted) parts[parts.length - 1] += text.charAt(++at);
  }
  return parts;
}

/** Takes away the quotes, and the backslashes within them. Empty: they are not closed at the end. */
function withoutQuotes(written: string): string {
  let value = '';
  for (let at = 1; at < written.length; at++) {
    const character = written.charAt(at);
    if (character === '"') return at === written.length - 1 ? value : '';
    value += character === '\\' ? written.charAt(++at) : character;
  }
  return '';
}

/** The parameters of an offer, or of an answer, in short. */
const NAMES: Readonly<Record<string, string>> = {
  snct: 'server_no_context_takeover',
  cnct: 'client_no_context_takeover',
  smwb: 'server_max_window_bits',
  cmwb: 'client_max_window_bits',
};

/** Writes out what is short: `pmd; smwb=10` is `permessage-deflate; server_max_window_bits=10`. */
export function inFull(short: string): string {
  return short
    .replaceAll(/\bpmd\b/g, 'permessage-deflate')
    .replaceAll(/\b[sc](?:nct|mwb)\b/g, (name) => NAMES[name]!);
}
