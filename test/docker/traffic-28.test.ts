import { trafficTests } from './traffic.js';

trafficTests('28');
