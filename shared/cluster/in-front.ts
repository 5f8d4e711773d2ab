/** A real proxy in front of one server, as it is in front of a cluster. */
import {
  findPort,
  makeFolder,
  makeProxy,
  type ProxyName,
  removeFolder,
  requireProgram,
} from './programs.ts';

/**
 * Starts a proxy in front of the server at this port of 127.0.0.1. Returns the port of the proxy,
 * and what ends it. Throws `ProgramError` when it is missing or does not start.
 */
export async function startInFront(
  name: ProxyName,
  port: number,
): Promise<{ port: number; stop: () => Promise<void> }> {
  const path = requireProgram(name);
  const folder = makeFolder();
  const proxy = makeProxy(name, path, folder, await findPort(), [port]);
  const stop = async () => {
    await proxy.kill();
    removeFolder(folder);
  };
  await proxy.start();
  return { port: proxy.port, stop };
}
