import type { Held } from './held.ts';

/** The kinds of objects in which programs keep CAs. */
export type HolderKind =
  | 'ValidatingWebhookConfiguration'
  | 'MutatingWebhookConfiguration'
  | 'APIService'
  | 'CustomResourceDefinition'
  | 'Secret'
  | 'ConfigMap';

/** Where in the cluster something is. All names are what the API server says. */
export interface ObjectPlace {
  readonly kind: HolderKind;
  /** undefined: of the cluster. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** `caBundle` of a webhook by its place in the list, or a key of the data. */
  readonly field:
    | { readonly kind: 'webhook'; readonly index: number; readonly name: string }
    | { readonly kind: 'bundle' }
    | { readonly kind: 'data' | 'binaryData'; readonly key: string };
}

export interface ObjectHolding {
  readonly place: ObjectPlace;
  readonly held: Held;
}

export interface FileHolding {
  /** As it is written inside the root. */
  readonly path: string;
  /** Of the kubeconfig, the cluster whose CA is embedded; undefined: no kubeconfig, or one of several clusters. */
  readonly cluster: string | undefined;
  readonly held: Held;
}

/** A pod that knows the API server by its namespace's `kube-root-ca.crt`. */
export interface RunningPod {
  readonly namespace: string;
  readonly name: string;
  readonly startedAt: Date;
  /** The controller that makes such pods, as kubectl names it: `daemonset/kube-proxy`; undefined: none that can be restarted. */
  readonly owner: string | undefined;
}

/** Something that holds a CA and that this program does not change, and what mends it. */
export interface Reference {
  readonly kind: HolderKind | 'File' | 'Pod';
  readonly namespace: string | undefined;
  /** The object's, or the file's path. */
  readonly name: string;
  readonly field: string | undefined;
  /** undefined: of a pod, that it began before the new CA was published. */
  readonly held: Held | undefined;
  /** What it is, in a few words. */
  readonly says: string;
  /** A command for a shell on this node; undefined: there is none that is right for all. */
  readonly command: string | undefined;
  /** In words, where there is no command, or it is not all. */
  readonly advice: string | undefined;
}

/** What could not be looked at. */
export interface Unread {
  readonly what: string;
  readonly why: string;
}

/** What a search has found. */
export interface Found {
  /** The rotation's id; undefined: none is prepared on this node. */
  readonly rotation: string | undefined;
  readonly references: readonly Reference[];
  /** The namespaces in which the new CA is not published yet, so that their pods were not judged. */
  readonly unpublished: readonly string[];
  readonly unread: readonly Unread[];
}
