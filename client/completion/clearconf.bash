# Completion of clearconf(1) for bash: the program itself says what there is.

_clearconf() {
	local cur=${COMP_WORDS[COMP_CWORD]} IFS=$'\n'
	local lines=($("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
	[[ $cur == = ]] && cur=
	case ${lines[0]} in
	:files) COMPREPLY=($(compgen -f -- "$cur")) ;;
	:programs) COMPREPLY=($(compgen -c -- "$cur")) ;;
	:users) COMPREPLY=($(compgen -u -- "$cur")) ;;
	:words*)
		# What exec runs has a completion of its own.
		if declare -F _command_offset >/dev/null; then
			_command_offset "${lines[0]#* }"
		else
			COMPREPLY=($(compgen -f -- "$cur"))
		fi
		;;
	*) COMPREPLY=("${lines[@]%%$'\t'*}") ;;
	esac
	# One answer that ends in a dot is not the end of the word.
	if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[.:=] ]]; then
		compopt -o nospace 2>/dev/null
	fi
	return 0
}

complete -F _clearconf clearconf
