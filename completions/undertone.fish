# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_undertone_global_optspecs
    string join \n profile= passphrase-file= json h/help V/version
end

function __fish_undertone_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_undertone_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_undertone_using_subcommand
    set -l cmd (__fish_undertone_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c undertone -n "__fish_undertone_needs_command" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_needs_command" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_needs_command" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_needs_command" -s V -l version -d 'Print version'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "init" -d 'Make a profile and its keys'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "whoami" -d 'Who this profile is: name, identity fingerprint, devices, server and level'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "link" -d 'Make a contact link, alone on stdout, or list and revoke those made here'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "accept" -d 'Become a contact of whoever made a link'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "requests" -d 'Strangers who wrote to a reusable link. Nothing is answered before you accept'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "chats" -d 'All conversations, the newest first'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "send" -d 'Send a text; waits until the server holds it'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "read" -d 'Read a conversation, oldest message first. Shows what is on this device; `sync` fetches'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "watch" -d 'Show what happens, as it happens, one event per line, until interrupted'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "sync" -d 'Catch up once with all that has happened, and send what is queued'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "group" -d 'Groups and who is in them. Members and contacts are named by name or id'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "contact" -d 'What a contact is called here. A name given here stays, whatever they call themselves'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "verify" -d 'Compare the safety number with a contact, by voice or in person: it is the same on both sides unless somebody sits between you'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "server" -d 'The server that this profile uses'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "config" -d 'Show a setting, or give it a value'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "doctor" -d 'The health of the profile and of the way to its server: exit 0 also when something is wrong, `ok` says which'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "edit" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "delete" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "react" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "forward" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "timer" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "block" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "unblock" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "report" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "poll" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "vote" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "pin" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "unpin" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "mute" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "archive" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "mark" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "schedule" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "profile" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "save" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "search" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "notes" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "devices" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "export" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "verify-export" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "backup" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "restore" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "recovery-phrase" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "lock" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "passphrase" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "erase" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "account" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "open" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "rpc" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "serve" -d 'Run a server'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "admin" -d 'Look after a server\'s data folder'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c undertone -n "__fish_undertone_needs_command" -f -a "man" -d 'Print a manual page'
complete -c undertone -n "__fish_undertone_using_subcommand init" -l name -d 'The name that contacts see' -r
complete -c undertone -n "__fish_undertone_using_subcommand init" -l server -d 'The server\'s address with its fingerprint, as its operator tells it' -r
complete -c undertone -n "__fish_undertone_using_subcommand init" -l invite -d 'An admission code; not in this release' -r
complete -c undertone -n "__fish_undertone_using_subcommand init" -l phrase-file -d 'A file with the 24 words of an identity that exists already' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand init" -l proxy -d 'Reach the server through this proxy, and keep it in the profile' -r
complete -c undertone -n "__fish_undertone_using_subcommand init" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand init" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand init" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand init" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand whoami" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand whoami" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand whoami" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand whoami" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand link" -l expires -d 'When it ends' -r
complete -c undertone -n "__fish_undertone_using_subcommand link" -l revoke -d 'Make a link worthless' -r
complete -c undertone -n "__fish_undertone_using_subcommand link" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand link" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand link" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand link" -l reusable -d 'For many strangers, each of whom waits as a request'
complete -c undertone -n "__fish_undertone_using_subcommand link" -l list -d 'Links made here and their state'
complete -c undertone -n "__fish_undertone_using_subcommand link" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand link" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand accept" -l message -d 'The first message, shown to the other side with the request' -r
complete -c undertone -n "__fish_undertone_using_subcommand accept" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand accept" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand accept" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand accept" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand accept" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and not __fish_seen_subcommand_from accept decline" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand requests; and not __fish_seen_subcommand_from accept decline" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand requests; and not __fish_seen_subcommand_from accept decline" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and not __fish_seen_subcommand_from accept decline" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and not __fish_seen_subcommand_from accept decline" -f -a "accept" -d 'Let a stranger in; they become a contact'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and not __fish_seen_subcommand_from accept decline" -f -a "decline" -d 'Forget a request; they are told nothing'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from accept" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from accept" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from accept" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from accept" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from decline" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from decline" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from decline" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from decline" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand requests; and __fish_seen_subcommand_from decline" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand chats" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand chats" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand chats" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand chats" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand send" -l file -d 'Send a file; not in this release' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand send" -l reply -d 'Answer a message; not in this release' -r
complete -c undertone -n "__fish_undertone_using_subcommand send" -l timer -d 'Let the message vanish; not in this release' -r
complete -c undertone -n "__fish_undertone_using_subcommand send" -l id -d 'Your own key for this message: the same key again sends nothing twice' -r
complete -c undertone -n "__fish_undertone_using_subcommand send" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand send" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand send" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand send" -l no-wait -d 'Return as soon as the message is queued on disk'
complete -c undertone -n "__fish_undertone_using_subcommand send" -l anyway -d 'Send although people have joined since it was written; with `--id` alone, release a message that waits for that'
complete -c undertone -n "__fish_undertone_using_subcommand send" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand read" -l limit -d 'At most so many, the newest' -r
complete -c undertone -n "__fish_undertone_using_subcommand read" -l before -d 'Only what stands before this message' -r
complete -c undertone -n "__fish_undertone_using_subcommand read" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand read" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand read" -l mark -d 'Mark what is shown as read'
complete -c undertone -n "__fish_undertone_using_subcommand read" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand read" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand watch" -l since -d 'Begin after this event instead of now' -r
complete -c undertone -n "__fish_undertone_using_subcommand watch" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand watch" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand watch" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand watch" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand sync" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand sync" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand sync" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand sync" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand sync" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "create" -d 'Make a group with these contacts; up to 250 devices'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "add" -d 'Invite contacts; who has not come in for seven days is invited anew'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "remove" -d 'Remove members; they can read nothing that is written afterwards'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "leave" -d 'Leave a group'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "rename" -d 'Give a group another name, for everybody'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "members" -d 'Who is in a conversation'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "role" -d 'Give a member a role'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "policy" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "link" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "approve" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_using_subcommand group; and not __fish_seen_subcommand_from create add remove leave rename members role policy link approve ban" -f -a "ban" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from create" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from create" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from create" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from create" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from add" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from add" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from add" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from add" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from remove" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from remove" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from remove" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from remove" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from leave" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from leave" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from leave" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from leave" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from leave" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from rename" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from rename" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from rename" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from rename" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from members" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from members" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from members" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from members" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from members" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from role" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from role" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from role" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from role" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from role" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from policy" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from policy" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from policy" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from policy" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from link" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from link" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from link" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from link" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from approve" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from approve" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from approve" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from approve" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from ban" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from ban" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from ban" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand group; and __fish_seen_subcommand_from ban" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand contact; and not __fish_seen_subcommand_from rename delete" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand contact; and not __fish_seen_subcommand_from rename delete" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand contact; and not __fish_seen_subcommand_from rename delete" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand contact; and not __fish_seen_subcommand_from rename delete" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand contact; and not __fish_seen_subcommand_from rename delete" -f -a "rename" -d 'Name a contact as you like; only you see it'
complete -c undertone -n "__fish_undertone_using_subcommand contact; and not __fish_seen_subcommand_from rename delete" -f -a "delete" -d 'Not in this release'
complete -c undertone -n "__fish_undertone_using_subcommand contact; and __fish_seen_subcommand_from rename" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand contact; and __fish_seen_subcommand_from rename" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand contact; and __fish_seen_subcommand_from rename" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand contact; and __fish_seen_subcommand_from rename" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand contact; and __fish_seen_subcommand_from delete" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand contact; and __fish_seen_subcommand_from delete" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand contact; and __fish_seen_subcommand_from delete" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand verify" -l code -d 'The number that the other side sees; marks the contact if it is the same' -r
complete -c undertone -n "__fish_undertone_using_subcommand verify" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand verify" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand verify" -l confirm -d 'The numbers have been compared: mark the contact as verified'
complete -c undertone -n "__fish_undertone_using_subcommand verify" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand verify" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand server; and not __fish_seen_subcommand_from set-address" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand server; and not __fish_seen_subcommand_from set-address" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand server; and not __fish_seen_subcommand_from set-address" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand server; and not __fish_seen_subcommand_from set-address" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand server; and not __fish_seen_subcommand_from set-address" -f -a "set-address" -d 'Reach the same server under another address; another server is refused. A running `watch` uses it after its next start'
complete -c undertone -n "__fish_undertone_using_subcommand server; and __fish_seen_subcommand_from set-address" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand server; and __fish_seen_subcommand_from set-address" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand server; and __fish_seen_subcommand_from set-address" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand server; and __fish_seen_subcommand_from set-address" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand config" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand config" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand config" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -l restart -d 'Begin a group anew that goes on no more: for its owners. Name, roles and members stay, and the chat goes on' -r
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -l without -d 'With `--restart`: a member who does not come along' -r
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -l timeout -d 'Give up waiting after so long (`30`, `0.5`, `2m`); exit 9, or 5 without a connection' -r
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -l new-device -d 'Become a new device of the same person, after this profile was copied or put back from an older copy. Contacts are asked by themselves to begin anew; groups come back when a member lets this device in; links made here end. What had not gone out is shown as failed. Another copy of the profile must not be used again'
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand edit" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand edit" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand edit" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand delete" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand delete" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand delete" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand react" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand react" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand react" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand forward" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand forward" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand forward" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand timer" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand timer" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand timer" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand block" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand block" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand block" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand unblock" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand unblock" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand unblock" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand report" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand report" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand report" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand poll" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand poll" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand poll" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand vote" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand vote" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand vote" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand pin" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand pin" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand pin" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand unpin" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand unpin" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand unpin" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand mute" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand mute" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand mute" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand archive" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand archive" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand archive" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand mark" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand mark" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand mark" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand schedule" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand schedule" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand schedule" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand profile" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand profile" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand profile" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand save" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand save" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand save" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand search" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand search" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand search" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand notes" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand notes" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand notes" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand devices" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand devices" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand devices" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand export" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand export" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand export" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand verify-export" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand verify-export" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand verify-export" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand backup" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand backup" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand backup" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand restore" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand restore" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand restore" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand recovery-phrase" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand recovery-phrase" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand recovery-phrase" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand lock" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand lock" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand lock" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand passphrase" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand passphrase" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand passphrase" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand erase" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand erase" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand erase" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand account" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand account" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand account" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand open" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand open" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand open" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand rpc" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand rpc" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand rpc" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand serve" -l data -d 'The server\'s folder; made at the first start' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand serve" -l listen -d 'Where to listen; port 0 picks one [default: 127.0.0.1:7443]' -r
complete -c undertone -n "__fish_undertone_using_subcommand serve" -l policy -d 'Who may write; only `open` is in this release' -r -f -a "open\t'Everybody who reaches the server'
invite\t'Holders of an invitation'
closed\t'Those admitted before'"
complete -c undertone -n "__fish_undertone_using_subcommand serve" -l config -d 'A settings file in TOML' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand serve" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand serve" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand serve" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -l data -d 'The server\'s folder' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -f -a "status" -d 'What the server is and how much it holds'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -f -a "holds" -d 'Everything that the server holds, field by field'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -f -a "invite" -d 'Make admission codes; not in this release'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -f -a "revoke" -d 'Revoke an admission; not in this release'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -f -a "backup" -d 'Copy the folder while the server runs'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -f -a "check" -d 'Verify the log of heads against the cells; exit 8 when something is wrong'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and not __fish_seen_subcommand_from status holds invite revoke backup check rotate-key" -f -a "rotate-key" -d 'Name a new signing key by the old one'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from status" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from status" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from status" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from holds" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from holds" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from holds" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from holds" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from invite" -l count -d 'How many' -r
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from invite" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from invite" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from invite" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from invite" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from revoke" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from backup" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from backup" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from backup" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from check" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from check" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from check" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from rotate-key" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from rotate-key" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from rotate-key" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand admin; and __fish_seen_subcommand_from rotate-key" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand completions" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand completions" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand completions" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand completions" -s h -l help -d 'Print help'
complete -c undertone -n "__fish_undertone_using_subcommand man" -l profile -d 'The folder of one person\'s device [default: in the platform\'s data folder]' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand man" -l passphrase-file -d 'A file whose first line is the passphrase; without it the passphrase is asked for' -r -F
complete -c undertone -n "__fish_undertone_using_subcommand man" -l json -d 'Print exactly one JSON object (for `watch`: one per line) on stdout and nothing else'
complete -c undertone -n "__fish_undertone_using_subcommand man" -s h -l help -d 'Print help'
