/** A package for rpm. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completionScripts } from '../../src/render/completion.ts';
import { commonFiles, description, layOut, maintainer, type Release, revision, summary } from './files.mts';
import { runTool } from './tool.mts';

const architectures = { x64: 'x86_64', arm64: 'aarch64' };

/** @returns path of the package */
export function buildRpm(release: Release, machine: keyof typeof architectures): string {
  const { root, dist, scratch, epoch, version } = release;
  const architecture = architectures[machine];
  const licences = '/usr/share/licenses/kubepki';
  const files = commonFiles(release, join(dist, `kubepki-linux-${machine}`))
    .set('/usr/share/zsh/site-functions/_kubepki', completionScripts.zsh)
    .set('/usr/share/doc/kubepki/CHANGELOG.md', { file: join(root, 'CHANGELOG.md') })
    .set(`${licences}/LICENSE`, { file: join(root, 'LICENSE') })
    .set(`${licences}/THIRD-PARTY-NOTICES`, { file: join(dist, 'THIRD-PARTY-NOTICES') });
  const top = join(scratch, architecture);
  const tree = join(top, 'tree');
  layOut(release, tree, files);
  const spec = join(top, 'kubepki.spec');
  writeFileSync(spec, specText(release, tree));
  const macros = {
    _topdir: top,
    _tmppath: top,
    _dbpath: join(top, 'db'),
    // As it is: brp-strip would take the program out of the executable.
    __os_install_post: '%{nil}',
    debug_package: '%{nil}',
    _build_id_links: 'none',
    // -0: see bin/README.md.
    _binary_payload: 'w0.xzdio',
    _binary_filedigest_algorithm: '8',
    _buildhost: 'localhost',
    use_source_date_epoch_as_buildtime: '1',
    clamp_mtime_to_source_date_epoch: '1',
    source_date_epoch_from_changelog: '0',
    // Those of Debian's rpm are not those of the machines that install it.
    _docdir: '/usr/share/doc',
    _defaultlicensedir: '/usr/share/licenses',
  };
  const defined = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  const args = ['-bb', '--quiet', '--nodeps', '--target', `${architecture}-linux`, ...defined, spec];
  runTool('rpmbuild', args, { epoch, home: scratch });
  const name = `kubepki-${version}-${revision}.${architecture}.rpm`;
  renameSync(join(top, 'RPMS', architecture, name), join(scratch, name));
  rmSync(top, { recursive: true });
  return join(scratch, name);
}

/** @returns the executable that is in a package */
export function executableOfRpm({ epoch, scratch }: Release, file: string): Buffer {
  const archive = runTool('rpm2cpio', [file], { epoch, home: scratch });
  const args = ['--extract', '--quiet', '--to-stdout', './usr/bin/kubepki'];
  return runTool('cpio', args, { epoch, home: scratch, input: archive });
}

function specText({ version, epoch }: Release, tree: string): string {
  // Thu, 01 Jan 1970 … as Thu Jan 01 1970
  const [day = '', date = '', month = '', year = ''] = new Date(epoch * 1000).toUTCString().split(/,? /);
  const values: Readonly<Record<string, string>> = {
    VERSION: version,
    REVISION: revision,
    SUMMARY: summary.replace(/^./, (letter) => letter.toUpperCase()),
    MAINTAINER: maintainer,
    DESCRIPTION: description.join('\n'),
    TREE: tree,
    DATE: [day, month, date, year].join(' '),
  };
  const spec = readFileSync(new URL('rpm/kubepki.spec', import.meta.url), 'utf8');
  return spec.replaceAll(/@([A-Z]+)@/g, (_whole, name: string) => values[name] ?? '');
}
