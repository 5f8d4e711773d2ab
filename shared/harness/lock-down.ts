/**
 * Takes from code that is checked what it could change the check itself with. What belongs to
 * JavaScript is frozen by Node (`--frozen-intrinsics`); this does the same to what Node adds.
 */
import * as asyncHooks from 'node:async_hooks';
import * as buffer from 'node:buffer';
import * as crypto from 'node:crypto';
import * as diagnostics from 'node:diagnostics_channel';
import * as dns from 'node:dns';
import * as dnsPromises from 'node:dns/promises';
import * as events from 'node:events';
import * as http from 'node:http';
import * as net from 'node:net';
import * as performanceHooks from 'node:perf_hooks';
import * as stream from 'node:stream';
import * as timers from 'node:timers';
import * as promises from 'node:timers/promises';
import * as tls from 'node:tls';
import * as util from 'node:util';
import * as protocol from '../protocol.ts';
import * as todo from '../todo.ts';
import * as check from './check.ts';
import { lockMath } from './random.ts';

/** What a check works with, by the modules that have it. */
const MODULES: readonly object[] = [
  asyncHooks,
  buffer,
  crypto,
  diagnostics,
  dns,
  dnsPromises,
  events,
  http,
  net,
  performanceHooks,
  stream,
  timers,
  promises,
  tls,
  util,
  protocol,
  todo,
  check,
];

/** Globals with which a lesson has nothing to do: ways out of it. */
const TAKEN = ['process', 'fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'Worker'];

/** Globals that Node makes when they are first asked for, and that the checks ask for. */
const MADE_LATE = ['Buffer', 'performance'];

/**
 * Gives each `Buffer` memory of its own: out of one that shares it, code could read what is expected
 * of it, and what the check says. Has to be called before there are any.
 */
export function keepBuffersApart(): void {
  Object.defineProperty(Buffer, 'poolSize', { value: 0, writable: false, configurable: false });
}

/** Locks all of it. What is in `kept` stays, such as `process`. Nothing can undo it. */
export function lockDown(kept: readonly string[]): void {
  const locked = new Set<unknown>();
  for (const module of MODULES) {
    for (const value of Object.values(module)) lock(value, locked);
  }
  // Constants too: a check expects what they say.
  for (const value of Object.values(protocol)) Object.freeze(value);
  for (const name of TAKEN) {
    if (!kept.includes(name)) Reflect.deleteProperty(globalThis, name);
  }
  for (const name of MADE_LATE) {
    const value: unknown = Reflect.get(globalThis, name);
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false });
  }
  lockMath();
  const globals = Object.getOwnPropertyDescriptors(globalThis);
  for (const [name, { value }] of Object.entries(globals)) {
    if (value === undefined) continue;
    if (typeof value === 'function') lock(value, locked);
    Object.defineProperty(globalThis, name, { writable: false, configurable: false });
  }
}

/** Makes the functions of an object unchangeable, and those of all that it inherits from. */
function lock(object: unknown, locked: Set<unknown>): void {
  if (typeof object !== 'function' && (typeof object !== 'object' || object === null)) return;
  if (locked.has(object) || Object.isFrozen(object)) return;
  locked.add(object);
  for (const key of Reflect.ownKeys(object)) {
    const property = Object.getOwnPropertyDescriptor(object, key);
    if (property?.configurable) lockProperty(object, key, property);
  }
  if (typeof object === 'function') lock(object.prototype, locked);
  lock(Object.getPrototypeOf(object), locked);
  Object.preventExtensions(object);
}

/** An object that inherits a function can still have one of its own by that name. */
function lockProperty(object: object, key: PropertyKey, property: PropertyDescriptor): void {
  const { value, enumerable = false } = property;
  if (!('value' in property)) {
    Object.defineProperty(object, key, { configurable: false });
  } else if (typeof value === 'function') {
    Object.defineProperty(object, key, {
      get: () => value,
      set(this: object, own: unknown) {
        if (this === object) throw new TypeError(`The check works with ${String(key)}.`);
        const as = { value: own, writable: true, enumerable: true, configurable: true };
        Object.defineProperty(this, key, as);
      },
      enumerable,
      configurable: false,
    });
  }
}
