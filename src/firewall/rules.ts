/**
 * The rules that flannel has, in its order (pkg/trafficmngr/iptables): who is masqueraded, and whose packets may be
 * forwarded. N is the pool, S this host's subnet.
 *
 *   leaves S for N, or N for S      as it is: containers see each other's own addresses
 *   comes from outside to S         as it is: so that a published port shows the client's address
 *   leaves N for the world          masqueraded, multicast excepted
 *   comes from outside to N         masqueraded, so that the answer comes back through this host
 */
import type { Prefix } from '../net/prefix.js';
import { ACCEPT, RETURN, type Rule, type Verdict } from './rule.js';

export interface FlannelRulesInput {
  readonly network: Prefix;
  readonly subnet: Prefix;
  readonly ipMasq: boolean;
  /** Source ports of masqueraded connections are chosen at random, lest two connections race for one. */
  readonly fullyRandom: boolean;
  readonly forwardRules: boolean;
}

export interface FlannelRules {
  readonly masquerade: readonly Rule[];
  readonly forward: readonly Rule[];
}

/** flannel's own words: by them rules are known again, whichever of the two wrote them. */
export const MASQUERADE_COMMENT = 'flanneld masq';
export const FORWARD_COMMENT = 'flanneld forward';

/** 224.0.0.0/4 */
const MULTICAST: Prefix = { address: 0xe0000000, length: 4 };
/** kube-proxy's mark for packets that it masquerades itself. */
const KUBERNETES_MARK = 0x4000;

/** For all networks of a host alike. */
export const LEAVE_MARKED: Rule = {
  markBit: KUBERNETES_MARK,
  verdict: RETURN,
  comment: MASQUERADE_COMMENT,
};

export function flannelRules(input: FlannelRulesInput): FlannelRules {
  return {
    masquerade: input.ipMasq ? masqueradeRules(input) : [],
    forward: input.forwardRules ? forwardRules(input.network) : [],
  };
}

function masqueradeRules({ network, subnet, fullyRandom }: FlannelRulesInput): readonly Rule[] {
  const masquerade: Verdict = { kind: 'masquerade', fullyRandom };
  const comment = MASQUERADE_COMMENT;
  return [
    { source: { network: subnet }, destination: { network }, verdict: RETURN, comment },
    { source: { network }, destination: { network: subnet }, verdict: RETURN, comment },
    { source: { network, outside: true }, destination: { network: subnet }, verdict: RETURN, comment },
    {
      source: { network },
      destination: { network: MULTICAST, outside: true },
      verdict: masquerade,
      comment,
    },
    { source: { network, outside: true }, destination: { network }, verdict: masquerade, comment },
  ];
}

function forwardRules(network: Prefix): readonly Rule[] {
  const comment = FORWARD_COMMENT;
  return [
    { source: { network }, verdict: ACCEPT, comment },
    { destination: { network }, verdict: ACCEPT, comment },
  ];
}
