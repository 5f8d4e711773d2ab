/** Step 1: where a URL leads. */
import type { Target } from '../../../solutions/06-client/client.ts';
import { ANY_URL } from './any-url.ts';
import { leadsTo, refusesUrl, to } from './targets.ts';
import type { Scenarios } from './tools.ts';

type UrlScenario = Scenarios[number];

/** A URL, and the one that it means. Of that, everything else can be read. */
type Row = readonly [text: string, expected: Partial<Target> & { readonly url: string }];

/** Each of these URLs leads where it has to. */
function lead(rules: readonly number[], what: string, rows: readonly Row[]): UrlScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const [text, expected] of rows) leadsTo(lesson, text, expected, what);
    },
  };
}

/** Each of these URLs is refused. */
function refuse(rules: readonly number[], what: string, texts: readonly string[]): UrlScenario {
  return {
    what,
    rules,
    check: (lesson) => {
      for (const text of texts) refusesUrl(lesson, text, what);
    },
  };
}

const PORTS: readonly UrlScenario[] = [
  lead([3], 'Take a ws URL apart: what to connect to, the Host header, and the resource.', [
    ['ws://example.com:8080/chat', to('ws://example.com:8080/chat')],
  ]),
  lead([3], 'Without a port, ws goes to 80.', [
    ['ws://example.com/', to('ws://example.com/')],
    ['ws://example.com/chat', to('ws://example.com/chat')],
  ]),
  lead([3], 'With wss, TLS comes first, and the port is 443.', [
    ['wss://example.com/chat', to('wss://example.com/chat')],
  ]),
  lead([3, 17], 'Leave the port out of the Host header if it is the usual one of the scheme.', [
    ['ws://example.com:80/chat', to('ws://example.com/chat')],
    ['wss://example.com:443/chat', to('wss://example.com/chat')],
    ['ws://example.com:/chat', to('ws://example.com/chat')],
    ['ws://example.com:0080/', to('ws://example.com/')],
  ]),
  lead(
    [3, 17],
    'Any other port is in the Host header, and so is the usual one of the other scheme.',
    [
      ['ws://example.com:443/chat', to('ws://example.com:443/chat')],
      ['wss://example.com:80/', to('wss://example.com:80/')],
      ['ws://example.com:65535/', to('ws://example.com:65535/')],
      ['ws://example.com:22/', to('ws://example.com:22/')],
    ],
  ),
  lead([3], 'Port 0 is a port, although nothing can listen there.', [
    ['ws://example.com:0/', to('ws://example.com:0/')],
  ]),
];

const RESOURCES: readonly UrlScenario[] = [
  lead([3], 'Without a path, the resource begins with a slash all the same.', [
    ['ws://example.com', to('ws://example.com/')],
    ['ws://example.com?x=1', to('ws://example.com/?x=1')],
  ]),
  lead([3], 'The query is a part of the resource.', [
    ['ws://example.com/chat?a=1&b=2', to('ws://example.com/chat?a=1&b=2')],
    ['ws://example.com/?a?b/c', to('ws://example.com/?a?b/c')],
    ['ws://example.com/?t=a+b%20c', to('ws://example.com/?t=a+b%20c')],
  ]),
  lead([3], 'A `?` with nothing behind it isn’t a part of the resource.', [
    ['ws://example.com/?', to('ws://example.com/?', { resource: '/' })],
  ]),
  lead([2], 'What is escaped stays escaped: %23 is no fragment, and %0d%0a no line break.', [
    ['ws://example.com/a%23b', to('ws://example.com/a%23b')],
    ['ws://example.com/?x=%23', to('ws://example.com/?x=%23')],
    ['ws://example.com/%0d%0aX-Evil:%201', to('ws://example.com/%0d%0aX-Evil:%201')],
    ['ws://example.com/%zz', to('ws://example.com/%zz')],
  ]),
  lead([3], 'A path stays as it is, but for its dots.', [
    ['ws://example.com//chat', to('ws://example.com//chat')],
    ['ws://example.com/chat;v=1,2', to('ws://example.com/chat;v=1,2')],
    ['ws://example.com/a/../b/./c', to('ws://example.com/b/c')],
  ]),
  lead([4], 'What isn’t ASCII is encoded before it is used.', [
    ['ws://bücher.example/', to('ws://xn--bcher-kva.example/')],
    ['ws://example.com/ä?ö', to('ws://example.com/%C3%A4?%C3%B6')],
  ]),
  lead([4], 'What a request line cannot carry is encoded or gone, line breaks above all.', [
    ['ws://example.com/a b', to('ws://example.com/a%20b')],
    ['ws://example.com/a|b"<>`{}', to('ws://example.com/a|b%22%3C%3E%60%7B%7D')],
    ['ws://example.com/x\r\nX-Evil: 1', to('ws://example.com/xX-Evil:%201')],
    ['ws://example.com/ch\tat', to('ws://example.com/chat')],
    ['ws://example.com/ch\nat', to('ws://example.com/chat')],
    ['  ws://example.com/  ', to('ws://example.com/')],
    ['w\ts://example.com/', to('ws://example.com/')],
  ]),
];

const LONG = 'abc.'.repeat(2000);

const HOSTS: readonly UrlScenario[] = [
  lead([3], 'A resource can be long: there may be a token in it.', [
    [`ws://example.com/?token=${LONG}`, to(`ws://example.com/?token=${LONG}`)],
  ]),
  lead([], 'Scheme and host are the same in any case. A path is not.', [
    ['WS://EXAMPLE.com/Chat', to('ws://example.com/Chat')],
    ['WSS://EXAMPLE.com/Chat', to('wss://example.com/Chat')],
    ['HTTPS://EXAMPLE.com/Chat', to('wss://example.com/Chat')],
  ]),
  lead([17], 'An IPv6 address is in brackets, but not when it is connected to.', [
    ['ws://[::1]:8080/chat', to('ws://[::1]:8080/chat', { host: '::1' })],
    ['ws://[::1]/', to('ws://[::1]/', { host: '::1', port: 80, hostHeader: '[::1]' })],
    ['ws://[2001:DB8:0:0::1]/', to('ws://[2001:db8::1]/', { host: '2001:db8::1', port: 80 })],
  ]),
  lead([], 'An address can be written in other ways, and a name with a dot behind it or a _.', [
    ['ws://127.1:8080/', to('ws://127.0.0.1:8080/')],
    ['ws://0x7f000001/', to('ws://127.0.0.1/')],
    ['ws://example.com./', to('ws://example.com./')],
    ['ws://a_b.example/', to('ws://a_b.example/')],
  ]),
  lead([17], 'A user and a password are in no field but `url`.', [
    [
      'ws://user:pass@example.com/',
      { ...to('ws://example.com/'), url: 'ws://user:pass@example.com/' },
    ],
  ]),
  lead([], 'Read http as ws, and https as wss.', [
    ['http://example.com/chat', to('ws://example.com/chat')],
    ['https://example.com/chat', to('wss://example.com/chat')],
    ['http://example.com:443/', to('ws://example.com:443/')],
    ['https://example.com:443/', to('wss://example.com/')],
    ['https://example.com:80/', to('wss://example.com:80/')],
    ['  http://example.com/', to('ws://example.com/')],
    ['htt\nps://example.com/', to('wss://example.com/')],
  ]),
  lead([], 'What is short of a slash or two, or has the wrong ones, is read as a browser does.', [
    ['ws:example.com/chat', to('ws://example.com/chat')],
    ['ws:/example.com/chat', to('ws://example.com/chat')],
    ['ws:\\\\example.com\\chat', to('ws://example.com/chat')],
    ['ws:///chat', to('ws://chat/')],
  ]),
];

const REFUSED: readonly UrlScenario[] = [
  refuse([1, 6], 'Refuse a fragment.', ['ws://example.com/chat#frag', 'wss://example.com/#a']),
  refuse([1, 6], 'Refuse a fragment that is empty.', [
    'ws://example.com/chat#',
    'ws://h?#',
    'ws://h/# ',
  ]),
  refuse([6], 'Refuse what isn’t a URL by itself.', ['', 'chat', '/chat', '//example.com/chat']),
  refuse([6], 'Refuse another scheme.', ['ftp://example.com/', 'wsx://example.com/', 'file:///a']),
  refuse([6], 'Refuse a URL without a host.', ['ws://', 'ws:']),
  refuse([6], 'Refuse a host that cannot be one.', [
    'ws://exa mple.com/',
    'ws://::1/',
    'ws://[fe80::1%25eth0]/',
  ]),
  refuse([6], 'Refuse a port that cannot be one.', ['ws://h:65536/', 'ws://h:8o/']),
];

export const URLS: Scenarios = [...PORTS, ...RESOURCES, ...HOSTS, ...REFUSED, ANY_URL];
