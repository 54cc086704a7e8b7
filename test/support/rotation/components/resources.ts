/** What the API server of the tests knows; it keeps all of them alike. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  /** In the plural, as in paths. */
  readonly name: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

const table = [
  ['', 'v1', 'configmaps', 'ConfigMap', true],
  ['', 'v1', 'endpoints', 'Endpoints', true],
  ['', 'v1', 'namespaces', 'Namespace', false],
  ['', 'v1', 'nodes', 'Node', false],
  ['', 'v1', 'pods', 'Pod', true],
  ['', 'v1', 'secrets', 'Secret', true],
  ['', 'v1', 'serviceaccounts', 'ServiceAccount', true],
  ['', 'v1', 'services', 'Service', true],
  [
    'admissionregistration.k8s.io',
    'v1',
    'mutatingwebhookconfigurations',
    'MutatingWebhookConfiguration',
    false,
  ],
  [
    'admissionregistration.k8s.io',
    'v1',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    false,
  ],
  ['apiextensions.k8s.io', 'v1', 'customresourcedefinitions', 'CustomResourceDefinition', false],
  ['apiregistration.k8s.io', 'v1', 'apiservices', 'APIService', false],
  ['apps', 'v1', 'daemonsets', 'DaemonSet', true],
  ['apps', 'v1', 'deployments', 'Deployment', true],
  ['certificates.k8s.io', 'v1', 'certificatesigningrequests', 'CertificateSigningRequest', false],
  ['coordination.k8s.io', 'v1', 'leases', 'Lease', true],
  ['discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice', true],
  ['rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding', false],
  ['rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false],
  ['rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding', true],
  ['rbac.authorization.k8s.io', 'v1', 'roles', 'Role', true],
] as const;

const resources: readonly Resource[] = table.map(([group, version, name, kind, isNamespaced]) => ({
  ...{ group, version, name, kind, isNamespaced },
}));

/** What a path of the API leads to. */
export interface Place {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  /** undefined: the list. */
  readonly name: string | undefined;
  readonly subresource: string | undefined;
  /** What follows a subresource, as with `proxy`. */
  readonly rest: string;
}

/** `/api/v1/…`, `/apis/GROUP/VERSION/…`. @returns undefined: nothing that is kept */
export function placeOf(path: string): Place | undefined {
  const words = path.split('/').slice(1).map(decodeURIComponent);
  const group = words[0] === 'api' ? '' : words[1];
  const [version, ...below] = words.slice(words[0] === 'api' ? 1 : 2);
  if (group === undefined || !['api', 'apis'].includes(words[0] ?? '')) return undefined;
  const known = (name: string | undefined): Resource | undefined =>
    resources.find((one) => one.group === group && one.version === version && one.name === name);
  const inNamespace = below[0] === 'namespaces' ? known(below[2]) : undefined;
  const namespace = inNamespace?.isNamespaced === true ? below[1] : undefined;
  const [resource, name, subresource, ...rest] =
    namespace === undefined ? [known(below[0]), ...below.slice(1)] : [inNamespace, ...below.slice(3)];
  return resource === undefined
    ? undefined
    : { resource, namespace, name, subresource, rest: rest.join('/') };
}

export function apiVersionOf({ group, version }: Resource): string {
  return group === '' ? version : `${group}/${version}`;
}

/** Where etcd has it, as a prefix for a list. */
export function keyOf({ resource, namespace, name }: Omit<Place, 'subresource' | 'rest'>): string {
  const at = `/registry/${resource.group === '' ? 'core' : resource.group}/${resource.name}/`;
  return at + (namespace === undefined ? '' : `${namespace}/`) + (name ?? '');
}

/** As far as kubectl needs it to find them. @returns undefined: that is another path */
export function discovery(path: string): object | undefined {
  if (path === '/api') return { kind: 'APIVersions', versions: ['v1'] };
  if (path === '/apis') {
    const groups = [...new Set(resources.map(({ group }) => group))].filter((group) => group !== '');
    return {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groups.map((name) => {
        const version = { groupVersion: `${name}/v1`, version: 'v1' };
        return { name, versions: [version], preferredVersion: version };
      }),
    };
  }
  const [, group] = /^\/(?:api|apis\/([^/]+))\/v1$/.exec(path) ?? ['', undefined];
  if (path !== '/api/v1' && group === undefined) return undefined;
  const found = resources.filter((one) => one.group === (group ?? ''));
  if (found.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    groupVersion: group === undefined ? 'v1' : `${group}/v1`,
    resources: found.map(({ name, kind, isNamespaced }) => ({
      name,
      kind,
      singularName: kind.toLowerCase(),
      namespaced: isNamespaced,
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update'],
    })),
  };
}
