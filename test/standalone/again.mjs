/**
 * The tests of the command line that the executable runs again, by what may differ between node and the runtime inside it.
 * What the others try is decided in the same JavaScript whoever runs it.
 */
export const again = {
  'streams, and the state in which a process is started': [
    'standard-streams',
    'odd-surroundings',
    'no-answer',
    'terminal',
    'progress',
    'restart-terminal',
    'version',
    'quiet',
  ],
  'TLS, HTTP and name look-up': [
    'cluster-config',
    'cluster-surroundings',
    'csr-large',
    'csr-troubles',
    'use-api',
    'use-api-troubles',
  ],
  'kinds of keys and of certificates, and their forms': [
    'authority-keys',
    'check-expiration',
    'external-ca',
    'foreign-keys',
    'generate',
    'generate-keys',
    'install-formats',
    'negative-serial',
    'renew',
    'renew-keys',
  ],
  'child processes, signals, sockets and the lock': [
    'deploy-hook',
    'interrupted-change',
    'lock',
    'owed-hooks',
    'renew-restart',
    'restart',
    'restart-failures',
  ],
  'what node:fs does': [
    'bad-input',
    'hostile-directory',
    'odd-names',
    'other-file-systems',
    'other-owners',
    'planted-links',
    'read-only',
    'state-place',
    'swapped-directories',
    'target-links',
    'textfile',
  ],
};
