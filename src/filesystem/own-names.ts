/**
 * In the cert dir: the journal, the backups, the lock. A reader of the cert dir passes over this directory.
 */
export const stateDirectoryName = '.kubepki';

/** In the kubeconfig dir: what is locked there. */
export const kubeconfigLockName = '.kubepki.lock';
