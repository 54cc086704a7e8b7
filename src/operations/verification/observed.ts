import type { StaticPods } from '../../inventory/kubelet/static-pods.ts';
import type {
  GuardedFile,
  KubeconfigFile,
  KubeletFiles,
  NamedContent,
  ServiceAccountFiles,
} from '../../inventory/verified-files.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Subject } from '../examination/examination.ts';
import type { Finding } from '../examination/finding.ts';
import type { Live } from './live.ts';
import type { ManifestFile } from './manifest-files.ts';

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
  /** What the components that run now show; undefined: they were not asked. */
  readonly live: Live | undefined;
  /** Whether the CIS benchmark is asked for. */
  readonly cis: boolean;
  /** How long before its end a certificate is worth a warning. */
  readonly withinMs: number;
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
export interface Waiting {
  readonly kind: 'unfinished-change' | 'manifest-away' | 'restart' | 'hook' | 'requests';
  readonly file: string;
  readonly command: string;
}
