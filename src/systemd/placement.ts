/** Where each file of contrib/ belongs on a host. */
export interface Placement {
  /** Below contrib/. */
  readonly source: string;
  readonly target: string;
  readonly mode: number;
}

const unit = '/etc/systemd/system';

/** The unit is the only one that depends on where the package is. */
export const SERVICE: Placement = {
  source: 'systemd/lodend.service',
  target: `${unit}/lodend.service`,
  mode: 0o644,
};

/** Holds etcd's password perhaps. */
export const ENVIRONMENT: Placement = {
  source: 'systemd/lodend.env',
  target: '/etc/loden/lodend.env',
  mode: 0o600,
};

export const PLACEMENTS: readonly Placement[] = [
  SERVICE,
  ENVIRONMENT,
  {
    source: 'systemd/docker.service.d/loden.conf',
    target: `${unit}/docker.service.d/loden.conf`,
    mode: 0o644,
  },
  { source: 'systemd/network/10-loden.link', target: '/etc/systemd/network/10-loden.link', mode: 0o644 },
  {
    source: 'systemd/network/10-loden.network',
    target: '/etc/systemd/network/10-loden.network',
    mode: 0o644,
  },
  {
    source: 'NetworkManager/conf.d/loden.conf',
    target: '/etc/NetworkManager/conf.d/loden.conf',
    mode: 0o644,
  },
];

/** Folders that are made for our files where they are not there; an empty one goes with the last of them. */
export const FOLDERS: readonly string[] = [
  '/etc/loden',
  `${unit}/docker.service.d`,
  '/etc/NetworkManager/conf.d',
  '/etc/NetworkManager',
];
