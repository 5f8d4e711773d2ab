/** What a program may use at most. The system sees to it; Windows has no such limits. */
export interface Limits {
  /** Processor time, in seconds. */
  readonly cpuSeconds: number;
  /** Memory for everything, in MiB. */
  readonly dataMib: number;
}

/** Returns what to start instead, so that a program runs within limits, and writes no files. */
export function withLimits(
  program: string,
  args: readonly string[],
  { cpuSeconds, dataMib }: Limits,
): readonly [program: string, args: readonly string[]] {
  if (process.platform === 'win32') return [program, args];
  const limits = `ulimit -t ${cpuSeconds}; ulimit -d ${dataMib * 1024}; ulimit -f 0; ulimit -c 0`;
  return ['/bin/sh', ['-c', `${limits}; exec "$0" "$@"`, program, ...args]];
}
