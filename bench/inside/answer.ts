/**
 * The end of `inside` that runs in the namespace: takes one input from the parent process, does its work, sends back
 * what came of it, and ends. It ends too when the parent is gone.
 */

export type Message<Output> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'result'; readonly value: Output }
  | { readonly kind: 'failure'; readonly message: string };

/** `ready` tells the parent that what it wants to be seen will be seen from now on. */
export function answer<Input, Output>(work: (input: Input, ready: () => void) => Promise<Output>): void {
  const send = (message: Message<Output>) => process.send?.(message);
  process.once('disconnect', () => process.exit(1));
  process.once('message', (input) => {
    work(input as Input, () => send({ kind: 'ready' })).then(
      (value) => send({ kind: 'result', value }),
      (error: Error) => send({ kind: 'failure', message: error.stack ?? error.message }),
    );
  });
}
