/** A real proxy in front of one server, as it is in front of a cluster. */
import { findPort, makeFolder, makeProxy, type ProxyName, requireProgram } from './programs.ts';

/**
 * Starts a proxy in front of the server at this port of 127.0.0.1. Returns the port of the proxy,
 * and what ends it. Throws `ProgramError` when it is missing or does not start.
 */
export async function startInFront(
  name: ProxyName,
  port: number,
): Promise<{ port: number; stop: () => Promise<void> }> {
  const path = requireProgram(name);
  const proxy = makeProxy(name, path, makeFolder(), await findPort(), [port]);
  await proxy.start();
  return { port: proxy.port, stop: () => proxy.kill() };
}
