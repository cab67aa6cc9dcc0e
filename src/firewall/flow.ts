import type { Prefix } from '../net/prefix.js';

/** All addresses of a network, but for those of a part of it. */
export interface FlowEnd {
  readonly network: Prefix;
  readonly except?: Prefix;
}

/** New connections of any kind, on their way through this host. */
export interface Flow {
  /** For a person: `from the pool to our containers`. */
  readonly name: string;
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
  readonly inLink: string;
  readonly outLink: string;
}
