/** The tables in the text of lesson 07 that say what a function returns: it does. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../shared/course/lessons.ts';
import {
  chooseDeflate,
  DEFLATE,
  parseExtensions,
} from '../../solutions/07-compression/compression.ts';

const text = readFileSync(join(ROOT, 'lessons/07-compression/README.md'), 'utf8');

/** The rows of the table that begins with a row, each as its cells. */
function rowsBelow(head: string): string[][] {
  const [, table = ''] = text.split(`\n${head}\n`);
  const [, ...rows] = /^(?:\|.*\n)+/.exec(table)?.[0].trimEnd().split('\n') ?? [];
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

/** What is marked as code in a cell, with the name of the extension in the place of the dots. */
function codeIn(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(([, code = '']) => code.replace('…', DEFLATE));
}

test('headers have the elements that step 1 says', () => {
  const rows = rowsBelow('| header | elements |');
  expect(rows).toHaveLength(9);
  for (const [headers, says = ''] of rows) {
    for (const header of codeIn(headers)) {
      const items = parseExtensions(header);
      expect(items?.length, header).toBe({ one: 1, two: 2 }[/^\w+/.exec(says)?.[0] ?? '']);
      const [, value] = /the value is `(.*)`/.exec(says) ?? [];
      if (value !== undefined) expect(items?.[0]?.params[0]?.value, header).toBe(value);
    }
  }
});

test('offers get the answers that step 2 says', () => {
  const rows = rowsBelow('| offer | default policy | at most 10 bits in both directions |');
  expect(rows).toHaveLength(7);
  const limits = { serverMaxWindowBits: 10, clientMaxWindowBits: 10 };
  for (const [offer, ...answers] of rows) {
    const offers = parseExtensions(codeIn(offer)[0] ?? '') ?? [];
    const found = [{}, limits].map((policy) => chooseDeflate(offers, policy)?.header);
    expect(found, offer).toEqual(answers.map((answer) => codeIn(answer)[0]));
  }
});
