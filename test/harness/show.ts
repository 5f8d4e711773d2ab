/** Values, written so that a person reads them. */
import { quote, toHex } from '../../shared/hex.ts';
import { HandshakeError, ProtocolError } from '../../shared/protocol.ts';
import { preview } from '../../shared/wire.ts';

const MAX_BYTES = 20;
const MAX_ITEMS = 8;

/** Writes any value on one line: bytes as hex with their text, strings with `\r\n` visible. */
export function show(value: unknown, depth = 0): string {
  if (typeof value === 'string') return clip(quote(value));
  if (typeof value === 'function') return `the function ${value.name || 'without a name'}`;
  if (typeof value === 'bigint') return `${value}n`;
  if (value === null || typeof value !== 'object') return String(value);
  if (value instanceof Uint8Array) return showBytes(value);
  if (value instanceof Error) return showError(value);
  if (depth > 3) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, MAX_ITEMS).map((item) => show(item, depth + 1));
    if (value.length > MAX_ITEMS) items.push(`… ${value.length} in all`);
    return `[${items.join(', ')}]`;
  }
  if (value instanceof Map) return `Map ${show(Object.fromEntries(value), depth)}`;
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${show(field, depth + 1)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function showBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'no bytes';
  const hex = toHex(bytes, MAX_BYTES);
  const size = bytes.length > MAX_BYTES ? ` (${bytes.length} bytes)` : '';
  const text = preview(bytes.subarray(0, MAX_BYTES));
  return text.startsWith('"') && !text.includes('\\u') ? `${hex}${size}  ${text}` : hex + size;
}

function showError(error: Error): string {
  if (error instanceof ProtocolError) return `ProtocolError ${error.closeCode}: ${error.message}`;
  if (error instanceof HandshakeError) return `HandshakeError ${error.status}: ${error.message}`;
  return clip(`${error.name}: ${error.message}`);
}

function clip(text: string): string {
  return text.length > 600 ? `${text.slice(0, 600)}… (${text.length} characters)` : text;
}
