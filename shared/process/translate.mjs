// @ts-check
/** TypeScript as JavaScript. The types are not looked at: they are only taken out. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { transformSync } from 'rolldown/utils';

/**
 * Translates the source of a module. Throws `SyntaxError` when it does not parse; its message
 * begins with the place, such as `/…/reading.ts:12:5: `.
 *
 * @param {string} file the path of the module
 * @param {string} source
 * @param {boolean} [withMap] Is there a source map at the end, so that Node finds the lines of a stack?
 * @param {boolean} [isForFile] Does it go to a file of its own, beside others, all with the end `.js`?
 * @returns {string}
 */
export function toJavaScript(file, source, withMap = false, isForFile = false) {
  const { code, map, errors } = transformSync(file, source, {
    lang: 'ts',
    tsconfig: false,
    typescript: { onlyRemoveTypeImports: true, rewriteImportExtensions: isForFile },
    sourcemap: withMap,
  });
  // Its types leave out where that is, and so does it in a file that isn't text.
  const [error] = /** @type {(Error & { loc?: { line: number, column: number } })[]} */ (errors);
  if (error) {
    const { line, column } = error.loc ?? { line: 1, column: 0 };
    const [title = ''] = stripVTControlCharacters(error.message).split('\n');
    throw new SyntaxError(`${file}:${line}:${column + 1}: ${title.replace(/^\[\w+\] |\.$/g, '')}`);
  }
  if (!map) return code;
  // Without the source itself: Node decodes each map as it loads a module, and reads few of them.
  const json = JSON.stringify({ ...map, sourcesContent: undefined });
  const data = Buffer.from(json).toString('base64');
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${data}\n`;
}

/**
 * Loads a module, as Node asks for it: a hook of its loader.
 *
 * @param {string} url
 * @param {import('node:module').LoadHookContext} context
 * @param {(url: string, context: import('node:module').LoadHookContext) => any} next
 */
export function load(url, context, next) {
  if (!/^file:[^?#]*\.ts(?:[?#]|$)/.test(url)) return next(url, context);
  const file = fileURLToPath(url);
  const source = toJavaScript(file, readFileSync(file, 'utf8'), true);
  return { format: 'module', source, shortCircuit: true };
}
