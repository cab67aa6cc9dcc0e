/** What holds for containers of two hosts, whatever the engine; one test file per engine runs it. */
import { Lab } from '../../src/lab/lab.js';
import { WIRE_ADDRESS } from '../../src/lab/wire.js';
import { type EngineName, testOn } from './engines.js';
import { bootWithDocker, fetch, Pair, type PairOptions } from './pair.js';

type Setup = Omit<PairOptions, 'engine'>;

const SETUPS: readonly Setup[] = [
  { backend: 'host-gw', masquerader: 'docker' },
  { backend: 'vxlan', masquerader: 'loden' },
];

export function trafficTests(engine: EngineName): void {
  for (const setup of SETUPS) comeWhatMay(engine, setup);
  withNftables(engine);
  protection(engine);
}

function comeWhatMay(engine: EngineName, setup: Setup): void {
  const { backend, masquerader } = setup;
  const title = `docker ${engine}, ${backend}, ${masquerader} masquerades`;
  testOn(engine)(`${title}: containers reach each other by their own addresses, come what may`, async (t) => {
    const pair = await Pair.up(t, { engine, ...setup });
    const { engines, lab } = pair;
    for (const { host } of engines) {
      t.regex(await host.exec(['iptables', '-S', 'FORWARD']), /^-P FORWARD DROP$/m);
    }
    await pair.untilAllReach();

    await Promise.all(engines.map((one) => one.restart()));
    await pair.revive();
    await pair.untilAllReach();

    await Promise.all(engines.map((one) => one.kill()));
    await Promise.all(engines.map((one) => one.start()));
    await pair.revive();
    await pair.untilAllReach();

    await Promise.all(lab.hosts.map(({ daemon }) => daemon.restart()));
    await pair.untilAllReach();

    await Promise.all(lab.hosts.map((host) => host.exec(['nft', 'flush', 'ruleset'])));
    // Docker brings its rules back when it starts, and not before.
    await pair.untilAllReach({ world: masquerader === 'loden' });
    await lab.down();
  });
}

function withNftables(engine: EngineName): void {
  testOn(engine)(
    `docker ${engine}: containers reach each other with EnableNFTables too, though Docker uses iptables`,
    async (t) => {
      const config = { EnableNFTables: true };
      const pair = await Pair.up(t, { engine, backend: 'vxlan', masquerader: 'loden', config });
      await pair.untilAllReach();
      t.regex(await pair.lab.host('h1').exec(['nft', 'list', 'tables']), /^table ip flannel-ipv4$/m);
      await pair.lab.down();
    },
  );
}

/** A container of another network of Docker's on the same host, which publishes nothing. */
function protection(engine: EngineName): void {
  testOn(engine)(`docker ${engine}: what Docker keeps others away from stays out of reach`, async (t) => {
    const lab = await Lab.up({ hosts: 1, backend: 'host-gw', container: false });
    t.teardown(() => lab.down());
    const host = lab.host('h1');
    const docker = await bootWithDocker(host, { engine, backend: 'host-gw', masquerader: 'docker' });
    const server = ['httpd', '-f', '-p', '80', '-h', '/'];
    const own = await docker.runContainer('web', [], server);
    await docker.docker('network', 'create', '--subnet', '172.30.0.0/24', 'other');
    await docker.runContainer('inner', ['--network', 'other', '--ip', '172.30.0.2'], server);
    await lab.wire.namespace.ip(
      `route add 172.30.0.0/24 via ${host.address}`,
      `route add ${own} via ${host.address}`,
    );

    const fromWorld = (address: string) =>
      lab.wire.namespace.attempt(['sh', '-c', fetch(`http://${address}/`)]);
    const { exitCode } = await docker.host.namespace.attempt(['sh', '-c', fetch(`http://${own}/etc/passwd`)]);
    t.is(exitCode, 0, 'the host itself may');
    t.not((await fromWorld('172.30.0.2')).exitCode, 0);
    await t.throwsAsync(docker.docker('exec', 'web', 'sh', '-c', fetch('http://172.30.0.2/')));
    if (engine === '28') t.not((await fromWorld(own)).exitCode, 0);
    t.regex(await host.exec(['iptables-save']), /loden containers/);
    await docker.docker('exec', 'web', 'ping', '-c1', '-W1', WIRE_ADDRESS);
    await lab.down();
  });
}
