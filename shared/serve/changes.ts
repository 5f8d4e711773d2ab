/** Tells one who may be busy that something has changed. */
export class Changes {
  #isPending = false;
  #wake = () => {};

  /** Reports a change. */
  readonly report = (): void => {
    this.#isPending = true;
    this.#wake();
  };

  /** Resolves when there has been a change since the last call. */
  async next(): Promise<void> {
    while (!this.#isPending) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isPending = false;
  }
}
