import * as z from 'zod';
import type { ControllerManager, TokenMetrics, TokenSecret } from '../operations/token-key/cluster.ts';
import type { Ask } from './api.ts';
import { readMetrics } from './metrics.ts';
import { listOf, text } from './expected.ts';
import { listAll, pageOf } from './list-all.ts';

/**
 * The id of the key that has signed a token, which is a JSON Web Signature (RFC 7515, 7.1). Nothing else of the token leaves this function.
 * @returns undefined: it is none, or does not say
 */
function keyIdIn(token: string): string | undefined {
  const [header = ''] = token.split('.', 1);
  try {
    const { kid } = z
      .object({ kid: z.string().min(1) })
      .parse(JSON.parse(Buffer.from(header, 'base64url').toString('utf8')));
    return kid;
  } catch {
    return undefined;
  }
}

/**
 * The id of the key with which the API server that answers signs. A request for a token is the only way to see it; the token is for an
 * audience that nobody is, and is thrown away.
 * @throws ClusterFailure
 */
export async function readSigningKeyId(ask: Ask): Promise<string> {
  const schema = z
    .object({ kind: z.literal('TokenRequest'), status: z.object({ token: text }) })
    .transform(({ status }) => keyIdIn(status.token))
    .pipe(text);
  return ask({
    method: 'POST',
    path: '/api/v1/namespaces/default/serviceaccounts/default/token',
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      // The shortest that there is.
      spec: { audiences: ['kubepki.invalid'], expirationSeconds: 600 },
    },
    answer: { what: 'a token that names its key', schema },
  });
}

const secretType = 'kubernetes.io/service-account-token';

const secret = z
  .object({
    metadata: z.object({ namespace: text, name: text }),
    type: z.string(),
    data: z.object({ token: z.string().optional() }).nullish(),
  })
  .transform(({ metadata: { namespace, name }, type, data }): TokenSecret & { readonly type: string } => ({
    ...{ namespace, name, type },
    keyId: keyIdIn(Buffer.from(data?.token ?? '', 'base64').toString('latin1')),
  }));

/** The tokens that never end, by their keys. @throws ClusterFailure */
export async function readTokenSecrets(ask: Ask): Promise<readonly TokenSecret[]> {
  const found = await listAll(ask, {
    path: '/api/v1/secrets',
    query: { fieldSelector: `type=${secretType}` },
    answer: pageOf('SecretList', secret),
  });
  return found.flatMap(({ type, ...rest }) => (type === secretType ? [rest] : []));
}

/** @throws ClusterFailure */
export async function readTokenMetrics(ask: Ask): Promise<TokenMetrics> {
  const metrics = await readMetrics(ask);
  const start = sampleIn(metrics, 'process_start_time_seconds');
  return {
    staleTokens: sampleIn(metrics, 'serviceaccount_stale_tokens_total'),
    startedAt: start === undefined ? undefined : new Date(start * 1000),
  };
}

/** A sample without labels, in the text format of Prometheus. */
function sampleIn(metrics: string, name: string): number | undefined {
  const value = new RegExp(`^${name}(?:\\{\\})? ([0-9.e+]+)(?: \\d+)?$`, 'm').exec(metrics)?.[1];
  const number = Number(value);
  return value === undefined || !Number.isFinite(number) ? undefined : number;
}

const pod = z
  .object({
    metadata: z.object({ labels: z.object({ component: z.string().optional() }).nullish() }),
    spec: z.object({ nodeName: z.string().optional() }),
    status: z
      .object({
        hostIP: z.string().optional(),
        containerStatuses: listOf(
          z.object({
            name: z.string(),
            state: z.object({ running: z.object({ startedAt: z.string() }).nullish() }).nullish(),
          }),
        ),
      })
      .nullish(),
  })
  .transform(({ metadata: { labels }, spec: { nodeName = '' }, status }) => {
    const component = labels?.component ?? '';
    const own = status?.containerStatuses.find(({ name }) => name === component);
    const started = new Date(own?.state?.running?.startedAt ?? '');
    const startedAt = Number.isNaN(started.getTime()) ? undefined : started;
    return { component, node: nodeName, host: status?.hostIP, startedAt };
  });

/** The kube-controller-manager of each node, as the kubelets tell of their static pods. @throws ClusterFailure */
export async function readControllerManagers(ask: Ask): Promise<readonly ControllerManager[]> {
  const pods = await listAll(ask, {
    path: '/api/v1/namespaces/kube-system/pods',
    query: { labelSelector: 'tier=control-plane' },
    answer: pageOf('PodList', pod),
  });
  return pods
    .filter(({ component }) => component === 'kube-controller-manager')
    .map(({ node, host, startedAt }) => ({
      ...{ node, host, startedAt },
      apiServerStartedAt: pods.find((one) => one.component === 'kube-apiserver' && one.node === node)
        ?.startedAt,
    }));
}
