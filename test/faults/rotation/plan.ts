import type { RotationPlan } from '../../../src/operations/rotation/plan.ts';

/** Of one CA. What its certificates are does not count where only their files are moved. */
export const plan: RotationPlan = {
  id: '0123456789abcdef',
  createdAt: '2026-11-29T12:00:00Z',
  authorities: [{ name: 'ca', old: 'A'.repeat(64), next: 'B'.repeat(64), cross: 'C'.repeat(64) }],
  accepted: [],
};
