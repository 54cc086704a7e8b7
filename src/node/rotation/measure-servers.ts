import type { CaName } from '../../catalog/catalog.ts';
import type { ServingNode } from '../../cluster/pki-objects.ts';
import type { Probes, TrustingServer } from '../../controlplane/trust.ts';
import type { RotatedAuthority } from '../../operations/rotation/plan.ts';
import { servedBy } from '../../operations/rotation/served-by.ts';
import type { RotationFiles } from '../../operations/rotation/state.ts';
import type { ServerStatus } from '../../operations/rotation/status.ts';
import type { Endpoint, Live } from '../../operations/verification/observed.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import type { Node } from '../node-options.ts';
import { readKeptKey } from './rotation.ts';
import { acceptanceOf, makeProbes, offeredBy, type Acceptance } from './trust-probes.ts';

/** Whose clients a server judges, by its name. */
const kinds: Readonly<Record<string, { readonly kind: TrustingServer['kind']; readonly authority: CaName }>> =
  {
    'kube-apiserver': { kind: 'kube-apiserver', authority: 'ca' },
    'kube-controller-manager': { kind: 'kube-controller-manager', authority: 'ca' },
    'kube-scheduler': { kind: 'kube-scheduler', authority: 'ca' },
    kubelet: { kind: 'kubelet', authority: 'ca' },
    etcd: { kind: 'etcd', authority: 'etcd-ca' },
    'etcd (peers)': { kind: 'etcd', authority: 'etcd-ca' },
  };

/** What the components of this node say to a client of each CA. */
export async function serversOf(
  { answers }: Pick<Live, 'answers'>,
  measuring: Measuring,
): Promise<ServerStatus[]> {
  const { authorities, probesOf } = measuring;
  const rows = await Promise.all(
    answers.map(async ({ endpoint, ...answer }): Promise<ServerStatus[]> => {
      const { name, host, port } = endpoint;
      const address = `${host}:${String(port)}`;
      const known = kinds[name];
      const authority = authorities.find((one) => one.name === known?.authority);
      const frontProxy = authorities.find((one) => one.name === 'front-proxy-ca');
      const serves = answer.status === 'silent' ? 'unknown' : servesOf(endpoint, answer.chain, authority);
      const row = async (one: RotatedAuthority, asked: Promise<Acceptance>): Promise<ServerStatus> => {
        const own = one === frontProxy ? 'none' : serves;
        const common = { name, address, authority: one.name, serves: own };
        if (answer.status === 'shown') return { ...common, ...(await asked) };
        return { ...common, acceptsOld: 'unknown', acceptsNext: 'unknown', why: answer.why };
      };
      const found = [
        ...(authority === undefined || known === undefined
          ? []
          : [
              row(
                authority,
                acceptanceOf(
                  { kind: known.kind, host, port },
                  authority,
                  await probesOf(authority),
                  serves === 'self',
                ),
              ),
            ]),
        // A request of the front proxy's would be refused with each CA; what is offered in the handshake tells.
        ...(name === 'kube-apiserver' && frontProxy !== undefined
          ? [row(frontProxy, offeredBy({ host, port }, frontProxy))]
          : []),
      ];
      return Promise.all(found);
    }),
  );
  return rows.flat();
}

function servesOf(
  { caName }: Endpoint,
  chain: Chain,
  authority: RotatedAuthority | undefined,
): ServerStatus['serves'] {
  if (caName === undefined || authority === undefined) return 'self';
  return servedBy(chain, authority);
}

/** Of each CA once: a client of the old one and a client of the new one, whose keys stay in memory. */
export interface Measuring {
  readonly authorities: readonly RotatedAuthority[];
  readonly probesOf: (authority: RotatedAuthority) => Promise<Probes>;
}

export function measuringOf(
  node: Node,
  { keys }: RotationFiles,
  authorities: readonly RotatedAuthority[],
  now: Date,
): Measuring {
  const made = new Map<CaName, Promise<Probes>>();
  return {
    authorities,
    probesOf: (authority) => {
      const { name } = authority;
      const found = made.get(name);
      if (found !== undefined) return found;
      const slots = [
        keys.get(name)?.content,
        readKeptKey(node, name, 'old').content,
        readKeptKey(node, name, 'next').content,
      ];
      const here = slots.flatMap((slot) => (slot?.status === 'present' ? [slot.value] : []));
      const probes = makeProbes(authority, here, now);
      made.set(name, probes);
      return probes;
    },
  };
}

/** The kubelets of the other nodes: a worker has no key to make a client of the new CA with. */
export async function kubeletsOf(
  nodes: readonly ServingNode[],
  own: string,
  measuring: Measuring,
): Promise<ServerStatus[]> {
  const authority = measuring.authorities.find(({ name }) => name === 'ca');
  if (authority === undefined) return [];
  const probes = await measuring.probesOf(authority);
  return Promise.all(
    nodes
      .filter(({ name }) => name !== own)
      .flatMap(({ name, addresses: [host], kubeletPort: port }) =>
        host === undefined ? [] : [{ name, host, port }],
      )
      .map(async ({ name, host, port }): Promise<ServerStatus> => ({
        name: `kubelet of ${name}`,
        address: `${host}:${String(port)}`,
        authority: 'ca',
        // Which certificate it shows is judged on its own node.
        serves: 'none',
        ...(await acceptanceOf({ kind: 'kubelet', host, port }, authority, probes, true)),
      })),
  );
}
