import { isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import { masked, utf8, wire } from '../../shared/kit/frames.ts';
import { GUID } from '../../shared/protocol.ts';
import { fromHex } from '../../shared/view/hex.ts';
import { ACCEPT_VECTORS, FINGERPRINTS, RFC_ACCEPT } from './accept.ts';
import { PUBLISHED_FRAMES, RFC_FRAMES } from './frames.ts';
import { UTF8_GROUPS } from './utf8.ts';

/** Everything that has an id in the files of vectors, whatever list it's in. */
async function allVectors(): Promise<{ readonly id: string }[]> {
  const modules: object[] = await Promise.all(
    readdirSync(join(ROOT, 'test/vectors'))
      .filter((file) => !file.endsWith('.test.ts'))
      .map((file) => {
        const [name] = file.split('.');
        return import(`./${name}.ts`);
      }),
  );
  const lists = modules.flatMap((module) => Object.values(module)).filter(Array.isArray);
  return lists.flat().filter((item) => typeof item.id === 'string');
}

test('every vector has an id of its own', async () => {
  const ids = (await allVectors()).map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(RFC_FRAMES.map(({ id }) => id)));
  expect(
    ids.filter((id, i) => ids.indexOf(id) !== i),
    'Another vector has this id',
  ).toEqual([]);
});

test('the standard’s pair is the standard’s pair', () => {
  // RFC 6455 §1.3 prints these 20 bytes.
  const digest = 'b37a4f2cc0624f1690f64606cf385945b2bec4ea';
  expect(Buffer.from(RFC_ACCEPT, 'base64').toString('hex')).toBe(digest);
});

test.each(ACCEPT_VECTORS)('$id can be computed', ({ key, accept }) => {
  expect(createHash('sha1').update(`${key}${GUID}`).digest('base64')).toBe(accept);
});

test('no fingerprint is a right answer', () => {
  expect(ACCEPT_VECTORS.filter(({ accept }) => accept in FINGERPRINTS)).toEqual([]);
});

test.each([...RFC_FRAMES, ...PUBLISHED_FRAMES])('$id is what the oracle writes', (vector) => {
  const bytes = fromHex(vector.wire);
  const { fin, opcode, text = '' } = vector.expected;
  const key = vector.expected.masked ? bytes.slice(2, 6) : null;
  expect(wire({ fin, opcode, payload: text, key })).toEqual(bytes);
  if (key) expect(masked(bytes.slice(6), key)).toEqual(utf8(text));
});

test.each(UTF8_GROUPS)('Node agrees about $id', ({ valid, invalid }) => {
  expect(valid.filter((hex) => !isUtf8(fromHex(hex)))).toEqual([]);
  expect(invalid.filter((hex) => isUtf8(fromHex(hex)))).toEqual([]);
});

test('all 132 strings of the Autobahn suite are there', () => {
  expect(UTF8_GROUPS.flatMap(({ valid, invalid }) => [...valid, ...invalid])).toHaveLength(132);
});
