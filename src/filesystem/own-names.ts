/** The directory in the cert dir that holds the journal, the backups and the lock. A reader of the cert dir passes over it. */
export const stateDirectoryName = '.kubepki';

/** The file that is locked in the kubeconfig dir. */
export const kubeconfigLockName = '.kubepki.lock';
