import {
  certificates,
  kubeletKubeconfig,
  restartOrder,
  type CertificateSpec,
  type Component,
} from '../../catalog/catalog.ts';
import { initSpecs, type InitSpec } from '../../catalog/init-order.ts';
import { plainSpelling, similarWords } from './similar-words.ts';

/**
 * What a word that is no name of its kind may have been written for.
 *
 * - `names`: these, together
 * - `one-of`: one of these, and which cannot be told
 * - `component`: the component, and so the certificates that it uses
 * - `authority`, `key-pair`, `kubelet`: something that there is, and that the command is not for
 */
export type Meant =
  | { readonly kind: 'names' | 'one-of'; readonly names: readonly string[] }
  | { readonly kind: 'component'; readonly component: Component; readonly names: readonly string[] }
  | OutOfReach;

export interface OutOfReach {
  readonly kind: 'authority' | 'key-pair' | 'kubelet';
  readonly name: string;
}

/** @param allowed the names that the command takes, `all` and the like among them */
export function meantCertificate(word: string, allowed: readonly string[]): Meant | undefined {
  const spec = specOf(word);
  if (spec !== undefined) {
    if (allowed.includes(spec.name)) return { kind: 'names', names: [spec.name] };
    if (spec.kind === 'ca') return { kind: 'authority', name: spec.name };
    if (spec.kind === 'service-account') return { kind: 'key-pair', name: spec.name };
    return { kind: 'kubelet', name: spec.name };
  }
  // /var/lib/kubelet/pki has kubelet.crt, kubelet-client-current.pem and kubelet-server-current.pem.
  if (lastPart(word).startsWith('kubelet-client-') && allowed.includes(kubeletKubeconfig.name)) {
    return { kind: 'names', names: [kubeletKubeconfig.name] };
  }
  if (/^kubelet(?:-|$)/.test(lastPart(word))) return { kind: 'kubelet', name: kubeletKubeconfig.name };
  const component = componentOf(word);
  if (component !== undefined) {
    return { kind: 'component', component, names: usedBy(component).map(({ name }) => name) };
  }
  return likely(similarWords(word, allowed));
}

/** The component, or those that use the certificate of that name. */
export function meantComponent(word: string): Meant | undefined {
  if (plainSpelling(word) === 'all') return { kind: 'names', names: [] };
  const component = componentOf(word);
  if (component !== undefined) return { kind: 'names', names: [component] };
  const spec = specOf(word);
  if (spec?.kind === 'leaf' || (spec?.kind === 'kubeconfig' && spec.components.length > 0)) {
    return { kind: 'names', names: spec.components };
  }
  if (/^kubelet(?:\.conf|-|$)/.test(lastPart(word))) return { kind: 'kubelet', name: 'kubelet' };
  return likely(
    similarWords(
      word,
      restartOrder.flatMap((one) => [one, shortName(one)]),
    ).map((name) => restartOrder.find((one) => one === name || shortName(one) === name) ?? name),
  );
}

function likely(names: readonly string[]): Meant | undefined {
  const [first, ...others] = new Set(names);
  if (first === undefined) return undefined;
  return { kind: others.length === 0 ? 'names' : 'one-of', names: [first, ...others] };
}

/** `/etc/kubernetes/pki/etcd/server.crt`, `etcd/server`, `server.key`, `etcd_server`, `admin`: by any name of its own. */
function specOf(word: string): InitSpec | undefined {
  const parts = word.split('/').filter((part) => part !== '');
  // A directory may come first: etcd/ca is another one than ca.
  for (const count of [2, 1]) {
    const spelling = plainSpelling(withoutExtension(parts.slice(-count).join('/')));
    const found = initSpecs.find((spec) => spellingsOf(spec).includes(spelling));
    if (found !== undefined) return found;
  }
  return undefined;
}

function spellingsOf(spec: InitSpec): readonly string[] {
  switch (spec.kind) {
    case 'ca':
      return [spec.name, spec.baseName].map(plainSpelling);
    case 'leaf':
      return [spec.name, spec.baseName, lastPart(spec.baseName)].map(plainSpelling);
    case 'kubeconfig':
      return [spec.name, spec.name.replace(/\.conf$/, '')].map(plainSpelling);
    case 'service-account':
      return [spec.name, 'service-account'].map(plainSpelling);
  }
}

function withoutExtension(file: string): string {
  return file.replace(/(?:\.(?:crt|key|csr|pem|cer|pub))?(?:\.new)?$/i, '');
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function componentOf(word: string): Component | undefined {
  const spelling = plainSpelling(lastPart(word).replace(/\.ya?ml$/, ''));
  return restartOrder.find((one) => [one, shortName(one)].map(plainSpelling).includes(spelling));
}

function shortName(component: Component): string {
  return component.replace(/^kube-/, '');
}

function usedBy(component: Component): readonly CertificateSpec[] {
  return certificates.filter(({ components }) => components.includes(component));
}
