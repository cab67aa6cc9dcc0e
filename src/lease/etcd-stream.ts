import type { IDuplexStream } from 'etcd3';

/**
 * What comes back on a gRPC stream, until it ends or fails. Leaving the loop and aborting the signal cancel the call.
 * etcd3 has put an error listener on the stream, so nothing is thrown after that.
 */
export async function* answers<Request, Answer>(
  stream: IDuplexStream<Request, Answer>,
  signal: AbortSignal,
): AsyncGenerator<Answer, void, undefined> {
  const cancel = () => stream.cancel();
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  try {
    // grpc-js streams are Node's; etcd3's type says less of them.
    yield* stream as unknown as AsyncIterable<Answer>;
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}
