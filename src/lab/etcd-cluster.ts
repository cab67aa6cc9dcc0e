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
import {
  clientFlags,
  type EtcdClusterOptions,
  type EtcdMember,
  initialCluster,
  makeMember,
  memberNumbers,
} from './etcd-member.js';
import { compactNow, type EtcdService } from './etcd-service.js';
import { waitFor } from './wait.js';
import { etcdAddress } from './wire.js';

/** The hosts' user: may do what a daemon needs. */
export const HOST_USER = 'loden';
export const HOST_PASSWORD = 'host-secret';
export const HOST_ROLE = 'loden-host';

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
    const names = memberNumbers.map((number) => `IP:${etcdAddress(number)}`).join();
    await authority.issue('server', { commonName: 'etcd', names });
    await authority.issue('root', { commonName: 'root' });
    await writeFile(authority.file('token.key'), 'a key for the tokens of a lab\n');
    const members = await Promise.all(memberNumbers.map((number) => makeMember(options, authority, number)));
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

  /** By a certificate in files that have the host's name. */
  async admit(host: string): Promise<string[]> {
    await this.authority.issue(host, { commonName: HOST_USER });
    return lodenFlags(this.authority, host);
  }

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

/** Ids are greater than the integers that a number can hold. */
function wholeIds(json: string): string {
  return json.replace(/"ID":(\d+)/g, '"ID":"$1"');
}

function lodenFlags(authority: Authority, owner: string): string[] {
  const [ca, certificate, key] = ['ca.crt', `${owner}.crt`, `${owner}.key`].map((name) =>
    authority.file(name),
  );
  return [`--etcd-cafile=${ca}`, `--etcd-certfile=${certificate}`, `--etcd-keyfile=${key}`];
}
