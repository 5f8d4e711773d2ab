/** Categories 12 and 13: compressed messages, of many sizes and with many parameters. RFC 7692 */
import type { Case, Category } from '../case.ts';
import { expectReply } from '../expect.ts';
import type { DeflateParams } from '../extensions.ts';
import { finish } from '../script.ts';
import type { Terms } from '../stage.ts';
import { binary, echoOf, text } from '../vocabulary.ts';
import { CORPORA, slice } from './corpora.ts';

/** How long the messages of a case are, and the size of their fragments. 0: there are none. */
const SHAPES: readonly (readonly [length: number, fragment: number])[] = [
  ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map(
    (length) => [length, 0] as const,
  ),
  ...[8192, 16_384, 32_768, 65_536, 131_072].map((length) => [length, 256] as const),
  [131_072, 1024],
  [131_072, 4096],
  [131_072, 32_768],
];

/** How many messages a case has. */
const ALL_MESSAGES = 1000;
/** So many will do, most of the time: fewer where they are long. */
const countFor = (length: number) => (length <= 4096 ? 30 : length <= 32_768 ? 10 : 5);

/** A family of cases: what their messages are cut out of, and what is agreed on. */
interface Family {
  readonly id: string;
  readonly about: string;
  readonly unit: 'characters' | 'bytes';
  readonly data: () => string | Uint8Array;
  readonly terms: Terms;
}

/** The offer of Autobahn, with something more, and its answers to a client. */
const terms = (more: string, ...answers: readonly DeflateParams[]): Terms => ({
  offer: BASE + more,
  answers,
});
const BASE = 'permessage-deflate; client_no_context_takeover; client_max_window_bits';
const PLAIN = terms('', {});

/** A case in which messages are echoed, each before the next is sent. */
function echoed(
  { id, about, unit, data, terms }: Family,
  [length, size]: readonly [number, number],
  at: number,
) {
  const few = countFor(length);
  const cut = size > 0 ? `, in fragments of ${size} bytes` : '';
  const run: Case['run'] = async (stage) => {
    const endpoint = await stage.openDeflate(terms);
    const all = data();
    for (let i = 0; i < (stage.full ? ALL_MESSAGES : few); i++) {
      const part = slice(all, i * length, length);
      const message = typeof part === 'string' ? text(part) : binary(part);
      await endpoint.send(await endpoint.pack(message, size));
      await expectReply(endpoint, echoOf(message), `Message ${i + 1}: `);
    }
    return finish(endpoint);
  };
  return {
    id: `${id}.${at + 1}`,
    title: `${about}: ${length} ${unit}${cut}`,
    section: 'RFC 7692 §7.2',
    expected: 'Each message again, then Close 1000.',
    run,
  };
}

const cases = (families: readonly Family[]): Case[] =>
  families.flatMap((family) => SHAPES.map((shape, at) => echoed(family, shape, at)));

const DATA: readonly Family[] = [
  { id: '12.1', about: 'JSON', unit: 'characters', data: CORPORA.json, terms: PLAIN },
  { id: '12.2', about: 'A bitmap', unit: 'bytes', data: CORPORA.bitmap, terms: PLAIN },
  { id: '12.3', about: 'Prose, sent as bytes', unit: 'bytes', data: CORPORA.prose, terms: PLAIN },
  { id: '12.4', about: 'HTML', unit: 'characters', data: CORPORA.html, terms: PLAIN },
  { id: '12.5', about: 'Little to compress', unit: 'bytes', data: CORPORA.noise, terms: PLAIN },
];

/** By what a client hears of its own side, and what a server is asked for. */
const FORGET: DeflateParams = { client_no_context_takeover: true };
const BEST = { ...FORGET, client_max_window_bits: 9 };
const PARAMETERS: readonly (readonly [about: string, terms: Terms])[] = [
  ['Defaults', PLAIN],
  ['No takeover', terms('; server_no_context_takeover', FORGET)],
  ['9 bits', terms('; server_max_window_bits=9', { client_max_window_bits: 9 })],
  ['15 bits', terms('; server_max_window_bits=15', { client_max_window_bits: 15 })],
  ['No takeover, 9 bits', terms('; server_no_context_takeover; server_max_window_bits=9', BEST)],
  [
    'No takeover, 15 bits',
    terms('; server_no_context_takeover; server_max_window_bits=15', {
      ...FORGET,
      client_max_window_bits: 15,
    }),
  ],
  [
    'Three offers',
    terms(
      `; server_no_context_takeover; server_max_window_bits=9, ${BASE}; server_no_context_takeover, ${BASE}`,
      BEST,
      FORGET,
      {},
    ),
  ],
];

export const COMPRESSION: readonly Category[] = [
  { id: '12', title: 'Compression: data', patience: 4, cases: cases(DATA) },
  {
    id: '13',
    title: 'Compression: parameters',
    patience: 4,
    cases: cases(
      PARAMETERS.map(([about, terms], i) => ({
        id: `13.${i + 1}`,
        about,
        unit: 'characters',
        data: CORPORA.json,
        terms,
      })),
    ),
  },
];
