import type { Command } from 'commander';
import { parseNetworkConfig } from '../../src/config/network.js';
import { CommandError, OptionError } from '../../src/errors.js';
import { isReservation, type Lease } from '../../src/lease/lease.js';
import { parseIpv4 } from '../../src/net/ipv4.js';
import { equalPrefixes, formatPrefix, type Prefix, parsePrefix } from '../../src/net/prefix.js';
import { durationText } from '../../src/tool/lease-rows.js';
import { isUntouched, NOBODY, planReservation } from '../../src/tool/reservation.js';
import { addEtcdFlags, agreed, type EtcdSession, inSession, type Tool } from './session.js';

export function addReserveCommand(leases: Command, tool: Tool): void {
  addEtcdFlags(leases.command('reserve <subnet>'))
    .description('keep a subnet for a host, for whoever holds it now, or from everybody; it never expires')
    .option('--public-ip <ip>', 'whom it is for')
    .action((subnet: string, { publicIp }: { publicIp?: string }, command: Command) => {
      const asked = readSubnet(subnet);
      const holder = publicIp && readPublicIp(publicIp);
      return inSession(tool, command, {}, (session) => reserve(session, asked, holder));
    });
}

export function addReleaseCommand(leases: Command, tool: Tool): void {
  addEtcdFlags(leases.command('release <subnet>'))
    .description('delete a lease or a reservation')
    .option('--yes', 'without a question')
    .action((subnet: string, { yes }: { yes?: true }, command: Command) => {
      const asked = readSubnet(subnet);
      return inSession(tool, command, {}, (session) => release(session, asked, yes));
    });
}

async function reserve(session: EtcdSession, subnet: Prefix, publicIp: string | undefined): Promise<void> {
  const { store, terminal, signal, configSource } = session;
  const text = await store.readConfig(signal);
  if (text === undefined)
    throw new CommandError(`no network config at ${configSource}; loden config set FILE`);
  const { config } = parseNetworkConfig(text, configSource);
  const { leases } = await store.snapshot(signal);
  const name = formatPrefix(subnet);
  const plan = planReservation({ subnet, publicIp, leases: leases.values(), config });
  if (plan.kind === 'impossible') throw new CommandError(`cannot reserve ${name}: ${plan.reason}`);
  const holder = plan.kind === 'already' ? plan.publicIp : plan.attributes.publicIp;
  if (plan.kind === 'write') {
    const written = await store.reserve(subnet, plan.attributes, plan.held, signal);
    if (!written) throw changedMeanwhile(name);
  }
  const whom = holder === NOBODY ? 'and goes to no host' : `for ${holder}`;
  terminal.print(`${name} is ${plan.kind === 'already' ? 'already ' : ''}reserved ${whom}`);
}

async function release(session: EtcdSession, subnet: Prefix, yes: true | undefined): Promise<void> {
  const { store, terminal, signal } = session;
  const { leases } = await store.snapshot(signal);
  const name = formatPrefix(subnet);
  const lease = [...leases.values()].find((candidate) => equalPrefixes(candidate.subnet, subnet));
  if (!lease) throw new CommandError(`there is no lease of ${name}; loden leases shows those there are`);
  if (!isUntouched(lease)) {
    await agreed(session, { why: await cost(session, lease), question: 'Release it?', yes });
  }
  if (!(await store.release(lease, signal))) throw changedMeanwhile(name);
  terminal.print(`${name} of ${lease.attributes.publicIp} is released`);
}

async function cost({ store, signal }: EtcdSession, lease: Lease): Promise<string> {
  const left = isReservation(lease) ? undefined : (await store.timeToLive(lease.leaseId, signal))?.left;
  const until = isReservation(lease) ? 'reserved' : `${durationText(left ?? 0)} left`;
  const subject = `${lease.attributes.publicIp} holds ${formatPrefix(lease.subnet)} (${until})`;
  return `${subject}: other hosts stop reaching its containers, until its daemon, if it runs, claims it again`;
}

function changedMeanwhile(name: string): CommandError {
  return new CommandError(`${name} was changed by somebody else meanwhile; nothing was done, try again`);
}

/** `10.5.3.0/24`, or as etcd's key spells it. */
function readSubnet(text: string): Prefix {
  const subnet = parsePrefix(text.replace(/-(?=\d+$)/, '/'));
  if (subnet) return subnet;
  throw new OptionError('SUBNET', `"${text}" is not a subnet, accepted is one such as 10.5.34.0/24`);
}

function readPublicIp(text: string): string {
  if (parseIpv4(text) !== undefined) return text;
  throw new OptionError('--public-ip', `--public-ip: "${text}" is not an IPv4 address such as 192.0.2.1`);
}
