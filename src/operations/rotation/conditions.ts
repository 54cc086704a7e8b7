import type { CaName } from '../../catalog/catalog.ts';
import { orderOf } from './state.ts';
import { stages, type Accepted, type Stage } from './plan.ts';
import type { Measured, NodeStatus, Published, ServerStatus } from './status.ts';

/** What a stage waits for. The names are those that `--accept` takes. */
export const conditionNames = [
  'etcd-quorum',
  'verify',
  'signing-file',
  'nodes',
  'restarted',
  'accepts-new',
  'root-ca',
  'extension-clients',
  'cluster-info',
  'serves-new',
  'signer',
  'api-services',
  'issued-clients',
  'refuses-old',
  'unauthorized',
  'ready',
  'pods',
] as const;

export type ConditionName = (typeof conditionNames)[number];

export interface Condition {
  readonly name: ConditionName;
  /** A sentence that is true when the condition is met, without a period. */
  readonly title: string;
  readonly outcome: Outcome;
}

/** `accepted`: it is not met, or was not measured, and the operator has given his word. */
type Outcome =
  | { readonly kind: 'met' }
  | { readonly kind: 'unmet' | 'unmeasured' | 'accepted'; readonly reasons: readonly string[] };

/** What is known when a stage is to begin. */
export interface Known {
  readonly now: Date;
  /** The status of this node, measured just now, first; then what other nodes have sent. */
  readonly nodes: readonly [NodeStatus, ...NodeStatus[]];
  /** The CAs that the stage is for. */
  readonly authorities: readonly CaName[];
  /** What `verify` finds on this node beside the ends, keys and signatures of the CAs that are replaced. */
  readonly faults: readonly string[];
  readonly accepted: readonly ConditionName[];
  /** Why kube-controller-manager may sign with ca.crt still; undefined: it does not, or will not when that changes. */
  readonly signing?: Finding | undefined;
  /** Of `finish` alone: what speaks against that every client is known to the API servers. */
  readonly refusals?: readonly Finding[];
}

/** What another node has said counts for so long. */
const freshMs = 3_600_000;

export function isFresh(at: Date, now: Date): boolean {
  return Math.abs(now.getTime() - at.getTime()) <= freshMs;
}

/** A part of the cluster's state that a condition looks at, for one node's document. */
type Look = (known: Known) => readonly Finding[];

/** Something that stands against a condition. */
export interface Finding {
  readonly kind: 'unmet' | 'unmeasured';
  readonly reason: string;
}

interface Row {
  readonly name: ConditionName;
  readonly title: string;
  readonly look: Look;
}

/** What the old CA has signed outside of the nodes' own files, and what uses it is refused from `distrust` on. */
const issuedByHand: readonly (readonly [CaName, string])[] = [
  [
    'ca',
    'what "kubeadm kubeconfig user" and the certificates API have issued is written down nowhere, and is refused from now on; "kubepki ca references" finds some of it',
  ],
  [
    'etcd-ca',
    'copies of etcd\'s client certificates, as backups and monitoring have them, are refused from now on; "kubepki ca references" finds some of them',
  ],
];

const conditions: Readonly<Record<Exclude<Stage, 'prepare'>, readonly Row[]>> = {
  trust: [
    verified(),
    {
      name: 'signing-file',
      title: 'kube-controller-manager signs with a file of its own before ca.crt holds two CAs',
      look: ({ signing }) => (signing === undefined ? [] : [signing]),
    },
  ],
  switch: [
    verified(),
    everyNode('trust'),
    {
      name: 'restarted',
      title: 'every process that reads a CA at its start has begun after its files changed',
      look: hasRestarted,
    },
    {
      name: 'accepts-new',
      title: 'every server takes a client certificate of the new CA',
      look: (known) =>
        servers(asControlPlanesAsk(known), ({ acceptsNext }) => acceptsNext, 'yes', 'refuses the new CA'),
    },
    rootCas('both', ({ hasOld, hasNext }) => hasOld && hasNext),
    extensionClients('both', ({ hasOld, hasNext }) => hasOld && hasNext),
    clusterInfo('trust', 'both', ({ hasOld, hasNext }) => hasOld && hasNext),
  ],
  distrust: [
    verified(),
    everyNode('switch'),
    {
      name: 'serves-new',
      title: 'every server shows a certificate of the new CA',
      look: (known) =>
        servers(
          known,
          ({ serves }) =>
            serves === 'unknown' ? 'unknown' : serves === 'old' || serves === 'other' ? 'no' : 'yes',
          'yes',
          'shows a certificate of another CA than the new one',
        ),
    },
    {
      name: 'signer',
      title: 'kube-controller-manager signs with the new CA',
      look: (known) =>
        known.authorities.includes('ca')
          ? ofCluster(
              known,
              ({ signer }) => signer,
              (signer) =>
                signer === 'next'
                  ? []
                  : [`a request was signed by ${signer === 'old' ? 'the old CA' : 'another CA'}`],
            )
          : [],
    },
    {
      name: 'api-services',
      title: 'every APIService is available',
      look: (known) =>
        ofCluster(
          known,
          ({ unavailable }) => unavailable,
          (names) => names.map((name) => `${name} is not available`),
        ),
    },
    {
      name: 'issued-clients',
      title: 'nobody uses a client certificate that was issued by hand',
      look: ({ authorities }) =>
        issuedByHand.flatMap(([name, reason]): Finding[] =>
          authorities.includes(name) ? [{ kind: 'unmeasured', reason }] : [],
        ),
    },
  ],
  finish: [
    verified(),
    everyNode('distrust'),
    {
      name: 'refuses-old',
      title: 'every server refuses a client certificate of the old CA',
      look: (known) =>
        servers(asControlPlanesAsk(known), ({ acceptsOld }) => acceptsOld, 'no', 'takes the old CA still'),
    },
    {
      name: 'unauthorized',
      title: 'no API server refuses a client',
      look: ({ authorities, refusals }) =>
        authorities.includes('ca')
          ? (refusals ?? [{ kind: 'unmeasured', reason: 'it was not looked at' }])
          : [],
    },
    rootCas('the new CA alone', ({ hasOld, hasNext }) => hasNext && !hasOld),
    extensionClients('the new CA alone', ({ hasOld, hasNext }) => hasNext && !hasOld),
    clusterInfo('distrust', 'the new CA alone', ({ hasOld, hasNext }) => hasNext && !hasOld),
    {
      name: 'ready',
      title: 'every node is Ready',
      look: (known) =>
        ofCluster(
          known,
          ({ nodes }) => nodes,
          (nodes) =>
            nodes.filter(({ isReady }) => !isReady).map(({ name }) => `the node ${name} is not Ready`),
        ),
    },
    {
      name: 'pods',
      title: 'no pod is older than the bundle',
      look: youngPods,
    },
  ],
};

/** Judges what a stage waits for. A stage may begin when each is met or accepted. */
export function conditionsOf(stage: Exclude<Stage, 'prepare'>, known: Known): Condition[] {
  return conditions[stage].map(({ name, title, look }) => judged(name, title, look(known), known.accepted));
}

/**
 * What `prepare` waits for: the stages after it restart what needs etcd, and etcd itself.
 * @param quorum undefined: etcd has it
 */
export function conditionsOfPrepare(
  quorum: Finding | undefined,
  accepted: readonly ConditionName[],
): Condition[] {
  const title = 'etcd has its quorum, and keeps it while the member of this node is restarted';
  return [judged('etcd-quorum', title, quorum === undefined ? [] : [quorum], accepted)];
}

/** Whether the stage has to wait for it. */
export function isOpen({ outcome: { kind } }: Condition): boolean {
  return kind === 'unmet' || kind === 'unmeasured';
}

function judged(
  name: ConditionName,
  title: string,
  found: readonly Finding[],
  accepted: readonly ConditionName[],
): Condition {
  if (found.length === 0) return { name, title, outcome: { kind: 'met' } };
  const unmet = found.filter(({ kind }) => kind === 'unmet');
  const counting = unmet.length > 0 ? unmet : found;
  const kind = accepted.includes(name) ? 'accepted' : unmet.length > 0 ? 'unmet' : 'unmeasured';
  return { name, title, outcome: { kind, reasons: [...new Set(counting.map(({ reason }) => reason))] } };
}

/** What the plan remembers of the operator's word. */
export function acceptedIn(
  found: readonly Condition[],
  { stage, time }: { readonly stage: Stage; readonly time: string },
): Accepted[] {
  return found.flatMap(({ name, outcome }) =>
    outcome.kind === 'accepted' ? [{ condition: name, stage, time }] : [],
  );
}

function verified(): Row {
  return {
    name: 'verify',
    title: 'verify finds no error on this node',
    look: ({ faults }) => faults.map((reason) => ({ kind: 'unmet', reason })),
  };
}

/** Each node of the cluster has said where it is, and is not behind. */
function everyNode(stage: Stage): Row {
  return { name: 'nodes', title: `every node is at ${stage}`, look: (known) => nodesAt(stage, known) };
}

function nodesAt(stage: Stage, known: Known): Finding[] {
  const { now, nodes, authorities } = known;
  const [own] = nodes;
  const nodesKnown = own.cluster.status === 'measured' ? own.cluster.value.nodes : own.cluster;
  const listed = nodesKnown.status === 'measured' ? nodesKnown.value : [];
  const said = nodes.flatMap((one): Finding[] => {
    const unmet = (reason: string): Finding => ({ kind: 'unmet', reason: `${one.node}: ${reason}` });
    if (!isFresh(one.at, now)) return [unmet(`its status is of ${one.at.toISOString()}`)];
    if (one.rotation === undefined) return [unmet('knows of no rotation')];
    if (one.rotation.id !== own.rotation?.id) return [unmet(`is in another rotation (${one.rotation.id})`)];
    if (one.role === 'worker' && listed.some(({ name, isControlPlane: is }) => is && name === one.node)) {
      return [unmet('says that it is a worker, and is a control plane')];
    }
    return authorities.flatMap((name): Finding[] => {
      const found = one.authorities.find((authority) => authority.name === name);
      if (found === undefined) return [unmet(`says nothing of ${name}`)];
      if (found.reached === 'unclear') return [unmet(`cannot tell where it is with ${name}`)];
      const reachedAll = found.reached === 'at' ? found.last : found.first;
      return orderOf(reachedAll) < orderOf(stage) ? [unmet(`is at ${reachedAll} with ${name}`)] : [];
    });
  });
  if (nodesKnown.status === 'unmeasured') {
    return [...said, { kind: 'unmeasured', reason: `which nodes there are: ${nodesKnown.why}` }];
  }
  const silent = nodesKnown.value.filter(({ name }) => !nodes.some(({ node }) => node === name));
  return [
    ...said,
    ...silent.map(({ name }): Finding => ({ kind: 'unmeasured', reason: `${name}: has sent no status` })),
  ];
}

function hasRestarted({ nodes }: Known): Finding[] {
  return nodes.flatMap(({ node, running }) => {
    if (running.status === 'unmeasured') return [{ kind: 'unmeasured', reason: `${node}: ${running.why}` }];
    return running.value.flatMap(({ process, stale }): Finding[] =>
      stale.map((path) => ({
        kind: 'unmet',
        reason: `${node}: ${process} was started before ${path} changed`,
      })),
    );
  });
}

/** A worker has no key to make a client with, and cannot tell whom its kubelet takes: control planes ask the kubelets of all nodes. */
function asControlPlanesAsk(known: Known): Known {
  const [own, ...others] = known.nodes;
  return { ...known, nodes: [own, ...others.filter(({ role }) => role === 'control-plane')] };
}

function servers(
  { nodes, authorities }: Known,
  answerOf: (server: ServerStatus) => 'yes' | 'no' | 'unknown',
  wanted: 'yes' | 'no',
  otherwise: string,
): Finding[] {
  return nodes.flatMap(({ node, servers: measured }) => {
    if (measured.status === 'unmeasured') return [{ kind: 'unmeasured', reason: `${node}: ${measured.why}` }];
    return measured.value
      .filter(({ authority }) => authorities.includes(authority))
      .flatMap((server): Finding[] => {
        const answer = answerOf(server);
        if (answer === wanted) return [];
        const where = `${node}: ${server.name} at ${server.address}`;
        return answer === 'unknown'
          ? [{ kind: 'unmeasured', reason: `${where}: ${server.why ?? 'cannot be told'}` }]
          : [{ kind: 'unmet', reason: `${where} ${otherwise}` }];
      });
  });
}

function rootCas(what: string, isRight: (one: Published) => boolean): Row {
  return {
    name: 'root-ca',
    title: `kube-root-ca.crt of every namespace holds ${what}`,
    look: (known) =>
      known.authorities.includes('ca')
        ? ofCluster(
            known,
            ({ rootCas: found }) => found,
            (found) =>
              found
                .filter((one) => !isRight(one))
                .map(({ where }) => `kube-root-ca.crt of ${where} does not hold ${what}`),
          )
        : [],
  };
}

function extensionClients(what: string, isRight: (one: Published) => boolean): Row {
  return {
    name: 'extension-clients',
    title: `extension-apiserver-authentication holds ${what}`,
    look: (known) => [
      ...(known.authorities.includes('ca')
        ? ofCluster(
            known,
            ({ clientCas }) => clientCas,
            (one) => (isRight(one) ? [] : [`client-ca-file of ${one.where} does not hold ${what}`]),
          )
        : []),
      ...(known.authorities.includes('front-proxy-ca')
        ? ofCluster(
            known,
            ({ headerCas }) => headerCas,
            (one) =>
              isRight(one) ? [] : [`requestheader-client-ca-file of ${one.where} does not hold ${what}`],
          )
        : []),
    ],
  };
}

/** @param stage that has put it there; it may have been changed, or gone back, since */
function clusterInfo(stage: Stage, what: string, isRight: (one: Published) => boolean): Row {
  return {
    name: 'cluster-info',
    title: `cluster-info holds ${what}`,
    look: (known) =>
      known.authorities.includes('ca')
        ? ofCluster(
            known,
            ({ clusterInfo: found }) => found,
            (one) =>
              isRight(one)
                ? []
                : [
                    `${one.where} does not hold ${what}: "kubepki ca rotate ${stage}" once more puts it right`,
                  ],
          )
        : [],
  };
}

/** A pod that began before the new CA was published may know the old one alone, and needs the cross-certificates. */
function youngPods(known: Known): Finding[] {
  if (!known.authorities.includes('ca')) return [];
  return ofCluster(
    known,
    ({ oldPods }) => oldPods,
    (names) => names.map((name) => `pods of ${name} began before the new CA was published`),
  );
}

/** As this node sees the cluster: any other sees the same. */
function ofCluster<T>(
  { nodes: [own] }: Known,
  part: (cluster: Extract<NodeStatus['cluster'], { status: 'measured' }>['value']) => Measured<T>,
  unmet: (value: T) => readonly string[],
): Finding[] {
  const measured = own.cluster.status === 'measured' ? part(own.cluster.value) : own.cluster;
  if (measured.status === 'unmeasured') return [{ kind: 'unmeasured', reason: measured.why }];
  return unmet(measured.value).map((reason) => ({ kind: 'unmet', reason }));
}

/** The stage after the one that is reached; undefined after the last. */
export function stageAfter(stage: Stage): Stage | undefined {
  return stages[orderOf(stage) + 1];
}
