# Completion of clearconfd(8) for fish, from what its --help says.

function __clearconfd_complete
    set -l words (commandline -opc)
    set -l help ($words[1] --help 2>/dev/null)
    # What the option before the cursor takes: FILE, PATH, DIR, NAME, a|b.
    set -l takes (string replace -rf -- "^  $words[-1] ([A-Za-z|]+)( .*)?\$" '$1' $help)
    switch "$takes"
        case '*|*'
            string split '|' -- $takes
        case NAME
        case '*'
            if test -z "$takes"; and string match -q -- '-*' (commandline -ct)
                string match -ar -- '--[a-z-]+' (string match -r -- '^  --.*' $help)
            else
                __fish_complete_path (commandline -ct)
            end
    end
end

complete -c clearconfd -f -a '(__clearconfd_complete)'
