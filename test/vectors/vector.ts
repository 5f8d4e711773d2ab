/** Bytes with a known meaning. */
export interface Vector<Expected> {
  /** Unique in the course. */
  readonly id: string;
  /** Where it comes from: a section of RFC 6455, or another public text. */
  readonly source: string;
  readonly what: string;
  /** Annotated hex, as `fromHex` reads it. */
  readonly wire: string;
  readonly expected: Expected;
}
