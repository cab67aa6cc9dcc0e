/**
 * Links that lose packets, in one direction only if wished. The kernels at hand lack netem, so the wire's bridge drops
 * frames by nftables rules of a table of its own, by the ports that they come in and go out by.
 */
export interface LinkFault {
  /** A port of the wire, `h1` or `e2`: frames that come from there. All ports when absent. */
  readonly from?: string | undefined;
  /** Frames that go there. All ports when absent. */
  readonly to?: string | undefined;
  /** Of a hundred frames; 100 when absent. */
  readonly lossPercent?: number;
}

/** Both directions between two machines, or between one and all others. */
export function bothWays(one: string, other?: string, lossPercent = 100): LinkFault[] {
  return [
    { from: one, to: other, lossPercent },
    { from: other, to: one, lossPercent },
  ];
}

/** For `nft -f`: makes these the only faults there are. Replaced in one transaction, so no frame sees half of it. */
export function linkFaultRules(faults: readonly LinkFault[]): string {
  // The first line makes the table if it is not there, so that it can be deleted.
  return `
    table bridge loden_faults
    delete table bridge loden_faults
    table bridge loden_faults {
      chain forward {
        type filter hook forward priority 0; policy accept;
        ${faults.map(rule).join('\n        ')}
      }
    }
  `;
}

function rule({ from, to, lossPercent = 100 }: LinkFault): string {
  return [
    ...(from === undefined ? [] : [`iifname "${from}"`]),
    ...(to === undefined ? [] : [`oifname "${to}"`]),
    ...(lossPercent >= 100 ? [] : [`numgen random mod 100 < ${lossPercent}`]),
    'drop',
  ].join(' ');
}
