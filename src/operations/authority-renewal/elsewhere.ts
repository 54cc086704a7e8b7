import type { CaName } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { Elsewhere } from '../change/change-report.ts';

interface RenewedFile {
  readonly name: CaName;
  /** Host path of the CA's file. */
  readonly path: string;
}

/** Where the command puts the file on the other node: root's own directory, in which no other user can put another. */
const there = '/root/renewed-ca.pem';

interface Elsewheres {
  /** As kubeconfigs of this cluster call it. */
  readonly clusterName: string;
  /** On this node. */
  readonly command: CommandLine;
  /** The flags that name the directories on each node of the cluster, where they were named here; each a word for the shell. */
  readonly directories: readonly string[];
}

/**
 * What else holds the certificates of renewed CAs, and the command that brings each up to date. Until the old certificate ends it
 * serves everywhere as well as its successor, in any mix: so there is no order among these.
 */
export function copiesElsewhere(
  renewed: readonly RenewedFile[],
  { clusterName, command, directories }: Elsewheres,
): Elsewhere[] {
  if (renewed.length === 0) return [];
  const cluster = renewed.find(({ name }) => name === 'ca');
  const read = renewed.some(({ name }) => name !== 'etcd-ca');
  return [
    {
      what: 'each other control-plane node, NODE being its name',
      command: trustOn(
        renewed.map(({ path }) => path),
        directories,
      ),
    },
    ...(cluster === undefined
      ? []
      : [
          { what: 'each worker node', command: trustOn([cluster.path], directories) },
          {
            what: 'ConfigMap cluster-info in kube-public, by which new nodes join',
            command: clusterInfoCommand(cluster.path),
          },
          {
            what: 'ConfigMap kube-root-ca.crt in every namespace: kube-controller-manager writes it, once all of them have been restarted; to see whether it has',
            command: command('verify --cluster'),
          },
        ]),
    ...(read
      ? [
          {
            what: 'ConfigMap extension-apiserver-authentication in kube-system: the API servers read the file by themselves and add to it; to see it',
            command:
              'kubectl --namespace kube-system get configmap extension-apiserver-authentication --output yaml',
          },
        ]
      : []),
    ...(cluster === undefined
      ? []
      : [
          {
            what: 'kubeconfigs of people and programs, FILE being each',
            command: `kubectl config set-cluster ${shellWord(clusterName)} --kubeconfig FILE --certificate-authority ${shellWord(cluster.path)} --embed-certs`,
          },
        ]),
    {
      what: 'Secret kubeadm-certs, where it was uploaded for a control-plane node that is yet to join',
      command: 'kubeadm init phase upload-certs --upload-certs',
    },
  ];
}

function trustOn(paths: readonly string[], directories: readonly string[]): string {
  const trust = ['kubepki ca trust', there, ...directories].join(' ');
  return `cat ${paths.map(shellWord).join(' ')} | ssh root@NODE ${shellWord(`cat >${there} && ${trust}`)}`;
}

/** The kubeconfig is a text inside the object, of a cluster without a name, which `kubectl config` does not take. */
function clusterInfoCommand(path: string): string {
  const field = 'certificate-authority-data: ';
  return [
    'kubectl --namespace kube-public get configmap cluster-info --output json',
    `sed "s|${field}[A-Za-z0-9+/=]*|${field}$(base64 -w0 <${shellWord(path)})|"`,
    'kubectl replace --filename -',
  ].join(' | ');
}
