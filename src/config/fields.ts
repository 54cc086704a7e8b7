/**
 * The fields that kubeadm defines: a misspelt one is noticed, and one that kubepki does not need is not. Source: the
 * kubeadm.k8s.io v1beta1 to v1beta4 API reference. Below a field of the kind `any` nothing is looked at.
 */
type Fields =
  | { readonly kind: 'any' }
  | { readonly kind: 'list'; readonly of: Fields }
  | { readonly kind: 'mapping'; readonly below: Table };

export type ConfigVersion = 'v1beta1' | 'v1beta2' | 'v1beta3' | 'v1beta4';

type Table = Readonly<Record<string, Fields>>;

const any: Fields = { kind: 'any' };

function named(...names: readonly string[]): Table {
  return Object.fromEntries(names.map((name) => [name, any]));
}

function mapping(below: Table): Fields {
  return { kind: 'mapping', below };
}

function list(of: Fields): Fields {
  return { kind: 'list', of };
}

function since(condition: boolean, fields: Table): Table {
  return condition ? fields : {};
}

/** The tables of one version, by kind. kubeadm has no other kinds. */
export function kindsOf(version: ConfigVersion): Readonly<Record<string, Fields>> {
  // v1beta1 has the fields of v1beta2, but for two that say nothing of certificates.
  const isBeta2 = version === 'v1beta1' || version === 'v1beta2';
  const isBeta4 = version === 'v1beta4';
  const timeouts = since(isBeta4, {
    timeouts: mapping(
      named(
        'controlPlaneComponentHealthCheck',
        'kubeletHealthCheck',
        'kubernetesAPICall',
        'etcdAPICall',
        'tlsBootstrap',
        'discovery',
        'upgradeManifests',
      ),
    ),
  });
  const phases = since(!isBeta2, { skipPhases: any, patches: mapping(named('directory')) });
  const dryRun = since(isBeta4, { dryRun: any });
  const imagePulls = since(isBeta4, named('imagePullSerial'));
  const extraEnvs = since(isBeta4, { extraEnvs: any });
  const component: Table = { ...named('extraArgs', 'extraVolumes'), ...extraEnvs };
  const nodeRegistration = mapping({
    ...named('name', 'criSocket', 'taints', 'kubeletExtraArgs', 'ignorePreflightErrors'),
    ...since(!isBeta2, named('imagePullPolicy')),
    ...imagePulls,
  });
  const localAPIEndpoint = mapping(named('advertiseAddress', 'bindPort'));
  const kinds: Readonly<Record<string, Table>> = {
    ClusterConfiguration: {
      ...named(
        'kubernetesVersion',
        'controlPlaneEndpoint',
        'certificatesDir',
        'imageRepository',
        'featureGates',
        'clusterName',
      ),
      etcd: mapping({
        local: mapping({
          ...named('imageRepository', 'imageTag', 'dataDir', 'extraArgs', 'serverCertSANs', 'peerCertSANs'),
          ...extraEnvs,
        }),
        external: mapping({
          ...named('endpoints', 'caFile', 'certFile', 'keyFile'),
          ...since(isBeta4, named('httpEndpoints')),
        }),
      }),
      networking: mapping(named('serviceSubnet', 'podSubnet', 'dnsDomain')),
      apiServer: mapping({
        ...component,
        ...named('certSANs'),
        ...since(!isBeta4, named('timeoutForControlPlane')),
      }),
      controllerManager: mapping(component),
      scheduler: mapping(component),
      dns: mapping({
        ...named('imageRepository', 'imageTag'),
        ...since(isBeta2, named('type')),
        ...since(isBeta4, named('disabled')),
      }),
      ...since(isBeta2, named('useHyperKubeImage')),
      ...since(isBeta4, {
        proxy: mapping(named('disabled')),
        ...named('encryptionAlgorithm', 'certificateValidityPeriod', 'caCertificateValidityPeriod'),
      }),
    },
    InitConfiguration: {
      bootstrapTokens: list(mapping(named('token', 'description', 'ttl', 'expires', 'usages', 'groups'))),
      nodeRegistration,
      localAPIEndpoint,
      ...named('certificateKey'),
      ...phases,
      ...dryRun,
      ...timeouts,
    },
    JoinConfiguration: {
      nodeRegistration,
      ...named('caCertPath'),
      discovery: mapping({
        bootstrapToken: mapping(
          named('token', 'apiServerEndpoint', 'caCertHashes', 'unsafeSkipCAVerification'),
        ),
        file: mapping(named('kubeConfigPath')),
        ...named('tlsBootstrapToken'),
        ...since(!isBeta4, named('timeout')),
      }),
      controlPlane: mapping({ localAPIEndpoint, ...named('certificateKey') }),
      ...phases,
      ...dryRun,
      ...timeouts,
    },
    ...(isBeta2 ? { ClusterStatus: named('apiEndpoints') } : {}),
    ...(isBeta4
      ? {
          ResetConfiguration: {
            ...named(
              'certificatesDir',
              'cleanupTmpDir',
              'criSocket',
              'dryRun',
              'force',
              'ignorePreflightErrors',
              'skipPhases',
              'unmountFlags',
            ),
            ...timeouts,
          },
          // How upgrades go says nothing about certificates.
          UpgradeConfiguration: { apply: any, diff: any, node: any, plan: any, ...timeouts },
        }
      : {}),
  };
  return Object.fromEntries(
    Object.entries(kinds).map(([kind, fields]) => [
      kind,
      mapping({ ...fields, ...named('apiVersion', 'kind') }),
    ]),
  );
}

/** One line for each field that kubeadm does not define, with its path. kubeadm warns too, and goes on. */
export function unknownFields(value: unknown, fields: Fields, path: string): string[] {
  if (fields.kind === 'any') return [];
  if (fields.kind === 'list') {
    if (!Array.isArray(value)) return [];
    return value.flatMap((item, index) => unknownFields(item, fields.of, `${path}[${String(index)}]`));
  }
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([name, below]) => {
    const known = new Map(Object.entries(fields.below)).get(name);
    if (known !== undefined) return unknownFields(below, known, `${path}.${name}`);
    const meant = Object.keys(fields.below).find((field) => field.toLowerCase() === name.toLowerCase());
    const suggestion = meant === undefined ? '' : `, did you mean "${meant}"?`;
    return [`unknown field "${path}.${name}"${suggestion}`];
  });
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
