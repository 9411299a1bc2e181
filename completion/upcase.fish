# SPDX-License-Identifier: GPL-3.0-or-later
# fish completion for upcase(1), upcase-check(1), upcase-lab(1) and upcased(8). The programs themselves
# say what may follow; common/options.h has the form of their lines.

function __upcase_behind --argument-names before
    for name in $argv[2..]
        printf '%s\n' $before$name
    end
end

function __upcase_complete
    set -l given (commandline -opc)
    set -l last (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $given[1])
    # What stands before the value in "--save=fi".
    set -l before (string match -r '^--[^=]*=' -- $last)
    set -l value (string replace -- "$before" '' $last)
    for line in ($program --complete $given[2..] $last 2>/dev/null </dev/null)
        switch $line
            case \t'FILE:*' \t'PATH:*'
                __upcase_behind "$before" (__fish_complete_path $value)
            case \t'HOST:*'
                __upcase_behind "$before" (__fish_print_hostnames)
            case \t'COMMAND:*'
                __upcase_behind "$before" (complete -C "$value")
            case \t'command *'
                set -l first (math 2 + (string replace \t'command ' '' $line))
                complete -C (string join ' ' -- (string escape -- $given[$first..]) $last)
            case \t'*'
            case '*'
                echo $line
        end
    end
end

# Fish reads a copy of this file for each of the four.
for program in upcase upcase-check upcase-lab upcased
    complete -e -c $program
    complete -c $program -f -k -a '(__upcase_complete)'
end
