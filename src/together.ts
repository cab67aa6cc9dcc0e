/**
 * Runs tasks at once until they have all settled. The first to fail tells the others to stop, by their signal, and
 * what it threw is thrown in the end. Aborting `signal` stops them all, and is no failure: whoever did that knows.
 */
export async function together(
  signal: AbortSignal | undefined,
  tasks: readonly ((until: AbortSignal) => Promise<unknown>)[],
): Promise<void> {
  const failed = new AbortController();
  const until = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const settled = tasks.map((task) =>
    task(until).catch((error: unknown) => {
      if (!until.aborted) failed.abort(error);
    }),
  );
  await Promise.all(settled);
  failed.signal.throwIfAborted();
}
