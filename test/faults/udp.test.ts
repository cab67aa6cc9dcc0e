import { endure } from './endure.js';
import { udpGroup } from './groups/udp.js';

endure(udpGroup);
