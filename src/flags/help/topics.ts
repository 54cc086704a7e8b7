/** The pages of `kubepki help`, which `npm run man` puts into pages.json, in the order of the list: docs/NAME.md, but for {@link pageOf}. */
export const topicNames = [
  'verification',
  'check',
  'renew',
  'restarts',
  'undo',
  'exit-codes',
  'files',
  'external-ca',
  'certificates-api',
  'generate',
  'configuration',
  'timer',
  'hooks',
  'monitoring',
  'json',
  'kubelet-serving',
  'cas',
  'service-account-key',
  'kubeadm',
] as const;

export type TopicName = (typeof topicNames)[number];

/** The name of a topic's file in docs/. `ca` is a command, whose help `kubepki help ca` shows. */
export function pageOf(name: TopicName): string {
  return name === 'cas' ? 'ca' : name;
}

/** Commands of a group, by the page that is about them: `kubepki help rollback`. */
export const otherNames: Readonly<Record<string, TopicName>> = {
  'check-expiration': 'check',
  rollback: 'undo',
  history: 'undo',
  recover: 'undo',
  install: 'external-ca',
  'generate-csr': 'generate',
  'certificate-key': 'generate',
};

/** @returns undefined for a word that no page has as its name */
export function topicOf(word: string): TopicName | undefined {
  return (
    topicNames.find((name) => name === word) ??
    (Object.hasOwn(otherNames, word) ? otherNames[word] : undefined)
  );
}
