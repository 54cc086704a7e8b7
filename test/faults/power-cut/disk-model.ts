import { basename, dirname, join } from 'node:path';
import type { DiskImage, ImageEntry, Ownership } from './disk-image.ts';
import type { FileOperation } from './file-operation.ts';

export interface FileContent extends Ownership {
  readonly data: Buffer;
}

export interface FileNode {
  readonly type: 'file';
  /** What the running system sees. */
  now: FileContent;
  /** As of the last fsync; of a file that never had one, as it was created. */
  flushed: FileContent;
}

export interface DirectoryNode extends Ownership {
  readonly type: 'directory';
  readonly now: Map<string, Node>;
  flushed: ReadonlyMap<string, Node>;
  /** What was done to its entries since its last fsync. */
  unflushed: EntryChange[];
}

type Node = FileNode | DirectoryNode;

/**
 * A creation, a removal (undefined) or a rename: two names that change together. Every journaling file system keeps a
 * rename in one piece.
 */
type EntryChange = readonly (readonly [name: string, node: Node | undefined])[];

/** What a power cut makes of everything that was not flushed. */
export interface Fate {
  /** The changes of its entries that had reached the disk, in their order. */
  readonly survivors: (directory: DirectoryNode) => readonly EntryChange[];
  readonly content: (file: FileNode) => FileContent;
}

/**
 * A disk as POSIX promises it: only fsync makes anything durable, a file's content and ownership with the file, its name
 * with the directory. What the system wrote back on its own in the meantime is left to a {@link Fate}.
 */
export class DiskModel {
  readonly #root: DirectoryNode;
  readonly #files = new Set<FileNode>();
  readonly #directories = new Set<DirectoryNode>();

  /** @param image all of it durable */
  constructor(image: DiskImage) {
    this.#root = this.#newDirectory({ mode: 0o755, ...us() });
    for (const [path, entry] of image) {
      const node = entry.type === 'file' ? this.#newFile(entry) : this.#newDirectory(entry);
      this.#directory(dirname(path)).now.set(basename(path), node);
    }
    for (const directory of this.#directories) flush(directory);
  }

  apply(operation: FileOperation): void {
    if (operation.kind === 'say') return;
    const { path } = operation;
    switch (operation.kind) {
      case 'create':
        this.#link(path, this.#newFile({ data: Buffer.alloc(0), mode: operation.mode, ...us() }));
        return;
      case 'open':
        if (!this.#directory(dirname(path)).now.has(basename(path)))
          this.apply({ ...operation, kind: 'create' });
        return;
      case 'truncate': {
        const file = this.#file(path);
        file.now = { ...file.now, data: file.now.data.subarray(0, operation.length) };
        return;
      }
      case 'mkdir':
        this.#link(path, this.#newDirectory({ mode: operation.mode, ...us() }));
        return;
      case 'unlink':
      case 'rmdir':
        change(this.#directory(dirname(path)), [[basename(path), undefined]]);
        return;
      case 'rename':
        this.#rename(path, operation.to);
        return;
      case 'link':
        this.#link(operation.to, this.#node(path));
        return;
      case 'fsync':
        flush(this.#node(path));
        return;
      case 'write': {
        const file = this.#file(path);
        file.now = { ...file.now, data: written(file.now.data, operation.data, operation.offset) };
        return;
      }
      case 'chmod': {
        const file = this.#file(path);
        file.now = { ...file.now, mode: operation.mode };
        return;
      }
      case 'chown': {
        const file = this.#file(path);
        file.now = { ...file.now, uid: operation.uid, gid: operation.gid };
        return;
      }
    }
  }

  /** The disk after a power cut at this moment. */
  image(fate: Fate): DiskImage {
    const image = new Map<string, ImageEntry>();
    const visit = (directory: DirectoryNode, path: string): void => {
      const entries = new Map(directory.flushed);
      for (const [name, node] of fate.survivors(directory).flat()) {
        if (node === undefined) entries.delete(name);
        else entries.set(name, node);
      }
      for (const [name, node] of entries) {
        const place = join(path, name);
        if (node.type === 'file') {
          image.set(place, { type: 'file', ...fate.content(node) });
        } else {
          const { type, mode, uid, gid } = node;
          image.set(place, { type, mode, uid, gid });
          visit(node, place);
        }
      }
    };
    visit(this.#root, '');
    return image;
  }

  unflushedDirectories(): DirectoryNode[] {
    return [...this.#directories].filter(({ unflushed }) => unflushed.length > 0);
  }

  unflushedFiles(): FileNode[] {
    return [...this.#files].filter(({ now, flushed }) => now !== flushed);
  }

  #newFile(content: FileContent): FileNode {
    const { data, mode, uid, gid } = content;
    const now = { data, mode, uid, gid };
    const file: FileNode = { type: 'file', now, flushed: now };
    this.#files.add(file);
    return file;
  }

  #newDirectory({ mode, uid, gid }: Ownership): DirectoryNode {
    const directory: DirectoryNode = {
      type: 'directory',
      mode,
      uid,
      gid,
      now: new Map(),
      flushed: new Map(),
      unflushed: [],
    };
    this.#directories.add(directory);
    return directory;
  }

  #link(path: string, node: Node): void {
    change(this.#directory(dirname(path)), [[basename(path), node]]);
  }

  #rename(path: string, to: string): void {
    // Between two directories it may tear, which is not modelled: nothing here does that.
    if (dirname(path) !== dirname(to)) throw new Error(`rename ${path} to ${to}: to another directory`);
    change(this.#directory(dirname(path)), [
      [basename(path), undefined],
      [basename(to), this.#node(path)],
    ]);
  }

  #node(path: string): Node {
    if (path === '' || path === '.') return this.#root;
    const node = this.#directory(dirname(path)).now.get(basename(path));
    if (node === undefined) throw new Error(`${path}: not there in the model`);
    return node;
  }

  #file(path: string): FileNode {
    const node = this.#node(path);
    if (node.type !== 'file') throw new Error(`${path}: a directory in the model`);
    return node;
  }

  #directory(path: string): DirectoryNode {
    const node = this.#node(path);
    if (node.type !== 'directory') throw new Error(`${path}: a file in the model`);
    return node;
  }
}

function flush(node: Node): void {
  if (node.type === 'file') {
    node.flushed = node.now;
    return;
  }
  node.flushed = new Map(node.now);
  node.unflushed = [];
}

function change(directory: DirectoryNode, entries: EntryChange): void {
  for (const [name, node] of entries) {
    if (node === undefined) directory.now.delete(name);
    else directory.now.set(name, node);
  }
  directory.unflushed.push(entries);
}

function written(old: Buffer, data: Buffer, offset: number): Buffer {
  const content = Buffer.alloc(Math.max(old.length, offset + data.length));
  old.copy(content);
  data.copy(content, offset);
  return content;
}

/** Whose new files and directories are: those of whoever runs the command. */
function us(): { readonly uid: number; readonly gid: number } {
  return { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
}
