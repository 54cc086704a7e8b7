import type { FileSystemRoot } from '../../filesystem/root.ts';
import { readKubeletConfig } from '../../inventory/kubelet/kubelet-config.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** Why nothing is pending, where that can be told: the kubelet of this node does not ask for a serving certificate. */
export function noteBootstrap(root: FileSystemRoot, terminal: Terminal): void {
  const config = readKubeletConfig(root);
  // Without a kubelet nothing is said: the operator looks at the cluster from another machine.
  if (config.status === 'missing') return;
  if (config.status === 'unreadable') {
    terminal.note(
      `whether this node's kubelet asks for a serving certificate is not known: ${config.error.oneLine}`,
    );
    return;
  }
  const { path, serverTLSBootstrap } = config.value;
  if (serverTLSBootstrap.isOn) return;
  const { saidBy } = serverTLSBootstrap;
  const none = "this node's kubelet asks for no serving certificate";
  const next =
    'in the ConfigMap kubelet-config of kube-system for nodes to come, then: systemctl restart kubelet';
  if (saidBy.kind === 'flag') {
    terminal.note(`${none}: its flag ${saidBy.flag} says so`);
    terminal.hint(`take the flag away, set serverTLSBootstrap: true in ${path}, and ${next}`);
    return;
  }
  const isDropIn = saidBy.kind === 'file' && saidBy.path !== path;
  terminal.note(
    isDropIn
      ? `${none}: ${saidBy.path} says serverTLSBootstrap: false`
      : `${none}: ${path} lacks serverTLSBootstrap`,
  );
  terminal.hint(`set serverTLSBootstrap: true there, and ${next}`);
}
