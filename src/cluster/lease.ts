import * as z from 'zod';
import type { LeaseClaim, LeaseRecord } from '../operations/restart/lease.ts';
import type { Ask } from './api.ts';
import { text } from './expected.ts';
import { answered, isNotFound } from './failure.ts';

/** The holder's boot: `LeaseHolder.boot`. */
const bootAnnotation = 'kubepki/boot-id';

const microTime = z.string().nullish().catch(undefined);

const lease = z.looseObject({
  kind: z.literal('Lease'),
  metadata: z.looseObject({
    resourceVersion: text,
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  // Every field of it may be missing, and only its end must not be believed without bounds.
  spec: z
    .looseObject({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().positive().nullish().catch(undefined),
      acquireTime: microTime,
      leaseTransitions: z.int().nonnegative().nullish().catch(undefined),
    })
    .nullish(),
});

type LeaseObject = z.output<typeof lease>;

/** A Lease as it was read, with all of it: what is not ours is sent back. */
export interface StoredLease extends LeaseRecord {
  readonly object: LeaseObject;
}

export interface LeaseName {
  readonly namespace: string;
  readonly name: string;
}

const answer = { what: 'a Lease', schema: lease };

/**
 * @returns undefined: there is none
 * @throws ClusterFailure
 */
export async function readLease(ask: Ask, name: LeaseName): Promise<StoredLease | undefined> {
  try {
    return stored(await ask({ path: pathOf(name), answer }));
  } catch (error) {
    if (isNotFound(error, name.name)) return undefined;
    throw error;
  }
}

interface LeaseWrite {
  /** undefined: there was none. */
  readonly before: StoredLease | undefined;
  /** undefined: it is to be free. */
  readonly claim: LeaseClaim | undefined;
  /** Only for people who look at it. */
  readonly now: Date;
}

/**
 * Writes it, if it is still what was read: the API server compares the resourceVersion, and a name is made once only.
 * @throws ClusterFailure; `changedMeanwhile` tells the one where another was faster
 */
export async function writeLease(
  ask: Ask,
  name: LeaseName,
  { before, claim, now }: LeaseWrite,
): Promise<StoredLease> {
  // MicroTime of Kubernetes' meta/v1.
  const time = now.toISOString().replace(/Z$/, '000Z');
  const spec = before?.object.spec ?? {};
  const isSame =
    claim !== undefined && before?.holder?.node === claim.node && before.holder.boot === claim.boot;
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...before?.object.metadata,
      ...name,
      annotations: { ...before?.object.metadata.annotations, [bootAnnotation]: claim?.boot ?? '' },
    },
    spec: {
      ...spec,
      holderIdentity: claim?.node ?? null,
      // A free one has an end, too: client-go's leader election writes the same.
      leaseDurationSeconds: claim === undefined ? 1 : Math.ceil(claim.durationMs / 1000),
      renewTime: time,
      acquireTime: isSame ? (spec.acquireTime ?? time) : time,
      leaseTransitions: (spec.leaseTransitions ?? 0) + (claim === undefined || isSame ? 0 : 1),
    },
  };
  return stored(
    before === undefined
      ? await ask({ method: 'POST', path: listOf(name), body, answer })
      : await ask({ method: 'PUT', path: pathOf(name), body, answer }),
  );
}

/** Whether a write failed because the Lease is another by now, or has gone. */
export function changedMeanwhile(error: unknown): boolean {
  const status = answered(error);
  return status === 409 || status === 404;
}

function stored(object: LeaseObject): StoredLease {
  const { metadata, spec } = object;
  const node = spec?.holderIdentity ?? '';
  const seconds = spec?.leaseDurationSeconds;
  return {
    object,
    version: metadata.resourceVersion,
    holder:
      node === ''
        ? undefined
        : {
            node,
            boot: metadata.annotations?.[bootAnnotation],
            durationMs: seconds === undefined || seconds === null ? undefined : seconds * 1000,
          },
  };
}

function listOf({ namespace }: LeaseName): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
}

function pathOf(name: LeaseName): string {
  return `${listOf(name)}/${name.name}`;
}
