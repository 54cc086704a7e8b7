import type { RotationPlan } from './plan.ts';

/** The plan as it is kept and as it travels: the same text on every node. storage/rotation-plan.ts reads it. */
export function planText({ id, createdAt, authorities, accepted }: RotationPlan): string {
  const plan = {
    version: 1,
    id,
    createdAt,
    authorities: authorities.map(({ name, old, next, cross }) => ({ name, old, next, cross })),
    accepted: accepted.map(({ condition, stage, time }) => ({ condition, stage, time })),
  };
  return `${JSON.stringify(plan, undefined, 2)}\n`;
}
