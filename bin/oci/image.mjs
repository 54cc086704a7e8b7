/** An image in an OCI layout, by umoci; the same files and times give the same digests. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';

export function makeLayout(layout) {
  umoci('init', '--layout', layout);
}

/**
 * @param tag of the image in the layout
 * @param directory its root
 * @param time seconds since 1970
 */
export function addImage(layout, tag, { directory, architecture, time, labels }) {
  const image = `${layout}:${tag}`;
  const created = new Date(time * 1000).toISOString().replace('.000Z', 'Z');
  const archive = `${directory}.tar`;
  // Names, owners, modes and times that no build machine has a say in.
  const normal = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
  execFileSync('tar', [
    '-c',
    '-f',
    archive,
    '--format=gnu',
    ...normal,
    `--mtime=@${time}`,
    '-C',
    directory,
    '.',
  ]);

  umoci('new', '--image', image);
  umoci('raw', 'add-layer', '--image', image, '--history.created', created, archive);
  rmSync(archive);
  umoci(
    ...['config', '--image', image, '--no-history', '--created', created],
    ...['--os', 'linux', '--architecture', architecture],
    ...[
      '--config.entrypoint',
      '/usr/bin/kubepki',
      '--config.env',
      'PATH=/usr/bin',
      '--config.workingdir',
      '/',
    ],
    // Keys and kubeconfigs of a node are root's, and nobody else may read them.
    ...['--config.user', '0:0'],
    ...Object.entries(labels).flatMap(([name, value]) => ['--config.label', `${name}=${value}`]),
  );
  // What the steps before the last one have left.
  umoci('gc', '--layout', layout);
}

function umoci(...words) {
  execFileSync('umoci', words, { stdio: ['ignore', 'ignore', 'inherit'] });
}
