/** `Math.random`, as a check can watch it even where nobody can change `Math`. */

let replace = (math: Math) => {
  globalThis.Math = math;
};

/** Makes it so that nothing but `withRandom` can change the global `Math`. */
export function lockMath(): void {
  let current = Math;
  Object.defineProperty(globalThis, 'Math', { get: () => current, configurable: false });
  replace = (math) => {
    current = math;
  };
}

/** Runs code that gets this when it asks for `Math.random`. */
export function withRandom<T>(random: () => number, run: () => T): T {
  const real = Math;
  replace(Object.create(real, { random: { value: random } }) as Math);
  try {
    return run();
  } finally {
    replace(real);
  }
}
