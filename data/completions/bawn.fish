# SPDX-License-Identifier: LGPL-2.1-or-later
# fish completion for bawn(1). The program itself knows what may follow, and says what it is for in the user's language.

function __bawn_words
    set -l before (commandline --cut-at-cursor --current-process --tokenize)
    set -l current (commandline --cut-at-cursor --current-token)
    command bawn __describe $before[2..] "$current" 2>/dev/null
end

# Where the program has nothing to offer, a file may stand.
complete --command bawn --no-files
complete --command bawn --condition 'not string length --quiet -- (__bawn_words)' --force-files
complete --command bawn --arguments '(__bawn_words)'

# Data from a file: @FILE and key=@FILE.
function __bawn_files
    set -l parts (string match --regex -- '^((?:[^=]*=)?@)(.*)$' (commandline --cut-at-cursor --current-token))
    or return
    for file in (__fish_complete_path $parts[3])
        string join -- "" $parts[2] $file
    end
end
complete --command bawn --arguments '(__bawn_files)'
