import { endure } from './endure.js';
import { wipesGroup } from './groups/wipes.js';

endure(wipesGroup);
