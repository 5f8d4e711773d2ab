/** Where the time of a server goes, from what the profiler of V8 has seen. */

/** What V8 has seen: how often it found the program in which function, and on which of its lines. */
export interface Profile {
  readonly nodes: readonly {
    readonly callFrame: {
      readonly functionName: string;
      readonly scriptId: string;
      readonly url: string;
    };
    readonly hitCount?: number;
    readonly positionTicks?: readonly { readonly line: number; readonly ticks: number }[];
  }[];
}

/** How often the program was found where. What waits for something is not counted. */
export interface Summary {
  /** In code of the lessons, by the names of function and file. */
  readonly functions: Readonly<Record<string, number>>;
  /** On lines of theirs that copy bytes, and in functions of Node that do. */
  readonly copying: number;
  /** In the JavaScript of Node, and of others. */
  readonly node: number;
  readonly garbage: number;
  /** In what is compiled already: Node, V8, and the kernel when they call it. */
  readonly native: number;
}

/** What copies bytes. V8 has it built in, so that only the line that calls it is seen. */
const COPYING =
  /\.(set|copy|slice|copyWithin|concat|decode|encode|encodeInto|toString)\(|Buffer\.from\(/;
/** The functions of Node that do. */
const COPIERS =
  /^(concat|copy\w*|decode\w*|encode\w*|(utf8|latin1|ucs2)(Write|Slice)\w*|slice|set)$/;

/** Sums a profile up. `sourceOf` finds the text of a script that is not Node's own. */
export function summarize(profile: Profile, sourceOf: (scriptId: string) => string): Summary {
  const functions: Record<string, number> = {};
  const sums = { copying: 0, node: 0, garbage: 0, native: 0 };
  for (const { callFrame, hitCount = 0, positionTicks = [] } of profile.nodes) {
    const { functionName, scriptId, url } = callFrame;
    if (hitCount === 0 || functionName === '(idle)') continue;
    if (functionName === '(garbage collector)') sums.garbage += hitCount;
    else if (COPIERS.test(functionName) && !isOurs(url)) sums.copying += hitCount;
    else if (url === '') sums.native += hitCount;
    else if (!isOurs(url)) sums.node += hitCount;
    else {
      const lines = sourceOf(scriptId).split('\n');
      const copying = positionTicks
        .filter(({ line }) => COPYING.test(lines[line - 1] ?? ''))
        .reduce((sum, { ticks }) => sum + ticks, 0);
      const name = nameOf(functionName, url);
      functions[name] = (functions[name] ?? 0) + hitCount - copying;
      sums.copying += copying;
    }
  }
  return { functions, ...sums };
}

/** The file that has the server listen, and says what it does with a message. */
const APPLICATION = '/shared/bench/server.';

function nameOf(functionName: string, url: string): string {
  if (url.includes(APPLICATION)) return 'the application, which echoes';
  return `${functionName || '=>'}, ${url.split('/').at(-1)}`;
}

function isOurs(url: string): boolean {
  return url.startsWith('file:') && !url.includes('/node_modules/');
}

/** A part of the time: 1 is all of it. */
export interface Share {
  readonly name: string;
  readonly share: number;
}

/**
 * Says how much of its processor time a server spends where. The profiler cannot look into the
 * kernel, and finds the program in what calls it, so the kernel's share is that of the system's
 * own count.
 */
export function sharesOf(summary: Summary, kernel: number): { all: Share[]; ours: Share[] } {
  const { functions, copying, node, garbage, native } = summary;
  const ours = Object.values(functions).reduce((sum, count) => sum + count, 0);
  const found = ours + copying + node + garbage + native;
  // More than was found in what calls it: page faults, which any code can have.
  const compiled = Math.max(0, native - kernel * found);
  const unit = (1 - kernel) / Math.max(1, ours + copying + node + garbage + compiled);
  const share = (name: string, count: number) => ({ name, share: count * unit });
  return {
    all: [
      { name: 'the kernel', share: kernel },
      share('Node, compiled', compiled),
      share('Node, JavaScript', node),
      share('copying bytes', copying),
      share('collecting garbage', garbage),
      share('our code', ours),
    ],
    ours: Object.entries(functions)
      .map(([name, count]) => share(name, count))
      .toSorted((a, b) => b.share - a.share),
  };
}
