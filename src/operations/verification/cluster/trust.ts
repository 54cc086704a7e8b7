import type { CaName } from '../../../catalog/catalog.ts';
import type { CommandLine } from '../../../errors/command-line.ts';
import { KubepkiError } from '../../../errors/error.ts';
import { readClusterInfo, type ClusterInfo } from '../../../kubeconfig/cluster-info.ts';
import {
  certificateBlocks,
  parseCertificate,
  type Certificate,
} from '../../../pki/certificate/certificate.ts';
import { validatePath } from '../../../pki/path/path.ts';
import { inUseOf } from '../../examination/examination.ts';
import { covers, hostsIn, nameOf } from '../../names/name-uses.ts';
import { lastFlagValue } from '../../node/component-flags.ts';
import { bothLooks, nothingHere, type Look, type Trouble } from '../check.ts';
import { isSameAuthority, servingAuthority } from '../kubeconfigs.ts';
import type { Observed } from '../observed.ts';
import { counted, listed, lookAtAnswer } from './asked.ts';
import type { ClientCas, Cluster, PublishedCa } from './cluster.ts';
import { servedNames, sansOf } from './served-names.ts';

/** A pod trusts the API server by the ConfigMap `kube-root-ca.crt` of its namespace, and by nothing else. */
export function publishesTheAuthority(observed: Observed): Look {
  const needed = neededBy(observed);
  if (needed === undefined) return nothingHere;
  return lookAtAnswer(
    observed,
    'kube-root-ca.crt of the namespaces',
    ({ rootCas }) => rootCas,
    (all): Look =>
      // Where there is none at all, this Kubernetes is older than they are.
      all.length === 0 ? nothingHere : bothLooks(holdTheAuthority(all, needed), areEverywhere(all, observed)),
  );
}

const rootCaFile = 'ConfigMap kube-root-ca.crt';
const publisherHint =
  'see to --root-ca-file of kube-controller-manager on each control-plane node, and restart it (kubepki restart kube-controller-manager): its leader publishes what it has read at its start';

function holdTheAuthority(all: readonly PublishedCa[], needed: Needed): Look {
  // Thousands of namespaces have the same text.
  const known = new Map<string, boolean>();
  const isRight = ({ pem = '' }: PublishedCa): boolean => {
    const right = known.get(pem) ?? needed.isTrustedBy(pem);
    known.set(pem, right);
    return right;
  };
  const wrong = all.filter((one) => !isRight(one)).map(({ namespace }) => namespace);
  return {
    looked: all.length,
    troubles:
      wrong.length === 0
        ? []
        : [
            {
              grade: 'error',
              name: 'kube-root-ca.crt',
              file: rootCaFile,
              message: `does not hold the CA of ${needed.path} in ${counted(wrong.length, 'namespace')}, whose pods do not trust this API server: ${listed(wrong)}`,
              hint: publisherHint,
            },
          ],
  };
}

/** The publisher needs a moment for a new one. */
const newMs = 5 * 60_000;

function areEverywhere(all: readonly PublishedCa[], observed: Observed): Look {
  return lookAtAnswer(
    observed,
    'which namespaces lack kube-root-ca.crt',
    ({ namespaces }) => namespaces,
    (namespaces): Look => {
      const there = new Set(all.map(({ namespace }) => namespace));
      const before = observed.subject.now.getTime() - newMs;
      const missing = namespaces
        .filter(
          ({ createdAt, isEnding }) => !isEnding && createdAt !== undefined && createdAt.getTime() < before,
        )
        .flatMap(({ name }) => (there.has(name) ? [] : [name]));
      return {
        looked: 0,
        troubles:
          missing.length === 0
            ? []
            : [
                {
                  grade: 'error',
                  name: 'kube-root-ca.crt',
                  file: rootCaFile,
                  message: `is missing in ${counted(missing.length, 'namespace')}, whose pods do not start: ${listed(missing)}`,
                  hint: publisherHint,
                },
              ],
      };
    },
  );
}

const infoFile = 'ConfigMap kube-public/cluster-info';

/** `kubeadm join` finds the cluster by this one. An operator may have removed it once all nodes had joined. */
export function leadsNewNodesHere(observed: Observed): Look {
  const needed = neededBy(observed);
  if (needed === undefined) return nothingHere;
  return lookAtAnswer(
    observed,
    'cluster-info',
    ({ clusterInfo }) => clusterInfo,
    (text, cluster): Look => {
      const trouble = (grade: Trouble['grade'], message: string, hint: string): Trouble => ({
        grade,
        name: 'cluster-info',
        file: infoFile,
        message,
        hint,
      });
      const edit = (what: string): string => `${what}: kubectl -n kube-public edit configmap cluster-info`;
      let info: ClusterInfo;
      try {
        info = readClusterInfo(text ?? '');
      } catch (error) {
        if (!(error instanceof KubepkiError)) throw error;
        const message = `holds no kubeconfig that a new node can use: ${error.message}`;
        return {
          looked: 1,
          troubles: [trouble('error', message, 'make it again: kubeadm init phase bootstrap-token')],
        };
      }
      const trusts = info.ca !== undefined && needed.isTrustedBy(info.ca);
      return {
        looked: 1,
        troubles: [
          ...(trusts
            ? []
            : [
                trouble(
                  'error',
                  `does not hold the CA of ${needed.path}: no new node trusts this API server`,
                  edit('put the certificates of that file into its certificate-authority-data'),
                ),
              ]),
          ...serverTroubles(info.server, observed, cluster).map(({ grade, message }) =>
            trouble(grade, message, edit('correct its server, or give the API servers that name')),
          ),
        ],
      };
    },
  );
}

/** The name is right where the certificate of an API server has it: of this one, or of the one that has this address. */
function serverTroubles(
  server: string | undefined,
  observed: Observed,
  { apiServers }: Cluster,
): readonly Pick<Trouble, 'grade' | 'message'>[] {
  const own = servedNames(observed);
  if (own === undefined) return [];
  const [host] = server === undefined ? [] : hostsIn(server);
  if (host === undefined) return [{ grade: 'error', message: 'names no server' }];
  const name = nameOf(host);
  if (own.some((san) => covers(san, name))) return [];
  const message = `leads new nodes to ${host}`;
  if (apiServers.status !== 'answered') {
    return [
      {
        grade: 'unchecked',
        message: `${message}, which is no SAN of this API server, and the others are not known`,
      },
    ];
  }
  const shown = apiServers.value.flatMap((one) => (one.shown.status === 'shown' ? [one.shown.chain] : []));
  if (shown.some(([leaf]) => sansOf(leaf).some((san) => covers(san, name)))) return [];
  return apiServers.value.length > shown.length
    ? [
        {
          grade: 'unchecked',
          message: `${message}, which is no SAN of the API servers that answer, and not all of them do`,
        },
      ]
    : [{ grade: 'error', message: `${message}, which is no SAN of any API server` }];
}

const clientCas = [
  { caName: 'ca', flag: 'client-ca-file', textOf: (cas: ClientCas) => cas.clientCas },
  {
    caName: 'front-proxy-ca',
    flag: 'requestheader-client-ca-file',
    textOf: (cas: ClientCas) => cas.requestHeaderCas,
  },
] as const satisfies readonly {
  readonly caName: CaName;
  readonly flag: string;
  readonly textOf: (cas: ClientCas) => string | undefined;
}[];

const authenticationFile = 'ConfigMap kube-system/extension-apiserver-authentication';
const restartHint = (command: CommandLine): string =>
  `the API servers add to it what they have: restart this one: ${command('restart kube-apiserver')}`;

/** By these CAs extension API servers (metrics-server is one) know clients, and the API server that sends them on. */
export function extensionsKnowTheClients(observed: Observed): Look {
  const { cluster, subject, pods } = observed;
  if (cluster?.authentication.status === 'absent') {
    return {
      looked: 1,
      troubles: [
        {
          grade: 'warning',
          name: 'extension-apiserver-authentication',
          file: authenticationFile,
          message: 'is not there: extension API servers know no client',
          hint: restartHint(subject.command),
        },
      ],
    };
  }
  const pod = pods['kube-apiserver'];
  const words = pod.status === 'present' ? pod.value.words : [];
  const judged = clientCas.flatMap(({ caName, flag, textOf }) => {
    const authority = subject.inventory.authorities.find(({ spec }) => spec.name === caName);
    const signer = authority && inUseOf(authority, subject);
    const isAsked = words.length === 0 || lastFlagValue(words, flag) !== undefined;
    return authority === undefined || signer === undefined || !isAsked
      ? []
      : [{ signer, flag, textOf, path: authority.certificatePath }];
  });
  return lookAtAnswer(
    observed,
    'extension-apiserver-authentication',
    ({ authentication }) => authentication,
    (answer): Look => ({
      looked: judged.length,
      troubles: judged.flatMap(({ signer, flag, textOf, path }): Trouble[] =>
        certificatesIn(textOf(answer) ?? '').some((one) => isSameAuthority(one, signer))
          ? []
          : [
              {
                grade: 'error',
                name: 'extension-apiserver-authentication',
                file: authenticationFile,
                message: `does not hold the CA of ${path} (${flag}): extension API servers refuse its clients`,
                hint: restartHint(subject.command),
              },
            ],
      ),
    }),
  );
}

/** What a client of this API server must trust, and the file of this node that has it. */
interface Needed {
  readonly authority: Certificate;
  readonly path: string;
  /** Whether who trusts these certificates trusts the API server. */
  readonly isTrustedBy: (pem: string) => boolean;
}

function neededBy({ subject }: Observed): Needed | undefined {
  const { inventory, now } = subject;
  const entry = inventory.authorities.find(({ spec }) => spec.name === 'ca');
  const authority = entry && servingAuthority(subject, entry);
  if (entry === undefined || authority === undefined) return undefined;
  const server = inventory.certificates.find(({ spec }) => spec.name === 'apiserver');
  const [leaf, ...others] = server?.state.status === 'present' ? server.state.value.chain : [];
  return {
    ...{ authority, path: entry.certificatePath },
    isTrustedBy: (pem) => {
      const [first, ...more] = certificatesIn(pem);
      if (first === undefined) return false;
      const known = [first, ...more] as const;
      // The root alone will do where an intermediate comes with the leaf.
      return (
        known.some((one) => isSameAuthority(one, authority)) ||
        (leaf !== undefined && validatePath(leaf, others, known, now).status === 'trusted')
      );
    },
  };
}

/** Those that can be read: like Go's, this passes over the others. */
function certificatesIn(pem: string): readonly Certificate[] {
  const read = <T>(parse: () => T): T[] => {
    try {
      return [parse()];
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      return [];
    }
  };
  return read(() => certificateBlocks(Buffer.from(pem)))
    .flat()
    .flatMap((der) => read(() => parseCertificate(der)));
}
