import type { ActiveFaults } from '../../faults/active-faults.ts';
import { type Family, family } from '../../kit/operation.ts';
import { operations } from './contract.ts';
import { faultPlansService } from './service.ts';

export const faultPlansFamily = (faults: ActiveFaults): Family =>
  family('fault-plans', operations, faultPlansService(faults));
