import { endure } from './endure.js';
import { uplinkGroup } from './groups/uplink.js';

endure(uplinkGroup);
