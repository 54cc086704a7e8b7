/** What an executable has in it that others have written, with their licences. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @param inputs the files that were bundled, relative to the root
 * @throws Error for a package without a licence
 */
export function licenceNotice(root, inputs, bunVersion) {
  const directories = new Set(inputs.map(packageDirectory).filter((found) => found !== undefined));
  const parts = [...directories].sort().map((directory) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(root, directory, 'package.json'), 'utf8'),
    );
    const text = licenceText(join(root, directory));
    if (license === undefined && text === undefined) throw new Error(`${name} has no licence`);
    return `${heading(`${name} ${version} (${String(license)})`)}\n${text ?? `Its package holds no text of the licence.\n`}`;
  });
  const notice = readFileSync(new URL('runtime-notice.txt', import.meta.url), 'utf8');
  const runtime = `${heading(`Bun ${bunVersion} (MIT)`)}\n${notice.replace('@LIBRARIES@\n', () => `${libraries()}\n`)}`;
  return `What is bundled in this executable beside kubepki itself.\n\n${[runtime, ...parts].join('\n')}`;
}

function libraries() {
  const linked = JSON.parse(readFileSync(new URL('linked.json', import.meta.url), 'utf8'));
  return linked
    .flatMap(({ libraries, licence }) => libraries.map((name) => `  ${name.padEnd(44)} ${licence}\n`))
    .join('');
}

function heading(text) {
  return `${'='.repeat(72)}\n${text}\n${'='.repeat(72)}\n`;
}

function packageDirectory(path) {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

function licenceText(directory) {
  const files = readdirSync(directory).filter((name) => /^(?:licen[cs]e|copying|notice)/i.test(name));
  const texts = files.sort().map((name) => readFileSync(join(directory, name), 'utf8').trimEnd());
  return existsSync(directory) && texts.length > 0 ? `${texts.join('\n\n')}\n` : undefined;
}
