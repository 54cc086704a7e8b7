/** Where a shell finds the names of the backups, without starting anything: kubeadm's cert dir, unless the line says otherwise. */
export const defaultCertDir = '/etc/kubernetes/pki';

/** Below the cert dir. */
export const backupsInCertDir = '.kubepki/backups';
