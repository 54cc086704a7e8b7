/** For fish 3.0 and later. */
export const fishCompletion = `# Completion of kubepki for fish. Made by "kubepki completion fish".

# What may stand at the end of the line is asked of the kubepki that begins it. Nothing that was typed is evaluated.
# Fails where fish is to offer files.
function __kubepki_ask
    set -g __kubepki_found
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program (command -s -- (string replace -r '^~/' $HOME/ -- $words[1])); or return 0
    set -l lines (command $program __complete $words[2..-1] "$current" </dev/null 2>/dev/null)
    switch "$lines[-1]"
        case :words
            set -g __kubepki_found $lines[1..-2]
        case :directories
            set -g __kubepki_found (__fish_complete_directories "$current")
        case :files
            return 1
    end
    return 0
end

complete -c kubepki -n __kubepki_ask -f -k -a '$__kubepki_found'
`;
