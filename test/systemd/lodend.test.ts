/**
 * The unit under a real systemd, installed as an operator would, on a host of its own:
 *
 *     ┌ machine: systemd, lodend, docker.service ──┐
 *     │ etcd at 127.0.0.1        eth0 192.0.2.1/24 ├── wire0, the other end of a veth
 *     └────────────────────────────────────────────┘
 *
 * docker.service is a stand-in that notes what it found in subnet.env when it was started.
 */
import test, { type ExecutionContext } from 'ava';
import type { Etcd } from '../../src/lab/etcd.js';
import { waitFor } from '../../src/lab/wait.js';
import { engineFolder, hasEngine } from '../docker/engines.js';
import { loneHost } from '../netns/lone-host.js';
import { Machine, PACKAGE, whyNoMachine } from './machine.js';

const PREFIX = '/coreos.com/network';
const TOOL = [process.execPath, `${PACKAGE}/dist/cmd/loden.js`];

const why = whyNoMachine();
const onMachine = (title: string, run: (t: ExecutionContext) => Promise<void>) =>
  why === undefined ? test.serial(title, run) : test.skip(`${title} (skipped: ${why})`, run);

const DOCKER = `
[Unit]
After=network-online.target
[Service]
Type=notify
ExecStart=/bin/sh -c 'cat /run/flannel/subnet.env >/run/docker-found; systemd-notify --ready; exec sleep infinity'
NotifyAccess=all
Restart=always
RestartSec=100ms
[Install]
WantedBy=multi-user.target
`;

interface Host {
  readonly machine: Machine;
  readonly etcd: Etcd;
}

/** A host with etcd and the unit installed, both programs enabled, and nothing started. */
async function makeHost(
  t: ExecutionContext,
  config: object = { Network: '10.5.0.0/16', Backend: { Type: 'vxlan' } },
) {
  t.timeout(120_000);
  const { namespace, etcd, directory } = await loneHost(t);
  await etcd.ctl('put', `${PREFIX}/config`, JSON.stringify(config));
  const machine = await Machine.boot({ namespace, directory });
  t.teardown(() => machine.powerOff());
  await machine.write('/etc/systemd/system/docker.service', DOCKER);
  await machine.exec([...TOOL, 'install-unit']);
  const environment = await machine.read('/etc/loden/lodend.env');
  await machine.write(
    '/etc/loden/lodend.env',
    `${environment.replace(/^LODEND_DOCKER=.*$/m, '')}LODEND_ETCD_ENDPOINTS=${etcd.endpoint}\n`,
  );
  await machine.exec(['systemctl', 'enable', '--quiet', 'lodend', 'docker']);
  return { machine, etcd } satisfies Host;
}

/** More settings for a unit, as an operator's drop-in. */
async function dropIn(machine: Machine, unit: string, text: string): Promise<void> {
  await machine.write(`/etc/systemd/system/${unit}.d/test.conf`, text);
  await machine.exec(['systemctl', 'daemon-reload']);
}

const state = (machine: Machine, unit: string) => machine.property(unit, 'ActiveState');
const statusText = (machine: Machine) => machine.property('lodend', 'StatusText');
const mainPid = async (machine: Machine, unit: string) => Number(await machine.property(unit, 'MainPID'));

async function untilActive(machine: Machine, unit: string, deadlineMs = 20_000): Promise<void> {
  const explain = () => machine.journal(unit);
  const look = async () => (await state(machine, unit)) === 'active';
  await waitFor(`${unit} active`, look, { deadlineMs, explain });
}

onMachine('lodend is active when it has a subnet, and Docker starts after that', async (t) => {
  const { machine } = await makeHost(t);
  await machine.exec(['systemctl', 'start', 'docker']);
  t.is(await state(machine, 'lodend'), 'active');
  t.is(await state(machine, 'docker'), 'active');
  t.regex(await machine.read('/run/docker-found'), /^FLANNEL_SUBNET=10\.5\.\d+\.1\/24$/m);
  t.regex(await statusText(machine), /^10\.5\.\d+\.0\/24 by vxlan$/);
  const time = async (unit: string) => Number(await machine.property(unit, 'ActiveEnterTimestampMonotonic'));
  t.true((await time('lodend')) < (await time('docker')));
});

onMachine('killing or stopping lodend does not stop Docker', async (t) => {
  const { machine } = await makeHost(t);
  await machine.exec(['systemctl', 'start', 'docker']);
  const [docker, lodend] = [await mainPid(machine, 'docker'), await mainPid(machine, 'lodend')];
  await dropIn(machine, 'lodend.service', '[Service]\nRestartSec=100ms\n');
  await machine.exec(['kill', '-KILL', String(lodend)]);
  await waitFor('another lodend', async () => ![0, lodend].includes(await mainPid(machine, 'lodend')));
  await untilActive(machine, 'lodend');
  await machine.exec(['systemctl', 'stop', 'lodend']);
  t.is(await mainPid(machine, 'docker'), docker);
  t.is(await state(machine, 'docker'), 'active');
  t.regex(await machine.read('/run/flannel/subnet.env'), /^FLANNEL_SUBNET=/m);
});

onMachine('systemd kills a frozen lodend and starts another', async (t) => {
  const { machine } = await makeHost(t);
  await dropIn(machine, 'lodend.service', '[Service]\nWatchdogSec=3s\nRestartSec=100ms\n');
  await machine.exec(['systemctl', 'start', 'lodend']);
  const lodend = await mainPid(machine, 'lodend');
  // Longer than the watchdog allows without a ping.
  await waitFor('four seconds of its life', async () => {
    const seconds = await machine.exec(['ps', '-o', 'etimes=', '-p', String(lodend)]);
    return Number(seconds) >= 4;
  });
  t.is(await machine.property('lodend', 'NRestarts'), '0');
  await machine.exec(['kill', '-STOP', String(lodend)]);
  await waitFor('a restart', async () => (await machine.property('lodend', 'NRestarts')) !== '0');
  await untilActive(machine, 'lodend');
  t.regex(await machine.journal('lodend'), /Watchdog timeout/);
});

onMachine(
  'while etcd is away lodend waits and says for what, and is not started again for that',
  async (t) => {
    const { machine, etcd } = await makeHost(t);
    await etcd.stop();
    await dropIn(machine, 'lodend.service', '[Unit]\nJobRunningTimeoutSec=1s\n');
    const { exitCode } = await machine.attempt(['systemctl', 'start', 'lodend']);
    t.not(exitCode, 0);
    t.is(await state(machine, 'lodend'), 'activating');
    const explain = () => machine.journal('lodend');
    await waitFor('a status', async () => /waiting for etcd.*: /.test(await statusText(machine)), {
      explain,
    });
    await etcd.start();
    await untilActive(machine, 'lodend');
    t.is(await machine.property('lodend', 'NRestarts'), '0');
  },
);

onMachine('on first boot without etcd Docker does not come up on a network of its own', async (t) => {
  const { machine, etcd } = await makeHost(t);
  await etcd.stop();
  await dropIn(machine, 'lodend.service', '[Unit]\nJobRunningTimeoutSec=1s\n');
  await machine.exec(['systemctl', 'start', '--no-block', 'docker']);
  const waits = async () => (await machine.property('docker', 'SubState')) === 'start-pre';
  await waitFor('Docker to wait by itself', waits);
  await etcd.start();
  await untilActive(machine, 'docker');
  t.regex(await machine.read('/run/docker-found'), /^FLANNEL_SUBNET=/m);
});

onMachine('on a later boot without etcd Docker starts with the subnet that it had', async (t) => {
  const { machine, etcd } = await makeHost(t);
  await etcd.stop();
  await machine.write('/etc/docker/daemon.json', '{\n  "bip": "10.5.1.1/24"\n}\n');
  await dropIn(machine, 'lodend.service', '[Unit]\nJobRunningTimeoutSec=1s\n');
  await machine.exec(['systemctl', 'start', 'docker']);
  t.is(await state(machine, 'docker'), 'active');
  t.is(await state(machine, 'lodend'), 'activating');
});

onMachine('Docker starts at once where lodend is not wanted', async (t) => {
  const { machine, etcd } = await makeHost(t);
  await etcd.stop();
  await machine.exec(['systemctl', 'disable', '--quiet', 'lodend']);
  await machine.exec(['systemctl', 'start', 'docker']);
  t.is(await state(machine, 'lodend'), 'inactive');
});

onMachine('a lodend that was told nonsense is tried again, not in a hurry, and Docker starts', async (t) => {
  const { machine } = await makeHost(t);
  await dropIn(machine, 'lodend.service', '[Service]\nEnvironment=LODEND_V=nonsense\n');
  await machine.attempt(['systemctl', 'start', 'lodend']);
  t.is(await machine.property('lodend', 'ExecMainStatus'), '2');
  t.is(await machine.property('lodend', 'SubState'), 'auto-restart');
  t.is(await machine.property('lodend', 'RestartUSec'), '5s');
});

onMachine('in its sandbox lodend carries the packets of the udp backend', async (t) => {
  const { machine } = await makeHost(t, { Network: '10.5.0.0/16' });
  await machine.exec(['systemctl', 'start', 'lodend']);
  t.regex(await statusText(machine), /^10\.5\.\d+\.0\/24 by udp$/);
  t.regex(await machine.exec(['ip', 'route', 'show', 'proto', '76']), /^10\.5\.0\.0\/16 dev flannel0 /);
  t.regex(await machine.journal('lodend'), /packet path is open device=flannel0 .*gro/);
});

onMachine('in its sandbox lodend does all its work', async (t) => {
  const { machine } = await makeHost(t);
  await machine.exec(['sysctl', '-qw', 'net.ipv4.ip_forward=0']);
  await machine.exec(['systemctl', 'start', 'lodend']);
  const pid = await mainPid(machine, 'lodend');
  t.regex(await machine.exec(['ip', 'link']), /flannel\.1:/);
  t.is(await machine.exec(['cat', '/proc/sys/net/ipv4/ip_forward']), '1');
  t.is(await machine.exec(['cat', '/proc/sys/net/ipv6/conf/flannel.1/accept_ra']), '0');
  t.is(await machine.exec(['stat', '-c', '%a', '/run/flannel']), '755');
  t.is(await machine.exec(['stat', '-c', '%a', '/var/lib/loden']), '700');
  t.notRegex(await machine.journal('lodend'), /warn|error|EPERM|EROFS|EACCES/);
  const names = (await machine.exec(['cat', `/proc/${pid}/status`])).split('\n');
  t.true(
    names.includes('CapEff:\t0000000000003001'),
    names.find((line) => line.startsWith('CapEff')),
  );
});

/** Runs a script as the unit would run its own programs, and returns what it printed. */
async function inSandbox(machine: Machine, script: string): Promise<string> {
  await machine.write('/opt/probe', script);
  await dropIn(
    machine,
    'lodend.service',
    '[Service]\nExecStartPre=/bin/sh -c "sh /opt/probe >/run/flannel/probe 2>&1"\n',
  );
  await machine.exec(['systemctl', 'start', 'lodend']);
  return (await machine.read('/run/flannel/probe')).trimEnd();
}

onMachine('the sandbox keeps lodend from all that is not its work', async (t) => {
  const { machine } = await makeHost(t);
  await machine.exec(['mkdir', '-p', '/home/somebody']);
  const probe = `
    for path in /etc/passwd /etc/systemd/system/x /usr/bin/x /var/lib/x /run/x /root/x /proc/sys/kernel/hostname; do
      (: >>$path) 2>/dev/null && echo "could write $path"
    done
    ls /home/somebody 2>/dev/null && echo 'could see a home'
    mount -t tmpfs none /mnt 2>/dev/null && echo 'could mount'
    unshare --user true 2>/dev/null && echo 'could make a namespace'
    hostname other 2>/dev/null && echo 'could name the machine'
    mknod /run/flannel/node c 1 3 2>/dev/null && echo 'could make a device'
    nice -n -5 true 2>&1 | grep -q cannot || echo 'could raise its priority'
    echo end`;
  t.is(await inSandbox(machine, probe), 'end');
});

onMachine('the sandbox has room for what Docker and the firewall need', async (t) => {
  const { machine } = await makeHost(t);
  const probe = `
    set -e
    nft add table ip probe
    iptables-nft -w -t nat -N PROBE
    ! iptables-legacy -w -t nat -N PROBE 2>&1 | grep -v 'Table does not exist'
    echo '{}' >/etc/docker/daemon.json
    chown 1000:1000 /etc/docker/daemon.json
    systemctl start --no-block docker
    tr '\\0' ' ' </proc/1/cmdline
    echo end`;
  t.regex(await inSandbox(machine, probe), /^\/lib\/systemd\/systemd .*end$/);
  await untilActive(machine, 'docker');
});

onMachine('systemd-networkd leaves our device alone, also when it is told to manage all', async (t) => {
  const { machine } = await makeHost(t);
  await machine.write(
    '/etc/systemd/network/50-all.network',
    '[Match]\nName=*\n[Network]\nLinkLocalAddressing=no\n',
  );
  await machine.exec(['systemctl', 'start', 'lodend']);
  const before = await machine.exec(['ip', '-4', 'address', 'show', 'dev', 'flannel.1']);
  await machine.exec(['systemctl', 'unmask', 'systemd-networkd']);
  await machine.exec(['systemctl', 'start', 'systemd-networkd']);
  const states = async () =>
    JSON.parse(await machine.exec(['networkctl', '--json=short', 'list'])).Interfaces as {
      Name: string;
      AdministrativeState: string;
    }[];
  const stateOf = async (name: string) =>
    (await states()).find((link) => link.Name === name)?.AdministrativeState;
  await waitFor('networkd to manage the uplink', async () => /^conf/.test((await stateOf('eth0')) ?? ''));
  t.is(await stateOf('flannel.1'), 'unmanaged');
  t.is(await machine.exec(['ip', '-4', 'address', 'show', 'dev', 'flannel.1']), before);
});

const ENGINE = engineFolder('20.10');
const withDocker = (title: string, run: (t: ExecutionContext) => Promise<void>) =>
  hasEngine('20.10') ? onMachine(title, run) : test.serial.skip(`${title} (skipped: no ${ENGINE})`, run);

/** As Debian's unit has it, with another place for programs, and without what only containers need. */
const REAL_DOCKER = `
[Unit]
After=network-online.target
StartLimitBurst=3
StartLimitIntervalSec=60s
[Service]
Type=notify
Environment=PATH=${ENGINE}/bin:/usr/sbin:/usr/bin:/sbin:/bin LD_LIBRARY_PATH=${ENGINE}/lib
ExecStart=${ENGINE}/bin/dockerd --data-root=/run/docker-data --storage-driver=vfs
Restart=always
RestartSec=2s
KillMode=process
`;

/** `inet 10.5.3.1/24`, as docker0 has it. */
async function bridgeAddress(machine: Machine): Promise<string | undefined> {
  const { stdout } = await machine.attempt(['ip', '-4', '-o', 'address', 'show', 'dev', 'docker0']);
  return /inet (\S+)/.exec(stdout)?.[1];
}

const leased = async (machine: Machine) =>
  /^FLANNEL_SUBNET=(.*)$/m.exec(await machine.read('/run/flannel/subnet.env'))?.[1];

withDocker('a real Docker comes up on the leased subnet on its first start', async (t) => {
  const { machine } = await makeHost(t);
  await machine.write('/etc/systemd/system/docker.service', REAL_DOCKER);
  await dropIn(machine, 'lodend.service', '[Service]\nEnvironment=LODEND_DOCKER=write\n');
  await machine.exec(['systemctl', 'start', 'docker'], { timeoutMs: 60_000 });
  t.is(await bridgeAddress(machine), await leased(machine));
  t.is(await machine.property('docker', 'NRestarts'), '0');
});

withDocker('from its sandbox lodend restarts a Docker that runs on another subnet', async (t) => {
  const { machine } = await makeHost(t);
  await machine.exec(['systemctl', 'disable', '--quiet', 'lodend']);
  await machine.write('/etc/systemd/system/docker.service', REAL_DOCKER);
  await dropIn(machine, 'lodend.service', '[Service]\nEnvironment=LODEND_DOCKER=restart\n');
  await machine.exec(['systemctl', 'start', 'docker'], { timeoutMs: 60_000 });
  t.regex((await bridgeAddress(machine))!, /^172\./);
  await machine.exec(['systemctl', 'start', 'lodend']);
  const follows = async () => (await bridgeAddress(machine)) === (await leased(machine));
  await waitFor('docker0 on the leased subnet', follows, {
    deadlineMs: 40_000,
    explain: () => machine.journal('lodend'),
  });
  t.is(await state(machine, 'lodend'), 'active', await machine.journal('lodend'));
});
