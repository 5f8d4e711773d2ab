// @ts-check
/**
 * Lets a process load TypeScript: `node --import ./shared/process/typescript.mjs echo.ts`, or an
 * `import` of this file before one of a `.ts` file.
 */
import module from 'node:module';

process.setSourceMapsEnabled(true);
// Where Node can ask in this thread, that takes less time. The types are those of Node 20.
if ('registerHooks' in module) {
  const { load } = await import('./translate.mjs');
  /** @type {any} */ (module).registerHooks({ load });
} else {
  module.register('./translate.mjs', import.meta.url);
}
