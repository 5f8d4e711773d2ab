/** What a command of the course is, as data: its help and its parser are made of the same. */

/** An option of a command. */
export interface Option {
  readonly type: 'boolean' | 'string';
  /** Its letter, such as `h` for `-h`. */
  readonly short?: string;
  /** It may be given more than once, each time with a value. */
  readonly multiple?: boolean;
  /** What the help calls the value of a `string`, such as `PORT`. */
  readonly value?: string;
  /** What the help says of it. */
  readonly help: string;
}

/** Options, by their names without dashes. */
export type Options = Readonly<Record<string, Option>>;

/** What options were given. One that was not is absent. */
export type Values<O extends Options> = {
  readonly [Name in keyof O]?: O[Name] extends { readonly type: 'boolean' }
    ? boolean
    : O[Name] extends { readonly multiple: true }
      ? readonly string[]
      : string;
};

/** A command. */
export interface Command<O extends Options> {
  /** How it is called, such as `npm run reset`. */
  readonly name: string;
  /** What it does, in a sentence or two. */
  readonly summary: string;
  /** The words it takes, such as `LESSON`, and what they may be. Absent: it takes none. */
  readonly positionals?: Readonly<Record<string, string>>;
  /** Absent: it has no option but `--help`, which all have. */
  readonly options?: O;
  /** What one may type, and what that does. */
  readonly examples: readonly (readonly [typed: string, effect: string])[];
  /**
   * Does it, with the options and the other words. Returns the exit code. Throws `UsageError` for
   * words that it cannot work with.
   */
  run(values: Values<O>, positionals: readonly string[]): Promise<number>;
}

/** The option that every command has. */
export const HELP: Option = { type: 'boolean', short: 'h', help: 'Show this text.' };
