/** Runs all tasks at once. The first failure tells the others to stop, and is thrown once every one has settled. */
export async function together<T>(
  signal: AbortSignal | undefined,
  tasks: readonly ((until: AbortSignal) => Promise<T>)[],
): Promise<void> {
  const failed = new AbortController();
  const until = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])]);
  const results = tasks.map((task) =>
    task(until).catch((error) => {
      failed.abort(error);
    }),
  );
  await Promise.all(results);
  failed.signal.throwIfAborted();
}
