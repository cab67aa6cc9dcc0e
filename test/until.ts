import type { ExecutionContext } from 'ava';

/** Waits until the condition holds, looking again on every turn of the event loop; fails the test after 5 s. */
export async function until(t: ExecutionContext, what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!holds()) {
    if (performance.now() > deadline) return t.fail(`did not come true: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.pass();
}
