export const unitNames = ['kubepki-renew.service', 'kubepki-renew.timer', 'kubepki-recover.service'] as const;

export type UnitName = (typeof unitNames)[number];

export interface UnitSettings {
  /** The command lines, word by word. */
  readonly renew: readonly string[];
  readonly recover: readonly string[];
  /** Host path of the cert dir. */
  readonly certDir: string;
  /** The host paths that a renewal writes to, none of them within another one. */
  readonly writable: readonly string[];
  /** Whether pods are restarted, which alone needs the network. */
  readonly restarts: boolean;
  /** Whether a deploy hook runs, whose needs are not known. */
  readonly hook: boolean;
  /** False where one of the paths is in /tmp itself. */
  readonly privateTmp: boolean;
  /** The time of the timer, as in systemd.time(7). */
  readonly calendar: string;
  /** In seconds. */
  readonly randomizedDelay: number;
}

export function unitText(name: UnitName, settings: UnitSettings): string {
  switch (name) {
    case 'kubepki-renew.service':
      return renewService(settings);
    case 'kubepki-renew.timer':
      return renewTimer(settings);
    case 'kubepki-recover.service':
      return recoverService(settings);
  }
}

/** All of them, each behind its path, as `systemctl cat` shows them. */
export function allUnits(settings: UnitSettings): string {
  return unitNames.map((name) => `# /etc/systemd/system/${name}\n${unitText(name, settings)}`).join('\n');
}

function renewService(settings: UnitSettings): string {
  const { restarts, hook } = settings;
  return `[Unit]
Description=Renew the certificates of the Kubernetes control plane that are due
# What a power cut has left is brought to an end first.
After=local-fs.target time-sync.target kubepki-recover.service${restarts ? '\n# It is the kubelet that stops and starts the pods.\nAfter=kubelet.service network.target' : ''}

[Service]
Type=oneshot
ExecStart=${execWords(settings.renew)}
# However it ended, kill -9 and out of memory included: nothing stays half-done, no manifest away.
ExecStopPost=${execWords(settings.recover)}
# A renewal waits for pods; --stop-timeout and --start-timeout say how long.
TimeoutStartSec=infinity
# On SIGTERM the manifest that is away goes back at once.
KillMode=mixed
TimeoutStopSec=90s
UMask=0077
# Keys are in its memory: no core is written of it.
LimitCORE=0

${hook ? unrestricted : sandbox(settings, { network: restarts })}`;
}

function renewTimer({ calendar, randomizedDelay }: UnitSettings): string {
  return `[Unit]
Description=Renew the certificates of the Kubernetes control plane that are due

[Timer]
OnCalendar=${calendar}
# A run that was missed, the machine being off, is made up for.
Persistent=true
# Every node at a moment of its own, which stays the same (it comes from the machine id): an HA control plane does not move
# all at once. systemctl list-timers shows it.
RandomizedDelaySec=${String(randomizedDelay)}s
FixedRandomDelay=true

[Install]
WantedBy=timers.target
`;
}

function recoverService(settings: UnitSettings): string {
  return `[Unit]
Description=Bring a change of the control plane's certificates to an end that a power cut has interrupted
# A certificate of two, or a static pod's manifest that was away: in place before the kubelet looks.
After=local-fs.target
Before=kubelet.service
# Where it is a mount of its own, it is waited for.
RequiresMountsFor=${pathWord(settings.certDir)}
ConditionPathIsDirectory=${wholePath(settings.certDir)}

[Service]
Type=oneshot
ExecStart=${execWords(settings.recover)}
# Busy: another run is at work, and has begun with just this.
SuccessExitStatus=7
# Once after each boot, not whenever the kubelet is restarted.
RemainAfterExit=yes
# The kubelet waits no longer than these two together, and starts also when it failed: it only wants this unit.
TimeoutStartSec=100s
TimeoutStopSec=20s
UMask=0077
# Keys are in its memory: no core is written of it.
LimitCORE=0

${sandbox(settings, { network: false })}
[Install]
WantedBy=kubelet.service
`;
}

const unrestricted = `# No sandbox: the deploy hook runs in here, and what it needs is not known. Without --deploy-hook there is one.
`;

function sandbox({ writable, privateTmp }: UnitSettings, { network }: { readonly network: boolean }): string {
  return `# It needs these directories${network ? ' and the network, to ask the pods how they are' : ' and no network'}. A dash: it says itself what is not there.
ProtectSystem=strict
ReadWritePaths=${writable.map((path) => `-${pathWord(path)}`).join(' ')}
ProtectHome=read-only
${privateTmp ? 'PrivateTmp=yes\n' : ''}PrivateDevices=yes
${network ? 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6' : 'PrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX'}
# Files keep their owner and mode, whoever that is.
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER
NoNewPrivileges=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
# A call that is not among these fails, and kills nobody.
SystemCallErrorNumber=EPERM
# Not MemoryDenyWriteExecute: JavaScript is compiled as it runs.
`;
}

/** A command line for Exec…=, which systemd splits again into exactly these words: systemd.service(5), systemd.syntax(7). */
export function execWords([program = '', ...args]: readonly string[]): string {
  // systemd expands no variables in the program's own path.
  const words = [specifiers(program), ...args.map((word) => specifiers(word).replaceAll('$', '$$$$'))];
  return words.map(quoted).join(' ');
}

/** One path for a setting that takes a list of them. See {@link isExpressible}. */
function pathWord(path: string): string {
  const text = specifiers(path);
  return /\s/.test(text) ? `"${text}"` : text;
}

/** One path for a setting whose value ends with the line. */
function wholePath(path: string): string {
  return specifiers(path);
}

/**
 * Whether the settings that take paths can name it: they know no escape sequences, and which quotes they take differs from
 * one to the other and between releases.
 */
export function isExpressible(path: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return !/[\u0000-\u001f\u007f"'\\]|\s$/.test(path);
}

function specifiers(text: string): string {
  return text.replaceAll('%', '%%');
}

function quoted(word: string): string {
  // A semicolon alone would begin another command.
  if (/^[\w@$%+=:,./{}-]+$/.test(word)) return word;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  const escaped = word.replaceAll(/["\\]/g, '\\$&').replaceAll(/[\u0000-\u001f\u007f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}
