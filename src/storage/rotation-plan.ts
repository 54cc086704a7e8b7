import {
  stages,
  type Accepted,
  type PlannedAuthority,
  type RotationPlan,
} from '../operations/rotation/plan.ts';
import { list, matching, object, oneOf, parseSharedRecord } from './record.ts';

const fingerprint = matching(/^[0-9A-F]{64}$/);
const time = matching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

const planRecord = object<RotationPlan>({
  id: matching(/^[0-9a-f]{16}$/),
  createdAt: time,
  authorities: list(
    object<PlannedAuthority>({
      name: oneOf('ca', 'etcd-ca', 'front-proxy-ca'),
      old: fingerprint,
      next: fingerprint,
      cross: fingerprint,
    }),
    { min: 1 },
  ),
  accepted: list(
    object<Accepted>({ condition: matching(/^[a-z0-9-]{1,64}$/), stage: oneOf(...stages), time }),
  ),
});

/** Reads what operations/rotation/plan-text.ts makes. @returns undefined for anything else */
export function parseRotationPlan(bytes: Buffer): RotationPlan | undefined {
  const plan = parseSharedRecord(planRecord, bytes);
  return plan !== undefined && isSound(plan) ? plan : undefined;
}

/** Each CA is replaced once, by another; and the times are times. */
function isSound({ authorities, accepted, createdAt }: RotationPlan): boolean {
  const names = new Set(authorities.map(({ name }) => name));
  const certificates = authorities.flatMap(({ old, next, cross }) => [old, next, cross]);
  return (
    names.size === authorities.length &&
    new Set(certificates).size === certificates.length &&
    [createdAt, ...accepted.map((one) => one.time)].every((one) => !Number.isNaN(Date.parse(one)))
  );
}
