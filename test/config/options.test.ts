import test from 'ava';
import { DAEMON_OPTIONS, type DaemonOptions } from '../../src/config/options/daemon.js';
import { etcdFlags } from '../../src/config/options/etcd.js';
import { type DaemonCommand, parseDaemonOptions } from '../../src/config/options/parse.js';
import { variablesOf } from '../../src/config/options/table.js';
import { OptionError } from '../../src/errors.js';

type Environment = Record<string, string>;

function run(line: string, environment: Environment = {}): Extract<DaemonCommand, { kind: 'run' }> {
  const command = parseDaemonOptions(line.split(' ').filter(Boolean), environment);
  if (command.kind !== 'run') throw new Error(`not a run: ${command.kind}`);
  return command;
}

function options(line: string, environment: Environment = {}): DaemonOptions {
  return run(line, environment).options;
}

function refusal(line: string, environment: Environment = {}): OptionError {
  try {
    run(line, environment);
  } catch (error) {
    if (error instanceof OptionError) return error;
    throw error;
  }
  throw new Error(`accepted: ${line}`);
}

test("without flags every option has flannel's default, or ours", (t) => {
  t.deepEqual(options(''), {
    etcdEndpoints: 'http://127.0.0.1:4001,http://127.0.0.1:2379',
    etcdPrefix: '/coreos.com/network',
    etcdCafile: undefined,
    etcdCertfile: undefined,
    etcdKeyfile: undefined,
    etcdUsername: undefined,
    etcdPassword: undefined,
    iface: [],
    ifaceRegex: [],
    ifaceCanReach: undefined,
    publicIp: undefined,
    subnetFile: '/run/flannel/subnet.env',
    subnetLeaseTtlSeconds: 86_400,
    subnetLeaseRenewMarginMinutes: 60,
    peerHoldSeconds: 60,
    stateDir: '/var/lib/loden',
    ipMasq: false,
    ipMasqFullyRandomDisable: false,
    iptablesForwardRules: true,
    iptablesResyncSeconds: 5,
    ipBlackholeRoute: false,
    udpAcceptAny: false,
    udpQueues: 0,
    docker: 'off',
    dockerConfig: '/etc/docker/daemon.json',
    dockerSocket: '/run/docker.sock',
    dockerRestartCommand: undefined,
    resyncSeconds: 60,
    healthzIp: '0.0.0.0',
    healthzPort: 0,
    logFormat: 'text',
    logLevel: 'info',
  });
});

test('a flag takes one dash or two, and its value after = or as the next word', (t) => {
  const { iface } = options('-iface a --iface b -iface=c --iface=d --iface e=f --iface=g=h');
  t.deepEqual(iface, ['a', 'b', 'c', 'd', 'e=f', 'g=h']);
});

test('the next word is the value even when it begins with a dash', (t) => {
  t.is(options('-etcd-prefix -x').etcdPrefix, '-x');
});

test('a boolean is true by itself and takes its value with = only', (t) => {
  t.true(options('-ip-masq').ipMasq);
  t.true(options('--ip-masq=T').ipMasq);
  t.false(options('--iptables-forward-rules=false').iptablesForwardRules);
  t.regex(refusal('--ip-masq true --iface eth0').message, /"true".*--ip-masq=true/);
});

test('of a flag given twice the last counts', (t) => {
  t.is(options('-public-ip 192.0.2.1 -public-ip 192.0.2.2').publicIp, '192.0.2.2');
});

test('a flag wins over LODEND_, that over FLANNELD_, and an empty variable is none', (t) => {
  const both = { LODEND_ETCD_PREFIX: '/ours', FLANNELD_ETCD_PREFIX: '/theirs' };
  t.is(options('--etcd-prefix /flag', both).etcdPrefix, '/flag');
  t.is(options('', both).etcdPrefix, '/ours');
  t.is(options('', { ...both, LODEND_ETCD_PREFIX: '' }).etcdPrefix, '/theirs');
});

test('a repeatable flag gets one value from its variable, commas and all', (t) => {
  t.deepEqual(options('', { FLANNELD_IFACE: 'eth1,eth2' }).iface, ['eth1,eth2']);
});

test('every option but --version answers to its variable', (t) => {
  for (const spec of Object.values(DAEMON_OPTIONS)) {
    const variables = variablesOf(spec);
    if (spec.flag === 'version') t.deepEqual(variables, []);
    else t.true(variables.includes(`LODEND_${spec.flag.toUpperCase().replaceAll('-', '_')}`), spec.flag);
  }
});

test('an empty value is none where flannel has it so', (t) => {
  const { publicIp, iface } = options('--public-ip= --iface=');
  t.is(publicIp, undefined);
  t.deepEqual(iface, []);
});

test('a time to live is a duration, or a number of seconds', (t) => {
  const ttl = (value: string) => options(`--subnet-lease-ttl=${value}`).subnetLeaseTtlSeconds;
  t.deepEqual(['90', '90s', '1h30m', '1.5h', '2500ms'].map(ttl), [90, 90, 5400, 5400, 3]);
});

test('-v is for more of the log, unless --log-level says how much', (t) => {
  t.is(options('-v 0').logLevel, 'info');
  t.is(options('-v=10').logLevel, 'debug');
  t.is(options('-v 10 --log-level warn').logLevel, 'warn');
});

test('what etcd is reached by is handed on as one, empty where nothing was given', (t) => {
  const line = '--etcd-endpoints https://a:2379 --etcd-cafile ca.pem --etcd-username root';
  t.deepEqual(etcdFlags(options(line, { FLANNELD_ETCD_PASSWORD: 'hunter2' })), {
    endpoints: 'https://a:2379',
    prefix: '/coreos.com/network',
    caFile: 'ca.pem',
    certFile: '',
    keyFile: '',
    username: 'root',
    password: 'hunter2',
  });
});

test("a pattern may open with Go's flag for any case", (t) => {
  const [regex] = options('--iface-regex (?i)^ETH').ifaceRegex;
  t.true(regex!.test('eth0'));
});

const refused: [line: string, option: string, says: RegExp][] = [
  ['--etcd-endpoint x', '--etcd-endpoint', /did you mean --etcd-endpoints\?/],
  ['-ipmasq', '--ipmasq', /did you mean --ip-masq\?/],
  ['--frobnicate', '--frobnicate', /see --help/],
  ['run', 'run', /unexpected argument "run"/],
  ['--', '--', /unexpected argument "--"/],
  ['--state-dir', '--state-dir', /needs a value/],
  ['--iptables-resync 5s', '--iptables-resync', /"5s".*whole number from 1 to/],
  ['--healthz-port 65536', '--healthz-port', /"65536".*from 0 to 65535/],
  ['--healthz-ip localhost', '--healthz-ip', /"localhost".*127\.0\.0\.1/],
  ['--public-ip 10.0.0', '--public-ip', /"10\.0\.0".*192\.0\.2\.1/],
  ['--ip-masq=yes', '--ip-masq', /"yes".*true or false/],
  ['--iface-regex [', '--iface-regex', /regular expression/],
  ['--log-format xml', '--log-format', /text or json/],
  ['--subnet-lease-ttl 1s', '--subnet-lease-ttl', /from 2s/],
  ['--subnet-lease-ttl 5x', '--subnet-lease-ttl', /"5x".*24h/],
  ['--subnet-lease-renew-margin 1440', '--subnet-lease-renew-margin', /from 1 to 1439/],
  ['--kube-subnet-mgr', '--kube-subnet-mgr', /no Kubernetes mode/],
];

for (const [line, option, says] of refused) {
  test(`refused, naming the option and what is right: ${line}`, (t) => {
    const error = refusal(line);
    t.is(error.option, option);
    t.regex(error.message, says);
  });
}

test('a bad variable is an error that names the variable', (t) => {
  const error = refusal('', { FLANNELD_IPTABLES_RESYNC: 'soon' });
  t.is(error.option, 'FLANNELD_IPTABLES_RESYNC');
  t.regex(error.message, /FLANNELD_IPTABLES_RESYNC: "soon"/);
});

test('no message and no help shows a secret', (t) => {
  const help = parseDaemonOptions(['-h'], { LODEND_ETCD_PASSWORD: 'hunter2' });
  t.false(help.kind === 'help' && help.text.includes('hunter2'));
  for (const line of [
    'etcd-password=hunter2',
    '--etcd-passwd=hunter2',
    '--etcd-password hunter2 --resync x',
    '--etcd-password = hunter2',
    '--etcd-password my hunter2',
    '--etcd-password:hunter2',
  ]) {
    t.false(refusal(line).message.includes('hunter2'), line);
  }
});

test("flannel's flags without a meaning here are accepted, each with a warning", (t) => {
  const { warnings } = run('-subnet-dir /run -kube-api-url x --kube-subnet-mgr=false -vmodule=a=2');
  t.deepEqual(
    warnings.map((warning) => warning.split(' has no effect')[0]),
    ['--vmodule', '--kube-subnet-mgr', '--kube-api-url', '--subnet-dir'],
  );
});

test('a variable that is nearly one of ours is pointed out', (t) => {
  const { warnings } = run('', { LODEND_ETCD_ENDPOINT: 'x', FLANNELD_VERSION: 'v0.28.9', HOME: '/' });
  t.deepEqual(warnings, [
    'LODEND_ETCD_ENDPOINT is not a known variable; did you mean LODEND_ETCD_ENDPOINTS?',
    'FLANNELD_VERSION is not a known variable',
  ]);
});

test('the version is told whatever else is wrong', (t) => {
  t.is(parseDaemonOptions(['-version', '--v=x'], { LODEND_RESYNC: 'x' }).kind, 'version');
  t.is(parseDaemonOptions(['--version=false'], {}).kind, 'run');
});

for (const form of ['-h', '--h', '-help', '--help']) {
  test(`${form} lists every flag that has an effect, grouped, in 80 columns`, (t) => {
    const command = parseDaemonOptions([form], {});
    const text = command.kind === 'help' ? command.text : '';
    for (const { flag } of Object.values(DAEMON_OPTIONS)) t.true(text.includes(flag), flag);
    for (const group of ['etcd:', 'Uplink:', 'Lease:', 'Firewall:', 'Process:'])
      t.true(text.includes(`\n${group}\n`));
    t.true(text.split('\n').every((line) => line.length <= 80));
  });
}
