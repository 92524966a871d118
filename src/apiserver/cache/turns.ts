/** Lines, one a key: who enters waits until all before it have left. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Resolves when it is the caller's turn; the caller then must call what it got, once. */
  async enter(key: string): Promise<() => void> {
    const before = this.#last.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last.set(key, promise);
    await before;
    return () => {
      if (this.#last.get(key) === promise) this.#last.delete(key);
      resolve();
    };
  }

  /** Keys with a line. */
  get size(): number {
    return this.#last.size;
  }
}
