/** What the network duties need of a cache of API objects; src/client's Cache is one, tests hand in their own. */
export interface ObjectSource<T> {
  list(): readonly T[];
  /** Hears of every change from now on, and of what is there already as "added". Returns how to stop it. */
  onChange(handler: (change: ObjectChange<T>) => void): () => void;
  /** Resolves when everything that exists has been listed, or when `signal` fires. */
  synced(signal?: AbortSignal): Promise<void>;
}

export interface ObjectChange<T> {
  readonly type: "added" | "modified" | "deleted";
  readonly object: T;
  readonly old: T | undefined;
}
