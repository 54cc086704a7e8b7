import { InvalidArgumentError, Option } from 'commander';

export interface CompatOption {
  /** Of the kubeadm to be like: 1.MINOR; undefined: the newest. */
  readonly compat?: number;
}

export function compatOption(): Option {
  return new Option(
    '--compat <version>',
    'as kubeadm of this version makes it, such as 1.32 (default: the newest)',
  ).argParser((value: string) => {
    const [, minor] = /^v?1\.(\d{1,3})(?:\.\d+)?$/.exec(value) ?? [];
    if (minor === undefined) throw new InvalidArgumentError('use a Kubernetes version such as 1.32');
    return Number(minor);
  });
}
