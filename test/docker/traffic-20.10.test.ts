import { trafficTests } from './traffic.js';

trafficTests('20.10');
