/** Where a shell finds the names of the backups, without starting anything: kubeadm's cert dir, unless the line says otherwise. */
export const defaultCertDir = '/etc/kubernetes/pki';

/** Below the directory that the cert dir is in. */
export const backupsBesideCertDir = 'kubepki/backups';
