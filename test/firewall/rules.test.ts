import test from 'ava';
import { iptablesText } from '../../src/firewall/iptables-text.js';
import { nftablesText } from '../../src/firewall/nftables-text.js';
import { flannelRules } from '../../src/firewall/rules.js';
import { parsePrefix } from '../../src/net/prefix.js';

const input = {
  network: parsePrefix('10.5.0.0/16')!,
  subnet: parsePrefix('10.5.1.0/24')!,
  ipMasq: true,
  fullyRandom: true,
  forwardRules: true,
};

test('the same rule has a text for iptables and one for nftables', (t) => {
  const { masquerade, forward } = flannelRules(input);
  t.deepEqual(
    [...masquerade, ...forward].map((rule) => [
      iptablesText(rule).replace(/-m comment .*" /, ''),
      nftablesText(rule),
    ]),
    [
      ['-s 10.5.1.0/24 -d 10.5.0.0/16 -j RETURN', 'ip saddr 10.5.1.0/24 ip daddr 10.5.0.0/16 return'],
      ['-s 10.5.0.0/16 -d 10.5.1.0/24 -j RETURN', 'ip saddr 10.5.0.0/16 ip daddr 10.5.1.0/24 return'],
      ['! -s 10.5.0.0/16 -d 10.5.1.0/24 -j RETURN', 'ip saddr != 10.5.0.0/16 ip daddr 10.5.1.0/24 return'],
      [
        '-s 10.5.0.0/16 ! -d 224.0.0.0/4 -j MASQUERADE --random-fully',
        'ip saddr 10.5.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random',
      ],
      [
        '! -s 10.5.0.0/16 -d 10.5.0.0/16 -j MASQUERADE --random-fully',
        'ip saddr != 10.5.0.0/16 ip daddr 10.5.0.0/16 masquerade fully-random',
      ],
      ['-s 10.5.0.0/16 -j ACCEPT', 'ip saddr 10.5.0.0/16 accept'],
      ['-d 10.5.0.0/16 -j ACCEPT', 'ip daddr 10.5.0.0/16 accept'],
    ],
  );
});

test('--ip-masq-fully-random-disable leaves the choice of ports to the kernel', (t) => {
  const { masquerade } = flannelRules({ ...input, fullyRandom: false });
  t.false(masquerade.map(iptablesText).join().includes('random'));
  t.false(masquerade.map(nftablesText).join().includes('random'));
});

test('without --ip-masq nothing is masqueraded, without --iptables-forward-rules nothing accepted', (t) => {
  t.deepEqual(flannelRules({ ...input, ipMasq: false, forwardRules: false }), {
    masquerade: [],
    forward: [],
  });
});
