import type { Answer, Asked, Identity } from './server.ts';
import { recorded } from './transcript.ts';

const everything = ['system:masters', 'kubeadm:cluster-admins'];

/** May do everything, as kubeadm sets it up. */
export function isAdmin({ groups }: Identity): boolean {
  return groups.some((group) => everything.includes(group));
}

/** A kubelet, or what says it is one. */
export function isNode({ username, groups }: Identity): boolean {
  return username.startsWith('system:node:') && groups.includes('system:nodes');
}

/** What is asked for, in RBAC's words. */
export interface Resource {
  readonly group: string;
  /** With its subresource: `certificatesigningrequests/approval`. */
  readonly resource: string;
  readonly name: string | undefined;
  /** undefined: of the cluster. */
  readonly namespace?: string;
}

/** The recorded refusal, with other names in it; what the node authorizer adds to it is left out. */
export function forbidden(
  { method, identity }: Asked,
  { group, resource, name, namespace }: Resource,
): Answer {
  const { status, body } = recorded('a user without rights reads the ConfigMap').response;
  const [kind = ''] = resource.split('/');
  const qualified = group === '' ? kind : `${kind}.${group}`;
  const about = name === undefined ? qualified : `${qualified} "${name}"`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const may = `cannot ${verbOf(method, name)} resource "${resource}" in API group "${group}" ${scope}`;
  return {
    status,
    body: {
      ...(body as object),
      message: `${about} is forbidden: User "${identity.username}" ${may}`,
      details: {
        ...(name === undefined ? {} : { name }),
        ...(group === '' ? {} : { group }),
        kind,
      },
    },
  };
}

function verbOf(method: string, name: string | undefined): string {
  if (method === 'GET') return name === undefined ? 'list' : 'get';
  return { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }[method] ?? method.toLowerCase();
}
