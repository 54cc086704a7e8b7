import * as z from 'zod';
import type { HolderKind, ObjectPlace, RunningPod } from '../operations/references/reference.ts';
import type { Ask } from './api.ts';
import { listOf, text } from './expected.ts';
import { listAll, pageOf } from './list-all.ts';

/** What is to be known of a text, which itself is dropped at once: it may be a secret. */
type Look<T> = (text: string) => readonly T[];

export interface Holding<T> {
  readonly place: ObjectPlace;
  readonly held: T;
}

const optional = z.string().nullish();
const clientConfig = z.object({ caBundle: optional }).nullish();

/** Each list, with the texts of an object that may hold a CA. */
const texts = {
  ValidatingWebhookConfiguration: webhooks('ValidatingWebhookConfiguration'),
  MutatingWebhookConfiguration: webhooks('MutatingWebhookConfiguration'),
  APIService: z
    .object({ metadata: z.object({ name: text }), spec: z.object({ caBundle: optional }).nullish() })
    .transform(({ metadata: { name }, spec }) => bundleOf('APIService', name, spec?.caBundle)),
  CustomResourceDefinition: z
    .object({
      metadata: z.object({ name: text }),
      spec: z.object({
        conversion: z.object({ webhook: z.object({ clientConfig }).nullish() }).nullish(),
      }),
    })
    .transform(({ metadata: { name }, spec: { conversion } }) =>
      bundleOf('CustomResourceDefinition', name, conversion?.webhook?.clientConfig?.caBundle),
    ),
  Secret: z
    .object({
      metadata: z.object({ namespace: text, name: text }),
      type: z.string().nullish(),
      data: z.record(z.string(), z.string()).nullish(),
    })
    .transform(({ metadata, type, data }) =>
      // Those are kube-controller-manager's, which writes the CA anew itself.
      type === 'kubernetes.io/service-account-token' ? [] : keysOf('Secret', metadata, 'data', data, true),
    ),
  ConfigMap: z
    .object({
      metadata: z.object({ namespace: text, name: text }),
      data: z.record(z.string(), z.string()).nullish(),
      binaryData: z.record(z.string(), z.string()).nullish(),
    })
    .transform(({ metadata, data, binaryData }) =>
      isOurs(metadata)
        ? []
        : [
            ...keysOf('ConfigMap', metadata, 'data', data, false),
            ...keysOf('ConfigMap', metadata, 'binaryData', binaryData, true),
          ],
    ),
} as const satisfies Record<HolderKind, z.ZodType<readonly PlacedText[]>>;

const paths: Readonly<Record<HolderKind, string>> = {
  ValidatingWebhookConfiguration: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  MutatingWebhookConfiguration: '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  APIService: '/apis/apiregistration.k8s.io/v1/apiservices',
  CustomResourceDefinition: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  Secret: '/api/v1/secrets',
  ConfigMap: '/api/v1/configmaps',
};

export const holderKinds = Object.keys(paths) as readonly HolderKind[];

interface PlacedText {
  readonly place: ObjectPlace;
  readonly text: string;
}

/**
 * Looks at every object of a kind, in all namespaces. Nothing of a text stays but what `look` says of it.
 * @throws ClusterFailure
 */
export async function readHoldings<T>(
  ask: Ask,
  kind: HolderKind,
  look: Look<T>,
): Promise<readonly Holding<T>[]> {
  const item: z.ZodType<readonly PlacedText[]> = texts[kind];
  const found = await listAll(ask, {
    path: paths[kind],
    answer: pageOf(
      `${kind}List`,
      item.transform((placed): Holding<T>[] =>
        placed.flatMap((one) => look(one.text).map((held) => ({ place: one.place, held }))),
      ),
    ),
  });
  return found.flat();
}

function webhooks(kind: HolderKind) {
  return z
    .object({
      metadata: z.object({ name: text }),
      webhooks: listOf(z.object({ name: text, clientConfig })),
    })
    .transform(({ metadata: { name }, webhooks: all }) =>
      all.map((webhook, index): PlacedText => ({
        place: { kind, namespace: undefined, name, field: { kind: 'webhook', index, name: webhook.name } },
        text: decoded(webhook.clientConfig?.caBundle),
      })),
    );
}

function bundleOf(kind: HolderKind, name: string, caBundle: string | null | undefined): PlacedText[] {
  return [
    { place: { kind, namespace: undefined, name, field: { kind: 'bundle' } }, text: decoded(caBundle) },
  ];
}

function keysOf(
  kind: HolderKind,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  field: 'data' | 'binaryData',
  values: Readonly<Record<string, string>> | null | undefined,
  isBase64: boolean,
): PlacedText[] {
  return Object.entries(values ?? {}).map(([key, value]) => ({
    place: { kind, namespace, name, field: { kind: field, key } },
    text: isBase64 ? decoded(value) : value,
  }));
}

function decoded(base64: string | null | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString('latin1');
}

/** The API servers, the controllers and a rotation keep these up to date; `ca status` tells of them. */
function isOurs({ namespace, name }: { readonly namespace: string; readonly name: string }): boolean {
  return (
    name === 'kube-root-ca.crt' ||
    (namespace === 'kube-public' && name === 'cluster-info') ||
    (namespace === 'kube-system' && name === 'extension-apiserver-authentication')
  );
}

const rootCaName = 'kube-root-ca.crt';

const pod = z
  .object({
    metadata: z.object({
      namespace: text,
      name: text,
      labels: z.record(z.string(), z.string()).nullish(),
      ownerReferences: listOf(z.object({ kind: text, name: text, controller: z.boolean().nullish() })),
    }),
    spec: z.object({
      volumes: listOf(
        z.object({
          projected: z
            .object({
              sources: listOf(z.object({ configMap: z.object({ name: z.string().optional() }).nullish() })),
            })
            .nullish(),
          configMap: z.object({ name: z.string().optional() }).nullish(),
        }),
      ),
    }),
    status: z.object({ startTime: z.iso.datetime().nullish(), phase: z.string().optional() }).nullish(),
  })
  .transform(({ metadata, spec: { volumes }, status }): RunningPod | undefined => {
    const { namespace, name, labels, ownerReferences } = metadata;
    const startTime = status?.startTime ?? undefined;
    const isOver = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    const isTold = volumes.some(({ projected, configMap }) =>
      [configMap, ...(projected?.sources ?? []).map((source) => source.configMap)].some(
        (one) => one?.name === rootCaName,
      ),
    );
    if (isOver || !isTold || startTime === undefined) return undefined;
    const controller = ownerReferences.find((one) => one.controller === true);
    return {
      ...{ namespace, name, startedAt: new Date(startTime) },
      owner: controller && ownerOf(controller, labels?.['pod-template-hash']),
    };
  });

/** What `kubectl rollout restart` takes. A Deployment's pods are a ReplicaSet's, whose name ends in the hash of its template. */
function ownerOf(
  { kind, name }: { readonly kind: string; readonly name: string },
  hash = '',
): string | undefined {
  if (kind === 'DaemonSet' || kind === 'StatefulSet') return `${kind.toLowerCase()}/${name}`;
  const isDeployment = kind === 'ReplicaSet' && hash !== '' && name.endsWith(`-${hash}`);
  return isDeployment ? `deployment/${name.slice(0, -hash.length - 1)}` : undefined;
}

/** The pods that run, and know the API server by `kube-root-ca.crt`. @throws ClusterFailure */
export async function readRunningPods(ask: Ask): Promise<readonly RunningPod[]> {
  const all = await listAll(ask, { path: '/api/v1/pods', answer: pageOf('PodList', pod) });
  return all.filter((one) => one !== undefined);
}

export interface RootCa {
  readonly namespace: string;
  readonly pem: string;
  /** When it was written last; undefined: the API server does not say. */
  readonly writtenAt: Date | undefined;
}

const rootCa = z
  .object({
    metadata: z.object({
      namespace: text,
      name: text,
      managedFields: listOf(z.object({ time: z.iso.datetime().nullish().catch(undefined) })),
    }),
    data: z.record(z.string(), z.string()).nullish(),
  })
  .transform(({ metadata: { namespace, name, managedFields }, data }): RootCa | undefined => {
    if (name !== rootCaName) return undefined;
    const times = managedFields.flatMap(({ time }) => (typeof time === 'string' ? [Date.parse(time)] : []));
    return {
      namespace,
      pem: data?.['ca.crt'] ?? '',
      writtenAt: times.length === 0 ? undefined : new Date(Math.max(...times)),
    };
  });

/** `kube-root-ca.crt` of each namespace. @throws ClusterFailure */
export async function readRootCaTimes(ask: Ask): Promise<readonly RootCa[]> {
  const all = await listAll(ask, {
    path: '/api/v1/configmaps',
    query: { fieldSelector: `metadata.name=${rootCaName}` },
    answer: pageOf('ConfigMapList', rootCa),
  });
  return all.filter((one) => one !== undefined);
}
