/** Step 9: TLS, and a proxy in front. */
import { PROXIED } from './front-proxy.ts';
import { OVER_TLS } from './front-tls.ts';
import type { Scenarios } from './tools.ts';

export const FRONT: Scenarios = [...OVER_TLS, ...PROXIED];
