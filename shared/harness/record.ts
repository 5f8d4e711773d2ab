/** What is known of a run, put together from what its process tells. */
import type { Failure, StepResult } from './facts.ts';
import type { FromChecker, StepHeading } from './messages.ts';

/** What came out of a run. */
export interface Run {
  /** Why no step could run at all. `undefined`: the file was loaded. */
  readonly broken: Failure | undefined;
  readonly results: readonly StepResult[];
}

/** A step after the one that ended everything: never the first that does not pass. */
export const NOT_REACHED: Failure = { kind: 'todo', what: 'This step was not reached.', facts: [] };

/** Takes what is heard of a run, and knows at any time what has come out so far. */
export class RunRecord {
  readonly #file: string;
  readonly #outcomes = new Map<number, Pick<StepResult, 'failure' | 'passed' | 'output'>>();
  /** How many scenarios of each step have begun. */
  readonly #begun = new Map<number, number>();
  #steps: readonly StepHeading[] = [];
  /** The step that was heard of last. 0: none yet. */
  #number = 0;
  #scenario: string | undefined;
  #broken: Failure | undefined;
  #isDone = false;

  /** Begins a record of the checks of a file, such as `lessons/02-reading-frames/reading.ts`. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Whether the process has said that nothing more is to come. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether the checks are loaded. Until then, nothing of the learner's has run. */
  get isReady(): boolean {
    return this.#steps.length > 0;
  }

  /** Names what is going on, to begin a sentence with: `Step 4`. */
  get activity(): string {
    return this.#number === 0 ? `Loading ${this.#file}` : `Step ${this.#number}`;
  }

  /** Takes a message of the process. */
  take(message: FromChecker): void {
    switch (message.type) {
      case 'ready':
        // Once the learner's code runs, nobody has anything to say of what the steps are.
        if (!this.isReady) this.#steps = message.steps;
        break;
      case 'broken':
        this.#broken = message.failure;
        break;
      case 'started':
        this.#number = message.number;
        this.#scenario = message.scenario;
        this.#begun.set(this.#number, (this.#begun.get(this.#number) ?? 0) + 1);
        break;
      case 'failed':
        this.#fail(message.number, message.failure);
        break;
      case 'finished': {
        const { number, output, passed } = message;
        this.#outcomes.set(number, {
          ...this.#outcomes.get(number),
          output,
          ...(passed !== undefined && { passed }),
        });
        break;
      }
      case 'done':
        this.#isDone = true;
    }
  }

  /** The run ended early: in the scenario that was on, or in what that had started. */
  breakOff(what: string, cause: string): void {
    this.#fail(this.#number, {
      kind: 'crash',
      what,
      facts: [['code', this.#file]],
      cause,
      ...(this.#scenario && { scenario: this.#scenario }),
    });
  }

  /** The checks could not be loaded: `complaint` says why. */
  neverStarted(complaint: string): void {
    this.#fail(0, {
      kind: 'crash',
      what: 'The check itself could not start.',
      facts: [['it says', complaint]],
      remedy: 'Get what it is made of: npm ci',
    });
  }

  /** What went wrong first explains what went wrong later. */
  #fail(number: number, failure: Failure): void {
    if (number === 0) {
      this.#broken ??= failure;
      return;
    }
    const outcome = this.#outcomes.get(number);
    this.#outcomes.set(number, { output: '', ...outcome, failure: outcome?.failure ?? failure });
  }

  /** A step passes only when each of its scenarios has had its turn, once. */
  #notWhole({ scenarios }: StepHeading, number: number): Failure | undefined {
    const begun = this.#begun.get(number) ?? 0;
    if (begun === scenarios) return undefined;
    return {
      kind: 'crash',
      what: 'The check of this step did not run as a whole.',
      facts: [['scenarios run', `${begun} of ${scenarios}`]],
      cause: 'The code has changed something that the check itself works with.',
    };
  }

  /** Returns what has come out so far; a step that nothing was heard of was not reached. */
  result(): Run {
    const results = this.#steps.map((step, i): StepResult => {
      const number = i + 1;
      const outcome = this.#outcomes.get(number) ?? { failure: NOT_REACHED, output: '' };
      const { passed, output, failure = this.#notWhole(step, number) } = outcome;
      return {
        ...step,
        number,
        output,
        ...(passed !== undefined && { passed }),
        ...(failure && { failure }),
      };
    });
    return { broken: this.#broken, results };
  }
}
