/** The units of the packages: what `kubepki systemd` prints, with the flags of the renewal in a file of the administrator's. */
import { readFileSync } from 'node:fs';
import { unitNames, unitText } from '../../src/render/systemd-units.ts';

const program = '/usr/bin/kubepki';

/** As `kubepki systemd --restart` has them on a node on which nothing is a symlink, whatever the machine that builds looks like. */
const settings = {
  renew: [program, 'certs', 'renew', 'all', '--quiet'],
  recover: [program, 'certs', 'recover', '--quiet'],
  certDir: '/etc/kubernetes/pki',
  // Of the metrics as well: where Debian's node exporter looks. systemd passes over what is not there.
  writable: ['/etc/kubernetes', '/var/lib/prometheus/node-exporter'],
  restarts: true,
  hook: false,
  privateTmp: true,
  calendar: 'daily',
  randomizedDelay: 4 * 60 * 60,
};

export const defaultsFile = '/etc/default/kubepki';
export const defaults = readFileSync(new URL('kubepki.default', import.meta.url), 'utf8');

/** @returns their texts by their names */
export function packagedUnits(): ReadonlyMap<string, string> {
  return new Map(unitNames.map((name) => [name, withFlagsFromFile(unitText(name, settings))]));
}

/** Without the file they are what the file begins with: `renew all` alone would renew everything, every day. */
function withFlagsFromFile(text: string): string {
  const flags = /^KUBEPKI_RENEW_FLAGS="(.*)"$/m.exec(defaults)?.[1];
  if (flags === undefined) throw new Error('kubepki.default sets no KUBEPKI_RENEW_FLAGS');
  return text.replace(
    /^(ExecStart=\S+ certs renew all) --quiet$/m,
    (_line, begin: string) =>
      `Environment="KUBEPKI_RENEW_FLAGS=${flags}"\nEnvironmentFile=-${defaultsFile}\n${begin} $KUBEPKI_RENEW_FLAGS --quiet`,
  );
}
