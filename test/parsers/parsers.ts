/** Every parser of what comes from outside, what it reads, what it may throw, and what is true of all it accepts. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { knownIdentity } from '../../src/agent/identity/identity.js';
import { leaseAge } from '../../src/agent/state/lease-age.js';
import { readState } from '../../src/agent/state/state-file.js';
import { checkConfig } from '../../src/backend/checked-config.js';
import { vtepOf } from '../../src/backend/vxlan/lease-data.js';
import { parseDaemonOptions } from '../../src/config/options/parse.js';
import { parseSubnetFile } from '../../src/config/subnet-file.js';
import { parseAssignments } from '../../src/docker/assignments.js';
import { editDaemonJson } from '../../src/docker/daemon-json.js';
import { formatDockerOpts, routedElsewhere } from '../../src/docker/docker-opts.js';
import { bridgeIn, infoIn, versionIn } from '../../src/docker/engine-answers.js';
import { findFlags } from '../../src/docker/flags.js';
import { serviceSettings, splitWords } from '../../src/docker/unit.js';
import { CommandError, ConfigError, FileError, OptionError } from '../../src/errors.js';
import { match } from '../../src/firewall/matching.js';
import { parseIptablesSave, parseNftTable } from '../../src/firewall/ruleset.js';
import type { JsonValue } from '../../src/json.js';
import { poolSize } from '../../src/lease/allocate.js';
import { decodeAttributes, encodeAttributes, leaseKey, parseLeaseKey } from '../../src/lease/codec.js';
import { storeError } from '../../src/lease/etcd-errors.js';
import { etcdOptions } from '../../src/lease/etcd-options.js';
import { formatIpv4, parseIpv4 } from '../../src/net/ipv4.js';
import { formatIpv6, parseIpv6 } from '../../src/net/ipv6.js';
import { isUnicastMac, parseMac } from '../../src/net/mac.js';
import { contains, formatPrefix, lastAddress, parsePrefix } from '../../src/net/prefix.js';
import { isUntouched } from '../../src/systemd/stamp.js';
import type { Examples } from './hostile-texts.js';

export interface Parser<Result = unknown> {
  /** What it reads, with its article. */
  readonly reads: string;
  readonly examples: Examples;
  read(text: string): Result | Promise<Result>;
  /** The only error that it throws; without one it throws none. */
  readonly throws?: new (
    ...args: never[]
  ) => Error;
  /** Whether what it accepted is as it must be. */
  holds?(result: Result, text: string): boolean;
}

const FOLDER = mkdtempSync(join(tmpdir(), 'loden-parsers-'));
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

const LEASE_VALUE =
  '{"PublicIP":"192.0.2.7","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"c6:d2:32:6f:8f:44"},"LodenIdentity":"0f"}';
const NETWORK_CONFIG =
  '{"Network": "10.5.0.0/16", "SubnetLen": 24, "SubnetMin": "10.5.1.0", "SubnetMax": "10.5.9.0", "Backend": {"Type": "vxlan", "VNI": 7, "Port": 8472}}';
const SUBNET_FILE =
  'FLANNEL_NETWORK=10.5.0.0/16\nFLANNEL_SUBNET=10.5.72.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n';
const UNIT =
  '[Unit]\nAfter=network.target\n[Service]\n# a comment\nEnvironment="A=1" B=2\nExecStart=/usr/bin/dockerd $DOCKER_OPTS \\\n  --bip=10.5.1.1/24\n';
const BRIDGE = { bip: { address: 0x0a054801, length: 24 }, mtu: 1450, ipMasq: true };
const FLOW = {
  name: 'from the pool to our containers',
  source: { network: { address: 0x0a050000, length: 16 }, except: { address: 0x0a054800, length: 24 } },
  destination: { network: { address: 0x0a054800, length: 24 } },
  inLink: 'eth0',
  outLink: 'docker0',
};

/** Keeps what a parser accepts together with what is to hold of it. */
function parser<Result>(row: Parser<Result>): Parser {
  return row as Parser;
}

export const PARSERS: readonly Parser[] = [
  parser({
    reads: "a lease's key",
    examples: ['10.5.34.0-24', '10.12.13.0-24&fd00:12:13::-56'],
    read: parseLeaseKey,
    holds: (found, text) => found === undefined || (leaseKey(found) === text && found.subnet.length <= 31),
  }),
  parser({
    reads: "a lease's value",
    examples: [LEASE_VALUE, '{"PublicIP":"192.0.2.7","PublicIPv6":"fd00::7"}'],
    read: decodeAttributes,
    holds: (found) => {
      if ('reason' in found) return found.reason.length < 200;
      vtepOf(found.value.backendData);
      const again = decodeAttributes(encodeAttributes(found.value));
      return 'value' in again && encodeAttributes(again.value) === encodeAttributes(found.value);
    },
  }),
  parser({
    reads: 'the network config',
    examples: [NETWORK_CONFIG, '{"Network":"10.5.0.0/16","Backend":{"Type":"host-gw"}}'],
    read: (text) => checkConfig(text, 'test'),
    throws: ConfigError,
    holds: ({ network }) =>
      poolSize(network) >= 1 &&
      Number.isInteger(poolSize(network)) &&
      contains(network.network, network.subnetMin) &&
      contains(network.network, lastAddress({ address: network.subnetMax, length: network.subnetLength })),
  }),
  parser({
    reads: 'an IPv4 address',
    examples: ['192.0.2.1'],
    read: parseIpv4,
    holds: (found, text) => found === undefined || formatIpv4(found) === text,
  }),
  parser({
    reads: 'an IPv6 address',
    examples: ['fd00:5:34::1', '::ffff:192.0.2.1'],
    read: parseIpv6,
    holds: (found) => found === undefined || parseIpv6(formatIpv6(found)) === found,
  }),
  parser({
    reads: 'a network',
    examples: ['10.5.34.0/24'],
    read: parsePrefix,
    holds: (found) =>
      found === undefined ||
      (parsePrefix(formatPrefix(found))?.address === found.address && found.length <= 32),
  }),
  parser({
    reads: 'a MAC',
    examples: ['c6:D2:32:6f:8f:44'],
    read: parseMac,
    holds: (found, text) => {
      if (found === undefined) return true;
      isUnicastMac(found);
      return found === text.toLowerCase() && found.length === 17;
    },
  }),
  parser({
    reads: 'subnet.env',
    examples: [SUBNET_FILE, 'export FLANNEL_SUBNET="10.5.72.1/24" # ours\n'],
    read: (text) => parseSubnetFile(text, 'test'),
    holds: ({ network, subnet }) => !network || !subnet || contains(network, subnet),
  }),
  parser({
    reads: 'an environment file',
    examples: ['export A="x $B" # d\nA+=\'y\'\\\nz\n', 'DOCKER_OPTS=--bip=10.5.1.1/24 --mtu 1450\n'],
    read: (text) => parseAssignments(text),
    holds: (found) => [...found.keys()].every((name) => /^[A-Za-z_]\w*$/.test(name)),
  }),
  parser({
    reads: 'the variables that become options of dockerd',
    examples: [SUBNET_FILE],
    read: (text) =>
      formatDockerOpts({
        variables: parseAssignments(text),
        individual: false,
        combined: false,
        ipMasq: true,
        key: 'DOCKER_OPTS',
      }),
    throws: CommandError,
  }),
  parser({
    reads: "the kernel's table of routes in /proc",
    examples: ['eth0\t0048050A\t0101A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0\n'],
    read: (text) => routedElsewhere(parseAssignments(SUBNET_FILE), text),
  }),
  parser({
    reads: 'a unit of systemd',
    examples: [UNIT],
    read: serviceSettings,
    holds: (found) => found.every(({ value }) => value === value.trim()),
  }),
  parser({
    reads: 'the flags of dockerd',
    examples: ['--bip=10.5.1.1/24 -b "docker 0" --ip-masq', "-b=br0 --mtu '1450' -- x"],
    read: (text) => findFlags(splitWords(text), 'test'),
  }),
  parser({
    reads: "this host's identity",
    examples: ['0123456789abcdef0123456789abcdef\n'],
    read: async (text) => {
      await writeFile(join(FOLDER, 'identity'), text);
      return knownIdentity(FOLDER);
    },
    throws: FileError,
    holds: (identity) => /^[0-9a-f]{32}$/.test(identity!),
  }),
  parser({
    reads: 'the state file',
    examples: [
      'loden last-known 1\n{"etcdPrefix":"/x","config":"{}","revision":7,"ttlSeconds":86400,"renewed":{"wallMs":7,"bootId":"b","sinceBootMs":5},"lease":{"key":"10.5.1.0-24","leaseId":"7","createRevision":2,"modRevision":3,"value":"{\\"PublicIP\\":\\"192.0.2.1\\"}"}}\n{"key":"10.5.2.0-24","leaseId":"8","createRevision":2,"modRevision":3,"value":"{\\"PublicIP\\":\\"192.0.2.2\\"}"}\n',
    ],
    read: async (text) => {
      const digest = createHash('sha256').update(text).digest('hex');
      await writeFile(join(FOLDER, 'last-known'), `${text}sha256 ${digest}\n`);
      return readState(FOLDER);
    },
    holds: ({ state, warning }) => {
      if (!state) return warning !== undefined;
      leaseAge(state.renewed, state.ttlSeconds, state.renewed);
      return state.revision >= 0 && state.ttlSeconds >= 0;
    },
  }),
  parser({
    reads: 'a file that we placed',
    examples: ['# Placed by loden; once edited, it is left alone. sha256 00\n'],
    read: isUntouched,
    holds: (untouched) => !untouched,
  }),
  parser({
    reads: 'daemon.json',
    examples: [
      '{\n  "bip": "10.1.1.1/24",\n  "bridge": "", "fixed-cidr": "10.5.72.0/25"\n}\n',
      '{"bridge":"x"}',
    ],
    read: (text) => editDaemonJson(text, BRIDGE),
    holds: (edit) => edit.kind !== 'changed' || JSON.parse(edit.text).bip === '10.5.72.1/24',
  }),
  parser({
    reads: 'what a Docker engine says of itself',
    examples: ['{"Version":"28.5.2","LiveRestoreEnabled":true,"ContainersRunning":2}'],
    read: (text) => {
      const json = jsonOf(text);
      return { version: versionIn(json), info: infoIn(json) };
    },
    holds: ({ version, info }) =>
      (version === undefined || typeof version === 'string') &&
      (info === undefined || info.containersRunning >= 0),
  }),
  parser({
    reads: 'what a Docker engine says of its bridge',
    examples: [
      '{"IPAM":{"Config":[{"Subnet":"fd00::/64"},{"Subnet":"10.7.5.0/24","Gateway":"10.7.5.1"}]},"Options":{"com.docker.network.driver.mtu":"1450"}}',
      '{"IPAM":{"Config":null},"Options":null}',
    ],
    read: (text) => bridgeIn(jsonOf(text)),
    holds: (bridge) => bridge?.mtu === undefined || bridge.mtu > 0,
  }),
  parser({
    reads: 'the rules that iptables-save prints',
    examples: [
      '*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -s 10.5.0.0/16 ! -d 10.5.0.0/16 -m comment --comment "a \\" b" -j MASQUERADE\nCOMMIT\n',
    ],
    read: (text) => {
      const tables = parseIptablesSave(text);
      for (const table of tables.values())
        for (const { rules } of table.values()) for (const rule of rules) match(rule, FLOW);
      return tables;
    },
  }),
  parser({
    reads: 'a rule of iptables',
    examples: [
      '-s 10.5.0.0/16 ! -d 10.5.1.0/24 -i eth+ -p tcp --dport 80:90 -m comment --comment "a \\" b" -j DROP',
    ],
    read: (text) => match(text, FLOW),
  }),
  parser({
    reads: 'the rules that nft prints',
    examples: ['table ip loden {\n\tchain forward {\n\t\tip saddr 10.5.0.0/16 accept # handle 4\n\t}\n}\n'],
    read: parseNftTable,
    holds: ({ table, handles }) =>
      [...table].every(([chain, { rules }]) => handles.get(chain)!.length === rules.length),
  }),
  parser({
    reads: 'a command line',
    examples: [
      '--iface=eth0\n--ip-masq\n-etcd-endpoints\nhttp://192.0.2.1:2379',
      '--resync=90s\n--v=2\n--iface-regex=^eth',
    ],
    read: (text) => parseDaemonOptions(text.split('\n'), {}),
    throws: OptionError,
  }),
  parser({
    reads: 'the environment',
    examples: ['eth0', '90s', 'true', '192.0.2.1', '24h'],
    read: (text) =>
      parseDaemonOptions([], {
        LODEND_IFACE: text,
        FLANNELD_PUBLIC_IP: text,
        LODEND_RESYNC: text,
        [`LODEND_${text}`]: 'x',
      }),
    throws: OptionError,
  }),
  parser({
    reads: 'the endpoints of etcd',
    examples: ['https://etcd.example:2379,https://[fd00::1]:2379/', 'http://user:secret@192.0.2.1:2379'],
    read: (endpoints) =>
      etcdOptions({
        endpoints,
        prefix: '/x',
        keyFile: '',
        certFile: '',
        caFile: '',
        username: '',
        password: '',
      }),
    throws: OptionError,
    holds: ({ addresses }) => addresses.every((address) => /:\d{1,5}$/.test(address)),
  }),
  parser({
    reads: 'why gRPC failed',
    examples: [
      'No connection established. Last error: Error: 80AC:error:0A000412:SSL routines:ssl3_read_bytes:alert bad certificate (x). Resolution note: y',
    ],
    read: (details) => storeError(Object.assign(new Error(details), { code: 14, details }), ETCD),
  }),
];

const ETCD = { addresses: ['192.0.2.1:2379'], prefix: '/x', tls: undefined, user: undefined, warnings: [] };

function jsonOf(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
