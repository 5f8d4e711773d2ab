/** What can be done to a running program of Node, by nothing but frames with JSON in them. */
import { count } from '../view/count.ts';
import type { Scene } from './scene.ts';

export const NODE_TOUR: readonly Scene[] = [
  {
    title: 'It evaluates an expression, as the console does',
    play: async (debuggee) => `6 * 7 is ${await debuggee.evaluate('6 * 7')}.`,
  },
  {
    title: 'It changes a value, while the program is running',
    play: async (debuggee) => {
      const before = await debuggee.evaluate('price.apple');
      const after = await debuggee.evaluate('price.apple = 99; price.apple');
      return `An apple has cost ${before}, and now it is ${after}.`;
    },
  },
  {
    title: 'It waits for a promise',
    play: async (debuggee) => {
      const promise = "new Promise((resolve) => setTimeout(resolve, 100, 'later'))";
      return `The promise has resolved with ${JSON.stringify(await debuggee.evaluate(promise))}.`;
    },
  },
  {
    title: 'It hears what the program says on its console',
    play: async (debuggee) => {
      await debuggee.request('Runtime.enable');
      void debuggee.evaluate("console.log('你好')").catch(() => {});
      const { args } = await debuggee.next('Runtime.consoleAPICalled');
      return `An event: console.log has said ${args[0].value}`;
    },
  },
  {
    title: 'It stops the program, and lets it go on',
    play: async (debuggee) => {
      await debuggee.request('Debugger.enable');
      const scripts = debuggee.takeAll('Debugger.scriptParsed').length;
      await debuggee.request('Debugger.pause');
      const { callFrames } = await debuggee.next('Debugger.paused');
      await debuggee.request('Debugger.resume');
      await debuggee.request('Debugger.disable');
      const [{ functionName = '' } = {}] = callFrames;
      const where = functionName || 'a function without a name';
      return `It knows ${count(scripts, 'script')}. The program stopped in ${where}, and went on.`;
    },
  },
  {
    title: 'It looks at where the time goes',
    play: async (debuggee) => {
      await debuggee.request('Profiler.enable');
      await debuggee.request('Profiler.start');
      await debuggee.evaluate('for (let i = 0; i < 500; i++) addUpBill()');
      const { profile } = await debuggee.request('Profiler.stop');
      const nodes: readonly Sampled[] = profile.nodes;
      const [first] = nodes
        .filter(({ callFrame }) => callFrame.url.startsWith('file:'))
        .toSorted((a, b) => (b.hitCount ?? 0) - (a.hitCount ?? 0));
      return `Most of its time goes to ${first?.callFrame.functionName}.`;
    },
  },
  {
    title: 'It takes a picture of all that is in memory',
    play: async (debuggee) => {
      await debuggee.request('HeapProfiler.takeHeapSnapshot');
      const chunks = debuggee.takeAll('HeapProfiler.addHeapSnapshotChunk');
      const { snapshot } = JSON.parse(chunks.map(({ chunk }) => chunk).join(''));
      return `${count(snapshot.node_count, 'object')}, told in ${count(chunks.length, 'frame')}.`;
    },
  },
];

/** A function in a profile, and how often it was found at work. */
interface Sampled {
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly hitCount?: number;
}
