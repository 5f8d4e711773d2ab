/** What a stub throws until its step is written. */
export class Todo extends Error {
  override readonly name = 'Todo';
  /** Lesson and step, such as `02.3`. */
  readonly step: string;

  /** Marks the place for the code of a step, such as `02.3`. */
  constructor(step: string) {
    const [lesson, number] = step.split('.');
    super(`Lesson ${lesson}, step ${number} is yours to write.`);
    this.step = step;
  }
}
