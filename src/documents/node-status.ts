import * as z from 'zod';
import { KubepkiError } from '../errors/error.ts';
import { stages } from '../operations/rotation/plan.ts';
import type { Measured, NodeStatus } from '../operations/rotation/status.ts';

/** A status is a few kilobytes; a cluster of thousands of namespaces makes it larger. */
export const mostStatusBytes = 4 * 1024 * 1024;

const short = z.string().max(4096);
const fingerprint = z.string().regex(/^[0-9A-F]{64}$/);
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/)
  .refine((text) => !Number.isNaN(Date.parse(text)));
const date = time.transform((text) => new Date(text));
const caName = z.enum(['ca', 'etcd-ca', 'front-proxy-ca']);
const stage = z.enum(stages);

function measured<T>(value: z.ZodType<T>): z.ZodType<Measured<T>> {
  return z.union([
    z.object({ status: z.literal('measured'), value }),
    z.object({ status: z.literal('unmeasured'), why: short }),
  ]);
}

const answer = z.enum(['yes', 'no', 'unknown']);
const published = z.object({ where: short, hasOld: z.boolean(), hasNext: z.boolean() });

const nodeStatus = z.object({
  kind: z.literal('CaStatus'),
  apiVersion: z.literal('kubepki/v1'),
  node: short.min(1),
  role: z.enum(['control-plane', 'worker']),
  at: date,
  rotation: z
    .object({
      id: z.string().regex(/^[0-9a-f]{16}$/),
      createdAt: time,
      authorities: z.array(
        z.object({ name: caName, old: fingerprint, next: fingerprint, cross: fingerprint }),
      ),
      accepted: z.array(z.object({ condition: short, stage, time })),
    })
    .nullable()
    .transform((given) => given ?? undefined),
  authorities: z.array(
    z.object({
      name: caName,
      reached: z.enum(['at', 'between', 'unclear']),
      first: stage,
      last: stage,
      files: z.array(z.object({ path: short, holds: short })),
    }),
  ),
  running: measured(
    z.array(
      z.object({
        process: z.enum(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd', 'kubelet']),
        stale: z.array(short),
      }),
    ),
  ),
  servers: measured(
    z.array(
      z.object({
        name: short,
        address: short,
        authority: caName,
        serves: z.enum(['old', 'next', 'next-with-cross', 'self', 'none', 'other', 'unknown']),
        acceptsOld: answer,
        acceptsNext: answer,
        why: short.nullable().transform((given) => given ?? undefined),
      }),
    ),
  ),
  cluster: measured(
    z.object({
      nodes: measured(z.array(z.object({ name: short, isControlPlane: z.boolean(), isReady: z.boolean() }))),
      rootCas: measured(z.array(published)),
      clientCas: measured(published),
      headerCas: measured(published),
      clusterInfo: measured(published),
      unavailable: measured(z.array(short)),
      signer: measured(z.enum(['old', 'next', 'other'])),
      oldPods: measured(z.array(short)),
    }),
  ),
});

/**
 * What another node has printed with `ca status -o json`. It is a stranger's text until it has been read.
 * @throws KubepkiError bad-config, too-large, without a file
 */
export function parseNodeStatus(bytes: Buffer): NodeStatus {
  if (bytes.length > mostStatusBytes) {
    throw new KubepkiError(
      'too-large',
      `is larger than the ${String(mostStatusBytes / 1024 / 1024)} MiB that a status may have`,
    );
  }
  const found = nodeStatus.safeParse(jsonOf(bytes));
  if (found.success) {
    return found.data;
  }
  const [issue] = found.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` (${issue.path.join('.')})`;
  throw new KubepkiError('bad-config', `is not what "kubepki ca status -o json" prints${where}`, {
    hint: again,
  });
}

const again = 'have it printed again, by the same version of kubepki: kubepki ca status -o json';

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new KubepkiError('bad-config', 'is not JSON', { hint: again, cause });
  }
}
