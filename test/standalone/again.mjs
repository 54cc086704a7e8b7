/**
 * The tests of the command line that the executable runs again, by what may differ between node and the runtime inside it.
 * What the others try is decided in the same JavaScript whoever runs it.
 */
export const again = {
  'streams, and the state in which a process is started': [
    'program/standard-streams',
    'program/odd-surroundings',
    'cluster/no-answer',
    'program/terminal',
    'program/progress',
    'restart/restart-terminal',
    'version/version',
    'program/quiet',
  ],
  'TLS, HTTP and name look-up': [
    'cluster/cluster-config',
    'cluster/cluster-surroundings',
    'csr/csr-large',
    'csr/csr-troubles',
    'renew/use-api/use-api',
    'renew/use-api/use-api-troubles',
    'verify/verify',
  ],
  'kinds of keys and of certificates, and their forms': [
    'certificates/authority-keys',
    'check-expiration/check-expiration',
    'install/external-ca',
    'certificates/foreign-keys',
    'generate/generate',
    'install/install-formats',
    'certificates/negative-serial',
    'renew/renew',
    'renew/renew-keys',
  ],
  'child processes, signals, sockets and the lock': [
    'hooks/deploy-hook',
    'rollback/interrupted-change',
    'state/lock',
    'hooks/owed-hooks',
    'restart/renew-restart',
    'restart/restart',
    'restart/restart-failures',
  ],
  'what node:fs does': [
    'program/bad-input',
    'directories/hostile-directory',
    'directories/odd-names',
    'directories/other-file-systems',
    'owners/other-owners',
    'directories/planted-links',
    'directories/read-only',
    'state/state-place',
    'directories/swapped-directories',
    'directories/target-links',
    'check-expiration/textfile',
  ],
};
