/** Those who are told of each change of something. */
export class Watchers {
  readonly #watchers = new Set<() => void>();

  /** Call `watcher` at each change; return what ends that. */
  readonly watch = (watcher: () => void): (() => void) => {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  };

  /** Tell them of a change. */
  readonly tell = (): void => {
    for (const watcher of this.#watchers) watcher();
  };
}
