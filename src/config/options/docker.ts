import { oneOf, text } from './kinds.js';
import type { OptionTable } from './table.js';

const group = 'Docker';

/** Where Docker is, for the daemon and for the operator's tool. */
export const DOCKER_PLACE_OPTIONS = {
  dockerConfig: {
    flag: 'docker-config',
    kind: text('file'),
    initial: '/etc/docker/daemon.json',
    help: 'its configuration',
    group,
  },
  dockerSocket: {
    flag: 'docker-socket',
    kind: text('file'),
    initial: '/run/docker.sock',
    help: 'where it answers',
    group,
  },
} as const satisfies OptionTable;

export const DOCKER_OPTIONS = {
  docker: {
    flag: 'docker',
    kind: oneOf('mode', 'off', 'write', 'restart'),
    initial: 'off',
    help: 'put the lease into daemon.json: off, write, or write and restart Docker if it must',
    group,
  },
  ...DOCKER_PLACE_OPTIONS,
  dockerRestartCommand: {
    flag: 'docker-restart-command',
    kind: text('command'),
    help: 'instead of systemctl restart docker.service',
    group,
  },
} as const satisfies OptionTable;
