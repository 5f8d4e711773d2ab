/** Step 4: the headers of WebSocket. */
import { equal, throws } from '../../../shared/harness/check.ts';
import { HandshakeError } from '../../../shared/protocol.ts';
import type { Upgrade } from '../../../solutions/01-handshake/handshake.ts';
import { RFC_KEY } from '../../vectors/accept.ts';
import { accepts, refuses, type UpgradeScenario } from './check-upgrade.ts';
import {
  type Change,
  drawRequest,
  headOf,
  RFC_REQUEST,
  RFC_UPGRADE,
  replace,
  without,
} from './requests.ts';

const KEY = 'Sec-WebSocket-Key';
const VERSION = 'Sec-WebSocket-Version';
const PROTOCOL = 'Sec-WebSocket-Protocol';

/** The changed request asks for what that of the standard does, but for what `differs` has. */
function acceptsAll(
  rules: readonly number[],
  request: string,
  change: Change,
  differs: Partial<Upgrade> = {},
): UpgradeScenario {
  return accepts(rules, request, change, { ...RFC_UPGRADE, ...differs });
}

const ACCEPTED: readonly UpgradeScenario[] = [
  acceptsAll([34], 'the request of RFC 6455 §1.2', (lines) => [...lines]),
  acceptsAll(
    [40],
    'a key whose unused bits are not 0, from RFC 6455 §4.1',
    replace(KEY, 'AQIDBAUGBwgJCgsMDQ4PEC=='),
    { key: 'AQIDBAUGBwgJCgsMDQ4PEC==' },
  ),
  acceptsAll([], 'no Origin: it isn’t a browser', without('Origin'), { origin: undefined }),
  acceptsAll([], 'no subprotocols', without(PROTOCOL), { protocols: [] }),
  acceptsAll([64], 'two lines of subprotocols', replace(PROTOCOL, 'chat', 'superchat')),
  acceptsAll(
    [43],
    'an offer of compression',
    replace('Sec-WebSocket-Extensions', 'permessage-deflate'),
  ),
];

const REFUSED: readonly UpgradeScenario[] = [
  refuses(426, [35, 41, 47, 60], 'a request without version', without(VERSION)),
  refuses(426, [35, 41, 47, 60], 'version 8', replace(VERSION, '8')),
  refuses(426, [35, 41, 47, 60], 'version 12', replace(VERSION, '12')),
  refuses(426, [35, 41, 47, 60], 'version 130', replace(VERSION, '130')),
  refuses(400, [35, 65], 'two versions', replace(VERSION, '13', '13')),
  refuses(400, [35, 40], 'a request without key', without(KEY)),
  refuses(400, [35, 40], 'an empty key', replace(KEY, '')),
  refuses(400, [35, 40], 'a key of 2 bytes', replace(KEY, 'abc=')),
  refuses(400, [35, 40], 'a key of 15 bytes', replace(KEY, 'AQIDBAUGBwgJCgsMDQ4P')),
  refuses(400, [35, 40], 'a key of 17 bytes', replace(KEY, 'AQIDBAUGBwgJCgsMDQ4PEBE=')),
  refuses(
    400,
    [35, 40],
    'a key of 24 characters that is not base64',
    replace(KEY, 'dGhlIHNhbX!sZSBub25jZQ=='),
  ),
  refuses(400, [35, 40], 'a key in base64url', replace(KEY, 'dGhlIHNhbX-sZSBub25jZQ==')),
  refuses(400, [35, 40], 'a key with text before it', replace(KEY, `x ${RFC_KEY}`)),
  refuses(400, [35, 40], 'a key with text after it', replace(KEY, `${RFC_KEY} x`)),
  refuses(400, [35, 61], 'two keys', replace(KEY, RFC_KEY, RFC_KEY)),
  refuses(400, [35], 'two Origins', replace('Origin', 'http://a.example', 'http://b.example')),
  refuses(
    400,
    [35],
    'the same Origin twice',
    replace('Origin', 'http://a.example', 'http://a.example'),
  ),
  refuses(400, [35], 'a subprotocol that isn’t a token', replace(PROTOCOL, 'chat, super chat')),
  refuses(
    400,
    [35],
    'a subprotocol that appears twice',
    replace(PROTOCOL, 'chat, superchat, chat'),
  ),
];

const EMPTY_ITEM: UpgradeScenario = {
  what: 'Skip an empty item in the subprotocols, or refuse it: it isn’t a name.',
  rules: [35, 64],
  check: ({ checkUpgrade }) => {
    const lines = replace(PROTOCOL, 'chat,, superchat')(RFC_REQUEST);
    const skipOrRefuse = () => {
      try {
        return checkUpgrade(headOf(lines));
      } catch (error) {
        if (error instanceof HandshakeError && error.status === 400) return RFC_UPGRADE;
        throw error;
      }
    };
    equal(skipOrRefuse, RFC_UPGRADE, EMPTY_ITEM.what, { given: [drawRequest(lines)] });
  },
};

/** Whether that is a version that is repeated, or none that we speak, is for the server to say. */
const TWO_VERSIONS: UpgradeScenario = {
  what: 'Refuse two versions in one line.',
  rules: [35],
  check: ({ checkUpgrade }) => {
    const lines = replace(VERSION, '8, 13')(RFC_REQUEST);
    const about = { given: [drawRequest(lines)] };
    throws(Error, () => checkUpgrade(headOf(lines)), 'Refuse two versions in one line.', about);
  },
};

export const WEBSOCKET_HEADERS: readonly UpgradeScenario[] = [
  ...ACCEPTED,
  ...REFUSED,
  EMPTY_ITEM,
  TWO_VERSIONS,
];
