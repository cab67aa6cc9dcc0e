/** The firewall on a real kernel: flannel's rules, kept whatever others do, and nothing else touched. */
import anyTest, { type TestFn } from 'ava';
import { waitFor } from '../../src/lab/wait.js';
import { DOCKER_26, DOCKER_28 } from '../firewall/saved.js';
import { wishFor } from '../firewall/wish.js';
import { FirewalledHost, type Flavour } from './firewalled-host.js';
import { canIsolate } from './isolated-kernel.js';

const test = (canIsolate ? anyTest.serial : anyTest.skip) as TestFn;
const FLAVOURS: readonly Flavour[] = ['nft', 'legacy'];
const SECOND_MS = 1000;

const WISH = wishFor('10.5.0.0/16', '10.5.1.0/24', { ipMasq: true });
const OTHER = wishFor('10.6.0.0/16', '10.6.3.0/24', { ipMasq: true });
const OLD = wishFor('10.4.0.0/16', '10.4.7.0/24', { ipMasq: true });

/** As flannel's own manager leaves them (pkg/trafficmngr/iptables). */
function flannelsRules(network: string, subnet: string): string[] {
  const forward = '-m comment --comment "flanneld forward" -j';
  const masq = '-m comment --comment "flanneld masq" -j';
  return [
    `filter -A FORWARD ${forward} FLANNEL-FWD`,
    `filter -A FLANNEL-FWD -s ${network} ${forward} ACCEPT`,
    `filter -A FLANNEL-FWD -d ${network} ${forward} ACCEPT`,
    `nat -A POSTROUTING ${masq} FLANNEL-POSTRTG`,
    `nat -A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 ${masq} RETURN`,
    `nat -A FLANNEL-POSTRTG -s ${subnet} -d ${network} ${masq} RETURN`,
    `nat -A FLANNEL-POSTRTG -s ${network} -d ${subnet} ${masq} RETURN`,
    `nat -A FLANNEL-POSTRTG ! -s ${network} -d ${subnet} ${masq} RETURN`,
    `nat -A FLANNEL-POSTRTG -s ${network} ! -d 224.0.0.0/4 ${masq} MASQUERADE --random-fully`,
    `nat -A FLANNEL-POSTRTG ! -s ${network} -d ${network} ${masq} MASQUERADE --random-fully`,
  ];
}

const FLANNELS = flannelsRules('10.5.0.0/16', '10.5.1.0/24');

/** Both tables in one order, whichever of them the kernel shows first. */
const sorted = (save: string) => `${save} -t filter && ${save} -t nat`;
const SAVE = sorted('iptables-save');

for (const flavour of FLAVOURS) {
  test(`iptables-${flavour}: the rules are flannel's, word for word, and a restart changes none`, async (t) => {
    const host = await FirewalledHost.make(t, flavour);
    const keeper = await host.keep(t, WISH);
    t.deepEqual(await host.rules(SAVE), FLANNELS);
    await keeper.kill();
    const next = await host.keep(t, WISH);
    t.deepEqual(await host.rules(SAVE), FLANNELS);
    t.like(next.log[0], { msg: 'firewall programmed', added: 0, removed: 0 });
  });

  test(`iptables-${flavour}: rules of others stay, and stay where they are`, async (t) => {
    const host = await FirewalledHost.make(t, flavour);
    await host.shell(`iptables -A FORWARD -s 10.9.0.0/16 -j DROP
      iptables -A FORWARD -p icmp -j ACCEPT
      iptables -t nat -A POSTROUTING -s 10.9.0.0/16 -j MASQUERADE`);
    const others = await host.rules(SAVE);
    const keeper = await host.keep(t, WISH);
    t.deepEqual(
      (await host.rules(SAVE)).filter((rule) => !FLANNELS.includes(rule)),
      others,
    );
    await keeper.kill();
    await host.keep(t, { ...WISH, ipMasq: false, forwardRules: false });
    t.deepEqual(await host.rules(SAVE), others);
    t.notRegex(await host.shell('iptables-save'), /FLANNEL/);
  });

  test(`iptables-${flavour}: two daemons for two networks keep their rules side by side`, async (t) => {
    const host = await FirewalledHost.make(t, flavour);
    const one = await host.keep(t, WISH, 200);
    const two = await host.keep(t, OTHER, 200);
    const seconds = flannelsRules('10.6.0.0/16', '10.6.3.0/24');
    const both = [...FLANNELS.slice(0, 3), ...seconds.slice(1, 3), ...FLANNELS.slice(3), ...seconds.slice(5)];
    t.deepEqual(await host.rules(SAVE), both);
    await one.kill();
    await host.keep(t, WISH, 200);
    t.deepEqual(await host.rules(SAVE), both);

    await host.shell('iptables -t nat -F');
    const back = async () => (await host.rules(SAVE)).sort().join() === [...both].sort().join();
    await waitFor('the rules of both', back, { explain: async () => (await host.rules(SAVE)).join('\n') });

    await two.kill();
    await host.keep(t, { ...OTHER, ipMasq: false, forwardRules: false });
    t.deepEqual((await host.rules(SAVE)).sort(), [...FLANNELS].sort());
  });

  test(`iptables-${flavour}: rules for the subnet and the network before go`, async (t) => {
    const host = await FirewalledHost.make(t, flavour);
    const older = await host.keep(t, OLD);
    await older.kill();
    const newer = await host.keep(t, {
      ...wishFor('10.5.0.0/16', '10.5.9.0/24', { ipMasq: true }),
      previousNetwork: OLD.network,
    });
    t.deepEqual(await host.rules(SAVE), flannelsRules('10.5.0.0/16', '10.5.9.0/24'));
    await newer.kill();
    await host.keep(t, WISH);
    t.deepEqual(await host.rules(SAVE), FLANNELS);
  });
}

test('a flanneld that starts may empty its chains and fill them again: no rule is there twice', async (t) => {
  const host = await FirewalledHost.make(t, 'nft');
  const keeper = await host.keep(t, WISH);
  const rules = [...FLANNELS.slice(1, 3), ...FLANNELS.slice(4)].map((rule) => rule.split(/ (.*)/));
  const lines = (table: string) => rules.filter(([name]) => name === table).map(([, rule]) => rule);
  const fill = ['*nat', ...lines('nat'), 'COMMIT', '*filter', ...lines('filter'), 'COMMIT'].join('\n');
  await host.shell(`iptables -t nat -F FLANNEL-POSTRTG && iptables -F FLANNEL-FWD && sleep 0.1
    iptables-restore --noflush <<'END'\n${fill}\nEND`);
  t.deepEqual(await host.rules(SAVE), FLANNELS);
  await host.shell('iptables -F FLANNEL-FWD');
  await host.untilRules(FLANNELS, 5 * SECOND_MS, SAVE);
  const words = () => keeper.log.filter(({ msg }) => msg === 'firewall rules put right').length;
  await waitFor('a word on it', () => words() > 0);
  t.is(words(), 1);
});

for (const destroy of ['nft flush ruleset', 'iptables -F && iptables -t nat -F', 'iptables -D FORWARD 1']) {
  test(`nftables tells of a change: rules are back within a second after ${destroy}`, async (t) => {
    const host = await FirewalledHost.make(t, 'nft');
    const keeper = await host.keep(t, WISH);
    await host.shell(destroy);
    const before = performance.now();
    await host.untilRules(FLANNELS, 5 * SECOND_MS, SAVE);
    t.true(performance.now() - before < SECOND_MS);
    await waitFor('a word on it', () => keeper.log.some(({ msg }) => msg === 'firewall rules put right'), {
      explain: () => JSON.stringify(keeper.log),
    });
  });
}

test('the older tables tell nothing: rules are back after the resync period', async (t) => {
  const host = await FirewalledHost.make(t, 'legacy');
  await host.keep(t, WISH, SECOND_MS);
  await host.shell('iptables -F && iptables -t nat -F');
  await host.untilRules(FLANNELS, 5 * SECOND_MS, SAVE);
  t.pass();
});

test('whoever holds the lock of the older tables is waited for', async (t) => {
  const host = await FirewalledHost.make(t, 'legacy');
  const holder = host.shell('flock /run/xtables.lock sleep 2');
  const isHeld = () =>
    host.shell('flock --nonblock /run/xtables.lock true').then(
      () => false,
      () => true,
    );
  await waitFor('the lock to be held', isHeld);
  const keeping = host.keep(t, WISH);
  const first = await Promise.race([holder.then(() => 'holder'), keeping.then(() => 'keeper')]);
  t.is(first, 'holder');
  await keeping;
  t.deepEqual(await host.rules(SAVE), FLANNELS);
});

test('a storm of changes by others costs few looks', async (t) => {
  const host = await FirewalledHost.make(t, 'nft');
  const keeper = await host.keep(t, WISH);
  const before = keeper.looks;
  const started = performance.now();
  await host.shell('for i in $(seq 300); do iptables -A INPUT -s 10.9.0.$((i % 250)) -j ACCEPT; done');
  const seconds = (performance.now() - started) / SECOND_MS;
  await waitFor('a look', () => keeper.looks > before);
  t.true(keeper.looks - before <= 5 * seconds + 2);
});

test('EnableNFTables: the same rules are in flannel’s table, and none are left in iptables', async (t) => {
  const host = await FirewalledHost.make(t, 'nft');
  const wish = { ...WISH, manager: 'nftables' as const };
  await (await host.keep(t, WISH)).kill();
  const keeper = await host.keep(t, wish);
  t.deepEqual(await host.rules(), []);
  const listing = await host.shell('nft list table ip flannel-ipv4');
  t.is(
    listing,
    `table ip flannel-ipv4 {
	comment "rules for flannel-ipv4"
	chain forward {
		comment "chain to accept flannel traffic"
		type filter hook forward priority filter; policy accept;
		ip saddr 10.5.0.0/16 accept
		ip daddr 10.5.0.0/16 accept
	}

	chain postrtg {
		comment "chain to manage traffic masquerading by flannel"
		type nat hook postrouting priority srcnat; policy accept;
		meta mark & 0x00004000 == 0x00004000 return
		ip saddr 10.5.1.0/24 ip daddr 10.5.0.0/16 return
		ip saddr 10.5.0.0/16 ip daddr 10.5.1.0/24 return
		ip saddr != 10.5.0.0/16 ip daddr 10.5.1.0/24 return
		ip saddr 10.5.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random
		ip saddr != 10.5.0.0/16 ip daddr 10.5.0.0/16 masquerade fully-random
	}
}`,
  );
  await host.shell('nft flush ruleset');
  const isBack = async () =>
    (await host.shell('nft list tables | grep -q flannel-ipv4 && nft list table ip flannel-ipv4 || true')) ===
    listing;
  await waitFor('the table', isBack, { deadlineMs: 5 * SECOND_MS });
  await host.shell(
    'nft delete rule ip flannel-ipv4 postrtg handle $(nft -a list table ip flannel-ipv4 | sed -n "s/.*224.*handle //p")',
  );
  await waitFor('the rule', isBack, { deadlineMs: 5 * SECOND_MS });
  await keeper.kill();
  await host.keep(t, WISH);
  t.deepEqual(await host.rules(SAVE), FLANNELS);
  t.notRegex(await host.shell('nft list table ip flannel-ipv4'), /10\.5\./);
});

test('EnableNFTables needs no iptables on the host; without that the log names what is missing', async (t) => {
  const host = await FirewalledHost.make(t, 'none');
  const nft = await host.keep(t, { ...WISH, manager: 'nftables' });
  t.like(nft.log[0], { msg: 'firewall programmed', added: 8, removed: 0 });
  t.regex(await host.shell('nft list table ip flannel-ipv4'), /ip saddr 10\.5\.0\.0\/16 accept/);
  await nft.kill();
  const iptables = await host.keep(t, WISH);
  t.like(iptables.log[0], { msg: 'cannot set firewall rules, trying again' });
  t.regex(String(iptables.log[0]?.error), /^iptables .*no such program/);
});

/** As Docker 28 leaves them, on the tables that it uses. */
const withDocker = (save: string) => `iptables-restore <<'RULES'
${save}RULES
`;
const IN = '-s 10.5.0.0/16 -d 10.5.1.0/24 -i eth0 -m comment --comment "loden containers" -j ACCEPT';
const OUT = '-s 10.5.1.0/24 -d 10.5.0.0/16 -o eth0 -m comment --comment "loden containers" -j ACCEPT';

for (const flavour of FLAVOURS) {
  test(`iptables-${flavour}: among Docker’s rules ours come to stand where they work, and come back there`, async (t) => {
    const host = await FirewalledHost.make(t, flavour);
    await host.shell(withDocker(DOCKER_28));
    await host.keep(t, wishFor('10.5.0.0/16', '10.5.1.0/24'), 200);
    const isRight = async () => {
      const rules = await host.rules();
      const at = (rule: string) => rules.indexOf(rule);
      const drop = rules.findIndex((rule) => /^raw .* -j DROP$/.test(rule));
      const masquerade = rules.findIndex((rule) => rule.endsWith('! -o docker0 -j MASQUERADE'));
      const raw = at(`raw -A PREROUTING ${IN}`);
      const source = at(`nat -A POSTROUTING ${OUT}`);
      return (
        raw >= 0 &&
        raw < drop &&
        source >= 0 &&
        source < masquerade &&
        at(`filter -A DOCKER-USER ${IN}`) >= 0 &&
        at(`filter -A DOCKER-USER ${OUT}`) >= 0
      );
    };
    t.true(await isRight());
    // As when Docker starts anew: it puts its rule before all others.
    await host.shell(`iptables -t nat -D POSTROUTING -s 10.5.1.0/24 ! -o docker0 -j MASQUERADE
      iptables -t nat -I POSTROUTING -s 10.5.1.0/24 ! -o docker0 -j MASQUERADE
      iptables -F DOCKER-USER`);
    await waitFor('ours before Docker’s', isRight, { explain: async () => (await host.rules()).join('\n') });
    t.is((await host.rules()).filter((rule) => rule.includes('loden containers')).length, 4);
  });
}

test('when Docker turns out to use the other flavour, our rules move there', async (t) => {
  const host = await FirewalledHost.make(t, 'nft');
  await host.keep(t, WISH, 200);
  t.deepEqual(await host.rules(SAVE), FLANNELS);
  await host.shell(`iptables-legacy -N DOCKER-USER
    iptables-legacy -A FORWARD -j DOCKER-USER
    iptables-legacy -t nat -N DOCKER`);
  await host.untilRules([], 5 * SECOND_MS, SAVE);
  await host.untilRules(
    [
      'filter -A FORWARD -j DOCKER-USER',
      ...FLANNELS.slice(0, 1),
      `filter -A DOCKER-USER ${IN}`,
      `filter -A DOCKER-USER ${OUT}`,
      ...FLANNELS.slice(1),
    ],
    5 * SECOND_MS,
    sorted('iptables-legacy-save'),
  );
  t.pass();
});

test('what the operator put into DOCKER-USER comes before ours, and the log names what it drops', async (t) => {
  const host = await FirewalledHost.make(t, 'nft');
  await host.shell(withDocker(DOCKER_26));
  await host.shell('iptables -I DOCKER-USER -s 10.5.3.0/24 -j DROP');
  const keeper = await host.keep(t, wishFor('10.5.0.0/16', '10.5.1.0/24'), 500);
  const rules = (await host.rules()).filter((rule) => rule.startsWith('filter -A DOCKER-USER'));
  t.deepEqual(rules, [
    'filter -A DOCKER-USER -s 10.5.3.0/24 -j DROP',
    `filter -A DOCKER-USER ${IN}`,
    `filter -A DOCKER-USER ${OUT}`,
    'filter -A DOCKER-USER -j RETURN',
  ]);
  await waitFor('a warning', () =>
    keeper.log.some(({ rule }) => rule === 'iptables -t filter -A DOCKER-USER -s 10.5.3.0/24 -j DROP'),
  );
});
