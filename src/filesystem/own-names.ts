/** In the cert dir: the journal, the backups, the lock. Whatever reads what is in a cert dir passes over it. */
export const stateDirectoryName = '.kubepki';

/** In the kubeconfig dir: what is locked there. */
export const kubeconfigLockName = '.kubepki.lock';
