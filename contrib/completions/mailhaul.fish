# SPDX-License-Identifier: MIT
# mailhaul.fish - completion of commands, options and account names for fish.

function __mailhaul_accounts
    set -l base $HOME/.config
    set -q XDG_CONFIG_HOME; and set base $XDG_CONFIG_HOME
    set -l files $base/mailhaul/mailhaul.conf $base/mailhaul/accounts.d/*.conf
    sed -n 's/^[[:space:]]*account[[:space:]]*"\([^"]*\)".*/\1/p' $files 2>/dev/null
end

set -l commands fetch daemon check folders status reload stop login quarantine
complete -c mailhaul -f
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a fetch -d 'One pass over the accounts, then exit'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a daemon -d 'Stay in the foreground and keep fetching'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a check -d 'Read the configuration and say what is wrong'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a folders -d 'The folders of an IMAP account'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a status -d 'What the daemon does, and the last result of each account'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a reload -d 'The daemon reads its configuration again'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a stop -d 'The daemon ends'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a login -d 'OAuth 2.0 authorization of an account'
complete -c mailhaul -n "not __fish_seen_subcommand_from $commands" -a quarantine -d 'Messages set aside after repeated failure'
complete -c mailhaul -n "__fish_seen_subcommand_from quarantine; and not __fish_seen_subcommand_from list retry drop" -a "list retry drop"
complete -c mailhaul -a "(__mailhaul_accounts)" -d 'Account'
complete -c mailhaul -s c -l config -r -F -d 'Read this configuration'
complete -c mailhaul -s v -l verbose -d 'Say more; twice for the lines of the protocol'
complete -c mailhaul -s q -l quiet -d 'Errors alone'
complete -c mailhaul -s n -l dry-run -d 'Connect and say what would be done; change nothing'
complete -c mailhaul -l json -d 'One JSON object a line on standard output'
complete -c mailhaul -l oversize -d 'fetch: also bring what max_size passed over'
complete -c mailhaul -l connect -d 'check: also connect and log in'
complete -c mailhaul -l adopt -d 'check: bind the Maildirs anew'
complete -c mailhaul -l watch -d 'status: again every second'
complete -c mailhaul -l prometheus -d 'status: in the Prometheus text format'
complete -c mailhaul -l device -d 'login: confirmed on another device, for a machine without a browser'
complete -c mailhaul -s h -l help -d 'Print a short summary'
complete -c mailhaul -s V -l version -d 'Print version, libraries and features'
