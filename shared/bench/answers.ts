/** What the process of a server answers, whatever runs it. */
import type { Session } from 'node:inspector/promises';
import { cpuNow, type Job, type Memory, type Question } from './messages.ts';
import { type Summary, summarize } from './profile.ts';

/** How often the profiler looks where the program is, in microseconds. */
const LOOK_US = 200;

let session: Session | undefined;

async function startProfile(): Promise<true> {
  const { Session } = await import('node:inspector/promises');
  session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: LOOK_US });
  await session.post('Profiler.start');
  return true;
}

async function endProfile(): Promise<Summary> {
  const { profile } = await session!.post('Profiler.stop');
  // Only now, since a debugger makes everything slow.
  await session!.post('Debugger.enable');
  const sources = new Map<string, string>();
  for (const { callFrame } of profile.nodes) {
    const { scriptId, url } = callFrame;
    if (!url.startsWith('file:') || sources.has(scriptId)) continue;
    const { scriptSource } = await session!.post('Debugger.getScriptSource', { scriptId });
    sources.set(scriptId, scriptSource);
  }
  session!.disconnect();
  return summarize(profile, (scriptId) => sources.get(scriptId) ?? '');
}

function memory(): Memory {
  // Twice: what the first run lets go of, the second collects.
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { memoryBytes: process.versions.bun ? rss : heapUsed + external, processBytes: rss };
}

/** Says where the server listens, and answers from then on. `setJob` is told what to do. */
export function answer(port: number, setJob: (job: Job) => void): void {
  const answers: Record<Question, () => unknown> = {
    echo: () => setJob('echo'),
    broadcast: () => setJob('broadcast'),
    cpu: cpuNow,
    memory,
    'start profile': startProfile,
    'end profile': endProfile,
  };
  process.on('message', async (question: Question) => {
    process.send?.((await answers[question]()) ?? true);
  });
  process.on('disconnect', () => process.exit());
  process.send?.({ port });
}
