import { Header } from 'tar/header';
import { KubepkiError } from '../errors/error.ts';

/** A file in an archive. */
export interface ArchivedFile {
  readonly name: string;
  readonly content: Buffer;
  /** Others than the owner may read it. */
  readonly isPublic: boolean;
}

// POSIX.1-2017, pax, ustar interchange format.
const block = 512;
/** What tar writes at a time by default (20 blocks); the last one is filled up with zeros. */
const record = 20 * block;

/** A tar archive, the same for the same files. */
export function packFiles(files: readonly ArchivedFile[], mtime: Date): Buffer {
  const blocks = files.flatMap(({ name, content, isPublic }) => {
    const header = Buffer.alloc(block);
    const needsMore = new Header({
      path: name,
      mode: isPublic ? 0o644 : 0o600,
      uid: 0,
      gid: 0,
      uname: 'root',
      gname: 'root',
      size: content.length,
      mtime,
      type: 'File',
    }).encode(header);
    if (needsMore) throw new TypeError('a file that does not fit the header of a tar archive');
    return [header, content, Buffer.alloc(padding(content.length, block))];
  });
  const length = blocks.reduce((sum, { length: each }) => sum + each, 0);
  // Two blocks of zeros are the end.
  const end = 2 * block;
  return Buffer.concat([...blocks, Buffer.alloc(end + padding(length + end, record))]);
}

/**
 * Takes an archive apart as far as {@link packFiles} makes it: plain files, and nothing behind the end. Its bytes may be a stranger's.
 * @throws KubepkiError bad-transfer
 */
export function unpackFiles(archive: Buffer, mostFiles: number): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  for (let offset = 0; offset + block <= archive.length;) {
    const header = headerAt(archive, offset);
    if (header.nullBlock) return files;
    if (!header.cksumValid) throw noArchive('is no tar archive, or is damaged');
    const { path = '', type, size = -1, mode } = header;
    if (type !== 'File') throw noArchive(`holds something else than files (${JSON.stringify(path)})`);
    const begin = offset + block;
    if (size < 0 || begin + size > archive.length) throw noArchive('is cut off');
    if (files.length === mostFiles) throw noArchive('holds more files than a rotation has');
    const content = archive.subarray(begin, begin + size);
    files.push({ name: path, content, isPublic: mode === 0o644 });
    offset = begin + size + padding(size, block);
  }
  throw noArchive('is cut off, or no tar archive');
}

/** Whether it looks like an archive at all: `ustar` stands at its place in the first header. */
export function isArchive(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar';
}

export function noArchive(problem: string): KubepkiError {
  return new KubepkiError('bad-transfer', problem, {
    hint: 'carry the file of "kubepki ca rotate export" over once more, as it is',
  });
}

function headerAt(archive: Buffer, offset: number): Header {
  try {
    return new Header(archive, offset);
  } catch {
    throw noArchive('is no tar archive, or is damaged');
  }
}

function padding(length: number, unit: number): number {
  return (unit - (length % unit)) % unit;
}
