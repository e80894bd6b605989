# Completion of clearconf(1) for bash.
#
# Commands, options and formats come from the program's own --help, so that
# they cannot differ from it; paths and workspaces come from the daemon, when
# there is one that answers within a second. Nothing here asks the network.

# The program as it was typed, with the global options that lead to a daemon.
_clearconf_ask() {
	"${_clearconf_program[@]}" --timeout 1 "$@" 2>/dev/null
}

_clearconf_commands() {
	"${_clearconf_program[0]}" --help 2>/dev/null |
		sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# $1: a command, or nothing for the global options.
_clearconf_options() {
	"${_clearconf_program[0]}" ${1:+"$1"} --help 2>/dev/null |
		sed -n 's/^  \(-.,\|   \) \(--[a-z-]*\).*/\2/p'
}

_clearconf_formats() {
	"${_clearconf_program[0]}" get --help 2>/dev/null |
		sed -n 's/^  -f, --format FORMAT *//p' | tr -d ,
}

# Whether option $2 of command $1 takes an argument.
_clearconf_takes() {
	"${_clearconf_program[0]}" ${1:+"$1"} --help 2>/dev/null |
		grep -q -e "^  \(-.,\|   \) $2 [A-Z]"
}

# Paths below what is typed, as far as the next key: sdk.a -> sdk.aws.
# Keys that the shell would want quoted are left to the user.
_clearconf_paths() {
	_clearconf_ask get --mask --format properties |
		sed -n 's/^\([^ "\\]*\) = .*/\1/p' |
		awk -v typed="$1" '
			index($0, typed) == 1 {
				rest = substr($0, length(typed) + 1)
				dot = index(rest, ".")
				if (dot)
					rest = substr(rest, 1, dot)
				if (!seen[rest]++)
					print typed rest
			}'
}

_clearconf_workspaces() {
	_clearconf_ask workspace list | awk 'NR > 1 { print $2 }'
}

# One answer that ends in a dot is not the end of the word.
_clearconf_reply() {
	local IFS=$'\n'
	COMPREPLY=($(compgen -W "$1" -- "$2"))
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[.:] ]]; then
		compopt -o nospace 2>/dev/null
	fi
	return 0
}

# Look through the words before the cursor: the command and where it stands,
# the word after it, and what leads to the daemon.
_clearconf_scan() {
	local i word
	_clearconf_program=("${COMP_WORDS[0]}")
	_clearconf_command= _clearconf_at=0 _clearconf_verb= _clearconf_words=0
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--)
			_clearconf_words=$((_clearconf_words + 1))
			;;
		--socket | --workspace | -s | -w)
			[[ ${COMP_WORDS[i + 1]} == = ]] && i=$((i + 1))
			i=$((i + 1))
			((i < COMP_CWORD)) &&
				_clearconf_program+=("$word" "${COMP_WORDS[i]}")
			;;
		-*)
			if _clearconf_takes "$_clearconf_command" "$word"; then
				[[ ${COMP_WORDS[i + 1]} == = ]] && i=$((i + 1))
				i=$((i + 1))
			fi
			;;
		*)
			if [[ -z $_clearconf_command ]]; then
				_clearconf_command=$word
			else
				[[ -n $_clearconf_verb ]] || _clearconf_verb=$word
				_clearconf_words=$((_clearconf_words + 1))
				[[ $_clearconf_at -gt 0 ]] || _clearconf_at=$i
			fi
			;;
		esac
	done
}

# The argument of option $1.
_clearconf_argument() {
	case $1 in
	--format | -f) _clearconf_reply "$(_clearconf_formats | tr ' ' '\n')" "$2" ;;
	--workspace | -w) _clearconf_reply "$(_clearconf_workspaces)" "$2" ;;
	--on-change | -c) _clearconf_reply $'restart\nidle\nnone\nsignal:' "$2" ;;
	--only) _clearconf_reply "$(_clearconf_paths "$2")" "$2" ;;
	--socket | -s | --output | -o) COMPREPLY=($(compgen -f -- "$2")) ;;
	--vaults) _clearconf_reply $'merged\nlive' "$2" ;;
	--exec | -x | --idle) COMPREPLY=($(compgen -c -- "$2")) ;;
	--owner) COMPREPLY=($(compgen -u -- "$2")) ;;
	*) return 1 ;;
	esac
	return 0
}

# A word of command $1 that is no option.
_clearconf_word() {
	case $1 in
	get | dump | explain | watch) _clearconf_reply "$(_clearconf_paths "$2")" "$2" ;;
	workspace)
		if [[ $_clearconf_verb == use ]]; then
			_clearconf_reply "$(_clearconf_workspaces)" "$2"
		elif [[ -z $_clearconf_verb ]]; then
			_clearconf_reply $'list\nuse' "$2"
		fi
		;;
	credentials)
		[[ -n $_clearconf_verb ]] ||
			_clearconf_reply $'list\ncreate\nedit\nrotate\nrevoke' "$2"
		;;
	site)
		if [[ $_clearconf_verb == check ]]; then
			COMPREPLY=($(compgen -f -- "$2"))
		else
			_clearconf_reply check "$2"
		fi
		;;
	exec) COMPREPLY=($(compgen -c -- "$2")) ;;
	esac
}

_clearconf() {
	local _clearconf_program _clearconf_command _clearconf_at
	local _clearconf_verb _clearconf_words
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	_clearconf_scan

	# What exec runs has a completion of its own.
	if [[ $_clearconf_command == exec && $_clearconf_at -gt 0 ]]; then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$_clearconf_at"
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi
		return
	fi
	if [[ $prev == -* ]] && _clearconf_argument "$prev" "$cur"; then
		return
	fi
	if [[ $cur == -* ]]; then
		_clearconf_reply "$(_clearconf_options "$_clearconf_command")" "$cur"
	elif [[ -z $_clearconf_command ]]; then
		_clearconf_reply "$(_clearconf_commands)" "$cur"
	else
		_clearconf_word "$_clearconf_command" "$cur"
	fi
}

complete -F _clearconf clearconf
