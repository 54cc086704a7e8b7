import { certificateBlocks, type Certificate } from '../../pki/certificate/certificate.ts';
import type { RunningPod } from './reference.ts';

/** What `kube-root-ca.crt` of a namespace says now. */
export interface PublishedCa {
  readonly namespace: string;
  readonly pem: string;
  /** When it was written last; undefined: it is not known. */
  readonly writtenAt: Date | undefined;
}

interface Since {
  readonly next: Certificate;
  /** When this node began to use the new CA, which it does once that is published everywhere; undefined: it does not yet. */
  readonly switchedAt: Date | undefined;
}

export interface OldPods {
  readonly pods: readonly RunningPod[];
  /** Where the new CA is not published yet: it would not help to start a pod anew. */
  readonly unpublished: readonly string[];
}

/**
 * The pods that may know the old CA alone: they began before `kube-root-ca.crt` of their namespace surely held the new one, and most programs
 * read it only when they start. A ConfigMap says when it was written last, which may be long after it first held the new CA.
 */
export function oldPods(
  pods: readonly RunningPod[],
  published: readonly PublishedCa[],
  { next, switchedAt }: Since,
): OldPods {
  const since = new Map(
    published.map(({ namespace, pem, writtenAt }) => {
      const isThere = certificateBlocks(Buffer.from(pem)).some((der) => der.equals(next.der));
      const known = [writtenAt, switchedAt].flatMap((date) => (date === undefined ? [] : [date.getTime()]));
      // Nothing holds a CA before it is made.
      const at = known.length === 0 ? next.notBefore.getTime() : Math.min(...known);
      return [namespace, isThere ? at : undefined] as const;
    }),
  );
  return {
    pods: pods.filter(
      ({ namespace, startedAt }) => startedAt.getTime() < (since.get(namespace) ?? -Infinity),
    ),
    unpublished: [...since].flatMap(([namespace, at]) => (at === undefined ? [namespace] : [])),
  };
}

/** The controllers of pods, each once; of a pod without one itself. */
export function workloadsOf(pods: readonly RunningPod[]): string[] {
  return [...new Set(pods.map(({ namespace, name, owner }) => `${namespace}/${owner ?? `pod/${name}`}`))];
}
