/** One of three etcd members: where it is, and the flags by which it finds the others and asks who its clients are. */
import type { Authority } from './authority.js';
import { Etcd } from './etcd.js';
import type { Namespace } from './namespace.js';
import { etcdAddress, type Wire } from './wire.js';

const SIZE = 3;

export interface EtcdMember {
  /** `e1`: its name in the cluster and on the wire. */
  readonly name: string;
  readonly peerUrl: string;
  readonly etcd: Etcd;
}

export interface EtcdClusterOptions {
  /** Made if absent; whoever gave it removes it. */
  readonly directory: string;
  readonly wire: Wire;
  /** The namespace for a member of that name, to be made. */
  readonly namespaceFor: (name: string) => Namespace;
  /** Of the keys that hosts may use. */
  readonly prefix: string;
  readonly signal?: AbortSignal | undefined;
}

export const memberNumbers = Array.from({ length: SIZE }, (_, index) => index + 1);
const peerUrlOf = (number: number) => `https://${etcdAddress(number)}:2380`;
export const initialCluster = memberNumbers.map((number) => `e${number}=${peerUrlOf(number)}`).join();

export async function makeMember(
  { directory, wire, namespaceFor, signal }: EtcdClusterOptions,
  authority: Authority,
  number: number,
): Promise<EtcdMember> {
  const name = `e${number}`;
  const namespace = namespaceFor(name);
  await wire.plug(namespace, name, etcdAddress(number), false);
  const peerUrl = peerUrlOf(number);
  const etcd = await Etcd.make({
    directory: `${directory}/${name}`,
    namespace,
    address: etcdAddress(number),
    port: 2379,
    scheme: 'https',
    flags: memberFlags(authority, name, peerUrl),
    clientFlags: clientFlags(authority),
    signal,
  });
  return { name, peerUrl, etcd };
}

function memberFlags(authority: Authority, name: string, peerUrl: string): string[] {
  const tls = (prefix: string) => [
    `--${prefix}cert-file=${authority.file('server.crt')}`,
    `--${prefix}key-file=${authority.file('server.key')}`,
    `--${prefix}trusted-ca-file=${authority.file('ca.crt')}`,
    `--${prefix}client-cert-auth`,
  ];
  return [
    `--name=${name}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=${initialCluster}`,
    ...tls(''),
    ...tls('peer-'),
    // The tokens of passwords. Etcd's other kind does not expire while it is used.
    `--auth-token=jwt,sign-method=HS256,priv-key=${authority.file('token.key')},ttl=5s`,
    '--bcrypt-cost=4',
    // Else a member may only join once the others have known each other for five seconds.
    '--strict-reconfig-check=false',
  ];
}

export function clientFlags(authority: Authority): string[] {
  const [ca, certificate, key] = ['ca.crt', 'root.crt', 'root.key'].map((name) => authority.file(name));
  return [`--cacert=${ca}`, `--cert=${certificate}`, `--key=${key}`];
}
