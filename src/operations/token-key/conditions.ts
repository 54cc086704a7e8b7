import { isoSeconds } from '../../pki/der/time.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { keyId, type PublicKey } from '../../pki/key/public-key.ts';
import { addressText, counted, listed } from '../verification/cluster/asked.ts';
import type { Asked } from '../verification/cluster/cluster.ts';
import type { ControllerManager, TokenApiServer, TokenCluster } from './cluster.ts';
import type { TokenKeyState } from './state.ts';

/**
 * What must be true before a stage, by the names that an operator gives his word for:
 *
 * - `manifests`: the API server of this node reads sa.pub, and the components sign with sa.key
 * - `one-key`: no API server knows another next key
 * - `api-servers`: every API server knows the key
 * - `signers`: every API server signs with the new key, and with no other
 * - `controller-managers`: so does every kube-controller-manager
 * - `secrets`: no Secret holds a token of the old key
 * - `refreshed-tokens`: for a day tokens have been signed with the new key, so that the kubelets have replaced those of pods
 * - `stale-tokens`: no client goes on with a token that it should have replaced
 * - `extended-tokens`: no client needs a token that it has had in hand since before the switch
 */
export const conditionNames = [
  'manifests',
  'one-key',
  'api-servers',
  'signers',
  'controller-managers',
  'secrets',
  'refreshed-tokens',
  'stale-tokens',
  'extended-tokens',
] as const;

export type ConditionName = (typeof conditionNames)[number];

export interface Condition {
  readonly name: ConditionName;
  /** `unknown`: it could not be measured. */
  readonly state: 'met' | 'unmet' | 'unknown';
  /** What was seen, in a sentence without a period. */
  readonly says: string;
  readonly hint?: string | undefined;
  /** Whether an operator may go on though it is not met: what breaks is for him to weigh. */
  readonly mayBeBroken: boolean;
}

/** The kubelet asks for a new token at 80 % of its life, or after a day. */
const refreshMs = 24 * 3600 * 1000;
/** So long a token may be extended (--service-account-extend-token-expiration). */
const extensionMs = 365 * refreshMs;

export interface Asking {
  /** undefined: it was not to be asked. */
  readonly cluster: TokenCluster | undefined;
  readonly now: Date;
}

/**
 * Where an API server knows a key that this node does not, a replacement may have begun on its node, and this one must get the same key.
 * Nothing is lost where that cannot be told: no node switches before every API server knows its next key.
 * @param brought the key that will be announced; undefined: one that only this node has
 */
export function trustConditions(
  { cluster }: Asking,
  { known, next }: Pick<TokenKeyState, 'known' | 'next'>,
  brought: PublicKey | undefined,
): Condition[] {
  const own = [
    ...known,
    ...(next === undefined ? [] : [publicKeyOf(next)]),
    ...(brought === undefined ? [] : [brought]),
  ];
  const ids = own.map(keyId);
  const condition = ofApiServers(cluster, {
    name: 'one-key',
    partOf: (server) => server.known,
    isWell: (all) => all.every((id) => ids.includes(id)),
    met: 'no API server knows another next key',
    unmet: 'knows a key that this node does not: another node may have made the next key already',
    unknown: 'does not say which keys it knows',
    hint: 'see there which key it is: kubepki sa status; bring that of the node that made it: --key FILE',
    mayBeBroken: true,
  });
  return condition.state === 'unknown' ? [] : [condition];
}

/** @param id of the key that will sign */
export function switchConditions({ cluster }: Asking, id: string): Condition[] {
  return [
    ofApiServers(cluster, {
      name: 'api-servers',
      partOf: ({ known }) => known,
      isWell: (known) => known.includes(id),
      met: 'every API server knows the next key',
      unmet: 'does not know the next key: it would refuse every new token',
      unknown: 'does not say which keys it knows',
      hint: 'there: kubepki sa rotate trust, with the same key, then restart kube-apiserver',
    }),
  ];
}

/**
 * @param signing the id of the key that signs
 * @param old the id of the key that goes
 */
export function finishConditions({ cluster, now }: Asking, signing: string, old: string): Condition[] {
  const signers = ofApiServers(cluster, {
    name: 'signers',
    partOf: (server) => server.signing,
    isWell: (id) => id === signing,
    met: 'every API server signs with the new key',
    unmet: 'signs with another key: its tokens would be refused',
    unknown: 'does not say which key it signs with',
    hint: 'there: kubepki sa rotate switch, then restart kube-apiserver and kube-controller-manager',
  });
  return [
    ofApiServers(cluster, {
      name: 'api-servers',
      partOf: ({ known }) => known,
      isWell: (known) => known.includes(signing),
      met: 'every API server knows the new key',
      unmet: 'does not know the new key',
      unknown: 'does not say which keys it knows',
      hint: 'there: see to sa.pub, then restart kube-apiserver',
    }),
    signers,
    controllerManagers(cluster, old),
    secrets(cluster, old),
    refreshed(cluster, signers, { old, now }),
    ofApiServers(cluster, {
      name: 'stale-tokens',
      partOf: ({ metrics }) => counting(metrics),
      isWell: (count) => count === 0,
      met: 'since it started, no API server has been shown a token that should have been replaced',
      unmet: 'has been shown tokens that should have been replaced (serviceaccount_stale_tokens_total)',
      unknown: 'does not say whether it was shown such tokens',
      hint: 'find who shows them (authentication.k8s.io/stale-token in the audit log), and restart those clients',
      mayBeBroken: true,
    }),
    extended(cluster, signers, { old, now }),
  ];
}

/**
 * Before the old key is destroyed, there must be nothing left that it is needed for.
 * @param old its id
 */
export function goneConditions({ cluster }: Asking, old: string): Condition[] {
  return [
    ofApiServers(cluster, {
      name: 'api-servers',
      partOf: ({ known }) => known,
      isWell: (known) => !known.includes(old),
      met: 'no API server knows the old key any more',
      unmet: 'takes tokens of the old key for good still',
      unknown: 'does not say which keys it knows',
      hint: 'there: kubepki sa rotate finish, then restart kube-apiserver',
    }),
  ];
}

/** Before an earlier key signs again on this node. @param id of that key */
export function knowCondition(cluster: TokenCluster | undefined, id: string): Condition {
  return ofApiServers(cluster, {
    name: 'api-servers',
    partOf: ({ known }) => known,
    isWell: (known) => known.includes(id),
    met: 'every API server knows the key that signs again',
    unmet: 'does not know the key that would sign again: it would refuse every new token',
    unknown: 'does not say which keys it knows',
    hint: 'there: kubepki certs rollback --restart, to before finish',
  });
}

/** Before this node takes tokens of some keys for good no more. @param ids of those keys */
export function noneSignsCondition(cluster: TokenCluster | undefined, ids: readonly string[]): Condition {
  return ofApiServers(cluster, {
    name: 'signers',
    partOf: ({ signing }) => signing,
    isWell: (id) => !ids.includes(id),
    met: 'no API server signs with the key that this node would not know any more',
    unmet: 'signs with the key that this node would not know any more',
    unknown:
      'does not say which key it signs with, and it may be the one that this node would not know any more',
    hint: 'there: kubepki certs rollback --restart, to before switch',
  });
}

interface AskedOfAll<T> {
  readonly name: ConditionName;
  readonly partOf: (server: TokenApiServer) => Asked<T>;
  readonly isWell: (value: T) => boolean;
  readonly met: string;
  /** Said of an API server. */
  readonly unmet: string;
  readonly unknown: string;
  readonly hint: string;
  readonly mayBeBroken?: boolean;
}

function ofApiServers<T>(
  cluster: TokenCluster | undefined,
  { name, partOf, isWell, met, unmet, unknown, hint, mayBeBroken = false }: AskedOfAll<T>,
): Condition {
  const common = { name, mayBeBroken };
  const servers = answerOf(cluster, ({ apiServers }) => apiServers);
  if ('why' in servers) return { ...common, state: 'unknown', says: servers.why, hint: servers.hint };
  if (servers.value.length === 0)
    return { ...common, state: 'unknown', says: 'the cluster names no API server' };
  const parts = servers.value.map((server) => ({ at: addressText(server), part: partOf(server) }));
  const wrong = parts.filter(({ part }) => part.status === 'answered' && !isWell(part.value));
  if (wrong.length > 0) {
    const places = listed(wrong.map(({ at }) => at));
    return { ...common, state: 'unmet', says: `kube-apiserver at ${places} ${unmet}`, hint };
  }
  const silent = parts.flatMap(({ at, part }) => (part.status === 'answered' ? [] : [{ at, part }]));
  const [first] = silent;
  if (first !== undefined) {
    const why = first.part.status === 'unasked' ? `: ${first.part.why}` : '';
    const says = `kube-apiserver at ${listed(silent.map(({ at }) => at))} ${unknown}${why}`;
    return {
      ...common,
      state: 'unknown',
      says,
      hint: first.part.status === 'unasked' ? first.part.hint : undefined,
    };
  }
  return { ...common, state: 'met', says: `${met} (${String(parts.length)})` };
}

/**
 * They listen on 127.0.0.1 alone and do not say which key they have. One that has started after the API server of its node, which signs
 * with the new key and so has started after sa.key was replaced, has read the new one as well. Where the API server does not know the
 * old key any more, this was seen before, and only that has started anew since.
 */
function controllerManagers(cluster: TokenCluster | undefined, old: string): Condition {
  const common = { name: 'controller-managers', mayBeBroken: false } as const;
  const found = answerOf(cluster, (one) => one.controllerManagers);
  if ('why' in found) return { ...common, state: 'unknown', says: found.why, hint: found.hint };
  if (found.value.length === 0) {
    return { ...common, state: 'unknown', says: 'no pod of kube-controller-manager is known to the cluster' };
  }
  const servers = cluster?.apiServers.status === 'answered' ? cluster.apiServers.value : [];
  const isPast = (node: ControllerManager): boolean => {
    const own = servers.filter(({ host }) => host === node.host);
    return own.length > 0 && own.every((server) => hasDropped(server, old));
  };
  const unproven = found.value.filter((one) => {
    const { startedAt, apiServerStartedAt } = one;
    const isLater =
      startedAt !== undefined && apiServerStartedAt !== undefined && startedAt >= apiServerStartedAt;
    return !isLater && !isPast(one);
  });
  return unproven.length === 0
    ? {
        ...common,
        state: 'met',
        says: `every kube-controller-manager has started since its node switched (${String(found.value.length)})`,
      }
    : {
        ...common,
        state: 'unknown',
        says: `kube-controller-manager of ${listed(unproven.map(({ node }) => node))} has not started after kube-apiserver there, so that it may still sign with the old key`,
        hint: 'there: kubepki restart kube-controller-manager',
      };
}

function secrets(cluster: TokenCluster | undefined, old: string): Condition {
  const common = { name: 'secrets', mayBeBroken: true } as const;
  const found = answerOf(cluster, (one) => one.secrets);
  if ('why' in found) return { ...common, state: 'unknown', says: found.why, hint: found.hint };
  const left = found.value.filter(({ keyId }) => keyId === old);
  return left.length === 0
    ? {
        ...common,
        state: 'met',
        says: `no Secret holds a token of the old key (${String(found.value.length)})`,
      }
    : {
        ...common,
        state: 'unmet',
        says: `${counted(left.length, 'Secret')} ${left.length === 1 ? 'holds a token' : 'hold tokens'} of the old key: ${listed(left.map(({ namespace, name }) => `${namespace}/${name}`))}`,
        hint: 'have those who use one use another (kubectl create token, or a new Secret), and delete it: kubepki sa status lists all',
      };
}

function refreshed(
  cluster: TokenCluster | undefined,
  signers: Condition,
  { old, now }: { readonly old: string; readonly now: Date },
): Condition {
  const common = { name: 'refreshed-tokens', mayBeBroken: true } as const;
  const since = signingSince(cluster, signers, old);
  if (since === undefined) {
    const says = 'since when the API servers have signed with the new key is not known';
    return { ...common, state: 'unknown', says };
  }
  const says = `all API servers have signed with the new key since ${isoSeconds(since)}`;
  if (now.getTime() - since.getTime() >= refreshMs) return { ...common, state: 'met', says };
  return {
    ...common,
    state: 'unmet',
    says: `${says}, which is less than a day: pods may have tokens of the old key`,
    hint: `wait until ${isoSeconds(new Date(since.getTime() + refreshMs))}: a kubelet replaces the token of a pod within a day`,
  };
}

/** A client that has read a token once may keep it in its memory, and a token that was asked for by hand lasts as long as it was asked for. */
function extended(
  cluster: TokenCluster | undefined,
  signers: Condition,
  { old, now }: { readonly old: string; readonly now: Date },
): Condition {
  const common = { name: 'extended-tokens', mayBeBroken: true } as const;
  const since = signingSince(cluster, signers, old);
  return since !== undefined && now.getTime() - since.getTime() >= extensionMs
    ? { ...common, state: 'met', says: 'the last token of the old key was signed more than a year ago' }
    : {
        ...common,
        state: 'unknown',
        says: 'a token of the old key that a client holds may be good for a year after it was signed, and nothing tells of it',
        hint: 'restart what keeps its token (pods that do not read it anew, programs outside of the cluster), or wait',
      };
}

/**
 * The last to start has signed with the key that it has now since then, as each reads it at its start. One that does not know the old key
 * any more has been through this already, and has started anew for it.
 */
function signingSince(cluster: TokenCluster | undefined, signers: Condition, old: string): Date | undefined {
  if (signers.state !== 'met' || cluster?.apiServers.status !== 'answered') return undefined;
  const before = cluster.apiServers.value.filter((server) => !hasDropped(server, old));
  const starts = before.map(({ metrics }) =>
    metrics.status === 'answered' ? metrics.value.startedAt?.getTime() : undefined,
  );
  const known = starts.filter((start) => start !== undefined);
  return known.length === 0 || known.length < starts.length ? undefined : new Date(Math.max(...known));
}

function hasDropped({ known }: TokenApiServer, old: string): boolean {
  return known.status === 'answered' && !known.value.includes(old);
}

function counting(metrics: TokenApiServer['metrics']): Asked<number> {
  if (metrics.status !== 'answered') return metrics;
  const { staleTokens } = metrics.value;
  return staleTokens === undefined
    ? { status: 'unasked', why: 'its metrics do not count them', hint: undefined }
    : { status: 'answered', value: staleTokens };
}

function answerOf<T>(
  cluster: TokenCluster | undefined,
  partOf: (cluster: TokenCluster) => Asked<T>,
): { readonly value: T } | { readonly why: string; readonly hint: string | undefined } {
  if (cluster === undefined) return { why: 'the cluster was not asked (--offline)', hint: undefined };
  const part = partOf(cluster);
  switch (part.status) {
    case 'answered':
      return { value: part.value };
    case 'absent':
      return { why: 'the cluster has no such thing', hint: undefined };
    case 'unasked':
      return { why: part.why, hint: part.hint };
  }
}

/** Whether the stage may go on, with the word of the operator. */
export function isSettled({ name, state, mayBeBroken }: Condition, accepted: readonly string[]): boolean {
  return state === 'met' || (accepted.includes(name) && (state === 'unknown' || mayBeBroken));
}
