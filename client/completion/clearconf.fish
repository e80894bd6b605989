# Completion of clearconf(1) for fish: the program itself says what there is.

function __clearconf_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] __complete -- $words[2..-1] 2>/dev/null)
    switch "$lines[1]"
        case ':files'
            __fish_complete_path (commandline -ct)
        case ':programs'
            __fish_complete_command
        case ':users'
            __fish_complete_users
        case ':words*'
            # What exec runs has a completion of its own.
            set -l from (math 1 + (string replace ':words ' '' -- $lines[1]))
            complete -C (string join -- ' ' $words[$from..-1])
        case '*'
            printf '%s\n' $lines
    end
end

complete -c clearconf -f -a '(__clearconf_complete)'
