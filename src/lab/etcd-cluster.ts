/**
 * An etcd of three members, each a machine of its own on the wire, that asks who its clients are: TLS both ways, users,
 * and tokens that soon expire.
 *
 *     e1 192.168.77.251 ─┐
 *     e2 192.168.77.252 ─┼─ wire ── h1, h2 …     a client's certificate names the user `loden` (its CN),
 *     e3 192.168.77.253 ─┘                       or it says `loden` and the password
 *
 * Operators (`ctl`) come from the wire itself, which link faults do not concern, with the certificate of `root`.
 */
import { writeFile } from 'node:fs/promises';
import { LabError } from '../errors.js';
import { Authority } from './authority.js';
import { compactNow, Etcd, type EtcdService } from './etcd.js';
import type { Namespace } from './namespace.js';
import { waitFor } from './wait.js';
import { etcdAddress, type Wire } from './wire.js';

const SIZE = 3;

/** The hosts' user: may do what a daemon needs. */
export const HOST_USER = 'loden';
export const HOST_PASSWORD = 'host-secret';
export const HOST_ROLE = 'loden-host';

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

export class EtcdCluster implements EtcdService {
  readonly members: readonly EtcdMember[];
  readonly authority: Authority;
  readonly #options: EtcdClusterOptions;

  private constructor(options: EtcdClusterOptions, authority: Authority, members: readonly EtcdMember[]) {
    this.#options = options;
    this.authority = authority;
    this.members = members;
  }

  /** Starts it, with its users, and waits until it answers. */
  static async start(options: EtcdClusterOptions): Promise<EtcdCluster> {
    const authority = await Authority.create(`${options.directory}/tls`);
    const names = numbers.map((number) => `IP:${etcdAddress(number)}`).join();
    await authority.issue('server', { commonName: 'etcd', names });
    await authority.issue('root', { commonName: 'root' });
    await writeFile(authority.file('token.key'), 'a key for the tokens of a lab\n');
    const members = await Promise.all(numbers.map((number) => makeMember(options, authority, number)));
    const cluster = new EtcdCluster(options, authority, members);
    await cluster.start();
    await cluster.addUsers();
    return cluster;
  }

  /** Its files. */
  get directory(): string {
    return this.#options.directory;
  }

  get endpoint(): string {
    return this.members.map(({ etcd }) => etcd.endpoint).join();
  }

  /** Makes a certificate for the host, whose name is in the files', and gives the flags with which its daemon uses it. */
  async admit(host: string): Promise<string[]> {
    await this.authority.issue(host, { commonName: HOST_USER });
    return lodenFlags(this.authority, host);
  }

  /** With which `loden` may do everything. */
  get operatorFlags(): string[] {
    return lodenFlags(this.authority, 'root');
  }

  /** By its name. */
  member(name: string): EtcdMember {
    const found = this.members.find((member) => member.name === name);
    if (found === undefined) throw new LabError(`no member ${name}`);
    return found;
  }

  /** Waits until there is one that those who serve agree on. */
  async leader(): Promise<EtcdMember> {
    return waitFor('a leader of etcd', async () => {
      for (const member of this.members.filter(({ etcd }) => etcd.isServing)) {
        const text = await member.etcd.ctl('endpoint', 'status', '--write-out=json').catch(() => '[]');
        const [answer] = JSON.parse(text) as { Status: { leader?: number; header: { member_id: number } } }[];
        if (answer?.Status.leader === answer?.Status.header.member_id && answer) return member;
      }
      return undefined;
    });
  }

  async start(): Promise<void> {
    await this.launch();
    await this.answered();
  }

  /** Starts the members that do not run. */
  async launch(): Promise<void> {
    const stopped = this.members.filter(({ etcd }) => !etcd.isRunning);
    await Promise.all(stopped.map(({ etcd }) => etcd.launch()));
  }

  /** Waits until every member answers. */
  async answered(): Promise<void> {
    await Promise.all(this.members.map(({ etcd }) => etcd.answered()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(({ etcd }) => etcd.stop()));
  }

  pause(): void {
    for (const { etcd } of this.members) etcd.pause();
  }

  resume(): void {
    for (const { etcd } of this.members) etcd.resume();
  }

  async ctl(...args: readonly string[]): Promise<string> {
    const serving = this.members.filter(({ etcd }) => etcd.isServing);
    const endpoints = (serving.length > 0 ? serving : this.members).map(({ etcd }) => etcd.endpoint);
    const words = ['etcdctl', `--endpoints=${endpoints.join()}`, ...clientFlags(this.authority), ...args];
    return this.#options.wire.namespace.exec(words, { env: { ETCDCTL_API: '3' } });
  }

  async compact(): Promise<void> {
    await compactNow(this);
  }

  /** Makes an empty etcd ask who its clients are, as this one did when it started. */
  async addUsers(): Promise<void> {
    const { prefix } = this.#options;
    await this.ctl('user', 'add', 'root:root-secret');
    await this.ctl('user', 'grant-role', 'root', 'root');
    await this.ctl('role', 'add', HOST_ROLE);
    await this.ctl('role', 'grant-permission', HOST_ROLE, 'read', `${prefix}/config`);
    await this.ctl('role', 'grant-permission', '--prefix=true', HOST_ROLE, 'readwrite', `${prefix}/subnets`);
    await this.ctl('user', 'add', `${HOST_USER}:${HOST_PASSWORD}`);
    await this.ctl('user', 'grant-role', HOST_USER, HOST_ROLE);
    await this.ctl('auth', 'enable');
  }

  /** As after the loss of its disk: a member that has ended forgets everything, and joins the others anew. */
  async rejoin({ name, peerUrl, etcd }: EtcdMember): Promise<void> {
    await etcd.wipe();
    const { members } = JSON.parse(wholeIds(await this.ctl('member', 'list', '--write-out=json'))) as {
      members: readonly { ID: string; name?: string }[];
    };
    const id = members.find((member) => member.name === name)?.ID;
    if (id !== undefined) await this.ctl('member', 'remove', BigInt(id).toString(16));
    await this.ctl('member', 'add', name, `--peer-urls=${peerUrl}`);
    await etcd.launch('--initial-cluster-state=existing');
    await etcd.answered();
  }

  async save(file: string): Promise<void> {
    const { etcd } = this.members.find((member) => member.etcd.isServing) ?? this.members[0]!;
    await etcd.save(file);
  }

  /** Users, too, are those that were saved; with nothing there are none, and everybody may do everything. */
  async restore(file?: string): Promise<void> {
    await Promise.all(this.members.map(({ etcd }) => etcd.kill()));
    for (const { name, peerUrl, etcd } of this.members)
      await etcd.refill(file, { name, peerUrl, cluster: initialCluster });
    await this.start();
  }
}

const numbers = Array.from({ length: SIZE }, (_, index) => index + 1);
const peerUrlOf = (number: number) => `https://${etcdAddress(number)}:2380`;
const initialCluster = numbers.map((number) => `e${number}=${peerUrlOf(number)}`).join();

async function makeMember(
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

function clientFlags(authority: Authority): string[] {
  const [ca, certificate, key] = ['ca.crt', 'root.crt', 'root.key'].map((name) => authority.file(name));
  return [`--cacert=${ca}`, `--cert=${certificate}`, `--key=${key}`];
}

function lodenFlags(authority: Authority, owner: string): string[] {
  const [ca, certificate, key] = ['ca.crt', `${owner}.crt`, `${owner}.key`].map((name) =>
    authority.file(name),
  );
  return [`--etcd-cafile=${ca}`, `--etcd-certfile=${certificate}`, `--etcd-keyfile=${key}`];
}

/** Ids are greater than the integers that a number can hold. */
function wholeIds(json: string): string {
  return json.replace(/"ID":(\d+)/g, '"ID":"$1"');
}
