/** UTF-8, right and wrong: the strings of categories 6.5–6.23 of the Autobahn test suite. */

/** Strings of one kind. The ids of its strings are `id.1`, `id.2` and so on: valid ones first. */
export interface Utf8Group {
  readonly id: string;
  readonly what: string;
  /** As hex. */
  readonly valid: readonly string[];
  readonly invalid: readonly string[];
}

const hexes = (text: string): string[] => text.trim().split(/\s+/);

export const UTF8_GROUPS: readonly Utf8Group[] = [
  {
    id: 'utf8-6.5',
    what: 'characters of one to four bytes',
    valid: hexes(`
      68656c6c6f24776f726c64 68656c6c6fc2a2776f726c64 68656c6c6fe282ac776f726c64
      68656c6c6ff0a4ada2776f726c64 cebae1bdb9cf83cebcceb5
    `),
    invalid: [],
  },
  {
    id: 'utf8-6.6',
    what: 'beginnings of "κόσμε": right only where a character ends',
    valid: hexes(`
      ceba cebae1bdb9 cebae1bdb9cf83 cebae1bdb9cf83cebc cebae1bdb9cf83cebcceb5
    `),
    invalid: hexes(`
      ce cebae1 cebae1bd cebae1bdb9cf cebae1bdb9cf83ce cebae1bdb9cf83cebcce
    `),
  },
  {
    id: 'utf8-6.7',
    what: 'the first character of each length',
    valid: hexes(`
      00 c280 e0a080 f0908080
    `),
    invalid: [],
  },
  {
    id: 'utf8-6.8',
    what: 'forms of five and six bytes',
    valid: [],
    invalid: hexes(`
      f888808080 fc8480808080
    `),
  },
  {
    id: 'utf8-6.9',
    what: 'the last character of each length',
    valid: hexes(`
      7f dfbf efbfbf f48fbfbf
    `),
    invalid: [],
  },
  {
    id: 'utf8-6.10',
    what: 'beyond U+10FFFF',
    valid: [],
    invalid: hexes(`
      f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf
    `),
  },
  {
    id: 'utf8-6.11',
    what: 'at the boundaries of what is allowed',
    valid: hexes(`
      ed9fbf ee8080 efbfbd f48fbfbf
    `),
    invalid: hexes(`
      f4908080
    `),
  },
  {
    id: 'utf8-6.12',
    what: 'continuation bytes alone',
    valid: [],
    invalid: hexes(`
      80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf
      808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbe
    `),
  },
  {
    id: 'utf8-6.13',
    what: 'start bytes alone, each before a space',
    valid: [],
    invalid: hexes(`
      c020c120c220c320c420c520c620c720c820c920ca20cb20cc20cd20ce20cf20d020d120d220d320d420d520d620d720d820d920da20db20dc20dd20de20
      e020e120e220e320e420e520e620e720e820e920ea20eb20ec20ed20ee20
      f020f120f220f320f420f520f620 f820f920fa20 fc20
    `),
  },
  {
    id: 'utf8-6.14',
    what: 'the last continuation byte missing',
    valid: [],
    invalid: hexes(`
      c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf
    `),
  },
  {
    id: 'utf8-6.15',
    what: 'all of those in a row',
    valid: [],
    invalid: hexes(`
      c0e080f08080f8808080fc80808080dfefbff7bfbffbbfbfbffdbfbfbfbf
    `),
  },
  {
    id: 'utf8-6.16',
    what: 'bytes that UTF-8 never has',
    valid: [],
    invalid: hexes(`
      fe ff fefeffff
    `),
  },
  {
    id: 'utf8-6.17',
    what: '"/" in more bytes than it needs',
    valid: [],
    invalid: hexes(`
      c0af e080af f08080af f8808080af fc80808080af
    `),
  },
  {
    id: 'utf8-6.18',
    what: 'the longest of such overlong forms',
    valid: [],
    invalid: hexes(`
      c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf
    `),
  },
  {
    id: 'utf8-6.19',
    what: 'NUL in more bytes than it needs',
    valid: [],
    invalid: hexes(`
      c080 e08080 f0808080 f880808080 fc8080808080
    `),
  },
  {
    id: 'utf8-6.20',
    what: 'halves of surrogate pairs',
    valid: [],
    invalid: hexes(`
      eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf
    `),
  },
  {
    id: 'utf8-6.21',
    what: 'surrogate pairs, each half by itself',
    valid: [],
    invalid: hexes(`
      eda080edb080 eda080edbfbf edadbfedb080 edadbfedbfbf edae80edb080 edae80edbfbf
      edafbfedb080 edafbfedbfbf
    `),
  },
  {
    id: 'utf8-6.22',
    what: 'code points that are not characters, yet valid',
    valid: hexes(`
      efbfbe efbfbf f09fbfbe f09fbfbf f0afbfbe f0afbfbf f0bfbfbe f0bfbfbf f18fbfbe f18fbfbf
      f19fbfbe f19fbfbf f1afbfbe f1afbfbf f1bfbfbe f1bfbfbf f28fbfbe f28fbfbf f29fbfbe
      f29fbfbf f2afbfbe f2afbfbf f2bfbfbe f2bfbfbf f38fbfbe f38fbfbf f39fbfbe f39fbfbf
      f3afbfbe f3afbfbf f3bfbfbe f3bfbfbf f48fbfbe f48fbfbf
    `),
    invalid: [],
  },
  {
    id: 'utf8-6.23',
    what: 'specials, valid',
    valid: hexes(`
      efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf
    `),
    invalid: [],
  },
];
