/** What is used of gRPC and of etcd3, whose index would load its locks, elections and transactions as well. */
import { commonJs } from '../common-js.js';

export const { connectivityState, credentials, Metadata } = commonJs(
  '@grpc/grpc-js',
) as typeof import('@grpc/grpc-js');
export const { Host } = commonJs(
  'etcd3/lib/connection-pool.js',
) as typeof import('etcd3/lib/connection-pool.js');
export const { Range } = commonJs('etcd3/lib/range.js') as typeof import('etcd3');
export const { KVClient, LeaseClient, WatchClient } = commonJs('etcd3/lib/rpc.js') as typeof import('etcd3');
