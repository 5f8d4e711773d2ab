/** Keys and the accept values that belong to them, and what a wrong one tells. */

/** A key that somebody published or that is at a boundary, and its accept value. */
export interface AcceptVector {
  readonly id: string;
  readonly source: string;
  readonly key: string;
  readonly accept: string;
}

/** The example of RFC 6455 §1.3. */
export const RFC_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const RFC_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

export const ACCEPT_VECTORS: readonly AcceptVector[] = [
  {
    id: 'accept-rfc',
    source: 'RFC 6455 §1.3',
    key: RFC_KEY,
    accept: RFC_ACCEPT,
  },
  {
    id: 'accept-wikipedia',
    source: 'Wikipedia, WebSocket',
    key: 'x3JJHMbDL1EzLkh9GBhXDw==',
    accept: 'HSmrc0sMlYUkAGmm5OPpG2HaGWk=',
  },
  {
    id: 'accept-chrome',
    source: 'a request of Chrome, from a blog',
    key: 'PCD+pA79juC6tlBK9zD3Vw==',
    accept: '8+5CLWTBYLARKoxBxS5uk6s6zZo=',
  },
  {
    id: 'accept-chrome-2',
    source: 'a second request of Chrome, from a blog',
    key: 'e+D+Ox4LvEbt42S7lC4Y+A==',
    accept: '/N7sHIZ5fSMYWTfwxodsjCG2TsQ=',
  },
  {
    id: 'accept-javascript-info',
    source: 'javascript.info/websocket',
    key: 'Iv8io/9s+lYFgZWcXczP8Q==',
    accept: 'hsBlbuDTkk24srzEOTBUlZAlC2g=',
  },
  {
    id: 'accept-readable',
    source: 'codeguessing.gay',
    key: 'Some16ByteBase64NonceA==',
    accept: '9WOgMTgkwOaUOmn9o5tTgvhZ2SA=',
  },
  {
    id: 'accept-rfc-4.1',
    source: 'RFC 6455 §4.1, with unused bits set',
    key: 'AQIDBAUGBwgJCgsMDQ4PEC==',
    accept: 'OfS0wDaT5NoxF2gqm7Zj2YtetzM=',
  },
  {
    id: 'accept-1-to-16',
    source: 'the bytes 01 to 10',
    key: 'AQIDBAUGBwgJCgsMDQ4PEA==',
    accept: 'C/0nmHhBztSRGR1CwL6Tf4ZjwpY=',
  },
  {
    id: 'accept-guide',
    source: 'the prettydiff guide to WebSockets',
    key: 'XLv1J5/+Jp2lsQep9ayoMg==',
    accept: 'WV5nyKPHZDDrvR0jJkZamJFYKMs=',
  },
  {
    id: 'accept-so-12295929',
    source: 'Stack Overflow 12295929',
    key: 'ph1CO1PCF60uojeP+nql5A==',
    accept: 'Z2Vy9p7Lp+MZPdZOe+L5GhVBDpc=',
  },
  {
    id: 'accept-so-7908306',
    source: 'Stack Overflow 7908306',
    key: 'oqFCBULD7k+BM41Bc3VEeA==',
    accept: 'TlKc0Ck7WpqsLhMm/QXABMQWARk=',
  },
  {
    id: 'accept-python-websockets',
    source: 'python-websockets#1638',
    key: 'DSIhUE/XTvIxAia/1SfpgA==',
    accept: 'n/K7yPleVJcb50uPAc77xCd6DCU=',
  },
  {
    id: 'accept-zeros',
    source: 'sixteen bytes 00',
    key: 'AAAAAAAAAAAAAAAAAAAAAA==',
    accept: 'ICX+Yqv66kxgM0FcWaLWlFLwTAI=',
  },
  {
    id: 'accept-ones',
    source: 'sixteen bytes ff',
    key: '/////////////////////w==',
    accept: 'XXpj4jYzLM2yUE0C7TIgMwTQh2g=',
  },
];

/** A wrong accept value for `RFC_KEY` → the mistake that leads to it. */
export const FINGERPRINTS: Readonly<Record<string, string>> = {
  'BXhwxM0SZasKmCD9S4BfpPmCnEw=':
    'You base64-decoded the key first. Hash its text, the 24 characters as they came.',
  'YjM3YTRmMmNjMDYyNGYxNjkwZjY0NjA2Y2YzODU5NDViMmJlYzRlYQ==':
    'That is the base64 of the hex digest. Take base64 of the 20 bytes themselves.',
  b37a4f2cc0624f1690f64606cf385945b2bec4ea: 'That is the hex digest. It has to be base64.',
  's3pPLMBiTxaQ9kYGzzhZRbK-xOo': 'That is base64url without padding. It has to be plain base64.',
  'WJfwerbIozKsJXHxxI0JTO1SQgU=': 'The GUID is in lower case. Its letters are capitals.',
  '2OZf2Seed9yzIpkj+zvC9KS9Mjw=': 'The GUID comes first. The key comes first, the GUID after it.',
  'hHLtf2V1k8aDQZfNjw3Ia1hCwt0=': 'You hashed the key alone, without the GUID.',
  'Kfh9QIsMVZcl6xEPYxPHzW8SZ8w=': 'You hashed the GUID alone, without the key.',
  'gH2cR3x4MfGXKljgIwL3fMYv0sY=': 'The key was `undefined` when you hashed it.',
  'CPa0COphauzHUG76L+nWjWRLkdA=': 'The key was `null` when you hashed it.',
  'zvnId+CMmoYWpbuFiCx6kU/bpAw=': 'The key has a carriage return, \\r, at its end.',
  'kex8Ji4w0ek1Mc3Dwcf4mOpf5b4=': 'The key has a line end, \\r\\n, at its end.',
  's3mCG3XUBfFRrUGpYOBQiHm5i8g=': 'The key has a space before it.',
  'CAV2rT4szLbzEtluVJbfjB7GFPY=': 'The key was turned to lower case. In base64, case matters.',
  'bTDy/mAkJp3FWz34b2rLauQ1T6E=': 'The key was turned to upper case. In base64, case matters.',
  'RZWuh2JK/hL0RMgTNJFfZIAppXg=': 'The `==` at the end of the key is missing. It is hashed too.',
  'c8qeCxwB8sJPxkSckeL76bKL7f642+KYzDiR7EbKyTY=': 'That is SHA-256. It has to be SHA-1.',
  'fI/F95pFHyUax3HLt0ktmQ==': 'That is MD5. It has to be SHA-1.',
  'VItzKoTOxM89ZkhtW9idPYR/BMs=': 'The last character of the GUID is missing.',
  'nTA+yPr9MOjckb8bzjUbkni31Hk=':
    'That GUID is made up, though many copy it. It is GUID in shared/protocol.ts.',
  ZEdobElITmhiWEJzWlNCdWIyNWpaUT09MjU4RUFGQTUtRTkxNC00N0RBLTk1Q0EtQzVBQjBEQzg1QjEx:
    'That is base64 without any hash. SHA-1 comes first.',
  'eic3HqZZeF7gOEoX18UiLIBreCM=': 'The key was cut after 10 characters.',
};
