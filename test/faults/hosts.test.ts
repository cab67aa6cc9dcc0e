import { endure } from './endure.js';
import { hostsGroup } from './groups/hosts.js';

endure(hostsGroup);
