import { KubepkiError } from '../errors/error.ts';

/** The cluster has answered, and what it says cannot be used. */
export function isUnusable({ code }: KubepkiError): boolean {
  return code === 'bad-config' || code === 'unsupported-config';
}

/**
 * The same error, said of the cluster's configuration. Only one that is wrong for every kubeadm is to be corrected there: a version
 * that is not known here is right for the kubeadm that wrote it.
 */
export function unusableClusterConfig(error: KubepkiError): KubepkiError {
  return new KubepkiError(error.code, `the cluster's kubeadm-config: ${error.message}`, {
    hint:
      error.code === 'bad-config'
        ? 'correct it: kubectl -n kube-system edit configmap kubeadm-config'
        : error.hint,
    cause: error,
  });
}
