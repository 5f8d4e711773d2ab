/** Why a file could not be loaded. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ROOT } from '../course/lessons.ts';
import { placeOf } from '../course/place.ts';
import { CheckFailure } from './check.ts';
import { thrown } from './crash.ts';
import type { Failure } from './facts.ts';
import { toFailure } from './run.ts';
import { show } from './show.ts';

/**
 * Says why a file could not be loaded: it does not parse, lacks an import, or threw on the way. Paths
 * are told as they are from `root`, that of the project or of a copy.
 */
export function toLoadFailure(error: unknown, file: string, root = ROOT): Failure {
  if (error instanceof CheckFailure) return toFailure(error);
  const [, path, line, message] =
    /^SyntaxError: (.+\.ts):(\d+):\d+: (.*)/.exec(String(error)) ?? [];
  if (path) {
    // It may be a file that this one imports.
    const bad = relative(root, path).replaceAll('\\', '/');
    return notParsed(bad, `Line ${line}: ${message}.`, readFileSync(join(root, bad)));
  }
  if (error instanceof Error && !placeOf(error)) return notLinked(error, file);
  return { kind: 'crash', what: `${file} threw while it was loaded.`, facts: thrown(error) };
}

function notParsed(file: string, complaint: string, bytes: Uint8Array): Failure {
  // In UTF-16, every other byte of English text is 0.
  if (isUtf8(bytes) && !bytes.includes(0)) {
    return { kind: 'crash', what: `${file} does not parse. ${complaint}`, facts: [] };
  }
  const cause = 'Your editor has another encoding, such as UTF-16. Save it as UTF-8.';
  return { kind: 'crash', what: `${file} is not UTF-8.`, facts: [], cause };
}

/** None of its lines has run yet: something that it imports is not there. */
function notLinked(error: Error, file: string): Failure {
  const name = /does not provide an export named '(.+)'/.exec(error.message)?.[1];
  return {
    kind: 'crash',
    what: `${file} cannot be loaded.`,
    facts: [['it says', show(error)]],
    ...(name && { cause: `If that is a type, import it as one: \`import type { ${name} }\`.` }),
  };
}
