/** The client's side of lesson 09 as a module for a page: nothing else of the file comes with it. */
import { rolldown } from 'rolldown';

/** What a module that only a page asks for is called. */
const ENTRY = '\0session';

/** Bundles `ClientSession` of a file, and what it needs, as JavaScript. Rejects when it cannot. */
export async function bundleSession(file: string): Promise<string> {
  const bundle = await rolldown({
    input: ENTRY,
    platform: 'browser',
    logLevel: 'silent',
    // A page has nothing of Node, and what is not needed there is left out, whatever it would do.
    treeshake: {
      moduleSideEffects: false,
      unknownGlobalSideEffects: false,
      manualPureFunctions: ['Buffer', 'process'],
    },
    plugins: [
      {
        name: 'session',
        resolveId(id) {
          if (id === ENTRY) return id;
          if (id.startsWith('node:')) return { id, external: true, moduleSideEffects: false };
          return undefined;
        },
        load(id) {
          return id === ENTRY
            ? `export { ClientSession } from ${JSON.stringify(file)};`
            : undefined;
        },
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  return output[0].code;
}
