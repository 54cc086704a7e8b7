import type { CaName, Component } from '../../catalog/catalog.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import type { StaticPods } from '../../inventory/kubelet/static-pods.ts';
import type {
  GuardedFile,
  KubeconfigFile,
  KubeletFiles,
  NamedContent,
  ServiceAccountFiles,
} from '../../inventory/verified-files.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import type { KubepkiError } from '../../errors/error.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Subject } from '../examination/examination.ts';
import type { Finding } from '../examination/finding.ts';
import type { Cluster } from './cluster/cluster.ts';
import type { ManifestFile } from './manifest-files.ts';
import type { Reached } from '../rotation/state.ts';

/** All that is known of a node when it is verified: what was read once, and nothing is read later. */
export interface Observed {
  readonly subject: Subject;
  /** What the examination of {@link subject} says. */
  readonly findings: readonly Finding[];
  readonly pods: StaticPods;
  readonly manifestFiles: readonly ObservedFile[];
  readonly serviceAccount: ServiceAccountFiles;
  /** kubeadm's, the kubelet's among them; those that are there. */
  readonly kubeconfigs: readonly KubeconfigFile[];
  readonly kubelet: KubeletFiles;
  /** Kubeconfigs in the homes of people. */
  readonly copies: readonly KubeconfigFile[];
  /** Keys, kubeconfigs and manifests, those that are there. */
  readonly guarded: readonly GuardedFile[];
  readonly waiting: readonly Waiting[];
  /** undefined: no CA of this node is being replaced. */
  readonly rotation: ObservedRotation | undefined;
  /** What the components that run now show; undefined: they were not asked. */
  readonly live: Live | undefined;
  /** What the cluster says of its PKI; undefined: it was not asked. */
  readonly cluster: Cluster | undefined;
  /** Whether the CIS benchmark is asked for. */
  readonly cis: boolean;
  /** How long before its end a certificate is worth a warning. */
  readonly withinMs: number;
}

/** The rotation of CAs that this node knows of, by the state of its files. */
export interface ObservedRotation {
  /** Host path of its plan. */
  readonly file: string;
  readonly authorities: Reading<readonly { readonly name: CaName; readonly reached: Reached }[]>;
}

export interface ObservedFile extends ManifestFile {
  /** Host path; undefined: nothing of the node is there in the container. */
  readonly path: string | undefined;
  readonly content: Reading<NamedContent>;
  /** When it was last written; undefined: it is not there. */
  readonly changedAt: Date | undefined;
  /** undefined: it was not opened. */
  readonly target: FileTarget | undefined;
}

/** What an earlier run has left to be done. */
export type Waiting =
  | {
      readonly kind: 'unfinished-change' | 'manifest-away' | 'restart' | 'hook' | 'requests';
      readonly file: string;
      readonly command: string;
    }
  /** Another run is at work, so that what is left may be its own. */
  | { readonly kind: 'busy'; readonly file: string }
  /** It cannot be told. */
  | { readonly kind: 'unreadable'; readonly file: string; readonly error: KubepkiError };

/** An address at which something of this node answers with a certificate. */
export interface Endpoint {
  /** As an operator calls it: `kube-apiserver`, `etcd (peers)`, `kubelet`, or the address that was given. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The name by which it is called, and which its certificate must have; undefined: its files say who calls it how. */
  readonly serverName: string | undefined;
  /** What it should show; undefined: it makes one of its own, or it is not known. */
  readonly disk: { readonly path: string; readonly chain: Chain } | undefined;
  /** Of which CA it is; undefined: it makes its certificate itself, or it is not known. */
  readonly caName: CaName | undefined;
  /** Host paths of what a client shows, where the server wants to see a certificate. */
  readonly identity: { readonly certificateFile: string; readonly keyFile: string } | undefined;
  /** What has it take up what is on disk; undefined: it is no component of this node, but an address that was given. */
  readonly restart: string | undefined;
}

/** What was seen of the components that run now. */
export interface Live {
  readonly answers: readonly Answer[];
  /** The processes of this machine that are called like a component; undefined: the node is another one, or they were not asked for. */
  readonly processes: readonly RunningComponent[] | undefined;
}

export type Answer = { readonly endpoint: Endpoint } & (
  { readonly status: 'shown'; readonly chain: Chain } | { readonly status: 'silent'; readonly why: string }
);

export interface RunningComponent {
  readonly component: Component;
  /** Its command line, without the name of the program. */
  readonly words: readonly string[];
  readonly startedAt: Date;
}
