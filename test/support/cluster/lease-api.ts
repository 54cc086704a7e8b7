import { notFound } from './objects-api.ts';
import { forbidden, isAdmin } from './rbac.ts';
import type { Answer, Api } from './server.ts';

export interface LeaseObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly resourceVersion?: string;
    readonly [field: string]: unknown;
  };
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly [field: string]: unknown;
  };
}

export interface LeaseApi {
  readonly api: Api;
  /** Each write that was carried out, in order, and when, in milliseconds. */
  readonly written: readonly { readonly lease: LeaseObject; readonly atMs: number }[];
  /** As another program would write it. */
  put(lease: LeaseObject): void;
}

const group = 'coordination.k8s.io';
const path = /^\/apis\/coordination\.k8s\.io\/v1\/namespaces\/([^/]+)\/leases(?:\/([^/]+))?$/;

/** Leases, as an API server keeps them: a name is made once, and a write needs the version that it goes by (409 otherwise). */
export function leaseApi(): LeaseApi {
  const kept = new Map<string, LeaseObject>();
  const written: { lease: LeaseObject; atMs: number }[] = [];
  let version = 500;
  const keep = (key: string, lease: LeaseObject): Answer => {
    version += 1;
    const object = { ...lease, metadata: { ...lease.metadata, resourceVersion: String(version) } };
    kept.set(key, object);
    written.push({ lease: object, atMs: performance.now() });
    return { status: 200, body: object };
  };
  return {
    written,
    put: (lease) => {
      keep(`${lease.metadata.namespace}/${lease.metadata.name}`, lease);
    },
    api: (asked) => {
      const [, namespace, name] = path.exec(asked.path) ?? [];
      if (namespace === undefined) return undefined;
      if (!isAdmin(asked.identity)) return forbidden(asked, { group, resource: 'leases', name, namespace });
      const lease = asked.body as LeaseObject | undefined;
      if (lease !== undefined) {
        const trouble = invalidity(lease);
        if (trouble !== undefined) return status(422, 'Invalid', trouble, lease.metadata.name);
      }
      if (name === undefined) {
        if (asked.method !== 'POST' || lease === undefined) return undefined;
        const key = `${namespace}/${lease.metadata.name}`;
        if (kept.has(key)) return status(409, 'AlreadyExists', 'already exists', lease.metadata.name);
        return { ...keep(key, lease), status: 201 };
      }
      const key = `${namespace}/${name}`;
      const before = kept.get(key);
      if (before === undefined) return notFound(group, 'leases', name);
      if (asked.method === 'GET') return { status: 200, body: before };
      if (asked.method !== 'PUT' || lease === undefined) return undefined;
      if (lease.metadata.resourceVersion !== before.metadata.resourceVersion)
        return status(409, 'Conflict', 'the object has been modified', name);
      return keep(key, lease);
    },
  };
}

/** What the API server would refuse (Kubernetes, pkg/apis/coordination/validation). */
function invalidity({ apiVersion, kind, spec }: LeaseObject): string | undefined {
  if (apiVersion !== `${group}/v1` || kind !== 'Lease') return 'is no Lease';
  const seconds = spec?.leaseDurationSeconds;
  if (seconds !== undefined && seconds !== null && !(Number.isInteger(seconds) && seconds > 0))
    return 'spec.leaseDurationSeconds: must be greater than 0';
  for (const field of ['renewTime', 'acquireTime']) {
    const time = spec?.[field];
    if (typeof time === 'string' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(time))
      return `spec.${field}: is no MicroTime`;
  }
  return undefined;
}

function status(code: number, reason: string, message: string, name: string): Answer {
  return {
    status: code,
    body: {
      ...{ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code },
      details: { name, group, kind: 'leases' },
    },
  };
}
