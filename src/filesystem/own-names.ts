/** The directory in the cert dir that holds the journal, the backups and the lock. A reader of the cert dir passes over it. */
export const stateDirectoryName = '.kubepki';

/** The file that is locked in the kubeconfig dir. */
export const kubeconfigLockName = '.kubepki.lock';

/**
 * In the state directory, while the service-account key is being replaced: the key that will sign, and from then on the one that has
 * signed before.
 */
export const nextTokenKey = 'token-key/next.key';
export const oldTokenKey = 'token-key/old.key';
